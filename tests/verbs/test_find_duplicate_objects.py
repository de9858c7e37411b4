"""Duplicates and leaks among the objects of a field, on a FiftyOne dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pasted import fill, picture, shares
from PIL import Image

from loupe.brain.core import errors

pytestmark = pytest.mark.database


@pytest.fixture
def filled(dataset: Any, tmp_path: Path) -> Any:
    return fill(dataset, tmp_path)


def attribute(dataset: Any, name: str) -> list[Any]:
    return [own or [] for own in dataset.values(f"gt_objects.detections.{name}")]


def labels_of(dataset: Any) -> list[list[str]]:
    return [own or [] for own in dataset.values("gt.detections.id")]


def test_groups_kinds_failures_reasons_and_the_labels_stay(filled: Any) -> None:
    import loupe

    before = list(filled._sample_collection.find({}, ["gt"]))
    result = loupe.find_duplicates(filled, objects="gt")
    assert list(filled._sample_collection.find({}, ["gt"])) == before
    ids, samples = labels_of(filled), filled.values("id")
    first = ids[0][0]
    assert isinstance(result, loupe.ObjectDuplicates)
    kinds = {pair.id_b: pair.kind for pair in result.pairs if pair.id_a == first}
    assert kinds == {ids[1][0]: "pixels", ids[2][0]: "near", ids[3][0]: "middle"}
    assert {(pair.sample_a, pair.sample_b) for pair in result.pairs} >= {(samples[0], samples[at]) for at in (1, 2, 3)}
    assert [sorted(group) for group in result.groups] == [sorted([first, ids[1][0], ids[2][0], ids[3][0]])]
    assert {(pair.label_a, pair.label_b) for pair in result.labeled_differently} == {("car", "it's a <b>van</b>")}
    assert (result.n, result.compared, result.loose) == (10, 6, ())
    assert result.unknown == {
        "a second label of one object: its box lies on another one's": 1,
        "too small to compare it: less than 16 pixels along the short side": 1,
        "its box has no area": 1,
        "unreadable": 1,
    }
    both = ["exact_duplicate", "near_duplicate"]
    assert attribute(filled, "failures") == [
        [both, []], [both], [["near_duplicate"]], [["near_duplicate"]], [[]] * 4, [], [[]],
    ]  # fmt: skip
    assert attribute(filled, "exact_duplicate") == [[1, 0], [1], [0], [0], [0, None, None, None], [], [None]]
    group = attribute(filled, "duplicate_group")
    assert group[0][0] is not None
    assert [own[:1] for own in group[:4]] == [[group[0][0]]] * 4
    assert group[0][1] is None
    assert attribute(filled, "overlap")[4][:3] == pytest.approx([0.978, 0.978, 0], abs=0.01)
    assert [reasons[0].split(":")[0] if reasons else "" for reasons in attribute(filled, "unknown")[4]] == [
        "", "duplicates", "duplicates", "duplicates",
    ]  # fmt: skip
    assert filled.values("gt_objects.failing") == [1, 1, 1, 1, 0, None, 0]
    # the pictures were not judged
    assert not filled.has_field("quality")
    text = repr(result)
    assert "4 pairs in 1 group of 4 objects of 'gt'; with two classes: 1\n" in text
    assert "compared: 6 of 10 objects" in text
    assert result.to_dict()["groups"]


def test_the_saved_view_shows_the_groups_as_patches(filled: Any) -> None:
    import loupe

    result = loupe.find_duplicates(filled, objects="gt")
    assert result.view == "Duplicate objects of gt"
    view = filled.load_saved_view(result.view)
    assert len(view) == 4
    assert len(set(view.values("gt_objects.duplicate_group"))) == 1
    assert set(view.values("gt_objects.source")) == {each for group in result.groups for each in group}
    assert loupe.find_duplicates(filled, objects="gt").view == result.view
    assert filled.list_saved_views() == [result.view]
    assert len(loupe.duplicate_objects_view(filled.limit(2), "gt")) == 2


def test_every_leak_and_rates(filled: Any) -> None:
    import loupe

    result = loupe.find_leaks(filled, splits="split", objects="gt")
    ids = labels_of(filled)
    train, test = {ids[0][0], ids[3][0]}, {ids[1][0], ids[2][0]}
    assert {frozenset((pair.id_a, pair.id_b)) for pair in result.pairs} == {
        frozenset((a, b)) for a in train for b in test
    }
    assert result.between == {"test, train": 4}
    assert result.samples == {"test": 2, "train": 2}
    assert {pair.kind for pair in result.pairs} == {"pixels", "near", "middle"}
    assert len(result.labeled_differently) == 2
    assert "2 with two classes" in repr(result)
    assert [own[:1] for own in attribute(filled, "failures")[:4]] == [[["leak"]]] * 4
    rates = loupe.slice(filled, [], failure="leak", objects="gt")
    assert (rates[0].failures, rates[0].n, rates[0].unknown) == (4, 6, 4)


def test_duplicates_and_leaks_and_checks_stand_beside_each_other(filled: Any) -> None:
    import loupe

    loupe.check(filled, ["tiny"], objects="gt")
    loupe.find_duplicates(filled, objects="gt")
    loupe.find_leaks(filled, splits="split", objects="gt")
    assert attribute(filled, "failures")[1] == [["exact_duplicate", "near_duplicate", "leak"]]
    assert attribute(filled, "failures")[4][2] == ["tiny"]
    assert [reason.split(":")[0] for reason in attribute(filled, "unknown")[4][1]] == ["duplicates", "leaks"]
    assert loupe.check(filled, ["tiny"], objects="gt").n == 0
    # a threshold moves the failures, and nothing is compared
    flags = loupe.flag(filled, {"near_duplicate": 0.9999}, objects="gt")
    assert flags.counts["near_duplicate"] == 2
    rates = loupe.slice(filled, "gt", failure="exact_duplicate", objects="gt")
    assert sum(rate.failures for rate in rates) == 2


def test_a_second_call_reads_nothing_and_gives_the_same(filled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import loupe
    from loupe.brain.similarity import matching, objects

    first = loupe.find_duplicates(filled, objects="gt")
    monkeypatch.setattr(objects, "packed_of", lambda batch: pytest.fail("read again"))
    seen: list[Any] = []
    whole = matching.searched
    monkeypatch.setattr(
        matching, "searched", lambda luma, **how: seen.append(how["chosen"].tolist()) or whole(luma, **how)
    )
    bad = filled.last()
    assert loupe.find_duplicates(filled, objects="gt") == first
    assert seen == [[], []], "the readable ones were compared with each other before"
    assert attribute(filled, "unknown")[-1][0][0].startswith("duplicates: unreadable")
    # a box that moves is compared anew, and the old copies are known
    monkeypatch.undo()
    bad.gt = None
    bad.save()
    sample = filled.first()
    sample.gt.detections[0].bounding_box = shares((180, 20, 100, 80))
    sample.save()
    again = loupe.find_duplicates(filled, objects="gt")
    assert sample.gt.detections[0].id not in {each for group in again.groups for each in group}
    assert len(again.groups[0]) == 3
    assert again == loupe.find_duplicates(filled, objects="gt", resume=False)


def test_a_stop_keeps_what_was_read(filled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import loupe
    from loupe.brain.similarity import objects

    def stop(step: Any) -> None:
        if step.message != "reading" and step.done:
            raise errors.Stopped("enough")

    with pytest.raises(errors.Stopped):
        loupe.find_duplicates(filled, objects="gt", progress=stop)
    assert not any(attribute(filled, "duplicate_group")[0])
    monkeypatch.setattr(objects, "packed_of", lambda batch: pytest.fail("read again"))
    assert len(loupe.find_duplicates(filled, objects="gt").groups) == 1


def test_exact_only_and_near_only_and_a_threshold(filled: Any) -> None:
    import loupe

    exact = loupe.find_duplicates(filled, objects="gt", near=False)
    assert {pair.kind for pair in exact.pairs} == {"pixels"}
    assert not filled.has_field("gt_objects.detections.near_duplicate")
    near = loupe.find_duplicates(filled, objects="gt", exact=False, threshold=0.999)
    assert [(pair.kind, pair.similarity) for pair in near.pairs] == [("near", 1.0)]
    # it is that of the field, and not of the pictures
    assert loupe.flag(filled, objects="gt").thresholds["near_duplicate"].value == 0.999
    assert len(loupe.find_duplicates(filled, objects="gt").groups[0]) == 2


def test_bad_input(filled: Any) -> None:
    import fiftyone as fo

    import loupe

    calls = (loupe.find_duplicates, lambda samples, **more: loupe.find_leaks(samples, splits="split", **more))
    filled.add_sample_field("single", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detection)
    schema = filled.get_field_schema(flat=True).keys()
    for call in calls:
        with pytest.raises(errors.UnknownName, match="Did you mean 'gt'"):
            call(filled, objects="gtt")
        with pytest.raises(errors.InputError, match=r"several labels \(fo.Detections\)"):
            call(filled, objects="single")
        with pytest.raises(errors.InputError, match="'split' is StringField"):
            call(filled, objects="split")
        with pytest.raises(errors.InputError, match="threshold"):
            call(filled, objects="gt", threshold=2)
        with pytest.raises(errors.NoSamples):
            call(filled.limit(0), objects="gt")
        with pytest.raises(errors.InputError, match="with objects='gt'"):
            call(filled.to_patches("gt"), objects="gt")
    with pytest.raises(errors.InputError, match="expected no embeddings"):
        loupe.find_duplicates(filled, objects="gt", embeddings="vectors")
    with pytest.raises(errors.InputError, match="at least two splits"):
        loupe.find_leaks(filled.match({"split": "train"}), splits="split", objects="gt")
    with pytest.raises(errors.InputError, match=r"run loupe.find_duplicates\(samples, objects='gt'\) first"):
        loupe.duplicate_objects_view(filled, "gt")
    assert filled.get_field_schema(flat=True).keys() == schema
    videos = fo.Dataset()
    videos.add_sample(fo.Sample(filepath="/nowhere.mp4"))
    with pytest.raises(errors.InputError, match="media type 'video'"):
        loupe.find_duplicates(videos, objects="gt")
    videos.delete()


def test_a_field_of_the_users_own_stays(filled: Any) -> None:
    import fiftyone as fo

    import loupe

    filled.add_sample_field("gt_objects", fo.StringField)
    filled.set_values("gt_objects", ["mine"] * len(filled))
    with pytest.raises(errors.InputError, match="'gt_objects' is a StringField"):
        loupe.find_duplicates(filled, objects="gt")
    assert filled.values("gt_objects") == ["mine"] * len(filled)


def test_no_objects_at_all(filled: Any) -> None:
    import loupe

    result = loupe.find_duplicates(filled[5:6], objects="gt")
    assert (result.pairs, result.groups, result.n, result.view) == ((), (), 0, "")
    assert loupe.find_leaks(filled[4:6], splits="split", objects="gt").pairs == ()
    # one that had objects and has none any more
    loupe.find_duplicates(filled, objects="gt")
    filled.set_values("gt", [None] * len(filled))
    assert loupe.find_duplicates(filled, objects="gt").n == 0
    assert filled.values("gt_objects") == [None] * len(filled)


def test_labels_that_share_their_id_and_odd_boxes(dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    import loupe

    Image.fromarray(picture(0)).save(tmp_path / "a.png")
    Image.fromarray(picture(0)).save(tmp_path / "b.png")
    label = fo.Detection(label="car", bounding_box=shares((20, 20, 100, 80)))
    nan = fo.Detection(label="car", bounding_box=[float("nan"), 0, 0.5, 0.5])
    none = fo.Detection(label="car")
    for name in ("a", "b"):
        dataset.add_sample(fo.Sample(filepath=str(tmp_path / f"{name}.png")))
    documents = [each.to_dict() for each in (label, nan, none)]
    dataset.add_sample_field("gt", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections)
    dataset._sample_collection.update_many({}, {"$set": {"gt": {"_cls": "Detections", "detections": documents}}})
    dataset.reload()
    result = loupe.find_duplicates(dataset, objects="gt")
    assert len(result.pairs) == 1
    assert result.pairs[0].sample_a != result.pairs[0].sample_b
    assert result.unknown == {"its box is not four finite numbers": 4}


@pytest.mark.slow
def test_ten_thousand_boxes_in_one_picture(dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    import loupe

    rng = np.random.default_rng(0)
    Image.fromarray(picture(0)).save(tmp_path / "a.png")
    boxes = np.concatenate([rng.uniform(0, 0.9, (10_000, 2)), rng.uniform(0.01, 0.06, (10_000, 2))], 1)
    labels = [fo.Detection(label="x", bounding_box=each) for each in boxes.tolist()]
    dataset.add_sample(fo.Sample(filepath=str(tmp_path / "a.png"), gt=fo.Detections(detections=labels)))
    result = loupe.find_duplicates(dataset, objects="gt")
    assert result.n == 10_000
    assert all(pair.sample_a == pair.sample_b for pair in result.pairs)
    assert loupe.find_duplicates(dataset, objects="gt").compared == result.compared
