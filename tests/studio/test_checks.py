"""Real phrasings: what is a prompt, what is one in a wrapping, what is a refusal, what is talk."""

import json

import pytest

from apps.studio.prompting.checks import Rejected, accepted

GOOD = "A ginger cat rests on a sunlit windowsill beside a blue vase, soft morning light, shallow depth of field."

WRAPPED = [
    f'"{GOOD}"',
    f"'{GOOD}'",
    f"“{GOOD}”",
    f"«{GOOD}»",
    f"„{GOOD}“",
    f"‘{GOOD}’",
    f"  \n“{GOOD}”\n ",
    f"<think>The user wants a cat. I can't see more.</think>\n\n{GOOD}",
    f"<think>\nFirst:\n- a cat\n</think>{GOOD}",
    f"<thinking>A cat.</thinking> {GOOD}",
    f"The user wants a cat, so let me write.\n</think>\n{GOOD}",
    json.dumps({"prompt": GOOD}),
    json.dumps({"prompt": GOOD, "negative_prompt": "blurry"}),
    json.dumps({"image_prompt": GOOD, "notes": "as asked"}),
    json.dumps({"scene": GOOD}),
    json.dumps([GOOD]),
    json.dumps(GOOD),
    f"```\n{GOOD}\n```",
    f"```text\n{GOOD}\n```",
    f"```json\n{json.dumps({'prompt': GOOD}, indent=2)}\n```",
    f"~~~\n{GOOD}\n~~~",
    f"<prompt>{GOOD}</prompt>",
    f"<think>hm</think>\n```json\n{json.dumps({'prompt': GOOD})}\n```",
]


@pytest.mark.parametrize("answer", WRAPPED)
def test_the_wrapping_is_taken_off(answer: str) -> None:
    assert accepted(answer) == GOOD


@pytest.mark.parametrize(
    "answer",
    [
        f'""{GOOD}""',
        f"““{GOOD}””",
        json.dumps({"prompt": json.dumps({"prompt": GOOD})}),
        json.dumps({"prompt": {"text": GOOD}}),
        json.dumps({"scene": GOOD, "light": "soft morning light"}),
        json.dumps([GOOD, GOOD]),
        "{prompt: " + GOOD + "}",
        f"<think>{GOOD}",
        f"<think>one</think><think>two {GOOD}",
    ],
)
def test_what_stays_wrapped_is_that_models_failure(answer: str) -> None:
    with pytest.raises(Rejected, match="wrapped"):
        accepted(answer)


KEPT = [
    "“Sorry, we are closed” reads a hand-painted sign on a door of weathered green wood, rain on the glass.",
    '"Sorry, we are closed" reads a hand-painted sign on a door of weathered green wood, rain on the glass.',
    "‘Sorry, no vacancy’ glows in pink neon above the entrance of a desert motel at dusk.",
    "“I'm sorry, I can't help with that,” says the speech bubble of a tiny robot on a desk, flat illustration.",
    "A wooden board that says “I cannot create miracles”, hung above a baker's bench with flour in the air.",
    "Sorry-looking dog in the rain outside a bakery, warm light from the window, 35 mm film.",
    "A phone on marble shows the handle snake__case in white letters, macro photograph, soft light.",
    "Two terminals show __init__.py and main__test__.py in green type, moody light, close-up.",
    "A mug with the words 2 ** 8 = 256 on it, on a desk with cables, top view.",
    "“Open” says one enamel sign and the other one says “Closed”",
    '"Open" says one enamel sign, while the other, smaller one next to it says "Closed"',
    "As an airplane climbs over the coast, the wing catches the last light; wide view, 24 mm.",
    "As an AI-themed exhibition opens, visitors walk between tall mirrors in blue light.",
    "Here is where two rivers meet: a stone bridge at dawn, mist over the water, wide view.",
    "Here's looking at you: a cat with amber eyes in a velvet chair, film noir lighting.",
    "Unfortunately for the baker, the cake leans: a tall pink cake tilts on a counter, comic style.",
    "The request bell on a hotel counter, polished brass, warm lamp light, shallow focus.",
    "This content cat naps on a radiator, grey fur, winter light through lace curtains.",
    "We are sorry, the note on the fridge begins, in blue ink; close-up, kitchen light.",
    "A storefront with “www.bakery.example” in gold letters on its window, evening, wet street.",
    "1950. A street in Paris after rain, black-and-white photograph, cyclists and long reflections.",
    "Rock`n`roll poster on brick, torn edges, red and black ink, raking light from the left.",
    "A carefully composed photograph of a ceramic teapot on dark linen, side light, muted colours.",
    "I ♥ NY printed on a white T-shirt that hangs on a line in the wind, bright noon light.",
    "We see a harbour at night from above, cranes lit orange, containers in rows, long exposure.",
    "A door that won't close, peeling paint, light streaming through the gap, dust in the air.",
    "Prompt service, says the bell boy's badge; a lobby in brass and walnut, warm light.",
]


