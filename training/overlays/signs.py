"""What the fit of the check "overlay" has of lettering in the scene: drawn things, and real words of signs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.pixels.cases.scene_lettering import KINDS, close_ups, in_scene

_SIGNS = "STOP|YIELD|ONE WAY|SPEED LIMIT/45|Ashby 3/Norton 17|EXIT 21|NO PARKING|King Street|Main St|DANGER|SLOW"
_SHOPS = "BAKERY|CORNER SHOP|Royal Hotel|COFFEE & TEA|Lucky Star|Books and More/since 1985|PHARMACY"
#: what is written: rows between slashes; the benchmark has others
_TEXTS = {
    "road sign": _SIGNS,
    "shop sign": _SHOPS,
    "number plate": "BD 51 SMR|7ABC 123|M-XY 482|LT61 OKP|34 FJ 901",
    "shirt": "RACING TEAM|HELLO|CITY COLLEGE|Athletic dept|LOVE|23",
    "package": "Cotton|FRESH MILK/1 litre|Sea Salt/250 g|CARGO|MADE IN ITALY",
    "poster": "MARKET DAY/Sunday/free entry|EXPRESS/Union Hall/8 pm|SALE/50% off|VOTE|MUSEUM/of the sea/open daily",
    "screen": "Home   Settings/Update now?|Departures/London 10:40/Oslo 11:05|Hello world|Level 4/Score 1200",
    "clock": "07:52|18:03|9:41|21:15:08|4:10|88:88",
    "sign close up": f"{_SHOPS}|{_SIGNS}",
}


def with_signs(photo: np.ndarray, at: int, fonts: Sequence[str], seed: int) -> Iterator[np.ndarray]:
    """Yields the photo, the ``at``-th, with one thing in it: every third kind, by turns."""
    for index, kind in enumerate(KINDS):
        if (at + index) % 3:
            continue
        rng = np.random.default_rng((seed, at, index))
        rows = str(rng.choice(_TEXTS[kind].split("|"))).split("/")
        font = fonts[int(rng.integers(len(fonts)))]
        yield in_scene(photo, kind, rows, lambda text, height, font=font: _line(text, height, font), rng)  # type: ignore[misc]


def words() -> list[np.ndarray]:
    """Returns real words of signs, those at even places."""
    return close_ups(0)


def _line(text: str, height: int, face: str) -> np.ndarray:
    font = ImageFont.truetype(face, height)
    left, top, right, bottom = map(int, font.getbbox(text))
    image = Image.new("L", (right - left + 2, bottom - top + 2))
    ImageDraw.Draw(image).text((1 - left, 1 - top), text, fill=255, font=font)
    return np.asarray(image, np.float32) / 255
