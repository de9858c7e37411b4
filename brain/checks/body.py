"""Whether limbs are malformed, and whether the parts of a body fit each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

from loupe.brain.core.records import Box, Output, Points, SampleResult, Scores, Threshold
from loupe.brain.core.specs import Check, param
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.measures.anatomy import vlm_questions

if TYPE_CHECKING:
    import numpy as np

    from loupe.brain.perception.landmarks.pose import Pose, Poses
    from loupe.brain.perception.vlm.base import Judge

_LONG_SIDE = 1280
_MANY = 64
#: in a crowd it is not said whose limb is whose
_CROWD = 8
_MIN_PERSON = 0.4
_MIN_PRESENCE = 0.8
_MIN_TRUNK = 40.0
#: the share of a person's box that another one's may cover
_MAX_SHARED = 0.35
_BASIS = "flags none of 28 real people in photos, those that it was set on: at 95 % at most 12 %"


@dataclass(frozen=True)
class Body(Check):
    """Bodies: malformed limbs and wrong proportions.

    Finds people with YOLOX and their points with MediaPipe's, and measures arms, legs and proportions
    (``anatomy/body_shape.py``): left against right, lengths in the picture against what the rest of the body allows,
    knees that bend forward, joints that move when the picture is mirrored, turned, moved and scaled. It is a proxy, and
    a weak one: the model draws a likely body over anything and always two arms and two legs, so that an additional or a
    missing limb leaves no trace. Of longer limbs that were put into photos ``limb_malformed`` found none, and it does
    not follow experts' severities (``benchmarks/people.py``): read it as a ranking at most, or use grade "gpu".

    Not judged are crowds, people who overlap, bodies of which the frame cuts shoulders or hips off, and poses that the
    model is not sure of. Points that are cut off or hidden are left out.

    Grade "gpu" asks a vision-language model about each person instead; its P(yes) has been calibrated on nothing.
    """

    name: ClassVar[str] = "body"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "Bazarevsky et al., arXiv 2006.10204; Drillis & Contini, Body Segment Parameters (1966)"
    license: ClassVar[str] = "Apache-2.0"
    long_side: ClassVar[int | None] = _LONG_SIDE
    points_field: ClassVar[str | None] = "bodies"
    default: ClassVar[bool] = False
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
        Output("bodies_seen", "people", True, (0.0, 1000.0), "How many people were found; only information."),
        Output("bodies_judged", "people", True, (0.0, _MANY), "How many could be judged; only information."),
    )

    grade: str = param("auto", vlm_questions.GRADE_SENTENCE, choices=vlm_questions.GRADES)
    judge: str = param(vlm_questions.JUDGE, vlm_questions.JUDGE_SENTENCE)

    def weights(self) -> tuple[str, ...]:
        """Returns the names of MediaPipe's models and of the detector."""
        return ("pose_detection", "pose_landmark_full", "yolox_nano")

    def resolved(self, device: str) -> Self:
        """Returns the check with grade "auto" replaced: "gpu" on a CUDA device that has the judge, else "offline"."""
        return replace(self, grade=vlm_questions.resolved(self.grade, device, self.judge))

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:
        """Returns the function that scores a batch.

        Raises:
            MissingWeights: a file of MediaPipe's models or of YOLOX is not here
            MissingDependency: ai-edge-litert or onnxruntime is not installed
            ModelError: the judge of grade "gpu" cannot be loaded
            InputError: there is no such grade
        """
        from loupe.brain.perception.detectors import yolox
        from loupe.brain.perception.landmarks.pose import Poses

        (*files, detector), judge = vlm_questions.start(self.grade, self.judge, self.weights(), device)
        find_objects = yolox.load(detector).find
        poses = Poses(*files, maximum=_MANY)

        def score(batch: ImageBatch) -> Scores:
            pictures = batch.at(_LONG_SIDE).pixels.permute(0, 2, 3, 1).cpu().numpy()
            judged = []
            for picture in pictures:
                people = [
                    box
                    for box in find_objects(picture, ("person",))
                    if box.label == "person" and (box.confidence or 0.0) >= _MIN_PERSON
                ]
                judged.append(_judge(poses, judge, picture, people))
            return self.scores(judged, batch.pixels.device)

        return score


@dataclass
class _One:
    """A person and what is said of him or her; NaN as unknown."""

    pose: Pose
    reason: str | None = None
    limbs: float = math.nan
    limbs_say: str = ""
    proportions: float = math.nan
    proportions_say: str = ""


