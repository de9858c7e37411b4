"""What the points of a body say of its limbs and its proportions.

Lengths come from two places: the model's world coordinates, in meters, which do not depend on the view but which the
model draws toward a likely body; and the picture itself, where a bone may look shorter than it is but never longer
than the rest of the body allows. Proportions are those of R. Drillis & R. Contini, Body Segment Parameters, New York
University (1966), as given by D. Winter, Biomechanics and Motor Control of Human Movement; where the model puts a
joint elsewhere, the usual value is the model's own for real people.
"""

from __future__ import annotations

import math

import numpy as np

from loupe.brain.measures.anatomy.anomaly import Limit
from loupe.brain.perception.landmarks.pose import NAMES, Pose

AT = {name: number for number, name in enumerate(NAMES)}
#: the points as a mirror numbers them
SWAP = np.array([AT[name.replace("left", "@").replace("right", "left").replace("@", "right")] for name in NAMES])
_SIDES = ("left", "right")
#: from joint to joint, and its length as a share of the body's height after Drillis & Contini
BONES = {
    "upper arm": ("shoulder", "elbow", 0.186),
    "forearm": ("elbow", "wrist", 0.146),
    "thigh": ("hip", "knee", 0.245),
    "lower leg": ("knee", "ankle", 0.246),
}
_TORSO, _SHOULDERS = 0.288, 0.259
#: ears apart, and eyes to mouth
_HEAD = (0.089, 0.037)
#: a point that is seen by less than that, in [0, 1], is not measured
SEEN = 0.6
TORSO = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")

LIMB_LIMITS = {
    "uneven": Limit(0.55, 0.0, "an arm or a leg is much longer than its fellow"),
    "too_long": Limit(1.35, 0.0, "a part of an arm or a leg is too long for the rest of the body"),
    "bent_back": Limit(35.0, 0.0, "a knee is bent forward"),
    "restless_arms": Limit(0.6, 0.0, "the arms cannot be made out"),
    "restless_legs": Limit(0.6, 0.0, "the legs cannot be made out"),
}
PROPORTION_LIMITS = {
    "head": Limit(1.8, 0.0, "the head is too large for the body"),
    "arms": Limit(0.4, 0.0, "the arms are too long or too short for the trunk"),
    "legs": Limit(0.4, 0.0, "the legs are too long or too short for the trunk"),
    "shoulders": Limit(0.4, 0.0, "the shoulders are too wide or too narrow for the trunk"),
}
#: length over the trunk's in world coordinates, as the model has it for real people
_USUAL = {"arms": 0.98, "legs": 1.5, "shoulders": 0.72}


def seen(pose: Pose, *names: str) -> bool:
    """Returns whether all these points are in the picture and nothing hides them."""
    places = [AT[name] for name in names]
    inside = (pose.points[places] >= 0) & (pose.points[places] < np.array(pose.size, np.float32))
    return bool(inside.all() and (pose.visibility[places] >= SEEN).all())


def trunk(points: np.ndarray) -> float:
    """Returns the way from the middle of the shoulders to that of the hips, by (33, D) points, at least 1e-6."""
    places = points[[AT[name] for name in TORSO]].astype(np.float64)
    return max(float(np.linalg.norm(places[:2].mean(0) - places[2:].mean(0))), 1e-6)


def limbs(pose: Pose, views: list[np.ndarray]) -> dict[str, float]:
    """Returns what is odd about arms and legs, by name: higher is odder; without what cannot be seen.

    Args:
        pose: the body
        views: (33, 2) points each: the same body in further views of the picture, mapped back; may be empty

    Returns:
        uneven: the largest natural logarithm of the ratio of a left bone to the right one, in world coordinates
        too_long: the largest length of a bone in the picture against what the longest other one allows
        bent_back: how far a knee is bent forward, in degrees
        restless_arms, restless_legs: the farthest that a joint moves between views, in lengths of the trunk or of the
            shoulders, root mean square
    """
    measures: dict[str, float] = {}
    uneven = []
    for start, end, _ in BONES.values():
        if seen(pose, *(f"{side}_{part}" for side in _SIDES for part in (start, end))):
            left, right = (_length(pose.world, f"{side}_{start}", f"{side}_{end}") for side in _SIDES)
            uneven.append(abs(math.log(max(left, 1e-6) / max(right, 1e-6))))
    if uneven:
        measures["uneven"] = max(uneven)
    heights = _heights(pose)
    bones = {name: height for name, height in heights.items() if name not in ("trunk", "shoulders")}
    if bones and len(heights) > 2:
        longest = max(bones, key=lambda name: bones[name])
        others = [height for name, height in heights.items() if name != longest]
        measures["too_long"] = bones[longest] / max(others)
    bent = [knee for knee in (_knee(pose, side) for side in _SIDES) if knee is not None]
    if bent:
        measures["bent_back"] = max(bent)
    if views:
        moved = np.stack([pose.points, *views])
        far = np.sqrt(((moved - moved.mean(0)) ** 2).sum(-1).mean(0))
        size = max(trunk(pose.points), _length(pose.points, *TORSO[:2]))
        for name, parts in (("restless_arms", ("elbow", "wrist")), ("restless_legs", ("knee", "ankle"))):
            joints = [AT[f"{side}_{part}"] for side in _SIDES for part in parts if seen(pose, f"{side}_{part}")]
            if joints:
                measures[name] = float(far[joints].max()) / size
    return measures


