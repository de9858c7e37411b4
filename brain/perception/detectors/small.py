"""The small detector of COCO's classes: YOLOX-nano, and NanoDet where only that one is here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from loupe.brain.core.errors import InputError
from loupe.brain.perception import weights
from loupe.brain.perception.detectors.detection import Detector, ObjectFinder

#: their files by their names in ``loupe weights list``, the preferred one first
YOLOX, NANODET = ("yolox_nano",), ("nanodet", "nanodet_graph")

#: whether people are looked for, as checks offer it: "auto" is the detector where its file is here
CHOICES = ("auto", "detector", "none")


def names() -> tuple[str, ...]:
    """Returns the names of the files of the one that is here; of the preferred one where none is."""
    return NANODET if weights.lacking(YOLOX) and not weights.lacking(NANODET) else YOLOX


def load(files: Sequence[Path]) -> Detector:
    """Returns the detector.

    Args:
        files: where those of ``names()`` lie

    Raises:
        ModelError: they hold something else
        MissingDependency: onnxruntime is not installed, for YOLOX
    """
    from loupe.brain.perception.detectors import nanodet, yolox

    return yolox.load(files[0]) if len(files) == 1 else nanodet.load(*files)


def resolved(people: str) -> str:
    """Returns one of ``CHOICES`` with "auto" replaced: "detector" where a file of one is here, else "none"."""
    if people != "auto":
        return people
    return "none" if weights.lacking(names()) else "detector"


def finder(people: str) -> ObjectFinder | None:
    """Returns what finds people and animals, or None where they are not looked for.

    Args:
        people: one of ``CHOICES``

    Raises:
        InputError: it is none of them
        MissingWeights: its file is not here
        ModelError: the file holds something else
        MissingDependency: onnxruntime is not installed, for YOLOX
    """
    if people not in CHOICES:
        raise InputError(f"expected people out of {', '.join(CHOICES)}, got {people!r}")
    return load([weights.path(name) for name in names()]).find if resolved(people) == "detector" else None
