"""Views of every kind are judged where it belongs, or refused; a dataset may be renamed or deleted meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import loupe
from loupe.brain.core.errors import InputError

pytestmark = pytest.mark.database


@pytest.fixture
def four(dataset: Any, pictures: list[Path]) -> Any:
    import fiftyone as fo

    for path in pictures[:4]:
        box = fo.Detection(label="a", bounding_box=[0, 0, 0.5, 1])
        dataset.add_sample(fo.Sample(filepath=str(path), gt=fo.Detections(detections=[box, box.copy()])))
    return dataset


@pytest.mark.parametrize("verb", ["check", "flag", "find_duplicates", "embed", "calibrate"])
def test_patches_are_refused_before_any_work(four: Any, verb: str) -> None:
    for view in (four.to_patches("gt"), four.to_patches("gt").limit(2)):
        with pytest.raises(InputError, match=r"a view of patches, which cannot keep scores: .* objects='gt'"):
            getattr(loupe, verb)(view)
    assert not four.has_field("quality")
    assert four.list_runs() == []


def test_frames_and_clips_and_names_are_refused(four: Any) -> None:
    import fiftyone as fo

    videos = fo.Dataset()
    video = fo.Sample(filepath="/nowhere/a.mp4")
    video.frames[1] = fo.Frame(filepath=four.first().filepath, events=fo.TemporalDetections())
    videos.add_sample(video)
    with pytest.raises(InputError, match="a view of frames of videos"):
        loupe.check(videos.to_frames(), ["exposure"])
    with pytest.raises(InputError, match=r"media type 'video'.*to_frames\(sample_frames=True\).clone"):
        loupe.check(videos, ["exposure"])
    with pytest.raises(InputError, match=r"fo\.load_dataset"):
        loupe.check(four.name, ["exposure"])
    with pytest.raises(InputError, match="got list"):
        loupe.flag(list(four))  # type: ignore[arg-type]
    videos.delete()


def views(samples: Any) -> dict[str, Any]:
    from fiftyone import ViewField

    return {
        "select_fields": samples.select_fields("gt").limit(2),
        "exclude_fields": samples.exclude_fields("gt").skip(2),
        "concat": samples.limit(2).concat(samples.limit(3)),
        "match": samples.match(ViewField("filepath").ends_with(".png")),
        "sort": samples.sort_by("filepath", reverse=True).limit(3),
        "filter_labels": samples.filter_labels("gt", ViewField("label") == "b", only_matches=False),
        "map_values": samples.map_labels("gt", {"a": "b"}),
    }


@pytest.mark.parametrize("name", ["select_fields", "exclude_fields", "concat", "match", "sort", "filter_labels"])
def test_what_a_view_leaves_out_or_doubles_is_stored_once_where_it_belongs(four: Any, name: str) -> None:
    view = views(four)[name]
    ids = set(view.values("id"))
    run = loupe.check(view, ["exposure"])
    assert (run.n, run.errors) == (len(ids), 0)
    assert set(four.exists("quality.contrast").values("id")) == ids
    again = loupe.check(view, ["exposure"])
    assert (again.n, again.skipped) == (0, len(ids))
    assert four.count("gt.detections") == 8
    assert not loupe.find_duplicates(views(four)["concat"]).pairs


def test_labels_that_a_view_hides_stay(four: Any) -> None:
    import fiftyone as fo
    from fiftyone import ViewField

    loupe.check(four, ["exposure"])
    four.set_values(
        "failures.classifications",
        [[fo.Classification(label="ugly"), fo.Classification(label="dark", score=0.0)] for _ in range(4)],
    )
    loupe.flag(four.filter_labels("failures", ViewField("label") == "dark", only_matches=False), {"dark": 0.0})
    assert [label.label for label in four.first().failures.classifications] == ["ugly"]


def test_a_slice_of_a_grouped_dataset_is_judged_and_the_group_refused(dataset: Any, pictures: list[Path]) -> None:
    import fiftyone as fo

    dataset.add_group_field("group", default="left")
    for index in range(2):
        group = fo.Group()
        for place, name in enumerate(("left", "right")):
            path = str(pictures[2 * index + place])
            dataset.add_sample(fo.Sample(filepath=path, group=group.element(name)))
    with pytest.raises(InputError, match=r"select_group_slices\('left'\)"):
        loupe.check(dataset, ["exposure"])
    right = dataset.select_group_slices("right")
    assert loupe.check(right, ["exposure", "file", "size"]).n == 2
    assert len(right.exists("quality.contrast")) == 2
    assert len(dataset.select_group_slices("left").exists("quality.contrast")) == 0
    assert loupe.check(dataset.select_group_slices(["left", "right"]), ["exposure"]).n == 2
    loupe.find_duplicates(right)
    assert loupe.flag(right, {"dark": 0.2}).counts["dark"] >= 0


def test_a_dataset_that_another_process_renamed_goes_on(four: Any) -> None:
    from loupe.brain.store.datasets import documents

    name = four.name + "-new"
    documents().update_one({"_id": four._doc.id}, {"$set": {"name": name}})
    assert loupe.check(four, ["exposure"]).n == 4
    assert four._doc.name == name


@pytest.mark.parametrize("inside", ["", "scenario"])
def test_a_field_that_another_process_declared_is_taken_over(four: Any, inside: str) -> None:
    import fiftyone as fo

    from loupe.brain.store import datasets

    four.add_sample_field("scenario", fo.EmbeddedDocumentField, embedded_doc_type=fo.DynamicEmbeddedDocument)
    stored = datasets.refresh(four)
    new = {**next(field for field in stored if field["name"] == "filepath"), "name": "rain", "db_field": "rain"}
    into = next(field for field in stored if field["name"] == "scenario")["fields"] if inside else stored
    into.append(new)
    datasets.documents().update_one({"_id": four._doc.id}, {"$set": {"sample_fields": stored}})
    path = f"{inside}.rain".lstrip(".")
    assert not four.has_field(path)
    assert datasets.paths(datasets.refresh(four)) >= {path, "filepath", "scenario"}
    assert four.has_field(path)


def _delete_elsewhere(dataset: Any) -> None:
    """As another process does: this one's object knows nothing of it."""
    from loupe.brain.store import datasets

    dataset._sample_collection.drop()
    datasets.documents().delete_one({"_id": dataset._doc.id})


