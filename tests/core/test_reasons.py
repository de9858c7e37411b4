"""A check that applies to no picture is one line."""

from __future__ import annotations

import pytest

from loupe.brain.core.reasons import inapplicable


@pytest.mark.parametrize(
    ("n", "judged", "reasons", "sentence"),
    [
        (216, 0, {"too small": 216}, "does not apply to any of 216 pictures: too small"),
        (1216, 0, {"a 3 x 4": 1000, "a 5 x 6": 216}, "does not apply to any of 1,216 pictures: a 3 x 4, and alike"),
        (216, 4, {"too small": 212}, "judged 4 of 216 pictures only: too small"),
        (216, 216, {"no text": 213}, "unknown in part on 213 of 216 pictures: no text"),
        (10, 0, {"small": 6, "plain": 4}, "does not apply to any of 10 pictures: most often small"),
        (10, 0, {"unreadable: a": 5, "unreadable: b": 5}, "could judge none of 10 pictures: unreadable: a, and alike"),
        (216, 100, {"too small": 116}, None),
        (216, 216, {}, None),
        (2, 0, {"too small": 2}, None),
        (0, 0, {}, None),
    ],
)
def test_one_sentence(n: int, judged: int, reasons: dict[str, int], sentence: str | None) -> None:
    assert inapplicable(n, sum(reasons.values()), judged, reasons) == sentence
