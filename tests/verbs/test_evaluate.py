"""``loupe.evaluate``: on FiftyOne's labels, against FiftyOne's own evaluation and against counts by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from predicted import CLASSES, classifications, detections

from loupe.brain.core.errors import InputError, NoSamples, UnknownName

pytestmark = pytest.mark.database


def _fields(dataset: Any) -> Any:
    return dataset.get_field_schema(flat=True).keys()


def test_boxes_are_counted_as_fiftyone_counts_them_and_nothing_is_written(dataset: Any, new_dataset: Any) -> None:
    import loupe

    detections(dataset, 40, crowds=0)  # FiftyOne takes what lies in a crowd for right, COCO ignores it
    before, stored = list(_fields(dataset)), [sample.to_dict() for sample in dataset]
    result = loupe.evaluate(dataset, ["yolo", "detr"], "ground_truth", resamples=50)
    assert list(_fields(dataset)) == before
    assert [sample.to_dict() for sample in dataset] == stored
    assert dataset.list_evaluations() == []

    copy = dataset.clone()
    for model, row in zip(("yolo", "detr"), result.overall, strict=True):
        own = copy.evaluate_detections(model, gt_field="ground_truth", eval_key="theirs", classwise=True, iou=0.5)
        report = own.metrics()
        assert row.metrics["precision"].value == pytest.approx(report["precision"])
        assert row.metrics["recall"].value == pytest.approx(report["recall"])
        assert row.metrics["f1"].value == pytest.approx(report["fscore"])
        copy.delete_evaluation("theirs")
    copy.delete()
    assert (result.kind, result.n, result.unlabeled, result.iou) == ("detection", 40, 0, 0.5)
    assert [row.model for row in result.overall] == ["yolo", "detr"]


def test_slices_of_pictures_and_of_objects(dataset: Any) -> None:
    import loupe

    detections(dataset, 60)
    result = loupe.evaluate(dataset, ["yolo", "detr"], "ground_truth", by="time", objects="size", resamples=50)
    names = [(str(row.slice), row.model) for row in result.slices]
    sizes = ("small", "medium", "large")
    times = ("day", "night")
    assert names == [
        (f"time={time}, size={size}", model) for time in times for size in sizes for model in ("yolo", "detr")
    ]
    night = loupe.evaluate(dataset.match({"time": "night"}), "yolo", "ground_truth", objects="size", resamples=50)
    of = {str(row.slice): row for row in result.slices if row.model == "yolo"}
    for row in night.slices:
        own = of[f"time=night, {row.slice}"]
        assert (own.images, own.truths, own.predictions) == (row.images, row.truths, row.predictions)
        assert own.metrics == row.metrics
    # objects of a picture count once: in one size
    assert sum(row.truths for row in night.slices) == night.overall[0].truths
    assert of["time=night, size=small"].metrics["recall"].value < of["time=day, size=large"].metrics["recall"].value
    apart = {(each.model, each.metric): each for each in result.disparities}
    assert apart["yolo", "recall"].difference > 0.2
    assert "size=small" in apart["yolo", "recall"].lowest


def test_objects_by_an_attribute_that_predictions_lack_have_a_recall_only(dataset: Any) -> None:
    import loupe

    detections(dataset, 40)
    result = loupe.evaluate(dataset, "yolo", "ground_truth", objects=["occluded"], resamples=50)
    assert [str(row.slice) for row in result.slices] == ["occluded=False", "occluded=True"]
    assert [list(row.metrics) for row in result.slices] == [["recall"], ["recall"]]
    assert any("no 'occluded'" in note for note in result.notes)
    crowds = sum(bool(each.iscrowd) for sample in dataset for each in sample.ground_truth.detections)
    every = sum(len(sample.ground_truth.detections) for sample in dataset)
    assert sum(row.truths for row in result.slices) == every - crowds


def test_a_threshold_is_moved_without_matching_again(dataset: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import loupe
    from loupe.brain.evaluation import slicing

    detections(dataset, 40)
    result = loupe.evaluate(dataset, "yolo", "ground_truth", by="time", resamples=50)
    monkeypatch.setattr(slicing, "match", lambda *_, **__: pytest.fail("matched again"))
    moved = result.at(0.6)
    monkeypatch.undo()
    whole = loupe.evaluate(dataset, "yolo", "ground_truth", by="time", confidence=0.6, resamples=50)
    assert moved.overall == whole.overall
    assert moved.slices == whole.slices
    assert moved.confusion == whole.confusion
    assert moved.overall != result.overall
    assert moved.at(None).overall == result.overall
    assert moved.key == result.key
    assert "0.6" in repr(moved).splitlines()[0]


def test_classes_are_counted_as_by_hand(dataset: Any) -> None:
    import loupe

    classifications(dataset, 200)
    result = loupe.evaluate(dataset, ["small", "large"], "ground_truth", by="time", resamples=50)
    truth, time = dataset.values("ground_truth.label"), dataset.values("time")
    for row in [*result.overall, *result.slices]:
        given = dataset.values(f"{row.model}.label")
        rows = [at for at in range(200) if row.slice.values.get("time", time[at]) == time[at]]
        right = sum(truth[at] == given[at] for at in rows)
        assert row.metrics["accuracy"].value == pytest.approx(right / len(rows))
        assert (row.images, row.truths) == (len(rows), len(rows))
    (matrix, _) = result.confusion
    assert matrix.labels == (*CLASSES, "(none)")
    given = dataset.values("small.label")
    for row_at, own in enumerate(CLASSES):
        for column_at, other in enumerate(CLASSES):
            expected = sum((a, b) == (own, other) for a, b in zip(truth, given, strict=True))
            assert matrix.counts[row_at][column_at] == expected
    first = result.errors[0]
    assert first.confidence == max(error.confidence for error in result.errors if error.model == "small")
    sample = dataset[first.sample_id]
    assert (sample.ground_truth.label, sample.small.label) == (first.truth, first.predicted)
    assert first.truth != first.predicted


def test_a_positive_class_has_its_own_rates(dataset: Any) -> None:
    import loupe

    classifications(dataset, 120)
    result = loupe.evaluate(dataset, "small", "ground_truth", positive="car", resamples=50)
    truth, given = (np.array(dataset.values(f"{path}.label")) for path in ("ground_truth", "small"))
    metrics = result.overall[0].metrics
    assert metrics["recall"].value == pytest.approx((given[truth == "car"] == "car").mean())
    assert metrics["false_positive_rate"].value == pytest.approx((given[truth != "car"] == "car").mean())
    with pytest.raises(UnknownName, match="Did you mean 'car'"):
        loupe.evaluate(dataset, "small", "ground_truth", positive="cat")


def test_what_is_missing_is_counted_beside_and_not_as_wrong(dataset: Any) -> None:
    import fiftyone as fo

    import loupe

    classifications(dataset, 60)
    ids = dataset.values("id")
    for field, some in (("small", ids[:10]), ("ground_truth", ids[50:])):
        dataset.set_values(field, dict.fromkeys(some), key_field="id")
    result = loupe.evaluate(dataset, ["small", "large"], "ground_truth", resamples=50)
    assert (result.n, result.unlabeled, result.missing) == (50, 10, {"small": 10, "large": 0})
    assert [row.images for row in result.overall] == [40, 50]
    assert "10 without a ground truth; 10 without small" in repr(result).splitlines()[0]

    boxes = fo.Dataset()
    detections(boxes, 20)
    first, second = boxes.values("id")[:2]
    boxes.set_values("yolo", {first: None}, key_field="id")  # nothing was said of it
    boxes.set_values("yolo.detections", {second: []}, key_field="id")  # it was said that nothing is there
    own = loupe.evaluate(boxes, "yolo", "ground_truth", resamples=50)
    assert own.missing == {"yolo": 1}
    assert own.overall[0].images == 19
    boxes.delete()


def test_bad_labels_are_left_out_and_reported(dataset: Any) -> None:
    import fiftyone as fo

    import loupe

    detections(dataset, 10)
    whole = loupe.evaluate(dataset, "yolo", "ground_truth", resamples=50)
    sample = dataset.first()
    for box in ([0.1, 0.1, 0, 0.2], [float("nan"), 0, 0.1, 0.1], [0.1, 0.1, -0.2, 0.2]):
        sample.yolo.detections.append(fo.Detection(label="car", bounding_box=box, confidence=0.9))
        sample.ground_truth.detections.append(fo.Detection(label="car", bounding_box=box))
    sample.yolo.detections.append(fo.Detection(bounding_box=[0, 0, 1, 1], confidence=0.9))
    sample.save()
    result = loupe.evaluate(dataset, "yolo", "ground_truth", resamples=50)
    assert result.overall == whole.overall
    assert "yolo: 4 boxes were left out: of no area, not finite, or without a class" in result.notes
    assert "ground_truth: 3 boxes were left out: of no area, not finite, or without a class" in result.notes

    # outside of the picture, another case, a class of one side only, no confidence
    sample.yolo.detections = [
        fo.Detection(label="Car", bounding_box=[-0.5, -0.5, 2, 2], confidence=0.9),
        fo.Detection(label="tram", bounding_box=[0, 0, 0.1, 0.1]),
    ]
    sample.save()
    notes = " / ".join(loupe.evaluate(dataset, "yolo", "ground_truth", resamples=50).notes)
    assert "'Car' and 'car'" in notes
    assert "predicted, but never a ground truth: Car, tram" in notes
    assert "have no confidence" in notes


def test_labels_that_hostile_names_stand_on(dataset: Any) -> None:
    import fiftyone as fo

    import loupe

    names = ["<img src=x onerror=alert(1)>", "a.b$c", "quote\"'", "🐱", ""]
    dataset.add_samples(
        fo.Sample(
            filepath=f"/nowhere/{at}.png",
            truth=fo.Classification(label=names[at % 5]),
            model=fo.Classification(label=names[at % 4], confidence=0.5),
            where=names[at % 5],
        )
        for at in range(40)
    )
    result = loupe.evaluate(dataset, "model", "truth", by="where", resamples=50)
    assert result.overall[0].metrics["accuracy"].n == 40
    assert len(result.slices) == 5
    assert "<img" not in result._repr_html_().replace("&lt;img", "")


def test_one_class_only_and_a_cluster_of_pictures(dataset: Any) -> None:
    import fiftyone as fo

    import loupe

    detections(dataset, 40, models=("yolo",))
    own = loupe.evaluate(
        dataset.filter_labels("ground_truth", fo.ViewField("label") == "car"), "yolo", "ground_truth", resamples=50
    )
    assert own.overall[0].truths < loupe.evaluate(dataset, "yolo", "ground_truth", resamples=50).overall[0].truths
    assert not math.isnan(own.overall[0].metrics["map"].value)
    videos = loupe.evaluate(dataset, "yolo", "ground_truth", cluster="video", resamples=50)
    alone = loupe.evaluate(dataset, "yolo", "ground_truth", resamples=50)
    assert videos.overall[0].metrics["recall"].value == alone.overall[0].metrics["recall"].value
    assert videos.overall[0].metrics["recall"] != alone.overall[0].metrics["recall"]


def test_masks(dataset: Any) -> None:
    import fiftyone as fo

    import loupe

    rng = np.random.default_rng(0)
    truths = [rng.integers(0, 3, (20, 30)).astype(np.uint8) for _ in range(12)]
    given = [np.where(rng.random((20, 30)) < 0.8, mask, 0).astype(np.uint8) for mask in truths]
    dataset.add_samples(
        fo.Sample(
            filepath=f"/nowhere/{at}.png",
            truth=fo.Segmentation(mask=truth),
            model=fo.Segmentation(mask=mask),
            odd=at % 2,
        )
        for at, (truth, mask) in enumerate(zip(truths, given, strict=True))
    )
    dataset.mask_targets = {"truth": {0: "ground", 1: "road", 2: "sky"}}
    dataset.save()
    seen: list[Any] = []
    result = loupe.evaluate(dataset, "model", "truth", by="odd", resamples=50, progress=seen.append)
    right = sum(int((a == b).sum()) for a, b in zip(truths, given, strict=True))
    assert result.overall[0].metrics["accuracy"].value == pytest.approx(right / (12 * 600))
    assert [row.label for row in result.classes] == ["ground", "road", "sky"]
    videos = loupe.evaluate(dataset, "model", "truth", cluster="odd", resamples=50)
    assert videos.overall[0].metrics["accuracy"].value == result.overall[0].metrics["accuracy"].value
    assert videos.overall[0].metrics["accuracy"].low < result.overall[0].metrics["accuracy"].low
    assert result.confusion[0].labels == ("ground", "road", "sky", "(none)")
    assert sum(map(sum, result.confusion[0].counts)) == 12 * 600
    assert {step.message for step in seen} == {"reading masks", "measuring slices"}


def test_what_cannot_be_evaluated_says_what_to_do(dataset: Any, new_dataset: Any) -> None:
    import fiftyone as fo

    import loupe

    detections(dataset, 5)
    with pytest.raises(UnknownName, match="Did you mean 'yolo'"):
        loupe.evaluate(dataset, "yola", "ground_truth")
    with pytest.raises(UnknownName, match="attribute of objects"):
        loupe.evaluate(dataset, "yolo", "ground_truth", objects="sise")
    for wrong, reason in [
        ({"predictions": []}, "at least one model"),
        ({"predictions": ["yolo", "yolo"]}, "each model once"),
        ({"predictions": "ground_truth"}, "that field itself"),
        ({"iou": 0}, "expected iou"),
        ({"interval": 95}, "between 0 and 1"),
        ({"resamples": 3}, "expected resamples"),
        ({"confidence": float("nan")}, "expected confidence to be a number"),
        ({"ground_truth": "time"}, "Classification, Detections or Segmentation"),
        ({"positive": "car"}, "expected a classification"),
        ({"cluster": "ground_truth"}, "which samples belong together"),
    ]:
        with pytest.raises(InputError, match=reason):
            loupe.evaluate(dataset, **{"predictions": "yolo", "ground_truth": "ground_truth", **wrong})
    with pytest.raises(NoSamples):
        loupe.evaluate(dataset.match({"time": "noon"}), "yolo", "ground_truth")
    with pytest.raises(InputError, match="patches"):
        loupe.evaluate(dataset.to_patches("ground_truth"), "yolo", "ground_truth")
    dataset.set_field("metadata", None).save("metadata")
    with pytest.raises(InputError, match="compute_metadata"):
        loupe.evaluate(dataset, "yolo", "ground_truth", objects="size")
    other = new_dataset()
    other.add_sample(fo.Sample(filepath="/nowhere.png", truth=None, model=None))
    other.add_sample_field("a", fo.EmbeddedDocumentField, embedded_doc_type=fo.Classification)
    other.add_sample_field("b", fo.EmbeddedDocumentField, embedded_doc_type=fo.Classification)
    with pytest.raises(InputError, match="with a ground truth, got none"):
        loupe.evaluate(other, "b", "a")
    other.set_values("a", [fo.Classification(label="cat")])
    with pytest.raises(InputError, match="with a ground truth and a prediction, got none"):
        loupe.evaluate(other, "b", "a")
    other.set_values("b", [fo.Classification(label="cat")])
    assert loupe.evaluate(other, "b", "a").overall[0].metrics["accuracy"].value == 1
    with pytest.raises(InputError, match="its classes are rows"):
        loupe.evaluate(other, "b", "a", objects="label")
    assert other.list_runs() == ["loupe_evaluate_1"]


def test_what_is_kept_is_what_was_returned_and_what_moves_is_what_would_be_measured(dataset: Any) -> None:
    import loupe
    from loupe.brain.store.evaluation import results as evaluations

    detections(dataset, 30)
    result = loupe.evaluate(dataset, ["yolo", "detr"], "ground_truth", by="time", resamples=50)
    assert evaluations.kept(dataset) == [result.key]
    facts = evaluations.load(dataset, result.key)
    assert facts["run"]["overall"] == result.to_dict()["overall"]
    drawn = facts["drawn"]
    at = drawn["thresholds"].index(0.6)
    moved = result.at(0.6)
    for row, own in zip([*moved.overall, *moved.slices], drawn["rows"], strict=True):
        for metric in ("precision", "recall", "f1"):
            measure = row.metrics[metric]
            assert own[metric][at] == pytest.approx([measure.value, measure.low, measure.high], abs=1e-5)
    for matrix in moved.confusion:
        assert drawn["cells"][matrix.model][at + 1]["counts"] == [list(line) for line in matrix.counts]
    assert drawn["labels"] == list(moved.confusion[0].labels)
    with pytest.raises(UnknownName):
        evaluations.load(dataset, "loupe_evaluate_9")


def test_one_that_is_stopped_keeps_nothing(dataset: Any) -> None:
    import loupe
    from loupe.brain.core.errors import Stopped

    classifications(dataset, 20)

    def stop(_: Any) -> None:
        raise Stopped("enough")

    with pytest.raises(Stopped):
        loupe.evaluate(dataset, "small", "ground_truth", progress=stop)
    assert dataset.list_runs() == []


def test_confidences_that_are_no_chances_and_some_that_are_missing(dataset: Any) -> None:
    import loupe
    from loupe.brain.store.evaluation import results as evaluations

    classifications(dataset, 60)
    whole = loupe.evaluate(dataset, "small", "ground_truth", resamples=50)
    sure = dataset.values("small.confidence")
    dataset.set_values("small.confidence", [10 * each for each in sure])
    logits = loupe.evaluate(dataset, "small", "ground_truth", confidence=5, resamples=50)
    assert "ece" not in logits.overall[0].metrics
    assert [curve.name for curve in logits.curves] == ["precision_recall"]
    assert logits.overall[0].metrics["answered"].value == pytest.approx(np.mean([each >= 0.5 for each in sure]))
    assert evaluations.load(dataset, logits.key)["drawn"]["thresholds"] == []
    dataset.set_values("small.confidence", [None if at % 3 else each for at, each in enumerate(sure)])
    some = loupe.evaluate(dataset, "small", "ground_truth", resamples=50)
    assert some.curves == ()
    assert some.overall[0].metrics["accuracy"] == whole.overall[0].metrics["accuracy"]
    held = some.at(0.0).overall[0].metrics["answered"]
    assert held.value == pytest.approx(1 / 3)
