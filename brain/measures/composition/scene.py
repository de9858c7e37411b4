"""What was detected in one picture, and what became of each object that the prompt asks for."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from loupe.brain.core.records import Record
from loupe.brain.measures.composition.colors import Naming
from loupe.brain.measures.composition.geometry import apart
from loupe.brain.perception.detectors.detection import Detection
from loupe.brain.perception.detectors.vocabulary import Match, Vocabulary, normal
from loupe.brain.prompts.spec import PromptSpec, RequestedObject

#: the IoU from which two boxes of one class are one object: a detector may give an object twice
SAME_OBJECT = 0.7


@dataclass(frozen=True)
class Requirement(Record):
    """One of the things that a prompt asks for, and whether the picture keeps to it.

    Attributes:
        failure: the failure mode that it would be, e.g. ``"wrong_count"``
        wanted: what is asked for, e.g. ``"3 dogs"``
        observed: what is in the picture instead, or the same
        violated: how likely it is violated, in [0, 1]; NaN where that is not known
        reason: why it is not known, else empty
        places: where: x, y, width, height in [0, 1] each
        confidence: of the detector, or None
        question: for a VLM: whether it is so; of what is excluded, whether it is there; empty: there is none
    """

    failure: str
    wanted: str
    observed: str
    violated: float
    reason: str = ""
    places: tuple[tuple[float, float, float, float], ...] = ()
    confidence: float | None = None
    question: str = ""

    @property
    def known(self) -> bool:
        """Whether there is a verdict."""
        return not math.isnan(self.violated)


@dataclass(frozen=True)
class Scene:
    """What was detected in one picture.

    Attributes:
        detections: the usable ones, the most confident first
        vocabulary: of the detector
        width, height: of the picture in pixels
        floor: the confidence below which the detector says nothing
        color: names the color of a detection
    """

    detections: tuple[Detection, ...]
    vocabulary: Vocabulary
    width: int
    height: int
    floor: float
    color: Callable[[Detection], Naming]

    def of(self, match: Match | None) -> tuple[Detection, ...]:
        """Returns the detections of a noun, the most confident first, each object once."""
        if match is None:
            return ()
        labels = self._labels(match)
        detections = [detection for detection in self.detections if detection.label in labels]
        kept = apart([detection.corners for detection in detections], SAME_OBJECT)
        return tuple(detections[place] for place in kept)

    def _labels(self, match: Match) -> frozenset[str]:
        if self.vocabulary.labels is not None:
            return frozenset(match.labels)
        return frozenset(label for label in self._spellings if self.vocabulary.means(label) in match.labels)

    @cached_property
    def _spellings(self) -> frozenset[str]:
        return frozenset(detection.label for detection in self.detections)


@dataclass(frozen=True)
class ObjectDetections:
    """One of the objects that a prompt asks for, and its detections.

    Attributes:
        requested: what is asked for
        match: what of the detector's vocabulary stands for it; None: nothing does
        detections: the most confident first
        shared: the places in ``PromptSpec.objects`` of those that share its labels ("a man, a woman")
    """

    requested: RequestedObject
    match: Match | None
    detections: tuple[Detection, ...]
    shared: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """Its noun, as the prompt has it."""
        return self.requested.name

    @property
    def min_count(self) -> int:
        """How many there have to be at least."""
        return 2 if self.requested.count is None else max(self.requested.count, 0)

    @property
    def counted(self) -> bool:
        """Whether the prompt says more of their number than that there is one."""
        return self.requested.exact or self.requested.count is None or self.requested.count > 1

    def above(self, confidence: float) -> list[Detection]:
        """Returns the detections from that confidence on, the most confident first."""
        return [detection for detection in self.detections if detection.score >= confidence]

    def __str__(self) -> str:
        """As it is asked for: "3 x dog", "2 x bird or more", "cat"."""
        if not self.counted:
            return self.name
        return f"{self.min_count} x {self.name}" + ("" if self.requested.exact else " or more")


def group_detections(spec: PromptSpec, scene: Scene) -> tuple[ObjectDetections, ...]:
    """Returns for each of ``spec.objects`` what was detected of it."""
    matches = [scene.vocabulary.find(requested.name) for requested in spec.objects]
    labels = [frozenset(match.labels) if match else frozenset() for match in matches]
    return tuple(
        ObjectDetections(
            requested,
            match,
            scene.of(match),
            tuple(other for other, theirs in enumerate(labels) if other != place and theirs & labels[place]),
        )
        for place, (requested, match) in enumerate(zip(spec.objects, matches, strict=True))
    )


def unknown_word(noun: str) -> str:
    """Returns the reason for a noun that the detector's vocabulary has nothing for."""
    return f"the detector has no label for {(normal(noun) or noun)!r}"


def counted_words(detections: Sequence[Detection]) -> str:
    """Returns what was detected, as words: "2 found, 0.91 0.40"."""
    scores = " ".join(f"{detection.score:.2f}" for detection in detections[:6])
    return f"{len(detections)} found{', ' if detections else ''}{scores}"
