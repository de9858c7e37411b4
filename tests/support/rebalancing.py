"""A set with a rare cell, and a generator of which some pictures fail: too dark, or of another class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from loupe.brain.core.records import Request
from loupe.brain.core.specs import Generator, GeneratorSession, param

CLASSES = ("disk", "frame")
TIMES = ("dawn", "noon")
SIDE = 48


def picture(shape: str, rng: np.random.Generator, *, dark: bool = False) -> np.ndarray:
    """Returns a (48, 48, 3) uint8 picture of a shape."""
    import cv2

    made = np.full((SIDE, SIDE), 150 + 30 * rng.random(), np.float32)
    x, y = (int(24 + rng.integers(-6, 7)) for _ in range(2))
    if shape == "disk":
        cv2.circle(made, (x, y), 12, 60, -1)
    else:
        cv2.rectangle(made, (x - 14, y - 14), (x + 14, y + 14), 60, 3)
    made += rng.normal(0, 8, made.shape).astype(np.float32)
    if dark:
        made *= 0.03
    return np.repeat(np.clip(made, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


@dataclass(frozen=True)
class Shapes(Generator):
    """Shapes that the prompt names; by the seed some are too dark, and some are the other shape."""

    name: ClassVar[str] = "shapes"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "numpy"
    license: ClassVar[str] = "BSD-3-Clause"

    dark: float = param(0.5, "The share that is too dark.", low=0, high=1)
    other: float = param(0.0, "The share that is of the other shape.", low=0, high=1)
    cents: float = param(0.0, "What a picture costs.")
    batch_size: int = param(16, "Pictures between two reports.")

    def price(self) -> float | None:
        return self.cents / 100

    def load(self, device: str) -> GeneratorSession:
        def draw(requests: Sequence[Request]) -> list[Image.Image]:
            made = []
            for request in requests:
                rng = np.random.default_rng(request.seed)
                dark, other = rng.random(2)
                shape = next(name for name in CLASSES if name in request.prompt)
                if other < self.other:
                    shape = CLASSES[1 - CLASSES.index(shape)]
                made.append(Image.fromarray(picture(shape, rng, dark=bool(dark < self.dark))))
            return made

        facts = {"model": "shapes", "fingerprint": f"{self.dark} {self.other}", "device": device, "width": SIDE}
        return GeneratorSession({**facts, "height": SIDE}, draw, self.batch_size)


def fill(dataset: Any, folder: Path, n: int = 40, rare: int = 2) -> Any:
    """Adds n pictures of each shape and time, of a frame at dawn only so few."""
    import fiftyone as fo

    folder.mkdir(parents=True, exist_ok=True)
    rng, samples = np.random.default_rng(7), []
    for shape in CLASSES:
        for time in TIMES:
            for number in range(rare if (shape, time) == ("frame", "dawn") else n):
                path = folder / f"{shape}-{time}-{number}.png"
                Image.fromarray(picture(shape, rng)).save(path)
                text = f"a {shape} at {time}, number {number}"
                scenario = fo.DynamicEmbeddedDocument(shape=shape, time=time)
                samples.append(
                    fo.Sample(str(path), prompt=text, kind=fo.Classification(label=shape), scenario=scenario)
                )
    dataset.add_samples(samples, dynamic=True, progress=False)
    return dataset


def lacking(dataset: Any) -> Any:
    """Returns the coverage, in which the frame at dawn is the first cell."""
    import loupe

    made = loupe.coverage(dataset, ["scenario.time"], label="scenario.shape", groups=())
    assert made.below[0].where == "frame × time=dawn"
    return made
