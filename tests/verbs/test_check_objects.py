"""Objects against a real database: their own field, resume, changed boxes, bad input, and the labels that stay."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from street import ODD, SOFT, boxes, fill, picture_of_objects

from loupe.brain.core.errors import NoSamples, Stopped, UnknownName
from loupe.brain.core.records import Output, Progress, Scores
from loupe.brain.core.specs import Check
from loupe.brain.imaging.batches import ImageBatch

pytestmark = pytest.mark.database


@pytest.fixture
def street(dataset: Any, tmp_path: Path) -> Any:
    return fill(dataset, tmp_path)


def _stored(dataset: Any) -> list[Any]:
    """The user's own labels as the database has them."""
    return list(dataset._sample_collection.find({}, ["gt"]))


def _attribute(dataset: Any, name: str) -> list[Any]:
    return list(dataset.values(f"gt_objects.detections.{name}"))


def test_each_object_has_scores_and_failures_and_the_labels_stay(street: Any) -> None:
    import loupe

    before = _stored(street)
    run = loupe.check(street, ["blur", "cut", "tiny"], objects="gt")
    assert _stored(street) == before
    assert (run.n, run.skipped, run.errors, run.params["n_objects"]) == (5, 2, 0, 17)
    assert run.params["objects"] == "gt"
    # the broken file's object, and the tiny ones that are too small to be judged
    assert run.unknown == {"sharpness": 5, "cut": 1, "tiny": 1}
    first = street.first()
    assert [each.failures for each in first.gt_objects.detections] == [[], ["blur"], ["cut"], ["tiny"]]
    assert [each.label for each in first.gt_objects.detections] == [ODD] * 4
    assert [each.source for each in first.gt_objects.detections] == [each.id for each in first.gt.detections]
    assert [each.bounding_box for each in first.gt_objects.detections] == [
        each.bounding_box for each in first.gt.detections
    ]
    assert not {each.id for each in first.gt_objects.detections} & {each.id for each in first.gt.detections}
    assert first.gt_objects.detections[3].sharpness is None
    assert first.gt_objects.detections[3].unknown == [
        "sharpness: too small to judge blur: less than 32 pixels along the short side"
    ]
    assert street.values("gt_objects.failing") == [3, 3, 3, 3, None, None, 0]
    broken = street.last().gt_objects.detections[0]
    assert (broken.failures, broken.border_distance) == ([], None)
    assert [reason.split(":")[:2] for reason in broken.unknown] == [
        [name, " unreadable"] for name in ("cut", "sharpness", "tiny")
    ]
    # the pictures were not judged
    assert not street.has_field("quality")
    assert not street.has_field("failures")
    assert street.match(fo_field("gt_objects.failing") > 0).count() == 4


def fo_field(path: str) -> Any:
    import fiftyone as fo

    return fo.ViewField(path)


def test_patches_of_the_objects_carry_what_is_known_of_them(street: Any) -> None:
    import fiftyone as fo

    import loupe

    loupe.check(street, ["blur", "cut", "tiny"], objects="gt")
    blurred = street.filter_labels("gt_objects", fo.ViewField("failures").contains("blur"))
    patches = blurred.to_patches("gt_objects")
    assert len(patches) == 4
    assert patches.first().gt_objects.bounding_box == list(SOFT)
    sharpness = fo.ViewField("gt_objects.sharpness")
    # to the database nothing is less than any number
    soft = street.to_patches("gt_objects").match((sharpness >= 0) & (sharpness < 0.6))
    assert len(soft) == 4


def test_what_is_done_and_unchanged_is_left_out(street: Any) -> None:
    import loupe
    from loupe.brain.checks.sharpness import Sharpness

    loupe.check(street, ["blur", "tiny"], objects="gt")
    assert loupe.check(street, ["blur", "tiny"], objects="gt").n == 0
    kept = [list(row or ()) for row in _attribute(street, "sharpness")]
    # a check more: what the others said stays beside it
    assert loupe.check(street, ["blur", "tiny", "dark"], objects="gt").n == 5
    assert [list(row or ()) for row in _attribute(street, "sharpness")] == kept
    assert street.first().gt_objects.detections[3].unknown == [
        "sharpness: too small to judge blur: less than 32 pixels along the short side",
        "exposure: too small to judge exposure: less than 32 pixels along the long side",
    ]
    assert loupe.check(street, ["blur"], objects="gt", resume=False).n == 5
    assert loupe.check(street, [Sharpness()], objects="gt").n == 0


