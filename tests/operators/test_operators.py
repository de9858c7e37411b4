"""Every operator with a real execution context: its form, what it does to the dataset, and what it tells the App."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.database

ON_SAMPLES = ["check", "embed", "find_duplicates", "flag", "scores", "slice"]
ALL = [*ON_SAMPLES, "generate", "import_images", "jobs"]


@pytest.fixture
def scenes(dataset: Any, tmp_path: Path) -> Any:
    """Twelve images: half by day, half by night; two of the night ones are black, and one file is no image."""
    import fiftyone as fo

    rng = np.random.default_rng(1)
    samples = []
    for index in range(12):
        pixels = rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)
        path = tmp_path / f"{index}.png"
        Image.fromarray(pixels * 0 if index in (7, 9) else pixels).save(path)
        if index == 11:
            path.write_bytes(b"no image")
        time_of_day = "night" if index % 2 else "day"
        scenario = fo.DynamicEmbeddedDocument(time=time_of_day)
        samples.append(fo.Sample(filepath=str(path), prompt=f"noise by {time_of_day}", scenario=scenario))
    dataset.add_samples(samples, dynamic=True, progress=False)
    return dataset


@pytest.fixture
def checked(scenes: Any) -> Any:
    import loupe

    loupe.check(scenes, ["exposure", "sharpness"])
    return scenes


def _operator(name: str) -> Any:
    import fiftyone.operators as foo

    return foo.get_operator(f"@loupe/loupe/{name}")


def _context(name: str, dataset: Any, params: dict[str, Any] | None = None, **request: Any) -> Any:
    from fiftyone.operators.executor import ExecutionContext, Executor

    facts = {"dataset_name": dataset.name, "view": [], "params": params or {}, **request}
    return ExecutionContext(request_params=facts, executor=Executor(), operator_uri=f"@loupe/loupe/{name}")


def _form(name: str, dataset: Any, params: dict[str, Any] | None = None, **request: Any) -> dict[str, Any]:
    made = _operator(name).resolve_type(_context(name, dataset, params, **request), "inputs")
    json.dumps(made.to_json())
    return made.type.properties


def _problems(form: dict[str, Any]) -> dict[str, str]:
    return {name: made.error_message for name, made in form.items() if made.invalid}


def _messages(name: str, dataset: Any, params: dict[str, Any] | None = None, **request: Any) -> list[dict[str, Any]]:
    """Runs an operator as the App does, and returns the lines that it would be sent."""
    context = _context(name, dataset, params, **request)
    return [json.loads(message.to_json_line()) for message in _operator(name).execute(context)]


def _triggered(messages: list[dict[str, Any]]) -> list[str]:
    return [message["body"]["operator_uri"] for message in messages if message["cls"] == "InvocationRequest"]


def _execute(name: str, dataset: Any, params: dict[str, Any], **more: Any) -> Any:
    import fiftyone.operators as foo

    return foo.execute_operator(f"@loupe/loupe/{name}", {"dataset": dataset, "params": params, **more})


@pytest.mark.parametrize("name", ALL)
def test_the_form_builds(checked: Any, name: str) -> None:
    form = _form(name, checked)
    assert form
    assert not _problems(form)
    assert ("view_target" in form) == (name in ON_SAMPLES)
    operator = _operator(name)
    assert operator.config.label.startswith("Loupe: ")
    assert operator.config.description
    assert operator.config.icon
    assert operator.config.execute_as_generator
    output = operator.resolve_type(_context(name, checked, results={"summary": "x"}), "outputs")
    assert list(output.type.properties) == ["summary"]


@pytest.mark.parametrize("name", ON_SAMPLES)
def test_no_samples_are_shown_before_running_and_keep_it_from_running(dataset: Any, name: str) -> None:
    from fiftyone.operators.executor import ExecutionError

    problems = _problems(_form(name, dataset))
    assert "There are no samples here" in problems["no_samples"]
    with pytest.raises(ExecutionError, match="There are no samples here"):
        _execute(name, dataset, {})


def test_an_empty_selection_is_no_reason_to_fail(scenes: Any) -> None:
    assert not _problems(_form("check", scenes, {}, selected=[]))


def test_no_prompts_are_shown_before_running(scenes: Any) -> None:
    import loupe.brain.core.registry as registry

    needing = [name for name, spec in registry.checks().items() if "prompt" in spec.needs]
    assert needing
    assert not any("absent" in name for name in _form("check", scenes, {"checks": needing}))
    scenes.clear_sample_field("prompt")
    form = _form("check", scenes)
    assert not set(form["checks"].default) & set(needing)
    form = _form("check", scenes, {"checks": needing})
    assert all(f"{name}__absent_prompt" in form for name in needing)
    assert not _problems(form)


def test_checking_nothing_is_refused_in_the_form(scenes: Any) -> None:
    assert "Choose at least one" in _problems(_form("check", scenes, {"checks": []}))["no_checks"]


def test_an_unknown_check_is_refused_in_the_form(scenes: Any) -> None:
    assert "Did you mean 'sharpness'?" in _problems(_form("check", scenes, {"checks": ["sharpnes"]}))["error"]
    assert "expected a list of names" in _problems(_form("check", scenes, {"checks": "sharpness"}))["error"]


def test_check_writes_scores_and_tells_the_app(scenes: Any) -> None:
    messages = _messages("check", scenes, {"checks": ["exposure"], "batch_size": 4}, prompt_id="p")
    scenes.reload()
    assert sum(value is not None for value in scenes.values("quality.brightness_p99")) == 11
    assert "@voxel51/operators/set_progress" in [
        uri if "/" in uri else f"@voxel51/operators/{uri}" for uri in _triggered(messages)
    ]
    assert _triggered(messages)[-2:] == ["reload_dataset", "notify"]
    last = messages[-1]
    assert last["cls"] == "ExecutionResult"
    assert last["body"]["run"]["n"] == 12
    assert "| Dark | 18.2 % |" in last["body"]["summary"]
    assert "Next:" in last["body"]["summary"]


def test_the_result_is_the_same_as_a_notebooks(scenes: Any) -> None:
    import loupe

    _execute("check", scenes, {"checks": ["exposure", "sharpness"]})
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
    form = _form("check", scenes, {}, selected=chosen)
    assert form["view_target"].type.values == ["DATASET", "SELECTED_SAMPLES"]
    params = {"checks": ["exposure"], "view_target": "SELECTED_SAMPLES"}
    messages = _messages("check", scenes, params, selected=chosen)
    assert messages[-1]["body"]["run"]["n"] == 3
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
    assert seen == [0, 4, 8], "the call stopped at its next report"
    scenes.reload()
    assert sum(bool(value) for value in scenes.values("checked")) == 8
    last = _messages("check", scenes, {"checks": ["exposure"]})[-1]["body"]["run"]
    assert (last["skipped"], last["n"]) == (8, 4)


def test_errors_reach_the_app_as_they_are(scenes: Any) -> None:
    from loupe.brain.core.errors import UnknownName

    params = {"checks": ["sharpnes"]}
    messages = _messages("check", scenes, params, prompt_id="p")
    assert "Did you mean 'sharpness'?" in messages[-1]["error"]
    assert _triggered(messages)[-1] == "notify"
    assert messages[-1]["cls"] == "ExecutionResult"
    # without a prompt nobody reads messages: a notebook gets the exception
    with pytest.raises(UnknownName, match="Did you mean 'sharpness'"):
        _messages("check", scenes, params)


def test_a_parameter_that_does_not_fit_is_refused(scenes: Any) -> None:
    from fiftyone.operators.executor import ExecutionError

    with pytest.raises(ExecutionError, match="batch_size"):
        _execute("check", scenes, {"checks": ["exposure"], "settings": True, "batch_size": 0})


def test_sorting_shows_the_worst_first_and_leaves_out_what_has_no_score(checked: Any) -> None:
    import loupe
    from loupe.operators.scores import sorted_view

    messages = _messages("scores", checked, {"failure": "dark"})
    assert _triggered(messages)[-2:] == ["set_view", "notify"]
    body = messages[-1]["body"]
    assert (body["judged"], body["left_out"]) == (11, 1)
    for failure in ("dark", "bright", "blur"):
        view = sorted_view(checked, failure)
        scores = loupe.scores(view, failure)
        assert 0 < len(scores) == np.isfinite(loupe.scores(checked, failure)).sum()
        assert np.all(np.diff(scores) <= 0), failure
    failing = sorted_view(checked, "dark", only_failing=True)
    assert len(failing) == 2
    assert all("dark" in labels for labels in failing.values("failures.classifications.label"))


def test_sorting_before_checking_is_a_problem_of_the_form(scenes: Any) -> None:
    assert "check images" in _problems(_form("scores", scenes))["no_scores"]
    assert "check images" in _problems(_form("flag", scenes))["no_scores"]
    assert "check images" in _problems(_form("slice", scenes))["no_failures"]


def test_moving_a_threshold_flags_anew_and_is_kept(checked: Any) -> None:
    import loupe

    form = _form("flag", checked)
    assert "2 of 11 fail" in form["threshold__dark"].view.label
    assert "11 of 11 fail" in _form("flag", checked, {"threshold__dark": 1.0})["threshold__dark"].view.label
    default = form["threshold__dark"].default
    unmoved = {name: made.default for name, made in form.items() if name.startswith("threshold__")}
    _execute("flag", checked, unmoved)
    checked.reload()
    assert all(line.source == "default" for line in loupe.flag(checked).thresholds.values())
    messages = _messages("flag", checked, {**unmoved, "threshold__dark": 1.0})
    assert messages[-1]["body"]["flags"]["counts"]["dark"] == 11
    checked.reload()
    again = loupe.flag(checked).thresholds["dark"]
    assert (again.value, again.source) == (1.0, "user")
    _execute("flag", checked, {"threshold__dark": default})
    checked.reload()
    assert loupe.flag(checked).thresholds["dark"].source == "default"


def test_rates_come_with_their_n_and_interval(checked: Any) -> None:
    import loupe

    messages = _messages("slice", checked, {"by": ["scenario.time"], "failure": "dark"})
    body = messages[-1]["body"]
    assert body["rates"] == [rate.to_dict() for rate in loupe.slice(checked, "scenario.time", failure="dark")]
    night = next(rate for rate in loupe.slice(checked, "scenario.time", failure="dark") if rate.failures)
    row = next(line for line in body["summary"].splitlines() if "time=night" in line)
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        "time=night",
        "Dark",
        f"{night.rate * 100:.1f} %",
        f"{night.low * 100:.1f} % to {night.high * 100:.1f} %",
        "2",
        "5",
        str(night.unknown),
        str(night.unchecked),
    ]


def test_importing_adds_the_images_once(dataset: Any, pictures: list[Path]) -> None:
    folder = str(pictures[0].parent)
    assert _messages("import_images", dataset, {"folder": folder})[-1]["body"]["run"]["n"] == len(pictures)
    assert _messages("import_images", dataset, {"folder": folder})[-1]["body"]["run"]["n"] == 0
    assert "There is no folder" in _problems(_form("import_images", dataset, {"folder": "/no/such"}))["folder"]
    assert (
        "There is no file"
        in _problems(_form("import_images", dataset, {"folder": folder, "prompts": "x.csv"}))["prompts"]
    )


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"prompts": "one\n\ntwo", "per_prompt": 3}, "2 prompts × 3 = 6 images. The first prompt: one"),
        (
            {
                "source": "template",
                "template": "a {color} {thing}",
                "factors": "color: red, blue\nthing: cup, hat, bag",
            },
            "6 prompts × 1 = 6 images. The first prompt: a red cup",
        ),
    ],
)
def test_generating_says_how_many_before(dataset: Any, params: dict[str, Any], says: str) -> None:
    form = _form("generate", dataset, params)
    assert not _problems(form)
    assert form["count"].view.label == says


def test_prompts_that_cannot_be_used_are_refused_in_the_form(dataset: Any, tmp_path: Path) -> None:
    file = tmp_path / "prompts.csv"
    file.write_text("promt\na cup\n", encoding="utf-8")
    bad: list[tuple[dict[str, Any], str]] = [
        ({"source": "file", "file": str(file)}, "expected the column 'prompt'"),
        ({"source": "file", "file": str(tmp_path / "none.txt")}, "none.txt"),
        ({"source": "template", "template": "a {color} cup", "factors": ""}, "color"),
        ({"source": "template", "template": "a {color} cup", "factors": "color red"}, "factors, line 1"),
        ({"prompts": "x" * 10_000}, "characters"),
        ({"prompts": "a cup", "seed": -1}, "Seed: expected a number from 0"),
    ]
    for params, says in bad:
        problems = _problems(_form("generate", dataset, params))
        assert says in problems["bad_prompts"], (params, problems)


def test_the_app_offers_to_schedule_where_a_worker_is_alive(scenes: Any) -> None:
    from fiftyone.operators.executor import resolve_execution_options
    from fiftyone.operators.registry import OperatorRegistry

    from loupe.brain.store import jobs

    def offered(name: str) -> list[str]:
        context = _context(name, scenes)
        options = asyncio.run(
            resolve_execution_options(OperatorRegistry(), f"@loupe/loupe/{name}", context.request_params)
        )
        facts = json.loads(json.dumps(options.to_dict()))
        assert facts["allow_immediate_execution"]
        assert facts["allow_delegated_execution"] == (name not in ("scores", "jobs"))
        return [worker["instance_id"] for worker in facts["available_orchestrators"]]

    worker = jobs.WorkerFacts("w1", "gpubox", "gpubox", 1, "cuda:0")
    assert offered("check") == []
    jobs.beat(worker)
    try:
        assert offered("check") == ["gpubox"]
        assert offered("scores") == []
        assert "gpubox" in _form("jobs", scenes)["report"].default
    finally:
        jobs.sign_off(worker)
    assert offered("check") == []


def test_a_scheduled_job_can_be_cancelled_and_run_again(scenes: Any) -> None:
    from loupe.brain.store import jobs

    result = _execute("check", scenes, {"checks": ["exposure"]}, request_delegation=True)
    assert result.delegated
    (job,) = jobs.recent(scenes._doc.id)
    assert (job.state, job.label) == ("queued", "Loupe: check images")
    form = _form("jobs", scenes, {"action": "cancel"})
    assert form["job"].type.values == [str(job.id)]
    _execute("jobs", scenes, {"action": "cancel", "job": str(job.id)})
    (job,) = jobs.recent(scenes._doc.id)
    assert job.state == "failed"
    assert job.said.startswith("cancelled")
    _execute("jobs", scenes, {"action": "again", "job": str(job.id)})
    assert [job.state for job in jobs.recent(scenes._doc.id)] == ["queued", "failed"]
    assert "There is no such job" not in str(_problems(_form("jobs", scenes, {"action": "again"})))


def test_embedding_without_weights_makes_a_map_and_an_index(scenes: Any) -> None:
    form = _form("embed", scenes, {"embedder": "hog"})
    assert not _problems(form)
    messages = _messages("embed", scenes, {"embedder": "hog", "visualize": "pca"}, prompt_id="p")
    assert messages[-1].get("error") is None, messages[-1]
    assert messages[-1]["body"]["run"]["n"] == 12
    scenes.reload()
    assert len(scenes.exists("embeddings")) == 11
    assert sorted(scenes.list_brain_runs()) == ["embeddings_pca", "embeddings_similarity"]


def test_duplicates_are_found_and_counted(scenes: Any) -> None:
    body = _messages("find_duplicates", scenes, {"near": False}, prompt_id="p")[-1]["body"]
    black = scenes.skip(7).limit(1).first().id, scenes.skip(9).limit(1).first().id
    assert [{pair["id_a"], pair["id_b"]} for pair in body["pairs"]] == [set(black)]
    assert body["said"] == "1 pair in 1 group of 2 samples"
    assert "Choose exact, near" in str(_problems(_form("find_duplicates", scenes, {"near": False, "exact": False})))


def test_leaks_are_counted_between_splits(scenes: Any) -> None:
    scenes.set_values("split", ["train", "test"] * 4 + ["train"] * 4)
    body = _messages("find_leaks", scenes, {"field": "split"}, prompt_id="p")[-1]["body"]
    assert body["said"] == "1 pair across splits"
    assert body["between"] == {"test, train": 1}
    assert "| test, train | 1 |" in body["summary"]
    failed = _messages("find_leaks", scenes, {"field": "(sample tags)", "tags": "a, b"}, prompt_id="p")[-1]
    assert "at least two splits" in failed["error"]


def test_a_model_that_is_none_is_said_clearly(dataset: Any, tmp_path: Path) -> None:
    params = {"prompts": "a cup", "model": str(tmp_path), "output_dir": str(tmp_path / "out")}
    messages = _messages("generate", dataset, params, prompt_id="p")
    assert str(tmp_path) in messages[-1]["error"]
    assert "Traceback" not in messages[-1]["error"]
    assert len(dataset) == 0


@pytest.mark.slow
def test_generating_draws_adds_and_goes_on(dataset: Any, tmp_path: Path) -> None:
    params = {
        "source": "template",
        "template": 'a {color} sign that says "{text}", day, clear',
        "factors": "color: red, blue\ntext: 4, 7",
        "steps": 2,
        "output_dir": str(tmp_path / "out"),
    }
    messages = _messages("generate", dataset, params, prompt_id="p")
    assert messages[-1].get("error") is None, messages[-1]
    assert messages[-1]["body"]["said"].startswith("Generated 4 images")
    dataset.reload()
    assert sorted(zip(*dataset.values(["scenario.color", "scenario.text"]), strict=True)) == [
        ("blue", "4"), ("blue", "7"), ("red", "4"), ("red", "7"),
    ]  # fmt: skip
    assert all(Path(path).parent == tmp_path / "out" for path in dataset.values("filepath"))
    run = _messages("generate", dataset, params, prompt_id="p")[-1]["body"]["run"]
    assert (run["n"], run["skipped"]) == (0, 4)
