"""Pictures changed a little, with their boxes, masks and points moved along: torchvision's transforms, drawn by a seed.

Nothing is turned and nothing is filled in: a turned box is no longer tight, and made-up borders are a flaw.
A cut keeps at least 70 % of every box, and the picture's size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from loupe.brain.core.errors import UnknownName

#: by how much at most the light, the contrast and the colors change, as a factor; the hue as a share of its circle
_FACTOR, _HUE = 0.25, 0.04
#: how much of the picture's area a cut leaves at least, and how much its shape may change
_AREA, _SHAPE = 0.7, 1.1
#: of a box so much of its area stays in the picture
MIN_VISIBLE = 0.7
_TRIES = 20
_SIGMA = (0.3, 1.0)

#: what there is, and what moves pixels
PHOTOMETRIC = ("brightness", "contrast", "saturation", "hue", "blur")
GEOMETRIC = ("crop", "flip")
#: what is right for nearly all pictures
SAFE = ("brightness", "contrast", "saturation", "crop")


@dataclass(frozen=True, eq=False)
class Annotated:
    """A picture with what is marked in it.

    Attributes:
        pixels: (H, W, 3) uint8
        boxes: (B, 4) float64: x, y, width, height in shares of the picture
        masks: masks of the whole picture, (H, W) each, or (H, W, C); they are never mixed with their neighbors' values
        points: (P, 2) float64: x, y in shares of the picture; NaN where there is none
        lost: which boxes are of no use: without area, or outside of the picture
    """

    pixels: np.ndarray
    boxes: np.ndarray = field(default_factory=lambda: np.zeros((0, 4)))
    masks: tuple[np.ndarray, ...] = ()
    points: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))
    lost: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))


def checked(names: Iterable[str]) -> tuple[str, ...]:
    """Returns the names of transforms in the order in which they are applied, each once.

    Raises:
        UnknownName: there is no such one
    """
    given = [names] if isinstance(names, str) else list(names)
    for name in given:
        if name not in (*PHOTOMETRIC, *GEOMETRIC):
            raise UnknownName("transform", str(name), (*PHOTOMETRIC, *GEOMETRIC))
    return tuple(name for name in (*GEOMETRIC, *PHOTOMETRIC) if name in given)


def augmented(picture: Annotated, names: Iterable[str], seed: int) -> tuple[Annotated, dict[str, Any]]:
    """Returns a picture changed by some transforms, and what was drawn.

    Args:
        picture: with its boxes, masks and points
        names: of the transforms
        seed: in [0, 2**63): the same again gives the same pixels

    Returns:
        the picture, of the same size; and by transform what it did: the factor of the light, the cut in pixels
        (top, left, height, width)
    """
    made = replace(picture, lost=np.isnan(_inside(picture.boxes)).any(axis=1))
    facts: dict[str, Any] = {}
    with _seeded(seed):
        for name in checked(names):
            made, fact = _APPLIED[name](made)
            facts |= {} if fact is None else {name: fact}
    return made, facts


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """What torchvision draws comes from the seed alone, and nobody else's draws change."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def _inside(boxes: np.ndarray) -> np.ndarray:
    """Returns (B, 4) left, top, right, bottom within the picture; NaN where nothing of a box is."""
    with np.errstate(invalid="ignore"):
        ends = np.clip(np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1), 0, 1)
        known = np.isfinite(boxes).all(axis=1) & (ends[:, 2] > ends[:, 0]) & (ends[:, 3] > ends[:, 1])
    return np.where(known[:, None], ends, np.nan)


def _crop(picture: Annotated) -> tuple[Annotated, Any]:
    from torchvision.transforms import v2
    from torchvision.transforms.v2 import functional

    height, width = picture.pixels.shape[:2]
    shape = width / height
    transform = v2.RandomResizedCrop((height, width), scale=(_AREA, 1.0), ratio=(shape / _SHAPE, shape * _SHAPE))
    image = _image(picture.pixels)
    for _ in range(_TRIES):
        drawn = transform.make_params([image])
        top, left, high, wide = (int(drawn[name]) for name in ("top", "left", "height", "width"))
        if _keeps(picture.boxes, (left / width, top / height, (left + wide) / width, (top + high) / height)):
            break
    else:
        return picture, None

    def cut(item: Any) -> Any:
        return functional.resized_crop(item, top, left, high, wide, [height, width], antialias=True)

    points = (picture.points * [width, height] - [left, top]) / [wide, high]
    points = np.where(((points >= 0) & (points <= 1)).all(axis=1, keepdims=True), points, np.nan)
    return _moved(replace(picture, points=points), cut), [top, left, high, wide]


def _keeps(boxes: np.ndarray, cut: tuple[float, float, float, float]) -> bool:
    """Returns whether enough of every box of the picture stays in a cut."""
    own = _inside(boxes)
    sides = np.minimum(own[:, 2:], cut[2:]) - np.maximum(own[:, :2], cut[:2])
    with np.errstate(invalid="ignore"):
        stays = np.clip(sides, 0, None).prod(axis=1) / (own[:, 2:] - own[:, :2]).prod(axis=1)
        return not (stays < MIN_VISIBLE).any()


def _flip(picture: Annotated) -> tuple[Annotated, Any]:
    import torch
    from torchvision.transforms.v2 import functional

    if torch.rand(1).item() < 0.5:
        return picture, None
    mirrored = replace(picture, points=np.where([True, False], 1 - picture.points, picture.points))
    return _moved(mirrored, functional.horizontal_flip), True


