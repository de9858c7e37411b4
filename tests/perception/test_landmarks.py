"""Hands, faces and bodies with MediaPipe's models: their points follow the picture however it is moved."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from committed import SOURCES, picture
from PIL import Image

from loupe.brain.core.errors import InputError, ModelError
from loupe.brain.perception.landmarks.crop import Roi
from loupe.brain.perception.landmarks.face import EYE_CORNERS, Faces
from loupe.brain.perception.landmarks.figure import Figure
from loupe.brain.perception.landmarks.hand import NAMES, Hand, Hands
from loupe.brain.perception.landmarks.pose import NAMES as BODY
from loupe.brain.perception.landmarks.pose import Poses

pytestmark = pytest.mark.slow
Find = Callable[[np.ndarray], list[Figure]]


@pytest.fixture(scope="module")
def hands(weights: Callable[[str], Path]) -> Hands:
    return Hands(weights("palm_detection_full"), weights("hand_landmark_full"))


@pytest.fixture(scope="module")
def faces(weights: Callable[[str], Path]) -> Faces:
    return Faces(weights("face_detection_short_range"), weights("face_landmark"), weights("iris_landmark"))


@pytest.fixture(scope="module")
def poses(weights: Callable[[str], Path]) -> Poses:
    return Poses(weights("pose_detection"), weights("pose_landmark_full"))


@pytest.fixture(scope="module", params=SOURCES)
def open_hand(request: pytest.FixtureRequest) -> np.ndarray:
    """(100, 100, 3): a right hand, all fingers out."""
    if request.param == "committed":
        return picture("hand", 100)
    folder: Path = request.getfixturevalue("shared_data")
    return read(sorted((folder / "4_hands" / "sign_digits_real" / "5").glob("*.JPG"))[0])


@pytest.fixture(scope="module", params=SOURCES)
def looking(request: pytest.FixtureRequest) -> np.ndarray:
    """Somebody who looks at us: a man, or a generated baby, (560, 560, 3)."""
    if request.param == "committed":
        return picture("man")
    folder = request.getfixturevalue("shared_data") / "4_hands" / "ai_human_anatomy" / "images" / "sdXL"
    return read(sorted((folder / "mother_or_father_holding_baby").glob("*.jpg"))[0])[120:680, 100:660]


@pytest.fixture(scope="module", params=SOURCES)
def person(request: pytest.FixtureRequest) -> np.ndarray:
    """Somebody whose body can be seen: a man down to his belt, or a generated person who runs toward us."""
    if request.param == "committed":
        return picture("man")
    folder = request.getfixturevalue("shared_data") / "4_hands" / "ai_human_anatomy" / "images" / "sdXL"
    return read(sorted((folder / "person_jogging").glob("*.jpg"))[0])


def read(file: Path) -> np.ndarray:
    return np.asarray(Image.open(file).convert("RGB"))


def moved(pixels: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The picture under a (2, 3) map of positions, on a canvas twice as large."""
    size = (pixels.shape[1] * 2, pixels.shape[0] * 2)
    half = np.array([0.5, 0.5])
    of_centers = np.column_stack([matrix[:, :2], matrix[:, 2] + matrix[:, :2] @ half - half])
    return cv2.warpAffine(pixels, of_centers, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def turn(pixels: np.ndarray, degrees: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, scale)
    matrix[:, 2] += np.array([width / 2, height / 2]) + shift
    return matrix


def error(got: Figure, wanted: np.ndarray) -> float:
    """The mean distance of the points in sides of their box."""
    return float(np.linalg.norm(got.points - wanted, axis=1).mean() / np.ptp(wanted, axis=0).max())


@pytest.mark.parametrize(
    ("degrees", "scale", "shift"),
    [
        (0, 1, (0, 0)),
        (0, 1, (20, -30)),
        (35, 1, (0, 0)),
        (-90, 1, (5, 5)),
        (180, 1, (0, 0)),
        (0, 1.6, (0, 0)),
        (70, 0.6, (9, 4)),
    ],
)
def test_a_hand_moves_with_its_picture(
    degrees: float, scale: float, shift: tuple[float, float], hands: Hands, open_hand: np.ndarray
) -> None:
    (before,) = hands(open_hand)
    matrix = turn(open_hand, degrees, scale, shift)
    (after,) = hands(moved(open_hand, matrix))
    wanted = before.points @ matrix[:, :2].T + matrix[:, 2]
    assert error(after, wanted) < 0.05
    assert after.side == before.side == "right"
    # bones in meters know nothing of the picture's scale
    palms = [np.linalg.norm(hand.world[9] - hand.world[0]) for hand in (before, after)]
    assert 0.06 < palms[0] < 0.12
    assert palms[1] == pytest.approx(palms[0], rel=0.12)


@pytest.mark.parametrize("name", ["hand", "hand_four", "hand_six", "man", "woman"])
def test_a_mirrored_right_hand_is_a_left_hand(name: str, hands: Hands) -> None:
    (right,), (left,) = hands(picture(name)), hands(picture(name)[:, ::-1])
    assert (right.side, left.side) == ("right", "left")


def test_a_mirror_makes_the_other_hand(hands: Hands, shared_data: Path) -> None:
    flipped = seen = 0
    for digit in "12345":
        for file in sorted((shared_data / "4_hands" / "sign_digits_real" / digit).glob("*.JPG"))[:40:10]:
            pixels = read(file)
            hands_here, mirrored = hands(pixels), hands(pixels[:, ::-1])
            if hands_here and mirrored:
                seen += 1
                flipped += hands_here[0].side == "right" and mirrored[0].side == "left"
    assert seen >= 16
    assert flipped >= 0.9 * seen


def test_what_a_hand_says(hands: Hands, open_hand: np.ndarray) -> None:
    (hand,) = hands(open_hand)
    assert isinstance(hand, Hand)
    assert len(NAMES) == 21
    for array, shape in ((hand.points, (21, 2)), (hand.z, (21,)), (hand.world, (21, 3))):
        assert array.shape == shape
        assert array.dtype == np.float32
        assert np.isfinite(array).all()
    assert 0.5 <= hand.presence <= 1
    assert 0.5 <= hand.score <= 1
    assert 0.5 <= hand.handedness <= 1
    assert hand.size == (100, 100)
    tips = [NAMES.index(f"{finger}_tip") for finger in ("index", "middle", "ring", "little")]
    assert (hand.points[tips, 1] < hand.points[0, 1]).all()  # the fingers point up


def test_most_sets_find_a_hand_and_count_its_fingers(hands: Hands, shared_data: Path) -> None:
    n_found = right = n = 0
    for digit in (1, 2, 3, 4, 5):
        for file in sorted((shared_data / "4_hands" / "sign_digits_real" / str(digit)).glob("*.JPG"))[::6]:
            got = hands(read(file))
            n += 1
            n_found += bool(got)
            right += bool(got) and out(got[0]) == digit
    assert n == 50
    assert n_found >= 48  # 594 of 600 over all digits
    assert right >= 42  # 281 of 300


@pytest.mark.parametrize(("name", "fingers"), [("hand", 5), ("hand_four", 4), ("man", 5)])
def test_the_fingers_of_a_hand_are_counted(name: str, fingers: int, hands: Hands) -> None:
    (hand,) = hands(picture(name))
    assert out(hand) == fingers


def out(hand: Hand) -> int:
    """How many fingers are stretched: their tips are farther from the wrist, the thumb's from the little finger."""
    wrist, little = np.linalg.norm(hand.points[:, None] - hand.points[None, [0, 17]], axis=2).T
    count = sum(wrist[4 + 4 * finger] > 1.1 * wrist[2 + 4 * finger] for finger in (1, 2, 3, 4))
    return int(count + (little[4] > 1.05 * little[3]))


def test_a_small_hand_in_a_large_picture(weights: Callable[[str], Path], hands: Hands, open_hand: np.ndarray) -> None:
    large = np.full((768, 1024, 3), open_hand[:5].mean((0, 1)), np.uint8)
    large[500:572, 700:772] = cv2.resize(open_hand, (72, 72), interpolation=cv2.INTER_AREA)
    closer = Hands(weights("palm_detection_full"), weights("hand_landmark_full"), levels=3)
    (hand,) = closer(large)
    (wanted,) = hands(open_hand)
    assert error(hand, wanted.points * 0.72 + [700, 500]) < 0.08
    assert hands(large) == []


def test_the_surest_are_kept(weights: Callable[[str], Path], open_hand: np.ndarray) -> None:
    row = np.concatenate([open_hand] * 4, 1)
    paths = weights("palm_detection_full"), weights("hand_landmark_full")
    assert len(Hands(*paths)(np.pad(row, ((50, 50), (0, 0), (0, 0)), mode="edge"))) == 4
    assert len(Hands(*paths, max_figures=2)(row)) <= 2
    assert Hands(*paths, max_figures=0)(row) == []


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (64, 64), (480, 640)])
def test_nothing_is_found_where_nothing_is(size: tuple[int, int], hands: Hands, faces: Faces, poses: Poses) -> None:
    for level in (0, 128, 255):
        blank = np.full((*size, 3), level, np.uint8)
        assert hands(blank) == faces(blank) == poses(blank) == []
    assert hands.at(blank, Roi(0, 0, 0.1)) is faces.at(blank, Roi(0, 0, 0.1)) is poses.at(blank, Roi(0, 0, 0.1))


