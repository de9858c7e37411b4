"""How many pixels an object has."""

from __future__ import annotations

import numpy as np
import pytest

from loupe.brain.objects.tiny import Tiny


@pytest.mark.parametrize(
    ("box", "side", "share"),
    [
        ((10, 10, 26, 26), 16.0, 0.0256),
        ((10, 10, 74, 14), 16.0, 0.0256),  # long and thin: as many pixels
        ((-16, 0, 16, 16), 16.0, 0.0256),  # what lies outside has no pixels
        ((0, 0, 100, 100), 100.0, 1.0),
        ((50.5, 50.5, 51, 51), 0.5, 0.000025),
    ],
)
def test_the_side_is_that_of_a_square_of_the_same_area(box: tuple[float, ...], side: float, share: float) -> None:
    scores = Tiny().score(np.array([box], float), np.array([[100.0, 100.0]]))
    assert scores["object_side"].tolist() == pytest.approx([side])
    assert scores["area_share"].tolist() == pytest.approx([share])


def test_sixteen_pixels_are_not_tiny() -> None:
    threshold = Tiny.outputs[0].default_threshold
    assert threshold is not None
    assert threshold.violates(np.array([15.99, 16.0, np.nan])).tolist() == [True, False, False]
