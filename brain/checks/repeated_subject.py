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
    import numpy as np
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


def _windows(band: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns what is compared of each window, normal, and its contrast: (3, H, W) to (54, N) and (N,) float32.

    The luma of a window at half the resolution, and of the color at a quarter: that is enough to know it by.
    """
    import numpy as np

    height, width = band.shape[1] // 2, band.shape[2] // 2
    pairs = band[:, : 2 * height : 2, : 2 * width] + band[:, 1 : 2 * height : 2, : 2 * width]
    half = (pairs[..., ::2] + pairs[..., 1::2]) / 4
    side, few = _WINDOW // 2, _WINDOW // 4
    rows, columns = height - side + 1, width - side + 1
    luma = [half[0, y : y + rows, x : x + columns] for y in range(side) for x in range(side)]
    fours = half[1:, :-1] + half[1:, 1:]
    # a mean of four stands for four: two of them are as much as half of their sum
    fours = (fours[..., :-1] + fours[..., 1:]) / 2
    color = [plane[y : y + rows, x : x + columns] for plane in fours for y in (0, 2, 4) for x in (0, 2, 4)]
    values = np.stack([*luma, *color]).reshape(len(luma) + len(color), -1)
    for start, end in ((0, side**2), (side**2, side**2 + few**2), (side**2 + few**2, len(values))):
        values[start:end] -= values[start:end].mean(0)
    squares = np.square(values)
    of_luma = squares[: side**2].sum(0)
    values /= np.maximum(np.sqrt(of_luma + squares[side**2 :].sum(0)), 1e-6)
    return values, np.sqrt(of_luma / side**2)


def candidates(band: np.ndarray) -> tuple[np.ndarray, int]:
    """Returns pairs of windows that look alike, as no other two places do, the most promising first.

    Windows are compared by the correlation of luma and of two color differences, band-passed. What counts is the
    log of how much closer the best distant match is than the second best place, beside the window itself included:
    along an edge or in a texture, there are many equally good ones. It is summed over the neighbors that have their
    match at the same shift.

    Args:
        band: (3, H, W) float32, the ``bands`` of a picture of some 96 pixels along the long side. On the CPU: some
            1,500 windows are too few for a device

    Returns:
        (K, 4) float32 of y and x of the middle of the first and of the second window in pixels, K at most 10; how many
        windows have enough detail
    """
    import numpy as np
    import torch

    rows, columns = ((side - _WINDOW) // _STEP + 1 for side in band.shape[1:])
    values, energy = _windows(band)
    good = energy > _MIN_ENERGY
    count = int(np.count_nonzero(good))
    if count < 2:
        return np.zeros((0, 4), np.float32), count
    number = min(_MAX_WINDOWS, count)
    own = np.sort(np.argpartition(energy, len(energy) - number)[len(energy) - number :])
    # plain ones are like nothing; by torch, which takes as many threads as it has been given
    first_ones, all_of_them = torch.from_numpy(values[:, own]), torch.from_numpy(values * good)
    alike = (first_ones.T @ all_of_them).numpy().reshape(number, rows, columns)
    y, x = own // columns, own % columns
    near = _around(y, x, (rows, columns), (_WINDOW - 1) // _STEP)
    each = np.arange(number)[:, None, None]
    beside = alike[each, near[0], near[1]]
    alike[each, near[0], near[1]] = -1
    flat = alike.reshape(number, -1)
    match = flat.argmax(1)
    first = flat[each[:, 0, 0], match]
    # the second best place is neither at the match, nor at the window itself, but it may be beside it
    matched = match // columns, match % columns
    reach = (_SAME - 1) // _STEP
    alike[(each, *_around(*matched, (rows, columns), reach))] = -1
    for down, right in ((y, x), matched):
        close_by = abs(near[0] - down[:, None, None]) <= reach, abs(near[1] - right[:, None, None]) <= reach
        beside[close_by[0] & close_by[1]] = -1
    second = np.maximum(flat.max(1), beside.reshape(number, -1).max(1))
    gain = np.log2(np.maximum((1 - second + _MIN_DISTANCE) / (1 - first + _MIN_DISTANCE), 1))
    down, right = (matched[0] - y) * _STEP, (matched[1] - x) * _STEP
    # on the grid of all windows: gain and shift, and the sum over the 5 x 5 neighbors that agree
    grid = np.zeros((3, rows + 4, columns + 4), np.float32)
    grid[:, y + 2, x + 2] = gain, down, right
    steps = np.arange(5)
    around = grid[:, y[:, None, None] + steps[:, None], x[:, None, None] + steps]
    agree = (abs(around[1] - down[:, None, None]) <= _TOLERANCE) & (abs(around[2] - right[:, None, None]) <= _TOLERANCE)
    votes = (around[0] * agree).sum((1, 2))
    pairs: list[tuple[int, int, int, int]] = []
    while len(pairs) < _CANDIDATES:
        best = int(votes.argmax())
        if votes[best] < _MIN_VOTES:
            break
        pairs.append((y[best], x[best], matched[0][best], matched[1][best]))
        votes[(abs(y - y[best]) <= reach) & (abs(x - x[best]) <= reach)] = 0
    places = np.array(pairs, np.float32).reshape(-1, 4)
    return places * _STEP + np.float32((_WINDOW - 1) / 2), count


def _around(y: np.ndarray, x: np.ndarray, shape: tuple[int, int], reach: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the places on the grid up to so many steps away each way: rows (K, M, 1) and columns (K, 1, M)."""
    import numpy as np

    steps = np.arange(-reach, reach + 1)
    rows = (y[:, None] + steps).clip(0, shape[0] - 1)
    return rows[:, :, None], (x[:, None] + steps).clip(0, shape[1] - 1)[:, None]


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
    version: ClassVar[int] = 3
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
        import torch

        def score_picture(band: np.ndarray, levels: Tensor) -> SampleResult:
            height, width = levels.shape
            pairs, count = candidates(band)
            if count < 2:
                return SampleResult({}, "too plain to judge repetition")
            if not len(pairs):
                return SampleResult({"repeated_subject": 0.0, "repeated_distance": 0.0})
            luma = levels.float() / 255
            larger = max(height, width) / max(band.shape[1:])
            places = torch.from_numpy((pairs + 0.5) * larger - 0.5).to(luma.device)
            passed = smooth(luma[None], 0.8) - smooth(luma[None], 5.0)
            alike, best = verify(passed[0], places).max(0)
            top, left, down, right = (float(value) for value in places[best])
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
            pictures = zip(bands(coarse).cpu().numpy(), small.luma.levels, strict=True)
            return self.scores([score_picture(*picture) for picture in pictures], batch.pixels.device)

        return score
