"""The database goes and comes back, or a dataset or a field goes, in the middle of a run."""

from __future__ import annotations

import signal
import time
from typing import Any

import numpy as np

from benchmarks.faults.killing import again, partly
from benchmarks.faults.result import Result
from benchmarks.faults.verbs import VERBS, Job, fields, job, undisturbed
from benchmarks.faults.world import World, orphans, state, wait_for_a_moment

_FAULTS = ("database killed", "database stopped", "dataset deleted", "field deleted")


def lost(world: World, seed: int) -> Result:
    """Takes the database, the dataset or a field away in the middle of a verb, and runs it again where it can be."""
    fault = _FAULTS[seed % len(_FAULTS)]
    verb = VERBS[seed // len(_FAULTS) % len(VERBS)]
    rng = np.random.default_rng(seed)
    _, seconds = undisturbed(world, verb)
    result = Result(f"{verb}, {fault}")
    with job(world, verb) as ready:
        before = set(ready.made.get_field_schema())
        child = ready.start(world)
        wait_for_a_moment(child, rng, seconds)
        if fault.startswith("database"):
            _disturb(world, fault, float(rng.uniform(0.5, 3.5)))
            result.ended(child)
            ready.made.reload()
            partly(ready, result)
            again(world, ready, result)
        elif fault == "dataset deleted":
            _without_dataset(ready, result, child)
        else:
            _without_field(world, ready, result, child, str(rng.choice([*fields(world, verb), "checked"])), before)
    return result


def _disturb(world: World, fault: str, seconds: float) -> None:
    if fault == "database killed":
        world.mongod.kill()
        time.sleep(seconds)
        world.mongod.start()
    else:
        world.mongod.process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        world.mongod.process.send_signal(signal.SIGCONT)


def _without_dataset(ready: Job, result: Result, child: Any) -> None:
    import fiftyone as fo
    import fiftyone.core.odm as odm

    before = orphans(odm.get_db_conn(), ())
    fo.delete_dataset(ready.made.name)
    result.ended(child)
    left = orphans(odm.get_db_conn(), before)
    if left:
        result.half += len(left)
        result.say(f"left behind: {', '.join(left)}")
    if fo.dataset_exists(ready.made.name):
        result.doubled += 1
        result.say("the dataset is there again")


def _without_field(world: World, ready: Job, result: Result, child: Any, name: str, before: set[str]) -> None:
    ready.made.reload()
    if ready.made.has_field(name):
        ready.made.delete_sample_field(name)
    result.ended(child)
    ready.made.reload()
    # whatever it is in now, it opens, and the same call ends well; what somebody deleted on purpose may stay away.
    # What the verb works on, and not only writes, may be missed by a clear error
    result.ended(ready.start(world), must=name not in before)
    ready.made.reload()
    wanted, _ = undisturbed(world, ready.verb)
    if wanted.keys() - state(ready.made).keys():
        result.lost += len(wanted.keys() - state(ready.made).keys())
        result.say("samples are gone")
    for sample in ready.made:
        sample.to_dict()
