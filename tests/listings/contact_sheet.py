"""The six images of the demo's cup in the six styles, as one picture: `python -m tests.listings.contact_sheet docs/listings.jpg`.

Rows are styles, columns images. Painted scenes are the simulator's.
"""

import base64
import io
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import requests
from PIL import Image

from apps.listings.drawing.callouts import Measure, Said, callouts_of
from apps.listings.drawing.layouts.comparison import Column, comparison
from apps.listings.drawing.layouts.dimensions import dimensions
from apps.listings.drawing.layouts.feature import feature
from apps.listings.drawing.layouts.infographic import infographic
from apps.listings.drawing.painting import painted
from apps.listings.drawing.styles import STYLES, Look, look_of
from apps.listings.imaging import files, identity, scenes
from apps.listings.imaging.compose import main_image, on_white
from apps.listings.imaging.matte import Matte, refined
from apps.simulator.drawing.matte import cut_out
from tests.support.simulator import SimulatorProcess

CUP = Path(__file__).resolve().parents[2] / "apps" / "listings" / "demo_photos" / "cup.png"
LOCALE = "en-US"
TILE = 360
FACTS = [
    Said("volume", "Volume", "80 ml", True),
    Said("wall", "Wall", "6 mm", True),
    Said("fired-at", "Fired at", "1,280 °C", True),
    Said("oven-safe", "Oven-safe", "yes", False),
    Said("width", "Saucer", "12 cm", True),
]
ROWS = {
    "Volume": ("80 ml", "50 ml"),
    "Wall": ("6 mm", "5 mm"),
    "Oven-safe": ("yes", "yes"),
    "Saucer": ("12 cm", "9 cm"),
}


def scene(simulator: SimulatorProcess, matte: Matte, style: str, *, close: bool) -> Any:
    sent = scenes.frame(matte, close=close)
    words = scenes.prompt(
        name="Espresso cup", category="household", style=style, close=close, feature=FACTS[0], materials=[], wish=""
    )
    uri = f"data:image/png;base64,{base64.b64encode(files.png(scenes.as_rgba(sent))).decode()}"
    asked = {
        "model": "gpt-image-2.6-flare",
        "prompt": words,
        "images": [{"image_url": uri}],
        "size": "1024x1024",
        "output_format": "png",
    }
    headers = {"Authorization": "Bearer simulator"}
    reply = requests.post(f"{simulator.base('openai')}/images/edits", headers=headers, json=asked, timeout=60)
    made = files.opened(base64.b64decode(reply.json()["data"][0]["b64_json"]))[..., :3]
    shown = identity.laid_back(sent, identity.drift_of(sent, made), made)
    return cv2.resize(shown, (2000, 2000), interpolation=cv2.INTER_LANCZOS4), cv2.resize(sent.alpha, (2000, 2000)) > 128


def row(simulator: SimulatorProcess, matte: Matte, look: Look) -> list[Any]:
    close, mask = scene(simulator, matte, look.style, close=True)
    plate = feature(close, mask, callouts_of(FACTS, most=1)[0], look=look, locale=LOCALE)
    columns = [
        Column("Espresso cup", {label: values[0] for label, values in ROWS.items()}, matte),
        Column("Ristretto cup", {label: values[1] for label, values in ROWS.items()}, matte),
    ]
    measures = [Measure("across", "Saucer", 120, "4.7 in · 12 cm"), Measure("up", "Height", 70, "2.8 in · 7 cm")]
    facts = infographic(matte, "Warm to the last sip", callouts_of(FACTS, most=5), look=look, locale=LOCALE)
    return [
        on_white(main_image(matte)),
        painted(facts, [matte], locale=LOCALE),
        painted(plate, [], locale=LOCALE, ground=close),
        scene(simulator, matte, look.style, close=False)[0],
        painted(comparison(columns, list(ROWS), look=look, locale=LOCALE), [matte, matte], locale=LOCALE),
        painted(dimensions(matte, measures, "", look=look, locale=LOCALE), [matte], locale=LOCALE),
    ]


def main(path: str) -> None:
    matte = refined(np.array(cut_out(CUP.read_bytes(), longest=600)))
    red, green, blue = (round(float(each)) for each in matte.rgb[matte.solid].mean(axis=0))
    lines = []
    with SimulatorProcess() as simulator:
        for style in STYLES:
            tiles = row(simulator, matte, look_of(style, product=(red, green, blue)))
            lines.append(np.hstack([cv2.resize(tile, (TILE, TILE), interpolation=cv2.INTER_AREA) for tile in tiles]))
    file = io.BytesIO()
    Image.fromarray(np.vstack(lines)).save(file, "JPEG", quality=86)
    Path(path).write_bytes(file.getvalue())


if __name__ == "__main__":
    main(sys.argv[1])
