"""Whether faces are malformed, and whether they are mirror images of themselves."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Self

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Box, Output, Points, SampleResult, Scores, Threshold
from loupe.brain.core.specs import Check, param
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.measures.anatomy import face_hand, vlm_questions
from loupe.brain.perception import imagenet, weights
from loupe.brain.perception.detectors import small

if TYPE_CHECKING:
    import numpy as np

    from loupe.brain.measures.anatomy.views import LandmarkModel
    from loupe.brain.perception.detectors.detection import ObjectFinder
    from loupe.brain.perception.landmarks.face import Face
    from loupe.brain.perception.landmarks.hand import Hands as HandFinder
    from loupe.brain.perception.vlm.base import Vlm

    Classifier = Callable[[np.ndarray], np.ndarray]

_LONG_SIDE = 1280
_LANDMARKS = ("face_detection_full_range_sparse", "face_landmark", "iris_landmark")
_MANY = 64
_CLASSIFIERS = ("auto", "efficientnet", "none")
_HANDS = ("auto", "mediapipe", "none")
#: how sure the classifier has to be of an animal, and of what covers a face: of 63 faces in photos, all in view, bare
#: ones have up to 0.57 and 0.12
_MIN_ANIMAL, _MIN_COVER = 0.8, 0.5
#: why a face is none that can be judged, by whose it is
_NOT_A_PERSONS = {
    "animal": "the face looks like an animal's",
    "nobody": "no person is seen around the face: it may be an animal's, a doll's or a creature's",
}
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
    only and draws a likely one over anything; teeth it does not know.

    Not judged are faces that are small, cut by the frame, turned away or behind dark glasses, and ones whose lower half
    has not the color of the upper one, as under a mask (``anatomy/face_cover.py``); where a detector of COCO's classes
    is here, nor are faces around which it sees no person: of animals, dolls, creatures (``anatomy/owners.py``); where
    EfficientNet-Lite0's file is here, nor are animals' faces and those under masks, snorkels, helmets that it sees;
    where MediaPipe's files for hands are here, nor are faces that a hand lies over (``anatomy/face_hand.py``).
    Drawn people are not told from real ones. ``symmetric_face`` is a proxy as well: the correlation of one half's fine
    detail with that of the other half in a mirror.

    Backend "vlm" asks a vision-language model about each face instead, profiles and covered eyes as well; its P(yes)
    has been calibrated on nothing. The symmetry is measured in the same way by either backend.
    """

    name: ClassVar[str] = "faces"
    version: ClassVar[int] = 4
    reference: ClassVar[str] = (
        "Kartynnik et al., arXiv 1907.06724; Ablavatski et al., arXiv 2006.11341; measures by Loupe"
    )
    license: ClassVar[str] = "Apache-2.0"
    whole_picture: ClassVar[str] = "it looks for faces in the whole picture, at the size that they have in it"
    long_side: ClassVar[int | None] = _LONG_SIDE
    points_field: ClassVar[str | None] = "faces"
    default: ClassVar[bool] = False
    presets: ClassVar[tuple[str, ...]] = ("generated",)
    cost: ClassVar[float] = 80.0
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
        Output("faces_seen", "faces", None, (0.0, _MANY), "How many faces were found; only information."),
        Output("faces_judged", "faces", None, (0.0, _MANY), "How many faces could be judged; only information."),
    )

    backend: str = param("auto", vlm_questions.BACKEND_SENTENCE, choices=vlm_questions.BACKENDS)
    vlm: str = param(vlm_questions.VLM, vlm_questions.VLM_SENTENCE)
    examples: str = param("", vlm_questions.EXAMPLES_SENTENCE)
    classifier: str = param(
        "auto",
        "efficientnet: tells animals' and covered faces by EfficientNet-Lite0; none; auto: where its file is here",
        choices=_CLASSIFIERS,
    )
    people: str = param(
        "auto",
        "detector: a face has to lie on a person that a detector sees; none; auto: detector where its file is here",
        choices=small.CHOICES,
    )
    hands: str = param(
        "auto",
        "mediapipe: a face that a hand lies over is unknown; none; auto: mediapipe where its files for hands are here",
        choices=_HANDS,
    )
    min_eye_distance: float = param(40.0, "Smallest distance of the eyes' outer corners, in pixels", low=20, high=400)

    def weights(self) -> tuple[str, ...]:
        """Returns the names of MediaPipe's models, and of what else is chosen."""
        detector = small.names() if self.people == "detector" else ()
        hands = face_hand.FILES if self.hands == "mediapipe" else ()
        return (*_LANDMARKS, *((imagenet.WEIGHTS,) if self.classifier == "efficientnet" else ()), *detector, *hands)

    def resolved(self, device: str) -> Self:
        """Returns the check with each "auto" replaced.

        The backend is "vlm" on a CUDA device that has the VLM, else "landmarks"; the classifier is "efficientnet"
        where its file is here, else "none"; people are looked for by the "detector" where a file of one is here; hands
        over faces by "mediapipe" where its files are here.
        """
        classifier = self.classifier
        if classifier == "auto":
            classifier = "none" if weights.lacking((imagenet.WEIGHTS,)) else "efficientnet"
        hands = self.hands
        if hands == "auto":
            hands = "none" if weights.lacking(face_hand.FILES) else "mediapipe"
        backend = vlm_questions.resolved(self.backend, device, self.vlm)
        people = small.resolved(self.people)
        return replace(self, backend=backend, classifier=classifier, people=people, hands=hands)

    def reentrant(self) -> bool:
        """Returns True, but for backend "vlm", whose model may keep state."""
        return self.resolved("cpu").backend != "vlm"

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:
        """Returns the function that scores a batch.

        Raises:
            MissingWeights: a file of MediaPipe's models is not here
            MissingDependency: ai-edge-litert or onnxruntime is not installed
            ModelError: the VLM of backend "vlm" cannot be loaded
            InputError: there is no such backend or classifier, or no such way to look for people or hands
        """
        # what is loaded now, and not by the first face, is told how many threads it may use (engine/inner_threads)
        from loupe.brain.measures.anatomy import face_symmetry  # noqa: F401
        from loupe.brain.perception.landmarks import face

        if self.classifier not in _CLASSIFIERS:
            raise InputError(f"expected a classifier out of {', '.join(_CLASSIFIERS)}, got {self.classifier!r}")
        if self.hands not in _HANDS:
            raise InputError(f"expected hands out of {', '.join(_HANDS)}, got {self.hands!r}")
        find_objects = small.finder(self.people)
        files, vlm = vlm_questions.start(self.backend, self.vlm, _LANDMARKS, device, self.examples)
        chosen = self.resolved(device)
        classify = imagenet.classifier(weights.path(imagenet.WEIGHTS)) if chosen.classifier == "efficientnet" else None
        hands = face_hand.finder() if chosen.hands == "mediapipe" else None
        find = face.Faces(*files, levels=2, max_figures=_MANY)

        def score(batch: ImageBatch) -> Scores:
            pictures = find.of_batch(batch, _LONG_SIDE)
            results = [
                _score(faces, find.at, vlm, picture, self.min_eye_distance, classify, find_objects, hands)
                for picture, faces in pictures
            ]
            return self.scores(results, batch.pixels.device)

        return score


