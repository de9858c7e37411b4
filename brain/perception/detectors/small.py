"""The small detector of COCO's classes: YOLOX-nano, and NanoDet where only that one is here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from loupe.brain.perception import weights
from loupe.brain.perception.detectors.detection import Detector

#: their files by their names in ``loupe weights list``, the preferred one first
YOLOX, NANODET = ("yolox_nano",), ("nanodet", "nanodet_graph")


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
