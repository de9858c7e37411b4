"""Whether there is a straight line where two parts of the picture do not meet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from loupe.brain.core.records import Box, Output, SampleResult, Scores, Threshold
from loupe.brain.core.specs import Check
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.imaging.luma import Luma, together
from loupe.brain.imaging.opencv import by_opencv, opencv
from loupe.brain.imaging.steps import SEGMENTS, step_shares

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

#: a seam is one pixel wide in the file: it must not be scaled away
_LONG_SIDE = 1024
#: pixels along the short side, below which a line has too few rows
_MIN_SIDE = 64
#: pixels along the long side, below which an edge of the picture looks like one of a tile: of 100 clean photos that are
#: scaled down to 128, 192 and 256 along it, 6, 2 and none are flagged
_MIN_LONG_SIDE = 192
#: standard deviation of the luma below which rounding outweighs the picture: two gray levels
_MIN_SPREAD = 2 / 255
#: a line is judged over its whole length and over its halves, which are four of its segments
_WINDOWS = ((0, 8), (0, 4), (2, 6), (4, 8))
#: lines of each kind whose detail is looked at, the ones with the most steps
_CANDIDATES = 6
#: pixels between the two values whose difference is the detail along a line
_LAG = 4
#: lines beside a candidate, in pixels from it, whose detail says how alike neighboring lines are in this picture
_REFERENCE = (-5, -3, 3, 5)
#: half a gray level: the least detail that counts
_MIN_DETAIL = 0.5
#: how much both sides of a line vary along it, below which it may be a frame or a margin: ten gray levels
_CONTENT = 10.0
#: the share of steps, as a part of the largest of a line's segments, from which a segment belongs to the line
_REACHES = 0.5
#: levels from which a step has a direction, and the share of steps against the rest that content does not need to
#: exceed where it does not go on: a horizon, a bench, an edge of a thing is darker on the same side all along
_CLEAR_STEP, _MIXED = 8, 0.25
#: what a line counts for whose steps all go one way
_ONE_WAY = 0.7
#: what half a line counts for, and one that a scaling has made two pixels wide: there are more lines like these
_HALF, _WIDE = 0.8, 0.9


def _lines(levels: Tensor, columns: np.ndarray) -> np.ndarray:
    """Returns columns of each picture, a row each, on the CPU: (N, H, W) levels and (N, K) columns to (N, K, H).

    Reading along them takes most of the time: it is quick where the levels are the view of a picture that lies turned.
    """
    import numpy as np
    import torch

    number, height, width = levels.shape
    places = (np.arange(number)[:, None] * width + columns).ravel()
    lying = levels.transpose(1, 2).reshape(-1, height)
    if lying.device.type == "cpu":
        taken = lying.numpy().take(places, axis=0)
    else:
        taken = lying.index_select(0, torch.from_numpy(places).to(lying.device)).cpu().numpy()
    return taken.reshape(number, -1, height)


def lost_coherence(levels: Tensor, columns: np.ndarray, width: int | np.ndarray = 1) -> np.ndarray:
    """Returns how much less alike the detail is on both sides of a line than on those of the lines beside it.

    Detail is the difference of two pixels of a column, four pixels apart, so that a steady step from one side to the
    other, as at the edge of a thing, does not matter. 1 less the share of detail that two columns have in common is
    taken for the line (r) and for four lines beside it (the largest: p); (r - p) / (1 - p) is the share of it that is
    lost at the line.

    Args:
        levels: (N, H, W) uint8
        columns: (N, K) int64, the columns before the lines
        width: of the step in pixels: one number, or one for each line

    Returns:
        (N, 4, K) float32 in [0, 1], for the whole height and for three halves (first, middle, last); larger is worse
    """
    import numpy as np

    number, height, last = len(levels), levels.shape[1], levels.shape[2] - 1
    apart = width if isinstance(width, int) else width[:, None]
    left = (columns[..., None] + np.array((0, *_REFERENCE))).clip(0)
    left = np.minimum(left + apart, last) - apart
    lines = _lines(levels, np.stack([left, left + apart], 1).reshape(number, -1))
    rows = (height - _LAG) // SEGMENTS
    unlike, both = (
        np.stack(some).reshape(*left.shape, SEGMENTS)
        for some in zip(*(_detail(picture, rows) for picture in lines), strict=True)
    )
    all_of_it = both + np.float32(rows * _MIN_DETAIL)
    ratio = np.stack([unlike[..., a:b].sum(-1) / all_of_it[..., a:b].sum(-1) for a, b in _WINDOWS], 1)
    line, beside = ratio[..., 0], ratio[..., 1:].max(-1)
    return ((line - beside) / np.maximum(1 - beside, np.float32(1e-3))).clip(0, 1)


def _detail(lines: np.ndarray, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns how much the detail of (2 * K, H) lines, first those of one side, differs from one side to the other, and
    how much there is on both, in each segment of so many rows: (K * 8,) float32 each, of whole levels.
    """
    import numpy as np

    first, last = (lines[:, start : start + rows * SEGMENTS] for start in (0, _LAG))
    cv2 = opencv()
    if cv2 is None:
        detail = last.astype(np.int16) - first
        before, after = np.split(detail, 2)
        unlike, both = (
            np.abs(values).reshape(-1, rows).sum(1, dtype=np.float32) for values in (before - after, detail)
        )
    else:
        before, after = np.split(cv2.subtract(last, first, dtype=cv2.CV_16S), 2)
        unlike, both = (
            cv2.reduce(values.reshape(-1, rows), 1, cv2.REDUCE_SUM, dtype=cv2.CV_32F)[:, 0]
            for values in (cv2.absdiff(before, after), cv2.absdiff(last, first))
        )
    return unlike, both.reshape(2, -1).sum(0)


