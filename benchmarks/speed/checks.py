"""The pixel checks against a bare decode, and against cleanvision."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from benchmarks.pixels.failures import without_model
from benchmarks.speed.pictures import SHAPES, default_checks, write_files
from loupe.brain.core import registry
from loupe.brain.core.specs import Check
from loupe.brain.engine import runner
from loupe.brain.engine.map import needed_long_side
from loupe.brain.engine.reader import Row

ISSUES = ("dark", "light", "odd_aspect_ratio", "low_information", "blurry", "grayscale", "odd_size")
#: a row: its name, and seconds and those of processor time, or None where it was left out
_Timed = tuple[str, tuple[float, float | None] | None]
DUPLICATES = ("exact_duplicates", "near_duplicates")


def bare_decode(paths: Sequence[str], long_side: int | None) -> None:
    """Decodes files on a thread a core, with Pillow, and does nothing else."""

    def decode(path: str) -> None:
        with Image.open(path) as image:
            if long_side is not None:
                scale = long_side / max(image.size)
                image.draft(None, (int(image.width * scale), int(image.height * scale)))
            image.load()

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(decode, paths):
            pass


def at_full_size(check: Check) -> Check:
    """Returns the check as one that every file is decoded for at its own size."""
    return type(check.name, (type(check),), {"long_side": None})()


def run(paths: Sequence[str], names: Sequence[str], *, full_size: bool = False) -> None:
    """Runs checks over files, as ``loupe.check`` does, but for the database."""
    checks = [registry.checks()[name]() for name in names]
    rows = [Row(str(index), path, {}, frozenset(names)) for index, path in enumerate(paths)]
    for _ in runner.run(rows, [at_full_size(check) for check in checks] if full_size else checks):
        pass


def cleanvision(folder: Path, more: Sequence[str] = ()) -> float | None:
    """Returns the seconds of cleanvision, in a process of its own; None where it is not installed.

    Args:
        folder: of pictures
        more: issues to find beside ``ISSUES``
    """
    code = (
        "import sys, time; from cleanvision import Imagelab\n"
        "lab = Imagelab(data_path=sys.argv[1]); started = time.perf_counter()\n"
        f"lab.find_issues({ {name: {} for name in (*ISSUES, *more)}!r}, n_jobs={os.cpu_count()}, verbose=False)\n"
        "print('seconds', time.perf_counter() - started)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("seconds")]
    if not lines:
        print("SKIPPED cleanvision:", (done.stderr.strip().splitlines() or ["no output"])[-1])
        return None
    return float(lines[0].split()[1])


def spent(work: Callable[[], object], rounds: int = 1) -> tuple[float, float]:
    """Returns the seconds of the fastest of some rounds, and the least seconds of processor time of one."""
    walls, processors = [], []
    for _ in range(rounds):
        started, used = time.perf_counter(), all_processor_time()
        work()
        walls.append(time.perf_counter() - started)
        processors.append(all_processor_time() - used)
    return min(walls), min(processors)


def all_processor_time() -> float:
    """Returns the seconds of processor time of this process, and of those that it started and that have ended."""
    return sum(os.times()[:4])


def print_checks(n: int) -> None:
    """Prints the seconds over n JPEGs in four shapes, half as many in as many shapes, and a fifth as many PNGs."""
    known, default = registry.checks(), default_checks()
    pixel = [name for name, check in known.items() if without_model(check)]
    needed = needed_long_side(known[name].long_side for name in default)
    with tempfile.TemporaryDirectory() as folder:
        for suffix, count, ragged in ((".jpg", n, False), (".jpg", n // 2, True), (".png", n // 5, False)):
            place = Path(folder) / f"{suffix[1:]}{ragged}"
            paths = write_files(place, count, suffix, ragged=ragged)
            run(paths[:64], pixel)  # loads what is loaded once
            rows: list[_Timed] = [
                ("bare decode, full size", spent(lambda paths=paths: bare_decode(paths, None), 2)),
                ("default checks, full size", spent(lambda paths=paths: run(paths, default, full_size=True), 2)),
                ("all pixel checks", spent(lambda paths=paths: run(paths, pixel))),
            ]
            if suffix == ".jpg":
                rows.insert(1, ("bare decode, scaled", spent(lambda paths=paths: bare_decode(paths, needed), 2)))
                rows.insert(3, ("default checks, scaled", spent(lambda paths=paths: run(paths, default), 2)))
            peer = cleanvision(place)
            rows.append(("cleanvision", None if peer is None else (peer, None)))
            shapes = "each of its own shape" if ragged else f"in {len(SHAPES)} shapes"
            print(f"\n{count} {suffix[1:].upper()}s of 0.5 MP {shapes}, on {os.cpu_count()} cores")
            _print_rows(rows, count)


def _print_rows(rows: Sequence[_Timed], count: int) -> None:
    seconds = {name: None if figures is None else figures[0] for name, figures in rows}
    for name, figures in rows:
        if figures is None:
            continue
        value, processor = figures
        parts = [f"{name:28} {value:7.2f} s  {count / value:7.0f} images/s"]
        if processor is not None:
            # what a machine that others keep busy can tell
            parts.append(f"{1000 * processor / count:6.2f} ms of processor time each")
        peer = seconds.get("cleanvision")
        if peer and "checks" in name:
            parts.append(f"{peer / value:5.1f} x cleanvision")
        if "default" in name:
            bare = seconds["bare decode, scaled" if "scaled" in name else "bare decode, full size"]
            parts.append(f"{value / (bare or 1):4.2f} x its bare decode")
        print("  ".join(parts))
