"""Limbs: do several looks and two pose networks agree, are bones and angles as real ones, what is seen at the joints.

A row for each person; ``scores`` puts the rows of generated people beside those of real ones. No rating is seen here.
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.covariance import LedoitWolf

from benchmarks import data
from benchmarks.anatomy.hands import read
from benchmarks.anatomy.people import find_objects, find_poses
from loupe.brain.measures.anatomy import body_shape, views
from loupe.brain.measures.anatomy.anomaly import most_anomalous
from loupe.brain.measures.anatomy.body_shape import AT
from loupe.brain.perception.landmarks import crop
from loupe.brain.perception.landmarks.crop import Roi
from loupe.brain.perception.landmarks.pose import Pose
from training.anatomy import places
from training.anatomy.agreement import changed, logit
from training.anatomy.by_picture import Rows

#: people less high than that, in pixels of at most 1280, are left out, and those that the detector is less sure of
MIN_HIGH, _SURE = 80, 0.4
_CHANGES = ("darker", "lighter", "blurred", "grey")
#: what ``_looks`` gives, in its order; all are worse where higher
LOOKS = ("arms", "legs", "worst", "world", "networks_arms", "networks_legs", "second_unsure", "unseen", "absent")
_ARMS = tuple(AT[f"{side}_{part}"] for part in ("elbow", "wrist") for side in ("left", "right"))
_LEGS = tuple(AT[f"{side}_{part}"] for part in ("knee", "ankle") for side in ("left", "right"))
_ENDS = tuple(AT[f"{side}_{part}"] for part in ("shoulder", "hip") for side in ("left", "right"))
#: the same joints among the second network's 17 points, those of COCO
_SECOND = {
    AT[f"{side}_{part}"]: number + (side == "right")
    for part, number in {"shoulder": 5, "elbow": 7, "wrist": 9, "hip": 11, "knee": 13, "ankle": 15}.items()
    for side in ("left", "right")
}
#: bones and pairs of them that make an angle, by the names of their joints
BONES = tuple(
    (AT[f"{side}_{start}"], AT[f"{side}_{end}"])
    for start, end, _ in body_shape.BONES.values()
    for side in ("left", "right")
)
_ANGLES = tuple(
    tuple(AT[f"{side}_{part}"] for part in parts)
    for parts in (
        ("hip", "shoulder", "elbow"),
        ("shoulder", "elbow", "wrist"),
        ("shoulder", "hip", "knee"),
        ("hip", "knee", "ankle"),
    )
    for side in ("left", "right")
)
_JOINTS = (*_ENDS, *_ARMS, *_LEGS)
#: where the embedder's layers are read: at the joints and in the middles of the bones
PLACES = len(_JOINTS) + len(BONES)
_NETWORK = "9_weights/coral/movenet_single_pose_lightning_ptq.tflite"


@cache
def _second() -> tuple[Any, int]:
    from ai_edge_litert.interpreter import Interpreter

    made = Interpreter(str(data.required(_NETWORK)), num_threads=1)
    made.allocate_tensors()
    return made, int(made.get_input_details()[0]["shape"][1])


def rows_of(path: Path) -> list[Rows]:
    """Returns the rows of one picture's people: of each that a detector sees, where the pose network sees one too."""
    picture = read(path)
    height, width = picture.shape[:2]
    rows = []
    for box in find_objects()(picture):
        x, y, wide, high = (value * size for value, size in zip(box.bounds, (width, height) * 2, strict=True))
        if box.label != "person" or (box.confidence or 0.0) < _SURE or high < MIN_HIGH:
            continue
        pose = find_poses().at(picture, Roi(x + wide / 2, y + high / 2, 1.25 * max(wide, high)))
        if pose is not None:
            rows.append(_row(picture, pose))
    return rows


def _row(picture: np.ndarray, pose: Pose) -> Rows:
    further = []
    for view, other in views.figures(find_poses().at, picture, pose.roi):
        if other is not None:
            moved = views.back(other.points, view, picture.shape[1])
            further.append(moved[body_shape.SWAP] if view.mirror else moved)
    old, _ = most_anomalous(body_shape.limbs(pose, further), body_shape.LIMB_LIMITS)
    proportions, _ = most_anomalous(body_shape.proportions(pose), body_shape.PROPORTION_LIMITS)
    shown = crop.cut(picture, pose.roi, places.INPUT, border=True)
    where = crop.unproject(
        np.concatenate([pose.points[list(_JOINTS)], *(_middle(pose, bone) for bone in BONES)]), pose.roi
    )
    seen = np.array([*pose.visibility[list(_JOINTS)], *(min(pose.visibility[list(bone)]) for bone in BONES)])
    return {
        "old": np.array(old),
        "proportions": np.array(proportions),
        "size": np.array(-math.log(body_shape.trunk(pose.points))),
        "blur": np.array(-places.sharpness(shown)),
        "looks": _looks(picture, pose, further),
        "bones": _bones(pose),
        "angles": _angles(pose),
        "parts": places.at_places([shown], [where])[0],
        "seen": seen,
    }


def _middle(pose: Pose, bone: tuple[int, int]) -> np.ndarray:
    return np.asarray(pose.points[list(bone)].mean(0, keepdims=True))


