"""Splits of a set of samples: of given sizes, stratified, with groups kept together; in order of time; repaired.

Multi-label and groups together are more than scikit-learn (groups, one label) or iterative-stratification (labels, no
groups) do. Here every group is a vector of counts, one for each class and one for its size, and is put where it brings
the splits nearest to their targets: the rarest and the largest groups first, as in iterative stratification (Sechidis,
Tsoumakas & Vlahavas, ECML PKDD 2011), then single groups are moved and pairs exchanged as long as that helps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from loupe.brain.core.errors import InputError
from loupe.brain.core.interrupts import leavable

#: no split: what lies in the gap between two, or stands on both sides of it
NOWHERE = -1
#: groups up to which single moves are tried, and how often all are
_MOVABLE, _PASSES = 200_000, 4
#: groups of which pairs are exchanged
_EXCHANGED = 2_000


@dataclass(frozen=True)
class Targets:
    """What the splits should hold.

    Attributes:
        names: of the S splits
        shares: (S,) float64, of sum 1
    """

    names: tuple[str, ...]
    shares: np.ndarray

    @classmethod
    def of(cls, sizes: Mapping[str, float]) -> Targets:
        """Returns the targets of shares that sum to 1.

        Raises:
            InputError: fewer than two splits, a share that is not above 0, or another sum

        >>> Targets.of({"train": 0.8, "val": 0.1, "test": 0.1}).names
        ('train', 'val', 'test')
        """
        names, shares = tuple(sizes), np.array(list(sizes.values()), dtype=np.float64)
        if len(names) < 2:
            raise InputError(f"expected at least two splits, got {len(names)}: e.g. {{'train': 0.8, 'test': 0.2}}")
        if not (np.isfinite(shares).all() and (shares > 0).all()):
            raise InputError(f"expected shares above 0, got {dict(sizes)}")
        if not math.isclose(shares.sum(), 1, abs_tol=1e-6):
            raise InputError(f"expected shares that sum to 1, got {shares.sum():g}: {dict(sizes)}")
        return cls(names, shares / shares.sum())


def merged(groups: Sequence[tuple[np.ndarray, np.ndarray]], n: int) -> np.ndarray:
    """Returns the (N,) int64 groups that no split may part: samples that share a group in any of the given ways.

    Args:
        groups: for each way (M,) samples and their (M,) groups, ints; a sample may be in several, or in none
        n: how many samples there are

    >>> scenes = np.array([0, 1, 2]), np.array([7, 7, 8])
    >>> patients = np.array([1, 2]), np.array([5, 5])
    >>> merged([scenes, patients], 4).tolist()
    [0, 0, 0, 1]
    """
    rows, columns = [np.arange(n)], [np.arange(n)]
    for samples, group in groups:
        _, first, which = np.unique(group, return_index=True, return_inverse=True)
        rows.append(samples)
        columns.append(samples[first][which])
    edges = (np.ones(sum(map(len, rows)), dtype=np.int8), (np.concatenate(rows), np.concatenate(columns)))
    _, labels = sparse.csgraph.connected_components(sparse.coo_matrix(edges, shape=(n, n)), directed=False)
    return labels.astype(np.int64)


@leavable
def assign(targets: Targets, n: int, *, classes: sparse.csr_matrix | None, groups: np.ndarray, seed: int) -> np.ndarray:
    """Returns which split each of N samples is in: (N,) int64. Groups stay whole.

    Args:
        targets: the splits
        n: how many samples there are
        classes: (N, L): which classes each sample has; None: only the sizes count
        groups: (N,) int64 from 0 on, each number used
        seed: decides among equals

    Raises:
        InputError: fewer groups than splits, or a group larger than the largest split may be
    """
    sizes = np.bincount(groups)
    if len(sizes) < len(targets.names):
        raise InputError(
            f"expected at least as many groups as splits, got {len(sizes):,} groups for {len(targets.names)} splits"
        )
    room = targets.shares.max() * n
    if sizes.max() > max(room, 1):
        raise InputError(
            f"expected groups that fit into a split, got one of {sizes.max():,} samples where the largest split holds "
            f"{room:,.0f} of {n:,}: group by something finer, or give that split a larger share"
        )
    vectors = _vectors(n, classes, groups, len(sizes))
    return _place(vectors, targets.shares, np.random.default_rng(seed))[groups]


def _vectors(n: int, classes: sparse.csr_matrix | None, groups: np.ndarray, n_groups: int) -> sparse.csr_matrix:
    """Returns (G, L + 1) counts: of each group how many samples of each class, and how many in all."""
    member = sparse.csr_matrix((np.ones(n), (groups, np.arange(n))), shape=(n_groups, n))
    size = np.asarray(member.sum(axis=1))
    return sparse.csr_matrix(size) if classes is None else sparse.hstack([member @ classes, size], format="csr")


def _place(vectors: sparse.csr_matrix, shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Returns the split of each group: (G,) int64."""
    total = np.asarray(vectors.sum(axis=0)).ravel()
    # a class counts by its share, however rare it is; the sizes count as much as all classes together
    weights = 1 / np.maximum(total, 1)
    weights[-1] *= max(1, vectors.shape[1] - 1)
    state = _State(vectors, weights, shares[:, None] * total, np.full(vectors.shape[0], NOWHERE))
    alike = _alike(vectors)
    rest = _evenly(state, alike, shares, rng)
    hardness = (vectors.multiply(weights)).max(axis=1).toarray().ravel()
    order = rest[np.lexsort((rng.random(len(rest)), -hardness[rest]))]
    for group in order.tolist():
        state.put(group, state.best(group))
    _improve(state, rng)
    return state.split


