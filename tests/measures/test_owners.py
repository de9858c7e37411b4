"""Whose a hand or a face is, by what a detector sees around it."""

from __future__ import annotations

import numpy as np
import pytest

from loupe.brain.core.records import Box
from loupe.brain.measures.anatomy.owners import owner
from loupe.brain.perception.landmarks.crop import Roi
from loupe.brain.perception.landmarks.figure import Figure


def box(label: str, confidence: float | None, bounds: tuple[float, float, float, float] = (0.3, 0.2, 0.5, 0.5)) -> Box:
    return Box(label, bounds, confidence)


@pytest.mark.parametrize(
    ("objects", "whose"),
    [
        ([], "nobody"),
        ([box("dog", 0.9)], "animal"),
        ([box("dog", 0.4)], "nobody"),
        ([box("dog", None)], "nobody"),
        ([box("teddy bear", 0.9)], "nobody"),
        ([box("dog", 0.9, (0.0, 0.0, 0.1, 0.1))], "nobody"),
        ([box("person", 0.3)], "person"),
        ([box("person", 0.29)], "nobody"),
        ([box("dog", 0.9), box("person", 0.4)], "person"),
        ([box("dog", 0.9), box("person", 0.2)], "animal"),
        ([box("dog", 0.9), box("person", 0.9, (0.8, 0.8, 0.2, 0.2))], "animal"),
    ],
)
def test_whose_it_is(objects: list[Box], whose: str) -> None:
    points = np.array([[40, 40], [60, 60]], np.float32)
    figure = Figure(points, np.zeros(2, np.float32), 1.0, 1.0, Roi(50, 50, 20), (100, 100))
    assert owner(figure, objects) == whose
