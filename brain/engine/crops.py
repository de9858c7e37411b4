"""Cuts the objects out of decoded pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from loupe.brain.imaging import boxes
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.imaging.ragged import Part, Preview, PreviewBatch

if TYPE_CHECKING:
    from torch import Tensor

#: the name of a row's regions among its fields
OBJECTS = "objects"
#: pixels that the crops of one group have, about; with more than this they are cut anew for each check
_GROUP_PIXELS = 8_000_000
_HELD_PIXELS = 64_000_000
#: crops of a group at most
_GROUP = 64

#: the picture in its batch, and the object in its picture
Key: TypeAlias = tuple[int, int]
Group: TypeAlias = tuple[list[Key], tuple[Part, ...]]


@dataclass(frozen=True)
class Region:
    """An object of a picture.

    Attributes:
        id: of its label
        label: its class
        bounds: x, y, width, height in shares of the picture; untrusted
    """

    id: str
    label: str | None
    bounds: tuple[float, ...]


def no_box(bounds: Sequence[float]) -> str | None:
    """Returns why a region has nothing to look at; None where some of it lies in the picture.

    >>> no_box((0.9, 0.9, 0.5, 0.5)) is None, no_box((0.1, 0.1, 0.0, 0.5)), no_box((1.5, 0.0, 0.5, 0.5))
    (True, 'its box has no area', 'its box lies outside the picture')
    """
    if len(bounds) != 4 or not all(math.isfinite(value) for value in bounds):
        return "its box is not four finite numbers"
    if bounds[2] <= 0 or bounds[3] <= 0:
        return "its box has no area"
    if boxes.corners(tuple(bounds), 1, 1) is None:  # type: ignore[arg-type]
        return "its box lies outside the picture"
    return None


def places(bounds: Sequence[float], width: int, height: int) -> tuple[int, int, int, int] | None:
    """Returns left, top, right, bottom of the pixels of a box: sides at the nearest pixel, at least one each way.

    None where there is nothing to look at, see ``no_box``.

    >>> places((0.1, 0.1, 0.5, 0.5), 100, 10), places((0.999, 0.0, 0.5, 0.5), 100, 10)
    ((10, 1, 60, 6), (99, 0, 100, 5))
    """
    if no_box(bounds) is not None:
        return None
    corners = boxes.corners(tuple(bounds), width, height)  # type: ignore[arg-type]
    if corners is None:
        return None
    left, top = min(round(corners[0]), width - 1), min(round(corners[1]), height - 1)
    return left, top, max(left + 1, round(corners[2])), max(top + 1, round(corners[3]))


def crops_of(batch: ImageBatch, *, previews: bool) -> Iterator[Group]:
    """Yields the crops of the regions of a batch, group by group: their keys, and the batches of equal shape.

    The keys stand in the order of the batches. What is made of the crops for one check is there for the next one, too,
    unless it takes too much memory.

    Args:
        batch: pictures, with their regions in ``fields["objects"]``
        previews: whether to give the looks at them, where they are on the CPU
    """
    previews = previews and batch.device.type == "cpu"
    kept: dict[str, Any] = batch.held
    name = f"crops {previews}"
    if name in kept:
        yield from kept[name]
        return
    cuts = _cuts(batch)
    pixels = sum((right - left) * (bottom - top) for _, (left, top, right, bottom) in cuts)
    groups = (_group(batch, part, previews) for part in _parts(cuts))
    if pixels <= _HELD_PIXELS:
        kept[name] = list(groups)
        yield from kept[name]
    else:
        yield from groups


_Cut: TypeAlias = tuple[Key, tuple[int, int, int, int]]


def _cuts(batch: ImageBatch) -> list[_Cut]:
    height, width = batch.pixels.shape[-2:]
    cuts = []
    for at, regions in enumerate(batch.fields[OBJECTS]):
        for place, region in enumerate(regions):
            corners = places(region.bounds, width, height)
            if corners is not None:
                cuts.append(((at, place), corners))
    return cuts


def _parts(cuts: Sequence[_Cut]) -> Iterator[list[_Cut]]:
    part: list[_Cut] = []
    pixels = 0
    for cut in cuts:
        left, top, right, bottom = cut[1]
        own = (right - left) * (bottom - top)
        if part and (pixels + own > _GROUP_PIXELS or len(part) >= _GROUP):
            yield part
            part, pixels = [], 0
        part.append(cut)
        pixels += own
    if part:
        yield part


def _group(batch: ImageBatch, cuts: Sequence[_Cut], previews: bool) -> Group:
    by_shape: dict[tuple[int, int], list[_Cut]] = {}
    for cut in cuts:
        left, top, right, bottom = cut[1]
        by_shape.setdefault((right - left, bottom - top), []).append(cut)
    keys = [key for own in by_shape.values() for key, _ in own]
    return keys, tuple(_part(batch, size, own, previews) for size, own in by_shape.items())


def _part(batch: ImageBatch, size: tuple[int, int], cuts: Sequence[_Cut], previews: bool) -> Part:
    import torch

    ids = tuple(f"{batch.ids[at]}/{place}" for (at, place), _ in cuts)
    crops = [_crop(batch.pixels[key[0]], corners) for key, corners in cuts]
    if previews:
        looks = tuple(Preview.at(crop.permute(1, 2, 0).contiguous().numpy()) for crop in crops)
        return PreviewBatch(ids, looks, (size,) * len(cuts), {})
    return ImageBatch(ids, torch.stack(crops), (size,) * len(cuts))


def _crop(pixels: Tensor, corners: tuple[int, int, int, int]) -> Tensor:
    left, top, right, bottom = corners
    return pixels[:, top:bottom, left:right]