@pytest.mark.parametrize("what", ["box", "label", "added", "removed", "file", "none", "mirror"])
def test_what_has_changed_is_judged_anew(street: Any, what: str) -> None:
    import fiftyone as fo

    import loupe

    loupe.check(street, ["blur", "cut"], objects="gt")
    sample = street.first()
    tagged = sample.gt_objects.detections[0]
    tagged.tags.append("mine")
    sample.save()
    labels = sample.gt
    if what == "box":
        labels.detections[0].bounding_box = list(SOFT)
    elif what == "label":
        labels.detections[0].label = "bus"
    elif what == "added":
        labels.detections.append(fo.Detection(label="new", bounding_box=[0.2, 0.2, 0.5, 0.5]))
    elif what == "removed":
        del labels.detections[0]
    elif what == "file":
        Image.new("RGB", (320, 240), (200, 10, 10)).save(sample.filepath)
        os.utime(sample.filepath, (1, 1))
    elif what == "none":
        sample.gt = None
    else:
        sample.gt_objects = None
    sample.save()
    run = loupe.check(street, ["cut"], objects="gt")
    assert run.n == (0 if what == "none" else 1)
    sample.reload()
    if what == "none":
        assert sample.gt_objects is None
        assert loupe.check(street, ["blur"], objects="gt").n == 0
        return
    mirrored = sample.gt_objects.detections
    assert [each.bounding_box for each in mirrored] == [each.bounding_box for each in sample.gt.detections]
    assert [each.label for each in mirrored] == [each.label for each in sample.gt.detections]
    # what another check said of what was there before is gone, and not passed off as of now
    assert all(each.get_attribute_value("sharpness", None) is None for each in mirrored)
    assert loupe.check(street, ["blur"], objects="gt").n == 1
    sample.reload()
    judged = [each.sharpness for each in sample.gt_objects.detections]
    assert (judged[0] is None) == (what == "file")
    assert loupe.check(street, ["blur", "cut"], objects="gt").n == 0


def test_tags_on_objects_stay_while_nothing_changes(street: Any) -> None:
    import loupe

    loupe.check(street, ["cut"], objects="gt")
    ids = _attribute(street, "id")
    sample = street.first()
    sample.gt_objects.detections[1].tags.append("mine")
    sample.save()
    loupe.check(street, ["cut", "blur"], objects="gt", resume=False)
    assert _attribute(street, "id") == ids
    assert _attribute(street, "tags")[0] == [[], ["mine"], [], []]


