"""Hands drawn with discs and lines, with the landmarks that a skeleton of five fingers would have."""

from __future__ import annotations

import cv2
import numpy as np

SIDE = 192
SKIN, GROUND = (214, 164, 140), (70, 90, 120)
#: a finger: its root from the middle of the palm, degrees from straight up, clockwise, and length
Part = tuple[tuple[float, float], float, float]
#: the thumb first
FAN: tuple[Part, ...] = (
    ((-26, 6), -58, 44),
    ((-25, -26), -17, 50),
    ((-9, -31), -5, 56),
    ((9, -30), 8, 52),
    ((25, -22), 23, 42),
)
#: two places for a sixth finger: beside the little one, and between thumb and index
BESIDE_LITTLE: Part = ((29, -4), 56, 40)
BESIDE_INDEX: Part = ((-29, -14), -38, 44)
_MIDDLE = np.array([96.0, 118.0])


def drawn(shown: tuple[int, ...] = (0, 1, 2, 3, 4), extra: Part | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Returns an outline, (192, 192) bool, and the landmarks of five fingers, (21, 2): the ones not shown are folded.

    Args:
        shown: the fingers of FAN that are stretched out
        extra: a sixth finger
    """
    hand = np.zeros((SIDE, SIDE), np.uint8)
    cv2.circle(hand, (96, 118), 35, 1, -1)
    cv2.rectangle(hand, (76, 130), (116, SIDE - 1), 1, -1)
    points = np.zeros((21, 2), np.float32)
    points[0] = _MIDDLE + [0, 36]
    for index, (start, angle, length) in enumerate([*FAN, *([extra] if extra else [])]):
        way = np.array([np.sin(np.radians(angle)), -np.cos(np.radians(angle))])
        root = _MIDDLE + start
        tip = root + way * (length - 7)
        if index == 5 or index in shown:
            cv2.line(hand, _whole(root), _whole(tip), 1, 13)
        if index < 5:
            # a folded finger lies on the palm
            end = tip if index in shown else root - 18 * way
            points[1 + 4 * index : 5 + 4 * index] = root + np.linspace(0, 1, 4)[:, None] * (end - root)
    points[1] = _MIDDLE + [-20, 22]
    return hand > 0, points


def as_picture(hand: np.ndarray, seed: int = 0) -> np.ndarray:
    """Returns (S, S, 3) uint8: the outline in the color of skin, with noise, before another color."""
    rng = np.random.default_rng(seed)
    flat = np.where(hand[..., None], SKIN, GROUND) + rng.normal(0, 4, (*hand.shape, 3))
    return np.asarray(cv2.GaussianBlur(flat.clip(0, 255).astype(np.uint8), (3, 3), 0))


def _whole(place: np.ndarray) -> tuple[int, int]:
    return round(float(place[0])), round(float(place[1]))
