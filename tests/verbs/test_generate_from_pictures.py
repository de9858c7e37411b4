"""``loupe.generate`` from pictures: samples, files, masks, controls, references; and a second, larger pass."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from painter import Painter
from photos import add_photos, pixels
from PIL import Image

import loupe
from loupe.brain.core.errors import InputError

pytestmark = pytest.mark.database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path.resolve() / "images"


@pytest.fixture
def photos(new_dataset: Callable[[], Any], tmp_path: Path) -> Any:
    """Four pictures of 160 x 120 with boxes, and prompts of their own."""
    return add_photos(new_dataset(), tmp_path / "photos")


def newest(dataset: Any) -> Any:
    """One of the samples that were added last; their ids are hashes, and say nothing of the order."""
    return dataset.sort_by("created_at", reverse=True).first()


def pairs(dataset: Any, photos: Any) -> list[tuple[Any, Any]]:
    """Each image with the sample that it was drawn from."""
    return [(made, photos[made.generation.source]) for made in dataset]


def test_each_sample_is_drawn_from_with_its_own_prompt(dataset: Any, photos: Any, folder: Path) -> None:
    run = loupe.generate(dataset, source=photos, model=Painter(), output_dir=folder, strength=0.5)
    assert (run.n, run.skipped, run.errors) == (4, 0, 0)
    assert {made.prompt: made.generation.source for made in dataset} == {each.prompt: each.id for each in photos}
    assert dataset.distinct("generation.conditioning") == ["image"]
    assert dataset.distinct("generation.strength") == [0.5]
    assert dataset.distinct("scenario.time") == ["night"]
    # about as many pixels as the model draws, in the picture's own shape
    assert {tuple(size) for size in zip(*dataset.values(["metadata.width", "metadata.height"]), strict=True)} == {
        (72, 56)
    }
    inputs = json.loads(dataset.first().generation.inputs)
    assert set(inputs) == {"image", "strength"}
    assert inputs["strength"] == 0.5
    again = loupe.generate(dataset, source=photos, model=Painter(), output_dir=folder, strength=0.5)
    assert (again.n, again.skipped) == (0, 4)
    assert run.params["image"] == "filepath"


def test_outside_of_the_boxes_no_pixel_changes(dataset: Any, photos: Any, folder: Path) -> None:
    loupe.generate(dataset, ["a red hand"], source=photos, mask="boxes", model=Painter(), output_dir=folder)
    inside = np.zeros((120, 160), bool)
    inside[30:60, 40:80] = True
    for made, source in pairs(dataset, photos):
        changed = (pixels(made.filepath) != pixels(source.filepath)).any(-1)
        assert not changed[~inside].any()
        assert changed[inside].mean() > 0.9
        assert made.generation.conditioning == "image, mask"
        with Image.open(made.filepath) as image:
            assert "compositeWithTrainedAlgorithmicMedia" in str(image.info)


def test_a_view_that_filters_labels_draws_in_what_it_shows(dataset: Any, photos: Any, folder: Path) -> None:
    import fiftyone as fo

    for sample in photos:
        sample.boxes.detections.append(fo.Detection(label="face", bounding_box=[0.75, 0.5, 0.25, 0.5]))
        sample.save()
    faces = photos.filter_labels("boxes", fo.ViewField("label") == "face").limit(1)
    loupe.generate(dataset, source=faces, mask="boxes", model=Painter(), output_dir=folder)
    changed = (pixels(dataset.first().filepath) != pixels(photos.first().filepath)).any(-1)
    assert np.argwhere(changed).min(0).tolist() == [60, 120]


def test_masks_of_every_kind(dataset: Any, photos: Any, folder: Path, tmp_path: Path) -> None:
    import fiftyone as fo

    half = np.zeros((120, 160), np.uint8)
    half[:, 80:] = 3
    Image.fromarray(half).save(tmp_path / "half.png")
    corners = [[(0.5, 0), (1, 0), (1, 1), (0.5, 1)]]
    labels = {
        "whole": fo.Segmentation(mask=half),
        "whole_path": fo.Segmentation(mask_path=str(tmp_path / "half.png")),
        "line": fo.Polyline(points=corners),
        "lines": fo.Polylines(polylines=[fo.Polyline(points=corners)]),
        "one": fo.Detection(bounding_box=[0.5, 0, 0.5, 1]),
        "instance": fo.Detections(detections=[fo.Detection(bounding_box=[0, 0, 1, 1], mask=half > 0)]),
        "file": str(tmp_path / "white.png"),
    }
    Image.fromarray((half > 0).astype(np.uint8) * 255).save(labels["file"])
    sample = photos.first()
    for name, label in labels.items():
        sample[name] = label
    sample.save()
    drawn = []
    for name in [*labels, str(tmp_path / "white.png")]:
        loupe.generate(dataset, source=photos.limit(1), mask=name, model=Painter(), output_dir=folder)
        made = newest(dataset)
        changed = (pixels(made.filepath) != pixels(sample.filepath)).any(-1)
        assert not changed[:, :80].any(), name
        assert changed[:, 82:].mean() > 0.9, name
        drawn.append(made.filepath)
    # the same polygon is the same image, and so is the file, named by a field or by itself
    assert len(dataset) == len(labels) - 1


def test_files_and_folders(dataset: Any, photos: Any, folder: Path, tmp_path: Path) -> None:
    run = loupe.generate(dataset, ["a", "b"], image=tmp_path / "photos", model=Painter(), output_dir=folder)
    assert run.n == 8
    assert dataset.count_values("generation.source") == {f"photo {at}.png": 2 for at in range(4)}
    loupe.generate(dataset, ["a"], image=tmp_path / "photos" / "photo 1.png", model=Painter(), output_dir=folder)
    assert len(dataset) == 8, "the same file, the same image"
    (tmp_path / "masks").mkdir()
    Image.new("L", (160, 120), 255).save(tmp_path / "masks" / "photo 0.png")
    with pytest.raises(InputError, match=r"a picture called photo 1 in .*masks as mask, got none"):
        loupe.generate(
            dataset, ["a"], image=tmp_path / "photos", mask=tmp_path / "masks", model=Painter(), output_dir=folder
        )
    run = loupe.generate(
        dataset, ["a"], source=photos, image="filepath", mask=tmp_path / "masks", model=Painter(), output_dir=folder
    )
    assert (run.n, run.errors) == (1, 3)
    assert "no picture of its name in" in next(iter(run.messages.values()))


def test_a_reference_or_a_control_alone(dataset: Any, photos: Any, folder: Path, tmp_path: Path) -> None:
    import fiftyone as fo

    loupe.generate(dataset, source=photos, reference="filepath", model=Painter(), output_dir=folder)
    assert dataset.distinct("generation.conditioning") == ["reference"]
    assert dataset.distinct("metadata.width") == [64]
    for sample in photos:
        sample["depth_map"] = fo.Heatmap(map=np.random.default_rng(1).random((60, 80)), range=[0, 2])
        sample.save()
    loupe.generate(dataset, source=photos, control="depth_map", model=Painter(), output_dir=folder)
    last = newest(dataset)
    assert (last.generation.conditioning, last.metadata.width, last.metadata.height) == ("control (map)", 72, 56)
    both = loupe.generate(
        dataset, source=photos.limit(1), image="filepath", control="depth_map", model=Painter(), output_dir=folder
    )
    assert both.n == 1
    assert newest(dataset).generation.conditioning == "image, control (map)"


def test_the_dataset_itself_as_its_source_goes_on_and_does_not_grow(photos: Any, folder: Path) -> None:
    for expected in (4, 0):
        run = loupe.generate(photos, source=photos, model=Painter(), output_dir=folder)
        assert run.n == expected
    assert len(photos) == 8
    assert "4 samples of the source were drawn from others of it" in str(run)
    chained = loupe.generate(photos, source=photos.exists("generation.source"), model=Painter(), output_dir=folder)
    assert chained.n == 4


def test_the_same_picture_twice_is_two_images(dataset: Any, photos: Any, folder: Path) -> None:
    import fiftyone as fo

    twice = photos.first().copy()
    photos.add_samples([fo.Sample(filepath=twice.filepath, prompt=twice.prompt, scenario=twice.scenario)])
    run = loupe.generate(dataset, source=photos, model=Painter(), output_dir=folder)
    assert run.n == 5
    assert len({Path(path).read_bytes() for path in dataset.values("filepath")}) == 5


def test_what_is_drawn_does_not_depend_on_what_is_drawn_beside_it(
    new_dataset: Callable[[], Any], photos: Any, folder: Path
) -> None:
    whole, single = new_dataset(), new_dataset()
    loupe.generate(whole, source=photos, mask="boxes", model=Painter(), output_dir=folder)
    loupe.generate(single, source=photos.skip(2).limit(1), mask="boxes", model=Painter(), output_dir=folder / "one")
    made = single.first()
    same = whole.match({"generation.source": made.generation.source}).first()
    assert same.generation.key == made.generation.key
    assert (pixels(same.filepath) == pixels(made.filepath)).all()


@pytest.mark.parametrize("change", ["picture", "box", "strength", "label outside"])
def test_what_decides_the_image_is_in_its_key(dataset: Any, photos: Any, folder: Path, change: str) -> None:
    first = photos.limit(1)
    loupe.generate(dataset, source=first, mask="boxes", model=Painter(), output_dir=folder)
    sample, more = photos.first(), {}
    if change == "picture":
        Image.fromarray(255 - pixels(sample.filepath)).save(sample.filepath)
    elif change == "box":
        sample.boxes.detections[0].bounding_box = [0.25, 0.25, 0.25, 0.3]
    elif change == "strength":
        more = {"strength": 0.7}
    else:
        sample.boxes.detections[0].label = "foot"
    sample.save()
    run = loupe.generate(dataset, source=first, mask="boxes", model=Painter(), output_dir=folder, **more)
    assert run.n == (0 if change == "label outside" else 1)


def test_larger_with_detail(dataset: Any, folder: Path) -> None:
    run = loupe.generate(dataset, ["a", "b"], model=Painter(), output_dir=folder, upscale=2.5)
    assert run.n == 2
    sample = dataset.first()
    assert (sample.metadata.width, sample.generation.width, sample.generation.upscale) == (160, 160, 2.5)
    assert run.params["upscale"] == {"factor": 2.5, "strength": 0.3}
    assert loupe.generate(dataset, ["a", "b"], model=Painter(), output_dir=folder, upscale=2.5).n == 0
    assert loupe.generate(dataset, ["a"], model=Painter(), output_dir=folder).n == 1
    other = loupe.generate(dataset, ["a"], model=Painter(), output_dir=folder, upscale=2.5, upscale_strength=0.5)
    assert other.n == 1
    with pytest.raises(InputError, match="takes no image"):
        loupe.generate(dataset, ["a"], model=Painter(takes=()), output_dir=folder, upscale=2)


@pytest.mark.slow
def test_real_networks(dataset: Any, photos: Any, folder: Path, tiny_model: Path) -> None:
    call = {"model": tiny_model, "steps": 4, "output_dir": folder}
    run = loupe.generate(dataset, ["a cup"], source=photos, mask="boxes", **call)
    assert run.n == 4
    inside = np.zeros((120, 160), bool)
    inside[30:60, 40:80] = True
    for made, source in pairs(dataset, photos):
        changed = (pixels(made.filepath) != pixels(source.filepath)).any(-1)
        assert not changed[~inside].any()
        assert changed[inside].mean() > 0.9
    loupe.generate(dataset, ["a cup"], source=photos.limit(2), strength=0.5, **call)
    loupe.generate(dataset, ["a cup"], upscale=2, upscale_strength=0.5, **call)
    assert newest(dataset).metadata.width == 64
    assert len(dataset) == 7


@pytest.mark.slow
def test_several_processes_draw_the_same(new_dataset: Callable[[], Any], photos: Any, folder: Path) -> None:
    call: dict[str, Any] = {"source": photos, "mask": "boxes", "model": Painter()}
    alone, several = new_dataset(), new_dataset()
    loupe.generate(alone, output_dir=folder / "alone", **call)
    assert loupe.generate(several, output_dir=folder / "several", device="cpu,cpu", **call).n == 4
    drawn = [{Path(path).name: pixels(path).tobytes() for path in each.values("filepath")} for each in (alone, several)]
    assert drawn[0] == drawn[1]


@pytest.mark.slow
def test_controls_and_references_of_real_networks(
    dataset: Any, photos: Any, folder: Path, tiny_model: Path, tmp_path: Path
) -> None:
    import tiny_controls

    net, adapter = (
        str(make(tiny_model, tmp_path / name))
        for name, make in (
            ("net", tiny_controls.controlnet),
            ("adapter", tiny_controls.ip_adapter),
        )
    )
    call: dict[str, Any] = {"prompts": ["a cup"], "model": tiny_model, "steps": 3, "output_dir": folder}
    run = loupe.generate(dataset, source=photos, control="edges", controlnet=net, **call)
    assert run.n == 4
    assert dataset.distinct("generation.conditioning") == ["control (edges)"]
    assert "ControlNet" in dataset.first().generation.changes
    assert json.loads(dataset.first().generation.inputs)["control_kind"] == "edges"
    first = photos.limit(1)
    larger = loupe.generate(
        dataset, source=first, control="edges", controlnet=net, upscale=2, upscale_strength=0.5, **call
    )
    assert larger.n == 1
    inside = loupe.generate(dataset, source=first, mask="boxes", control="edges", controlnet=net, **call)
    assert inside.n == 1
    made = newest(dataset)
    changed = (pixels(made.filepath) != pixels(photos.first().filepath)).any(-1)
    assert changed[30:60, 40:80].any()
    changed[30:60, 40:80] = False
    assert not changed.any()
    looks = loupe.generate(dataset, source=photos, reference="filepath", ip_adapter=adapter, **call)
    assert looks.n == 4
    images = [pixels(each.filepath) for each in dataset.match({"generation.conditioning": "reference"})]
    assert len({each.tobytes() for each in images}) == 4
    with pytest.raises(InputError, match=r"takes no control.*controlnet="):
        loupe.generate(dataset, source=photos, control="edges", **call)
    with pytest.raises(InputError, match="expected control beside the prompt, got none"):
        loupe.generate(dataset, controlnet=net, **call)
