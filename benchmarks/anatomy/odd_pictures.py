"""What the checks of people say of pictures that they must not stumble over, and how long they take for each.

Everything is made of pictures that are carried: a sound hand, a man and a woman. So each accusation is a false alarm,
but for the hands that are drawn with four and with six fingers: those are to be unknown, or judged as asked by their
prompts, which ``prompts/as_asked_table.py`` knows.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np

from benchmarks.anatomy.hand_defects import gloved
from benchmarks.anatomy.people import judged
from benchmarks.batches import batch_of
from benchmarks.figures import header, row, share, title
from loupe.brain.checks.faces import Faces
from loupe.brain.core import registry
from loupe.brain.measures.anatomy.hand_views import HandViews
from loupe.testing import Case

_SKIN, _LINE, _GROUND = (255, 214, 170), (30, 30, 30), (120, 190, 235)
#: of a drawn hand: how far from straight up each finger points, in degrees, and how long it is, in sides
_FINGERS = ((-62, 0.27), (-22, 0.34), (-5, 0.37), (12, 0.35), (30, 0.29), (48, 0.25))
#: where a hand lies beside the mouth, in eye distances
_PLACES = ((0.0, 0.0), (0.0, 0.3), (0.0, -0.3), (0.45, -0.3), (-0.4, 0.2), (0.2, 0.2))
#: where the mouths are in the pictures of the woman and the man, and how far apart their eyes' outer corners, in pixels
FACES = {"woman": ((72, 178), 64), "man": ((315, 195), 70)}


def carried(name: str, side: int | None = None) -> np.ndarray:
    """Returns a carried picture, (H, W, 3) uint8; with a side (side, side, 3)."""
    pixels = Case(name, name).pixels.copy()
    return pixels if side is None else np.asarray(cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA))


def gray(pixels: np.ndarray) -> np.ndarray:
    return np.repeat(pixels.mean(2, keepdims=True).astype(np.uint8), 3, 2)


def sepia(pixels: np.ndarray) -> np.ndarray:
    return np.asarray((pixels.mean(2, keepdims=True) * np.array([1.0, 0.85, 0.65])).astype(np.uint8))


def tattooed(hand: np.ndarray) -> np.ndarray:
    """Dark rings over the palm and the fingers."""
    rng = np.random.default_rng(3)
    made, side = hand.copy(), len(hand)
    for _ in range(14):
        place = tuple(int(value) for value in rng.integers(side // 4, 3 * side // 4, 2))
        cv2.circle(made, place, int(rng.integers(side // 30, side // 12)), (45, 55, 80), 1, cv2.LINE_AA)
    return made


def small(hand: np.ndarray) -> np.ndarray:
    """The hand about 40 pixels large, in a picture ten times as large."""
    made = np.full((400, 400, 3), hand[0, 0], np.uint8)
    made[170:226, 170:226] = cv2.resize(hand, (56, 56), interpolation=cv2.INTER_AREA)
    return made


def crowd(pixels: np.ndarray) -> np.ndarray:
    """Two hundred of it."""
    tile = cv2.resize(pixels, (64, 64), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(np.tile(tile, (10, 20, 1)))


def drawn(fingers: int, *, side: int = 256, bones: bool = False) -> np.ndarray:
    """Returns a cartoon's hand with a thumb and some fingers more, or an X-ray picture of one, (side, side, 3) uint8.

    Args:
        fingers: how many, at most 6
        side: in pixels
        bones: draws it as an X-ray picture
    """
    middle, radius = np.array([0.5, 0.64]) * side, 0.17 * side
    shape, inner = np.zeros((side, side), np.uint8), np.zeros((side, side), np.uint8)
    cv2.circle(shape, (round(middle[0]), round(middle[1])), round(radius), 1, -1)
    cv2.rectangle(shape, (round(0.41 * side), round(middle[1])), (round(0.59 * side), side), 1, -1)
    for degrees, length in _FINGERS[:fingers]:
        way = np.array([np.sin(np.radians(degrees)), -np.cos(np.radians(degrees))])
        places = [
            tuple(np.round(middle + share * length * side * way).astype(int).tolist()) for share in (0.3, 0.65, 1.0)
        ]
        cv2.line(shape, places[0], places[-1], 1, round(0.075 * side))
        for start, end in pairwise(places):
            cv2.line(inner, start, end, 1, round(0.025 * side))
    if bones:
        light = 15 + 60 * shape + 120 * cv2.GaussianBlur(inner.astype(np.float32), (0, 0), 1)
        return np.repeat(light.clip(0, 255).astype(np.uint8)[..., None], 3, 2)
    edge = cv2.dilate(shape, np.ones((5, 5), np.uint8)) - shape
    made = np.full((side, side, 3), _GROUND, np.uint8)
    made[shape > 0], made[edge > 0] = _SKIN, _LINE
    return made


def over_face(hand: np.ndarray, person: np.ndarray, mouth: tuple[int, int], side: int) -> np.ndarray:
    """Returns the person with the hand over the face, as a palm that is held before it.

    Args:
        hand: before a gray ground
        person: (H, W, 3) uint8
        mouth: the place that the hand's middle lies on, x and y in pixels
        side: of the hand's picture there, in pixels
    """
    part = cv2.resize(hand, (side, side), interpolation=cv2.INTER_AREA)
    chroma = part.max(2) - part.min(2)
    skin = cv2.threshold(chroma, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[1]
    outlines, _ = cv2.findContours(skin, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    shape = cv2.drawContours(np.zeros_like(skin), [max(outlines, key=cv2.contourArea)], -1, 1, -1) > 0
    edge = side
    made = cv2.copyMakeBorder(person, edge, edge, edge, edge, cv2.BORDER_CONSTANT)
    left, top = mouth[0] - side // 2 + edge, mouth[1] - side // 2 + edge
    made[top : top + side, left : left + side][shape] = part[shape]
    return np.ascontiguousarray(made[edge:-edge, edge:-edge])


#: by name: what makes the picture out of that of a sound hand
OF_HAND: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "gray": gray,
    "sepia": sepia,
    "negative": lambda hand: 255 - gray(hand),
    "tattoos": tattooed,
    "40 pixels": small,
    "squeezed flat": lambda hand: np.asarray(cv2.resize(hand, (400, 40))),
    "extremely wide": lambda hand: np.ascontiguousarray(np.pad(hand, ((0, 0), (0, 1900), (0, 0)))[:, :1280]),
    "extremely tall": lambda hand: np.pad(hand, ((0, 1180), (0, 0), (0, 0))),
    "crowd of 200": crowd,
    "out of focus": lambda hand: np.asarray(cv2.GaussianBlur(hand, (0, 0), len(hand) / 16)),
}


def pictures() -> dict[str, np.ndarray]:
    """Returns all of them by name, (H, W, 3) uint8."""
    hand, woman, man = carried("hand", 200), carried("woman"), carried("man")
    views = HandViews(levels=1, max_hands=2)
    points = views.find(hand)[0][0].points
    return {
        **{f"a hand, {name}": make(hand) for name, make in OF_HAND.items()},
        **{
            f"a hand in a {color} glove": gloved(hand, points, color, np.random.default_rng(0))
            for color in ("blue", "white")
        },
        "a cartoon's hand with four fingers": drawn(4),
        "a drawn hand with six fingers": drawn(6),
        "an X-ray picture of a hand, drawn": drawn(5, bones=True),
        "a hand over a woman's face": over_face(hand, woman, FACES["woman"][0], 2 * FACES["woman"][1]),
        "a hand over a man's face": over_face(hand, man, FACES["man"][0], 2 * FACES["man"][1]),
        "a face, gray": gray(man),
        "a face, sepia": sepia(man),
        "200 faces": crowd(np.ascontiguousarray(man[40:270, 210:420])),
        "200 people": crowd(woman),
        "two people, larger": cv2.resize(np.hstack([cv2.resize(man, (448, 448)), woman]), None, fx=1.43, fy=1.43),
    }


def run() -> None:
    """Prints what each check says of each picture, and the CPU seconds of the slowest."""
    checks = ("hands", "faces", "body", "skin")
    header("picture", *checks, "CPU seconds, each check")
    for name, picture in pictures().items():
        cells, seconds = [], []
        for check in checks:
            judged(check, carried("hand", 64))  # the models are loaded
            start = time.process_time()
            scores = judged(check, picture)
            seconds.append(time.process_time() - start)
            cells.append(_verdict(check, scores))
        row(name, *cells, ", ".join(f"{value:.2f}" for value in seconds))

    _print_over_faces()


def _print_over_faces() -> None:
    """Prints of a hand pasted at several places and sizes over two faces how many are judged, and accused."""
    title("A hand over a face, at six places and in three sizes, over two faces")
    header("what looks for hands", "pictures", "with a face seen", "judged", "accused")
    hand = carried("hand", 200)
    made = [
        over_face(hand, carried(name), (round(x + right * eyes), round(y + down * eyes)), round(size * eyes))
        for name, ((x, y), eyes) in FACES.items()
        for right, down in _PLACES
        for size in (1.5, 2.0, 2.5)
    ]
    for hands in ("none", "mediapipe"):
        score = Faces(backend="landmarks", hands=hands).load("cpu")
        scores = [score(batch_of(picture)) for picture in made]
        seen = sum(float(each["faces_seen"][0]) > 0 for each in scores)
        known = [value for value in (float(each["face_malformed"][0]) for each in scores) if not np.isnan(value)]
        threshold = Faces.outputs[0].default_threshold
        assert threshold is not None
        row(
            hands,
            len(made),
            seen,
            share(len(known), seen),
            share(int(threshold.violates(np.array(known)).sum()), len(known)),
        )


def _verdict(check: str, scores: dict[str, float]) -> str:
    outputs = [output for output in registry.checks()[check].outputs if output.default_threshold is not None]
    known = {output.name: scores[output.name] for output in outputs if not np.isnan(scores[output.name])}
    failing = [
        output.name
        for output in outputs
        if output.name in known
        and output.default_threshold
        and output.default_threshold.violates(np.array([known[output.name]]))[0]
    ]
    if failing:
        return "**" + ", ".join(f"{name} {known[name]:.2f}" for name in failing) + "**"
    return "sound" if known else "unknown"
