"""What set measures leave on samples, the pairs they keep, and the splits that samples are in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.database


@pytest.fixture
def five(dataset: Any) -> Any:
    import fiftyone as fo

    tags = (["train"], ["test", "new"], [], ["train"], ["val"])
    samples = [fo.Sample(filepath=f"/nowhere/{index}.png", tags=own) for index, own in enumerate(tags)]
    dataset.add_samples(samples, progress=False)
    dataset.set_values("split", ["a", "b", None, "b", "a"])
    return dataset


@pytest.mark.parametrize("chunk", [2, 1000])
def test_results_are_written_sample_by_sample(five: Any, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    from loupe.brain.sets.duplicates import Duplicates
    from loupe.brain.store import sets

    monkeypatch.setattr(sets, "_CHUNK", chunk)
    spec = Duplicates()
    first, second = (output.name for output in spec.outputs)
    rows = sets.rows(five, spec)
    assert [row.id for row in rows] == five.values("id")
    assert all(row.pending == frozenset({spec.name}) for row in rows)
    scores = np.float32([0, 1, np.nan, 0.5, 2])
    reasons = {rows[2].id: "too little detail"}
    sets.write(five, spec, rows, {first: scores}, reasons, {rows[0].id: "x", rows[4].id: "x"})
    assert five.values(f"quality.{first}") == [0, 1, None, 0.5, 2]
    assert not five.has_field(f"quality.{second}"), "no column was given"
    assert five.values("duplicate_group") == ["x", None, None, None, "x"]
    assert five.values(f"checked.{spec.name}") == [row.keys[spec.name] for row in rows]
    labels = five.values("unknown.classifications.label")
    assert [bool(own) for own in labels] == [False, False, True, False, False]
    sets.write(five, spec, rows, {first: scores}, {}, {rows[1].id: "y"})
    assert five.values("duplicate_group") == [None, "y", None, None, None], "an older group is lost"
    assert not any(five.values("unknown.classifications.label"))
    sets.write(five, spec, rows, {first: scores}, {})
    assert five.values("duplicate_group")[1] == "y", "groups stay where none are given"


def test_pairs_are_kept_for_the_same_parameters(five: Any) -> None:
    from loupe.brain.sets.duplicates import Duplicates
    from loupe.brain.store import sets

    spec = Duplicates()
    assert sets.load_pairs(five, spec) == (set(), {})
    sets.save_pairs(five, spec, ["a", "b"], {("a", "b"): 0.5})
    sets.save_pairs(five[:2], spec, ["a", "b", "c"], {("a", "b"): 0.5, ("b", "c"): 1.0})
    assert sets.load_pairs(five[:1], spec) == ({"a", "b", "c"}, {("a", "b"): 0.5, ("b", "c"): 1.0})
    assert sets.load_pairs(five, Duplicates(min_hash=0.99)) == (set(), {})


def test_vectors_are_those_of_the_rows(five: Any) -> None:
    import fiftyone as fo

    from loupe.brain.core.errors import InputError, UnknownName
    from loupe.brain.sets.outliers import Outliers
    from loupe.brain.store import sets

    rows = sets.rows(five, Outliers())
    five.add_sample_field("vector", fo.VectorField)
    five.set_values("vector", [np.array([index, 1.0]) if index != 2 else None for index in range(5)])
    made = sets.vectors(five, list(reversed(rows)), "vector")
    assert [None if vector is None else vector.tolist() for vector in made] == [[4, 1], [3, 1], None, [1, 1], [0, 1]]
    assert made[0] is not None
    assert made[0].dtype == np.float32
    with pytest.raises(InputError, match="expected a field of vectors, but 'split' is a StringField"):
        sets.vectors(five, rows, "split")
    with pytest.raises(UnknownName, match="Did you mean 'vector'"):
        sets.vectors(five, rows, "vectr")


def test_splits_are_a_field_or_tags(five: Any) -> None:
    from loupe.brain.core.errors import InputError
    from loupe.brain.store import sets

    ids = five.values("id")
    assert sets.splits_of(five, "split") == {ids[0]: "a", ids[1]: "b", ids[3]: "b", ids[4]: "a"}
    assert sets.splits_of(five, ["train", "test"]) == {ids[0]: "train", ids[1]: "test", ids[3]: "train"}
    with pytest.raises(InputError, match=r"expected at least two splits on these samples, got train$"):
        sets.splits_of(five, ["train", "holdout"])
    with pytest.raises(InputError, match=r"expected at least two splits on these samples, got none$"):
        sets.splits_of(five, ["some", "others"])
    with pytest.raises(InputError, match="got one with the tags test and new"):
        sets.splits_of(five, ["test", "new"])
