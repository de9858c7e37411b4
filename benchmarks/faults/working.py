"""Workers die, are asked to end, hang and share; each job is done once, to its end."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.faults.killing import partly
from benchmarks.faults.result import Result
from benchmarks.faults.verbs import Job, job, undisturbed
from benchmarks.faults.world import Child, World, differences, patience, state

_FAULTS = ("killed", "asked to end", "two at once", "asked to end while stuck")
#: seconds in which a job is taken up and done where no one else works
_PATIENCE = 60.0


def worked(world: World, seed: int) -> Result:
    """Schedules a check, disturbs the worker, and lets another one end it."""
    fault = _FAULTS[seed % len(_FAULTS)]
    rng = np.random.default_rng(seed)
    wanted, _ = undisturbed(world, "check")
    result = Result(f"worker {fault}")
    children: list[Child] = []
    with job(world, "check") as ready:
        forget()
        jobs = [schedule(ready) for _ in range(3 if fault == "two at once" else 1)]

        def start(name: str, **given: Any) -> Child:
            children.append(world.start("worker", name=name, **given))
            return children[-1]

        try:
            first = start("first", stuck=fault.endswith("stuck"))
            if fault == "two at once":
                start("second")
            else:
                until(lambda: state_of(jobs[0]) == "running")
                if not fault.endswith("stuck"):
                    judged = int(rng.uniform(0, len(wanted)))
                    until(lambda: _judged(ready) >= judged or state_of(jobs[0]) != "running")
                _end(first, fault, result)
                partly(ready, result)
                start("second")
            if not until(lambda: all(state_of(made) in ("completed", "failed") for made in jobs)):
                result.lost += sum(state_of(made) not in ("completed", "failed") for made in jobs)
                result.say(f"jobs are {', '.join(map(state_of, jobs))} after {_PATIENCE:g} s")
            failed = [made for made in jobs if state_of(made) == "failed"]
            result.lost += len(failed)
            if failed:
                result.say(f"failed: {error_of(failed[0])}")
        finally:
            # before it has begun, a signal ends it as it would any process
            until(lambda: all("takes the operations" in child.log() or not child.alive() for child in children))
            for child in children:
                child.signal(signal.SIGTERM)
            for child in children:
                result.ended(child, killed=child is first and not fault.startswith("two"))
        ready.made.reload()
        partly(ready, result)
        result.missing(differences(wanted, state(ready.made)))
        forget()
    return result


def _end(worker: Child, fault: str, result: Result) -> None:
    worker.signal(signal.SIGKILL if fault == "killed" else signal.SIGTERM)
    end = time.monotonic() + 20
    while worker.alive() and time.monotonic() < end:
        time.sleep(0.02)
    if worker.alive():
        result.dead += 1
        result.say("the worker does not end")
        os.kill(worker.process, signal.SIGKILL)


def until(condition: Callable[[], bool]) -> bool:
    """Waits for something; returns whether it came."""
    end = time.monotonic() + patience(_PATIENCE)
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def forget() -> None:
    """Removes all jobs and workers."""
    import fiftyone.core.odm as odm

    for name in ("delegated_ops", "loupe_workers"):
        odm.get_db_conn()[name].delete_many({})


def schedule(ready: Job) -> Any:
    """Puts a check into the queue; returns its id."""
    import fiftyone.operators as foo

    context = {"dataset": ready.made, "params": ready.given}
    return foo.execute_operator("@loupe/loupe/check", context, request_delegation=True).result["id"]


def _document(made: Any) -> dict[str, Any]:
    import fiftyone.core.odm as odm
    from bson import ObjectId

    document: dict[str, Any] = odm.get_db_conn()["delegated_ops"].find_one({"_id": ObjectId(str(made))}) or {}
    return document


def state_of(made: Any) -> str:
    """Returns the state of a job."""
    return str(_document(made).get("run_state"))


def _judged(ready: Job) -> int:
    return int(ready.made._sample_collection.count_documents({"checked": {"$exists": True}}))


def error_of(made: Any) -> str:
    """Returns what went wrong with a job."""
    return str((_document(made).get("result") or {}).get("error"))[-300:]