def one_way(levels: Tensor, columns: np.ndarray, width: int | np.ndarray = 1) -> np.ndarray:
    """Returns how much a line counts by the directions of its steps, over its height and over its halves.

    Where two pictures meet, some rows step up and others down. A horizon or the edge of a thing steps one way.

    Args:
        levels: (N, H, W) uint8
        columns: (N, K) int64, the columns before the lines
        width: of the step in pixels: one number, or one for each line

    Returns:
        (N, 4, K) float32 in [0.7, 1]; 1 where at least an eighth of the steps goes against the others
    """
    import numpy as np

    rows = levels.shape[1] // SEGMENTS
    lines = _lines(levels, np.concatenate([columns, columns + width], 1))[..., : rows * SEGMENTS].astype(np.int16)
    lines = lines.reshape(len(levels), 2, -1, SEGMENTS, rows)
    step = lines[:, 1] - lines[:, 0]
    rise, fall = (
        np.stack([counts[..., a:b].sum(-1) for a, b in _WINDOWS], 1).astype(np.float32)
        for counts in (np.count_nonzero(way, -1) for way in (step >= _CLEAR_STEP, step <= -_CLEAR_STEP))
    )
    balance = 2 * np.minimum(rise, fall) / np.maximum(rise + fall, 1)
    return _ONE_WAY + (1 - _ONE_WAY) * np.minimum(balance / _MIXED, 1)


def _medians(values: np.ndarray) -> np.ndarray:
    """Returns the lower medians along the last axis: (..., N) to (...)."""
    import numpy as np

    middle = (values.shape[-1] - 1) // 2
    return np.partition(values, middle, axis=-1)[..., middle]


def _likeliest(shares: np.ndarray) -> np.ndarray:
    """Returns the columns with the largest of (N, W) shares, at most six, of equal ones the first: (N, K)."""
    import numpy as np

    count = min(_CANDIDATES, shares.shape[1])
    # shares are of some hundreds of rows: what is added is less than any difference
    falling = np.arange(shares.shape[1]) * 1e-9 - shares
    return np.argpartition(falling, count - 1, axis=1)[:, :count]


