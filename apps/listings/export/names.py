"""File names as each marketplace wants them, whatever the SKU holds."""

import re
import unicodedata
from dataclasses import dataclass

from apps.listings.models import ImageType, Project

LONGEST = 80  # bytes of the part that a SKU gives
_RESERVED = {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10))}
AMAZON = {
    ImageType.MAIN: "MAIN",
    ImageType.INFOGRAPHIC: "PT01",
    ImageType.FEATURE: "PT02",
    ImageType.LIFESTYLE: "PT03",
    ImageType.COMPARISON: "PT04",
    ImageType.DIMENSIONS: "PT05",
}
PLAIN = {
    ImageType.MAIN: "main",
    ImageType.INFOGRAPHIC: "infographic",
    ImageType.FEATURE: "feature",
    ImageType.LIFESTYLE: "lifestyle",
    ImageType.COMPARISON: "comparison",
    ImageType.DIMENSIONS: "dimensions",
}
ORDER = tuple(AMAZON)


@dataclass(frozen=True)
class Named:
    """`stem`: what the product is called in file names; `warning`: empty unless that is not its SKU."""

    stem: str
    warning: str = ""


def stem_of(project: Project, platform: str, *, by: str = "") -> Named:
    """Amazon's bulk tool takes letters and digits only: the ASIN or GTIN where there is one. `by` sku keeps the SKU."""
    if platform == "amazon" and by != "sku" and (project.asin or project.gtin):
        return Named(project.asin or project.gtin)
    safe = safe_stem(project.sku) or f"item-{str(project.pk)[:8]}"
    if platform != "amazon":
        return Named(re.sub(r"[^a-z0-9]+", "-", _plain(safe).lower()).strip("-") or f"item-{str(project.pk)[:8]}")
    if not re.fullmatch(r"[A-Za-z0-9]+", safe):
        said = "Amazon's bulk upload may refuse names with dashes or spaces: set the ASIN or GTIN of the product."
        return Named(safe, said)
    return Named(safe)


def safe_stem(sku: str) -> str:
    """Without what some system forbids or misreads: separators, control and turning characters, reserved names."""
    text = "".join(
        "-" if letter in '/\\:*?"<>|' or unicodedata.category(letter)[0] == "C" else letter
        for letter in unicodedata.normalize("NFKC", sku)
    )
    text = re.sub(r"\.{2,}|\s+", "-", text).strip(" .-=+@")
    if text.split(".")[0].lower() in _RESERVED:
        text = f"item-{text}"
    while len(text.encode()) > LONGEST:
        text = text[:-1]
    return text.strip(" .-")


def image_name(stem: str, platform: str, image_type: str, place: int) -> str:
    """`place` from 1, in the order of the export."""
    kind = ImageType(image_type)
    if platform == "amazon":
        return f"{stem}.{AMAZON[kind]}.jpg"
    if platform == "etsy":
        return f"{stem}-{place:02}.jpg"
    return f"{stem}-{place:02}-{PLAIN[kind]}.jpg"


def _plain(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
