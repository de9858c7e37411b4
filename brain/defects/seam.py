"""A picture put together from parts that do not meet."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from loupe.brain.core.specs import Defect

#: levels by which the tone of a part is off for each percent by which it is displaced
_LEVELS = 1.5


def _cuts(length: int, parts: int, rng: np.random.Generator) -> list[int]:
    """Returns where ``parts`` parts of a side begin, and the side's end: one cut anywhere, several evenly spaced."""
    if parts == 1:
        return [0, length]
    if parts == 2:
        return [0, round(length * rng.uniform(0.2, 0.8)), length]
    return [round(length * part / parts) for part in range(parts + 1)]


@dataclass(frozen=True)
class Seam(Defect):
    """Parts that do not meet: two, or a grid of tiles, each displaced on its own and a little off in tone.

    What is left when tiles are drawn or decoded without enough overlap, when a picture is drawn on beyond its border,
    and when a texture is rolled. For each percent of displacement the tone is off by 1.5 of 255 levels.
    """

    name: ClassVar[str] = "seam"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = (
        "After the tile borders of Barbero Jimenez, Mixture of Diffusers, arXiv:2302.02412 (2023)"
    )
    license: ClassVar[str] = "Apache-2.0"
    unit: ClassVar[str] = "displacement in % of the long side"
    severities: ClassVar[tuple[float, ...]] = (0.5, 1, 2, 4, 8)

    def inject(self, pixels: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
        height, width = pixels.shape[:2]
        reach = max(1, round(severity / 100 * max(height, width)))
        # a cut across, a cut down, a cross, a grid
        columns, rows = [(2, 1), (1, 2), (2, 2), (3, 3)][rng.integers(4)]
        x, y = _cuts(width, columns, rng), _cuts(height, rows, rng)
        # what a displaced tile shows beyond the picture is the picture mirrored, as often as it takes
        source = np.pad(pixels, ((reach, reach), (reach, reach), (0, 0)), mode="symmetric")
        made = np.empty_like(pixels)
        for row, (top, bottom) in enumerate(pairwise(y)):
            for column, (left, right) in enumerate(pairwise(x)):
                if bottom <= top or right <= left:
                    continue
                # as on a chequerboard every other tile is displaced: neighbors differ by the whole displacement
                angle, distance = rng.uniform(0, 2 * np.pi), reach * ((row + column) % 2)
                down, over = round(distance * np.sin(angle)), round(distance * np.cos(angle))
                part = source[reach + top + down : reach + bottom + down, reach + left + over : reach + right + over]
                tone = rng.uniform(-1, 1, 3) * severity * _LEVELS
                made[top:bottom, left:right] = (part + tone).round().clip(0, 255)
        return made
