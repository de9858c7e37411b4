"""How often the lines of a picture begin with a step that is larger than those beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

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


def running_max(values: Any, count: int, maximum: Callable[[Any, Any], Any], beside: int = 1) -> Any:
    """Returns the highest of so many numbers along the last dimension, each so far from the one before.

    Args:
        values: (..., N), an array or a tensor
        count: how many
        maximum: of two of these, number by number
        beside: how far apart

    Returns:
        (..., N - (count - 1) * beside), the first one of those from the first number on
    """
    done = 1
    while done < count:
        step = min(done, count - done)
        values = maximum(values[..., : -step * beside], values[..., step * beside :])
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
    beside = running_max(step, _BESIDE, torch.maximum)
    across = step if width == 1 else (levels[..., width:] - levels[..., :-width]).abs_()
    inner = across.shape[2] - 2 * _BESIDE
    limit = torch.maximum(beside[..., :inner], beside[..., _BESIDE + width :][..., :inner])
    more, less = _RATIO
    # 1 where across * less > limit * more, else 0, in 16 bits: a comparison and a mean take five times as long
    limit = limit.mul_(more).clamp_(min=_MIN_STEP * less - 1)
    steps = (across[..., _BESIDE : _BESIDE + inner] * less).sub_(limit).clamp_(0, 1)
    rows = levels.shape[1] // SEGMENTS
    return steps[:, : rows * SEGMENTS].view(-1, SEGMENTS, rows, inner).sum(2, dtype=torch.int16)


def _counts_by_opencv(levels: Tensor, widths: tuple[int, ...]) -> list[np.ndarray]:
    """Returns what ``_counts`` does for each width, of one picture, (H, W) uint8 on the CPU: in bytes, in a tenth of
    the time.

    Segment by segment, which stay in the processor's cache, and their rows as one, as whole ones are quicker: what runs
    over a row's end is not counted.
    """
    import cv2
    import numpy as np

    height, width = levels.shape
    rows = height // SEGMENTS
    counts: list[list[np.ndarray]] = [[] for _ in widths]
    for segment in levels.numpy()[: rows * SEGMENTS].reshape(SEGMENTS, 1, -1):
        step = cv2.absdiff(segment[:, 1:], segment[:, :-1])
        # 1.5 times as large is more than its whole part; the limit of the largest step is the largest limit
        limits = np.right_shift(step, 1)
        cv2.add(limits, step, dst=limits)
        cv2.max(limits, _MIN_STEP - 1, dst=limits)
        beside = running_max(limits, _BESIDE, cv2.max)
        for count, apart in zip(counts, widths, strict=True):
            across = step if apart == 1 else cv2.absdiff(segment[:, apart:], segment[:, :-apart])
            inner = across.shape[1] - 2 * _BESIDE
            limit = cv2.max(beside[:, :inner], beside[:, _BESIDE + apart :][:, :inner])
            steps = np.empty((rows, width), np.uint8)
            cv2.compare(across[:, _BESIDE:-_BESIDE], limit, cv2.CMP_GT, dst=steps.reshape(1, -1)[:, :inner])
            count.append(cv2.reduce(steps[:, : width - apart - 2 * _BESIDE], 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S))
    return [np.concatenate(count) // 255 for count in counts]


def step_shares(levels: Tensor, widths: tuple[int, ...]) -> list[np.ndarray]:
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
    import numpy as np

    if by_opencv(levels):
        pictures = [_counts_by_opencv(picture, widths) for picture in levels]
        return [_share(np.stack(counts), levels) for counts in zip(*pictures, strict=True)]
    return [_share(_counts(levels.short(), width).cpu().numpy(), levels) for width in widths]


def _share(count: np.ndarray, levels: Tensor) -> np.ndarray:
    """Returns the ``step_shares`` by the (N, 8, W - width - 12) counts of steps."""
    import numpy as np

    number, height, width = levels.shape
    inner = slice(_BESIDE, _BESIDE + count.shape[2])
    # beyond its ends, no line has a step
    share = np.zeros((number, SEGMENTS, width - 1 + 2 * _JPEG), np.float32)
    share[..., _JPEG:-_JPEG][..., inner] = count / np.float32(height // SEGMENTS)
    own, before, after = share[..., _JPEG:-_JPEG], share[..., : -2 * _JPEG], share[..., 2 * _JPEG :]
    if width - 1 <= 2 * _JPEG:
        return own
    return np.maximum(own - np.maximum(before, after), 0)
