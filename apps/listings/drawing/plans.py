"""What a drawn image consists of, in pixels of a frame of 2000 × 2000. A plan holds no picture and can be kept as JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from apps.listings.hexes import Rgb

SIDE = 2000
MARGIN = 100  # nothing but ground and product comes nearer to the frame's edge


@dataclass(frozen=True)
class Box:
    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def centre(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def grown(self, by: int) -> "Box":
        return Box(self.left - by, self.top - by, self.right + by, self.bottom + by)

    def mirrored(self) -> "Box":
        return Box(SIDE - self.right, self.top, SIDE - self.left, self.bottom)

    def meets(self, other: "Box") -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


@dataclass(frozen=True)
class Role:
    """A kind of text: its sizes in pixels, its lines, and how many characters it may have."""

    name: str
    smallest: int
    largest: int
    lines: int
    characters: int
    leading: float = 1.2


HEADLINE = Role("headline", 96, 168, 2, 48, 1.08)
FIGURE = Role("figure", 60, 150, 1, 14, 1.05)
TITLE = Role("callout title", 48, 80, 2, 40, 1.12)
BODY = Role("callout body", 46, 56, 3, 72, 1.24)
CELL = Role("table cell", 44, 62, 2, 30, 1.15)
MEASURE = Role("measure", 50, 64, 2, 36)
NOTE = Role("note", 32, 40, 2, 110, 1.25)


@dataclass(frozen=True)
class Words:
    """Text that is set already: `lines` from top to bottom, `size` in pixels, `box` is what their glyphs may take.

    `ground` is what they stand on, as far as the plan knows it: their contrast is measured against it.
    """

    text: str
    role: str
    face: str
    size: int
    lines: tuple[str, ...]
    box: Box
    colour: Rgb
    align: str = "left"
    leading: float = 1.2
    ground: Rgb | None = None


@dataclass(frozen=True)
class Shape:
    """`kind`: rect, ellipse, line, polygon, dots. `points` of a line or polygon; `radius` of a rect's corners."""

    kind: str
    fill: Rgb
    box: Box | None = None
    points: tuple[tuple[float, float], ...] = ()
    width: int = 0
    radius: int = 0
    opacity: float = 1.0
    blur: int = 0
    above: bool = False


@dataclass(frozen=True)
class Product:
    """Whose cut-out (0: the product's own), where its middle is, and how long its longer side."""

    centre: tuple[float, float]
    longer: float
    which: int = 0
    shadow: bool = True


@dataclass(frozen=True)
class Plan:
    style: str
    image_type: str
    ground: Rgb
    products: tuple[Product, ...]
    shapes: tuple[Shape, ...] = ()
    words: tuple[Words, ...] = ()
    right_to_left: bool = False
    notes: tuple[str, ...] = ()
    faces: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def mirrored(plan: Plan) -> Plan:
    """For scripts that run from right to left: everything but the product changes sides."""
    turned = {"left": "right", "right": "left"}
    return replace(
        plan,
        right_to_left=True,
        products=tuple(replace(one, centre=(SIDE - one.centre[0], one.centre[1])) for one in plan.products),
        shapes=tuple(
            replace(
                one,
                box=one.box.mirrored() if one.box else None,
                points=tuple((SIDE - x, y) for x, y in one.points),
            )
            for one in plan.shapes
        ),
        words=tuple(replace(one, box=one.box.mirrored(), align=turned.get(one.align, one.align)) for one in plan.words),
    )
