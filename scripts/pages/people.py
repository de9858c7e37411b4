"""The pages on people: anatomy, and what is uncanny about faces."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from loupe.brain.perception import weights
from pages.cases import Case, Group, Pixels

# the flaws of people need to know where fingers, eyes and limbs are; they stand with the benchmarks
sys.path.append(str(Path(__file__).resolve().parents[2]))


@cache
def _finder(what: str) -> Callable[[Pixels], list[Any]]:
    """Returns the function that finds hands, faces or bodies."""
    from loupe.brain.perception.landmarks import face, hand, pose

    kind, files = {
        "hand": (hand.Hands, ("palm_detection_full", "hand_landmark_full")),
        "face": (face.Faces, ("face_detection_full_range_sparse", "face_landmark", "iris_landmark")),
        "body": (pose.Poses, ("pose_detection", "pose_landmark_full")),
    }[what]
    return kind(*map(weights.path, files), levels=1 if what == "body" else 2)


def _hand(flaw: str, seed: int) -> Callable[[Pixels], Pixels]:
    """Returns a change: a flaw of benchmarks/anatomy/hand_defects.py."""

    def change(pixels: Pixels) -> Pixels:
        from benchmarks.anatomy import hand_defects

        (hand, *_) = _finder("hand")(pixels)
        return getattr(hand_defects, flaw)(pixels, hand.points, np.random.default_rng(seed))

    return change


def _person(what: str, flaw: str, severity: float) -> Callable[[Pixels], Pixels]:
    """Returns a change: a flaw of benchmarks/anatomy/people_defects.py."""

    def change(pixels: Pixels) -> Pixels:
        from benchmarks.anatomy import people_defects

        (figure, *_) = _finder(what)(pixels)
        return getattr(people_defects, flaw)(pixels, figure, severity)

    return change


_FIVE, _FOUR = "digits/5/IMG_1163", "digits/4/IMG_1142"
_WOMAN, _TWO, _FIGURE = "sd15/Grant-Wood/1", "sd15/Alex-Gross/1", "sd15/Erte/0"

_ANATOMY = Group(
    "Anatomy",
    """
    MediaPipe's landmarks are put into hands, faces and bodies, and always those of sound ones: so `hand_malformed`
    counts the fingers in the hand's outline, `face_malformed` looks at how eyes, irises and mouth lie, and
    `limb_malformed` and `wrong_proportions` at how limbs compare. This backend, `landmarks`, judges hands
    that stretch a finger out and that two detectors of three take for hands, faces near to the camera and seen from the
    front, and bodies of which shoulders and hips are seen, and abstains on all others: on most pictures of people, on
    faces whose nose and mouth have not the color of the forehead, on faces around which the detector of COCO's classes
    sees no person, on most faces that a hand lies over and, where EfficientNet-Lite0's file is here, on animals' faces
    and those behind masks, snorkels and helmets. It finds little else than what is shown here, and of bodies next to
    nothing;
    the backend `vlm` asks a vision-language model.
    """,
    (
        Case("Finds", "hand_malformed", _FIVE, "One finger taken away by us.", change=_hand("missing", 0)),
        Case("Finds", "hand_malformed", _FOUR, "One finger too many, put in by us.", change=_hand("sixth", 0)),
        Case("Finds", "hand_malformed", "hands/5", "One of the malformed hands of HandRefiner's authors."),
        Case("Finds", "face_malformed", _WOMAN, "One eye moved down by us.", change=_person("face", "eye_moved", 0.2)),
        Case("Finds", "face_malformed", "sd15/Katsuhiro-Otomo/0", "Drawn so: the glasses do not sit before the eyes."),
        Case("Misses", "hand_malformed", _FIVE, "A sixth finger, put in by us.", change=_hand("sixth", 0)),
        Case("Misses", "hand_malformed", _FIVE, "Two fingers grown together by us.", change=_hand("fused", 0)),
        Case(
            "Misses",
            "face_malformed",
            _TWO,
            "A mouth turned by 40 degrees by us.",
            change=_person("face", "mouth_slanted", 40),
        ),
        Case(
            "Misses", "limb_malformed", "sd15/Eric-Zener/0", "Drawn so: a leg ends at the knee, and a foot hangs alone."
        ),
        Case(
            "Misses",
            "wrong_proportions",
            _FIGURE,
            "A forearm twice as long, by us.",
            change=_person("body", "limb_longer", 2),
        ),
        Case(
            "Misses",
            "wrong_proportions",
            "sd15/Makoto-Shinkai/1",
            "A head 1.6 times as large, by us.",
            change=_person("body", "head_larger", 1.6),
        ),
        Case(
            "Abstains",
            "hand_malformed",
            "hands/3",
            "Another one of their malformed hands.",
        ),
        Case("Abstains", "hand_malformed", "hands/4", "And another one."),
        Case("Abstains", "hand_malformed", "gpt4o/065", "A sound hand that holds something."),
        Case("Abstains", "face_malformed", "hands/5", "The face goes on beyond the frame."),
        Case("Abstains", "face_malformed", "sd15/Wes-Anderson/3", "Five small faces."),
        Case("Abstains", "limb_malformed", "hands/4", "Only the upper part is there."),
        Case("Abstains", "face_malformed", "sd15/Naoto-Hattori/0", "A creature is meant to look like that."),
    ),
)

_UNCANNY = Group(
    "Uncanny",
    """
    `oversmooth_skin` is a proxy: how little fine texture cheeks and forehead have against the edges of the face;
    `symmetric_face` says how well the two halves of a face seen from the front mirror each other. A painter, a beauty
    filter and a small child have smooth skin, too: the check does not know what is meant. Faces that are small,
    turned away, blurred, dark or cut are unknown.
    """,
    (
        Case("Finds", "oversmooth_skin", "hands/2", "Skin without pores, as the model drew it."),
        Case(
            "Finds", "oversmooth_skin", "hands/4", "Smoothed four times by us.", change=_person("face", "smoothed", 4)
        ),
        Case(
            "Finds",
            "symmetric_face",
            _WOMAN,
            "One half replaced by the mirror image of the other, by us.",
            change=_person("face", "half_mirrored", 1),
        ),
        Case(
            "Misses",
            "symmetric_face",
            "hands/4",
            "Mirrored as well, but not seen from the front.",
            change=_person("face", "half_mirrored", 1),
        ),
        Case("Abstains", "oversmooth_skin", "hands/5", "Cheeks and forehead go on beyond the frame."),
        Case("Abstains", "oversmooth_skin", "sd15/Naoto-Hattori/0", "Too dark."),
        Case("Abstains", "symmetric_face", "sd15/Lucian-Freud/1", "Turned to the side."),
        Case("Abstains", "symmetric_face", "sd15/Wes-Anderson/3", "Five small faces."),
        Case("Flags wrongly", "oversmooth_skin", "sd15/Sachin-Teng/1", "Flat colors are the style."),
    ),
)

GROUPS = {"anatomy": _ANATOMY, "uncanny": _UNCANNY}
