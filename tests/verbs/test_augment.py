"""Changed copies: their labels lie right, they say where they come from, and none is made of what is held out."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from loupe.brain.core.errors import InputError, NoSamples, OutputError, Stopped, UnknownName

pytestmark = pytest.mark.database

N, W, H = 6, 160, 96


@pytest.fixture
def dataset(database: str, tmp_path: Path) -> Any:
    """Green rectangles on noise, with all that can be marked in them."""
    import fiftyone as fo

    rng = np.random.default_rng(0)
    dataset = fo.Dataset()
    samples = []
    for number in range(N):
        pixels = rng.integers(60, 160, (H, W, 3), dtype=np.uint8)
        pixels[..., 1] = 0
        left, top, wide, high = 20 + 8 * number, 20, 60, 40
        pixels[top : top + high, left : left + wide] = (0, 230, 0)
        path = tmp_path / f"{number}.png"
        Image.fromarray(pixels).save(path)
        mask = np.zeros((H, W), dtype=np.uint8)
        mask[top : top + high, left : left + wide] = 3
        box = [left / W, top / H, wide / W, high / H]
        inner = np.zeros((10, 10), dtype=bool)
        inner[:, :5] = True  # the left half
        samples.append(
            fo.Sample(
                filepath=str(path),
                tags=["mine"],
                split="train",
                prompt="a green field",
                scenario=fo.DynamicEmbeddedDocument(time="day"),
                scene=f"scene {number}",
                vectors=rng.normal(size=4),
                quality=fo.DynamicEmbeddedDocument(sharpness=0.5),
                kind=fo.Classification(label="field"),
                boxes=fo.Detections(
                    detections=[fo.Detection(label="green", bounding_box=box, mask=inner, iscrowd=False)]
                ),
                area=fo.Segmentation(mask=mask),
                middle=fo.Keypoints(
                    keypoints=[fo.Keypoint(label="m", points=[(box[0] + box[2] / 2, box[1] + box[3] / 2)])]
                ),
                model=fo.Detections(detections=[fo.Detection(label="green", bounding_box=box, confidence=0.5)]),
            )
        )
    dataset.add_samples(samples, dynamic=True, progress=False)
    yield dataset
    dataset.delete()


def new(dataset: Any) -> list[Any]:
    from fiftyone import ViewField as F

    return list(dataset.match(F("generation.source") != None))  # noqa: E711


def green_ends(path: str) -> np.ndarray:
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    own = pixels[..., 1] > pixels[..., [0, 2]].max(axis=2) + 40
    rows, columns = np.flatnonzero(own.any(axis=1)), np.flatnonzero(own.any(axis=0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])


def test_labels_lie_where_the_pixels_are(dataset: Any, tmp_path: Path) -> None:
    import loupe

    run = loupe.augment(dataset, per_sample=3, output_dir=tmp_path / "made")
    assert (run.n, run.skipped, run.errors) == (3 * N, 0, 0)
    assert "confidence" in run.messages["model"]
    made = new(dataset)
    assert len(made) == 3 * N
    cut = whole = 0
    for sample in made:
        seen = green_ends(sample.filepath)
        (box,) = sample.boxes.detections
        x, y, wide, high = np.array(box.bounding_box) * [W, H, W, H]
        assert np.abs(seen - [x, y, x + wide, y + high]).max() <= 2
        if x > 1 and x + wide < W - 1:  # of a box that a crop has cut, the middle is another
            assert box.mask[1:-1, 1 : box.mask.shape[1] // 2 - 1].all()  # a pixel of the rim may go either way
            assert not box.mask[:, box.mask.shape[1] // 2 + 2 :].any()
            whole += 1
        rows, columns = np.nonzero(sample.area.mask == 3)
        area = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
        assert np.abs(seen - area).max() <= 2
        (point,) = sample.middle.keypoints[0].points
        assert x <= point[0] * W <= x + wide
        cut += "crop" in json.loads(sample.generation.transform)
    assert cut > N
    assert whole > N


def test_a_copy_says_where_it_comes_from_and_has_nothing_that_was_measured(dataset: Any, tmp_path: Path) -> None:
    import loupe

    ids = dataset.values("id")
    dataset.set_values("checked", [{"sharpness": "1"}] * N)
    dataset.set_values("listed", [[0.5, 0.25]] * N)  # a vector that was given as a list
    loupe.augment(dataset, seed=7, output_dir=tmp_path / "made")
    made = new(dataset)
    assert [sample.generation.source for sample in made] == ids
    labels: set[str] = set()
    for sample, source in zip(made, dataset.select(ids), strict=True):
        assert sample.generation.generator == "augment"
        assert sample.generation.key == Path(sample.filepath).stem
        assert {"brightness", "contrast", "saturation"} <= json.loads(sample.generation.transform).keys()
        assert (sample.split, sample.tags, sample.prompt, sample.scene) == (
            "train",
            ["mine"],
            "a green field",
            source.scene,
        )
        assert sample.scenario.time == "day"
        assert sample.kind.label == "field"
        assert sample.boxes.detections[0].iscrowd is False
        assert (sample.vectors, sample.listed, sample.model, sample.checked) == (None, None, None, None)
        assert sample.metadata.width == W
        labels |= {sample.kind.id, source.kind.id, sample.boxes.detections[0].id, source.boxes.detections[0].id}
    assert len(labels) == 4 * N
    assert dataset.select(ids).values("quality.sharpness") == [0.5] * N


def test_a_copy_has_the_label_that_was_put_right(dataset: Any, tmp_path: Path) -> None:
    import loupe
    from loupe.brain.store.relabel.corrected import corrected_fields

    first = dataset.first().id
    loupe.review(dataset, "label_issue", {first: "real"})  # it adds fields of Loupe that are no corrected labels
    dataset.classes["kind"] = ["field", "meadow"]
    loupe.relabel(dataset, "kind", accept={first: "meadow"}, by="anna", field="better")
    assert corrected_fields(dataset) == {"better"}
    loupe.augment(dataset.select(first), output_dir=tmp_path / "made")
    (made,) = new(dataset)
    assert (made.kind.label, made.better.label, made.better.how) == ("field", "meadow", "chosen")
    assert made.better.id != dataset[first].better.id


def test_held_out_samples_are_refused(dataset: Any, tmp_path: Path) -> None:
    import loupe

    given: dict[str, Any] = {"output_dir": tmp_path / "made"}
    for value in ("val", "test", "0", "Train"):
        dataset.set_values("split", ["train"] * (N - 1) + [value])
        with pytest.raises(InputError, match=f"1 in '{value}'"):
            loupe.augment(dataset, **given)
    for train in ("Trainee", ("Train",)):  # a text is a name, and not the letters of several
        with pytest.raises(InputError, match="in 'train'"):
            loupe.augment(dataset, train=train, **given)
    assert loupe.augment(dataset, train=["train", "Train"], **given).n == N
    dataset.set_values("split", ["train"] * len(dataset))
    dataset.limit(1).tag_samples("Validation")
    with pytest.raises(InputError, match="tag Validation"):
        loupe.augment(dataset, **given)
    dataset.untag_samples("Validation")
    dataset.rename_sample_field("split", "part")
    dataset.set_values("part", ["test"] + ["train"] * (len(dataset) - 1))
    with pytest.raises(InputError, match="1 in 'test'"):
        loupe.augment(dataset, split="part", **given)
    assert len(new(dataset)) == N
    with pytest.raises(UnknownName, match="part"):
        loupe.augment(dataset, split="prat", **given)


def test_the_same_call_adds_nothing_and_copies_are_not_copied(dataset: Any, tmp_path: Path) -> None:
    import loupe

    given: dict[str, Any] = {"per_sample": 2, "output_dir": tmp_path / "made"}
    loupe.augment(dataset, **given)
    pixels = {sample.generation.key: Path(sample.filepath).read_bytes() for sample in new(dataset)}
    again = loupe.augment(dataset, **given)
    assert (again.n, again.skipped) == (0, 2 * N)
    dataset.delete_samples([sample.id for sample in new(dataset)])
    loupe.augment(dataset, **given)
    assert {sample.generation.key: Path(sample.filepath).read_bytes() for sample in new(dataset)} == pixels
    assert loupe.augment(dataset, **{**given, "seed": 1}).n == 2 * N


def test_a_target_is_reached_once(dataset: Any, tmp_path: Path) -> None:
    import loupe

    assert loupe.augment(dataset, target=N + 4, output_dir=tmp_path / "made").n == 4
    assert loupe.augment(dataset, target=N + 4, output_dir=tmp_path / "made").n == 0
    assert len(dataset) == N + 4
    assert loupe.augment(dataset, target=2, output_dir=tmp_path / "made").n == 0


def test_a_run_that_was_stopped_goes_on(dataset: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import loupe
    from loupe.brain.store import augmented as store
    from loupe.brain.verbs import augment as verb

    monkeypatch.setattr(verb, "_CHUNK", 2)
    given: dict[str, Any] = {"output_dir": tmp_path / "made"}

    def stop(progress: loupe.Progress) -> None:
        if progress.done >= 4:
            raise Stopped("enough")

    with pytest.raises(Stopped):
        loupe.augment(dataset, progress=stop, **given)
    assert len(new(dataset)) == 4

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    insert = store.insert
    monkeypatch.setattr(store, "insert", die)
    with pytest.raises(KeyboardInterrupt):
        loupe.augment(dataset, **given)
    monkeypatch.setattr(store, "insert", insert)
    assert len(list((tmp_path / "made").glob("*.png"))) == 6
    run = loupe.augment(dataset, **given)
    assert (run.n, run.skipped) == (2, 4)
    assert sorted(sample.generation.source for sample in new(dataset)) == sorted(dataset.values("id")[:N])


def test_what_names_a_side_or_has_writing_is_not_mirrored(dataset: Any, tmp_path: Path) -> None:
    import loupe

    given: dict[str, Any] = {
        "transforms": ["flip"],
        "per_sample": 8,
        "labels": ["kind"],
        "output_dir": tmp_path / "made",
    }
    texts = ["a green field", "the left shoe", 'a board, "OPEN"', "a right_hand", "a text", "leftover"]
    dataset.set_values("prompt", texts)
    loupe.augment(dataset, **given)
    mirrored: dict[str, int] = dict.fromkeys(texts, 0)
    for sample in new(dataset):
        mirrored[sample.prompt] += "flip" in json.loads(sample.generation.transform)
    assert [bool(count) for count in mirrored.values()] == [True, False, False, False, False, True]


def test_labels_that_cannot_be_cut_are_left_out_and_said(dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    import loupe

    dataset.set_values("lines", [fo.Polylines(polylines=[fo.Polyline(points=[[(0.1, 0.1), (0.5, 0.5)]])])] * N)
    run = loupe.augment(dataset, output_dir=tmp_path / "made")
    assert "cannot be cut" in run.messages["lines"]
    assert new(dataset)[0].lines is None
    with pytest.raises(InputError, match="Polylines"):
        loupe.augment(dataset, labels=["lines"], output_dir=tmp_path / "made")
    with pytest.raises(UnknownName, match="boxes"):
        loupe.augment(dataset, labels=["boxs"], output_dir=tmp_path / "made")
    loupe.augment(dataset, labels=["lines"], transforms=["brightness"], output_dir=tmp_path / "made")
    assert new(dataset)[-1].lines.polylines[0].points == [[[0.1, 0.1], [0.5, 0.5]]]
    assert new(dataset)[-1].kind is None


def test_bad_boxes_files_and_labels(dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    import loupe

    sample = dataset.first()
    sample.boxes.detections += [
        fo.Detection(label="out", bounding_box=[1.2, 0, 0.1, 0.1]),
        fo.Detection(label="flat", bounding_box=[0.5, 0.5, 0, 0.1]),
    ]
    sample.area = None
    sample.middle = None
    sample.kind = None
    sample.save()
    Path(dataset.last().filepath).write_bytes(b"no picture")
    second = dataset.skip(1).first()
    second.area = fo.Segmentation(mask_path=str(tmp_path / "gone.png"))
    second.save()
    run = loupe.augment(dataset, output_dir=tmp_path / "made")
    assert (run.n, run.errors) == (N - 2, 2)
    assert "mask in 'area'" in run.messages[second.id]
    first = new(dataset)[0]
    assert [box.label for box in first.boxes.detections] == ["green"]
    assert first.area is None
    with pytest.raises(NoSamples):
        loupe.augment(dataset.limit(0))
    for given in ({"per_sample": 0}, {"target": 0}, {"seed": -1}, {"transforms": ()}):
        with pytest.raises(InputError):
            loupe.augment(dataset, **given)
    with pytest.raises(UnknownName, match="crop"):
        loupe.augment(dataset, transforms=["crup"])
    with pytest.raises(InputError, match="patches"):
        loupe.augment(dataset.to_patches("boxes"))
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError):
        loupe.augment(dataset, per_sample=2, output_dir=tmp_path / "file")


def test_a_field_of_the_users_own_called_generation_is_refused(dataset: Any, tmp_path: Path) -> None:
    import loupe

    dataset.set_values("generation", ["third"] * N)
    with pytest.raises(InputError, match="rename_sample_field"):
        loupe.augment(dataset, output_dir=tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_the_same_pictures_in_another_database_are_changed_in_the_same_way(dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    import loupe

    other = fo.Dataset()
    other.add_samples([fo.Sample(filepath=path, split="train") for path in dataset.values("filepath")], progress=False)
    drawn = []
    for at, each in enumerate((dataset, other)):
        loupe.augment(each, labels=[], output_dir=tmp_path / f"made{at}")
        drawn.append([(sample.generation.seed, sample.generation.transform) for sample in new(each)])
    other.delete()
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) == len(drawn[0])


def test_files_of_one_name_are_changed_each_in_its_own_way_and_read_once(
    dataset: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import loupe
    from loupe.brain.verbs import augment as verb

    paths = []
    for at, path in enumerate(dataset.values("filepath")):  # as in folders of classes
        (tmp_path / f"class{at}").mkdir()
        paths.append(str(Path(path).rename(tmp_path / f"class{at}" / "0001.png")))
    dataset.set_values("filepath", paths)
    read: list[str] = []

    def decode(path: str) -> Any:
        read.append(path)
        return verb_decode(path)

    verb_decode = verb.decode
    monkeypatch.setattr(verb, "decode", decode)
    assert loupe.augment(dataset, per_sample=2, output_dir=tmp_path / "made").n == 2 * N
    assert len({sample.generation.transform for sample in new(dataset)}) == 2 * N
    assert read == paths


def test_a_folder_that_becomes_a_file_is_a_clear_error_and_what_was_drawn_is_kept(
    dataset: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import loupe
    from loupe.brain.engine import output_folder

    folder, aside, write = tmp_path / "made", tmp_path / "aside", output_folder.write
    count = 0

    def goes(*given: Any) -> Path:
        nonlocal count
        count += 1
        if count == 4:
            folder.rename(aside)
            folder.write_bytes(b"")
        return write(*given)

    with monkeypatch.context() as patch:
        patch.setattr(output_folder, "write", goes)
        with pytest.raises(OutputError, match=r"there is a file in its place\. 3 of 6 images are there, each with its"):
            loupe.augment(dataset, output_dir=folder)
    dataset.reload()
    assert len(dataset) == N + 3
    folder.unlink()
    aside.rename(folder)
    assert loupe.augment(dataset, output_dir=folder).skipped == 3
    assert all(Path(path).is_file() for path in dataset.values("filepath"))
    assert len(dataset) == 2 * N


def test_a_source_that_cannot_be_looked_at_now_is_made_once_it_can(
    dataset: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a disk that fails for a moment: what is made names the file, and would be made twice under two names."""
    import loupe

    stale, stat = str(dataset.first().filepath), os.stat
    with monkeypatch.context() as patch:

        def fails(path: Any, *given: Any, **more: Any) -> os.stat_result:
            if path == stale:
                raise OSError(errno.ESTALE, "Stale file handle")
            return stat(path, *given, **more)

        patch.setattr("loupe.brain.store.rows.os.stat", fails)
        first = loupe.augment(dataset, output_dir=tmp_path / "made")
    assert (first.n, first.errors) == (N - 1, 1)
    assert "cannot be read now" in str(first.messages)
    assert loupe.augment(dataset, output_dir=tmp_path / "made").n == 1
    keys = [sample.generation.key for sample in new(dataset)]
    assert len(keys) == len(set(keys)) == N
