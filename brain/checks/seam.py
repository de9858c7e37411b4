"""Whether there is a straight line where two parts of the picture do not meet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from loupe.brain.core.records import Box, Output, SampleResult, Scores, Threshold
from loupe.brain.core.specs import Check
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.imaging.luma import Luma, together
from loupe.brain.imaging.opencv import by_opencv
from loupe.brain.imaging.steps import SEGMENTS, step_shares

if TYPE_CHECKING:
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


def _lines(levels: Tensor, columns: Tensor) -> Tensor:
    """Returns columns of each picture, a row each: (N, H, W) levels and (N, K) columns to (N, K, H).

    Reading along them takes most of the time: it is quick where the levels are the view of a picture that lies turned.
    """
    import torch

    number, height, width = levels.shape
    first = torch.arange(number, device=levels.device)[:, None] * width
    lying = levels.transpose(1, 2).reshape(-1, height)
    return lying.index_select(0, (first + columns).flatten()).view(number, -1, height)


def lost_coherence(levels: Tensor, columns: Tensor, width: int | Tensor = 1) -> Tensor:
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
    import torch

    left = columns[..., None] + torch.tensor((0, *_REFERENCE), device=levels.device)
    apart = width if isinstance(width, int) else width[:, None]
    last = levels.shape[2] - 1
    left = torch.minimum(left.clamp(min=0) + apart, torch.full_like(left, last)) - apart
    lines = _lines(levels, torch.stack([left, left + apart], 1).flatten(1))
    rows = (levels.shape[1] - _LAG) // SEGMENTS
    if by_opencv(lines):
        sums = [_detail_by_opencv(picture, rows) for picture in lines]
        unlike, both = (torch.stack(some).view(*left.shape, SEGMENTS) for some in zip(*sums, strict=True))
    else:
        # which picture, which side, which line, which of those beside it, which segment
        detail = (lines[..., _LAG:].short() - lines[..., :-_LAG])[..., : rows * SEGMENTS]
        detail = detail.reshape(len(levels), 2, *left.shape[1:], SEGMENTS, rows)
        unlike = (detail[:, 0] - detail[:, 1]).abs_().sum(-1).float()
        both = detail.abs_().sum((1, -1)).float()
    all_of_it = both + rows * _MIN_DETAIL
    ratio = torch.stack([unlike[..., a:b].sum(-1) / all_of_it[..., a:b].sum(-1) for a, b in _WINDOWS], 1)
    line, beside = ratio[..., 0], ratio[..., 1:].amax(-1)
    return ((line - beside) / (1 - beside).clamp_min(1e-3)).clamp_(0, 1)


def _detail_by_opencv(lines: Tensor, rows: int) -> tuple[Tensor, Tensor]:
    """Returns how much the detail of (2 * K, H) lines, first those of one side, differs from one side to the other, and
    how much there is on both, in each segment of so many rows: (K * 8,) float32 each, of whole levels.
    """
    import cv2
    import numpy as np
    import torch

    first, last = (lines.numpy()[:, start : start + rows * SEGMENTS] for start in (0, _LAG))
    sides = np.split(cv2.subtract(last, first, dtype=cv2.CV_16S), 2)
    unlike, both = (
        torch.from_numpy(cv2.reduce(values.reshape(-1, rows), 1, cv2.REDUCE_SUM, dtype=cv2.CV_32F)[:, 0])
        for values in (cv2.absdiff(*sides), cv2.absdiff(last, first))
    )
    return unlike, both.view(2, -1).sum(0)


def one_way(levels: Tensor, columns: Tensor, width: int | Tensor = 1) -> Tensor:
    """Returns how much a line counts by the directions of its steps, over its height and over its halves.

    Where two pictures meet, some rows step up and others down. A horizon or the edge of a thing steps one way.

    Args:
        levels: (N, H, W) uint8
        columns: (N, K) int64, the columns before the lines
        width: of the step in pixels: one number, or one for each line

    Returns:
        (N, 4, K) float32 in [0.7, 1]; 1 where at least an eighth of the steps goes against the others
    """
    import torch

    rows = levels.shape[1] // SEGMENTS
    lines = _lines(levels, torch.cat([columns, columns + width], 1))[..., : rows * SEGMENTS].short()
    before, after = lines.reshape(len(levels), 2, -1, SEGMENTS, rows).unbind(1)
    step = after - before
    rise, fall = (
        torch.stack([counts[..., a:b].sum(-1) for a, b in _WINDOWS], 1)
        for counts in ((step >= _CLEAR_STEP).sum(-1).float(), (step <= -_CLEAR_STEP).sum(-1).float())
    )
    balance = 2 * torch.minimum(rise, fall) / (rise + fall).clamp_min(1)
    return _ONE_WAY + (1 - _ONE_WAY) * (balance / _MIXED).clamp_(max=1)


def _medians(values: Tensor) -> Tensor:
    """Returns the lower medians along the last axis: (..., N) to (...)."""
    import torch

    if values.device.type != "cpu":
        return values.median(-1).values
    import numpy as np

    # a fifth of the time
    middle = (values.shape[-1] - 1) // 2
    return torch.from_numpy(np.partition(values.numpy(), middle, axis=-1)[..., middle])


def seam_scores(levels: Tensor, turned: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
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
    import torch

    shares, columns = [], []
    for width, share in enumerate(step_shares(levels, (1, 2)), 1):
        each = torch.stack([share[:, a:b].mean(1) for a, b in _WINDOWS], 1)
        count = min(_CANDIDATES, share.shape[2])
        own = each[:, 0].topk(count).indices
        if width == 1:
            own = torch.cat([own, each[:, 1:].amax(1).topk(count).indices], 1)
        columns.append(own)
        shares.append(
            torch.cat([part.gather(2, own[:, None].expand(-1, part.shape[1], -1)) for part in (share, each)], 1)
        )
    widths = torch.cat([torch.full_like(own[0], width) for width, own in enumerate(columns, 1)])
    column, share = torch.cat(columns, 1), torch.cat(shares, 2)
    upright = levels if turned is None else turned.transpose(1, 2)
    coherence = lost_coherence(upright, column, widths)
    # on each side the pixel at the line and one that a soft edge does not reach, in every other row
    places = torch.cat([column - 2, column, column + widths, column + widths + 2], 1)
    rows = levels.shape[1] // SEGMENTS
    lines = _lines(upright, places.clamp(0, levels.shape[2] - 1))[..., : rows * SEGMENTS]
    sides = lines.reshape(len(levels), -1, SEGMENTS, rows)[..., ::2].float()
    weights = share[:, :SEGMENTS].transpose(1, 2)
    # a segment that the line only reaches into shows what is beyond its end
    weights = weights * (weights >= _REACHES * weights.amax(2, keepdim=True))
    # what is steady where most of the steps are is a frame, a bar, a window of a screen
    strongest = weights.argmax(2).repeat(1, 4)[..., None]
    usual = _medians(sides).gather(2, strongest)
    deviation = _medians((sides - usual[..., None]).abs_()).view(len(levels), 4, -1, SEGMENTS)
    spread = [
        (deviation[..., a:b] * weights[:, None, :, a:b]).sum(-1) / weights[:, None, :, a:b].sum(-1).clamp_min(1e-6)
        for a, b in _WINDOWS
    ]
    content = (torch.stack(spread, 1).amin(2) / _CONTENT).clamp_(max=1)
    scores = share[:, SEGMENTS:].sqrt() * coherence * content * one_way(upright, column, widths)
    wide = (widths == 2).float()
    scores[:, :1] *= 1 - (1 - _WIDE) * wide
    scores[:, 1:] *= _HALF * (1 - wide)
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
        places = (columns + (1 + widths.double()) / 2) / pictures.shape[2]
        best, window = scores.max(1)
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
    version: ClassVar[int] = 4
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
