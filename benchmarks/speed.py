"""How fast the pixel checks, the neighbours and the writing are, against a named peer in the same run.

    python -m benchmarks.speed checks       # 2,000 JPEGs and 400 PNGs of 0.5 MP in four shapes, and 1,000 JPEGs of as
                                            # many shapes: against a bare decode, and cleanvision
    python -m benchmarks.speed neighbors   # 20k x 512 against FiftyOne brain; memory at 100k x 512
    python -m benchmarks.speed writing      # 100,000 samples' scores into FiftyOne's database
    python -m benchmarks.speed memory       # peak memory at 500 and at 2,000 pictures

The pictures are crops of real photos where those are at hand, else drawn; all files are read once before anything is
timed. cleanvision (pip install cleanvision) runs its own processes on all cores, for the issues that are no duplicates.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from benchmarks.figures import machine
from loupe.brain.core import registry
from loupe.brain.engine import runner
from loupe.brain.engine.reader import Row, read
from loupe.brain.similarity import neighbors

PHOTOS = Path(__file__).resolve().parents[2] / "shared" / "data" / "1_real_photos"
SHAPES = ((816, 612), (612, 816), (866, 577), (707, 707))
#: what loupe.check runs by default, but for the text: what cleanvision judges, but for duplicates, and motion blur
DEFAULT = tuple(name for name, spec in registry.checks().items() if spec.default and name != "text")
ISSUES = ("dark", "light", "odd_aspect_ratio", "low_information", "blurry", "grayscale", "odd_size")


def pictures(n: int, seed: int = 0, *, ragged: bool = False) -> list[Image.Image]:
    """Returns n pictures of about 0.5 MP: crops of photos, or dead leaves where there are no photos.

    Args:
        n: how many
        seed: decides everything
        ragged: whether each has a shape of its own, or one of ``SHAPES``
    """
    rng = np.random.default_rng(seed)
    paths = sorted(path for path in PHOTOS.rglob("*") if path.is_file()) if PHOTOS.is_dir() else []
    made = []
    for index in range(n):
        width = int(rng.integers(560, 891))
        shape = (width, round(0.5e6 / width)) if ragged else SHAPES[index % len(SHAPES)]
        if paths:
            whole = read(paths[index % len(paths)]).pixels
            height, width = (int(side * rng.uniform(0.8, 1)) for side in whole.shape[:2])
            top, left = (
                int(rng.integers(0, whole.shape[0] - height + 1)),
                int(rng.integers(0, whole.shape[1] - width + 1)),
            )
            picture = whole[top : top + height, left : left + width]
        else:
            picture = np.zeros((612, 816, 3), np.uint8)
            for _ in range(800):
                radius = int(4 / np.sqrt(1 - rng.random() * 0.998))
                center = (int(rng.integers(0, 816)), int(rng.integers(0, 612)))
                cv2.circle(picture, center, radius, rng.integers(0, 256, 3).tolist(), -1, cv2.LINE_AA)
        made.append(Image.fromarray(cv2.resize(picture, shape, interpolation=cv2.INTER_AREA)))
    return made


def write_files(folder: Path, n: int, suffix: str, *, ragged: bool = False) -> list[str]:
    folder.mkdir(parents=True)
    paths = []
    for index, image in enumerate(pictures(n, ragged=ragged)):
        paths.append(str(folder / f"{index:05}{suffix}"))
        image.save(paths[-1], **({"quality": 90} if suffix == ".jpg" else {}))
    for path in paths:
        Path(path).read_bytes()
    return paths


def timed(work: Callable[[], object], rounds: int = 1) -> float:
    """Returns the seconds of the fastest of some rounds."""
    best = float("inf")
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
    return best


def bare_decode(paths: Sequence[str], long_side: int | None) -> None:
    """Decodes files on a thread a core, with Pillow, and does nothing else."""

    def one(path: str) -> None:
        with Image.open(path) as image:
            if long_side is not None:
                scale = long_side / max(image.size)
                image.draft(None, (int(image.width * scale), int(image.height * scale)))
            image.load()

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(one, paths):
            pass


def judge(paths: Sequence[str], names: Sequence[str], *, whole: bool = False) -> None:
    """Runs checks over files, as ``loupe.check`` does, but for the database."""
    specs = [registry.checks()[name]() for name in names]
    rows = [Row(str(index), path, {}, frozenset(names)) for index, path in enumerate(paths)]
    scale = runner.needed_long_side
    if whole:
        runner.needed_long_side = lambda _: None  # type: ignore[assignment]
    try:
        for _ in runner.run(rows, specs):
            pass
    finally:
        runner.needed_long_side = scale


def cleanvision(folder: Path) -> float | None:
    """Returns the seconds of cleanvision, in a process of its own; None where it is not installed."""
    code = (
        "import sys, time; from cleanvision import Imagelab\n"
        "lab = Imagelab(data_path=sys.argv[1]); started = time.perf_counter()\n"
        f"lab.find_issues({ {name: {} for name in ISSUES}!r}, n_jobs={os.cpu_count()}, verbose=False)\n"
        "print('seconds', time.perf_counter() - started)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("seconds")]
    if not lines:
        print("SKIPPED cleanvision:", (done.stderr.strip().splitlines() or ["no output"])[-1])
        return None
    return float(lines[0].split()[1])


def checks(n: int) -> None:
    pixel = [name for name, spec in registry.checks().items() if "grade" not in spec().params()]
    needed = runner.needed_long_side([registry.checks()[name]() for name in DEFAULT])
    with tempfile.TemporaryDirectory() as folder:
        for suffix, count, ragged in ((".jpg", n, False), (".jpg", n // 2, True), (".png", n // 5, False)):
            place = Path(folder) / f"{suffix[1:]}{ragged}"
            paths = write_files(place, count, suffix, ragged=ragged)
            judge(paths[:64], pixel)  # loads what is loaded once
            rows: list[tuple[str, float | None]] = [
                ("bare decode, full size", timed(lambda paths=paths: bare_decode(paths, None), 2)),
                ("default checks, full size", timed(lambda paths=paths: judge(paths, DEFAULT, whole=True), 2)),
                ("all pixel checks", timed(lambda paths=paths: judge(paths, pixel))),
            ]
            if suffix == ".jpg":
                rows.insert(1, ("bare decode, scaled", timed(lambda paths=paths: bare_decode(paths, needed), 2)))
                rows.insert(3, ("default checks, scaled", timed(lambda paths=paths: judge(paths, DEFAULT), 2)))
            rows.append(("cleanvision", cleanvision(place)))
            seconds = dict(rows)
            shapes = "each of its own shape" if ragged else f"in {len(SHAPES)} shapes"
            print(f"\n{count} {suffix[1:].upper()}s of 0.5 MP {shapes}, on {os.cpu_count()} cores")
            for name, value in rows:
                if value is None:
                    continue
                parts = [f"{name:28} {value:7.2f} s  {count / value:7.0f} images/s"]
                peer = seconds.get("cleanvision")
                if peer and "checks" in name:
                    parts.append(f"{peer / value:5.1f} x cleanvision")
                if "default" in name:
                    bare = seconds["bare decode, scaled" if "scaled" in name else "bare decode, full size"]
                    parts.append(f"{value / bare:4.2f} x its bare decode")
                print("  ".join(parts))


def neighbor_search() -> None:
    import fiftyone as fo
    import fiftyone.brain as fob

    rng = np.random.default_rng(0)

    def vectors(n: int) -> np.ndarray:
        centers = rng.normal(size=(200, 512)).astype(np.float32)
        made = centers[rng.integers(0, 200, n)] + rng.normal(size=(n, 512)).astype(np.float32)
        made[-n // 20 :] = made[: n // 20] + 0.1 * rng.normal(size=(n // 20, 512))
        return made.astype(np.float32)

    n, minimum = 20_000, 0.9
    made = vectors(n)
    right = {(index, n - n // 20 + index) for index in range(n // 20)}
    unit = neighbors.usable(list(made)).unit
    ours = timed(lambda: neighbors.pairs_above(unit, minimum), 2)
    a, b, _ = neighbors.pairs_above(unit, minimum)
    found = len(right & set(zip(a.tolist(), b.tolist(), strict=True)))
    dataset = fo.Dataset()
    dataset.add_samples([fo.Sample(filepath=f"/nowhere/{index}.png") for index in range(n)], progress=False)
    index = fob.compute_similarity(dataset, embeddings=made.copy(), backend="sklearn", metric="cosine", brain_key="s")
    started = time.perf_counter()
    index.find_duplicates(thresh=1 - minimum)
    theirs = time.perf_counter() - started
    kept = {sample_id: place for place, sample_id in enumerate(dataset.values("id"))}
    told = {
        (min(kept[one], kept[other]), max(kept[one], kept[other]))
        for one, others in index.neighbors_map.items()
        for other, _ in others
    }
    print(f"\n{n} x 512, pairs of cosine above {minimum}; {len(right)} copies were put in")
    print(f"Loupe          {ours:6.2f} s  recall {found / len(right):.3f}  {theirs / ours:.1f} x FiftyOne brain")
    print(f"FiftyOne brain {theirs:6.2f} s  recall {len(right & told) / len(right):.3f}")
    ours = timed(lambda: neighbors.nearest(unit, 10))
    print(f"10 nearest of each: {ours:.2f} s")
    dataset.delete()
    code = (
        "import numpy as np, resource, time; from loupe.brain.similarity import neighbors\n"
        "unit = np.random.default_rng(0).normal(size=(100_000, 512)).astype(np.float32)\n"
        "unit /= np.linalg.norm(unit, axis=1, keepdims=True); started = time.perf_counter()\n"
        "neighbors.pairs_above(unit, 0.9)\n"
        "print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)"
    )
    seconds, peak = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    print(f"100,000 x 512: {float(seconds):.0f} s, peak memory of the process {float(peak):.2f} GiB")


def writing(n: int = 100_000) -> None:
    import fiftyone as fo

    from loupe.brain.core.records import Output
    from loupe.brain.store import scores as store_scores
    from loupe.brain.verbs.check import WRITTEN_AT_ONCE

    specs = [registry.checks()[name]() for name in DEFAULT]
    outputs: list[Output] = [output for spec in specs for output in spec.outputs]
    dataset = fo.Dataset()
    for start in range(0, n, 10_000):
        part = [fo.Sample(filepath=f"/nowhere/{index}.png") for index in range(start, min(n, start + 10_000))]
        dataset.add_samples(part, progress=False, validate=False)
    del part  # FiftyOne refreshes every sample that is held in memory
    store_scores.declare(dataset, outputs)
    rows = [
        Row(sample_id, path, {}, frozenset(DEFAULT), dict.fromkeys(DEFAULT, "key"))
        for sample_id, path in zip(*dataset.values(["id", "filepath"]), strict=True)
    ]
    values = {output.name: 0.5 for output in outputs}
    verdicts = [runner.Verdict(row, values, {}, {}, {}, {}) for row in rows]

    def write() -> None:
        for start in range(0, n, WRITTEN_AT_ONCE):
            store_scores.write(dataset, verdicts[start : start + WRITTEN_AT_ONCE], specs)

    print(f"\n{n} samples x {len(outputs)} scores, {WRITTEN_AT_ONCE} at once: {timed(write):.1f} s")
    dataset.delete()


def memory() -> None:
    if len(sys.argv) > 2 and sys.argv[2].isdigit():
        with tempfile.TemporaryDirectory() as folder:
            paths = write_files(Path(folder) / "a", 100, ".jpg")
            judge(paths * (int(sys.argv[2]) // 100), DEFAULT)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10)
        return
    for n in (500, 2000):
        peak = subprocess.check_output([sys.executable, "-m", "benchmarks.speed", "memory", str(n)], text=True)
        print(f"{n} pictures: peak memory {float(peak):.0f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["checks", "neighbors", "writing", "memory"])
    parser.add_argument("n", nargs="?", type=int, default=2000, help="how many JPEGs")
    chosen = parser.parse_args()
    if chosen.what == "checks":
        checks(chosen.n)
    else:
        {"neighbors": neighbor_search, "writing": writing, "memory": memory}[chosen.what]()
    if not (chosen.what == "memory" and len(sys.argv) > 2):
        print(f"\n{machine()}")


if __name__ == "__main__":
    main()
