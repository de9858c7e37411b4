"""``check`` where processes of this machine take over: the same scores, stored as they come, stopped and taken up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import taking_over
from PIL import Image

from loupe.brain.core.errors import Stopped
from loupe.brain.core.records import Progress
from loupe.brain.engine import local

pytestmark = [pytest.mark.database, pytest.mark.slow]

NAMES = ["exposure", "sharpness", "halo", "tiling", "seam", "repeated_subject"]
N = 800


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Lets processes begin as soon as there is anything to do; notes how many."""
    return taking_over.at_once(monkeypatch)


@pytest.fixture
def large_pictures(tmp_path: Path) -> list[Path]:
    """Pictures that a thread needs some hundredths of a second for, so that a run lasts until processes have begun."""
    rng = np.random.default_rng(0)
    paths = []
    for at in range(5):
        small = rng.integers(0, 256, (24 + at, 32, 3), dtype=np.uint8)
        paths.append(tmp_path / f"{at}.jpg")
        Image.fromarray(small).resize((640, 480), Image.Resampling.BICUBIC).save(paths[-1], quality=90)
    return paths


def filled(dataset: Any, files: list[Path]) -> Any:
    import fiftyone as fo

    dataset.add_samples([fo.Sample(filepath=str(files[at % len(files)])) for at in range(N)], progress=False)
    return dataset


def scores(dataset: Any) -> list[Any]:
    dataset.reload()
    return [sample.quality.to_dict() for sample in dataset]


def test_what_is_stored_is_what_threads_store_and_a_stopped_run_goes_on(
    processes: list[int], new_dataset: Callable[[], Any], large_pictures: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import loupe

    dataset = filled(new_dataset(), large_pictures)
    reported: list[Progress] = []

    def stopping(progress: Progress) -> None:
        reported.append(progress)
        if processes and progress.done > reported[0].done and progress.done >= N // 2:
            raise Stopped("canceled")

    with pytest.raises(Stopped, match="canceled"):
        loupe.check(dataset, NAMES, progress=stopping)
    assert processes == [2]
    dataset.reload()
    stored = len(dataset.exists("quality.tiling"))
    assert N // 4 < stored < N
    run = loupe.check(dataset, NAMES)
    assert (run.n, run.skipped) == (N - stored, stored)
    assert [each.done for each in reported] == sorted(each.done for each in reported)
    other = filled(new_dataset(), large_pictures)
    monkeypatch.setattr(local, "PORTION", 0.0)
    before = len(processes)
    loupe.check(other, NAMES)
    assert len(processes) == before
    assert scores(dataset) == scores(other)
    assert len({each["brightness_p99"] for each in scores(other)}) > 3
