"""What the landmarks of a hand look like, and how steady they are."""

from __future__ import annotations

import numpy as np
import pytest

from loupe.brain.measures.anatomy.hand_shape import _BONE_MEANS as MEANS
from loupe.brain.measures.anatomy.hand_shape import BONES, View, apart, crossed, implausibility, shape, steadiness


def usual() -> np.ndarray:
    """(21, 3) in meters: a flat hand with the mean bones of real ones, the fingers fanned out."""
    world = np.zeros((21, 3))
    lengths = np.exp(MEANS) * 0.03
    ways = np.radians([-50, -18, -4, 8, 20])
    for index, ((start, end), length) in enumerate(zip(BONES, lengths, strict=True)):
        angle = ways[index // 4]
        world[end] = world[start] + length * np.array([np.sin(angle), -np.cos(angle), 0])
    return world


def view(world: np.ndarray, presence: float = 0.99) -> View:
    return View((world[:, :2] * 1000 + 200).astype(np.float32), world, presence)


def test_a_usual_hand() -> None:
    measured = shape(usual(), usual()[:, :2])
    assert measured.bones == pytest.approx(0, abs=0.01)
    assert measured.bent == 0
    assert measured.crossed == 0


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_size_and_side_do_not_matter(scale: float) -> None:
    world = usual() * [-scale, scale, scale]
    assert shape(world, world[:, :2]).bones == pytest.approx(0, abs=0.01)


def test_a_finger_twice_as_long() -> None:
    world = usual()
    world[10:13] += world[10:13] - world[9]
    assert shape(world, world[:, :2]).bones > 2


def test_a_joint_that_bends_too_far() -> None:
    world = usual()
    world[8] = world[7] - 0.9 * (world[7] - world[6])  # folded flat
    world[8, 2] += 1e-3
    assert shape(world, world[:, :2]).bent == pytest.approx(75, abs=5)


def test_crossed_fingers() -> None:
    points = usual()[:, :2]
    assert crossed(points) == 0
    points[[8, 12]] = points[[12, 8]]
    assert crossed(points) == 1
    assert crossed(points * [-1, 1]) == 1


def test_points_that_are_all_one() -> None:
    measured = shape(np.zeros((21, 3)), np.zeros((21, 2)))
    assert np.isfinite([measured.bones, measured.bent, measured.crossed]).all()


def test_a_steady_hand_is_the_most_plausible() -> None:
    first = view(usual())
    steady = steadiness(first, first, [first, first])
    assert steady.mirrored == steady.world == 0
    assert steady.absent == pytest.approx(0.01)
    rng = np.random.default_rng(0)
    ranks = []
    for noise in (0.0, 0.002, 0.005, 0.02):
        shaken = view(usual() + rng.normal(0, noise, (21, 3)), presence=0.99 - 10 * noise)
        ranks.append(implausibility(steadiness(first, shaken, [shaken, first]), 0.9))
    assert ranks == sorted(ranks)
    assert 0 <= ranks[0] < 0.2
    assert 0.5 < ranks[-1] <= 1


@pytest.mark.parametrize("score", [0.0, 1.0])
@pytest.mark.parametrize("presence", [0.0, 1.0])
def test_implausibility_stays_within_its_bounds(score: float, presence: float) -> None:
    first = view(usual())
    far = view(usual() + 100, presence=presence)
    assert 0 <= implausibility(steadiness(first, far, []), score) <= 1


def test_how_far_two_hands_are_apart() -> None:
    hand = usual()
    assert apart(hand, hand * [-2, 2, 2]) == pytest.approx(0, abs=1e-9)  # the other hand of a larger person
    longer = usual()
    longer[10:13] += longer[10:13] - longer[9]
    assert apart(hand, longer) == apart(longer, hand) > 1
