"""Whether a part of the picture, full of detail, is drawn again elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from loupe.brain.core.records import Box, Output, SampleResult, Scores, Threshold
from loupe.brain.core.specs import Check
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.imaging.luma import together
from loupe.brain.imaging.opencv import by_opencv

if TYPE_CHECKING:
    from torch import Tensor

_LONG_SIDE = 256
#: pixels along the short side, below which there is no room for two windows
_MIN_SIDE = 64
#: candidates are looked for at this long side, with windows of an eighth of it, every other pixel
_COARSE, _WINDOW, _STEP = 96, 12, 2
#: pixels along the short side there, below which the picture is too narrow
_MIN_COARSE = 24
#: root mean square of the band-passed luma below which a window shows too little to be known again
_MIN_ENERGY = 6 / 255
#: the windows with most energy that are looked up: more take longer and add the plainest
_MAX_WINDOWS = 300
#: pixels within which two windows are the same place, and by how much neighbors' shifts may differ
_SAME, _TOLERANCE = 4, 2
#: added to the dissimilarities, which would have no bounds otherwise
_MIN_DISTANCE = 0.05
#: octaves, summed over 25 neighbors, by which the best match must beat the second: walls and windows stay below
_MIN_VOTES = 9.0
#: candidates that are verified, the most promising first
_CANDIDATES = 10
#: pixels along the window of the verification at 256 pixels, and how far the match may be off
_PATCH, _REACH = 32, 4
#: sizes that a copy may have, against the first one
_SCALES = (0.9, 0.95, 1.0, 1.05, 1.1)
#: a patch more alike than this to what lies 4 to 6 pixels beside it is an edge, or stripes: it can be found anywhere
_MAX_SELF = 0.75
#: contrast below which a quarter of the window agrees with nothing
_MIN_CONTRAST = 3 / 255
_THRESHOLD = 0.88


def smooth(layers: Tensor, sigma: float) -> Tensor:
    """Returns the (C, H, W) layers under a Gaussian blur of that many pixels, the borders continued."""
    import torch
    from torch.nn.functional import conv2d, pad

    half = int(3 * sigma)
    if by_opencv(layers):
        import cv2

        size = (2 * half + 1, 2 * half + 1)
        blurred = [cv2.GaussianBlur(layer, size, sigma, borderType=cv2.BORDER_REPLICATE) for layer in layers.numpy()]
        return together(blurred)
    kernel = torch.exp(-torch.arange(-half, half + 1, device=layers.device).float().square() / (2 * sigma**2))
    kernel /= kernel.sum()
    wide = pad(layers[:, None], (half,) * 4, mode="replicate")
    if layers.device.type != "cpu":
        # a convolution there has ten bits by default, and a product all of them
        across = wide.unfold(3, len(kernel), 1) @ kernel
        return (across.unfold(2, len(kernel), 1) @ kernel)[:, 0]
    return conv2d(conv2d(wide, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1))[:, 0]


def _around(places: Tensor, shape: tuple[int, int], within: int) -> Tensor:
    """Returns the windows of the grid that are less than so many pixels away each way: (K,) places to (K, M)."""
    import torch

    reach = (within - 1) // _STEP
    steps = torch.arange(-reach, reach + 1, device=places.device)
    rows = ((places // shape[1])[:, None] + steps).clamp_(0, shape[0] - 1)
    columns = (places % shape[1])[:, None] + steps
    return (rows[:, :, None] * shape[1] + columns.clamp_(0, shape[1] - 1)[:, None]).flatten(1)


def bands(pixels: Tensor) -> Tensor:
    """Returns the luma and two color differences of pictures, band-passed: (N, 3, H, W), all in one go.

    Args:
        pixels: (N, 3, H, W) float32 in [0, 1]
    """
    import torch

    red, green, blue = pixels.unbind(1)
    layers = torch.stack([0.299 * red + 0.587 * green + 0.114 * blue, red - green, (red + green) / 2 - blue], 1)
    planes = layers.flatten(0, 1)
    return smooth(planes - smooth(planes, 6.0), 0.8).view(layers.shape)


def _best(alike: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the highest of each row of (K, N) values and its place."""
    import torch

    if alike.device.type != "cpu":
        best = alike.max(1)
        return best.values, best.indices
    import numpy as np

    # numpy looks for the first of the highest in a fifth of torch's time
    values = alike.numpy()
    places = values.argmax(1)
    return torch.from_numpy(values[np.arange(len(values)), places]), torch.from_numpy(places)


