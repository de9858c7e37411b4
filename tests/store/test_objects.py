"""The mirror of a field of boxes: two writers lose nothing, what is of other boxes gives way, one way to read it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from loupe.brain.core.records import Output, SampleResult
from loupe.brain.core.specs import ObjectMeasure
from loupe.brain.engine.objects import ObjectVerdict

pytestmark = pytest.mark.database


@dataclass(frozen=True)
class First(ObjectMeasure):
    """First."""

    name: ClassVar[str] = "first"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "this test"
    license: ClassVar[str] = "Apache-2.0"
    outputs: ClassVar[tuple[Output, ...]] = (Output("first_score", "number", True, (0, 1), "A number"),)

    def score(self, boxes: np.ndarray, sizes: np.ndarray) -> dict[str, np.ndarray]:
        return {"first_score": np.zeros(len(boxes))}


@dataclass(frozen=True)
class Second(First):
    """Second."""

    name: ClassVar[str] = "second"
    outputs: ClassVar[tuple[Output, ...]] = (Output("second_score", "number", True, (0, 1), "A number"),)


@pytest.fixture
def boxes(dataset: Any) -> Any:
    import fiftyone as fo

    labels = [[fo.Detection(label="a", bounding_box=[0.1 * at, 0, 0.1, 0.1]) for at in range(n)] for n in (3, 1, 40)]
    dataset.add_samples(
        [fo.Sample(filepath=f"/nowhere/{at}.png", gt=fo.Detections(detections=own)) for at, own in enumerate(labels)],
        progress=False,
    )
    return dataset


def _verdicts(dataset: Any, spec: First, value: float, reason: str | None = None) -> list[ObjectVerdict]:
    from loupe.brain.store.objects import mirror as objects

    todo = objects.pending(dataset, "gt", {spec.name: spec.key}, resume=False)
    objects.declare(dataset, "gt", [spec])
    result = SampleResult({spec.outputs[0].name: value}, reason)
    return [ObjectVerdict(row, {spec.name: (result,) * len(row.fields["objects"])}, {}) for row in todo.rows]


def test_two_writers_lose_nothing_of_each_other(boxes: Any) -> None:
    from loupe.brain.store.objects import mirror as objects

    both = {spec.name: (spec, _verdicts(boxes, spec, 0.5, f"because {spec.name}")) for spec in (First(), Second())}

    def write(name: str) -> None:
        spec, verdicts = both[name]
        for _ in range(10):
            objects.write(boxes, "gt", verdicts, [spec])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, both))
    for sample in boxes:
        assert set(sample.gt_objects["checked"]) == {"first", "second"}
        for each in sample.gt_objects.detections:
            assert (each.first_score, each.second_score) == (0.5, 0.5)
            assert sorted(each.unknown) == ["first: because first", "second: because second"]


def test_failures_are_not_written_to_objects_that_have_changed_since(boxes: Any) -> None:
    from loupe.brain.store.objects import mirror as objects
    from loupe.brain.store.objects import scores as object_scores

    spec = First()
    objects.write(boxes, "gt", _verdicts(boxes, spec, 0.5), [spec])
    known = object_scores.read(boxes, "gt", ["first_score"], ["first"])
    assert known.scores[:, 0].tolist() == [0.5] * 44
    assert known.owners.tolist() == [0] * 3 + [1] + [2] * 40
    assert known.places().tolist() == [0, 1, 2, 0, *range(40)]
    assert known.checked.tolist() == [[True]] * 3
    # another picture, judged by somebody else meanwhile
    boxes._sample_collection.update_one({"_id": boxes.first()._id}, {"$set": {"gt_objects.inputs": "other"}})
    object_scores.write_failures(boxes, "gt", known, ["tiny"] * 44, {0: 3, 1: 1, 2: 40})
    boxes.reload()
    failures = boxes.values("gt_objects.detections.failures")
    assert failures[0] == [None] * 3
    assert failures[1:] == [[["tiny"]], [["tiny"]] * 40]
    assert boxes.values("gt_objects.failing") == [None, 1, 40]


def test_what_is_read_slowly_is_the_same(boxes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from loupe.brain.store import bulk
    from loupe.brain.store.objects import mirror as objects
    from loupe.brain.store.objects import scores as object_scores
    from loupe.brain.store.raw import Irregular

    spec = First()
    objects.write(boxes, "gt", _verdicts(boxes, spec, 0.25), [spec])
    fast = object_scores.read(boxes, "gt", ["first_score", "none_such"], ["first", "second"])

    def irregular(*args: Any, **more: Any) -> Any:
        raise Irregular("no")

    monkeypatch.setattr(bulk, "read", irregular)
    slow = object_scores.read(boxes, "gt", ["first_score", "none_such"], ["first", "second"])
    assert np.isnan(fast.scores[:, 1]).all()
    assert fast.checked.tolist() == [[True, False]] * 3
    for name in ("ids", "sources", "failures", "inputs", "failing"):
        assert getattr(fast, name) == getattr(slow, name)
    for name in ("owners", "scores", "checked"):
        assert np.array_equal(getattr(fast, name), getattr(slow, name), equal_nan=name == "scores")


def test_an_object_keeps_its_id_and_no_two_have_one(boxes: Any) -> None:
    from loupe.brain.store.objects.mirror import mirror_of, object_id

    assert object_id("gt_objects", "6700") == object_id("gt_objects", "6700")
    assert len({object_id(mirror, source) for mirror in ("a", "b") for source in ("1", "2")}) == 4
    assert mirror_of("a.b") == "a_b_objects"
