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


# --- whole pictures with a blemish, and colours that a file only describes ---------------------------


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(depth: int, colour: int, line: bytes, *chunks: bytes) -> bytes:
    """16 × 16 pixels of equal lines, of the header's own depth and colour type."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 16, depth, colour, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress((b"\0" + line) * 16))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + body + chunk(b"IEND", b"")


def ends_of(data: bytes) -> tuple[object, object]:
    picture = open_checked(data)
    return picture.getpixel((0, 8)), picture.getpixel((15, 8))


@pytest.mark.parametrize(
    ("depth", "colour", "line", "clear", "left", "right"),
    [
        (8, 2, b"\xff\0\0" * 8 + b"\0\0\xff" * 8, (255, 0, 0), (255, 0, 0, 0), (0, 0, 255, 255)),
        (16, 2, b"\xff\xff\0\0\0\0" * 8 + b"\0\0\0\0\xff\xff" * 8, (65535, 0, 0), (255, 0, 0, 0), (0, 0, 255, 255)),
        (16, 0, b"\x64\x64" * 8 + b"\0\0" * 8, (0x6464,), (100, 100, 100, 0), (0, 0, 0, 255)),
        (8, 0, b"\x64" * 8 + b"\0" * 8, (100,), (100, 100, 100, 0), (0, 0, 0, 255)),
        (4, 0, b"\x77" * 4 + b"\xff" * 4, (7,), (119, 119, 119, 0), (255, 255, 255, 255)),
        (2, 0, b"\x55" * 2 + b"\xff" * 2, (1,), (85, 85, 85, 0), (255, 255, 255, 255)),
        (1, 0, b"\xff\0", (1,), (255, 255, 255, 0), (0, 0, 0, 255)),
    ],
    ids=["rgb", "rgb 16", "grey 16", "grey", "grey 4", "grey 2", "black and white"],
)
def test_the_transparent_colour_of_a_png_is_transparent(
    depth: int, colour: int, line: bytes, clear: tuple[int, ...], left: object, right: object
) -> None:
    named = chunk(b"tRNS", struct.pack(f">{len(clear)}H", *clear))
    assert ends_of(png(depth, colour, line, named)) == (left, right)


@pytest.mark.parametrize(
    ("depth", "colour", "line"),
    [
        (8, 4, b"\x64\x80" * 16),
        (16, 4, b"\x64\0\x80\0" * 16),
        (8, 6, b"\x64\x64\x64\x80" * 16),
        (16, 6, b"\x64\0\x64\0\x64\0\x80\0" * 16),
    ],
    ids=["grey", "grey 16", "rgb", "rgb 16"],
)
def test_alpha_of_every_depth_is_kept(depth: int, colour: int, line: bytes) -> None:
    assert ends_of(png(depth, colour, line)) == ((100, 100, 100, 128),) * 2


def test_palette_keeps_its_half_transparent_colours() -> None:
    palette = chunk(b"PLTE", b"\xff\0\0\0\xff\0") + chunk(b"tRNS", b"\x80\xff")
    assert ends_of(png(8, 3, b"\0" * 8 + b"\1" * 8, palette)) == ((255, 0, 0, 128), (0, 255, 0, 255))


RED = b"\xff\0\0" * 16
LONG_TEXT = zlib.compress(b"node " * 800_000)


@pytest.mark.parametrize(
    "blemish",
    [
        pytest.param(chunk(b"zTXt", b"workflow\0\0" + LONG_TEXT), id="4 MB of packed text"),
        pytest.param(chunk(b"iTXt", b"workflow\0\1\0\0\0" + LONG_TEXT), id="4 MB of packed text in UTF-8"),
        pytest.param(chunk(b"iCCP", b"big\0\0" + zlib.compress(bytes(9_000_000))), id="9 MB of profile"),
        pytest.param(chunk(b"iCCP", b"broken\0\0" + b"not packed"), id="profile that is not packed"),
        pytest.param(chunk(b"tEXt", b"Comment\0hello")[:-4] + b"\1\2\3\4", id="wrong checksum of a text"),
        pytest.param(chunk(b"gAMA", b"\0\0\0\1")[:-4] + b"\1\2\3\4", id="wrong checksum of a gamma"),
        pytest.param(chunk(b"eXIf", b"not camera notes"), id="broken notes of a camera"),
        pytest.param(chunk(b"quRk", b"of another program"), id="unknown chunk"),
    ],
)
def test_what_stands_beside_a_png_harms_it_not(blemish: bytes) -> None:
    assert ends_of(png(8, 2, RED, blemish)) == ((255, 0, 0), (255, 0, 0))


def test_wrong_checksum_of_the_header_is_damage() -> None:
    whole = png(8, 2, RED)
    assert "damaged" in refused(whole[:29] + b"\1\2\3\4" + whole[33:]).detail


def test_png_without_its_end_mark_is_whole() -> None:
    assert ends_of(png(8, 2, RED)[:-12]) == ((255, 0, 0), (255, 0, 0))


@pytest.mark.parametrize("progressive", [False, True], ids=["baseline", "progressive"])
@pytest.mark.parametrize("cut", [1, 2])
def test_jpeg_without_its_end_mark_is_whole(photo: Callable[[str], bytes], cut: int, progressive: bool) -> None:
    out = io.BytesIO()
    Image.open(io.BytesIO(photo("coffee.png"))).convert("RGB").save(out, "JPEG", progressive=progressive)
    assert open_checked(out.getvalue()[:-cut]).tobytes() == open_checked(out.getvalue()).tobytes()


@pytest.mark.parametrize("progressive", [False, True], ids=["baseline", "progressive"])
@pytest.mark.parametrize("cut", [20, 200, 2000])
def test_jpeg_that_lacks_a_little_more_is_damaged(photo: Callable[[str], bytes], cut: int, progressive: bool) -> None:
    out = io.BytesIO()
    Image.open(io.BytesIO(photo("coffee.png"))).convert("RGB").save(out, "JPEG", progressive=progressive)
    assert "damaged" in refused(out.getvalue()[:-cut]).detail


def grey_profile(gamma: float = 1.0) -> bytes:
    """A profile for grey pictures (ICC.1:2010 §7, §8.3): a white point, and a curve that is one exponent."""

    def padded(data: bytes) -> bytes:
        return data + bytes(-len(data) % 4)

    texts = padded(b"desc\0\0\0\0" + struct.pack(">I", 5) + b"grey\0" + bytes(78))
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    curve = padded(b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)))
    tags, at = [(b"desc", texts), (b"wtpt", white), (b"kTRC", curve)], 128 + 4 + 3 * 12
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags:
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data
    header = bytearray(128)
    header[8:12], header[12:16], header[16:20], header[20:24] = b"\2\x10\0\0", b"mntr", b"GRAY", b"XYZ "
    header[36:40], header[68:80] = b"acsp", struct.pack(">3i", 63190, 65536, 54061)
    whole = bytes(header) + table + body
    return struct.pack(">I", len(whole)) + whole[4:]


LINEAR_GREY = chunk(b"iCCP", b"grey\0\0" + zlib.compress(grey_profile()))


@pytest.mark.parametrize(
    ("data", "pixel"),
    [
        pytest.param(png(8, 0, b"\x64" * 16, LINEAR_GREY), (168, 168, 168), id="grey"),
        pytest.param(png(16, 0, b"\x64\x64" * 16, LINEAR_GREY), (168, 168, 168), id="grey 16"),
        pytest.param(png(8, 4, b"\x64\x80" * 16, LINEAR_GREY), (168, 168, 168, 128), id="grey with alpha"),
        pytest.param(png(8, 2, b"\x64\x64\x64" * 16, LINEAR_GREY), (100, 100, 100), id="not for colours"),
        pytest.param(png(8, 0, b"\x64" * 16, chunk(b"gAMA", struct.pack(">I", 100_000))), (168,) * 3, id="gamma 1"),
        pytest.param(png(8, 0, b"\x64" * 16, chunk(b"gAMA", struct.pack(">I", 45_455))), (100,) * 3, id="gamma 1/2.2"),
        pytest.param(
            png(8, 0, b"\x64" * 16, chunk(b"sRGB", b"\0"), chunk(b"gAMA", struct.pack(">I", 100_000))),
            (100,) * 3,
            id="sRGB goes before gamma",
        ),
    ],
)
def test_brightness_is_what_the_file_says(data: bytes, pixel: tuple[int, ...]) -> None:
    assert ends_of(data) == (pixel, pixel)


def test_grey_jpeg_goes_through_its_profile() -> None:
    out = io.BytesIO()
    Image.new("L", (32, 32), 100).save(out, "JPEG", icc_profile=grey_profile(), quality=100)
    assert open_checked(out.getvalue()).getpixel((8, 8)) == (168, 168, 168)


def test_cmyk_jpeg_has_its_own_colours() -> None:
    paper, ink = Image.new("CMYK", (32, 32), (0, 0, 0, 0)), Image.new("CMYK", (32, 32), (0, 255, 255, 0))
    for picture, near in ((paper, (255, 255, 255)), (ink, (255, 0, 0))):
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=100)
        pixel = open_checked(out.getvalue()).getpixel((8, 8))
        assert isinstance(pixel, tuple)
        assert all(abs(one - other) <= 2 for one, other in zip(pixel, near, strict=True))