def _windows(band: Tensor) -> tuple[Tensor, Tensor]:
    """Returns what is compared of each window, normal, and its contrast: (3, H, W) to (N, 54) and (N,) float32.

    The luma of a window at half the resolution, and of the color at a quarter: that is enough to know it by.
    """
    import torch
    from torch.nn.functional import avg_pool2d, unfold

    half = avg_pool2d(band, 2)
    luma = unfold(half[None, :1], _WINDOW // 2)[0].T
    color = unfold(avg_pool2d(half[None, 1:], 2, 1), _WINDOW // 4, dilation=2)[0].T.unflatten(1, (2, -1))
    luma = luma - luma.mean(1, keepdim=True)
    # a mean of four stands for four
    color = (color - color.mean(2, keepdim=True)).flatten(1) * 2
    values = torch.cat((luma, color), 1)
    return values / values.norm(dim=1, keepdim=True).clamp_min(1e-6), luma.square().mean(1).sqrt()


def candidates(pixels: Tensor, band: Tensor | None = None) -> tuple[Tensor, int]:
    """Returns pairs of windows that look alike, as no other two places do, the most promising first.

    Windows are compared by the correlation of luma and of two color differences, band-passed. What counts is the
    log of how much closer the best distant match is than the second best place, beside the window itself included:
    along an edge or in a texture, there are many equally good ones. It is summed over the neighbors that have their
    match at the same shift.

    Args:
        pixels: (3, H, W) float32 in [0, 1], some 96 pixels wide or high
        band: its ``bands``, (3, H, W), where they are at hand

    Returns:
        (K, 4) float32 of y and x of the middle of the first and of the second window in pixels, K at most 10; how many
        windows have enough detail
    """
    import torch
    from torch.nn.functional import pad

    if band is None:
        band = bands(pixels[None])[0]
    rows, columns = ((side - _WINDOW) // _STEP + 1 for side in band.shape[1:])
    values, energy = _windows(band)
    good = energy > _MIN_ENERGY
    count = int(good.sum())
    if count < 2:
        return torch.zeros(0, 4, device=pixels.device), count
    own = energy.topk(min(_MAX_WINDOWS, count)).indices.sort().values
    place = torch.arange(rows * columns, device=pixels.device)
    y, x = place // columns * _STEP, place % columns * _STEP
    # plain ones are like nothing
    alike = values[own] @ (values * good[:, None]).T
    near, here = (_around(own, (rows, columns), within) for within in (_WINDOW, _SAME))
    kept = alike.gather(1, near)
    first, match = _best(alike.scatter_(1, near, -1))
    at_match = _around(match, (rows, columns), _SAME)
    second, _ = _best(alike.scatter_(1, near, kept).scatter_(1, torch.cat([here, at_match], 1), -1))
    gain = ((1 - second + _MIN_DISTANCE) / (1 - first + _MIN_DISTANCE)).clamp_min(1).log2()
    # on the grid of all windows: gain and shift, and the sum over the 5 x 5 neighbors that agree
    grid = torch.zeros(3, rows * columns, device=pixels.device)
    grid[:, own] = torch.stack([gain, (y[match] - y[own]).float(), (x[match] - x[own]).float()])
    wide = pad(grid.view(3, rows, columns), (2,) * 4)
    step = torch.arange(5, device=pixels.device)
    beside = (step[:, None] * wide.shape[2] + step).flatten()
    corner = own // columns * wide.shape[2] + own % columns
    around = wide.flatten(1)[:, beside[:, None] + corner]
    agree = ((around[1:] - grid[1:, None, own]).abs() <= _TOLERANCE).all(0)
    votes = (around[0] * agree).sum(0)
    pairs = []
    for _ in range(_CANDIDATES):
        best = int(votes.argmax())
        if float(votes[best]) < _MIN_VOTES:
            break
        i, j = own[best], match[best]
        pairs.append(torch.stack([y[i], x[i], y[j], x[j]]) + (_WINDOW - 1) / 2)
        votes[(own[:, None] == here[best]).any(1)] = 0
    return torch.stack(pairs) if pairs else torch.zeros(0, 4, device=pixels.device), count


def verify(band: Tensor, pairs: Tensor) -> Tensor:
    """Returns how alike the two places of each pair are once aligned: (K,) float32 in [0, 1], 0 for mere edges.

    The first place, at several sizes, is looked for around the second one by normalized cross-correlation. The score is
    the mean of that of the four quarters, so that one line through plain ground is not enough.

    Args:
        band: (H, W) band-passed luma
        pairs: (K, 4) of y and x of the first and of the second place, in pixels
    """
    import torch
    from torch.nn.functional import grid_sample, unfold

    height, width = band.shape
    step = torch.arange(_PATCH, device=band.device) - (_PATCH - 1) / 2

    def sample(centers: Tensor, size: int, scale: float = 1.0) -> Tensor:
        """(K, 2) y and x to (K, 1, size, size)."""
        line = (torch.arange(size, device=band.device) - (size - 1) / 2) * scale
        y, x = centers[:, 0, None] + line, centers[:, 1, None] + line
        y, x = y * 2 / (height - 1) - 1, x * 2 / (width - 1) - 1
        grid = torch.stack([x[:, None].expand(-1, size, -1), y[:, :, None].expand(-1, -1, size)], -1)
        layers = band.expand(len(centers), 1, -1, -1)
        return grid_sample(layers, grid, padding_mode="reflection", align_corners=True)

    def normal(rows: Tensor) -> Tensor:
        rows = rows - rows.mean(-1, keepdim=True)
        return rows.mul_((rows.square().sum(-1, keepdim=True) + 1e-12).rsqrt())

    def quarters(rows: Tensor) -> Tensor:
        parts = rows.view(-1, 2, _PATCH // 2, 2, _PATCH // 2).transpose(2, 3).flatten(1, 2).flatten(2)
        return parts - parts.mean(-1, keepdim=True)

    first = torch.stack([sample(pairs[:, :2], len(step), scale).flatten(1) for scale in _SCALES], 1)
    second = unfold(sample(pairs[:, 2:], _PATCH + 2 * _REACH), _PATCH).transpose(1, 2)
    places = second.shape[1]
    where = (normal(first) @ normal(second).transpose(1, 2)).flatten(1).argmax(1)
    index = torch.arange(len(pairs), device=band.device)
    score_picture, latter = quarters(first[index, where // places]), quarters(second[index, where % places])
    power = (score_picture.square().mean(-1) * latter.square().mean(-1)).sqrt() + _MIN_CONTRAST**2
    score = ((score_picture * latter).mean(-1) / power).mean(-1).clamp(0, 1)
    # against itself, shifted by 0, 2, 4 or 6 pixels each way
    beside = unfold(sample(pairs[:, :2], _PATCH + 12), _PATCH, stride=2).transpose(1, 2)
    own = (normal(beside) @ normal(first[:, len(_SCALES) // 2, :, None].transpose(1, 2)).transpose(1, 2))[..., 0]
    own = own.view(-1, 7, 7).clone()
    own[:, 2:5, 2:5] = -1
    return score.masked_fill(own.flatten(1).amax(1) > _MAX_SELF, 0)


@dataclass(frozen=True)
class RepeatedSubject(Check):
    """Repeated subject: whether a part full of detail is drawn again elsewhere.

    A proxy from the picture's likeness to itself, at a long side of at most 256 pixels: it finds near copies, of nearly
    the same size and not mirrored, not two different drawings of one thing. What repeats many times, as bricks and
    windows do, is left out. Two real things that are alike, such as two locomotives of one type, are found as well.
    """

    name: ClassVar[str] = "repeated_subject"
    version: ClassVar[int] = 2
    reference: ClassVar[str] = "Block matching for copy-move, after Christlein et al., IEEE Trans. IFS 7 (2012)"
    license: ClassVar[str] = "Apache-2.0"
    whole_picture: ClassVar[str] = "it looks for the same subject elsewhere in the picture"
    long_side: ClassVar[int | None] = _LONG_SIDE
    boxes_field: ClassVar[str | None] = "flaws"
    default: ClassVar[bool] = False
    presets: ClassVar[tuple[str, ...]] = ("generated",)
    cost: ClassVar[float] = 6.0
    stateless: ClassVar[bool] = True
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            name="repeated_subject",
            unit="correlation",
            higher_is_better=False,
            bounds=(0.0, 1.0),
            description="How alike the two most alike places are that no third one is like.",
            default_threshold=Threshold(">", _THRESHOLD, provenance="flags 2 of 100 clean ImageNet photos"),
            failure="repeated_subject",
        ),
        Output(
            "repeated_distance",
            "share of the long side",
            None,
            (0.0, 1.5),
            "How far the two most alike places are apart, 0 where there are none.",
        ),
    )

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:

        def score_picture(coarse: Tensor, band: Tensor, luma: Tensor) -> SampleResult:
            height, width = luma.shape
            pairs, count = candidates(coarse, band)
            if count < 2:
                return SampleResult({}, "too plain to judge repetition")
            if not len(pairs):
                return SampleResult({"repeated_subject": 0.0, "repeated_distance": 0.0})
            pairs = (pairs + 0.5) * (max(height, width) / max(coarse.shape[1:])) - 0.5
            passed = smooth(luma[None], 0.8) - smooth(luma[None], 5.0)
            alike, best = verify(passed[0], pairs).max(0)
            top, left, down, right = (float(value) for value in pairs[best])
            distance = math.hypot(down - top, right - left) / max(height, width)
            values = {"repeated_subject": float(alike), "repeated_distance": distance}
            if float(alike) <= _THRESHOLD:
                return SampleResult(values)
            boxes = []
            for y, x in ((top, left), (down, right)):
                ends = [max(0.0, y - 15.5), max(0.0, x - 15.5), min(height, y + 16.5), min(width, x + 16.5)]
                bounds = (ends[1] / width, ends[0] / height, (ends[3] - ends[1]) / width, (ends[2] - ends[0]) / height)
                boxes.append(Box("repeated_subject", bounds, round(float(alike), 3)))
            return SampleResult(values, boxes=tuple(boxes))

        def score(batch: ImageBatch) -> Scores:
            # by the size that color_bleeding is judged at
            small = batch.above(2 * _LONG_SIDE).at(2 * _LONG_SIDE).above(_LONG_SIDE).at(_LONG_SIDE)
            coarse = small.at(_COARSE).pixels.float() / 255
            height, width = small.luma.shape
            if min(height, width) < _MIN_SIDE or min(coarse.shape[2:]) < _MIN_COARSE:
                reason = f"too small or narrow to judge repetition: {width} x {height} pixels"
                return self.scores([SampleResult({}, reason)] * len(batch), batch.pixels.device)
            pictures = zip(coarse, bands(coarse), small.luma.luma, strict=True)
            return self.scores([score_picture(*picture) for picture in pictures], batch.pixels.device)

        return score
