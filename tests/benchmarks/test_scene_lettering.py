"""Drawn lettering of the scene: what the overlay check's hard negatives are made by."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from leaves import leaves
from PIL import Image

from benchmarks.pixels.cases.scene_lettering import KINDS, close_ups, in_scene
from loupe.brain.measures.overlays.drawing import lettering

SCENE = np.ascontiguousarray(leaves(4, 320, 240, 300))


@pytest.mark.parametrize("kind", KINDS)
def test_a_thing_is_put_into_the_picture_the_same_each_time(kind: str) -> None:
    before = SCENE.copy()
    made = [in_scene(SCENE, kind, ("GREEN", "LEAF"), lettering, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert made[0].shape == SCENE.shape
    assert made[0].dtype == np.uint8
    np.testing.assert_array_equal(SCENE, before)
    np.testing.assert_array_equal(made[0], made[1])
    assert (made[0] != made[2]).any()
    changed = (np.abs(made[0].astype(int) - SCENE).max(2) > 8).mean()
    assert (changed > 0.95) if kind == "sign close up" else (0.002 < changed < 0.9)


def test_every_second_word_that_is_large_enough_gets_its_ground_around_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOUPE_DATA", str(tmp_path))
    assert close_ups(0) == []
    folder = tmp_path / "6_ocr" / "iiit5k" / "train"
    folder.mkdir(parents=True)
    for at, (width, height, level) in enumerate([(200, 60, 40), (90, 20, 80), (150, 50, 120), (160, 64, 200)]):
        Image.new("RGB", (width, height), (level, level, level)).save(folder / f"{at}.png")
    levels = [[int(picture[0, 0, 0]) for picture in close_ups(part)] for part in (0, 1)]
    assert levels == [[40, 200], [120]]
    assert all(min(picture.shape[:2]) >= 96 for picture in close_ups(0))
