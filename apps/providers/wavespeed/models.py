"""The models that make pictures at WaveSpeed. Sources: wavespeed.ai model pages, read 22 Nov 2026."""

from datetime import date
from decimal import Decimal
from typing import Any

from apps.providers.catalogue import Model, OutputPrice

_READ = date(2026, 11, 22)


def _makes(name: str, usd: str, **more: Any) -> Model:
    """WaveSpeed's own figure (its price endpoint) goes before this one."""
    return Model(name, "wavespeed", output_prices=(OutputPrice(_READ, Decimal(usd)),), **more)


def _seedream(name: str, usd: str, successor: str = "") -> Model:
    return _makes(name, usd, images=name.endswith("/edit"), max_images=10, successor=successor)


MODELS: tuple[Model, ...] = (
    _seedream("bytedance/seedream-v4.5/edit", "0.04"),
    _seedream("bytedance/seedream-v4.5", "0.04"),
    _seedream("bytedance/seedream-v4/edit", "0.027"),
    _seedream("bytedance/seedream-v4", "0.027"),
    _makes("google/nano-banana/edit", "0.038", max_images=10),
    _makes("google/nano-banana-pro/edit", "0.14", max_images=14),
    _makes("wavespeed-ai/qwen-image/edit", "0.02", max_images=1),
    _makes("wavespeed-ai/z-image/turbo", "0.005", images=False),
)
