"""The worker itself: it takes jobs, has them run in a process of their own, and watches that."""

from __future__ import annotations

import logging
import math
import os
import socket
import sys
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import fiftyone as fo
from bson import ObjectId
from fiftyone.operators.registry import OperatorRegistry

import loupe
from loupe.brain.core import routing
from loupe.brain.core.errors import InputError, ProcessLost
from loupe.brain.perception import weights
from loupe.brain.store import jobs
from loupe.brain.worker import memory, signals
from loupe.brain.worker.child import GONE, LEFT, Ended, Job, Ready
from loupe.brain.worker.log import PlainFormatter
from loupe.brain.worker.runner import Gone, Runner
from loupe.brain.worker.signals import stopping
from loupe.brain.worker.watch import Watch

_log = logging.getLogger("loupe.worker")

#: seconds that a batch has to end in once the worker is asked to end
GRACE = 30.0

_RETRY = 5.0
#: seconds between two looks at the process that runs a job
_EVERY = 0.1
#: of its memory: a process that keeps so much when its job has ended is not used for another one
_TIRED = 0.5


def run(
    *,
    device: str | None = None,
    name: str | None = None,
    once: bool = False,
    poll: float = 0.5,
    dead_after: float = jobs.DEAD_AFTER,
    grace: float = GRACE,
    max_memory: str | None = None,
) -> int:
    """Runs this plugin's delegated operations until it is asked to end; returns the exit status.

    SIGTERM and SIGINT stop it after the current batch: what was done is kept, and the operation goes back into the
    queue, where it was. Where it does not end within ``grace`` seconds, or at the second signal, the process ends all
    the same. A job that is canceled stops in the middle of its batch.

    Args:
        device: e.g. ``"cuda:1"``; the best there is by default
        name: what the App calls it; the host's name by default
        once: end when no job is left that it may take
        poll: seconds between two looks at the queue
        dead_after: seconds of this worker's silence after which others take up what it was running
        grace: seconds that the current batch has to end in once the worker is asked to
        max_memory: what a job may take, as "12GB"; 80 % of the machine's or the container's by default

    Raises:
        InputError: the device is not there, a number is out of range, or FiftyOne does not find the plugin
    """
    if not all(math.isfinite(seconds) and seconds > 0 for seconds in (poll, dead_after, grace)):
        raise InputError(
            f"expected positive numbers of seconds, got poll={poll}, dead_after={dead_after}, grace={grace}"
        )
    if name in (routing.ANY, routing.ANY_GPU):
        raise InputError(f"expected a name of a worker's own, got {name!r}, which the App offers for any of them")
    limit = memory.limit(max_memory)
    _require_plugin()
    host = socket.gethostname()
    facts = jobs.WorkerFacts(
        uuid.uuid4().hex, name or host, host, os.getpid(), "", dead_after, loupe.__version__, fo.__version__
    )
    worker = _Worker(facts, Runner(device), limit, grace)
    with signals.heard(grace, worker.leave, worker.is_busy):
        try:
            worker.work(once, poll)
        finally:
            worker.runner.end()
    _log.info("worker %r has ended", facts.name)
    return 0


def _require_plugin() -> None:
    operators = OperatorRegistry().list_operators(type="operator")
    if not any(operator.plugin_name == jobs.PLUGIN for operator in operators):
        folder = os.path.dirname(os.path.abspath(loupe.__file__))
        raise InputError(
            f"FiftyOne does not find the plugin {jobs.PLUGIN} in its plugins folder, {fo.config.plugins_dir}. Link it "
            f"there: ln -s {folder} {os.path.join(fo.config.plugins_dir or '', 'loupe')}, or set FIFTYONE_PLUGINS_DIR"
        )