@pytest.mark.parametrize("prompt", KEPT)
def test_a_good_prompt_is_taken_as_it_is(prompt: str) -> None:
    assert accepted(prompt) == prompt


REFUSALS = [
    "I'm sorry, but I can't help with that request.",
    "I’m sorry, but I can’t assist with that.",
    "“I'm sorry, but I can't help with that request.”",
    json.dumps({"prompt": "I'm sorry, but I can't help with that."}),
    "<think>Not allowed.</think>I can't create this.",
    "Sorry, I can't help with this image.",
    "Sorry, but this request violates our content policy.",
    "I cannot generate a prompt for this picture, as it shows a real person.",
    "I can't help with that.",
    "I won't write that.",
    "I am unable to describe the people in these pictures.",
    "I'm unable to fulfill this request because of the policy.",
    "I'm not able to help with that.",
    "I must decline to write this prompt.",
    "I must respectfully decline.  This goes against my guidelines.",
    "Unfortunately, I cannot provide a prompt for this.",
    "Unfortunately I'm not able to process these images.",
    "I apologize, but I can't create content of this kind.",
    "My apologies, but that is not something I can write.",
    "As an AI language model, I cannot view images.",
    "As an AI, I don't create such content.",
    "This request violates the usage guidelines.",
    "This content goes against our policies and cannot be written.",
    "Hello! Thank you for your pictures. I'm sorry, but I can't assist with this one.",
    "I appreciate the detail, but I won't be able to help with this; I can't create sexual content.",
    "I don't feel comfortable describing this picture.",
    "We're sorry, we can't process this request.",
    "Lo siento, pero no puedo ayudar con esa solicitud.",
    "Es tut mir leid, dabei kann ich nicht helfen.",
]


@pytest.mark.parametrize("answer", REFUSALS)
def test_a_refusal_in_words_is_one(answer: str) -> None:
    with pytest.raises(Rejected) as refused:
        accepted(answer)
    assert refused.value.code == "refusal"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (f"# Prompt\n\n{GOOD}", "markdown"),
        ("- **Subject:** a cat on a windowsill\n- **Light:** soft", "markdown"),
        (f"**Prompt** {GOOD}", "markdown"),
        (f"1. {GOOD}\n2. {GOOD}", "markdown"),
        (f"{GOOD} [source](https://example.com)", "markdown"),
        (f"Use `cat` here. {GOOD}", "markdown"),
        (f"{GOOD} See https://example.com/cat", "link"),
        (f"Here is the prompt you asked for: {GOOD}", "preface"),
        (f"Here's an improved version of your prompt. {GOOD}", "preface"),
        (f"Sure! {GOOD}", "preface"),
        (f"Prompt: {GOOD}", "preface"),
        (f"Image prompt: {GOOD}", "preface"),
        (f"{GOOD} Let me know if you would like another one.", "preface"),
        ("A carefully composed photograph of the subject of the reference picture, set in the scene.", "template"),
        ("A cat.", "too_short"),
        ("a" * 1201, "too_long"),
        ("\u200b\n", "empty"),
        ("```\n```", "empty"),
    ],
)
def test_what_is_no_prompt_is_told(answer: str, code: str) -> None:
    with pytest.raises(Rejected) as refused:
        accepted(answer)
    assert refused.value.code == code
