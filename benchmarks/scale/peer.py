"""The same flow by LightlyStudio and by Loupe in FiftyOne: open, scores put in, filter, tag, rates, duplicates.

LightlyStudio stands in an environment of its own, whose Python is named by ``--peer``. As a module of its own,
``python -m benchmarks.scale.peer lightly|loupe FOLDER N``. What one of them does not have is left out and named.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from benchmarks.commands import Family

STEPS = ("open", "put in scores", "filter", "tag", "rates by a factor", "duplicates")
_WEATHERS = np.array(["clear", "fog", "rain"])


def run(given: argparse.Namespace) -> None:
    """Prints a line for each of the two."""
    # the peer's Python has none of these
    from benchmarks.figures import header, row
    from benchmarks.scale.files import write_files
    from benchmarks.speed.end_to_end import own_database

    with tempfile.TemporaryDirectory() as scratch, own_database():
        folder = Path(scratch) / "files"
        header("by", "files", *(f"{step}: s (CPU)" for step in STEPS), "GiB at most")
        for n in given.n:
            write_files(folder / str(n), n)
            for who, python in (("lightly", given.peer), ("loupe", sys.executable)):
                command = [python, "-m", "benchmarks.scale.peer", who, str(folder / str(n)), str(n)]
                paths = [str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")]
                environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
                done = subprocess.run(
                    command, capture_output=True, text=True, check=False, env=environment, cwd=scratch
                )
                if done.returncode:
                    row(who, f"{n:,}", "failed", done.stderr[-600:].replace("\n", " "))
                    continue
                reported = json.loads(done.stdout.strip().splitlines()[-1])
                row(who, f"{n:,}", *(reported["steps"].get(step, "not there") for step in STEPS), reported["peak"])


def add_to(family: Family) -> None:
    """Adds the command."""
    made = family.command("peer", run, "the same flow by LightlyStudio and by Loupe")
    made.add_argument("-n", type=int, nargs="*", default=[2_000, 20_000], help="how many files")
    made.add_argument("--peer", required=True, help="a Python with lightly-studio")


def _timed(steps: dict[str, str], name: str, work: Callable[[], object]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    steps[name] = f"{time.perf_counter() - wall:.1f} ({time.process_time() - cpu:.1f})"


def _facts(n: int) -> tuple[list[float], list[str]]:
    rng = np.random.default_rng(0)
    return [float(score) for score in rng.random(n)], [str(name) for name in rng.choice(_WEATHERS, n)]


def lightly(folder: str, n: int) -> dict[str, str]:
    """LightlyStudio 1.2: no rates by a factor, no search for duplicates in its interface for Python."""
    import lightly_studio as ls
    from lightly_studio.core.dataset_query import ImageSampleField

    steps: dict[str, str] = {}
    dataset = ls.ImageDataset.create()
    _timed(steps, "open", lambda: dataset.add_images_from_path(folder, embed=False))
    ids = [sample.sample_id for sample in dataset]
    scores, weathers = _facts(n)
    facts = [
        (sample_id, {"blur": score, "weather": weather})
        for sample_id, score, weather in zip(ids, scores, weathers, strict=True)
    ]
    _timed(steps, "put in scores", lambda: dataset.update_metadata(facts))
    near = dataset.query().match(ImageSampleField.metadata["blur"] > 0.9)
    _timed(steps, "filter", lambda: [sample.sample_id for sample in near])
    again = dataset.query().match(ImageSampleField.metadata["blur"] > 0.9)
    _timed(steps, "tag", lambda: again.add_tag("blurred"))
    return steps


def loupe(folder: str, n: int) -> dict[str, str]:
    """Loupe in FiftyOne."""
    import fiftyone as fo
    from fiftyone import ViewField as F

    import loupe as toolkit

    steps: dict[str, str] = {}
    dataset = fo.Dataset()
    _timed(steps, "open", lambda: dataset.add_images_dir(folder, recursive=True, progress=False))
    scores, weathers = _facts(n)
    _timed(
        steps,
        "put in scores",
        lambda: (dataset.set_values("blur", scores), dataset.set_values("weather", weathers)),
    )
    view = dataset.match(F("blur") > 0.9)
    _timed(steps, "filter", lambda: view.values("id"))
    _timed(steps, "tag", lambda: view.tag_samples("blurred"))
    blurred = toolkit.Outcome.field("tags", failed=["blurred"], name="blurred")
    _timed(steps, "rates by a factor", lambda: toolkit.slice(dataset, "weather", outcome=blurred))
    _timed(steps, "duplicates", lambda: toolkit.find_duplicates(dataset, near=False))
    return steps


def main() -> None:
    """Does the flow by one of the two."""
    import resource

    steps = {"lightly": lightly, "loupe": loupe}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"steps": steps, "peak": f"{peak:.2f}"}), flush=True)


if __name__ == "__main__":
    main()
