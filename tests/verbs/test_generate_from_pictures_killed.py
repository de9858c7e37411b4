"""``loupe.generate`` from pictures and larger, killed at any moment: nothing is lost, doubled or half there."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from noise import whole
from painter import Painter
from PIL import Image

import loupe
from loupe.brain.core.records import Progress

pytestmark = [pytest.mark.database, pytest.mark.slow]

N, KILLS = 24, 3
CALLS: dict[str, dict[str, Any]] = {
    "in boxes": {"mask": "boxes"},
    "larger": {"strength": 0.5, "upscale": 1.5},
}


def child(name: str, source: str, folder: str, how: str) -> None:
    """What a process that is killed runs."""
    import fiftyone as fo

    def say(step: Progress) -> None:
        sys.stdout.write(f"{step.done} {step.message}\n")
        sys.stdout.flush()

    samples = fo.load_dataset(source)
    model = Painter(pause=0.02)
    loupe.generate(fo.load_dataset(name), source=samples, model=model, output_dir=folder, progress=say, **CALLS[how])


def start(*arguments: object) -> subprocess.Popen[str]:
    support = str(Path(__file__).parents[1] / "support")
    inherited = {**os.environ, "PYTHONPATH": os.pathsep.join([support, os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, __file__, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=inherited)


@pytest.fixture
def photos(new_dataset: Callable[[], Any], tmp_path: Path) -> Any:
    import fiftyone as fo

    rng = np.random.default_rng(0)
    made = new_dataset()
    made.persistent = True
    samples = []
    for at in range(N):
        path = tmp_path / f"photo {at}.png"
        Image.fromarray(rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)).save(path)
        box = fo.Detection(label="hand", bounding_box=[0.25, 0.25, 0.5, 0.5])
        samples.append(fo.Sample(filepath=str(path), prompt=f"{at}", boxes=fo.Detections(detections=[box])))
    made.add_samples(samples, progress=False)
    return made


@pytest.mark.parametrize("how", CALLS)
def test_kill_9_at_any_moment(how: str, new_dataset: Callable[[], Any], photos: Any, tmp_path: Path) -> None:
    dataset, folder, rng = new_dataset(), tmp_path.resolve() / "images", random.Random(0)
    dataset.persistent = True
    reached = [0]
    for _ in range(KILLS):
        process = start(dataset.name, photos.name, folder, how)
        assert process.stdout is not None
        for line in process.stdout:
            done, _, message = line.partition(" ")
            if message.startswith("generating") and int(done) > reached[-1]:
                break
        time.sleep(rng.uniform(0, 0.1))
        process.send_signal(signal.SIGKILL)
        process.stdout.close()
        process.wait(60)
        for path in folder.glob("*.png"):
            with Image.open(path) as image:
                image.load()
        dataset.reload()
        keys = dataset.values("generation.key")
        assert len(keys) == len(set(keys)) <= len(list(folder.glob("*.png")))
        reached.append(len(keys))
    assert reached == sorted(set(reached)), reached
    assert reached[-1] < N, reached
    process = start(dataset.name, photos.name, folder, how)
    process.communicate(timeout=120)
    assert process.returncode == 0
    dataset.reload()
    pixels = whole(dataset, folder, N)
    assert sorted(dataset.values("generation.source")) == sorted(photos.values("id"))
    alone = new_dataset()
    loupe.generate(
        alone, source=photos, model=Painter(pause=0.02), output_dir=tmp_path.resolve() / "alone", **CALLS[how]
    )
    assert whole(alone, tmp_path.resolve() / "alone", N) == pixels


if __name__ == "__main__":
    child(*sys.argv[1:])