def _judge(poses: Poses, judge: Judge | None, picture: np.ndarray, people: Sequence[Box]) -> SampleResult:
    found: list[_One] = []
    if people:
        owned = [(pose, _owner(pose, people)) for pose in poses(picture)]
        found = [_One(pose, _unknown(pose, owner, people)) for pose, owner in owned if owner is not None]
    if judge is None:
        for one in found:
            if one.reason is None:
                _measure(one, poses, picture)
    else:
        _ask(found, judge, picture)
    limbs = [one.limbs for one in found if not math.isnan(one.limbs)]
    proportions = [one.proportions for one in found if not math.isnan(one.proportions)]
    values = {
        "limb_malformed": max(limbs, default=math.nan),
        "wrong_proportions": max(proportions, default=math.nan),
        "bodies_seen": float(len(people)),
        "bodies_judged": float(sum(not math.isnan(one.limbs) or not math.isnan(one.proportions) for one in found)),
    }
    reason = None
    if not limbs or not proportions:
        first = next((one.reason for one in found if one.reason), None)
        reason = first or ("too little of the body can be seen" if found else "no body seen")
    return SampleResult(values, reason, points=tuple(_points(one) for one in found))


def _owner(pose: Pose, people: Sequence[Box]) -> Box | None:
    """The person that the points which can be seen lie on, or None: the pose model sees people in trees and dogs."""
    from loupe.brain.measures.anatomy.body_shape import SEEN

    size = pose.size
    shown = pose.relative[pose.visibility >= SEEN].clip(0, 1)
    if len(shown) < 8:
        return None
    low, high = shown.min(0), shown.max(0)
    mine = (float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))
    if min(mine[2] * size[0], mine[3] * size[1]) < 1:
        return None
    best = max(people, key=lambda box: _shared(mine, box.bounds) / _union(mine, box.bounds))
    return best if _shared(mine, best.bounds) / _union(mine, best.bounds) > 0.4 else None


def _shared(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    wide = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    high = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    return max(wide, 0.0) * max(high, 0.0)


def _union(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    return max(one[2] * one[3] + other[2] * other[3] - _shared(one, other), 1e-9)


def _unknown(pose: Pose, owner: Box | None, people: Sequence[Box]) -> str | None:
    """Why a body cannot be judged by its points, or None."""
    from loupe.brain.measures.anatomy import body_shape

    if len(people) > _CROWD:
        return f"a crowd: {len(people)} people"
    if owner is not None:
        area = max(owner.bounds[2] * owner.bounds[3], 1e-9)
        if any(_shared(owner.bounds, box.bounds) / area > _MAX_SHARED for box in people if box is not owner):
            return "people overlap"
    if not body_shape.seen(pose, *body_shape.TORSO):
        return "shoulders or hips are hidden or cut by the frame"
    if body_shape.trunk(pose.points) < _MIN_TRUNK:
        return f"the body is too small, or seen from above: a trunk of {body_shape.trunk(pose.points):.0f} pixels"
    if pose.presence < _MIN_PRESENCE:
        return "the pose is not sure"
    return None


def _measure(one: _One, poses: Poses, picture: np.ndarray) -> None:
    from loupe.brain.measures.anatomy import body_shape, views
    from loupe.brain.measures.anatomy.anomaly import oddest

    further = []
    for view, other in views.seen(poses.at, picture, one.pose.roi):
        if other is not None:
            points = views.back(other.points, view, picture.shape[1])
            further.append(points[body_shape.SWAP] if view.mirror else points)
    one.limbs, name = oddest(body_shape.limbs(one.pose, further), body_shape.LIMB_LIMITS)
    one.limbs_say = body_shape.LIMB_LIMITS[name].says if name else ""
    one.proportions, name = oddest(body_shape.proportions(one.pose), body_shape.PROPORTION_LIMITS)
    one.proportions_say = body_shape.PROPORTION_LIMITS[name].says if name else ""


def _ask(found: list[_One], judge: Judge, picture: np.ndarray) -> None:
    # the pose's region reaches farther than the body; what lies outside the picture is black
    crops = [vlm_questions.cut(picture, replace(one.pose.roi, angle=0.0)) for one in found]
    limbs = vlm_questions.worst(judge, crops, "limb_malformed")
    proportions = vlm_questions.worst(judge, crops, "wrong_proportions")
    for one, about_limbs, about_proportions in zip(found, limbs, proportions, strict=True):
        one.limbs, one.limbs_say = about_limbs.score, about_limbs.name
        one.proportions, one.proportions_say = about_proportions.score, about_proportions.name
        one.reason = about_limbs.reason or about_proportions.reason or None


def _points(one: _One) -> Points:
    facts: dict[str, str | float] = {}
    says = []
    for output, score, reason in (
        (Body.outputs[0], one.limbs, one.limbs_say),
        (Body.outputs[1], one.proportions, one.proportions_say),
    ):
        if not math.isnan(score):
            facts[output.name] = round(score, 4)
            if output.default_threshold is not None and score > output.default_threshold.value:
                says.append(reason)
    known = [score for score in (one.limbs, one.proportions) if not math.isnan(score)]
    facts["verdict"] = "unknown" if not known else "malformed" if says else "usual"
    if known:
        facts["score"] = round(max(known), 4)
    reason = "; ".join(says) if known else (one.reason or "")
    if reason:
        facts["reason"] = reason
    return replace(one.pose.to_points("body", **facts), confidence=min(one.pose.presence, 1.0))
