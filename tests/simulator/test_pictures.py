"""The pictures: real, different, and saying what was asked."""

import io
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image, ImageChops, ImageStat

from apps.simulator.chance import chance
from apps.simulator.drawing import compositions, scenes
from apps.simulator.drawing.caption import BAND, fitting, with_caption
from apps.simulator.drawing.pictures import Order, draw
from apps.simulator.photographs import NotAnImage, Photograph, decode, from_base64
from apps.simulator.sight import colour_name, look_at
from tests.simulator.conftest import data_uri


def photograph(colour: str = "#c04020", size: tuple[int, int] = (300, 200)) -> Photograph:
    return decode(from_base64(data_uri(colour, size)))


def drawn(*, prompt: str = "a green door", variation: str = "1", photographs: tuple[Photograph, ...] = (),
          size: tuple[int, int] = (1024, 1024)) -> Image.Image:  # fmt: skip
    order = Order(
        prompt=prompt, photographs=photographs, width=size[0], height=size[1], format="png", variation=variation
    )
    return Image.open(io.BytesIO(draw(order))).convert("RGB")


def test_pictures_differ_by_variation() -> None:
    first, second = drawn(variation="1"), drawn(variation="2")
    assert sum(ImageStat.Stat(ImageChops.difference(first, second)).mean) > 10


def test_the_inputs_show_in_the_picture() -> None:
    red = drawn(photographs=(photograph("#d01010"),)).resize((1, 1)).getpixel((0, 0))
    blue = drawn(photographs=(photograph("#1010d0"),)).resize((1, 1)).getpixel((0, 0))
    assert isinstance(red, tuple)
    assert isinstance(blue, tuple)
    assert red[0] > red[2]
    assert blue[2] > blue[0]


@pytest.mark.parametrize("size", [(1024, 1024), (2048, 1024), (256, 1536)])
def test_the_prompt_is_written_in_the_band_and_nowhere_else(size: tuple[int, int]) -> None:
    picture = Image.new("RGB", size, "#808080")
    one, other = with_caption(picture, "a green door"), with_caption(picture, "an old brass key")
    changed = ImageChops.difference(one, other).getbbox()
    assert changed is not None
    assert changed[1] >= size[1] * (1 - BAND) - 1
    band = one.crop((0, round(size[1] * (1 - BAND)), *size)).convert("L").getextrema()
    assert isinstance(band[1], int)
    assert band[1] > 240
    assert one.getpixel((5, 5)) == (128, 128, 128)


def test_long_prompts_are_cut_to_four_lines_that_fit() -> None:
    face, lines = fitting("an exceedingly long description " * 40, 900, 110)
    assert len(lines) == 4
    assert lines[-1].endswith("…")
    assert all(face.getlength(line) <= 900 for line in lines)


@pytest.mark.parametrize("size", [(256, 256), (256, 1536), (1536, 256), (1024, 768)])
def test_every_composition_takes_every_shape(size: tuple[int, int]) -> None:
    strip, square = photograph(size=(3, 500)).picture, photograph("#204060", (90, 90)).picture
    for compose in {*compositions.OF_ONE, *compositions.OF_SEVERAL}:
        made = compose([strip, square], size, chance(size))
        assert (made.size, made.mode) == (size, "RGB")
    for paint in (scenes.hills, scenes.still_life, scenes.ribbons):
        assert paint(size, scenes.palette_for("the sea at dawn", chance(1)), chance(size)).size == size


def test_drawing_in_threads_is_safe() -> None:
    with ThreadPoolExecutor(2) as threads:
        made = list(threads.map(lambda _: drawn().tobytes(), range(4)))
    assert len(set(made)) == 1


def test_transparent_photographs_become_white() -> None:
    file = io.BytesIO()
    Image.new("RGBA", (50, 50), (0, 0, 0, 0)).save(file, "PNG")
    assert decode(file.getvalue()).picture.getpixel((10, 10)) == (255, 255, 255)


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"<svg/>", b"\xff\xd8\xff\xe0 not really"])
def test_what_is_not_an_image_is_refused(data: bytes) -> None:
    with pytest.raises(NotAnImage):
        decode(data)


def test_sight() -> None:
    look = look_at(photograph("#f6f4ee", (200, 400)))
    assert (look.brightness, look.orientation) == ("bright", "portrait")
    assert look_at(photograph("#101018", (400, 200))).brightness == "dark"
    assert [colour_name(each) for each in ((5, 5, 5), (250, 250, 250), (20, 60, 200), (120, 120, 120))] == [
        "near-black", "soft white", "blue", "stone grey"
    ]  # fmt: skip
