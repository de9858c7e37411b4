"""The worker: takes this plugin's delegated operations and runs them here, on the GPU where there is one.

``fiftyone delegated launch`` takes operations of every plugin and fails those it cannot load. This worker takes only
Loupe's. It says every few seconds that it is alive, and puts back into the queue what a dead worker left behind.
"""

from __future__ import annotations

import asyncio
import logging
import os
import select
import signal
import socket
import sys
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import fiftyone as fo
from bson import ObjectId
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.executor import (
    ExecutionResult,
    do_execute_operator,
    prepare_operator_executor,
    resolve_type_with_context,
)
from fiftyone.operators.registry import OperatorRegistry
from pymongo.errors import ConnectionFailure

from loupe.brain.core.device import resolve_device
from loupe.brain.core.errors import DatabaseGone, InputError, LoupeError, Stopped
from loupe.brain.store import jobs

_log = logging.getLogger("loupe.worker")

#: set when the worker is asked to end: the running verb stops after its current batch
stopping = threading.Event()

#: seconds that a batch has to end in once the worker is asked to end
GRACE = 30.0

_RETRY_DATABASE = 5.0
#: seconds to put the job back and to sign off in, when the process has to end
_LEAVE = 5.0
_GONE = (DatabaseGone, ConnectionFailure)
_current: jobs.WorkerFacts | None = None


def current_id() -> str | None:
    """Returns the id of the worker that this process is, or None: another kind of worker, or none at all."""
    return _current.id if _current else None


def run(
    *,
    device: str | None = None,
    name: str | None = None,
    once: bool = False,
    poll: float = 0.5,
    dead_after: float = jobs.DEAD_AFTER,
    grace: float = GRACE,
) -> int:
    """Runs this plugin's delegated operations until it is asked to end; returns the exit status.

    SIGTERM and SIGINT stop it after the current batch: what was done is kept, and the operation goes back into the
    queue. Where it does not end within ``grace`` seconds, or at the second signal, the process ends all the same.

    Args:
        device: e.g. ``"cuda:1"``; the best there is by default
        name: what the App calls it; the host's name by default
        once: end when the queue is empty
        poll: seconds between two looks at the queue
        dead_after: seconds of this worker's silence after which others take up what it was running
        grace: seconds that the current batch has to end in once the worker is asked to

    Raises:
        InputError: the device is not there, a number is out of range, or FiftyOne does not find the plugin
    """
    global _current
    if poll <= 0 or dead_after <= 0 or grace <= 0:
        raise InputError(
            f"expected positive numbers of seconds, got poll={poll}, dead_after={dead_after}, grace={grace}"
        )
    device = resolve_device(device)
    os.environ["LOUPE_DEVICE"] = device
    _require_plugin()
    host = socket.gethostname()
    _current = jobs.WorkerFacts(uuid.uuid4().hex, name or host, host, os.getpid(), device, dead_after)
    stopping.clear()
    ended = threading.Event()
    beats = threading.Thread(target=_beat, args=(_current, dead_after / 6, ended), name="loupe-heartbeat", daemon=True)
    with _signals(_current, grace):
        _patiently(lambda: jobs.beat(_worker()))
        beats.start()
        _log.info(
            "worker %r takes the operations of %s on %s. End it with ctrl + c", _current.name, jobs.PLUGIN, device
        )
        while not stopping.is_set():
            job = _patiently(_take)
            if job is not None:
                _run_job(job)
            elif once:
                break
            else:
                stopping.wait(poll)
        ended.set()
        beats.join(10)
        try:
            jobs.sign_off(_current)
        except _GONE:
            _log.warning(
                "the database does not answer, so this worker could not sign off: others will see that it is silent"
            )
    _log.info("worker %r has ended", _current.name)
    _current = None
    return 0


def _worker() -> jobs.WorkerFacts:
    assert _current is not None
    return _current


def _require_plugin() -> None:
    operators = OperatorRegistry().list_operators(type="operator")
    if not any(operator.plugin_name == jobs.PLUGIN for operator in operators):
        import loupe

        folder = os.path.dirname(os.path.abspath(loupe.__file__))
        raise InputError(
            f"FiftyOne does not find the plugin {jobs.PLUGIN} in its plugins folder, {fo.config.plugins_dir}. Link it "
            f"there: ln -s {folder} {os.path.join(fo.config.plugins_dir or '', 'loupe')}, or set FIFTYONE_PLUGINS_DIR"
        )