@dataclass
class _FaceResult:
    """A face and what is said of it; NaN as unknown."""

    face: Face
    reason: str | None
    anomaly: float = math.nan
    says: str = ""
    symmetric: float = math.nan
    symmetric_reason: str = ""
    facts: dict[str, str | float] = field(default_factory=dict)


def _score(
    faces: Sequence[Face],
    model: LandmarkModel[Face],
    vlm: Vlm | None,
    picture: np.ndarray,
    min_eye_distance: float,
    classify: Classifier | None = None,
    find_objects: ObjectFinder | None = None,
    hands: HandFinder | None = None,
) -> SampleResult:
    reasons = [_unknown(face, picture, min_eye_distance) for face in faces]
    # a detector that has not been asked sees a person everywhere
    objects = find_objects(picture, ("person",)) if find_objects and None in reasons else None
    results = [
        _FaceResult(face, reason or _nobodys(face, objects) or _hidden(face, picture, classify, hands))
        for face, reason in zip(faces, reasons, strict=True)
    ]
    for result in results:
        if result.reason is None:
            if vlm is None:
                _measure(result, model, picture)
            _mirror(result, picture)
        else:
            result.symmetric_reason = result.reason
    if vlm is not None:
        _ask(results, vlm, picture, min_eye_distance)
    known = [result.anomaly for result in results if not math.isnan(result.anomaly)]
    mirrored = [result.symmetric for result in results if not math.isnan(result.symmetric)]
    values = {
        "face_malformed": max(known, default=math.nan),
        "symmetric_face": max(mirrored, default=math.nan),
        "faces_seen": float(len(results)),
        "faces_judged": float(len(known)),
    }
    reason = None
    if not results:
        reason = "no face seen"
    elif not known:
        reason = results[0].reason or "no face could be measured"
    elif not mirrored:
        reason = f"symmetry: {results[0].symmetric_reason or 'no face could be measured'}"
    return SampleResult(values, reason, points=tuple(_points(result) for result in results))


def _unknown(face: Face, picture: np.ndarray, min_eye_distance: float) -> str | None:
    """Why a face cannot be judged by its points, or None."""
    from loupe.brain.measures.anatomy import face_shape

    points = face_shape.solid(face)
    turn = face_shape.turn(points)
    if face_shape.unit(points) < min_eye_distance:
        return f"the face is too small: {face_shape.unit(points):.0f} pixels between the eyes' outer corners"
    if face_shape.cut_off(face):
        return "the face is cut by the frame"
    if abs(turn.yaw) > _MAX_TURNED or abs(turn.pitch) > _MAX_TURNED:
        return f"the face is turned away: {turn.yaw:.0f} degrees to the side, {turn.pitch:.0f} down"
    if face_shape.covered(face, picture) < _MIN_LIGHT:
        return "the eyes are behind dark glasses or in deep shade"
    return None


