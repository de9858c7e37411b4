"""``loupe.generate`` from pictures: samples, files, masks, controls, references; and a second, larger pass."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from painter import Painter
from PIL import Image

import loupe
from loupe.brain.core.errors import InputError, LoupeError, NoSamples, PromptError

pytestmark = pytest.mark.database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path.resolve() / "images"


@pytest.fixture
def photos(new_dataset: Callable[[], Any], tmp_path: Path) -> Any:
    """Four pictures of 160 x 120 with boxes, and prompts of their own."""
    import fiftyone as fo

    rng = np.random.default_rng(0)
    made = new_dataset()
    (tmp_path / "photos").mkdir()
    samples = []
    for at in range(4):
        path = tmp_path / "photos" / f"photo {at}.png"
        Image.fromarray(rng.integers(0, 256, (120, 160, 3), dtype=np.uint8)).save(path)
        box = fo.Detection(label="hand", bounding_box=[0.25, 0.25, 0.25, 0.25])
        samples.append(
            fo.Sample(
                filepath=str(path),
                prompt=f"a photo of number {at}",
                boxes=fo.Detections(detections=[box]),
                scenario=fo.DynamicEmbeddedDocument(time="night"),
            )
        )
    made.add_samples(samples, progress=False)
    return made


def newest(dataset: Any) -> Any:
    """One of the samples that were added last; their ids are hashes, and say nothing of the order."""
    return dataset.sort_by("created_at", reverse=True).first()


def pairs(dataset: Any, photos: Any) -> list[tuple[Any, Any]]:
    """Each image with the sample that it was drawn from."""
    return [(made, photos[made.generation.source]) for made in dataset]


def pixels(path: str) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


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


def test_pictures_that_cannot_be_drawn_from_are_said_and_the_others_are_drawn(
    dataset: Any, photos: Any, folder: Path
) -> None:
    import fiftyone as fo

    ids, paths = photos.values(["id", "filepath"])
    Path(paths[0]).unlink()
    Path(paths[1]).write_bytes(Path(paths[1]).read_bytes()[:2000])
    outside = photos[ids[2]]
    outside.boxes = fo.Detections(detections=[fo.Detection(bounding_box=[1.2, 0, 0.1, 0.1])])
    outside.save()
    run = loupe.generate(dataset, source=photos, mask="boxes", model=Painter(), output_dir=folder)
    assert (run.n, run.errors) == (1, 3)
    assert "no file at photo 0.png" in run.messages[ids[0]]
    assert "photo 1.png" in run.messages[ids[1]]
    assert "the mask is empty, or lies outside of the picture" in run.messages[ids[2]]
    assert len(list(folder.glob("*.png"))) == len(dataset) == 1
    with pytest.raises(InputError, match=r"expected a picture that can be drawn from, got none\. .* and 1 more"):
        loupe.generate(dataset, source=photos.limit(2), model=Painter(), output_dir=folder)
    blank = photos[ids[3]]
    blank.boxes = None
    blank.save()
    with pytest.raises(InputError, match="it has no mask: nothing in 'boxes'"):
        loupe.generate(dataset, source=photos.select(ids[3]), mask="boxes", model=Painter(), output_dir=folder)
    blank.prompt = " "
    blank.save()
    with pytest.raises(InputError, match="the sample has no prompt: give prompts"):
        loupe.generate(dataset, source=photos.select(ids[3]), model=Painter(), output_dir=folder)


@pytest.mark.parametrize("kind", ["CMYK", "16 bits", "alpha", "turned", "gray"])
def test_files_of_every_mode_are_drawn_from_as_a_person_sees_them(
    dataset: Any, folder: Path, tmp_path: Path, kind: str
) -> None:
    rng = np.random.default_rng(0)
    colors = Image.fromarray(rng.integers(0, 256, (40, 80, 3), dtype=np.uint8))
    path = tmp_path / "odd.png"
    if kind == "CMYK":
        path = tmp_path / "odd.jpg"
        colors.convert("CMYK").save(path)
    elif kind == "16 bits":
        Image.fromarray(rng.integers(0, 2**16, (40, 80)).astype(np.uint16)).save(path)
    elif kind == "turned":
        path = tmp_path / "odd.jpg"
        exif = Image.Exif()
        exif[274] = 6
        colors.save(path, exif=exif)
    else:
        colors.convert("RGBA" if kind == "alpha" else "L").save(path)
    mask = tmp_path / "mask.png"
    size = (40, 80) if kind == "turned" else (80, 40)
    marked = Image.new("L", size, 0)
    marked.paste(255, (0, 0, 16, 16))
    marked.save(mask)
    run = loupe.generate(dataset, ["x"], image=path, mask=mask, model=Painter(), output_dir=folder)
    assert run.n == 1
    from loupe.brain.engine.reader import read

    before, after = read(path).pixels, pixels(dataset.first().filepath)
    assert after.shape == before.shape == (size[1], size[0], 3)
    changed = (before != after).any(-1)
    assert changed[:16, :16].mean() > 0.9
    changed[:16, :16] = False
    assert not changed.any()


def bad_calls(photos: Any, tmp_path: Path) -> list[tuple[dict[str, Any], str]]:
    Image.new("L", (160, 120), 0).save(tmp_path / "black.png")
    Image.new("L", (120, 160), 255).save(tmp_path / "tall.png")
    (tmp_path / "nothing").mkdir()
    (tmp_path / "text.png").write_text("no picture")
    picture = photos.first().filepath
    file = {"prompts": ["x"], "image": picture}
    return [
        ({"prompts": None}, "expected prompts, got none: give some, or source="),
        ({"source": photos, "factors": {"a": [1]}}, "expected a template beside factors"),
        ({"prompts": ["x"], "strength": 0.5}, "expected image= beside a strength, got none"),
        ({"prompts": ["x"], "mask": picture}, "expected image= beside a mask, got none"),
        *(({**file, "strength": bad}, r"strength in \(0, 1\]") for bad in (0, -1, 1.5, True, "x", float("nan"))),
        *(({"prompts": ["x"], "upscale": bad}, "expected upscale to be") for bad in (0.5, 9, True, "2", 1)),
        ({"prompts": ["x"], "upscale": 2, "upscale_strength": 0}, r"upscale_strength in \(0, 1\]"),
        ({"prompts": ["x"], "upscale_strength": 0.3}, "expected upscale= beside upscale_strength"),
        ({**file, "mask": picture, "upscale": 2}, "expected upscale without a mask"),
        ({**file, "image": ""}, "expected image to be a field, a file or a folder, got ''"),
        ({**file, "image": 3}, "expected image to be a field, a file or a folder, got 3"),
        ({**file, "image": "gone.png"}, r"expected image to be a file or a folder, got 'gone.png': there is none"),
        ({**file, "control": "edge"}, "a file or a folder, one of edges, pose, depth:MODEL, got 'edge'"),
        ({**file, "image": str(tmp_path / "nothing")}, "expected pictures in .*nothing, got none"),
        ({**file, "image": str(tmp_path / "text.png")}, "text.png: .*expected an image file, got"),
        ({**file, "mask": str(tmp_path / "black.png")}, "the mask is empty: no pixel of black.png is white"),
        ({**file, "mask": str(tmp_path / "tall.png")}, "a mask of the picture's shape, 160 x 120, got 120 x 160"),
        ({"prompts": ["x"], "control": "edges"}, "expected image= or source= beside control='edges'"),
        ({"source": photos, "control": "depth"}, "expected a depth-estimation model"),
        ({"source": photos, "mask": "hands"}, r"a field of the samples \(boxes, filepath\), a file or a folder"),
        ({"source": photos, "image": "boxes"}, "a field of file paths as image, got 'boxes', which holds Detections"),
        ({"source": photos, "mask": "created_at"}, "got 'created_at', which holds DateTimeField"),
        ({"source": photos.to_patches("boxes")}, "the view before to_patches, with mask='boxes'"),
        ({"source": "photos"}, "expected a FiftyOne dataset or view, got a name"),
        ({"source": photos, "mask": "boxes", "model": Painter(takes=("image",))}, "painter takes no mask"),
        ({"source": photos, "model": Painter(takes=())}, "expected a model for image-to-image, but painter takes no"),
        ({"source": photos, "control": "edges", "model": Painter(takes=())}, "controlnet="),
        ({"source": photos, "reference": "filepath", "model": "openai:gpt-image-2.5-flare"}, "takes no reference"),
    ]


def test_bad_calls_leave_nothing_behind(
    dataset: Any, photos: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    before = {path: path.read_bytes() for path in tmp_path.glob("photos/*")}
    for given, says in bad_calls(photos, tmp_path):
        call = {"model": Painter(), "output_dir": folder, **given}
        with pytest.raises((InputError, PromptError), match=says):
            loupe.generate(dataset, **call)
        assert not list(folder.glob("*.png")), given
        assert len(dataset) == 0
    assert {path: path.read_bytes() for path in tmp_path.glob("photos/*")} == before
    with pytest.raises(NoSamples):
        loupe.generate(dataset, source=photos.limit(0), model=Painter(), output_dir=folder)


def test_groups_are_refused_clearly(dataset: Any, new_dataset: Callable[[], Any], pictures: list[Path]) -> None:
    import fiftyone as fo

    grouped = new_dataset()
    grouped.add_group_field("group", default="left")
    group = fo.Group()
    grouped.add_samples([fo.Sample(filepath=str(pictures[0]), group=group.element("left"))], progress=False)
    with pytest.raises(LoupeError, match="select_group_slices"):
        loupe.generate(dataset, ["x"], source=grouped, model=Painter())


def test_no_step_is_left(dataset: Any, photos: Any, folder: Path, tiny_model: Path) -> None:
    with pytest.raises(InputError, match=r"expected a strength that leaves a step of 4, got 0.1"):
        loupe.generate(
            dataset, ["x"], source=photos.limit(1), strength=0.1, steps=4, model=tiny_model, output_dir=folder
        )
    assert not list(folder.glob("*.png"))
    with pytest.raises(InputError, match=r"expected a strength that leaves a step of 2"):
        loupe.generate(dataset, ["x"], upscale=2, steps=2, model=tiny_model, output_dir=folder)
    assert not list(folder.glob("*.png"))


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
