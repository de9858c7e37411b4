"""The panel "Background jobs": it follows the queue by itself, and sends nothing where nothing has changed."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.database


@pytest.fixture
def session(dataset: Any) -> Any:
    from panel_session import PanelSession

    from loupe.panels.background_jobs.panel import BackgroundJobs

    return PanelSession(BackgroundJobs(), dataset)


def _schedule(dataset: Any) -> Any:
    import fiftyone as fo
    from operator_calls import execute

    from loupe.brain.store import jobs

    if not len(dataset):
        dataset.add_sample(fo.Sample(filepath="/nowhere/a.png"))
    execute("check", dataset, {"checks": ["file"]}, request_delegation=True)
    return jobs.recent(dataset._doc.id)[0].id


def _row(session: Any, job: Any) -> str:
    return str(session.properties()[f"job_{job}"])


def test_without_a_worker_it_says_what_to_start_and_polls_seldom(session: Any) -> None:
    assert "loupe worker" in session.properties()["worker_command"]["default"]
    timer = session.properties()["timer"]["view"]
    assert timer["name"] == "TimerView"
    assert timer["interval"] >= 2000
    assert timer["on_interval"].endswith("background_jobs#on_tick")
    assert "Nothing has been scheduled" in session.properties()["nothing"]["default"]


def test_it_follows_a_job_by_itself_to_its_end(session: Any) -> None:
    from loupe.brain.store import jobs

    job = _schedule(session.dataset)
    session.call("on_tick")
    assert "queued" in _row(session, job)
    assert "1 job waits" in str(session.properties()["no_worker"])

    worker = jobs.WorkerFacts("w", "gpubox", "gpubox", 1, "cuda:0")
    jobs.beat(worker)
    try:
        assert jobs.claim(worker) == job
        jobs._operations().update_one({"_id": job}, {"$set": {"status": {"progress": 0.25, "label": "checking <b>"}}})
        session.call("on_tick")
        row = _row(session, job)
        assert "running" in row
        assert "25 %" in row
        assert "checking &lt;b&gt;" in row
        assert "gpubox" in str(session.properties()["workers"])
        assert not session.reloaded

        serial = session.state["serial"]
        session.output = {}
        session.call("on_tick")
        assert session.output == {}, "nothing has changed, nothing flickers"
        assert session.state["serial"] == serial

        assert jobs.finish(job, "w", {"result": {"message": "Checked 1 image"}}, None)
        session.call("on_tick")
        assert "completed" in _row(session, job)
        assert session.reloaded == 1, "what it wrote is there to see"
        session.call("on_tick")
        assert session.reloaded == 1
    finally:
        jobs.sign_off(worker)


def test_a_job_is_cancelled_and_run_again_by_its_button(session: Any, new_dataset: Any) -> None:
    from loupe.brain.store import jobs

    job, others = _schedule(session.dataset), _schedule(new_dataset())
    session.call("on_tick")
    for wrong in (None, "0" * 24, str(others), {"$ne": 1}):
        session.call("on_cancel", job=wrong)
        session.call("on_again", job=wrong)
    assert [each.state for each in jobs.recent(session.dataset._doc.id)] == ["queued"]
    session.call("on_cancel", job=str(job))
    assert "failed" in _row(session, job)
    assert "canceled" in _row(session, job).casefold()
    session.call("on_again", job=str(job))
    assert [each.state for each in jobs.recent(session.dataset._doc.id)] == ["queued", "failed"]
    assert sum(name.startswith("job_") for name in session.shown()) == 2


def test_it_says_why_a_job_waits_and_shows_its_log(session: Any) -> None:
    from loupe.brain.core import routing
    from loupe.brain.store import jobs

    job = _schedule(session.dataset)
    jobs._operations().update_one({"_id": job}, {"$set": {"delegation_target": routing.ANY_GPU}})
    worker = jobs.WorkerFacts("w", "laptop<b>", "laptop", 1, "cpu")
    jobs.beat(worker)
    try:
        session.call("on_tick")
        assert "waits for a worker with a GPU; alive: laptop&lt;b&gt;" in _row(session, job).replace("\\", "")
        assert "'log'" not in _row(session, job), "nothing was logged yet"
        jobs.cancel(job)
        jobs.write_log(job, "w", "\n".join(f"line {at}" for at in range(100)), 900)
        session.call("on_tick")
        assert "line 99" not in _row(session, job)
        session.call("on_log", job=str(job))
        row = _row(session, job)
        assert "line 99" in row
        assert "40 earlier lines" in row
        assert "line 39" not in row
        session.call("on_tick")
        assert "line 99" in _row(session, job), "it stays open"
        session.call("on_log", job=str(job))
        assert "line 99" not in _row(session, job)
    finally:
        jobs.sign_off(worker)
