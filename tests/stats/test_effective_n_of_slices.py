"""Effective numbers of grouped samples, against sums over the groups one by one, and against what must come out."""

from __future__ import annotations

import numpy as np
import pytest

from loupe.brain.stats.effective_n import Cells, effective_n_of_slices


def _sample(seed: int, n: int, groups: int, slices: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    group = rng.integers(0, groups, n)
    share = rng.beta(0.5, 1.5, groups)
    return rng.integers(0, slices, n), group, rng.random(n) < share[group]


def _own(group: np.ndarray, failed: np.ndarray, correlation: float) -> float:
    """n / the larger design effect, by the sums as they stand in the books."""
    n, share = len(group), failed.mean()
    sizes = np.array([(group == each).sum() for each in np.unique(group)])
    kish = 1 + ((sizes**2).sum() / n - 1) * correlation
    residuals = np.array([(failed[group == each] - share).sum() for each in np.unique(group)])
    variance = (residuals**2).sum() * len(sizes) / (len(sizes) - 1) / n**2
    own = variance / (share * (1 - share) / n)
    return n / min(max(kish, own, 1), n)


def _anova(slices: np.ndarray, group: np.ndarray, failed: np.ndarray) -> float:
    cells = [failed[(slices == s) & (group == g)] for s in np.unique(slices) for g in np.unique(group[slices == s])]
    n, count, many = len(failed), len(cells), len(np.unique(slices))
    inside = sum(((cell - cell.mean()) ** 2).sum() for cell in cells) / (n - count)
    between = size = 0.0
    for each in np.unique(slices):
        rows = slices == each
        own = [failed[rows & (group == g)] for g in np.unique(group[rows])]
        between += sum(len(cell) * (cell.mean() - failed[rows].mean()) ** 2 for cell in own)
        size += rows.sum() - sum(len(cell) ** 2 for cell in own) / rows.sum()
    between, size = between / (count - many), size / (count - many)
    return float(np.clip((between - inside) / (between + (size - 1) * inside), 0, 1))


@pytest.mark.parametrize("seed", range(4))
def test_effective_n_of_slices_and_their_rests_is_that_of_the_sums_by_group(seed: int) -> None:
    slices, group, failed = _sample(seed, 400, 40, 3)
    cells = Cells.of(slices, group, failed)
    made = effective_n_of_slices(cells, Cells.of(np.zeros_like(slices), group, failed), 3)
    assert made.correlation == pytest.approx(_anova(slices, group, failed))
    assert 0 < made.correlation < 1
    for each in range(3):
        rows = slices == each
        assert made.groups[each] == len(np.unique(group[rows]))
        assert made.effective_n[each] == pytest.approx(_own(group[rows], failed[rows], made.correlation))
        assert made.rest_effective_n[each] == pytest.approx(_own(group[~rows], failed[~rows], made.correlation))
        assert 1 <= made.effective_n[each] < rows.sum()


@pytest.mark.parametrize("nested", [True, False])
def test_a_rest_counts_its_own_groups(nested: bool) -> None:
    """Where its groups differ more than the shared correlation says, its own spread counts, over its own groups."""
    rng = np.random.default_rng(9)
    slices = np.repeat([0, 1, 1, 1, 1, 1], 40)
    group = np.repeat(np.arange(24), 10) if nested else np.tile(np.arange(24), 10)
    failed = rng.random(240) < np.where(group % 3 == 0, 0.9, 0.05)
    failed[slices == 0] = rng.random(40) < 0.3
    cells = Cells.of(slices, group, failed)
    made = effective_n_of_slices(cells, Cells.of(slices * 0, group, failed), 2)
    for each in (0, 1):
        other = slices != each
        assert made.rest_effective_n[each] == pytest.approx(_own(group[other], failed[other], made.correlation))
        assert made.effective_n[1 - each] == pytest.approx(made.rest_effective_n[each])


def test_alone_in_its_group_a_sample_counts_whole() -> None:
    slices, _, failed = _sample(1, 100, 5, 2)
    cells = Cells.of(slices, np.arange(100), failed)
    made = effective_n_of_slices(cells, Cells.of(slices * 0, np.arange(100), failed), 2)
    # the n - 1 of the variance is all that is left
    assert made.effective_n == pytest.approx([(slices == each).sum() - 1 for each in (0, 1)], abs=1.01)


def test_without_a_failure_anywhere_a_group_counts_as_one() -> None:
    slices, group, _ = _sample(2, 60, 6, 1)
    cells = Cells.of(slices, group, np.zeros(60, bool))
    made = effective_n_of_slices(cells, cells, 1)
    sizes = np.bincount(group)
    assert made.correlation == 1
    assert made.effective_n[0] == pytest.approx(60**2 / (sizes**2).sum())


def test_a_slice_without_failures_learns_from_the_others() -> None:
    slices, group, failed = _sample(3, 900, 90, 3)
    group = group + slices * 1000
    failed[slices == 2] = False
    cells = Cells.of(slices, group, failed)
    made = effective_n_of_slices(cells, Cells.of(slices * 0, group, failed), 3)
    sizes = np.unique(group[slices == 2], return_counts=True)[1]
    kish = 1 + ((sizes**2).sum() / sizes.sum() - 1) * made.correlation
    assert made.effective_n[2] == pytest.approx(sizes.sum() / kish)
    assert made.effective_n[2] < 0.8 * sizes.sum()


def test_slices_of_nothing_and_of_everything() -> None:
    nothing = Cells.of(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, bool))
    made = effective_n_of_slices(nothing, nothing, 2)
    assert made.groups.tolist() == [0, 0]
    assert made.effective_n.tolist() == made.rest_effective_n.tolist() == [0, 0]
    slices, group, failed = _sample(4, 50, 10, 1)
    cells = Cells.of(slices, group, failed)
    whole = effective_n_of_slices(cells, cells, 2)  # the second slice has no sample, the first no rest
    assert whole.effective_n[1] == whole.rest_effective_n[0] == 0
    assert whole.rest_effective_n[1] == pytest.approx(whole.effective_n[0])
