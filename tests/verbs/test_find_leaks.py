"""Leaks across splits on a FiftyOne dataset: every pair, by field and by tags."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scenes import labels, scene

from loupe.brain.core import errors
from loupe.brain.similarity import matching

pytestmark = pytest.mark.database

#: file → split
SPLITS = {
    "0_a.png": "train",
    "1_copy.png": "train",
    "2_copy.png": "test",
    "3_copy.png": "test",
    "4_mirrored.jpg": "test",
    "5_other.png": "train",
    "6_plain.png": "train",
    "7_plain.png": "test",
    "8_bad.png": "test",
    "9_copy_in_none.png": None,
}


@pytest.fixture
def filled(dataset: Any, tmp_path: Path) -> Any:
    """A picture twice in train and twice in test, mirrored in test; another one; two plain ones; one unreadable."""
    import fiftyone as fo

    first = Image.fromarray(scene(0))
    first.save(tmp_path / "0_a.png")
    for name in ("1_copy.png", "2_copy.png", "9_copy_in_none.png"):
        shutil.copy(tmp_path / "0_a.png", tmp_path / name)
    first.save(tmp_path / "3_copy.png", compress_level=1)
    first.transpose(Image.Transpose.FLIP_LEFT_RIGHT).resize((120, 90)).save(tmp_path / "4_mirrored.jpg", quality=80)
    Image.fromarray(scene(1)).save(tmp_path / "5_other.png")
    Image.new("RGB", (90, 90), (40, 90, 160)).save(tmp_path / "6_plain.png")
    Image.new("RGB", (90, 90), (41, 90, 160)).save(tmp_path / "7_plain.png")
    (tmp_path / "8_bad.png").write_bytes(b"nothing")
    dataset.add_samples(
        [
            fo.Sample(filepath=str(tmp_path / name), split=split, tags=[split] if split else [])
            for name, split in SPLITS.items()
        ]
    )
    return dataset


def pairs_of(dataset: Any, result: Any) -> set[tuple[int, int, str]]:
    place = {sample_id: index for index, sample_id in enumerate(dataset.values("id"))}
    return {(place[pair.id_a], place[pair.id_b], pair.kind) for pair in result.pairs}


@pytest.mark.parametrize("splits", ["split", ["train", "test"]])
def test_every_pair_across_splits_is_told(filled: Any, splits: Any) -> None:
    import loupe

    result = loupe.find_leaks(filled, splits=splits)
    assert pairs_of(filled, result) == {
        (0, 2, "bytes"),
        (1, 2, "bytes"),
        (0, 3, "pixels"),
        (1, 3, "pixels"),
        (0, 4, "near"),
        (1, 4, "near"),
    }
    assert result.between == {"test, train": 6}
    assert result.samples == {"test": 3, "train": 2}
    leak = filled.values("quality.leak")
    assert leak[:4] == [1, 1, 1, 1]
    assert leak[4] > 0.85
    assert leak[5] < 0.85
    assert leak[6:] == [None] * 4
    assert labels(filled, "failures") == [["leak"]] * 5 + [[]] * 5
    assert labels(filled, "unknown") == [[]] * 6 + [["leaks"]] * 4
    reasons = [texts[0] if texts else None for texts in filled.values("unknown.classifications.reason")]
    assert "detail" in reasons[6]
    assert "unreadable" in reasons[8]
    assert "none of the splits" in reasons[9]


def test_a_threshold_of_ones_own(filled: Any) -> None:
    import loupe

    assert len(loupe.find_leaks(filled, splits="split", threshold=1.0).pairs) == 4
    assert labels(filled, "failures")[4] == []
    rates = loupe.slice(filled, [], failure="leak")
    assert (rates[0].failures, rates[0].n, rates[0].unknown) == (0, 6, 4), "nothing is above a similarity of 1"


def test_many_copies_in_ones_own_split_hide_nothing() -> None:
    rng = np.random.default_rng(0)
    base = rng.integers(0, 256, (64, 64)).astype(np.float32)
    crowd = [np.clip(base + rng.normal(0, 3, base.shape), 0, 255).astype(np.uint8) for _ in range(20)]
    luma = np.stack([*crowd, np.clip(base + 6, 0, 255).astype(np.uint8)])
    groups = np.array([0] * 20 + [1])
    pairs, _ = matching.searched(luma, per_image=4, groups=groups)
    assert {(a, b) for a, b in zip(pairs.a, pairs.b, strict=True)} >= {(index, 20) for index in range(20)}
    assert all(groups[a] != groups[b] for a, b in zip(pairs.a, pairs.b, strict=True))


def test_a_stop_leaves_everything_as_it_was(filled: Any) -> None:
    import loupe

    def stop(step: Any) -> None:
        if step.done:
            raise errors.Stopped("enough")

    with pytest.raises(errors.Stopped):
        loupe.find_leaks(filled, splits="split", progress=stop)
    assert not filled.has_field("quality.leak")


def test_bad_input(filled: Any) -> None:
    import loupe

    with pytest.raises(errors.UnknownName, match="Did you mean 'split'"):
        loupe.find_leaks(filled, splits="spilt")
    with pytest.raises(errors.InputError, match="at least two splits"):
        loupe.find_leaks(filled.match({"split": "train"}), splits="split")
    with pytest.raises(errors.InputError, match="at least two splits"):
        loupe.find_leaks(filled, splits=["train", "validation"])
    filled.set_values("views", [["left", "right"]] * len(filled))
    with pytest.raises(errors.InputError, match="cannot slice by 'views'"):
        loupe.find_leaks(filled, splits="views")
    with pytest.raises(errors.InputError, match="threshold"):
        loupe.find_leaks(filled, splits="split", threshold=2)
    with pytest.raises(errors.NoSamples):
        loupe.find_leaks(filled.limit(0), splits="split")
    filled.match({"filepath": filled.first().filepath}).tag_samples("test")
    with pytest.raises(errors.InputError, match="in one split"):
        loupe.find_leaks(filled, splits=["train", "test"])
