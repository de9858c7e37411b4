"""Runs a verb for the App: its progress becomes the App's, and whoever closes the App or cancels the job stops it."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from loupe.brain.core.errors import LoupeError, Stopped
from loupe.brain.core.records import Progress, ProgressCallback

T = TypeVar("T")

#: seconds between two messages to the App, and between two looks at whether somebody cancelled the job
_EVERY = 0.5


def share(step: Progress) -> float:
    """Returns how much of the work is done, in [0, 1].

    >>> share(Progress(3, 4)), share(Progress(0, 0))
    (0.75, 0.0)
    """
    return min(1.0, step.done / step.total) if step.total > 0 else 0.0


def describe(step: Progress) -> str:
    """Returns the progress in words.

    >>> describe(Progress(3, 4, "checking"))
    'checking: 3 of 4'
    """
    return f"{step.message or 'working'}: {step.done} of {step.total}" if step.total > 0 else step.message or "working"


def in_thread(call: Callable[[ProgressCallback], T]) -> Generator[Progress, None, T]:
    """Runs a call in a thread, yields the latest of its progress about twice a second, and returns what it returns.

    The same progress is yielded again while nothing new comes: between two yields, the App's server notices that the
    page was closed. Closing the generator makes the call's next report raise ``Stopped``; it does not wait for that.
    """
    stop = threading.Event()
    steps: queue.SimpleQueue[Progress] = queue.SimpleQueue()
    outcome: list[tuple[T | None, BaseException | None]] = []

    def report(step: Progress) -> None:
        if stop.is_set():
            raise Stopped("stopped: the App was closed. What was done so far is kept; run it again to go on from there")
        steps.put(step)

    def work() -> None:
        try:
            outcome.append((call(report), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=work, name="loupe-verb", daemon=True)
    latest = Progress(0, 0, "starting")
    thread.start()
    try:
        while thread.is_alive():
            yield latest
            thread.join(_EVERY)
            while not steps.empty():
                latest = steps.get()
    finally:
        stop.set()
    result, error = outcome[0]
    if error is not None:
        raise error
    return result  # type: ignore[return-value]


def reporter_of_job(ctx: Any) -> ProgressCallback:
    """Returns the progress callback of a delegated operation: it writes into the operation's document, and raises
    ``Stopped`` when the worker is asked to end, or when the operation is no longer this worker's to run."""
    from loupe.brain import worker
    from loupe.brain.store import jobs

    job = ctx.request_params["run_doc"]
    last = 0.0

    def report(step: Progress) -> None:
        nonlocal last
        if worker.stopping.is_set():
            raise Stopped("stopped: the worker was asked to end. The job goes back into the queue")
        now = time.monotonic()
        if now - last < _EVERY and step.done < step.total:
            return
        last = now
        if not jobs.still_running(job, worker.current_id()):
            raise Stopped("stopped: somebody cancelled this job, or another worker has taken it. What was done is kept")
        ctx.set_progress(progress=share(step), label=describe(step))

    return report


def explain(error: BaseException) -> str:
    """Returns what to show of an error: Loupe's own errors say what to do; others are named by their kind."""
    return str(error) if isinstance(error, LoupeError) else f"{type(error).__name__}: {error}"
