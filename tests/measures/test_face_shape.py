"""What the points of a face say: made-up faces of known turn and known flaws, and mirrored textures."""

from __future__ import annotations

import dataclasses
import math

import cv2
import numpy as np
import pytest
from people import made_face
from scipy.spatial import procrustes

from loupe.brain.measures.anatomy import anomaly, face_shape, face_symmetry, views
from loupe.brain.measures.anatomy.anomaly import Limit
from loupe.brain.perception.landmarks.crop import Roi
from loupe.brain.perception.landmarks.face import Face


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def grain(rng: np.random.Generator) -> np.ndarray:
    gray = cv2.GaussianBlur(rng.normal(128, 60, (400, 400)), (0, 0), 2) * 3 - 256
    return np.repeat(gray.clip(0, 255).astype(np.uint8)[..., None], 3, 2)


def test_every_point_has_one_partner_and_is_its_partners_partner() -> None:
    assert len(set(face_shape.CHOSEN.tolist())) == len(face_shape.CHOSEN)
    partner = dict(zip(face_shape.CHOSEN.tolist(), face_shape.MIRRORED.tolist(), strict=True))
    assert all(partner[partner[number]] == number for number in partner)
    assert partner[33] == 263


@pytest.mark.parametrize(("yaw", "roll"), [(0, 0), (30, 0), (-20, 15), (0, 100)])
def test_a_symmetric_face_stays_symmetric_however_it_is_turned(
    rng: np.random.Generator, yaw: float, roll: float
) -> None:
    points = face_shape.solid(made_face(rng, yaw, roll))
    turn = face_shape.turn(points)
    assert turn.yaw == pytest.approx(yaw, abs=0.1)
    assert turn.roll == pytest.approx(roll, abs=0.1)
    assert face_shape.difference(points).max() < 1e-4
    assert face_shape.unit(points) == pytest.approx(100, rel=1e-4)
    front = face_shape.frontal(points)
    np.testing.assert_allclose(face_shape.mirrored(front), front, atol=1e-3)


def test_fitting_agrees_with_scipy_and_does_not_mirror(rng: np.random.Generator) -> None:
    onto = rng.normal(size=(30, 3))
    points = onto @ np.linalg.qr(rng.normal(size=(3, 3)))[0] * 3 + rng.normal(0, 0.05, (30, 3)) + 7
    if np.linalg.det(np.linalg.lstsq(points - points.mean(0), onto - onto.mean(0), rcond=None)[0]) < 0:
        points = points * [-1, 1, 1]
    got = ((face_shape.fitted(points, onto) - onto) ** 2).sum() / ((onto - onto.mean(0)) ** 2).sum()
    assert got == pytest.approx(procrustes(onto, points)[2], rel=1e-6)
    other = face_shape.fitted(onto * [-1, 1, 1], onto)
    assert np.abs(other - onto).max() > 0.1


def change(face: Face, numbers: list[int], move: tuple[float, float]) -> Face:
    points = face.points.copy()
    points[numbers] += np.array(move, np.float32)
    return dataclasses.replace(face, points=points)


@pytest.mark.parametrize(("part", "name"), [(face_shape.EYES[1], "eyes"), (face_shape.LIPS[1], "mouth")])
def test_one_side_that_is_lower_is_odd_there(
    rng: np.random.Generator, grain: np.ndarray, part: tuple[int, ...], name: str
) -> None:
    face = made_face(rng)
    even = face_shape.measures(face, [], grain)
    odd = face_shape.measures(change(face, list(part), (0, 12)), [], grain)
    assert even[name] < 1e-3
    assert odd[name] > 0.04
    assert odd[name] == max(odd["eyes"], odd["mouth"])


def test_irises_that_differ_and_look_apart(rng: np.random.Generator, grain: np.ndarray) -> None:
    face = made_face(rng)
    assert face.irises is not None
    even = face_shape.measures(face, [], grain)
    assert max(even["iris_size"], even["gaze"], even["gaze_height"]) < 1e-3
    irises = face.irises.copy()
    irises[1, 1:] = irises[1, 0] + 1.5 * (irises[1, 1:] - irises[1, 0])
    irises[1] += [6, -3]  # the eye is 30 pixels wide
    odd = face_shape.measures(dataclasses.replace(face, irises=irises), [], grain)
    assert odd["iris_size"] == pytest.approx(math.log(1.5), abs=1e-3)
    assert odd["gaze"] == pytest.approx(0.2, abs=1e-3)
    assert odd["gaze_height"] == pytest.approx(0.1, abs=1e-3)


def test_shut_eyes_have_no_irises(rng: np.random.Generator, grain: np.ndarray) -> None:
    face = made_face(rng)
    shut = change(change(face, [159, 386], (0, 4)), [145, 374], (0, -4))
    assert "gaze" in face_shape.measures(face, [], grain)
    assert "gaze" not in face_shape.measures(shut, [], grain)