def proportions(pose: Pose) -> dict[str, float]:
    """Returns how far the proportions of a body are from usual ones, by name; without what cannot be seen.

    Returns:
        head: its size in the picture over what the rest of the body allows; 1 as a rule, up to 1.7 for small children
        arms, legs, shoulders: the absolute natural logarithm of their length over the usual one, by the trunk
    """
    measures: dict[str, float] = {}
    heights = _heights(pose)
    ears = _length(pose.points, "left_ear", "right_ear")
    eyes = pose.points[[AT["left_eye"], AT["right_eye"]]].mean(0)
    mouth = pose.points[[AT["mouth_left"], AT["mouth_right"]]].mean(0)
    if heights and seen(pose, "nose", "left_eye", "right_eye", "mouth_left", "mouth_right"):
        head = max(ears / _HEAD[0], float(np.linalg.norm(eyes - mouth)) / _HEAD[1])
        measures["head"] = head / max(heights.values())
    size = trunk(pose.world)
    for name, bones in (("arms", ("upper arm", "forearm")), ("legs", ("thigh", "lower leg"))):
        joints = {part for bone in bones for part in BONES[bone][:2]}
        whole = [side for side in _SIDES if seen(pose, *(f"{side}_{joint}" for joint in joints))]
        if whole:
            lengths = [
                sum(_length(pose.world, f"{side}_{BONES[bone][0]}", f"{side}_{BONES[bone][1]}") for bone in bones)
                for side in whole
            ]
            measures[name] = abs(math.log(max(sum(lengths) / len(lengths) / size, 1e-6) / _USUAL[name]))
    width = _length(pose.world, *TORSO[:2]) / size
    measures["shoulders"] = abs(math.log(max(width, 1e-6) / _USUAL["shoulders"]))
    return measures


def _heights(pose: Pose) -> dict[str, float]:
    """The height of the body in pixels that each visible part alone would give it, were it not foreshortened."""
    by_part = {}
    if seen(pose, *TORSO):
        by_part["trunk"] = trunk(pose.points) / _TORSO
        by_part["shoulders"] = _length(pose.points, *TORSO[:2]) / _SHOULDERS
    for name, (start, end, share) in BONES.items():
        for side in _SIDES:
            if seen(pose, f"{side}_{start}", f"{side}_{end}"):
                by_part[f"{side} {name}"] = _length(pose.points, f"{side}_{start}", f"{side}_{end}") / share
    return by_part


def _knee(pose: Pose, side: str) -> float | None:
    """How far a knee is bent forward, in degrees; 0 where it is bent backward as knees are."""
    if not seen(pose, *TORSO, f"{side}_knee", f"{side}_ankle"):
        return None
    world = pose.world.astype(np.float64)
    across = world[AT["left_hip"]] - world[AT["right_hip"]]
    up = world[[AT["left_shoulder"], AT["right_shoulder"]]].mean(0) - world[[AT["left_hip"], AT["right_hip"]]].mean(0)
    # y points down and z away from the camera: this way round the front of who faces the camera points to it
    front = np.cross(across, up)
    thigh = world[AT[f"{side}_knee"]] - world[AT[f"{side}_hip"]]
    shank = world[AT[f"{side}_ankle"]] - world[AT[f"{side}_knee"]]
    thigh, shank = (vector / max(float(np.linalg.norm(vector)), 1e-9) for vector in (thigh, shank))
    # the front of the thigh: the body's, turned with the thigh when it is lifted
    axis = across / max(float(np.linalg.norm(across)), 1e-9)
    ahead = np.cross(axis, -thigh)
    if float(ahead @ front) < 0 and float(-thigh @ up) > 0:
        ahead = -ahead
    lean = float(shank @ ahead / max(float(np.linalg.norm(ahead)), 1e-9))
    return max(0.0, math.degrees(math.asin(min(max(lean, -1.0), 1.0))))


def _length(points: np.ndarray, start: str, end: str) -> float:
    return float(np.linalg.norm(points[AT[start]].astype(np.float64) - points[AT[end]]))
