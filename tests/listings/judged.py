"""Images whose faults are known because they were put in: what the rules must find, and what they must leave alone.

`python -m tests.listings.judged` prints for every rule how often it was right, what it missed and its false alarms.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageCms, ImageDraw, ImageFilter, ImageFont

from apps.listings.imaging.compose import Placed, laid, on_white, placed
from apps.listings.imaging.files import packet, srgb_profile
from apps.listings.imaging.matte import Matte, refined
from apps.listings.rules.measuring import measured
from apps.listings.rules.presets import PRESETS
from apps.listings.rules.results import FAIL, UNKNOWN, WARN
from apps.simulator.drawing.matte import cut_out

DEMO = Path(__file__).resolve().parents[2] / "apps" / "listings" / "demo_photos"
FONT = str(DEMO.parent / "fonts" / "inter-latin-wght-normal.woff2")
SIDE = 1200
ORIGIN = packet(
    source_type="http://cv.iptc.org/newscodes/digitalsourcetype/composite", creator="t", credit="t", document="t"
)  # type: ignore[arg-type]
STRICT = (
    "background_white",
    "fill",
    "size_min",
    "size_zoom",
    "size_max",
    "alpha",
)  # of these none may pass that is bad

Picture = Any


@dataclass(frozen=True)
class Case:
    """`bad`: the rules that must not pass; every other rule must not complain. `mask`: our own cut-out's, where known."""

    name: str
    data: bytes
    bad: frozenset[str] = frozenset()
    mask: Any = None
    pack_count: int = 1
    unsure: frozenset[str] = frozenset()  # rules that may say either


@cache
def matte(name: str) -> Matte:
    return refined(np.array(cut_out((DEMO / name).read_bytes(), longest=1400)))


def shown(
    name: str = "cup.png", *, share: float = 0.9, centre: tuple[float, float] = (0.5, 0.5), side: int = SIDE
) -> Placed:
    return placed(matte(name), centre=(centre[0] * side, centre[1] * side), longer=share * side, side=side)


def jpeg(
    picture: Picture, *, quality: int = 95, subsampling: int = 0, profile: bytes | None = None, **more: Any
) -> bytes:
    file = io.BytesIO()
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    kept = {"icc_profile": srgb_profile() if profile is None else profile} if profile != b"" else {}
    image.save(file, "JPEG", quality=quality, subsampling=subsampling, xmp=ORIGIN, **kept, **more)
    return file.getvalue()


def png(image: Image.Image) -> bytes:
    from PIL.PngImagePlugin import PngInfo

    told = PngInfo()
    told.add_itxt("XML:com.adobe.xmp", ORIGIN.decode())
    file = io.BytesIO()
    image.save(file, "PNG", pnginfo=told, icc_profile=srgb_profile())
    return file.getvalue()


def good(name: str = "cup.png") -> Picture:
    return on_white(shown(name))


def on(colour: tuple[int, int, int] | Picture, product: Placed | None = None) -> Picture:
    product = product or shown()
    ground = np.empty((SIDE, SIDE, 3), np.uint8)
    ground[:] = colour
    return laid(ground, product)


def drawn(change: Callable[[ImageDraw.ImageDraw], None], base: Picture | None = None) -> Picture:
    image = Image.fromarray(good() if base is None else base)
    change(ImageDraw.Draw(image))
    return np.array(image)


def text(words: str, place: tuple[int, int], size: int, *, turn: int = 0, base: Picture | None = None) -> Picture:
    image = Image.fromarray(on_white(shown(share=0.86, centre=(0.5, 0.55))) if base is None else base)
    layer = Image.new("L", image.size)
    ImageDraw.Draw(layer).text(place, words, fill=255, font=ImageFont.truetype(FONT, size))
    image.paste((30, 30, 30), mask=layer.rotate(turn, center=place) if turn else layer)
    return np.array(image)


def cases() -> Iterator[Case]:
    yield from _fine()
    yield from _grounds()
    yield from _frames()
    yield from _files()
    yield from _additions()
    yield from _looks()


def _fine() -> Iterator[Case]:
    for name in ("cup.png", "flask.jpg"):
        yield Case(f"good {name}", jpeg(good(name)))
        yield Case(f"good {name}, mask known", jpeg(good(name)), mask=shown(name).mask)
        yield Case(f"good {name}, 86 % of the frame", jpeg(on_white(shown(name, share=0.87))))
        yield Case(f"good {name}, 2000 px", jpeg(on_white(shown(name, side=2000))), mask=shown(name, side=2000).mask)
    yield Case("good, a little aside", jpeg(on_white(shown(centre=(0.515, 0.49)))))
    yield Case("good, as PNG", png(Image.fromarray(good())))


