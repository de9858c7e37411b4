"""The workers that are alive: each has a document with a heartbeat, by the database's own clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import fiftyone.core.odm as odm

from loupe.brain.core import routing
from loupe.brain.store.connection import database_errors

#: seconds after which a silent worker counts as dead
DEAD_AFTER = 40.0

#: of a worker: its last heartbeat is too old, by the database's clock
_SILENT = {"$expr": {"$lt": ["$beat", {"$subtract": ["$$NOW", {"$multiply": ["$dead_after", 1000]}]}]}}
#: what earlier versions know of a worker: they stop at a document with more in it
_FIRST = ("name", "host", "pid", "device", "dead_after")


@dataclass(frozen=True)
class WorkerFacts:
    """A worker that is alive.

    Attributes:
        id: unique
        name: what people call it; the App offers it by that name
        host, pid, device: where it runs
        dead_after: seconds of silence after which others take it for dead
        loupe, fiftyone: their versions there; empty where it does not say
        gpu: its name and how much memory it has, in words; empty for a CPU
        free: bytes that are free on its device for a job; 0: it does not say
        weights: the model files that it has, by their names
        folders: of the model folders that queued jobs need, those that it has
    """

    id: str
    name: str
    host: str
    pid: int
    device: str
    dead_after: float = DEAD_AFTER
    loupe: str = ""
    fiftyone: str = ""
    gpu: str = ""
    free: int = 0
    weights: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


@dataclass(frozen=True)
class WorkerStatus:
    """What a worker does, as of its last heartbeat.

    Attributes:
        job: the operation that it runs, by its id; empty: none
        label: how the App calls that
        memory: bytes that the worker takes
        max_memory: bytes that it may take; 0: it does not say
        silent: seconds since that heartbeat
    """

    job: str = ""
    label: str = ""
    memory: int = 0
    max_memory: int = 0
    silent: float = 0.0


def _workers() -> Any:
    return odm.get_db_conn()["loupe_workers"]


def _statuses() -> Any:
    return odm.get_db_conn()["loupe_worker_status"]


def beat(worker: WorkerFacts, status: WorkerStatus | None = None) -> None:
    """Says that the worker is alive, and what it does."""
    facts = asdict(worker)
    own_id = facts.pop("id")
    first = {name: facts.pop(name) for name in _FIRST}
    if status is not None:
        facts |= {name: value for name, value in asdict(status).items() if name != "silent"}
    with database_errors():
        # this first: who is seen alive has said its version
        _statuses().update_one({"_id": own_id}, {"$set": facts}, upsert=True)
        _workers().update_one({"_id": own_id}, {"$set": first, "$currentDate": {"beat": True}}, upsert=True)


def sign_off(worker: WorkerFacts) -> None:
    """Says that the worker has ended."""
    with database_errors():
        _workers().delete_one({"_id": worker.id})
        _statuses().delete_one({"_id": worker.id})


def workers() -> list[WorkerFacts]:
    """Returns the workers whose last heartbeat is not too old, by name."""
    return [worker for worker, _ in workers_with_status()]


def workers_with_status() -> list[tuple[WorkerFacts, WorkerStatus]]:
    """Returns the workers that are alive, by name, each with what it does."""
    with database_errors():
        silent = {"$divide": [{"$subtract": ["$$NOW", "$beat"]}, 1000]}
        alive = list(_workers().aggregate([{"$match": {"$nor": [_SILENT]}}, {"$addFields": {"silent": silent}}]))
        status = {doc["_id"]: doc for doc in _statuses().find({"_id": {"$in": [doc["_id"] for doc in alive]}})}
    # a later version may say more
    known = [{**status.get(doc["_id"], {}), **doc, "id": doc["_id"]} for doc in alive]
    made = [(_record(WorkerFacts, doc), _record(WorkerStatus, doc)) for doc in known]
    return sorted(made, key=lambda pair: (pair[0].name, pair[0].id))


def _record(kind: type[Any], doc: dict[str, Any]) -> Any:
    values = {field.name: doc[field.name] for field in fields(kind) if field.name in doc}
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


def last_status(worker: str) -> WorkerStatus:
    """Returns what a worker said of itself last, dead or alive."""
    with database_errors():
        made: WorkerStatus = _record(WorkerStatus, _statuses().find_one({"_id": worker}) or {})
    return made


def forget_silent() -> None:
    """Takes those off the list that have been silent for too long."""
    with database_errors():
        _workers().delete_many(_SILENT)
        alive = _workers().distinct("_id")
        _statuses().delete_many({"_id": {"$nin": alive}})


def as_text(alive: Sequence[tuple[WorkerFacts, WorkerStatus]], here: str = "", waiting: Sequence[str] = ()) -> str:
    """Returns a table of workers for a terminal, and below it who is of another version, and which jobs wait.

    Args:
        alive: the workers
        here: the version of Loupe that asks; empty: versions are not compared
        waiting: the jobs that no living worker takes, and why, a line each
    """
    if not alive:
        return "no worker is alive on this database. Start one with: loupe worker"
    rows = [("worker", "device", "host", "process", "Loupe", "FiftyOne", "memory", "heard of", "runs")]
    for worker, status in alive:
        memory = f"{status.memory / 1e9:.1f} of {status.max_memory / 1e9:.1f} GB" if status.max_memory else "?"
        device = f"{worker.device} ({worker.gpu})" if worker.gpu else worker.device
        versions = (worker.loupe or "?", worker.fiftyone or "?")
        heard = f"{status.silent:.0f} s ago"
        place = (worker.name, device, worker.host, str(worker.pid))
        rows.append((*place, *versions, memory, heard, status.label or "nothing"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines += [note for worker, _ in alive if (note := _of_another_version(worker, here))]
    return "\n".join([*lines, *waiting])


def _of_another_version(worker: WorkerFacts, here: str) -> str:
    if routing.newer(here, worker.loupe):
        return (
            f"{worker.name} has Loupe {worker.loupe}, which is older than {here} here: it takes no job that is "
            "scheduled here. Update it"
        )
    if routing.newer(worker.loupe, here):
        return (
            f"{worker.name} has Loupe {worker.loupe}, which is newer than {here} here: it takes jobs of both. What is "
            "older may not read what it writes: update the others"
        )
    return ""
