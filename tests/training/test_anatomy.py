"""What the scores of hands are learned from: surgery on real hands, densities, and what is kept in the work folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn_hands import as_picture, drawn

from loupe.brain.measures.anatomy.hand_shape import BONES
from training.anatomy import crops, learned, redraw, structure
from training.anatomy.crops import Crop
from training.anatomy.places import Bank, with_middles
from training.anatomy.scores import kept


def hand(seed: int = 0) -> Crop:
    """A drawn hand in the middle of a patch, its points in space those in the plane."""
    outline, points = drawn()
    rng = np.random.default_rng(seed)
    small = crops.SIDE / crops.AROUND / 192
    picture = cv2.resize(as_picture(outline, seed), None, fx=small, fy=small)
    edge = (crops.SIDE - len(picture)) // 2
    last = crops.SIDE - edge - len(picture)
    patch = cv2.copyMakeBorder(picture, edge, last, edge, last, cv2.BORDER_REPLICATE)
    places = points * small + edge + rng.normal(0, 0.5, (21, 2))
    world = np.column_stack([places / 1000, rng.normal(0, 0.002, 21)])
    return Crop("drawn.png", 150.0, patch, places.astype(np.float32), world.astype(np.float32), 0.9, 1.0, 0.1)


@pytest.mark.parametrize("how", redraw.IN_PIXELS)
def test_surgery_changes_what_its_mask_says(how: str) -> None:
    picture, points = redraw._cut(hand())
    before = picture.copy()
    changed, mask = redraw.IN_PIXELS[how](picture, points, np.random.default_rng(4))
    again, _ = redraw.IN_PIXELS[how](picture, points, np.random.default_rng(4))
    np.testing.assert_array_equal(picture, before)
    np.testing.assert_array_equal(changed, again)
    off = np.abs(changed.astype(int) - picture).max(2) > 25
    assert off.sum() > 60
    wide = cv2.dilate(mask, np.ones((9, 9))) > 0.05
    assert off[wide].sum() > 0.97 * off.sum()
    assert mask.mean() < 0.35


def test_what_is_put_back_is_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redraw.tiny_autoencoder, "encode", lambda picture: picture)
    monkeypatch.setattr(redraw.tiny_autoencoder, "decode", lambda picture: picture)
    picture, _ = redraw._cut(hand())
    made = redraw.sound(hand(), "put back", np.random.default_rng(1))
    assert made.mask.max() == 0
    assert np.abs(made.picture.astype(int) - picture).mean() < 2.5
    malformed = redraw.malformed(hand(), "bent", hand(), np.random.default_rng(1))
    assert np.abs(malformed.picture.astype(int) - picture).max(2)[malformed.mask > 0.5].mean() > 25


def test_a_mirrored_hand_is_mirrored_twice() -> None:
    sample = hand()
    twice = sample.mirrored.mirrored
    np.testing.assert_array_equal(twice.patch, sample.patch)
    np.testing.assert_allclose(twice.points, sample.points, atol=1e-4)
    assert not np.array_equal(sample.mirrored.patch, sample.patch)


def test_the_middles_of_bones() -> None:
    points = np.arange(42.0).reshape(21, 2)
    places = with_middles(points)
    assert places.shape == (41, 2)
    start, end = BONES[7]
    np.testing.assert_array_equal(places[21 + 7], (points[start] + points[end]) / 2)


def test_a_hand_with_a_long_finger_is_unusual_by_its_bones_and_one_bent_back_by_its_joints() -> None:
    density = structure.Density([structure.numbers(hand(seed)) for seed in range(60)])
    usual = density.features(structure.numbers(hand(99)))
    long = hand(99).world.copy()
    long[10:13] += 1.5 * (long[10:13] - long[9])
    bent = hand(99).world.copy()
    bent[8] = bent[7] - (bent[7] - bent[6])
    longer = density.features(structure.numbers(replace(hand(99), world=long)))
    backwards = density.features(structure.numbers(replace(hand(99), world=bent)))
    bones, joints = (structure.GROUPS.index(name) for name in ("bones", "joints"))
    assert longer[bones] > usual[bones] + 0.5
    assert backwards[joints] > usual[joints] + 0.5


def test_a_point_astray_does_not_project() -> None:
    density = structure.Density([structure.numbers(hand(seed)) for seed in range(40)])
    astray = hand(99).points.copy()
    astray[8] += 40
    at = structure.GROUPS.index("projection")
    off = density.features(structure.numbers(replace(hand(99), points=astray)))
    assert off[at] > density.features(structure.numbers(hand(99)))[at] + 0.5


def test_the_bank_finds_the_place_that_differs() -> None:
    rng = np.random.default_rng(0)
    real = rng.normal(0, 1, (50, 41, 8)).astype(np.float32)
    odd = rng.normal(0, 1, (41, 8)).astype(np.float32)
    odd[17] += 12
    distances = Bank(real).distances(odd)
    assert distances.shape == (41,)
    assert distances.argmax() == 17
    brute = np.sort([np.linalg.norm((other - odd)[3] / (real.reshape(-1, 8).std(0) + 1e-6)) for other in real])[
        :3
    ].mean()
    assert distances[3] == pytest.approx(brute, rel=1e-5)


def operated(seed: int) -> np.ndarray:
    """(60, 41, 5): in every second hand five places are malformed, and their first feature says so."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(0, 1, (60, 41, 5)).astype(np.float32)
    rows[..., -1] = 0
    rows[::2, 10:15, -1] = 1
    rows[..., 0] += 3 * rows[..., -1]
    return rows


def test_the_head_learns_and_gives_the_same_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learned, "_STEPS", 200)
    rows, others = operated(0), operated(1)
    odds = learned.fit(rows, 5)(others[..., :-1])
    np.testing.assert_array_equal(odds, learned.fit(rows, 5)(others[..., :-1]))
    assert (odds != learned.fit(rows, 6)(others[..., :-1])).any()
    scores = learned.worst(odds)
    assert scores[::2].mean() > scores[1::2].mean() + 1


def test_hands_that_were_left_out_are_reported_by_method(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learned, "_STEPS", 60)
    ways = [redraw.METHODS[0], redraw.SOUND[0]]
    learned.held_out(operated(0), [(at // 2, ways[at % 2]) for at in range(60)], tmp_path, 3)
    header, first, *others = (tmp_path / "injections.csv").read_text().splitlines()
    assert header == "method,malformed,sound,known,left out"
    name, malformed, sound, known, _ = first.split(",")
    assert name == redraw.METHODS[0]
    assert int(malformed) == int(sound) > 0
    assert float(known) > 0.8
    assert len(others) == len(redraw.METHODS) - 1


def test_what_was_made_is_not_made_again(tmp_path: Path) -> None:
    asked: list[int] = []

    def row(at: int) -> np.ndarray:
        asked.append(at)
        if len(asked) == 31:
            raise KeyboardInterrupt
        return np.array([at, at**2])

    with pytest.raises(KeyboardInterrupt):
        kept(tmp_path, "rows", 60, row)
    made = kept(tmp_path, "rows", 60, row)
    np.testing.assert_array_equal(made, [[at, at**2] for at in range(60)])
    assert asked == [*range(31), *range(25, 60)]
