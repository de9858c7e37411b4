"""Groups of duplicates: which picture of each is kept, which groups come first, what leaks. Pure arithmetic."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from loupe.brain.core.deduplicated import Rule, Status
from loupe.brain.core.splits import TEST_NAMES, TRAIN_NAMES, VAL_NAMES

#: no split, no class, no decision
NONE = -1
#: the places of the statuses in ``Groups.status``
KEEP, DROP, DISTINCT = range(3)
CODES: dict[Status, int] = {"keep": KEEP, "drop": DROP, "distinct": DISTINCT}

#: how two pictures are the same (bytes, pixels or near), and their similarity in [0, 1]
Alike = tuple[str, float]


@dataclass(frozen=True, eq=False)
class Groups:
    """N samples that are in groups of duplicates.

    Attributes:
        n: how many groups there are
        group: (N,) int64: the group of each, in [0, n)
        split: (N,) int64: its split, ``NONE`` where it is in none
        label: (N,) int64: its class, ``NONE`` where it has none
        status: (N,) int64: what was decided of it, ``NONE`` where nothing was
        key: (N,) int64: which decision that was, ``NONE`` where nothing was
    """

    n: int
    group: np.ndarray
    split: np.ndarray
    label: np.ndarray
    status: np.ndarray
    key: np.ndarray

    def count(self, which: np.ndarray) -> np.ndarray:
        """Returns of how many samples of each group something holds: (n,) int64."""
        return np.bincount(self.group[which], minlength=self.n)

    def sizes(self) -> np.ndarray:
        """Returns how many samples each group has: (n,) int64."""
        return np.bincount(self.group, minlength=self.n)

    def values(self, codes: np.ndarray) -> np.ndarray:
        """Returns how many different values each group has: (n,) int64; ``NONE`` is no value."""
        known = codes != NONE
        pairs = np.unique(np.stack([self.group[known], codes[known]]), axis=1)
        return np.bincount(pairs[0], minlength=self.n)

    def leaks(self, kept: np.ndarray | None = None) -> np.ndarray:
        """Returns how many pairs of each group stand in two splits: (n,) int64, every pair counted.

        Two samples that were decided to be distinct, by one decision, are no pair.

        Args:
            kept: (N,) bool: only pairs of these; None: of all that are not dropped
        """
        kept = self.status != DROP if kept is None else kept
        inside = kept & (self.split != NONE)
        distinct = inside & (self.status == DISTINCT)
        return self._across(inside) - self._across(distinct, self.key)

    def _across(self, which: np.ndarray, *by: np.ndarray) -> np.ndarray:
        """Returns the pairs of each group with two splits that share all of ``by``."""
        return self._pairs(which, *by) - self._pairs(which, *by, self.split)

    def _pairs(self, which: np.ndarray, *by: np.ndarray) -> np.ndarray:
        columns = np.stack([self.group[which], *(codes[which] for codes in by)])
        unique, count = np.unique(columns, axis=1, return_counts=True)
        pairs = count.astype(np.int64) * (count - 1) // 2
        made = np.zeros(self.n, dtype=np.int64)
        np.add.at(made, unique[0], pairs)
        return made

    def decided(self) -> np.ndarray:
        """Returns which groups are decided: (n,) bool.

        Every sample is; and either one is kept and the others are dropped, or those that are not dropped were decided
        to be distinct by one decision. A group that has a new sample, or has lost the one that was kept, is open.
        """
        complete = self.count(self.status == NONE) == 0
        keeps, distinct = self.count(self.status == KEEP), self.count(self.status == DISTINCT)
        decisions = self.values(np.where(self.status == DISTINCT, self.key, NONE))
        return complete & (((keeps == 1) & (distinct == 0)) | ((keeps == 0) & (decisions == 1)))

    def order(self) -> np.ndarray:
        """Returns the groups, the most important first: (n,) int64.

        Those that stand in two splits, then those with two labels, then the largest; the first of equals first.
        """
        everyone = np.ones(len(self.group), dtype=bool)
        leaking = self.leaks(everyone) > 0
        return np.lexsort((np.arange(self.n), -self.sizes(), self.values(self.label) < 2, ~leaking))


@dataclass(frozen=True)
class Candidate:
    """What decides whether a sample of a group is the one to keep.

    Attributes:
        split: its name; None where it is in none
        area: how many pixels it has; NaN where nobody knows
        sharpness: its score, higher is sharper; NaN where there is none
        lossless: whether its format loses nothing
        bytes: the size of its file; NaN where nobody knows
    """

    split: str | None = None
    area: float = math.nan
    sharpness: float = math.nan
    lossless: bool = False
    bytes: float = math.nan


def best(candidates: Sequence[Candidate], rule: Rule = "best", prefer: Sequence[str] = ()) -> int:
    """Returns which of the samples of a group is kept: its place.

    Args:
        candidates: at least one
        rule: ``"best"``: by its split, then the one with the most pixels, then the sharpest (scores that differ by
            less than a hundredth are the same), then one whose format loses nothing, then the largest file;
            ``"largest"``: the one with the most pixels, then the largest file; ``"first"``: the first
        prefer: the splits whose pictures are kept, the first of them first; the others come after these

    The first of equals is kept, and what is not known loses.

    >>> best([Candidate("train", 9e6), Candidate("test", 1e6)])
    1
    >>> best([Candidate("train", 9e6), Candidate("test", 1e6)], prefer=["train"])
    0
    """
    keys = [_key(candidate, rule, prefer) for candidate in candidates]
    return min(range(len(keys)), key=lambda place: (keys[place], place))


def _key(candidate: Candidate, rule: Rule, prefer: Sequence[str]) -> tuple[float, ...]:
    area, sharpness, size = (
        -value if not math.isnan(value) else math.inf
        for value in (candidate.area, candidate.sharpness, candidate.bytes)
    )
    if rule == "first":
        return ()
    if rule == "largest":
        return (area, size)
    # a copy that was stored anew has other digits, and may have more bytes than the original
    sharp = sharpness if math.isinf(sharpness) else round(sharpness, 2)
    return (split_rank(candidate.split, prefer), area, sharp, float(not candidate.lossless), size)


def split_rank(split: str | None, prefer: Sequence[str] = ()) -> float:
    """Returns how early a split's picture is kept: lower is earlier.

    A test set stays as it is, so that what was measured on it before still compares; a training set can spare a copy.

    >>> sorted(["train", "extra", "val", "test"], key=split_rank)
    ['test', 'val', 'extra', 'train']
    """
    if split is not None and split in prefer:
        return prefer.index(split)
    base = float(len(prefer))
    if split is None:
        return base + 4
    name = split.strip().casefold()
    for place, names in ((0, TEST_NAMES), (1, VAL_NAMES), (3, TRAIN_NAMES)):
        if name in names:
            return base + place
    return base + 2


def alike(ids: Sequence[str], pairs: Mapping[tuple[str, str], Alike], to: str) -> dict[str, Alike]:
    """Returns how each sample of a group is the same as one of them; one that only others connect to it is left out.

    Args:
        ids: the samples of the group
        pairs: those that were compared: of samples that are equal, each with the first
        to: the one
    """
    first: dict[str, tuple[str, str]] = {}
    for (a, b), (kind, _) in pairs.items():
        if kind != "near":
            first[b] = (a, kind)
    near = {frozenset(pair): value for pair, value in pairs.items()}
    own, own_kind = first.get(to, (to, "bytes"))
    made: dict[str, Alike] = {}
    for sample_id in ids:
        if sample_id == to:
            continue
        other, kind = first.get(sample_id, (sample_id, "bytes"))
        if other == own:
            made[sample_id] = ("bytes" if kind == own_kind == "bytes" else "pixels", 1.0)
        elif (known := near.get(frozenset((other, own)))) is not None:
            made[sample_id] = ("near", known[1])
    return made
