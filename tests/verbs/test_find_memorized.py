"""Copies of a reference set, and copies of one file: found by what is kept, not by reading all files again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from scenes import labels, scene

from loupe.brain.core import errors
from loupe.brain.engine import threads
from loupe.brain.similarity import fingerprints

pytestmark = pytest.mark.database


def add(dataset: Any, folder: Path, files: dict[str, Image.Image]) -> list[str]:
    import fiftyone as fo

    folder.mkdir(exist_ok=True)
    for name, image in files.items():
        image.save(folder / name)
    return dataset.add_samples([fo.Sample(filepath=str(folder / name)) for name in files], progress=False)


@pytest.fixture
def generated(dataset: Any, tmp_path: Path) -> Any:
    first = Image.fromarray(scene(0))
    add(
        dataset,
        tmp_path / "generated",
        {
            "0_mirrored.jpg": first.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
            "1_own.png": Image.fromarray(scene(1)),
            "2_plain.png": Image.new("RGB", (80, 80), "red"),
            "3_same.png": Image.fromarray(scene(2)),
        },
    )
    return dataset


@pytest.fixture
def reference(database: str, tmp_path: Path) -> Iterator[Any]:
    import fiftyone as fo

    made = fo.Dataset()
    add(
        made,
        tmp_path / "reference",
        {"a.png": Image.fromarray(scene(0)), "b.png": Image.fromarray(scene(9)), "c.png": Image.fromarray(scene(2))},
    )
    yield made
    made.delete()


@pytest.fixture
def read_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read from now on."""
    seen: list[str] = []
    whole = threads.read_chunks

    def spy(rows: Any, **kwargs: Any) -> Any:
        listed = list(rows)
        seen.extend(os.path.basename(row.path) for row in listed)
        return whole(listed, **kwargs)

    monkeypatch.setattr(threads, "read_chunks", spy)
    return seen


def test_what_stands_in_the_reference_is_flagged(generated: Any, reference: Any) -> None:
    import loupe

    result = loupe.find_memorized(generated, reference)
    ids, reference_ids = generated.values("id"), reference.values("id")
    assert [(pair.id_a, pair.id_b, pair.kind) for pair in result.pairs] == [
        (ids[0], reference_ids[0], "near"),
        (ids[3], reference_ids[2], "bytes"),
    ]
    assert labels(generated, "failures") == [["memorized"], [], [], ["memorized"]]
    assert labels(generated, "unknown") == [[], [], ["memorized"], []]
    assert generated.values("quality.memorized")[1] < 0.85
    assert repr(result) == "Memorized(2 of 4 samples, 2 pairs with 3 pictures)"
    with pytest.raises(errors.InputError, match="without the samples themselves"):
        loupe.find_memorized(generated, generated.limit(1))


def test_a_second_run_reads_nothing_and_a_new_file_only_itself(
    generated: Any, reference: Any, tmp_path: Path, read_files: list[str]
) -> None:
    import loupe

    first = loupe.find_memorized(generated, reference)
    assert len(read_files) == 7
    read_files.clear()
    assert loupe.find_memorized(generated, reference) == first
    assert read_files == []
    add(generated, tmp_path / "generated", {"4_new.png": Image.fromarray(scene(9)).resize((80, 60))})
    assert len(loupe.find_memorized(generated, reference).pairs) == 3
    assert read_files == ["4_new.png"]


def test_duplicates_compare_only_what_is_new(generated: Any, tmp_path: Path, read_files: list[str]) -> None:
    import loupe

    assert loupe.find_duplicates(generated).pairs == ()
    read_files.clear()
    own = Image.fromarray(scene(1))
    (new,) = add(generated, tmp_path / "generated", {"4_new.jpg": own.resize((100, 75))})
    result = loupe.find_duplicates(generated)
    assert read_files == ["4_new.jpg"]
    assert [(pair.id_a, pair.id_b) for pair in result.pairs] == [(generated.values("id")[1], new)]
    assert loupe.find_duplicates(generated) == result
    assert loupe.find_duplicates(generated, resume=False) == result
    # a file that changes is another picture
    Image.fromarray(scene(5)).save(tmp_path / "generated" / "4_new.jpg")
    assert loupe.find_duplicates(generated).pairs == ()


def test_embeddings_bring_candidates_and_do_not_decide(generated: Any, tmp_path: Path) -> None:
    import fiftyone as fo
    import numpy as np

    import loupe

    add(generated, tmp_path / "generated", {"4_copy.jpg": Image.fromarray(scene(1)).resize((100, 75))})
    generated.add_sample_field("vectors", fo.VectorField)
    generated.set_values("vectors", [np.ones(4)] * 5)
    result = loupe.find_duplicates(generated, embeddings="vectors")
    assert [(pair.id_a, pair.id_b) for pair in result.pairs] == [tuple(generated.values("id")[1::3])]
    with pytest.raises(errors.UnknownName, match="vectors"):
        loupe.find_duplicates(generated, embeddings="vector")


def test_one_file_against_what_is_kept(generated: Any, tmp_path: Path, read_files: list[str]) -> None:
    import loupe

    loupe.find_duplicates(generated)
    read_files.clear()
    path = tmp_path / "new.jpg"
    Image.fromarray(scene(0)).resize((90, 70)).save(path)
    (pair,) = loupe.find_copies(generated, path)
    assert (pair.id_a, pair.id_b, pair.kind) == (str(path), generated.first().id, "near")
    assert read_files == ["new.jpg"]
    Image.fromarray(scene(7)).save(path)
    assert loupe.find_copies(generated, path) == ()
    with pytest.raises(errors.ReadError, match="no file"):
        loupe.find_copies(generated, tmp_path / "none.jpg")


def test_a_fingerprint_packs_and_unpacks(generated: Any) -> None:
    import loupe

    loupe.find_duplicates(generated)
    packed = generated.first().fingerprint
    fingerprint = fingerprints.Fingerprint.unpack(packed)
    assert packed.shape == (4648,)
    assert (fingerprint.area, len(fingerprint.pixels), fingerprint.luma.shape, fingerprint.chroma.shape) == (
        120 * 160,
        32,
        (64, 64),
        (2, 16, 16),
    )
    assert (fingerprint.pack() == packed).all()