@pytest.mark.parametrize("verb", ["check", "generate", "find_duplicates"])
def test_a_dataset_that_is_deleted_meanwhile_ends_in_one_error_and_leaves_nothing(
    database: str, pictures: list[Path], tmp_path: Path, verb: str
) -> None:
    import fiftyone as fo
    from fiftyone.core import odm

    made = fo.Dataset()
    made.add_samples([fo.Sample(filepath=str(path)) for path in pictures], progress=False)
    collection, runs = made._sample_collection_name, odm.get_db_conn()["runs"].count_documents({})
    steps = []

    def delete(_: Any) -> None:
        steps.append(1)
        if len(steps) == 1:
            _delete_elsewhere(made)

    call = {
        "generate": lambda: loupe.generate(made, ["a"], steps=1, output_dir=tmp_path / "drawn", progress=delete),
        "check": lambda: loupe.check(made, ["exposure"], progress=delete),
        "find_duplicates": lambda: loupe.find_duplicates(made, progress=delete),
    }[verb]
    with pytest.raises(InputError, match="was deleted"):
        call()
    assert collection not in odm.get_db_conn().list_collection_names()
    assert odm.get_db_conn()["runs"].count_documents({}) == runs
    with pytest.raises(InputError, match="was deleted"):
        loupe.check(made, ["exposure"])


@pytest.mark.parametrize("dropped", [True, False])
def test_an_error_while_the_dataset_is_being_deleted_is_that_one(four: Any, dropped: bool) -> None:
    """Found by the fault campaign: the samples are dropped first, and whoever reads them gets a QueryPlanKilled."""
    from pymongo.errors import OperationFailure

    from loupe.brain.store import datasets

    if dropped:
        four._sample_collection.drop()
    with (
        pytest.raises(InputError if dropped else OperationFailure, match="was deleted" if dropped else "collection"),
        datasets.while_it_lives(four),
    ):
        raise OperationFailure("collection dropped", 175)


def test_a_deleted_dataset_is_said_to_be_deleted(four: Any) -> None:
    view = four.limit(1)
    four.delete()
    for samples in (four, view):
        with pytest.raises(InputError, match="was deleted"):
            loupe.check(samples, ["exposure"])


def test_samples_are_counted_and_not_estimated(four: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What MongoDB estimates of a whole dataset stays wrong after mongod was killed."""
    import fiftyone as fo

    from loupe.brain.store import bulk, datasets, runs

    monkeypatch.setattr(fo.Dataset, "_estimated_count", lambda self, frames=False: 1)
    assert len(four) == 1
    assert datasets.count(four) == 4
    assert datasets.count(four.limit(3)) == 3
    assert bulk.read(four, {}).n == 4
    assert loupe.select(four, 2, strategy="random", save_as=None).n == 4
    loupe.flag(four)
    assert runs.load(four, runs.listed(four)[-1])["n"] == 4
