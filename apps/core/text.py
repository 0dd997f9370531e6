"""Text that people and programs give us, without what cannot be seen and only deceives or breaks."""

import re
import unicodedata

# Kept: tab and line feed; the marks of right-to-left writing (U+200E, U+200F, U+061C), which languages need.
_UNSEEN = re.compile(
    "["
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # control characters: terminals obey them
    "\u202a-\u202e\u2066-\u2069"  # order of reading overridden: a text shows other words than it has
    "\u200b\u2060-\u2064\u206a-\u206f\ufeff\u180e\ufff9-\ufffb"  # zero width, and annotation
    "\ud800-\udfff"  # half of a character
    "\ufdd0-\ufdef\ufffe\uffff"  # no character at all
    "]"
)
_ENDS_OF_LINES = re.compile("\r\n?|[\u2028\u2029]")
# Flags of regions are written 🏴 with tags and an end; tags anywhere else hide a text in the text.
_FLAG = re.compile("(\U0001f3f4[\U000e0020-\U000e007e]{1,16}\U000e007f)|[\U000e0000-\U000e007f]")
_JOINERS = "\u200c\u200d"  # between letters of Persian or Hindi, and between emoji, they are spelling
_VARIATION = {"\ufe0e", "\ufe0f"}


def seen(text: str) -> str:
    """The text without control characters, overridden order of reading, hidden tags and zero-width characters.

    Joiners stay where they spell something: between emoji, and between letters of scripts that join.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _UNSEEN.sub("", _ENDS_OF_LINES.sub("\n", text))
    text = _FLAG.sub(lambda flag: flag[1] or "", text)
    if not any(joiner in text for joiner in _JOINERS):
        return text
    return "".join(char for place, char in enumerate(text) if char not in _JOINERS or _spells(text, place))


def one_line(text: str) -> str:
    """The same for a name: no line feeds and tabs either."""
    return re.sub(r"[\n\t]+", " ", seen(text))


def _spells(text: str, place: int) -> bool:
    before, after = text[place - 1] if place else "", text[place + 1] if place + 1 < len(text) else ""
    if not before or before in _JOINERS:
        return False
    # ZWNJ may end a word in Persian; ZWJ may stand before a space in Indic scripts: only what comes before decides.
    return _joins(before) or (text[place] == "\u200d" and _is_emoji(before) and _is_emoji(after))


def _joins(char: str) -> bool:
    """A letter or mark of a script where joiners change the spelling: Arabic, Hebrew's neighbours, the scripts of India
    and of the countries round it, Mongolian."""
    return unicodedata.category(char)[0] in "LM" and (
        "\u0600" <= char <= "\u08ff"
        or "\u0900" <= char <= "\u109f"
        or "\u1780" <= char <= "\u18af"
        or "\ua8e0" <= char <= "\ua8ff"
    )


def _is_emoji(char: str) -> bool:
    return char in _VARIATION or unicodedata.category(char) in ("So", "Sk") or "\U0001f3fb" <= char <= "\U0001f3ff"
