"""Delegated operations of this plugin in FiftyOne's queue, and the workers that take them.

FiftyOne's own service takes any operation and never notices that a worker died: its operation stays ``running`` for
ever. So each worker has a document with a heartbeat, each running operation names its worker, and an operation whose
worker is gone goes back into the queue. Times are the database's own: the clocks of two machines need not agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import fiftyone.core.odm as odm
from bson import ObjectId
from pymongo import ReturnDocument

from loupe.brain.core import routing
from loupe.brain.store.connection import database_errors
from loupe.brain.store.workers import (
    DEAD_AFTER,
    WorkerFacts,
    WorkerStatus,
    beat,
    forget_silent,
    last_status,
    sign_off,
    workers,
)

# who works with jobs works with workers
__all__ = ["DEAD_AFTER", "WorkerFacts", "WorkerStatus", "beat", "sign_off", "workers"]

PLUGIN = "@loupe/loupe"

#: how many workers may die over one operation before it is given up
MAX_DEATHS = 3

_WORKER = "metadata.loupe.worker"
_DEATHS = "metadata.loupe.deaths"
_NEEDED = {"delegation_target": True, f"context.request_params.{routing.NEEDS}": True}
_OURS = {"operator": {"$regex": "^@loupe/loupe/"}, "archived": {"$ne": True}, "parent_id": None}


@dataclass(frozen=True)
class Job:
    """A delegated operation of this plugin, as people see it.

    Attributes:
        id: the operation's document
        operator: without the plugin's name
        label: how the App calls it
        state: queued, running, completed or failed
        progress: in [0, 1], or None
        message: the progress in words, or the error; of a queued one why no living worker takes it, or nothing
        queued_at: UTC
        dataset_id: whose it is
        log: the last lines that were logged as it ran
    """

    id: ObjectId
    operator: str
    label: str
    state: str
    progress: float | None
    message: str
    queued_at: datetime | None
    dataset_id: ObjectId | None
    log: str = ""


def _operations() -> Any:
    return odm.get_db_conn()["delegated_ops"]


def claim(worker: WorkerFacts) -> ObjectId | None:
    """Takes the oldest queued operation of this plugin that this worker may run, and returns its id; None when there
    is none. Of several workers that try at once exactly one gets it.

    What a worker may run says ``routing.obstacle``: an operation may name a worker, need a device, or a version.
    """
    alive = workers()
    with database_errors():
        queued = _operations().find({**_OURS, "run_state": "queued"}, _NEEDED).sort([("queued_at", 1), ("_id", 1)])
        for doc in queued:
            if routing.obstacle(_needs(doc), worker, alive):
                continue
            taken = _operations().update_one(
                {**_OURS, "_id": doc["_id"], "run_state": "queued", "delegation_target": doc.get("delegation_target")},
                {
                    "$set": {"run_state": "running", "monitored": True, _WORKER: worker.id},
                    "$currentDate": {"started_at": True, "updated_at": True},
                },
            )
            if taken.modified_count:
                return ObjectId(doc["_id"])
    return None


def any_queued() -> bool:
    """Returns whether an operation of this plugin waits, for whomever."""
    with database_errors():
        return _operations().find_one({**_OURS, "run_state": "queued"}, ["_id"]) is not None


def wanted_folders() -> list[str]:
    """Returns the model folders that queued operations need."""
    with database_errors():
        named = _operations().distinct(
            f"context.request_params.{routing.NEEDS}.model", {**_OURS, "run_state": "queued"}
        )
    return sorted(folder for folder in named if isinstance(folder, str) and folder)


def waiting() -> list[str]:
    """Returns for each queued operation that no living worker takes what it is and why, the oldest first."""
    with database_errors():
        wanted = {**_NEEDED, "label": True, "operator": True}
        queued = list(_operations().find({**_OURS, "run_state": "queued"}, wanted).sort([("queued_at", 1), ("_id", 1)]))
    alive = workers() if queued else []
    reasons = [(doc.get("label") or doc["operator"], routing.waits_for(_needs(doc), alive)) for doc in queued]
    return [f"{label}: {reason}" for label, reason in reasons if reason]


def _needs(doc: dict[str, Any]) -> routing.Needs:
    kept = ((doc.get("context") or {}).get("request_params") or {}).get(routing.NEEDS)
    return routing.needs(kept, doc.get("delegation_target"))


def still_running(job: ObjectId, worker: str | None) -> bool:
    """Returns whether the operation is still running, and by this worker (None: by a worker that is not ours)."""
    with database_errors():
        operation = _operations().find_one({"_id": job}, ["run_state", _WORKER])
    if operation is None or operation["run_state"] != "running":
        return False
    return ((operation.get("metadata") or {}).get("loupe") or {}).get("worker") == worker


def release(job: ObjectId, worker: str, keeps_place: bool = False) -> bool:
    """Puts an operation back into the queue if it is still this worker's; returns whether it was.

    Args:
        job: the operation
        worker: the worker's id
        keeps_place: it goes where it was in the queue, as the worker was asked to end; else to its end, so that one
            that fails again and again keeps nobody waiting
    """
    with database_errors():
        return _requeue({"_id": job, "run_state": "running", _WORKER: worker}, {}, keeps_place)


def release_all(worker: str) -> list[ObjectId]:
    """Puts whatever a worker is running back into the queue; returns it."""
    with database_errors():
        own = [doc["_id"] for doc in _operations().find({**_OURS, "run_state": "running", _WORKER: worker}, ["_id"])]
    return [job for job in own if release(job, worker, keeps_place=True)]


def reap() -> tuple[list[ObjectId], list[ObjectId]]:
    """Returns the operations of dead workers that went back into the queue, and those that were given up.

    An operation that has cost ``MAX_DEATHS`` workers is marked as failed: it would kill the next one, too. Running
    operations that another kind of worker took have no heartbeat and are left alone.
    """
    requeued, given_up = [], []
    with database_errors():
        # the operations first: whoever took one of them had signed on before, and is found alive after
        running = {**_OURS, "run_state": "running", _WORKER: {"$exists": True}}
        taken = list(_operations().find(running, ["_id", "metadata.loupe"]))
        alive = {worker.id for worker in workers()}
        for orphan in taken:
            facts = orphan["metadata"]["loupe"]
            if facts["worker"] in alive:
                continue
            why = _died(last_status(facts["worker"]))
            outcome = _lost(orphan["_id"], facts["worker"], facts.get("deaths", 0) + 1, "workers", why)
            if outcome == "queued":
                requeued.append(orphan["_id"])
            elif outcome == "failed":
                given_up.append(orphan["_id"])
        forget_silent()
    return requeued, given_up


def lost(job: ObjectId, worker: str, why: str) -> str:
    """Puts an operation whose process broke back into the queue, or gives it up after ``MAX_DEATHS`` times.

    Args:
        job: the operation
        worker: the id of the worker that ran it, and lives
        why: how its process ended

    Returns:
        "queued", "failed", or "" where it is not this worker's any more
    """
    with database_errors():
        operation = _operations().find_one({"_id": job}, ["metadata.loupe"]) or {}
        deaths = ((operation.get("metadata") or {}).get("loupe") or {}).get("deaths", 0) + 1
        return _lost(job, worker, deaths, "processes", f"The last one: {why}")


def _lost(job: ObjectId, worker: str, deaths: int, who: str, why: str) -> str:
    mine = {"_id": job, "run_state": "running", _WORKER: worker}
    if deaths < MAX_DEATHS:
        return "queued" if _requeue(mine, {"$inc": {_DEATHS: 1}}) else ""
    message = f"{deaths} {who} died while they ran this job: see their logs. {why}".strip()
    return "failed" if fail(job, worker, message) else ""


#: of what it may take: a worker that died beyond it probably ran out of memory
_FULL = 0.7


def _died(status: WorkerStatus) -> str:
    if not status.max_memory or status.memory < _FULL * status.max_memory:
        return ""
    return (
        f"The last one took {status.memory / 1e9:.1f} of {status.max_memory / 1e9:.1f} GB when it was last heard of: "
        "memory ran out, probably. Run it with a smaller batch_size, or where there is more memory"
    )


def _requeue(which: dict[str, Any], more: dict[str, Any], keeps_place: bool = False) -> bool:
    now = {"updated_at": True} if keeps_place else {"queued_at": True, "updated_at": True}
    back = {
        "$set": {"run_state": "queued", "monitored": False, "started_at": None},
        "$unset": {_WORKER: ""},
        "$currentDate": now,
    }
    return _operations().update_one(which, {**back, **more}).modified_count > 0


def write_log(job: ObjectId, worker: str, text: str, size: int) -> None:
    """Keeps the last lines of what was logged where FiftyOne keeps such, unless another worker runs the operation.

    Args:
        job: the operation
        worker: who ran it
        text: the last lines
        size: bytes of all lines that there were
    """
    mine = {"$or": [{_WORKER: worker}, {"run_state": {"$in": ["failed", "completed"]}}]}
    with database_errors():
        _operations().update_one({"_id": job, **mine}, {"$set": {"log_tail": text, "log_size": size}})


def append_log(job: ObjectId, worker: str, line: str) -> None:
    """Adds a line to what is kept of a log, where the process that wrote it is no more."""
    text, size = log_of(job)
    write_log(job, worker, f"{text}\n{line}".strip(), size + len(line.encode()) + 1)


def log_of(job: ObjectId) -> tuple[str, int]:
    """Returns the last lines that were logged as an operation ran, and the bytes of all."""
    with database_errors():
        operation = _operations().find_one({"_id": job}, ["log_tail", "log_size"]) or {}
    text, size = operation.get("log_tail"), operation.get("log_size")
    return text if isinstance(text, str) else "", size if isinstance(size, int) else 0


def finish(job: ObjectId, worker: str, result: dict[str, Any], outputs_schema: dict[str, Any] | None) -> bool:
    """Marks an operation as completed if it is still this worker's; returns whether it was."""
    values = {"run_state": "completed", "result": result, "metadata.outputs_schema": outputs_schema}
    return _end(job, worker, values, "completed_at")


