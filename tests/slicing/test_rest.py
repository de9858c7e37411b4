"""Each rate against the rest, and in groups: against sums made one sample at a time, scipy and statsmodels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from loupe.brain.core.errors import InputError
from loupe.brain.slicing.columns import NONE, Column
from loupe.brain.slicing.outcomes import State
from loupe.brain.slicing.rates import rates
from loupe.brain.stats.effective_n import Cells, effective_n_of_slices


def _random(seed: int, n: int = 400) -> tuple[dict[str, np.ndarray], list[list[str]], list[str | None]]:
    rng = np.random.default_rng(seed)
    states = {mode: rng.choice(4, n, p=[0.1, 0.15, 0.6, 0.15]).astype(np.int8) for mode in ("blur", "dark")}
    tags = [rng.choice(["a", "b", "c"], rng.integers(0, 4), replace=False).tolist() for _ in range(n)]
    prompts = [None if rng.random() < 0.1 else f"prompt {rng.integers(0, 60)}" for _ in range(n)]
    return states, tags, prompts


@pytest.mark.parametrize("seed", range(3))
def test_lift_and_p_are_against_the_judged_samples_outside_the_slice(seed: int) -> None:
    states, tags, _ = _random(seed)
    table = rates(states, {"tags": tags})
    p = []
    for rate in table:
        tag, state = rate.slice.values["tags"], states[rate.failure]
        inside = np.array([(tag in own) if tag != NONE else not own for own in tags])
        k, n = (state[inside] == State.FAILED).sum(), (state[inside] >= State.PASSED).sum()
        rest_k, rest_n = (state[~inside] == State.FAILED).sum(), (state[~inside] >= State.PASSED).sum()
        assert (rate.failures, rate.n) == (k, n)
        assert rate.lift == pytest.approx((k / n) / (rest_k / rest_n))
        p.append(stats.fisher_exact([[k, n - k], [rest_k, rest_n - rest_k]]).pvalue)
        assert rate.p == pytest.approx(p[-1])
        assert (rate.low, rate.high) == pytest.approx(proportion_confint(k, n, method="wilson"))
        assert rate.jeffreys == pytest.approx(proportion_confint(k, n, method="jeffreys"))
        assert (rate.groups, rate.effective_n, rate.too_few) == (None, None, False)
    assert [rate.q for rate in table] == pytest.approx(multipletests(p, method="fdr_bh")[1])


def test_what_has_no_rest_or_fails_nowhere_has_no_lift() -> None:
    failed, passed, unknown = State.FAILED, State.PASSED, State.UNKNOWN
    (whole,) = rates({"blur": np.array([failed, passed])})
    assert all(map(math.isnan, (whole.lift, whole.p, whole.q)))
    day, missing = rates({"blur": np.array([failed, unknown])}, {"time": ["day", None]})
    assert all(map(math.isnan, (day.lift, day.p, missing.lift, missing.p, missing.rate, *missing.jeffreys)))
    day, night = rates({"blur": np.array([failed, passed, passed])}, {"time": ["day", "night", "night"]})
    assert (day.lift, night.lift) == (math.inf, 0)
    day, night = rates({"blur": np.array([passed, passed])}, {"time": ["day", "night"]})
    assert math.isnan(day.lift)
    assert (day.p, day.q) == (1, 1)
    assert rates({}, {"time": []}) == rates({}) == []


@pytest.mark.parametrize("seed", range(3))
def test_groups_narrow_what_a_slice_counts_as(seed: int) -> None:
    states, tags, prompts = _random(seed)
    table = rates(states, {"tags": tags}, groups=prompts, min_n=30)
    plain = rates(states, {"tags": tags})
    codes = {prompt: code for code, prompt in enumerate(dict.fromkeys(filter(None, prompts)))}
    group = np.array([codes.get(prompt, 1000 + row) for row, prompt in enumerate(prompts)])
    for mode, state in states.items():
        own = [rate for rate in table if rate.failure == mode]
        samples, slices = [], []
        for at, rate in enumerate(own):
            tag = rate.slice.values["tags"]
            rows = [row for row, had in enumerate(tags) if (tag in had if tag != NONE else not had)]
            rows = [row for row in rows if state[row] >= State.PASSED]
            samples += rows
            slices += [at] * len(rows)
        judged = np.flatnonzero(state >= State.PASSED)
        cells = Cells.of(np.array(slices), group[samples], state[samples] == State.FAILED)
        every = Cells.of(np.zeros_like(judged), group[judged], state[judged] == State.FAILED)
        made = effective_n_of_slices(cells, every, len(own))
        for at, rate in enumerate(own):
            assert rate.groups == len(
                np.unique(group[[row for row, of in zip(samples, slices, strict=True) if of == at]])
            )
            assert rate.effective_n == pytest.approx(made.effective_n[at])
            assert rate.effective_n <= rate.n
            assert rate.too_few == (rate.effective_n < 30)
            k, n = rate.rate * rate.effective_n, rate.effective_n
            assert (rate.low, rate.high) == pytest.approx(proportion_confint(k, n, method="wilson"))
    assert [(rate.n, rate.failures, rate.lift) for rate in table] == [(of.n, of.failures, of.lift) for of in plain]


def test_samples_that_are_copies_count_once() -> None:
    rng = np.random.default_rng(4)
    state, time = rng.choice([2, 2, 2, 3], 600).astype(np.int8), rng.choice(["day", "night"], 600)
    once = rates({"blur": state}, {"time": time.tolist()})
    copied = rates(
        {"blur": np.repeat(state, 5)},
        {"time": np.repeat(time, 5).tolist()},
        groups=np.repeat(np.arange(600), 5).tolist(),
    )
    for single, five in zip(once, copied, strict=True):
        assert (five.n, five.groups, five.rate) == (5 * single.n, single.n, single.rate)
        assert five.effective_n == pytest.approx(single.n, abs=1.001)
        assert (five.low, five.high) == pytest.approx((single.low, single.high), abs=0.01)
        assert five.p == pytest.approx(single.p, abs=0.05)


def test_a_sample_is_in_one_group() -> None:
    with pytest.raises(InputError, match="each sample is in one of"):
        rates({"blur": np.array([State.PASSED])}, groups=[["a", "b"]])
    alone = rates({"blur": np.array([State.PASSED, State.FAILED])}, groups=Column.of([None, None]))
    assert alone[0].groups == 2
