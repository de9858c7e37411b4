"""The interval of a share where one stops at the r-th pass: against its design, not against its formula."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from loupe.brain.core.errors import InputError
from loupe.brain.core.proportions import Proportion
from loupe.brain.stats.inverse import bounds, draws_needed, hopeless, until


@pytest.mark.parametrize(("needed", "limit"), [(1, 20), (9, 90), (9, 180), (30, 600)])
@pytest.mark.parametrize("share", [0.02, 0.05, 0.1, 0.25, 0.6])
def test_it_covers_as_often_as_it_says(needed: int, limit: int, share: float) -> None:
    """Every outcome of the design with its probability: drawn until the r-th pass, ended by the limit or hopeless."""
    end = next((n for n in range(8, limit, 8) if hopeless(n, needed, limit)), limit)
    given_up = (1 - share) ** end if end < limit else 0.0
    total = covered = 0.0
    outcomes = []
    for n in range(needed, limit + 1):
        chance = float(stats.nbinom.pmf(n - needed, needed, share))
        if n > end and given_up:  # of those some had no pass up to there, and were ended
            chance -= given_up * (float(stats.nbinom.pmf(n - end - needed, needed, share)) if n - end >= needed else 0)
        outcomes.append((needed, n, True, chance))
    for k in range(needed):
        chance = float(stats.binom.pmf(k, limit, share))
        if given_up:
            chance -= given_up * float(stats.binom.pmf(k, limit - end, share))
        outcomes.append((k, limit, False, chance))
    if given_up:
        outcomes.append((0, end, False, given_up))
    for k, n, reached, chance in outcomes:
        low, high = bounds(k, n, reached=reached)
        total += chance
        covered += chance * (low <= share <= high)
    assert total == pytest.approx(1)
    assert covered >= 0.9495


def test_the_usual_interval_does_not() -> None:
    """Wilson's is one of a fixed n: where one stops at the first pass it covers far too seldom."""
    share, covered = 0.2, 0.0
    for n in range(1, 300):
        usual = Proportion.of(1, n)
        covered += float(stats.geom.pmf(n, share)) * (usual.low <= share <= usual.high)
    assert covered < 0.9


def test_its_ends_are_the_tails() -> None:
    low, high = bounds(4, 31, reached=True)
    assert stats.binom.sf(3, 31, low) == pytest.approx(0.025)
    assert stats.nbinom.sf(31 - 4 - 1, 4, high) == pytest.approx(0.025)
    fixed = stats.binomtest(4, 31).proportion_ci(method="exact")
    assert bounds(4, 31, reached=False) == pytest.approx((fixed.low, fixed.high))


def test_what_comes_after_does_not_count() -> None:
    drawn = [False, True, False, True, True, True]
    assert (until(drawn, 2).k, until(drawn, 2).n) == (2, 4)
    assert (until(drawn, 9).k, until(drawn, 9).n) == (4, 6)
    assert until(drawn, 2).high < bounds(2, 4, reached=False)[1]


def test_its_edges() -> None:
    assert all(map(math.isnan, bounds(0, 0, reached=False)))
    assert bounds(0, 9, reached=False)[0] == 0
    assert bounds(3, 3, reached=True)[1] == 1
    assert math.isnan(draws_needed(3, math.nan))
    assert math.isinf(draws_needed(3, 0.0))
    assert not hopeless(0, 1, 10)
    assert [hopeless(n, 1, 1000) for n in (100, 7_000, 8_000)] == [False, False, True]
    with pytest.raises(InputError, match="at least 1 pass"):
        until([True], 0)


def test_draws_are_as_many_as_it_takes() -> None:
    rng = np.random.default_rng(5)
    taken = [np.flatnonzero((rng.random(2000) < 0.2).cumsum() == 6)[0] + 1 for _ in range(2000)]
    assert np.mean(taken) == pytest.approx(draws_needed(6, 0.2), rel=0.03)
