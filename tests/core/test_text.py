"""What cannot be seen is taken off; what spells something stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from apps.core.text import one_line, seen


@pytest.mark.parametrize(
    ("given_text", "kept"),
    [
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("a\x00b\x7fc\x9bd", "abcd"),
        ("invoice\u202egpj.exe", "invoicegpj.exe"),
        ("\u2066hidden\u2069", "hidden"),
        ("pass\u200bword\ufeff\u2060", "password"),
        ("cat\U000e0069\U000e0067\U000e006e", "cat"),
        ("half \ud83d", "half "),
        ("a\u200db", "ab"),
        ("\u200dcat\u200c", "cat"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
    ],
)
def test_what_deceives_or_breaks_is_taken_off(given_text: str, kept: str) -> None:
    assert seen(given_text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "A shoe on sand.\n\tIndented.",
        "👩‍🚀 and 👨‍👩‍👧‍👦 at 🏳️‍🌈 with 👩🏽‍🔬 ❤️‍🔥",
        "🏴󠁧󠁢󠁳󠁣󠁴󠁿 flag",
        "می‌خواهم",  # ZWNJ inside a Persian word
        "क्‍ष and ശ്രീ ന്‍",  # ZWJ in Devanagari and Malayalam
        "שלום\u200f (RTL mark) \u200eLTR mark",
        "naïve café — “quotes” … 日本語 한국어",
    ],
)
def test_what_people_write_stays(text: str) -> None:
    assert seen(text) == text


def test_a_name_is_one_line() -> None:
    assert one_line("Autumn\n\tposters\u202e") == "Autumn posters"


@given(some.text())
def test_once_is_enough(text: str) -> None:
    assert seen(seen(text)) == seen(text)
