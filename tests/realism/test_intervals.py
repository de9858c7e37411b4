"""Every number with an interval lies in it, whatever the sets are; what has none says why."""

from __future__ import annotations

import math

import numpy as np
import pytest

from loupe.brain.core.realism import Estimate, RealismMetric
from loupe.brain.realism import results, transfer
from loupe.brain.realism.alignment import aligned
from loupe.brain.realism.blocks import Labeled
from loupe.brain.realism.compare import compare

#: measured of the whole sets only, with a p of its own, or no ratio: see ``RealismMetric``
WITHOUT = {"clipped_density", "clipped_coverage", "frechet_endless", "c2st", "kid", "cmmd"}

SETS = {
    "as real": (0.0, 1.0, 300, 300),
    "fewer": (0.0, 1.0, 500, 120),
    "more": (0.0, 1.0, 150, 600),
    "narrow": (0.0, 0.4, 300, 300),
    "wide": (0.0, 2.0, 300, 200),
    "far": (3.0, 1.0, 300, 300),
    "one point": (0.2, 0.0, 300, 200),
}


def _drawn(name: str, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    shift, spread, n, m = SETS[name]
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 10)).astype(np.float32), rng.normal(shift, spread, (m, 10)).astype(np.float32)


@pytest.mark.parametrize("name", SETS)
def test_a_measure_lies_in_its_own_band(name: str) -> None:
    known = results.metrics(compare(*_drawn(name), permutations=19))
    assert {each.name for each in known} >= WITHOUT | {"coverage", "recall", "vendi", "frechet"}
    for metric in known:
        _require_inside(metric, name)


def _require_inside(metric: RealismMetric, name: str) -> None:
    if metric.name in WITHOUT:
        assert math.isnan(metric.low), (name, metric)
        assert math.isnan(metric.high), (name, metric)
        return
    if math.isnan(metric.ratio):
        assert math.isnan(metric.low), (name, metric)
        return
    assert metric.low <= metric.ratio <= metric.high, (name, metric)
    assert metric.null_low <= metric.null <= metric.null_high, (name, metric)


def test_coverage_wavers_about_its_closed_form() -> None:
    """Of as many synthetic as real samples the band holds 1, what two draws of one distribution have."""
    drawn = [next(each for each in results.metrics(compare(*_drawn("as real", seed), permutations=1))
                  if each.name == "coverage") for seed in range(30)]  # fmt: skip
    assert sum(each.low <= 1 <= each.high for each in drawn) >= 26
    assert np.mean([each.ratio for each in drawn]) == pytest.approx(1, abs=0.02)
    assert np.mean([each.high - each.low for each in drawn]) < 0.35


@pytest.mark.parametrize("wrong", [0.0, 0.5])
def test_what_trains_what_lies_in_its_interval(wrong: float) -> None:
    rng = np.random.default_rng(1)
    sides = []
    for n in (300, 200, 240):
        classes = rng.integers(0, 3, n)
        vectors = rng.normal(size=(n, 8)) + 1.5 * np.eye(8)[classes]
        given = np.where(rng.random(n) < (wrong if n == 240 else 0), rng.integers(0, 3, n), classes)
        sides.append(Labeled(vectors.astype(np.float32), given))
    made = transfer.measure(*sides, 3)
    names = ("gap", "asymmetry", "utility", "gain", "narrowness", "foreignness", "equivalent_real_size")
    estimates: dict[str, Estimate] = {name: getattr(made, name) for name in names}
    estimates |= {name: arm.accuracy for name, arm in made.arms.items()}
    for name, each in estimates.items():
        assert each.low <= each.value <= each.high, (name, each)
    fitting = results.alignment(aligned(sides[0], sides[2], 3, 0).all)
    assert fitting.low <= fitting.ratio <= fitting.high
