"""``loupe.repair`` is killed at each of its stages: nothing is half there, nothing twice, and the same call goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import repairs
from PIL import Image
from repairs import Lamp

import loupe

pytestmark = [pytest.mark.database, pytest.mark.slow]

#: what a child does: it kills itself before or after the n-th call of a function
_CHILD = """
import importlib, os, signal, sys
import fiftyone as fo
import loupe
from repairs import Lamp
name, folder, module, function, number, when = sys.argv[1:]
room = importlib.import_module(module)
real, calls = getattr(room, function), []
def dying(*arguments, **more):
    calls.append(1)
    if len(calls) == int(number) and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    result = real(*arguments, **more)
    if len(calls) == int(number):
        os.kill(os.getpid(), signal.SIGKILL)
    return result
setattr(room, function, dying)
loupe.repair(fo.load_dataset(name), failure="dark", model=Lamp(how="mixed"), output_dir=folder)
"""
_STORE, _FOLDER = "loupe.brain.store.repair.repaired", "loupe.brain.engine.output_folder"
_STAGES = [
    (_FOLDER, "write", 7, "before"),
    (_FOLDER, "write", 16, "after"),
    (_STORE, "add", 1, "before"),
    (_STORE, "add", 2, "after"),
    (_STORE, "put", 1, "before"),
    (_STORE, "put", 3, "after"),
    ("loupe.brain.store.scores", "write", 1, "before"),
    ("loupe.brain.store.scores", "write", 1, "after"),
    ("loupe.brain.verbs.steps.flagging", "apply_thresholds", 2, "after"),
]


def _state(dataset: Any) -> dict[str, Any]:
    """Returns what stands in a dataset, by what does not depend on its ids."""
    dataset.reload()
    made = {}
    for sample in dataset:
        known = sample["repaired"]["dark"] if sample["repaired"] is not None else None
        if known is None:
            continue
        new = dataset[known.sample] if known.sample else None
        picture = None if new is None else np.asarray(Image.open(new.filepath)).tobytes()
        failures = None if new is None else [label.label for label in new.failures.classifications]
        made[Path(sample.filepath).name] = (known.label, known.attempt, known.after, picture, failures)
    return made


@pytest.mark.parametrize(("module", "function", "number", "when"), _STAGES)
def test_a_killed_run_goes_on(
    dataset: Any, new_dataset: Any, tmp_path: Path, module: str, function: str, number: int, when: str
) -> None:
    dataset.persistent = True  # another process opens it
    ids = repairs.fill(dataset, tmp_path / "given")
    before = repairs.originals(dataset, ids)
    folder = tmp_path / "made"
    paths = [str(Path(__file__).resolve().parents[1] / "support"), *sys.path]
    child = subprocess.run(
        [sys.executable, "-c", _CHILD, dataset.name, str(folder), module, function, str(number), when],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        timeout=300,
    )
    assert child.returncode == -9, child.stderr[-2000:]
    dataset.reload()
    made = loupe.repair(dataset, failure="dark", model=Lamp(how="mixed"), output_dir=folder)
    other = new_dataset()
    repairs.fill(other, tmp_path / "others")
    whole = loupe.repair(other, failure="dark", model=Lamp(how="mixed"), output_dir=tmp_path / "elsewhere")
    assert _state(dataset) == _state(other)
    assert (made.attempted, made.better) == (whole.attempted, whole.better)
    assert len(dataset) == len(other) == 6 + made.better
    assert repairs.originals(dataset, ids) == before
    assert not list(folder.glob(".*.tmp"))
    keys = [key for key in dataset.values("generation.key") if key]
    assert len(keys) == len(set(keys)) == made.better
    assert len(list(folder.glob("*.png"))) == made.attempted
