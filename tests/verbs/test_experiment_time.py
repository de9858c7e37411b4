"""How long what comes after drawing takes: by the last run of the kind, by stated costs, or it is not known."""

from __future__ import annotations

import math
from typing import Any

import pytest

from loupe.brain.core.experiment import ExperimentPlan, PlannedArm


def _plan(after: dict[str, float]) -> ExperimentPlan:
    arm = PlannedArm("a", "a", "class", math.nan, 0, n=100, drawn=0, seconds=36.0, price=0.0, size=1e4, prompt="x")
    return ExperimentPlan((arm,), "label", ("a", "b"), 50, 100, 100, after=after)


def test_the_hours_of_a_plan_are_those_of_all_of_it() -> None:
    plan = _plan({"checks": 1800.0, "vectors": math.nan, "comparing and training": 900.0})
    assert plan.drawing_hours == 1.0
    assert plan.hours == 1.75
    assert plan.sentence().startswith("1 arms × 2 classes × 50 = 100 images: 60 min of drawing; no cost; 1.0 MB; ")
    assert plan.sentence().endswith("then 45 min of checks, comparing and training; how long vectors take is not known")
    assert _plan({}).hours == 1.0


@pytest.mark.database
def test_rates_are_those_of_the_newest_run_that_did_enough(new_dataset: Any) -> None:
    import fiftyone as fo

    from loupe.brain.core.results import Run
    from loupe.brain.store import runs
    from loupe.brain.store.experiment import pace as experiment_pace

    dataset = new_dataset()
    dataset.add_sample(fo.Sample("/nowhere/1.png"))
    assert math.isnan(experiment_pace.rate([dataset], "embed"))
    for number, (n, seconds) in enumerate([(100, 50.0), (100, 20.0), (3, 9.0)], 9):
        assert runs.save(dataset, Run(f"loupe_embed_{number}", "embed", n, seconds=seconds))
    assert experiment_pace.rate([dataset], "embed") == pytest.approx(0.2)
    assert math.isnan(experiment_pace.rate([dataset], "check"))


def test_comparing_grows_with_the_pairs() -> None:
    from loupe.brain.verbs.steps.experiment_time import comparing

    few, many = comparing(1000, [1000], 512, speed=1), comparing(30_000, [30_000], 512, speed=1)
    assert 1 < few < 30
    assert 60 < many < 600
    assert comparing(1000, [1000], 512, speed=2) == pytest.approx(few / 2)
