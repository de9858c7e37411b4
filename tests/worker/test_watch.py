"""A worker's look at its job: what it asks, once, and when it does not wait any longer."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.database


@pytest.fixture
def watch(database: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    from bson import ObjectId

    from loupe.brain.store import jobs
    from loupe.brain.worker.watch import Watch

    now = {"time": 100.0, "size": 1, "ending": False, "running": True}
    monkeypatch.setattr(jobs, "still_running", lambda *_: now["running"])
    made = Watch(ObjectId(), "w", 1000, 30.0, lambda: now["size"], lambda: now["ending"], lambda: now["time"])
    made.now = now
    return made


def _kind(ask: Any) -> str | None:
    return None if ask is None else ask.kind


def test_nothing_is_asked_of_a_job_that_is_wanted(watch: Any) -> None:
    for _ in range(5):
        watch.now["time"] += 1
        assert watch.look() is None
        assert not watch.overdue()


def test_a_cancelled_job_is_asked_once_and_ended_after_the_grace(watch: Any) -> None:
    watch.now["running"] = False
    assert watch.look() is None, "the database is asked twice a second"
    watch.now["time"] += 0.6
    assert _kind(watch.look()) == "cancelled"
    watch.now["time"] += 29
    assert watch.look() is None
    assert not watch.overdue()
    watch.now["time"] += 2
    assert watch.overdue()


def test_a_job_that_takes_too_much_is_asked_and_one_that_takes_far_too_much_is_ended(watch: Any) -> None:
    watch.now["size"] = 1001
    ask = watch.look()
    assert _kind(ask) == "memory"
    assert "0 MB" in ask.message
    assert "batch_size" in ask.message
    assert watch.look() is None
    assert not watch.overdue()
    watch.now["size"] = 1300
    assert watch.overdue()
    watch.now.update(size=1001, time=watch.now["time"] + 11)
    assert watch.overdue()
    assert watch.peak >= 1001


def test_who_is_asked_to_end_may_still_be_cancelled(watch: Any) -> None:
    watch.now["ending"] = True
    assert _kind(watch.look()) == "end"
    watch.now["time"] += 1000
    assert not watch.overdue(), "that is for who asked it to end"
    watch.now["running"] = False
    assert _kind(watch.look()) == "cancelled"


def test_a_database_that_does_not_answer_is_no_reason_to_stop(watch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from loupe.brain.core.errors import DatabaseGone
    from loupe.brain.store import jobs

    def gone(*_: Any) -> bool:
        raise DatabaseGone("gone")

    monkeypatch.setattr(jobs, "still_running", gone)
    watch.now["time"] += 1
    assert watch.look() is None
