"""A second pass with detail: an image is enlarged, and drawn from itself at a low strength, in tiles.

The tiles are as large as the image was drawn, since a model draws other sizes worse or not at all; they overlap, and
each fades into its neighbors, so that no border shows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from loupe.brain.core.hashes import number_of
from loupe.brain.core.records import Record, Request

if TYPE_CHECKING:
    from PIL.Image import Image

#: the share of a tile's side that lies over its neighbor at least
_OVERLAP = 0.25
#: the App's JavaScript shows larger integers rounded
_SEEDS = 2**53


@dataclass(frozen=True)
class Upscale(Record):
    """How an image is enlarged.

    Attributes:
        factor: how many times as wide and high it becomes, in (1, 4]
        strength: how much of each tile is given up, in (0, 1]
    """

    #: of how it is enlarged: another one is another image
    VERSION: ClassVar[int] = 1

    factor: float
    strength: float


def enlarged(image: Image, factor: float) -> Image:
    """Returns an image scaled up by Lanczos' filter.

    >>> from PIL import Image
    >>> enlarged(Image.new("RGB", (96, 32)), 1.5).size
    (144, 48)
    """
    from PIL.Image import Resampling

    return image.resize((round(image.width * factor), round(image.height * factor)), Resampling.LANCZOS)


def corners(whole: tuple[int, int], tile: tuple[int, int]) -> list[tuple[int, int]]:
    """Returns the left top corners of the tiles that cover a picture, row by row; they overlap.

    Args:
        whole: (width, height) of the picture
        tile: (width, height) of a tile, no larger than the picture

    >>> corners((192, 32), (96, 32))
    [(0, 0), (48, 0), (96, 0)]
    """
    across, down = (_starts(length, own) for length, own in zip(whole, tile, strict=True))
    return [(x, y) for y in down for x in across]


def _starts(length: int, own: int) -> list[int]:
    rest = length - own
    count = 1 + math.ceil(rest / max(1, round(own * (1 - _OVERLAP)))) if rest > 0 else 1
    return [round(rest * at / max(1, count - 1)) for at in range(count)]


def requests(image: Image, drawn: Request, how: Upscale) -> list[Request]:
    """Returns what the second pass asks for, a request for each tile of ``corners``.

    Args:
        image: what the first pass drew
        drawn: its request: prompt, seed, control and reference hold for the tiles, too
        how: factor and strength
    """
    large = enlarged(image, how.factor)
    control = None if drawn.control is None else drawn.control.resize(large.size)
    made = []
    for number, (x, y) in enumerate(corners(large.size, image.size)):
        box = x, y, x + image.width, y + image.height
        made.append(
            replace(
                drawn,
                seed=number_of([drawn.seed, number], 8) % _SEEDS,
                image=large.crop(box),
                mask=None,
                strength=how.strength,
                control=None if control is None else control.crop(box),
                size=None,
            )
        )
    return made


def merged(tiles: Sequence[Image], whole: tuple[int, int]) -> Image:
    """Returns the picture of that (width, height) that tiles make up, each faded into its neighbors.

    Args:
        tiles: of one size, in the order of ``corners``
        whole: of the picture
    """
    from PIL.Image import fromarray

    width, height = tiles[0].size
    total = np.zeros((whole[1], whole[0], 3), np.float64)
    weights = np.zeros((whole[1], whole[0], 1), np.float64)
    for (x, y), tile in zip(corners(whole, tiles[0].size), tiles, strict=True):
        across = _ramp(width, x > 0, x + width < whole[0])
        down = _ramp(height, y > 0, y + height < whole[1])
        weight = (down[:, None] * across[None])[..., None]
        total[y : y + height, x : x + width] += weight * np.asarray(tile, np.float64)
        weights[y : y + height, x : x + width] += weight
    return fromarray(np.rint(total / weights).clip(0, 255).astype(np.uint8))


def _ramp(length: int, fades_in: bool, fades_out: bool) -> np.ndarray:
    """Returns (length,) weights in (0, 1] that rise from a neighbor and fall toward one."""
    ramp = np.ones(length)
    steps = max(1, round(length * _OVERLAP))
    rising = np.arange(1, steps + 1) / (steps + 1)
    if fades_in:
        ramp[:steps] *= rising
    if fades_out:
        ramp[-steps:] *= rising[::-1]
    return ramp
