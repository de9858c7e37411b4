"""The operator that finds the worst slices: what it offers, what it says, and what the panel then has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from operator_calls import form, problems, result

pytestmark = [pytest.mark.database, pytest.mark.slow]


def test_it_says_what_it_found_and_keeps_it_for_the_panel(new_dataset: Callable[[], Any]) -> None:
    from filled import fill

    from loupe.brain.store import findings

    dataset = new_dataset()
    fill(dataset, 1200)
    body = result("discover_slices", dataset, {"by": ["scenario.time", "scenario.weather"], "failure": "any"})
    assert body["findings"]
    first = body["findings"][0]
    assert first["sentence"].startswith("Any failure: ")
    assert "| Any failure | night" in body["summary"]
    assert "Next: open the panel **Worst slices**." in body["summary"]
    dataset.reload()
    kept = findings.load(dataset)
    assert kept is not None
    assert [each.sentence for each in kept.findings.findings] == [each["sentence"] for each in body["findings"]]


def test_what_the_form_offers_by_name_is_what_is_combined(new_dataset: Callable[[], Any]) -> None:
    import numpy as np
    from filled import fill

    dataset = new_dataset()
    fill(dataset, 300)
    dataset.set_values("level", np.random.default_rng(0).random(300).tolist())
    inputs = form("discover_slices", dataset)
    offered = [choice.value for choice in inputs["by"].view.choices]
    assert {"scenario.time", "level"} <= set(offered)
    body = result("discover_slices", dataset, {"by": ["level"], "settings": True, "min_samples": 10})
    assert "level" in body["summary"] or body["findings"] == []
    assert body["notes"] == []


def test_before_anything_was_checked_the_form_says_so(new_dataset: Callable[[], Any]) -> None:
    import fiftyone as fo

    dataset = new_dataset()
    dataset.add_sample(fo.Sample(filepath="/nowhere/0.png"))
    assert problems(form("discover_slices", dataset)) == {
        "no_failures": "Nothing has been checked yet. Run 'Loupe: check images' first."
    }
