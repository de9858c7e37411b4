"""Pairs of values against independence: which cells hold far fewer or far more samples than chance would put there.

Pairs of classes of one sample are held against as many pairs as there are, shared out by how frequent both classes are:
samples with one class each would make every two classes avoid each other, and crowded ones make them seek each other.

Samples of one group (one prompt's pictures, the boxes of one picture) are not independent. The variance of a count of
two independent columns that both come in groups is inflated by 1 + (m − 1) ρ ρ', with the intraclass correlation of
each and the mean size m of the group that a sample is in: where one of the two varies freely within a group, the groups
do no harm. All counts are divided by that before the test (J. N. K. Rao & A. J. Scott, Biometrics 48, 1992).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from loupe.brain.core.errors import InputError
from loupe.brain.slicing.columns import Column
from loupe.brain.stats.association import p_values

#: with more cells nobody reads them
MAX_CELLS = 200_000
#: a cell that could not have a smaller p whatever it held is not tested
_ATTAINABLE = 0.05


@dataclass(frozen=True, eq=False)
class Crossed:
    """The cells of R rows by C columns, flattened row by row: L of them, those of a pair the upper triangle.

    Attributes:
        at: (L,) int64: the place of each in the whole table of R · C
        n: (L,) int64: how many samples are in each
        row_n, column_n: (L,) int64: how many have its row's value, and its column's
        total: how many were counted
        design: (L,) float64, at least 1: by how much groups inflate the variance of n
        expected: (L,) float64: what chance would put there
        p: (L,) float64, two-sided; NaN where the cell could not show anything
        counts: (R, C) int64
        pairs: whether these are pairs of classes of one sample
    """

    at: np.ndarray
    n: np.ndarray
    row_n: np.ndarray
    column_n: np.ndarray
    total: int
    design: np.ndarray
    expected: np.ndarray
    p: np.ndarray
    counts: np.ndarray
    pairs: bool

    @property
    def ratio(self) -> np.ndarray:
        """(L,) float64: n / expected; NaN where nothing is expected."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.expected > 0, self.n / self.expected, np.nan)

    def interval(self, at: int) -> tuple[float, float]:
        """Returns the ends of the 95 % interval of the ratio of a cell; NaN where nothing is expected."""
        n, design = int(self.n[at]), float(self.design[at])
        if self.pairs:
            return poisson_interval(n, float(self.expected[at]), design)
        return ratio_interval(n, int(self.row_n[at]), int(self.column_n[at]), self.total, design)


def crossed(row: Column, column: Column | None, groups: np.ndarray | None = None) -> Crossed:
    """Returns the cells of two columns of the same N samples; samples without a value of the row's do not count.

    Args:
        row: the classes; its missing value has no row
        column: the contexts; None: the classes themselves, each pair of them once
        groups: (N,) int64 from 0: the group of each sample; None: each is one of its own

    Raises:
        InputError: more than ``MAX_CELLS`` cells

    >>> table = crossed(Column.of(["a", "a", "b", "b"]), Column.of(["x", "x", "y", "y"]))
    >>> table.counts.tolist(), table.expected.tolist()
    ([[2, 0], [0, 2]], [1.0, 1.0, 1.0, 1.0])
    """
    classes = [at for at, value in enumerate(row.values) if value is not None]
    cells = len(classes) * (len(classes) if column is None else len(column.values))
    if cells > MAX_CELLS:
        raise InputError(
            f"expected at most {MAX_CELLS:,} cells, got {cells:,}: name factors with fewer values, or put numbers into "
            "bins (Factor.field(path, bins=4))"
        )
    has = _members(row)[:, classes].tocsr()
    judged = np.flatnonzero(has.getnnz(axis=1))
    has = has[judged]
    other = has if column is None else _members(column)[judged]
    counts = np.asarray((has.T @ other).todense(), dtype=np.int64).reshape(has.shape[1], other.shape[1])
    sizes, other_sizes = (np.asarray(each.sum(axis=0)).ravel().astype(np.int64) for each in (has, other))
    at = np.arange(counts.size)
    if column is None:
        at = at[np.triu(np.ones(counts.shape, dtype=bool), 1).ravel()]
        counts = np.triu(counts, 1)
    rows, columns = np.divmod(at, max(counts.shape[1], 1))
    n, row_n, column_n = counts.ravel()[at], sizes[rows], other_sizes[columns]
    design = np.ones(len(at))
    if groups is not None and len(judged):
        own = np.unique(groups[judged], return_inverse=True)[1]
        group_sizes = np.bincount(own)
        mean = float((group_sizes**2).sum() / len(own))
        both = intraclass_of(has, own)[rows] * intraclass_of(other, own)[columns]
        design = 1 + (mean - 1) * both
    products = row_n * column_n.astype(np.float64)
    if column is None:
        # as many pairs as there are, shared out by how frequent both classes are
        expected = products * n.sum() / max(products.sum(), 1)
        highest = np.minimum(row_n, column_n)
        p = _able(*(_poisson_p(each / design, expected / design) for each in (n, np.zeros(len(n)), highest)))
    else:
        expected = products / max(len(judged), 1)
        p = _tested(n, row_n, column_n, len(judged), design)
    return Crossed(at, n, row_n, column_n, len(judged), design, expected, p, counts, column is None)


