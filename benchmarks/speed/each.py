"""What each check and each of what they share cost of the processor's time, here and in another checkout, by turns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from benchmarks import figures
from benchmarks.pixels.failures import without_model
from benchmarks.speed.cost import PROMPT
from benchmarks.speed.pictures import write_files
from loupe.brain.core import registry

HERE = Path(__file__).resolve().parents[2]
_WIDTHS = (34, 10, 10, 22)
#: milliseconds a picture below which a part is not worth a line of its own
_SMALL = 0.02
#: resamples of the rounds
_RESAMPLES = 2000

#: seconds of processor time by part
Lap = dict[str, float]


@contextmanager
def laps_of(
    checkout: Path, files: Sequence[str], names: Sequence[str], folder: Path
) -> Iterator[subprocess.Popen[str]]:
    """Yields a process that runs a checkout's checks over files, once for each line it is given; see ``laps``."""
    home = folder / f"{checkout.name} {len(list(folder.iterdir()))}"
    home.mkdir()
    (home / "loupe").symlink_to(checkout)
    given = home / "files.json"
    given.write_text(json.dumps([files, names, {"prompt": PROMPT}]))
    environment = {**os.environ, "PYTHONPATH": str(home)}
    command = [sys.executable, str(HERE / "benchmarks" / "speed" / "laps.py"), str(given)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=home
    ) as process:
        try:
            _answer(process)
            yield process
        finally:
            assert process.stdin is not None
            process.stdin.close()


def _answer(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"a checkout's process ended with {process.wait()} before it answered")
    return line


def lap(process: subprocess.Popen[str]) -> Lap:
    """Returns one round of a process."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return dict(json.loads(_answer(process)))


def by_turns(checkouts: Sequence[Path], files: Sequence[str], names: Sequence[str], rounds: int) -> list[list[Lap]]:
    """Returns the rounds of each checkout, run one after the other, the first one first in every other round."""
    laps: list[list[Lap]] = [[] for _ in checkouts]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        processes = [stack.enter_context(laps_of(place, files, names, Path(folder))) for place in checkouts]
        for number in range(rounds):
            for place in list(range(len(checkouts)))[:: 1 if number % 2 == 0 else -1]:
                laps[place].append(lap(processes[place]))
    return laps


def ratio(before: np.ndarray, now: np.ndarray) -> tuple[float, float, float]:
    """Returns before / now of the sums of (R,) rounds, and its 95 % interval by resampling the rounds in pairs.

    >>> ratio(np.array([2.0, 2.0]), np.array([1.0, 1.0]))
    (2.0, 2.0, 2.0)
    """
    drawn = np.random.default_rng(0).integers(0, len(before), (_RESAMPLES, len(before)))
    ratios = before[drawn].sum(1) / now[drawn].sum(1)
    low, high = np.quantile(ratios, (0.025, 0.975))
    return float(before.sum() / now.sum()), float(low), float(high)


def print_each(names: Sequence[str], n: int, rounds: int, against: Path | None, *, ragged: bool = False) -> None:
    """Prints the milliseconds of processor time a picture of each part, and how many times as long they took before.

    Args:
        names: of checks; all that look at the pixels alone by default
        n: pictures of 0.5 MP
        rounds: of each checkout
        against: another checkout's root
        ragged: whether each picture has a shape of its own, or one of four
    """
    known = registry.checks()
    names = sorted(names or [name for name, check in known.items() if without_model(check)])
    checkouts = [HERE] if against is None else [HERE, against.resolve()]
    with tempfile.TemporaryDirectory() as folder:
        files = write_files(Path(folder) / "pictures", n, ".jpg", ragged=ragged)
        laps = by_turns(checkouts, files, names, rounds)
    shapes = "each of its own shape" if ragged else "in four shapes"
    figures.title(f"{n} JPEGs of 0.5 MP {shapes}, {rounds} rounds by turns, one thread; {figures.machine()}")
    parts = sorted({name for rows in laps for row in rows for name in row})
    tables = [{part: np.array([row.get(part, 0.0) for row in rows]) * 1000 / n for part in parts} for rows in laps]
    here, other = tables[0], tables[-1]
    heads = ("part", "ms now", *(() if against is None else ("before", "before / now")))
    figures.columns(heads, _WIDTHS)
    for part in sorted(parts, key=lambda part: -max(here[part].mean(), other[part].mean())):
        if max(here[part].mean(), other[part].mean()) >= _SMALL:
            _print_row(part, here[part], None if against is None else other[part])
    total = [np.sum(list(table.values()), axis=0) for table in tables]
    _print_row("all", total[0], None if against is None else total[-1])


def _print_row(name: str, now: np.ndarray, before: np.ndarray | None) -> None:
    cells = [name, f"{now.mean():.2f}"]
    if before is not None:
        cells.append(f"{before.mean():.2f}")
        if now.sum() > 0 and before.sum() > 0:
            middle, low, high = ratio(before, now)
            cells.append(f"{middle:.2f} [{low:.2f}, {high:.2f}]")
    figures.columns(cells, _WIDTHS)
