"""``loupe.check`` as a user calls it, database and all, on files that each have a shape of their own."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.speed.checks import DUPLICATES, cleanvision
from benchmarks.speed.pictures import default_checks, pictures, timed

TESTS = Path(__file__).resolve().parents[2] / "tests"
_ROUNDS = 3


@contextmanager
def own_database() -> Iterator[None]:
    """FiftyOne uses a database of its own meanwhile. To be entered before fiftyone is imported."""
    sys.path[:0] = [str(TESTS), str(TESTS / "support")]
    from conftest import start_mongod

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process, uri = start_mongod(Path(folder) / "db")
        os.environ.update(FIFTYONE_DATABASE_URI=uri, FIFTYONE_DATABASE_VALIDATION="false")
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


def write_photos(folder: Path, n: int, seed: int = 0) -> list[str]:
    """Writes n JPEGs with long sides from 512 to 1,024 pixels and returns their paths; each has been read once."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    paths = []
    for index, image in enumerate(pictures(n, seed, ragged=True)):
        scale = int(rng.integers(512, 1025)) / max(image.size)
        shape = tuple(max(1, round(side * scale)) for side in image.size)
        paths.append(str(folder / f"{index:05}.jpg"))
        image.resize(shape, Image.Resampling.BICUBIC).save(paths[-1], quality=90)
        Path(paths[-1]).read_bytes()
    return paths


def _dataset(paths: Sequence[str]) -> Any:
    import fiftyone as fo

    dataset = fo.Dataset()
    dataset.add_samples([fo.Sample(filepath=path) for path in paths], progress=False)
    return dataset


def print_end_to_end(n: int) -> None:
    """Prints the rate of ``loupe.check`` with its default checks, and cleanvision's on the same files."""
    with own_database(), tempfile.TemporaryDirectory() as folder:
        import loupe

        place = Path(folder) / "photos"
        paths = write_photos(place, n)
        loupe.check(_dataset(paths[:64]), progress=False)  # loads what is loaded once
        first, again = [], []
        for _ in range(_ROUNDS):
            dataset = _dataset(paths)
            first.append(timed(lambda dataset=dataset: loupe.check(dataset, progress=False)))
            again.append(timed(lambda dataset=dataset: loupe.check(dataset, resume=False, progress=False)))
            dataset.delete()
        peers = {
            "cleanvision, without duplicates": cleanvision(place),
            "cleanvision, with its duplicates": cleanvision(place, DUPLICATES),
        }
        print(f"\n{n} JPEGs of 512 to 1,024 pixels, each of its own shape, end to end, on {os.cpu_count()} cores")
        for name, seconds in (("loupe.check, a new dataset", first), ("loupe.check, once more", again)):
            parts = [f"{name:34} {n / statistics.median(seconds):6.0f} images/s, median of {_ROUNDS}"]
            parts.append(f"({n / max(seconds):.0f} to {n / min(seconds):.0f})")
            for peer, time in peers.items():
                if time:
                    parts.append(f"{time / statistics.median(seconds):5.1f} x {peer}")
            print("  ".join(parts))
        for peer, time in peers.items():
            if time:
                print(f"{peer:34} {n / time:6.0f} images/s")
        print(f"the first check of a dataset takes {statistics.median(first) - statistics.median(again):+.2f} s more")


def print_verbs(n: int) -> None:
    """Prints the seconds of ``slice`` and ``flag`` on n samples that the default checks have judged."""
    with own_database():
        import fiftyone as fo

        import loupe
        from benchmarks.speed.synthetic import fill_many

        dataset = fo.Dataset()
        # what loupe.check has run by default
        fill_many(dataset, n, checks=[*default_checks(), "size"])
        thresholds = iter((0.4, 0.5, 0.6))
        timings = {
            "slice by one factor, all failure modes": lambda: loupe.slice(dataset, "scenario.weather"),
            "slice by two factors, one failure mode": lambda: loupe.slice(
                dataset, ["scenario.time", "scenario.weather"], failure="blur"
            ),
            "flag, nothing changes": lambda: loupe.flag(dataset),
            "flag, blur's threshold moves": lambda: loupe.flag(dataset, {"blur": next(thresholds)}),
        }
        for what, work in timings.items():
            before = time.process_time()
            times = [timed(work) for _ in range(_ROUNDS)]
            cpu = (time.process_time() - before) / _ROUNDS
            ends = f"{min(times):.2f} to {max(times):.2f}"
            print(f"{n:,} samples | {what} | {statistics.median(times):.2f} s ({ends}), {cpu:.2f} s of CPU here")
        dataset.delete()