def fail(job: ObjectId, worker: str, message: str) -> bool:
    """Marks an operation as failed, with the reason, if it is still this worker's; returns whether it was."""
    result = {"result": None, "error": message, "error_message": message}
    return _end(job, worker, {"run_state": "failed", "result": result}, "failed_at")


def _end(job: ObjectId, worker: str, values: dict[str, Any], at: str) -> bool:
    with database_errors():
        operation = _operations().find_one_and_update(
            {"_id": job, "run_state": "running", _WORKER: worker},
            {"$set": values, "$unset": {"metadata.loupe": ""}, "$currentDate": {at: True, "updated_at": True}},
            projection=["_id"],
            return_document=ReturnDocument.AFTER,
        )
    return operation is not None


def cancel(job: ObjectId) -> bool:
    """Marks a queued or running operation as failed, which its worker notices within a second, also in a batch."""
    message = "cancelled. What was done is kept; run it again to go on from there"
    with database_errors():
        changed = _operations().update_one(
            {**_OURS, "_id": job, "run_state": {"$in": ["queued", "running"]}},
            {
                "$set": {"run_state": "failed", "result": {"result": None, "error": message, "error_message": message}},
                "$unset": {"metadata.loupe": ""},
                "$currentDate": {"failed_at": True, "updated_at": True},
            },
        )
    return changed.modified_count > 0


