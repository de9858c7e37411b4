"""Stopping within a batch: it is heard in every thread of the work, between the blocks of a model, and by no other."""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable
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

    from loupe.brain.engine.threads import attempt
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


def _until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_calculation_is_left_at_once_and_thrown_away() -> None:
    """One that has no point, as a call of a library, goes on for itself; nobody waits for it."""
    begun, goes_on, asked = threading.Event(), threading.Event(), list[Stopped]()
    ended: list[str] = []

    @interrupts.leavable
    def long(word: str) -> str:
        begun.set()
        goes_on.wait(60)
        ended.append(word)
        return word

    def ask() -> None:
        begun.wait(60)
        asked.append(Stopped("cancelled"))

    threading.Thread(target=ask).start()
    with interrupts.asking(lambda: asked[0] if asked else None), pytest.raises(Stopped, match="cancelled"):
        long("a")
    assert not ended
    assert interrupts.is_left()
    goes_on.set()
    _until(lambda: not interrupts.is_left())
    assert ended == ["a"]


def test_a_calculation_that_was_left_stops_at_its_next_point_whoever_is_asked_by_then() -> None:
    begun, goes_on, asked, reached = threading.Event(), threading.Event(), list[Stopped](), list[str]()

    @interrupts.leavable
    def outer() -> None:
        begun.set()
        goes_on.wait(60)
        inner()
        reached.append("the end")

    @interrupts.leavable
    def inner() -> None:
        reached.append(threading.current_thread().name)
        interrupts.point()

    def ask() -> None:
        begun.wait(60)
        asked.append(Stopped("cancelled"))

    threading.Thread(target=ask).start()
    with interrupts.asking(lambda: asked[0] if asked else None), pytest.raises(Stopped):
        outer()
    asked.clear()  # as a worker forgets what the last job was asked
    goes_on.set()
    _until(lambda: not interrupts.is_left())
    assert reached == ["loupe-calculation"], "a calculation within another is no further thread"


def test_a_calculation_gives_and_raises_what_it_does() -> None:
    where: list[str] = []

    @interrupts.leavable
    def halved(number: int, *, by: int = 2) -> float:
        """Divides."""
        where.append(threading.current_thread().name)
        return number / by

    assert halved.__doc__ == "Divides."
    own = threading.current_thread().name
    assert halved(3) == 1.5
    with interrupts.asking(lambda: None):
        assert halved(3, by=3) == 1
        with pytest.raises(ZeroDivisionError):
            halved(1, by=0)
    assert where == [own, "loupe-calculation", "loupe-calculation"]
    with interrupts.asking(lambda: Stopped("before")), pytest.raises(Stopped):
        halved(1)
    assert len(where) == 3, "it is not even begun"
    assert not interrupts.is_left()


@pytest.mark.parametrize(
    ("room", "names"),
    [
        ("verbs.steps.embedding", ("project",)),
        ("slicing.clusters", ("k_means",)),
        ("slicing.discovery", ("discover",)),
        ("slicing.drift", ("compare", "calibration")),
        ("labels.probe", ("probe",)),
        ("labels.noise", ("fit",)),
        ("labels.splits", ("assign", "in_order", "repaired")),
        ("labels.shortcut_results", ("results", "order_of")),
        ("realism.compare", ("compare",)),
        ("realism.transfer", ("measure",)),
        ("selection.choose", ("choose",)),
        ("evaluation.assemble", ("assemble", "evaluation")),
        ("similarity.matching", ("searched",)),
        ("similarity.neighbors", ("nearest", "near_pairs")),
        ("report.html", ("draw",)),
    ],
)
def test_long_calculations_of_verbs_can_be_left(room: str, names: tuple[str, ...]) -> None:
    made = importlib.import_module(f"loupe.brain.{room}")
    for name in names:
        called = getattr(made, name)
        # before it is even looked at with what it was called with
        with interrupts.asking(lambda: Stopped("now")), pytest.raises(Stopped, match="now"):
            called()