def test_points_that_wander_are_restless_and_a_face_that_vanishes_is_in_doubt(
    rng: np.random.Generator, grain: np.ndarray
) -> None:
    face = made_face(rng)
    calm = face_shape.measures(face, [face, face], grain)
    assert max(calm[name] for name in ("restless_eyes", "restless_mouth", "restless_irises", "doubt")) < 1e-6
    other = dataclasses.replace(change(face, list(face_shape.LIPS[0]), (10, 0)), presence=0.7)
    measures = face_shape.measures(face, [other], grain)
    assert measures["restless_mouth"] == pytest.approx(0.025, rel=0.01)  # half of the points, 5 pixels off their mean
    assert measures["restless_eyes"] < 1e-6
    assert measures["doubt"] == pytest.approx(0.3)


def test_a_view_goes_there_and_back(rng: np.random.Generator) -> None:
    picture = np.zeros((300, 400, 3), np.uint8)
    face, roi = made_face(rng), Roi(150.0, 120.0, 90.0, 0.1)

    def look(shown: np.ndarray, region: Roi) -> Face | None:
        assert shown.shape == picture.shape
        return dataclasses.replace(face, roi=region)

    figures = views.figures(look, picture, roi)
    assert [view for view, _ in figures] == list(views.VIEWS)
    for view, figure in figures:
        assert figure is not None
        middle = views.back(np.array([[figure.roi.x, figure.roi.y]]), view, 400)
        assert np.linalg.norm(middle - [150, 120]) < 0.07 * 90


def test_mirroring_a_face_twice_gives_the_face(rng: np.random.Generator) -> None:
    face = made_face(rng, yaw=20)
    once = face_shape.unmirrored(face, 400)
    assert face_shape.turn(face_shape.solid(once)).yaw == pytest.approx(-20, abs=0.1)
    twice = face_shape.unmirrored(once, 400)
    np.testing.assert_allclose(face_shape.solid(twice), face_shape.solid(face), atol=1e-3)


def test_eyes_in_a_mirror_are_alike_and_turned_ones_are_not(rng: np.random.Generator, grain: np.ndarray) -> None:
    face = made_face(rng)
    mirrored = grain.copy()
    mirrored[:, 200:] = grain[:, :200][:, ::-1]
    assert face_shape.unlike_eyes(face, mirrored) < 0.02
    assert face_shape.unlike_eyes(face, grain) > 0.4
    assert math.isnan(face_shape.unlike_eyes(face, np.full_like(grain, 90)))


def test_dark_glasses_and_a_face_that_the_frame_cuts(rng: np.random.Generator) -> None:
    face = made_face(rng)
    picture = np.full((400, 400, 3), 180, np.uint8)
    assert face_shape.covered(face, picture) == pytest.approx(1)
    for eye in face_shape.EYES:
        x, y = face.points[list(eye)].mean(0).astype(int)
        picture[y - 20 : y + 20, x - 20 : x + 20] = 20
    assert face_shape.covered(face, picture) < 0.2
    assert not face_shape.cut_off(dataclasses.replace(face, points=face.points.clip(1, 399)))
    assert face_shape.cut_off(dataclasses.replace(face, points=face.points - 200))


def test_the_oddest_measure_gives_the_score() -> None:
    limits = {"a": Limit(1.0, 0.0, ""), "b": Limit(1.0, 0.1, "")}
    assert anomaly.most_anomalous({"a": 1.0, "b": 1.5}, limits) == (0.6, "b")
    assert anomaly.most_anomalous({"a": 1.0, "b": 1.5}, limits, turn=-10) == (0.5, "a")
    assert anomaly.most_anomalous({"a": math.inf}, limits) == (1.0, "a")
    score, name = anomaly.most_anomalous({"c": 9.0, "a": math.nan}, limits)
    assert math.isnan(score)
    assert name == ""


@pytest.mark.parametrize("yaw", [0, 12])
def test_a_mirrored_half_is_found_and_grain_is_not(rng: np.random.Generator, grain: np.ndarray, yaw: float) -> None:
    face = made_face(rng, yaw=yaw)
    front, inside = face_symmetry.frontal(grain, face)
    assert front.shape == inside.shape == (face_symmetry.SIDE,) * 2
    assert np.array_equal(inside, inside[:, ::-1])
    assert inside.mean() > 0.2
    assert abs(face_symmetry.likeness(front, inside)) < 0.3
    if yaw == 0:
        mirrored = grain.copy()
        mirrored[:, 200:] = grain[:, :200][:, ::-1]
        assert face_symmetry.likeness(*face_symmetry.frontal(mirrored, face)) > 0.95
