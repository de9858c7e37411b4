"""A generator that takes all kinds of pictures: what it paints is decided by the request alone."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from PIL import Image

from loupe.brain.core.hashes import number_of
from loupe.brain.core.records import Request
from loupe.brain.core.specs import Generator, GeneratorSession, param


@dataclass(frozen=True)
class Painter(Generator):
    """Half the picture that it begins with, half noise of its own."""

    name: ClassVar[str] = "painter"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "numpy"
    license: ClassVar[str] = "BSD-3-Clause"

    takes: tuple[str, ...] = ("image", "mask", "control", "reference")
    width: int = param(64, "In pixels.")
    height: int = param(64, "In pixels.")
    batch_size: int = param(4, "Images between two reports.")
    pause: float = param(0.0, "Seconds for each image.")

    def load(self, device: str) -> GeneratorSession:
        def draw(requests: Sequence[Request]) -> list[Image.Image]:
            session.require(requests)
            time.sleep(self.pause * len(requests))
            return [self.image(request) for request in requests]

        facts = {"model": "painter", "width": self.width, "height": self.height, "device": device}
        session = GeneratorSession(
            facts, draw, self.batch_size, takes=self.takes, size=(self.width, self.height), multiple=8
        )
        return session

    def image(self, request: Request) -> Image.Image:
        own = request.image or request.control
        size = own.size if own is not None else request.size or (self.width, self.height)
        rng = np.random.default_rng(number_of([request.prompt, request.seed, json.dumps(request.inputs())], 8))
        made = rng.integers(0, 256, (int(size[1]), int(size[0]), 3), dtype=np.uint8)
        if request.image is not None:
            made = made // 2 + np.asarray(request.image) // 2
        return Image.fromarray(made)
