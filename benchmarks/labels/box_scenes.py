"""Scenes of boxes, a model that sees them imperfectly, and what annotators do wrong: all of it of known truth.

The model is no copy of the truth: it misses small objects, puts boxes beside them, takes classes for one another (those
that look alike more often), sees some objects twice and some that are not there, and is about as sure as it is right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loupe.brain.labels.boxes import Boxes

CLASSES, WIDTH, HEIGHT = 10, 640, 480
KINDS = ("overlooked", "badly_located", "swapped")


def scenes(n: int, rng: np.random.Generator) -> Boxes:
    """Returns the true boxes of N pictures, 7 each on average; a third of them stands close to another one."""
    counts = 1 + rng.poisson(6, n)
    image = np.repeat(np.arange(n), counts)
    size = np.clip(np.exp(rng.normal(4.2, 0.7, len(image))), 12, 400)
    aspect = np.exp(rng.normal(0, 0.175, len(image)))
    sides = np.minimum(np.stack([size * aspect, size / aspect], axis=1), [WIDTH - 40, HEIGHT - 40])
    middle = rng.uniform(sides / 2, np.array([WIDTH, HEIGHT]) - sides / 2)
    weights = 1 / np.arange(1, CLASSES + 1)
    label = rng.choice(CLASSES, len(image), p=weights / weights.sum())
    close = (rng.random(len(image)) < 0.33) & np.r_[False, image[1:] == image[:-1]]
    for at in np.flatnonzero(close).tolist():
        middle[at] = middle[at - 1] + rng.normal(0, 0.6, 2) * sides[at - 1]
        label[at] = label[at - 1] if rng.random() < 0.7 else label[at]
    return _cut(image, label, np.concatenate([middle - sides / 2, middle + sides / 2], axis=1), min_side=6)


def seen(truth: Boxes, n: int, rng: np.random.Generator, *, ability: float = 1.0, sure: float = 1.0) -> Boxes:
    """Returns what a model says of the scenes.

    Args:
        truth: the true boxes
        n: how many pictures there are
        rng: decides what it misses
        ability: 1.3 is a good model, 0.85 a poor one
        sure: its confidences to this power: below 1 it is too sure of itself, above 1 not sure enough
    """
    sides = truth.corners[:, 2:] - truth.corners[:, :2]
    ease = 1 / (1 + np.exp(-1.5 * (np.log(np.sqrt(sides.prod(axis=1))) - 3.6)))
    ease = np.clip(1.1 * ability * ease * rng.beta(6, 1.5, len(truth)), 0, 1)
    confused = rng.random(len(truth)) < 0.03 + 0.18 * (1 - ease)
    other = np.where(rng.random(len(truth)) < 0.6, truth.label ^ 1, rng.integers(0, CLASSES, len(truth)))
    label = np.where(confused, other, truth.label)
    beside = (0.03 + 0.1 * (1 - ease))[:, None] * np.tile(sides, 2)
    corners = truth.corners + beside * rng.normal(size=(len(truth), 4))
    confidence = ease * rng.beta(8, 2, len(truth)) * np.where(label != truth.label, 0.75, 1)
    sees = rng.random(len(truth)) < 0.35 + 0.63 * ease
    twice = sees & (rng.random(len(truth)) < 0.05)
    doubled = truth.corners[twice] + 0.12 * np.tile(sides[twice], 2) * rng.normal(size=(int(twice.sum()), 4))
    nothing = np.repeat(np.arange(n), rng.poisson(1.5, n))
    size = np.clip(np.exp(rng.normal(3.9, 0.7, (len(nothing), 1))), 8, 300)
    middle = rng.uniform([0, 0], [WIDTH, HEIGHT], (len(nothing), 2))
    parts = (
        (truth.image[sees], label[sees], corners[sees], confidence[sees]),
        (truth.image[twice], label[twice], doubled, confidence[twice] * rng.uniform(0.2, 0.8, int(twice.sum()))),
        (
            nothing,
            rng.integers(0, CLASSES, len(nothing)),
            np.concatenate([middle - size / 2, middle + size / 2], axis=1),
            rng.beta(1.2, 4, len(nothing)),
        ),
    )
    image, label, corners, confidence = (np.concatenate(column) for column in zip(*parts, strict=True))
    return _cut(image, label, corners, np.clip(confidence, 0.01, 0.999) ** sure, min_side=2)


@dataclass(frozen=True, eq=False)
class Spoiled:
    """Given boxes with mistakes.

    Attributes:
        given: the boxes as given
        kind: (G,) what is wrong with each; empty where nothing is
        left_out: the true boxes that were overlooked
    """

    given: Boxes
    kind: np.ndarray
    left_out: Boxes


def spoiled(
    truth: Boxes, share: float, rng: np.random.Generator, kinds: tuple[str, ...] = KINDS, classes: int = CLASSES
) -> Spoiled:
    """Returns given boxes of which a share has a mistake of each kind.

    Overlooked: left out. Badly located: moved by 6 to 60 % of its sides and drawn larger or smaller. Swapped: half of
    them for the class that looks alike, half for any other.
    """
    label, corners = truth.label.copy(), truth.corners.copy()
    kind = np.full(len(truth), "", dtype=object)
    order, k = rng.permutation(len(truth)), round(share * len(truth))
    for at, name in enumerate(kinds):
        own = order[at * k : (at + 1) * k]
        kind[own] = name
        if name == "swapped":
            alike = label[own] ^ 1
            alike = np.where(alike < classes, alike, label[own] - 1)
            any_other = (label[own] + rng.integers(1, classes, len(own))) % classes
            label[own] = np.where(rng.random(len(own)) < 0.5, alike, any_other)
        if name == "badly_located":
            corners[own] = _moved(corners[own], rng)
    kept = kind != "overlooked"
    given = Boxes(truth.image, label, corners, truth.score, truth.crowd).take(kept)
    return Spoiled(given, kind[kept], truth.take(~kept))


def _moved(corners: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    n = len(corners)
    sides = corners[:, 2:] - corners[:, :2]
    by = rng.uniform(0.15, 0.6, (n, 2)) * rng.choice([-1, 1], (n, 2)) * np.where(rng.random((n, 2)) < 0.5, 1, 0.4)
    sides, middle = sides * np.exp(rng.normal(0, 0.25, (n, 2))), (corners[:, :2] + corners[:, 2:]) / 2 + by * sides
    return np.concatenate([middle - sides / 2, middle + sides / 2], axis=1)


def _cut(
    image: np.ndarray, label: np.ndarray, corners: np.ndarray, score: np.ndarray | None = None, *, min_side: float
) -> Boxes:
    """Returns boxes cut to the picture, by image; the surer first."""
    cut = np.clip(corners, 0, np.tile([WIDTH, HEIGHT], 2))
    score = np.full(len(image), np.nan) if score is None else score
    kept = (cut[:, 2:] - cut[:, :2] > min_side).all(axis=1)
    order = np.flatnonzero(kept)
    order = order[np.lexsort((-score[order], image[order]))]
    return Boxes(image, label, cut, score, np.zeros(len(image), dtype=bool)).take(order)
