"""What a running job is asked: only its own, the first that is for at once, and never what an earlier one was."""

from __future__ import annotations

import pytest

from loupe.brain.core.errors import MemoryExceeded, Stopped
from loupe.brain.worker import asked
from loupe.brain.worker.asked import Ask


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked, "_now", type(asked._now)())


def test_a_job_hears_what_is_for_it() -> None:
    assert asked.current_id() is None
    asked.begin("a", "worker")
    assert (asked.running(), asked.current_id()) == ("a", "worker")
    assert not asked.note(Ask("cancelled", "other", "b"))
    assert asked.between() is None
    assert asked.note(Ask("cancelled", "why", "a"))
    assert isinstance(asked.within(), Stopped)
    assert str(asked.between()) == "why"
    ended = asked.end()
    assert ended is not None
    assert ended.message == "why"
    asked.begin("b", "worker")
    assert asked.between() is asked.within() is None


def test_to_end_waits_for_the_batch_and_to_stop_does_not() -> None:
    asked.begin("a", "worker")
    assert asked.note(Ask("end", "the worker ends"))
    assert asked.within() is None
    assert str(asked.between()) == "the worker ends"
    assert asked.note(Ask("memory", "too much", "a"))
    assert isinstance(asked.within(), MemoryExceeded)
    assert not asked.note(Ask("end", "again"))
    assert str(asked.between()) == "too much"
