"""What each family of image models takes (WaveSpeed's model pages, read 22 Nov 2026)."""

from collections.abc import Sequence

MOST_PICTURES = 10


def inputs_for(
    model: str, *, prompt: str, urls: Sequence[str], size: tuple[int, int], seed: int | None
) -> dict[str, object]:
    """The body of a submit. `size` is width and height in pixels; WaveSpeed writes it with an asterisk."""
    pictures = list(urls)[-MOST_PICTURES:]
    written = f"{size[0]}*{size[1]}"
    if model.startswith("bytedance/seedream"):
        return {"prompt": prompt, "images": pictures, "size": written}
    if model.startswith("google/nano-banana"):
        return {"prompt": prompt, "images": pictures, "output_format": "jpeg"}
    if model == "wavespeed-ai/qwen-image/edit":
        return {"prompt": prompt, "image": pictures[-1], "size": written, "seed": seed, "output_format": "jpeg"}
    if "flux" in model:
        return {"prompt": prompt, "image": pictures[-1], "size": written, "seed": seed}
    return {"prompt": prompt, "images": pictures, "size": written}
