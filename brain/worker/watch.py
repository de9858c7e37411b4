"""A worker's look at the job that it runs: is it still wanted, does it fit into memory, does it stop when asked to."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bson import ObjectId

from loupe.brain.store import jobs
from loupe.brain.worker import memory
from loupe.brain.worker.asked import Ask
from loupe.brain.worker.child import GONE

#: seconds between two looks at the database
_EVERY = 0.5
#: beyond its limit by so much, a job is not waited for
_FAR = 1.25
#: seconds that a job has to stop in which takes too much memory
_WITHIN = 10.0

_CANCELLED = "stopped: somebody canceled this job, or another worker has taken it. What was done is kept"
_ENDING = "stopped: the worker was asked to end. The job goes back into the queue"


@dataclass
class Watch:
    """What a worker knows of its running job.

    Attributes:
        job: which
        worker: the worker's id
        limit: bytes that the job may take
        grace: seconds that it has to stop in
        size: tells how many it takes
        ending: tells whether the worker is asked to end
        clock: tells the seconds
        asked: what it was asked to do; None: nothing
        peak: the most bytes that were seen
    """

    job: ObjectId
    worker: str
    limit: int
    grace: float
    size: Callable[[], int]
    ending: Callable[[], bool]
    clock: Callable[[], float] = time.monotonic
    asked: Ask | None = None
    peak: int = 0
    _since: float = field(init=False)
    _looked: float = field(init=False)

    def __post_init__(self) -> None:
        self._since = self._looked = self.clock()

    def look(self) -> Ask | None:
        """Returns what the job is to be asked now, once; None: nothing new."""
        ask = self._memory() or (self._standing() if self.asked is None or self.asked.kind == "end" else None)
        if ask is None and self.asked is None and self.ending():
            ask = Ask("end", _ENDING, str(self.job))
        if ask is not None:
            self.asked, self._since = ask, self.clock()
        return ask

    def overdue(self) -> bool:
        """Returns whether the job has to be ended, as it does not stop, or takes far too much."""
        if self.asked is None or self.asked.kind == "end":
            # who asked the worker to end waits for as long as that is to take
            return False
        seconds = self.clock() - self._since
        if self.asked.kind == "memory":
            return seconds > _WITHIN or self.size() > _FAR * self.limit
        return seconds > self.grace

    def _memory(self) -> Ask | None:
        size = self.size()
        self.peak = max(self.peak, size)
        if size <= self.limit or (self.asked is not None and self.asked.kind != "end"):
            return None
        message = (
            f"stopped: the job took {memory.words(size)}, and on this worker a job may take "
            f"{memory.words(self.limit)}. What was done is kept. Run it again with a smaller batch_size, or start the "
            "worker with a larger --max-memory"
        )
        return Ask("memory", message, str(self.job))

    def _standing(self) -> Ask | None:
        now = self.clock()
        if now - self._looked < _EVERY:
            return None
        self._looked = now
        try:
            # where its dataset is deleted, FiftyOne deletes the operation with it
            running = jobs.still_running(self.job, self.worker)
        except GONE:  # the job hears of it, too
            return None
        return None if running else Ask("cancelled", _CANCELLED, str(self.job))
