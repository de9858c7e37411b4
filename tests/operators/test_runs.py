"""Every operator run as the App runs it: what it does to the dataset, and what it tells the App."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from operator_calls import execute, form, messages, result, triggered
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
        ".18",
        "2",
        "5",
        str(night.unknown),
        str(night.unchecked),
    ]
    assert "95 % interval" in body["summary"]
    params = {"by": [], "failure": "dark", "confidence": 0.9}
    summary = result("slice", checked, params)["summary"]
    assert "90 % interval" in summary
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
    assert "In parentheses: fewer than 10 independent samples." in body["summary"]


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
