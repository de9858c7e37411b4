"""Each step of a task has one thread inside, of torch and of linear algebra, and afterwards as many as before."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from threadpoolctl import threadpool_info, threadpool_limits

from loupe.brain.engine import threads
from loupe.brain.engine.drawing_process import torch_settings
from loupe.brain.engine.inner_threads import inner_threads, limit_blas
from loupe.brain.engine.map import Task
from loupe.brain.engine.reader import Row
from loupe.brain.engine.row_work import Order, Work


def blas() -> set[int]:
    import scipy.linalg  # noqa: F401  (scipy has one of its own, besides numpy's)

    return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}


#: what a machine has on its own; where that is one thread, only torch's is looked at
BEFORE = blas()


@pytest.fixture(autouse=True)
def three_threads_of_torch() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def test_one_thread_inside_and_as_many_as_before_afterwards() -> None:
    with inner_threads(1):
        assert (blas(), torch.get_num_threads()) == ({1}, 1)
    assert (blas(), torch.get_num_threads()) == (BEFORE, 3)


def test_nothing_is_set_where_nobody_asks() -> None:
    with inner_threads(None):
        limit_blas(None)
        assert (blas(), torch.get_num_threads()) == (BEFORE, 3)


def test_after_an_error() -> None:
    with pytest.raises(ValueError, match="broken"), inner_threads(1):
        raise ValueError("broken")
    assert (blas(), torch.get_num_threads()) == (BEFORE, 3)


@pytest.mark.parametrize("first_ends_first", [True, False])
def test_runs_at_once_are_limited_until_the_last_one_ends(first_ends_first: bool) -> None:
    runs = [inner_threads(1), inner_threads(1)]
    for run in runs:
        run.__enter__()
    for run in runs if first_ends_first else runs[::-1]:
        assert blas() == {1}
        run.__exit__(None, None, None)
    assert blas() == BEFORE


def test_what_a_task_brings_is_limited_as_it_has_been_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    from threadpoolctl import ThreadpoolController

    whole = ThreadpoolController.select
    with monkeypatch.context() as patch:
        # one of the libraries is not there yet
        patch.setattr(
            ThreadpoolController, "select", lambda self, **by: whole(self, filepath=paths[0]) if by else whole(self)
        )
        paths = [each["filepath"] for each in threadpool_info() if each["user_api"] == "blas"]
        run = inner_threads(1)
        run.__enter__()
        assert blas() == BEFORE | {1}
    limit_blas(1)
    assert blas() == {1}
    run.__exit__(None, None, None)
    assert blas() == BEFORE


def test_the_engine_limits_what_the_load_of_a_task_brings(tmp_path: Path) -> None:
    from threadpoolctl import ThreadpoolController

    whole, path = ThreadpoolController.select, next(each["filepath"] for each in threadpool_info())
    patch = pytest.MonkeyPatch()
    patch.setattr(ThreadpoolController, "select", lambda self, **_: whole(self, filepath=path))

    def load(_: str) -> Callable[[Any], list[set[int]]]:
        patch.undo()  # the other libraries come now
        return lambda batch: [blas()] * len(batch)

    Image.new("RGB", (32, 32)).save(tmp_path / "a.png")
    task = Task("blas", load, lambda values, _: values)
    row = Row("a", str(tmp_path / "a.png"), {}, frozenset({"blas"}))
    try:
        [[mapped]] = threads.run([row], [task], device="cpu", batch_size=2, workers=1, torch_threads=1)
    finally:
        patch.undo()
    assert mapped.values["blas"] == {1}
    assert blas() == BEFORE


def test_outside_of_a_run_nothing_is_limited() -> None:
    limit_blas(1)
    assert blas() == BEFORE


def test_what_somebody_else_has_limited_stays_theirs() -> None:
    with threadpool_limits(2, user_api="blas"):
        with inner_threads(1):
            assert torch.get_num_threads() == 1
        assert blas() == {2}
    assert blas() == BEFORE


def test_without_threadpoolctl_torch_alone_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU machine that has little but torch."""
    before = blas()
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    with inner_threads(1):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 3
    assert blas() == before


def test_many_runs_at_once_in_threads_of_their_own() -> None:
    seen: list[tuple[set[int], int]] = []

    def work() -> None:
        for _ in range(20):
            with inner_threads(1):
                np.linalg.svd(np.eye(3))
                seen.append((blas(), torch.get_num_threads()))

    working = [threading.Thread(target=work) for _ in range(4)]
    for thread in working:
        thread.start()
    for thread in working:
        thread.join()
    assert len(seen) == 80
    assert all(each == ({1}, 1) for each in seen), seen
    assert blas() == BEFORE


def test_processes_and_nodes_have_one_too(tmp_path: Path) -> None:
    """What their driver has asked for, for torch, holds for BLAS."""
    Image.new("RGB", (32, 32)).save(tmp_path / "a.png")
    task = Task("blas", lambda _: lambda batch: [blas()] * len(batch), lambda values, _: values)
    work = Work(Order([task], "cpu", 2, {**torch_settings(), "threads": 1}), 1)
    answer = work([Row("a", str(tmp_path / "a.png"), {}, frozenset({"blas"}))])
    assert answer.error is None
    assert "{1}" in repr(answer.chunks), answer
    assert blas() == BEFORE


def test_a_process_that_ends_with_a_run_half_done_says_nothing() -> None:
    code = (
        "from loupe.brain.engine.inner_threads import inner_threads\n"
        "def run():\n"
        "    with inner_threads(1):\n"
        "        yield 1\n"
        "running = run()\n"
        "print(next(running))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("1", "")


def test_faces_bring_scipy_as_they_are_loaded() -> None:
    """Its linear algebra would else be loaded by the first face, and not be limited."""
    code = (
        "import sys\n"
        "from loupe.brain.core import errors, registry\n"
        "try:\n"
        "    registry.checks()['faces']().load('cpu')\n"
        "except errors.LoupeError:\n"  # without its models' files
        "    pass\n"
        "print('scipy.linalg' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
