"""How far a box stays from the border, against a loop over the pixels that it covers."""

from __future__ import annotations

import numpy as np
import pytest

from loupe.brain.objects.cut import Cut, border_distance, outside


def test_the_distance_is_that_of_the_nearest_side_counted_in_pixels() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        width, height = rng.integers(5, 40, 2).tolist()
        left, top = int(rng.integers(-6, width - 1)), int(rng.integers(-6, height - 1))
        right, bottom = left + int(rng.integers(1, width + 6)), top + int(rng.integers(1, height + 6))
        covered = {(x, y) for x in range(left, right) for y in range(top, bottom)}
        inside = {(x, y) for x, y in covered if 0 <= x < width and 0 <= y < height}
        if not inside:
            continue
        free = min(
            min(x for x, _ in covered),
            min(y for _, y in covered),
            width - 1 - max(x for x, _ in covered),
            height - 1 - max(y for _, y in covered),
        )
        box, size = np.array([[left, top, right, bottom]], float), np.array([[width, height]], float)
        assert border_distance(box, size)[0] == max(free, 0)
        assert outside(box, size)[0] == pytest.approx(1 - len(inside) / len(covered))


@pytest.mark.parametrize(("distance", "fails"), [(0.0, True), (0.9, True), (1.0, False), (3.0, False)])
def test_within_a_pixel_is_a_touch(distance: float, fails: bool) -> None:
    scores = Cut().score(np.array([[distance, 20, 60, 60.0]]), np.array([[100.0, 100.0]]))
    threshold = Cut.outputs[0].default_threshold
    assert threshold is not None
    assert threshold.violates(scores["border_distance"]).tolist() == [fails]


def test_a_box_of_the_whole_picture_touches_and_no_box_gives_no_score() -> None:
    sizes = np.array([[64.0, 48.0]])
    assert Cut().score(np.array([[0, 0, 64.0, 48.0]]), sizes)["border_distance"].tolist() == [0.0]
    assert {len(values) for values in Cut().score(np.zeros((0, 4)), np.zeros((0, 2))).values()} == {0}
