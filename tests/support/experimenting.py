"""Small experiments: a generator that draws marks of a class in no time, and real pictures of the same marks."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from loupe.brain.core.errors import ModelError
from loupe.brain.core.records import Request
from loupe.brain.core.specs import Generator, GeneratorSession, param

CLASSES = ("bar", "cross", "ring")
SIDE = 32
#: images that an arm draws of each class
PER_CLASS = 24


def mark(label: str, rng: np.random.Generator, spread: float = 1.0, blur: float = 0.0) -> np.ndarray:
    """Returns a (32, 32, 3) uint8 picture of a mark; ``spread`` is how much marks of a class differ."""
    import cv2

    picture = np.full((SIDE, SIDE), 40 + 60 * spread * rng.random(), np.float32)
    x, y = (int(16 + spread * rng.integers(-6, 7)) for _ in range(2))
    reach = int(8 + spread * rng.integers(-3, 4))
    if label == "ring":
        cv2.circle(picture, (x, y), reach, 220, 2)
    else:
        cv2.line(picture, (x - reach, y), (x + reach, y), 220, 2)
        if label == "cross":
            cv2.line(picture, (x, y - reach), (x, y + reach), 220, 2)
    picture += rng.normal(0, 18, picture.shape).astype(np.float32)
    if blur:
        picture = cv2.GaussianBlur(picture, (0, 0), blur)
    return np.repeat(np.clip(picture, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


@dataclass(frozen=True)
class Marks(Generator):
    """Marks of the class that the prompt names: the stronger the guidance, the more alike and the smoother."""

    name: ClassVar[str] = "marks"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "numpy"
    license: ClassVar[str] = "BSD-3-Clause"

    guidance: float = param(1.0, "How much alike.", low=0, high=100)
    batch_size: int = param(16, "Images between two reports.")
    breaks: bool = param(False, "Whether it cannot be loaded.")
    pause: float = param(0.0, "Seconds for each image.")
    cents: float = param(0.0, "What an image costs; below 0: nobody knows.")
    turn: int = param(0, "Where it stands in the fingerprint.")

    def price(self) -> float | None:
        return None if self.cents < 0 else self.cents / 100

    def load(self, device: str) -> GeneratorSession:
        if self.breaks:
            raise ModelError("expected a model that can be loaded, got one that cannot")

        def draw(requests: Sequence[Request]) -> list[Image.Image]:
            time.sleep(self.pause * len(requests))
            return [self.image(request) for request in requests]

        facts = {"model": "marks", "guidance": float(self.guidance), "width": SIDE, "height": SIDE, "device": device}
        return GeneratorSession(
            facts={**facts, "fingerprint": f"turn {self.turn}"}, draw=draw, batch_size=self.batch_size
        )

    def image(self, request: Request) -> Image.Image:
        label = next(name for name in CLASSES if name in request.prompt)
        spread = 1.0 / max(self.guidance, 1.0)
        rng = np.random.default_rng(request.seed)
        return Image.fromarray(mark(label, rng, spread, blur=0.0 if self.guidance <= 1 else 0.8))


def real(folder: Path, seed: int, n: int, *, label: str = "kind", **fields: Any) -> Any:
    """Returns a dataset of n real marks of all classes, with their class and a caption."""
    import fiftyone as fo

    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    samples = []
    for at in range(n):
        name = CLASSES[at % len(CLASSES)]
        path = folder / f"{seed}_{at}.png"
        Image.fromarray(mark(name, rng)).save(path)
        facts = {label: fo.Classification(label=name), "caption": f"a drawing of a {name}, number {at}", **fields}
        samples.append(fo.Sample(filepath=str(path), **facts))
    dataset = fo.Dataset()
    dataset.add_samples(samples, progress=False)
    return dataset


def given(folder: Path, **changed: Any) -> dict[str, Any]:
    """Returns what a small experiment is called with."""
    return {
        "label": "kind",
        "models": Marks(),
        "styles": "class",
        "guidance": [1, 5],
        "per_class": PER_CLASS,
        "embedder": "hog",
        "checks": ["sharpness"],
        "output_dir": folder / "drawn",
        **changed,
    }


@contextmanager
def real_sides(folder: Path) -> Iterator[tuple[Any, Any]]:
    """Yields real images to train on and to test on."""
    sides = real(folder, 1, 150), real(folder, 2, 120)
    yield sides
    for dataset in sides:
        dataset.delete()
