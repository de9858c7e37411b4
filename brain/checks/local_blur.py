"""Whether a part of the picture is softer than all that surrounds it: a smeared patch, a subject out of focus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from loupe.brain.core.records import Box, Output, SampleResult, Scores, Threshold
from loupe.brain.core.specs import Check
from loupe.brain.imaging.batches import ImageBatch

if TYPE_CHECKING:
    from torch import Tensor

#: coarse enough that noise and the blocks of JPEG do not count as detail
_LONG_SIDE = 256
#: pixels along the short side, below which there is no room for a window and its surroundings
_MIN_SIDE = 32
#: pixels along a block: a sixteenth of the short side, within these
_MIN_BLOCK, _MAX_BLOCK = 4, 8
#: standard deviation of the luma in a block below which it is plain: it may be sharp or soft, nobody can see that
_MIN_CONTRAST = 2.5 / 255
#: added to contrast and to fine detail: rounding alone makes about as much
_ROUNDING = 0.25 / 255
#: height and width in blocks of the windows that are compared with what is around them
_WINDOWS = ((5, 5), (7, 7), (9, 9), (6, 9), (9, 6), (8, 12), (12, 8), (12, 12))
#: share of a window's blocks, and of each side's, that must not be plain
_MIN_INSIDE, _MIN_AROUND = 0.3, 0.3
#: sides of a window that must be known: an open one would let any soft border through
_MIN_SIDES = 3
#: share of the blocks that must not be plain for the picture to be judged
_MIN_KNOWN = 0.02
#: octaves of softness that the map shows as 0 and as 1: those of a sharp photo's median block and of a blur of 1 %
_SHARP, _BLURRED = -2.5, 0.5
_THRESHOLD = 1.36


def block_softness(luma: Tensor, block: int) -> tuple[Tensor, Tensor]:
    """Returns how soft each block is, and which blocks are not plain: (N, h, w) float32 in octaves, (N, h, w) bool.

    The softness is log2 of the standard deviation of the luma in the block, over the largest magnitude of its
    Laplacian there. Both grow with the contrast, so that their ratio does not depend on it; one sharp edge or grain
    makes a block sharp. It grows by nearly two octaves where the width of the sharpest edge doubles.

    Args:
        luma: (N, H, W) in [0, 1], H and W at least ``block``
        block: pixels along a block; what is left over at the right and at the bottom is not looked at
    """
    from torch.nn.functional import avg_pool2d, max_pool2d, pad

    image = luma[:, None]
    laplacian = image[..., 1:-1, 1:-1] * 4 - image[..., :-2, 1:-1]
    laplacian.sub_(image[..., 2:, 1:-1]).sub_(image[..., 1:-1, :-2]).sub_(image[..., 1:-1, 2:]).abs_()
    fine = max_pool2d(pad(laplacian, (1, 1, 1, 1)), block)[:, 0]
    mean, square = avg_pool2d(image, block)[:, 0], avg_pool2d(image * image, block)[:, 0]
    contrast = (square - mean * mean).clamp_min_(0).sqrt_()
    return ((contrast + _ROUNDING) / (fine + _ROUNDING)).log2(), contrast > _MIN_CONTRAST


@dataclass(frozen=True)
class Windows:
    """The softest window of each of N pictures.

    Attributes:
        excess: (N,) float32, octaves by which it exceeds its surroundings; -inf where none has enough in and around it
        places: (N, 4) int64: top, left, height and width in blocks, all 0 where there is none
        inside: (N,) float32, the mean softness inside in octaves
    """

    excess: np.ndarray
    places: np.ndarray
    inside: np.ndarray


def softest_windows(softness: np.ndarray, known: np.ndarray) -> Windows:
    """Returns by how much the softest window of each picture exceeds its surroundings, where it is, and how soft it is.

    Of each window of several sizes at each place, the mean softness of the blocks that are not plain, less that of the
    softest of the four strips above, below, left and right of it, each half as thick as the window. Behind a sharp
    subject one of these strips is as soft as the window, since a soft background reaches the border of the picture.

    Args:
        softness: (N, h, w) float32 in octaves
        known: (N, h, w) bool, which blocks are not plain
    """
    number, rows, columns = softness.shape
    # a margin as wide as the widest strip, and the sums of all that is above and left of each corner
    margin = max((max(window) + 1) // 2 for window in _WINDOWS)
    layers = np.zeros((2, number, rows + 2 * margin + 1, columns + 2 * margin + 1), np.float32)
    layers[:, :, margin + 1 : margin + 1 + rows, margin + 1 : margin + 1 + columns] = softness * known, known
    sums = layers.cumsum(2).cumsum(3)
    best = np.full(number, -np.inf, np.float32)
    places = np.zeros((number, 4), np.int64)
    inside = np.zeros(number, np.float32)
    for high, wide in _WINDOWS:
        down, across = rows - high + 1, columns - wide + 1
        if min(down, across) < 3:
            continue
        high_strip, wide_strip = (high + 1) // 2, (wide + 1) // 2
        strips = (
            (0, 0, high, wide),
            (-high_strip, 0, high_strip, wide),
            (high, 0, high_strip, wide),
            (0, -wide_strip, high, wide_strip),
            (0, wide, high, wide_strip),
        )
        both = np.empty((2, len(strips), number, down, across), np.float32)
        limits = np.empty((len(strips), 1, 1, 1), np.float32)
        for at, (top, left, tall, broad) in enumerate(strips):
            y, x = margin + top, margin + left
            above, below = sums[:, :, y : y + down], sums[:, :, y + tall : y + tall + down]
            part = np.subtract(above[..., x : x + across], above[..., x + broad : x + broad + across], out=both[:, at])
            part -= below[..., x : x + across]
            part += below[..., x + broad : x + broad + across]
            limits[at] = (_MIN_AROUND if at else _MIN_INSIDE) * tall * broad
        totals, counts = both
        means, enough = totals / np.maximum(counts, 1), counts > limits
        softest = np.where(enough[1:], means[1:], -np.inf).max(0)
        valid = enough[0] & (enough[1:].sum(0) >= _MIN_SIDES)
        # two that are not known have no difference
        excess = np.subtract(means[0], softest, out=np.full_like(softest, -np.inf), where=valid).reshape(number, -1)
        where = excess.argmax(1)
        here = np.arange(number), where
        for row in (excess[here] > best).nonzero()[0]:
            best[row], inside[row] = excess[row, where[row]], means[0, row].flat[where[row]]
            places[row] = (*divmod(where[row], across), high, wide)
    return Windows(best, places, inside)


def smoothed(softness: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Returns the mean softness of the 3 x 3 blocks around each that are not plain, NaN where all are: (N, h, w)."""
    number, rows, columns = softness.shape
    wide = np.zeros((2, number, rows + 2, columns + 2), np.float32)
    wide[:, :, 1:-1, 1:-1] = softness * known, known
    down = wide[:, :, :-2] + wide[:, :, 1:-1] + wide[:, :, 2:]
    total, count = down[..., :-2] + down[..., 1:-1] + down[..., 2:]
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)


