"""What was seen in one picture, and what became of one thing that the prompt asks for."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from loupe.brain.core.records import Record
from loupe.brain.measures.composition.colors import Naming
from loupe.brain.measures.composition.geometry import apart
from loupe.brain.perception.detectors.detection import Detection
from loupe.brain.perception.detectors.vocabulary import Match, Vocabulary, normal
from loupe.brain.prompts.spec import PromptSpec, RequestedObject

#: the IoU from which two boxes of one class are one thing: a detector may give a thing twice
SAME_THING = 0.7


@dataclass(frozen=True)
class Requirement(Record):
    """One thing that a prompt asks for, and whether the picture keeps to it.

    Attributes:
        failure: the failure mode that it would be, e.g. ``"wrong_count"``
        wanted: what is asked for, e.g. ``"3 dogs"``
        found: what was found instead, or the same
        violated: how likely it is violated, in [0, 1]; NaN where that is not known
        reason: why it is not known, else empty
        places: where: x, y, width, height in [0, 1] each
        confidence: of the detector, or None
        question: for a judge: whether it is so; of what is excluded, whether it is there; empty: there is none
    """

    failure: str
    wanted: str
    found: str
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
    """What was seen in one picture.

    Attributes:
        seen: the usable detections, the most confident first
        vocabulary: of the detector
        width, height: of the picture in pixels
        floor: the confidence below which the detector says nothing
        color: names the colour of a detection
    """

    seen: tuple[Detection, ...]
    vocabulary: Vocabulary
    width: int
    height: int
    floor: float
    color: Callable[[Detection], Naming]

    def of(self, match: Match | None) -> tuple[Detection, ...]:
        """Returns the detections of a noun, the most confident first, each thing once."""
        if match is None:
            return ()
        mine = [one for one in self.seen if one.label in self._labels(match)]
        return tuple(mine[place] for place in apart([one.corners for one in mine], SAME_THING))

    def _labels(self, match: Match) -> frozenset[str]:
        if self.vocabulary.labels is not None:
            return frozenset(match.labels)
        return frozenset(label for label in self._spellings if self.vocabulary.means(label) in match.labels)

    @cached_property
    def _spellings(self) -> frozenset[str]:
        return frozenset(one.label for one in self.seen)


@dataclass(frozen=True)
class ObjectDetections:
    """One of the objects that a prompt asks for, and its detections.

    Attributes:
        asked: what is asked for
        match: what of the detector's vocabulary stands for it; None: nothing does
        seen: its detections, the most confident first
        shared: the places in ``PromptSpec.objects`` of those that share its labels ("a man, a woman")
    """

    asked: RequestedObject
    match: Match | None
    seen: tuple[Detection, ...]
    shared: tuple[int, ...] = ()

    @property
    def minimum(self) -> int:
        """How many there have to be at least."""
        return 2 if self.asked.count is None else max(self.asked.count, 0)

    @property
    def counted(self) -> bool:
        """Whether the prompt says more of their number than that there is one."""
        return self.asked.exact or self.asked.count is None or self.asked.count > 1

    def __str__(self) -> str:
        """As it is asked for: "3 x dog", "2 x bird or more", "cat"."""
        if not self.counted:
            return self.asked.name
        return f"{self.minimum} x {self.asked.name}" + ("" if self.asked.exact else " or more")


def things(spec: PromptSpec, scene: Scene) -> tuple[ObjectDetections, ...]:
    """Returns for each of ``spec.objects`` what was seen of it."""
    matches = [scene.vocabulary.find(asked.name) for asked in spec.objects]
    labels = [frozenset(match.labels) if match else frozenset() for match in matches]
    return tuple(
        ObjectDetections(
            asked,
            match,
            scene.of(match),
            tuple(other for other, theirs in enumerate(labels) if other != place and theirs & labels[place]),
        )
        for place, (asked, match) in enumerate(zip(spec.objects, matches, strict=True))
    )


def unknown_word(noun: str) -> str:
    """Returns the reason for a noun that the detector's vocabulary has nothing for."""
    return f"the detector has no label for {(normal(noun) or noun)!r}"


def counted_words(seen: tuple[Detection, ...]) -> str:
    """Returns what was found, as words: "2 found, 0.91 0.40"."""
    scores = " ".join(f"{one.score:.2f}" for one in seen[:6])
    return f"{len(seen)} found{', ' if seen else ''}{scores}"
