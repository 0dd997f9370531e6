"""Which images are taken, what is said about the others, and what is left of those taken."""

import base64
import io
import struct
import zlib
from collections.abc import Callable

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from apps.assets.images import data_uri, normalised, open_checked, thumbnail_bytes
from apps.core.errors import Problem
from tests.assets.conftest import drawn


def refused(data: bytes) -> Problem:
    with pytest.raises(Problem) as problem:
        open_checked(data)
    assert problem.value.status == 422
    assert problem.value.action
    return problem.value


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header promises a large picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def red(pixel: object) -> bool:
    assert isinstance(pixel, tuple)
    return pixel[0] > 200 and pixel[1] < 60 and pixel[2] < 60


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("chelsea.png", (451, 300)),
        ("coffee.png", (600, 400)),
        ("rocket.jpg", (640, 427)),
        ("hubble_deep_field.jpg", (1000, 872)),
    ],
)
def test_photograph_is_taken(photo: Callable[[str], bytes], name: str, size: tuple[int, int]) -> None:
    picture = open_checked(photo(name))
    encoded = normalised(picture)
    assert (picture.size, picture.mode, encoded.suffix, (encoded.width, encoded.height)) == (size, "RGB", ".jpg", size)
    assert Image.open(io.BytesIO(encoded.data)).format == "JPEG"


@pytest.mark.parametrize(
    ("form", "mode"),
    [
        *[(form, "RGB") for form in ("PNG", "JPEG", "WEBP")],
        *[("PNG", mode) for mode in ("1", "L", "LA", "P", "RGBA", "I;16")],
        *[("JPEG", mode) for mode in ("L", "CMYK")],
    ],
)
def test_every_opaque_mode_becomes_rgb(form: str, mode: str) -> None:
    assert open_checked(drawn(form, mode=mode)).mode == "RGB"


def test_sixteen_bit_grey_keeps_its_brightness() -> None:
    out = io.BytesIO()
    Image.new("I;16", (32, 32), 0x8000).save(out, "PNG")
    assert open_checked(out.getvalue()).getpixel((5, 5)) == (128, 128, 128)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"\0\0\0\x1cftypheic\0\0\0\0mif1heic" + bytes(200), "HEIC is not a format", id="heic"),
        pytest.param(b"\0\0\0\x1cftypmif1\0\0\0\0avifmiaf" + bytes(200), "AVIF is not a format", id="avif"),
        pytest.param(b"\0\0\0\x18ftypmp42\0\0\0\0isommp42" + bytes(200), "video is not a format", id="video"),
        pytest.param(drawn("GIF"), "GIF is not a format", id="gif"),
        pytest.param(drawn("TIFF"), "TIFF is not a format", id="tiff"),
        pytest.param(drawn("BMP"), "BMP is not a format", id="bmp"),
        pytest.param(b"%PDF-1.7 " + bytes(100), "PDF is not a format", id="pdf"),
        pytest.param(b"<?xml version='1.0'?><svg xmlns='x'/>", "SVG is not a format", id="svg"),
        pytest.param(b"\n<!DOCTYPE html><title>Sign in</title>", "a web page is not a format", id="html"),
        pytest.param(b"hello", "not an image", id="text"),
        pytest.param(drawn("PNG").replace(b"IDAT", b"IDAX"), "damaged", id="png without a picture"),
        pytest.param(drawn("JPEG")[:20], "damaged", id="jpeg of a few bytes"),
    ],
)
def test_what_cannot_be_read_is_named(data: bytes, words: str) -> None:
    problem = refused(data)
    assert problem.code == "image_not_readable"
    assert words in problem.detail


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_truncated_photograph_is_damaged(photo: Callable[[str], bytes], form: str, share: float) -> None:
    out = io.BytesIO()
    Image.open(io.BytesIO(photo("coffee.png"))).save(out, form)
    whole = out.getvalue()
    assert "damaged or incomplete" in refused(whole[: int(len(whole) * share)]).detail


def test_changed_bytes_are_damage(photo: Callable[[str], bytes]) -> None:
    data = bytearray(photo("coffee.png"))
    data[len(data) // 2 : len(data) // 2 + 64] = bytes(64)
    assert "damaged or incomplete" in refused(bytes(data)).detail


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_animation_is_refused(form: str) -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, form, save_all=True, append_images=frames[1:], duration=100)
    assert refused(out.getvalue()).code == "image_animated"


def test_second_picture_inside_a_photograph_is_no_animation() -> None:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(out, "MPO", save_all=True, append_images=[Image.new("RGB", (32, 24))])
    assert open_checked(out.getvalue()).size == (64, 48)


