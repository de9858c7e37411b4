"""Poses drawn as OpenPose draws them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from loupe.brain.controls import make, pose, skeleton
from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Points
from loupe.brain.perception.landmarks.pose import NAMES

#: the colors of the published drawing, a limb each, and a joint each
PUBLISHED = [
    *([255, 0, 0], [255, 85, 0], [255, 170, 0], [255, 255, 0], [170, 255, 0], [85, 255, 0], [0, 255, 0]),
    *([0, 255, 85], [0, 255, 170], [0, 255, 255], [0, 170, 255], [0, 85, 255], [0, 0, 255], [85, 0, 255]),
    *([170, 0, 255], [255, 0, 255], [255, 0, 170], [255, 0, 85]),
]
#: a body that stands, each of OpenPose's points at a place of its own
STANDING = {
    "nose": (0.5, 0.15),
    "neck": (0.5, 0.25),
    "right_shoulder": (0.4, 0.25),
    "right_elbow": (0.33, 0.4),
    "right_wrist": (0.3, 0.55),
    "left_shoulder": (0.6, 0.25),
    "left_elbow": (0.67, 0.4),
    "left_wrist": (0.7, 0.55),
    "right_hip": (0.44, 0.55),
    "right_knee": (0.43, 0.75),
    "right_ankle": (0.42, 0.95),
    "left_hip": (0.56, 0.55),
    "left_knee": (0.57, 0.75),
    "left_ankle": (0.58, 0.95),
    "right_eye": (0.47, 0.12),
    "left_eye": (0.53, 0.12),
    "right_ear": (0.43, 0.13),
    "left_ear": (0.57, 0.13),
}
COCO = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow"),
    *("right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee"),
    *("left_ankle", "right_ankle"),
)
NOT_SEEN = (math.nan, math.nan)


def body(names: Sequence[str], **other: tuple[float, float]) -> Points:
    places = {**STANDING, **other}
    return Points("body", tuple(places.get(name, NOT_SEEN) for name in names))


def color_at(picture: np.ndarray, place: tuple[float, float]) -> list[int]:
    return picture[int(place[1] * picture.shape[0]), int(place[0] * picture.shape[1])].tolist()


def test_joints_and_limbs_have_the_published_colors() -> None:
    picture = skeleton.draw([body(skeleton.BODY)], (512, 512))
    for name, color in zip(skeleton.BODY, PUBLISHED, strict=True):
        assert color_at(picture, STANDING[name]) == color, name
    for (start, end), color in zip(skeleton.LIMBS, PUBLISHED, strict=False):
        first, second = STANDING[skeleton.BODY[start]], STANDING[skeleton.BODY[end]]
        middle = ((first[0] + second[0]) / 2, (first[1] + second[1]) / 2)
        assert color_at(picture, middle) == [int(0.6 * level) for level in color], (start, end)


def test_the_limbs_are_openposes() -> None:
    published = "2-3 2-6 3-4 4-5 6-7 7-8 2-9 9-10 10-11 2-12 12-13 13-14 2-1 1-15 15-17 1-16 16-18"
    assert " ".join(f"{start + 1}-{end + 1}" for start, end in skeleton.LIMBS) == published
    assert skeleton.BONES[:6] == ((0, 1), (1, 2), (2, 3), (3, 4), (0, 5), (5, 6))
    assert len(skeleton.BONES) == 20


@pytest.mark.parametrize("names", [COCO, NAMES])
def test_a_body_of_another_order_is_the_same_body(names: Sequence[str]) -> None:
    own = skeleton.draw([body(skeleton.BODY)], (256, 256))
    assert (skeleton.draw([body(names)], (256, 256)) == own).all()


def test_what_is_not_seen_or_outside_is_left_out() -> None:
    whole = skeleton.draw([body(skeleton.BODY)], (256, 256))
    for place in (NOT_SEEN, (0.7, 1.2), (-0.1, 0.5)):
        part = skeleton.draw([body(skeleton.BODY, left_wrist=place)], (256, 256))
        assert color_at(part, STANDING["left_wrist"]) == [0, 0, 0]
        assert color_at(part, STANDING["left_elbow"]) == color_at(whole, STANDING["left_elbow"])
    # no neck without both shoulders
    part = skeleton.draw([body(NAMES, left_shoulder=NOT_SEEN)], (256, 256))
    assert color_at(part, STANDING["neck"]) == [0, 0, 0]


def test_hands_are_bones_with_blue_joints_and_faces_white_dots() -> None:
    hand = Points("hand", tuple((0.1 + 0.04 * at, 0.3 + 0.4 * (at % 4 == 0)) for at in range(21)))
    picture = skeleton.draw([hand], (512, 512))
    assert all(color_at(picture, place) == [0, 0, 255] for place in hand.points)
    start, end = (np.array(hand.points[at]) for at in (0, 1))
    assert color_at(picture, tuple((start + end) / 2)) == [255, 0, 0]
    for count in (68, 70):
        places = tuple((0.1 + 0.01 * at, 0.1 + 0.01 * at) for at in range(count))
        face = skeleton.draw([Points("face", places)], (512, 512))
        assert all(color_at(face, place) == [255, 255, 255] for place in places)
        assert set(np.unique(face)) == {0, 255}
    mesh = [(0.0, 0.0)] * 468
    mesh[1], mesh[4] = (0.9, 0.9), (0.5, 0.5)  # 4 is the tip of the nose, 1 is none of the 68
    face = skeleton.draw([Points("face", tuple(mesh))], (512, 512))
    assert color_at(face, (0.5, 0.5)) == [255, 255, 255]
    assert color_at(face, (0.9, 0.9)) == [0, 0, 0]


@pytest.mark.parametrize("size", [(256, 256), (1024, 1024), (512, 2048)])
def test_widths_go_with_the_shorter_side(size: tuple[int, int]) -> None:
    picture = skeleton.draw([body(skeleton.BODY, nose=NOT_SEEN)], size)
    row = picture[int(0.65 * size[1])]  # through both thighs
    wide = (row.any(1)).sum() / 2
    assert abs(wide - 8 * min(size) / 512) <= 3 * max(1, min(size) / 512)


@pytest.mark.parametrize(
    ("figures", "message"),
    [
        ([], "a person, a hand or a face to draw a pose of, got none in the picture"),
        ([Points("body", (NOT_SEEN,) * 33)], "got none in the picture"),
        ([Points("hand", ((1.5, 0.5),) * 21)], "got none in the picture"),
        ([Points("dog", ((0.5, 0.5),) * 20)], "468 of a face, got 20 points of 'dog': name another field"),
        ([Points("body", ())], "got 0 points"),
    ],
)
def test_what_is_no_pose_is_refused(figures: list[Points], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make.of_points(figures, (64, 64))


def linked(weights: Callable[[str], Path], folder: Path) -> str:
    from loupe.brain.perception import weights_table

    for name in pose.weights_needed():
        (folder / weights_table.TABLE[name].file).symlink_to(weights(name))
    return str(folder)


@pytest.mark.slow
def test_the_pose_of_a_photo_lies_on_the_person(
    weights: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = pytest.importorskip("skimage.data", reason="a photo of a person is scikit-image's")
    monkeypatch.setenv("LOUPE_WEIGHTS_DIRS", linked(weights, tmp_path))
    picture = data.astronaut()
    find = pose.finder()
    figures = {figure.label: figure for figure in find(picture)}
    assert set(figures) >= {"body", "face"}
    nose, tip = figures["body"].points[0], figures["face"].points[4]
    assert math.dist(nose, tip) < 0.03
    drawn = np.asarray(make.maker("pose", "cpu")(picture, (512, 512)))
    assert (drawn == np.asarray(make.of_points(find(picture), (512, 512)))).all()
    with pytest.raises(InputError, match="got none in the picture"):
        make.maker("pose", "cpu")(np.full((64, 64, 3), 90, np.uint8), (64, 64))
