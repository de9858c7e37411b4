"""Pictures with objects that were copied from one to another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image
from scenes import scene

WIDTH, HEIGHT = 320, 240
#: left, top, width, height in pixels
Box = tuple[float, float, float, float]


def thing(seed: int, height: int = 80, width: int = 100) -> np.ndarray:
    """Returns an object."""
    return scene(100 + seed, height, width)


def picture(seed: int, *pasted: tuple[np.ndarray, int, int], cut_out: bool = False) -> np.ndarray:
    """Returns a picture with objects in it, each with the left and the top of its place.

    Args:
        seed: of the background
        pasted: the objects
        cut_out: whether an object fills the ellipse in its box only
    """
    made = scene(seed, HEIGHT, WIDTH)
    for part, left, top in pasted:
        height, width = part.shape[:2]
        where = np.full((height, width), 255, np.uint8)
        if cut_out:
            where = np.zeros((height, width), np.uint8)
            cv2.ellipse(where, (width // 2, height // 2), (width // 2, height // 2), 0, 0, 360, 255, -1)
        made[top : top + height, left : left + width][where > 0] = part[where > 0]
    return made


def shares(box: Box) -> list[float]:
    """Returns the bounds of a box in shares of a picture."""
    x, y, wide, high = box
    return [x / WIDTH, y / HEIGHT, wide / WIDTH, high / HEIGHT]


def small(pixels: np.ndarray, factor: float = 0.8) -> np.ndarray:
    """Returns an object scaled down."""
    size = round(pixels.shape[1] * factor), round(pixels.shape[0] * factor)
    return np.ascontiguousarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))


def fill(dataset: Any, folder: Path) -> Any:
    """Adds a picture with an object, in train; in test the object as it is, called otherwise, and small and mirrored;
    in train again cut out; and a picture with other ones, a second label, a tiny one and none of area; one without
    labels; and one that cannot be read.
    """
    import fiftyone as fo

    first = thing(0)
    mirrored = np.ascontiguousarray(small(first)[:, ::-1])
    pictures: list[tuple[np.ndarray | None, str, list[tuple[str, Box]]]] = [
        (picture(0, (first, 20, 20)), "train", [("car", (20, 20, 100, 80)), ("car", (180, 120, 100, 80))]),
        (picture(1, (first, 150, 100)), "test", [("it's a <b>van</b>", (150, 100, 100, 80))]),
        (picture(2, (mirrored, 50, 50)), "test", [("car", (50, 50, 80, 64))]),
        (picture(3, (first, 60, 90), cut_out=True), "train", [("car", (60, 90, 100, 80))]),
        (
            picture(4),
            "train",
            [
                ("car", (10, 10, 90, 90)),
                ("van", (11, 10, 90, 90)),
                ("car", (200, 10, 12, 12)),
                ("car", (200, 50, 0, 20)),
            ],
        ),
        (picture(5), "test", []),
        (None, "test", [("car", (10, 10, 90, 90))]),
    ]
    samples = []
    for at, (pixels, split, own) in enumerate(pictures):
        path = folder / f"{at}.png"
        if pixels is None:
            path.write_bytes(b"\x89PNG")
        else:
            Image.fromarray(pixels).save(path)
        labels = [fo.Detection(label=name, bounding_box=shares(box)) for name, box in own]
        samples.append(fo.Sample(filepath=str(path), split=split, gt=fo.Detections(detections=labels) if own else None))
    dataset.add_samples(samples, progress=False)
    return dataset