def seam_scores(levels: Tensor, turned: Tensor | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns how much each of the likeliest vertical lines is a seam, over its height and over its halves.

    The square root of the share of rows with a step, times the share of coherence that is lost there, times how much
    there is on the plainer side of the line, so that frames and margins have next to nothing, times ``one_way``.

    Args:
        levels: (N, H, W) uint8
        turned: (N, W, H) uint8, the same pictures with rows and columns exchanged, where they are at hand

    Returns:
        scores: (N, 4, K) float32 in [0, 1], see ``lost_coherence``; larger is worse
        columns: (N, K) int64, the column before each line
        widths: (K,) int64, of the step of each line in pixels: 1 or 2
    """
    import numpy as np

    number, height, width = levels.shape
    shares: list[np.ndarray] = []
    columns: list[np.ndarray] = []
    counts: list[int] = []
    for share in step_shares(levels, (1, 2)):
        each = np.stack([share[:, a:b].mean(1) for a, b in _WINDOWS], 1)
        own = _likeliest(each[:, 0])
        if not columns:
            own = np.concatenate([own, _likeliest(each[:, 1:].max(1))], 1)
        columns.append(own)
        counts.append(own.shape[1])
        shares.append(np.take_along_axis(np.concatenate([share, each], 1), own[:, None], 2))
    widths = np.repeat([1, 2], counts)
    column, share = np.concatenate(columns, 1), np.concatenate(shares, 2)
    upright = levels if turned is None else turned.transpose(1, 2)
    coherence = lost_coherence(upright, column, widths)
    # on each side the pixel at the line and one that a soft edge does not reach, in every other row
    places = np.concatenate([column - 2, column, column + widths, column + widths + 2], 1)
    rows = height // SEGMENTS
    lines = _lines(upright, places.clip(0, width - 1))[..., : rows * SEGMENTS]
    sides = lines.reshape(number, -1, SEGMENTS, rows)[..., ::2].astype(np.int16)
    weights = share[:, :SEGMENTS].transpose(0, 2, 1)
    # a segment that the line only reaches into shows what is beyond its end
    weights = weights * (weights >= _REACHES * weights.max(2, keepdims=True))
    # what is steady where most of the steps are is a frame, a bar, a window of a screen
    strongest = np.tile(weights.argmax(2), (1, 4))[..., None]
    usual = np.take_along_axis(_medians(sides), strongest, 2)
    deviation = _medians(np.abs(sides - usual[..., None])).reshape(number, 4, -1, SEGMENTS) * weights[:, None]
    spread = [
        deviation[..., a:b].sum(-1) / np.maximum(weights[:, None, :, a:b].sum(-1), np.float32(1e-6))
        for a, b in _WINDOWS
    ]
    content = np.minimum(np.stack(spread, 1).min(2) / _CONTENT, 1)
    scores = np.sqrt(share[:, SEGMENTS:]) * coherence * content * one_way(upright, column, widths)
    wide = widths == 2
    scores[:, :1] *= np.where(wide, np.float32(_WIDE), 1)
    scores[:, 1:] *= np.where(wide, 0, np.float32(_HALF))
    return scores, column, widths


#: score, place as a share of the width or height, whether it is upright, its first segment and the end of its last one
_Candidate = tuple[float, float, bool, tuple[int, int]]


def _turned(levels: Tensor) -> Tensor:
    """Returns the pictures with rows and columns exchanged: (N, H, W) to (N, W, H)."""
    if not by_opencv(levels):
        return levels.transpose(1, 2).contiguous()
    import cv2

    # in a sixth of torch's time
    return together([cv2.transpose(picture) for picture in levels.numpy()])


def candidates(levels: Tensor) -> list[list[_Candidate]]:
    """Returns the likeliest lines of each picture, the likeliest first.

    Args:
        levels: (N, H, W) uint8
    """
    lines: list[list[_Candidate]] = [[] for _ in levels]
    turned = _turned(levels)
    for upright, pictures, other in ((True, levels, turned), (False, turned, levels)):
        scores, columns, widths = seam_scores(pictures, other)
        places = (columns + (1 + widths) / 2) / pictures.shape[2]
        best, window = scores.max(1), scores.argmax(1)
        for own, *facts in zip(lines, best.tolist(), window.tolist(), places.tolist(), strict=True):
            own.extend((score, place, upright, _WINDOWS[row]) for score, row, place in zip(*facts, strict=True))
    return [sorted(own, key=lambda line: -line[0]) for own in lines]


@dataclass(frozen=True)
class Seam(Check):
    """Seam: whether two parts of the picture do not meet at a straight line.

    A horizontal or vertical line, at a long side of at most 1024 pixels, with a step of one or two pixels' width and
    with content on both sides that does not go on across it. Lines that cross at least half of the picture are judged.
    Parts that differ in tone alone, and parts that were blended into each other, are not found, nor is a line with
    something plain on one side, which is what frames and margins are.
    """

    name: ClassVar[str] = "seam"
    version: ClassVar[int] = 5
    reference: ClassVar[str] = "A step against its parallels, as in blocking measures: Wang, Bovik, Evans, ICIP (2000)"
    license: ClassVar[str] = "Apache-2.0"
    whole_picture: ClassVar[str] = "a seam runs through the whole picture"
    long_side: ClassVar[int | None] = _LONG_SIDE
    boxes_field: ClassVar[str | None] = "flaws"
    default: ClassVar[bool] = False
    presets: ClassVar[tuple[str, ...]] = ("generated",)
    cost: ClassVar[float] = 5.0
    stateless: ClassVar[bool] = True
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            name="seam",
            unit="ratio",
            higher_is_better=False,
            bounds=(0.0, 1.0),
            description="How much the picture falls apart at one straight line, from 0 to 1.",
            default_threshold=Threshold(">", 0.27, provenance="flags none of 100 clean ImageNet photos"),
            failure="seam",
        ),
        Output(
            "seam_position",
            "share of the width or height",
            None,
            (0.0, 1.0),
            "Where the likeliest line is: from the left if it is vertical, else from the top.",
        ),
        Output(
            "seam_angle",
            "degrees counterclockwise from horizontal",
            None,
            (0.0, 90.0),
            "The direction of the likeliest line: 0 or 90.",
        ),
    )

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:
        threshold = self.outputs[0].default_threshold
        assert threshold is not None

        def score_picture(lines: list[_Candidate], long_side: int) -> SampleResult:
            boxes: list[Box] = []
            taken: list[tuple[bool, float]] = []
            thick = 4 / long_side
            for score, place, upright, (start, end) in lines:
                if score <= threshold.value:
                    break
                if any(upright == other and abs(place - where) < thick for other, where in taken):
                    continue
                taken.append((upright, place))
                along, long = start / SEGMENTS, (end - start) / SEGMENTS
                across = min(max(place - thick / 2, 0.0), 1 - thick)
                bounds = (across, along, thick, long) if upright else (along, across, long, thick)
                boxes.append(Box("seam", bounds, score, {"position": place}))
            score, place, upright, _ = lines[0]
            values = {"seam": score, "seam_position": place, "seam_angle": 90.0 if upright else 0.0}
            return SampleResult(values, boxes=tuple(boxes))

        def score_pictures(small: Luma) -> list[SampleResult]:
            height, width = small.shape
            if min(height, width) < _MIN_SIDE or max(height, width) < _MIN_LONG_SIDE:
                reason = f"too small to judge seams: {width} x {height} pixels"
                return [SampleResult({}, reason)] * len(small.levels)
            return [  # the plain ones are too few to be worth leaving out
                SampleResult({}, "too plain to judge seams") if plain else score_picture(lines, max(height, width))
                for plain, lines in zip((small.spread < _MIN_SPREAD).tolist(), candidates(small.levels), strict=True)
            ]

        return lambda batch: self.scores(score_pictures(batch.luma.at(_LONG_SIDE)), batch.pixels.device)