@contextmanager
def _signals(worker: jobs.WorkerFacts, grace: float) -> Iterator[None]:
    """Asks the worker to end on SIGTERM and SIGINT; a second one, or a batch that does not end, ends it at once.

    A thread waits for the signals: Python's own handlers are not called while the main thread is stuck in a call.
    """
    heard, rings = os.pipe()
    os.set_blocking(rings, False)
    before: dict[int, Any] = {
        number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)
    }
    woken_before = signal.set_wakeup_fd(rings, warn_on_full_buffer=False)
    threading.Thread(target=_listen, args=(heard, worker, grace), name="loupe-signals", daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(woken_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(rings)  # the thread reads the end of it


def _listen(heard: int, worker: jobs.WorkerFacts, grace: float) -> None:
    with os.fdopen(heard, "rb", buffering=0) as signals:
        if not signals.read(1):
            return
        _log.info("asked to end: stopping after the current batch, or in %g s. Once more to end at once", grace)
        stopping.set()
        again, _, _ = select.select([signals], [], [], grace)
        if again and not signals.read(1):
            return
    _log.warning("ending at once%s", "" if again else f": the current batch has not ended within {grace:g} s")
    # the database may be what does not answer
    leaving = threading.Thread(target=_leave, args=(worker,), daemon=True)
    leaving.start()
    leaving.join(_LEAVE)
    os._exit(1)


def _leave(worker: jobs.WorkerFacts) -> None:
    try:
        for job in jobs.release_all(worker.id):
            _log.warning("operation %s: back in the queue", job)
        jobs.sign_off(worker)
    except _GONE:
        _log.warning("the database does not answer: others will see that this worker is silent")


def _beat(worker: jobs.WorkerFacts, every: float, ended: threading.Event) -> None:
    """Says that this worker is alive, and looks after the others, also while this one is busy."""
    while not ended.wait(every):
        try:
            jobs.beat(worker)
            _reap()
        except _GONE:
            _log.debug("no heartbeat: the database does not answer")
        except Exception:  # a heart that stops for one odd document would cost the job
            _log.exception("no heartbeat this time")


def _patiently(call: Callable[[], Any]) -> Any:
    """Calls until the database answers, or until the worker is asked to end."""
    while True:
        try:
            return call()
        except _GONE as error:
            _log.warning(
                "FiftyOne's database does not answer (%s). Trying again in %g s", type(error).__name__, _RETRY_DATABASE
            )
            if stopping.wait(_RETRY_DATABASE):
                return None


def _take() -> ObjectId | None:
    _reap()
    return jobs.claim(_worker())


def _reap() -> None:
    requeued, given_up = jobs.reap()
    for job in requeued:
        _log.warning("operation %s was left behind by a worker that died: back in the queue", job)
    for job in given_up:
        _log.error("operation %s has cost %d workers: marked as failed", job, jobs.MAX_DEATHS)


def _run_job(job: ObjectId) -> None:
    worker = _worker()
    started = time.monotonic()
    try:
        _log.info("operation %s: started", job)
        result, schema = asyncio.run(_execute(job))
        end, outcome = lambda: jobs.finish(job, worker.id, result, schema), "completed"
    except (Stopped, *_GONE) as error:
        end, outcome = lambda: jobs.release(job, worker.id), f"back in the queue: {error}"
    except Exception as error:
        message = str(error) if isinstance(error, LoupeError) else traceback.format_exc()
        end, outcome = lambda: jobs.fail(job, worker.id, message), f"failed: {message}"
    if not _patiently(end):
        outcome = "its state was changed by somebody else meanwhile (cancelled?), and is left as it is"
    _log.info("operation %s: %s (%.1f s)", job, outcome, time.monotonic() - started)


async def _execute(job: ObjectId) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Runs an operation as FiftyOne's own service does, but raises the operator's own error."""
    service = DelegatedOperationService()
    doc = service.get(job)
    params = doc.context.request_params
    params["run_doc"] = doc.id
    if not params.get("dataset_id"):
        params["dataset_id"] = doc.dataset_id
    prepared = await prepare_operator_executor(
        operator_uri=doc.operator,
        request_params=params,
        delegated_operation_id=doc.id,
        set_progress=service.set_progress,
    )
    if isinstance(prepared, ExecutionResult):
        raise InputError(str(prepared.to_exception()))
    operator, _, ctx, _ = prepared
    result = await do_execute_operator(operator, ctx, exhaust=True)
    ctx.request_params.update(target="outputs", results=result)
    outputs = await resolve_type_with_context(operator, ctx)
    schema = None if outputs is None or isinstance(outputs, ExecutionResult) else outputs.to_json()
    return {"result": result, "error": None, "error_message": None}, schema


def configure_logging() -> None:
    """Writes the worker's own lines to stderr, with the time."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    _log.addHandler(handler)
    _log.setLevel(logging.INFO)
    _log.propagate = False
