"""Contenders side by side: their rates, and each two of them, paired or not. Pure arithmetic."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from loupe.brain.core.comparison import Difference, Standing
from loupe.brain.core.errors import InputError
from loupe.brain.core.interrupts import leavable
from loupe.brain.core.results import Rate, Slice
from loupe.brain.slicing.outcomes import State
from loupe.brain.stats import differences as stats
from loupe.brain.stats.effective_n import effective_n_of_values
from loupe.brain.stats.intervals import wilson

#: with more contenders nobody reads the leaderboard, and hardly anything could be told from anything else
MAX_CONTENDERS = 200
#: two contenders are compared by pairs where so much of the smaller one has a partner
MIN_SHARED = 0.5
#: fewer prompts with several pictures each are no pairs to speak of, and do not tell how alike pictures of one are
MIN_CLUSTERS = 10


@dataclass(frozen=True, eq=False)
class Entries:
    """N judgments of M contenders.

    Attributes:
        names: the contenders
        member: (N,) int64: whose judgment it is, as a place in ``names``
        state: (N,) int8: ``State``
        key: (N,) int64: what two judgments share to be a pair; -1: it has no partner. None: nothing is paired
        cluster: (N,) int64: the group of alike samples it belongs to; None: each is one of its own
    """

    names: tuple[str, ...]
    member: np.ndarray
    state: np.ndarray
    key: np.ndarray | None = None
    cluster: np.ndarray | None = None

    @classmethod
    def of_outcomes(cls, states: Mapping[str, np.ndarray], cluster: np.ndarray | None = None) -> Entries:
        """Returns the entries of outcomes that were judged on the same samples: each sample is a pair of any two.

        Args:
            states: for each contender an array of as many ``State``
            cluster: the samples' clusters
        """
        each = list(states.values())
        n = len(each[0])
        return cls(
            tuple(states),
            np.repeat(np.arange(len(each), dtype=np.int64), n),
            np.concatenate(each),
            np.tile(np.arange(n, dtype=np.int64), len(each)),
            None if cluster is None else np.tile(cluster, len(each)),
        )

    @property
    def judged(self) -> np.ndarray:
        """(N,) bool: which of them passed or failed."""
        return self.state >= State.PASSED


@dataclass(frozen=True, eq=False)
class Side:
    """The pairable pictures of one contender, a line for each key: a picture, or the mean of several.

    Attributes:
        keys: (K,) int64, ascending: those with at least one judged picture
        failed: (K,) the share of its judged pictures that failed
        pictures: (K,) int64: how many those are
        clusters: (K,) int64, or None
        rows: (K,) int64: the place of its first judged picture among the entries
        unjudged: (U,) int64, ascending: the keys whose pictures are all unknown or unchecked
        n: how many judged pictures it has, without a key, too
    """

    keys: np.ndarray
    failed: np.ndarray
    pictures: np.ndarray
    clusters: np.ndarray | None
    rows: np.ndarray
    unjudged: np.ndarray
    n: int


def side_of(entries: Entries, contender: int) -> Side:
    """Returns the pairable pictures of one contender."""
    assert entries.key is not None
    own = entries.member == contender
    judged = own & entries.judged
    keyed = judged & (entries.key >= 0)
    keys, first, inverse = np.unique(entries.key[keyed], return_index=True, return_inverse=True)
    failures = np.bincount(inverse, weights=entries.state[keyed] == State.FAILED, minlength=len(keys))
    pictures = np.bincount(inverse, minlength=len(keys))
    rows = np.flatnonzero(keyed)[first]
    clusters = None if entries.cluster is None else entries.cluster[rows]
    every = np.unique(entries.key[own & (entries.key >= 0)])
    return Side(
        keys,
        failures / pictures,
        pictures,
        clusters,
        rows,
        np.setdiff1d(every, keys, assume_unique=True),
        int(judged.sum()),
    )


@leavable
def standings(entries: Entries, by: str, failure: str, confidence: float = 0.95) -> list[Standing]:
    """Returns the rate of each contender, in the order of the entries, without ranks.

    Args:
        entries: N judgments
        by: what the contenders are values of
        failure: what is counted
        confidence: of the intervals

    Raises:
        InputError: the confidence is not in (0, 1)
    """
    table = np.bincount(entries.member * len(State) + entries.state, minlength=len(entries.names) * len(State))
    made = []
    for contender, (name, counts) in enumerate(zip(entries.names, table.reshape(-1, len(State)).tolist(), strict=True)):
        failures, n = counts[State.FAILED], counts[State.FAILED] + counts[State.PASSED]
        own = entries.judged & (entries.member == contender)
        cluster = None if entries.cluster is None else entries.cluster[own]
        worth = effective_n_of_values((entries.state[own] == State.FAILED).astype(np.float64), cluster, confidence)
        low, high = wilson(worth * (failures / n) if n else 0, worth, confidence)
        rate = Rate(
            slice=Slice({by: name}),
            failure=failure,
            n=n,
            failures=failures,
            unknown=counts[State.UNKNOWN],
            unchecked=counts[State.UNCHECKED],
            rate=failures / n if n else float("nan"),
            low=float(low),
            high=float(high),
        )
        made.append(Standing(name, rate, worth, None, None))
    return made


@leavable
def differences(
    entries: Entries, standing: Sequence[Standing], *, min_shared: float = MIN_SHARED, confidence: float = 0.95
) -> list[Difference]:
    """Returns each two contenders side by side, with p-values that are corrected over all of them.

    Args:
        entries: N judgments of M contenders
        standing: their rates, as ``standings`` gives them
        min_shared: the share of the smaller one's judged pictures, in [0, 1], that has to have a judged partner
            for the two to be compared by pairs
        confidence: of the intervals

    Raises:
        InputError: there are more than ``MAX_CONTENDERS``, or the confidence is not in (0, 1)
    """
    names = entries.names
    if len(names) > MAX_CONTENDERS:
        raise InputError(
            f"expected at most {MAX_CONTENDERS} to compare, got {len(names):,}: compare by a field with fewer values, "
            "put numbers into bins (loupe.Factor.field(path, bins=4)), or compare a view of some of them"
        )
    if len(names) < 2:
        return []
    couples = list(itertools.combinations(range(len(names)), 2))
    sides = None if entries.key is None else [side_of(entries, contender) for contender in range(len(names))]
    lines = []
    for a, b in couples:
        counts = None if sides is None else _paired_counts(sides[a], sides[b], min_shared, confidence)
        lines.append(counts or _unpaired_counts(standing[a], standing[b]))
    return differences_of([(names[a], names[b]) for a, b in couples], lines, confidence)


@dataclass(frozen=True)
class Counts:
    """What a difference is made of: ``k_a`` of ``n_a`` against ``k_b`` of ``n_b``, or pairs.

    Attributes:
        only_a, only_b: NaN where unpaired
        worth_a, worth_b: how many independent ones these are; of pairs both the same
    """

    paired: bool
    k_a: float
    n_a: int
    k_b: float
    n_b: int
    only_a: float
    only_b: float
    worth_a: float
    worth_b: float
    left_out: int = 0
    alone: int = 0


def matched(a: Side, b: Side) -> tuple[np.ndarray, np.ndarray]:
    """Returns the places in ``a`` and in ``b`` of the keys that both were judged for: two (P,) int64 arrays."""
    _, in_a, in_b = np.intersect1d(a.keys, b.keys, assume_unique=True, return_indices=True)
    return in_a, in_b


def _paired_counts(a: Side, b: Side, min_shared: float, confidence: float) -> Counts | None:
    """Returns the counts of pairs; None where too few have a partner."""
    in_a, in_b = matched(a, b)
    n = len(in_a)
    if not n or (min_shared and not _enough(a, in_a, b, in_b, min_shared)):
        return None
    failed_a, failed_b = a.failed[in_a], b.failed[in_b]
    clusters = None if a.clusters is None else a.clusters[in_a]
    half_known = _shared(a.keys, b.unjudged) + _shared(a.unjudged, b.keys)
    left_out = half_known + _shared(a.unjudged, b.unjudged)
    alone = len(a.keys) + len(b.keys) - 2 * n - half_known
    return paired_counts(failed_a, failed_b, clusters, confidence, left_out=left_out, alone=alone)


def _enough(a: Side, in_a: np.ndarray, b: Side, in_b: np.ndarray, min_shared: float) -> bool:
    pictures_a, pictures_b = int(a.pictures[in_a].sum()), int(b.pictures[in_b].sum())
    few = len(in_a) < MIN_CLUSTERS and pictures_a + pictures_b > 3 * len(in_a)
    smaller = pictures_a / a.n if a.n <= b.n else pictures_b / b.n
    return not few and smaller >= min_shared


def _shared(a: np.ndarray, b: np.ndarray) -> int:
    return len(np.intersect1d(a, b, assume_unique=True)) if len(a) and len(b) else 0


def paired_counts(
    failed_a: np.ndarray,
    failed_b: np.ndarray,
    clusters: np.ndarray | None,
    confidence: float = 0.95,
    *,
    left_out: int = 0,
    alone: int = 0,
) -> Counts:
    """Returns the counts of P pairs.

    Args:
        failed_a, failed_b: (P,) 1 where that one failed, 0 where it passed, or the share of several pictures
        clusters: (P,) int, or None
        confidence: of the interval that is made of it
        left_out, alone: as in ``Difference``
    """
    n = len(failed_a)
    worth = effective_n_of_values(failed_a - failed_b, clusters, confidence)
    return Counts(
        paired=True,
        k_a=float(failed_a.sum()),
        n_a=n,
        k_b=float(failed_b.sum()),
        n_b=n,
        only_a=float((failed_a * (1 - failed_b)).sum()),
        only_b=float((failed_b * (1 - failed_a)).sum()),
        worth_a=worth,
        worth_b=worth,
        left_out=left_out,
        alone=alone,
    )


def _unpaired_counts(a: Standing, b: Standing) -> Counts:
    return Counts(
        paired=False,
        k_a=a.rate.failures,
        n_a=a.rate.n,
        k_b=b.rate.failures,
        n_b=b.rate.n,
        only_a=float("nan"),
        only_b=float("nan"),
        worth_a=a.effective_n,
        worth_b=b.effective_n,
    )


def difference_of(a: str, b: str, counts: Counts, confidence: float = 0.95) -> Difference:
    """Returns one difference, whose p-value stands alone."""
    return differences_of([(a, b)], [counts], confidence)[0]


def differences_of(
    couples: Sequence[tuple[str, str]], lines: Sequence[Counts], confidence: float = 0.95
) -> list[Difference]:
    """Returns the differences that some counts are, with p-values that are corrected over all of them.

    Args:
        couples: for each its two names
        lines: for each its counts
        confidence: of the intervals
    """
    low, high, p = (np.full(len(lines), np.nan) for _ in range(3))
    for paired in (True, False):
        at = [place for place, line in enumerate(lines) if line.paired == paired]
        if not at:
            continue
        names = ("only_a", "only_b", "k_a", "n_a", "k_b", "n_b", "worth_a", "worth_b")
        only_a, only_b, k_a, n_a, k_b, n_b, worth_a, worth_b = (
            np.array([getattr(lines[place], name) for place in at], dtype=np.float64) for name in names
        )
        # the shares of so many independent ones; of all of them it is all of them, to the last bit
        n_a, n_b = np.maximum(n_a, 1), np.maximum(n_b, 1)
        if paired:
            only_a, only_b = worth_a * (only_a / n_a), worth_a * (only_b / n_a)
            low[at], high[at] = stats.paired(only_a, only_b, worth_a, confidence)
            p[at] = stats.mcnemar(only_a, only_b)
        else:
            counts = (worth_a * (k_a / n_a), worth_a, worth_b * (k_b / n_b), worth_b)
            low[at], high[at] = stats.unpaired(*counts, confidence)
            p[at] = stats.unpaired_p(*counts)
    compared = np.array([bool(line.n_a and line.n_b) for line in lines], dtype=bool)
    p[~compared] = np.nan
    adjusted = np.full(len(lines), np.nan)
    adjusted[compared] = stats.holm(p[compared])
    return [
        _difference(a, b, line, float(low[at]), float(high[at]), float(p[at]), float(adjusted[at]))
        for at, ((a, b), line) in enumerate(zip(couples, lines, strict=True))
    ]


def _difference(a: str, b: str, line: Counts, low: float, high: float, p: float, p_adjusted: float) -> Difference:
    rate_a = line.k_a / line.n_a if line.n_a else float("nan")
    rate_b = line.k_b / line.n_b if line.n_b else float("nan")
    return Difference(
        a=a,
        b=b,
        paired=line.paired,
        n=line.n_a if line.paired else 0,
        n_a=line.n_a,
        n_b=line.n_b,
        rate_a=rate_a,
        rate_b=rate_b,
        only_a=line.only_a,
        only_b=line.only_b,
        left_out=line.left_out,
        alone=line.alone,
        difference=rate_a - rate_b,
        low=low,
        high=high,
        effective_n=line.worth_a if line.paired else line.worth_a + line.worth_b,
        p=p,
        p_adjusted=p_adjusted,
    )
