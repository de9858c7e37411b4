"""Vectors on samples: which are missing, which must not be mixed, and what is made of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.database


@pytest.fixture
def three(dataset: Any) -> Any:
    import fiftyone as fo

    dataset.add_samples([fo.Sample(filepath=f"/nowhere/{index}.png") for index in range(3)], progress=False)
    return dataset


def embedder(name: str = "hog") -> Any:
    from loupe.brain.core import registry

    return registry.embedders()[name]()


def embed(samples: Any, *, unreadable: int | None = None) -> list[str]:
    """Gives each pending sample a vector of its own; returns the ids of those that were pending."""
    from loupe.brain.store import vectors

    vectors.declare(samples, embedder(), "hog")
    rows, _ = vectors.pending_rows(samples, embedder(), "hog")
    made = {row.id: np.float32([index, 1]) for index, row in enumerate(rows) if index != unreadable}
    reasons = {row.id: "no picture" for index, row in enumerate(rows) if index == unreadable}
    vectors.write(samples, "hog", rows, made, reasons)
    return [row.id for row in rows]


def test_what_has_a_vector_is_left_out(three: Any) -> None:
    from loupe.brain.store import vectors

    rows, skipped = vectors.pending_rows(three, embedder(), "hog")
    assert ([row.id for row in rows], skipped) == (three.values("id"), 0)
    assert embed(three[:2]) == three.values("id")[:2]
    rows, skipped = vectors.pending_rows(three, embedder(), "hog")
    assert ([row.id for row in rows], skipped) == (three.values("id")[2:], 2)
    assert len(vectors.pending_rows(three, embedder(), "hog", resume=False)[0]) == 3
    ids, made = vectors.read(three, "hog")
    assert ids == three.values("id")[:2]
    assert made.tolist() == [[0, 1], [1, 1]]
    assert made.dtype == np.float32


def test_a_vector_that_is_gone_is_made_again_and_one_that_cannot_be_made_is_not(three: Any) -> None:
    embed(three, unreadable=1)
    ids = three.values("id")
    assert three.values("unknown.classifications.label")[1] == ["embed"]
    assert three.values("unknown.classifications.label")[0] in (None, [])
    assert embed(three) == []
    three.set_values("hog", [None, None, np.float32([2, 1])])
    assert embed(three) == ids[:1]


def test_a_row_that_was_neither_read_nor_refused_is_pending_again(three: Any) -> None:
    from loupe.brain.store import vectors

    vectors.declare(three, embedder(), "hog")
    rows, _ = vectors.pending_rows(three, embedder(), "hog")
    vectors.write(three, "hog", rows, {rows[0].id: np.float32([1, 0])}, {})
    assert [row.id for row in vectors.pending_rows(three, embedder(), "hog")[0]] == [row.id for row in rows[1:]]
    assert vectors.read(three, "hog")[0] == [rows[0].id]


def test_vectors_of_two_kinds_are_not_mixed(three: Any) -> None:
    import fiftyone as fo

    from loupe.brain.core.errors import InputError
    from loupe.brain.store import vectors

    for name in ("not a name", "_hidden", "1st"):
        with pytest.raises(InputError, match="expected a field name made of letters"):
            vectors.pending_rows(three, embedder(), name)
    with pytest.raises(InputError, match="expected a field of vectors, but 'filepath' is a StringField"):
        vectors.pending_rows(three, embedder(), "filepath")
    three.add_sample_field("own", fo.VectorField)
    vectors.pending_rows(three, embedder(), "own")
    three.set_values("own", [np.float32([1, 2]), None, None])
    with pytest.raises(InputError, match="'own' holds vectors that Loupe did not make"):
        vectors.pending_rows(three, embedder(), "own")
    embed(three)
    other = embedder("open_clip")
    assert len(vectors.pending_rows(three, other, "hog")[0]) == 3, "all of them are embedded anew"
    with pytest.raises(InputError, match="'hog' holds vectors of another embedder outside this view"):
        vectors.pending_rows(three[:2], other, "hog")
    assert len(vectors.pending_rows(three[:2], embedder(), "hog")[0]) == 0


def test_a_signature_changes_with_the_vectors(three: Any) -> None:
    from loupe.brain.store import vectors

    embed(three[:2])
    before = vectors.signature(three, "hog")
    assert before[1] == 2
    assert vectors.signature(three[2:], "hog") == before, "of the whole dataset"
    embed(three)
    after = vectors.signature(three, "hog")
    assert after[1] == 3
    assert after[0] != before[0]
    three._sample_collection.update_one({"_id": three.first()._id}, {"$set": {"checked.hog": "of another picture"}})
    assert vectors.signature(three, "hog")[0] != after[0], "one of them was made anew"
    assert vectors.signature(three, "hog")[1] == 3


def test_no_vectors_are_an_empty_array(three: Any) -> None:
    import fiftyone as fo

    from loupe.brain.store import vectors

    three.add_sample_field("hog", fo.VectorField)
    ids, made = vectors.read(three, "hog")
    assert ids == []
    assert made.shape == (0, 0)


def test_a_map_and_an_index_remember_what_they_were_made_from(three: Any) -> None:
    from loupe.brain.store import vectors

    embed(three)
    assert vectors.remembered(three, "map") is None
    vectors.write_points(three[:1], "hog", "map", np.float32([[0, 0], [1, 0], [0, 1]]), "first")
    vectors.write_similarity(three, "hog", "index", "second")
    assert vectors.remembered(three.view(), "map") == "first"
    assert vectors.remembered(three, "index") == "second"
    points = three.load_brain_results("map").points
    assert np.asarray(points).tolist() == [[0, 0], [1, 0], [0, 1]]
    vectors.write_points(three, "hog", "map", np.float32([[5, 5], [1, 0], [0, 1]]), "third")
    assert vectors.remembered(three, "map") == "third"
    assert vectors.remembered(three, "index") == "second"
    vectors.delete(three, "map")
    vectors.delete(three, "map")
    assert vectors.remembered(three, "map") is None
    assert len(vectors.read(three, "hog")[0]) == 3
