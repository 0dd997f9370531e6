"""How large an image is asked for."""

import math

from apps.studio.models import Row
from apps.studio.pictures import assets_of

SMALLEST, LARGEST, STEP = 1024, 4096, 16  # pixels a side, as the image models take them


def output_size(row: Row, target_url: str) -> tuple[int, int]:
    """The workspace's size, or the target's proportions at the same area."""
    width, height = row.workspace.output_width, row.workspace.output_height
    if not row.match_target_ratio:
        return width, height
    target = assets_of([target_url])[0]
    return proportioned(width * height, target.width / target.height)


def proportioned(area: int, ratio: float) -> tuple[int, int]:
    """Width and height of about `area` pixels with width / height near `ratio`, inside what the models take."""
    width = math.sqrt(area * ratio)
    return _side(width), _side(width / ratio)


def _side(pixels: float) -> int:
    return int(min(max(round(pixels / STEP) * STEP, SMALLEST), LARGEST))
