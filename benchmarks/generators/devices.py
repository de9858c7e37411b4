"""How much faster two processes draw than one: images per second, CPU time, what the parent takes, and whether the
bits are the same."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figures import header, machine, row, share, title
from benchmarks.speed.end_to_end import own_database


@dataclass
class _Watch:
    """Notes time as the first image is begun and as the last is there: loading is not counted."""

    wall: list[float] = field(default_factory=list)
    own: list[float] = field(default_factory=list)
    others: list[float] = field(default_factory=list)
    several: tuple[Any, ...] = ()

    def __call__(self, step: Any) -> None:
        import psutil

        first = not self.wall
        if step.message == "generated" or (first and step.message == "generating"):
            if first:
                children = psutil.Process().children(recursive=True)
                self.several = tuple(each for each in children if "drawing_process" in " ".join(each.cmdline()))
            self.wall.append(time.monotonic())
            self.own.append(time.process_time())
            # of each, what it has taken by itself
            self.others.append(sum(sum(each.cpu_times()[:2]) for each in self.several))


@dataclass(frozen=True)
class _Taken:
    wall: float
    parent: float
    processes: float

    @property
    def cpu(self) -> float:
        return self.parent + self.processes


def print_devices(count: int, rounds: int) -> None:
    """Prints both for the same images, in turns, one thread a process.

    Args:
        count: of images
        rounds: how often
    """
    import torch

    torch.set_num_threads(1)
    with own_database():
        title(f"{count} images of tiny-signs by one process and by two on the CPU, one thread each; without loading")
        print(machine())
        header(
            "round", "one: images/s", "two: images/s", "faster", "one: s of CPU", "two: s of CPU", "of it the parent"
        )
        taken: dict[str, list[_Taken]] = {"cpu": [], "cpu,cpu": []}
        same = total = 0
        for at in range(rounds):
            drawn = {}
            # which is first alternates: a machine that slows down meanwhile favors neither
            for device in ("cpu", "cpu,cpu") if at % 2 else ("cpu,cpu", "cpu"):
                drawn[device], result = _drawn(device, count, at)
                taken[device].append(result)
            first, second = drawn.values()
            total += len(first.keys() | second.keys())
            same += sum(first[key] == second.get(key) for key in first)
            alone, two = taken["cpu"][-1], taken["cpu,cpu"][-1]
            row(
                at + 1, f"{count / alone.wall:.2f}", f"{count / two.wall:.2f}", f"{alone.wall / two.wall:.2f}",
                f"{alone.cpu:.1f}", f"{two.cpu:.1f}", f"{two.parent:.2f}",
            )  # fmt: skip
        pairs = list(zip(taken["cpu"], taken["cpu,cpu"], strict=True))
        row(
            "mean", "", "", _mean([alone.wall / two.wall for alone, two in pairs]),
            "", f"× {_mean([two.cpu / alone.cpu for alone, two in pairs])}",
            f"× {_mean([two.parent / two.cpu for _, two in pairs])}",
        )  # fmt: skip
        print(f"\nthe same bits: {share(same, total)}")


def _drawn(device: str, count: int, seed: int) -> tuple[dict[str, bytes], _Taken]:
    """Returns the pixels by key, and what they took."""
    import fiftyone as fo
    from PIL import Image

    import loupe

    watch, dataset = _Watch(), fo.Dataset()
    prompts = [f'a red sign that says "{10 + at % 90}", day, clear' for at in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "images"
        loupe.generate(dataset, prompts, output_dir=place, seed=seed, batch_size=8, device=device, progress=watch)
        pixels = {}
        for key, path in zip(*dataset.values(["generation.key", "filepath"]), strict=True):
            with Image.open(path) as image:
                pixels[key] = image.tobytes()
    dataset.delete()
    assert len(pixels) == count
    return pixels, _Taken(*(each[-1] - each[0] for each in (watch.wall, watch.own, watch.others)))


def _mean(values: list[float]) -> str:
    resamples = np.random.default_rng(0).choice(values, (2000, len(values))).mean(axis=1)
    low, high = np.quantile(resamples, [0.025, 0.975])
    return f"{np.mean(values):.3f} [{low:.3f}, {high:.3f}]"
