"""Whether faces are malformed, and whether they are mirror images of themselves."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Self

from loupe.brain.core.records import Output, Points, SampleResult, Scores, Threshold
from loupe.brain.core.specs import Check, param
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.measures.anatomy import vlm_questions

if TYPE_CHECKING:
    import numpy as np

    from loupe.brain.perception.landmarks.face import Face
    from loupe.brain.perception.vlm.base import Judge

    Look = Callable[..., Face | None]

_LONG_SIDE = 1280
_MANY = 64
#: turned farther than that, degrees, half of the face is guessed
_MAX_TURNED = 35.0
#: mirrored halves are told from others up to that, degrees
_MAX_TURNED_SYMMETRIC = 20.0
#: eyes darker than that against the cheeks are behind dark glasses or in deep shade
_MIN_LIGHT = 0.42


@dataclass(frozen=True)
class Faces(Check):
    """Faces: malformed ones, and ones that mirror themselves.

    Finds faces with MediaPipe's models and measures their points: where the irises lie and how large they are, how
    alike the eyes and the halves of the mouth are once the turn of the head is taken out, and how far all of them
    wander when the picture is mirrored, turned, moved and scaled (``anatomy/face_shape.py``). The score is that of the
    oddest measure of the worst face, in multiples of what real faces show. It is a proxy: the model has seen real faces
    only and draws a likely one over anything; teeth it does not know. Animals with faces look odd to it.

    Not judged are faces that are small, cut by the frame, turned away or behind dark glasses. ``symmetric_face`` is a
    proxy as well: the correlation of one half's fine detail with that of the other half in a mirror.

    Grade "gpu" asks a vision-language model about each face instead, profiles and covered eyes as well; its P(yes) has
    been calibrated on nothing. The symmetry is measured in the same way in every grade.
    """

    name: ClassVar[str] = "faces"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = (
        "Kartynnik et al., arXiv 1907.06724; Ablavatski et al., arXiv 2006.11341; measures by Loupe"
    )
    license: ClassVar[str] = "Apache-2.0"
    long_side: ClassVar[int | None] = _LONG_SIDE
    points_field: ClassVar[str | None] = "faces"
    default: ClassVar[bool] = False
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            name="face_malformed",
            unit="score",
            higher_is_better=False,
            bounds=(0.0, 1.0),
            description="A proxy: how odd the worst face's points are, 0.5 where few real faces are odder.",
            default_threshold=Threshold(
                ">",
                0.58,
                provenance="flags 2 of 64 real faces in photos, those that it was set on: 3 %, at 95 % at most 11 %",
            ),
            failure="face_malformed",
        ),
        Output(
            name="symmetric_face",
            unit="correlation",
            higher_is_better=False,
            bounds=(0.0, 1.0),
            description="A proxy: how far the fine detail of one half of a face is the other half's in a mirror.",
            default_threshold=Threshold(
                ">",
                0.85,
                provenance="flags none of 56 real faces in photos, those that it was set on: at 95 % at most 6 %",
            ),
            failure="symmetric_face",
        ),
        Output("faces_seen", "faces", True, (0.0, _MANY), "How many faces were found; only information."),
        Output("faces_judged", "faces", True, (0.0, _MANY), "How many faces could be judged; only information."),
    )

    grade: str = param("auto", vlm_questions.GRADE_SENTENCE, choices=vlm_questions.GRADES)
    judge: str = param(vlm_questions.JUDGE, vlm_questions.JUDGE_SENTENCE)
    minimum: float = param(40.0, "Smallest distance of the eyes' outer corners, in pixels", low=20, high=400)

    def weights(self) -> tuple[str, ...]:
        """Returns the names of MediaPipe's models."""
        return ("face_detection_full_range_sparse", "face_landmark", "iris_landmark")

    def resolved(self, device: str) -> Self:
        """Returns the check with grade "auto" replaced: "gpu" on a CUDA device that has the judge, else "offline"."""
        return replace(self, grade=vlm_questions.resolved(self.grade, device, self.judge))

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:
        """Returns the function that scores a batch.

        Raises:
            MissingWeights: a file of MediaPipe's models is not here
            MissingDependency: ai-edge-litert is not installed
            ModelError: the judge of grade "gpu" cannot be loaded
            InputError: there is no such grade
        """
        from loupe.brain.perception.landmarks import face

        files, judge = vlm_questions.start(self.grade, self.judge, self.weights(), device)
        find = face.Faces(*files, levels=2, maximum=_MANY)

        def score(batch: ImageBatch) -> Scores:
            found = find.of_batch(batch, _LONG_SIDE)
            judged = [_judge(faces, find.at, judge, picture, self.minimum) for picture, faces in found]
            return self.scores(judged, batch.pixels.device)

        return score


@dataclass
class _One:
    """A face and what is said of it; NaN as unknown."""

    face: Face
    reason: str | None
    odd: float = math.nan
    says: str = ""
    symmetric: float = math.nan
    symmetric_reason: str = ""
    facts: dict[str, str | float] = field(default_factory=dict)


