"""What the tests of ``loupe.generate`` share: a generator of noise, a template, and what must hold of the images."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from loupe.brain.core.records import Request
from loupe.brain.core.specs import Generator, GeneratorSession, param

TEMPLATE = "a {color} sign, {time}"
FACTORS = {"color": ["red", "blue", "green"], "time": ["day", "night"]}


@dataclass(frozen=True)
class Noise(Generator):
    """Noise of its own for each request."""

    name: ClassVar[str] = "noise"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "numpy"
    license: ClassVar[str] = "BSD-3-Clause"

    size: int = param(16, "Side in pixels.")
    steps: int = param(1, "Does nothing but count as a setting.")
    batch_size: int = param(4, "Images between two reports.")
    pause: float = param(0.0, "Seconds for each image.")

    def load(self, device: str) -> GeneratorSession:
        def draw(requests: Sequence[Request]) -> list[Image.Image]:
            time.sleep(self.pause * len(requests))
            return [self.image(request) for request in requests]

        facts = {"model": "noise", "steps": self.steps, "width": self.size, "height": self.size, "device": device}
        return GeneratorSession(facts=facts, draw=draw, batch_size=self.batch_size)

    def image(self, request: Request) -> Image.Image:
        text = f"{request.prompt}|{request.negative_prompt}|{request.seed}"
        rng = np.random.default_rng(list(hashlib.sha256(text.encode()).digest()))
        return Image.fromarray(rng.integers(0, 256, (self.size, self.size, 3), dtype=np.uint8))


def prompts(count: int) -> list[str]:
    """Returns so many prompts, each another one."""
    return [f"prompt {number}" for number in range(count)]


def facts(dataset: Any) -> dict[str, dict[str, Any]]:
    """Returns what stands on each sample by its key, but for how long it took."""
    made = {}
    for sample in dataset:
        own = {**sample.generation.to_dict(), "prompt": sample.prompt, "scenario": sample.scenario.to_dict()}
        made[own["key"]] = {name: value for name, value in own.items() if name != "seconds"}
    return made


def whole(dataset: Any, folder: Path, count: int) -> dict[str, bytes]:
    """Asserts that there is one sample and one whole file for each key and nothing else; returns pixels by key."""
    keys, paths, sizes = dataset.values(["generation.key", "filepath", "metadata.size_bytes"])
    assert len(keys) == len(set(keys)) == count
    assert sorted(paths) == sorted(str(folder / f"{key}.png") for key in keys)
    left = {path.name for path in folder.iterdir()} - {f"{key}.png" for key in keys}
    assert left == {".loupe.lock"}
    pixels = {}
    for key, path, size in zip(keys, paths, sizes, strict=True):
        assert Path(path).stat().st_size == size, (size, path)
        with Image.open(path) as image:
            pixels[key] = image.tobytes()
            assert json.loads(image.text["loupe"])["key"] == key
    return pixels
