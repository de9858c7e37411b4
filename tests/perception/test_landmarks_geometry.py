"""Regions, anchors and suppression: what the landmark models stand on, without any model."""

from __future__ import annotations

import math

import numpy as np
import pytest

from loupe.brain.core.errors import InputError, ModelError
from loupe.brain.perception.landmarks import crop, detector, figure, hand, pose
from loupe.brain.perception.landmarks.crop import Roi
from loupe.brain.perception.landmarks.detector import Detections
from loupe.brain.perception.landmarks.litert import Model


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("angle", [0.0, 0.3, math.pi / 2, -2.0, math.pi])
def test_a_point_goes_into_the_picture_and_back(angle: float, rng: np.random.Generator) -> None:
    roi = Roi(31.5, -4.0, 77.0, angle)
    points = rng.random((5, 7, 2))
    np.testing.assert_allclose(crop.unproject(crop.project(points, roi), roi), points, atol=1e-12)
    np.testing.assert_allclose(crop.project(np.array([0.5, 0.5]), roi), [31.5, -4.0])


def test_turning_is_clockwise_as_seen() -> None:
    right_of_the_middle = np.array([[1.0, 0.5]])
    assert crop.project(right_of_the_middle, Roi(10, 10, 4, math.pi / 2)).round(6).tolist() == [[10, 12]]  # below it


@pytest.mark.parametrize(("angle", "size"), [(0.0, 64), (0.0, 20), (0.7, 64), (-2.5, 40), (math.pi / 2, 17)])
def test_a_cut_shows_each_place_where_project_says(angle: float, size: int) -> None:
    rows, columns = np.mgrid[:120, :160]
    picture = np.stack([columns, rows, np.full_like(rows, 7)], -1).astype(np.uint8)  # colors say where a pixel lies
    roi = Roi(83.25, 55.5, 64.0, angle)
    got = crop.cut(picture, roi, size).astype(float)
    centers = (np.arange(size) + 0.5) / size
    wanted = crop.project(np.stack(np.meshgrid(centers, centers), -1), roi) - 0.5
    assert np.abs(got[..., :2] - wanted).max() <= 1.01  # rounded twice
    assert np.abs((got[..., :2] - wanted).mean()) < 0.2
    assert (got[..., 2] == 7).all()


def test_a_cut_of_the_whole_is_letterboxed() -> None:
    picture = np.full((50, 100, 3), 200, np.uint8)
    got = crop.cut(picture, crop.whole(picture), 40)
    assert (got[12:28] == 200).all()
    assert (got[:9] == 0).all()
    assert (got[31:] == 0).all()
    assert (crop.cut(picture, crop.whole(picture), 40, border=True) == 200).all()


def test_a_cut_far_outside_and_one_of_a_single_pixel() -> None:
    picture = np.full((3, 5, 3), 90, np.uint8)
    assert (crop.cut(picture, Roi(-500, 900, 20, 1.0), 16) == 0).all()
    assert (crop.cut(picture, Roi(-500, 900, 20, 1.0), 16, border=True) == 90).all()
    assert (crop.cut(picture[:1, :1], Roi(0.5, 0.5, 1.0), 16, border=True) == 90).all()


def test_a_cut_that_shrinks_averages() -> None:
    stripes = np.zeros((400, 400, 3), np.uint8)
    stripes[:, ::2] = 255
    got = crop.cut(stripes, crop.whole(stripes), 50)
    assert np.abs(got[2:-2, 2:-2].astype(int) - 127).max() <= 2


