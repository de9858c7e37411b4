"""How plausible a hand's landmarks are: bones, joints, order of the fingers, and how steady they are from view to view.

The landmark model draws a sound hand whatever it is shown, so its bones and joints say little. What says more is
whether it draws the same hand when the picture is mirrored, turned and scaled: at a malformed hand its passes disagree.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loupe.brain.core.records import Record

#: the bones, by the points at their two ends: the palm's rays and the thumb's, then each finger's
BONES = tuple(
    (0 if joint == 0 else first + joint - 1, first + joint) for first in (1, 5, 9, 13, 17) for joint in range(4)
)
# fmt: off
#: in the order of BONES, of 311 real hands (even-numbered files of the sign digits): the mean of log(length / geometric
#: mean of all bones of the hand), and its standard deviation
_BONE_MEANS = np.array([
    0.098, -0.077, 0.043, -0.155, 1.053, -0.150, -0.506, -0.234, 1.027, 0.086,
    -0.308, -0.337, 0.989, -0.103, -0.362, -0.400, 0.872, -0.437, -0.515, -0.583,
])
_BONE_SPREADS = np.array([
    0.073, 0.070, 0.081, 0.135, 0.042, 0.061, 0.106, 0.100, 0.043, 0.049,
    0.084, 0.168, 0.039, 0.050, 0.090, 0.134, 0.042, 0.095, 0.117, 0.137,
])
# fmt: on
#: how far a finger's joints may bend, in degrees, the knuckle first: none of those 311 hands bends one farther
_MAX_BENT = (95.0, 105.0, 105.0)


@dataclass(frozen=True)
class Shape(Record):
    """What the landmarks of one hand look like.

    Attributes:
        bones: root mean square of the bones' log-lengths off those of real hands, in standard deviations; 1 is usual
        bent: by how many degrees the worst joint is bent beyond what a joint can, 0 if none is
        crossed: how many neighboring fingers have changed places between knuckles and tips
    """

    bones: float
    bent: float
    crossed: int


@dataclass(frozen=True, eq=False)
class View:
    """What one pass of the landmark model gives, put back into the upright, unmirrored picture.

    Attributes:
        points: (21, 2) in pixels
        world: (21, 3) in meters
        presence: in [0, 1]
    """

    points: np.ndarray
    world: np.ndarray
    presence: float


@dataclass(frozen=True)
class Steadiness(Record):
    """How far passes over the same hand disagree. All are worse where higher.

    Attributes:
        mirrored: mean distance of the points in the mirrored picture, over the longer side of the hand
        world: mean distance of the points in space over all views, in decimeters
        absent: 1 - the lowest presence of all views, in [0, 1]
    """

    mirrored: float
    world: float
    absent: float


def shape(world: np.ndarray, points: np.ndarray) -> Shape:
    """Returns what a hand's landmarks look like.

    Args:
        world: (21, 3) in meters
        points: (21, 2) in pixels
    """
    off = (_proportions(world) - _BONE_MEANS) / _BONE_SPREADS
    return Shape(float(np.sqrt((off**2).mean())), _overbent(world), crossed(points))


def apart(first: np.ndarray, second: np.ndarray) -> float:
    """Returns how far two hands differ in the proportions of their bones, whatever their size and whichever their side.

    Root mean square of the differences of the bones' log-lengths, in standard deviations of real hands; 0 is the same.
    Told and not judged by: between hands of different people that make different signs, all open (even-numbered files
    of the sign digits), 5 % of the pairs are above 1.8 and 1 % above 2.1; of 60 hands that a finger was taken from 10
    are above 2.0 against another's whole hand, of which only 1 had been called sound; a sixth finger and fused ones
    change nothing, since the landmark model draws a sound hand.

    Args:
        one, second: (21, 3) in meters
    """
    return float(np.sqrt((((_proportions(first) - _proportions(second)) / _BONE_SPREADS) ** 2).mean()))


def _proportions(world: np.ndarray) -> np.ndarray:
    """(20,): log of each bone's length over the geometric mean of all."""
    lengths = np.log(np.maximum([np.linalg.norm(world[start] - world[end]) for start, end in BONES], 1e-4))
    return lengths - lengths.mean()