def _members(column: Column) -> sparse.csr_matrix:
    """Returns (N, V) which values each sample has."""
    ones = np.ones(len(column.samples))
    # a column has each value of a sample once
    return sparse.csr_matrix((ones, (column.samples, column.codes)), shape=(column.n, len(column.values)))


def intraclass_of(has: sparse.csr_matrix, groups: np.ndarray) -> np.ndarray:
    """Returns how much alike the samples of a group are in having each value: (V,) float64 in [0, 1].

    The estimator of the analysis of variance (as ``stats.effective_n.intraclass``), of each value by itself, but at
    least that of all values together: a rare value alone tells little. 0 where nothing tells.

    Args:
        has: (N, V) of 0 and 1
        groups: (N,) int64 from 0, each number occurring

    >>> intraclass_of(sparse.csr_matrix([[1.0], [1.0], [0.0], [0.0]]), np.array([0, 0, 1, 1])).tolist()
    [1.0]
    """
    n = len(groups)
    sizes = np.bincount(groups).astype(np.float64)
    free, within = len(sizes) - 1, n - len(sizes)
    if free < 1 or within < 1:
        return np.zeros(has.shape[1])
    by_group = sparse.csr_matrix((np.ones(n), (groups, np.arange(n))), shape=(len(sizes), n)) @ has
    total = np.asarray(has.sum(axis=0)).ravel()
    squares = np.asarray(sparse.diags(1 / sizes).dot(by_group.multiply(by_group)).sum(axis=0)).ravel()
    inside = (total - squares) / within
    between = (squares - total**2 / n) / free
    typical = (n - (sizes**2).sum() / n) / free
    own = _share(between - inside, between + (typical - 1) * inside)
    pooled = _share((between - inside).sum(keepdims=True), (between + (typical - 1) * inside).sum(keepdims=True))
    return np.asarray(np.maximum(own, pooled))


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole > 0, np.clip(part / whole, 0, 1), 0.0)


def _tested(n: np.ndarray, row_n: np.ndarray, column_n: np.ndarray, total: int, design: np.ndarray) -> np.ndarray:
    """Returns the p of each cell; NaN where it could not be small whatever the cell held, by its margins alone.

    What cannot be rejected is no part of the correction: R. E. Tarone, Biometrics 46 (1990); P. B. Gilbert, Applied
    Statistics 54 (2005), of the false discovery rate.
    """
    if not len(n):
        return np.zeros(0)
    rest = total - column_n
    lowest, highest = np.maximum(0, row_n - rest), np.minimum(row_n, column_n)
    size, rest_size = column_n / design, rest / design
    p, none, all_in = np.split(
        p_values(
            np.concatenate([each / design for each in (n, lowest, highest)]),
            np.tile(size, 3),
            np.concatenate([(row_n - each) / design for each in (n, lowest, highest)]),
            np.tile(rest_size, 3),
        ),
        3,
    )
    return _able(p, none, all_in)


def _able(p: np.ndarray, at_lowest: np.ndarray, at_highest: np.ndarray) -> np.ndarray:
    return np.where(np.minimum(at_lowest, at_highest) <= _ATTAINABLE, p, np.nan)


def _poisson_p(n: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Returns twice the smaller tail of a Poisson count, at most 1; of counts that need not be whole."""
    from scipy.special import gammainc, gammaincc

    below = gammaincc(n + 1, expected)
    above = np.where(n > 0, gammainc(np.maximum(n, 1e-300), expected), 1.0)
    return np.asarray(np.minimum(1, 2 * np.minimum(below, above)))


def poisson_interval(n: float, expected: float, design: float) -> tuple[float, float]:
    """Returns the ends of the 95 % interval of n / expected for a Poisson count; NaN where nothing is expected.

    The exact interval of F. Garwood, Biometrika 28 (1936), of the effective count.

    >>> [round(end, 2) for end in poisson_interval(10, 5.0, 1.0)]
    [0.96, 3.68]
    """
    from scipy.special import gammaincinv

    if not expected:
        return float("nan"), float("nan")
    count = n / design
    low = float(gammaincinv(count, 0.025)) if count else 0.0
    return low * design / expected, float(gammaincinv(count + 1, 0.975)) * design / expected


def ratio_interval(n: int, row_n: int, column_n: int, total: int, design: float) -> tuple[float, float]:
    """Returns the ends of the 95 % interval of n / expected; NaN where nothing is expected.

    That of the risk ratio against the rest of the row (``stats.excess.risk_ratio``), as a ratio to what is expected:
    given both margins, each says the other.

    >>> [round(end, 2) for end in ratio_interval(2, 100, 100, 1000, 1.0)]
    [0.07, 0.8]
    """
    from loupe.brain.stats.excess import risk_ratio

    rest = total - column_n
    _, *ends = risk_ratio(n, column_n, row_n - n, rest, design, design)
    low, high = (total * end / (end * column_n + rest) for end in ends)
    return low, high
