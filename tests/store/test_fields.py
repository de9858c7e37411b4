"""A field of the user's own with a name of Loupe's is refused before anything is written, by every verb."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loupe.brain.core.errors import InputError

pytestmark = pytest.mark.database


def verb(name: str) -> Callable[[Any, Path], Any]:
    import loupe

    return {
        "check": lambda samples, _: loupe.check(samples, "all"),
        "calibrate": lambda samples, _: loupe.calibrate(samples, ["dark"], apply=True),
        "flag": lambda samples, _: loupe.flag(samples, {"dark": 0.2}),
        "find_duplicates": lambda samples, _: loupe.find_duplicates(samples),
        "find_leaks": lambda samples, _: loupe.find_leaks(samples, splits=["a", "b"]),
        "find_copies": lambda samples, _: loupe.find_copies(samples, samples.first().filepath),
        "embed": lambda samples, _: loupe.embed(samples, embedder="hog", visualize=None, similarity=False),
        "generate": lambda samples, folder: loupe.generate(samples, ["x"], steps=1, output_dir=folder / "drawn"),
        "import_images": lambda samples, folder: loupe.import_images(samples, folder),
    }[name]


def own_value(kind: str) -> Any:
    import fiftyone as fo

    return {
        "a caption": lambda: "a red cup",
        "a number": lambda: 3,
        "a flag": lambda: True,
        "a class": lambda: fo.Classification(label="good"),
        "classes": lambda: fo.Classifications(classifications=[fo.Classification(label="ugly")]),
        "boxes": lambda: fo.Detections(detections=[fo.Detection(label="a", bounding_box=[0, 0, 1, 1])]),
        "points": lambda: fo.Keypoints(keypoints=[fo.Keypoint(label="nose", points=[[0.5, 0.5]])]),
        "a map": lambda: fo.Heatmap(map=np.ones((2, 2), np.float32)),
        "a vector": lambda: np.float32([1, 0]),
    }[kind]()


@pytest.fixture
def four(dataset: Any, pictures: list[Path], tmp_path: Path) -> Any:
    import fiftyone as fo

    for index, path in enumerate(pictures[:4]):
        copy = tmp_path / path.name
        copy.write_bytes(path.read_bytes())
        dataset.add_sample(fo.Sample(filepath=str(copy), tags=["a" if index % 2 else "b"]))
    (tmp_path / "new.png").write_bytes(pictures[4].read_bytes())
    return dataset


@pytest.mark.parametrize(
    ("field", "kind", "name"),
    [
        ("text", "a caption", "check"),
        ("text", "boxes", "check"),
        ("quality", "a class", "check"),
        ("quality", "a class", "flag"),
        ("composition", "a number", "check"),
        ("flaws", "boxes", "check"),
        ("blur_map", "a map", "check"),
        ("prompt", "a number", "check"),
        ("prompt", "a number", "generate"),
        ("prompt", "a class", "import_images"),
        ("unknown", "a flag", "find_duplicates"),
        ("unknown", "classes", "embed"),
        ("checked", "a flag", "calibrate"),
        ("failures", "classes", "flag"),
        ("failures", "a caption", "find_leaks"),
        ("fingerprint", "a vector", "find_copies"),
        ("fingerprint", "a caption", "find_duplicates"),
        ("duplicate_group", "a caption", "find_duplicates"),
        ("embeddings", "a vector", "embed"),
        ("generation", "a caption", "generate"),
        ("generation", "a caption", "import_images"),
        ("scenario", "a number", "import_images"),
        ("scenario", "a caption", "generate"),
    ],
)
def test_a_field_of_the_users_own_is_refused_and_named(
    four: Any, tmp_path: Path, field: str, kind: str, name: str
) -> None:
    four.set_values(field, [own_value(kind) for _ in range(4)])
    schema = set(four.get_field_schema(flat=True))
    stored = list(four._sample_collection.find({}, {"last_modified_at": 0}))
    with pytest.raises(InputError, match=field) as refused:
        verb(name)(four, tmp_path)
    assert "rename_sample_field" in str(refused.value) or "another field=" in str(refused.value)
    four.reload()
    assert set(four.get_field_schema(flat=True)) == schema
    assert list(four._sample_collection.find({}, {"last_modified_at": 0})) == stored
    assert four.list_runs() == []
    assert not (tmp_path / "drawn").exists()


@pytest.mark.parametrize(("field", "kind"), [("faces", "points"), ("hands", "boxes"), ("quality.contrast", "own")])
def test_every_kind_of_evidence_and_score_is_held_against_the_schema(four: Any, field: str, kind: str) -> None:
    import fiftyone as fo

    from loupe.brain.core import registry
    from loupe.brain.store import fields, scores

    if kind == "own":
        four.set_values("quality", [fo.DynamicEmbeddedDocument(contrast=0.5) for _ in range(4)], dynamic=True)
    else:
        four.set_values(field, [own_value(kind) for _ in range(4)])
    wanted = scores.fields_of(registry.checks()[name]() for name in ("faces", "hands", "exposure"))
    with pytest.raises(InputError, match=f"'{field}'"):
        fields.declare(four, wanted)
    assert not four.has_field("failures")


def test_the_users_own_classes_are_not_loupes_though_they_have_a_check_and_a_score(four: Any) -> None:
    import fiftyone as fo

    ugly = fo.Classification(label="ugly", check="by eye", score=0.5)
    four.set_values("failures", [fo.Classifications(classifications=[ugly])] * 4)
    four.add_dynamic_sample_fields()
    assert four.has_field("failures.classifications.check")
    with pytest.raises(InputError, match="failures"):
        verb("flag")(four, Path())


def test_all_of_them_are_named_at_once(four: Any) -> None:
    import loupe

    four.set_values("failures", ["none"] * 4)
    four.set_values("unknown", [1] * 4)
    with pytest.raises(InputError, match=r"'failures' is a StringField .* 'unknown' is an IntField"):
        loupe.check(four, ["exposure"])


def test_an_empty_field_of_the_right_kind_and_one_that_loupe_made_are_taken(four: Any) -> None:
    import fiftyone as fo

    import loupe

    four.add_sample_field("failures", fo.EmbeddedDocumentField, embedded_doc_type=fo.Classifications)
    four.add_sample_field("prompt", fo.StringField)
    four.set_values("prompt", ["a", "b", "c", "d"])
    four.set_values("own", ["x"] * 4)
    for _ in range(2):
        loupe.check(four, ["exposure"], resume=False)
        loupe.find_duplicates(four)
    assert four.count("quality.contrast") == 4
    assert four.values("prompt") == ["a", "b", "c", "d"]
    assert four.values("own") == ["x"] * 4


def test_values_that_somebody_puts_into_loupes_fields_are_kept(four: Any) -> None:
    import fiftyone as fo

    import loupe

    loupe.check(four, ["exposure"])
    sample = four.first()
    sample["failures"] = fo.Classifications(classifications=[fo.Classification(label="ugly", tags=["mine"])])
    sample.save()
    loupe.check(four, ["exposure"], resume=False)
    loupe.flag(four, {"dark": 0.99})
    labels = {label.label: label.tags for label in four.first().failures.classifications}
    assert labels["ugly"] == ["mine"]
    assert "dark" in labels


def test_a_setting_of_the_users_own_is_refused(four: Any) -> None:
    import loupe

    four.info["loupe"] = "a note of mine"
    four.save()
    with pytest.raises(InputError, match=r"another key of dataset\.info"):
        loupe.flag(four, {"dark": 0.2})
    four.reload()
    assert four.info["loupe"] == "a note of mine"


@pytest.mark.parametrize("images", [True, False])
def test_an_empty_dataset_is_stored_as_one_of_images_if_it_is_to_take_them(dataset: Any, images: bool) -> None:
    from loupe.brain.store import fields
    from loupe.brain.store.datasets import documents

    fields.declare(dataset, [fields.PROMPT], images=images)
    stored = documents().find_one({"_id": dataset._doc.id})
    assert stored.get("media_type") == dataset.media_type == ("image" if images else None)
    of_metadata = next(field for field in stored["sample_fields"] if field["name"] == "metadata")
    assert of_metadata["embedded_doc_type"].endswith(".ImageMetadata" if images else ".Metadata")
    fields.declare(dataset, [fields.PROMPT], images=True)
    assert documents().find_one({"_id": dataset._doc.id})["media_type"] == "image", "whatever was declared before"
