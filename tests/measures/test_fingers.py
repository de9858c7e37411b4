"""Fingers are counted by the outline of a hand, and compared with landmarks that always have five."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from drawn_hands import BESIDE_INDEX, BESIDE_LITTLE, Part, as_picture, drawn

from loupe.brain.measures.anatomy.fingers import Count, compare, count
from loupe.brain.measures.anatomy.hand_outline import outline


def moved(hand: np.ndarray, points: np.ndarray, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    size = hand.shape[::-1]
    turned = cv2.warpAffine(
        hand.astype(np.uint8), matrix, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE
    )
    return turned > 0, (np.c_[points, np.ones(21)] @ matrix.T).astype(np.float32)


def test_an_open_hand_is_sound() -> None:
    result = compare(*drawn())
    assert (result.seen, result.wrong, result.extra, result.lost) == (5, False, 0, 0)
    assert result.min_expected <= 5 == result.max_expected


@pytest.mark.parametrize("shown", [(1, 2, 3, 4), (0, 1, 2), (2, 3, 4), (0, 1, 4)])
def test_folded_fingers_are_no_missing_ones(shown: tuple[int, ...]) -> None:
    result = compare(*drawn(shown))
    assert (result.seen, result.wrong) == (len(shown), False)


def test_a_sixth_finger() -> None:
    result = compare(*drawn(extra=BESIDE_LITTLE))
    assert (result.seen, result.extra, result.wrong) == (6, 1, True)


def test_a_fifth_finger_where_the_thumb_is_folded() -> None:
    result = compare(*drawn((1, 2, 3, 4), extra=BESIDE_INDEX))
    assert result.seen == 5
    assert result.max_expected == 4
    assert result.wrong


@pytest.mark.parametrize("gone", [0, 1, 2, 3, 4])
def test_a_missing_finger(gone: int) -> None:
    hand, _ = drawn(tuple(finger for finger in range(5) if finger != gone))
    result = compare(hand, drawn()[1])
    assert (result.seen, result.lost, result.wrong) == (4, 1, True)


def test_two_missing_fingers_are_a_bad_outline() -> None:
    hand, _ = drawn((0, 1, 4))
    result = compare(hand, drawn()[1])
    assert result.seen is None
    assert "fit" in result.reason


def test_a_gap_that_is_filled_is_never_sound() -> None:
    hand, points = drawn()
    filled = hand.astype(np.uint8)
    cv2.fillPoly(filled, [np.round(points[[5, 6, 7, 8, 12, 11, 10, 9]]).astype(np.int32)], 1)
    result = compare(filled > 0, points)
    assert result.wrong or result.seen is None


def test_a_fist_is_unknown() -> None:
    result = compare(*drawn(()))
    assert result.seen is None
    assert result.reason == "no finger is stretched out"
    assert not result.wrong


def test_an_outline_without_a_finger_says_nothing() -> None:
    """The landmarks may see a finger stretched out, or the outline may be a bad one: neither is told by a palm."""
    fist, _ = drawn(())
    for shown in ((1,), (1, 2)):
        assert compare(fist, drawn(shown)[1]).seen is None


@pytest.mark.parametrize("shown", [(1,), (1, 2), (1, 4)])
def test_a_finger_or_two_are_counted(shown: tuple[int, ...]) -> None:
    result = compare(*drawn(shown))
    assert (result.seen, result.wrong) == (len(shown), False)


@pytest.mark.parametrize("extra", [None, BESIDE_LITTLE, BESIDE_INDEX])
@pytest.mark.parametrize("degrees", [-15, 0, 15])
@pytest.mark.parametrize("scale", [0.8, 1.0, 1.1])
@pytest.mark.parametrize("mirror", [False, True])
def test_it_does_not_matter_how_the_hand_lies(extra: Part | None, degrees: float, scale: float, mirror: bool) -> None:
    hand, points = drawn(extra=extra)
    matrix = cv2.getRotationMatrix2D((96, 110), degrees, scale)
    hand, points = moved(hand, points, matrix)
    if mirror:
        hand, points = hand[:, ::-1], np.float32([191, 0]) + points * np.float32([-1, 1])
    result = compare(hand, points)
    assert (result.seen, result.wrong) == (6 if extra else 5, extra is not None)


def test_the_outline_is_found_by_color() -> None:
    hand, points = drawn(extra=BESIDE_LITTLE)
    picture = as_picture(hand)
    result = outline(picture, points)
    assert isinstance(result, np.ndarray)
    above = slice(0, int(points[0, 1]))
    both, either = (result & hand)[above].sum(), (result | hand)[above].sum()
    assert both / either > 0.95
    before = picture.copy()
    assert count(picture, points).wrong
    assert count(picture, points) == count(picture, points)
    assert (picture == before).all()


def test_a_missing_finger_needs_its_ground_to_show() -> None:
    hand, _ = drawn((0, 1, 3, 4))
    _, points = drawn()
    picture = as_picture(hand)
    assert count(picture, points).wrong
    # a thing of another color is held before the finger
    tip, root = (tuple(int(value) for value in points[at]) for at in (12, 10))
    cv2.line(picture, root, tip, (40, 160, 60), 16)
    result = count(picture, points)
    assert result.seen is None
    assert not result.wrong


def test_where_the_ground_looks_like_skin_nothing_is_said() -> None:
    hand, points = drawn()
    result = count(as_picture(np.ones_like(hand)), points)
    assert result.seen is None
    assert "skin" in result.reason


def test_from_the_side_and_without_a_palm() -> None:
    hand, points = drawn()
    narrow = points.copy()
    narrow[:, 0] = 96 + (narrow[:, 0] - 96) * 0.3
    assert count(as_picture(hand), narrow).reason == "seen from the side"
    assert count(as_picture(hand), np.full((21, 2), 90, np.float32)).reason == "the palm is hidden"
    assert count(np.zeros((192, 192, 3), np.uint8), points).seen is None


def test_an_unknown_count_is_never_wrong() -> None:
    assert not Count(None, 5, 5, 3, 3).wrong
    assert Count(6).wrong
    assert not Count(5).wrong
    assert not Count(3, min_expected=4).wrong  # fewer, but none of them is gone
    assert Count(3, min_expected=4, lost=1).wrong