def _grounds() -> Iterator[Case]:
    bad = frozenset({"background_white"})
    for level in (250, 251, 252, 253, 254):
        yield Case(f"ground of {level}", jpeg(on((level, level, level))), bad)
        yield Case(f"ground of {level}, mask known", jpeg(on((level, level, level))), bad, mask=shown().mask)
    ramp = np.linspace(255, 235, SIDE, dtype=np.float32)[:, None, None]
    yield Case("a gradient", jpeg(on(np.broadcast_to(ramp, (SIDE, SIDE, 3)).astype(np.uint8))), bad)
    corners = np.full((SIDE, SIDE, 3), 247, np.uint8)
    for y in (slice(0, 80), slice(-80, None)):
        corners[y, :80] = corners[y, -80:] = 255
    yield Case("only the corners are white", jpeg(on(corners)), bad)
    yield Case("one grey pixel at the rim", png(_with_pixel(good(), (3, 600), 254)), bad)
    yield Case("a warm tint", jpeg(on((255, 252, 246))), bad)
    for blur, name in ((4, "hard"), (30, "soft")):
        yield Case(
            f"a {name} shadow",
            jpeg(_shadowed(blur)),
            bad,
            unsure=frozenset({"fill", "overlay", "items", "edge_cut", "lost_edge"}),
        )
    yield Case(
        "a grey card",
        jpeg(on((214, 214, 212))),
        bad,
        unsure=frozenset({"fill", "edge_cut", "items", "lost_edge", "sharp"}),
    )
    yield Case("halved colour (4:2:0)", jpeg(good(), subsampling=2), unsure=frozenset({"background_white"}))
    yield Case(
        "coarse JPEG, quality 40",
        jpeg(good(), quality=40),
        frozenset(),
        unsure=frozenset({"background_white", "sharp", "overlay"}),
    )


def _with_pixel(picture: Picture, at: tuple[int, int], level: int) -> Image.Image:
    made = picture.copy()
    made[at] = level
    return Image.fromarray(made)


def _shadowed(blur: int) -> Picture:
    product = shown(share=0.86)
    shade = Image.new("L", (SIDE, SIDE))
    ImageDraw.Draw(shade).ellipse((180, 1010, 1050, 1130), fill=120)
    dark = np.array(shade.filter(ImageFilter.GaussianBlur(blur)), np.float32)[..., None] / 255
    return laid(np.round(255 * (1 - dark * 0.6)).astype(np.uint8).repeat(3, axis=2), product)


def _frames() -> Iterator[Case]:
    for share in (0.60, 0.75, 0.83):
        yield Case(f"{share:.0%} of the frame", jpeg(on_white(shown(share=share))), frozenset({"fill"}))
        yield Case(
            f"{share:.0%} of the frame, mask known",
            jpeg(on_white(shown(share=share))),
            frozenset({"fill"}),
            mask=shown(share=share).mask,
        )
    yield Case("far off the middle", jpeg(on_white(shown(share=0.6, centre=(0.35, 0.35)))), frozenset({"fill"}))
    for centre, side in (((0.72, 0.5), "right"), ((0.5, 0.80), "foot"), ((0.2, 0.5), "left")):
        yield Case(
            f"cut at the {side}",
            jpeg(on_white(shown(centre=centre))),
            frozenset({"edge_cut"}),
            unsure=frozenset({"fill", "background_white"}),
        )
    yield Case("fills all of it", jpeg(on_white(shown(share=0.985))), frozenset({"fill"}))
    small = np.array(Image.fromarray(good()).resize((499, 499)))
    yield Case("499 px", jpeg(small), frozenset({"size_min", "size_zoom"}), unsure=frozenset({"sharp"}))
    yield Case(
        "500 px",
        jpeg(np.array(Image.fromarray(good()).resize((500, 500)))),
        frozenset({"size_zoom"}),
        unsure=frozenset({"sharp"}),
    )
    yield Case("999 px", jpeg(np.array(Image.fromarray(good()).resize((999, 999)))), frozenset({"size_zoom"}))
    yield Case("1000 px", jpeg(np.array(Image.fromarray(good()).resize((1000, 1000)))))
    tall = np.full((10_001, 60, 3), 255, np.uint8)
    tall[400:9600, 15:45] = (90, 30, 20)
    yield Case(
        "10,001 px",
        jpeg(tall),
        frozenset({"size_max"}),
        unsure=frozenset({"sharp", "items", "border", "overlay", "fill"}),
    )


