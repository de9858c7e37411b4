"""How many fingers the outline of a hand has: what a skeleton, which always has five, cannot say.

What a disc wider than a finger has no room in is a finger. The count is compared with the fingers that the landmarks
see stretched out, and nothing is said where outline and landmarks do not fit each other: a hand that holds something,
that is hidden in part, that is a fist or seen from the side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from loupe.brain.core.records import Record
from loupe.brain.measures.anatomy.hand_outline import disc, like_ground, outline, palm_area, palm_length

#: the side of the patch that a hand is cut to, in pixels: a finger is then about 12 pixels wide
SIDE = 192
#: radii of the disc that no finger has room for, in radii of the palm; a finger is about 0.5 wide, two are 1
_DISCS = (0.5, 0.62, 0.75)
#: a finger sticks out at least that far, in radii of the palm
_MIN_LENGTH = 0.55
#: how wide a finger is, in radii of the palm
_NARROW, _WIDE = 0.2, 0.75
#: a landmark's finger is out if its tip is that far off the palm's body; it may be if it is farther than the second
_OUT, _MAYBE = 0.75, 0.3
#: fewer fingers that may be out are a fist: its outline shows no finger by itself
_OPEN = 1
_FIST = "no finger is stretched out"
#: the outer knuckles of a palm that is seen from the front are at least that far apart, in lengths of the palm
_FACING = 0.5


@dataclass(frozen=True)
class Count(Record):
    """The fingers of one outline.

    Attributes:
        seen: how many stick out of the palm; None where the outline cannot be counted
        min_expected, max_expected: how many the landmarks lead to expect
        extra: how many of those seen are none of the landmarks' five
        lost: how many that the landmarks see stretched out have no outline of their own
        reason: why ``seen`` is None; else empty
    """

    seen: int | None
    min_expected: int = 0
    max_expected: int = 5
    extra: int = 0
    lost: int = 0
    reason: str = ""

    @property
    def wrong(self) -> bool:
        """Whether the count contradicts the landmarks: a finger too many, one too few, or two without a gap."""
        if self.seen is None:
            return False
        return (
            self.seen > 5
            or (self.seen > self.max_expected and self.extra > 0)
            or (self.seen < self.min_expected and self.lost > 0)
        )


@dataclass(frozen=True, eq=False)
class Finger:
    """A part of an outline that sticks out.

    Attributes:
        pixels: (S, S) bool
        length: how far it sticks out of the palm, in radii of the palm
        width: of the largest circle in it, in radii of the palm
    """

    pixels: np.ndarray = field(repr=False)
    length: float
    width: float


def count(patch: np.ndarray, points: np.ndarray, inside: np.ndarray | None = None) -> Count:
    """Returns how many fingers stick out of the palm, against what the landmarks lead to expect.

    Args:
        patch: (S, S, 3) uint8 RGB around the whole hand, the fingers pointing up
        points: (21, 2) the landmarks in pixels of the patch
        inside: (S, S) bool: which pixels lie in the picture that the patch was cut from; all by default

    Example:
        >>> count(patch, points).seen  # doctest: +SKIP
        6
    """
    palm = palm_length(points)
    if palm < 1:
        return Count(None, reason="the palm is hidden")
    if float(np.linalg.norm(points[5] - points[17])) < _FACING * palm:
        return Count(None, reason="seen from the side")
    hand = outline(patch, points, inside)
    if isinstance(hand, str):
        return Count(None, reason=hand)
    return compare(hand, points, patch)


def compare(hand: np.ndarray, points: np.ndarray, patch: np.ndarray | None = None) -> Count:
    """Returns the count of an outline against landmarks.

    Args:
        hand: (S, S) bool, the fingers pointing up
        points: (21, 2) in pixels
        patch: (S, S, 3) uint8 RGB: where a finger is missing, what is behind it has to show; None: taken for granted
    """
    import cv2

    middle, radius = palm_circle(hand, points)
    if not 0.25 * palm_length(points) < radius < 0.8 * palm_length(points):
        return Count(None, reason="outline and landmarks do not fit each other")
    sets = [fingers(hand, middle, radius, share) for share in _DISCS]
    counts = [len(parts) for parts in sets]
    seen = max(set(counts), key=lambda n: (counts.count(n), n))
    if counts.count(seen) < 2:
        return Count(None, reason="the outline can be counted in several ways")
    chosen = sets[counts.index(seen)]
    body = cv2.morphologyEx(hand.astype(np.uint8), cv2.MORPH_OPEN, disc(_DISCS[-1] * radius))
    reach = _at(cv2.distanceTransform(1 - body, cv2.DIST_L2, 5), points[4::4]) / radius
    astray = _at(cv2.distanceTransform(1 - hand.astype(np.uint8), cv2.DIST_L2, 5), points) / radius > 0.2
    max_expected = int((reach > _MAYBE).sum())
    if max_expected < _OPEN:
        return Count(None, reason=_FIST)
    gone = np.flatnonzero(astray[4::4] & (reach > _MAYBE)).tolist()
    # one finger may be missing; more that are not there are a bad outline, or bad landmarks
    others = [point for point in range(21) if (point - 1) // 4 not in gone]
    if len(gone) > 1 or astray[others].sum() > 1:
        return Count(None, reason="outline and landmarks do not fit each other")
    if gone and patch is not None:
        bones = _path(points, gone[0])
        off = _at(cv2.distanceTransform(1 - hand.astype(np.uint8), cv2.DIST_L2, 5), bones) > 0.2 * radius
        if not like_ground(patch, hand, bones[off], 0.8 * radius):
            return Count(None, reason="a finger is hidden")
    out = sorted({*np.flatnonzero(reach > _OUT).tolist(), *gone})
    paths = [_path(points, finger) for finger in range(5)]
    present = [finger for finger in out if finger not in gone]
    min_expected = len(_groups(paths, present, 0.62 * radius)) + len(gone)
    extra = sum(not any(_share(finger, path[3:], 0.15 * radius) > 0.3 for path in paths) for finger in chosen)
    usual = float(np.median([finger.width for finger in chosen])) if chosen else 0.0
    lost = len(gone)
    for finger in chosen:
        mine = [paths[other] for other in present if _share(finger, paths[other], 0.1 * radius) > 0.5]
        lost += max(0, len(mine) - 1)
        # the landmarks drew two fingers into one: the second one is not there
        twice = sum(_together(first, second, radius) for first, second in pairwise(mine))
        if twice and finger.width < 1.2 * usual:
            min_expected = max(min_expected, seen + twice)
    if gone and len(present) <= seen <= max_expected - len(gone):  # each of the others has an outline of its own
        min_expected = max(min_expected, seen + len(gone))
    result = Count(seen, min_expected, max_expected, extra, lost)
    return _trusted(result, chosen, len(out))


def _trusted(result: Count, chosen: Sequence[Finger], out: int) -> Count:
    """The count, or unknown where something that sticks out is no single finger."""
    if not chosen:
        return Count(None, reason=_FIST)
    usual = float(np.median([finger.width for finger in chosen]))
    if any(finger.width < _NARROW for finger in chosen):
        return Count(None, reason="something else than a finger sticks out")
    if result.wrong:
        return result
    if len(chosen) < out or any(finger.width > min(1.4 * usual, _WIDE) for finger in chosen):
        return Count(None, reason="fingers lie together")
    if result.extra or result.lost or len(chosen) > result.max_expected:
        return Count(None, reason="outline and landmarks do not fit each other")
    return result


def palm_circle(hand: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, float]:
    """Returns the middle (2,) and the radius, in pixels, of the largest circle within the outline at the palm.

    Args:
        hand: (S, S) bool
        points: (21, 2) in pixels
    """
    import cv2

    deep = cv2.distanceTransform(np.pad(hand.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    deep = deep * palm_area(hand.shape, points)
    row, column = np.unravel_index(int(deep.argmax()), deep.shape)
    return np.array([column, row], np.float32), float(deep[row, column])


def fingers(hand: np.ndarray, middle: np.ndarray, radius: float, share: float) -> list[Finger]:
    """Returns what sticks out of the palm, but for the wrist.

    Args:
        hand: (S, S) bool
        middle, radius: of the palm, in pixels
        share: the radius of the disc that no finger has room for, in radii of the palm
    """
    import cv2

    whole = hand.astype(np.uint8)
    body = cv2.morphologyEx(whole, cv2.MORPH_OPEN, disc(share * radius))
    body = cv2.dilate(body, disc(0.08 * radius))
    rest = cv2.morphologyEx(whole & (1 - body), cv2.MORPH_OPEN, disc(1))
    number, parts = cv2.connectedComponents(rest, connectivity=4)
    off = cv2.distanceTransform(1 - body, cv2.DIST_L2, 5) / radius
    fingers_out = []
    for index in range(1, number):
        pixels = parts == index
        if np.nonzero(pixels)[0].mean() > middle[1] + 0.9 * radius:  # the wrist, and what hangs below it
            continue
        for branch in _branches(pixels, off):
            length, area = float(off[branch].max()), float(branch.sum()) / radius**2
            if length >= _MIN_LENGTH and area >= 0.05:
                deep = cv2.distanceTransform(branch.astype(np.uint8), cv2.DIST_L2, 5)
                fingers_out.append(Finger(branch, length, 2 * float(deep.max()) / radius))
    return fingers_out


def _branches(pixels: np.ndarray, off: np.ndarray) -> list[np.ndarray]:
    """The fingers of a part: fingers that touch at their roots have tips of their own.

    Args:
        pixels: (S, S) bool
        off: (S, S) how far each pixel is off the palm's body, in radii of the palm
    """
    import cv2

    best = [pixels]
    for level in np.arange(0.1, float(off[pixels].max()), 0.1):
        number, parts = cv2.connectedComponents((pixels & (off > level)).astype(np.uint8), connectivity=4)
        kept = [parts == index for index in range(1, number)]
        kept = [part for part in kept if off[part].max() - level >= 0.25]
        if len(kept) > len(best):
            best = kept
    return best


def _at(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(N,): the values of (S, S) at (N, 2) places in pixels, the nearest ones where they lie outside."""
    columns, rows = np.clip(np.round(places).astype(int), 0, values.shape[0] - 1).T
    return np.asarray(values[rows, columns])