def _looks(picture: np.ndarray, pose: Pose, further: list[np.ndarray]) -> np.ndarray:
    """How far the looks at a body disagree: (9,) float64 in the order of ``LOOKS``."""
    size = max(body_shape.trunk(pose.points), float(np.linalg.norm(np.subtract(*pose.points[list(_ENDS[:2])]))))
    side = max(8, round(1.2 * pose.roi.side))
    around = Roi(pose.roi.x, pose.roi.y, float(side))
    part = crop.cut(picture, around, side, border=True)
    back = np.array([around.x - side / 2, around.y - side / 2], np.float32)
    inner = Roi(side / 2, side / 2, pose.roi.side, pose.roi.angle)
    others = [find_poses().at(changed(part, how), inner) for how in _CHANGES]
    seen = [pose.points, *further, *(other.points + back for other in others if other is not None)]
    points = np.array(seen)
    off = np.linalg.norm(points - np.median(points, 0), axis=-1).mean(0) / size
    worlds = np.array([pose.world, *(other.world for other in others if other is not None)])
    space = np.linalg.norm(worlds - np.median(worlds, 0), axis=-1)[:, list(_JOINTS)].mean()
    second, sure = _of_second(picture, pose)
    apart = {at: float(np.linalg.norm(second[number] - pose.points[at])) / size for at, number in _SECOND.items()}
    presences = [pose.presence, *(0.0 if other is None else other.presence for other in others)]
    return np.array(
        [
            *(math.log(float(off[list(joints)].mean()) + 1e-3) for joints in (_ARMS, _LEGS)),
            math.log(float(off[list(_ARMS + _LEGS)].max()) + 1e-3),
            math.log(float(space) + 1e-3),
            *(math.log(float(np.mean([apart[at] for at in joints])) + 1e-2) for joints in (_ARMS, _LEGS)),
            -float(np.mean([logit(sure[number]) for number in _SECOND.values()])),
            -float(np.mean([logit(float(pose.visibility[at])) for at in _JOINTS])),
            -float(np.mean([logit(presence) for presence in presences])),
        ]
    )


def _of_second(picture: np.ndarray, pose: Pose) -> tuple[np.ndarray, np.ndarray]:
    """The second network's points, (17, 2) in pixels, and how sure it is of each."""
    interpreter, side = _second()
    given, taken = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    interpreter.set_tensor(given["index"], crop.cut(picture, pose.roi, side, border=False)[None])
    interpreter.invoke()
    rows = interpreter.get_tensor(taken["index"]).reshape(17, 3)
    return crop.project(rows[:, 1::-1].astype(np.float32), pose.roi), rows[:, 2]


def _bones(pose: Pose) -> np.ndarray:
    """The logarithms of the bones' lengths in space over the trunk's, (10,); NaN where an end cannot be seen."""
    ends = (*BONES, _ENDS[:2], _ENDS[2:])
    trunk = body_shape.trunk(pose.world)
    lengths = np.array([np.linalg.norm(pose.world[start] - pose.world[end]) for start, end in ends])
    hidden = np.array([pose.visibility[list(bone)].min() < body_shape.SEEN for bone in ends])
    return np.where(hidden, np.nan, np.log(np.maximum(lengths / trunk, 1e-3)))


def _angles(pose: Pose) -> np.ndarray:
    """The angles at shoulders, elbows, hips and knees in space, in radians, (8,); NaN where a joint cannot be seen."""
    made = []
    for first, middle, last in _ANGLES:
        near, far = (pose.world[at].astype(np.float64) - pose.world[middle] for at in (first, last))
        cosine = near @ far / max(float(np.linalg.norm(near) * np.linalg.norm(far)), 1e-9)
        hidden = pose.visibility[[first, middle, last]].min() < body_shape.SEEN
        made.append(math.nan if hidden else math.acos(float(np.clip(cosine, -1, 1))))
    return np.array(made)


class Partly:
    """How unusual numbers are of which some are not known: Mahalanobis distance of the known ones.

    Args:
        real: (N, D), NaN where unknown
    """

    def __init__(self, real: np.ndarray) -> None:
        self._middle = np.nanmean(real, 0)
        filled = np.where(np.isnan(real), self._middle, real)
        self._spread = LedoitWolf().fit(filled).covariance_

    def distance(self, numbers: np.ndarray) -> float:
        """Returns half the logarithm of the squared distance over how many are known; NaN where none is."""
        known = np.flatnonzero(~np.isnan(numbers))
        if not len(known):
            return math.nan
        off = (numbers - self._middle)[known]
        squared = float(off @ np.linalg.solve(self._spread[np.ix_(known, known)], off)) / len(known)
        return math.log(max(squared, 1e-9)) / 2


def _filled(values: np.ndarray) -> np.ndarray:
    """Who cannot be measured says nothing: the middle of the others."""
    return np.where(np.isnan(values), np.nanmedian(values), values)


def scores(rated: Rows, real: Rows) -> dict[str, np.ndarray]:
    """Returns the scores of the rated people by name, each worse where higher; single terms have a colon."""
    looks = (rated["looks"] - real["looks"].mean(0)) / (real["looks"].std(0) + 1e-9)
    built = {}
    for name in ("bones", "angles"):
        density = Partly(real[name])
        own = np.array([density.distance(numbers) for numbers in real[name]])
        far = np.array([density.distance(numbers) for numbers in rated[name]])
        built[name] = _filled((far - np.nanmean(own)) / np.nanstd(own))
    bank = places.Bank(real["parts"])
    far = np.log([bank.distances(person) for person in rated["parts"]])
    shown = np.clip(rated["seen"], 0.01, 1)
    return {
        "old rule": _filled(rated["old"]),
        "size": rated["size"],
        "blur": rated["blur"],
        "agreement": looks.mean(1),
        "structure": (built["bones"] + built["angles"]) / 2,
        "parts": (far * shown).sum(1) / shown.sum(1),
        "old rule: proportions": _filled(rated["proportions"]),
        **{f"agreement: {name}": looks[:, at] for at, name in enumerate(LOOKS)},
        **{f"structure: {name}": values for name, values in built.items()},
        "parts: worst": np.sort(np.where(rated["seen"] >= body_shape.SEEN, far, far.min()), 1)[:, -4:].mean(1),
    }
