"""How often the lines of a picture begin with a step that is larger than those beside it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from loupe.brain.imaging.opencv import by_opencv

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

#: parts of a line that are counted by themselves
SEGMENTS = 8
#: lines on each side that a step is compared with: an edge taken through a lens is two or three pixels wide, and
#: texture has steps of the same size beside it
_BESIDE = 6
#: how many times the largest step beside it a step has to be, and its least size: three gray levels
_RATIO, _MIN_STEP = (3, 2), 3
#: the grid of JPEG's blocks has equal lines at this distance: what they have is taken off
_JPEG = 8


def _running_max(values: Tensor, count: int) -> Tensor:
    """Returns the maxima of ``count`` neighbors along the last dimension: (..., N) to (..., N - count + 1)."""
    import torch

    done = 1
    while done < count:
        step = min(done, count - done)
        values = torch.maximum(values[..., :-step], values[..., step:])
        done += step
    return values


def _counts(levels: Tensor, width: int) -> Tensor:
    """Returns how many rows of each segment have a step: (N, 8, W - width - 12), without the first and last 6 columns.

    Args:
        levels: (N, H, W) int16
        width: of the step in pixels
    """
    import torch

    step = (levels[..., 1:] - levels[..., :-1]).abs_()
    beside = _running_max(step, _BESIDE)
    across = step if width == 1 else (levels[..., width:] - levels[..., :-width]).abs_()
    inner = across.shape[2] - 2 * _BESIDE
    limit = torch.maximum(beside[..., :inner], beside[..., _BESIDE + width :][..., :inner])
    more, less = _RATIO
    # 1 where across * less > limit * more, else 0, in 16 bits: a comparison and a mean take five times as long
    limit = limit.mul_(more).clamp_(min=_MIN_STEP * less - 1)
    steps = (across[..., _BESIDE : _BESIDE + inner] * less).sub_(limit).clamp_(0, 1)
    rows = levels.shape[1] // SEGMENTS
    return steps[:, : rows * SEGMENTS].view(-1, SEGMENTS, rows, inner).sum(2, dtype=torch.int16)


@cache
def _limits() -> np.ndarray:
    """Returns what a step has to exceed, by the largest one beside it: (256,) uint8."""
    import numpy as np

    # 1.5 times as large is more than its whole part; no step exceeds 255
    more, less = _RATIO
    return np.clip(np.arange(256) * more // less, _MIN_STEP - 1, 255).astype(np.uint8)


def _counts_by_opencv(levels: Tensor, widths: tuple[int, ...]) -> list[Tensor]:
    """Returns what ``_counts`` does for each width, of one picture, (H, W) uint8 on the CPU: in bytes, in a tenth of
    the time.
    """
    import cv2
    import numpy as np
    import torch

    image = levels.numpy()
    rows = len(image) // SEGMENTS
    step = cv2.absdiff(image[:, 1:], image[:, :-1])
    # the larger a step, the larger its limit: the limit of the largest is the largest limit
    beside = cv2.dilate(cv2.LUT(step, _limits()), np.ones((1, _BESIDE), np.uint8), anchor=(0, 0))
    counts = []
    for width in widths:
        across = step if width == 1 else cv2.absdiff(image[:, width:], image[:, :-width])
        inner = across.shape[1] - 2 * _BESIDE
        limit = cv2.max(beside[:, :inner], beside[:, _BESIDE + width :][:, :inner])
        steps = cv2.compare(across[:, _BESIDE : _BESIDE + inner], limit, cv2.CMP_GT)
        segments = (steps[start * rows : (start + 1) * rows] for start in range(SEGMENTS))
        sums = [cv2.reduce(segment, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S) for segment in segments]
        counts.append(torch.from_numpy(np.concatenate(sums) // 255))
    return counts


def step_shares(levels: Tensor, widths: tuple[int, ...]) -> list[Tensor]:
    """Returns how often each column begins with a step: the share of rows, in each of eight segments of the height.

    A row counts where the step is at least three gray levels and 1.5 times as large as each of the twelve beside it.
    Columns whose neighbors at 8 pixels, the blocks of JPEG, have it as often have a share of 0.

    Args:
        levels: (N, H, W) uint8, H at least 8, W at least 16
        widths: of the step in pixels, 1 or 2

    Returns:
        for each width (N, 8, W - 1) float32 in [0, 1]: column i is about the step between the pixels i and i + width;
        larger is worse
    """
    import torch

    if by_opencv(levels):
        pictures = [_counts_by_opencv(picture, widths) for picture in levels]
        return [_share(torch.stack(counts), levels) for counts in zip(*pictures, strict=True)]
    return [_share(_counts(levels.short(), width), levels) for width in widths]


def _share(count: Tensor, levels: Tensor) -> Tensor:
    """Returns the ``step_shares`` by the (N, 8, W - width - 12) counts of steps."""
    import torch
    from torch.nn.functional import pad

    inner, rows = count.shape[2], levels.shape[1] // SEGMENTS
    share = pad(count.float() / rows, (_BESIDE, levels.shape[2] - 1 - inner - _BESIDE))
    if share.shape[2] > 2 * _JPEG:
        grid = pad(share, (_JPEG, _JPEG))
        share = share - torch.maximum(grid[..., : -2 * _JPEG], grid[..., 2 * _JPEG :])
    return share.clamp_(min=0)
