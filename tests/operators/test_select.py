"""The operators that choose samples and that look others up: what their forms propose, and what they make of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from operator_calls import form, messages, problems, result, triggered, untouched

pytestmark = pytest.mark.database


def test_a_mix_a_share_and_a_score_with_its_way(filled: Any, tmp_path: Path) -> None:
    params = {"n": 0.25, "strategy": "diverse 0.7, hard 0.3", "settings": True}
    offered = form("select", filled, params)["score"].view.choices
    values = [each.value for each in offered]
    # of Loupe's own scores the worse way is known, of predictions the unsure ones are hard
    assert "quality.sharpness" in values
    assert "model" in values
    target = tmp_path / "export"
    params |= {"score": "quality.sharpness", "save_as": "mine", "without": [], "export_dir": str(target), "groups": []}
    body = result("select", filled, untouched("select", filled, params))
    assert body["n"] == 3
    assert body["view"] == "mine"
    assert body["recipe"]["strategy"] == {"diverse": 0.7, "hard": 0.3}
    assert filled.load_saved_view("mine").values("id") == body["ids"]
    assert (target / "manifest.csv").is_file()
    assert "Discrepancy" in body["summary"]
    filled.delete_saved_view("mine")


@pytest.mark.parametrize("n", [0, -1, 1.5, "many"])
def test_a_size_that_cannot_be_is_marked(filled: Any, n: Any) -> None:
    assert "n" in problems(form("select", filled, {"n": n}))


def test_what_is_selected_is_the_query(filled: Any) -> None:
    ids = filled.values("id")
    selected = {"selected": ids[:2]}
    assert form("more_like", filled, **selected)["query"].default == f"{ids[0]}, {ids[1]}"
    params = untouched("more_like", filled, {"n": 4}, **selected)
    sent = messages("more_like", filled, params, app=True, **selected)
    body = sent[-1]["body"]
    assert len(body["ids"]) == 4
    assert not set(body["ids"]) & set(ids[:2])
    assert "set_view" in triggered(sent)
    assert form("more_like", filled, current_sample=ids[5])["query"].default == ids[5]
