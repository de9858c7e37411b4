"""The local engine with threads alone, and with processes that take over, by turns over the same files."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import figures
from benchmarks.pixels.failures import without_model
from benchmarks.speed.checks import all_processor_time, run
from benchmarks.speed.each import ratio
from benchmarks.speed.pictures import default_checks, write_files
from loupe.brain.core import machine, registry
from loupe.brain.engine import map as engines
from loupe.brain.engine import runner
from loupe.brain.engine.reader import Row

_ENGINES = {"threads": "loupe.brain.engine.threads", "local": engines.ENGINES["local"]}
_WIDTHS = (22, 10, 26, 26, 12, 12)


@dataclass(frozen=True)
class Round:
    """One run over all files.

    Attributes:
        whole: seconds, what starts included
        half: seconds of the second half, when processes have taken over
        processor: seconds of processor time, of all processes
        bits: of every score and reason
    """

    whole: float
    half: float
    processor: float
    bits: str


def print_takeover(n: int, rounds: int) -> None:
    """Prints images a second of the default and of all pixel checks, in runs of half a minute or more by threads.

    Args:
        n: JPEGs of 0.5 MP, in four shapes, each judged twice by all pixel checks, and a dozen times by the default ones
        rounds: of each engine
    """
    known = registry.checks()
    sets = {
        "default checks": (default_checks(), 12),
        "all pixel checks": (tuple(name for name, check in known.items() if without_model(check)), 2),
    }
    figures.title(f"JPEGs of 0.5 MP, {rounds} rounds by turns, {machine.cores()} cores; {figures.machine()}")
    figures.columns(("checks", "engine", "images/s in all", "of the second half", "CPU ms each", "same bits"), _WIDTHS)
    with tempfile.TemporaryDirectory() as folder:
        files = write_files(Path(folder) / "pictures", n, ".jpg")
        for title, (names, times) in sets.items():
            run(files[:64], names)  # loads what is loaded once
            laps: dict[str, list[Round]] = {engine: [] for engine in _ENGINES}
            for number in range(rounds):
                for engine in list(_ENGINES)[:: 1 if number % 2 == 0 else -1]:
                    laps[engine].append(_round(files * times, names, engine))
            _print_laps(title, laps, n * times)


def _print_laps(title: str, laps: Mapping[str, Sequence[Round]], count: int) -> None:
    for engine, of in laps.items():
        same = len({each.bits for each in [*of, *laps["threads"]]}) == 1
        figures.columns((
            title, engine,
            _rates(count, [each.whole for each in of], [each.whole for each in laps["threads"]]),
            _rates(count / 2, [each.half for each in of], [each.half for each in laps["threads"]]),
            f"{1000 * np.mean([each.processor for each in of]) / count:.1f}", "yes" if same else "NO",
        ), _WIDTHS)  # fmt: skip


def _rates(count: float, seconds: Sequence[float], threads: Sequence[float]) -> str:
    """Returns images a second, and how many times those of threads that is, with an interval."""
    times, low, high = ratio(np.array(threads), np.array(seconds))
    return f"{count * len(seconds) / sum(seconds):.0f}, x {times:.2f} [{low:.2f}, {high:.2f}]"


def _round(paths: Sequence[str], names: Sequence[str], engine: str) -> Round:
    checks = [registry.checks()[name]() for name in names]
    rows = [Row(str(index), path, {}, frozenset(names)) for index, path in enumerate(paths)]
    digest = hashlib.sha256()
    before, engines.ENGINES["local"] = engines.ENGINES["local"], _ENGINES[engine]
    started, used, done, half = time.perf_counter(), all_processor_time(), 0, 0.0
    try:
        for verdicts in runner.run(rows, checks):
            done += len(verdicts)
            if not half and done >= len(rows) / 2:
                half = time.perf_counter()
            for verdict in verdicts:
                entry = (verdict.row.id, sorted(verdict.scores.items()), sorted(verdict.reasons.items()))
                digest.update(repr((entry, sorted(verdict.errors.items()))).encode())
    finally:
        engines.ENGINES["local"] = before
    ended = time.perf_counter()
    return Round(ended - started, ended - half, all_processor_time() - used, digest.hexdigest())