def recent(dataset_id: ObjectId, maximum: int = 20) -> list[Job]:
    """Returns this plugin's operations on a dataset, the latest first."""
    with database_errors():
        operations = list(_operations().find({**_OURS, "dataset_id": dataset_id}).sort("queued_at", -1).limit(maximum))
    queued = any(doc["run_state"] == "queued" for doc in operations)
    alive = workers() if queued else []
    return [_job(doc, alive) for doc in operations]


def label_of(job: ObjectId) -> str:
    """Returns how the App calls an operation."""
    with database_errors():
        operation = _operations().find_one({"_id": job}, ["label", "operator"]) or {}
    return str(operation.get("label") or operation.get("operator") or "")


def _job(doc: dict[str, Any], alive: list[WorkerFacts]) -> Job:
    status, result = doc.get("status") or {}, doc.get("result") or {}
    state = doc["run_state"]
    message = {
        "queued": routing.waits_for(_needs(doc), alive),
        "failed": result.get("error_message") or result.get("error") or "",
        "running": status.get("label") or "",
        "completed": (result.get("result") or {}).get("message", ""),
    }.get(state, "")
    log = doc.get("log_tail")
    return Job(
        id=doc["_id"],
        operator=doc["operator"].removeprefix(f"{PLUGIN}/"),
        label=doc.get("label") or doc["operator"],
        state=state,
        progress=status.get("progress") if state == "running" else None,
        message=message.strip().splitlines()[-1] if message.strip() else "",
        queued_at=doc.get("queued_at"),
        dataset_id=doc.get("dataset_id"),
        log=log if isinstance(log, str) else "",
    )


def again(job: ObjectId, stamp: routing.Needs | None = None) -> ObjectId:
    """Queues an operation once more, with the same settings, and returns the new operation's id.

    Args:
        job: the operation
        stamp: which versions schedule it now; what else it needs stays as it was
    """
    from fiftyone.operators.delegated import DelegatedOperationService

    with database_errors():
        new = DelegatedOperationService().rerun_operation(job).id
        # it is copied with all that stands on it: who ran it, who died of it, and what they logged
        cleared = {"metadata.loupe": "", "status": "", "log_tail": "", "log_size": ""}
        versions = {} if stamp is None else {"loupe": stamp.loupe, "fiftyone": stamp.fiftyone}
        values = {f"context.request_params.{routing.NEEDS}.{name}": value for name, value in versions.items()}
        _operations().update_one({"_id": new}, {"$unset": cleared, **({"$set": values} if values else {})})
    return new
