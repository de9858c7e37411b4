"""The check of bodies: real weights on generated people, a stub VLM, and all that can be missing."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from people import GENERATED, Stub, batch_of, linked, read, use_vlm, values

from loupe.brain.checks import body
from loupe.brain.checks.body import Body
from loupe.brain.core.errors import MissingWeights
from loupe.brain.core.records import Box, Scores
from loupe.brain.imaging.batches import ImageBatch

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


@pytest.mark.slow
@pytest.mark.parametrize("picture", [np.zeros((64, 64, 3), np.uint8), np.full((300, 500, 3), 140, np.uint8)])
def test_where_there_is_nobody_nothing_is_said(score: Scorer, picture: np.ndarray) -> None:
    scores = score(batch_of(picture))
    assert math.isnan(values(scores)["limb_malformed"])
    assert math.isnan(values(scores)["wrong_proportions"])
    assert values(scores)["bodies_judged"] == 0
    assert scores.reasons == ("no body seen",)


@pytest.mark.slow
def test_people_who_run_are_judged(score: Scorer, shared_data: Path) -> None:
    judged = 0
    for picture in generated(shared_data, "person_jogging"):
        scores = score(batch_of(picture))
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
def test_a_crowd_and_people_who_overlap_are_unknown(here: str, shared_data: Path) -> None:
    from loupe.brain.perception.landmarks.pose import Poses

    poses = Poses(*(Path(here) / f"{name}.tflite" for name in FILES[:2]))
    picture = generated(shared_data, "person_jogging")[0]
    pose = poses(picture)[0]
    x, y, width, height = (float(at) for at in np.array(pose.box) / np.tile(pose.size, 2))
    near = Box("person", (x, y, width, height), 0.9)
    other = Box("person", (x + width / 4, y, width, height), 0.9)
    far = Box("person", (0.0, 0.0, 0.01, 0.01), 0.9)
    assert body._score(poses, None, picture, [near] + [far] * 9).reason == "a crowd: 10 people"
    assert body._score(poses, None, picture, [near, other]).reason == "people overlap"
    assert body._score(poses, None, picture, [far]).reason == "no body seen"
    assert body._score(poses, None, picture, []).values["bodies_seen"] == 0


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
