"""Two real processes work on one dataset at the same time: what is lost, doubled or half afterwards.

Each situation starts both sides at the same moment, over and over. Both hold the dataset as it was before, as two
people with a notebook each do. A killed side is a process that ends by SIGKILL at a moment of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.faults.noise import Noise
from loupe.brain.core.records import Box, Output, Scores
from loupe.brain.core.specs import Check
from loupe.brain.imaging.batches import ImageBatch

_SAMPLES, _KEYS, _RUNS = 60, 8, 5


def _check(side: str) -> Check:
    @dataclass(frozen=True)
    class Sided(Check):
        """A check of one side."""

        name = side
        version = 1
        reference = "this benchmark"
        license = "Apache-2.0"
        outputs = (Output(f"{side}_score", "0 to 1", False, (0, 1), "A score"),)
        boxes_field = "flaws"

        def load(self, device: str) -> Callable[[ImageBatch], Scores]:
            raise NotImplementedError

    return Sided()


def _write_verdicts(dataset: Any, side: str, folder: Path) -> None:
    """Scores, boxes and a reason of each sample, in chunks."""
    from loupe.brain.engine.reader import Row
    from loupe.brain.engine.runner import Verdict
    from loupe.brain.store import fields, scores

    check = _check(side)
    fields.declare(dataset, scores.fields_of([check]))
    ids = dataset.values("id")
    # one begins at the front, the other at the back: each has samples that it is the first on
    for start in range(0, len(ids), 10):
        part = ids[start : start + 10] if side == "left" else ids[::-1][start : start + 10]
        rows = [Row(sample_id, "x", {}, frozenset({side}), {side: "key"}) for sample_id in part]
        boxes = {side: (Box(side, (0, 0, 1, 1)),)}
        scores.write(
            dataset, [Verdict(row, {f"{side}_score": 0.5}, {side: "why"}, boxes, {}, {}) for row in rows], [check]
        )


def _counted_verdicts(dataset: Any, folder: Path) -> Counter[str]:
    lost: Counter[str] = Counter()
    sides = ["left", "right"]
    for document in dataset._sample_collection.find({}):
        whole = (
            sorted(document["checked"]) == sides
            and sorted(box["check"] for box in document["flaws"]["detections"]) == sides
            and sorted(label["label"] for label in document["unknown"]["classifications"]) == sides
            and {"left_score", "right_score"} <= document["quality"].keys()
        )
        lost["lost"] += not whole
    for side in sides:
        lost["lost"] += not dataset.has_field(f"quality.{side}_score")
    return lost


def _set_thresholds(dataset: Any, side: str, folder: Path) -> None:
    from loupe.brain.core.records import Threshold
    from loupe.brain.store import runs

    for number in range(_KEYS):
        runs.save_thresholds(dataset, {f"{side}_{number}": Threshold("<", number / 10)})


def _counted_thresholds(dataset: Any, folder: Path) -> Counter[str]:
    from loupe.brain.store import runs

    return Counter(lost=2 * _KEYS - len(runs.load_thresholds(dataset)))


def _keep_runs(dataset: Any, side: str, folder: Path) -> None:
    from loupe.brain.core.results import Run
    from loupe.brain.store import runs

    for number in range(_RUNS):
        runs.keep(dataset, "check", lambda key, n=number: Run(key, "check", n, params={"side": side}))  # type: ignore[misc]


def _counted_runs(dataset: Any, folder: Path) -> Counter[str]:
    from loupe.brain.store import runs

    kept = [runs.load(dataset, key) for key in runs.listed(dataset)]
    by_side = Counter((run["params"]["side"], run["n"]) for run in kept)
    return Counter(lost=2 * _RUNS - len(by_side), doubled=len(kept) - len(by_side), half=_half_runs(dataset))


def _half_runs(dataset: Any) -> int:
    from loupe.brain.store import runs

    return len(set(dataset.list_runs()) - set(runs.listed(dataset)))


def _declare(dataset: Any, side: str, folder: Path) -> None:
    from loupe.brain.store import fields

    for number in range(_KEYS):
        output = Output(f"{side}_{number}", "0 to 1", False, (0, 1), "A score")
        fields.declare(dataset, fields.of_scores([output], [f"{side}_boxes_{number}"]))


def _counted_fields(dataset: Any, folder: Path) -> Counter[str]:
    names = [f"{side}_{number}" for side in ("left", "right") for number in range(_KEYS)]
    return Counter(lost=sum(not dataset.has_field(f"quality.{name}") for name in names))


def _generate(dataset: Any, side: str, folder: Path) -> None:
    import loupe

    loupe.generate(dataset, [f"prompt {number}" for number in range(_KEYS)], model=Noise(), output_dir=folder / side)


def _counted_generated(dataset: Any, folder: Path) -> Counter[str]:
    keys = dataset.values("generation.key")
    return Counter(lost=_KEYS - len(set(keys)), doubled=len(keys) - len(set(keys)))


def _import(dataset: Any, side: str, folder: Path) -> None:
    import loupe

    loupe.import_images(dataset, folder)


def _counted_imported(dataset: Any, folder: Path) -> Counter[str]:
    paths = dataset.values("filepath")
    return Counter(lost=_KEYS - len(set(paths)), doubled=len(paths) - len(set(paths)))


@dataclass(frozen=True)
class Situation:
    """What both sides do, and what is wrong afterwards.

    Attributes:
        act: what a side does to the dataset; gets its name and a folder
        count: says what is lost, doubled or half
        samples: whether the dataset has samples before
    """

    act: Callable[[Any, str, Path], None]
    count: Callable[[Any, Path], Counter[str]]
    samples: bool = True


SITUATIONS = {
    "verdicts": Situation(_write_verdicts, _counted_verdicts),
    "thresholds": Situation(_set_thresholds, _counted_thresholds),
    "runs": Situation(_keep_runs, _counted_runs),
    "fields": Situation(_declare, _counted_fields),
    "generate": Situation(_generate, _counted_generated, samples=False),
    "import": Situation(_import, _counted_imported, samples=False),
}


class Side:
    """A process of its own that does what it is told by a line."""

    def __init__(self, name: str) -> None:
        self.name = name
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.faults.writers", name]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
        )
        self.answer()

    def tell(self, *words: str) -> None:
        """Sends a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()

    def answer(self) -> str:
        """Returns what comes back; empty where the process is gone."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("> "):
                return line[2:].strip()
        return ""

    def end(self) -> None:
        """Ends the process."""
        self.process.kill()
        self.process.wait(30)


def serve(name: str) -> None:
    """What a side runs: it loads the dataset, says so, and acts at the moment it is told."""
    import fiftyone as fo

    print("> ready", flush=True)
    for line in sys.stdin:
        situation, dataset_name, folder, moment = json.loads(line)
        dataset = fo.load_dataset(dataset_name)
        print("> loaded", flush=True)
        time.sleep(max(0.0, float(moment) - time.time()))
        try:
            SITUATIONS[situation].act(dataset, name, Path(folder))
            print("> done", flush=True)
        except Exception as error:
            print(f"> {type(error).__name__}: {str(error)[:200]}".replace("\n", " "), flush=True)


@contextmanager
def _prepared(situation: Situation) -> Iterator[tuple[Any, Path]]:
    import fiftyone as fo

    with tempfile.TemporaryDirectory() as folder:
        for number in range(_KEYS):
            rng = np.random.default_rng(number)
            Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(f"{folder}/{number}.png")
        dataset = fo.Dataset()
        if situation.samples:
            new = [fo.Sample(filepath=f"/nowhere/{number}.png") for number in range(_SAMPLES)]
            dataset.add_samples(new, progress=False)
        yield dataset, Path(folder).resolve()
        dataset.delete()


def tried(name: str, sides: tuple[Side, Side], tries: int) -> Counter[str]:
    """Lets both sides do the same at the same time; returns what was lost, doubled or half, and errors.

    Args:
        name: of the situation
        sides: two running processes
        tries: how often
    """
    situation, counts = SITUATIONS[name], Counter[str](lost=0, doubled=0, half=0, errors=0)
    for _ in range(tries):
        with _prepared(situation) as (dataset, folder):
            moment = str(time.time() + 0.3)
            for side in sides:
                side.tell(name, dataset.name, str(folder), moment)
            for side in sides:
                side.answer()
            answers = [side.answer() for side in sides]
            counts["errors"] += sum(answer != "done" for answer in answers)
            for answer in answers:
                if answer != "done":
                    print(f"  {name}: {answer}")
            dataset.reload()
            counts += situation.count(dataset, folder)
    return counts


def killed(name: str, tries: int, seed: int = 0) -> Counter[str]:
    """Kills a side somewhere in the middle, and lets another do the same to its end; returns what is wrong then."""
    situation, counts = SITUATIONS[name], Counter[str](lost=0, doubled=0, half=0, errors=0)
    rng = np.random.default_rng(seed)
    for _ in range(tries):
        with _prepared(situation) as (dataset, folder):
            victim, heir = Side("left"), Side("left")
            try:
                victim.tell(name, dataset.name, str(folder), "0")
                victim.answer()
                time.sleep(float(rng.uniform(0, 0.25)))
                victim.end()
                dataset.reload()
                counts["half"] += _half_runs(dataset)
                heir.tell(name, dataset.name, str(folder), "0")
                heir.answer()
                counts["errors"] += heir.answer() != "done"
                dataset.reload()
                if name in ("generate", "import"):
                    counts += situation.count(dataset, folder)
            finally:
                victim.end()
                heir.end()
    return counts


def print_writers(tries: int = 20) -> None:
    """Prints a table of every situation."""
    print(f"\n{'two writers':14}  tries  lost  doubled  half  errors")
    sides = Side("left"), Side("right")
    try:
        for name in SITUATIONS:
            _print_row(name, tries, tried(name, sides, tries))
    finally:
        for side in sides:
            side.end()
    few = max(1, tries // 4)
    print(f"{'killed':14}")
    for name in ("runs", "generate", "import"):
        _print_row(name, few, killed(name, few))


def _print_row(name: str, tries: int, counts: Counter[str]) -> None:
    numbers = (counts[key] for key in ("lost", "doubled", "half", "errors"))
    print(f"{name:14}  {tries:5}  {next(numbers):4}  {next(numbers):7}  {next(numbers):4}  {next(numbers):6}")


if __name__ == "__main__":
    with suppress(KeyboardInterrupt, BrokenPipeError):
        os.environ.setdefault("FIFTYONE_DO_NOT_TRACK", "true")
        serve(sys.argv[1])
