"""Images that people and providers send: checked before they are decoded, turned upright, freed of metadata."""

import base64
import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from apps.assets.formats import name_of_format
from apps.assets.models import Asset
from apps.assets.storage import open_file
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


@dataclass(frozen=True)
class Encoded:
    """A picture as we store it: `suffix` is .jpg, or .png where a part of it is transparent."""

    data: bytes
    suffix: str
    width: int
    height: int


def open_checked(data: bytes) -> Image.Image:
    """The decoded picture, upright, in sRGB, mode RGB or RGBA, without metadata.

    Problem 422 with a code of its own when it is empty, too large (20 MB, 25 megapixels, 16,000 px), too small
    (16 px), animated, of another format or damaged.
    """
    if not data:
        raise Problem(422, "image_empty", "The image is empty: it has no bytes.", "Choose the file again.")
    if len(data) > MAX_BYTES:
        raise too_large(f"it has {len(data) / 1e6:.0f} MB, and 20 MB is the most")
    try:
        opened = Image.open(io.BytesIO(data), formats=_FORMATS)
        _check_size(opened)
        _check_frames(opened)
        return _upright(opened)
    except (Problem, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except UnidentifiedImageError as error:
        raise _unknown(data) from error
    except Exception as error:  # decoders raise anything when their input is hostile or damaged
        raise _damaged() from error


def normalised(image: Image.Image) -> Encoded:
    """The picture encoded for storage: PNG if a part is transparent, else JPEG of quality 92."""
    if image.mode == "RGBA":
        return Encoded(_encoded(image, "PNG", optimize=False), ".png", *image.size)
    jpeg = _encoded(image, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    return Encoded(jpeg, ".jpg", *image.size)


def thumbnail_bytes(image: Image.Image, edge: int = THUMBNAIL_EDGE) -> bytes:
    """A WebP no longer than `edge` pixels on its longer side; never larger than the picture."""
    return _encoded(_within(image, edge), "WEBP", quality=82, method=4)


def data_uri(source: Asset | bytes, *, max_edge: int = 2048) -> str:
    """The picture as a JPEG data URI of at most `max_edge` pixels a side, what is transparent on white."""
    if isinstance(source, Asset):
        with open_file(str(source.file)) as file:
            source = file.read()
    picture = _within(open_checked(source), max_edge)
    if picture.mode == "RGBA":
        ground = Image.new("RGB", picture.size, "white")
        ground.paste(picture, mask=picture.getchannel("A"))
        picture = ground
    encoded = base64.b64encode(_encoded(picture, "JPEG", quality=_JPEG_QUALITY)).decode("ascii")
    return f"data:image/jpeg;base64,{encoded}"


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


def _upright(opened: Image.Image) -> Image.Image:
    opened.load()
    ImageOps.exif_transpose(opened, in_place=True)
    picture = _in_srgb(opened)
    picture.info.clear()
    return picture


def _in_srgb(picture: Image.Image) -> Image.Image:
    profile = picture.info.get("icc_profile")
    transparent = picture.has_transparency_data
    if picture.mode.startswith("I"):
        picture = picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")  # 16 bits a pixel
    if picture.mode not in {"RGB", "RGBA", "CMYK"}:
        picture = picture.convert("RGBA" if transparent else "RGB")
    picture = _through_profile(picture, profile) if profile else picture
    if picture.mode == "RGBA" and picture.getchannel("A").getextrema()[0] == 255:
        return picture.convert("RGB")
    return picture if picture.mode in {"RGB", "RGBA"} else picture.convert("RGB")


def _through_profile(picture: Image.Image, profile: bytes) -> Image.Image:
    # Dropping the profile alone would shift the colours of most telephones' photographs.
    mode = "RGB" if picture.mode == "CMYK" else picture.mode
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture  # a profile for another kind of picture, or a broken one
    return converted or picture


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
