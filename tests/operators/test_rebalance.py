"""The form of ``rebalance``: what is lacking is offered, what will be drawn stands there before, the result after."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rebalancing as made
from operator_calls import form, problems, result, untouched
from rebalancing import Shapes

pytestmark = pytest.mark.database


@pytest.fixture
def shapes(new_dataset: Callable[[], Any], tmp_path: Path) -> Any:
    return made.fill(new_dataset(), tmp_path / "own")


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The generator of the tests is known by its name."""
    from loupe.brain.core import registry

    every = {**registry.generators(), "shapes": Shapes}
    monkeypatch.setattr(registry, "generators", lambda: every)


def test_before_anything_has_looked(shapes: Any) -> None:
    inputs = form("rebalance", shapes)
    assert "run 'Loupe: coverage and balance'" in inputs["report"].view.label + str(inputs["report"].to_json())
    assert "count" not in inputs


def test_the_plan_stands_in_the_form(shapes: Any) -> None:
    made.lacking(shapes)
    params = untouched("rebalance", shapes, {"model": "shapes", "target": 8})
    inputs = form("rebalance", shapes, params)
    assert not problems(inputs)
    assert {"frame × time=dawn", "(every rare cell)"} <= set(inputs["source"].type.values)
    cells = form("rebalance", shapes, {**params, "source": "(every rare cell)"})
    assert "6 samples that count are lacking" in str(cells["count"].to_json())
    text = str(inputs["count"].to_json())
    assert "6 samples that count are lacking" in text
    assert "at most 120" in text
    assert "a frame at dawn" in str(inputs["plan"].to_json())


def test_only_what_was_chosen_is_drawn(shapes: Any, tmp_path: Path) -> None:
    made.lacking(shapes)
    n = len(shapes)
    params = {
        "source": "frame × time=dawn", "target": 6, "model": "shapes", "checks": "quick", "settings": True,
        "allow_unknown": "all", "max_draws": 8, "output_dir": str(tmp_path / "drawn"),
    }  # fmt: skip
    made_of = result("rebalance", shapes, untouched("rebalance", shapes, params))
    facts = made_of["rebalance"]["cells"][0]
    assert facts["counts"] + facts["fails"] + facts["spare"] == len(shapes.match({"rebalance.key": facts["key"]})) <= 8
    assert (facts["target"], facts["unknown"]) == (6, 0)
    assert [cell["where"] for cell in made_of["rebalance"]["cells"]] == ["frame × time=dawn"]
    shapes.reload()
    assert len(shapes) > n
    assert made_of["rebalance"]["view"] in shapes.list_saved_views()


def test_what_is_not_lacking_is_refused(shapes: Any) -> None:
    made.lacking(shapes)
    inputs = form("rebalance", shapes, {"source": "nothing like that", "model": "shapes"})
    assert "expected something that was found here" in problems(inputs)["source"]
