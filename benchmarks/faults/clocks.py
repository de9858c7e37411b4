"""The clock of a process jumps by up to a day, back or forth, in the middle of a verb, of two writers, of a worker."""

from __future__ import annotations

import signal
import time

import numpy as np

from benchmarks.faults import working
from benchmarks.faults.killing import again, partly
from benchmarks.faults.result import Result
from benchmarks.faults.verbs import VERBS, job, undisturbed
from benchmarks.faults.world import Child, World, differences, state, wait_for_a_moment

_JUMPS = (3600.0, -3600.0, 86400.0, -86400.0, 61.0, -61.0)
_FAULTS = ("jumps", "is wrong from the start", "jumps, and it is killed", "of a worker is wrong")


def jumped(world: World, seed: int) -> Result:
    """Lets a clock jump; what is stored is what a right clock stores, but for times."""
    fault = _FAULTS[seed % len(_FAULTS)]
    verb = VERBS[seed // len(_FAULTS) % len(VERBS)]
    rng = np.random.default_rng(seed)
    seconds = float(rng.choice(_JUMPS))
    if fault == "of a worker is wrong":
        return _of_a_worker(world, seconds, rng)
    wanted, usual = undisturbed(world, verb)
    result = Result(f"{verb}, the clock {fault} ({seconds:+.0f} s)")
    with job(world, verb) as ready:
        child = ready.start(world, disturbed=True)
        if child.page is not None:
            if fault != "is wrong from the start":
                wait_for_a_moment(child, rng, usual)
            child.page.jump(seconds)
        if fault.endswith("killed"):
            time.sleep(float(rng.uniform(0, usual / 2)))
            child.signal(signal.SIGKILL)
            result.ended(child, killed=True)
        else:
            result.ended(child, must=True)
            ready.made.reload()
            result.missing(differences(wanted, state(ready.made)))
        partly(ready, result)
        again(world, ready, result)
    return result


def _of_a_worker(world: World, seconds: float, rng: np.random.Generator) -> Result:
    """Two workers, one with a wrong clock: each job is done once, by one of them, and none is taken from the other."""
    wanted, _ = undisturbed(world, "check")
    result = Result(f"two workers, the clock of one is wrong ({seconds:+.0f} s)")
    children: list[Child] = []
    with job(world, "check") as ready:
        working.forget()
        jobs = [working.schedule(ready) for _ in range(2)]
        try:
            for name in ("right", "wrong"):
                children.append(world.start("worker", name=name, disturbed=name == "wrong", dead_after=15.0))
            page = children[1].page
            if page is not None:
                time.sleep(float(rng.uniform(0, 0.5)))
                page.jump(seconds)
            if not working.until(lambda: all(working.state_of(made) in ("completed", "failed") for made in jobs)):
                result.lost += 1
                result.say(f"jobs are {', '.join(map(working.state_of, jobs))}")
            failed = [made for made in jobs if working.state_of(made) == "failed"]
            result.lost += len(failed)
            if failed:
                result.say(f"failed: {working.error_of(failed[0])}")
            begun = sum(child.log().count(": started") for child in children)
            result.doubled += max(0, begun - len(jobs))
            if begun > len(jobs):
                result.say(f"{len(jobs)} jobs were begun {begun} times")
        finally:
            working.until(lambda: all("takes the operations" in child.log() or not child.alive() for child in children))
            for child in children:
                child.signal(signal.SIGTERM)
            for child in children:
                result.ended(child)
        ready.made.reload()
        partly(ready, result)
        result.missing(differences(wanted, state(ready.made)))
        working.forget()
    return result