class _Worker:
    """A worker that runs.

    Args:
        facts: who it is; its device is known when its process is ready
        runner: the process that runs its jobs
        limit: bytes that a job may take
        grace: seconds that a batch has to end in
    """

    def __init__(self, facts: jobs.WorkerFacts, runner: Runner, limit: int, grace: float) -> None:
        self.facts, self.runner = facts, runner
        self._limit, self._grace = limit, grace
        self._free_on_gpu = 0
        self._status = jobs.WorkerStatus(max_memory=limit)

    def is_busy(self) -> bool:
        """Returns whether a job runs."""
        return bool(self._status.job)

    def work(self, once: bool, poll: float) -> None:
        """Takes jobs and has them run, until it is asked to end."""
        ready: Ready = self.runner.start()
        self._free_on_gpu = ready.free
        self.facts = replace(self.facts, device=ready.device, gpu=ready.gpu)
        ended = threading.Event()
        beats = threading.Thread(target=self._beats, args=(ended,), name="loupe-heartbeat", daemon=True)
        self._patiently(self._beat)
        beats.start()
        text = "worker %r takes the operations of %s on %s. End it with ctrl + c"
        _log.info(text, self.facts.name, jobs.PLUGIN, self.facts.device)
        while not stopping.is_set():
            # before a job is taken that nothing would run
            job = self._patiently(self._take) if self._is_ready() else None
            if job is not None:
                self._run(job)
            elif once:
                break
            else:
                stopping.wait(poll)
        ended.set()
        beats.join(10)
        try:
            jobs.sign_off(self.facts)
        except GONE:
            _log.warning(
                "the database does not answer, so this worker could not sign off: others will see that it is silent"
            )

    def leave(self) -> None:
        """Puts back whatever runs, and signs off, as the process is about to end."""
        self.runner.kill()
        try:
            for job in jobs.release_all(self.facts.id):
                _log.warning("operation %s: back in the queue", job)
            jobs.sign_off(self.facts)
        except GONE:
            _log.warning("the database does not answer: others will see that this worker is silent")

    def _is_ready(self) -> bool:
        try:
            ready: Ready | None = self.runner.start()
            self._free_on_gpu = self._free_on_gpu if ready is None else ready.free
        except (ProcessLost, InputError) as error:
            _log.error("%s. Trying again in %g s", error, _RETRY)
            stopping.wait(_RETRY)
            return False
        return True

    def _beat(self) -> None:
        self._look()
        jobs.beat(self.facts, replace(self._status, memory=self.runner.memory()))

    def _look(self) -> None:
        """Looks at what is here now: memory, model files, and the folders that jobs ask for."""
        free = self._free_on_gpu or memory.free(self._limit, self.runner.memory())
        folders = tuple(folder for folder in jobs.wanted_folders() if Path(folder).expanduser().is_dir())
        self.facts = replace(self.facts, free=free, weights=weights.names_here(), folders=folders)

    def _beats(self, ended: threading.Event) -> None:
        """Says that this worker is alive, and looks after the others, also while this one is busy."""
        while not ended.wait(self.facts.dead_after / 6):
            try:
                self._beat()
                _reap()
            except GONE:
                _log.debug("no heartbeat: the database does not answer")
            except Exception:  # a heart that stops for one odd document would cost the job
                _log.exception("no heartbeat this time")

    def _patiently(self, call: Callable[[], Any]) -> Any:
        """Calls until the database answers, or until the worker is asked to end."""
        while True:
            try:
                return call()
            except GONE as error:
                text = "FiftyOne's database does not answer (%s). Trying again in %g s"
                _log.warning(text, type(error).__name__, _RETRY)
                if stopping.wait(_RETRY):
                    return None

    def _take(self) -> ObjectId | None:
        _reap()
        if not jobs.any_queued():
            return None
        self._look()
        return jobs.claim(self.facts)

    def _run(self, job: ObjectId) -> None:
        started = time.monotonic()
        _log.info("operation %s: started", job)
        label = self._patiently(lambda: jobs.label_of(job)) or ""
        self._status = replace(self._status, job=str(job), label=label)
        self.runner.send(Job(str(job), self.facts.id, f"{label}: {self.facts.name}, Loupe {self.facts.loupe}"))
        watch = Watch(job, self.facts.id, self._limit, self._grace, self.runner.memory, stopping.is_set)
        outcome = self._watched(watch)
        self._status = replace(self._status, job="", label="")
        _log.info("operation %s: %s (%.1f s)", job, outcome, time.monotonic() - started)
        if self.runner.memory() > _TIRED * self._limit:
            self.runner.end()

    def _watched(self, watch: Watch) -> str:
        """Waits until a job has ended, in whatever way; returns that in words."""
        while True:
            answer = self.runner.next(_EVERY)
            if isinstance(answer, Ended) and answer.job == str(watch.job):
                self._free_on_gpu = answer.free
                if answer.tired:
                    self.runner.end()
                return answer.outcome
            if isinstance(answer, Gone):
                return self._lost(watch, answer)
            if (ask := watch.look()) is not None:
                self.runner.send(ask)
            if watch.overdue():
                self.runner.kill()

    def _lost(self, watch: Watch, gone: Gone) -> str:
        """Says what becomes of a job whose process has ended, also in its log."""
        ask = watch.asked
        asked = ask is not None and ask.kind != "end"
        why = ask.message if ask is not None and asked else f"{gone}; it took {memory.words(watch.peak)}"
        # while it is this worker's: whoever takes it next writes its log below
        line = f"{time.strftime('%Y-%m-%d %H:%M:%S')} ERROR {why}"
        self._patiently(lambda: jobs.append_log(watch.job, self.facts.id, line))
        if ask is not None and ask.kind == "cancelled":
            if gone.status != LEFT:
                _log.warning("operation %s did not stop, so its process was ended", watch.job)
            return why
        if asked:
            self._patiently(lambda: jobs.fail(watch.job, self.facts.id, why))
            return f"failed: {why}"
        outcome = self._patiently(lambda: jobs.lost(watch.job, self.facts.id, why))
        words = {"queued": "back in the queue", "failed": "failed: it has cost too many processes"}
        return f"{words.get(outcome, 'left as it is')}: {why}"


def _reap() -> None:
    requeued, given_up = jobs.reap()
    for job in requeued:
        _log.warning("operation %s was left behind by a worker that died: back in the queue", job)
    for job in given_up:
        _log.error("operation %s has cost %d workers: marked as failed", job, jobs.MAX_DEATHS)


def configure_logging() -> None:
    """Writes the worker's own lines to stderr, with the time."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PlainFormatter("%(asctime)s %(levelname)s %(message)s"))
    _log.addHandler(handler)
    _log.setLevel(logging.INFO)
    _log.propagate = False