def test_thresholds_of_objects_are_their_own_and_nothing_is_decoded(
    street: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import loupe
    from loupe.brain.imaging import decode

    loupe.check(street, ["blur"])
    loupe.flag(street, {"blur": 0.0})
    loupe.check(street, ["blur", "tiny"], objects="gt")
    assert _attribute(street, "failures")[0] == [[], ["blur"], [], ["tiny"]]
    monkeypatch.setattr(decode, "decode", lambda *args, **more: pytest.fail("decoded"))
    flags = loupe.flag(street, {"blur": 0.9999, "tiny": 1.0}, objects="gt")
    assert flags.counts == {"blur": 12, "tiny": 0}
    assert flags.unknown == {"blur": 5, "tiny": 1}
    assert _attribute(street, "failures")[0] == [["blur"], ["blur"], ["blur"], []]
    assert street.values("gt_objects.failing")[:4] == [3] * 4
    # kept, and not the pictures'
    assert loupe.flag(street, objects="gt").thresholds["blur"].value == 0.9999
    assert loupe.flag(street).thresholds["blur"].value == 0.0
    loupe.flag(street, {"blur": None, "tiny": None}, objects="gt")
    assert _attribute(street, "failures")[0] == [[], ["blur"], [], ["tiny"]]
    with pytest.raises(UnknownName, match="failure mode"):
        loupe.flag(street, {"hand_malformed": 0.5}, objects="gt")


@pytest.mark.parametrize("moment", ["before", "after"])
def test_who_flags_at_the_same_time_by_another_threshold_loses_nothing(
    street: Any, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import loupe
    from loupe.brain.store.objects import scores as object_scores

    loupe.check(street, ["cut", "tiny"], objects="gt")
    write, calls = object_scores.write_failures, []

    def disturbed(*given: Any) -> None:
        calls.append(given)
        if len(calls) > 1:
            write(*given)
        elif moment == "before":
            loupe.flag(street, {"tiny": 1.0}, objects="gt")
            write(*given)
        else:
            write(*given)
            loupe.flag(street, {"tiny": 1.0}, objects="gt")

    monkeypatch.setattr(object_scores, "write_failures", disturbed)
    flags = loupe.flag(street, {"cut": 1000.0}, objects="gt")
    assert (flags.thresholds["cut"].value, flags.thresholds["tiny"].value) == (1000.0, 1.0)
    assert _attribute(street, "failures")[0] == [["cut"]] * 4


def test_a_threshold_that_is_refused_is_not_kept(street: Any) -> None:
    import loupe
    from loupe.brain.core.errors import InputError
    from loupe.brain.store import runs

    with pytest.raises(InputError, match="objects of 'gt' that were checked"):
        loupe.flag(street, {"cut": 5.0}, objects="gt")
    assert runs.load_thresholds(street, "gt_objects") == {}


def test_what_the_prompt_asks_for_is_no_failure_of_its_objects(street: Any) -> None:
    import loupe

    street.set_values("prompt", ["a street at night"] * 4 + ["a street"] * 3)
    for sample in street:
        if not sample.filepath.endswith("broken.png"):
            Image.new("RGB", (320, 240), (12, 12, 12)).save(sample.filepath)
    run = loupe.check(street, ["dark"], objects="gt")
    assert run.as_asked == {"dark": 12, "low_contrast": 12}
    assert _attribute(street, "failures")[0] == [[]] * 4
    (rate,) = loupe.slice(street, [], failure="dark", objects="gt")
    assert (rate.failures, rate.n, rate.unknown) == (0, 0, 17)


@dataclass(frozen=True)
class Breaking(Check):
    """Breaks where it is told to."""

    name = "breaking"
    version = 1
    reference = "this test"
    license = "Apache-2.0"
    outputs = (Output("breaking", "0 to 1", None, (0, 1), "The mean"),)
    width: int = 0

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:
        def score(batch: ImageBatch) -> Scores:
            if batch.pixels.shape[3] == self.width:
                raise RuntimeError("cannot")
            return Scores({"breaking": torch.ones(len(batch))})

        return score


def test_a_check_that_breaks_counts_as_not_run(street: Any) -> None:
    import loupe

    run = loupe.check(street, [Breaking(width=64), "cut"], objects="gt")
    assert run.errors == 4
    assert next(iter(run.messages.values())) == "breaking: RuntimeError: cannot"
    assert _attribute(street, "breaking")[0] == [None] * 4
    assert street.first().gt_objects.detections[0].border_distance is not None
    again = loupe.check(street, [Breaking(width=64), "cut"], objects="gt")
    assert (again.n, again.skipped) == (4, 3)


def test_stopping_keeps_what_was_done_and_the_same_call_goes_on(street: Any) -> None:
    import loupe

    def stop(progress: Progress) -> None:
        if progress.done >= 2:
            raise Stopped("stopped")

    with pytest.raises(Stopped):
        loupe.check(street, ["cut"], objects="gt", batch_size=1, workers=1, progress=stop)
    done = sum(value is not None for value in street.values("gt_objects.inputs"))
    assert 0 < done < 5
    assert loupe.check(street, ["cut"], objects="gt").n == 5 - done


def test_kill_9_loses_only_what_was_not_written(street: Any, database: str) -> None:
    import loupe

    script = f"""
import os, signal
import fiftyone as fo, loupe
dataset = fo.load_dataset({street.name!r})
def kill(progress):
    if progress.done >= 2:
        os.kill(os.getpid(), signal.SIGKILL)
loupe.check(dataset, ["cut", "blur"], objects="gt", batch_size=1, workers=1, progress=kill)
"""
    street.persistent = True
    code = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=300,
        check=False,
    )
    assert code.returncode == -9
    street.reload()
    done = [value is not None for value in street.values("gt_objects.inputs")] if street.has_field("gt_objects") else []
    assert sum(done) < 5
    run = loupe.check(street, ["cut", "blur"], objects="gt")
    assert run.n == 5 - sum(done)
    assert _attribute(street, "failures")[0] == [[], ["blur"], ["cut"], []]


def test_boxes_that_are_none_are_unknown_with_the_reason(dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    import loupe

    bad = [(0.5, 0.5, 0.0, 0.1), (0.5, 0.5, -0.1, 0.1), (1.5, 0.5, 0.1, 0.1), (math.nan, 0, 1, 1), (0, 0, math.inf, 1)]
    labels = boxes(*bad)
    labels.detections.append(fo.Detection(label="no box"))
    labels.detections.append(fo.Detection(label=None, bounding_box=[0.1, 0.1, 0.5, 0.5]))
    dataset.add_sample(fo.Sample(filepath=str(picture_of_objects(tmp_path / "a.png", 0)), gt=labels))
    run = loupe.check(dataset, ["blur", "dark", "cut", "tiny"], objects="gt")
    assert run.errors == 0
    objects = dataset.first().gt_objects.detections
    reasons = [{each.split(": ", 1)[1] for each in one_object.unknown} for one_object in objects]
    assert reasons == [
        {"its box has no area"},
        {"its box has no area"},
        {"its box lies outside the picture"},
        {"its box is not four finite numbers"},
        {"its box is not four finite numbers"},
        {"its box is not four finite numbers"},
        set(),
    ]
    assert [each.failures for each in objects] == [[]] * 7
    assert [each.sharpness for each in objects][:6] == [None] * 6
    assert objects[6].label is None
    assert len(dataset.to_patches("gt_objects")) == 7


def test_an_empty_run_and_a_view(street: Any) -> None:
    import fiftyone as fo

    import loupe

    with pytest.raises(NoSamples):
        loupe.check(street.match(fo.ViewField("filepath") == "none"), objects="gt")
    # of a view of some labels all objects of its samples are judged: a sample is judged as a whole
    view = street.limit(2).filter_labels("gt", fo.ViewField("bounding_box")[0] == 0.1)
    assert loupe.check(view, ["cut"], objects="gt").params["n_objects"] == 8
    assert sum(value is not None for value in street.values("gt_objects.inputs")) == 2
    assert loupe.check(street.match(fo.ViewField("gt.detections").length() == 0), ["cut"], objects="gt").n == 0
