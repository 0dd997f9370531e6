"""Writes ../fonts/coverage.json anew after a font has come or gone: `python -m apps.listings.drawing.coverage`.

Needs fonttools with brotli, which Pressroom itself does not.
"""

import json
from pathlib import Path

FONTS = Path(__file__).resolve().parent.parent / "fonts"


def ranges(points: list[int]) -> str:
    parts: list[list[int]] = []
    for point in sorted(points):
        if parts and point == parts[-1][1] + 1:
            parts[-1][1] = point
        else:
            parts.append([point, point])
    return " ".join(f"{first:x}" if first == last else f"{first:x}-{last:x}" for first, last in parts)


def main() -> None:
    from fontTools.ttLib import TTFont

    told = {path.name: ranges(list(TTFont(path).getBestCmap())) for path in sorted(FONTS.glob("*.woff2"))}
    (FONTS / "coverage.json").write_text(json.dumps(told, indent=0) + "\n")


if __name__ == "__main__":
    main()
