"""What is read in bulk is what is read one by one, of any samples and any view."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from loupe.brain.slicing.factors import Factor
from loupe.brain.slicing.outcomes import Outcome

pytestmark = pytest.mark.database
N = 60


@pytest.fixture(scope="module")
def filled(database: str) -> Iterator[Any]:
    """60 samples with failures, a class, boxes, tags, and odd values; none of the tests changes them."""
    import fiftyone as fo
    from filled import fill

    made = fo.Dataset()
    fill(made, N, seed=1)
    rng = np.random.default_rng(3)
    odd = ["$filepath", "a.b", '"; {}', "(none)", None, "<b>&", "猫", "", "x" * 400]
    made.set_values("scenario.time", [odd[at % len(odd)] for at in range(N)])
    made.set_values("level", [(None, 0.5, float("nan"), float("inf"), -3.0)[at % 5] for at in range(N)])
    made.set_values("whole", [(None, 1, 2**40, -1)[at % 4] for at in range(N)])
    made.set_values("eval", [(None, True, False)[at % 3] for at in range(N)])
    made.set_values("tags", [["a"] * (at % 3) + ["b.c"] * (at % 2) for at in range(N)])
    boxes = [
        [fo.Detection(label=rng.choice(["cat", "dog"]), bounding_box=[0, 0, 1, 1]) for _ in range(at % 4)]
        for at in range(N)
    ]
    made.set_values("boxes", [None if at % 7 == 0 else fo.Detections(detections=own) for at, own in enumerate(boxes)])
    asked = [fo.Classification(label="sharpness", asked="blur")]
    made.set_values("unknown", [fo.Classifications(classifications=asked if at % 9 == 0 else []) for at in range(N)])
    # what others may have done to single documents: nothing there at all, and labels that nobody scored
    made._sample_collection.update_many({"level": 0.5}, {"$unset": {"failures": "", "scenario": "", "checked": ""}})
    made._sample_collection.update_many({"whole": -1}, {"$set": {"failures": None}})
    yield made
    made.delete()


VIEWS: dict[str, Callable[[Any], Any]] = {
    "dataset": lambda dataset: dataset,
    "nothing": lambda dataset: dataset.limit(0),
    "shuffled": lambda dataset: dataset.shuffle(seed=1).limit(31),
    "filtered labels": lambda dataset: dataset.filter_labels("boxes", {"label": "cat"}, only_matches=False),
    "some fields": lambda dataset: dataset.select_fields(["boxes", "level"]),
    "patches": lambda dataset: dataset.to_patches("boxes"),
}
FACTORS = {
    "a text": Factor.field("scenario.time"),
    "a number in bins": Factor.field("level", bins=3),
    "a whole number": Factor.field("whole"),
    "tags": Factor.tags(),
    "some tags": Factor.tags("b.c"),
    "classes": Factor.label("boxes"),
    "a count": Factor.count("boxes"),
    "a time": Factor.time("created_at", "year"),
    "a product": Factor.tags() * Factor.label("boxes") * Factor.field("scenario.weather"),
}


def read_both(monkeypatch: pytest.MonkeyPatch, *arguments: Any, **named: Any) -> tuple[Any, Any]:
    """Returns what is read in bulk, and what is read without it."""
    from loupe.brain.store import bulk, columns
    from loupe.brain.store.raw import Irregular

    def refuse(*_: Any) -> None:
        raise Irregular("as a test wants it")

    fast = columns.read(*arguments, **named)
    with monkeypatch.context() as patch:
        patch.setattr(bulk, "read", refuse)
        return fast, columns.read(*arguments, **named)


def same(fast: Any, slow: Any) -> None:
    assert fast.by == slow.by
    assert list(fast.states) == list(slow.states)
    for name, state in fast.states.items():
        np.testing.assert_array_equal(state, slow.states[name], err_msg=name)
    for name, column in fast.factors.items():
        assert column.values == slow.factors[name].values, name
        np.testing.assert_array_equal(column.samples, slow.factors[name].samples)
        np.testing.assert_array_equal(column.codes, slow.factors[name].codes)


#: which fields a view leaves
LACKS = {"some fields": {"scenario", "whole"}, "patches": {"scenario", "whole", "level", "boxes"}}
CASES = [
    (view, name)
    for view in VIEWS
    for name, factor in FACTORS.items()
    if not LACKS.get(view, set()) & {part.path.split(".")[0] for part in factor.parts()}
]


@pytest.mark.parametrize(("view", "factor"), CASES)
def test_columns_are_the_same(filled: Any, monkeypatch: pytest.MonkeyPatch, view: str, factor: str) -> None:
    same(*read_both(monkeypatch, VIEWS[view](filled), FACTORS[factor]))


@pytest.mark.parametrize("failed", [(False,), ("yes", False), (0,), (None,)])
def test_an_outcome_of_ones_own_is_the_same(filled: Any, monkeypatch: pytest.MonkeyPatch, failed: Any) -> None:
    for path in ("eval", "whole", "tags", "boxes.detections.label"):
        outcome = Outcome.field(path, failed=[*failed, "dog", 1, "a"], unknown=["cat", -1])
        fast, slow = read_both(monkeypatch, filled, [], outcome=outcome)
        same(fast, slow)
        assert len(set(fast.states[path].tolist())) > 1


def test_of_most_it_is_the_fast_way_that_was_taken(filled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from loupe.brain.store import columns

    def refuse(*_: Any) -> None:
        raise AssertionError("read one by one")

    monkeypatch.setattr(columns.plain, "read", refuse)
    monkeypatch.setattr(type(filled), "values", refuse)
    for factor in FACTORS.values():
        assert columns.read(filled, factor).states


def test_a_score_that_is_no_number_is_none(dataset: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from filled import fill

    fill(dataset, 12)
    dataset._sample_collection.update_many({"scenario.time": "day"}, {"$set": {"quality.sharpness": "much"}})
    fast, slow = read_both(monkeypatch, dataset, "scenario.time")
    same(fast, slow)
    assert fast.states["blur"][fast.factors["scenario.time"].rows("day")].max() < 2


def test_of_one_failure_mode_it_is_the_same(filled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fast, slow = read_both(monkeypatch, filled, "scenario.weather", ["blur"])
    same(fast, slow)
    assert len(set(fast.states["blur"].tolist())) == 4, "all states are there"


def test_more_documents_than_the_database_sends_at_once(dataset: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from filled import fill

    from loupe.brain.store import bulk

    fill(dataset, 50)
    for size in (7, 25, 50):
        monkeypatch.setattr(bulk, "_BATCH", size)
        same(*read_both(monkeypatch, dataset, "scenario.weather"))


def test_what_is_not_read_in_bulk_is_read_without_it(filled: Any) -> None:
    from loupe.brain.store import bulk, columns
    from loupe.brain.store.raw import Irregular

    document = Outcome.field("boxes", failed=["detections"])
    for outcome in (document, Outcome.field("unknown.classifications", failed=["x"])):
        fact = outcome.facts["failed"]
        with pytest.raises(Irregular):
            bulk.read(filled, {fact: fact.path})
    assert len(columns.read(filled, outcome=Outcome.field("unknown", failed=["x"])).states["unknown"]) == N
    with pytest.raises(Irregular, match="names"):
        bulk.read(filled, {}, ["$where"])
    assert bulk.read(filled, {}).n == N
