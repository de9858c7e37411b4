"""What is read without FiftyOne's documents is what ``values`` gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.database


@pytest.fixture
def mixed(dataset: Any) -> Any:
    """Four samples: texts, lists, dicts, numbers, and some without them."""
    import fiftyone as fo

    dataset.add_samples(
        [
            fo.Sample("a.png", word="night", tags=["x", "y"], number=1.5, whole=3, marks={"a": "1"}, flag=True),
            fo.Sample("b.png", word=None, number=float("nan"), whole=None, marks={}, flag=False),
            fo.Sample("c.png"),
            fo.Sample("d.png", word="", number=-2.0, whole=0, things=fo.Classifications(classifications=[])),
        ]
    )
    first = dataset.first()
    first["things"] = fo.Classifications(
        classifications=[fo.Classification(label="u", confidence=0.5), fo.Classification(label="v")]
    )
    first.save()
    return dataset


PATHS = ["id", "filepath", "word", "tags", "whole", "marks", "flag"]


@pytest.mark.parametrize("of", ["dataset", "view", "nothing"])
def test_columns_are_those_of_values(mixed: Any, of: str) -> None:
    from loupe.brain.store import plain

    samples = {"dataset": mixed, "view": mixed.sort_by("filepath", reverse=True).skip(1), "nothing": mixed.limit(0)}[of]
    columns, numbers = plain.read(samples, PATHS, ["number", "whole"])
    expected = samples.values(PATHS)
    assert columns == list(expected)
    assert numbers.shape == (len(samples), 2)
    wanted = [[np.nan if value is None else value for value in samples.values(path)] for path in ("number", "whole")]
    np.testing.assert_array_equal(numbers, np.array(wanted).reshape(2, -1).T)


def test_documents_of_a_list_keep_their_places(mixed: Any) -> None:
    from loupe.brain.store import plain

    (things,), _ = plain.read(mixed, [plain.elements("things.classifications", ("label", "confidence"))])
    assert things == [[["u", 0.5], ["v", None]], None, None, []]
    (labels,), _ = plain.read(mixed, ["things.classifications.label"])
    assert labels == [["u", "v"], None, None, []]


def test_a_score_that_is_no_number_is_none(mixed: Any) -> None:
    from loupe.brain.store import plain

    _, numbers = plain.read(mixed, [], ["word", "number"])
    assert np.isnan(numbers[:, 0]).all()
    assert numbers[:, 1].tolist()[0] == 1.5


@pytest.mark.parametrize(
    ("path", "expected"),
    [("word", True), ("tags", True), ("number", True), ("things.classifications.label", True), ("flag", True)]
    + [("id", False), ("things", False), ("marks", False), ("created_at", False), ("nothing", False)],
)
def test_what_needs_no_documents(mixed: Any, path: str, expected: bool) -> None:
    from loupe.brain.store import plain

    assert plain.are_plain(mixed, [path]) is expected
    assert plain.are_plain(mixed, ["word", path]) is expected


def test_of_groups_it_reads_the_slices_that_values_reads(dataset: Any) -> None:
    import fiftyone as fo

    from loupe.brain.store import plain

    dataset.add_group_field("group", default="left")
    groups = [fo.Group() for _ in range(3)]
    dataset.add_samples(
        [
            fo.Sample(f"/nowhere/{at}{side}.png", group=group.element(side), number=at + (side == "right") / 2)
            for at, group in enumerate(groups)
            for side in ("left", "right")
        ],
        progress=False,
    )
    both = dataset.select_group_slices(["left", "right"])
    for samples, n in ((dataset, 3), (dataset.select_group_slices("right"), 3), (both, 6)):
        (paths,), numbers = plain.read(samples, ["filepath"], ["number"])
        assert paths == samples.values("filepath")
        assert numbers[:, 0].tolist() == samples.values("number")
        assert len(paths) == n
