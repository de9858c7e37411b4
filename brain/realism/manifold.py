"""Precision, recall, density, coverage and authenticity, with what a second real set of the same size would have."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from loupe.brain.core.errors import InputError
from loupe.brain.realism.balls import Balls, Counts, Members
from loupe.brain.realism.nearest import Nearest, Turned, radii
from loupe.brain.realism.tiles import Reader, stream
from loupe.brain.stats import ball_coverage

#: nearest neighbor that a ball reaches to, as in the papers
K = 5
#: splits of the real set that say what chance alone does
SPLITS = 12
#: lists are so long that a half of a set nearly never has fewer than k of them: below 1e-8 at k = 5
_LISTED = 48
#: of the real vectors nearest to each synthetic one so many are kept: a half of the set has none of them below 1e-7
_CROSS = 24
#: sorted indices of a half of the real set, of others of it, and of synthetic vectors
Part: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray]
#: a half, squared: copies lie nearer than that part of what is usual
_COPY = 0.25
NAMES = ("precision", "recall", "density", "coverage", "authenticity")


@dataclass(frozen=True, eq=False)
class Lists:
    """The nearest within a set: (N, L) squared distances and indices, nearest first."""

    squared: np.ndarray
    index: np.ndarray


@dataclass(frozen=True, eq=False)
class Manifold:
    """How a synthetic set lies to a real one.

    Attributes:
        values: of all vectors: ``precision``, ``recall``, ``density``, ``coverage``, ``authenticity``, and
            ``clipped_density`` and ``clipped_coverage``, which are 1 for a perfect set
        matched: (S,) of parts of the sets, for each name of ``NAMES``: half of the real set against as many synthetic
        null: (S,) of the same half against the other half
        n_matched: vectors on the real and on the other side of a part
        covered: (N,) bool: a synthetic vector lies in the real one's ball
        recalled: (N,) bool: the real vector lies in a synthetic one's ball
        inside: (M,) bool: the synthetic vector lies in a real one's ball
        nearest_synthetic, nearest_real: (N,) and (M,) int64: of the other set
        synthetic_distance, real_distance: (N,) and (M,) float32: how far that is
        nearest_other: (N,) float32: how far each real vector's nearest other real one is
        copies: the share of synthetic vectors that lie less than half as far from a real one as its nearest other
            real one does, and the share of real vectors that do
        authentic: (M,) bool: a synthetic vector's nearest real one has a real one that is nearer to it
    """

    values: dict[str, float]
    matched: dict[str, np.ndarray]
    null: dict[str, np.ndarray]
    n_matched: tuple[int, int]
    covered: np.ndarray
    recalled: np.ndarray
    inside: np.ndarray
    nearest_synthetic: np.ndarray
    nearest_real: np.ndarray
    synthetic_distance: np.ndarray
    real_distance: np.ndarray
    nearest_other: np.ndarray
    copies: tuple[float, float]
    authentic: np.ndarray
    k: int = K


def parts(n_real: int, n_synthetic: int, splits: int, rng: np.random.Generator) -> list[Part]:
    """Returns for each split the sorted indices of a half of the real set, of others of it, and of synthetic vectors.

    The second and third are equally many, so that what is said of either can be compared.
    """
    half = n_real // 2
    other = min(n_real - half, n_synthetic)
    made: list[Part] = []
    for _ in range(splits):
        order = rng.permutation(n_real)
        chosen = rng.permutation(n_synthetic)[:other]
        made.append((np.sort(order[:half]), np.sort(order[half : half + other]), np.sort(chosen)))
    return made


def measure(
    real: np.ndarray,
    synthetic: np.ndarray,
    *,
    k: int = K,
    splits: int = SPLITS,
    seed: int = 0,
    device: str = "cpu",
    readers: tuple[Sequence[Reader], Sequence[Reader], Sequence[Reader]] = ((), (), ()),
    step: Callable[[int, int], None] = lambda done, total: None,
) -> Manifold:
    """Returns how a synthetic set lies to a real one.

    Kynkäänniemi et al., Improved Precision and Recall Metric, NeurIPS 2019; Naeem et al., Reliable Fidelity and
    Diversity Metrics, ICML 2020; Alaa et al., How Faithful is your Synthetic Data?, ICML 2022; the clipped ones by
    Salvy et al., arXiv:2507.01761. Neither order nor tile size changes anything.

    Args:
        real, synthetic: (N, D) and (M, D) float32, finite; about the real ones' center they are most exact
        k: the nearest neighbor that a ball reaches to
        splits: of the real set
        seed: decides the splits
        device: where distances are made
        readers: more readers of the distances within the real set, within the synthetic one, and across
        step: called with how many rows are done of how many

    Raises:
        InputError: a set has fewer than 2 (k + 1) vectors
    """
    n, m = len(real), len(synthetic)
    if min(n, m) < 2 * (k + 1):
        raise InputError(f"expected at least {2 * (k + 1)} vectors on each side, got {n:,} real and {m:,} synthetic")
    total, rng = 2 * n + m, np.random.default_rng(seed)
    drawn = parts(n, m, splits, rng)
    # the lists of a set are to hold k of a part: the smaller the part, the longer they are
    longer = math.ceil(_LISTED * max(1.0, m / (2 * len(drawn[0][2])))) if drawn else _LISTED
    own = Nearest(n, min(_LISTED, n - 1), of_itself=True)
    theirs = Nearest(m, min(longer, m - 1), of_itself=True)
    stream(real, None, [own, *readers[0]], device=device, step=lambda done: step(done, total))
    stream(synthetic, None, [theirs, *readers[1]], device=device, step=lambda done: step(n + done, total))
    ours, others = Lists(*own.lists()), Lists(*theirs.lists())

    radius, other_radius = ours.squared[:, k - 1], others.squared[:, k - 1]
    clipped = np.minimum(radius, np.float32(np.median(radius)))
    members = [
        (np.arange(n), np.arange(m), radius, other_radius),
        *(_radii(ours, others, a, s, k) for a, _, s in drawn),
    ]
    balls = Balls(members, (n, m), clipped)
    closest, reals = Nearest(n, 1), Turned(m, min(_CROSS, n) if drawn else 1)
    stream(
        real, synthetic, [balls, closest, reals, *readers[2]], device=device,
        step=lambda done: step(n + m + done, total),
    )  # fmt: skip
    whole, of_parts = balls.counts[0], balls.counts[1:]
    real_lists = Lists(*reals.lists())
    nearest, squared = real_lists.index[:, 0], real_lists.squared[:, 0]
    authentic = squared > ours.squared[nearest, 0]
    matched = [
        _shares(counts, k) | {"authenticity": float(_authentic(ours, real_lists, a, s).mean())}
        for (a, _, s), counts in zip(drawn, of_parts, strict=True)
    ]
    null = [_between_halves(ours, a, b, k) for a, b, _ in drawn]
    return Manifold(
        values={
            **_shares(whole, k),
            "authenticity": float(authentic.mean()),
            "clipped_density": _clipped_density(whole, ours, clipped, k),
            "clipped_coverage": ball_coverage.good_share(float(np.minimum(whole.held / k, 1).mean()), n, m, k),
        },
        matched=_columns(matched),
        null=_columns(null),
        n_matched=(len(drawn[0][0]), len(drawn[0][1])) if drawn else (0, 0),
        covered=whole.held > 0,
        recalled=whole.recalled,
        inside=whole.inside,
        nearest_synthetic=closest.index[:, 0].numpy(),
        nearest_real=nearest,
        synthetic_distance=np.sqrt(closest.squared[:, 0].numpy()),
        real_distance=np.sqrt(squared),
        nearest_other=np.sqrt(ours.squared[:, 0]),
        copies=(float((squared < _COPY * ours.squared[nearest, 0]).mean()), _real_copies(ours)),
        authentic=authentic,
        k=k,
    )


def _shares(counts: Counts, k: int) -> dict[str, float]:
    return {
        "precision": float(counts.inside.mean()),
        "recall": float(counts.recalled.mean()),
        "density": float(counts.held.sum() / (k * len(counts.inside))),
        "coverage": float((counts.held > 0).mean()),
    }


def _columns(rows: list[dict[str, float]]) -> dict[str, np.ndarray]:
    return {name: np.array([row[name] for row in rows]) for name in NAMES}


def _within(n: int, members: np.ndarray) -> np.ndarray:
    inside = np.zeros(n, dtype=bool)
    inside[members] = True
    return inside


def _radii(ours: Lists, others: Lists, real: np.ndarray, synthetic: np.ndarray, k: int) -> Members:
    """Returns a part of both sets with the radii that its vectors have among themselves."""
    return real, synthetic, _radii_of(ours, real, k), _radii_of(others, synthetic, k)


def _radii_of(lists: Lists, members: np.ndarray, k: int) -> np.ndarray:
    inside = _within(len(lists.index), members)
    return radii(lists.squared[members], lists.index[members], inside, k)


def _authentic(ours: Lists, reals: Lists, real: np.ndarray, synthetic: np.ndarray) -> np.ndarray:
    """Returns of a part which synthetic vectors are farther from their nearest real one than a real one is: (B,) bool.

    Args:
        ours: the real vectors nearest to each real one
        reals: those nearest to each synthetic one
        real, synthetic: the part
    """
    first, distance = _first_of(reals, synthetic, _within(len(ours.index), real))
    nearer = np.full(len(ours.index), np.inf, np.float32)
    nearer[real] = _nearest_other(ours, real)
    return np.asarray(distance > nearer[first])


def _first_of(lists: Lists, rows: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns of rows of lists the nearest that is of a part, and how far it is, squared."""
    place = inside[lists.index[rows]].argmax(axis=1)[:, None]
    return (
        np.take_along_axis(lists.index[rows], place, 1)[:, 0],
        np.take_along_axis(lists.squared[rows], place, 1)[:, 0],
    )