@pytest.mark.parametrize(("shape", "levels"), [((1024, 1024), 3), ((300, 1000), 3), ((64, 64), 4), ((1, 1), 3)])
def test_every_place_is_whole_in_a_tile_of_each_size(shape: tuple[int, int], levels: int) -> None:
    rois = crop.tiles(np.zeros((*shape, 3), np.uint8), levels, 96)
    height, width = shape
    assert rois[1] == Roi(width / 2, height / 2, max(shape))
    assert all(roi.side >= 96 for roi in rois[2:])
    assert len(rois) <= 2 + 9 + 49
    for side in {roi.side for roi in rois[1:]}:
        thing = side / 3
        for y in np.linspace(0, max(height - thing, 0), 23):
            for x in np.linspace(0, max(width - thing, 0), 23):
                low = np.array([x, y])
                high = np.minimum(low + thing, [width, height])
                assert any(
                    (low >= np.array([roi.x, roi.y]) - side / 2 - 1e-6).all()
                    and (high <= np.array([roi.x, roi.y]) + side / 2 + 1e-6).all()
                    for roi in rois
                    if roi.side == side
                )


@pytest.mark.parametrize("given", [np.zeros((4, 4)), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8)])
def test_what_is_no_picture(given: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"expected a picture of \(H, W, 3\) uint8"):
        crop.checked(given)


def test_no_region_of_nothing() -> None:
    assert not Roi(1, 1, 0.5).usable
    assert not Roi(1, math.nan, 5).usable
    assert not Roi(1, 1, math.inf).usable


def test_anchors() -> None:
    for layout, count in zip(
        (detector.PALM, detector.FACE_SHORT_RANGE, detector.FACE_FULL_RANGE, detector.POSE),
        (2016, 896, 2304, 2254),
        strict=True,
    ):
        made = detector.anchors(layout)
        assert made.shape == (count, 2)
        assert made.dtype == np.float32
        assert 0 < made.min() < made.max() < 1
    palm = detector.anchors(detector.PALM) * 192
    assert palm[:3].tolist() == [[4, 4], [4, 4], [12, 4]]  # two at a point, row by row
    assert palm[48].tolist() == [4, 12]
    assert palm[1152:1159].tolist() == [[8, 8]] * 6 + [[24, 8]]


def test_decoding() -> None:
    raw = np.zeros((2016, 18), np.float32)
    logits = np.full(2016, -500, np.float32)
    raw[2, :6] = [6, -2, 40, 20, 1, 2]
    logits[2] = 500
    detections = detector.decode(raw, logits, detector.PALM, 0.5)
    assert len(detections) == 1
    assert detections.scores[0] == 1
    np.testing.assert_allclose(detections.boxes[0] * 192, [-2, -8, 38, 12], atol=1e-4)
    np.testing.assert_allclose(detections.keypoints[0, :2] * 192, [[13, 6], [12, 4]], atol=1e-4)


def brute_force(detections: Detections, threshold: float) -> list[tuple[float, np.ndarray, np.ndarray]]:
    """The same by plain loops: mediapipe's non_max_suppression_calculator, algorithm WEIGHTED, in words."""
    left = sorted(range(len(detections)), key=lambda index: -detections.scores[index])
    merged = []
    while left:
        first = left[0]
        same, others = [], []
        for index in left:
            a, b = detections.boxes[first], detections.boxes[index]
            wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
            shared = max(wide, 0) * max(high, 0)
            union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
            (same if index == first or shared / union > threshold else others).append(index)
        total = sum(detections.scores[index] for index in same)
        box = sum(detections.scores[index] * detections.boxes[index] for index in same) / total
        keypoints = sum(detections.scores[index] * detections.keypoints[index] for index in same) / total
        merged.append((float(detections.scores[first]), np.asarray(box), np.asarray(keypoints)))
        left = others
    return merged


@pytest.mark.parametrize("seed", range(5))
def test_suppression_against_plain_loops(seed: int) -> None:
    rng = np.random.default_rng(seed)
    low = rng.random((60, 2)).astype(np.float32) * 3
    detections = Detections(
        np.concatenate([low, low + 0.2 + rng.random((60, 2), np.float32)], 1),
        rng.random((60, 7, 2), np.float32),
        rng.random(60, np.float32),
    )
    got = detector.merged(detections, 0.3)
    wanted = brute_force(detections, 0.3)
    assert 1 < len(got) < 60
    np.testing.assert_allclose(got.scores, [score for score, _, _ in wanted])
    np.testing.assert_allclose(got.boxes, [box for _, box, _ in wanted], rtol=1e-4)
    np.testing.assert_allclose(got.keypoints, [keypoints for _, _, keypoints in wanted], rtol=1e-4)


