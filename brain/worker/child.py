"""The process that runs a worker's jobs, one after the other; the worker watches it, and starts another where it ends.

What comes in is a life line, too: where it ends, the worker has ended, and this process ends at once, in the middle of
whatever it does, as if it had been killed with it.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from typing import Any

from bson import ObjectId
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.executor import (
    ExecutionResult,
    do_execute_operator,
    prepare_operator_executor,
    resolve_type_with_context,
)
from pymongo.errors import ConnectionFailure

from loupe.brain.core import interrupts
from loupe.brain.core.device import gpus, resolve_device
from loupe.brain.core.errors import DatabaseGone, InputError, LoupeError, Stopped
from loupe.brain.engine import own_process
from loupe.brain.engine.drawing_process import portable
from loupe.brain.hosted import secrets
from loupe.brain.store import jobs
from loupe.brain.worker import asked, log, writes

GONE = (DatabaseGone, ConnectionFailure)
#: seconds that a job which was canceled has to stop in; what it has not stored is lost then
WITHIN = 1.0
#: seconds that such a job may go on writing: what stands in many samples is not left half there
WRITING = 20.0
#: the exit status of a process that a canceled job did not stop in
LEFT = 75
_RETRY = 5.0


@dataclass(frozen=True)
class Order:
    """What the process is started for: a device; None for the best there is."""

    device: str | None


@dataclass(frozen=True)
class Ready:
    """The process takes jobs.

    Attributes:
        device: where they run
        gpu: the name of it, and how much memory it has, in words; empty for a CPU
        free: bytes that are free on it; 0 for a CPU
    """

    device: str
    gpu: str
    free: int = 0


@dataclass(frozen=True)
class Failed:
    """It cannot take any."""

    error: Exception


@dataclass(frozen=True)
class Job:
    """An operation to be run for a worker."""

    id: str
    worker: str
    label: str


@dataclass(frozen=True)
class Ended:
    """A job has ended.

    Attributes:
        job: which
        outcome: how, in words
        tired: whether its process is not to be used any more, as it still calculates what nobody waits for
        free: as of ``Ready``
    """

    job: str
    outcome: str
    tired: bool = False
    free: int = 0


def main() -> None:
    """Runs jobs until nothing more comes; called in a process of its own."""
    link = own_process.Link(_noted)
    try:
        device = resolve_device(link.next().device)
        os.environ["LOUPE_DEVICE"] = device
        link.answer(Ready(device, _gpu(device), _free(device)))
    except Exception as error:
        link.answer(Failed(portable(error)))
        # its end is for the worker to tell
        threading.Event().wait()
    while True:
        job = link.next()
        asked.begin(job.id, job.worker)
        outcome = _outcome(ObjectId(job.id), job)
        _tidy()
        link.answer(Ended(job.id, outcome, interrupts.is_left(), _free(device)))


def _gpu(device: str) -> str:
    if not device.startswith("cuda"):
        return ""
    import torch

    index = torch.device(device).index or 0
    size = torch.cuda.get_device_properties(index).total_memory
    return f"{gpus()[f'cuda:{index}']}, {size / 1e9:.0f} GB"


def _free(device: str) -> int:
    if not device.startswith("cuda"):
        return 0
    import torch

    return int(torch.cuda.mem_get_info(torch.device(device))[0])


def _tidy() -> None:
    """Gives back what other processes on the same machine and GPU can use."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


def _noted(message: object) -> bool:
    """Takes note of what is asked of the job that runs; what is to be run is for later."""
    if not isinstance(message, asked.Ask):
        return False
    if asked.note(message) and message.kind == "cancelled":
        timer = threading.Timer(WITHIN, _leave, (asked.running(),))
        timer.daemon = True
        timer.start()
    return True


def _leave(job: str | None) -> None:
    """Ends this process where a canceled job is still in one long step: a kill is what everything here survives."""
    latest = time.monotonic() + WRITING
    while asked.running() == job and (interrupts.is_held() or (writes.busy() and time.monotonic() < latest)):
        time.sleep(0.05)
    if asked.running() == job and job is not None:
        os._exit(LEFT)


def _outcome(job: ObjectId, given: Job) -> str:
    """Runs an operation, writes what came of it, and returns that in words."""
    started = time.monotonic()
    try:
        with log.kept(job, given.worker) as own:
            own.info("%s on %s", given.label, os.environ["LOUPE_DEVICE"])
            outcome = _run(job, given.worker, own)
            # why it failed stands there already
            short = "failed" if outcome.startswith("failed") else outcome
            own.info("%s (%.1f s)", short, time.monotonic() - started)
    except GONE as error:
        # not even the log could be opened
        patiently(lambda: jobs.release(job, given.worker))
        outcome = f"back in the queue: {error}"
    return outcome


def _run(job: ObjectId, worker: str, own: logging.Logger) -> str:
    try:
        result, schema = asyncio.run(_execute(job))
    except GONE as error:
        asked.end()
        patiently(lambda: jobs.release(job, worker))
        return f"back in the queue: {error}"
    except Exception as error:
        return _failed(job, worker, error, own)
    asked.end()
    return "completed" if patiently(lambda: jobs.finish(job, worker, result, schema)) else _CHANGED


_CHANGED = "its state was changed by somebody else meanwhile (canceled?), and is left as it is"


def _failed(job: ObjectId, worker: str, error: Exception, own: logging.Logger) -> str:
    ask = asked.end()
    if isinstance(error, Stopped) and (ask is None or ask.kind in ("end", "cancelled")):
        back = patiently(lambda: jobs.release(job, worker, keeps_place=ask is not None))
        return f"back in the queue: {error}" if back else str(error)
    message = str(error) if isinstance(error, LoupeError) else "".join(traceback.format_exception(error))
    message = secrets.hidden(message)
    if not patiently(lambda: jobs.fail(job, worker, message)):
        return _CHANGED
    own.error("%s", message)
    return f"failed: {message}"


def patiently(call: Any) -> Any:
    """Calls until the database answers."""
    while True:
        try:
            return call()
        except GONE:
            time.sleep(_RETRY)


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
