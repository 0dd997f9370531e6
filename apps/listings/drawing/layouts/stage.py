"""A plan under construction: what is set, what is drawn, and whether anything touches what it must not."""

from dataclasses import dataclass, field

from apps.core.errors import Problem
from apps.listings.drawing.callouts import Callout
from apps.listings.drawing.plans import (
    BODY,
    FIGURE,
    HEADLINE,
    MARGIN,
    SIDE,
    TITLE,
    Box,
    Plan,
    Product,
    Role,
    Shape,
    Words,
)
from apps.listings.drawing.silhouette import Silhouette
from apps.listings.drawing.styles import Look
from apps.listings.drawing.typesetting import set_in
from apps.listings.hexes import Rgb

SAFE = Box(MARGIN, MARGIN, SIDE - MARGIN, SIDE - MARGIN)
GAP = 16  # pixels between a figure and the line below it


class Crowded(Exception):
    """Words would touch the product or each other: it must be smaller, or there must be fewer of them."""


@dataclass
class Stage:
    """One image in the making. `silhouettes` are of the products that stand in it."""

    look: Look
    locale: str
    image_type: str
    products: list[Product] = field(default_factory=list)
    silhouettes: list[Silhouette] = field(default_factory=list)
    shapes: list[Shape] = field(default_factory=list)
    words: list[Words] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    figure_size: int = FIGURE.largest

    def set(
        self,
        text: str,
        role: Role,
        box: Box,
        *,
        face: str = "",
        colour: Rgb | None = None,
        ground: Rgb | None = None,
        align: str = "left",
        anchor: str = "top",
        largest: int | None = None,
        may_bleed: bool = False,
    ) -> Words:
        """Fits the text into the box and keeps it. Raises Crowded when it touches a product, Problem when it is too long."""
        look = self.look
        words = set_in(
            text.upper() if look.capitals and role is HEADLINE else text,
            role,
            box,
            face=face or look.text,
            locale=self.locale,
            colour=colour or look.ink,
            ground=ground or look.ground,
            align=align,
            anchor=anchor,
            largest=largest,
        )
        if any(one.meets(words.box) for one in self.silhouettes):
            raise Crowded
        if any(words.box.meets(other.box) for other in self.words):
            raise Crowded
        if not may_bleed and not _inside(words.box, SAFE):
            raise Crowded
        self.words.append(words)
        return words

    def callout(
        self,
        callout: Callout,
        box: Box,
        *,
        align: str = "left",
        ground: Rgb | None = None,
        ink: Rgb | None = None,
        soft: Rgb | None = None,
        figure: Rgb | None = None,
        figure_size: int | None = None,
        title_face: str = "",
        body_face: str = "",
    ) -> Box:
        """A fact in a column: large above, its line below. Answers the box that both take."""
        look = self.look
        if callout.figure:
            top = self.set(
                callout.figure,
                FIGURE,
                Box(box.left, box.top, box.right, box.top + 190),
                face=look.figure,
                colour=figure or ink or look.ink,
                ground=ground,
                align=align,
                largest=min(figure_size or FIGURE.largest, self.figure_size),
            )
        else:
            top = self.set(
                callout.title,
                TITLE,
                Box(box.left, box.top, box.right, box.top + 200),
                face=title_face or look.text,
                colour=ink or look.ink,
                ground=ground,
                align=align,
            )
        if not callout.body:
            return top.box
        below = self.set(
            callout.body,
            BODY,
            Box(box.left, top.box.bottom + GAP, box.right, box.bottom),
            face=body_face or look.text,
            colour=soft or look.soft,
            ground=ground,
            align=align,
        )
        return Box(
            min(top.box.left, below.box.left),
            top.box.top,
            max(top.box.right, below.box.right),
            below.box.bottom,
        )

    def headline(self, text: str, box: Box, **how: object) -> Words:
        return self.set(text, HEADLINE, box, face=self.look.display, **how)  # type: ignore[arg-type]

    def draw(self, *shapes: Shape) -> None:
        self.shapes += shapes

    @property
    def smallest_figure(self) -> int:
        return min((words.size for words in self.words if words.role == FIGURE.name), default=FIGURE.largest)

    def plan(self) -> Plan:
        return Plan(
            style=self.look.style,
            image_type=self.image_type,
            ground=self.look.ground,
            products=tuple(self.products),
            shapes=tuple(self.shapes),
            words=tuple(self.words),
            notes=tuple(self.notes),
        )


def no_room() -> Problem:
    return Problem(
        422,
        "no_room",
        "The words do not fit beside the product, however small it is made.",
        "Shorten the longest fact, or choose another style.",
    )


def rule(look: Look, left: float, top: float, right: float, *, colour: Rgb | None = None, width: int = 0) -> Shape:
    return Shape("line", colour or look.accent, points=((left, top), (right, top)), width=width or look.line)


def _inside(inner: Box, outer: Box) -> bool:
    return (
        inner.left >= outer.left
        and inner.top >= outer.top
        and inner.right <= outer.right
        and inner.bottom <= outer.bottom
    )
