"""COMPARISON_CHART: which one of yours do I need? Two to four columns of the seller's own range, the product's own first."""

from collections.abc import Sequence
from dataclasses import dataclass

from apps.core.errors import Problem
from apps.listings.drawing.layouts.grounds import dress
from apps.listings.drawing.layouts.stage import Crowded, Stage, no_room, rule
from apps.listings.drawing.plans import CELL, NOTE, TITLE, Box, Plan, Product, Shape
from apps.listings.drawing.silhouette import silhouette_of
from apps.listings.drawing.styles import BOLD, COLORFUL, LIFESTYLE, PREMIUM, TECHY, Look
from apps.listings.drawing.vocabulary import word
from apps.listings.hexes import Rgb
from apps.listings.imaging.colour import mixed
from apps.listings.imaging.matte import Matte

KIND = "COMPARISON_CHART"
MOST_COLUMNS, MOST_ROWS = 4, 6
_FIT = {"display": 132}


@dataclass(frozen=True)
class Column:
    """One product: its name, and the value of each row by the row's label. `matte`: its cut-out, when there is one."""

    name: str
    values: dict[str, str]
    matte: Matte | None = None


def rows_of(columns: Sequence[Column], labels: Sequence[str]) -> list[str]:
    """The labels worth a row, in the own product's order: those that at least half of the products state."""
    return [label for label in labels if 2 * sum(bool(one.values.get(label)) for one in columns) >= len(columns)][
        :MOST_ROWS
    ]


def comparison(columns: Sequence[Column], labels: Sequence[str], *, look: Look, locale: str, title: str = "") -> Plan:
    """The first column is the product itself: it is lifted, by more than its colour. Pictures only where all have one.

    Problem 422: text_too_long, glyph_missing, no_room.
    """
    shown = columns[:MOST_COLUMNS]
    trouble: Problem = no_room()
    for count in range(min(len(labels), MOST_ROWS), 1, -1):
        stage = Stage(look=look, locale=locale, image_type=KIND)
        try:
            _lay_out(stage, shown, labels[:count], title or word("range", locale))
            return stage.plan()
        except Crowded:
            continue
        except Problem as problem:
            trouble = problem
    raise trouble


def _lay_out(stage: Stage, columns: Sequence[Column], labels: Sequence[str], title: str) -> None:
    look = stage.look
    dress(stage)
    top = 140
    if title:
        top = stage.headline(title, Box(130, 130, 1870, 400), largest=_FIT["display"]).box.bottom
    pictured = all(column.matte for column in columns)
    table = Box(110, top + 70, 1890, 1850)
    label_width = 420 if len(columns) < 4 else 360
    width = (table.width - label_width) // len(columns)
    head = table.top + (560 if pictured else 210)
    step = min(200, (table.bottom - 70 - head) // len(labels))
    bottom = head + step * len(labels)
    _lift(stage, Box(table.left + label_width, table.top - 10, table.left + label_width + width, bottom + 24))
    _heads(stage, columns, table, label_width, width, head, pictured=pictured)
    absent = False
    for row, label in enumerate(labels):
        y = head + row * step
        stage.draw(rule(look, table.left, y, table.right, colour=_hairline(look), width=3))
        stage.set(
            label,
            CELL,
            Box(table.left + 10, y, table.left + label_width - 24, y + step),
            colour=look.soft,
            anchor="middle",
        )
        for place, column in enumerate(columns):
            left = table.left + label_width + place * width
            value = column.values.get(label, "")
            absent = absent or not value
            stage.set(
                value or "–",
                CELL,
                Box(left + 18, y, left + width - 18, y + step),
                face=look.text if look.style != TECHY else look.figure,
                colour=_own_ink(look) if place == 0 else look.ink,
                ground=_own_ground(look) if place == 0 else look.ground,
                align="centre",
                anchor="middle",
            )
    stage.draw(rule(look, table.left, bottom, table.right, colour=_hairline(look), width=3))
    if absent and (note := word("not_stated", stage.locale)):
        stage.set(note, NOTE, Box(table.left, bottom + 40, table.right, 1895), colour=look.soft)


def _heads(
    stage: Stage, columns: Sequence[Column], table: Box, label_width: int, width: int, head: int, *, pictured: bool
) -> None:
    look = stage.look
    for place, column in enumerate(columns):
        left = table.left + label_width + place * width
        if pictured and column.matte:
            wide, high = column.matte.size
            room = min(width - 60, 330)
            longer = min(330.0, room * max(1.0, high / max(wide, 1)))
            product = Product((left + width / 2, table.top + 195), longer, which=place)
            stage.products.append(product)
            stage.silhouettes.append(silhouette_of(column.matte, product))
        stage.set(
            column.name,
            TITLE,
            Box(left + 14, head - 180, left + width - 14, head - 20),
            face=look.display if look.style in (PREMIUM, LIFESTYLE, COLORFUL) else look.text,
            colour=_own_ink(look) if place == 0 else look.ink,
            ground=_own_ground(look) if place == 0 else look.ground,
            align="centre",
            anchor="bottom",
            largest=64,
        )


def _lift(stage: Stage, box: Box) -> None:
    """The own column: another ground, and a heavy rule on top."""
    look = stage.look
    radius = {COLORFUL: 48, LIFESTYLE: 28}.get(look.style, 0)
    stage.draw(
        Shape("rect", _own_ground(look), box=box, radius=radius),
        Shape("rect", look.accent, box=Box(box.left, box.top, box.right, box.top + 14), radius=min(radius, 7)),
    )


def _own_ground(look: Look) -> Rgb:
    if look.style == BOLD:
        return look.plate
    return look.plate if look.style in (COLORFUL, LIFESTYLE, TECHY) else mixed(look.ground, look.ink, 0.06)


def _own_ink(look: Look) -> Rgb:
    return (255, 255, 255) if look.style == BOLD else look.ink


def _hairline(look: Look) -> Rgb:
    return mixed(look.ground, look.ink, 0.22)
