"""A picture in which one patch is repeated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from loupe.brain.core.specs import Defect

#: the fewest pixels of a patch's side
_MIN_PATCH = 4
#: levels: of the noise that is added to the copies, and of the most that their tone drifts over the repeated part
_NOISE, _DRIFT = 1.5, 6.0


@dataclass(frozen=True)
class Tiling(Defect):
    """A patch of the picture, repeated two to six times each way, over a part of the picture or over all of it.

    What is left when a small latent is repeated to fill a large picture, or when a texture is copied to extend it. The
    copies differ by a little noise and by a slow drift of tone. A repeated part has the picture's own proportions.
    """

    name: ClassVar[str] = "tiling"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "Copies by repetition, as in Efros, Leung, Texture Synthesis, ICCV (1999), section 1"
    license: ClassVar[str] = "Apache-2.0"
    unit: ClassVar[str] = "repeated part in % of the picture's area"
    severities: ClassVar[tuple[float, ...]] = (5, 10, 25, 50, 100)

    def inject(self, pixels: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
        height, width = pixels.shape[:2]
        side = min(1.0, (severity / 100) ** 0.5)
        tall, wide = max(1, round(height * side)), max(1, round(width * side))
        top, left = int(rng.integers(0, height - tall + 1)), int(rng.integers(0, width - wide + 1))
        # small parts have few copies: a patch of a few pixels shows nothing of the picture
        repeats = int(rng.integers(2, 3 + round(4 * side)))
        patch_height = min(tall, max(_MIN_PATCH, -(-tall // repeats)))
        patch_width = min(wide, max(_MIN_PATCH, -(-wide // repeats)))
        y = top + int(rng.integers(0, tall - patch_height + 1))
        x = left + int(rng.integers(0, wide - patch_width + 1))
        patch = pixels[y : y + patch_height, x : x + patch_width].astype(np.float32)
        times = (-(-tall // patch_height), -(-wide // patch_width), 1)
        copies = np.tile(patch, times)[:tall, :wide]
        angle = rng.uniform(0, 2 * np.pi)
        down, over = np.linspace(-0.5, 0.5, tall)[:, None], np.linspace(-0.5, 0.5, wide)[None]
        drift = _DRIFT * (down * np.sin(angle) + over * np.cos(angle))
        noise = rng.standard_normal((tall, wide, 1)) * _NOISE
        made = pixels.copy()
        made[top : top + tall, left : left + wide] = (copies + drift[..., None] + noise).round().clip(0, 255)
        return made
