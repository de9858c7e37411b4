"""Close-ups of what a check saw: which are shown, and which part of the picture they show."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.database
Given = tuple[Any, ...]


@pytest.fixture(autouse=True)
def _here(database: str) -> None:
    """What the panels import needs a database."""


def cut(*marks: Given, size: tuple[int, int] | None = (1000, 500)) -> tuple[Any, ...]:
    """Returns the close-ups of marks: label, bounds, and what else is known of each."""
    from loupe.brain.store.review.evidence import Evidence, Mark
    from loupe.panels.review_failures.close_ups import of_marks

    return of_marks(Evidence("a", "/media", size, 0.9, tuple(Mark(*each) for each in marks), "", None, "a.png"))


def test_a_square_around_the_mark_one_and_a_half_times_as_wide() -> None:
    # 100 x 50 pixels around (350, 225)
    (card,) = cut(("hand", (0.3, 0.4, 0.1, 0.1), "six fingers", 0.875))
    assert card.bounds == pytest.approx((0.275, 0.3, 0.15, 0.3))
    assert (card.shape, card.title, card.why) == (pytest.approx(1.0), "hand 0.88", "six fingers")


def test_small_marks_are_not_enlarged_to_single_pixels() -> None:
    (card,) = cut(("eye", (0.5, 0.5, 0.001, 0.002)))
    assert card.bounds[2] * 1000 == pytest.approx(48)
    assert card.title == "eye"


@pytest.mark.parametrize("bounds", [(0.0, 0.0, 0.2, 0.2), (0.9, 0.8, 0.1, 0.2), (-0.2, 0.4, 0.3, 0.1)])
def test_it_stays_inside_of_the_picture(bounds: tuple[float, float, float, float]) -> None:
    (card,) = cut(("hand", bounds))
    x, y, width, height = card.bounds
    assert min(x, y) >= 0
    assert max(x + width, y + height) <= 1 + 1e-9
    assert card.shape == pytest.approx(width * 1000 / (height * 500))


def test_a_part_as_high_as_the_picture_keeps_its_shape() -> None:
    (card,) = cut(("body", (0.4, 0.2, 0.1, 0.5)), size=(1000, 300))
    assert card.bounds[3] == pytest.approx(0.75)
    (card,) = cut(("word", (0.3, 0.45, 0.4, 0.05)), size=(1000, 300))
    assert card.bounds == pytest.approx((0.2, 0.0, 0.6, 1.0))
    assert card.shape == pytest.approx(2.0)


def test_none_of_what_is_most_of_the_picture_has_no_area_or_cannot_be_placed() -> None:
    assert cut(("person", (0.1, 0.1, 0.6, 0.3))) == ()
    assert cut(("hand", (0.1, 0.1, 0.0, 0.3))) == ()
    assert cut(("hand", (0.1, 0.1, 0.1, 0.1)), size=None) == ()


def test_the_first_ones_are_shown() -> None:
    marks = [(str(number), (0.1, 0.1, 0.1, 0.1)) for number in range(5)]
    assert [card.title for card in cut(*marks)] == ["0", "1", "2"]
