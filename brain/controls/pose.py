"""The pose of the people in a picture, by MediaPipe's landmarks, drawn as OpenPose draws it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from loupe.brain.controls import skeleton
from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Points
from loupe.brain.perception.detectors import small

_MANY = 16
#: how many sizes of regions are searched, see ``landmarks.crop.tiles``
_LEVELS = 2
_MEDIAPIPE = (
    *("pose_detection", "pose_landmark_full", "palm_detection_full", "hand_landmark_full"),
    *("face_detection_short_range", "face_landmark"),
)


def weights_needed() -> tuple[str, ...]:
    """Returns the names of the model files that it reads: MediaPipe's, and those of the detector of people."""
    return (*_MEDIAPIPE, *small.names())


def make(device: str, model: str | None) -> Callable[[np.ndarray], np.ndarray]:
    """Returns the function that maps a picture, (H, W, 3) uint8 RGB, to its pose, of the same shape.

    The function raises an InputError where nobody is seen.

    Raises:
        InputError: a model is named: there is but one
        MissingWeights: the weights of MediaPipe or of the detector of people are not here
        MissingDependency: ai-edge-litert or onnxruntime is not installed
    """
    if model is not None:
        raise InputError(f"expected no model for a pose, which MediaPipe's landmarks give, got {model!r}: leave it out")
    find = finder()

    def pose(picture: np.ndarray) -> np.ndarray:
        return skeleton.draw(find(picture), (picture.shape[1], picture.shape[0]))

    return pose


def finder() -> Callable[[np.ndarray], list[Points]]:
    """Returns the function that finds bodies (33 points), hands (21) and faces (468) in a (H, W, 3) uint8 picture.

    A body counts where a detector of objects sees a person, too: the landmark model draws one over anything. Points of
    it that cannot be seen are NaN.

    Raises:
        MissingWeights: the weights of MediaPipe or of the detector are not here
        MissingDependency: ai-edge-litert or onnxruntime is not installed
    """
    from loupe.brain.measures.anatomy.body_shape import SEEN
    from loupe.brain.measures.anatomy.people import owner, people_in
    from loupe.brain.perception import weights
    from loupe.brain.perception.landmarks.face import Faces
    from loupe.brain.perception.landmarks.hand import Hands
    from loupe.brain.perception.landmarks.pose import Poses

    body, points, palm, hand, face, mesh, *detector = (weights.path(name) for name in weights_needed())
    find_objects = small.load(detector).find
    poses = Poses(body, points, max_figures=_MANY, levels=_LEVELS)
    hands = Hands(palm, hand, max_figures=_MANY, levels=_LEVELS)
    faces = Faces(face, mesh, max_figures=_MANY, levels=_LEVELS)

    def figures(picture: np.ndarray) -> list[Points]:
        people = people_in(find_objects, picture)
        bodies = [pose for pose in poses(picture) if owner(pose, people) is not None] if people else []
        made = []
        for pose in bodies:
            places = np.where((pose.visibility >= SEEN)[:, None], pose.relative, np.nan)
            made.append(Points("body", tuple((float(x), float(y)) for x, y in places), pose.presence))
        made += [each.to_points("hand") for each in hands(picture)]
        return made + [each.to_points("face") for each in faces(picture)]

    return figures
