"""A believable image prompt, written from what was really sent: the photographs and the words."""

import hashlib
import re

from apps.simulator.chance import chance
from apps.simulator.chat.question import Question
from apps.simulator.sight import Look, look_at

REFUSAL = "I'm sorry, but I can't help with that request."
MOST_WORDS = 120
MOST_OF_THE_USERS = 70  # words
SHOTS = (
    "A refined editorial photograph", "A cinematic still", "A crisp studio photograph",
    "An intimate close-up photograph", "A wide, airy composition", "A richly textured fine-art photograph",
)  # fmt: skip
LIGHTS = {
    "dark": (
        "low-key light with one warm rim along the edge", "a single soft beam falling through deep shadow",
        "moody twilight with gentle specular highlights",
    ),
    "balanced": (
        "soft window light from the left with long, quiet shadows", "golden late-afternoon light",
        "diffused overcast light that keeps every texture readable",
    ),
    "bright": (
        "high-key daylight with barely-there shadows", "clean morning light bouncing off pale surfaces",
        "bright, even studio light with a faint reflection below",
    ),
}  # fmt: skip
PLACES = (
    "on a weathered oak table", "against a seamless hand-painted backdrop", "beside a tall window with linen curtains",
    "on honed stone with a trace of mist behind", "in a quiet room with plastered walls",
    "in front of a softly blurred garden",
)  # fmt: skip
LENSES = (
    "85 mm lens at f/2, shallow depth of field", "50 mm lens at f/4, natural perspective",
    "100 mm macro, every fibre and grain visible", "35 mm lens, layered foreground and background",
)  # fmt: skip
MOODS = ("calm and tactile", "warm and inviting", "bold and graphic", "hushed and contemplative", "fresh and modern")
FRAMES = {
    "landscape": "a wide landscape frame with the subject on the right-hand third",
    "portrait": "a tall portrait frame with room to breathe above the subject",
    "square": "a balanced square frame with the subject slightly off centre",
}


def image_prompt(request: Question, *, seed: int) -> str:
    """40–120 English words, the same for the same request and seed, different for another."""
    dice = chance(_digest(request, seed))
    looks = [look_at(each) for each in request.photographs]
    target = looks[-1] if looks else Look.unseen()
    sentences = (
        f"{dice.choice(SHOTS)} of {_subject(request, looks)}, {dice.choice(PLACES)}, lit by "
        f"{dice.choice(LIGHTS[target.brightness])}.",
        f"The palette moves between {_listed(target.colours)}{_borrowed(looks)}.",
        f"Composed as {FRAMES[target.orientation]}, {dice.choice(LENSES)}, fine natural texture, true-to-life "
        "materials and precise focus on what matters.",
        f"The mood is {dice.choice(MOODS)}; the background stays simple so that the subject is read at first glance.",
    )
    return _within(MOST_WORDS, sentences)


def _within(most: int, sentences: tuple[str, ...]) -> str:
    """As many whole sentences as fit, the first in any case."""
    kept = sentences[0]
    for sentence in sentences[1:]:
        if len(f"{kept} {sentence}".split()) <= most:
            kept = f"{kept} {sentence}"
    return kept


def _subject(request: Question, looks: list[Look]) -> str:
    words = wanted_words(request.said_by("user"))
    if words:
        return words
    if len(looks) > 1:
        return f"the subject of the {_count(len(looks) - 1)}, placed naturally in the setting of the target photograph"
    return "the subject of the photograph" if looks else "one well-made everyday object"


def wanted_words(said: str) -> str:
    """The user's own description, if there is one: what stands in tags, or follows a label such as `Instructions:`."""
    tagged = re.findall(r"(?is)<(?:prompt|wishes|instructions)>(.{1,2000}?)</", said)
    labelled = re.findall(r"(?im)^\s*(?:existing prompt|prompt|subject|instructions)\s*:\s*(.{8,400})$", said)
    found = [_tidied(each) for each in (*tagged, *labelled)]
    words = " with ".join(dict.fromkeys(each for each in found if each)).split()
    return " ".join(words[:MOST_OF_THE_USERS]).strip(" .,;:")


def _tidied(text: str) -> str:
    plain = re.sub(r"\bsim-\w+(?:-\d+)?\b", "", re.sub(r"[*_`#>\[\]]", "", text))
    words = " ".join(plain.split()).strip(" .,;:")
    starts_a_sentence = words[:1].isupper() and not words[1:2].isupper()
    return words[:1].lower() + words[1:] if starts_a_sentence else words


def _borrowed(looks: list[Look]) -> str:
    if len(looks) < 2:
        return ", held together by soft neutral tones"
    colours = [look.colours[0] for look in looks[:-1]]
    return f", with {_listed(tuple(dict.fromkeys(colours)))} carried over from the {_count(len(looks) - 1)}"


def _count(references: int) -> str:
    names = ("", "one", "two", "three", "four", "five", "six")
    return f"{names[references] if references < len(names) else references} reference{'s' if references > 1 else ''}"


def _listed(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _digest(request: Question, seed: int) -> str:
    parts = [str(seed), request.asked, *(text for _, text in request.texts)]
    parts += [photograph.digest for photograph in request.photographs]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
