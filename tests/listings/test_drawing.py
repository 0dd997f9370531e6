"""Plans of drawn images: words inside the frame, off the product, legible on a phone, in any script; styles that really differ."""

from collections.abc import Sequence

import numpy as np
import pytest

from apps.core.errors import Problem
from apps.listings.drawing.callouts import Said, callouts_of
from apps.listings.drawing.faces import runs_of
from apps.listings.drawing.layouts.comparison import Column, comparison
from apps.listings.drawing.layouts.dimensions import Measure, dimensions
from apps.listings.drawing.layouts.infographic import infographic
from apps.listings.drawing.painting import painted
from apps.listings.drawing.plans import MARGIN, SIDE, Box, Plan, mirrored
from apps.listings.drawing.silhouette import silhouette_of
from apps.listings.drawing.styles import STYLES, Look, look_of
from apps.listings.drawing.typesetting import broken, contrast_of
from apps.listings.imaging.colour import contrast, difference, lab, legible
from apps.listings.imaging.matte import Matte
from tests.listings.judged import matte

ENGLISH = [
    Said("volume", "Volume", "80 ml", True),
    Said("wall", "Wall", "6 mm", True),
    Said("fired-at", "Fired at", "1,280 °C", True),
    Said("oven-safe", "Oven-safe", "yes, up to 220 °C", False),
    Said("feature-5", "", "Glazed by hand", False),
]
GERMAN = [
    Said("a", "Fassungsvermögen", "80 ml", True),
    Said("b", "Spülmaschinengeeignet", "ja, auch bei Intensivprogrammen", False),
    Said("c", "Wandstärke", "6 mm", True),
]
JAPANESE = [
    Said("a", "容量", "80 ml", True),
    Said("b", "ソーサーの直径", "12 cm", True),
    Said("c", "オーブン", "220度まで使えます", False),
]
ARABIC = [Said("a", "السعة", "80 مل", True), Said("b", "الصحن", "12 سم", True), Said("c", "سماكة الجدار", "6 مم", True)]
HEBREW = [Said("a", "נפח", "350 מ״ל", True), Said("b", "גובה", "7 ס״מ", True), Said("c", "דגם", "Ember 80", False)]
TEXTS = {
    "one fact": ("Warm to the last sip", ENGLISH[:1], "en-US"),
    "three facts": ("Warm to the last sip", ENGLISH[:3], "en-US"),
    "five facts": ("Warm to the last sip", ENGLISH, "en-US"),
    "long German words": ("Espressotasse aus Steinzeug", GERMAN, "de-DE"),
    "Japanese": ("最後の一口まで温かい", JAPANESE, "ja-JP"),
    "Arabic": ("فنجان إسبريسو أحمر", ARABIC, "ar-AE"),
    "Hebrew with figures": ("ספל אספרסו אדום", HEBREW, "he-IL"),
}


def look(style: str, product: Matte) -> Look:
    red, green, blue = (round(float(each)) for each in product.rgb[product.solid].mean(axis=0))
    return look_of(style, product=(red, green, blue))


def plan_of(style: str, photo: str, headline: str, facts: Sequence[Said], locale: str) -> tuple[Plan, Matte]:
    product = matte(photo)
    plan = infographic(product, headline, callouts_of(facts, most=5), look=look(style, product), locale=locale)
    return (mirrored(plan) if locale[:2] in ("ar", "he") else plan), product


@pytest.mark.parametrize("photo", ["cup.png", "flask.jpg"])
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("style", STYLES)
def test_words_are_off_the_product_inside_the_frame_and_legible(style: str, text: str, photo: str) -> None:
    headline, facts, locale = TEXTS[text]
    plan, product = plan_of(style, photo, headline, facts, locale)
    _holds(plan, [silhouette_of(product, shown) for shown in plan.products])
    assert any(words.role in ("figure", "callout title") for words in plan.words)


def _holds(plan: Plan, silhouettes: Sequence[object]) -> None:
    for words in plan.words:
        assert words.size >= 30, words
        assert words.role == "note" or words.size >= 44, words
        box = words.box
        assert MARGIN <= box.left < box.right <= SIDE - MARGIN, words
        assert MARGIN <= box.top < box.bottom <= SIDE - MARGIN, words
        assert not any(one.meets(box.grown(-20)) for one in silhouettes), words  # type: ignore[attr-defined]
        planned = contrast_of(words)
        assert planned is None or planned >= (3.0 if words.size >= 96 else 4.5) - 0.01, words
    boxes = [words.box for words in plan.words]
    assert not any(a.meets(b) for n, a in enumerate(boxes) for b in boxes[n + 1 :])


