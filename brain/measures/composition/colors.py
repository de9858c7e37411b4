"""Names the color of a crop by its pixels: the eleven basic color terms (Berlin and Kay 1969), or none.

Every pixel is named by its lightness, chroma and hue in CIELAB; the shares of the names are what a crop says. Rules and
not a model, so that it works offline; where they stand was chosen on half of the 949 names of the XKCD color survey
(public domain; the half with an even place in the alphabet), see ``python -m benchmarks.composition colors``.

>>> import numpy as np
>>> name_color(np.full((20, 20, 3), (200, 20, 30), np.uint8)).name
'red'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loupe.brain.core.records import Record

if TYPE_CHECKING:
    import numpy as np

#: the eleven basic terms; ``names`` gives a pixel's place in this
TERMS = ("black", "gray", "white", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown")
#: other words for them
_OTHER_WORDS = {
    "grey": "gray", "violet": "purple", "crimson": "red", "scarlet": "red", "navy": "blue", "azure": "blue",
    "magenta": "pink", "lilac": "purple", "lavender": "purple", "emerald": "green", "lime": "green", "maroon": "red",
    "silver": "gray", "tan": "brown", "chestnut": "brown", "sky blue": "blue", "navy blue": "blue", "dark blue": "blue",
    "light blue": "blue", "dark green": "green", "light green": "green", "dark red": "red", "bright red": "red",
    "blond": "yellow", "ebony": "black", "ivory": "white", "indigo": "purple", "golden": "yellow", "gold": "yellow",
}  # fmt: skip
#: terms that one object can be given by two people: the one is no proof against the other
_NEAR = {
    "black": {"gray", "brown", "blue", "purple"}, "gray": {"black", "white", "blue", "brown", "green"},
    "white": {"gray", "yellow", "pink"}, "red": {"orange", "pink", "brown", "purple"},
    "orange": {"red", "yellow", "brown"}, "yellow": {"orange", "brown", "green", "white"},
    "green": {"yellow", "blue", "gray"}, "blue": {"green", "purple", "gray", "black"},
    "purple": {"blue", "pink", "red", "black"}, "pink": {"red", "purple", "white"},
    "brown": {"red", "orange", "yellow", "black", "gray"},
}  # fmt: skip
#: how much of a box is looked at, along each side: the object is rather in its middle
_MIDDLE = 0.6
_MIN_SIDE = 4
#: pixels looked at along the long side
_SAMPLES = 64


@dataclass(frozen=True)
class Naming(Record):
    """What color a crop has.

    Attributes:
        name: the term of the most pixels, or None where no term has enough of them
        shares: of the pixels, by term; empty for a crop that was too small
        reason: why there is no name, else empty
    """

    name: str | None
    shares: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""


def term(word: str) -> str | None:
    """Returns the basic term for a color word, or None for a word that is none of ours.

    >>> term("Grey"), term("navy blue"), term("rainbow")
    ('gray', 'blue', None)
    """
    word = " ".join(word.lower().split())
    return word if word in TERMS else _OTHER_WORDS.get(word)


def lab(pixels: np.ndarray) -> np.ndarray:
    """Returns sRGB pixels in CIELAB (D65): (..., 3) uint8 to (..., 3) float64, L in [0, 100]."""
    import numpy as np

    value = pixels.astype(np.float64) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    matrix = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    xyz = linear @ np.array(matrix).T / (0.95047, 1.0, 1.08883)
    root = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    x, y, z = np.moveaxis(root, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


def names(pixels: np.ndarray) -> np.ndarray:
    """Returns each pixel's place in ``TERMS``: (..., 3) uint8 sRGB to (...) int64."""
    import numpy as np

    lightness, a, b = np.moveaxis(lab(pixels), -1, 0)
    chroma, hue = np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360
    # the most special first: np.select takes the first that holds
    rules = [
        ("black", (lightness < 3) | ((lightness < 10) & (chroma < 25)) | ((lightness < 22) & (chroma < 12))),
        ("white", (lightness > 88) & (chroma < 10)),
        ("gray", chroma < 8),
        ("white", (lightness > 95) & (chroma < 16)),
        # the blue of a screen lies at 306 degrees
        ("blue", (hue >= 285) & (hue < 308) & (chroma > 60) & (lightness < 40)),
        ("blue", (hue >= 285) & (hue < 306) & (lightness < 12)),
        ("pink", ((hue >= 335) & (lightness > 42)) | ((hue < 45) & (lightness > 63))),
        ("pink", (hue < 12) & (lightness > 43)),
        ("pink", (hue < 24) & (chroma < 50) & (lightness > 56)),
        ("pink", (hue >= 327) & (hue < 335) & (lightness > 64)),
        ("purple", ((hue >= 300) & (hue < 350)) | ((hue >= 350) & (lightness < 32))),
        ("brown", (hue >= 25) & (hue < 60) & (chroma < 45) & (lightness < 62)),
        ("brown", (hue >= 45) & (hue < 92) & (chroma < 68) & (lightness < 52)),
        ("brown", (hue >= 50) & (hue < 88) & (chroma < 42) & (lightness < 76)),
        ("red", (hue >= 350) | (hue < 45)),
        ("orange", hue < 76),
        ("green", (hue >= 97) & (hue < 112) & (lightness < 66)),
        ("yellow", hue < 112),
        ("green", hue < 200),
        ("blue", hue < 300),
    ]
    return np.select([where for _, where in rules], [TERMS.index(name) for name, _ in rules], TERMS.index("gray"))


