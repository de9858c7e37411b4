"""Drivers on one cluster and one dataset at the same time, and drivers that are killed: nothing lost, nothing doubled.

Three real processes. The first stands still in the middle of ``check`` while the second, beside it on the cluster,
checks the same samples; then each is killed, the second in the middle of ``embed``, the third in that of ``generate``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import ray_nodes
from noise import Noise, whole
from PIL import Image
from ray_nodes import Nodes

import loupe
from loupe.brain.core.errors import OutputError
from loupe.brain.core.records import Progress

pytest.importorskip("ray", reason="Ray is not installed: pip install 'loupe-fiftyone[ray]'")
pytestmark = [pytest.mark.database, pytest.mark.slow]

CORES, FILES, IMAGES = 3, 24, 16
PROMPTS = [f"prompt {number}" for number in range(IMAGES)]


@pytest.fixture(scope="module")
def nodes(database: str) -> Iterator[Nodes]:
    import torch

    threads = torch.get_num_threads()
    # what takes all of torch's threads takes all of the cluster's cores: one process
    torch.set_num_threads(CORES)
    with ray_nodes.running_or_skip(CORES) as made:
        yield made
    torch.set_num_threads(threads)


def calls(folder: Path, engine: str, workers: int = 1, **more: Any) -> dict[str, Callable[[Any], Any]]:
    """The calls of a driver, by verb; a process that checks takes so many cores."""
    common: dict[str, Any] = {"engine": engine, "device": "cpu", **more}
    return {
        "check": lambda dataset: loupe.check(
            _given(dataset), ["exposure", "sharpness"], batch_size=1, workers=workers, **common
        ),
        "embed": lambda dataset: loupe.embed(
            _given(dataset), embedder="hog", visualize=None, similarity=False, batch_size=1, **common
        ),
        "generate": lambda dataset: loupe.generate(
            dataset, PROMPTS, model=Noise(batch_size=2), output_dir=folder, **common
        ),
    }


def _given(dataset: Any) -> Any:
    """The samples that were there before anything was drawn."""
    return dataset.match_tags("given")


def test_two_drivers_at_once_and_drivers_that_are_killed(
    nodes: Nodes, new_dataset: Callable[[], Any], tmp_path: Path
) -> None:
    import fiftyone as fo

    folder = tmp_path.resolve() / "drawn"
    datasets = {name: new_dataset() for name in ("ray", "local")}
    files = _files(tmp_path)
    for dataset in datasets.values():
        dataset.persistent = True
        dataset.add_samples([fo.Sample(filepath=str(path), tags=["given"]) for path in files], progress=False)
    dataset = datasets["ray"]

    # a process of two cores leaves room for others of one
    with _Driver(nodes, dataset.name, folder, "check", 2) as first:
        first.says("middle of check")
        dataset.reload()
        assert 4 <= len(dataset.exists("checked.sharpness")) < FILES
        with _Driver(nodes, dataset.name, folder, "embed", 1) as second:
            second.says("done: check")
            dataset.reload()
            assert len(dataset.exists("checked.sharpness")) == FILES
            first.kill()
            # what the first held is free: now there is room for a process of all cores
            second.says("middle of embed")
            second.kill()
    _require_nothing_left(nodes)
    dataset.reload()
    assert 0 < len(dataset.exists("embeddings")) < FILES

    with _Driver(nodes, dataset.name, folder, "generate", 1) as third:
        third.says("middle of generate")
        # another driver at the same images is one clear error, and leaves them alone
        with pytest.raises(OutputError, match=r"expected to be the only one that writes to .* process \d+ does so now"):
            calls(folder, "local")["generate"](dataset)
        third.kill()
    _require_nothing_left(nodes)
    dataset.reload()
    drawn = len(dataset) - FILES
    assert 0 < drawn < IMAGES
    assert len(dataset.exists("embeddings")) == FILES

    runs = {}
    for name, engine in (("ray", "ray"), ("local", "local")):
        where = folder if name == "ray" else tmp_path.resolve() / "alone"
        runs[name] = {verb: call(datasets[name]) for verb, call in calls(where, engine).items()}
    assert [(run.n, run.errors) for run in runs["ray"].values()] == [(0, 0), (0, 0), (IMAGES - drawn, 0)]
    for path in ("quality.sharpness", "quality.brightness", "failures.classifications.label", "unknown", "embeddings"):
        values = [_given(each).sort_by("filepath").values(path) for each in datasets.values()]
        assert repr(values[0]) == repr(values[1]), path
    pixels = [
        whole(each.match_tags("given", bool=False), where, IMAGES)
        for each, where in ((dataset, folder), (datasets["local"], tmp_path.resolve() / "alone"))
    ]
    assert pixels[0] == pixels[1]
    _require_nothing_left(nodes)


class _Driver:
    """A process that calls the verbs, one after the other, and stands still in the middle of one of them."""

    def __init__(self, nodes: Nodes, dataset: str, folder: Path, stops: str, workers: int) -> None:
        support = str(Path(__file__).parents[1] / "support")
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([support, os.environ.get("PYTHONPATH", "")]),
            "RAY_ADDRESS": nodes.cluster.address,
        }
        command = [sys.executable, __file__, dataset, str(folder), stops, str(workers)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        self._errors: list[str] = []
        assert self._process.stderr is not None
        threading.Thread(target=self._errors.extend, args=(self._process.stderr,), daemon=True).start()

    def __enter__(self) -> _Driver:
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()

    def says(self, wanted: str) -> None:
        """Waits until it says so."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.strip() == wanted:
                return
        pytest.fail(f"the driver ended: {''.join(self._errors)[-3000:]}")

    def kill(self) -> None:
        """Kills it, by SIGKILL."""
        self._process.kill()
        self._process.wait(60)


def _require_nothing_left(nodes: Nodes) -> None:
    """The actors of drivers that have ended have ended, and what they held is free."""
    until = time.monotonic() + ray_nodes.WAIT
    while time.monotonic() < until:
        if nodes.ray.available_resources().get("CPU") == CORES and not _actors():
            return
        time.sleep(0.1)
    pytest.fail(f"left on the cluster: {_actors()}, free: {nodes.ray.available_resources()}")


def _actors() -> list[str]:
    left = []
    for child in psutil.Process().children(recursive=True):
        try:
            title = " ".join(child.cmdline())
        except psutil.Error:
            continue
        if title.startswith("ray::Loupe"):
            left.append(title)
    return left


def _files(folder: Path) -> list[Path]:
    rng = np.random.default_rng(5)
    (folder / "given").mkdir()
    paths = [folder.resolve() / "given" / f"{number:02}.png" for number in range(FILES)]
    for path in paths:
        small = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        small.resize((128, 96), Image.Resampling.BICUBIC).save(path)
    return paths


def main(name: str, folder: str, stops: str, workers: str) -> None:
    """What a process that is killed runs."""
    import fiftyone as fo
    import torch

    torch.set_num_threads(CORES)

    def say(text: str) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def stand_still(step: Progress) -> None:
        if 4 <= step.done < step.total:
            say(f"middle of {stops}")
            sys.stdin.read()

    dataset = fo.load_dataset(name)
    for verb in calls(Path(folder), "ray"):
        progress = stand_still if verb == stops else None
        calls(Path(folder), "ray", int(workers), progress=progress)[verb](dataset)
        say(f"done: {verb}")


if __name__ == "__main__":
    main(*sys.argv[1:])
