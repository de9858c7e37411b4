"""Pictures to measure on: crops of real photos where those are at hand, else drawn ones."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from benchmarks import data
from loupe.brain.core import registry
from loupe.brain.engine.reader import read

SHAPES = ((816, 612), (612, 816), (866, 577), (707, 707))


def default_checks() -> tuple[str, ...]:
    """Returns what ``loupe.check`` runs by default, but for the text: what cleanvision judges, and motion blur."""
    return tuple(name for name, spec in registry.checks().items() if spec.default and name != "text")


def pictures(n: int, seed: int = 0, *, ragged: bool = False) -> list[Image.Image]:
    """Returns n pictures of about 0.5 MP: crops of photos, or dead leaves where there are no photos.

    Args:
        n: how many
        seed: decides everything
        ragged: whether each has a shape of its own, or one of ``SHAPES``
    """
    rng = np.random.default_rng(seed)
    paths = sorted(path for path in data.at(data.PHOTOS).rglob("*") if path.is_file())
    made = []
    for index in range(n):
        width = int(rng.integers(560, 891))
        shape = (width, round(0.5e6 / width)) if ragged else SHAPES[index % len(SHAPES)]
        if paths:
            whole = read(paths[index % len(paths)]).pixels
            height, width = (int(side * rng.uniform(0.8, 1)) for side in whole.shape[:2])
            top, left = (
                int(rng.integers(0, whole.shape[0] - height + 1)),
                int(rng.integers(0, whole.shape[1] - width + 1)),
            )
            picture = whole[top : top + height, left : left + width]
        else:
            picture = np.zeros((612, 816, 3), np.uint8)
            for _ in range(800):
                radius = int(4 / np.sqrt(1 - rng.random() * 0.998))
                center = (int(rng.integers(0, 816)), int(rng.integers(0, 612)))
                cv2.circle(picture, center, radius, rng.integers(0, 256, 3).tolist(), -1, cv2.LINE_AA)
        made.append(Image.fromarray(cv2.resize(picture, shape, interpolation=cv2.INTER_AREA)))
    return made


def write_files(folder: Path, n: int, suffix: str, *, ragged: bool = False) -> list[str]:
    """Writes n pictures into a new folder and returns their paths; each file has been read once."""
    folder.mkdir(parents=True)
    paths = []
    for index, image in enumerate(pictures(n, ragged=ragged)):
        paths.append(str(folder / f"{index:05}{suffix}"))
        image.save(paths[-1], **({"quality": 90} if suffix == ".jpg" else {}))
    for path in paths:
        Path(path).read_bytes()
    return paths


def timed(work: Callable[[], object], rounds: int = 1) -> float:
    """Returns the seconds of the fastest of some rounds."""
    best = float("inf")
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
    return best