def test_not_a_picture(hands: Hands) -> None:
    with pytest.raises(InputError, match="expected a picture"):
        hands(np.zeros((8, 8), np.uint8))


@pytest.mark.parametrize(("degrees", "scale"), [(0, 1), (25, 1), (0, 0.7)])
def test_a_face_moves_with_its_picture(degrees: float, scale: float, faces: Faces, looking: np.ndarray) -> None:
    before = faces(looking)[0]
    assert before.points.shape == (468, 2)
    matrix = turn(looking, degrees, scale, (0, 0))
    wanted = before.points @ matrix[:, :2].T + matrix[:, 2]
    assert min(error(after, wanted) for after in faces(moved(looking, matrix))) < 0.05


def test_irises_lie_in_their_eyes(faces: Faces, looking: np.ndarray) -> None:
    face = faces(looking)[0]
    assert face.irises is not None
    assert face.irises.shape == (2, 5, 2)
    for iris, corners in zip(face.irises, (EYE_CORNERS[:2], EYE_CORNERS[2:]), strict=True):
        left, right = face.points[list(corners)]
        along = (iris[0] - left) @ (right - left) / np.sum((right - left) ** 2)
        assert 0.1 < along < 0.9
        rim = np.linalg.norm(iris[1:] - iris[0], axis=1) / np.linalg.norm(right - left)
        assert (rim > 0.1).all()
        assert (rim < 0.4).all()


