"""Several real workers on one queue: is each job run exactly once, and how soon does a canceled one stop?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from benchmarks.faults import world
from loupe.brain.core.proportions import Proportion

if TYPE_CHECKING:
    from benchmarks.faults import cancels

_PATIENCE = 240.0
_SIGN = {"prompts": 'a red sign that says "4", day, clear', "settings": True, "steps": 150}
#: the jobs that are canceled: a verb, its settings, and how its progress begins once it works
_CANCELLED: dict[str, tuple[str, dict[str, Any], str]] = {
    "check": ("check", {"checks": ["halo", "motion_blur", "color_bleeding"], "batch_size": 64}, "loading"),
    "check, people": ("check", {"checks": ["hands", "faces", "body"], "batch_size": 64}, "loading"),
    "embed": ("embed", {"embedder": "hog", "settings": True, "batch_size": 128}, "loading"),
    "generate": ("generate", {**_SIGN, "images_per_prompt": 64, "batch_size": 64}, "generating"),
}


def print_fleet(workers: int, jobs: int, needs: int, tries: int, samples: int, verbs: Sequence[str]) -> None:
    """Prints how many jobs ran exactly once and where they may, and the seconds from cancel to stop for each verb.

    Args:
        workers: how many take jobs at once
        jobs: how many short jobs they share; 0: that is left out
        needs: how many jobs with needs are shared by two workers with a GPU and one without; 0: that is left out
        tries: jobs of each verb that are canceled; 0: none
        samples: of the dataset that the long calculations are of
        verbs: only those; all of them by default
    """
    from benchmarks.faults import cancels, needing

    with world.opened() as made:
        if jobs:
            with started(made, {f"worker {at + 1}": ["--device", "cpu"] for at in range(workers)}):
                once, shares = _once(made, jobs)
            print(f"{workers} workers, {jobs} jobs: {Proportion.of(once, jobs)} ran exactly once")
            print(f"  jobs a worker: {', '.join(f'{name} {count}' for name, count in sorted(shares.items()))}")
        if needs:
            needing.print_needing(made, needs)
        if tries:
            with started(made, {"worker": ["--device", "cpu"]}):
                print(f"\n{cancels.HEAD}  of a batch that takes longer")
                for name, (verb, params, phase) in _CANCELLED.items():
                    if not verbs or name in verbs:
                        print(_cancelled(made, name, verb, params, phase, tries), flush=True)
                print(f"\n{cancels.HEAD}  of {samples:,} samples, at any moment")
                with cancels.known(made.place(), samples) as dataset:
                    for verb in cancels.LONG:
                        if not verbs or verb in verbs:
                            log = made.folder / "workers.log"
                            print(cancels.cancelled(made.place(), log, dataset, verb, tries), flush=True)
    load = os.getloadavg()[1] if hasattr(os, "getloadavg") else float("nan")
    print(f"\n{os.cpu_count()} cores, load {load:.1f}, CPU only; seconds are wall time, and grow with the load.")
    print("lost: jobs whose process was ended, which takes 1 s; half: samples; left: files and processes.")


@contextmanager
def started(made: world.World, named: Mapping[str, Sequence[str]], hook: Path | None = None) -> Iterator[None]:
    """Gives workers, real commands, that end with the block.

    Args:
        made: where
        named: their names, and what else each command is given
        hook: a folder that Python finds first in their processes
    """
    import fiftyone.core.odm as odm

    from loupe.brain.store.workers import workers

    for name in ("delegated_ops", "loupe_workers", "loupe_worker_status"):
        odm.get_db_conn()[name].delete_many({})
    command = [sys.executable, "-W", "ignore", "-m", "loupe.brain.cli", "worker", "--poll", "0.05"]
    environment = dict(os.environ)
    if hook is not None:
        environment["PYTHONPATH"] = os.pathsep.join([str(hook), environment.get("PYTHONPATH", "")])
    log = open(made.folder / "workers.log", "ab")  # noqa: SIM115
    processes = [
        subprocess.Popen([*command, "--name", name, *more], stdout=log, stderr=log, env=environment)
        for name, more in named.items()
    ]
    try:
        until(lambda: len(workers()) == len(named))
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        for process in processes:
            process.wait(60)
        log.close()


def until(condition: Callable[[], Any]) -> None:
    """Waits for something that comes.

    Raises:
        SystemExit: it does not
    """
    end = time.monotonic() + _PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("the workers do not answer")
        time.sleep(0.02)


def _once(made: world.World, count: int) -> tuple[int, dict[str, int]]:
    """Returns how many of so many jobs ran exactly once, and how many each worker took."""
    import fiftyone.operators as foo

    from loupe.brain.store import jobs

    with world.dataset(world.pictures(made.place(), count + 1)[:count]) as dataset:
        ids = []
        for at in range(count):
            context = {"view": dataset.skip(at).limit(1), "params": {"checks": ["exposure"]}}
            ids.append(foo.execute_operator("@loupe/loupe/check", context, request_delegation=True).result["id"])
        documents: list[dict[str, Any]] = []

        def done() -> bool:
            documents[:] = jobs._operations().find({"_id": {"$in": ids}})
            return all(document["run_state"] in ("completed", "failed") for document in documents)

        until(done)
        dataset.reload()
        shares: dict[str, int] = {}
        once = 0
        for document in documents:
            begun = [line for line in document["log_tail"].splitlines() if "INFO Loupe: check images: " in line]
            for line in begun:
                name = line.partition("images: ")[2].partition(",")[0]
                shares[name] = shares.get(name, 0) + 1
            once += len(begun) == 1 and document["run_state"] == "completed"
        # each time that a job runs keeps a run
        return (once if len(dataset.list_runs()) == count else min(once, len(dataset.list_runs()))), shares


def _cancelled(
    made: world.World, name: str, verb: str, params: dict[str, Any], phase: str, tries: int
) -> cancels.Cancelled:
    """Cancels jobs of a verb in the middle of a batch."""
    from benchmarks.faults.cancels import Cancelled, stopped
    from loupe.brain.store.workers import workers_with_status

    outcome = Cancelled(name, float("nan"), half=None, left=None)
    for seed in range(tries):
        with _begun(made, verb, params, seed) as job:
            until(lambda job=job: phase in _message(job) or _message(job).startswith("ended"))
            time.sleep(0.5 + np.random.default_rng(seed).uniform(0, 1))
            spent = stopped(job, made.folder / "workers.log")
            if spent is None:
                outcome.failed = outcome.failed or _message(job).removeprefix("ended: ")
                outcome.ended += 1
                continue
            outcome.take(spent)
            until(lambda: bool(workers_with_status()))
    return outcome


@contextmanager
def _begun(made: world.World, verb: str, params: dict[str, Any], seed: int) -> Iterator[Any]:
    """Schedules a job of large pictures, or of many images to draw; gives its id."""
    import fiftyone.operators as foo

    with world.dataset([] if verb == "generate" else _large(made.place(), seed)) as dataset:
        given = {**params, "output_dir": str(made.place())} if verb == "generate" else params
        context = {"dataset": dataset, "params": given}
        yield foo.execute_operator(f"@loupe/loupe/{verb}", context, request_delegation=True).result["id"]


def _message(job: Any) -> str:
    from loupe.brain.store import jobs

    document = jobs._operations().find_one({"_id": job}) or {}
    if document.get("run_state") in ("completed", "failed"):
        return f"ended: {(document.get('result') or {}).get('error') or 'it was too fast'}"
    return str((document.get("status") or {}).get("label") or "")


def _large(folder: Path, seed: int) -> list[Path]:
    """Writes pictures of 2 MP: a batch of them takes many seconds."""
    rng = np.random.default_rng(seed)
    paths = []
    for at in range(8):
        small = rng.integers(0, 256, (90, 120, 3), dtype=np.uint8)
        path = folder / f"{at}.jpg"
        Image.fromarray(small).resize((1600, 1200), Image.Resampling.BICUBIC).save(path, quality=90)
        paths.append(path)
    return [paths[at % 8] for at in range(256)]
