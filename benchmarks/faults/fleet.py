"""Several real workers on one queue: is each job run exactly once, and how soon does a cancelled one stop?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.faults import world
from loupe.brain.core.proportions import Proportion

_PATIENCE = 240.0
_SIGN = {"prompts": 'a red sign that says "4", day, clear', "settings": True, "steps": 150}
#: the jobs that are cancelled: a verb, its settings, and how its progress begins once it works
_CANCELLED: dict[str, tuple[str, dict[str, Any], str]] = {
    "check": ("check", {"checks": ["halo", "motion_blur", "color_bleeding"], "batch_size": 64}, "loading"),
    "check, people": ("check", {"checks": ["hands", "faces", "body"], "batch_size": 64}, "loading"),
    "embed": ("embed", {"embedder": "hog", "settings": True, "batch_size": 128}, "loading"),
    "generate": ("generate", {**_SIGN, "images_per_prompt": 64, "batch_size": 64}, "generating"),
}


def print_fleet(workers: int, jobs: int, tries: int, samples: int, verbs: Sequence[str]) -> None:
    """Prints how many jobs ran exactly once, and the seconds from cancel to stop for each verb.

    Args:
        workers: how many take jobs at once
        jobs: how many short jobs they share; 0: that is left out
        tries: jobs of each verb that are cancelled
        samples: of the dataset that the long calculations are of
        verbs: only those; all of them by default
    """
    from benchmarks.faults import cancels

    with world.opened() as made:
        if jobs:
            with _started(made, workers):
                once, shares = _once(made, jobs)
            print(f"{workers} workers, {jobs} jobs: {Proportion.of(once, jobs)} ran exactly once")
            print(f"  jobs a worker: {', '.join(f'{name} {count}' for name, count in sorted(shares.items()))}")
        with _started(made, 1):
            print(f"\n{'cancelled':18} {'tries':>5} {'median s':>9} {'longest s':>10}  of a batch that takes longer")
            for name, (verb, params, phase) in _CANCELLED.items():
                if not verbs or verb in verbs:
                    seconds = [_cancelled(made, verb, params, phase, seed) for seed in range(tries)]
                    print(f"{name:18} {tries:5} {np.median(seconds):9.2f} {max(seconds):10.2f}", flush=True)
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
def _started(made: world.World, count: int) -> Iterator[None]:
    """Gives so many workers, real commands, that end with the block."""
    import fiftyone.core.odm as odm

    from loupe.brain.store.workers import workers

    for name in ("delegated_ops", "loupe_workers", "loupe_worker_status"):
        odm.get_db_conn()[name].delete_many({})
    command = [sys.executable, "-W", "ignore", "-m", "loupe.brain.cli", "worker", "--device", "cpu", "--poll", "0.05"]
    log = open(made.folder / "workers.log", "ab")  # noqa: SIM115
    processes = [
        subprocess.Popen([*command, "--name", f"worker {at + 1}"], stdout=log, stderr=log) for at in range(count)
    ]
    try:
        until(lambda: len(workers()) == count)
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


def _cancelled(made: world.World, verb: str, params: dict[str, Any], phase: str, seed: int) -> float:
    """Returns the seconds from cancelling a job in the middle of a batch until its worker is free."""
    import fiftyone.operators as foo

    from loupe.brain.store import jobs
    from loupe.brain.store.workers import workers_with_status

    paths = [] if verb == "generate" else _large(made.place(), seed)
    with world.dataset(paths) as dataset:
        given = {**params, "output_dir": str(made.place())} if verb == "generate" else params
        context = {"dataset": dataset, "params": given}
        job = foo.execute_operator(f"@loupe/loupe/{verb}", context, request_delegation=True).result["id"]
        log = made.folder / "workers.log"
        until(lambda: phase in _message(job) or _message(job) == "ended")
        time.sleep(0.5 + np.random.default_rng(seed).uniform(0, 1))
        started = time.monotonic()
        if not jobs.cancel(job):
            raise SystemExit(f"{verb} had ended before it could be cancelled: {_message(job)}")
        line = f"operation {job}: stopped"
        until(lambda: line in log.read_text())
        seconds = time.monotonic() - started
        until(lambda: bool(workers_with_status()))
        return seconds


def _message(job: Any) -> str:
    from loupe.brain.store import jobs

    document = jobs._operations().find_one({"_id": job}) or {}
    ended = document.get("run_state") in ("completed", "failed")
    return "ended" if ended else str((document.get("status") or {}).get("label") or "")


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
