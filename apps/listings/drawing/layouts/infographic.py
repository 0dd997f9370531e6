"""INFOGRAPHIC: what is good about it? The product, and three to five facts, in six ways that really differ."""

from collections.abc import Callable, Sequence

from apps.core.errors import Problem
from apps.listings.drawing.callouts import Callout
from apps.listings.drawing.layouts.stage import Crowded, Stage, no_room, rule
from apps.listings.drawing.plans import FIGURE, NOTE, Box, Plan, Product, Shape
from apps.listings.drawing.silhouette import silhouette_of
from apps.listings.drawing.styles import BOLD, COLORFUL, LIFESTYLE, MINIMAL, PREMIUM, TECHY, Look
from apps.listings.hexes import from_hex
from apps.listings.imaging.colour import mixed
from apps.listings.imaging.matte import Matte

KIND = "INFOGRAPHIC"
SMALLEST = 0.42  # of what a style would like the product to be
_STEP = 0.04


def infographic(matte: Matte, headline: str, callouts: Sequence[Callout], *, look: Look, locale: str) -> Plan:
    """Makes the product smaller step by step until every word has room; then leaves the last callout out.

    Problem 422: text_too_long, glyph_missing, no_room.
    """
    trouble = no_room()
    shown = list(callouts[: look.callouts])
    while shown:
        share, left_out = 1.0, shown[-1]
        while share >= SMALLEST:
            try:
                return _laid_out(look, locale, matte, headline, shown, share)
            except Crowded:
                share -= _STEP
            except Problem as problem:  # a smaller product makes no column wider; fewer columns do
                trouble, left_out = problem, _said_in(problem, shown)
                break
        shown.remove(left_out)
    raise trouble


def _said_in(problem: Problem, callouts: Sequence[Callout]) -> Callout:
    """The callout whose words do not fit; the last one when it is none of theirs."""
    text = str(problem.extra.get("text", "")).replace("\u00a0", " ")
    return next((one for one in callouts if text and text in (one.figure, one.title, one.body)), callouts[-1])


def _laid_out(look: Look, locale: str, matte: Matte, headline: str, callouts: Sequence[Callout], share: float) -> Plan:
    """All figures of an image have one size: that of the one that fits worst."""
    size = FIGURE.largest
    while True:
        stage = Stage(look=look, locale=locale, image_type=KIND, figure_size=size)
        _LAYOUTS[look.style](stage, matte, headline, callouts, share)
        if stage.smallest_figure >= size or sum(bool(callout.figure) for callout in callouts) < 2:
            return stage.plan()
        size = stage.smallest_figure


def _stand(stage: Stage, matte: Matte, centre: tuple[float, float], longer: float, *, shadow: bool = True) -> Box:
    """Puts the product into the frame; answers its box."""
    product = Product(centre, longer, shadow=shadow)
    silhouette = silhouette_of(matte, product)
    stage.products.append(product)
    stage.silhouettes.append(silhouette)
    return silhouette.box


def _shape_of(matte: Matte) -> float:
    """Width by height."""
    width, height = matte.size
    return width / max(height, 1)


def _premium(stage: Stage, matte: Matte, headline: str, callouts: Sequence[Callout], share: float) -> None:
    """The product on a vertical third, a column of captions on one edge, a wide empty side, hairlines."""
    look, wide = stage.look, _shape_of(matte)
    longer = (1140 if wide > 1 else 1420) * share
    shown = longer if wide >= 1 else longer * wide
    _stand(stage, matte, (1860 - shown / 2 if wide > 0.8 else 1340, 1130), longer)
    title = stage.headline(headline, Box(150, 150, 1850, 480), largest=148)
    top = title.box.bottom + 90
    stage.draw(rule(look, 150, top, 420, width=6))
    column = Box(150, top + 70, 150 + max(500, round(1700 - shown - 60)), 1850)
    step = (column.bottom - column.top) // max(len(callouts), 3)
    for place, callout in enumerate(callouts):
        begins = column.top + place * step
        stage.callout(
            callout, Box(column.left, begins, min(column.right, 820), begins + step - 40), figure_size=124,
            title_face=look.display,
        )  # fmt: skip
        if place:
            stage.draw(
                rule(look, column.left, begins - 36, column.left + 420, colour=mixed(look.ground, look.ink, 0.25))
            )


