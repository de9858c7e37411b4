"""Runs a verb for the App: its progress becomes the App's, and whoever closes the App, presses Stop or cancels the job
stops it."""

from __future__ import annotations

import logging
import queue
import secrets
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from loupe.brain.core import interrupts
from loupe.brain.core.errors import LoupeError, Stopped
from loupe.brain.core.records import Progress, ProgressCallback

T = TypeVar("T")

#: seconds between two messages to the App, and between two looks at whether somebody cancelled the job
_EVERY = 0.5
#: an estimate from less than these seconds of work is a guess
_MIN_SECONDS = 2.0
_MAX_TEXT = 600

_CLOSED = "stopped: the App was closed. What was done so far is kept; run it again to go on from there"
_STOPPED = "stopped by you. What was done so far is kept; run it again to go on from there"

_log = logging.getLogger(__name__)


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


@dataclass
class Pace:
    """How long a verb has taken, and how long it will, told by what it reports.

    Attributes:
        clock: what tells the seconds
        phase: what it is doing, with its total
        since: when that was first reported, and how much of it was done then
    """

    clock: Callable[[], float] = time.monotonic
    phase: tuple[str, int] | None = None
    since: tuple[float, int] = (0.0, 0)

    def words(self, step: Progress) -> str:
        """Returns the progress in words, with the time left where there is something to tell it by.

        What is done before a phase is reported for the first time says nothing of its pace.

        >>> seconds = iter([0.0, 10.0])
        >>> pace = Pace(lambda: next(seconds))
        >>> pace.words(Progress(0, 40, "checking")), pace.words(Progress(10, 40, "checking"))
        ('checking: 0 of 40', 'checking: 10 of 40 · about 30 s left')
        """
        now, phase = self.clock(), (step.message, step.total)
        if phase != self.phase:
            self.phase, self.since = phase, (now, step.done)
        seconds, done = now - self.since[0], step.done - self.since[1]
        text = describe(step)
        if step.total > 0 and done > 0 and step.done < step.total and seconds >= _MIN_SECONDS:
            return f"{text} · about {duration(seconds / done * (step.total - step.done))} left"
        return f"{text} · for {duration(seconds)}" if seconds >= _MIN_SECONDS else text


def duration(seconds: float) -> str:
    """Returns a time in words, no more exact than an estimate is.

    >>> duration(4.2), duration(75), duration(200), duration(9000)
    ('4 s', '75 s', '3 min', '2.5 h')
    """
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


@dataclass(frozen=True)
class Stop:
    """A way to stop a verb from another thread: its next report, or step within a batch, raises ``Stopped``.

    Attributes:
        id: names it to the App
        event: set where it is to stop
        reasons: why, the first one counts
    """

    id: str = field(default_factory=lambda: secrets.token_hex(8))
    event: threading.Event = field(default_factory=threading.Event)
    reasons: list[str] = field(default_factory=list)

    def ask(self, reason: str = _STOPPED) -> None:
        """Asks it to stop, and says why."""
        self.reasons.append(reason)
        self.event.set()

    @property
    def asked(self) -> bool:
        """Whether it is to stop."""
        return self.event.is_set()

    def error(self) -> Stopped | None:
        """Returns what the verb is to be left by, or None."""
        return Stopped(self.reasons[0]) if self.asked else None


_stops: dict[str, Stop] = {}


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Yields a way to stop that ``stop`` finds by its id while the block runs."""
    made = Stop()
    _stops[made.id] = made
    try:
        yield made
    finally:
        del _stops[made.id]


def stop(stop_id: object) -> bool:
    """Asks a verb that runs in this process to stop; returns whether it still ran."""
    running = _stops.get(str(stop_id))
    if running is not None:
        running.ask()
    return running is not None


def in_thread(call: Callable[[ProgressCallback], T], stop: Stop | None = None) -> Generator[Progress, None, T]:
    """Runs a call in a thread, yields the latest of its progress about twice a second, and returns what it returns.

    The same progress is yielded again while nothing new comes: between two yields, the App's server notices that the
    page was closed. Closing the generator, or ``stop``, makes the call's next report raise ``Stopped``; closing does
    not wait for that.
    """
    stop = stop or Stop()
    steps: queue.SimpleQueue[Progress] = queue.SimpleQueue()
    outcome: list[tuple[T | None, BaseException | None]] = []

    def report(step: Progress) -> None:
        if (stopped := stop.error()) is not None:
            raise stopped
        steps.put(step)

    def work() -> None:
        try:
            with interrupts.asking(stop.error):
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
        stop.ask(_CLOSED)
    result, error = outcome[0]
    if error is not None:
        raise error
    return result  # type: ignore[return-value]


def reporter_of_job(ctx: Any) -> ProgressCallback:
    """Returns the progress callback of a delegated operation: it writes into the operation's document, and raises
    ``Stopped`` when the worker is asked to end, or when the operation is no longer this worker's to run."""
    from loupe.brain.store import jobs
    from loupe.brain.worker import asked

    job = ctx.request_params["run_doc"]
    pace = Pace()
    last, phase = 0.0, ""

    def report(step: Progress) -> None:
        nonlocal last, phase
        # a calculation that nobody waits for any more tells nothing
        interrupts.point()
        if (stopped := asked.between()) is not None:
            raise stopped
        if step.message.partition(",")[0] != phase:
            phase = step.message.partition(",")[0]
            _log.info("%s", describe(step))
        words, now = pace.words(step), time.monotonic()
        if now - last < _EVERY and step.done < step.total:
            return
        last = now
        if not jobs.still_running(job, asked.current_id()):
            raise Stopped("stopped: somebody cancelled this job, or another worker has taken it. What was done is kept")
        ctx.set_progress(progress=share(step), label=words)

    return report


def explain(error: BaseException) -> str:
    """Returns what to show of an error, with what to do; what nobody foresaw stands in the log with its place."""
    if isinstance(error, LoupeError):
        return str(error)
    _log.error("this was not foreseen", exc_info=error)
    text = f"{type(error).__name__}: {error}"
    short = text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]} …"
    return f"This went wrong: {short}. Try again; where it stays so, the server's log says more."
