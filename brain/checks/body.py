"""Whether limbs are malformed, and whether the parts of a body fit each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

from loupe.brain.core.records import Box, Output, Points, SampleResult, Scores, Threshold
from loupe.brain.core.specs import Check, param
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.imaging.boxes import area, from_bounds, intersection
from loupe.brain.measures.anatomy import vlm_questions
from loupe.brain.measures.anatomy.people import owner, people_in
from loupe.brain.perception.detectors import small

if TYPE_CHECKING:
    import numpy as np

    from loupe.brain.perception.landmarks.pose import Pose, Poses
    from loupe.brain.perception.vlm.base import Vlm

_LONG_SIDE = 1280
_MANY = 64
#: in a crowd it is not said whose limb is whose
_CROWD = 8
_MIN_PRESENCE = 0.8
_MIN_TRUNK = 40.0
#: the share of a person's box that another one's may cover
_MAX_SHARED = 0.35
_BASIS = "flags none of 28 real people in photos, those that it was set on: at 95 % at most 12 %"


@dataclass(frozen=True)
class Body(Check):
    """Bodies: malformed limbs and wrong proportions.

    Finds people with YOLOX (NanoDet where that is not here) and their points with MediaPipe's, and measures arms,
    legs and proportions (``anatomy/body_shape.py``): left against right, lengths in the picture against what the rest
    of the body allows, knees that bend forward, joints that move when the picture is mirrored, turned, moved and
    scaled. It is a proxy, and a weak one: the model draws a likely body over anything and always two arms and two
    legs, so that an additional or a missing limb leaves no trace. Of longer limbs that were put into photos
    ``limb_malformed`` found none, and it does not follow experts' severities (``python -m benchmarks.anatomy
    people-generated``): read it as a ranking at most, or use backend "vlm".

    Not judged are crowds, people who overlap, bodies of which the frame cuts shoulders or hips off, and poses that the
    model is not sure of. Points that are cut off or hidden are left out.

    Backend "vlm" asks a vision-language model about each person instead; its P(yes) has been calibrated on nothing.
    """

    name: ClassVar[str] = "body"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "Bazarevsky et al., arXiv 2006.10204; Drillis & Contini, Body Segment Parameters (1966)"
    license: ClassVar[str] = "Apache-2.0"
    whole_picture: ClassVar[str] = "it looks for whole people, which a crop cuts off"
    long_side: ClassVar[int | None] = _LONG_SIDE
    points_field: ClassVar[str | None] = "bodies"
    default: ClassVar[bool] = False
    presets: ClassVar[tuple[str, ...]] = ("generated",)
    cost: ClassVar[float] = 80.0
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            name="limb_malformed",
            unit="score",
            higher_is_better=False,
            bounds=(0.0, 1.0),
            description="A proxy: how odd the worst person's arms and legs are, 0.5 where few real people's are odder.",
            default_threshold=Threshold(">", 0.6, provenance=_BASIS),
            failure="limb_malformed",
        ),
        Output(
            name="wrong_proportions",
            unit="score",
            higher_is_better=False,
            bounds=(0.0, 1.0),
            description="A proxy: how far the worst person's proportions are off, 0.5 where few are farther.",
            default_threshold=Threshold(">", 0.55, provenance=_BASIS),
            failure="wrong_proportions",
        ),
        Output("bodies_seen", "people", None, (0.0, 1000.0), "How many people were found; only information."),
        Output("bodies_judged", "people", None, (0.0, _MANY), "How many could be judged; only information."),
    )

    backend: str = param("auto", vlm_questions.BACKEND_SENTENCE, choices=vlm_questions.BACKENDS)
    vlm: str = param(vlm_questions.VLM, vlm_questions.VLM_SENTENCE)
    examples: str = param("", vlm_questions.EXAMPLES_SENTENCE)

    def weights(self) -> tuple[str, ...]:
        """Returns the names of MediaPipe's models and of the detector."""
        return ("pose_detection", "pose_landmark_full", *small.names())

    def resolved(self, device: str) -> Self:
        """Returns the check with backend "auto" replaced: "vlm" on a CUDA device that has the VLM, else "landmarks"."""
        return replace(self, backend=vlm_questions.resolved(self.backend, device, self.vlm))

    def reentrant(self) -> bool:
        """Returns True, but for backend "vlm", whose model may keep state."""
        return self.resolved("cpu").backend != "vlm"

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:
        """Returns the function that scores a batch.

        Raises:
            MissingWeights: a file of MediaPipe's models or of the detector is not here
            MissingDependency: ai-edge-litert or onnxruntime is not installed
            ModelError: the VLM of backend "vlm" cannot be loaded
            InputError: there is no such backend
        """
        from loupe.brain.perception.landmarks.pose import Poses

        (finder, landmarks, *detector), vlm = vlm_questions.start(
            self.backend, self.vlm, self.weights(), device, self.examples
        )
        find_objects = small.load(detector).find
        poses = Poses(finder, landmarks, max_figures=_MANY)

        def score(batch: ImageBatch) -> Scores:
            pictures = batch.at(_LONG_SIDE).pixels.permute(0, 2, 3, 1).cpu().numpy()
            results = []
            for picture in pictures:
                results.append(_score(poses, vlm, picture, people_in(find_objects, picture)))
            return self.scores(results, batch.pixels.device)

        return score


