"""Wrong boxes are found and written beside the boxes, which stay as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.database

N = 60
WHERE = [0.1, 0.1, 0.4, 0.4]
ELSEWHERE = [0.6, 0.6, 0.3, 0.3]


@pytest.fixture
def dataset(database: str, tmp_path: Path) -> Any:
    """Two right boxes a sample, seen nearly as they are; some samples have something else, see the tests."""
    import fiftyone as fo

    rng = np.random.default_rng(0)

    def detection(label: str, box: list[float], **more: Any) -> Any:
        return fo.Detection(label=label, bounding_box=box, **more)

    def seen(label: str, box: list[float]) -> Any:
        return detection(label, (np.array(box) + rng.normal(size=4) / 200).tolist(), confidence=0.9)

    dataset = fo.Dataset()
    samples = []
    for at in range(N):
        given = [detection("cat", WHERE), detection('a "dog" <b>', ELSEWHERE)]
        predicted = [seen("cat", WHERE), seen('a "dog" <b>', ELSEWHERE)]
        if at == 3:
            given = given[:1]  # the dog is overlooked
        if at == 8:
            given[0].label = 'a "dog" <b>'
        if at == 13:
            given[0].bounding_box = [0.3, 0.1, 0.4, 0.4]
        if at == 20:
            given.append(detection("cat", [0.5, 0.5, 0.0, 0.2]))
            given.append(detection("cat", [1.5, 0.5, 0.2, 0.2]))
            given.append(detection("cat", [float("nan"), 0.5, 0.2, 0.2]))
        if at == 21:
            given.append(detection("cat", [0.0, 0.8, 0.1, 0.1]))  # nothing is said of it
        samples.append(
            fo.Sample(
                filepath=str(tmp_path / f"{at}.png"),
                truth=fo.Detections(detections=given) if at != 30 else None,
                model=fo.Detections(detections=predicted) if at != 31 else None,
                kind="day",
            )
        )
    samples[40]["model"] = fo.Detections(detections=[])
    dataset.add_samples(samples)
    yield dataset
    dataset.delete()


def test_wrong_boxes_are_found_and_nothing_of_the_users_changes(dataset: Any) -> None:
    import loupe

    before = [sample.to_dict() for sample in dataset.select_fields(["truth", "model"])]
    made = loupe.find_label_issues(dataset, "truth", predictions="model")
    ids = dataset.values("id")
    listed = {(ids.index(issue.id), issue.kind): issue for issue in made.issues}
    assert listed.keys() == {(3, "overlooked"), (8, "swapped"), (13, "badly_located")}
    assert [issue.score for issue in made.issues] == sorted((issue.score for issue in made.issues), reverse=True)
    overlooked, swapped, shifted = listed[3, "overlooked"], listed[8, "swapped"], listed[13, "badly_located"]
    assert (overlooked.given, overlooked.suggested, overlooked.box_id) == (None, 'a "dog" <b>', None)
    assert overlooked.box == pytest.approx(ELSEWHERE, abs=0.03)
    assert (swapped.given, swapped.suggested) == ('a "dog" <b>', "cat")
    assert swapped.box == pytest.approx(WHERE)
    assert swapped.box_id == dataset[ids[8]].truth.detections[0].id
    assert (shifted.given, shifted.suggested) == ("cat", "cat")
    assert shifted.box == pytest.approx(WHERE, abs=0.03)
    assert shifted.box_id == dataset[ids[13]].truth.detections[0].id
    assert "overlaps by 3" in shifted.reason
    assert made.kinds == {"overlooked": 1, "badly_located": 1, "swapped": 1}
    assert set(made.ids) == {ids[3], ids[8], ids[13]}
    assert (made.n, made.unknown, made.flagged.k, made.flagged.n) == (N - 2, 2, 3, N - 2)
    assert made.malformed == {ids[20]: 3}
    assert (made.boxes, made.unseen) == (2 * (N - 2) - 1 + 1, 3)
    assert [(each.given, each.suggested, each.rate.k) for each in made.confusions] == [('a "dog" <b>', "cat", 1)]
    assert [sample.to_dict() for sample in dataset.select_fields(["truth", "model"])] == before
    assert "1 overlooked, 1 badly located, 1 swapped" in str(made)


def test_what_is_written(dataset: Any) -> None:
    import loupe

    made = loupe.find_label_issues(dataset, "truth", predictions="model")
    ids = dataset.values("id")
    scores = dict(zip(ids, dataset.values("quality.box_issue"), strict=True))
    assert [at for at in range(N) if scores[ids[at]] is None] == [30, 31]
    assert scores[ids[40]] == 0
    assert scores[ids[3]] == pytest.approx(max(issue.score for issue in made.issues if issue.id == ids[3]))
    flagged = dataset.match({"failures.classifications.label": "box_issue"}).values("id")
    assert set(flagged) == set(made.ids) == set(dataset.exists("box_issues").values("id"))
    reasons = dict(zip(ids, dataset.values("unknown.classifications.reason"), strict=True))
    assert (reasons[ids[30]], reasons[ids[31]]) == (["no label"], ["no predictions"])
    drawn = dataset[ids[8]].box_issues.detections[0]
    assert (drawn.label, drawn.issue, drawn.given, drawn.confidence) == ("cat", "swapped", 'a "dog" <b>', 0.9)
    assert drawn.bounding_box == pytest.approx(WHERE)
    assert drawn.box_id == dataset[ids[8]].truth.detections[0].id
    assert drawn.score == pytest.approx(scores[ids[8]])
    # it is no field of labels, and a stricter threshold takes away what was written
    from loupe.brain.store.labels import given as labels

    assert labels.fields_of(dataset, "boxes") == ["truth", "model"]
    assert not loupe.find_label_issues(dataset, "truth", predictions="model", threshold=1.0).issues
    assert not dataset.exists("box_issues").count()
    assert not dataset.match({"failures.classifications.label": "box_issue"}).count()


def test_settings_say_what_counts(dataset: Any) -> None:
    import loupe

    def scores(**settings: Any) -> dict[str, float]:
        made = loupe.find_label_issues(dataset, "truth", predictions="model", **settings)
        return {issue.kind: issue.score for issue in made.issues}

    usual = scores()
    for kind in usual:
        strict = scores(evidence={kind: 0.99})
        assert strict.get(kind, 0) < usual[kind] - 0.05
        assert {other: score for other, score in strict.items() if other != kind} == {
            other: score for other, score in usual.items() if other != kind
        }
    # the shifted box overlaps by a third: where that is the same object, the model's usual overlap is still larger
    assert scores(overlap=0.2).keys() == usual.keys()
    assert scores(overlap=0.2) != usual


def test_a_view_filters_nothing_away_and_only_its_samples_are_written(dataset: Any) -> None:
    import fiftyone as fo

    import loupe

    view = dataset.filter_labels("truth", fo.ViewField("label") == "cat", only_matches=False)[:20]
    made = loupe.find_label_issues(view, "truth", predictions="model")
    assert made.n == 20
    assert made.kinds == {"overlooked": 1, "badly_located": 1, "swapped": 1}
    assert len(dataset.exists("quality.box_issue")) == 20


def test_classes_that_the_labels_do_not_know(dataset: Any) -> None:
    import loupe
    from loupe.brain.core.errors import InputError

    renamed = dataset.clone()
    try:
        labels = [
            [{"cat": "Cat"}.get(name, "bus") for name in own or []] for own in renamed.values("model.detections.label")
        ]
        renamed.set_values("model.detections.label", labels)
        with pytest.raises(InputError, match=r"'Cat', 'bus' in 'model', but .*'cat' in 'truth': rename"):
            loupe.find_label_issues(renamed, "truth", predictions="model")
        made = loupe.find_label_issues(renamed, "truth", predictions="model", classes=["bus"])
        assert any("'Cat'" in note for note in made.notes)
        assert made.same_names == (("Cat", "cat"),)
        assert {issue.suggested for issue in made.issues} <= {"bus"}
    finally:
        renamed.delete()


def test_bad_input(dataset: Any) -> None:
    import fiftyone as fo

    import loupe
    from loupe.brain.core.errors import InputError, NoSamples, Stopped, UnknownName

    def find(samples: Any = dataset, label: str = "truth", predictions: Any = "model", **settings: Any) -> None:
        loupe.find_label_issues(samples, label, predictions=predictions, **settings)

    with pytest.raises(InputError, match=r"expected predictions .*predictions='model'"):
        find(predictions=None)
    with pytest.raises(InputError, match="'truth' for both"):
        find(predictions="truth")
    with pytest.raises(UnknownName, match="model"):
        find(predictions="modle")
    with pytest.raises(InputError, match=r"Detections.*StringField"):
        find(predictions="kind")
    with pytest.raises(InputError, match="for overlap, got 1"):
        find(overlap=1)
    with pytest.raises(InputError, match="between 0 and 1 for swapped, got nan"):
        find(evidence={"swapped": float("nan")})
    with pytest.raises(InputError, match="evidence for overlooked, badly_located, swapped, got 'swaped'"):
        find(evidence={"swaped": 0.5})
    with pytest.raises(NoSamples):
        find(dataset.limit(0))
    with pytest.raises(InputError, match="expected boxes in 'model', got none"):
        find(dataset.select(dataset.values("id")[40]))

    with pytest.raises(InputError, match="none with both"):
        find(dataset.select([dataset.values("id")[at] for at in (30, 31)]), classes=["cat", 'a "dog" <b>'])

    def stop(progress: Any) -> None:
        raise Stopped("enough")

    with pytest.raises(Stopped):
        find(progress=stop)
    assert not dataset.has_field("box_issues")
    dataset.add_sample_field("box_issues", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections)
    mine = fo.Detections(detections=[fo.Detection(label="mine", bounding_box=[0, 0, 1, 1])])
    dataset.set_values("box_issues", [mine] * N)
    with pytest.raises(InputError, match="box_issues"):
        find()
    assert dataset.values("box_issues.detections.label") == [["mine"]] * N


def test_predictions_without_confidence_count_as_equally_sure(dataset: Any) -> None:
    import loupe

    without = dataset.clone()
    try:
        counts = [len(own or []) for own in without.values("model.detections.label")]
        without.set_values("model.detections.confidence", [[None] * count for count in counts])
        made = loupe.find_label_issues(without, "truth", predictions="model")
        assert made.kinds == {"overlooked": 1, "badly_located": 1, "swapped": 1}
        assert any("have no confidence" in note for note in made.notes)
        assert all(issue.confidence is None for issue in made.issues)
    finally:
        without.delete()
