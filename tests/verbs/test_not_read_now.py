"""A disk or a network that fails for a moment says nothing of a file: what is known of it stays, in every verb."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import repairs
from PIL import Image
from repairs import fill, repair
from scenes import scene

import loupe
from loupe.brain.core.errors import NotReadNow

pytestmark = [pytest.mark.database, pytest.mark.slow]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Files that cannot be opened, as on a network file system whose server is away."""
    names: set[str] = set()
    real = os.open

    def opened(path: Any, *given: Any, **more: Any) -> int:
        if str(path) in names:
            raise OSError(errno.ESTALE, "Stale file handle")
        return real(path, *given, **more)

    monkeypatch.setattr(os, "open", opened)
    yield names
    names.clear()


def _known(sample: Any) -> dict[str, Any]:
    """Returns all that Loupe has stored of a sample."""
    names = ("checked", "quality", "failures", "unknown", "duplicate_group", "fingerprint", "repaired")
    return {name: sample.to_mongo_dict().get(name) for name in names}


def test_a_repair_is_tried_again(dataset: Any, tmp_path: Path, failing: set[str]) -> None:
    repairs.drawn.clear()
    fill(dataset, tmp_path / "given")
    first = dataset.first()
    before = _known(first)
    failing.add(first.filepath)
    made = repair(dataset, tmp_path)
    assert made.attempted == 3
    assert any("cannot be read now (Stale file handle): 00.png" in message for message in made.messages)
    dataset.reload()
    assert _known(dataset[first.id]) == before, "nothing is said of it"
    failing.clear()
    made = repair(dataset, tmp_path)
    assert made.attempted == 4
    assert made.skipped == 3
    dataset.reload()
    assert dataset[first.id].repaired["dark"].label in ("better", "refused")


def test_what_is_known_of_copies_stays(new_dataset: Any, tmp_path: Path, failing: set[str]) -> None:
    import fiftyone as fo

    dataset, reference = new_dataset(), new_dataset()
    pictures = [scene(1), scene(1), scene(2), scene(3)]
    paths = [tmp_path / f"{at}.png" for at in range(4)]
    for path, pixels in zip(paths, pictures, strict=True):
        Image.fromarray(pixels).save(path)
    tags = [["train"], ["test"], ["train"], ["test"]]
    dataset.add_samples([fo.Sample(filepath=str(p), tags=t) for p, t in zip(paths, tags, strict=True)])
    other = tmp_path / "other.png"
    Image.fromarray(scene(1)).save(other)
    reference.add_sample(fo.Sample(filepath=str(other)))

    def all_three() -> list[int]:
        loupe.find_duplicates(dataset)
        leaks = loupe.find_leaks(dataset, splits=["train", "test"])
        memorized = loupe.find_memorized(dataset, reference)
        return [len(leaks.pairs), len(memorized.pairs)]

    assert all_three() == [1, 2]
    dataset.reload()
    before = _known(dataset.first())
    assert before["duplicate_group"] is not None
    # another picture is there, and its disk fails
    Image.fromarray(scene(9)).save(paths[0])
    failing.add(str(paths[0]))
    assert all_three() == [1, 2], "it counts as it was last seen"
    dataset.reload()
    assert _known(dataset.first()) == before, "what was known stays, whatever it is worth"
    runs = [dataset.get_run_info(key) for key in dataset.list_runs()]
    assert runs
    assert dataset.values("unknown")[0] is None or not dataset.first().unknown.classifications
    failing.clear()
    all_three()
    dataset.reload()
    after = _known(dataset.first())
    assert after["duplicate_group"] is None
    assert after["quality"]["leak"] < before["quality"]["leak"]
    assert after["fingerprint"] != before["fingerprint"]


def test_what_is_known_of_copies_of_objects_stays(dataset: Any, tmp_path: Path, failing: set[str]) -> None:
    import fiftyone as fo

    rng = np.random.default_rng(0)
    same = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
    paths = [tmp_path / f"{at}.png" for at in range(3)]
    boxes = [fo.Detections(detections=[fo.Detection(label="a", bounding_box=[0.1, 0.1, 0.8, 0.8])]) for _ in paths]
    for at, path in enumerate(paths):
        pixels = same if at < 2 else rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((160, 160), Image.Resampling.BICUBIC).save(path)
    dataset.add_samples([fo.Sample(filepath=str(p), boxes=b) for p, b in zip(paths, boxes, strict=True)])
    assert len(loupe.find_duplicates(dataset, objects="boxes").groups) == 1
    dataset.reload()
    before = dataset.first().boxes_objects.to_dict()
    Image.fromarray(scene(9)).save(paths[0])
    failing.add(str(paths[0]))
    assert not loupe.find_duplicates(dataset, objects="boxes").groups
    dataset.reload()
    assert dataset.first().boxes_objects.to_dict() == before
    failing.clear()
    loupe.find_duplicates(dataset, objects="boxes")
    dataset.reload()
    assert dataset.first().boxes_objects.to_dict() != before


def test_what_cannot_be_read_now_is_imported_by_the_next_call(
    dataset: Any, tmp_path: Path, failing: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else its prompt would never be read: what is there already is not looked at again."""
    import builtins
    import io

    for at in range(3):
        Image.fromarray(scene(at)).save(tmp_path / f"{at}.png")
        (tmp_path / f"{at}.txt").write_text(f"a scene, number {at}")
    real = builtins.open

    def opened(path: Any, *given: Any, **more: Any) -> Any:
        if str(path) in failing:
            raise OSError(errno.ESTALE, "Stale file handle")
        return real(path, *given, **more)

    monkeypatch.setattr(builtins, "open", opened)
    monkeypatch.setattr(io, "open", opened)
    failing.add(str(tmp_path / "1.png"))
    run = loupe.import_images(dataset, tmp_path)
    assert (run.n, run.errors) == (2, 1)
    assert "cannot be read now" in " ".join(run.messages.values())
    failing.clear()
    run = loupe.import_images(dataset, tmp_path)
    assert (run.n, run.skipped, run.errors) == (1, 2, 0)
    assert sorted(dataset.values("prompt")) == [f"a scene, number {at}" for at in range(3)]


def test_a_single_file_is_an_error_of_its_own_kind(dataset: Any, pictures: list[Path], failing: set[str]) -> None:
    import fiftyone as fo

    dataset.add_samples([fo.Sample(filepath=str(path)) for path in pictures[:2]])
    loupe.find_copies(dataset, pictures[0])
    failing.add(str(pictures[0]))
    with pytest.raises(NotReadNow, match="cannot be read now"):
        loupe.find_copies(dataset, pictures[0])
