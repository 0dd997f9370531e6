"""DIMENSION_DIAGRAM: will it fit? Measures from the facts only, on lines that end at the product's own edges."""

from collections.abc import Sequence

from apps.listings.drawing.callouts import Measure
from apps.listings.drawing.layouts.grounds import dress
from apps.listings.drawing.layouts.stage import Stage
from apps.listings.drawing.plans import MEASURE, NOTE, Box, Plan, Product, Shape
from apps.listings.drawing.silhouette import silhouette_of
from apps.listings.drawing.styles import TECHY, Look
from apps.listings.drawing.vocabulary import word
from apps.listings.hexes import Rgb
from apps.listings.imaging.colour import mixed
from apps.listings.imaging.matte import Matte

KIND = "DIMENSION_DIAGRAM"
LINE = 5
AWAY = 72  # from the product to its dimension line
BEGINS, BEYOND = 16, 24  # of an extension line: from the product, and past the dimension line
HEAD = (34, 9)  # an arrow's length, and half its width
OFF = 0.15  # how far the picture's proportions may be from the facts' before it is no drawing to scale
CARD = (85.60, 53.98)  # millimetres: ISO/IEC 7810 ID-1


def dimensions(matte: Matte, measures: Sequence[Measure], headline: str, *, look: Look, locale: str) -> Plan:
    """Width below, height beside. Problem 422: text_too_long, glyph_missing."""
    stage = Stage(look=look, locale=locale, image_type=KIND)
    dress(stage)
    title = stage.headline(headline or word("measures", locale), Box(130, 120, 1870, 380), largest=112)
    across = next((one for one in measures if one.axis == "across"), None)
    up = next((one for one in measures if one.axis == "up"), None)
    width, height = matte.size
    wide = width / max(height, 1)
    room = (1560 - title.box.bottom - 90, 1150)
    longer = min(1150.0 if wide > 0.8 else 1240.0, room[1] * max(1.0, 1 / wide), room[0] * max(1.0, wide))
    shown = (longer if wide >= 1 else longer * wide, longer / wide if wide >= 1 else longer)
    product = Product(
        (760 if wide > 0.6 else 900, title.box.bottom + 80 + shown[1] / 2 + (room[0] - shown[1]) / 2),
        longer,
        shadow=False,
    )
    silhouette = silhouette_of(matte, product)
    stage.products.append(product)
    stage.silhouettes.append(silhouette)
    box, ink = silhouette.box, look.accent if look.style == TECHY else look.ink
    if across:
        _across(stage, box, across, ink)
    if up:
        _up(stage, box, up, ink)
    scale = _pixels_a_millimetre(box, across, up)
    if scale is None:
        stage.notes.append("not_to_scale")
    _rest(stage, [one for one in measures if one.axis == "other"], box, scale)
    return stage.plan()


def _pixels_a_millimetre(box: Box, across: Measure | None, up: Measure | None) -> float | None:
    """None when the picture is seen at an angle: its proportions are not those of the facts."""
    if across is None or up is None:
        return None
    stated, seen = across.millimetres / up.millimetres, box.width / max(box.height, 1)
    return box.width / across.millimetres if abs(seen / stated - 1) <= OFF else None


def _across(stage: Stage, box: Box, measure: Measure, ink: Rgb) -> None:
    y = box.bottom + AWAY + 20
    _dimension(stage, (box.left, y), (box.right, y), ink)
    for x in (box.left, box.right):
        stage.draw(_extension(stage.look, (x, box.bottom + BEGINS), (x, y + BEYOND)))
    _label(stage, measure, Box(round(box.centre[0]) - 420, y + 34, round(box.centre[0]) + 420, y + 150), "centre")


def _up(stage: Stage, box: Box, measure: Measure, ink: Rgb) -> None:
    x = box.right + AWAY + 20
    _dimension(stage, (x, box.top), (x, box.bottom), ink)
    for y in (box.top, box.bottom):
        stage.draw(_extension(stage.look, (box.right + BEGINS, y), (x + BEYOND, y)))
    middle = round(box.centre[1])
    _label(stage, measure, Box(x + 40, middle - 140, 1890, middle + 140), "left")


def _label(stage: Stage, measure: Measure, box: Box, align: str) -> None:
    look = stage.look
    if align == "centre":
        stage.set(f"{measure.label} {measure.shown}", MEASURE, box, face=look.text, align="centre", colour=look.ink)
        return
    figure = stage.set(
        measure.shown, MEASURE, Box(box.left, box.top + 66, box.right, box.bottom), face=look.text, colour=look.ink
    )
    stage.set(measure.label, NOTE, Box(box.left, box.top + 6, box.right, figure.box.top - 4), colour=look.soft)


def _rest(stage: Stage, others: Sequence[Measure], box: Box, scale: float | None) -> None:
    """What is not drawn is listed; a bank card beside it where the scale is known."""
    look = stage.look
    note = word("not_to_scale", stage.locale) if scale is None else ""
    if scale is not None and 60 <= CARD[0] * scale <= 460:
        card = Box(1890 - round(CARD[0] * scale), 1860 - round(CARD[1] * scale), 1890, 1860)
        if not any(one.meets(card) for one in stage.silhouettes) and not any(
            card.meets(one.box) for one in stage.words
        ):
            radius = round(3.18 * scale)
            stage.draw(
                Shape("rect", mixed(look.ground, look.ink, 0.55), box=card, radius=radius),
                Shape("rect", look.ground, box=card.grown(-4), radius=max(1, radius - 4)),
            )
            name = word("card", stage.locale)
            if name:
                stage.set(
                    name,
                    NOTE,
                    Box(card.left - 480, card.bottom - 60, card.left - 24, card.bottom),
                    colour=look.soft,
                    align="right",
                    anchor="bottom",
                )
    told = " · ".join(f"{one.label} {one.shown}" for one in others[:3])
    listed = " · ".join(part for part in (told, note) if part)
    if listed:
        stage.set(listed, NOTE, Box(130, 1770, 1200, 1890), colour=look.soft, anchor="bottom")


def _extension(look: Look, start: tuple[float, float], end: tuple[float, float]) -> Shape:
    return Shape("line", mixed(look.ground, look.ink, 0.45), points=(start, end), width=3)


def _dimension(stage: Stage, start: tuple[float, float], end: tuple[float, float], ink: Rgb) -> None:
    """A line with a filled head at each end."""
    (x0, y0), (x1, y1) = start, end
    length, half = HEAD
    flat = y0 == y1
    inner = ((x0 + length - 2, y0), (x1 - length + 2, y1)) if flat else ((x0, y0 + length - 2), (x1, y1 - length + 2))
    stage.draw(Shape("line", ink, points=inner, width=LINE))
    for (x, y), way in (((x0, y0), 1), ((x1, y1), -1)):
        tip = (
            ((x, y), (x + way * length, y - half), (x + way * length, y + half))
            if flat
            else ((x, y), (x - half, y + way * length), (x + half, y + way * length))
        )
        stage.draw(Shape("polygon", ink, points=tip))
