"""Pictures that look alike and fail often: the neighborhoods of failing samples in a space of vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from loupe.brain.slicing.columns import Column
from loupe.brain.slicing.outcomes import State

#: of each outcome so many neighborhoods are kept, of so many centers, among so many samples
REGIONS, CENTERS, SEARCHED = 8, 96, 20_000
#: of all outcomes together so many, but two of each
_MAX_REGIONS = 64
#: a neighborhood holds no larger share of the samples: the rest has to stay a rest
_MAX_SHARE = 0.25
#: how much larger the next size is that is looked at
_GROWTH = 1.3
#: two neighborhoods that share more of their samples are one and the same
_SAME = 0.5


@dataclass(frozen=True, eq=False)
class Region:
    """The samples whose vectors are near to that of one sample.

    Attributes:
        failure: the outcome that it was found for
        center: the place of that sample
        cosine: the cosine from which on a vector is near, in [−1, 1]
    """

    failure: str
    center: int
    cosine: float


def members(unit: np.ndarray, region: Region) -> np.ndarray:
    """Returns which samples are in a region: (N,) bool.

    Args:
        unit: (N, D) float32 of unit length; zeros where there is no vector
        region: which
    """
    return np.asarray((unit @ unit[region.center] >= region.cosine) & unit.any(axis=1))


def regions(
    unit: np.ndarray, states: Mapping[str, np.ndarray], explored: np.ndarray, minimum: int, seed: int = 0
) -> list[Region]:
    """Returns for each outcome the neighborhoods of failing samples that fail most surely more often than the rest.

    Around each center the number of neighbors varies, and the one with the largest likelihood ratio is taken: M.
    Kulldorff's spatial scan statistic (Communications in Statistics, 1997). What it finds is chosen, so that its rate
    is too high by chance: it has to be confirmed on other samples.

    Args:
        unit: (N, D) float32 of unit length; zeros where there is no vector
        states: for each outcome a (N,) array of ``State``
        explored: (N,) bool: the samples that are looked at
        minimum: how many of those a region has at least
        seed: decides which centers are tried where many samples fail
    """
    rng = np.random.default_rng(seed)
    known = np.flatnonzero(explored & unit.any(axis=1))
    if len(known) > SEARCHED:
        known = np.sort(rng.choice(known, SEARCHED, replace=False))
    sizes = _sizes(minimum, int(len(known) * _MAX_SHARE))
    if not len(sizes):
        return []
    chosen: list[Region] = []
    wanted = max(2, min(REGIONS, _MAX_REGIONS // max(1, len(states))))
    for failure, state in states.items():
        failing = known[state[known] == State.FAILED]
        centers = failing if len(failing) <= CENTERS else np.sort(rng.choice(failing, CENTERS, replace=False))
        if len(centers):
            chosen += _scan(unit, failure, state, known, centers, sizes)[:wanted]
    return chosen


def _scan(
    unit: np.ndarray, failure: str, state: np.ndarray, known: np.ndarray, centers: np.ndarray, sizes: np.ndarray
) -> list[Region]:
    cosines = unit[centers] @ unit[known].T
    widest = int(sizes[-1]) + 1
    near = np.argpartition(-cosines, widest - 1, axis=1)[:, :widest] if widest < len(known) else None
    near = np.tile(np.arange(len(known)), (len(centers), 1)) if near is None else near
    near = np.take_along_axis(near, np.argsort(-np.take_along_axis(cosines, near, 1), axis=1, kind="stable"), 1)
    judged, failed = state[known] >= State.PASSED, state[known] == State.FAILED
    n, k = np.cumsum(judged[near], axis=1), np.cumsum(failed[near], axis=1)
    ratio = likelihood_ratio(k[:, sizes - 1], n[:, sizes - 1], int(failed.sum()), int(judged.sum()))
    best = ratio.argmax(axis=1)
    value = ratio[np.arange(len(centers)), best]
    kept: list[Region] = []
    sets: list[set[int]] = []
    for row in np.argsort(-value, kind="stable"):
        if value[row] <= 0 or len(kept) == REGIONS:
            break
        size = int(sizes[best[row]])
        inside = set(near[row, :size].tolist())
        if any(len(inside & other) > _SAME * len(inside | other) for other in sets):
            continue
        edge = cosines[row, near[row, size - 1 : size + 1]]
        sets.append(inside)
        kept.append(Region(failure, int(centers[row]), float(edge.mean())))
    return kept


def likelihood_ratio(k: np.ndarray, n: np.ndarray, failed: int, judged: int) -> np.ndarray:
    """Returns how much likelier a rate of its own for a part is than one for all: its logarithm, 0 where it is lower.

    Args:
        k, n: failed and judged samples of the part
        failed, judged: of all samples

    >>> likelihood_ratio(np.array([5, 0]), np.array([5, 5]), 5, 10).round(2).tolist()
    [6.93, 0.0]
    """
    rest_k, rest_n = failed - k, judged - n
    with np.errstate(divide="ignore", invalid="ignore"):
        more = (n > 0) & (rest_n > 0) & (k * rest_n > rest_k * n)
    gain = _likelihood(k, n) + _likelihood(rest_k, rest_n) - _likelihood(np.array(failed), np.array(judged))
    return np.where(more, gain, 0.0)


def _likelihood(k: np.ndarray, n: np.ndarray) -> np.ndarray:
    from scipy.special import xlogy

    size = np.maximum(n, 1)
    return np.asarray(xlogy(k, k / size) + xlogy(n - k, (n - k) / size))


def _sizes(minimum: int, maximum: int) -> np.ndarray:
    sizes = []
    size = float(max(2, minimum))
    while size <= maximum:
        sizes.append(int(size))
        size = max(size * _GROWTH, size + 1)
    return np.array(sizes, dtype=np.int64)


def telling(columns: Mapping[str, Column], inside: np.ndarray) -> tuple[tuple[str, object, float], ...]:
    """Returns up to two factor values that most of some samples have, and far fewer of the others: the most telling.

    Args:
        columns: the factors by name
        inside: (N,) bool: which samples

    Returns:
        for each: the factor, the value, the share of the samples that have it

    >>> column = Column.of(["night", "night", "day", "day"])
    >>> telling({"time": column}, np.array([True, True, False, False]))
    (('time', 'night', 1.0),)
    """
    n, rest = int(inside.sum()), int((~inside).sum())
    known: list[tuple[float, str, object, float]] = []
    for name, column in columns.items():
        own = np.bincount(column.codes[inside[column.samples]], minlength=len(column.values)) / max(n, 1)
        others = np.bincount(column.codes[~inside[column.samples]], minlength=len(column.values)) / max(rest, 1)
        lead = np.where((own >= 0.5) & (own >= 1.5 * others), own - others, 0)
        best = int(lead.argmax()) if len(lead) else 0
        if len(lead) and lead[best] > 0:
            known.append((float(lead[best]), name, column.values[best], float(own[best])))
    return tuple((name, value, share) for _, name, value, share in sorted(known, key=_lead)[:2])


def _lead(entry: Sequence[object]) -> tuple[float, str]:
    return -float(entry[0]), str(entry[1])  # type: ignore[arg-type]
