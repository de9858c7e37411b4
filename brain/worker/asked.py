"""What the job that this process runs is asked: to end, as it was canceled, as its memory ran out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from loupe.brain.core.errors import MemoryExceeded, Stopped

#: end: put the job back, after its current batch; the others are for at once
Kind = Literal["end", "cancelled", "memory"]


@dataclass(frozen=True)
class Ask:
    """A wish to stop.

    Attributes:
        kind: which
        message: why, and what is to be done
        job: whose; None: whatever runs
    """

    kind: Kind
    message: str
    job: str | None = None

    def error(self) -> Stopped:
        """Returns the error that ends the verb."""
        return MemoryExceeded(self.message) if self.kind == "memory" else Stopped(self.message)


@dataclass
class _Now:
    """What this process runs for which worker, and what it was asked."""

    worker: str | None = None
    job: str | None = None
    ask: Ask | None = None


_now = _Now()


def begin(job: str, worker: str) -> None:
    """Notes that a job of a worker runs here."""
    _now.job, _now.worker, _now.ask = job, worker, None


def note(ask: Ask) -> bool:
    """Takes a wish up where it is for what runs; returns whether it is. To stop at once comes before to end."""
    if ask.job not in (None, _now.job) or (_now.ask is not None and _now.ask.kind != "end"):
        return False
    _now.ask = ask
    return True


def end() -> Ask | None:
    """Notes that the job has ended; returns what it was asked."""
    asked, _now.job, _now.ask = _now.ask, None, None
    return asked


def running() -> str | None:
    """Returns the job that runs here, or None."""
    return _now.job


def current_id() -> str | None:
    """Returns the id of the worker that this process works for, or None: another kind of worker, or none at all."""
    return _now.worker


def between() -> Stopped | None:
    """Returns what is to be raised between two batches, or None."""
    return None if _now.ask is None else _now.ask.error()


def within() -> Stopped | None:
    """Returns what is to be raised in the middle of a batch, or None."""
    return None if _now.ask is None or _now.ask.kind == "end" else _now.ask.error()
