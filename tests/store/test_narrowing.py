"""A narrowed view knows who narrowed it and to what, and the way back; a person's own stages stay as they are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import pytest

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def filled(database: str) -> Any:
    import fiftyone as fo

    dataset = fo.Dataset()
    dataset.add_samples(
        [fo.Sample(filepath=f"/nowhere/{index}.png", level=index % 4, score=index / 10) for index in range(20)],
        progress=False,
    )
    yield dataset
    dataset.delete()


def _kinds() -> tuple[type[Any], type[Any]]:
    from loupe.brain.core.errors import InputError
    from loupe.brain.store.narrowing import Narrowing

    @dataclass(frozen=True)
    class Level(Narrowing):
        level: int
        chosen: bool = False

        tag: ClassVar[str] = "level"

        @property
        def selects(self) -> bool:
            return self.chosen

        def query(self) -> dict[str, Any]:
            if self.level > 3:
                raise InputError("no such level")
            return {"level": {"$eq": self.level}}

        def facts(self) -> Any:
            return [self.level, self.chosen]

        @classmethod
        def from_facts(cls, facts: Any) -> Self:
            level, chosen = facts
            return cls(level, chosen)

    @dataclass(frozen=True)
    class Above(Narrowing):
        score: float

        tag: ClassVar[str] = "above"

        def query(self) -> dict[str, Any]:
            return {"score": {"$gt": self.score}}

        def facts(self) -> Any:
            return self.score

        @classmethod
        def from_facts(cls, facts: Any) -> Self:
            return cls(facts)

    return Level, Above


def _through_the_app(view: Any) -> Any:
    """The view as the App sends it back; JavaScript has one kind of number, and writes 1.0 as 1."""
    import fiftyone as fo
    from fiftyone.operators.operations import _serialize_view

    text = json.dumps(_serialize_view(view)).replace("1.0", "1")
    return fo.DatasetView._build(view._root_dataset, json.loads(text))


def test_it_knows_the_way_back_between_stages_of_ones_own(filled: Any) -> None:
    from loupe.brain.store import narrowing

    level, _ = _kinds()
    own = filled.match({"score": {"$gt": 0.5}})
    narrowed = narrowing.narrow(own, level(2))
    assert set(narrowed.values("level")) == {2}
    assert len(narrowed._stages) == len(own._stages) + 1
    for view in (narrowed.limit(2), _through_the_app(narrowed.limit(2))):
        before, to = narrowing.widen(view, level)
        assert to == level(2)
        assert before.values("id") == own.limit(2).values("id")
        assert before._serialize(include_uuids=False) == own.limit(2)._serialize(include_uuids=False)


def test_a_kind_of_narrowing_cannot_be_one_that_changes() -> None:
    from loupe.brain.store.narrowing import Narrowing

    with pytest.raises(TypeError, match="non-frozen"):
        dataclass(type("Loose", (Narrowing,), {}))


def test_where_nothing_is_narrowed_the_view_is_as_it_was(filled: Any) -> None:
    from loupe.brain.store import narrowing

    level, _ = _kinds()
    for view in (filled, filled.view(), filled.match({"level": {"$eq": 2}}), filled.limit(3)):
        assert narrowing.widen(view, level) == (view, None)


def test_two_kinds_stand_beside_each_other_and_each_takes_back_its_own(filled: Any) -> None:
    from loupe.brain.store import narrowing

    level, above = _kinds()
    both = narrowing.narrow(narrowing.narrow(filled, level(1)), above(1.0))
    assert 0 < len(both) < len(filled.match({"level": 1}))
    for view in (both, _through_the_app(both)):
        without_level, to = narrowing.widen(view, level)
        assert to == level(1)
        assert narrowing.widen(without_level, above)[1] == above(1.0)
        assert without_level.values("id") == filled.match({"score": {"$gt": 1.0}}).values("id")
        without_above, to = narrowing.widen(view, above)
        assert to == above(1.0)
        assert without_above.values("id") == filled.match({"level": 1}).values("id")


def test_a_selection_goes_with_it_and_no_other_selection_does(filled: Any) -> None:
    from loupe.brain.store import narrowing

    level, _ = _kinds()
    ids = filled.match({"level": 3}).values("id")
    chosen = narrowing.narrow(filled, level(3, chosen=True), [ids[2], ids[0]])
    assert chosen.values("id") == [ids[2], ids[0]]
    assert narrowing.widen(chosen, level)[0].values("id") == filled.values("id")
    own = narrowing.narrow(filled, level(3)).select(ids[:1])
    assert narrowing.widen(own, level)[0].values("id") == ids[:1]
    # somebody took the selection away, and left the match
    left = filled.view().add_stage(chosen._stages[0]).limit(2)
    assert len(narrowing.widen(left, level)[0]) == 2


@pytest.mark.parametrize(
    "comment",
    [
        "loupe level: ",
        "loupe level: [1",
        "loupe level: [1, false, 2]",
        "loupe level: 1",
        'loupe level: ["1", false]',
        "loupe level: [9, false]",  # an error of the kind's own
        "loupe level: [3, false]",  # another level than the query's
        "loupe level: " + "[" * 100_000,
        "loupe other: [2, false]",
        "level: [2, false]",
        3,
        None,
    ],
)
def test_a_stage_of_somebody_elses_is_a_stage_like_any_other(filled: Any, comment: Any) -> None:
    from loupe.brain.store import narrowing

    level, _ = _kinds()
    view = filled.match({"$comment": comment, "level": {"$eq": 2}})
    assert narrowing.widen(view, level) == (view, None)
    changed = filled.match({"$comment": "loupe level: [2, false]", "level": {"$eq": 2}, "score": {"$gt": 0}})
    assert narrowing.widen(changed, level) == (changed, None)
    assert narrowing.widen(filled.match({"$comment": "loupe level: [2, false]", "level": {"$eq": 2}}), level)[1]