def _moved(picture: Annotated, move: Callable[[Any], Any]) -> Annotated:
    """Returns a picture whose pixels, boxes and masks are moved the same way."""
    import torch
    from torchvision import tv_tensors

    height, width = picture.pixels.shape[:2]
    scale = np.array([width, height, width, height], dtype=np.float64)
    boxes = picture.boxes.copy()
    known = ~picture.lost
    if known.any():
        own = tv_tensors.BoundingBoxes(
            torch.from_numpy(_inside(picture.boxes[known]) * scale), format="XYXY", canvas_size=(height, width)
        )
        ends = np.clip(move(own).numpy() / scale, 0, 1)
        boxes[known] = np.concatenate([ends[:, :2], ends[:, 2:] - ends[:, :2]], axis=1)
    pixels = move(_image(picture.pixels)).permute(1, 2, 0).contiguous().numpy()
    return replace(picture, pixels=pixels, boxes=boxes, masks=tuple(_mask(mask, move) for mask in picture.masks))


def _image(pixels: np.ndarray) -> Any:
    import torch
    from torchvision import tv_tensors

    # a copy: torch warns of pixels that must not be written to, such as Pillow's
    return tv_tensors.Image(torch.from_numpy(pixels.copy(order="C")).permute(2, 0, 1))


def _mask(mask: np.ndarray, move: Callable[[Any], Any]) -> np.ndarray:
    import torch
    from torchvision import tv_tensors

    planes = np.ascontiguousarray(mask if mask.ndim == 3 else mask[..., None])
    wide = planes.astype(np.int64) if planes.dtype not in (np.uint8, np.bool_) else planes.astype(np.uint8)
    moved = move(tv_tensors.Mask(torch.from_numpy(wide).permute(2, 0, 1))).permute(1, 2, 0).numpy()
    return np.ascontiguousarray(moved.reshape(mask.shape).astype(mask.dtype))


def _light(name: str) -> Callable[[Annotated], tuple[Annotated, Any]]:
    def apply(picture: Annotated) -> tuple[Annotated, Any]:
        from torchvision.transforms import v2

        transform = v2.ColorJitter(**{name: _HUE if name == "hue" else _FACTOR})
        image = _image(picture.pixels)
        drawn = transform.make_params([image])
        made = transform.transform(image, drawn)
        return _with(picture, made), round(float(drawn[f"{name}_factor"]), 4)

    return apply


def _blur(picture: Annotated) -> tuple[Annotated, Any]:
    from torchvision.transforms import v2

    transform = v2.GaussianBlur(kernel_size=5, sigma=_SIGMA)
    image = _image(picture.pixels)
    drawn = transform.make_params([image])
    return _with(picture, transform.transform(image, drawn)), round(float(drawn["sigma"][0]), 4)


def _with(picture: Annotated, image: Any) -> Annotated:
    return replace(picture, pixels=np.ascontiguousarray(image.permute(1, 2, 0).numpy()))


_APPLIED: dict[str, Callable[[Annotated], tuple[Annotated, Any]]] = {
    "crop": _crop,
    "flip": _flip,
    "blur": _blur,
    **{name: _light(name) for name in ("brightness", "contrast", "saturation", "hue")},
}


def whole_mask(mask: np.ndarray, box: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Returns the mask of a box as one of the whole picture.

    Args:
        mask: (h, w): over the box
        box: x, y, width, height in shares of the picture
        size: height and width of the picture

    >>> whole_mask(np.ones((1, 1), bool), np.array([0.5, 0.0, 0.5, 1.0]), (1, 4)).astype(int).tolist()
    [[0, 0, 1, 1]]
    """
    made = np.zeros(size, dtype=bool)
    top, bottom, left, right = _pixels(box, size)
    x, y, wide, high = box * [size[1], size[0], size[1], size[0]]
    rows = ((np.arange(top, bottom) + 0.5 - y) / high * mask.shape[0]).astype(int)
    columns = ((np.arange(left, right) + 0.5 - x) / wide * mask.shape[1]).astype(int)
    rows, columns = (np.clip(each, 0, limit - 1) for each, limit in zip((rows, columns), mask.shape, strict=True))
    made[top:bottom, left:right] = mask[np.ix_(rows, columns)]
    return made


def box_mask(mask: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Returns what a mask of the whole picture holds within a box: (h, w), at least one pixel.

    Args:
        mask: (H, W)
        box: x, y, width, height in shares of the picture
    """
    top, bottom, left, right = _pixels(box, mask.shape)
    return mask[top:bottom, left:right]


def _pixels(box: np.ndarray, size: tuple[int, ...]) -> tuple[int, int, int, int]:
    (left, right), (top, bottom) = (
        (
            int(np.clip(np.rint(box[at] * length), 0, length - 1)),
            int(np.clip(np.rint((box[at] + box[at + 2]) * length), 1, length)),
        )
        for at, length in ((0, size[1]), (1, size[0]))
    )
    return top, max(bottom, top + 1), left, max(right, left + 1)


def resized_mask(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Returns a mask with as many rows and columns as a picture, each pixel that of its nearest.

    >>> resized_mask(np.array([[1, 2]]), (2, 4)).tolist()
    [[1, 1, 2, 2], [1, 1, 2, 2]]
    """
    if mask.shape[:2] == size:
        return mask
    rows, columns = (((np.arange(n) + 0.5) * m / n).astype(int) for n, m in zip(size, mask.shape[:2], strict=True))
    return np.asarray(mask[np.ix_(rows, columns)])
