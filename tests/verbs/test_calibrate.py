"""The calibrate verb: made-up pictures, real checks, a real database."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from leaves import leaves
from PIL import Image

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError, NoSamples, Stopped, UnknownName
from loupe.brain.core.records import Output, Progress, Scores, Threshold
from loupe.brain.core.specs import Check, Defect
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.stats.calibration import CalibratedFailure, spread

pytestmark = [pytest.mark.database, pytest.mark.slow]

N = 60
FAST = ["blur", "odd_aspect"]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("leaves")
    paths = [folder / f"{index}.png" for index in range(N)]
    for index, path in enumerate(paths):
        Image.fromarray(leaves(index)).save(path)
    return paths


@pytest.fixture
def scenes(dataset: Any, files: list[Path]) -> Any:
    import fiftyone as fo

    dataset.add_samples([fo.Sample(filepath=str(path), prompt=path.stem) for path in files], progress=False)
    return dataset


def _documents(dataset: Any) -> list[Any]:
    return list(dataset._sample_collection.find())


def _row(calibration: Any, failure: str) -> CalibratedFailure:
    (row,) = (row for row in calibration.rows if row.failure == failure)
    return row


def test_it_measures_what_is_put_in_and_leaves_everything_as_it_was(scenes: Any, files: list[Path]) -> None:
    import loupe

    before = [hashlib.blake2b(path.read_bytes()).digest() for path in files], _documents(scenes)
    schema = scenes.get_field_schema(flat=True).keys()
    done = loupe.calibrate(scenes, FAST, false_positive_rate=0.1)
    after = [hashlib.blake2b(path.read_bytes()).digest() for path in files], _documents(scenes)
    assert before == after
    assert scenes.get_field_schema(flat=True).keys() == schema
    assert not scenes.info

    assert (done.n, done.unreadable, done.wanted, done.messages) == (N, 0, 0.1, {})
    assert [row.failure for row in done.rows] == FAST
    blur = _row(done, "blur")
    assert (blur.check, blur.score) == ("sharpness", "sharpness")
    assert blur.current.threshold.source == "default"
    for point in (blur.current, blur.proposed):
        assert point is not None
        rates = [share.rate for share in point.recall]
        assert rates == sorted(rates)
        assert rates[-1] == 1
        for share in (point.false_positive_rate, *point.recall):
            assert share.n + share.unknown == N // 2
            assert share.low <= share.rate <= share.high
            assert share.rate == share.flagged / share.n
    assert blur.current.recall[0].rate < 0.5 < blur.current.recall[2].rate
    assert list(blur.auroc) == sorted(blur.auroc)
    assert blur.auroc[-1] > 0.99
    assert blur.proposed is not None
    line = blur.proposed.threshold
    assert (line.op, line.source) == ("<", f"calibrated:{done.key}")
    assert line.provenance.startswith("flags 6.7 % of 30 pictures of this dataset")
    assert done.thresholds == {
        "blur": line,
        "odd_aspect": _row(done, "odd_aspect").proposed.threshold,  # type: ignore[union-attr]
    }


def test_every_failure_with_a_check_and_a_defect_is_measured_unless_some_are_named(scenes: Any) -> None:
    import loupe

    done = loupe.calibrate(scenes.limit(2), limit=10)
    flagged_by_a_check = {output.failure for check in registry.checks().values() for output in check.outputs}
    assert {row.failure for row in done.rows} == flagged_by_a_check & registry.defects().keys()
    assert all(row.proposed is None for row in done.rows)
    assert all("needs 99 known scores to choose from, got" in row.reason for row in done.rows)
    assert all(row.current.false_positive_rate.n + row.current.false_positive_rate.unknown == 1 for row in done.rows)


def test_a_proposal_flags_the_wanted_share_when_it_is_applied(scenes: Any) -> None:
    import loupe
    from loupe.brain.store import runs

    loupe.check(scenes, ["sharpness"])
    done = loupe.calibrate(scenes, "blur", false_positive_rate=0.1, apply=True)
    blur = _row(done, "blur").proposed
    assert blur is not None
    scenes.reload()
    assert runs.load_thresholds(scenes) == {"blur": blur.threshold}
    labels = scenes.values("failures")
    failing = [sum(label.label == "blur" for label in failures.classifications) for failures in labels]
    # 2 of the 30 that chose it, for 3 of 31 with the next one, and what was measured on the others; a threshold lies
    # on a score, which may be computed a bit differently in a batch
    assert sum(failing) == pytest.approx(2 + blur.false_positive_rate.flagged, abs=1)
    again = loupe.calibrate(scenes, "blur", false_positive_rate=0.1)
    assert again.key != done.key
    assert _row(again, "blur").current == blur


def test_one_half_chooses_and_the_other_half_is_measured(scenes: Any) -> None:
    import loupe
    from loupe.brain.verbs.calibrate import LIMIT

    loupe.check(scenes, ["sharpness"])
    scores = np.array(scenes.values("quality.sharpness"))[spread(N, LIMIT, seed=0)]
    row = _row(loupe.calibrate(scenes, "blur", false_positive_rate=0.1), "blur")
    assert row.proposed is not None
    line = row.proposed.threshold
    assert line.value == pytest.approx(np.sort(scores[::2])[2], rel=1e-5)
    beyond = int((scores[1::2] < line.value).sum())
    assert beyond > 2, "the halves differ, or this shows nothing"
    assert row.proposed.false_positive_rate.flagged == pytest.approx(beyond, abs=1)
    assert row.current.false_positive_rate.flagged == (scores[1::2] < row.current.threshold.value).sum()


def test_the_datasets_own_threshold_is_the_current_one(scenes: Any) -> None:
    import loupe

    loupe.flag(scenes, {"blur": 0.0})
    current = _row(loupe.calibrate(scenes, "blur", limit=10), "blur").current
    assert (current.threshold.value, current.threshold.source) == (0.0, "user")
    assert [share.flagged for share in current.recall] == [0] * 5


def test_a_seed_decides_what_is_picked(scenes: Any) -> None:
    import loupe

    def auroc(seed: int, samples: Any = scenes) -> tuple[Any, ...]:
        done = loupe.calibrate(samples, FAST, limit=20, seed=seed, false_positive_rate=0.1)
        assert done.n == 20
        return [row.auroc for row in done.rows], [line.value for line in done.thresholds.values()]

    assert auroc(1) == auroc(1)
    assert auroc(1) != auroc(2)
    # another dataset with the same files in the same order gives the same, too
    clone = scenes.clone()
    try:
        assert auroc(1, clone) == auroc(1)
    finally:
        clone.delete()


def test_files_that_cannot_be_read_are_counted_and_replaced(scenes: Any, files: list[Path], tmp_path: Path) -> None:
    import fiftyone as fo

    import loupe

    broken = tmp_path / "broken.png"
    broken.write_bytes(files[0].read_bytes()[:300])
    bad = scenes.add_samples(
        [fo.Sample(filepath=str(path)) for path in (broken, tmp_path / "gone.png")] * 2, progress=False
    )
    done = loupe.calibrate(scenes, ["odd_aspect"])
    assert (done.n, done.unreadable) == (N, 4)
    assert set(done.messages) == set(bad)
    assert "cannot decode broken.png" in done.messages[bad[0]]
    # with fewer wanted than there are readable ones, that many are measured
    assert loupe.calibrate(scenes.skip(N - 10), ["odd_aspect"], limit=10).n == 10
    from loupe.brain.core.errors import NoSamples

    runs = scenes.list_runs()
    with pytest.raises(NoSamples, match=r"got none of 4: (cannot decode broken|no file at).*set_values"):
        loupe.calibrate(scenes.skip(N), ["odd_aspect"])
    assert scenes.list_runs() == runs, "nothing is kept"


def test_stopping_stores_nothing(scenes: Any) -> None:
    import loupe

    before = _documents(scenes)
    seen: list[Progress] = []

    def stop(step: Progress) -> None:
        seen.append(step)
        if step.done >= 8:
            raise Stopped("enough")

    with pytest.raises(Stopped):
        loupe.calibrate(scenes, FAST, false_positive_rate=0.1, apply=True, progress=stop)
    assert seen[-1].done < 16, "it goes on for less than a few chunks"
    scenes.reload()
    assert scenes.list_runs() == []
    assert not scenes.info
    assert _documents(scenes) == before


def test_progress_goes_to_its_end(scenes: Any) -> None:
    import loupe

    seen: list[Progress] = []
    loupe.calibrate(scenes, ["odd_aspect"], limit=30, progress=seen.append)
    done = [step.done for step in seen]
    assert done == sorted(done)
    assert done[0] == 0
    assert (seen[-1].done, seen[-1].total) == (30, 30)
    assert len(seen) > 5


def test_a_run_is_read_again_in_a_new_process(scenes: Any) -> None:
    import loupe
    from loupe.brain.store import runs

    done = loupe.calibrate(scenes, FAST, limit=12, false_positive_rate=0.2)
    facts = done.to_dict()
    assert facts["rows"][0]["failure"] == "blur"
    assert runs.load(scenes, done.key) == facts
    scenes.persistent = True
    code = (
        "import json, sys, fiftyone as fo; from loupe.brain.store import runs;"
        "json.dump(runs.load(fo.load_dataset(sys.argv[1]), sys.argv[2]), sys.stdout)"
    )
    command = [sys.executable, "-c", code, scenes.name, done.key]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert json.loads(ended.stdout) == facts == json.loads(json.dumps(facts))
    with pytest.raises(UnknownName, match=f"unknown run 'loupe_calibrate_9'. Did you mean '{done.key}'"):
        runs.load(scenes, "loupe_calibrate_9")


def test_a_run_shows_as_a_table(scenes: Any) -> None:
    import loupe

    head, columns, *lines = repr(loupe.calibrate(scenes, FAST, limit=20, false_positive_rate=0.1)).splitlines()
    assert head.startswith("Calibration(loupe_calibrate_1: 20 pictures, 0 unreadable, at most 10.0 % wanted, ")
    assert columns.split() == ["threshold", "false", "positives", "recall,", "mildest", "first"]
    assert [line.split()[0] for line in lines] == ["blur", "proposed", "odd_aspect", "proposed"]
    assert "none proposed" in repr(loupe.calibrate(scenes, FAST, limit=20))


def test_what_cannot_be_is_refused(scenes: Any) -> None:
    import loupe

    for rate in (0, 0.5, -0.1, 1, float("nan"), True, "1"):
        with pytest.raises(InputError, match=r"false_positive_rate (between 0 and 0\.5|to be a number)"):
            loupe.calibrate(scenes, false_positive_rate=rate)  # type: ignore[arg-type]
    for limit in (9, 0, -1, 10.5, None):
        with pytest.raises(InputError, match="expected limit to be a whole number"):
            loupe.calibrate(scenes, limit=limit)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="seed"):
        loupe.calibrate(scenes, seed=-1)
    with pytest.raises(UnknownName, match=r"'blurr'.*Did you mean 'blur'"):
        loupe.calibrate(scenes, ["blurr"])
    # flagged by a set measure: there is no putting it into one picture
    with pytest.raises(UnknownName, match="'near_duplicate'"):
        loupe.calibrate(scenes, ["near_duplicate"])
    with pytest.raises(InputError, match="at least one failure mode"):
        loupe.calibrate(scenes, [])
    with pytest.raises(NoSamples):
        loupe.calibrate(scenes.limit(0), FAST)
    with pytest.raises(InputError, match="FiftyOne dataset or view, got list"):
        loupe.calibrate(["a.png"], FAST)  # type: ignore[arg-type]
    assert scenes.list_runs() == []


@dataclass(frozen=True)
class RedCheck(Check):
    """Mean of red. Breaks on pictures whose prompt is a multiple of ten."""

    name: ClassVar[str] = "red"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "none"
    license: ClassVar[str] = "Apache-2.0"
    outputs: ClassVar[tuple[Output, ...]] = (
        Output("redness", "levels", False, (0, 255), "Mean of red", Threshold(">", 250.0), "bright"),
    )
    needs: ClassVar[tuple[str, ...]] = ("prompt",)

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:
        def score(batch: ImageBatch) -> Scores:
            if int(batch.fields["prompt"][0]) % 10 == 0:
                raise RuntimeError("not a tenth one")
            return Scores({"redness": batch.pixels[:, 0].to(torch.float32).mean((1, 2))})

        return score


@dataclass(frozen=True)
class RedDefect(Defect):
    """All red. Breaks at 2; changes the picture that it is given at 3."""

    name: ClassVar[str] = "bright"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "none"
    license: ClassVar[str] = "Apache-2.0"
    unit: ClassVar[str] = "times"
    severities: ClassVar[tuple[float, ...]] = (1, 2, 3, 4)

    def inject(self, pixels: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
        if severity == 2:
            raise RuntimeError("not twice")
        made = pixels if severity == 3 else pixels.copy()
        made[..., 0] = 240 + 3 * severity
        return made


@pytest.fixture
def breaking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check and a defect of a third party's, which break now and then."""
    monkeypatch.setattr(registry, "checks", lambda: {"red": RedCheck})
    monkeypatch.setattr(registry, "defects", lambda: {"bright": RedDefect})