def name_color(picture: np.ndarray, min_share: float = 0.4) -> Naming:
    """Returns the color of a picture of one object.

    Args:
        picture: (H, W, 3) uint8 sRGB
        min_share: the share of the pixels that a name needs
    """
    import numpy as np

    if min(picture.shape[:2]) < _MIN_SIDE:
        return Naming(None, {}, "the crop is too small to name its color")
    step = max(1, max(picture.shape[:2]) // _SAMPLES)
    counts = np.bincount(names(picture[::step, ::step]).ravel(), minlength=len(TERMS))
    shares = {name: float(count / counts.sum()) for name, count in zip(TERMS, counts, strict=True) if count}
    best = max(shares, key=lambda name: shares[name])
    if shares[best] < min_share:
        return Naming(None, shares, f"no color has most of it: {describe(shares)}")
    return Naming(best, shares)


def middle(picture: np.ndarray, bounds: tuple[float, float, float, float]) -> np.ndarray:
    """Returns the middle of a box: 0.6 of each side.

    Args:
        picture: (H, W, 3)
        bounds: x, y, width, height in [0, 1]
    """
    height, width = picture.shape[:2]
    x, y, wide, high = bounds
    edge = (1 - _MIDDLE) / 2
    left, right = round((x + edge * wide) * width), round((x + (1 - edge) * wide) * width)
    top, bottom = round((y + edge * high) * height), round((y + (1 - edge) * high) * height)
    return picture[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]


def mismatch(naming: Naming, wanted: str) -> float | None:
    """Returns how much an object's color speaks against the wanted one, in [0, 1], or None where it says nothing.

    Evidence against is the largest share of a term that nobody would take for the wanted one, where it is at least
    0.4 of the pixels; evidence for is the share of the wanted term. A rule, not fitted.

    >>> mismatch(Naming("blue", {"blue": 0.9, "gray": 0.1}), "red"), mismatch(Naming("red", {"red": 1.0}), "red")
    (1.0, 0.0)
    >>> mismatch(Naming("orange", {"orange": 1.0}), "red") is None
    True
    """
    if not naming.shares:
        return None
    right = naming.shares.get(wanted, 0.0)
    far = [share for name, share in naming.shares.items() if name != wanted and name not in _NEAR[wanted]]
    wrong = max(far, default=0.0)
    if wrong < 0.4 and right < 0.25:
        return None
    return wrong / (wrong + right)


def describe(shares: Mapping[str, float], max_names: int = 3) -> str:
    """Returns the largest shares as words.

    >>> describe({"red": 0.75, "blue": 0.25})
    'red 75 %, blue 25 %'
    """
    largest = sorted(shares, key=lambda name: -shares[name])[:max_names]
    return ", ".join(f"{name} {round(100 * shares[name])} %" for name in largest)
