"""Every operator run as the App runs it: what it does to the dataset, and what it tells the App."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from operator_calls import execute, form, messages, problems, result, triggered
from PIL import Image

pytestmark = [pytest.mark.database, pytest.mark.slow]


def test_check_writes_scores_and_tells_the_app(scenes: Any) -> None:
    sent = messages("check", scenes, {"checks": ["exposure"], "batch_size": 4}, app=True)
    scenes.reload()
    assert sum(value is not None for value in scenes.values("quality.brightness_p99")) == 11
    assert triggered(sent)[0].endswith("show_output")
    # the dataset's first check sets up how the App shows it
    assert triggered(sent)[-4:] == ["reload_dataset", "set_color_scheme", "set_active_fields", "show_output"]
    last = sent[-1]
    assert last["cls"] == "ExecutionResult"
    assert last["body"]["run"]["n"] == 12
    assert last["body"]["message"].startswith("Checked 12 images in")
    assert "| Dark | 18.2 % |" in last["body"]["summary"]
    assert "Next:" in last["body"]["summary"]


def test_the_result_is_the_same_as_a_notebooks(scenes: Any) -> None:
    import loupe

    execute("check", scenes, {"checks": ["exposure", "sharpness"]})
    scenes.reload()
    run = loupe.check(scenes, ["exposure", "sharpness"])
    assert run.skipped >= 11
    by_operator = {str(rate): rate.to_dict() for rate in loupe.slice(scenes, "scenario.time")}
    clone = scenes.clone()
    try:
        loupe.check(clone, ["exposure", "sharpness"], resume=False)
        assert {str(rate): rate.to_dict() for rate in loupe.slice(clone, "scenario.time")} == by_operator
    finally:
        clone.delete()


def test_the_view_target_is_what_is_checked(scenes: Any) -> None:
    chosen = scenes.values("id")[:3]
    params = {"checks": ["exposure"], "view_target": "SELECTED_SAMPLES"}
    assert result("check", scenes, params, selected=chosen)["run"]["n"] == 3
    scenes.reload()
    assert scenes.exists("quality.brightness_p99").values("id") == chosen


def test_closing_the_app_stops_between_batches_and_the_next_run_goes_on(scenes: Any) -> None:
    from loupe.brain import api
    from loupe.operators import run

    seen: list[int] = []
    started, gate = threading.Event(), threading.Event()

    def call(progress: Callable[[Any], None]) -> Any:
        def slowly(step: Any) -> None:
            seen.append(step.done)
            progress(step)
            if step.done == 4:
                started.set()
                gate.wait(30)

        return api.check(scenes, ["exposure"], batch_size=1, progress=slowly)

    work = run.in_thread(call)
    next(work)
    assert started.wait(60)
    work.close()
    gate.set()
    deadline = time.monotonic() + 30
    while any(thread.name == "loupe-verb" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert seen in ([0, 4], [0, 4, 8]), "the call stopped within its batch, or at its next report"
    scenes.reload()
    stored = sum(bool(value) for value in scenes.values("checked"))
    assert stored in (4, 8)
    again = result("check", scenes, {"checks": ["exposure"]})["run"]
    assert (again["skipped"], again["n"]) == (stored, 12 - stored)


def test_errors_reach_the_app_as_they_are(scenes: Any) -> None:
    from loupe.brain.core.errors import UnknownName

    params = {"checks": ["sharpnes"]}
    sent = messages("check", scenes, params, app=True)
    assert "Did you mean 'sharpness'?" in sent[-1]["error_message"]
    assert triggered(sent)[-1] == "show_output"
    assert sent[-1]["cls"] == "ExecutionResult"
    # nobody reads messages outside of the App: a notebook gets the exception
    with pytest.raises(UnknownName, match="Did you mean 'sharpness'"):
        messages("check", scenes, params)


def test_fiftyone_refuses_what_the_form_refuses(scenes: Any) -> None:
    from fiftyone.operators.executor import ExecutionError

    with pytest.raises(ExecutionError, match="batch_size"):
        execute("check", scenes, {"checks": ["exposure"], "settings": True, "batch_size": 0})
    scenes.clear()
    with pytest.raises(ExecutionError, match="There are no samples here"):
        execute("check", scenes, {})


def test_sorting_shows_the_worst_first_and_leaves_out_what_has_no_score(checked: Any) -> None:
    import loupe
    from loupe.operators.scores import sorted_view

    sent = messages("scores", checked, {"failure": "dark"})
    assert triggered(sent)[-2:] == ["set_view", "show_output"]
    body = sent[-1]["body"]
    assert (body["judged"], body["left_out"]) == (11, 1)
    for failure in ("dark", "bright", "blur"):
        view = sorted_view(checked, failure)
        scores = loupe.scores(view, failure)
        assert 0 < len(scores) == np.isfinite(loupe.scores(checked, failure)).sum()
        assert np.all(np.diff(scores) <= 0), failure
    failing = sorted_view(checked, "dark", only_failing=True)
    assert len(failing) == 2
    assert all("dark" in labels for labels in failing.values("failures.classifications.label"))
    assert result("scores", checked, {"failure": "dark", "only_failing": True})["only_failing"]


def test_moving_a_threshold_flags_anew_and_is_kept(checked: Any) -> None:
    import loupe

    inputs = form("flag", checked)
    assert "2 of 11 fail" in inputs["thresholds__dark"].view.label
    assert "11 of 11 fail" in form("flag", checked, {"thresholds__dark": 1.0})["thresholds__dark"].view.label
    default = inputs["thresholds__dark"].default
    unmoved = {name: made.default for name, made in inputs.items() if name.startswith("thresholds__")}
    assert unmoved
    execute("flag", checked, unmoved)
    checked.reload()
    assert all(used.source == "default" for used in loupe.flag(checked).thresholds.values())
    body = result("flag", checked, {**unmoved, "thresholds__dark": 1.0})
    assert body["flags"]["counts"]["dark"] == 11
    assert body["message"].endswith("1 thresholds moved")
    checked.reload()
    again = loupe.flag(checked).thresholds["dark"]
    assert (again.value, again.source) == (1.0, "user")
    assert form("flag", checked)["thresholds__dark"].default == 1.0
    execute("flag", checked, {"thresholds__dark": default})
    checked.reload()
    assert loupe.flag(checked).thresholds["dark"].source == "default"


def test_rates_come_with_their_n_and_interval(checked: Any) -> None:
    import loupe

    sent = messages("slice", checked, {"by": ["scenario.time"], "failure": "dark"})
    assert "reload_dataset" not in triggered(sent), "nothing was written"
    body = sent[-1]["body"]
    rates = loupe.slice(checked, "scenario.time", failure="dark")
    assert body["rates"] == [rate.to_dict() for rate in rates]
    night = next(rate for rate in rates if rate.failures)
    row = next(line for line in body["summary"].splitlines() if "time=evening" in line)
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        "time=evening",
        "Dark",
        f"\\({night.rate * 100:.1f} %\\)",  # only five were judged
        f"{night.low * 100:.1f} % to {night.high * 100:.1f} %",
        "only here",
        f"{night.q:.3f}",
        "2",
        "5",
        str(night.unknown),
        str(night.unchecked),
    ]
    assert "95% interval" in body["summary"]
    params = {"by": [], "failure": "dark", "confidence": 0.9}
    summary = result("slice", checked, params)["summary"]
    assert "90% interval" in summary
    assert "Slice" not in summary


def test_a_comparison_is_the_sdks_and_says_what_is_tied(new_dataset: Callable[[], Any]) -> None:
    from models_compared import fill_models

    import loupe

    dataset = new_dataset()
    fill_models(dataset, {"old": 0.1, "<b>new</b>": 0.12, "worst": 0.7}, worse_at_night={"<b>new</b>": 0.4})
    inputs = form("compare", dataset, {"settings": True})
    assert inputs["by"].default == "generation.model"
    assert inputs["against"].type.values == ["(none)", "<b>new</b>", "old", "worst"]
    assert "prompt" in inputs["paired_by"].type.values
    sent = messages("compare", dataset, {"by": "generation.model", "failure": "blur", "against": "old"}, app=True)
    assert "reload_dataset" not in triggered(sent), "nothing was written"
    body = sent[-1]["body"]
    comparison = loupe.compare(dataset, failure="blur", against="old")
    assert body["comparison"] == comparison.to_dict()
    assert "<b>new" not in body["summary"]
    assert "time=night" in body["summary"]
    assert "paired by prompt and generation" in body["summary"]
    unpaired = {
        "by": "generation.model",
        "failure": "blur",
        "settings": True,
        "paired_by": "(none)",
        "groups": "(none)",
    }
    body = result("compare", dataset, unpaired)["comparison"]
    assert body == loupe.compare(dataset, failure="blur", paired_by=False, groups=False).to_dict()
    assert body["paired_by"] == []
    within = {"by": "generation.model", "failure": "blur", "within": "scenario.time"}
    body = result("compare", dataset, within)
    assert [part["value"] for part in body["comparison"]["within"]] == ["day", "night"]
    rows = [line for line in body["summary"].splitlines() if line.startswith("| night |")]
    assert len(rows) == 1
    assert "<b>new" not in body["summary"]
    dataset.set_values("scenario.time", ["day", "night"] * (len(dataset) // 2))
    dataset.clear_sample_field("checked")
    dataset.set_values("checked", [{"another": "check"}] * len(dataset))
    dataset.delete_sample_field("quality")
    body = result("compare", dataset, {"by": "scenario.time"})
    assert body["message"] == "2 values of scenario.time compared: nothing was judged of any"


def test_rates_of_any_failure_in_groups_say_what_they_count_as(checked: Any) -> None:
    made = form("slice", checked, {"settings": True})
    assert made["failure"].type.values[:3] == ["(all failures)", "any", "exposure"]
    assert made["groups"].type.values[:2] == ["(none)", "prompt"]
    body = result("slice", checked, {"by": ["scenario.time"], "failure": "any", "groups": "prompt"})
    assert "| Any failure |" in body["summary"]
    assert "| Groups | Counts as |" in body["summary"]
    assert "In brackets: fewer than 10 independent samples." in body["summary"]


def test_slices_by_what_is_computed_of_a_field(checked: Any) -> None:
    import fiftyone as fo

    import loupe

    boxes = [
        fo.Detections(detections=[fo.Detection(label="cup", bounding_box=[0, 0, 0.5, 0.5])] * n) for n in range(12)
    ]
    checked.set_values("boxes", boxes)
    body = result("slice", checked, {"by": ["boxes count", "scenario.time"], "failure": "dark"})
    rates = loupe.slice(checked, [loupe.Factor.count("boxes"), "scenario.time"], failure="dark")
    assert body["rates"] == [rate.to_dict() for rate in rates]
    assert len(rates) == 12


def test_clusters_and_words_are_counted(scenes: Any, tmp_path: Path) -> None:
    import fiftyone as fo
    from tiny_clip import tiny_clip

    import loupe

    scenes.add_sample_field("mine", fo.VectorField)
    scenes.set_values("mine", [*(np.eye(2)[index % 2] for index in range(11)), None])
    body = result("find_clusters", scenes, {"n": 2, "embeddings": "mine"})
    assert body["message"] == "2 clusters in cluster"
    assert "| 1: day | 6 |" in body["summary"]
    assert "| 2: evening | 5 |" in body["summary"]
    assert "| no usable vector | 1 |" in body["summary"]
    assert body["clusters"]["counts"] == {"1: day": 6, "2: evening": 5}
    pytest.importorskip("open_clip")
    loupe.embed(scenes, embedder=tiny_clip(tmp_path), visualize=None, similarity=False)
    body = result("find_words", scenes, {"words": "day, night", "margin": 0.2, "embeddings": "embeddings"})
    assert body["message"] == "0 images with a word, 11 unsure"
    assert "| unsure | 11 |" in body["summary"]
    assert scenes.has_field("words")


def test_importing_adds_the_images_once(dataset: Any, pictures: list[Path]) -> None:
    folder = str(pictures[0].parent)
    assert result("import_images", dataset, {"folder": folder})["run"]["n"] == len(pictures)
    assert result("import_images", dataset, {"folder": folder})["run"]["n"] == 0


def test_embedding_without_weights_makes_a_map_and_an_index(scenes: Any) -> None:
    assert not problems(form("embed", scenes, {"embedder": "hog"}))
    assert result("embed", scenes, {"embedder": "hog", "visualize": "pca"})["run"]["n"] == 12
    scenes.reload()
    assert len(scenes.exists("embeddings")) == 11
    assert sorted(scenes.list_brain_runs()) == ["embeddings_pca", "embeddings_similarity"]


def test_outliers_are_found_by_their_vectors(scenes: Any) -> None:
    import fiftyone as fo

    vectors = np.random.default_rng(3).normal(1, 0.01, (12, 4)).astype(np.float32)
    vectors[5] = (1, -1, 1, -1)
    scenes.add_sample_field("mine", fo.VectorField)
    scenes.set_values("mine", [None, *vectors[1:]])
    body = result("find_outliers", scenes, {"field": "mine", "neighbors": 3, "threshold": 5})
    assert body["message"] == "1 outlier among 11 samples"
    assert body["outliers"]["ids"] == [scenes.values("id")[5]]
    assert "1 sample without a usable vector: unknown." in body["summary"]


def test_drift_is_said_with_what_drifted_and_where_to_look(dataset: Any) -> None:
    from drifting import fill

    fill(dataset, 120)
    params = {"by": "taken day", "predictions": "predictions", "ground_truth": "truth"}
    body = result("find_drift", dataset, params)
    assert body["message"] == "1 of 3 batches drifted: 2026-11-04."
    assert "| 2026\\-11\\-04 | 120 | drifted |" in body["summary"]
    assert "shifted in time=night more than elsewhere" in body["summary"]
    assert "open the panel **Drift**" in body["summary"]
    assert body["drift"]["batches"][2]["verdict"] == "drifted"
    failed = messages("find_drift", dataset, {"by": "truth.label", "reference": "batch: cat"}, app=True)[-1]
    assert "unknown batch" in failed["error_message"]


def test_duplicates_are_found_and_counted(scenes: Any) -> None:
    body = result("find_duplicates", scenes, {"near": False})
    ids = scenes.values("id")
    assert [{pair["id_a"], pair["id_b"]} for pair in body["pairs"]] == [{ids[7], ids[9]}]
    assert body["message"] == "1 pair in 1 group of 2 samples"
    assert "| the same bytes | 1 |" in body["summary"]
    assert result("find_duplicates", scenes.limit(5).clone(), {"near": False})["summary"] == "No duplicates were found."


def test_leaks_are_counted_between_splits(scenes: Any) -> None:
    scenes.set_values("split", ["train", "test"] * 4 + ["train"] * 4)
    body = result("find_leaks", scenes, {"splits": "split"})
    assert body["message"] == "1 pair across splits"
    assert body["between"] == {"test, train": 1}
    assert "| test, train | 1 |" in body["summary"]
    params = {"splits": "(sample tags)", "splits__tags": "a, b"}
    failed = messages("find_leaks", scenes, params, app=True)[-1]
    assert "at least two splits" in failed["error_message"]


def test_copies_of_a_reference_set_are_counted(scenes: Any, new_dataset: Callable[[], Any]) -> None:
    import fiftyone as fo

    reference = new_dataset()
    reference.add_samples([fo.Sample(filepath=path) for path in scenes.values("filepath")[:2]], progress=False)
    body = result("find_memorized", scenes, {"reference": reference.name})
    assert body["message"].startswith("2 of 12 samples stand in ")
    assert {pair["id_a"] for pair in body["pairs"]} == set(scenes.values("id")[:2])


def test_copies_of_a_file_are_shown_the_most_alike_first(scenes: Any, tmp_path: Path) -> None:
    ids = scenes.values("id")
    file = tmp_path / "other" / "black.png"
    file.parent.mkdir()
    Image.new("RGB", (64, 48)).save(file)
    sent = messages("find_copies", scenes, {"path": str(file)}, app=True)
    body = sent[-1]["body"]
    assert {pair["id_b"] for pair in body["pairs"]} == {ids[7], ids[9]}
    assert body["message"] == "2 samples with the picture of black.png"
    assert triggered(sent)[-3:] == ["reload_dataset", "set_view", "show_output"]
    view = next(
        each["body"]["params"]["view"] for each in sent if each.get("body", {}).get("operator_uri") == "set_view"
    )
    assert str(ids[7]) in str(view)

    Image.fromarray(np.random.default_rng(9).integers(0, 256, (48, 64, 3), dtype=np.uint8)).save(file)
    sent = messages("find_copies", scenes, {"path": str(file)}, app=True)
    assert sent[-1]["body"]["message"] == "No sample shows black.png"
    assert "set_view" not in triggered(sent)
    file.write_bytes(b"no image")
    assert (
        "expected an image file" in messages("find_copies", scenes, {"path": str(file)}, app=True)[-1]["error_message"]
    )


@pytest.mark.slow
def test_calibrating_measures_proposes_and_applies(dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo
    from leaves import leaves

    from loupe.brain.store import runs

    paths = [tmp_path / f"{index}.png" for index in range(40)]
    for index, path in enumerate(paths):
        Image.fromarray(leaves(index)).save(path)
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths], progress=False)
    params = {"failures": ["blur", "odd_aspect"], "false_positive_rate": 0.1}
    body = result("calibrate", dataset, params)
    assert body["message"] == "Measured 2 failures on 40 pictures, 2 thresholds proposed"
    rows = [line for line in body["summary"].splitlines() if line.startswith("| Blur")]
    assert "< 0.6" in rows[0].replace("&lt;", "<")
    assert "current" in rows[0]
    assert "proposed" in rows[1]
    assert "4: 100 %" in rows[1]
    assert "run it again with **Apply**" in body["summary"]
    assert runs.load(dataset, body["calibration"]["key"]) == body["calibration"]
    assert runs.load_thresholds(dataset) == {}

    body = result("calibrate", dataset, {**params, "apply": True})
    assert body["message"].endswith("2 thresholds now in use")
    dataset.reload()
    assert {used.source for used in runs.load_thresholds(dataset).values()} == {
        f"calibrated:{body['calibration']['key']}"
    }

    body = result("calibrate", dataset, {"failures": ["odd_aspect"], "limit": 10})
    assert body["message"] == "Measured 1 failure on 10 pictures, 0 thresholds proposed"
    assert "needs 99 known scores to choose from, got 5" in body["summary"]


def test_a_model_that_is_none_is_said_clearly(dataset: Any, tmp_path: Path) -> None:
    params = {"prompts": "a cup", "model": str(tmp_path), "output_dir": str(tmp_path / "out")}
    failed = messages("generate", dataset, params, app=True)[-1]
    assert str(tmp_path) in failed["error_message"]
    assert "Traceback" not in failed["error_message"]
    assert len(dataset) == 0


@pytest.mark.slow
def test_generating_draws_adds_and_goes_on(dataset: Any, tmp_path: Path) -> None:
    params = {
        "prompts__source": "template",
        "prompts__template": 'a {color} sign that says "{text}", day, clear',
        "factors": "color: red, blue\ntext: 4, 7",
        "steps": 2,
        "output_dir": str(tmp_path / "out"),
    }
    assert result("generate", dataset, params)["message"].startswith("Generated 4 images")
    dataset.reload()
    assert sorted(zip(*dataset.values(["scenario.color", "scenario.text"]), strict=True)) == [
        ("blue", "4"), ("blue", "7"), ("red", "4"), ("red", "7"),
    ]  # fmt: skip
    assert all(Path(path).parent == tmp_path / "out" for path in dataset.values("filepath"))
    run = result("generate", dataset, params)["run"]
    assert (run["n"], run["skipped"]) == (0, 4)


def test_models_are_evaluated_side_by_side_with_their_intervals(dataset: Any) -> None:
    from predicted import detections

    import loupe

    detections(dataset, 30)
    params = {"ground_truth": "ground_truth", "predictions": ["yolo", "detr"], "by": ["time"], "objects": ["size"]}
    sent = messages("evaluate", dataset, {**params, "resamples": 50, "min_samples": 5})
    assert "reload_dataset" not in triggered(sent), "nothing was written"
    body = sent[-1]["body"]
    expected = loupe.evaluate(
        dataset, ["yolo", "detr"], "ground_truth", by=["time"], objects=["size"], resamples=50, min_samples=5
    )
    for name in ("overall", "slices", "disparities", "notes"):
        assert body["evaluation"][name] == expected.to_dict()[name]
    assert body["message"] == "2 models on 30 images, 6 slices"
    row = next(line for line in body["summary"].splitlines() if "size=small" in line and "yolo" in line)
    small = next(each for each in expected.slices if "size=small" in str(each.slice) and each.model == "yolo")
    assert str(small.metrics["recall"]).replace("[", "\\[").replace("]", "\\]") in row
    assert "**How far slices are apart**" in body["summary"]
    assert "Model metrics" in body["summary"]


def test_shortcuts_are_told_with_what_to_do_and_nothing_is_written(scenes: Any) -> None:
    import loupe

    scenes.set_values("kind", ["<b>cat" if at % 2 else "dog" for at in range(len(scenes))])
    scenes.set_values("camera", ["left" if at % 2 else "right" for at in range(len(scenes))])
    before = list(scenes.get_field_schema(flat=True))
    params = {"label": "kind", "by": ["camera"], "settings": True, "min_samples": 5, "groups": []}
    body = result("find_shortcuts", scenes, params)
    made = loupe.find_shortcuts(scenes, "kind", by="camera", min_samples=5, groups=[])
    assert body["message"].startswith("1 shortcut to kind, of ")
    assert body["shortcuts"] == made.to_dict()
    assert body["ids"] == list(made.ids)
    assert "<b>" not in body["summary"]
    assert "loupe.evaluate" in body["summary"].replace("\\", "")
    assert list(scenes.get_field_schema(flat=True)) == before
    small = form("find_shortcuts", scenes, {"label": "kind", "settings": True, "fdr": 0.9})
    assert "fdr" in problems(small)


def test_groups_are_compared_and_nothing_is_written(scenes: Any) -> None:
    import loupe

    scenes.set_values("kind", ["<b>cat" if at % 3 else "dog" for at in range(len(scenes))])
    scenes.set_values("site", ["left" if at % 2 else "right" for at in range(len(scenes))])
    before = list(scenes.get_field_schema(flat=True))
    params = {"by": ["site"], "label": "kind", "settings": True, "min_samples": 2, "groups": []}
    body = result("find_bias", scenes, params)
    assert body["bias"] == loupe.find_bias(scenes, "site", label="kind", min_samples=2, groups=[]).to_dict()
    assert body["message"].endswith("between 2 groups by site")
    assert "<b>" not in body["summary"]
    assert "How far groups are apart" in body["summary"]
    assert list(scenes.get_field_schema(flat=True)) == before
    assert "by" in problems(form("find_bias", scenes, {"by": []}))
