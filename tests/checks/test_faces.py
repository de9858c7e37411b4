"""The check of faces: real weights on generated people, a stub VLM, and all that can be missing."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from committed import SOURCES, picture
from people import GENERATED, Stub, batch_of, linked, read, two_people, use_vlm, values

from benchmarks.anatomy.odd_pictures import FACES, gray, over_face, sepia
from loupe.brain.checks.faces import Faces
from loupe.brain.core.errors import InputError, MissingWeights
from loupe.brain.core.records import Box, Scores
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.measures.anatomy import face_hand, vlm_questions
from loupe.brain.perception import imagenet, weights
from loupe.brain.perception.detectors import small
from loupe.brain.perception.vlm import folder
from loupe.brain.perception.vlm.questions import SPECIALISTS

FILES = ("face_detection_full_range_sparse", "face_landmark", "iris_landmark")
Scorer = Callable[[ImageBatch], Scores]


@pytest.fixture(scope="module")
def here(weights: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> str:
    return linked(weights, tmp_path_factory.mktemp("weights"), FILES)


@pytest.fixture(scope="module")
def score(here: str) -> Scorer:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOUPE_WEIGHTS_DIRS", here)
        return Faces(backend="landmarks").load("cpu")


@pytest.fixture(scope="module", params=SOURCES)
def couple(request: pytest.FixtureRequest) -> np.ndarray:
    """Two people who look at us."""
    return two_people(request)


@pytest.fixture(scope="module", params=SOURCES)
def somebody(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray]:
    """A face that looks at us, and the part of the picture that it fills."""
    if request.param == "committed":
        whole = picture("man")
        return whole, whole[40:270, 210:420]
    folder: Path = request.getfixturevalue("shared_data")
    file = sorted(folder.joinpath(*GENERATED, "mother_or_father_holding_baby").glob("*.jpg"))[0]
    whole = read(file)[120:680, 100:660]
    return whole, whole[120:440, 140:420]


def test_auto_is_landmarks_without_cuda_or_without_the_vlm(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Faces().resolved("cpu").backend == "landmarks"
    monkeypatch.setattr(folder, "is_here", lambda name: False)
    assert Faces().resolved("cuda:1").backend == "landmarks"
    monkeypatch.setattr(folder, "is_here", lambda name: name == "some/vlm")
    assert Faces().resolved("cuda:1").backend == "landmarks"
    assert Faces(vlm="some/vlm").resolved("cuda:1").backend == "vlm"
    assert Faces(backend="vlm").resolved("cpu").backend == "vlm"


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        ("best", "expected a backend out of auto, landmarks, vlm, got 'best'$"),
        ("offline", "got 'offline'; what was 'offline' is called 'landmarks'$"),
        ("gpu", "got 'gpu'; what was 'gpu' is called 'vlm'$"),
    ],
)
def test_another_backend_is_refused(backend: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Faces(backend=backend).load("cpu")
    with pytest.raises(InputError, match=message):
        Faces(backend=backend).resolved("cuda")


def test_without_weights_it_says_which_are_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOUPE_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("LOUPE_WEIGHTS_DIRS", "")
    with pytest.raises(MissingWeights, match="loupe weights get face_detection"):
        Faces().load("cpu")


def test_the_worst_answer_of_each_crop_counts() -> None:
    crops = [np.zeros((8, 8, 3), np.uint8)] * 2
    asked = [specialist for specialist in SPECIALISTS.values() if specialist.failure == "face_malformed"]
    stub = Stub("teeth")
    worst = vlm_questions.worst(stub, crops, "face_malformed")
    assert [(answer.score, answer.name) for answer in worst] == [(0.9, "malformed_teeth")] * 2
    assert [question.text for question in stub.asked] == [specialist.text for specialist in asked] * 2
    silent = vlm_questions.worst(Stub("teeth", mass=0.1), crops, "face_malformed")
    assert all(math.isnan(answer.score) and answer.reason for answer in silent)
    assert vlm_questions.worst(stub, [], "face_malformed") == []
    with pytest.raises(InputError, match="blur"):
        vlm_questions.worst(stub, crops, "blur")


@pytest.mark.slow
@pytest.mark.parametrize("blank", [np.zeros((64, 64, 3), np.uint8), np.full((300, 500, 3), 140, np.uint8)])
def test_where_there_is_no_face_nothing_is_said(score: Scorer, blank: np.ndarray) -> None:
    scores = score(batch_of(blank, blank))
    assert math.isnan(values(scores)["face_malformed"])
    assert math.isnan(values(scores)["symmetric_face"])
    assert (values(scores)["faces_seen"], values(scores)["faces_judged"]) == (0, 0)
    assert scores.reasons == ("no face seen",) * 2


@pytest.mark.slow
def test_several_faces_are_judged_each(score: Scorer, couple: np.ndarray) -> None:
    scores = score(batch_of(couple))
    got = values(scores)
    assert got["faces_seen"] >= 2
    assert len(scores.points[0]) == got["faces_seen"]
    for points in scores.points[0]:
        assert points.label == "face"
        assert points.attributes["verdict"] in ("usual", "malformed", "unknown")
        assert 60 < len(points.points) < 120
        assert ("reason" in points.attributes) or points.attributes["verdict"] == "usual"
    judged = [float(p.attributes["score"]) for p in scores.points[0] if "score" in p.attributes]
    assert got["faces_judged"] == len(judged)
    assert not judged or got["face_malformed"] == pytest.approx(max(judged), abs=1e-4)


@pytest.mark.slow
def test_a_face_that_fills_the_frame_and_one_of_64_pixels(
    score: Scorer, somebody: tuple[np.ndarray, np.ndarray]
) -> None:
    whole, closer = somebody
    for pixels in (closer, cv2.resize(whole, (64, 64), interpolation=cv2.INTER_AREA)):
        scores = score(batch_of(np.ascontiguousarray(pixels)))
        got = values(scores)
        assert not math.isnan(got["face_malformed"]) or (scores.reasons and scores.reasons[0])


@pytest.mark.slow
def test_a_mirrored_half_is_symmetric_and_a_moved_eye_is_odd(
    score: Scorer, somebody: tuple[np.ndarray, np.ndarray], here: str
) -> None:
    from benchmarks.anatomy import people_defects as defects
    from loupe.brain.perception.landmarks import face

    find = face.Faces(*(Path(here) / f"{name}.tflite" for name in FILES), levels=2)
    whole, _ = somebody
    seen_face = find(whole)[0]
    clean = values(score(batch_of(whole)))
    assert clean["face_malformed"] < 0.58
    mirrored = values(score(batch_of(defects.half_mirrored(whole, seen_face, 1.0))))
    assert mirrored["symmetric_face"] > clean["symmetric_face"] + 0.25
    lower = values(score(batch_of(defects.eye_moved(whole, seen_face, 0.25))))
    assert lower["face_malformed"] > max(clean["face_malformed"], 0.58)


@pytest.mark.slow
def test_a_lower_eye_is_beyond_what_real_faces_show(score: Scorer) -> None:
    from loupe.brain.measures.anatomy.face_shape import LIMITS

    sound, lower = score(batch_of(picture("man"), picture("man_eye_low"))).points
    for name in ("eyes", "gaze_height"):
        assert float(sound[0].attributes[name]) < LIMITS[name].start < float(lower[0].attributes[name])
    assert lower[0].attributes["reason"] == LIMITS["gaze_height"].says


@pytest.mark.slow
def test_with_a_vlm_its_worst_answer_is_the_score(
    couple: np.ndarray, here: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub = Stub("teeth")
    monkeypatch.setenv("LOUPE_WEIGHTS_DIRS", here)
    made = use_vlm(stub, monkeypatch)
    scores = Faces(backend="vlm", vlm="some/vlm").load("cpu")(batch_of(couple))
    assert made == [("some/vlm", "cpu")]
    assert values(scores)["face_malformed"] == pytest.approx(0.9)
    assert len(stub.asked) == 5 * values(scores)["faces_judged"]
    assert all(max(question.picture.shape) <= vlm_questions.LARGEST for question in stub.asked)
    assert scores.points[0][0].attributes["reason"] == "malformed_teeth"


@pytest.mark.slow
def test_faces_are_looked_for_once_for_all_checks(couple: np.ndarray, here: str) -> None:
    from loupe.brain.perception.landmarks import face

    paths = [Path(here) / f"{name}.tflite" for name in FILES]
    plain, full, closer = (face.Faces(*paths[:2]), face.Faces(*paths), face.Faces(*paths[:2], levels=2))
    batch = batch_of(couple)
    kept = len(face._KEPT)
    ((pixels, faces),) = full.of_batch(batch, 1280)
    ((_, again),) = plain.of_batch(batch, 1280)
    assert np.array_equal(pixels, couple)
    for first, second, alone in zip(faces, again, full(couple), strict=True):
        assert first.points is second.points
        assert second.irises is None
        assert np.array_equal(first.points, alone.points)
        assert np.array_equal(first.irises, alone.irises)
    assert not any(first.points is second.points for first in faces for second in closer.of_batch(batch, 1280)[0][1])
    assert len(face._KEPT) == kept + 1
    del batch
    assert len(face._KEPT) == kept


def _classes(**likelihoods: float) -> Callable[[np.ndarray], np.ndarray]:
    """A classifier that sees those classes of ImageNet, by number."""

    def classify(picture: np.ndarray) -> np.ndarray:
        assert picture.shape == (224, 224, 3)
        seen = np.full(1000, 1e-6, np.float32)
        for name, likelihood in likelihoods.items():
            seen[int(name.removeprefix("n"))] = likelihood
        return seen

    return classify


def test_an_animals_face_and_one_behind_a_mask_are_unknown_for_that(
    here: str, somebody: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOUPE_WEIGHTS_DIRS", here)
    monkeypatch.setattr(weights, "path", lambda name: Path(here) / f"{name}.tflite")
    for likelihoods, reason in (
        ({"n163": 0.5, "n168": 0.4}, "the face looks like an animal's"),
        ({"n801": 0.8}, "the face is behind a mask, a snorkel, a helmet or glasses"),
    ):
        monkeypatch.setattr(imagenet, "classifier", lambda _, own=likelihoods: _classes(**own))
        scores = Faces(backend="landmarks", classifier="efficientnet", hands="none").load("cpu")(batch_of(somebody[0]))
        assert math.isnan(values(scores)["face_malformed"])
        assert values(scores)["faces_seen"] >= 1
        assert values(scores)["faces_judged"] == 0
        assert scores.reasons == (reason,)
        assert scores.points[0][0].attributes["verdict"] == "unknown"
    # not sure of an animal: a person with a dog
    monkeypatch.setattr(imagenet, "classifier", lambda _: _classes(n163=0.5, n801=0.3))
    scores = Faces(backend="landmarks", classifier="efficientnet", hands="none").load("cpu")(batch_of(somebody[0]))
    assert not math.isnan(values(scores)["face_malformed"])


def test_the_classifier_is_used_where_its_file_is_and_the_key_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "lacking", lambda names: "")
    present = Faces().resolved("cpu")
    assert (present.classifier, present.people) == ("efficientnet", "detector")
    assert present.hands == "mediapipe"
    assert present.weights() == (*FILES, imagenet.WEIGHTS, "yolox_nano", *face_hand.FILES)
    monkeypatch.setattr(weights, "lacking", lambda names: "not here")
    absent = Faces().resolved("cpu")
    assert (absent.classifier, absent.people, absent.hands, absent.weights()) == ("none", "none", "none", FILES)
    assert present.key != absent.key
    with pytest.raises(InputError, match="expected a classifier out of auto, efficientnet, none, got 'best'"):
        Faces(backend="landmarks", classifier="best").load("cpu")
    with pytest.raises(InputError, match="expected people out of auto, detector, none, got 'everybody'"):
        Faces(backend="landmarks", people="everybody").load("cpu")
    with pytest.raises(InputError, match="expected hands out of auto, mediapipe, none, got 'all'"):
        Faces(backend="landmarks", hands="all").load("cpu")


@pytest.fixture(scope="module")
def scorers(weights: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Scorer]:
    """The check with and without MediaPipe's files for hands."""
    folder = linked(weights, tmp_path_factory.mktemp("hands"), (*FILES, *face_hand.FILES))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOUPE_WEIGHTS_DIRS", folder)
        return {
            hands: Faces(backend="landmarks", classifier="none", people="none", hands=hands).load("cpu")
            for hands in ("mediapipe", "none")
        }


