"""The panel "Model metrics", run as the App runs it, against ``loupe.evaluate`` and the samples' own labels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from panel_session import PanelSession, within
from predicted import CLASSES, classifications, detections

pytestmark = [pytest.mark.database, pytest.mark.slow]

N = 120


@pytest.fixture(scope="module")
def boxes(database: str) -> Iterator[Any]:
    import fiftyone as fo

    import loupe

    dataset = fo.Dataset()
    detections(dataset, N)
    loupe.evaluate(dataset, ["yolo", "detr"], "ground_truth", by="time", objects="size", resamples=50)
    yield dataset
    dataset.delete()


@pytest.fixture(scope="module")
def classes(database: str) -> Iterator[Any]:
    import fiftyone as fo

    import loupe

    dataset = fo.Dataset()
    classifications(dataset, N)
    loupe.evaluate(dataset, ["small", "large"], "ground_truth", by="time", resamples=50)
    yield dataset
    dataset.delete()


def _open(dataset: Any) -> PanelSession:
    from loupe.panels.model_metrics.panel import ModelMetrics

    return PanelSession(ModelMetrics(), dataset)


def _texts(session: PanelSession) -> str:
    return json.dumps(session.output, ensure_ascii=False)


def _plot(session: PanelSession, name: str) -> Any:
    return session.properties()[name]["view"]["data"]


def _matrix(session: PanelSession) -> Any:
    return within(session.properties(), "scrolled", "wide", "matrix")["view"]["data"]


def _move(session: PanelSession, value: float) -> None:
    session.call("on_move", value=value, path=f"slider.threshold__{session.state['turn']}")


def test_what_is_drawn_is_what_evaluate_returns(boxes: Any) -> None:
    import loupe

    session = _open(boxes)
    result = loupe.evaluate(boxes, ["yolo", "detr"], "ground_truth", by="time", objects="size", resamples=50)
    session.call("on_refresh")
    for metric in ("precision", "recall", "f1", "map", "ap50", "ece"):
        session.call("on_metric", value=metric)
        for trace, model in zip(_plot(session, "slices"), ("yolo", "detr"), strict=True):
            own = [row.metrics[metric] for row in [*result.overall, *result.slices] if row.model == model]
            assert trace["x"] == pytest.approx([measure.value for measure in own])
            high = [value + more for value, more in zip(trace["x"], trace["error_x"]["array"], strict=True)]
            assert high == pytest.approx([max(measure.high, measure.value) for measure in own])
        assert f"**{result.overall[0].metrics[metric].value:.3f}" in session.properties()["values"]["default"]
    assert "It is over all thresholds" in session.properties()["under"]["default"]


def test_the_slider_shows_what_would_be_measured_there(boxes: Any) -> None:
    import loupe

    session = _open(boxes)
    result = loupe.evaluate(boxes, ["yolo", "detr"], "ground_truth", by="time", objects="size", resamples=50)
    session.call("on_refresh")
    session.call("on_metric", value="precision")
    for threshold in (0.35, 0.8, 0.0):
        _move(session, threshold)
        moved = result.at(threshold)
        trace = _plot(session, "slices")[0]
        own = [row.metrics["precision"] for row in [*moved.overall, *moved.slices] if row.model == "yolo"]
        assert trace["x"] == pytest.approx([measure.value for measure in own if measure.known], abs=1e-5)
        assert f"at least **{threshold:g}**" in session.properties()["threshold"]["default"]
        right, wrong = _matrix(session)
        counts = moved.confusion[0].counts
        size = len(counts)
        for row in range(size):
            for column in range(size):
                trace = right if row == column else wrong
                if counts[row][column]:
                    assert f"<br>{counts[row][column]:,} · " in trace["hovertext"][row][column]


def test_a_cell_of_classes_shows_all_of_its_samples_at_the_threshold(classes: Any) -> None:
    session = _open(classes)
    truth, given = classes.values("ground_truth.label"), classes.values("small.label")
    sure = classes.values("small.confidence")
    for threshold in (None, 0.7):
        if threshold is not None:
            _move(session, threshold)
        for row, own in enumerate(CLASSES):
            for column, other in enumerate((*CLASSES, "(none)")):
                expected = [
                    sample_id
                    for sample_id, a, b, score in zip(classes.values("id"), truth, given, sure, strict=True)
                    if a == own
                    and (
                        (b == other and (threshold is None or score >= threshold))
                        if other != "(none)"
                        else threshold is not None and score < threshold
                    )
                ]
                session.call("on_click", x=column, y=row)
                if expected:
                    assert session.samples().values("id") == expected
                    assert f"{own} taken for" in _texts(session)
                else:
                    assert "Nothing to show" in session.messages[-1]
    session.call("on_show_all")
    assert len(session.samples()) == N


def test_a_cell_of_boxes_shows_samples_that_have_such_a_box(boxes: Any) -> None:
    import loupe

    session = _open(boxes)
    result = loupe.evaluate(boxes, ["yolo", "detr"], "ground_truth", resamples=50)
    session.call("on_key", value=result.key)
    session.call("on_model", value="detr")
    counts = result.confusion[1].counts
    row, column = max(((a, b) for a in range(3) for b in range(3) if a != b), key=lambda cell: counts[cell[0]][cell[1]])
    session.call("on_click", x=column, y=row)
    shown = session.samples()
    assert 1 <= len(shown) <= counts[row][column]
    for sample in shown:
        assert CLASSES[row] in [each.label for each in sample.ground_truth.detections]
        assert CLASSES[column] in [each.label for each in sample.detr.detections]
    session.call("on_errors")
    assert session.samples().values("id") == list(
        dict.fromkeys(error.sample_id for error in result.errors if error.model == "detr")
    )
    assert "confident mistakes" in _texts(session)


def test_before_anything_was_evaluated_it_says_what_to_do(dataset: Any) -> None:
    import fiftyone as fo

    dataset.add_sample(fo.Sample(filepath="/nowhere.png"))
    session = _open(dataset)
    assert "no predictions beside a ground truth" in session.properties()["notice"]["view"]["label"]
    dataset.clear()
    classifications(dataset, 10)
    session.call("on_refresh")
    assert "No model was evaluated here yet" in session.properties()["notice"]["view"]["label"]
    session.call("on_evaluate")
    assert session.prompted == ["@loupe/loupe/evaluate"]
    session.dataset = None
    session.call("on_change_dataset")
    assert "Open a dataset" in session.properties()["notice"]["view"]["label"]


def test_of_other_samples_it_says_so(classes: Any) -> None:
    session = _open(classes)
    assert "elsewhere" not in session.shown()
    session.view = json.loads(json.dumps(classes.limit(20)._serialize()))
    session.call("on_change_view")
    assert "Made of other samples" in session.properties()["elsewhere"]["view"]["label"]


def test_whatever_the_app_sends_it_stays_drawn(classes: Any) -> None:
    session = _open(classes)
    for method in ("on_metric", "on_curve", "on_model", "on_order", "on_key"):
        for value in ("<b>", None, 7, {"$where": "1"}, ["x"]):
            session.call(method, value=value)
            assert "slices" in session.shown()
    for method, params in (
        ("on_move", {"value": "0.5", "path": "slider.threshold__1"}),
        ("on_move", {"value": 0.5, "path": "x"}),
        ("on_click", {"x": 99, "y": 0}),
        ("on_click", {"x": "0", "y": None}),
        ("on_look", {"x": 1, "y": 1}),
    ):
        session.call(method, **params)
        assert "slices" in session.shown()
    assert len(session.samples()) == N


def test_worst_first_and_curves(boxes: Any) -> None:
    session = _open(boxes)
    session.call("on_key", value="loupe_evaluate_1")
    session.call("on_metric", value="recall")
    session.call("on_order", value="worst")
    layout = session.properties()["slices"]["view"]["layout"]
    names = [each["text"] for each in sorted(layout["annotations"], key=lambda each: each["y"])]
    assert names[0].startswith("all")
    assert "size=small" in names[1]
    session.call("on_curve", value="reliability")
    assert session.properties()["curve"]["view"]["layout"]["xaxis"]["title"]["text"] == "mean confidence"
    assert "undefined" not in _texts(session)
    assert "NaN" not in _texts(session)


def test_names_are_shown_as_they_are_and_run_nothing(dataset: Any) -> None:
    import fiftyone as fo

    import loupe

    hostile = "<img src=x onerror=alert(1)>"
    dataset.add_samples(
        fo.Sample(
            filepath=f"/nowhere/{at}.png",
            truth=fo.Classification(label=hostile if at % 2 else "a.b$c"),
            model=fo.Classification(label=hostile, confidence=0.5),
            where=hostile,
        )
        for at in range(30)
    )
    loupe.evaluate(dataset, "model", "truth", by="where", resamples=50)
    session = _open(dataset)
    text = _texts(session).replace("&lt;img", "")
    assert "slices" in session.shown()
    assert "<img" not in text
    session.call("on_click", x=0, y=1)
    assert {sample.truth.label for sample in session.samples()} <= {hostile, "a.b$c"}


def test_an_evaluation_that_is_gone_gives_way_to_the_next(dataset: Any) -> None:
    import loupe

    classifications(dataset, 30)
    first = loupe.evaluate(dataset, "small", "ground_truth", resamples=50)
    second = loupe.evaluate(dataset, "large", "ground_truth", resamples=50)
    session = _open(dataset)
    assert session.content.kept.key == second.key
    dataset.delete_run(second.key)
    dataset.reload()
    session.call("on_refresh")
    assert session.content.kept.key == first.key


def test_of_many_classes_the_rest_is_one_and_shows_its_samples_too(dataset: Any) -> None:
    import fiftyone as fo
    import numpy as np

    import loupe

    rng = np.random.default_rng(4)
    names = ["(none)", *(f"class {at}" for at in range(15))]
    truth = [str(rng.choice(names)) for _ in range(300)]
    given = [own if rng.random() < 0.7 else str(rng.choice(names)) for own in truth]
    dataset.add_samples(
        fo.Sample(
            filepath=f"/nowhere/{at}.png",
            truth=fo.Classification(label=own),
            model=fo.Classification(label=other, confidence=round(float(rng.random()), 3)),
        )
        for at, (own, other) in enumerate(zip(truth, given, strict=True))
    )
    result = loupe.evaluate(dataset, "model", "truth", resamples=50)
    (matrix,) = result.confusion
    labels = list(matrix.labels)
    assert len(labels) == 13
    assert labels[-2:] == ["(other)", "(none)"]
    session, shown = _open(dataset), labels[:-2]
    ids = dataset.values("id")
    for row, column in ((11, 11), (0, 11), (11, 0), (0, 0)):
        expected = [
            sample_id
            for sample_id, own, other in zip(ids, truth, given, strict=True)
            if (own == shown[row] if row < 11 else own not in shown)
            and (other == shown[column] if column < 11 else other not in shown)
        ]
        assert matrix.counts[row][column] == len(expected)
        session.call("on_click", x=column, y=row)
        if expected:
            assert session.samples().values("id") == expected
    assert sum(map(sum, matrix.counts)) == 300
