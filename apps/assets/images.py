"""Images that people and providers send: checked before they are decoded, turned upright, freed of metadata.

Only the decoder's process runs this (reader.py): it knows neither Django nor the database, and what it takes is bounded.
"""

import base64
import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageCms, ImageOps, PngImagePlugin, UnidentifiedImageError

from apps.assets.blemishes import LARGEST_PROFILE, depth_of_png, with_endings, without_blemishes
from apps.assets.formats import name_of_format
from apps.core.errors import Problem

MAX_BYTES = 20_000_000
MAX_PIXELS = 25_000_000
MAX_EDGE = 16_000
MIN_EDGE = 16
THUMBNAIL_EDGE = 512

_FORMATS = ("PNG", "JPEG", "WEBP")
_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF")
_JPEG_QUALITY = 92
_READABLE = "Replace it with JPEG, PNG or WebP."

# A second guard behind our own check, for whatever is opened elsewhere: Pillow's limit is seven times as high.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)
PngImagePlugin.MAX_TEXT_CHUNK = LARGEST_PROFILE  # it counts colour profiles, too; texts never come so far

_NO_GAMMA = (0.4, 0.5)  # what is as good as sRGB's own 0.45455


@dataclass(frozen=True)
class Encoded:
    """A picture as we store it: `suffix` is .jpg, or .png where a part of it is transparent."""

    data: bytes
    suffix: str
    width: int
    height: int