def test_suppression_of_nothing_and_of_empty_boxes() -> None:
    nothing = Detections(np.empty((0, 4)), np.empty((0, 7, 2)), np.empty(0))
    assert len(detector.merged(nothing, 0.3)) == 0
    empty = Detections(np.zeros((2, 4), np.float32), np.zeros((2, 7, 2), np.float32), np.ones(2, np.float32))
    assert len(detector.merged(empty, 0.3)) == 2


def test_the_way_from_the_wrist_to_the_finger_points_up_in_the_region() -> None:
    keypoints = np.zeros((7, 2), np.float32)
    keypoints[0], keypoints[2] = (50, 50), (70, 50)  # a hand that points to the right
    roi = hand.palm_region(np.array([40, 40, 60, 60], np.float32), keypoints)
    assert roi.angle == pytest.approx(math.pi / 2)
    assert roi.side == pytest.approx(52)
    assert (roi.x, roi.y) == pytest.approx((60, 50))  # moved toward the fingers
    wrist, finger = crop.unproject(keypoints[[0, 2]], roi)
    assert wrist[0] == pytest.approx(finger[0], abs=1e-5)
    assert wrist[1] > finger[1]


def test_the_region_around_points_turns_with_them(rng: np.random.Generator) -> None:
    points = rng.random((21, 2)) * 50
    first = hand.hand_region(points)
    second = hand.hand_region(crop.turned(points, 0.6))
    assert second.side == pytest.approx(first.side)
    assert second.angle == pytest.approx(first.angle + 0.6)
    assert crop.turned(np.array([first.x, first.y]), 0.6) == pytest.approx([second.x, second.y])


def test_refined_points_move_to_the_heat() -> None:
    heat = np.full((64, 64, 3), -20, np.float32)
    heat[30, 21, 0] = 20
    heat[60, 60, 1] = 20
    places = np.array([[20, 31], [20, 31], [90, -5]], np.float32) / 64
    np.testing.assert_allclose(pose.refined(places, heat) * 64, [[21, 30], [20, 31], [90, -5]], atol=1e-3)


def figure_at(points: np.ndarray, presence: float) -> figure.Figure:
    low, high = points.min(0), points.max(0)
    roi = Roi(*((low + high) / 2).tolist(), float((high - low).max()) * 2)
    return figure.Figure(points.astype(np.float32), np.zeros(len(points)), presence, 1.0, roi, (200, 100))


def test_the_same_thing_twice(rng: np.random.Generator) -> None:
    points = rng.random((21, 2)) * 50
    sure, again = figure_at(points, 0.9), figure_at(points + 3, 0.8)
    other = figure_at(50 - points, 0.7)  # another hand in the same box
    part = figure_at(points * 0.3 + 15, 0.6)
    assert figure.distinct([part, other, again, sure]) == [sure, other, part]
    assert figure.distinct([part, other, again, sure], parts=True) == [sure, other]
    assert figure.distinct([]) == []


def test_a_figure_as_evidence() -> None:
    made = figure_at(np.array([[20.0, 10.0], [100.0, 50.0]]), 0.75)
    assert made.box == (20, 10, 80, 40)
    evidence = made.to_points("hand", side="left")
    np.testing.assert_allclose(evidence.points, [(0.1, 0.1), (0.5, 0.5)], rtol=1e-6)
    assert (evidence.label, evidence.confidence, evidence.attributes) == ("hand", 0.75, {"side": "left"})


def test_no_model(tmp_path: object) -> None:
    with pytest.raises(ModelError, match="there is none"):
        Model(f"{tmp_path}/none.tflite")
    broken = f"{tmp_path}/broken.tflite"
    with open(broken, "wb") as file:
        file.write(b"TFL3 but no more")
    with pytest.raises(ModelError, match="cannot be run"):
        Model(broken)