def _minimal(stage: Stage, matte: Matte, headline: str, callouts: Sequence[Callout], share: float) -> None:
    """The product dead centre, much air, the words in one row at the foot."""
    look, wide = stage.look, _shape_of(matte)
    longer = (1180 if wide > 0.75 else 1160) * share
    height = longer / wide if wide > 1 else longer
    title = stage.headline(headline, Box(150, 110, 1850, 390), align="centre", largest=112)
    foot = 1470
    _stand(
        stage,
        matte,
        (1000, (title.box.bottom + foot) / 2 + 10),
        min(longer, (foot - title.box.bottom - 130) * longer / height),
    )
    width = 1760 // len(callouts)
    for place, callout in enumerate(callouts):
        left = 120 + place * width
        middle = left + width / 2
        stage.draw(Shape("ellipse", look.accent, box=Box(round(middle - 11), foot, round(middle + 11), foot + 22)))
        stage.callout(callout, Box(left + 30, foot + 60, left + width - 30, 1890), align="centre", figure_size=112)


def _bold(stage: Stage, matte: Matte, headline: str, callouts: Sequence[Callout], share: float) -> None:
    """One full colour cut by a slope, a headline in capitals, blocks of figures that run off the frame."""
    look, wide = stage.look, _shape_of(matte)
    stage.draw(
        Shape("polygon", look.others[0], points=((0, 1150), (2000, 725), (2000, 2000), (0, 2000))),
    )
    title = stage.headline(headline, Box(110, 120, 1890, 520), colour=look.ink)
    band = 1500
    room = band - title.box.bottom - 60
    longer = min(1240 * share, room * max(wide, 1.0))
    height = longer / wide if wide > 1 else longer
    _stand(stage, matte, (1000, title.box.bottom + 40 + (room - 20) / 2 + (room - height) * 0.1), longer)
    width = 2000 / len(callouts)
    for place, callout in enumerate(callouts):
        left, right = round(place * width), round((place + 1) * width)
        ground = look.plate if place % 2 == 0 else mixed(look.plate, from_hex("#FFFFFF"), 0.14)
        stage.draw(Shape("rect", ground, box=Box(left, band + (0 if place % 2 == 0 else 60), right, 2000)))
        ink = from_hex("#FFFFFF")
        inner = Box(max(left + 50, 110), band + 110, min(right - 40, 1890), 1890)
        stage.callout(callout, inner, ground=ground, ink=ink, soft=ink, title_face=look.text)


def _lifestyle(stage: Stage, matte: Matte, headline: str, callouts: Sequence[Callout], share: float) -> None:
    """A warm table, the product to the side, and paper cards laid over the calm corner like notes."""
    look, wide = stage.look, _shape_of(matte)
    stage.draw(
        Shape("polygon", look.others[1], points=((0, 1330), (2000, 1230), (2000, 2000), (0, 2000))),
        Shape("ellipse", look.others[0], box=Box(-320, 380, 1380, 2080), opacity=0.7, blur=60),
    )
    title = stage.headline(headline, Box(130, 130, 1870, 440), largest=150)
    longer = (1120 if wide > 1 else 1260) * share
    shown = longer if wide >= 1 else longer * wide
    height = longer / wide if wide > 1 else longer
    floor = 1760 - max(0, 60 * (len(callouts) < 3))
    _stand(
        stage, matte, (max(110 + shown / 2, 560), max(title.box.bottom + 60 + height / 2, floor - height / 2)), longer
    )
    left = 1190
    step = (1860 - title.box.bottom - 60) // max(len(callouts), 3)
    for place, callout in enumerate(callouts):
        top = title.box.bottom + 70 + place * step
        aside = (0, 40, -20, 30)[place % 4]
        card = Box(left + aside, top, 1860 + min(aside, 20), top + step - 44)
        if any(one.meets(card.grown(-30)) for one in stage.silhouettes):
            raise Crowded
        stage.draw(
            Shape("rect", from_hex("#3A2F22"), box=Box(card.left, card.top + 18, card.right, card.bottom + 18), radius=36,
                  opacity=0.24, blur=34),
            Shape("rect", look.plate, box=card, radius=36),
        )  # fmt: skip
        stage.callout(
            callout, Box(card.left + 56, card.top + 40, card.right - 40, card.bottom - 24), ground=look.plate,
            figure=look.accent, figure_size=112, title_face=look.display,
        )  # fmt: skip


