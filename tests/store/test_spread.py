"""What is offered is told by samples from all over a view."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.database


@pytest.fixture
def drawn(dataset: Any) -> Any:
    """The pictures of three models, one model after another, and of prompts that take turns."""
    import fiftyone as fo

    dataset.add_samples(
        [
            fo.Sample(
                filepath=f"/nowhere/{at}.png",
                generation=fo.DynamicEmbeddedDocument(model="abc"[at // 1000], seed=at),
                turn=at % 2 == 0,
                constant="same",
                steps=at / 7 if at >= 1000 else 1.0,
            )
            for at in range(3000)
        ],
        progress=False,
    )
    dataset.add_dynamic_sample_fields()
    return dataset


def test_a_model_that_drew_after_another_is_offered_everywhere(drawn: Any) -> None:
    from loupe.brain.store import choices, columns, report
    from loupe.brain.store.comparison import view as compare_view

    assert set(drawn.limit(500).values("generation.model")) == {"a"}
    assert columns.factors(drawn) == ["generation.model", "turn"]
    assert "generation.model" in report.factors(drawn.view())
    assert compare_view.made_by(drawn) == ["generation.model"]
    offered = choices.factors(drawn.view())
    assert {"generation.model", "turn", "steps"} <= offered.keys()
    assert "constant" not in offered


def test_it_is_the_same_samples_each_time_of_the_view_and_from_all_over_it(drawn: Any) -> None:
    from loupe.brain.store.spread import LOOK_AT, spread

    some = spread(drawn)
    ids = some.values("id")
    assert len(ids) == LOOK_AT == len(set(ids))
    assert ids == spread(drawn).values("id")
    assert drawn.limit(100).values("id") == ids[:100], "neighbors are among them"
    shares = [some.values("generation.model").count(model) / len(ids) for model in "abc"]
    assert min(shares) > 0.15
    # even distances would show one of two values that take turns
    assert 0.3 < sum(some.values("turn")) / len(ids) < 0.7

    for view in (drawn.match({"turn": True}), drawn.sort_by("filepath"), drawn.limit(700), drawn.view()):
        chosen = spread(view).values("id")
        assert len(chosen) == LOOK_AT
        assert set(chosen) <= set(view.values("id"))
    assert set(spread(drawn.match({"turn": True})).values("turn")) == {True}


def test_of_few_samples_all_are_looked_at_and_of_none_none(drawn: Any) -> None:
    from loupe.brain.store import columns
    from loupe.brain.store.spread import LOOK_AT, spread

    few = drawn.limit(LOOK_AT)
    assert spread(few) is few
    none = drawn.match({"turn": "never"})
    assert spread(none) is none
    assert columns.factors(none) == []


def test_views_of_groups_and_of_patches_are_spread_too(drawn: Any) -> None:
    import fiftyone as fo

    from loupe.brain.store import columns
    from loupe.brain.store.spread import spread

    boxes = [fo.Detection(label="x", bounding_box=[0, 0, 1, 1]) for _ in range(len(drawn))]
    drawn.set_values("boxes", [fo.Detections(detections=[box]) for box in boxes])
    patches = drawn.to_patches("boxes")
    assert len(spread(patches)) == 500
    grouped = drawn.group_by("generation.model")
    assert len(spread(grouped)) == 3
    assert "generation.model" in columns.factors(grouped)
