"""Which properties of pictures give a class away: areas under the curve, and permutations that keep groups together.

Shortcut learning: R. Geirhos et al., Nature Machine Intelligence 2 (2020), arXiv:2004.07780. Pure arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from loupe.brain.labels.shortcut_records import Shape
from loupe.brain.stats.association import q_values
from loupe.brain.stats.auroc import auroc, auroc_interval
from loupe.brain.stats.permutation import labelings, tail_p

#: numbers are counted in so many bins for permuting, and in groups of them for classes that lie in ranges
_FINE, _COARSE = 32, 8
#: so much a reading by ranges has to tell more than one by higher and lower, to be taken
_MARGIN = 0.03
#: samples of an unseen category are taken as the average; this many count as much as its prior
_PRIOR = 1.0
#: cells of a table of permuted counts that are held at a time
_MAX_CELLS = 4_000_000
#: permuted labels that are held at a time
_MAX_LABELS = 1_000_000
FOLDS = 5


@dataclass(frozen=True, eq=False)
class Property:
    """A property of N samples.

    Attributes:
        name: what it is called
        kind: a number; a category; or whether there is a value: 1 where there is none
        values: (N,) float64: the number, NaN where there is none; or the category's code
        names: of the categories
    """

    name: str
    kind: Literal["number", "category", "missing"]
    values: np.ndarray
    names: tuple[str, ...] = ()

    @property
    def known(self) -> np.ndarray:
        """(N,) bool: which samples have it."""
        return np.asarray(np.isfinite(self.values))

    def take(self, rows: np.ndarray) -> Property:
        """Returns the property of some samples."""
        return Property(self.name, self.kind, self.values[rows], self.names)


@dataclass(frozen=True, eq=False)
class Association:
    """How well a property tells a class: what ``Shortcut`` is made of.

    Attributes:
        property: its place among the properties
        code: the class
        shape: how the class gives itself away
        auroc, low, high, p, q, n, k: as in ``Shortcut``
        score: (N,) float64: higher where the property speaks for the class; NaN where a sample does not have it
    """

    property: int
    code: int
    shape: Shape
    auroc: float
    low: float
    high: float
    p: float
    q: float
    n: int
    k: int
    score: np.ndarray


def associations(
    properties: Sequence[Property],
    labels: np.ndarray,
    classes: Sequence[int],
    groups: np.ndarray,
    folds: np.ndarray,
    *,
    permutations: int = 999,
    seed: int = 0,
    step: Callable[[int, int], None] = lambda done, total: None,
) -> list[Association]:
    """Returns how well each property tells each class, property by property; all are corrected together.

    Args:
        properties: of N samples; none of them constant
        labels: (N,) int64 of at least 0
        classes: the labels that are told from the rest: the others are part of the rest only
        groups: (N,) int64: samples of one group move together
        folds: (N,) int64: out-of-fold, no group in two
        permutations: P
        seed: of the permutations
        step: called with how many of how many permutations are done
    """
    if not properties or not len(classes):
        return []
    p = _permuted_p(properties, labels, classes, groups, permutations, seed, step)
    q = q_values(p.ravel()).reshape(p.shape)
    made = []
    for at, own in enumerate(properties):
        bins = _bins(own)
        for column, code in enumerate(classes):
            made.append(_measured(at, own, bins, labels == code, code, groups, folds, p[at, column], q[at, column]))
    return made


def placed(labels: np.ndarray, classes: Sequence[int]) -> np.ndarray:
    """Returns the place of each label among some classes; of all others the number of classes: (N,) int64.

    >>> placed(np.array([0, 2, 1]), [2, 5]).tolist()
    [2, 0, 2]
    """
    # of many samples few are drawn: a rare class may not be among them
    place = np.full(int(max(labels.max(initial=0), *classes)) + 1, len(classes))
    place[np.asarray(classes)] = np.arange(len(classes))
    return place[labels]


def _bins(own: Property) -> np.ndarray | None:
    """Returns the category or the range of each sample that has the property; None where higher and lower say all."""
    values = own.values[own.known]
    if own.kind == "category":
        return values.astype(np.int64)
    return ranges_of(values) if own.kind == "number" and len(np.unique(values)) > 2 else None


def _measured(
    at: int,
    own: Property,
    bins: np.ndarray | None,
    positive: np.ndarray,
    code: int,
    groups: np.ndarray,
    folds: np.ndarray,
    p: float,
    q: float,
) -> Association:
    known = own.known
    is_it = positive[known]
    score = np.full(len(positive), np.nan)
    shape: Shape
    shares = None if bins is None else encoded(bins, is_it, folds[known])
    if own.kind == "category":
        shape, score[known] = "categories", shares
    else:
        values = own.values[known]
        area = auroc(values, is_it)
        shape = "missing" if own.kind == "missing" else "lower" if area < 0.5 else "higher"
        score[known] = -values if area < 0.5 else values
        if shares is not None and auroc(shares, is_it) > max(area, 1 - area) + _MARGIN:
            shape, score[known] = "ranges", shares
    value, low, high = auroc_interval(score[known], is_it, groups[known])
    return Association(at, code, shape, value, low, high, float(p), float(q), int(known.sum()), int(is_it.sum()), score)


def encoded(codes: np.ndarray, positive: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Returns for each sample the share of positives of its category in the other folds, drawn to that of all: (N,).

    A category that the other folds do not have gives the share of all: such samples are tied, and tell nothing.

    Args:
        codes: (N,) int64 of at least 0: the categories
        positive: (N,) bool
        folds: (N,) int64 of at least 0

    >>> encoded(np.array([0, 0, 1, 1]), np.array([True, True, False, False]), np.array([0, 1, 0, 1])).tolist()
    [0.75, 0.75, 0.25, 0.25]
    """
    n_folds, n_codes = int(folds.max(initial=0)) + 1, int(codes.max(initial=0)) + 1
    cell = codes * n_folds + folds
    n = np.bincount(cell, minlength=n_codes * n_folds).reshape(n_codes, n_folds)
    k = np.bincount(cell, weights=positive, minlength=n_codes * n_folds).reshape(n_codes, n_folds)
    share = positive.mean() if len(positive) else 0.0
    others = (k.sum(axis=1, keepdims=True) - k + _PRIOR * share) / (n.sum(axis=1, keepdims=True) - n + _PRIOR)
    return np.asarray(others.ravel()[cell])


