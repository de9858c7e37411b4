"""How hands, faces and bodies are found: a detector says where, a landmark model looks there, and then looks again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Generic

import numpy as np

from loupe.brain.perception.landmarks import crop
from loupe.brain.perception.landmarks.crop import Roi
from loupe.brain.perception.landmarks.detector import Detector, Layout
from loupe.brain.perception.landmarks.figure import AnyFigure, distinct
from loupe.brain.perception.landmarks.litert import Model


class Finder(ABC, Generic[AnyFigure]):
    """Base of ``Hands``, ``Faces`` and ``Poses``, which say what their arguments are.

    Attributes:
        layouts: of the detectors that it can use
        shapes: of what its landmark model gives
        parts: whether a much smaller figure within a surer one is a part of it, as four fingers are of a hand
    """

    layouts: ClassVar[tuple[Layout, ...]]
    shapes: ClassVar[list[tuple[int, ...]]]
    parts: ClassVar[bool] = True

    def __init__(
        self,
        detection: str | Path,
        landmark: str | Path,
        *,
        levels: int = 1,
        threshold: float = 0.5,
        presence: float = 0.5,
        max_figures: int = 64,
        passes: int = 2,
    ) -> None:
        self._detector = Detector(detection, self.layouts, threshold=threshold, levels=levels)
        self._model = Model(landmark)
        self._model.expect(self.shapes)
        self._presence = presence
        self._max_figures = max_figures
        self._passes = passes

    def __call__(self, picture: np.ndarray) -> list[AnyFigure]:
        """Returns what is found, the surest first.

        Args:
            picture: (H, W, 3) uint8 RGB

        Raises:
            InputError: it is not such a picture
        """
        picture = crop.checked(picture)
        detections = self._detector(picture)[: self._max_figures]
        figures = []
        for box, keypoints, score in zip(detections.boxes, detections.keypoints, detections.scores, strict=True):
            seen = self._landmarks_in(picture, self._first(box, keypoints), float(score))
            if seen is None:
                continue
            for _ in range(self._passes - 1):
                seen = self._landmarks_in(picture, seen[1], float(score)) or seen
            figures.append(seen[0])
        return distinct(figures, parts=self.parts)

    def at(self, picture: np.ndarray, roi: Roi, score: float = 1.0) -> AnyFigure | None:
        """Returns what is in one region, or None where the landmark model sees nothing of its kind.

        Args:
            picture: (H, W, 3) uint8 RGB
            roi: a square around the whole of it, upright in it: the fingers of a hand point up
            score: what the figure's ``score`` is to be
        """
        seen = self._landmarks_in(picture, roi, score)
        return None if seen is None else seen[0]

    def _landmarks_in(self, picture: np.ndarray, roi: Roi, score: float) -> tuple[AnyFigure, Roi] | None:
        return self._landmarks(picture, roi, score) if roi.usable else None

    @abstractmethod
    def _first(self, box: np.ndarray, keypoints: np.ndarray) -> Roi:
        """The region to look at, by the detector's (4,) box and (K, 2) key points in pixels."""

    @abstractmethod
    def _landmarks(self, picture: np.ndarray, roi: Roi, score: float) -> tuple[AnyFigure, Roi] | None:
        """What the landmark model sees in a usable region, and the region to look at next; None where it sees none."""