def _techy(stage: Stage, matte: Matte, headline: str, callouts: Sequence[Callout], share: float) -> None:
    """A drawing board: dots, brackets at the corners, numbered figures in two columns, all on one grid."""
    look, wide = stage.look, _shape_of(matte)
    stage.draw(Shape("dots", look.others[0], box=Box(0, 0, 2000, 2000), width=40))
    title = stage.headline(headline, Box(160, 160, 1840, 420), largest=120)
    stage.draw(rule(look, 160, title.box.bottom + 50, 1840, colour=look.others[0]))
    frame = Box(100, 100, 1900, 1900)
    arm = 90
    for x, y, dx, dy in (
        (frame.left, frame.top, 1, 1),
        (frame.right, frame.top, -1, 1),
        (frame.left, frame.bottom, 1, -1),
        (frame.right, frame.bottom, -1, -1),
    ):
        stage.draw(Shape("line", look.accent, points=((x + dx * arm, y), (x, y), (x, y + dy * arm)), width=4))
    beside = [callout for callout in callouts if len(callout.body) < 40][:4]
    below = [callout for callout in callouts if callout not in beside]
    top = title.box.bottom + 90
    bottom = 1560 if below else 1820
    longer = min((1000 if wide > 0.8 else 1180) * share, (bottom - top) * (wide if wide > 1 else 1))
    _stand(stage, matte, (1000, (top + bottom) / 2), longer, shadow=False)
    rows = -(-len(beside) // 2)
    for place, callout in enumerate(beside):
        right, row = place % 2 == 1, place // 2
        y = round(top + 60 + (bottom - top - 120) * (row + 0.5) / rows - 130)
        box = Box(1430, y, 1840, y + 420) if right else Box(160, y, 570, y + 420)
        _indexed(stage, callout, place + 1, box, right=right)
    for place, callout in enumerate(below):
        width = 1680 // len(below)
        _indexed(
            stage, callout, len(beside) + place + 1, Box(160 + place * width, 1590, 130 + (place + 1) * width, 1840)
        )


def _indexed(stage: Stage, callout: Callout, number: int, box: Box, *, right: bool = False) -> None:
    look = stage.look
    align = "right" if right else "left"
    index = stage.set(
        f"{number:02}",
        NOTE,
        Box(box.left, box.top, box.right, box.top + 56),
        face=look.figure,
        colour=look.accent,
        align=align,
    )
    stage.draw(rule(look, box.left, index.box.bottom + 12, box.right))
    stage.callout(
        callout,
        Box(box.left, index.box.bottom + 34, box.right, box.bottom),
        align=align,
        figure_size=108,
        title_face=look.display,
    )


def _colorful(stage: Stage, matte: Matte, headline: str, callouts: Sequence[Callout], share: float) -> None:
    """Large flat shapes frame the product; a ring of pills stands round it."""
    look, wide = stage.look, _shape_of(matte)
    stage.draw(
        Shape("ellipse", look.others[0], box=Box(-420, -260, 980, 1140)),
        Shape("ellipse", look.others[1], box=Box(1060, 860, 2500, 2300)),
        Shape("ellipse", look.others[2], box=Box(470, 520, 1530, 1580)),
    )
    title = stage.headline(headline, Box(140, 120, 1860, 420), align="centre", largest=144)
    longer = (920 if wide > 0.8 else 1060) * share
    _stand(stage, matte, (1000, 1050), longer)
    places = _PILLS[len(callouts)]
    for (x, y), callout in zip(places, callouts, strict=True):
        y = max(y, title.box.bottom + 60)
        pill = Box(x, y, x + 560, y + (250 if callout.figure else 330))
        if pill.bottom > 1910:
            pill = Box(pill.left, 1910 - pill.height, pill.right, 1910)
        if any(one.meets(pill.grown(-20)) for one in stage.silhouettes):
            raise Crowded
        stage.draw(Shape("rect", look.plate, box=pill, radius=64))
        stage.callout(
            callout, Box(pill.left + 40, pill.top + 34, pill.right - 40, pill.bottom - 12), align="centre",
            ground=look.plate, figure=look.accent, figure_size=104, title_face=look.display,
        )  # fmt: skip


_PILLS = {
    1: [(720, 1640)],
    2: [(110, 1620), (1330, 1620)],
    3: [(110, 1540), (720, 1650), (1330, 1540)],
    4: [(110, 470), (1330, 470), (110, 1600), (1330, 1600)],
    5: [(110, 470), (1330, 470), (110, 1560), (1330, 1560), (720, 1660)],
}

_LAYOUTS: dict[str, Callable[[Stage, Matte, str, Sequence[Callout], float], None]] = {
    PREMIUM: _premium,
    MINIMAL: _minimal,
    BOLD: _bold,
    LIFESTYLE: _lifestyle,
    TECHY: _techy,
    COLORFUL: _colorful,
}