def bins_of(values: np.ndarray, bins: int) -> np.ndarray:
    """Returns the bin of each of (N,) finite numbers: about as many in each, equal ones together."""
    edges = np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1])) if len(values) else np.zeros(0)
    return np.searchsorted(edges, values, side="left")


def ranges_of(values: np.ndarray) -> np.ndarray:
    """Returns the range of each of (N,) finite numbers, of the few that classes may lie in."""
    return bins_of(values, _COARSE)


def _permuted_p(
    properties: Sequence[Property],
    labels: np.ndarray,
    classes: Sequence[int],
    groups: np.ndarray,
    permutations: int,
    seed: int,
    step: Callable[[int, int], None],
) -> np.ndarray:
    """Returns the p of each property and class: (properties, classes)."""
    permuted, distinct = labelings(labels, groups)
    counted = [_Counted.of(own) for own in properties]
    rng = np.random.default_rng(seed)
    widest = max(each.width for each in counted) * (len(classes) + 1)
    at_once = max(1, min(_MAX_CELLS // widest, _MAX_LABELS // len(labels), permutations + 1))
    parts: list[list[np.ndarray]] = [[] for _ in counted]
    done = 0
    while done < permutations + 1:
        now = min(at_once, permutations + 1 - done)
        rows = [labels if done + each == 0 else permuted(rng) for each in range(now)]
        codes = placed(np.stack(rows), classes)
        for own, part in zip(counted, parts, strict=True):
            part.append(own.statistics(codes, len(classes)))
        done += now
        step(done, permutations + 1)
    made = np.empty((len(counted), len(classes)))
    for at, part in enumerate(parts):
        # (1 + P, tests, classes)
        values = np.concatenate(part)
        each = [tail_p(values[:, test].T, distinct) for test in range(values.shape[1])]
        # of two tests of one property the smaller p, corrected for there being two
        made[at] = np.maximum(np.minimum(1, np.min(each, axis=0) * len(each)), min(1.0, 1 / distinct))
    return made


@dataclass(frozen=True, eq=False)
class _Counted:
    """A property as bins: what permuted labels are counted in.

    Attributes:
        bins: (N,) int64: the bin or category; the last one is "has none"
        width: how many there are
        ranks: of numbers the centered midrank of each bin; None of categories
        coarse: of each bin which range it belongs to, where ranges are looked at, too
    """

    bins: np.ndarray
    width: int
    ranks: np.ndarray | None
    coarse: np.ndarray | None

    @classmethod
    def of(cls, own: Property) -> _Counted:
        known = own.known
        values = own.values[known]
        if own.kind == "category":
            held, width = values.astype(np.int64), len(own.names)
        else:
            held = bins_of(values, _FINE)
            width = int(held.max(initial=0)) + 1
        bins = np.full(len(known), width, dtype=np.int64)
        bins[known] = held
        if own.kind == "category":
            return cls(bins, width + 1, None, np.arange(width))
        sizes = np.bincount(held, minlength=width).astype(np.float64)
        ranks = np.cumsum(sizes) - sizes / 2 - len(held) / 2
        coarse = np.searchsorted(np.linspace(0, len(held), _COARSE + 1)[1:-1], np.cumsum(sizes) - sizes / 2)
        if width <= _COARSE:
            coarse = np.arange(width)
        return cls(bins, width + 1, ranks, None if width <= 2 else np.unique(coarse, return_inverse=True)[1])

    def statistics(self, codes: np.ndarray, n_classes: int) -> np.ndarray:
        """Returns the (B, tests, classes) statistics of B rows of labels; larger is farther."""
        rows = len(codes)
        flat = (np.arange(rows)[:, None] * (n_classes + 1) + codes) * self.width + self.bins
        counts = np.bincount(flat.ravel(), minlength=rows * (n_classes + 1) * self.width)
        table = counts.reshape(rows, n_classes + 1, self.width)[:, :, :-1].astype(np.float64)
        total = table.sum(axis=1)
        own = table[:, :n_classes]
        m = own.sum(axis=2)
        every = total.sum(axis=1)[:, None]
        tests = []
        if self.ranks is not None:
            # the square of the rank sum, over what its variance would be
            rest = np.maximum(every - m, 1)
            tests.append((own @ self.ranks) ** 2 * 12 / np.maximum(m * rest * (every + 1), 1))
        if self.coarse is not None:
            joined = np.eye(int(self.coarse.max(initial=0)) + 1)[self.coarse] if self.ranks is not None else None
            held = own if joined is None else own @ joined
            sizes = total if joined is None else total @ joined
            share = (m / np.maximum(every, 1))[:, :, None]
            expected = share * sizes[:, None, :]
            spread = np.maximum(expected * (1 - share), 1e-9)
            tests.append(((held - expected) ** 2 / spread).sum(axis=2))
        return np.stack(tests, axis=1)