def _share(finger: Finger, places: np.ndarray, around: float) -> float:
    """How many of (N, 2) places lie in a finger or nearer than ``around`` pixels, in [0, 1]."""
    import cv2

    wide = cv2.dilate(finger.pixels.astype(np.uint8), disc(around))
    return float(_at(wide, places).mean())


def _path(points: np.ndarray, finger: int) -> np.ndarray:
    """(11, 2): places along the last two bones of a finger, the tip last."""
    first, second, tip = points[2 + 4 * finger : 5 + 4 * finger]
    steps = np.linspace(0, 1, 6)[:, None]
    return np.concatenate([first + (second - first) * steps, second + (tip - second) * steps[1:]])


def _together(first: np.ndarray, second: np.ndarray, radius: float) -> bool:
    """Whether the ends of two fingers' paths lie nearer to each other than the middles of two fingers can."""
    return bool(np.linalg.norm(first[-5:] - second[-5:], axis=1).max() < 0.3 * radius)


def _groups(paths: Sequence[np.ndarray], out: Sequence[int], apart: float) -> list[list[int]]:
    """The stretched fingers, those together whose last bones come nearer to each other than ``apart`` pixels."""
    groups: list[list[int]] = []
    for finger in out:
        last = paths[groups[-1][-1]] if groups else None
        near = last is not None and np.linalg.norm(last[-4:, None] - paths[finger][None, -4:], axis=2).min() < apart
        if near:
            groups[-1].append(finger)
        else:
            groups.append([finger])
    return groups