class _State:
    """Where the groups are, and how far the splits are above their targets, by class."""

    def __init__(self, vectors: sparse.csr_matrix, weights: np.ndarray, targets: np.ndarray, split: np.ndarray) -> None:
        self.vectors, self.weights, self.split = vectors, weights, split
        self.over = -targets
        self._indices, self._data, self._ends = vectors.indices, vectors.data, vectors.indptr

    def row(self, group: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns the classes of a group and its counts."""
        part = slice(self._ends[group], self._ends[group + 1])
        return self._indices[part], self._data[part]

    def put(self, group: int, to: int) -> None:
        """Moves a group."""
        classes, counts = self.row(group)
        if self.split[group] != NOWHERE:
            self.over[self.split[group], classes] -= counts
        self.over[to, classes] += counts
        self.split[group] = to

    def best(self, group: int) -> int:
        """Returns where a group that is nowhere yet brings the splits nearest to their targets.

        The squared distance grows by the sum of w (2 v over + v²): only the first part differs between splits.
        """
        classes, counts = self.row(group)
        return int((self.over[:, classes] @ (counts * self.weights[classes])).argmin())

    def gain(self, group: int) -> tuple[float, int]:
        """Returns by how much the squared distance shrinks where a group moves to its best other split, and that."""
        classes, counts = self.row(group)
        own = int(self.split[group])
        pull = self.over[:, classes] @ (counts * self.weights[classes])
        square = float((counts * counts * self.weights[classes]).sum())
        saved = 2 * (pull[own] - pull) - 2 * square
        saved[own] = -math.inf
        to = int(saved.argmax())
        return float(saved[to]), to


def _alike(vectors: sparse.csr_matrix) -> np.ndarray:
    """Returns the kind of each group: those of one kind have the same counts."""
    rng = np.random.default_rng(0)
    # equal rows have equal products with random vectors; others differ in at least one of two
    keys = vectors @ rng.random((vectors.shape[1], 2))
    _, kind = np.unique(keys.round(9), axis=0, return_inverse=True)
    return np.asarray(kind).ravel()


def _evenly(state: _State, kinds: np.ndarray, shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Deals groups of one kind out by the shares, rounded down; returns those that are left."""
    order = np.lexsort((rng.random(len(kinds)), kinds))
    ends = np.searchsorted(kinds[order], np.arange(kinds.max() + 2))
    left = []
    for start, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        own = order[start:end]
        whole = np.floor((end - start) * shares + 1e-9).astype(np.int64)
        to = np.repeat(np.arange(len(shares)), whole)
        state.split[own[: len(to)]] = to
        left.append(own[len(to) :])
    placed = np.flatnonzero(state.split != NOWHERE)
    where = sparse.csr_matrix((np.ones(len(placed)), (state.split[placed], placed)), (len(shares), len(kinds)))
    state.over += np.asarray((where @ state.vectors).todense())
    return np.concatenate(left)


def _improve(state: _State, rng: np.random.Generator) -> None:
    """Moves single groups, then exchanges pairs, as long as that brings the splits nearer to their targets."""
    n = len(state.split)
    movable = rng.permutation(n)[:_MOVABLE]
    for _ in range(_PASSES):
        moved = False
        for group in movable.tolist():
            saved, to = state.gain(group)
            if saved > 1e-9:
                state.put(group, to)
                moved = True
        if not moved:
            break
    if n <= _EXCHANGED:
        _exchange(state)


def _exchange(state: _State) -> None:
    """Exchanges the two groups whose exchange helps most, until none does."""
    dense = state.vectors.toarray()
    scaled = dense * state.weights
    square = (dense * scaled).sum(axis=1)
    cross = dense @ scaled.T
    for _ in range(len(dense)):
        pull = scaled @ state.over.T
        own = pull[np.arange(len(dense)), state.split]
        # of a (in s) and b (in t): s gets b - a, t gets a - b
        other = pull[:, state.split]
        change = other - own[:, None]
        saved = -2 * (change + change.T) - 2 * (square[:, None] + square[None, :] - 2 * cross)
        saved[state.split[:, None] == state.split[None, :]] = -math.inf
        a, b = divmod(int(saved.argmax()), len(dense))
        if saved[a, b] <= 1e-9:
            return
        first, second = int(state.split[a]), int(state.split[b])
        state.put(a, second)
        state.put(b, first)


@leavable
def in_order(targets: Targets, times: np.ndarray, groups: np.ndarray, gap: float = 0.0) -> np.ndarray:
    """Returns the splits of samples by time, the first split the earliest: (N,) int64, ``NOWHERE`` in a gap.

    Samples of one time stay together, in the later split. A group that stands on both sides of a cut is nowhere: it
    would tell a model of the past what comes. So is what lies less than ``gap`` before a cut.

    Args:
        targets: the splits, the earliest first
        times: (N,) float64, in seconds; NaN has no time, and is nowhere
        groups: (N,) int64
        gap: in seconds, at least 0: between the last sample of a split and the first of the next

    Raises:
        InputError: a gap below 0, or a split that gets nothing
    """
    if not gap >= 0:
        raise InputError(f"expected a gap of at least 0 seconds, got {gap!r}")
    known = np.flatnonzero(~np.isnan(times))
    order = known[np.argsort(times[known], kind="stable")]
    ends = np.rint(np.cumsum(targets.shares)[:-1] * len(order)).astype(np.int64)
    split = np.full(len(times), NOWHERE)
    # a cut is the time of the first sample of the later split
    cuts = [float(times[order[end]]) for end in ends if end < len(order)]
    split[known] = np.searchsorted(cuts, times[known], side="right")
    for cut in cuts:
        split[(times < cut) & (times > cut - gap)] = NOWHERE
    split[torn(split, groups)] = NOWHERE
    empty = [name for at, name in enumerate(targets.names) if not (split == at).any()]
    if empty:
        raise InputError(
            f"expected samples in every split, got none in {', '.join(empty)}: of {len(known):,} samples with a time, "
            f"gaps and groups across the cuts leave nothing; choose a smaller gap, or other sizes"
        )
    return split


def torn(split: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Returns a (N,) bool array: whether a sample's group does not stand in one split as a whole."""
    first = np.full(int(groups.max(initial=-1)) + 1, NOWHERE - 1)
    first[groups[::-1]] = split[::-1]
    differs = split != first[groups]
    parted = np.zeros(len(first), dtype=bool)
    parted[groups[differs]] = True
    return parted[groups]


@leavable
def repaired(split: np.ndarray, n_splits: int, groups: np.ndarray) -> np.ndarray:
    """Returns a split in which no group is torn, with the fewest samples moved: (N,) int64.

    Each torn group goes to the split where most of it is; of equals to the one that is then the least too large. No
    other way moves fewer: each group has to end in one split, and any other one moves more of it.

    Args:
        split: (N,) int64: where each sample is; ``NOWHERE`` stays where its group has no other place
        n_splits: how many splits there are
        groups: (N,) int64 from 0 on
    """
    inside = np.flatnonzero(split != NOWHERE)
    counts = np.zeros((int(groups.max(initial=-1)) + 1, n_splits), dtype=np.int64)
    np.add.at(counts, (groups[inside], split[inside]), 1)
    made = split.copy()
    # the splits as they are once all clear cases are decided
    best = counts.max(axis=1)
    clear = (counts == best[:, None]).sum(axis=1) == 1
    to = counts.argmax(axis=1)
    sizes = np.bincount(to[clear], weights=counts.sum(axis=1)[clear], minlength=n_splits)
    wanted = np.bincount(split[inside], minlength=n_splits).astype(np.float64)
    for group in np.flatnonzero(~clear & (best > 0)).tolist():
        equal = np.flatnonzero(counts[group] == best[group])
        to[group] = equal[(sizes[equal] - wanted[equal]).argmin()]
        sizes[to[group]] += counts[group].sum()
    made[inside] = to[groups[inside]]
    return made


def deviation(split: np.ndarray, targets: Targets, classes: sparse.csr_matrix | None) -> tuple[float, float]:
    """Returns how far splits are from their shares, and what of it rounding makes unavoidable; both in [0, 1].

    It is the largest difference, over all splits and all classes (and all samples as one), between the share of the
    class that a split has and the one that it should have.

    Args:
        split: (N,) int64; those that are ``NOWHERE`` do not count
        targets: what it should be
        classes: (N, L), or None
    """
    inside = np.flatnonzero(split != NOWHERE)
    every = sparse.csr_matrix(np.ones((len(split), 1)))
    every = every if classes is None else sparse.hstack([classes, every], format="csr")
    where = sparse.csr_matrix((np.ones(len(inside)), (split[inside], inside)), (len(targets.names), len(split)))
    held = np.asarray((where @ every).todense())
    total = held.sum(axis=0)
    known = total > 0
    wanted = targets.shares[:, None] * total[known]
    off = np.abs(held[:, known] - wanted) / total[known]
    return float(off.max(initial=0)), float((_rounding(wanted) / total[known]).max(initial=0))


def _rounding(wanted: np.ndarray) -> np.ndarray:
    """Returns for each of L classes by how many samples some split has to miss its (S, L) share: whole ones sum to it.

    Of the S shares as many are rounded up as their fractions sum to, those with the largest.
    """
    fractions = -np.sort(-(wanted - np.floor(wanted + 1e-9)).clip(0), axis=0)
    up = np.rint(fractions.sum(axis=0)).astype(np.int64)
    places = np.arange(len(fractions))[:, None]
    return np.where(places < up, 1 - fractions, fractions).max(axis=0)
