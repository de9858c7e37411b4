"""Whether what was taken for a hand is one: several detectors have to agree."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from loupe.brain.core.records import Box
from loupe.brain.measures.anatomy import glove_color
from loupe.brain.measures.anatomy.hand_crops import (
    ANIMAL,
    CROWD,
    MAX_LOOKS,
    SMALL,
    UNSURE,
    HandCrop,
    hand_crops,
)
from loupe.brain.measures.anatomy.hand_shape import Steadiness
from loupe.brain.measures.anatomy.hand_views import Scene
from loupe.brain.perception.landmarks.crop import Roi
from loupe.brain.perception.landmarks.hand import Hand

FAR = (190.0, 190.0)


def hand_of(side: float, presence: float = 0.99) -> Hand:
    """A hand whose box is as long as that; its wrist is at (100, 100)."""
    points = np.full((21, 2), 100.0, np.float32)
    points[1:, 1] -= np.linspace(0.1, 1, 20) * side
    points[1:, 0] += np.linspace(0, 0.5, 20) * side
    return Hand(points, np.zeros(21, np.float32), presence, 0.8, Roi(100, 80, side), (200, 200), np.zeros((21, 3)), 0.9)


class Views:
    """What sees a hand in a picture, and how often the palm detector was asked again."""

    def __init__(self, hand: Hand, palm: float, absent: float, wrist: tuple[float, float], objects: Sequence[Box]):
        self._scene = Scene([hand], 1, np.array([wrist], np.float32), tuple(objects))
        self._palm, self._absent, self.asked = palm, absent, 0

    def scene(self, _: np.ndarray) -> Scene:
        return self._scene

    def steadiness(self, _: np.ndarray, hand: Hand) -> Steadiness:
        return Steadiness(0.05, 0.1, self._absent)

    def palm_again(self, _: np.ndarray, hand: Hand) -> float:
        self.asked += 1
        return self._palm


def crop_of(
    palm: float = 0.0,
    absent: float = 0.9,
    wrist: tuple[float, float] = FAR,
    *,
    side: float = 60,
    presence: float = 0.99,
    objects: Sequence[Box] = (),
) -> tuple[HandCrop, Views]:
    views = Views(hand_of(side, presence), palm, absent, wrist, objects)
    crops, missed = hand_crops(np.full((200, 200, 3), 128, np.uint8), views, 40)  # type: ignore[arg-type]
    assert missed == 1
    return crops[0], views


@pytest.mark.parametrize(
    ("palm", "absent", "wrist", "seen_by"),
    [
        (0.0, 0.9, FAR, ()),
        (0.9, 0.9, FAR, ("palm",)),
        (0.0, 0.01, FAR, ("landmarks",)),
        (0.0, 0.9, (110.0, 105.0), ("body",)),
        (0.9, 0.01, FAR, ("palm", "landmarks")),
        (0.9, 0.9, (110.0, 105.0), ("palm", "body")),
        (0.9, 0.01, (110.0, 105.0), ("landmarks", "body")),
    ],
)
def test_two_detectors_have_to_agree(
    palm: float, absent: float, wrist: tuple[float, float], seen_by: tuple[str, ...]
) -> None:
    crop, views = crop_of(palm, absent, wrist)
    assert crop.seen_by == seen_by
    assert crop.usable == (len(seen_by) == 2)
    assert crop.reason == ("" if len(seen_by) == 2 else UNSURE)
    assert math.isnan(crop.implausibility) == (not seen_by), "what nothing sees a hand in is not ranked"
    assert views.asked == (0 if seen_by == ("landmarks", "body") else 1), "it is asked where it matters"


def test_the_first_look_of_the_landmark_model_counts_as_well() -> None:
    assert crop_of(0.9, 0.01, presence=0.6)[0].seen_by == ("palm",)


def test_how_far_a_wrist_may_be_goes_by_the_hands_size() -> None:
    assert crop_of(wrist=(129.0, 100.0))[0].seen_by == ("body",)
    assert crop_of(wrist=(131.0, 100.0))[0].seen_by == ()
    assert crop_of(wrist=(131.0, 100.0), side=80)[0].seen_by == ("body",)


def test_a_small_hand_is_not_looked_at_again() -> None:
    crop, views = crop_of(0.9, 0.01, side=39)
    assert crop.reason == SMALL.format(40)
    assert (crop.seen_by, crop.steady, views.asked) == ((), None, 0)


def test_a_glove_is_told_before_a_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glove_color, "glove_colors", lambda picture, hands: ["blue"] * len(hands))
    assert crop_of()[0].reason == "may be a glove: it is blue"


def test_a_hand_on_an_animal_is_unknown() -> None:
    crop, _ = crop_of(0.9, 0.01, objects=[Box("dog", (0.3, 0.2, 0.5, 0.5), 0.9)])
    assert crop.reason == ANIMAL
    assert not crop.usable


def test_of_a_crowd_the_surest_hands_are_looked_at() -> None:
    views = Views(hand_of(60), 0.9, 0.01, FAR, ())
    scene = views.scene(np.zeros((1, 1, 3)))
    small, large = hand_of(30), hand_of(60)
    scene.hands[:] = [small, *[large] * (MAX_LOOKS + 2)]
    crops, _ = hand_crops(np.full((200, 200, 3), 128, np.uint8), views, 40)  # type: ignore[arg-type]
    assert [crop.usable for crop in crops] == [False, *[True] * MAX_LOOKS, False, False]
    assert crops[-1].reason == CROWD.format(MAX_LOOKS)
    assert views.asked == MAX_LOOKS
