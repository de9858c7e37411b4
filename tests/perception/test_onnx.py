"""Models in ONNX files: what is next to nothing is zero in all of their threads, and in no other one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tiny_onnx

from loupe.brain.core.errors import Stopped
from loupe.brain.core.interrupts import asking
from loupe.brain.perception import onnx
from loupe.brain.perception.onnx import Model, subnormals_as_zero

#: enough numbers for each thread to take some
_SIZE = 2**20


def tiny_stays(tiny: float = 1e-40) -> bool:
    return bool(np.float32(tiny) + np.float32(0) != 0)


@pytest.fixture
def times_a_little(tmp_path: Path) -> Path:
    """A model that multiplies by 1e-20."""
    nodes = [tiny_onnx.node("Mul", ["x", "w"], "y")]
    weights = [tiny_onnx.tensor("w", np.array([1e-20], np.float32))]
    values = (tiny_onnx.value(name, (1, _SIZE)) for name in "xy")
    return tiny_onnx.write(tmp_path / "tiny.onnx", nodes, weights, *values)


@pytest.mark.parametrize("threads", [1, 2])
def test_what_is_next_to_nothing_is_zero_in_each_thread(times_a_little: Path, threads: int) -> None:
    model = Model(times_a_little, threads)
    given = np.full((1, _SIZE), 1e-20, np.float32)
    given[0, ::2] = 2.0
    (made,) = model(given)
    assert (made[0, 1::2] == 0).all(), "1e-40 has to be zero"
    assert (made[0, ::2] == np.float32(2.0) * np.float32(1e-20)).all()
    assert tiny_stays(), "the thread that asked takes small numbers as it did"


def test_a_model_says_what_it_takes_and_gives(times_a_little: Path) -> None:
    model = Model(times_a_little)
    assert [(each.name, each.shape) for each in (*model.inputs, *model.outputs)] == [
        ("x", [1, _SIZE]),
        ("y", [1, _SIZE]),
    ]
    assert model.provider == "CPUExecutionProvider"
    assert model.metadata == {}


def test_only_this_thread_and_only_inside() -> None:
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(tiny_stays).result()
        with subnormals_as_zero():
            assert not tiny_stays()
            assert pool.submit(tiny_stays).result(), "a thread that was there before"
        assert tiny_stays()


def test_who_had_it_before_keeps_it() -> None:
    with subnormals_as_zero():
        with subnormals_as_zero():
            pass
        assert not tiny_stays()
    with pytest.raises(ValueError, match="broken"), subnormals_as_zero():
        raise ValueError("broken")
    assert tiny_stays()


def test_a_model_is_asked_between_its_runs_whether_to_go_on(times_a_little: Path) -> None:
    model = Model(times_a_little)
    with asking(lambda: Stopped("canceled")), pytest.raises(Stopped, match="canceled"):
        model(np.ones((1, _SIZE), np.float32))


def test_a_broken_file_leaves_the_thread_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"nothing of the kind")
    with pytest.raises(Exception, match=r"x\.onnx"):
        onnx.Model(tmp_path / "x.onnx")
    assert tiny_stays()