def _files() -> Iterator[Case]:
    image = Image.fromarray(good())
    yield Case(
        "CMYK",
        jpeg(image.convert("CMYK"), profile=b""),
        frozenset({"colour_space"}),
        unsure=frozenset({"background_white"}),
    )
    yield Case(
        "grey JPEG",
        jpeg(image.convert("L"), profile=b""),
        frozenset({"colour_space"}),
        unsure=frozenset({"background_white", "items"}),
    )
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    yield Case(
        "another profile", jpeg(image, profile=lab), frozenset({"colour_space"}), unsure=frozenset({"background_white"})
    )
    yield Case("no profile", jpeg(image, profile=b""))
    clear = image.convert("RGBA")
    clear.putalpha(Image.fromarray(shown().alpha))
    yield Case("alpha", png(clear), frozenset({"alpha"}))
    file = io.BytesIO()
    palette = clear.quantize(64, method=Image.Quantize.FASTOCTREE)
    palette.save(file, "PNG", transparency=palette.getpixel((2, 2)))
    yield Case(
        "a transparent palette",
        file.getvalue(),
        frozenset({"alpha", "provenance"}),
        unsure=frozenset({"background_white", "colour_space", "halo", "fill", "edge_cut", "items", "lost_edge"}),
    )
    for tag in (3, 6, 8):
        exif = Image.Exif()
        exif[0x0112] = tag
        yield Case(f"turned by tag {tag}", jpeg(image, exif=exif), frozenset({"orientation"}))
    noise = np.random.default_rng(1).integers(0, 255, (1900, 1900, 3), np.uint8)
    large = np.full((2000, 2000, 3), 255, np.uint8)
    large[50:1950, 50:1950] = noise
    yield Case(
        "over 10 MB",
        png(Image.fromarray(np.repeat(large[:, :, :], 1, axis=0))),
        frozenset({"bytes"}),
        unsure=frozenset({"overlay", "items", "sharp", "border", "lost_edge", "fill"}),
    )
    frames = [image, image.rotate(4, fillcolor="white")]
    moving = io.BytesIO()
    frames[0].save(moving, "GIF", save_all=True, append_images=frames[1:])
    yield Case(
        "animated",
        moving.getvalue(),
        frozenset({"format", "provenance"}),
        unsure=frozenset({"background_white", "colour_space", "alpha", "lost_edge", "overlay"}),
    )
    web = io.BytesIO()
    image.save(web, "WEBP", quality=95, xmp=ORIGIN, icc_profile=srgb_profile())
    yield Case("WebP", web.getvalue(), frozenset({"format"}), unsure=frozenset({"background_white"}))
    plain = io.BytesIO()
    image.save(plain, "JPEG", quality=95, subsampling=0, icc_profile=srgb_profile())
    yield Case("its origin is not told", plain.getvalue(), frozenset({"provenance"}))


def _additions() -> Iterator[Case]:
    bad = frozenset({"overlay"})
    either = frozenset(
        {"background_white", "fill", "items", "edge_cut", "border"}
    )  # text on the ground is off white, too
    yield Case("large text", jpeg(text("SUMMER SALE", (120, 20), 72)), bad, unsure=either)
    yield Case("small text", jpeg(text("dishwasher safe", (760, 30), 34)), bad, unsure=either)
    yield Case(
        "text at the foot",
        jpeg(text("Made of stoneware", (60, 1130), 48, base=on_white(shown(share=0.86, centre=(0.5, 0.44))))),
        bad,
        unsure=either,
    )
    yield Case("turned text", jpeg(text("limited edition", (60, 140), 44, turn=12)), frozenset(), unsure=either | bad)
    yield Case(
        "a badge",
        jpeg(
            drawn(
                lambda draw: draw.ellipse((40, 40, 190, 190), fill=(200, 30, 30)),
                on_white(shown(share=0.86, centre=(0.53, 0.55))),
            )
        ),
        bad,
        unsure=either,
    )
    yield Case(
        "a border",
        jpeg(drawn(lambda draw: draw.rectangle((8, 8, SIDE - 9, SIDE - 9), outline=(40, 40, 40), width=6))),
        frozenset({"border"}),
        unsure=(either - {"border"}) | {"overlay", "lost_edge"},
    )
    pair = on_white(shown(share=0.44, centre=(0.26, 0.5)))
    second = shown(share=0.44, centre=(0.74, 0.5))
    two = laid(pair, second)
    yield Case("two of it", jpeg(two), frozenset({"items"}), unsure=frozenset({"fill", "overlay", "lost_edge"}))
    yield Case("a set of two", jpeg(two), pack_count=2, unsure=frozenset({"fill", "overlay"}))
    three = laid(
        laid(on_white(shown(share=0.45, centre=(0.26, 0.3))), shown(share=0.45, centre=(0.74, 0.3))),
        shown(share=0.45, centre=(0.5, 0.75)),
    )
    yield Case("three of it", jpeg(three), frozenset({"items"}), unsure=frozenset({"fill", "overlay"}))


