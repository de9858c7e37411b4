"""Groups of a dataset compared: data and models, what is left out, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.database

N = 400


@pytest.fixture
def dataset(database: str) -> Any:
    """Group b has more cats, worse scores and a model that calls half of its dogs cats; one sample is alone."""
    import fiftyone as fo

    rng = np.random.default_rng(0)
    dataset = fo.Dataset()
    dataset.add_sample_field("quality", fo.EmbeddedDocumentField, embedded_doc_type=fo.DynamicEmbeddedDocument)
    dataset.add_sample_field("quality.sharpness", fo.FloatField)
    samples = []
    for at in range(N):
        group = "alone" if at == 0 else "b" if at % 2 else "a"
        truth = "cat" if rng.random() < (0.6 if group == "b" else 0.3) else "dog"
        predicted = "cat" if group == "b" and rng.random() < 0.5 else truth
        sample = fo.Sample(
            filepath=f"/pictures/{at}.jpg",
            group=group,
            kind=truth,
            age=float(rng.integers(10, 80)),
            truth=fo.Classification(label=truth) if at != 5 else None,
            model=fo.Classification(label=predicted, confidence=0.8) if at != 7 else None,
        )
        sample["quality"] = fo.DynamicEmbeddedDocument(sharpness=float(rng.normal() - (group == "b")))
        samples.append(sample)
    dataset.add_samples(samples, progress=False)
    yield dataset
    dataset.delete()


def test_data_and_models_are_compared(dataset: Any) -> None:
    import loupe

    made = loupe.find_bias(dataset, "group", label="truth", predictions="model")
    assert [(each.name, each.share.k, each.few) for each in made.groups] == [
        ("group=b", 200, False),
        ("group=a", 199, False),
        ("group=alone", 1, True),
    ]
    # of two classes one is told: the other is what is left
    assert {each.measure for each in made.labels} == {"dog"}
    kinds, groups = dataset.values("kind"), dataset.values("group")
    own = next(each for each in made.labels if each.group == "group=b")
    inside = [kinds[at] == "dog" for at in range(N) if groups[at] == "b" and at != 5]
    assert (own.share.k, own.share.n) == (sum(inside), len(inside))
    titles = {(each.group, each.title) for each in made.findings if hasattr(each, "title")}
    assert ("group=b", "labeled dog") in titles
    assert ("group=b", "recall of dog, model") in titles
    assert {each.score for each in made.findings if hasattr(each, "score")} == {"quality.sharpness"}
    parity = {each.name: each for each in made.apart}
    assert {"demographic parity", "equalized odds"} <= set(parity)
    assert parity["equalized odds"].left_out == ("group=alone",)
    assert any("alone" in note for note in made.notes)
    assert any("without a label" in note for note in made.notes)
    assert any("without model" in note for note in made.notes)
    assert "group=b" in repr(made)
    json.dumps(made.to_dict())
    # nothing is written
    assert dataset.list_runs() == []


def test_it_says_what_evaluate_says(dataset: Any) -> None:
    import loupe

    made = loupe.find_bias(dataset, "group", label="truth", predictions="model", positive="cat", groups=[])
    evaluation = loupe.evaluate(dataset, "model", "truth", by="group", positive="cat")
    for row in evaluation.slices:
        for name in ("accuracy", "recall", "precision", "false_positive_rate", "selection_rate"):
            own = next(each for each in made.models if each.group == str(row.slice) and each.measure == name)
            metric = row.metrics[name]
            assert own.share.n == metric.n
            assert own.share.rate == pytest.approx(metric.value, nan_ok=True)
            assert own.share.low == pytest.approx(metric.low, nan_ok=True)
    apart = {each.metric: each for each in evaluation.disparities}
    spread = next(each for each in made.apart if each.name == "accuracy")
    assert spread.difference == pytest.approx(apart["accuracy"].difference)


def test_failures_are_compared_as_slice_counts_them(dataset: Any, tmp_path: Any) -> None:
    import cv2

    import loupe

    some = dataset.limit(60).clone()
    try:
        paths = []
        for at in range(60):
            path = tmp_path / f"{at}.png"
            cv2.imwrite(str(path), np.full((32, 32, 3), 5 if at % 2 else 128, np.uint8))
            paths.append(str(path))
        some.set_values("filepath", paths)
        some.clear_sample_field("quality")
        some.delete_sample_field("quality")
        loupe.check(some, ["exposure"])
        made = loupe.find_bias(some, "group", scores=[])
        rates = {(str(rate.slice), rate.failure): rate for rate in loupe.slice(some, "group")}
        assert made.failures
        for each in made.failures:
            rate = rates[each.group, each.measure]
            assert (each.share.k, each.share.n) == (rate.failures, rate.n)
            assert each.share.low == pytest.approx(rate.low, nan_ok=True)
        assert ("group=b", "dark") in {(each.group, each.measure) for each in made.findings}
        assert made.scores == ()
    finally:
        some.delete()


def test_numbers_are_put_into_bins_and_several_factors_combined(dataset: Any) -> None:
    import loupe

    made = loupe.find_bias(dataset, [loupe.Factor.field("age", bins=2), "group"], label="kind")
    assert made.by == ("age", "group")
    assert len(made.groups) == 5
    assert made.models == ()


def test_samples_that_belong_together_count_once(dataset: Any) -> None:
    import loupe

    alone = loupe.find_bias(dataset, "group", label="truth", predictions="model", scores=[])
    dataset.set_values("prompt", [f"{at // 8}{group}" for at, group in enumerate(dataset.values("group"))])
    together = loupe.find_bias(dataset, "group", label="truth", predictions="model", scores=[])
    assert together.params["groups"] == ["prompt"]
    for before, after in zip([*alone.labels, *alone.models], [*together.labels, *together.models], strict=True):
        assert before.share.k == after.share.k
        assert after.effective_n <= before.effective_n + 1e-9
    assert loupe.find_bias(dataset, "group", label="truth", scores=[], groups=[]).labels == alone.labels


def test_boxes_are_compared_by_recall_and_precision(dataset: Any) -> None:
    import fiftyone as fo

    import loupe

    boxes = [[0.1, 0.1, 0.3, 0.3], [0.5, 0.5, 0.4, 0.4]]
    truths = [fo.Detections(detections=[fo.Detection(label="x", bounding_box=box) for box in boxes]) for _ in range(N)]

    def detected(number: int) -> Any:
        own = [fo.Detection(label="x", bounding_box=box, confidence=0.9) for box in boxes[:number]]
        return fo.Detections(detections=own)

    dataset.set_values("boxes", truths)
    dataset.set_values("detector", [detected(1 + at % 2) for at in range(N)])
    made = loupe.find_bias(dataset, "group", label="boxes", predictions="detector", scores=[])
    recall = {each.group: each.share for each in made.models if each.measure == "recall"}
    assert (recall["group=b"].k, recall["group=b"].n) == (400, 400)
    assert (recall["group=a"].k, recall["group=a"].n) == (199, 398)
    assert {each.measure for each in made.models} == {"recall", "precision"}


def test_what_cannot_be_done_is_said(dataset: Any) -> None:
    import loupe
    from loupe.brain.core.errors import InputError, NoSamples, UnknownName

    with pytest.raises(UnknownName, match="'group'"):
        loupe.find_bias(dataset, "grup")
    with pytest.raises(InputError, match="got 'kind' for both"):
        loupe.find_bias(dataset, "kind", label="kind")
    with pytest.raises(InputError, match="at most 200 groups"):
        loupe.find_bias(dataset, "filepath")
    with pytest.raises(InputError, match="to make groups by"):
        loupe.find_bias(dataset, [])
    with pytest.raises(InputError, match="ground truth beside"):
        loupe.find_bias(dataset, "group", predictions="model")
    with pytest.raises(InputError, match="Classification"):
        loupe.find_bias(dataset, "group", label="truth", predictions="kind")
    with pytest.raises(UnknownName, match="class"):
        loupe.find_bias(dataset, "group", label="truth", predictions="model", positive="elk")
    with pytest.raises(InputError, match="field of numbers"):
        loupe.find_bias(dataset, "group", scores=["kind"])
    with pytest.raises(UnknownName):
        loupe.find_bias(dataset, "group", scores=["nothing"])
    with pytest.raises(NoSamples):
        loupe.find_bias(dataset.limit(0), "group")
    for name, value in (("min_samples", 1), ("min_difference", 2), ("fdr", 0), ("interval", 1)):
        with pytest.raises(InputError, match=r"expected|between"):
            loupe.find_bias(dataset, "group", **{name: value})
    single = loupe.find_bias(dataset.match({"group": "a"}), "group", label="kind")
    assert single.findings == ()
    assert any("one group only" in note for note in single.notes)
    # a numeric label is put into bins, as everywhere
    assert len({each.measure for each in loupe.find_bias(dataset, "group", label="age", scores=[]).labels}) == 4
