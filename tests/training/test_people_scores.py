"""The scores that were tried for faces and limbs: what is kept, and that each rises with what it is meant to see."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from loupe.brain.measures.anatomy import face_shape
from training.anatomy import agreement, by_picture, faces, limbs
from training.anatomy.by_picture import Rows

RNG = np.random.default_rng(0)


def test_what_was_made_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOUPE_DATA", str(tmp_path))
    paths = [tmp_path / f"{name}.jpg" for name in "abc"]
    asked: list[str] = []

    def of(path: Path) -> list[Rows]:
        asked.append(path.stem)
        if path.stem == "b" and len(asked) < 3:
            raise KeyboardInterrupt
        return [{"x": np.array([float(n)]), "y": np.array(n)} for n in range({"a": 2, "b": 0, "c": 1}[path.stem])]

    with pytest.raises(KeyboardInterrupt):
        by_picture.kept(tmp_path, "rows", paths, of)
    names, rows = by_picture.kept(tmp_path, "rows", paths, of)
    assert asked == ["a", "b", "b", "c"]
    assert names == ["a.jpg", "a.jpg", "c.jpg"]
    assert rows["x"].tolist() == [[0.0], [1.0], [0.0]]
    assert rows["y"].tolist() == [0, 1, 0]
    again, kept = by_picture.kept(tmp_path, "rows", paths, of)
    assert (again, len(asked)) == (names, 4)
    np.testing.assert_array_equal(kept["x"], rows["x"])
    assert by_picture.kept(tmp_path, "none", [], of) == ([], {})


def shape(seed: int, odd: float = 0.0) -> np.ndarray:
    """A made-up face whose halves mirror each other but for an eye; real ones vary in three ways."""
    rng = np.random.default_rng(seed)
    fixed = np.random.default_rng(99)
    mean, *ways = (fixed.normal(0, 1, (len(face_shape.CHOSEN), 3)) for _ in range(4))
    points = mean + 0.1 * sum(rng.normal() * way for way in ways) + rng.normal(0, 0.005, mean.shape)
    points = (points + face_shape.mirrored(points)) / 2
    points[: len(face_shape.EYES[0]), 1] += odd
    return np.asarray(points, np.float32)


def test_a_face_with_a_lowered_eye_is_unlike_real_shapes() -> None:
    shapes = faces.Shapes(np.array([shape(seed) for seed in range(40)]))
    usual = np.array([shapes.distances(shape(seed)) for seed in range(50, 60)])
    odd = np.array([shapes.distances(shape(seed, 0.2)) for seed in range(50, 60)])
    assert odd[:, 1].min() > usual[:, 1].max() + 1
    # the same in a mirror
    np.testing.assert_allclose(
        shapes.distances(shape(50, 0.2)), shapes.distances(face_shape.mirrored(shape(50, 0.2))), atol=1e-3
    )


def face_rows(n: int, seed: int, *, restless: float = 0.0, off: float = 0.0) -> Rows:
    rng = np.random.default_rng(seed)
    return {
        "old": rng.random(n),
        "size": rng.random(n),
        "blur": rng.random(n),
        "looks": rng.normal(restless, 1, (n, len(faces.LOOKS))),
        "shape": np.array([shape(seed * 100 + k) for k in range(n)]),
        "parts": rng.normal(off, 1, (n, len(faces.PLACES), 8)).astype(np.float32),
    }


def test_scores_of_faces_rise_with_their_own_group_alone() -> None:
    real = face_rows(30, 1)
    usual, other = faces.scores(face_rows(8, 2), real), faces.scores(face_rows(8, 2, restless=3.0), real)
    assert other["agreement"].mean() > usual["agreement"].mean() + 2
    np.testing.assert_array_equal(other["parts"], usual["parts"])
    np.testing.assert_array_equal(other["shape"], usual["shape"])
    far = faces.scores(face_rows(8, 2, off=4.0), real)
    assert far["parts"].min() > usual["parts"].max()
    assert all(np.isfinite(values).all() and values.shape == (8,) for values in usual.values())


def test_numbers_that_are_not_known_do_not_count() -> None:
    real = RNG.normal(0, [1, 2, 3], (200, 3))
    density = limbs.Partly(real)
    assert density.distance(np.array([5.0, np.nan, np.nan])) == pytest.approx(math.log(5), abs=0.15)
    assert density.distance(np.array([np.nan, 10.0, np.nan])) == pytest.approx(math.log(5), abs=0.15)
    # all are known: Mahalanobis over the square root of their number
    assert density.distance(np.array([5.0, 10.0, 15.0])) == pytest.approx(math.log(5), abs=0.15)
    assert math.isnan(density.distance(np.full(3, np.nan)))


def limb_rows(n: int, seed: int, *, longer: float = 0.0) -> Rows:
    rng = np.random.default_rng(seed)
    bones = rng.normal(longer, 0.1, (n, 10))
    bones[0] = np.nan  # a person of whom only the head can be seen
    return {
        "old": np.where(np.arange(n) == 1, np.nan, rng.random(n)),
        "proportions": rng.random(n),
        "size": rng.random(n),
        "blur": rng.random(n),
        "looks": rng.normal(0, 1, (n, len(limbs.LOOKS))),
        "bones": bones,
        "angles": rng.normal(2, 0.3, (n, 8)),
        "parts": rng.normal(0, 1, (n, limbs.PLACES, 8)).astype(np.float32),
        "seen": rng.random((n, limbs.PLACES)),
    }


def test_scores_of_limbs_rise_with_long_bones_and_say_nothing_of_who_cannot_be_seen() -> None:
    real = limb_rows(40, 1)
    usual, long = limbs.scores(limb_rows(9, 2), real), limbs.scores(limb_rows(9, 2, longer=1.0), real)
    assert long["structure: bones"].min() > usual["structure: bones"].max()
    np.testing.assert_array_equal(long["structure: angles"], usual["structure: angles"])
    assert usual["structure: bones"][0] == np.median(usual["structure: bones"][1:])
    assert all(np.isfinite(values).all() and values.shape == (9,) for values in usual.values())


def test_the_two_networks_name_the_same_joints() -> None:
    assert sorted(limbs._SECOND.values()) == list(range(5, 17))
    assert limbs.PLACES == 20
    left, right = limbs._SECOND[limbs.AT["left_wrist"]], limbs._SECOND[limbs.AT["right_wrist"]]
    assert (left, right) == (9, 10)


def test_odds_end_somewhere() -> None:
    assert agreement.logit(0.5) == 0
    assert agreement.logit(0.0) == pytest.approx(-9.21, abs=0.01)
    assert agreement.logit(1.0) == pytest.approx(9.21, abs=0.01)