def _looks() -> Iterator[Case]:
    image = Image.fromarray(good())
    yield Case(
        "blurred",
        jpeg(np.array(image.filter(ImageFilter.GaussianBlur(9)))),
        frozenset({"sharp"}),
        unsure=frozenset({"background_white", "lost_edge"}),
    )
    enlarged = image.resize((SIDE // 8, SIDE // 8), Image.Resampling.LANCZOS).resize(
        (SIDE, SIDE), Image.Resampling.BICUBIC
    )
    yield Case(
        "enlarged eight times",
        jpeg(np.array(enlarged)),
        frozenset({"sharp"}),
        unsure=frozenset({"background_white", "overlay", "lost_edge"}),
    )
    white = shown()
    pale = Placed(
        np.clip(235 + (white.rgb.astype(np.int16) - 128) // 14, 0, 254).astype(np.uint8),
        white.alpha,
        white.box,
        white.scale,
    )
    pale.rgb[:] = np.maximum(pale.rgb, 249)
    yield Case(
        "white on white",
        jpeg(on_white(pale)),
        frozenset({"lost_edge"}),
        mask=white.mask,
        unsure=frozenset({"sharp", "halo", "jagged"}),
    )
    for name, colour in (("light", (235, 215, 190)), ("cold", (200, 225, 245))):
        yield Case(
            f"a {name} halo",
            jpeg(_with_halo(colour)),
            frozenset({"halo"}),
            mask=shown().mask,
            unsure=frozenset({"background_white"}),
        )
    hard = shown()
    cut = Placed(hard.rgb, np.where(hard.alpha >= 128, 255, 0).astype(np.uint8), hard.box, hard.scale)
    yield Case("cut with scissors", png(Image.fromarray(on_white(cut))), frozenset({"jagged"}), mask=hard.mask)
    glass = shown()
    clear = Placed(glass.rgb, (glass.alpha * 0.55).astype(np.uint8), glass.box, glass.scale)
    yield Case("half transparent on white", jpeg(on_white(clear)), mask=glass.mask, unsure=frozenset({"halo", "sharp"}))


def _with_halo(colour: tuple[int, int, int]) -> Picture:
    product = shown()
    distance = cv2.distanceTransform(product.mask.astype(np.uint8), cv2.DIST_L2, 3)
    rim = (distance > 0) & (distance <= 5)
    rgb = product.rgb.copy()
    rgb[rim] = colour
    return on_white(Placed(rgb, product.alpha, product.box, product.scale))


@dataclass
class Score:
    hits: int = 0
    missed: int = 0
    alarms: int = 0
    quiet: int = 0
    unknown: int = 0


def judge() -> tuple[dict[str, Score], list[str], int]:
    """For each rule its score; what went wrong in words; how many images there were."""
    scores: dict[str, Score] = {}
    wrong, count = [], 0
    for case in cases():
        count += 1
        for result in measured(case.data, PRESETS["amazon"], is_main=True, mask=case.mask, pack_count=case.pack_count):
            score = scores.setdefault(result.rule, Score())
            if result.rule in case.unsure:
                continue
            complains, bad = result.verdict in (FAIL, WARN), result.rule in case.bad
            if result.verdict == UNKNOWN:
                score.unknown += 1
            elif bad and complains:
                score.hits += 1
            elif bad:
                score.missed += 1
                wrong.append(f"missed {result.rule} in “{case.name}”: {result.measured}")
            elif complains:
                score.alarms += 1
                wrong.append(f"false alarm of {result.rule} in “{case.name}”: {result.measured}")
            else:
                score.quiet += 1
    return scores, wrong, count


def main() -> None:
    scores, wrong, count = judge()
    print(f"{count} images\n{'rule':18} hits missed alarms quiet unknown")
    for rule, score in scores.items():
        print(f"{rule:18} {score.hits:4} {score.missed:6} {score.alarms:6} {score.quiet:5} {score.unknown:7}")
    print("\n".join(wrong))


if __name__ == "__main__":
    main()
