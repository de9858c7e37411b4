"""The check verb against a real database: fields, resume, bad files, stopping, and what stays apart."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from loupe.brain.core.records import Output, Scores
from loupe.brain.core.specs import Check
from loupe.brain.imaging.batches import ImageBatch

pytestmark = pytest.mark.database

PIXEL_CHECKS = ["file", "sharpness", "exposure", "information", "geometry"]


@dataclass(frozen=True)
class Levels(Check):
    """Levels: a check of another package, with a list among its parameters."""

    name = "levels"
    version = 1
    reference = "this test"
    license = "Apache-2.0"
    outputs = (Output("above", "0 to 1", None, (0, 1), "The last edge"),)
    edges: list[float] = field(default_factory=lambda: [0.25, 0.5])

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:
        return lambda batch: Scores({"above": torch.full((len(batch),), self.edges[-1])})


@pytest.fixture
def filled(dataset: Any, pictures: list[Path], tmp_path: Path) -> Any:
    import fiftyone as fo

    broken = tmp_path / "broken.png"
    broken.write_bytes(pictures[0].read_bytes()[:60])
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in [*pictures, broken]], progress=False)
    return dataset


def test_scores_and_failures_are_written_and_the_bad_file_is_a_record(filled: Any) -> None:
    import loupe

    run = loupe.check(filled, PIXEL_CHECKS)
    assert (run.n, run.skipped, run.errors) == (9, 0, 0)
    assert run.unknown["sharpness"] >= 1
    assert filled.values("quality.unreadable") == [0.0] * 8 + [1.0]
    last = filled.last()
    assert last.quality.brightness_p99 is None
    assert [failure.label for failure in last.failures.classifications] == ["unreadable"]
    reasons = {label.label: label.reason for label in last.unknown.classifications}
    assert reasons["exposure"].startswith("unreadable: cannot decode broken.png")
    assert set(last.checked) == set(PIXEL_CHECKS)
    assert filled.load_run_results(run.key).run["n"] == 9


def test_what_is_done_and_unchanged_is_left_out(filled: Any, pictures: list[Path], tmp_path: Path) -> None:
    import loupe
    from loupe.brain.checks.sharpness import Sharpness

    moved = tmp_path / "moved.png"
    moved.write_bytes(pictures[1].read_bytes())
    sample = filled.skip(1).first()
    sample.filepath = str(moved)
    sample.save()

    assert loupe.check(filled, PIXEL_CHECKS).n == 9
    again = loupe.check(filled, PIXEL_CHECKS)
    assert (again.n, again.skipped) == (0, 9)
    assert loupe.check(filled, PIXEL_CHECKS, resume=False).n == 9

    before = filled.values("quality.brightness_p99")
    Image.new("RGB", (64, 48), (10, 10, 10)).save(moved)
    os.utime(moved, (1, 1))
    changed = loupe.check(filled, PIXEL_CHECKS)
    assert changed.n == 1
    after = filled.values("quality.brightness_p99")
    assert after[1] == pytest.approx(10 / 255, abs=0.01)
    assert after[:1] + after[2:] == before[:1] + before[2:]
    assert isinstance(Sharpness().key, str)


def test_samples_added_later_are_checked_then(filled: Any, pictures: list[Path], tmp_path: Path) -> None:
    import fiftyone as fo

    import loupe

    loupe.check(filled, ["exposure"])
    copy = tmp_path / "copy.png"
    copy.write_bytes(pictures[0].read_bytes())
    filled.add_sample(fo.Sample(filepath=str(copy)))
    assert loupe.check(filled, ["exposure"]).n == 1
    assert filled.last().quality.brightness_p99 == filled.first().quality.brightness_p99


def test_stopping_keeps_what_is_done(dataset: Any, pictures: list[Path]) -> None:
    import fiftyone as fo

    import loupe
    from loupe.brain.core.errors import Stopped
    from loupe.brain.engine import reader

    paths = [str(path) for path in pictures] * 20  # more than one chunk
    dataset.add_samples([fo.Sample(filepath=path) for path in paths], progress=False)

    def stop(progress: loupe.Progress) -> None:
        if progress.done:
            raise Stopped("enough")

    with pytest.raises(Stopped):
        loupe.check(dataset, ["exposure"], progress=stop)
    done = dataset.exists("quality.brightness_p99").count()
    assert done == reader.CHUNK
    run = loupe.check(dataset, ["exposure"])
    assert (run.n, run.skipped) == (len(paths) - done, done)
    assert dataset.exists("quality.brightness_p99").count() == len(paths)


def test_a_view_is_checked_alone(filled: Any) -> None:
    import loupe

    assert loupe.check(filled.limit(3), ["exposure"]).n == 3
    assert filled.exists("quality.brightness_p99").count() == 3
    assert filled.values("checked")[4] in (None, {})


def test_bad_calls_are_refused_with_what_to_do(filled: Any) -> None:
    import fiftyone as fo

    import loupe
    from loupe import errors

    with pytest.raises(errors.UnknownName, match="Did you mean 'sharpness'"):
        loupe.check(filled, ["sharpnes"])
    with pytest.raises(errors.NoSamples, match="empty view"):
        loupe.check(filled.limit(0), ["exposure"])
    with pytest.raises(errors.NoSamples):
        loupe.check(fo.Dataset(), ["exposure"])
    with pytest.raises(errors.InputError, match="dataset or view"):
        loupe.check([1, 2], ["exposure"])
    with pytest.raises(errors.InputError, match="at least one check"):
        loupe.check(filled, [])
    with pytest.raises(errors.InputError, match="engine"):
        loupe.check(filled, ["exposure"], engine="cluster")


def test_a_view_with_no_prompts_is_unknown_not_an_error(filled: Any) -> None:
    import loupe

    run = loupe.check(filled.limit(2), ["text"])
    assert run.unknown["text"] == 2
    assert "prompt" in filled.first().unknown.classifications[0].reason


def test_one_sample_that_breaks_a_check_is_an_error_of_its_own(filled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import loupe
    from loupe.brain.checks.exposure import Exposure

    bad = filled.first().id
    real = Exposure.load

    def load(self: Exposure, device: str) -> Any:
        score = real(self, device)

        def fragile(batch: Any) -> Any:
            if bad in batch.ids:
                raise RuntimeError("boom")
            return score(batch)

        return fragile

    loupe.check(filled, ["exposure"])
    assert "exposure" in filled[bad].checked
    monkeypatch.setattr(Exposure, "load", load)
    run = loupe.check(filled, ["exposure"], resume=False)
    filled.reload()
    assert "exposure" not in filled[bad].checked, "what it said before the error is forgotten"
    assert run.errors == 1
    assert "boom" in run.messages[bad]
    assert filled.exists("quality.brightness_p99").count() == 7
    monkeypatch.undo()
    assert loupe.check(filled, ["exposure"]).n == 1, "an error is not a judgment: the next run tries again"


_CHILD = """
import os, signal, sys, time
import fiftyone as fo
import loupe