@dataclass
class _BodyResult:
    """A person and what is said of him or her; NaN as unknown."""

    pose: Pose
    reason: str | None = None
    limbs: float = math.nan
    limbs_say: str = ""
    proportions: float = math.nan
    proportions_say: str = ""


def _score(poses: Poses, vlm: Vlm | None, picture: np.ndarray, people: Sequence[Box]) -> SampleResult:
    results: list[_BodyResult] = []
    if people:
        owned = [(pose, owner(pose, people)) for pose in poses(picture)]
        results = [_BodyResult(pose, _unknown(pose, box, people)) for pose, box in owned if box is not None]
    if vlm is None:
        for result in results:
            if result.reason is None:
                _measure(result, poses, picture)
    else:
        _ask(results, vlm, picture)
    limbs = [result.limbs for result in results if not math.isnan(result.limbs)]
    proportions = [result.proportions for result in results if not math.isnan(result.proportions)]
    values = {
        "limb_malformed": max(limbs, default=math.nan),
        "wrong_proportions": max(proportions, default=math.nan),
        "bodies_seen": float(len(people)),
        "bodies_judged": float(
            sum(not math.isnan(result.limbs) or not math.isnan(result.proportions) for result in results)
        ),
    }
    reason = None
    if not limbs or not proportions:
        first = next((result.reason for result in results if result.reason), None)
        reason = first or ("too little of the body can be seen" if results else "no body seen")
    return SampleResult(values, reason, points=tuple(_points(result) for result in results))


def _unknown(pose: Pose, person: Box | None, people: Sequence[Box]) -> str | None:
    """Why a body cannot be judged by its points, or None."""
    from loupe.brain.measures.anatomy import body_shape

    if len(people) > _CROWD:
        return f"a crowd: {len(people)} people"
    if person is not None:
        own = from_bounds(person.bounds)
        others = [from_bounds(box.bounds) for box in people if box is not person]
        if any(intersection(own, other) > _MAX_SHARED * area(own) for other in others):
            return "people overlap"
    if not body_shape.seen(pose, *body_shape.TORSO):
        return "shoulders or hips are hidden or cut by the frame"
    if body_shape.trunk(pose.points) < _MIN_TRUNK:
        return f"the body is too small, or seen from above: a trunk of {body_shape.trunk(pose.points):.0f} pixels"
    if pose.presence < _MIN_PRESENCE:
        return "the pose is not sure"
    return None


def _measure(result: _BodyResult, poses: Poses, picture: np.ndarray) -> None:
    from loupe.brain.measures.anatomy import body_shape, views
    from loupe.brain.measures.anatomy.anomaly import most_anomalous

    further = []
    for view, other in views.figures(poses.at, picture, result.pose.roi):
        if other is not None:
            points = views.back(other.points, view, picture.shape[1])
            further.append(points[body_shape.SWAP] if view.mirror else points)
    result.limbs, name = most_anomalous(body_shape.limbs(result.pose, further), body_shape.LIMB_LIMITS)
    result.limbs_say = body_shape.LIMB_LIMITS[name].says if name else ""
    result.proportions, name = most_anomalous(body_shape.proportions(result.pose), body_shape.PROPORTION_LIMITS)
    result.proportions_say = body_shape.PROPORTION_LIMITS[name].says if name else ""


def _ask(results: list[_BodyResult], vlm: Vlm, picture: np.ndarray) -> None:
    # the pose's region reaches farther than the body; what lies outside the picture is black
    crops = [vlm_questions.cut(picture, replace(result.pose.roi, angle=0.0)) for result in results]
    limbs = vlm_questions.worst(vlm, crops, "limb_malformed")
    proportions = vlm_questions.worst(vlm, crops, "wrong_proportions")
    for result, about_limbs, about_proportions in zip(results, limbs, proportions, strict=True):
        result.limbs, result.limbs_say = about_limbs.score, about_limbs.name
        result.proportions, result.proportions_say = about_proportions.score, about_proportions.name
        result.reason = about_limbs.reason or about_proportions.reason or None


def _points(result: _BodyResult) -> Points:
    facts: dict[str, str | float] = {}
    says = []
    for output, score, reason in (
        (Body.outputs[0], result.limbs, result.limbs_say),
        (Body.outputs[1], result.proportions, result.proportions_say),
    ):
        if not math.isnan(score):
            facts[output.name] = round(score, 4)
            if output.default_threshold is not None and score > output.default_threshold.value:
                says.append(reason)
    known = [score for score in (result.limbs, result.proportions) if not math.isnan(score)]
    facts["verdict"] = "unknown" if not known else "malformed" if says else "usual"
    if known:
        facts["score"] = round(max(known), 4)
    reason = "; ".join(says) if known else (result.reason or "")
    if reason:
        facts["reason"] = reason
    return replace(result.pose.to_points("body", **facts), confidence=min(result.pose.presence, 1.0))