@pytest.mark.parametrize("name", FACES)
@pytest.mark.parametrize(("right", "down"), [(0.0, 0.0), (0.45, -0.3), (-0.4, 0.2)])
def test_a_face_that_a_hand_lies_over_is_unknown(
    scorers: dict[str, Scorer], name: str, right: float, down: float
) -> None:
    (x, y), eyes = FACES[name]
    place = (round(x + right * eyes), round(y + down * eyes))
    covered = over_face(picture("hand", 200), picture(name), place, 2 * eyes)
    scores = scorers["mediapipe"](batch_of(covered))
    assert values(scores)["faces_seen"] == 1
    assert math.isnan(values(scores)["face_malformed"])
    assert scores.reasons == ("a hand lies over the face",)
    # without, its points are believed
    assert not math.isnan(values(scorers["none"](batch_of(covered)))["face_malformed"])


@pytest.mark.parametrize("name", FACES)
@pytest.mark.parametrize("changed", [gray, sepia], ids=["gray", "sepia"])
def test_a_bare_face_is_judged_beside_a_hand_and_without_color(
    scorers: dict[str, Scorer], name: str, changed: Callable[[np.ndarray], np.ndarray]
) -> None:
    """Both people of the carried pictures show a hand beside their face."""
    plain, other = (values(scorers["mediapipe"](batch_of(each))) for each in (picture(name), changed(picture(name))))
    assert plain["face_malformed"] < 0.58
    assert other["face_malformed"] < 0.58
    assert (plain["faces_seen"], plain["faces_judged"]) == (1, 1)


