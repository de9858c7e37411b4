"""How the time of each verb grows with the samples: on many equal files, many prompts, many classes, boxes.

A step that goes through all samples once for each of them is not seen in a thousand, and takes hours of a million.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import figures
from benchmarks.commands import Family
from benchmarks.scale.files import write_files
from benchmarks.speed.end_to_end import own_database
from loupe.brain.core.errors import LoupeError

#: what compares all with all up to 150,000, as docs/million.md says: it may grow with the square of the samples
ALL_WITH_ALL = frozenset(("find_duplicates", "near duplicates of objects", "find_leaks", "find_outliers"))
#: a verb that takes so many seconds and grows faster than samples ** LIMIT is told of
SECONDS, LIMIT = 3.0, 1.5
_CLASSES, _PLACES, _DAYS, _DIMENSIONS = 10, 30, 5, 16

Call = Callable[[Any], object]


def calls() -> dict[str, Call]:
    """Returns what is measured, in the order in which it needs each other."""
    import fiftyone as fo

    import loupe

    day = fo.ViewField("day")
    label, by = "ground_truth", "predictions"
    return {
        "check": lambda made: loupe.check(made, ["exposure", "sharpness"]),
        "flag": lambda made: loupe.flag(made, thresholds={"dark": loupe.Threshold("<", 0.5)}),
        "equal files": lambda made: loupe.find_duplicates(made, near=False),
        "find_duplicates": lambda made: loupe.find_duplicates(made),
        "find_leaks": lambda made: loupe.find_leaks(made, splits=["train", "test"]),
        "deduplicate": lambda made: loupe.deduplicate(made),
        "find_label_issues": lambda made: loupe.find_label_issues(made, label, embeddings="embeddings"),
        "label issues of boxes": lambda made: loupe.find_label_issues(made, "boxes", predictions="predicted_boxes"),
        "slice": lambda made: loupe.slice(made, ["place", "day"]),
        "slice by prompts": lambda made: loupe.slice(made, ["prompt", "day"]),
        "discover_slices": lambda made: loupe.discover_slices(made, by=["prompt", "place"], min_samples=3),
        "evaluate by prompts": lambda made: loupe.evaluate(made, [by], label, by=["prompt"]),
        "evaluate boxes": lambda made: loupe.evaluate(made, ["predicted_boxes"], "boxes", by=["place"]),
        "evaluate many classes": lambda made: loupe.evaluate(made, ["predicted_fine"], "fine"),
        "coverage": lambda made: loupe.coverage(made, ["prompt"], label=label),
        "find_shortcuts": lambda made: loupe.find_shortcuts(made, label, by=["prompt", "place"]),
        "find_bias": lambda made: loupe.find_bias(made, "place", label=label, predictions=[by]),
        "find_drift": lambda made: loupe.find_drift(made.match(day > 0), reference=made.match(day == 0), by="day"),
        "find_clusters": lambda made: loupe.find_clusters(made, 8),
        "find_outliers": lambda made: loupe.find_outliers(made),
        "equal objects": lambda made: loupe.find_duplicates(made, objects="boxes", near=False),
        "near duplicates of objects": lambda made: loupe.find_duplicates(made, objects="boxes"),
        "select": lambda made: loupe.select(made, 30, per=["prompt"], groups=[], without=[]),
        "split": lambda made: loupe.split(made, {"train": 0.7, "val": 0.3}, groups=["prompt"]),
        "relabel": lambda made: loupe.relabel(made, label, top=3),
        "report": lambda made: loupe.report(made, Path(made.first().filepath).parent / "report.html"),
    }


def growth(before: float, now: float, n_before: int, n: int) -> float:
    """Returns the power of the number of samples with which a time grows; NaN where one is not known.

    >>> growth(1.0, 4.0, 1000, 4000), growth(1.0, 16.0, 1000, 4000)
    (1.0, 2.0)
    """
    if math.isnan(before) or math.isnan(now):
        return math.nan
    return math.log(max(now, 1e-3) / max(before, 1e-3)) / math.log(n / n_before)


def filled(folder: Path, n: int, seed: int = 0) -> Any:
    """Returns a dataset of n files of 64 pixels: 400 contents, n / 8 prompts, n / 20 classes, 4 boxes each."""
    import fiftyone as fo

    rng = np.random.default_rng(seed)
    made = fo.Dataset()
    made.add_samples([fo.Sample(path) for path in write_files(folder, n)], progress=False)
    codes, fine = rng.integers(0, _CLASSES, n), rng.integers(0, max(2, n // 20), n)
    wrong = rng.random(n) < 0.2
    columns: dict[str, list[Any]] = {
        "ground_truth": [fo.Classification(label=f"c{code}") for code in codes],
        "predictions": [
            fo.Classification(label=f"c{(code + off) % _CLASSES}", confidence=float(rng.uniform(0.4, 1)))
            for code, off in zip(codes, wrong, strict=True)
        ],
        "fine": [fo.Classification(label=f"k{code}") for code in fine],
        "predicted_fine": [
            fo.Classification(label=f"k{code + off}", confidence=0.7) for code, off in zip(fine, wrong, strict=True)
        ],
        "place": [f"p{code}" for code in rng.integers(0, _PLACES, n)],
        "day": rng.integers(0, _DAYS, n).tolist(),
        "prompt": [f"a picture of {code}" for code in rng.integers(0, max(2, n // 8), n)],
        "tags": [["train"] if share < 0.8 else ["test"] for share in rng.random(n)],
        "embeddings": list((rng.normal(size=(n, _DIMENSIONS)) + 3 * np.eye(_DIMENSIONS)[codes]).astype(np.float32)),
        "boxes": [_boxes(rng, sure=False) for _ in range(n)],
        "predicted_boxes": [_boxes(rng, sure=True) for _ in range(n)],
    }
    for name, values in columns.items():
        made.set_values(name, values)
    return made


def _boxes(rng: np.random.Generator, *, sure: bool) -> Any:
    import fiftyone as fo

    corners, sizes = rng.random((4, 2)) * 0.6, 0.15 + rng.random((4, 2)) * 0.2
    return fo.Detections(
        detections=[
            fo.Detection(
                label=f"c{rng.integers(0, 6)}",
                bounding_box=[*corner.tolist(), *size.tolist()],
                confidence=float(rng.random()) if sure else None,
            )
            for corner, size in zip(corners, sizes, strict=True)
        ]
    )


def measured(numbers: Sequence[int], only: Sequence[str] | None = None) -> dict[str, list[float]]:
    """Returns the seconds of processor time of each call at each number of samples; NaN where it refused them."""
    taken: dict[str, list[float]] = {}
    for n in numbers:
        with tempfile.TemporaryDirectory() as folder:
            made = filled(Path(folder), n)
            for name, call in calls().items():
                if only and name not in only:
                    continue
                used = time.process_time()
                try:
                    call(made)
                    seconds = time.process_time() - used
                except LoupeError as error:
                    # such as of more slices than are measured at all
                    print(f"{name} of {n:,} samples: {error}", file=sys.stderr)
                    seconds = math.nan
                taken.setdefault(name, []).append(seconds)
            made.delete()
    return taken


def run(given: argparse.Namespace) -> None:
    """Prints a line for each call.

    Raises:
        SystemExit: one grows faster than it should
    """
    if len(given.n) < 2 or sorted(set(given.n)) != given.n:
        raise SystemExit(f"expected two or more numbers of samples, ascending, got {given.n}")
    with own_database():
        # what is loaded once is loaded by a few
        taken = measured([min(400, given.n[0]), *given.n], given.only)
    figures.header("verb", *(f"{n:,}: CPU s" for n in given.n), "grows with samples to the power of")
    steep = []
    for name, seconds in taken.items():
        power = growth(*seconds[-2:], *given.n[-2:])
        shown = f"{power:.2f}" if seconds[-1] >= 0.5 else "– (too quick to tell, or refused)"
        figures.row(name, *(f"{each:.2f}" for each in seconds[1:]), shown)
        if name not in ALL_WITH_ALL and seconds[-1] >= SECONDS and power > LIMIT:
            steep.append(name)
    if steep:
        raise SystemExit(f"too steep: {', '.join(steep)}")


def add_to(family: Family) -> None:
    """Adds the command."""
    made = family.command("growth", run, "how the time of each verb grows with the samples")
    made.add_argument("-n", type=int, nargs="*", default=[3_000, 12_000], help="numbers of samples, ascending")
    made.add_argument("--only", nargs="*", metavar="VERB", help="as they are called in the table")
