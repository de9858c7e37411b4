"""A process is killed at any moment; the same call again comes to what an undisturbed one comes to."""

from __future__ import annotations

import signal

import numpy as np

from benchmarks.faults.result import Result
from benchmarks.faults.verbs import VERBS, Job, job, undisturbed, writes
from benchmarks.faults.world import World, differences, doubled, half, state, wait_for_a_moment


def killed(world: World, seed: int) -> Result:
    """Kills a verb once or twice, and runs it again."""
    verb = VERBS[seed % len(VERBS)]
    rng = np.random.default_rng(seed)
    _, seconds = undisturbed(world, verb)
    result = Result(f"{verb} killed")
    with job(world, verb) as ready:
        for _ in range(int(rng.integers(1, 3))):
            if rng.random() < 0.6:
                # between two writes, where a half could be
                child = ready.start(world, kill_at=int(rng.integers(1, writes(world, verb) + 1)))
            else:
                child = ready.start(world)
                wait_for_a_moment(child, rng, seconds)
                child.signal(signal.SIGKILL)
            result.ended(child, killed=True)
            partly(ready, result)
        again(world, ready, result)
    return result


def partly(ready: Job, result: Result) -> None:
    """Counts what is half there, or there twice, after a disturbance."""
    count = half(ready.made)
    if count:
        result.half += count
        result.say(f"{count} half after the disturbance")
    result.doubled += doubled(ready.made)


def again(world: World, ready: Job, result: Result) -> None:
    """Runs a verb once more, and compares with what an undisturbed run comes to."""
    wanted, _ = undisturbed(world, ready.verb)
    result.ended(ready.start(world), must=True)
    ready.made.reload()
    partly(ready, result)
    result.missing(differences(wanted, state(ready.made)))