def open_checked(data: bytes, *, max_bytes: int = MAX_BYTES) -> Image.Image:
    """The decoded picture, upright, in sRGB, mode RGB or RGBA, without metadata.

    Problem 422 with a code of its own when it is empty, too large (20 MB, 25 megapixels, 16,000 px), too small
    (16 px), animated, of another format or damaged. MemoryError when the process may not take what it needs.
    """
    if not data:
        raise empty()
    if len(data) > max_bytes:
        raise too_large(f"it has {len(data) / 1e6:.1f} MB, and {max_bytes / 1e6:.0f} MB is the most")
    try:
        opened = Image.open(io.BytesIO(without_blemishes(data)), formats=_FORMATS)
        _check_size(opened)
        _check_frames(opened)
        return _upright(_decoded(opened, data), data)
    except (Problem, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except UnidentifiedImageError as error:
        raise _unknown(data) from error
    except Exception as error:  # decoders raise anything when their input is hostile or damaged
        raise _damaged() from error


def _decoded(opened: Image.Image, data: bytes) -> Image.Image:
    try:
        opened.load()
        return opened
    except OSError:
        endings = with_endings(data)
        if endings is None:
            raise
    first, second = (Image.open(io.BytesIO(ended), formats=_FORMATS) for ended in endings)
    first.load()
    second.load()
    if ImageChops.difference(first, second).getbbox(alpha_only=False):
        raise _damaged()
    return first


def normalised(image: Image.Image) -> Encoded:
    """The picture encoded for storage: PNG if a part is transparent, else JPEG of quality 92."""
    if image.mode == "RGBA":
        return Encoded(_encoded(image, "PNG", optimize=False), ".png", *image.size)
    jpeg = _encoded(image, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    return Encoded(jpeg, ".jpg", *image.size)


def thumbnail_bytes(image: Image.Image, edge: int = THUMBNAIL_EDGE) -> bytes:
    """A WebP no longer than `edge` pixels on its longer side; never larger than the picture."""
    return _encoded(_within(image, edge), "WEBP", quality=82, method=4)


def data_uri(data: bytes, *, max_edge: int = 2048) -> str:
    """The picture as a JPEG data URI of at most `max_edge` pixels a side, what is transparent on white."""
    picture = _within(open_checked(data), max_edge)
    if picture.mode == "RGBA":
        ground = Image.new("RGB", picture.size, "white")
        ground.paste(picture, mask=picture.getchannel("A"))
        picture = ground
    encoded = base64.b64encode(_encoded(picture, "JPEG", quality=_JPEG_QUALITY)).decode("ascii")
    return f"data:image/jpeg;base64,{encoded}"


def empty() -> Problem:
    return Problem(422, "image_empty", "The image is empty: it has no bytes.", "Choose the file again.")


def too_large(why: str) -> Problem:
    return Problem(422, "image_too_large", f"The image is too large: {why}.", "Make it smaller and try again.")


def _not_readable(detail: str, action: str) -> Problem:
    return Problem(422, "image_not_readable", detail, action)


def _damaged() -> Problem:
    return _not_readable("The image is damaged or incomplete.", "Export or download it again.")


def _too_many_pixels() -> Problem:
    return too_large("it has more than 25 megapixels")


def _unknown(data: bytes) -> Problem:
    if data.startswith(_SIGNATURES):
        return _damaged()
    name = name_of_format(data)
    if name:
        return _not_readable(f"The image cannot be opened: {name} is not a format the image model reads.", _READABLE)
    return _not_readable("This is not an image, or not one we can open.", _READABLE)


def _check_size(opened: Image.Image) -> None:
    # Before anything is decoded: 400 KB of PNG can unfold to hundreds of megabytes.
    width, height = opened.size
    if width * height > MAX_PIXELS:
        raise _too_many_pixels()
    if max(width, height) > MAX_EDGE:
        raise too_large(f"{width} × {height} pixels, and {MAX_EDGE:,} is the most a side may have")
    if min(width, height) < MIN_EDGE:
        raise Problem(
            422,
            "image_too_small",
            f"The image is too small: {width} × {height} pixels, and each side needs {MIN_EDGE}.",
            "Choose a larger one.",
        )


def _check_frames(opened: Image.Image) -> None:
    # Cameras put a second picture (a preview, a depth map) into a JPEG: that is no animation.
    if opened.format in {"PNG", "WEBP"} and getattr(opened, "n_frames", 1) > 1:
        raise Problem(
            422, "image_animated", "The image is animated; only a still one can be used.", "Save one frame as PNG."
        )


def _upright(decoded: Image.Image, data: bytes) -> Image.Image:
    try:
        ImageOps.exif_transpose(decoded, in_place=True)
    except MemoryError:
        raise
    except Exception:  # noqa: S110 - a camera's notes that cannot be read say nothing about the picture
        pass
    picture = _in_srgb(decoded, depth_of_png(data))
    picture.info.clear()
    return picture


def _in_srgb(picture: Image.Image, depth: int) -> Image.Image:
    """Mode RGB, or RGBA where a part is transparent. `depth`: bits a sample of the file, which `transparency` is in."""
    info = dict(picture.info)
    alpha = _alpha(picture, info.get("transparency"), depth)
    picture.info.pop("transparency", None)
    if picture.mode in {"P", "PA", "LA", "RGBA", "1"}:
        picture = picture.convert("L" if picture.mode in {"LA", "1"} else "RGB")
    profile = info.get("icc_profile")
    converted = _through_profile(picture, profile) if profile else None
    picture = converted or _in_eight_bits(picture)
    picture = picture if picture.mode == "RGB" else picture.convert("RGB")
    if not profile and "srgb" not in info:
        picture = _through_gamma(picture, info.get("gamma"))
    if alpha is not None:
        picture.putalpha(alpha)
    return picture


def _alpha(picture: Image.Image, transparency: object, depth: int) -> Image.Image | None:
    """The picture's alpha; None when all of it is opaque."""
    if picture.mode in {"LA", "PA", "RGBA"}:
        alpha = picture.getchannel("A")
    elif transparency is None or picture.mode == "CMYK":
        return None
    elif picture.mode in {"P", "1"}:
        alpha = picture.convert("RGBA").getchannel("A")
    else:  # one colour is transparent, in samples of the file's depth: ours have 8 bits
        samples = transparency if isinstance(transparency, tuple) else (transparency,)
        clear = [value >> 8 if depth == 16 else value * 255 // ((1 << depth) - 1) for value in samples]
        bands = [
            band.point([255 * (one != value) for one in range(256)])
            for band, value in zip(_in_eight_bits(picture).split(), clear, strict=True)
        ]
        alpha = bands[0]
        for band in bands[1:]:
            alpha = ImageChops.lighter(alpha, band)
    return None if alpha.getextrema()[0] == 255 else alpha


def _in_eight_bits(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):
        return picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    return picture


def _through_profile(picture: Image.Image, profile: bytes) -> Image.Image | None:
    # Dropping the profile alone would shift the colours of most telephones' photographs.
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        of_grey = source.profile.xcolor_space.strip() == "GRAY"
        if picture.mode.startswith("I"):
            picture = _in_eight_bits(picture)
        if picture.mode == "L" and not of_grey:
            picture = picture.convert("RGB")
        return ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None  # a profile for another kind of picture, or a broken one


def _through_gamma(picture: Image.Image, gamma: object) -> Image.Image:
    """A PNG that says how its samples follow the light (1.0: linear), and neither sRGB nor a profile."""
    if not isinstance(gamma, float) or gamma <= 0 or _NO_GAMMA[0] < gamma < _NO_GAMMA[1]:
        return picture
    lights = [(value / 255) ** (1 / gamma) for value in range(256)]
    curve = [12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055 for light in lights]
    return picture.point([round(255 * value) for value in curve] * 3)


def _within(image: Image.Image, edge: int) -> Image.Image:
    if max(image.size) <= edge:
        return image
    smaller = image.copy()
    smaller.thumbnail((edge, edge), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return smaller


def _encoded(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()
