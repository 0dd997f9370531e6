"""The fifteen standard modules and our five premium ones: which texts and pictures each has, and how long they may be.

Hard limits (counts, 10,000 characters, 100 of an alternative text, 80 of a column's title, 250 of a plain item) are those of
Amazon's A+ content model of 2020-11-01. The lengths here are shorter: what a page of that size can show. Sizes of pictures
are reported by several guides and not in the model. Premium modules are in Amazon's API since 2026 and not in its public
model: `confirmed` says so.
"""

from dataclasses import dataclass

ALT_TEXT, ALT_LEAST = 100, 20
MOST_MODULES, ADVISED_MODULES = 7, 5
LIST_MOST = 8
COLUMN_TITLE, PLAIN_ITEM = 80, 250


@dataclass(frozen=True)
class Text:
    """A field of prose; `most` in characters. `items` > 0: a list of so many lines at most."""

    name: str
    most: int
    required: bool = False
    items: int = 0


@dataclass(frozen=True)
class Picture:
    """A slot of so many pixels at least; it is made twice as large. `phone`: another crop for phones."""

    name: str
    width: int
    height: int
    phone: tuple[int, int] | None = None

    @property
    def alt(self) -> str:
        return f"{self.name}.altText"


@dataclass(frozen=True)
class Module:
    """`key`: its member in Amazon's document. `table`: filled from facts by us and not written by a model."""

    type: str
    title: str
    key: str
    texts: tuple[Text, ...] = ()
    pictures: tuple[Picture, ...] = ()
    table: str = ""
    confirmed: bool = True

    @property
    def premium(self) -> bool:
        return self.type.startswith("PREMIUM_")


def _blocks(
    names: tuple[str, ...], headline: int, body: int, size: tuple[int, int]
) -> tuple[tuple[Text, ...], tuple[Picture, ...]]:
    texts = tuple(
        text
        for name in names
        for text in (Text(f"{name}.headline", headline), Text(f"{name}.body", body, required=True))
    )
    return texts, tuple(Picture(f"{name}.image", *size) for name in names)


_THREE = _blocks(("block1", "block2", "block3"), 40, 160, (300, 300))
_FOUR = _blocks(("block1", "block2", "block3", "block4"), 32, 120, (220, 220))
_QUADRANT = _blocks(("block1", "block2", "block3", "block4"), 32, 120, (135, 135))
_MULTIPLE = _blocks(("blocks1", "blocks2", "blocks3"), 40, 160, (300, 300))
_DUAL = _blocks(("block1", "block2"), 50, 240, (650, 350))

