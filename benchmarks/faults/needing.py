"""Jobs with needs over workers with GPUs and without: each where it may run, once, and none passed over?

The workers are real commands. Their GPUs are only said: what a job asks of them is done by the CPU.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from benchmarks.faults import world
from benchmarks.faults.fleet import started, until
from loupe.brain.core import routing
from loupe.brain.core.proportions import Proportion

#: in each process of a worker: the device that the command names is there, with so much memory; work is the CPU's
_HOOK = """
import os
import loupe.brain.core.device as device
FREE = {"cuda:0": 24 * 10**9, "cuda:1": 80 * 10**9}

def resolve(wanted=None):
    if "LOUPE_DEVICE" in os.environ or wanted not in FREE:
        return "cpu"
    import torch
    torch.cuda.get_device_properties = lambda index: type("", (), {"total_memory": FREE[wanted]})
    torch.cuda.mem_get_info = lambda index: (FREE[wanted], FREE[wanted])
    return wanted

device.resolve_device = resolve
device.gpus = lambda: {os.environ["LOUPE_DEVICE"]: "GPU that is said"}
"""
#: the workers: what each command is given
WORKERS: dict[str, list[str]] = {
    "24 GB": ["--device", "cuda:0"],
    "80 GB": ["--device", "cuda:1"],
    "none": ["--device", "cpu", "--max-memory", "2GB"],
}
_CHECK: dict[str, Any] = {"checks": ["exposure"]}
_DRAW: dict[str, Any] = {"model": "tiny-signs", "settings": True, "steps": 2}
_ALL, _GPUS, _SECOND = frozenset(WORKERS), frozenset({"24 GB", "80 GB"}), frozenset({"80 GB"})
#: what jobs ask for: the verb, its settings, whom it is scheduled for; and which workers may take it
NEEDS: dict[str, tuple[str, dict[str, Any], str, frozenset[str]]] = {
    "nothing": ("check", _CHECK, "", _ALL),
    "any worker": ("check", _CHECK, routing.ANY, _ALL),
    "any GPU": ("check", _CHECK, routing.ANY_GPU, _GPUS),
    "cuda": ("check", {**_CHECK, "device": "cuda"}, "", _GPUS),
    "cuda:1": ("check", {**_CHECK, "device": "cuda:1"}, "", _SECOND),
    "cpu": ("check", {**_CHECK, "device": "cpu"}, "", _ALL),
    "all GPUs": ("generate", {**_DRAW, "device": "all"}, "", _GPUS),
    "8 GB free": ("check", {**_CHECK, "needs": {"memory": "8GB"}}, "", _GPUS),
    "40 GB free": ("check", {**_CHECK, "needs": {"memory": "40GB"}}, "", _SECOND),
    "a worker by name": ("check", _CHECK, "none", frozenset({"none"})),
}


@dataclass(frozen=True)
class Ran:
    """What became of a job.

    Attributes:
        need: what it asked for, of ``NEEDS``
        by: the workers that began it, one for each time
        error: why it was not completed; empty: it was
        queued, started, ended: when, by the database's clock
    """

    need: str
    by: tuple[str, ...]
    error: str
    queued: datetime
    started: datetime
    ended: datetime


@dataclass
class Routed:
    """What became of all of them.

    Attributes:
        n: how many there were
        once: how many were completed, and begun once
        failed: what was not completed, and why
        elsewhere: what ran where it may not
        passed: what waited while a worker that may run it took a later one
        idle: for each job the seconds for which a worker that may run it did nothing while it waited
    """

    n: int
    once: int = 0
    failed: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    idle: list[float] = field(default_factory=list)


def judged(ran: Sequence[Ran]) -> Routed:
    """Returns whether each ran once, where it may, and before what came after it.

    Args:
        ran: the jobs
    """
    made = Routed(len(ran), sum(not job.error and len(job.by) == 1 for job in ran))
    made.failed = [f"{job.need}: {job.error}" for job in ran if job.error]
    for job in ran:
        fit = NEEDS[job.need][3]
        made.elsewhere += [f"{job.need} on {worker}" for worker in job.by if worker not in fit]
        later = [other for other in ran if other.queued > job.queued and other.started < job.started]
        made.passed += [f"{job.need} by {other.need} on {other.by[0]}" for other in later if fit & {*other.by}]
        made.idle.append(max(_idle(worker, job, ran) for worker in fit))
    return made


def _idle(worker: str, waits: Ran, ran: Sequence[Ran]) -> float:
    """Returns the seconds of the longest time for which a worker did nothing while a job waited."""
    free, longest = waits.queued, 0.0
    for job in sorted((job for job in ran if worker in job.by), key=lambda job: job.started):
        if job.started > waits.started:
            break
        longest = max(longest, (job.started - free).total_seconds())
        free = max(free, job.ended)
    return max(longest, (waits.started - free).total_seconds())


def print_needing(made: world.World, count: int) -> None:
    """Prints how many jobs ran once, where they may, and were not passed over.

    Args:
        made: where
        count: of jobs, of random needs
    """
    hook = made.place()
    (hook / "sitecustomize.py").write_text(_HOOK)
    with started(made, WORKERS, hook):
        ran = _ran(made, count)
    routed = judged(ran)
    where = Counter(worker for job in ran for worker in job.by)
    print(f"\n{len(WORKERS)} workers, two with a GPU that is said; {count} jobs of {len(NEEDS)} kinds of needs:")
    print(f"  {Proportion.of(routed.once, count)} ran exactly once; a worker: {dict(sorted(where.items()))}")
    for line in routed.failed:
        print(f"  failed: {line}")
    print(f"  {Proportion.of(len(routed.elsewhere), count)} where they may not: {routed.elsewhere or 'none'}")
    print(f"  {Proportion.of(len(routed.passed), count)} passed over by a later one: {routed.passed or 'none'}")
    median, longest = np.median(routed.idle), max(routed.idle)
    print(f"  a worker that may run it did nothing while a job waited: median {median:.2f} s, longest {longest:.2f} s")


def _ran(made: world.World, count: int) -> list[Ran]:
    """Schedules jobs of random needs, and waits until they have ended."""
    import fiftyone.operators as foo

    from loupe.brain.store import jobs

    rng = np.random.default_rng(0)
    # each kind of need comes before any comes again
    order = [str(need) for _ in range(-(-count // len(NEEDS))) for need in rng.permutation(list(NEEDS))][:count]
    with world.dataset(world.pictures(made.place(), count + 1)[:count]) as dataset:
        needs: dict[Any, str] = {}
        for at, need in enumerate(order):
            verb, params, target, _ = NEEDS[need]
            context: dict[str, Any] = {"params": params, **({"delegation_target": target} if target else {})}
            if verb == "generate":
                drawn = {"prompts": f'a red sign that says "{at}"', "output_dir": str(made.place())}
                context |= {"dataset": dataset, "params": {**params, **drawn}}
            else:
                context["view"] = dataset.skip(at).limit(1)
            needs[foo.execute_operator(f"@loupe/loupe/{verb}", context, request_delegation=True).result["id"]] = need
        documents: list[dict[str, Any]] = []

        def ended() -> bool:
            documents[:] = jobs._operations().find({"_id": {"$in": list(needs)}})
            # its last line comes right after it
            return all(
                document["run_state"] in ("completed", "failed") and " s)" in (document.get("log_tail") or "")
                for document in documents
            )

        until(ended)
    return [_read(document, needs[document["_id"]]) for document in documents]


def _read(document: dict[str, Any], need: str) -> Ran:
    begun = [line for line in document["log_tail"].splitlines() if "INFO Loupe: " in line and ", Loupe " in line]
    by = tuple(line.split("INFO Loupe: ")[1].partition(": ")[2].rpartition(", Loupe ")[0] for line in begun)
    error = str(document["result"]["error"]).strip().splitlines()[-1] if document["run_state"] == "failed" else ""
    ended = document.get("completed_at") or document["failed_at"]
    return Ran(need, by, error, document["queued_at"], document["started_at"], ended)
