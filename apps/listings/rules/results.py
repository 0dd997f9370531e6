"""One rule's finding: what was measured, against which limit, and what can be done."""

from dataclasses import asdict, dataclass
from typing import Any

PASS, FAIL, WARN, UNKNOWN = "pass", "fail", "warn", "unknown"
VERDICTS = (PASS, FAIL, WARN, UNKNOWN)

TITLES = {
    "background_white": "Background is pure white",
    "fill": "Product fills the frame",
    "edge_cut": "Product is whole",
    "format": "File format",
    "bytes": "File size",
    "size_min": "Least size",
    "size_zoom": "Large enough to zoom",
    "size_max": "Not too large",
    "colour_space": "Colour space",
    "alpha": "Not transparent",
    "orientation": "Upright",
    "overlay": "No text, logo or mark",
    "border": "No border",
    "items": "One product",
    "sharp": "Sharp",
    "halo": "No halo",
    "jagged": "Smooth outline",
    "lost_edge": "Stands out from white",
    "provenance": "Origin is written in it",
    "marks": "No marks of the marketplace",
}


@dataclass(frozen=True)
class Result:
    """`measured` and `limit` as people read them; `where`: boxes as shares of the frame; `fix`: what mends it, or empty."""

    rule: str
    verdict: str
    measured: str
    limit: str
    value: float | None = None
    where: tuple[tuple[float, float, float, float], ...] = ()
    fix: str = ""
    said: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"title": TITLES[self.rule]}


def summary(results: list[Result]) -> dict[str, int]:
    return {verdict: sum(result.verdict == verdict for result in results) for verdict in VERDICTS}
