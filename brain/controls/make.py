"""Control pictures by their kind: of a picture, of stored points, of a stored map.

A further kind is a module here with ``make(device, model)``, which returns a function of (H, W, 3) uint8 pictures, and
a line in ``KINDS``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from loupe.brain.controls import depth, skeleton
from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.records import Points

if TYPE_CHECKING:
    from PIL.Image import Image

#: the kinds of control pictures, with what each shows
KINDS = {
    "edges": "The edges, by Canny",
    "pose": "The pose of the people, their hands and faces, by landmarks",
    "depth": "What is near and far, by a depth-estimation model that is named",
}


def maker(kind: str, device: str, model: str | None = None) -> Callable[[np.ndarray, tuple[int, int]], Image]:
    """Returns the function that makes a control of a picture.

    The function takes a picture, (H, W, 3) uint8 RGB, and the (width, height) of the image that is to be drawn; it
    scales the picture to that first, whatever its shape. It raises an InputError where the picture has nothing of the
    kind, e.g. nobody whose pose could be drawn.

    Args:
        kind: one of ``KINDS``
        device: where a model of depth runs, e.g. "cuda:0"
        model: of depth: a depth-estimation model of transformers, a folder or a hub id; None for others

    Raises:
        UnknownName: no such kind; the nearest is suggested
        InputError: a model is missing, or named where none is used
        ModelError, MissingWeights, MissingDependency: it cannot be loaded

    >>> maker("edges", "cpu")(np.zeros((8, 8, 3), np.uint8), (16, 8)).size
    (16, 8)
    """
    if kind not in KINDS:
        raise UnknownName("kind of control", kind, KINDS)
    draw: Any = importlib.import_module(f"loupe.brain.controls.{kind}").make(device, model)

    def control(picture: np.ndarray, size: tuple[int, int]) -> Image:
        from PIL import Image

        _require(picture, size)
        scaled = Image.fromarray(picture)
        if scaled.size != size:
            scaled = scaled.resize(size, Image.Resampling.LANCZOS)
        return Image.fromarray(draw(np.asarray(scaled)))

    return control


def of_points(figures: Sequence[Points], size: tuple[int, int]) -> Image:
    """Returns the pose of stored points, drawn as OpenPose draws it, as an RGB picture.

    Args:
        figures: bodies (17, 18 or 33 points), hands (21), faces (68, 70 or 468), see ``skeleton.draw``
        size: (width, height) of what is drawn; the points' 0 to 1 go over all of it

    Raises:
        InputError: nobody, or another number of points

    >>> of_points([Points("hand", tuple((0.1 + 0.04 * at, 0.5) for at in range(21)))], (32, 16)).size
    (32, 16)
    """
    from PIL import Image

    return Image.fromarray(skeleton.draw(figures, size))


def of_map(values: np.ndarray, size: tuple[int, int]) -> Image:
    """Returns a stored depth map as an RGB picture, near white and far black.

    Args:
        values: (h, w), larger is nearer
        size: (width, height) of what is drawn; the map is stretched over all of it

    Raises:
        InputError: no map, or one without any depth in it

    >>> of_map(np.eye(2), (4, 4)).getpixel((0, 0))
    (255, 255, 255)
    """
    from PIL import Image

    return Image.fromarray(depth.draw(values, size))


def _require(picture: np.ndarray, size: tuple[int, int]) -> None:
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or not picture.size:
        raise InputError(f"expected a picture of (H, W, 3) uint8, got {picture.shape} {picture.dtype}")
    if len(size) != 2 or min(size) < 1:
        raise InputError(f"expected a control of at least one pixel, got {size}")
