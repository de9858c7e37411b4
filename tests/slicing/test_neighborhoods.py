"""Neighborhoods of failing samples: the likelihood ratio against scipy's, the scan against a plain one."""

from __future__ import annotations

import numpy as np
import pytest

from loupe.brain.slicing.columns import Column
from loupe.brain.slicing.discovery import Settings, discover
from loupe.brain.slicing.neighborhoods import REGIONS, likelihood_ratio, members, regions, telling
from loupe.brain.slicing.outcomes import State


def unit_vectors(n: int, seed: int) -> np.ndarray:
    made = np.random.default_rng(seed).normal(size=(n, 6)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def test_the_likelihood_ratio_is_that_of_binomials() -> None:
    from scipy.stats import binom

    rng = np.random.default_rng(0)
    n = rng.integers(1, 50, 40)
    k = rng.binomial(n, 0.4)
    failed, judged = 60, 400
    ratio = likelihood_ratio(k, n, failed, judged)
    for own, size, value in zip(k, n, ratio, strict=True):
        rest_k, rest_n = failed - own, judged - size
        more = own / size > rest_k / rest_n
        expected = (
            binom.logpmf(own, size, own / size)
            + binom.logpmf(rest_k, rest_n, rest_k / rest_n)
            - binom.logpmf(own, size, failed / judged)
            - binom.logpmf(rest_k, rest_n, failed / judged)
        )
        assert value == pytest.approx(expected if more else 0, abs=1e-9)


def test_a_region_is_the_best_neighborhood_that_a_plain_search_finds() -> None:
    unit = unit_vectors(400, 1)
    lump = unit @ unit[7] > 0.75
    rng = np.random.default_rng(2)
    failed = rng.random(400) < np.where(lump, 0.8, 0.1)
    state = np.where(failed, State.FAILED, State.PASSED)
    explored = rng.random(400) < 0.5
    first, *others = regions(unit, {"x": state}, explored, 10)
    assert len(others) < REGIONS
    known = np.flatnonzero(explored)
    best = 0.0
    for center in known[failed[known]]:
        near = known[np.argsort(-(unit[known] @ unit[center]), kind="stable")]
        for size in (10, 13, 16, 21, 28, 37, 48):
            inside = failed[near[:size]]
            value = likelihood_ratio(np.array([inside.sum()]), np.array([size]), failed[known].sum(), len(known))[0]
            best = max(best, value)
    own = known[members(unit, first)[known]]
    ratio = likelihood_ratio(np.array([failed[own].sum()]), np.array([len(own)]), failed[known].sum(), len(known))[0]
    assert ratio == pytest.approx(best)
    assert (members(unit, first) & lump).sum() > 0.5 * (members(unit, first) | lump).sum()


def test_each_outcome_has_neighborhoods_of_its_own() -> None:
    unit = unit_vectors(3000, 3)
    rng = np.random.default_rng(4)
    a, b = unit[:, 0] > 0.7, unit[:, 1] > 0.7
    states = {
        name: np.where(rng.random(3000) < np.where(inside, 0.6, 0.05), State.FAILED, State.PASSED)
        for name, inside in (("a", a), ("b", b))
    }
    result = discover(states, {}, unit=unit, settings=Settings(seed=1))
    for finding in result.findings:
        assert finding.region is not None
        assert finding.region.failure == finding.failure
    assert {each.failure for each in result.findings} == {"a", "b"}
    assert all(each.region is not None and each.region.failure == each.failure for each in result.candidates)


def test_too_few_samples_or_vectors_have_no_neighborhood() -> None:
    unit = unit_vectors(30, 5)
    state = np.where(np.arange(30) % 3 == 0, State.FAILED, State.PASSED)
    assert regions(unit, {"x": state}, np.ones(30, bool), 10) == []
    assert regions(np.zeros((30, 6), np.float32), {"x": state}, np.ones(30, bool), 2) == []
    assert regions(np.zeros((30, 0), np.float32), {"x": state}, np.ones(30, bool), 2) == []
    assert regions(unit, {"x": np.full(30, State.PASSED)}, np.ones(30, bool), 2) == []


def test_what_is_told_of_some_samples_is_what_most_of_them_have_and_others_have_not() -> None:
    columns = {
        "time": Column.of(["night"] * 8 + ["day"] * 12),
        "always": Column.of(["x"] * 20),
        "tags": Column.of([["a", "b"]] * 6 + [["b"]] * 14),
    }
    inside = np.arange(20) < 10
    assert telling(columns, inside) == (("time", "night", 0.8), ("tags", "a", 0.6))
    assert telling({}, inside) == ()
    assert telling({"none": Column.of([None] * 20)}, inside) == ()
