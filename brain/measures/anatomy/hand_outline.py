"""The outline of a hand: its pixels, told from what is around it by the colors of its own palm."""

from __future__ import annotations

import numpy as np

#: the points of the palm: the wrist, the thumb's root, the knuckles
PALM = (0, 1, 5, 9, 13, 17)


def palm_length(points: np.ndarray) -> float:
    """Returns how far the middle finger's knuckle is from the wrist, in pixels, by a hand's (21, 2) points."""
    return float(np.linalg.norm(points[9] - points[0]))


def disc(radius: float) -> np.ndarray:
    """Returns a (2 r + 1, 2 r + 1) uint8 disc for OpenCV's morphology, r being the rounded radius, at least 1."""
    whole = max(1, round(radius))
    y, x = np.mgrid[-whole : whole + 1, -whole : whole + 1]
    return (x * x + y * y <= whole * (whole + 0.5)).astype(np.uint8)


def palm_area(shape: tuple[int, ...], points: np.ndarray) -> np.ndarray:
    """Returns (H, W) uint8: 1 within the palm of a hand with these (21, 2) points, in pixels."""
    import cv2

    area = np.zeros(shape[:2], np.uint8)
    hull = cv2.convexHull(np.round(points[list(PALM)]).astype(np.int32))
    return np.asarray(cv2.fillConvexPoly(area, hull, 1))


def outline(patch: np.ndarray, points: np.ndarray, inside: np.ndarray | None = None) -> np.ndarray | str:
    """Returns the hand's pixels, (S, S) bool, or why they cannot be told from the others.

    Args:
        patch: (S, S, 3) uint8 RGB, the fingers pointing up
        points: (21, 2) in pixels of the patch
        inside: (S, S) bool: which pixels lie in the picture that the patch was cut from; all by default

    Source: GrabCut, Rother et al., SIGGRAPH 2004, started from the palm's colors and from what is far from every bone
    """
    import cv2

    palm = palm_length(points)
    core = cv2.erode(palm_area(patch.shape, points), disc(0.08 * palm))
    if core.sum() < 50:
        return "the palm is hidden"
    far = _from_bones(patch.shape, points)
    # below the wrist is the arm, which has the hand's color
    above = np.indices(core.shape)[0] < points[0, 1]
    ground = (far > 0.5 * palm) & above
    if inside is not None:
        ground &= inside
    if ground.mean() < 0.02:
        return "there is too little around the hand to compare it with"
    lab = cv2.cvtColor(patch, cv2.COLOR_RGB2LAB).astype(np.float32)
    distance = _from_colors(lab, lab[core > 0])
    if float(np.median(distance[ground])) < 3.5:
        return "what is around the hand looks like skin"
    alike = (distance < 4) | ((far < 0.06 * palm) & (distance < 9))
    labels = np.where(alike, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[(far > 0.9 * palm) & (distance > 4)] = cv2.GC_BGD
    labels[core > 0] = cv2.GC_FGD
    if not np.isin(labels, (cv2.GC_PR_BGD, cv2.GC_BGD)).any():
        return "what is around the hand looks like skin"
    cv2.setRNGSeed(0)  # GrabCut starts its clusters at random
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(cv2.cvtColor(patch, cv2.COLOR_RGB2BGR), labels, None, *models, 3, cv2.GC_INIT_WITH_MASK)
    mask = cv2.medianBlur(np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8), 3)
    if inside is not None:
        mask = mask & inside
    _, parts = cv2.connectedComponents(mask, connectivity=4)
    within = parts[(core > 0) & (parts > 0)]
    if len(within) < 0.8 * core.sum():
        return "the palm is not of one color"
    hand = parts == np.bincount(within).argmax()
    reached = hand & above
    edge = np.concatenate([reached[0], reached[:, 0], reached[:, -1]])
    if edge.mean() > 0.08 or reached.sum() > 0.6 * above.sum():
        return "what touches the hand looks like skin"
    return np.asarray(hand)


def like_ground(patch: np.ndarray, hand: np.ndarray, places: np.ndarray, reach: float) -> bool:
    """Returns whether the pixels at some places look like what is around the hand, and are not hidden by something.

    Args:
        patch: (S, S, 3) uint8 RGB
        hand: (S, S) bool: the outline
        places: (N, 2) in pixels, outside the outline
        reach: how wide a rim around the hand is looked at, in pixels
    """
    import cv2

    off = cv2.distanceTransform(1 - hand.astype(np.uint8), cv2.DIST_L2, 5)
    rim = (off > 0.15 * reach) & (off < reach)
    columns, rows = np.clip(np.round(places).astype(int), 0, patch.shape[0] - 1).T
    beside = np.zeros(hand.shape, np.uint8)
    beside[rows, columns] = 1
    beside = cv2.dilate(beside, disc(0.25 * reach)) > 0
    rim &= ~beside
    if rim.sum() < 50:
        return False
    lab = cv2.cvtColor(patch, cv2.COLOR_RGB2LAB).astype(np.float32)
    distance = _from_colors(lab, lab[rim])
    return bool(np.median(distance[rows, columns]) < 2.5)


def _from_bones(shape: tuple[int, ...], points: np.ndarray) -> np.ndarray:
    """(H, W) float32: how far each pixel is from the nearest bone, in pixels."""
    import cv2

    bones = np.ones(shape[:2], np.uint8)
    for finger in range(5):
        path = points[[0, *range(1 + 4 * finger, 5 + 4 * finger)]]
        cv2.polylines(bones, [np.round(path).astype(np.int32)], False, 0, 1)
    return np.asarray(cv2.distanceTransform(bones, cv2.DIST_L2, 5))


def _from_colors(lab: np.ndarray, sample: np.ndarray) -> np.ndarray:
    """(H, W): Mahalanobis distance of each pixel from the (N, 3) colors of a sample, its tenth farthest left out."""
    off = np.linalg.norm(sample - np.median(sample, 0), axis=1)
    kept = sample[off <= np.percentile(off, 90)]
    # no sample is as even as it seems: fingers are shaded more than the palm is
    spread = np.cov(kept.T) + np.diag([64.0, 9.0, 9.0])
    apart = lab - kept.mean(0)
    return np.asarray(np.sqrt(np.einsum("hwi,ij,hwj->hw", apart, np.linalg.inv(spread), apart)))