def _overbent(world: np.ndarray) -> float:
    worst = 0.0
    for first in (1, 5, 9, 13, 17):
        chain = world[[0, first, first + 1, first + 2, first + 3]]
        bones = np.diff(chain, axis=0)
        for limit, before, after in zip(_MAX_BENT, bones[:-1], bones[1:], strict=True):
            cosine = float(before @ after) / max(float(np.linalg.norm(before) * np.linalg.norm(after)), 1e-12)
            worst = max(worst, math.degrees(math.acos(min(1.0, max(-1.0, cosine)))) - limit)
    return worst


def crossed(points: np.ndarray) -> int:
    """Returns how many of the three pairs of neighboring long fingers cross each other, by (21, 2) points.

    >>> crossed(np.zeros((21, 2)))
    0
    """
    pairs = 0
    for first in (5, 9, 13):
        left, right = points[first : first + 4], points[first + 4 : first + 8]
        pairs += any(_cross(*left[a : a + 2], *right[b : b + 2]) for a in range(3) for b in range(3))
    return pairs


def _cross(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> bool:
    """Whether the lines a-b and c-d cut each other."""

    def side(start: np.ndarray, end: np.ndarray, place: np.ndarray) -> float:
        (ux, uy), (vx, vy) = end - start, place - start
        return float(ux * vy - uy * vx)

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0


def steadiness(first: View, mirrored: View, others: Sequence[View]) -> Steadiness:
    """Returns how far the passes over a hand disagree with the first one.

    Args:
        first: the hand as it was found
        mirrored: of the mirrored picture
        others: of the picture turned and scaled a little
    """
    views = [*others, mirrored]
    side = max(float(np.ptp(first.points, 0).max()), 1e-6)
    middle = first.world - first.world.mean(0)
    apart = [np.linalg.norm(view.world - view.world.mean(0) - middle, axis=1).mean() for view in views]
    return Steadiness(
        mirrored=float(np.linalg.norm(mirrored.points - first.points, axis=1).mean()) / side,
        world=float(np.mean(apart)) * 10,
        absent=1 - min(view.presence for view in views),
    )


#: of each term of ``implausibility`` the mean and the standard deviation over the 77 hands of at least 60 pixels in the
#: even-numbered half of 80 generated pictures (SDXL, people) that experts graded; all terms have the same weight
_TERMS = {"mirrored": (-2.83, 0.76), "world": (-2.43, 0.44), "absent": (-1.21, 2.57), "unsure": (-1.97, 0.88)}


def implausibility(steady: Steadiness, score: float) -> float:
    """Returns how unsure the models are of a hand's shape: in [0, 1], 0.5 for a usual hand of a generated picture.

    The mean of four standardized logarithms, through a sigmoid: how far the mirrored view and all views disagree, how
    near the landmark model came to seeing no hand, and how unsure the palm detector was. A rank, not a probability:
    blur, gloves and a hand that is half hidden raise it, too.

    Args:
        steady: of the hand
        score: the palm detector's, in [0, 1]
    """
    absent = min(max(steady.absent, 1e-3), 1 - 1e-3)
    values = {
        "mirrored": math.log(steady.mirrored + 1e-3),
        "world": math.log(steady.world + 1e-3),
        "absent": math.log(absent / (1 - absent)),
        "unsure": math.log(1 - min(max(score, 0.0), 1.0) + 1e-3),
    }
    mean = sum((values[name] - middle) / spread for name, (middle, spread) in _TERMS.items()) / len(_TERMS)
    return 1 / (1 + math.exp(-min(max(1.7 * mean, -30.0), 30.0)))
