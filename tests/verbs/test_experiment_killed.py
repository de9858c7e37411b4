"""``loupe.experiment`` after a kill: nothing is doubled, nothing lost, and it comes to the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import experimenting as made
import pytest
from experimenting import Marks

import loupe
from loupe.brain.core.records import Progress

pytestmark = [pytest.mark.database, pytest.mark.slow]

PER_CLASS = 12
#: where it is killed: what it reports then, and from which step on
MOMENTS = (
    ("generating", 24),
    ("checking", 16),
    ("embedding the arms", 16),
    ("comparing by", 1),
    ("training on marks · class · guidance 5", 3),
)


def arguments(folder: str | Path) -> dict[str, Any]:
    return {
        "label": "kind",
        "models": Marks(batch_size=8),
        "styles": "class",
        "guidance": [1, 5],
        "per_class": PER_CLASS,
        "embedder": "hog",
        "checks": ["sharpness"],
        "output_dir": Path(folder),
    }


def child(name: str, train: str, test: str, folder: str, word: str, at: str) -> None:
    """What a process that is killed runs."""
    import fiftyone as fo

    def kill(step: Progress) -> None:
        if step.message.startswith(word) and step.done >= int(at):
            os.kill(os.getpid(), signal.SIGKILL)

    sides = [fo.load_dataset(each) for each in (train, test)]
    loupe.experiment(fo.load_dataset(name), *sides, **arguments(folder), progress=kill)


def start(*given: object) -> int:
    support = str(Path(__file__).parents[1] / "support")
    inherited = {**os.environ, "PYTHONPATH": os.pathsep.join([support, os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-W", "ignore", __file__, *map(str, given)]
    return subprocess.run(command, env=inherited, timeout=300, capture_output=True).returncode


def _compared(dataset: Any) -> int:
    return sum(key.startswith("loupe_compare_to_real") for key in dataset.list_runs())


def test_kill_9_anywhere(new_dataset: Callable[[], Any], tmp_path: Path) -> None:
    sides = made.real(tmp_path / "real", 1, 90), made.real(tmp_path / "real", 2, 90)
    dataset, folder = new_dataset(), tmp_path.resolve() / "drawn"
    for each in (dataset, *sides):
        each.persistent = True
    names = [each.name for each in (dataset, *sides)]
    n, reached = PER_CLASS * 3 * 2, []
    for word, at in MOMENTS:
        assert start(*names, folder, word, at) == -signal.SIGKILL, word
        dataset.reload()
        keys = dataset.values("generation.key")
        assert len(keys) == len(set(keys)) <= n
        reached.append(len(keys))
    assert reached == sorted(reached)
    assert reached[0] < n == reached[-1]
    compared = _compared(dataset)
    written = {path: path.stat().st_mtime_ns for path in folder.glob("*.png")}
    result = loupe.experiment(dataset, *sides, **arguments(folder))
    assert {path: path.stat().st_mtime_ns for path in folder.glob("*.png")} == written
    assert len(written) == len(dataset) == n
    # what is kept of the first arm is not measured again
    assert _compared(dataset) == compared + 1
    assert None not in dataset.values("kind.label")
    assert None not in dataset.values("quality.sharpness")
    assert all(vector is not None for vector in dataset.values("embeddings"))
    alone = loupe.experiment(new_dataset(), *sides, **arguments(tmp_path / "alone"))
    assert [arm.to_dict() for arm in result.arms] == [arm.to_dict() for arm in alone.arms]
    assert (result.findings, result.tied) == (alone.findings, alone.tied)
    assert str(result).splitlines()[:4] == str(alone).splitlines()[:4]
    for side in sides:
        side.delete()


if __name__ == "__main__":
    child(*sys.argv[1:])