pid, *paths = sys.argv[1:]
name = "gone"
if fo.dataset_exists(name):
    dataset = fo.load_dataset(name)
else:
    dataset = fo.Dataset(name, persistent=True)
    dataset.add_samples([fo.Sample(filepath=path) for path in paths * 20], progress=False)
    time.sleep(1)  # until the samples are in MongoDB's journal, which is written every 0.1 s

def kill(progress):
    if progress.done and int(pid):
        os.kill(int(pid), signal.SIGKILL)

try:
    run = loupe.check(dataset, ["exposure"], progress=kill)
except loupe.errors.DatabaseGone as error:
    print("gone:", error)
    os._exit(0)  # fiftyone's own farewell would wait for the database
print(run.n, run.skipped, dataset.exists("quality.brightness_p99").count())
"""


@pytest.mark.slow
def test_the_database_gone_in_the_middle_is_one_clear_error(
    database: str, pictures: list[Path], tmp_path: Path, start_own_mongod: Any
) -> None:
    def call(pid: int, uri: str) -> str:
        environment = {**os.environ, "FIFTYONE_DATABASE_URI": f"{uri}/?serverSelectionTimeoutMS=2000"}
        command = [sys.executable, "-c", _CHILD, str(pid), *map(str, pictures)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=200, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip().splitlines()[-1]

    mongod, uri = start_own_mongod(tmp_path / "db")
    assert call(mongod.pid, uri).startswith("gone: FiftyOne's database stopped answering")
    mongod.wait(30)
    _, uri = start_own_mongod(tmp_path / "db")
    n, skipped, stored = map(int, call(0, uri).split())
    assert n + skipped == stored == 20 * len(pictures)


@pytest.mark.slow
def test_quick_checks_run_by_default_and_all_on_request(dataset: Any, pictures: list[Path]) -> None:
    import fiftyone as fo

    import loupe
    from loupe.brain.core import registry

    dataset.add_samples([fo.Sample(filepath=str(path)) for path in pictures[:2]], progress=False)
    ran = loupe.check(dataset).params["checks"]
    assert set(ran) == {name for name, spec in registry.checkable().items() if spec.default}
    assert "seam" not in ran
    run = loupe.check(dataset, "all")
    # those whose model files are not here are left out, and it says so
    named_only = {name for name, spec in registry.checkable().items() if not spec.presets}
    assert set(run.params["checks"]) | set(run.messages) == set(registry.checkable()) - named_only
    assert all("loupe weights get" in run.messages[name] for name in set(run.messages) & set(registry.checkable()))
    assert set(loupe.check(dataset, "seam").params["checks"]) == {"seam"}


def test_checks_share_a_field_of_boxes_and_keep_what_is_not_theirs(dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    import loupe

    rng = np.random.default_rng(0)
    left, right = (
        cv2.resize(rng.integers(0, 256, (60, 40, 3), dtype=np.uint8), (160, 240), interpolation=cv2.INTER_CUBIC)
        for _ in range(2)
    )
    Image.fromarray(np.hstack([left, right])).save(tmp_path / "seam.png")
    small = cv2.resize(left, (80, 60), interpolation=cv2.INTER_AREA)
    Image.fromarray(cv2.resize(small, (320, 240), interpolation=cv2.INTER_NEAREST)).save(tmp_path / "steps.png")
    dataset.add_samples([fo.Sample(filepath=str(tmp_path / name)) for name in ("seam.png", "steps.png")])
    loupe.check(dataset, ["seam"])
    loupe.check(dataset, ["aliasing", "local_blur"])
    boxes = [set(zip(labels, names, strict=True)) for labels, names in _boxes(dataset)]
    assert ("seam", "seam") in boxes[0]
    assert ("aliasing", "aliasing") in boxes[1]
    # judged anew, a check replaces its own boxes only
    before = _boxes(dataset)
    loupe.check(dataset, ["seam"], resume=False)
    assert [sorted(zip(*pair, strict=True)) for pair in _boxes(dataset)] == [
        sorted(zip(*pair, strict=True)) for pair in before
    ]
    assert dataset.first().blur_map.map.ndim == 2


def _boxes(dataset: Any) -> list[tuple[list[str], list[str]]]:
    columns = dataset.values(["flaws.detections.label", "flaws.detections.check"])
    return list(zip(*columns, strict=True))


def test_a_spec_with_a_list_for_a_parameter_is_run_once(filled: Any) -> None:
    import loupe

    done = loupe.check(filled, [Levels(), Levels(), "dark", "bright"], flag_after=False)
    assert sorted(done.params["checks"]) == ["exposure", "levels"]
    assert done.params["checks"]["levels"]["edges"] == [0.25, 0.5]
    assert filled.values("quality.above") == [0.5] * 8 + [None]  # the last file cannot be read