@pytest.mark.filterwarnings("error::PIL.Image.DecompressionBombWarning")  # as images.py sets it
@pytest.mark.parametrize("size", [(5001, 5000), (12_000, 12_000), (65_000, 65_000), (16_001, 20), (20, 100_000)])
def test_bomb_is_refused_before_it_is_decoded(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[object] = []
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", decoded.append)
    assert refused(png_claiming(*size)).code == "image_too_large"
    assert decoded == []


@pytest.mark.filterwarnings("error::PIL.Image.DecompressionBombWarning")  # as images.py sets it
def test_real_bomb_is_refused() -> None:
    out = io.BytesIO()
    Image.new("1", (12_000, 2_200)).save(out, "PNG")
    assert len(out.getvalue()) < 20_000
    assert "more than 25 megapixels" in refused(out.getvalue()).detail


def test_sizes_at_the_limits() -> None:
    assert refused(drawn("PNG", size=(15, 64))).code == "image_too_small"
    assert open_checked(drawn("PNG", size=(16, 16))).size == (16, 16)
    assert open_checked(drawn("PNG", size=(5000, 5000), mode="L")).size == (5000, 5000)


def test_empty_and_heavy_are_refused() -> None:
    assert refused(b"").code == "image_empty"
    assert refused(bytes(20_000_001)).code == "image_too_large"


def test_photograph_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: shown as (48, 64), its top what was stored as the left side
    picture = open_checked(drawn("JPEG", exif=exif, quality=95))
    assert picture.size == (48, 64)
    assert red(picture.getpixel((24, 5)))
    assert not red(picture.getpixel((24, 60)))


def test_metadata_is_dropped() -> None:
    exif = Image.Exif()
    exif[0x010E] = "the secret place"
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "the secret place")
    for data in (drawn("JPEG", exif=exif, comment=b"the secret place"), drawn("PNG", pnginfo=text, exif=exif)):
        assert b"secret place" in data
        picture = open_checked(data)
        for stored in (normalised(picture).data, thumbnail_bytes(picture)):
            assert b"secret place" not in stored
            assert not Image.open(io.BytesIO(stored)).getexif()


def test_colours_of_a_profile_are_kept_without_it() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    assert red(open_checked(drawn("PNG", icc_profile=lab.tobytes())).getpixel((5, 5)))  # unfit: left alone
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    picture = open_checked(drawn("PNG", icc_profile=srgb.tobytes()))
    assert red(picture.getpixel((5, 5)))
    assert "icc_profile" not in Image.open(io.BytesIO(normalised(picture).data)).info


def test_transparency_is_kept_and_full_opacity_is_not() -> None:
    clear = Image.new("RGBA", (64, 48), (255, 0, 0, 128))
    solid = Image.new("RGBA", (64, 48), (255, 0, 0, 255))
    for picture, suffix, mode in ((clear, ".png", "RGBA"), (solid, ".jpg", "RGB")):
        out = io.BytesIO()
        picture.save(out, "PNG")
        opened = open_checked(out.getvalue())
        encoded = normalised(opened)
        assert (encoded.suffix, Image.open(io.BytesIO(encoded.data)).mode) == (suffix, mode)
        assert Image.open(io.BytesIO(thumbnail_bytes(opened))).mode == mode


def test_palette_with_a_transparent_colour_is_transparent() -> None:
    picture = Image.new("P", (32, 32), 1)
    picture.putpalette([0, 0, 0, 255, 0, 0])
    out = io.BytesIO()
    picture.save(out, "PNG", transparency=1)
    assert open_checked(out.getvalue()).getpixel((5, 5)) == (255, 0, 0, 0)


def test_thumbnail_is_small_and_never_larger_than_the_picture(photo: Callable[[str], bytes]) -> None:
    large = Image.open(io.BytesIO(thumbnail_bytes(open_checked(photo("hubble_deep_field.jpg")), 512)))
    small = Image.open(io.BytesIO(thumbnail_bytes(open_checked(photo("chelsea.png")), 512)))
    assert (large.size, large.format, small.size) == ((512, 446), "WEBP", (451, 300))


def test_data_uri_is_a_bounded_jpeg_on_white(photo: Callable[[str], bytes]) -> None:
    head, _, body = data_uri(photo("hubble_deep_field.jpg"), max_edge=256).partition(",")
    picture = Image.open(io.BytesIO(base64.b64decode(body)))
    assert (head, picture.size, picture.format) == ("data:image/jpeg;base64", (256, 223), "JPEG")
    out = io.BytesIO()
    Image.new("RGBA", (32, 32), (255, 0, 0, 0)).save(out, "PNG")
    clear = Image.open(io.BytesIO(base64.b64decode(data_uri(out.getvalue()).partition(",")[2])))
    assert clear.getpixel((5, 5)) == (255, 255, 255)
