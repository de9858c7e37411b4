"""Generators that need no model: what the processes draw and repair with."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from loupe.brain.core.specs import Generator, GeneratorSession


@dataclass(frozen=True)
class Noise(Generator):
    """Noise of its own for each request, drawn in a moment."""

    name: ClassVar[str] = "noise"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "numpy"
    license: ClassVar[str] = "BSD-3-Clause"

    def load(self, device: str) -> GeneratorSession:
        """Returns what draws."""

        def draw(requests: Any) -> list[Image.Image]:
            time.sleep(0.002 * len(requests))
            rngs = (np.random.default_rng(request.seed) for request in requests)
            return [Image.fromarray(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)) for rng in rngs]

        return GeneratorSession({"model": "noise", "steps": 1, "width": 24, "height": 24, "device": device}, draw, 2)


@dataclass(frozen=True)
class Lamp(Generator):
    """Gives a dark picture its light, by every second seed."""

    name: ClassVar[str] = "lamp"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "numpy"
    license: ClassVar[str] = "BSD-3-Clause"

    def load(self, device: str) -> GeneratorSession:
        """Returns what draws."""

        def draw(requests: Any) -> list[Image.Image]:
            time.sleep(0.002 * len(requests))
            return [
                request.image.point(lambda value: min(255, value * 8)) if request.seed % 2 else request.image
                for request in requests
            ]

        facts = {"model": "lamp", "steps": 1, "width": 96, "height": 72, "device": device}
        return GeneratorSession(facts, draw, 2, ("image",), (), (96, 72))
