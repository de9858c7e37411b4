"""Steps into a dataset: what they keep, and which samples they lead to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from loupe.brain.core.errors import LoupeError
from loupe.brain.slicing.factors import Factor

pytestmark = pytest.mark.database


@pytest.fixture
def levels(dataset: Any) -> Any:
    """Ten samples with a number, a text with odd letters, and tags."""
    import fiftyone as fo

    dataset.add_samples(
        [
            fo.Sample(f"/nowhere/{at}.png", level=at / 10, word=["$a", 'b"', None][at % 3], tags=["x.y"] * (at % 2))
            for at in range(10)
        ]
    )
    return dataset


def test_a_step_survives_as_json_and_leads_to_its_samples(levels: Any) -> None:
    from loupe.brain.slicing.columns import shown
    from loupe.brain.store import columns, trail

    for factor in (Factor.field("level", bins=3), Factor.field("word"), Factor.tags()):
        read = columns.read(levels, [factor])
        (fitted,) = read.by
        column = read.factors[factor.name]
        for value in column.values:
            kept = json.loads(json.dumps(trail.Step(fitted, shown(value)).to_dict()))
            (step,) = trail.steps_of([kept])
            assert step == trail.Step(fitted, shown(value))
            (query,) = trail.queries(levels, [step])
            ids = levels.values("id")
            assert levels.match(query).values("id") == [ids[row] for row in column.rows(value)]


def test_what_is_no_step_is_none(levels: Any) -> None:
    from loupe.brain.store import trail

    good = trail.Step(Factor.field("word"), "$a").to_dict()
    assert len(trail.steps_of([good])) == 1
    for odd in (None, "x", 3, [3], [{}], [{**good, "value": 3}], [{**good, "factor": {"name": "x"}}], [good, good]):
        assert trail.steps_of(odd) == ()
    assert trail.steps_of([{**good, "factor": {**good["factor"], "name": str(at)}} for at in range(9)]) == ()
    for factor, value in ((Factor.field("word"), "no such bin"), (Factor.field("gone"), "x")):
        step = trail.Step(factor, value)
        if factor.path == "gone":
            with pytest.raises(LoupeError):
                trail.queries(levels, [step])
        else:
            assert len(levels.match(trail.queries(levels, [step])[0])) == 0
