"""What the panel "Compare" offers, and how it narrows the view to pairs."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = pytest.mark.database


@pytest.fixture
def models(dataset: Any) -> Any:
    from models_compared import fill_models

    fill_models(dataset, {"a 'quoted'": 0.2, "b": 0.4}, prompts=12)
    return dataset


def test_the_model_is_offered_first_and_evaluation_runs_where_there_are_two(models: Any) -> None:
    import fiftyone as fo

    from loupe.brain.store.comparison import view as compare_view

    assert next(iter(compare_view.offered(models))) == "generation.model"
    assert compare_view.EVALUATIONS not in compare_view.offered(models)
    assert compare_view.failures(models) == ("any", "blur")
    models.set_values("truth", [fo.Classification(label="x")] * len(models))
    for run in ("one", "two"):
        models.set_values(run, [fo.Classification(label="x")] * len(models))
        models.evaluate_classifications(run, "truth", eval_key=f"eval_{run}")
    assert compare_view.offered(models)[compare_view.EVALUATIONS] == ["eval_one", "eval_two"]


def test_models_that_drew_one_after_another_are_offered_however_many_pictures_they_have(
    models: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from loupe.brain.store import spread
    from loupe.brain.store.comparison import view as compare_view

    monkeypatch.setattr(spread, "LOOK_AT", 20)
    assert len(set(models.limit(20).values("generation.model"))) == 1
    assert next(iter(compare_view.offered(models))) == "generation.model"
    assert compare_view.made_by(models) == ["generation.model"]
    models.set_values("generation.steps", [20 + at % 2 for at in range(len(models))])
    models.set_values("generation.guidance", [None] * len(models))
    assert compare_view.made_by(models) == ["generation.model", "generation.steps"]
    models.set_values("generation.model", [f"m{at % 300}" for at in range(len(models))])
    assert compare_view.made_by(models.match({"generation.model": "m1"})) == []


def test_pairs_are_selected_in_their_order_and_taken_back(models: Any) -> None:
    from loupe.brain.store import narrowing
    from loupe.brain.store.comparison import columns as compared
    from loupe.brain.store.comparison import view as compare_view

    read = compared.read(models, "generation.model", "blur")
    queries = compare_view.queries(models, read, ["a 'quoted'", "b"])
    pairs = compare_view.Pairs("a 'quoted'", "b", "", queries)
    wanted = compare_view.ids(models, [5, 3, 5, 30, 9999])
    assert wanted == [models.values("id")[at] for at in (5, 3, 30)]
    view = narrowing.narrow(models, pairs, wanted)
    assert view.values("id") == wanted
    json.dumps(view._serialize(include_uuids=False))
    before, narrowed = narrowing.widen(view, compare_view.Pairs)
    assert narrowed == pairs
    assert before.values("id") == models.values("id")


def test_what_another_one_wrote_is_a_stage_like_any_other(models: Any) -> None:
    from loupe.brain.store import narrowing
    from loupe.brain.store.comparison import view as compare_view

    for comment in (
        "loupe pairs: [1, 2, 3, []]",
        "loupe pairs: {}",
        'loupe pairs: ["a", "b", "", []]',
        "loupe pairs: x",
    ):
        view = models.match({"$comment": comment, "generation.model": "b"})
        assert narrowing.widen(view, compare_view.Pairs)[1] is None