@pytest.mark.parametrize("style", STYLES)
def test_tables_and_measures_hold_too(style: str) -> None:
    product = matte("cup.png")
    rows = {"Volume": ("80 ml", "50 ml"), "Wall": ("6 mm", ""), "In the box": ("cup, saucer and spoon", "cup")}
    columns = [
        Column(name, {label: values[n] for label, values in rows.items()}, product)
        for n, name in enumerate(("Espresso cup, brick red", "Ristretto cup"))
    ]
    table = comparison(columns, list(rows), look=look(style, product), locale="en-US")
    _holds(table, [silhouette_of(product, shown) for shown in table.products])
    assert "–" in {words.text for words in table.words}

    measures = [Measure("across", "Saucer", 120, "4.7 in · 12 cm"), Measure("up", "Height", 70, "2.8 in · 7 cm")]
    diagram = dimensions(product, measures, "", look=look(style, product), locale="en-US")
    _holds(diagram, [silhouette_of(product, shown) for shown in diagram.products])
    assert diagram.notes == ("not_to_scale",)  # the cup is seen from above


def test_a_straight_view_is_to_scale_and_shows_a_card() -> None:
    product = matte("flask.jpg")
    width, height = product.size
    measures = [
        Measure("across", "Width", 110, "11 cm"),
        Measure("up", "Height", 110 * height / width, "29 cm"),
    ]
    diagram = dimensions(product, measures, "", look=look("minimal", product), locale="en-GB")
    assert diagram.notes == ()
    assert any("card" in words.text for words in diagram.words)


def test_six_styles_differ_in_ground_type_and_layout() -> None:
    product = matte("cup.png")
    looks = [look(style, product) for style in STYLES]
    for n, first in enumerate(looks):
        for second in looks[n + 1 :]:
            assert float(difference(lab(first.ground), lab(second.ground))) >= 12, (first.style, second.style)
            assert (first.display, first.line) != (second.display, second.line)
    plans = [plan_of(style, "cup.png", *TEXTS["three facts"])[0] for style in STYLES]
    figures = [next(words.box for words in plan.words if words.role == "figure") for plan in plans]
    for n, first in enumerate(figures):
        for second in figures[n + 1 :]:
            assert overlap(first, second) < 0.5


def overlap(first: Box, second: Box) -> float:
    wide = max(0, min(first.right, second.right) - max(first.left, second.left))
    high = max(0, min(first.bottom, second.bottom) - max(first.top, second.top))
    shared = wide * high
    return shared / (first.width * first.height + second.width * second.height - shared)


def test_right_to_left_mirrors_the_page_and_not_the_figures() -> None:
    plan, _ = plan_of("premium", "cup.png", *TEXTS["Arabic"])
    assert plan.right_to_left
    headline = next(words for words in plan.words if words.role == "headline")
    assert headline.align == "right"
    assert headline.box.right > SIDE * 0.8
    runs = runs_of("80 مل", "figtree", "ar-AE")
    assert [(run.text.strip(), run.right_to_left) for run in runs if run.text.strip()] == [("80", False), ("مل", True)]


def test_what_no_typeface_has_is_named() -> None:
    with pytest.raises(Problem, match="glyph_missing") as refusal:
        runs_of("Cup \U0001f600", "inter", "en-US")
    assert refusal.value.extra == {"letter": "\U0001f600"}


def test_what_is_too_long_says_by_how_much() -> None:
    with pytest.raises(Problem, match="text_too_long") as refusal:
        plan_of(
            "minimal",
            "cup.png",
            "A headline that goes on and on and does not come to any end at all " * 2,
            ENGLISH,
            "en-US",
        )
    assert int(str(refusal.value.extra["surplus"])) > 0


def test_long_words_are_divided_at_their_syllables_only_where_they_must() -> None:
    whole = broken("Spülmaschinengeeignet", "inter", "de-DE", 60, 900, 2)
    assert whole == ["Spülmaschinengeeignet"]
    parts = broken("Spülmaschinengeeignet", "inter", "de-DE", 60, 420, 2, divided=True)
    assert parts is not None
    assert parts[0].endswith("-")
    assert "".join(parts).replace("-", "") == "Spülmaschinengeeignet"


def test_a_brands_colour_is_darkened_until_it_can_be_read() -> None:
    yellow, paper = (240, 220, 60), (255, 255, 255)
    shown = legible(yellow, paper, least=4.5)
    assert contrast(shown, paper) >= 4.5
    assert float(lab(shown)[0]) < float(lab(yellow)[0])


def test_a_picture_is_drawn_as_it_was_planned() -> None:
    plan, product = plan_of("minimal", "cup.png", *TEXTS["three facts"])
    picture = painted(plan, [product], locale="en-US")
    for words in plan.words:
        box = words.box
        here = picture[box.top : box.bottom, box.left : box.right].reshape(-1, 3).astype(int)
        ink = np.abs(here - np.array(words.colour)).sum(axis=1) < 30
        assert ink.any(), words
    assert (picture[:MARGIN] == 255).all()
