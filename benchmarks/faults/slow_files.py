"""The pictures lie on a network file system that pauses, fails or may only be read; so does what is written."""

from __future__ import annotations

import errno
import time
from pathlib import Path

import numpy as np

from benchmarks.faults.killing import again, partly
from benchmarks.faults.lines import LINES
from benchmarks.faults.result import Result
from benchmarks.faults.verbs import VERBS, Job, job, undisturbed
from benchmarks.faults.world import Child, World, differences, state, wait_for_a_moment

_NETWORK = ("pauses", "fails for a while", "fails to the end", "fails now and then")
_ERRORS = (errno.ESTALE, errno.EIO, errno.ETIMEDOUT, errno.EHOSTDOWN)
_READ_ONLY = ("the pictures", "the folder for pictures, from the start", "the folder for pictures, in the middle")


def networked(world: World, seed: int) -> Result:
    """Lets the file system of the pictures pause or fail in the middle, and runs the verb again."""
    fault = _NETWORK[seed % len(_NETWORK)]
    verb = VERBS[seed // len(_NETWORK) % len(VERBS)]
    rng = np.random.default_rng(seed)
    wanted, seconds = undisturbed(world, verb)
    result = Result(f"{verb}, network {fault}")
    if world.library is None:
        result.what += " (no compiler: undisturbed)"
    with job(world, verb) as ready:
        folder = _pictures(world, verb)
        child = ready.start(world, disturbed=True)
        if child.page is not None:
            error = int(rng.choice(_ERRORS))
            if fault == "fails now and then":
                child.page.files(folder, "fail", error, int(rng.integers(1, 30)))
            else:
                wait_for_a_moment(child, rng, seconds)
                child.page.files(folder, "pause" if fault == "pauses" else "fail", error)
            if fault in ("pauses", "fails for a while"):
                time.sleep(float(rng.uniform(0.05, 1.5)))
                child.page.files(folder, "nothing")
        result.ended(child, must=fault == "pauses")
        ready.made.reload()
        partly(ready, result)
        if fault == "pauses":
            result.missing(differences(wanted, state(ready.made)))
        again(world, ready, result)
    return result


def read_only(world: World, seed: int) -> Result:
    """Lets nothing be written where pictures lie: verbs that write none do not notice, the others end and go on."""
    fault = _READ_ONLY[seed % len(_READ_ONLY)]
    rng = np.random.default_rng(seed)
    drawing = [verb for verb in VERBS if "FOLDER" in LINES[verb].given.values()]
    verbs = [verb for verb in VERBS if verb not in drawing] if fault == "the pictures" else drawing
    verb = verbs[seed // len(_READ_ONLY) % len(verbs)]
    wanted, seconds = undisturbed(world, verb)
    result = Result(f"{verb}, {fault} read-only")
    with job(world, verb) as ready:
        child = _start(world, ready, fault, rng, seconds)
        if fault == "the pictures":
            result.ended(child, must=True)
            ready.made.reload()
            result.missing(differences(wanted, state(ready.made)))
        else:
            ended = result.ended(child)
            noticed = child.page is not None and child.page.calls > 0
            if noticed and ended is not None and (ended["ok"] or "may not be written" not in ended["error"]):
                result.dead += 1
                result.say(f"expected that it may not be written, got {ended}")
            ready.made.reload()
        partly(ready, result)
        again(world, ready, result)
    return result


def _start(world: World, ready: Job, fault: str, rng: np.random.Generator, seconds: float) -> Child:
    """Forks the process, with its files read-only from the start or from somewhere in the middle on."""
    if fault == "the pictures":
        folder = _pictures(world, ready.verb)
    else:
        own = LINES[ready.verb].given.items()
        folder = Path(next(ready.given[name] for name, value in own if value == "FOLDER"))
    # it begins a little later, so that the first is true of it
    child = ready.start(world, disturbed=True, at=time.time() + 0.1)
    if child.page is not None:
        if fault.endswith("middle"):
            wait_for_a_moment(child, rng, seconds)
        child.page.files(folder, "read-only")
    return child


def _pictures(world: World, verb: str) -> Path:
    return world.folder / ("dark" if LINES[verb].dark else "pictures")
