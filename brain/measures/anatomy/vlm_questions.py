"""What a check of anatomy asks a VLM: every specialist question about every crop, and the worst answer counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Record
from loupe.brain.core.specs import known_backend
from loupe.brain.perception import weights
from loupe.brain.perception.landmarks import crop
from loupe.brain.perception.landmarks.crop import Roi
from loupe.brain.perception.vlm import few_shot, folder
from loupe.brain.perception.vlm.answers import Question
from loupe.brain.perception.vlm.base import Vlm
from loupe.brain.perception.vlm.questions import SPECIALISTS

BACKENDS = ("auto", "landmarks", "vlm")
#: what the form says of the backends, and of the VLM
BACKEND_SENTENCE = "landmarks: measures them; vlm: asks a VLM about each crop; auto: vlm where it can be had"
VLM = folder.DEFAULT
VLM_SENTENCE = "The VLM of backend vlm: a hub id or a folder"
EXAMPLES_SENTENCE = few_shot.SENTENCE
#: an answer counts where yes and no together are at least this probable
MIN_MASS = 0.5
#: crops are cut out at most this large, in pixels
LARGEST = 448


@dataclass(frozen=True)
class Worst(Record):
    """What a VLM says of one crop.

    Attributes:
        score: the highest P(yes) of all questions about it, in [0, 1], higher is worse; NaN where none was answered
        name: the artifact that was asked for, e.g. "extra_fingers"; empty where none was answered
        reason: why it is NaN; else empty
    """

    score: float
    name: str = ""
    reason: str = ""


def resolved(backend: str, device: str, vlm: str = VLM) -> str:
    """Returns the backend with "auto" replaced: "vlm" on a CUDA device that has the VLM's weights, else "landmarks".

    Args:
        backend: one of ``BACKENDS``
        device: "cpu", "cuda", "cuda:1", "mps"
        vlm: a hub id or a folder

    Raises:
        InputError: there is no such backend

    >>> resolved("auto", "cpu")
    'landmarks'
    """
    known_backend(backend, BACKENDS, {"offline": "landmarks", "gpu": "vlm"})
    if backend != "auto":
        return backend
    return "vlm" if device.startswith("cuda") and folder.is_here(vlm) else "landmarks"


def start(
    backend: str, vlm: str, names: Sequence[str], device: str, examples: str = ""
) -> tuple[list[Path], Vlm | None]:
    """Returns what a check loads first: the model files, and the VLM where the backend comes to "vlm", else None.

    Args:
        backend: one of ``BACKENDS``
        vlm: a hub id or a folder
        names: of the model files, see brain/perception/weights.py
        device: "cpu", "cuda", "cuda:1", "mps"
        examples: a folder of examples for the VLM, see ``few_shot.read``; empty: it is shown none

    Raises:
        InputError: there is no such backend, or the examples cannot be used
        MissingWeights: a model file is not here
        ModelError: the VLM cannot be loaded
    """
    backend = resolved(backend, device, vlm)
    files = [weights.path(name) for name in names]
    if backend != "vlm":
        return files, None
    return files, few_shot.load(vlm, device, examples)


def cut(picture: np.ndarray, roi: Roi) -> np.ndarray:
    """Returns a region as a picture for the VLM: (S, S, 3) uint8, never scaled up, S at most ``LARGEST``.

    Args:
        picture: (H, W, 3) uint8 RGB
        roi: where, ``usable``
    """
    return crop.cut(picture, roi, max(8, min(LARGEST, round(roi.side))))


def worst(vlm: Vlm, crops: Sequence[np.ndarray], failure: str) -> list[Worst]:
    """Returns for each crop the answer that is the worst for it.

    All questions of ``SPECIALISTS`` for the failure are asked about every crop, all in one call. P(yes) is as the model
    gives it: it has been calibrated on nothing.

    Args:
        vlm: any VLM
        crops: (H, W, 3) uint8 sRGB each: a hand, a face or a person, as the failure's questions want it
        failure: a label of brain/core/taxonomy.py that there are questions for

    Raises:
        InputError: there are no questions for the failure
        VlmError: the VLM gave no answer

    Source: one question for each artifact about a crop of its part, after ArtifactLens

    >>> worst(LocalVlm(device="cuda"), [hand], "hand_malformed")  # doctest: +SKIP
    [Worst(score=0.91, name='extra_fingers', reason='')]
    """
    asked = [(answer.name, answer.text) for answer in SPECIALISTS.values() if answer.failure == failure]
    if not asked:
        raise InputError(f"expected a failure that there are questions for, got {failure!r}")
    if not crops:
        return []
    answers = vlm.answer([Question(text, picture) for picture in crops for _, text in asked])
    worst_answers = []
    for start in range(0, len(answers), len(asked)):
        about = zip(asked, answers[start : start + len(asked)], strict=True)
        known = [
            (answer.yes, name) for (name, _), answer in about if not math.isnan(answer.yes) and answer.mass >= MIN_MASS
        ]
        if known:
            score, name = max(known)
            worst_answers.append(Worst(float(score), name))
        else:
            worst_answers.append(Worst(math.nan, "", "the VLM answered neither yes nor no"))
    return worst_answers
