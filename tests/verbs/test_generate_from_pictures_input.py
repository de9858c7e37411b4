"""``loupe.generate`` from pictures that cannot be drawn from, and from files of every mode."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from painter import Painter
from photos import add_photos, pixels
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
    return add_photos(new_dataset(), tmp_path / "photos")


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
        *(({**file, "strength": bad}, r"strength in \(0, 1\]") for bad in (0, -1, 1.5)),
        *(({**file, "strength": bad}, "expected strength to be a number") for bad in (True, "x", float("nan"))),
        *(({"prompts": ["x"], "upscale": bad}, "expected upscale to be") for bad in (0.5, 9, True, "2", 1)),
        ({"prompts": ["x"], "upscale": 2, "upscale_strength": 0}, r"upscale_strength in \(0, 1\]"),
        ({"prompts": ["x"], "upscale_strength": 0.3}, "expected upscale= beside upscale_strength"),
        ({**file, "mask": picture, "upscale": 2}, "expected upscale without a mask"),
        ({**file, "image": ""}, "expected image to be a field, a file or a folder, got ''"),
        ({**file, "image": 3}, "expected image to be a path or None, got 3"),
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