def test_what_breaks_on_one_picture_makes_it_unknown(scenes: Any, breaking: None) -> None:
    import loupe

    done = loupe.calibrate(scenes, false_positive_rate=0.05)
    (row,) = done.rows
    assert done.n == N
    assert row.current.false_positive_rate.n + row.current.false_positive_rate.unknown == 30
    known = [share.n for share in row.current.recall]
    assert known[0] == known[3] == row.current.false_positive_rate.n
    assert known[1:3] == [0, 0], "a defect that breaks, or that changes the picture it is given, made nothing"
    assert [share.rate for share in row.current.recall][0::3] == [0.0, 1.0]
    assert row.proposed is not None
    assert row.auroc[0] == row.auroc[3] == 1
    assert len(done.messages) == N
    tenths = {str(sample.id) for sample in scenes if int(sample.prompt) % 10 == 0}
    assert all(("not a tenth one" in text) == (sample_id in tenths) for sample_id, text in done.messages.items())
    assert all("bright 2: RuntimeError: not twice" in text for text in done.messages.values())
    assert all("bright 3: ValueError" in text for text in done.messages.values())


def test_a_score_that_says_nothing_is_proposed_nothing(
    scenes: Any, breaking: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    import loupe

    monkeypatch.setattr(RedDefect, "inject", lambda self, pixels, severity, rng: pixels.copy())
    (row,) = loupe.calibrate(scenes, false_positive_rate=0.05).rows
    assert row.proposed is None
    assert row.reason == "the score does not tell the strongest defect from these pictures: AUROC 0.50"
    assert row.auroc == (0.5,) * 4


def test_a_threshold_worse_than_todays_is_said_so_in_the_record_and_in_the_dialog(scenes: Any) -> None:
    import loupe
    from loupe.brain.store import runs
    from loupe.operators.calibrate import _text

    low = loupe.calibrate(scenes, "blur", false_positive_rate=0.04)
    (row,) = low.rows
    assert row.proposed is not None
    assert row.comparison
    # a threshold in use that flags none of these pictures, and finds as much as any can that flags none
    best = row.proposed.threshold
    loupe.flag(scenes, {"blur": best})
    (again,) = loupe.calibrate(scenes, "blur", false_positive_rate=0.04).rows
    assert again.comparison.startswith("Does as today's does")
    assert not again.worse
    # far stricter ones are proposed for a rate that today's keeps to, too
    loupe.flag(scenes, {"blur": loupe.Threshold("<", best.value)})
    strict = loupe.calibrate(scenes, "blur", false_positive_rate=0.2, seed=0)
    assert strict.rows[0].comparison
    assert runs.load(scenes, strict.key)["rows"][0]["comparison"] == strict.rows[0].comparison

    from dataclasses import replace

    bad = replace(strict, rows=(replace(strict.rows[0], worse=True, comparison="WORSE than today's: <so>."),))
    assert bad.worse == ("blur",)
    assert "WARNING" in repr(bad)
    assert "WARNING" not in repr(replace(strict, rows=(replace(strict.rows[0], worse=False),)))
    text = _text(bad, "Measured", applied=False)
    assert "Worse than today's threshold: Blur" in text
    assert "WORSE than today's: &lt;so&gt;." in text
    assert "set them back" in _text(bad, "Measured", applied=True)
