"""Jobs are canceled at any moment: how soon is their worker free, and is anything half there, or left behind?"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

from benchmarks.faults import world
from benchmarks.faults.fleet import until

_VECTORS = {"embeddings": "vectors"}
_SIDES = {"real": "saved view: real", "spectra": False, "settings": True}
#: verbs with long calculations, which one call of a library may be, and their settings
LONG: dict[str, dict[str, Any]] = {
    "embed": {"embedder": "hog", "settings": True},
    "find_clusters": {"n": 40, **_VECTORS},
    "find_outliers": {"field": "vectors"},
    "find_label_issues": {"label": "ground_truth", **_VECTORS},
    "compare_to_real": {"embeddings": ["vectors"], "label": "ground_truth", **_SIDES},
    "test_transfer": {
        "real_train": "saved view: real",
        "real_test": "saved view: test",
        "label": "ground_truth",
        **_VECTORS,
    },
    "split": {"sizes": "train 0.7, test 0.3", "stratify": ["ground_truth"], "field": "split"},
    "select": {"n": 2000, **_VECTORS, "settings": True},
    "discover_slices": {"failure": "blur", **_VECTORS, "settings": True},
    "find_drift": {"reference": "saved view: real", **_VECTORS, "settings": True},
    "find_shortcuts": {"label": "ground_truth", "settings": True},
    "coverage": {"by": ["scenario.place"], "label": "ground_truth", **_VECTORS, "settings": True},
    "find_duplicates": {"settings": True},
    "report": {"examples": 24, "settings": True},
}
#: verbs of these are called with a part of the samples, as the others are what they are compared with
_PART = frozenset({"compare_to_real", "test_transfer", "find_drift"})


@dataclass
class Cancelled:
    """What became of canceled jobs of a verb.

    Attributes:
        verb: which
        whole: seconds that an undisturbed one takes
        seconds: from each cancel until its worker was free
        cpu: of these, of the CPU of the worker and its processes, which the load of a machine leaves as they are
        ended: how many had ended by themselves before
        half: samples that were half written; None: nobody looked
        left: processes and files that were left behind; None: nobody looked
        lost: how many cost the process that ran them, which the worker starts anew
        failed: why it was not even tried
    """

    verb: str
    whole: float
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    ended: int = 0
    half: int | None = 0
    left: int | None = 0
    lost: int = 0
    failed: str = ""

    def take(self, spent: tuple[float, float]) -> None:
        """Takes in the seconds until a worker was free, and those of CPU, right after."""
        self.seconds.append(spent[0])
        self.cpu.append(spent[1])
        self.lost += not _jobs()

    def __str__(self) -> str:
        if self.failed:
            return f"{self.verb} fails undisturbed: {self.failed}"
        of = [(np.median(each), max(each)) if each else (np.nan, np.nan) for each in (self.seconds, self.cpu)]
        spent = " ".join(f"{median:9.2f} {worst:10.2f}" for median, worst in of)
        known = ("-" if count is None else str(count) for count in (self.ended, self.lost, self.half, self.left))
        counts = " ".join(f"{count:>5}" for count in known)
        return f"{self.verb:18} {self.whole:7.1f} {len(self.seconds):5} {spent} {counts}"


HEAD = (
    f"{'canceled':18} {'whole s':>7} {'tries':>5} {'median s':>9} {'longest s':>10} {'CPU s':>9} {'longest':>10} "
    f"{'ended':>5} {'lost':>5} {'half':>5} {'left':>5}"
)


@contextmanager
def known(folder: Path, count: int) -> Iterator[Any]:
    """Gives a dataset of so many small pictures with vectors, classes, scores and prompts."""
    import fiftyone as fo

    import loupe

    rng = np.random.default_rng(0)
    paths = [folder / f"{at}.png" for at in range(32)]
    for path in paths:
        small = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(small).resize((64, 64), Image.Resampling.BICUBIC).save(path)
    codes = rng.integers(0, 10, count)
    vectors = rng.normal(size=(count, 64)) + 2 * rng.normal(size=(10, 64))[codes]
    samples = [
        fo.Sample(
            filepath=str(paths[at % 32]),
            vectors=vectors[at],
            ground_truth=fo.Classification(label=f"class {codes[at]}"),
            prompt=f"picture {at}",
            scenario=fo.DynamicEmbeddedDocument(place=f"place {rng.integers(8)}", time=f"time {rng.integers(6)}"),
        )
        for at in range(count)
    ]
    made = fo.Dataset(persistent=True)
    try:
        made.add_samples(samples, dynamic=True, progress=False)
        loupe.check(made, ["sharpness"])
        loupe.flag(made, {"blur": loupe.Threshold("<", float(np.median(made.values("quality.sharpness"))))})
        made.save_view("synthetic", made[: count // 2])
        made.save_view("real", made[count // 2 : count * 3 // 4])
        made.save_view("test", made[count * 3 // 4 :])
        yield made
    finally:
        made.delete()


def cancelled(place: Path, log: Path, dataset: Any, verb: str, tries: int) -> Cancelled:
    """Runs a verb once, and cancels it at moments of what that took."""
    job, started = _begun(dataset, verb, place, log)
    until(lambda: f"operation {job}: completed" in log.read_text() or _failed(job))
    made = Cancelled(verb, time.monotonic() - started, failed=_failed(job))
    if made.failed:
        return made
    rng = np.random.default_rng(0)
    while len(made.seconds) < tries and made.ended < 3 * tries:
        _again(dataset, verb)
        _tried(made, dataset, place, log, float(rng.uniform(0.05, 0.95)) * made.whole)
    return made


def stopped(job: Any, log: Path) -> tuple[float, float] | None:
    """Cancels a job; returns the seconds until its worker was free, and those of CPU; None where it had ended."""
    from loupe.brain.store import jobs

    # what the worker starts meanwhile, to be ready for the next job, is not of this one
    ran = [*_workers(), *_jobs()]
    before = _spent(ran)
    if not jobs.cancel(job):
        return None
    started, latest = time.monotonic(), dict(before)
    ends = [f"operation {job}: {end}" for end in ("stopped", "its state")]

    def ended() -> bool:
        latest.update(_spent(ran))
        return any(end in log.read_text() for end in ends)

    until(ended)
    return time.monotonic() - started, sum(latest.values()) - sum(before.values())


def _spent(processes: list[psutil.Process]) -> dict[psutil.Process, float]:
    """Returns the seconds of CPU of those that have not ended."""
    spent = {}
    for process in processes:
        with suppress(psutil.Error):
            times = process.cpu_times()
            spent[process] = times.user + times.system
    return spent


def _tried(made: Cancelled, dataset: Any, place: Path, log: Path, after: float) -> None:
    files = set(place.iterdir())
    job, started = _begun(dataset, made.verb, place, log)
    while time.monotonic() - started < after:
        time.sleep(0.01)
    spent = stopped(job, log)
    if spent is None:
        made.ended += 1
        return
    made.take(spent)
    dataset.reload()
    made.half = (made.half or 0) + world.half(dataset)
    # a report is there as a whole, or not at all
    files = {path for path in place.iterdir() if path.suffix != ".html"} - files
    # beside the one that runs jobs
    made.left = (made.left or 0) + len(files) + max(0, len(_jobs()) - 1)


def _jobs() -> list[psutil.Process]:
    """Returns the processes that workers started."""
    return [child for worker in _workers() for child in worker.children(recursive=True)]


def _workers() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "worker" in child.cmdline()]


def scheduled(dataset: Any, verb: str, place: Path) -> Any:
    """Schedules a job of a verb of ``LONG``; returns its id."""
    import fiftyone.operators as foo

    context: dict[str, Any] = {"params": dict(LONG[verb])}
    if verb == "report":
        context["params"]["path"] = str(place / "report.html")
    context["view" if verb in _PART else "dataset"] = dataset.load_saved_view("synthetic") if verb in _PART else dataset
    return foo.execute_operator(f"@loupe/loupe/{verb}", context, request_delegation=True).result["id"]


def _begun(dataset: Any, verb: str, place: Path, log: Path) -> tuple[Any, float]:
    """Schedules a job; returns its id, and when it was taken."""
    job = scheduled(dataset, verb, place)
    until(lambda: f"operation {job}: started" in log.read_text())
    return job, time.monotonic()


def _failed(job: Any) -> str:
    from loupe.brain.store import jobs

    document = jobs._operations().find_one({"_id": job}) or {}
    return str((document.get("result") or {}).get("error")) if document.get("run_state") == "failed" else ""


def _again(dataset: Any, verb: str) -> None:
    """Takes away what a run has left, so that the next one does the same."""
    own: Mapping[str, list[str]] = {"embed": ["embeddings"], "find_duplicates": ["fingerprint"]}
    dataset.reload()
    for name in own.get(verb, []):
        if dataset.has_field(name):
            dataset.delete_sample_field(name)
    for key in dataset.list_brain_runs():
        dataset.delete_brain_run(key)