def _nearest_other(ours: Lists, members: np.ndarray) -> np.ndarray:
    return _radii_of(ours, members, 1)


def _between_halves(ours: Lists, a: np.ndarray, b: np.ndarray, k: int) -> dict[str, float]:
    """Returns what one half of the real set says of another, from the lists: a ball never reaches beyond its list."""
    n = len(ours.index)
    in_a, in_b = _within(n, a), _within(n, b)
    radius, other_radius = _radii_of(ours, a, k), _radii_of(ours, b, k)
    held = (ours.squared[a] <= radius[:, None]) & in_b[ours.index[a]]
    holds = (ours.squared[b] <= other_radius[:, None]) & in_a[ours.index[b]]
    inside, recalled = np.zeros(n, bool), np.zeros(n, bool)
    inside[ours.index[a][held]] = True
    recalled[ours.index[b][holds]] = True
    return {
        "precision": float(inside[b].mean()),
        "recall": float(recalled[a].mean()),
        "density": float(held.sum() / (k * len(b))),
        "coverage": float(held.any(axis=1).mean()),
        "authenticity": float(_authentic(ours, ours, a, b).mean()),
    }


def _real_copies(ours: Lists) -> float:
    """Returns the share of real vectors that lie as near to another as copies do, itself no neighbor of that one."""
    nearest = ours.index[:, 0]
    itself = ours.index[nearest, 0] == np.arange(len(nearest))
    usual = np.where(itself, ours.squared[nearest, 1], ours.squared[nearest, 0])
    return float((ours.squared[:, 0] < _COPY * usual).mean())


def _clipped_density(whole: Counts, ours: Lists, clipped: np.ndarray, k: int) -> float:
    """Returns the clipped density over that of the real set against itself, at most 1."""
    n = len(clipped)
    # who lies in the clipped ball of a real vector stands in its list: the ball is no larger than to the k-th of it
    holds = (ours.squared <= clipped[:, None]) & (ours.index >= 0)
    near = np.bincount(ours.index[holds], minlength=n)
    perfect = np.minimum(near / k, 1).mean()
    own = np.minimum(whole.near / k, 1).mean()
    return float(min(own / perfect, 1.0)) if perfect > 0 else math.nan