def _nobodys(face: Face, objects: Sequence[Box] | None) -> str | None:
    """Why a face is no person's, by what a detector sees, or None."""
    from loupe.brain.measures.anatomy.owners import owner

    return None if objects is None else _NOT_A_PERSONS.get(owner(face, objects))


def _hidden(
    face: Face, picture: np.ndarray, classify: Classifier | None, hands: HandFinder | None = None
) -> str | None:
    """Why the points are no person's bare face, or None."""
    from loupe.brain.measures.anatomy import face_cover
    from loupe.brain.perception.landmarks.crop import cut

    if classify is not None:
        likelihoods = classify(cut(picture, face.roi, imagenet.SIDE, border=True))
        if float(likelihoods[imagenet.ANIMALS].sum()) > _MIN_ANIMAL:
            return _NOT_A_PERSONS["animal"]
        if float(likelihoods[list(imagenet.FACE_COVERS)].sum()) > _MIN_COVER:
            return "the face is behind a mask, a snorkel, a helmet or glasses"
    if face_cover.is_covered(*face_cover.differences(face, picture)):
        return "the nose and the mouth are covered: they have not the color of the forehead"
    # it costs the most
    if hands is not None and face_hand.lies_over(face, picture, hands):
        return "a hand lies over the face"
    return None


def _measure(result: _FaceResult, model: LandmarkModel[Face], picture: np.ndarray) -> None:
    from loupe.brain.measures.anatomy import face_shape, views
    from loupe.brain.measures.anatomy.anomaly import most_anomalous
    from loupe.brain.perception.landmarks.face import face_region

    figures = views.figures(model, picture, face_region(result.face.points))
    others = [
        face_shape.unmirrored(other, picture.shape[1]) if view.mirror else other
        for view, other in figures
        if other is not None
    ]
    measures = face_shape.measures(result.face, others, picture)
    if len(others) < len(figures):
        measures["doubt"] = 1.0
    result.anomaly, name = most_anomalous(
        measures, face_shape.LIMITS, face_shape.turn(face_shape.solid(result.face)).yaw
    )
    result.says = face_shape.LIMITS[name].says if name else ""
    result.facts = {key: round(value, 4) for key, value in measures.items()}


def _mirror(result: _FaceResult, picture: np.ndarray) -> None:
    from loupe.brain.measures.anatomy import face_shape, face_symmetry

    turn = face_shape.turn(face_shape.solid(result.face))
    if abs(turn.yaw) > _MAX_TURNED_SYMMETRIC:
        result.symmetric_reason = f"the face is turned {turn.yaw:.0f} degrees to the side"
        return
    front, inside = face_symmetry.frontal(picture, result.face)
    likeness = face_symmetry.likeness(front, inside)
    if math.isnan(likeness):
        result.symmetric_reason = "the face shows too little detail"
        return
    result.symmetric = min(max(likeness, 0.0), 1.0)


def _ask(results: list[_FaceResult], vlm: Vlm, picture: np.ndarray, min_eye_distance: float) -> None:
    from loupe.brain.measures.anatomy import face_shape

    # a model that looks at the picture needs neither a front view nor free eyes, but pixels
    asked = [result for result in results if face_shape.unit(face_shape.solid(result.face)) >= min_eye_distance / 2]
    crops = [vlm_questions.cut(picture, result.face.roi) for result in asked]
    for result, answer in zip(asked, vlm_questions.worst(vlm, crops, "face_malformed"), strict=True):
        result.anomaly, result.says, result.reason = answer.score, answer.name, answer.reason or None


def _points(result: _FaceResult) -> Points:
    from loupe.brain.measures.anatomy.face_shape import shown

    threshold = Faces.outputs[0].default_threshold
    assert threshold is not None
    fails = result.anomaly > threshold.value
    facts: dict[str, str | float] = {
        "verdict": "unknown" if math.isnan(result.anomaly) else "malformed" if fails else "usual"
    }
    if not math.isnan(result.anomaly):
        facts |= {"score": round(result.anomaly, 4)}
    if not math.isnan(result.symmetric):
        facts |= {"symmetric": round(result.symmetric, 4)}
    reason = result.reason if math.isnan(result.anomaly) else result.says if fails else ""
    if reason:
        facts["reason"] = reason
    size = result.face.size
    places = tuple((float(x) / size[0], float(y) / size[1]) for x, y in shown(result.face))
    return Points("face", places, min(result.face.presence, 1.0), facts | result.facts)
