"""Stopping within a batch: it is heard in every thread of the work, between the blocks of a model, and by no other."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from loupe.brain.core import interrupts
from loupe.brain.core.errors import Stopped


def test_a_point_raises_what_was_asked_and_nothing_else() -> None:
    asked: list[Stopped] = []
    interrupts.point()
    with interrupts.asking(lambda: asked[0] if asked else None):
        interrupts.point()
        asked.append(Stopped("cancelled"))
        with pytest.raises(Stopped, match="cancelled"):
            interrupts.point()
    interrupts.point()


def test_threads_of_the_work_hear_it_and_others_do_not() -> None:
    with ThreadPoolExecutor(2) as pool, interrupts.asking(lambda: Stopped("now")):
        assert pool.submit(interrupts.point).result() is None
        # the same call may run in several threads at once
        waiting = [pool.submit(interrupts.carried(interrupts.point)) for _ in range(8)]
        for each in waiting:
            with pytest.raises(Stopped):
                each.result()


def test_two_runs_of_one_process_are_stopped_apart() -> None:
    heard: list[str] = []
    both = threading.Barrier(2)

    def work(name: str) -> None:
        with interrupts.asking(lambda: Stopped(name) if name == "a" else None):
            both.wait(5)
            try:
                interrupts.point()
            except Stopped as stopped:
                heard.append(str(stopped))

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert heard == ["a"]


def test_a_model_stops_between_its_blocks_and_its_numbers_stay() -> None:
    import torch
    from torch import nn

    class Tower(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.blocks = nn.ModuleList(nn.Linear(8, 8) for _ in range(4))
            self.head = nn.Sequential(nn.Linear(8, 8), nn.ReLU())
            self.done = 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            for block in self.blocks:
                x = block(x)
                self.done += 1
            return self.head(x)

    torch.manual_seed(0)
    model, x = Tower().eval(), torch.randn(3, 8)
    before = model(x)
    assert interrupts.watch(model) is model
    assert torch.equal(model(x), before)
    model.done = 0
    with interrupts.asking(lambda: Stopped("now") if model.done == 2 else None), pytest.raises(Stopped):
        model(x)
    assert model.done == 2
    # torch computes these in another way, to the last bit, once a hook hangs on them
    layer = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, batch_first=True), 2)
    interrupts.watch(layer)
    assert not any(part._forward_pre_hooks for part in layer.modules())


def test_what_is_held_is_known_while_it_lasts() -> None:
    assert not interrupts.is_held()
    with interrupts.held(), interrupts.held():
        assert interrupts.is_held()
    assert not interrupts.is_held()


def test_an_engine_stops_between_the_parts_of_a_batch() -> None:
    import torch

    from loupe.brain.engine.local import attempt
    from loupe.brain.imaging.batches import ImageBatch

    pixels = torch.zeros((4, 3, 8, 8), dtype=torch.uint8)
    batch = ImageBatch(("a", "b", "c", "d"), pixels, ((8, 8),) * 4)
    tried: list[int] = []

    def apply(part: ImageBatch) -> int:
        tried.append(len(part))
        raise RuntimeError("breaks")

    # halved, until it is to stop: then what it raises is not taken for a broken sample
    with interrupts.asking(lambda: Stopped("now") if len(tried) == 2 else None), pytest.raises(Stopped):
        list(attempt(apply, batch))
    assert tried == [4, 2]

    def stops(part: ImageBatch) -> int:
        raise Stopped("now")

    with pytest.raises(Stopped):
        list(attempt(stops, batch))
