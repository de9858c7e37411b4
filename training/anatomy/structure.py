"""Whether bones, joints, edges and skin fit each other: what the points of a hand say of the hand that is drawn there.

Four groups of numbers, each compared with those of real hands by its Mahalanobis distance (Ledoit and Wolf's shrunk
covariance, https://doi.org/10.1016/S0047-259X(03)00096-4): the bones' proportions, the joints' angles, how well the
points in space project onto those in the picture, and what lies along and beside each finger bone: its width by the
nearest strong edges, how strong they are, and how far its color is from the palm's.
"""

from __future__ import annotations

import math
from itertools import pairwise

import cv2
import numpy as np
from sklearn.covariance import LedoitWolf

from loupe.brain.measures.anatomy.hand_outline import palm_area, palm_length
from loupe.brain.measures.anatomy.hand_shape import BONES
from training.anatomy.crops import Crop

GROUPS = ("bones", "joints", "projection", "beside", "along")
#: the bones of the fingers, by their ends: the palm's rays left out
FINGER_BONES = tuple(bone for bone in BONES if bone[0] % 4 != 0)
#: places along a profile across a bone, in widths of a finger to either side
_REACH, _STEPS = 1.4, 29
#: how far outside of the knuckles' mean distance a finger's edge is looked for
_FINGERS = (1, 5, 9, 13, 17)


def _bones(world: np.ndarray) -> np.ndarray:
    lengths = np.log(np.maximum([np.linalg.norm(world[start] - world[end]) for start, end in BONES], 1e-4))
    return np.asarray(lengths - lengths.mean())


def _joints(world: np.ndarray) -> np.ndarray:
    """How far each joint bends, in radians, and how far the fingers spread: (19,)."""
    bends, firsts = [], []
    for first in _FINGERS:
        chain = np.diff(world[[0, first, first + 1, first + 2, first + 3]], axis=0)
        chain /= np.maximum(np.linalg.norm(chain, axis=1, keepdims=True), 1e-9)
        bends += [math.acos(float(np.clip(a @ b, -1, 1))) for a, b in pairwise(chain)]
        firsts.append(chain[1])
    spreads = [math.acos(float(np.clip(a @ b, -1, 1))) for a, b in pairwise(firsts)]
    return np.array([*bends, *spreads])


def _projection(hand: Crop) -> np.ndarray:
    """The residual of the best affine camera from the points in space to those in the patch, and that of each finger.

    The world's x and y are turned like the picture, the patch is upright: an affine camera takes that out, too.
    """
    places = np.column_stack([hand.world, np.ones(21)])
    fitted = places @ np.linalg.lstsq(places, hand.points, rcond=None)[0]
    off = np.linalg.norm(fitted - hand.points, axis=1) / max(float(np.ptp(hand.points, 0).max()), 1e-6)
    return np.log([off.mean() + 1e-3, *(off[first : first + 4].mean() + 1e-3 for first in _FINGERS)])


def _read(picture: np.ndarray, places: np.ndarray) -> np.ndarray:
    at = places.reshape(-1, 1, 2).astype(np.float32)
    values = cv2.remap(picture, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(values.reshape(*places.shape[:-1], -1))


def _across(hand: Crop) -> tuple[np.ndarray, np.ndarray]:
    """What lies beside each finger bone, (15 bones x 3,), and along it, (15 x 2,)."""
    lab = cv2.cvtColor(hand.patch, cv2.COLOR_RGB2LAB).astype(np.float32)
    smooth = cv2.GaussianBlur(lab, (0, 0), 1.5)
    gx, gy = (cv2.Sobel(smooth, cv2.CV_32F, dx, dy, ksize=3) / 8 for dx, dy in ((1, 0), (0, 1)))
    palm = palm_length(hand.points)
    core = palm_area(lab.shape, hand.points) > 0
    skin = lab[core] if core.sum() > 50 else lab.reshape(-1, 3)
    middle, spread = np.median(skin, 0), skin.std(0) + np.array([8, 3, 3])
    width = max(palm / 3.2, 4.0)
    beside, along = [], []
    for start, end in FINGER_BONES:
        a, b = hand.points[start], hand.points[end]
        way = (b - a) / max(float(np.linalg.norm(b - a)), 1e-6)
        normal = np.array([-way[1], way[0]], np.float32)
        shares = np.linspace(0.2, 0.8, 5)[:, None] * (b - a) + a
        steps = np.linspace(-_REACH, _REACH, _STEPS) * width
        places = shares[:, None] + steps[None, :, None] * normal
        # how fast the color changes across the bone, in lightness and hue together
        slopes = _read(gx, places) * normal[0] + _read(gy, places) * normal[1]
        edge = np.linalg.norm(slopes, axis=-1).mean(0)
        half = _STEPS // 2
        left, right = edge[half::-1], edge[half:]
        skipped = 2
        near = [int(np.argmax(part[skipped : half // 2 + 4])) + skipped for part in (left, right)]
        strength = [float(part[at]) for part, at in zip((left, right), near, strict=True)]
        inner = float(edge[half - near[0] + 2 : half + near[1] - 1].max(initial=0.1))
        beside += [
            math.log((near[0] + near[1]) * 2 * _REACH / (_STEPS - 1)),
            math.log(min(strength) + 0.5),
            math.log((min(strength) + 0.5) / (inner + 0.5)),
        ]
        colors = (_read(smooth, shares) - middle) / spread
        off = np.linalg.norm(colors, axis=-1)
        along += [math.log(float(off.mean()) + 0.1), math.log(float(off.std()) + 0.1)]
    return np.array(beside), np.array(along)


def numbers(hand: Crop) -> dict[str, np.ndarray]:
    """Returns the numbers of each group."""
    beside, along = _across(hand)
    return {
        "bones": _bones(hand.world),
        "joints": _joints(hand.world),
        "projection": _projection(hand),
        "beside": beside,
        "along": along,
    }


class Density:
    """What is usual of real hands, and how unusual another one is.

    Args:
        real: the numbers of real hands
    """

    def __init__(self, real: list[dict[str, np.ndarray]]) -> None:
        self._fits = {group: LedoitWolf().fit(np.array([hand[group] for hand in real])) for group in GROUPS}

    def features(self, hand: dict[str, np.ndarray]) -> np.ndarray:
        """Returns the logarithms of a hand's Mahalanobis distances: (5,) float64 in the order of ``GROUPS``."""
        distances = [float(self._fits[group].mahalanobis(hand[group][None])[0]) for group in GROUPS]
        return np.log(np.maximum(distances, 1e-9)) / 2
