"""Odd sizes: relative to the set, robust against what is odd in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from loupe.brain.sets.size import Size, size_deviation

LINE = Size.outputs[0].default_threshold


def odd(sizes: list[tuple[float, float]]) -> list[bool]:
    assert LINE is not None
    width, height = np.array(sizes, dtype=np.float32).T
    return LINE.violates(size_deviation(width, height)).tolist()


def test_it_is_the_formula() -> None:
    rng = np.random.default_rng(0)
    width, height = rng.integers(100, 2000, (2, 50)).astype(np.float32)
    octaves = np.log2(np.sqrt(width.astype(float) * height))
    spread = 1.4826 * np.median(np.abs(octaves - np.median(octaves)))
    np.testing.assert_allclose(size_deviation(width, height), np.abs(octaves - np.median(octaves)) / spread, rtol=1e-5)


def test_among_equal_ones_a_far_smaller_and_a_far_larger_one_are_odd() -> None:
    assert (
        odd([(512, 512)] * 8 + [(128, 128), (4096, 4096), (512, 640), (400, 512)])
        == [False] * 8 + [True] * 2 + [False] * 2
    )


def test_half_and_twice_the_usual_side_are_not_odd() -> None:
    """Photos of one source come in two or three usual sizes, beside some crops of them."""
    assert odd([(500, 375)] * 30 + [(250, 188), (1000, 750), (180, 135), (1200, 900), (64, 48)]) == [
        *[False] * 34,
        True,
    ]


def test_a_third_that_is_odd_does_not_hide_itself() -> None:
    assert odd([(512, 512)] * 20 + [(32, 32)] * 10) == [False] * 20 + [True] * 10


def test_where_sizes_are_mixed_a_usual_one_is_not_odd() -> None:
    sizes = [(float(side), float(side)) for side in (256, 320, 400, 512, 640, 800, 1024, 1280)] * 3
    assert not any(odd(sizes))


def test_what_is_unknown_stays_so_and_few_have_no_usual_size() -> None:
    deviations = size_deviation(np.array([512.0] * 6 + [np.nan]), np.array([512.0] * 7))
    assert np.isnan(deviations).tolist() == [False] * 6 + [True]
    assert np.isnan(size_deviation(np.array([1.0, 2.0]), np.array([1.0, 900.0]))).all()


@pytest.mark.database
def test_check_tells_it_anew_for_all_when_one_comes(dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    import loupe

    for index in range(6):
        Image.new("RGB", (64, 64)).save(tmp_path / f"{index}.png")
    (tmp_path / "bad.png").write_bytes(b"")
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in sorted(tmp_path.iterdir())], progress=False)
    run = loupe.check(dataset, ["size"])
    assert run.unknown["size"] == 1
    assert loupe.flag(dataset).counts["odd_size"] == 0
    Image.new("RGB", (8, 8)).save(tmp_path / "small.png")
    dataset.add_sample(fo.Sample(filepath=str(tmp_path / "small.png")))
    assert loupe.check(dataset, ["size"]).n == 1
    assert loupe.flag(dataset).counts["odd_size"] == 1
    assert "size" in dataset.last().checked
    # a selection is judged against the dataset, not against itself
    loupe.check(dataset.limit(2), ["size"])
    assert dataset.values("quality.size_deviation")[:2] == [0.0, 0.0]
    assert dataset.values("unknown.classifications.label")[6] == ["geometry", "size"]