def grown(soft: np.ndarray, place: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """Returns the box of the soft blocks that hang together with those of a window: top, left, height, width.

    Args:
        soft: (h, w) bool
        place: top, left, height and width of the window; it comes back as it is where nothing in it is soft
    """
    top, left, high, wide = place
    # not further out than half the window: what is soft beyond is something else
    room = np.zeros_like(soft)
    room[max(0, top - high // 2) : top + high + high // 2, max(0, left - wide // 2) : left + wide + wide // 2] = True
    room &= soft
    region = np.zeros_like(soft)
    region[top : top + high, left : left + wide] = soft[top : top + high, left : left + wide]
    for _ in range(max(high, wide)):
        wider = np.pad(region, 1)
        wider = wider[1:-1, 1:-1] | wider[:-2, 1:-1] | wider[2:, 1:-1] | wider[1:-1, :-2] | wider[1:-1, 2:]
        region = wider & (room | region)
    if not region.any():
        return place
    y, x = np.nonzero(region)
    return int(y.min()), int(x.min()), int(np.ptp(y)) + 1, int(np.ptp(x)) + 1


@dataclass(frozen=True)
class LocalBlur(Check):
    """Local blur: whether a part of the picture is softer than all that surrounds it.

    From the softness of blocks at a long side of at most 256 pixels. A sharp subject before a soft background is fine,
    and so is a picture that is soft all over, or that gets softer toward one border. Plain areas say nothing. A thing
    that is itself smooth and shaded in the midst of fine texture may look blurred to it; a soft patch at the border of
    the picture, or one so soft that it is plain, is not found.
    """

    name: ClassVar[str] = "local_blur"
    version: ClassVar[int] = 3
    reference: ClassVar[str] = "Edge width from the Laplacian, after Elder and Zucker, IEEE Trans. PAMI 20 (1998)"
    license: ClassVar[str] = "Apache-2.0"
    whole_picture: ClassVar[str] = "it compares parts of a picture, and beside its object a box holds background"
    long_side: ClassVar[int | None] = _LONG_SIDE
    boxes_field: ClassVar[str | None] = "flaws"
    default: ClassVar[bool] = False
    cost: ClassVar[float] = 2.5
    stateless: ClassVar[bool] = True
    map_field: ClassVar[str | None] = "blur_map"
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            name="local_blur",
            unit="octaves",
            higher_is_better=False,
            bounds=(0.0, 20.0),
            description="How much softer the softest enclosed part is than the softest of its four sides.",
            default_threshold=Threshold(">", _THRESHOLD, provenance="flags 2 of 100 clean ImageNet photos"),
            failure="local_blur",
        ),
        Output(
            "blurred_share",
            "share of the blocks that are not plain",
            None,
            (0.0, 1.0),
            "How much of the picture is blurred, backgrounds included; plain areas are not counted.",
        ),
        Output(
            "sharp_patch",
            "octaves",
            None,
            (0.0, 20.0),
            "How much sharper the sharpest enclosed part is than the sharpest of its four sides: a subject in focus.",
        ),
    )

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:
        def score_pictures(luma: Tensor) -> list[SampleResult]:
            number, height, width = luma.shape
            if min(height, width) < _MIN_SIDE:
                return [SampleResult({}, f"too small to judge local blur: {width} x {height} pixels")] * number
            block = min(_MAX_BLOCK, max(_MIN_BLOCK, min(height, width) // 16))
            softness, shown = (tensor.cpu().numpy() for tensor in block_softness(luma, block))
            # where all is the other way round, the sharpest is the softest
            both = softest_windows(np.concatenate([softness, -softness]), np.concatenate([shown, shown]))
            softest, sharper = both.excess.clip(0, 20).reshape(2, -1).tolist()
            limits = (both.inside - both.excess / 2)[:number]
            local = smoothed(softness, shown)
            blurred = np.clip((local - _SHARP) / (_BLURRED - _SHARP), 0, 1)
            blurred = np.where(shown, blurred, 0).astype(np.float32)
            results = []
            for at, (excess, sharp) in enumerate(zip(softest, sharper, strict=True)):
                if shown[at].mean() < _MIN_KNOWN:
                    results.append(SampleResult({}, "too plain to judge local blur", map=blurred[at]))
                    continue
                share = float((blurred[at] > 0.5).sum() / shown[at].sum())
                boxes: tuple[Box, ...] = ()
                if excess > _THRESHOLD:
                    top, left, high, wide = grown(local[at] > limits[at], tuple(both.places[at].tolist()))
                    bounds = (left * block / width, top * block / height, wide * block / width, high * block / height)
                    boxes = (Box("local_blur", bounds, None, {"octaves": round(excess, 2)}),)
                values = {"local_blur": excess, "blurred_share": share, "sharp_patch": sharp}
                results.append(SampleResult(values, boxes=boxes, map=blurred[at]))
            return results

        return lambda batch: self.scores(score_pictures(batch.luma.at(_LONG_SIDE).luma), batch.pixels.device)