MODULES = {
    module.type: module
    for module in (
        Module("STANDARD_COMPANY_LOGO", "Company logo", "standardCompanyLogo", pictures=(Picture("companyLogo", 600, 180),)),
        Module(
            "STANDARD_HEADER_IMAGE_TEXT",
            "Header with image and text",
            "standardHeaderImageText",
            (Text("headline", 60, required=True), Text("block.headline", 60), Text("block.body", 300, required=True)),
            (Picture("block.image", 970, 600),),
        ),
        Module(
            "STANDARD_IMAGE_TEXT_OVERLAY",
            "Image with a text box on it",
            "standardImageTextOverlay",
            (Text("block.headline", 50, required=True), Text("block.body", 180, required=True)),
            (Picture("block.image", 970, 300),),
        ),
        Module(
            "STANDARD_SINGLE_SIDE_IMAGE",
            "One image beside text",
            "standardSingleSideImage",
            (Text("block.headline", 60, required=True), Text("block.body", 400, required=True)),
            (Picture("block.image", 300, 300),),
        ),
        Module(
            "STANDARD_SINGLE_IMAGE_HIGHLIGHTS",
            "One image with highlights",
            "standardSingleImageHighlights",
            (
                Text("headline", 60, required=True),
                Text("textBlock1.body", 160, required=True),
                Text("textBlock2.body", 160),
                Text("textBlock3.body", 160),
                Text("bulletedListBlock.items", 80, items=4),
            ),
            (Picture("image", 300, 300),),
        ),
        Module(
            "STANDARD_SINGLE_IMAGE_SPECS_DETAIL",
            "One image with specifications",
            "standardSingleImageSpecsDetail",
            (
                Text("headline", 60, required=True),
                Text("descriptionBlock1.body", 200, required=True),
                Text("descriptionBlock2.body", 200),
                Text("specificationListBlock.items", 60, items=6),
            ),
            (Picture("image", 300, 300),),
        ),
        Module(
            "STANDARD_IMAGE_SIDEBAR",
            "Image with a sidebar",
            "standardImageSidebar",
            (
                Text("headline", 60, required=True),
                Text("descriptionTextBlock.body", 300, required=True),
                Text("descriptionListBlock.items", 80, items=5),
                Text("sidebarImageTextBlock.body", 120),
            ),
            (Picture("imageCaptionBlock.image", 300, 400), Picture("sidebarImageTextBlock.image", 350, 175)),
        ),
        Module("STANDARD_THREE_IMAGE_TEXT", "Three images with text", "standardThreeImageText", (Text("headline", 60), *_THREE[0]), _THREE[1]),
        Module("STANDARD_FOUR_IMAGE_TEXT", "Four images with text", "standardFourImageText", (Text("headline", 60), *_FOUR[0]), _FOUR[1]),
        Module("STANDARD_FOUR_IMAGE_TEXT_QUADRANT", "Four images in a square", "standardFourImageTextQuadrant", *_QUADRANT),
        Module("STANDARD_MULTIPLE_IMAGE_TEXT", "Images to choose from", "standardMultipleImageText", *_MULTIPLE),
        Module("STANDARD_COMPARISON_TABLE", "Comparison of your range", "standardComparisonTable", table="comparison"),
        Module("STANDARD_TECH_SPECS", "Specifications", "standardTechSpecs", (Text("headline", 60),), table="specs"),
        Module("STANDARD_TEXT", "Text", "standardText", (Text("headline", 60), Text("body", 500, required=True))),
        Module("STANDARD_PRODUCT_DESCRIPTION", "Product description", "standardProductDescription", (Text("body", 600, required=True),)),
        Module(
            "PREMIUM_FULL_IMAGE",
            "Full image",
            "premiumFullImage",
            (Text("headline", 50, required=True), Text("body", 200)),
            (Picture("image", 1464, 600, (600, 450)),),
            confirmed=False,
        ),
        Module("PREMIUM_DUAL_IMAGE_TEXT", "Two images with text", "premiumDualImageText", *_DUAL, confirmed=False),
        Module(
            "PREMIUM_QA",
            "Questions and answers",
            "premiumQa",
            tuple(
                text
                for n in (1, 2, 3)
                for text in (Text(f"question{n}", 120, required=True), Text(f"answer{n}", 250, required=True))
            ),
            confirmed=False,
        ),
        Module("PREMIUM_COMPARISON_TABLE", "Comparison of your range", "premiumComparisonTable", table="comparison", confirmed=False),
        Module("PREMIUM_TECH_SPECS", "Specifications", "premiumTechSpecs", table="specs", confirmed=False),
    )
}  # fmt: skip

_H, _T3, _T4 = "STANDARD_HEADER_IMAGE_TEXT", "STANDARD_THREE_IMAGE_TEXT", "STANDARD_FOUR_IMAGE_TEXT"
_SIDE, _COMPARE, _SPECS = "STANDARD_SINGLE_SIDE_IMAGE", "STANDARD_COMPARISON_TABLE", "STANDARD_TECH_SPECS"
PLANS = {
    "household": (_H, _SIDE, _T3, "STANDARD_SINGLE_IMAGE_SPECS_DETAIL", _COMPARE),
    "electronics": (_H, "STANDARD_IMAGE_TEXT_OVERLAY", _T4, _SPECS, _COMPARE),
    "beauty": (
        _H, "STANDARD_SINGLE_IMAGE_HIGHLIGHTS", "STANDARD_FOUR_IMAGE_TEXT_QUADRANT", "STANDARD_IMAGE_SIDEBAR", "STANDARD_TEXT",
    ),
    "clothing": (_H, _T3, _SIDE, "STANDARD_MULTIPLE_IMAGE_TEXT", _SPECS),
    "toys": (_H, "STANDARD_MULTIPLE_IMAGE_TEXT", _T4, _SIDE, _COMPARE),
    "other": (_H, _SIDE, _T3, _SPECS, _COMPARE),
}  # fmt: skip
PREMIUM_PLAN = (
    "PREMIUM_FULL_IMAGE",
    "PREMIUM_DUAL_IMAGE_TEXT",
    "PREMIUM_TECH_SPECS",
    "PREMIUM_COMPARISON_TABLE",
    "PREMIUM_QA",
)
LEAST_SPECS = 4


def plan_for(category: str, *, premium: bool, facts: int, range_size: int) -> list[str]:
    """The modules of a page, in their order; a table that nothing fills is dropped rather than padded."""
    wanted = PREMIUM_PLAN if premium else PLANS[category]
    kept = []
    for kind in wanted:
        table = MODULES[kind].table
        if table == "comparison" and range_size < 2:
            kept += [] if premium else ["STANDARD_PRODUCT_DESCRIPTION"]
        elif table == "specs" and facts < LEAST_SPECS:
            continue
        else:
            kept.append(kind)
    return kept
