"""The log of a job: Loupe's lines and warnings, the last of them, without secrets."""

from __future__ import annotations

import logging
import time
import warnings
from typing import Any

import pytest


@pytest.mark.database
def test_a_log_is_bounded_clean_and_keeps_its_end(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from loupe.brain.worker.log import MAX_BYTES, Lines

    monkeypatch.setenv("MY_API_KEY", "sk-very-secret-1")
    lines = Lines()
    lines.add("wrong key sk-very-secret-1 at mongodb://me:hunter2@host:27017/db\nsecond line")
    assert lines.text() == "wrong key *** at mongodb://***@host:27017/db\nsecond line"
    lines.add("é" * 50_000)
    assert len(lines.text().splitlines()[-1]) < 2100
    for number in range(5000):
        lines.add(f"line {number} \0 \ud800")
    text = lines.text()
    assert len(text.encode()) <= MAX_BYTES
    assert text.endswith(r"line 4999 \x00 \ud800")
    assert lines.size > 5000 * 10
    again = Lines(text, lines.size)
    again.add("more")
    assert again.text().endswith("line 4999 \\x00 \\ud800\nmore")
    assert again.size == lines.size + 5


@pytest.mark.database
def test_loupes_lines_and_warnings_stand_on_the_operation_and_others_do_not(database: str) -> None:
    from fiftyone.operators.delegated import DelegatedOperationService

    from loupe.brain.store import jobs
    from loupe.brain.worker import log

    context: dict[str, Any] = {"request_params": {"params": {}}}
    job = DelegatedOperationService().queue_operation("@loupe/loupe/check", context=context).id
    worker = jobs.WorkerFacts("id-log", "logs", "host", 1, "cpu")
    jobs.beat(worker)
    try:
        while jobs.claim(worker) not in (job, None):
            pass
        before = logging.getLogger("loupe").level
        with warnings.catch_warnings(record=True) as shown, log.kept(job, worker.id) as own:
            warnings.simplefilter("default")
            own.info("began")
            logging.getLogger("loupe.brain.engine").info("a line of %s", "ours")
            logging.getLogger("loupe.brain.engine").debug("too fine")
            logging.getLogger("somebody.else").error("not ours")
            warnings.warn_explicit("look out", UserWarning, log.__file__, 1)
            warnings.warn_explicit("not ours either", UserWarning, "/elsewhere/x.py", 1)
            deadline = time.monotonic() + 10
            while "look out" not in jobs.log_of(job)[0]:
                assert time.monotonic() < deadline, "it is there while the job runs"
                time.sleep(0.05)
        text, size = jobs.log_of(job)
        assert [line.split(" ", 3)[3] for line in text.splitlines()] == ["began", "a line of ours", "look out"]
        assert size == len(text) + 1
        assert [str(each.message) for each in shown] == ["look out", "not ours either"], "they are shown as before"
        assert logging.getLogger("loupe").level == before
        # a second attempt goes on below, and a worker that has lost the job writes nothing
        with log.kept(job, worker.id) as own:
            own.info("again")
        assert [line.rsplit(" ", 1)[1] for line in jobs.log_of(job)[0].splitlines()] == [
            "began",
            "ours",
            "out",
            "again",
        ]
        with log.kept(job, "another") as own:
            own.info("a zombie's")
        assert "zombie" not in jobs.log_of(job)[0]
        assert "began" not in jobs.log_of(jobs.again(job))[0]
    finally:
        jobs.sign_off(worker)
        jobs._operations().delete_many({"operator": "@loupe/loupe/check"})
