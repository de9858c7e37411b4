"""What objects cannot be judged by, or in: refused before anything is written, or left out with a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from street import CUT, SHARP, SOFT, boxes, fill

from loupe.brain.core.errors import InputError, UnknownName

pytestmark = pytest.mark.database


@pytest.fixture
def street(dataset: Any, tmp_path: Path) -> Any:
    return fill(dataset, tmp_path)


def _attribute(dataset: Any, name: str) -> list[Any]:
    return list(dataset.values(f"gt_objects.detections.{name}"))


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"objects": "gt_"}, UnknownName, "unknown field of detections 'gt_'. Did you mean 'gt'"),
        ({"objects": "filepath"}, InputError, "expected a field of detections.*but 'filepath' is StringField"),
        ({"objects": "single"}, InputError, r"but 'single' is Detection: give a field of several labels"),
        ({"objects": 3}, InputError, "expected objects to be a text or None, got 3"),
        ({"objects": "gt_objects"}, InputError, "'gt_objects' is what Loupe has written: give objects='gt'"),
        ({"objects": "gt", "checks": ["text"]}, InputError, "but 'text' judges whole pictures only: it compares"),
        ({"objects": "gt", "checks": ["size"]}, InputError, "but 'size' compares whole pictures with each other"),
        ({"objects": "gt", "checks": []}, InputError, "expected at least one check of objects.*cut, tiny"),
        ({"objects": "gt", "checks": "blurr"}, UnknownName, "Did you mean 'blur'"),
        ({"objects": "gt", "checks": [3]}, UnknownName, "unknown check '3'"),
        ({"checks": [3]}, UnknownName, "unknown check '3'"),
        ({"checks": ["cut"]}, InputError, "got 'cut', which judges objects: give objects="),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(
    street: Any, given: dict[str, Any], error: type[Exception], message: str
) -> None:
    import fiftyone as fo

    import loupe

    street.add_sample_field("single", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detection)
    if given.get("objects") == "gt_objects":
        loupe.check(street, ["cut"], objects="gt")
    before = street.get_field_schema(flat=True).keys()
    with pytest.raises(error, match=message):
        loupe.check(street, **given)
    assert street.get_field_schema(flat=True).keys() == before


def test_presets_leave_out_what_knows_whole_pictures_only_and_say_so(street: Any) -> None:
    import loupe

    run = loupe.check(street.limit(1), objects="gt")
    assert set(run.params["checks"]) == {
        "sharpness", "exposure", "grayscale", "information", "motion_blur", "cut", "tiny",
    }  # fmt: skip
    assert set(run.messages) == {"file", "geometry", "text", "size"}
    assert run.messages["geometry"] == (
        "left out: it judges whole pictures only: the shape of a box is that of its object"
    )


def test_a_field_of_the_users_own_is_never_written_to(street: Any) -> None:
    import fiftyone as fo

    import loupe

    street.set_values("gt_objects", [boxes(SHARP)] * len(street))
    before = list(street._sample_collection.find({}))
    with pytest.raises(InputError, match=r"'gt_objects' holds values that Loupe did not write"):
        loupe.check(street, ["cut"], objects="gt")
    assert list(street._sample_collection.find({})) == before
    street.delete_sample_field("gt_objects")
    street.add_sample_field("gt_objects", fo.StringField)
    with pytest.raises(InputError, match="'gt_objects' is a StringField and would have to be"):
        loupe.check(street, ["cut"], objects="gt")


def test_labels_may_have_a_source_of_their_own(dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    import loupe
    from loupe.brain.store import choices, columns

    labels = boxes(SHARP, SOFT)
    labels.detections[0]["source"], labels.detections[1]["source"] = "web", "camera"
    other = boxes(SHARP, CUT, label="bus")
    other.detections[0]["source"], other.detections[1]["source"] = "camera", "web"
    samples = [fo.Sample(filepath=str(tmp_path / f"{at}.png"), gt=own) for at, own in enumerate((labels, other))]
    for sample in samples:
        Image.new("RGB", (100, 80)).save(sample.filepath)
    dataset.add_samples(samples, dynamic=True, progress=False)
    assert "gt" in choices.factors(dataset)
    offered = columns.factors(dataset)
    loupe.check(dataset, ["cut"], objects="gt")
    assert "gt" in choices.factors(dataset)
    assert not any(name.startswith("gt_objects") for name in [*choices.factors(dataset), *columns.factors(dataset)])
    assert columns.factors(dataset) == offered
    rates = loupe.slice(dataset, loupe.Factor.attribute("gt", "source"), failure="cut", objects="gt")
    assert {next(iter(rate.slice.values.values())): rate.failures for rate in rates} == {"web": 1, "camera": 0}


def test_what_loupe_has_written_is_no_field_of_the_users_own(street: Any) -> None:
    from loupe.brain.store import fields
    from loupe.brain.store.objects import mirror as objects

    own = [*fields.of_scores([], boxes=["flaws"]), *fields.of_objects("x_objects", "x", [])]
    fields.declare(street, own)
    assert objects.fields_of(street) == ["gt"]


def test_two_fields_of_boxes_are_apart_and_a_field_in_a_document_works(street: Any) -> None:
    import fiftyone as fo

    import loupe

    street.set_values("predictions", [boxes(CUT)] * len(street))
    street.add_sample_field("models", fo.EmbeddedDocumentField, embedded_doc_type=fo.DynamicEmbeddedDocument)
    street.add_sample_field("models.mine", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections)
    street.set_values("models.mine", [boxes(SOFT)] * len(street))
    loupe.check(street, ["cut"], objects="gt")
    loupe.check(street, ["cut"], objects="predictions")
    loupe.check(street, ["blur"], objects="models.mine")
    loupe.flag(street, {"cut": 0.0}, objects="predictions")
    assert _attribute(street, "failures")[0] == [[], [], ["cut"], []]
    assert street.values("predictions_objects.detections.failures")[0] == [[]]
    assert street.values("models_mine_objects.detections.failures")[0] == [["blur"]]


def test_objects_that_were_never_checked_cannot_be_flagged_or_sliced(street: Any) -> None:
    import loupe

    for call in (loupe.flag, lambda samples, **more: loupe.slice(samples, [], **more)):
        with pytest.raises(InputError, match=r"run loupe.check\(samples, objects='gt'\)"):
            call(street, objects="gt")


@pytest.mark.parametrize("verb", ["check", "flag", "slice"])
def test_a_view_of_patches_points_to_objects(street: Any, verb: str) -> None:
    import loupe

    view = street.to_patches("gt")
    call = (lambda: loupe.slice(view, [], objects="gt")) if verb == "slice" else (lambda: getattr(loupe, verb)(view))
    with pytest.raises(InputError, match="with objects='gt'"):
        call()
