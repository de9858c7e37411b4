"""What a node does with a batch, and the bookkeeping of batches: without a cluster."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from noise import Noise

from loupe.brain.core.errors import ModelError, ProcessLost, ReadError
from loupe.brain.core.records import Request
from loupe.brain.core.specs import GeneratorSession
from loupe.brain.engine import drawing, output_folder
from loupe.brain.engine.drawing import Item
from loupe.brain.engine.drawing_process import torch_settings
from loupe.brain.engine.ray_drawing import MAX_DEATHS, Answer, Batches, Order
from loupe.brain.generation.sources import Control, Region, Source


def wanted(count: int) -> list[Item]:
    return [Item(f"{number:032x}", Request(f"prompt {number}", number)) for number in range(count)]


def test_a_node_answers_with_the_files_that_one_machine_writes(tmp_path: Path) -> None:
    draws, loaded = Order(Noise(), "cpu", torch_settings()).begin(1)
    assert isinstance(loaded, GeneratorSession)
    assert pickle.loads(pickle.dumps(loaded)).facts == Noise().load("cpu").facts
    items = wanted(3)
    answer = pickle.loads(pickle.dumps(draws(items)))
    here, sent = tmp_path / "here", tmp_path / "sent"
    for folder in (here, sent):
        folder.mkdir()
    done = drawing.finish(here, Noise(), Noise().load("cpu"), items)
    for file, image in zip(answer.files, done.images, strict=True):
        path = output_folder.put(sent, file.item.key, file.png)
        own, theirs = (output_folder.read_facts(each, file.item.key) for each in (image.path, path))
        assert own is not None
        assert theirs is not None
        assert {**own, "seconds": 0} == {**theirs, "seconds": 0}
        assert {**file.facts, "seconds": 0} == {**image.facts, "seconds": 0}
    assert {path.name for path in here.iterdir()} == {path.name for path in sent.iterdir()}


def test_files_that_are_not_on_the_node_are_named(tmp_path: Path) -> None:
    draws, _ = Order(Noise(), "cpu", torch_settings()).begin(1)
    gone = str(tmp_path / "gone.png")
    answer = draws([Item("0" * 32, Request("x", 0), Source("a", image=gone))])
    assert answer.lacking == (gone,)
    assert isinstance(answer.error, ReadError)
    assert answer.files == ()
    # what is there and cannot be read, as where its user has other rights
    folder = str(tmp_path)
    assert draws([Item("0" * 32, Request("x", 0), Source("a", image=folder))]).lacking == (folder,)


def test_what_cannot_be_loaded_is_told_and_not_raised() -> None:
    class Bare(Noise):
        """Has no model."""

        def load(self, device: str) -> GeneratorSession:
            raise ModelError(f"no model on {device}")

    _, loaded = Order(Bare(), "cpu", torch_settings()).begin(1)
    assert isinstance(loaded, ModelError)
    assert str(loaded) == "no model on cpu"


def test_a_source_says_which_files_it_is_read_from() -> None:
    region = Region(boxes=((0, 0, 1, 1),), masks=((None, "mask.png"), (None, b"stored")))
    source = Source("a", "image.png", region, control=Control("control.png", map="map.png"), reference="look.png")
    assert sorted(source.files) == ["control.png", "image.png", "look.png", "map.png", "mask.png"]
    assert Source("a", "image.png", "white.png").files == ("image.png", "white.png")
    assert Source("a", control=Control(map=b"stored")).files == ()


def test_batches_are_handed_out_until_nobody_may_begin_another() -> None:
    batches = Batches()
    first, second = tuple(wanted(2)), tuple(wanted(4)[2:])
    batches.waiting.extend((first, second))
    assert batches.take(1) == first
    assert batches.worth(9) == 2
    batches.again(first)
    assert batches.take(1) == first
    batches.close()
    assert batches.take(1) is None
    assert batches.is_done
    # the one that is being drawn
    assert batches.worth(9) == 1
    batches.done()
    assert batches.worth(9) == 0
    assert [Batches(3).worth(maximum) for maximum in (2, 9)] == [2, 3]


def test_a_batch_that_costs_several_processes_ends_it() -> None:
    batches = Batches()
    batch = tuple(wanted(2))
    for _ in range(MAX_DEATHS - 1):
        batches.lost(batch, "it was killed")
        assert batches.take(1) == batch
    with pytest.raises(ProcessLost, match=r"3 processes ended while they drew the same 2, from 'prompt 0' on; .*"):
        batches.lost(batch, "it was killed")
    assert Answer().files == ()
