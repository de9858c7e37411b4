"""What a check of anatomy asks a judge: every specialist question about every crop, and the worst answer counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Record
from loupe.brain.perception import weights
from loupe.brain.perception.landmarks import crop
from loupe.brain.perception.landmarks.crop import Roi
from loupe.brain.perception.vlm import folder
from loupe.brain.perception.vlm.answers import Question
from loupe.brain.perception.vlm.base import Judge
from loupe.brain.perception.vlm.questions import SPECIALISTS

GRADES = ("auto", "offline", "gpu")
#: what the form says of the grades, and of the judge
GRADE_SENTENCE = "offline: by landmarks; gpu: asks a judge about each crop; auto: gpu where it can be had"
JUDGE = folder.DEFAULT
JUDGE_SENTENCE = "The judge of grade gpu: a hub id or a folder"
#: an answer counts where yes and no together are at least this probable
MIN_MASS = 0.5
#: crops are cut out at most this large, in pixels
LARGEST = 448


@dataclass(frozen=True)
class Worst(Record):
    """What a judge says of one crop.

    Attributes:
        score: the highest P(yes) of all questions about it, in [0, 1], higher is worse; NaN where none was answered
        name: the artefact that was asked for, e.g. "extra_fingers"; empty where none was answered
        reason: why it is NaN; else empty
    """

    score: float
    name: str = ""
    reason: str = ""


def resolved(grade: str, device: str, judge: str = JUDGE) -> str:
    """Returns the grade with "auto" replaced: "gpu" on a CUDA device that has the judge's weights, else "offline".

    Args:
        grade: one of ``GRADES``
        device: "cpu", "cuda", "cuda:1", "mps"
        judge: a hub id or a folder

    Raises:
        InputError: there is no such grade

    >>> resolved("auto", "cpu")
    'offline'
    """
    if grade not in GRADES:
        raise InputError(f"expected a grade out of {', '.join(GRADES)}, got {grade!r}")
    if grade != "auto":
        return grade
    return "gpu" if device.startswith("cuda") and folder.is_here(judge) else "offline"


def start(grade: str, judge: str, names: Sequence[str], device: str) -> tuple[list[Path], Judge | None]:
    """Returns what a check loads first: the model files, and the judge where the grade comes to "gpu", else None.

    Args:
        grade: one of ``GRADES``
        judge: a hub id or a folder
        names: of the model files, see brain/perception/weights.py
        device: "cpu", "cuda", "cuda:1", "mps"

    Raises:
        InputError: there is no such grade
        MissingWeights: a model file is not here
        ModelError: the judge cannot be loaded
    """
    grade = resolved(grade, device, judge)
    files = [weights.path(name) for name in names]
    if grade != "gpu":
        return files, None
    from loupe.brain.perception.vlm.local import LocalJudge

    return files, LocalJudge(judge, device=device)


def cut(picture: np.ndarray, roi: Roi) -> np.ndarray:
    """Returns a region as a picture for the judge: (S, S, 3) uint8, never scaled up, S at most ``LARGEST``.

    Args:
        picture: (H, W, 3) uint8 RGB
        roi: where, ``usable``
    """
    return crop.cut(picture, roi, max(8, min(LARGEST, round(roi.side))))


def worst(judge: Judge, crops: Sequence[np.ndarray], failure: str) -> list[Worst]:
    """Returns for each crop the answer that is the worst for it.

    All questions of ``SPECIALISTS`` for the failure are asked about every crop, all in one call. P(yes) is as the model
    gives it: it has been calibrated on nothing.

    Args:
        judge: any judge
        crops: (H, W, 3) uint8 sRGB each: a hand, a face or a person, as the failure's questions want it
        failure: a label of brain/core/taxonomy.py that there are questions for

    Raises:
        InputError: there are no questions for the failure
        JudgeError: the judge gave no answer

    Source: one question for each artefact about a crop of its part, after ArtifactLens

    >>> worst(LocalJudge(device="cuda"), [hand], "hand_malformed")  # doctest: +SKIP
    [Worst(score=0.91, name='extra_fingers', reason='')]
    """
    asked = [(one.name, one.text) for one in SPECIALISTS.values() if one.failure == failure]
    if not asked:
        raise InputError(f"expected a failure that there are questions for, got {failure!r}")
    if not crops:
        return []
    answers = judge.judge([Question(text, picture) for picture in crops for _, text in asked])
    found = []
    for start in range(0, len(answers), len(asked)):
        about = zip(asked, answers[start : start + len(asked)], strict=True)
        known = [(one.yes, name) for (name, _), one in about if not math.isnan(one.yes) and one.mass >= MIN_MASS]
        if known:
            score, name = max(known)
            found.append(Worst(float(score), name))
        else:
            found.append(Worst(math.nan, "", "the judge answered neither yes nor no"))
    return found
