"""What the points of a body say: a made-up body of Drillis & Contini's proportions, and known flaws."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from loupe.brain.measures.anatomy import body_shape
from loupe.brain.measures.anatomy.anomaly import most_anomalous
from loupe.brain.measures.anatomy.body_shape import AT, BONES, LIMB_LIMITS, PROPORTION_LIMITS
from loupe.brain.perception.landmarks.crop import Roi
from loupe.brain.perception.landmarks.pose import NAMES, Pose

HEIGHT = 400.0


def made() -> Pose:
    """A body that stands, arms out to the sides, 400 pixels tall; left is on the right."""
    places = np.zeros((33, 3))
    hips, shoulders = 0.53, 0.818
    for side, sign in (("left", 1), ("right", -1)):
        x = sign * 0.1295
        places[AT[f"{side}_shoulder"]] = (x, -shoulders, 0)
        places[AT[f"{side}_elbow"]] = (x + sign * 0.186, -shoulders, 0)
        places[AT[f"{side}_wrist"]] = (x + sign * 0.332, -shoulders, 0)
        places[AT[f"{side}_hip"]] = (sign * 0.09, -hips, 0)
        places[AT[f"{side}_knee"]] = (sign * 0.09, -hips + 0.245, 0)
        places[AT[f"{side}_ankle"]] = (sign * 0.09, -hips + 0.491, 0)
        places[AT[f"{side}_ear"]] = (sign * 0.0445, -0.93, 0)
        places[AT[f"{side}_eye"]] = (sign * 0.02, -0.935, -0.05)
        places[AT[f"mouth_{side}"]] = (sign * 0.015, -0.898, -0.05)
    places[AT["nose"]] = (0, -0.92, -0.06)
    points = places[:, :2] * HEIGHT + [300, 450]
    return Pose(
        points=points.astype(np.float32),
        z=(places[:, 2] * HEIGHT).astype(np.float32),
        presence=1.0,
        score=1.0,
        roi=Roi(300, 250, 500),
        size=(600, 500),
        world=(places * 1.75).astype(np.float32),
        visibility=np.ones(33, np.float32),
        inside=np.ones(33, np.float32),
    )


def moved(pose: Pose, name: str, move: tuple[float, float, float], *, world: bool = True) -> Pose:
    points, metres = pose.points.copy(), pose.world.copy()
    points[AT[name]] += np.array(move[:2], np.float32) * HEIGHT
    if world:
        metres[AT[name]] += np.array(move, np.float32) * 1.75
    return dataclasses.replace(pose, points=points, world=metres)


def hidden(pose: Pose, *names: str) -> Pose:
    visibility = pose.visibility.copy()
    visibility[[AT[name] for name in names]] = 0.1
    return dataclasses.replace(pose, visibility=visibility)


def test_the_bones_are_those_of_the_model() -> None:
    assert len(body_shape.SWAP) == len(NAMES)
    assert body_shape.SWAP[body_shape.SWAP].tolist() == list(range(33))
    assert all(f"{side}_{joint}" in AT for bone in BONES.values() for joint in bone[:2] for side in ("left", "right"))


def test_a_body_of_usual_proportions_is_usual() -> None:
    limbs, proportions = body_shape.limbs(made(), [made().points]), body_shape.proportions(made())
    assert limbs["uneven"] < 1e-5
    assert limbs["too_long"] == pytest.approx(1, abs=0.01)
    assert limbs["bent_back"] < 1
    assert limbs["restless_arms"] < 1e-5
    assert proportions["head"] == pytest.approx(1, abs=0.05)
    assert most_anomalous(limbs, LIMB_LIMITS)[0] < 0.45
    assert most_anomalous(proportions, PROPORTION_LIMITS)[0] < 0.45


def test_a_longer_forearm_is_uneven_and_too_long() -> None:
    longer = moved(made(), "left_wrist", (0.146, 0, 0))
    measures = body_shape.limbs(longer, [])
    assert measures["uneven"] == pytest.approx(math.log(2), abs=1e-3)
    assert measures["too_long"] == pytest.approx(2, abs=0.02)
    assert most_anomalous(measures, LIMB_LIMITS)[0] > 0.55


def test_a_foreshortened_limb_is_not_odd_in_the_picture() -> None:
    shorter = moved(made(), "left_wrist", (-0.12, 0, 0), world=False)
    assert body_shape.limbs(shorter, [])["too_long"] == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(("depth", "bent"), [(-0.2, True), (0.2, False)])
def test_a_knee_bends_backward_only(depth: float, bent: bool) -> None:
    # z grows away from the camera, at which the body looks
    measures = body_shape.limbs(moved(made(), "left_ankle", (0, -0.1, depth)), [])
    assert (measures["bent_back"] > 35) == bent
    assert (measures["bent_back"] < 1) != bent


def test_joints_that_move_between_views_are_restless() -> None:
    other = moved(made(), "left_wrist", (0.3, 0, 0)).points
    measures = body_shape.limbs(made(), [other])
    assert measures["restless_arms"] == pytest.approx(0.15 / 0.288, rel=0.01)
    assert measures["restless_legs"] < 1e-5


def test_what_is_hidden_or_outside_is_not_measured() -> None:
    names = [f"{side}_{part}" for side in ("left", "right") for part in ("knee", "ankle", "elbow")]
    assert set(body_shape.limbs(hidden(made(), *names), [])) == set()
    assert "too_long" not in body_shape.limbs(hidden(made(), *names, "left_hip", "left_shoulder"), [])
    one_arm = hidden(made(), "left_hip", "left_shoulder", "right_shoulder", "left_elbow", "left_knee", "right_knee")
    assert "too_long" not in body_shape.limbs(one_arm, [])  # nothing to compare with
    assert not body_shape.seen(dataclasses.replace(made(), size=(600, 300)), "left_ankle")
    assert set(body_shape.proportions(hidden(made(), "nose", "left_knee", "right_knee"))) == {"arms", "shoulders"}


def test_a_large_head_short_legs_and_narrow_shoulders() -> None:
    pose = made()
    points = pose.points.copy()
    head = [0, 2, 5, 7, 8, 9, 10]
    points[head] = points[0] + 2.2 * (points[head] - points[0])
    measures = body_shape.proportions(dataclasses.replace(pose, points=points))
    assert measures["head"] == pytest.approx(2.2, rel=0.05)
    assert most_anomalous(measures, PROPORTION_LIMITS) == (pytest.approx(0.55, abs=0.02), "head")
    short = pose
    for side in ("left", "right"):
        short = moved(moved(short, f"{side}_ankle", (0, -0.3, 0)), f"{side}_knee", (0, -0.15, 0))
    assert most_anomalous(body_shape.proportions(short), PROPORTION_LIMITS)[1] == "legs"


def test_points_in_one_place_do_not_divide_by_zero() -> None:
    pose = made()
    flat = dataclasses.replace(pose, points=np.full((33, 2), 50, np.float32), world=np.zeros((33, 3), np.float32))
    for measures in (body_shape.limbs(flat, [flat.points]), body_shape.proportions(flat)):
        assert all(not math.isnan(value) for value in measures.values())
