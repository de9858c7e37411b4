"""Very many small JPEGs: each a file of its own, so that reading them costs what it costs; their contents repeat."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.commands import Family
from benchmarks.figures import header, row
from benchmarks.scale.processes import apart_with, tell, timed
from benchmarks.speed.end_to_end import own_database

#: different contents
_CONTENTS = 400
_PER_FOLDER = 1_000


def write_files(folder: Path, n: int, side: int = 64, seed: int = 0) -> list[str]:
    """Writes n JPEGs of side × side pixels, a thousand a folder, and returns their paths; those that are there stay."""
    rng = np.random.default_rng(seed)
    contents = []
    for index in range(_CONTENTS):
        coarse = Image.fromarray(rng.integers(0, 256, (6 + index % 20, 6 + index % 20, 3), dtype=np.uint8))
        scratch = folder / "content.jpg"
        folder.mkdir(parents=True, exist_ok=True)
        coarse.resize((side, side), Image.Resampling.BICUBIC).save(scratch, quality=88)
        contents.append(scratch.read_bytes())
    scratch.unlink()
    paths = []
    for index in range(n):
        path = folder / f"{index // _PER_FOLDER:04}" / f"{index:07}.jpg"
        paths.append(str(path))
        if index % _PER_FOLDER == 0:
            path.parent.mkdir(exist_ok=True)
        if not path.exists():
            path.write_bytes(contents[index % _CONTENTS])
    return paths


def add_to(family: Family) -> None:
    """Adds the command."""
    made = family.command("check", run, "check on very many small files: memory as the number grows")
    made.add_argument("-n", type=int, nargs="*", default=[5_000, 20_000], help="how many files")
    made.add_argument("--folder", type=Path, help="where the files are, or are put; else they go again")


def run(given: argparse.Namespace) -> None:
    """Prints a line for each number, and what follows from them."""
    with tempfile.TemporaryDirectory() as scratch, own_database():
        folder = given.folder or Path(scratch)
        write_files(folder, max(given.n))
        header(
            "files",
            "seconds",
            "CPU",
            "files a second of CPU",
            "GiB before",
            "GiB at most",
            "of other processes",
            "again: GiB at most",
        )
        peaks = []
        for n in given.n:
            cost, reported = apart_with("benchmarks.scale.files", str(folder), str(n))
            cells = (f"{n:,}", f"{cost.wall:.0f}", f"{cost.cpu:.0f}", f"{n / cost.cpu:.0f}")
            row(*cells, f"{cost.before:.2f}", f"{cost.peak:.2f}", f"{cost.others:.2f}", reported["again"])
            peaks.append(cost.peak)
        if len(peaks) > 1:
            slope = (peaks[-1] - peaks[0]) / (given.n[-1] - given.n[0])
            print(f"\nGiB more for a million files, by the first and the last line: {1e6 * slope:.2f}")


def main() -> None:
    """Checks n of the files, and once more with nothing left to do."""
    import fiftyone as fo

    import loupe

    folder, n = Path(sys.argv[1]), int(sys.argv[2])
    paths = [folder / f"{index // _PER_FOLDER:04}" / f"{index:07}.jpg" for index in range(n)]
    dataset = fo.Dataset()
    for start in range(0, n, 10_000):
        some = [fo.Sample(filepath=str(path)) for path in paths[start : start + 10_000]]
        dataset.add_samples(some, progress=False, validate=False, expand_schema=False)
        del some  # FiftyOne refreshes every sample that is held in memory
    loupe.check(dataset[:200], progress=False)  # loads what is loaded once
    cost = timed(lambda: loupe.check(dataset, progress=False))
    again = timed(lambda: loupe.check(dataset, progress=False))
    tell(cost, again=f"{again.peak:.2f}")


if __name__ == "__main__":
    main()
