"""Probabilities that are none, classes that are mixed up, names and duplicates."""

from __future__ import annotations

import numpy as np
import pytest

from loupe.brain.core.errors import InputError
from loupe.brain.labels.issues import disagreeing, mixed_up, require_probabilities, same_names, too_few


def drawn(seed: int, n: int = 400, classes: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(classes, 0.4), n), rng.integers(0, classes, n)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p[:, :3], "shape"),
        (lambda p: np.where(np.arange(len(p))[:, None] == 3, np.nan, p), "NaN or infinity on 1 of"),
        (lambda p: p * 0.9, "sum to 1"),
        (lambda p: p * 8 - 3, "softmax"),
    ],
)
def test_probabilities_that_are_none(change: object, message: str) -> None:
    probabilities, given = drawn(1)
    with pytest.raises(InputError, match=message):
        require_probabilities(change(probabilities), len(given), 5)  # type: ignore[operator]


def test_which_classes_are_mixed_up_is_counted() -> None:
    given = np.array([0, 0, 0, 1, 1, 2, 2, 2])
    suggested = np.array([1, 1, 2, 0, 1, 0, 2, 0])
    flagged = np.array([True, True, True, True, False, True, False, False])
    made = mixed_up(given, suggested, flagged, 3)
    assert [(each.given, each.suggested, each.k, each.n) for each in made] == [
        (0, 1, 2, 3),
        (0, 2, 1, 3),
        (1, 0, 1, 2),
        (2, 0, 1, 3),
    ]


def test_names_and_duplicates() -> None:
    assert same_names(["a b", "A_B", "a-b", "ab", "c", "c"]) == [("A_B", "a b", "a-b", "ab")]
    assert same_names(["straße", "STRASSE"]) == [("STRASSE", "straße")]
    groups, labels = ["g", None, "g", "h", "h", "g"], ["x", "y", None, "x", "y", "x"]
    assert disagreeing(groups, labels) == {"h": [3, 4]}


def test_classes_that_too_few_groups_have() -> None:
    given = np.array([0, 0, 0, 1, 1, 2, 3, 3])
    groups = np.array([0, 1, 2, 3, 4, 5, 6, 6])
    assert too_few(given, groups).tolist() == [False, False, False, False, False, True, True, True]
    assert too_few(given, groups, 3).tolist() == [False, False, False, True, True, True, True, True]


def test_probabilities_of_several_classes_need_not_sum_to_one() -> None:
    table = np.array([[0.9, 0.9], [0.0, 0.1]])
    assert np.allclose(require_probabilities(table, 2, 2, exclusive=False), table)
    with pytest.raises(InputError, match="sum to 1"):
        require_probabilities(table, 2, 2)
    with pytest.raises(InputError, match="sigmoid"):
        require_probabilities(2 * table, 2, 2, exclusive=False)
