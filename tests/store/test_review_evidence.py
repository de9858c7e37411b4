"""What is known of a sample that is reviewed: boxes and points of the check that flags it, the worst first."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.database


@pytest.fixture
def person(dataset: Any, pictures: list[Any]) -> Any:
    """A sample with three hands: a sound one, one that is malformed, one that nobody can judge; and a face."""
    import fiftyone as fo

    from loupe.brain.core import registry
    from loupe.brain.store import scores

    dataset.add_samples([fo.Sample(str(pictures[0]), prompt="a person")])
    outputs = [registry.failures()[failure][1] for failure in ("hand_malformed", "limb_malformed")]
    scores.declare(dataset, outputs, points=["hands", "bodies"])
    sample = dataset.first()
    around = [(0.2, 0.4), (0.3, 0.6), (float("nan"), float("nan"))]
    sample["hands"] = fo.Keypoints(
        keypoints=[
            fo.Keypoint(label="hand", points=[(0.1, 0.1), (0.2, 0.2)], check="hands", score=0.1, reason="as expected"),
            fo.Keypoint(label="hand", points=[(0.0, 0.0), (1.2, 0.1)], check="hands", reason="a fist"),
            fo.Keypoint(label="hand", points=around, check="hands", score=0.9, reason="six fingers"),
            fo.Keypoint(label="hand", points=[(0.5, 0.5)], check="hands", score=1.0),
            fo.Keypoint(label="mine", points=around),
        ]
    )
    sample["quality.hand_malformed"] = 0.9
    sample.save()
    return dataset


def test_points_are_marks_with_their_reason_the_worst_first(person: Any) -> None:
    from loupe.brain.store.review.evidence import evidence

    made = evidence(person, "hand_malformed", person.first().id)
    assert made is not None
    assert [(mark.label, mark.why, mark.score) for mark in made.marks] == [
        ("hand", "six fingers", 0.9),
        ("hand", "as expected", 0.1),
        ("hand", "a fist", None),
    ]
    # a tenth more on each side; a point that is not known is none; what lies outside is cut off
    assert made.marks[0].bounds == pytest.approx((0.19, 0.38, 0.12, 0.24))
    assert made.marks[2].bounds == pytest.approx((0.0, 0.0, 1.0, 0.11))
    assert made.score == 0.9


def test_a_body_has_a_score_for_each_failure(person: Any) -> None:
    import fiftyone as fo

    from loupe.brain.store.review.evidence import evidence

    sample = person.first()
    points = [(0.2, 0.2), (0.4, 0.4)]
    facts = {"check": "body", "score": 0.8}
    sample["bodies"] = fo.Keypoints(
        keypoints=[
            fo.Keypoint(label="a", points=points, limb_malformed=0.1, wrong_proportions=0.8, **facts),
            fo.Keypoint(label="b", points=points, limb_malformed=0.6, wrong_proportions=0.2, **facts),
        ]
    )
    sample.save()
    for failure, labels in (("limb_malformed", ["b", "a"]), ("wrong_proportions", ["a", "b"])):
        made = evidence(person, failure, sample.id)
        assert made is not None
        assert [mark.label for mark in made.marks] == labels


def test_a_sample_that_is_gone(person: Any) -> None:
    from loupe.brain.store.review.evidence import evidence

    gone = person.first().id
    person.delete_samples([gone])
    assert evidence(person, "hand_malformed", gone) is None
