"""Whether several looks at one hand agree: two landmark networks, each shown it mirrored, turned, scaled and changed.

A landmark network draws a sound hand into whatever it is shown. Where that hand is really there, all looks draw the
same one; at a malformed hand they need not.
"""

from __future__ import annotations

import math
from functools import cache

import cv2
import numpy as np

from loupe.brain.perception import weights
from loupe.brain.perception.landmarks import crop
from loupe.brain.perception.landmarks.crop import Roi
from loupe.brain.perception.landmarks.litert import Model
from training.anatomy.crops import Crop

NETWORKS = ("hand_landmark_full", "hand_landmark_lite")
#: by how many radians a look is turned, how far scaled and moved, in sides of the region, and whether it is mirrored
LOOKS = (
    *((0.0, 1.0, 0.0, 0.0, False), (0.26, 1.0, 0.0, 0.0, False), (-0.26, 1.0, 0.0, 0.0, False)),
    *((0.52, 1.0, 0.0, 0.0, False), (-0.52, 1.0, 0.0, 0.0, False), (0.0, 0.85, 0.0, 0.0, False)),
    *((0.0, 1.2, 0.0, 0.0, False), (0.0, 1.0, 0.06, 0.06, False), (0.0, 1.0, -0.06, -0.06, False)),
    *((0.0, 1.0, 0.0, 0.0, True), (0.2, 1.1, 0.0, 0.0, True), (-0.2, 0.9, 0.0, 0.0, True)),
)
#: also shown as it lies, by name: darker, lighter, blurred, in gray
_CHANGES = ("darker", "lighter", "blurred", "grey")
TIPS = (4, 8, 12, 16, 20)
#: what ``features`` gives, in its order; all are worse where higher
NAMES = ("points", "tips", "worst_finger", "world", "networks", "absent", "worst_absent", "sides")


@cache
def _network(name: str) -> Model:
    return Model(weights.path(name))


def changed(patch: np.ndarray, how: str) -> np.ndarray:
    """Returns a patch, (S, S, 3) uint8 RGB, "darker", "lighter", "blurred" or in "gray"."""
    if how == "blurred":
        return np.asarray(cv2.GaussianBlur(patch, (0, 0), 3))
    if how == "grey":
        return np.repeat(cv2.cvtColor(patch, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    gamma = 1.6 if how == "darker" else 0.6
    return np.asarray((255 * (patch / 255) ** gamma).round().astype(np.uint8))


def look(network: str, patch: np.ndarray, roi: Roi, mirrored: bool) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Returns what one look of a network gives, in the upright, unmirrored patch.

    (21, 2) points in sides of the patch, (21, 3) points in meters, presence, how likely it is a right hand.
    """
    side = patch.shape[0]
    shown = np.ascontiguousarray(patch[:, ::-1]) if mirrored else patch
    model = _network(network)
    numbers, presence, right, world = model(crop.cut(shown, roi, model.size, border=True))
    points = crop.project(numbers.reshape(21, 3)[:, :2] / model.size, roi) / side
    metres = world.reshape(21, 3).copy()
    metres[:, :2] = crop.turned(metres[:, :2], roi.angle)
    handed = right.item()
    if mirrored:
        points[:, 0] = 1 - points[:, 0]
        metres[:, 0] *= -1
        handed = 1 - handed
    return points, metres - metres.mean(0), presence.item(), handed


def looks(hand: Crop) -> dict[str, list[tuple[np.ndarray, np.ndarray, float, float]]]:
    """Returns all looks at a hand by the networks' names, the plain one first."""
    region = hand.region
    rois = [
        (
            Roi(region.x + dx * region.side, region.y + dy * region.side, region.side * scale, angle),
            mirrored,
        )
        for angle, scale, dx, dy, mirrored in LOOKS
    ]
    others = [changed(hand.patch, how) for how in _CHANGES]
    return {
        network: [look(network, hand.patch, roi, mirrored) for roi, mirrored in rois]
        + [look(network, patch, region, False) for patch in others]
        for network in NETWORKS
    }


def logit(value: float) -> float:
    """Returns the logarithm of the odds of a share in [0, 1], at most 9.2 either way."""
    kept = min(max(value, 1e-4), 1 - 1e-4)
    return math.log(kept / (1 - kept))


def features(hand: Crop) -> np.ndarray:
    """Returns how far the looks at a hand disagree: (8,) float64 in the order of ``NAMES``, each a logarithm."""
    seen = looks(hand)
    spreads, spaces, absent, handed, middles = [], [], [], [], []
    for views in seen.values():
        points = np.array([view[0] for view in views])
        side = max(float(np.ptp(np.median(points, 0), 0).max()), 1e-6)
        middles.append(np.median(points, 0) / side)
        spreads.append(np.linalg.norm(points - np.median(points, 0), axis=-1).mean(0) / side)
        metres = np.array([view[1] for view in views])
        spaces.append(10 * np.linalg.norm(metres - np.median(metres, 0), axis=-1).mean())
        absent.append([-logit(view[2]) for view in views])
        handed.append([view[3] for view in views])
    spread = np.mean(spreads, 0)
    fingers = [spread[first : first + 4].mean() for first in (1, 5, 9, 13, 17)]
    apart = np.linalg.norm(middles[0] - middles[1], axis=-1).mean()
    right = np.array(handed)
    unsure = float(np.mean(np.minimum(right, 1 - right)) + np.abs(right.mean(1)[0] - right.mean(1)[1]))
    lengths = [spread.mean(), spread[list(TIPS)].mean(), max(fingers), np.mean(spaces), apart]
    return np.array(
        [
            *(math.log(float(length) + 1e-3) for length in lengths),
            float(np.mean(absent)),
            float(np.max(absent)),
            math.log(unsure + 1e-3),
        ]
    )
