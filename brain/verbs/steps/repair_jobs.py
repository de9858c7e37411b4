"""What passes between the parts of ``repair``: what is asked for, a sample's job, its attempts, what became of it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from loupe.brain.engine.runner import Verdict
from loupe.brain.generation.gate import Decision, Limits
from loupe.brain.generation.guided import Control
from loupe.brain.generation.likeness import Likeness
from loupe.brain.generation.records import Method, Status
from loupe.brain.store.repair.waiting import Waiting

#: raised when the same settings would make or keep other pictures
VERSION = 2


@dataclass(frozen=True)
class Settings:
    """What was asked for."""

    method: Method | None
    attempts: int
    strength: float | None
    seed: int
    limits: Limits
    control: Control | None = None

    @property
    def facts(self) -> list[Any]:
        """All of it that decides the result."""
        own = [VERSION, self.method, self.attempts, self.strength, self.seed, self.limits.to_dict()]
        return own if self.control is None else [*own, self.control]


@dataclass(frozen=True)
class Job:
    """One sample with what is to be repaired.

    Attributes:
        sample: what is known of it
        failure: the failure mode
        unknown: whether it is not known to have it
        prompt: what is to be seen
        region: boxes or a mask of the user's own; None: the check's evidence
        key: of all that decides what becomes of it
    """

    sample: Waiting
    failure: str
    unknown: bool
    prompt: str
    region: Any
    key: str


@dataclass(frozen=True, eq=False)
class Attempt:
    """A picture that was drawn.

    Attributes:
        number: from 1
        key, path, seed: of its file
        decision: what the gate says
        alike, after, gain: how it compares with the original
        verdict: what the checks say of it
        alignment: by how much it fits the prompt better; NaN where that is not known
    """

    number: int
    key: str
    path: Path
    seed: int
    decision: Decision
    alike: Likeness
    after: float
    verdict: Verdict
    alignment: float


@dataclass(frozen=True, eq=False)
class Outcome:
    """What became of a job.

    Attributes:
        job: the job
        status, reason: better, refused or unknown, and why
        method: how it was tried; empty where nothing was
        before: the score of the original
        best: the attempt that was kept, or the best of those that were not; None where nothing was drawn
        attempts: all of them
        worse: whether the first attempt was worse than the original in something
        mask: what was drawn anew
        measures: scores before and after, by output, of those that a threshold belongs to
        not_now: its file could not be read for the moment: nothing is stored, and the next run tries it
    """

    job: Job
    status: Status
    reason: str
    method: str = ""
    before: float = math.nan
    best: Attempt | None = None
    attempts: Sequence[Attempt] = ()
    worse: bool = False
    mask: np.ndarray | None = None
    measures: Mapping[str, Sequence[float]] = field(default_factory=dict)
    not_now: bool = False


def outline(mask: np.ndarray | None) -> list[list[tuple[float, float]]]:
    """Returns the outlines of a region as polygons relative to the picture; none of the whole picture."""
    import cv2

    if mask is None or mask.all():
        return []
    height, width = mask.shape
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    made = []
    for contour in sorted(contours, key=cv2.contourArea, reverse=True)[:20]:
        points = cv2.approxPolyDP(contour, 1.0, True)[:, 0]
        # the contour goes through the middles of pixels
        made.append([((float(x) + 0.5) / width, (float(y) + 0.5) / height) for x, y in points[:60]])
    return made


def measures_text(outcome: Outcome) -> str:
    """Returns what was measured before and after, as JSON: scores, and how the picture compares."""
    made: dict[str, Any] = {name: [_finite(value) for value in pair] for name, pair in outcome.measures.items()}
    if outcome.best is not None:
        made["likeness"] = {name: _finite(value) for name, value in outcome.best.alike.to_dict().items()}
    return json.dumps(made)


def _finite(value: Any) -> float | None:
    return round(float(value), 6) if isinstance(value, (int, float)) and math.isfinite(value) else None