@pytest.mark.parametrize(
    ("objects", "reason"),
    [
        ([Box("dog", (0, 0, 1, 1), 0.9)], "the face looks like an animal's"),
        ([], "no person is seen around the face: it may be an animal's, a doll's or a creature's"),
        ([Box("person", (0, 0, 1, 1), 0.9)], None),
    ],
)
def test_a_face_has_to_be_a_persons_where_a_detector_is_here(
    here: str,
    somebody: tuple[np.ndarray, np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
    objects: list[Box],
    reason: str | None,
) -> None:
    monkeypatch.setenv("LOUPE_WEIGHTS_DIRS", here)
    monkeypatch.setattr(small, "finder", lambda people: lambda picture, nouns: tuple(objects))
    scores = Faces(backend="landmarks", classifier="none").load("cpu")(batch_of(somebody[0]))
    assert values(scores)["faces_seen"] >= 1
    if reason is None:
        assert values(scores)["faces_judged"] >= 1
    else:
        assert math.isnan(values(scores)["face_malformed"])
        assert scores.reasons == (reason,)


def test_a_detector_is_not_asked_where_no_face_can_be_judged(
    here: str, somebody: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOUPE_WEIGHTS_DIRS", here)
    asked: list[tuple[int, ...]] = []
    monkeypatch.setattr(small, "finder", lambda people: lambda picture, nouns: asked.append(picture.shape) or ())
    scorer = Faces(backend="landmarks", classifier="none", min_eye_distance=400).load("cpu")
    assert "too small" in str(scorer(batch_of(somebody[0])).reasons[0])
    assert asked == []
