"""The check of bodies: real weights on generated people, a stub VLM, and all that can be missing."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from committed import SOURCES, picture
from people import GENERATED, Stub, batch_of, linked, read, use_vlm, values

from loupe.brain.checks import body
from loupe.brain.checks.body import Body
from loupe.brain.core.errors import MissingWeights
from loupe.brain.core.records import Box, Scores
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.measures.anatomy.people import owner
from loupe.brain.perception.landmarks.crop import Roi
from loupe.brain.perception.landmarks.pose import Pose

FILES = ("pose_detection", "pose_landmark_full", "yolox_nano")
Scorer = Callable[[ImageBatch], Scores]


@pytest.fixture(scope="module")
def here(weights: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> str:
    return linked(weights, tmp_path_factory.mktemp("weights"), FILES)


@pytest.fixture(scope="module")
def score(here: str) -> Scorer:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOUPE_WEIGHTS_DIRS", here)
        return Body(backend="landmarks").load("cpu")


@pytest.fixture
def seeing(
    weights: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Callable[..., Scores]]:
    """Loads the check with a detector that finds these boxes in every picture, so that YOLOX need not be here."""
    from loupe.brain.perception import weights as room
    from loupe.brain.perception.detectors import yolox
    from loupe.brain.perception.detectors.detection import Detector

    folder = linked(weights, tmp_path, FILES[:2])
    monkeypatch.setenv("LOUPE_WEIGHTS_DIRS", folder)
    real = room.path
    monkeypatch.setattr(room, "path", lambda name: tmp_path / name if name == "yolox_nano" else real(name))

    def load(*boxes: Box, **params: str) -> Callable[..., Scores]:
        monkeypatch.setattr(yolox, "load", lambda path: Detector("stub", None, lambda pixels, nouns: boxes, 0.0))
        check = Body(**{"backend": "landmarks", **params}).load("cpu")
        return lambda *pictures: check(batch_of(*pictures))

    return load


def generated(shared_data: Path, folder: str) -> list[np.ndarray]:
    return [read(path) for path in sorted(shared_data.joinpath(*GENERATED, folder).glob("*.jpg"))]


def test_auto_is_landmarks_on_a_cpu() -> None:
    assert Body().resolved("cpu").backend == "landmarks"


@pytest.mark.parametrize("name", FILES)
def test_without_weights_it_says_which_are_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    from loupe.brain.perception import weights as room

    monkeypatch.setenv("LOUPE_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("LOUPE_WEIGHTS_DIRS", "")
    real, asked = room.path, []

    def path(wanted: str) -> Path:
        asked.append(wanted)
        return real(wanted) if wanted == name else tmp_path / wanted

    monkeypatch.setattr(room, "path", path)
    monkeypatch.setattr("loupe.brain.perception.detectors.yolox.load", lambda file: type("Found", (), {"find": None}))
    with pytest.raises(MissingWeights, match=f"loupe weights get {name}"):
        Body().load("cpu")


def pose_of(seen: int) -> Pose:
    """A body 200 pixels high, of which the first points can be seen."""
    points = np.stack([np.linspace(20, 80, 33), np.linspace(10, 210, 33)[np.arange(33) * 7 % 33]], 1).astype(np.float32)
    visibility = np.where(np.arange(33) < seen, 1, 0).astype(np.float32)
    return Pose(
        points,
        z=np.zeros(33, np.float32),
        presence=1.0,
        score=1.0,
        roi=Roi(0.5, 0.5, 1.0),
        size=(100, 220),
        world=np.zeros((33, 3), np.float32),
        visibility=visibility,
        inside=visibility,
    )


@pytest.mark.parametrize(("seen", "owned"), [(7, False), (8, True), (33, True)])
def test_a_body_belongs_to_the_person_that_eight_of_its_points_lie_on(seen: int, owned: bool) -> None:
    pose = pose_of(seen)
    low, high = pose.relative[:seen].min(0), pose.relative[:seen].max(0)
    own = Box("person", (*low.tolist(), *(high - low).tolist()))
    other = Box("person", (0.9, 0.9, 0.1, 0.1))
    assert owner(pose, [other, own]) == (own if owned else None)
    assert owner(pose, [other]) is None


@pytest.mark.parametrize(("people", "crowd"), [(8, False), (9, True)])
def test_more_than_eight_people_are_a_crowd(people: int, crowd: bool) -> None:
    boxes = [Box("person", (index / 10, 0.0, 0.05, 1.0)) for index in range(people)]
    assert (body._unknown(pose_of(33), boxes[0], boxes) == "a crowd: 9 people") == crowd


@pytest.mark.slow
@pytest.mark.parametrize("blank", [np.zeros((64, 64, 3), np.uint8), np.full((300, 500, 3), 140, np.uint8)])
def test_where_there_is_nobody_nothing_is_said(score: Scorer, blank: np.ndarray) -> None:
    scores = score(batch_of(blank))
    assert math.isnan(values(scores)["limb_malformed"])
    assert math.isnan(values(scores)["wrong_proportions"])
    assert values(scores)["bodies_judged"] == 0
    assert scores.reasons == ("no body seen",)


@pytest.mark.slow
def test_people_who_run_are_judged(score: Scorer, shared_data: Path) -> None:
    judged = 0
    for pixels in generated(shared_data, "person_jogging"):
        scores = score(batch_of(pixels))
        got = values(scores)
        judged += got["bodies_judged"] > 0
        assert not math.isnan(got["limb_malformed"]) or scores.reasons[0]
        for points in scores.points[0]:
            assert points.label == "body"
            assert len(points.points) == 33
            assert points.attributes["verdict"] in ("usual", "malformed", "unknown")
            assert (points.attributes["verdict"] != "unknown") or points.attributes["reason"]
    assert judged >= 4


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES)
def test_a_crowd_and_people_who_overlap_are_unknown(
    weights: Callable[[str], Path], request: pytest.FixtureRequest, source: str
) -> None:
    from loupe.brain.perception.landmarks.pose import Poses

    poses = Poses(*map(weights, FILES[:2]))
    if source == "committed":
        pixels = picture("cameraman")
    else:
        pixels = generated(request.getfixturevalue("shared_data"), "person_jogging")[0]
    pose = poses(pixels)[0]
    x, y, width, height = (float(at) for at in np.array(pose.box) / np.tile(pose.size, 2))
    near = Box("person", (x, y, width, height), 0.9)
    other = Box("person", (x + width / 4, y, width, height), 0.9)
    far = Box("person", (0.0, 0.0, 0.01, 0.01), 0.9)
    assert body._score(poses, None, pixels, [near] + [far] * 9).reason == "a crowd: 10 people"
    assert body._score(poses, None, pixels, [near, other]).reason == "people overlap"
    assert body._score(poses, None, pixels, [far]).reason == "no body seen"
    assert body._score(poses, None, pixels, []).values["bodies_seen"] == 0


@pytest.mark.slow
def test_with_a_vlm_its_worst_answer_is_the_score(
    here: str, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub = Stub("too large or too small")
    monkeypatch.setenv("LOUPE_WEIGHTS_DIRS", here)
    made = use_vlm(stub, monkeypatch)
    scores = Body(backend="vlm", vlm="some/vlm").load("cpu")(batch_of(generated(shared_data, "person_jogging")[0]))
    assert made == [("some/vlm", "cpu")]
    got = values(scores)
    assert got["wrong_proportions"] == pytest.approx(0.9)
    assert got["limb_malformed"] == pytest.approx(0.1)
    assert len(stub.asked) == 6 * got["bodies_judged"]


# the man with a camera, and where a detector sees him

MAN = Box("person", (0.01, 0.13, 0.58, 0.85), 0.93)


@pytest.mark.slow
def test_a_person_is_judged_with_his_points(seeing: Callable[..., Callable[..., Scores]]) -> None:
    scores = seeing(MAN, Box("dog", (0.5, 0.5, 0.2, 0.2), 0.9), Box("person", (0.7, 0.0, 0.2, 0.2), 0.3))(
        picture("cameraman")
    )
    got = values(scores)
    assert (got["bodies_seen"], got["bodies_judged"]) == (1, 1), "neither a dog nor a faint person counts"
    (points,) = scores.points[0]
    assert (points.label, len(points.points)) == ("body", 33)
    assert points.attributes["verdict"] == "usual"
    assert got["limb_malformed"] == pytest.approx(points.attributes["limb_malformed"], abs=1e-4)
    assert got["wrong_proportions"] == pytest.approx(points.attributes["wrong_proportions"], abs=1e-4)
    assert not any(scores.reasons)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "failure", "reason"),
    [
        ("cameraman_limb", "limb_malformed", "an arm or a leg is much longer than its fellow"),
        ("cameraman_proportions", "wrong_proportions", "the arms are too long or too short for the trunk"),
    ],
)
def test_stretched_arms_and_a_stretched_trunk_are_flagged(
    name: str, failure: str, reason: str, seeing: Callable[..., Callable[..., Scores]]
) -> None:
    scores = seeing(MAN)(picture("cameraman"), picture(name))
    threshold = next(output.default_threshold for output in Body.outputs if output.name == failure)
    assert threshold is not None
    before, after = values(scores, 0)[failure], values(scores, 1)[failure]
    assert before <= threshold.value < after
    (points,) = scores.points[1]
    assert points.attributes["verdict"] == "malformed"
    assert points.attributes["reason"] == reason


@pytest.mark.slow
def test_nobody_is_judged_where_the_detector_sees_nobody(seeing: Callable[..., Callable[..., Scores]]) -> None:
    scores = seeing()(picture("cameraman"))
    assert scores.reasons == ("no body seen",)
    assert math.isnan(values(scores)["limb_malformed"])
    assert values(scores)["bodies_seen"] == 0


@pytest.mark.slow
def test_a_small_person_and_one_cut_by_the_frame_are_unknown(seeing: Callable[..., Callable[..., Scores]]) -> None:
    small = np.full((448, 448, 3), 190, np.uint8)
    small[:130, :130] = picture("cameraman", 130)
    scaled = Box("person", tuple(place * 130 / 448 for place in MAN.bounds), 0.9)  # type: ignore[arg-type]
    upper = Box("person", (0.22, 0.06, 0.78, 0.93), 0.95)  # down to his belt
    for pixels, box, reason in ((small, scaled, "too small"), (picture("man"), upper, "cut by the frame")):
        scores = seeing(box)(pixels)
        assert math.isnan(values(scores)["limb_malformed"])
        assert reason in str(scores.reasons[0])


@pytest.mark.slow
def test_a_vlm_is_asked_about_the_man(
    seeing: Callable[..., Callable[..., Scores]], monkeypatch: pytest.MonkeyPatch
) -> None:
    stub = Stub("too large or too small")
    made = use_vlm(stub, monkeypatch)
    got = values(seeing(MAN, backend="vlm", vlm="some/vlm")(picture("cameraman")))
    assert made == [("some/vlm", "cpu")]
    assert got["wrong_proportions"] == pytest.approx(0.9)
    assert got["limb_malformed"] == pytest.approx(0.1)
    assert (len(stub.asked), got["bodies_judged"]) == (6, 1)
