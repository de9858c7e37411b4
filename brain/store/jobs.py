"""Delegated operations of this plugin in FiftyOne's queue, and the workers that take them.

FiftyOne's own service takes any operation and never notices that a worker died: its operation stays ``running`` for
ever. So each worker has a document with a heartbeat, each running operation names its worker, and an operation whose
worker is gone goes back into the queue. Times are the database's own: the clocks of two machines need not agree.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import fiftyone.core.odm as odm
from bson import ObjectId
from pymongo import ReturnDocument

from loupe.brain.store.connection import database_errors

PLUGIN = "@loupe/loupe"

#: seconds after which a silent worker counts as dead
DEAD_AFTER = 40.0

#: how many workers may die over one operation before it is given up
MAX_DEATHS = 3

_WORKER = "metadata.loupe.worker"
_DEATHS = "metadata.loupe.deaths"
#: of a worker: its last heartbeat is too old, by the database's clock
_SILENT = {"$expr": {"$lt": ["$beat", {"$subtract": ["$$NOW", {"$multiply": ["$dead_after", 1000]}]}]}}
_OURS = {"operator": {"$regex": "^@loupe/loupe/"}, "archived": {"$ne": True}, "parent_id": None}


@dataclass(frozen=True)
class WorkerFacts:
    """A worker that is alive.

    Attributes:
        id: unique
        name: what people call it; the App offers it by that name
        host, pid, device: where it runs
        dead_after: seconds of silence after which others take it for dead
    """

    id: str
    name: str
    host: str
    pid: int
    device: str
    dead_after: float = DEAD_AFTER


@dataclass(frozen=True)
class Job:
    """A delegated operation of this plugin, as people see it.

    Attributes:
        id: the operation's document
        operator: without the plugin's name
        label: how the App calls it
        state: queued, running, completed or failed
        progress: in [0, 1], or None
        message: the progress in words, or the error
        queued_at: UTC
        dataset_id: whose it is
    """

    id: ObjectId
    operator: str
    label: str
    state: str
    progress: float | None
    message: str
    queued_at: datetime | None
    dataset_id: ObjectId | None


def _operations() -> Any:
    return odm.get_db_conn()["delegated_ops"]


def _workers() -> Any:
    return odm.get_db_conn()["loupe_workers"]


def beat(worker: WorkerFacts) -> None:
    """Says that the worker is alive."""
    facts = {name: value for name, value in asdict(worker).items() if name != "id"}
    with database_errors():
        _workers().update_one({"_id": worker.id}, {"$set": facts, "$currentDate": {"beat": True}}, upsert=True)


def sign_off(worker: WorkerFacts) -> None:
    """Says that the worker has ended."""
    with database_errors():
        _workers().delete_one({"_id": worker.id})


def workers() -> list[WorkerFacts]:
    """Returns the workers whose last heartbeat is not too old, by name."""
    with database_errors():
        alive = _workers().find({"$nor": [_SILENT]}, {"beat": False})
        return sorted(
            (WorkerFacts(doc.pop("_id"), **doc) for doc in alive),
            key=lambda worker: (worker.name, worker.id),
        )


def claim(worker: WorkerFacts) -> ObjectId | None:
    """Takes the oldest queued operation of this plugin, in one step, and returns its id; None when there is none.

    An operation that was scheduled for a worker by name waits for it while it lives, else anybody may take it.
    """
    others = [other.name for other in workers() if other.name != worker.name]
    with database_errors():
        taken = _operations().find_one_and_update(
            {**_OURS, "run_state": "queued", "delegation_target": {"$nin": others}},
            {
                "$set": {"run_state": "running", "monitored": True, _WORKER: worker.id},
                "$currentDate": {"started_at": True, "updated_at": True},
            },
            sort=[("queued_at", 1), ("_id", 1)],
            projection=["_id"],
        )
    return taken["_id"] if taken else None


def still_running(job: ObjectId, worker: str | None) -> bool:
    """Returns whether the operation is still running, and by this worker (None: by a worker that is not ours)."""
    with database_errors():
        operation = _operations().find_one({"_id": job}, ["run_state", _WORKER])
    if operation is None or operation["run_state"] != "running":
        return False
    return ((operation.get("metadata") or {}).get("loupe") or {}).get("worker") == worker


def release(job: ObjectId, worker: str) -> bool:
    """Puts an operation back into the queue if it is still this worker's; returns whether it was."""
    with database_errors():
        return _requeue({"_id": job, "run_state": "running", _WORKER: worker}, {})


def release_all(worker: str) -> list[ObjectId]:
    """Puts whatever a worker is running back into the queue; returns it."""
    with database_errors():
        own = [doc["_id"] for doc in _operations().find({**_OURS, "run_state": "running", _WORKER: worker}, ["_id"])]
    return [job for job in own if release(job, worker)]


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
            mine = {"_id": orphan["_id"], "run_state": "running", _WORKER: facts["worker"]}
            if facts.get("deaths", 0) + 1 < MAX_DEATHS:
                if _requeue(mine, {"$inc": {_DEATHS: 1}}):
                    requeued.append(orphan["_id"])
            elif fail(
                orphan["_id"], facts["worker"], f"{MAX_DEATHS} workers died while they ran this job: see their logs"
            ):
                given_up.append(orphan["_id"])
        _workers().delete_many(_SILENT)
    return requeued, given_up


def _requeue(which: dict[str, Any], more: dict[str, Any]) -> bool:
    back = {
        "$set": {"run_state": "queued", "monitored": False, "started_at": None},
        "$unset": {_WORKER: ""},
        "$currentDate": {"queued_at": True, "updated_at": True},
    }
    return _operations().update_one(which, {**back, **more}).modified_count > 0


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
    """Marks a queued or running operation as failed, which its worker notices after its current batch."""
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
        operations = _operations().find({**_OURS, "dataset_id": dataset_id}).sort("queued_at", -1).limit(maximum)
        return [_job(doc) for doc in operations]


def _job(doc: dict[str, Any]) -> Job:
    status, result = doc.get("status") or {}, doc.get("result") or {}
    message = {
        "failed": result.get("error_message") or result.get("error") or "",
        "running": status.get("label") or "",
        "completed": (result.get("result") or {}).get("message", ""),
    }.get(doc["run_state"], "")
    return Job(
        id=doc["_id"],
        operator=doc["operator"].removeprefix(f"{PLUGIN}/"),
        label=doc.get("label") or doc["operator"],
        state=doc["run_state"],
        progress=status.get("progress") if doc["run_state"] == "running" else None,
        message=message.strip().splitlines()[-1] if message.strip() else "",
        queued_at=doc.get("queued_at"),
        dataset_id=doc.get("dataset_id"),
    )


def again(job: ObjectId) -> ObjectId:
    """Queues an operation once more, with the same settings, and returns the new operation's id."""
    from fiftyone.operators.delegated import DelegatedOperationService

    with database_errors():
        new = DelegatedOperationService().rerun_operation(job).id
        # it is copied with all that stands on it: who ran it, and who died of it
        _operations().update_one({"_id": new}, {"$unset": {"metadata.loupe": "", "status": ""}})
    return new
