"""Whether strong edges have bright or dark rims."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from loupe.brain.core.records import Box, Output, SampleResult, Scores, Threshold
from loupe.brain.core.specs import Check
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.imaging.edges import FAR, REACH, Edges, worst_places

if TYPE_CHECKING:
    from torch import Tensor

#: a rim that is seen is a share of the picture; at this size, what cameras sharpen is gone after two pixels
_LONG_SIDE = 512
#: the pixels after the edge, counted from 0, that a rim is looked for at: 2.5 to 4.5 pixels away, past the sharpening
_RIM = slice(2, 5)
#: the level of the sides that is the score: a rim need not be at each edge, and soft edges show none
_QUANTILE = 0.7
#: the steepest way back in a profile, as a share of the edge's own steepness: thin lines have more, rims less
_MAX_BACK = 0.35
#: room to black or white, as a share of the step, below which a rim would be cut off
_MIN_ROOM = 0.2
#: sides below which the quantile is chance
_MIN_SIDES = 16
#: pixels along the long side, below which edges of fine detail look like rims: of 100 clean photos that are scaled down
#: to 96, 160, 192 and 256 along it, 18, 7, 4 and none are flagged
_MIN_LONG_SIDE = 256
#: edges looked at along each axis, evenly over the picture: a quantile does not get better from more
_MAX_EDGES = 1000


def rims(profiles: Tensor) -> tuple[Tensor, Tensor]:
    """Returns how far each side of an edge goes past its own level, and which sides have room for a rim.

    Each side of a profile is a step away from the other one. Where it comes closer to black or white next to the edge
    than further away, there is a rim: as a share of the step, at each pixel away from the edge. An unsharp mask of the
    amount a and a radius far larger than the edge makes a rim of a / 2.

    Args:
        profiles: (K, 2 * REACH) luma across the edges, see ``loupe.brain.imaging.edges``

    Returns:
        (2 * K, REACH) float32, first the bright sides, then the dark ones, positive where there is a rim; 0 is the mean
        level 7 to 12 pixels away
        (2 * K,) bool: whether the level is at least a fifth of the step away from white or black
    """
    import torch

    # a profile a column: what is asked of all of them goes along whole rows
    levels = profiles.T.contiguous()
    left, right = levels[:FAR].mean(0), levels[-FAR:].mean(0)
    levels = torch.where(left > right, levels.flip(0), levels)
    dark, bright = torch.minimum(left, right), torch.maximum(left, right)
    step = (bright - dark).clamp_min(1e-6)
    above = (levels[REACH:] - bright) / step
    below = (dark - levels[:REACH].flip(0)) / step
    room = torch.cat((1 - bright, dark)) >= _MIN_ROOM * torch.cat((step, step))
    return torch.cat((above, below), 1).T, room


@dataclass(frozen=True)
class Halo(Check):
    """Halos: whether strong edges have bright or dark rims.

    From the luma across the strong edges, at a long side of at most 512 pixels: how far it goes past the level of its
    side 2.5 to 4.5 pixels away from the edge, at the upper three tenths of all sides. The one or two pixels that
    cameras sharpen by are not looked at. Sides that are nearly black or white are left out, for a rim has no room
    there, and so are thin lines. A halo much wider than 12 pixels is not found, nor one around a small part of the
    picture. The strongest sharpening leaves few even sides: a third of such pictures is unknown.
    """

    name: ClassVar[str] = "halo"
    version: ClassVar[int] = 6
    reference: ClassVar[str] = "Overshoot of the edge spread function, as in ISO 12233"
    license: ClassVar[str] = "Apache-2.0"
    long_side: ClassVar[int | None] = _LONG_SIDE
    boxes_field: ClassVar[str | None] = "flaws"
    default: ClassVar[bool] = False
    cost: ClassVar[float] = 3.0
    stateless: ClassVar[bool] = True
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            name="halo",
            unit="share of the step",
            higher_is_better=False,
            bounds=(-2.0, 2.0),
            description="How far the luma next to strong edges goes past the level of its side.",
            default_threshold=Threshold(">", 0.1, provenance="flags 1 of 100 clean ImageNet photos"),
            failure="halo",
        ),
        Output(
            "halo_width",
            "share of the long side",
            False,
            (0.0, 1.0),
            "How far from the edge the rims have fallen to a half, 0 where there are none.",
        ),
    )

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:
        import torch

        threshold = self.outputs[0].default_threshold
        assert threshold is not None

        def score_picture(strong: tuple[Edges, Edges], shape: tuple[int, int]) -> SampleResult:
            edges = [part.at(part.back <= _MAX_BACK).few(_MAX_EDGES) for part in strong]
            overshoots, room = rims(torch.cat([part.profiles for part in edges]))
            amounts = overshoots[:, _RIM].mean(1)
            if int(room.sum()) < _MIN_SIDES:
                return SampleResult({}, "too few strong edges to judge halos")
            score = float(amounts[room].quantile(_QUANTILE).clamp(-2, 2))
            if score <= threshold.value:
                return SampleResult({"halo": score, "halo_width": 0.0})
            profile = overshoots[room].quantile(_QUANTILE, dim=0)
            after = profile[_RIM.start :] < profile[_RIM].max() / 2
            width = (_RIM.start + int(after.float().argmax()) if after.any() else REACH) / max(shape)
            rows, columns = (torch.cat([getattr(part, name) for part in edges]) for name in ("rows", "columns"))
            amounts = torch.where(room, amounts, 0).clamp(0, 1)
            places = worst_places(rows.repeat(2), columns.repeat(2), amounts, shape)
            return SampleResult(
                {"halo": score, "halo_width": width}, boxes=tuple(Box("halo", place) for place in places)
            )

        def score(batch: ImageBatch) -> Scores:
            small = batch.luma.at(_LONG_SIDE)
            height, width = small.shape
            if min(height, width) < 2 * REACH + 2 or max(height, width) < _MIN_LONG_SIDE:
                reason = f"too small to judge halos: {width} x {height} pixels"
                return self.scores([SampleResult({}, reason)] * len(batch), batch.pixels.device)
            return self.scores([score_picture(edges, small.shape) for edges in small.edges], batch.pixels.device)

        return score