def _judge(found: Sequence[Face], look: Look, judge: Judge | None, picture: np.ndarray, minimum: float) -> SampleResult:
    faces = [_One(face, _unknown(face, picture, minimum)) for face in found]
    for one in faces:
        if one.reason is None:
            if judge is None:
                _measure(one, look, picture)
            _mirror(one, picture)
        else:
            one.symmetric_reason = one.reason
    if judge is not None:
        _ask(faces, judge, picture, minimum)
    known = [one.odd for one in faces if not math.isnan(one.odd)]
    mirrored = [one.symmetric for one in faces if not math.isnan(one.symmetric)]
    values = {
        "face_malformed": max(known, default=math.nan),
        "symmetric_face": max(mirrored, default=math.nan),
        "faces_seen": float(len(faces)),
        "faces_judged": float(len(known)),
    }
    reason = None
    if not faces:
        reason = "no face seen"
    elif not known:
        reason = faces[0].reason or "no face could be measured"
    elif not mirrored:
        reason = f"symmetry: {faces[0].symmetric_reason or 'no face could be measured'}"
    return SampleResult(values, reason, points=tuple(_points(one) for one in faces))


def _unknown(face: Face, picture: np.ndarray, minimum: float) -> str | None:
    """Why a face cannot be judged by its points, or None."""
    from loupe.brain.measures.anatomy import face_shape

    points = face_shape.solid(face)
    turn = face_shape.turn(points)
    if face_shape.unit(points) < minimum:
        return f"the face is too small: {face_shape.unit(points):.0f} pixels between the eyes' outer corners"
    if face_shape.cut_off(face):
        return "the face is cut by the frame"
    if abs(turn.yaw) > _MAX_TURNED or abs(turn.pitch) > _MAX_TURNED:
        return f"the face is turned away: {turn.yaw:.0f} degrees to the side, {turn.pitch:.0f} down"
    if face_shape.covered(face, picture) < _MIN_LIGHT:
        return "the eyes are behind dark glasses or in deep shade"
    return None


def _measure(one: _One, look: Look, picture: np.ndarray) -> None:
    from loupe.brain.measures.anatomy import face_shape, views
    from loupe.brain.measures.anatomy.anomaly import oddest
    from loupe.brain.perception.landmarks.face import face_region

    found = views.seen(look, picture, face_region(one.face.points))
    others = [
        face_shape.unmirrored(other, picture.shape[1]) if view.mirror else other
        for view, other in found
        if other is not None
    ]
    measures = face_shape.measures(one.face, others, picture)
    if len(others) < len(found):
        measures["doubt"] = 1.0
    one.odd, name = oddest(measures, face_shape.LIMITS, face_shape.turn(face_shape.solid(one.face)).yaw)
    one.says = face_shape.LIMITS[name].says if name else ""
    one.facts = {key: round(value, 4) for key, value in measures.items()}


def _mirror(one: _One, picture: np.ndarray) -> None:
    from loupe.brain.measures.anatomy import face_shape, face_symmetry

    turn = face_shape.turn(face_shape.solid(one.face))
    if abs(turn.yaw) > _MAX_TURNED_SYMMETRIC:
        one.symmetric_reason = f"the face is turned {turn.yaw:.0f} degrees to the side"
        return
    front, inside = face_symmetry.frontal(picture, one.face)
    likeness = face_symmetry.likeness(front, inside)
    if math.isnan(likeness):
        one.symmetric_reason = "the face shows too little detail"
        return
    one.symmetric = min(max(likeness, 0.0), 1.0)


def _ask(faces: list[_One], judge: Judge, picture: np.ndarray, minimum: float) -> None:
    from loupe.brain.measures.anatomy import face_shape

    # a model that looks at the picture needs neither a front view nor free eyes, but pixels
    asked = [one for one in faces if face_shape.unit(face_shape.solid(one.face)) >= minimum / 2]
    crops = [vlm_questions.cut(picture, one.face.roi) for one in asked]
    for one, answer in zip(asked, vlm_questions.worst(judge, crops, "face_malformed"), strict=True):
        one.odd, one.says, one.reason = answer.score, answer.name, answer.reason or None


def _points(one: _One) -> Points:
    from loupe.brain.measures.anatomy.face_shape import shown

    threshold = Faces.outputs[0].default_threshold
    assert threshold is not None
    fails = one.odd > threshold.value
    facts: dict[str, str | float] = {"verdict": "unknown" if math.isnan(one.odd) else "malformed" if fails else "usual"}
    if not math.isnan(one.odd):
        facts |= {"score": round(one.odd, 4)}
    if not math.isnan(one.symmetric):
        facts |= {"symmetric": round(one.symmetric, 4)}
    reason = one.reason if math.isnan(one.odd) else one.says if fails else ""
    if reason:
        facts["reason"] = reason
    size = one.face.size
    places = tuple((float(x) / size[0], float(y) / size[1]) for x, y in shown(one.face))
    return Points("face", places, min(one.face.presence, 1.0), facts | one.facts)
