"""``loupe.generate`` on a Ray cluster: the bits of one machine, a process a GPU, and nothing lost or doubled.

The GPUs are what the nodes say that they have: nothing here needs one. A process of the cluster takes seconds of CPU to
start: the tests are few, and each starts as few as it can.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
import ray_nodes
from noise import Noise, facts, prompts, whole
from PIL import Image
from placed import AHEAD, NODE, Placed
from ray_nodes import Nodes

import loupe
from loupe.brain.core.errors import InputError, ModelError, OutputError, ProcessLost, Stopped
from loupe.brain.core.records import Progress, Request
from loupe.brain.core.specs import GeneratorSession
from loupe.brain.engine import ray_drawing

pytest.importorskip("ray", reason="Ray is not installed: pip install 'loupe-fiftyone[ray]'")
pytestmark = [pytest.mark.database, pytest.mark.slow]

HOUR = 3600.0


@pytest.fixture(scope="module")
def nodes(database: str) -> Iterator[Nodes]:
    with ray_nodes.running_or_skip() as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path.resolve() / "images"


def test_what_a_cluster_began_with_a_real_checkpoint_one_machine_ends_with_the_same_bits(
    nodes: Nodes, new_dataset: Callable[[], Any], tmp_path: Path
) -> None:
    template = 'a {color} sign that says "{text}", day, clear'
    settings = {"factors": {"color": ["red", "blue"], "text": range(10, 16)}, "steps": 2, "batch_size": 4}
    begun, alone, steps = new_dataset(), new_dataset(), []
    on_both, here = tmp_path.resolve() / "begun", tmp_path.resolve() / "alone"

    def stop(step: Progress) -> None:
        steps.append(step)
        if step.done >= 4:
            raise Stopped("enough")

    with pytest.raises(Stopped, match="enough"):
        loupe.generate(begun, template, output_dir=on_both, device="cpu", engine="ray", progress=stop, **settings)
    # one process: what it drew is there, and no more was begun
    done = len(begun)
    assert 4 <= done < 12
    whole(begun, on_both, done)
    assert steps[0].message in ("loading the model on the cluster", "generating")
    for dataset, folder, skipped in ((begun, on_both, done), (alone, here, 0)):
        run = loupe.generate(dataset, template, output_dir=folder, device="cpu", **settings)
        assert (run.n, run.skipped, run.errors, run.device) == (12 - skipped, skipped, 0, "cpu")
    assert whole(begun, on_both, 12) == whole(alone, here, 12)
    assert facts(begun) == facts(alone)


def test_each_gpu_has_a_process_and_a_node_that_is_killed_or_bare_costs_nothing(
    nodes: Nodes, dataset: Any, folder: Path, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    pair = nodes.add(2, 2, **{NODE: "pair"})
    late = nodes.add(1, 1, **{NODE: "late", AHEAD: str(HOUR)})
    bare = nodes.add(1, 1, **{NODE: "bare"})
    spec = Placed(folder=str(notes), pause=0.02)
    killed: list[int] = []

    def step(progress: Progress) -> None:
        if progress.message != "generating":
            return
        if not killed:  # nobody is dealt anything meanwhile
            until = time.monotonic() + ray_nodes.WAIT
            while len(spec.notes()) < 4 and time.monotonic() < until:
                time.sleep(0.05)
        if progress.done >= 8 and not killed:
            killed.append(progress.done)
            nodes.kill(pair)

    try:
        with pytest.warns(UserWarning, match="cannot load the model: expected a model in diffusers' format"):
            run = loupe.generate(dataset, prompts(80), model=spec, output_dir=folder, engine="ray", progress=step)
        assert killed
    finally:
        nodes.alone(pair, late, bare)
    assert (run.n, run.errors, run.device) == (80, 0, "cuda")
    assert any("cannot load the model" in message for message in run.messages.values())
    assert sum(each["images"] for each in run.params["nodes"]) == 80
    pixels = whole(dataset, folder, 80)
    keys, texts, seeds = dataset.values(["generation.key", "prompt", "generation.seed"])
    for key, prompt, seed in zip(keys, texts, seeds, strict=True):
        assert pixels[key] == spec.image(Request(prompt, seed)).tobytes()
    # one process a GPU, with that GPU to itself; none where there is none
    by_node: dict[str, list[dict[str, Any]]] = {}
    for note in spec.notes():
        assert note["device"] == "cuda"
        by_node.setdefault(str(note["node"]), []).append(note)
    assert {name: len(own) for name, own in by_node.items()} == {"pair": 2, "late": 1, "bare": 1}
    assert {note["gpu"] for note in by_node["pair"]} == {"0", "1"}
    drew = set()
    for path in folder.glob("*.png"):
        with Image.open(path) as image:
            drew.add(json.loads(image.text["loupe"])["node"])  # type: ignore[attr-defined]
    assert {"late"} <= drew <= {"pair", "late"}
    ahead = by_node["late"][0]["time"] - min(note["time"] for note in by_node["pair"])
    assert HOUR / 2 < ahead < HOUR * 2
    assert all(0 <= seconds < HOUR / 2 for seconds in dataset.values("generation.seconds"))


@dataclass(frozen=True)
class Deadly(Noise):
    """Noise; what asks for trouble ends the process."""

    name: ClassVar[str] = "deadly"

    def load(self, device: str) -> GeneratorSession:
        session = super().load(device)
        draw = session.draw

        def drawn(requests: Sequence[Request]) -> list[Image.Image]:
            if any("trouble" in request.prompt for request in requests):
                os.kill(os.getpid(), signal.SIGKILL)
            return draw(requests)

        return GeneratorSession(session.facts, drawn, session.batch_size)


def test_what_cannot_be_drawn_is_one_error_and_what_was_drawn_stays(
    nodes: Nodes, dataset: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # each process that ends takes seconds to be replaced
    monkeypatch.setattr(ray_drawing, "MAX_DEATHS", 1)
    # the class is of this file, which no node can import: it is sent along
    nodes.ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    asked = [*prompts(8), "trouble"]
    with pytest.raises(
        ProcessLost, match=r"1 processes ended while they drew the same 1, from 'trouble' on; .* it was killed"
    ):
        loupe.generate(dataset, asked, model=Deadly(batch_size=4), output_dir=folder, device="cpu", engine="ray")
    before = whole(dataset, folder, 8)
    run = loupe.generate(dataset, prompts(8), model=Deadly(batch_size=4), output_dir=folder)
    assert (run.n, run.skipped) == (0, 8)
    assert whole(dataset, folder, 8) == before
    # each node says the same: that is the error, as on one machine
    bare = Placed(folder=str(tmp_path), bare="head")
    with pytest.raises(ModelError, match=r"^expected a model in diffusers' format, got no folder at it$"):
        loupe.generate(dataset, ["x"], model=bare, output_dir=folder, device="cpu", engine="ray")
    whole(dataset, folder, 8)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"device": "cpu,cpu"}, "'cpu', 'cuda' or left out with engine='ray', got 'cpu,cpu'"),
        ({"device": ["cuda:0", "cuda:1"]}, "expected a device such as"),
        ({"device": "cuda"}, "expected a node with a GPU, got none in the Ray cluster"),
        ({"model": "openai:gpt-image-1"}, r"expected no device, got engine='ray': .* draws on its own machines"),
    ],
)
def test_what_does_not_go_with_a_cluster(nodes: Nodes, dataset: Any, folder: Path, given: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        loupe.generate(dataset, ["x"], output_dir=folder, engine="ray", **{"model": Noise(), **given})
    assert not len(dataset)


def test_a_full_disk_of_the_driver(nodes: Nodes, dataset: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    real, calls = ray_drawing.output_folder.put, []

    def full(*given: Any) -> Path:
        calls.append(given)
        if len(calls) == 6:
            raise OSError(errno.ENOSPC, "full")
        return real(*given)

    monkeypatch.setattr(ray_drawing.output_folder, "put", full)
    spec = Noise(batch_size=4)
    with pytest.raises(OutputError, match=r"the disk is full\. 5 of 12 images are there, each with its sample\. "):
        loupe.generate(dataset, prompts(12), model=spec, output_dir=folder, device="cpu", engine="ray")
    whole(dataset, folder, 5)
