"""Whether the skin of faces is smoother than skin is."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

from loupe.brain.core.records import Box, Output, SampleResult, Scores, Threshold
from loupe.brain.core.specs import Check, param
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.measures.anatomy import vlm_questions

if TYPE_CHECKING:
    import numpy as np

    from loupe.brain.measures.anatomy import skin_texture
    from loupe.brain.perception.landmarks.face import Face
    from loupe.brain.perception.vlm.base import Vlm

_LONG_SIDE = 1280
_MANY = 64
_MAX_TURNED = 35.0


@dataclass(frozen=True)
class Skin(Check):
    """Skin: faces that are smoother than skin is.

    The finest detail of cheeks and forehead over that of eyes and brows of the same face, which make-up, a brush or a
    generator leaves sharp (``anatomy/skin_texture.py``). It is a proxy: a beauty filter, make-up, a small child and a
    camera's noise reduction look the same to it.

    Not judged are faces that are small, turned away or cut by the frame, that are blurred or scaled up themselves, that
    show the blocks of strong compression, that are too dark or too bright, or that have too little contrast.

    Backend "vlm" asks a vision-language model about each face instead; its P(yes) has been calibrated on nothing.
    """

    name: ClassVar[str] = "skin"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "Measure by Loupe; Kartynnik et al., arXiv 1907.06724 for the points"
    license: ClassVar[str] = "Apache-2.0"
    whole_picture: ClassVar[str] = "it looks for faces in the whole picture, at the size that they have in it"
    long_side: ClassVar[int | None] = _LONG_SIDE
    boxes_field: ClassVar[str | None] = "flaws"
    default: ClassVar[bool] = False
    presets: ClassVar[tuple[str, ...]] = ("generated",)
    cost: ClassVar[float] = 45.0
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            name="oversmooth_skin",
            unit="score",
            higher_is_better=False,
            bounds=(0.0, 1.0),
            description="A proxy: how little fine texture the skin has against the edges, 0.5 where few have less.",
            default_threshold=Threshold(
                ">",
                0.5,
                provenance="flags none of 38 real faces in photos, those that it was set on: at 95 % at most 9 %",
            ),
            failure="oversmooth_skin",
        ),
        Output("skin_judged", "faces", None, (0.0, _MANY), "How many faces' skin could be judged; only information."),
    )

    backend: str = param("auto", vlm_questions.BACKEND_SENTENCE, choices=vlm_questions.BACKENDS)
    vlm: str = param(vlm_questions.VLM, vlm_questions.VLM_SENTENCE)
    examples: str = param("", vlm_questions.EXAMPLES_SENTENCE)
    min_eye_distance: float = param(55.0, "Smallest distance of the eyes' outer corners, in pixels", low=30, high=400)

    def weights(self) -> tuple[str, ...]:
        """Returns the names of MediaPipe's models."""
        return ("face_detection_full_range_sparse", "face_landmark")

    def resolved(self, device: str) -> Self:
        """Returns the check with backend "auto" replaced: "vlm" on a CUDA device that has the VLM, else "landmarks"."""
        return replace(self, backend=vlm_questions.resolved(self.backend, device, self.vlm))

    def reentrant(self) -> bool:
        """Returns True, but for backend "vlm", whose model may keep state."""
        return self.resolved("cpu").backend != "vlm"

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:
        """Returns the function that scores a batch.

        Raises:
            MissingWeights: a file of MediaPipe's models is not here
            MissingDependency: ai-edge-litert is not installed
            ModelError: the VLM of backend "vlm" cannot be loaded
            InputError: there is no such backend
        """
        from loupe.brain.perception.landmarks import face

        files, vlm = vlm_questions.start(self.backend, self.vlm, self.weights(), device, self.examples)
        find = face.Faces(*files, levels=2, max_figures=_MANY)

        def score(batch: ImageBatch) -> Scores:
            pictures = find.of_batch(batch, _LONG_SIDE)
            results = [_score(faces, vlm, picture, self.min_eye_distance) for picture, faces in pictures]
            return self.scores(results, batch.pixels.device)

        return score


def _score(faces: Sequence[Face], vlm: Vlm | None, picture: np.ndarray, min_eye_distance: float) -> SampleResult:
    from loupe.brain.measures.anatomy import face_shape, skin_texture

    scores: list[float] = []
    boxes: list[Box] = []
    reasons: list[str] = []
    asked: list[Face] = []
    for face in faces:
        points = face_shape.solid(face)
        reason = None
        if face_shape.unit(points) < min_eye_distance:
            reason = "the face is too small"
        elif abs(face_shape.turn(points).yaw) > _MAX_TURNED:
            reason = "the face is turned away"
        elif vlm is not None:
            asked.append(face)
            continue
        else:
            skin = skin_texture.measured(picture, face)
            reason = skin_texture.unknown(skin)
            if reason is None:
                scores.append(skin_texture.score(skin))
                boxes += _boxes(skin, picture, scores[-1])
        if reason is not None:
            reasons.append(reason)
    if vlm is not None:
        crops = [vlm_questions.cut(picture, face.roi) for face in asked]
        for face, answer in zip(asked, vlm_questions.worst(vlm, crops, "oversmooth_skin"), strict=True):
            if math.isnan(answer.score):
                reasons.append(answer.reason)
            else:
                scores.append(answer.score)
                boxes += _boxes(skin_texture.measured(picture, face), picture, answer.score)
    values = {"oversmooth_skin": max(scores, default=math.nan), "skin_judged": float(len(scores))}
    return SampleResult(values, None if scores else next(iter(reasons), "no face seen"), boxes=tuple(boxes))


def _boxes(skin: skin_texture.Skin, picture: np.ndarray, score: float) -> list[Box]:
    """The patches of a face whose skin is too smooth."""
    threshold = Skin.outputs[0].default_threshold
    assert threshold is not None
    if score <= threshold.value:
        return []
    height, width = picture.shape[:2]
    return [
        Box(
            "smooth skin",
            (
                patch.box[0] / width,
                patch.box[1] / height,
                (patch.box[2] - patch.box[0]) / width,
                (patch.box[3] - patch.box[1]) / height,
            ),
            min(score, 1.0),
            {"patch": patch.name, "texture": round(patch.texture, 3)},
        )
        for patch in skin.patches
    ]