@pytest.mark.parametrize(("degrees", "scale"), [(0, 1), (20, 1), (0, 0.7)])
def test_a_body_moves_with_its_picture(degrees: float, scale: float, poses: Poses, person: np.ndarray) -> None:
    before = poses(person)[0]
    assert before.points.shape == (33, 2) == (len(BODY), 2)
    assert before.world.shape == (33, 3)
    assert before.visibility.shape == before.inside.shape == (33,)
    matrix = turn(person, degrees, scale, (0, 0))
    after = poses(moved(person, matrix))[0]
    seen = before.visibility > 0.8
    assert seen.sum() >= 15
    wanted = before.points @ matrix[:, :2].T + matrix[:, 2]
    assert np.linalg.norm(after.points - wanted, axis=1)[seen].mean() / np.ptp(wanted, axis=0).max() < 0.05


def test_threads_do_not_mix_up_their_pictures(hands: Hands, open_hand: np.ndarray) -> None:
    pictures = [open_hand, open_hand[:, ::-1]]
    alone = [hands(pixels)[0].points for pixels in pictures]
    wrong = []

    def work(index: int) -> None:
        wrong.extend(1 for _ in range(5) if not np.array_equal(hands(pictures[index])[0].points, alone[index]))

    threads = [threading.Thread(target=work, args=(index,)) for index in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_another_model_is_refused(weights: Callable[[str], Path]) -> None:
    palm, landmark = weights("palm_detection_full"), weights("hand_landmark_full")
    for build in (
        lambda: Hands(landmark, landmark),
        lambda: Hands(palm, palm),
        lambda: Faces(palm, landmark),
        lambda: Poses(palm, landmark),
        lambda: Faces(weights("face_detection_short_range"), weights("face_landmark"), palm),
    ):
        with pytest.raises(ModelError, match="is another model"):
            build()
    Faces(weights("face_detection_full_range_sparse"), weights("face_landmark"))
