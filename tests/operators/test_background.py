"""Operators that run later: where the App offers it, and what becomes of a job."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from operator_calls import context, execute, form, problems, result

pytestmark = pytest.mark.database


def test_the_app_offers_to_schedule_where_a_worker_is_alive(scenes: Any) -> None:
    from fiftyone.operators.executor import resolve_execution_options
    from fiftyone.operators.registry import OperatorRegistry

    from loupe.brain.store import jobs

    def offered(name: str) -> list[str]:
        request = context(name, scenes).request_params
        options = asyncio.run(resolve_execution_options(OperatorRegistry(), f"@loupe/loupe/{name}", request))
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
        assert "gpubox" in form("jobs", scenes)["report"].default
    finally:
        jobs.sign_off(worker)
    assert offered("check") == []


def test_a_scheduled_job_can_be_cancelled_and_run_again(scenes: Any) -> None:
    from loupe.brain.store import jobs

    assert "action" not in form("jobs", scenes), "there is nothing to do yet"
    assert execute("check", scenes, {"checks": ["exposure"]}, request_delegation=True).delegated
    (job,) = jobs.recent(scenes._doc.id)
    assert (job.state, job.label) == ("queued", "Loupe: check images")
    inputs = form("jobs", scenes, {"action": "cancel"})
    assert inputs["job"].type.values == [str(job.id)]
    assert all(inputs[name].view.description for name in ("action", "job"))
    execute("jobs", scenes, {"action": "cancel", "job": str(job.id)})
    (job,) = jobs.recent(scenes._doc.id)
    assert job.state == "failed"
    assert job.message.startswith("canceled")
    assert "None is queued or running" in problems(form("jobs", scenes, {"action": "cancel"}))["no_jobs"]
    assert result("jobs", scenes, {"action": "again", "job": str(job.id)})["message"] == "In the queue again"
    assert [job.state for job in jobs.recent(scenes._doc.id)] == ["queued", "failed"]
    assert not problems(form("jobs", scenes, {"action": "again"}))


def test_a_job_that_is_none_is_refused(scenes: Any) -> None:
    from fiftyone.operators.executor import ExecutionError

    for params in ({"action": "stop"}, {"action": "cancel", "job": "0" * 24}):
        with pytest.raises(ExecutionError, match="expected one of"):
            execute("jobs", scenes, params)


def test_a_form_says_what_to_start_where_no_worker_is_alive(scenes: Any) -> None:
    from loupe.brain.store import jobs

    assert "loupe worker" in form("check", scenes)["no_worker"].default
    assert "no_worker" not in form("scores", scenes), "it is never scheduled"
    worker = jobs.WorkerFacts("w1", "gpubox", "gpubox", 1, "cuda:0")
    jobs.beat(worker)
    try:
        assert "no_worker" not in form("check", scenes)
    finally:
        jobs.sign_off(worker)


def test_several_workers_are_offered_by_name_and_as_any(scenes: Any) -> None:
    from loupe.brain.core import routing
    from loupe.brain.store import jobs
    from loupe.operators import scheduling

    box = jobs.WorkerFacts("w1", "gpubox", "gpubox", 1, "cuda:0")
    laptop = jobs.WorkerFacts("w2", "laptop", "laptop", 1, "cpu")
    other = jobs.WorkerFacts("w3", "other", "other", 1, "cpu")

    def offered(*alive: Any) -> list[str]:
        return [each.id for each in scheduling.offered(alive)]

    assert offered() == []
    assert offered(laptop) == ["laptop"]
    assert offered(laptop, other) == [routing.ANY, "laptop", "other"]
    assert offered(box, laptop, other) == [routing.ANY, routing.ANY_GPU, "gpubox", "laptop", "other"]
    assert "3 Loupe workers" in scheduling.offered([box, laptop, other])[0].description


@pytest.mark.parametrize(
    ("params", "device", "gpu"),
    [
        ({}, "", ""),
        ({"device": "cuda:1"}, "cuda", ""),
        ({"device": "cuda:0,cuda:1"}, "cuda", ""),
        ({"device": "all"}, "", "wanted"),
        ({"model": "tiny-signs"}, "", ""),
        ({"model": "black-forest-labs/FLUX.1-schnell"}, "", "wanted"),
        ({"model": "black-forest-labs/FLUX.1-schnell", "device": "cpu"}, "", ""),
        ({"model": "openai:gpt-image-2.5-flare"}, "", ""),
        ({"model": "gpt-image-1", "model__drawn_by": "openai"}, "", ""),
        ({"models": ["tiny-signs", "some/model"]}, "", "wanted"),
        ({"checks__hands__backend": "vlm"}, "", "wanted"),
        ({"device": 7, "model": {"$ne": 1}}, "", ""),
    ],
)
def test_what_a_run_needs_follows_from_its_settings(params: Any, device: str, gpu: str) -> None:
    from loupe.operators import scheduling

    needs = scheduling.needs(params)
    assert (needs.device, needs.gpu) == (device, gpu)
    assert needs.exact_device == ("cuda:1" if params.get("device") == "cuda:1" else "")
    assert needs.loupe
    assert needs.fiftyone


def test_a_scheduled_run_says_what_it_needs_and_its_log_can_be_read(scenes: Any) -> None:
    import loupe
    from loupe.brain.core import routing
    from loupe.brain.store import jobs

    execute("check", scenes, {"checks": ["exposure"], "device": "cuda"}, request_delegation=True)
    (job,) = jobs.recent(scenes._doc.id)
    kept = jobs._operations().find_one({"_id": job.id})["context"]["request_params"][routing.NEEDS]
    assert (kept["device"], kept["loupe"]) == ("cuda", loupe.__version__)
    assert "Nothing was logged" in result("jobs", scenes, {"action": "log", "job": str(job.id)})["summary"]
    jobs.cancel(job.id)
    jobs.write_log(job.id, "w", "INFO ```began``` <b>", 20)
    summary = result("jobs", scenes, {"action": "log", "job": str(job.id)})["summary"]
    assert summary == "```\nINFO began <b>\n```"


def test_whoever_schedules_a_run_says_what_else_it_needs(scenes: Any) -> None:
    from loupe.brain.core import routing
    from loupe.brain.core.errors import InputError, UnknownName
    from loupe.brain.store import jobs
    from loupe.operators import scheduling

    wanted = {"memory": "24GB", "weights": ["palm_detection_full"], "model": "/models/x"}
    made = scheduling.needs({"checks": ["exposure"], "needs": wanted})
    assert (made.memory, made.weights, made.model) == (24 * 10**9, ("palm_detection_full",), "/models/x")
    assert scheduling.needs({"model": "/models/own"}).model == "/models/own", "a folder that is named is needed"
    assert scheduling.needs({"model": "some/model"}).model == "", "one of the hub may be fetched"
    assert "palm_detection_full" in scheduling.needs({"checks": ["hands", "exposure"]}).useful
    for wrong, error in (
        ("much", InputError),
        ({"memory": "much"}, InputError),
        ({"gpus": 2}, InputError),
        ({"weights": ["nothing"]}, UnknownName),
    ):
        with pytest.raises(error):
            scheduling.needs({"needs": wrong})
    execute("check", scenes, {"checks": ["exposure"], "needs": wanted}, request_delegation=True)
    (document,) = jobs._operations().find({"dataset_id": scenes._doc.id})
    assert routing.needs(document["context"]["request_params"][routing.NEEDS], made.target) == made
