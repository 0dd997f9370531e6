"""Whether something still needs a picture. Products name pictures in their own ways and do not know each other: each says here
what it names, and whoever would delete one asks here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from apps.assets.models import Asset


class Names(Protocol):
    def __contains__(self, asset: Asset, /) -> bool: ...


_asked: list[Callable[[int], Names]] = []


def register(names: Callable[[int], Names]) -> None:
    """`names(owner_id)`: what a product's rows of that person name. Called once, when the product's app is ready."""
    if names not in _asked:
        _asked.append(names)


@dataclass(frozen=True)
class InUse:
    """What any product names of one person's pictures, read at one moment."""

    told: tuple[Names, ...]

    def __contains__(self, asset: Asset) -> bool:
        return any(asset in names for names in self.told)


def in_use(owner_id: int) -> InUse:
    return InUse(tuple(names(owner_id) for names in _asked))
