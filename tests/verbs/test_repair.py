"""``loupe.repair``: what is better is kept beside its original, the rest is refused with a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import repairs
from PIL import Image
from repairs import Lamp, drawn, fill, originals, repair

import loupe
from loupe.brain.core.errors import InputError, NoSamples, OutputError, Stopped, UnknownName
from loupe.brain.core.records import Progress

pytestmark = [pytest.mark.database, pytest.mark.slow]


@pytest.fixture
def dark(dataset: Any, tmp_path: Path) -> Any:
    repairs.drawn.clear()
    fill(dataset, tmp_path / "given")
    return dataset


def test_what_is_better_becomes_a_sample_beside_its_original(dark: Any, tmp_path: Path) -> None:
    ids = dark.values("id")
    before = originals(dark, ids)
    made = repair(dark, tmp_path)
    assert made.attempted == 4
    assert made.better >= 3
    assert originals(dark, ids) == before
    assert len(dark) == 6 + made.better
    for each in made.samples:
        if each.status != "better":
            continue
        original, new = dark[each.id], dark[each.repaired_id]
        assert new.repair.of == each.id
        assert (new.repair.failure, new.repair.method, new.repair.accepted) == ("dark", "image_to_image", True)
        assert new.repair.before == pytest.approx(each.before)
        assert new.repair.after > new.repair.before
        assert new.prompt == original.prompt
        assert new.tags == original.tags
        assert new.ground_truth.label == "scene"
        # the whole picture was drawn anew: where things lie in it is not known
        assert new["boxes"] is None
        assert new.generation.source == each.id
        assert new.generation.generator == "lamp"
        assert set(json.loads(new.generation.inputs)) >= {"image", "strength"}
        assert new.generation.strength == json.loads(new.generation.inputs)["strength"]
        assert original.repaired["dark"].label == "better"
        assert original.repaired["dark"].sample == new.id
        # it was judged, and does not fail
        assert new.checked.keys() == original.checked.keys()
        assert "dark" not in [label.label for label in new.failures.classifications]
        assert Image.open(new.filepath).size == (160, 120)
    # what nobody kept is not left behind
    kept = {Path(path).name for path in dark.values("filepath")} | {
        Path(entry["file"]).name for entry in _entries(dark) if entry["file"]
    }
    assert {path.name for path in (tmp_path / "made").glob("*.png")} <= kept
    assert len(loupe.with_repairs(dark)) == 6


def _entries(dataset: Any) -> list[dict[str, Any]]:
    return [
        {name: sample.repaired["dark"][name] for name in ("file", "sample", "reason", "attempt", "key")}
        for sample in dataset
        if sample["repaired"] is not None and sample.repaired["dark"] is not None
    ]


def test_the_same_call_again_does_nothing_and_another_seed_tries_anew(dark: Any, tmp_path: Path) -> None:
    made = repair(dark, tmp_path)
    held = {sample.id: str(sample.to_dict()) for sample in dark}
    drawn.clear()
    again = repair(dark, tmp_path)
    assert not drawn
    assert again.skipped == 4
    assert [each.to_dict() for each in again.samples] == [each.to_dict() for each in made.samples]
    assert {sample.id: str(sample.to_dict()) for sample in dark} == held
    repair(dark, tmp_path, seed=1)
    assert drawn


def test_it_is_the_same_in_another_dataset(dark: Any, tmp_path: Path, new_dataset: Any) -> None:
    repair(dark, tmp_path)
    other = new_dataset()
    fill(other, tmp_path / "others")
    repair(other, tmp_path / "elsewhere")

    def pictures(samples: Any) -> list[bytes]:
        made = samples.match({"repair.of": {"$ne": None}})
        return sorted(np.asarray(Image.open(path)).tobytes() for path in made.values("filepath"))

    assert pictures(other) == pictures(dark)


def test_nothing_is_kept_that_is_no_better_and_it_says_why(dark: Any, tmp_path: Path) -> None:
    made = repair(dark, tmp_path, model=Lamp(how="never"))
    assert (made.attempted, made.better) == (4, 0)
    assert all("dark stays" in each.reason for each in made.samples)
    assert len(dark) == 6
    assert all(entry["file"] and not entry["sample"] for entry in _entries(dark))


def test_nothing_is_kept_that_is_worse_in_something_else(dark: Any, tmp_path: Path) -> None:
    made = repair(dark, tmp_path, model=Lamp(how="flat"))
    assert (made.better, made.worse) == (0, 4)
    assert made.harm.k == 4
    assert all("is new" in each.reason or "worse" in each.reason or "blurr" in each.reason for each in made.samples)


def test_a_region_of_ones_own_is_drawn_and_the_rest_stays(dark: Any, tmp_path: Path) -> None:
    made = repair(dark, tmp_path, model=Lamp(how="always"), region="boxes")
    for each in made.samples:
        assert each.method == "inpaint"
        if not each.repaired_id:
            continue
        new = dark[each.repaired_id]
        before, after = (np.asarray(Image.open(path)) for path in (dark[each.id].filepath, new.filepath))
        assert np.array_equal(before[:29], after[:29])
        assert np.array_equal(before[:, :39], after[:, :39])
        assert not np.array_equal(before[40:80, 60:100], after[40:80, 60:100])
        # of a region alone the boxes are carried over, as labels of their own
        assert new["boxes"].detections[0].bounding_box == [0.25, 0.25, 0.5, 0.5]
        assert new["boxes"].detections[0].id != dark[each.id]["boxes"].detections[0].id
        assert json.loads(dark[each.id].repaired["dark"].outline)
    assert all(request.mask is not None for request in drawn)


@pytest.mark.parametrize(
    ("box", "status"), [([1.2, 0.2, 0.1, 0.1], "unknown"), ([0.5, 0.5, 0.0, 0.0], "unknown"), ([0, 0, 1, 1], "better")]
)
def test_a_region_outside_empty_or_whole(dark: Any, tmp_path: Path, box: list[float], status: str) -> None:
    import fiftyone as fo

    for sample in dark:
        sample["boxes"] = fo.Detections(detections=[fo.Detection(label="x", bounding_box=box)])
        sample.save()
    made = repair(dark, tmp_path, model=Lamp(how="always"), region="boxes", sample=1)
    assert made.samples[0].status == status
    if status == "unknown":
        assert "outside of the picture, or is empty" in made.samples[0].reason


def test_masks_mark_a_region_too(dark: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    mask = np.zeros((60, 80), np.uint8)
    mask[20:40, 20:60] = 255
    first = dark.first()
    first["mask"] = fo.Segmentation(mask=mask)
    first.save()
    made = repair(dark, tmp_path, model=Lamp(how="always"), region="mask")
    assert made.samples[0].method == "inpaint"
    assert {each.status for each in made.samples[1:]} == {"unknown"}


def test_what_cannot_be_tried_is_unknown_with_a_reason(dark: Any, tmp_path: Path) -> None:
    first, second, third, _ = dark.limit(4)
    first["prompt"] = None
    first.save()
    Path(second.filepath).unlink()
    Path(third.filepath).write_bytes(b"no picture")
    made = repair(dark, tmp_path)
    reasons = {each.id: each.reason for each in made.samples}
    assert reasons[first.id] == "the sample has no prompt: give prompt="
    assert "unreadable" in reasons[second.id]
    assert "unreadable" in reasons[third.id]
    assert (made.unknown, made.attempted) == (3, 1)
    # what was put right is tried by the same call
    assert repair(dark, tmp_path, prompt="a scene").attempted == 2


def test_a_failure_that_no_check_here_can_judge_again_is_unknown(
    dark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from loupe.brain.perception import weights

    real = weights.lacking
    monkeypatch.setattr("loupe.brain.checks.exposure.Exposure.weights", lambda self: ("vlm",))
    monkeypatch.setattr(weights, "lacking", lambda names: "no VLM here" if "vlm" in names else real(names))
    made = repair(dark, tmp_path)
    assert (made.attempted, made.better) == (0, 0)
    assert {each.reason for each in made.samples} == {"no check here can judge dark again"}
    assert not drawn
    # another check that ran cannot be asked again: nobody can tell whether something gets worse
    monkeypatch.undo()
    monkeypatch.setattr("loupe.brain.checks.sharpness.Sharpness.weights", lambda self: ("vlm",))
    monkeypatch.setattr(weights, "lacking", lambda names: "no VLM here" if "vlm" in names else real(names))
    made = repair(dark, tmp_path)
    assert all("nobody can tell whether something else gets worse: sharpness" in each.reason for each in made.samples)
    assert repair(dark, tmp_path, checks=["exposure"]).attempted == 4


def test_a_deleted_repair_is_made_again(dark: Any, tmp_path: Path) -> None:
    made = repair(dark, tmp_path)
    better = [each for each in made.samples if each.repaired_id]
    path = Path(dark[better[0].repaired_id].filepath)
    before = np.asarray(Image.open(path)).tobytes()
    path.unlink()
    dark.delete_samples([better[1].repaired_id])
    again = repair(dark, tmp_path)
    assert again.skipped == 2
    assert again.better == made.better
    assert np.asarray(Image.open(path)).tobytes() == before
    assert len(dark) == 6 + made.better


def test_a_stop_keeps_what_is_done_and_the_same_call_goes_on(dark: Any, tmp_path: Path) -> None:
    def stop(step: Progress) -> None:
        seen.append((step.done, step.total))
        if step.message == "repairing" and step.done >= 4:
            raise Stopped("enough")

    seen: list[tuple[int, int]] = []
    fill(dark, tmp_path / "more", 4)
    with pytest.raises(Stopped):
        repair(dark, tmp_path, progress=stop)
    assert seen[-1] == (4, 8)
    half = {sample.id for sample in dark}
    drawn.clear()
    made = repair(dark, tmp_path)
    assert (made.attempted, made.skipped) == (8, 4)
    assert len(drawn) == 4 * 4
    assert half <= {sample.id for sample in dark}


def test_without_a_failure_each_sample_has_its_first_one_repaired(dark: Any, tmp_path: Path) -> None:
    made = repair(dark, tmp_path, failure=None, model=Lamp(how="always"))
    assert made.attempted >= 4
    labels = {sample.id: [label.label for label in sample.failures.classifications] for sample in dark}
    for each in made.samples:
        assert each.failure in labels[each.id]


def test_a_view_is_repaired_alone_and_its_dataset_gets_the_samples(dark: Any, tmp_path: Path) -> None:
    view = dark.limit(2).select_fields("prompt")
    made = repair(view, tmp_path)
    assert made.attempted == 2
    assert len(dark) == 6 + made.better


def test_decisions_come_and_go(dark: Any, tmp_path: Path) -> None:
    ids = dark.values("id")
    before = originals(dark, ids)
    made = repair(dark, tmp_path)
    better = [each for each in made.samples if each.status == "better"]
    undone = loupe.decide_repairs(dark, "undo", by="anna")
    assert {each.status for each in undone.samples} == {"undone"}
    assert len(dark) == 6
    assert dark[better[0].id].repaired["dark"].by == "anna"
    # the files stay, and it can be accepted again
    accepted = loupe.decide_repairs(dark.select([better[0].id]), "accept")
    assert accepted.samples[0].status == "accepted"
    assert len(dark) == 7
    new = dark[accepted.samples[0].repaired_id]
    assert new.repair.of == better[0].id
    assert new.prompt == dark[better[0].id].prompt
    # by the repaired sample as well as by its original
    loupe.decide_repairs(dark.select([new.id]), "undo")
    assert len(dark) == 6
    assert originals(dark, ids) == before
    # what a person decided stays as it is
    assert repair(dark, tmp_path).skipped == 4
    assert len(dark) == 6


def test_a_refused_one_can_be_taken_in_spite_of_the_gate(dark: Any, tmp_path: Path) -> None:
    repair(dark, tmp_path, model=Lamp(how="flat"))
    made = loupe.decide_repairs(dark, "accept")
    assert len(dark) == 10
    new = dark[made.samples[0].repaired_id]
    assert new.repair.accepted is False
    assert new.repair.reason
    Path(new.filepath).unlink()
    loupe.decide_repairs(dark.select([new.id]), "undo")
    with pytest.raises(InputError, match="it was deleted; repair the sample again"):
        loupe.decide_repairs(dark, "accept")


def test_wrong_input_is_refused(dark: Any, tmp_path: Path, new_dataset: Any) -> None:
    import fiftyone as fo

    for given, message in (
        ({"attempts": 0}, "attempts to be a whole number from 1 to 64"),
        ({"strength": 0}, "strength in"),
        ({"seed": -1}, "seed to be"),
        ({"sample": 0}, "sample to be"),
        ({"failure": None, "unknown": True}, "a failure beside unknown=True"),
        ({"region": "nothing"}, "a field of boxes or masks as region, got 'nothing'. There are: boxes"),
        ({"failure": "outlier"}, "compares pictures of a set"),
    ):
        with pytest.raises(InputError, match=message):
            repair(dark, tmp_path, **given)
    with pytest.raises(UnknownName, match="dark"):
        repair(dark, tmp_path, failure="drak")
    with pytest.raises(InputError, match="a model to draw with, got none"):
        repair(dark, tmp_path, model=None)
    with pytest.raises(NoSamples):
        repair(dark.match_tags("none"), tmp_path)
    with pytest.raises(InputError, match="'accept' or 'undo'"):
        loupe.decide_repairs(dark, "maybe")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"run loupe\.repair first"):
        loupe.decide_repairs(dark, "undo")
    own = new_dataset()
    own.add_sample(fo.Sample(filepath=dark.first().filepath, prompt="x"))
    with pytest.raises(InputError, match=r"run loupe\.check\(samples, \['exposure'\]\) first"):
        repair(own, tmp_path)
    assert not drawn


def test_a_method_that_the_model_cannot_is_unknown_and_a_redraw_always_works(dark: Any, tmp_path: Path) -> None:
    made = repair(dark, tmp_path, method="inpaint", model=Lamp(takes=()))
    assert {each.reason for each in made.samples} == {
        "the model takes no mask: choose another model, or method='redraw'"
    }
    made = repair(dark, tmp_path, model=Lamp(takes=()))
    assert {each.method for each in made.samples} == {"redraw"}
    assert made.attempted == 4
    assert all(request.image is None for request in drawn)


def test_fields_of_the_users_own_are_never_written_to(dark: Any, tmp_path: Path) -> None:
    dark.set_values("repair", ["mine"] * 6)
    with pytest.raises(InputError, match=r"rename_sample_field\(\"repair\""):
        repair(dark, tmp_path)
    assert set(dark.values("repair")) == {"mine"}
    assert not drawn


def test_groups_are_refused_clearly(dark: Any, tmp_path: Path, new_dataset: Any) -> None:
    import fiftyone as fo

    groups = new_dataset()
    group = fo.Group()
    groups.add_group_field("group", default="left")
    for name, path in zip(("left", "right"), dark.values("filepath"), strict=False):
        groups.add_sample(fo.Sample(filepath=path, prompt="x", group=group.element(name)))
    with pytest.raises(InputError, match=r"media type 'group'|one of groups"):
        repair(groups, tmp_path)
    view = groups.select_group_slices("left")
    loupe.check(view, ["exposure"])
    with pytest.raises(InputError, match=r"got one of groups: make the slice a dataset, view\.clone"):
        repair(view, tmp_path)


def test_a_full_disk_is_one_clear_error_and_the_same_call_goes_on(
    dark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from loupe.brain.engine import output_folder

    real, calls = output_folder.write, []

    def full(*arguments: Any) -> Path:
        calls.append(1)
        if len(calls) == 6:
            raise OSError(28, "No space left on device")
        return real(*arguments)

    monkeypatch.setattr(output_folder, "write", full)
    with pytest.raises(OutputError, match="the disk is full"):
        repair(dark, tmp_path)
    assert len(dark) == 6
    monkeypatch.undo()
    drawn.clear()
    assert repair(dark, tmp_path).attempted == 4
    # what lies there whole is not drawn again
    assert len(drawn) == 16 - 5


def test_a_threshold_of_ones_own_counts(dark: Any, tmp_path: Path) -> None:
    loupe.flag(dark, {"dark": 0.0})  # nothing is dark any more
    made = repair(dark, tmp_path)
    assert (made.samples, made.rates) == ((), ())
    assert "0 of 0 attempted" in repr(made)


def test_a_model_with_a_controlnet_keeps_to_the_original(dark: Any, tmp_path: Path) -> None:
    model = Lamp(takes=("image", "mask", "control"), needs=("control",))
    made = repair(dark, tmp_path, model=model)
    assert {each.reason for each in made.samples} == {
        "the model has a ControlNet: say what it keeps to, control='pose' or control='edges'"
    }
    made = repair(dark, tmp_path, model=model, control="edges")
    assert made.better >= 3
    for request in drawn:
        assert request.control is not None
        assert request.control.size == request.image.size
    new = dark[next(each.repaired_id for each in made.samples if each.status == "better")]
    with Image.open(new.filepath) as picture:
        facts = json.loads(picture.info["loupe"])
    assert set(facts["inputs"]) == {"image", "control", "strength"}
    assert made.better == repair(dark, tmp_path, model=model, control="edges").better
    count = len(drawn)
    repair(dark, tmp_path, model=model, control="edges")
    assert len(drawn) == count, "nothing is drawn twice"


def test_a_model_that_needs_a_reference_looks_at_the_original(dark: Any, tmp_path: Path) -> None:
    model = Lamp(takes=("image", "mask", "reference"), needs=("reference",))
    assert repair(dark, tmp_path, model=model).better >= 3
    assert {request.reference.size for request in drawn} == {Image.open(dark.first().filepath).size}


def test_a_control_without_a_controlnet_is_refused(dark: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a model with a ControlNet beside control='pose', got lamp"):
        repair(dark, tmp_path, control="pose")
    with pytest.raises(InputError, match="a control out of pose, edges, got 'depths'"):
        repair(dark, tmp_path, control="depths")
    assert not drawn
