"""What speaks against a mask: only what is thicker than an edge, weighed by how sure the model is."""

from __future__ import annotations

import numpy as np
import pytest

from loupe.brain.labels.mask_issues import Agreement, disagreement


def mask(*blocks: tuple[int, slice, slice], size: int = 100) -> np.ndarray:
    made = np.zeros((size, size), dtype=np.uint8)
    for code, rows, columns in blocks:
        made[rows, columns] = code
    return made


ONE = (1, slice(20, 60), slice(20, 60))


def test_a_mask_like_the_models_has_nothing_against_it() -> None:
    made = disagreement(mask(ONE), mask(ONE))
    assert (made.score, made.given, made.suggested, made.share) == (0, -1, -1, 0)
    # an edge that lies a pixel or two beside is nobody's mistake
    assert disagreement(mask(ONE), mask((1, slice(21, 61), slice(22, 62)))).score == 0


@pytest.mark.parametrize(
    ("given", "predicted", "classes"),
    [
        (mask(), mask(ONE), (0, 1)),
        (mask((2, *ONE[1:])), mask(ONE), (2, 1)),
        (mask((200, *ONE[1:])), mask(), (200, 0)),
        (mask(ONE, (3, slice(70, 90), slice(70, 90))), mask(), (1, 0)),
    ],
)
def test_the_class_of_the_largest_disagreement_is_named(
    given: np.ndarray, predicted: np.ndarray, classes: tuple[int, int]
) -> None:
    made = disagreement(given, predicted)
    assert (made.given, made.suggested) == classes
    # brute force: a pixel counts where all nine around it differ; beyond the border its nearest is taken
    differs = np.pad(given != predicted, 1, mode="edge")
    thick = np.all([differs[y : y + 100, x : x + 100] for y in range(3) for x in range(3)], axis=0)
    assert made.score == pytest.approx(thick.mean())
    assert made.share <= made.score


def test_it_counts_for_less_where_the_model_is_unsure() -> None:
    sure = np.full((100, 100), 0.5)
    assert disagreement(mask(), mask(ONE), sure).score == pytest.approx(disagreement(mask(), mask(ONE)).score / 4)
    sure[:, 40:] = 1
    # the surer one of two is named, though it is smaller
    both = mask((1, slice(20, 60), slice(0, 30)), (2, slice(20, 60), slice(70, 90)))
    assert disagreement(mask(), both, sure).suggested == 2
    assert disagreement(mask(), both).suggested == 1


def test_pixels_that_nobody_labeled_do_not_count() -> None:
    labeled = np.ones((100, 100), dtype=bool)
    labeled[:50] = False
    given, predicted = mask(), mask((1, slice(0, 50), slice(0, 100)))
    assert disagreement(given, predicted, labeled=labeled).score == 0
    half = disagreement(given, mask((1, slice(50, 100), slice(0, 100))), labeled=labeled)
    assert half.score == pytest.approx(1, abs=0.05)


def test_agreement_is_that_of_all_pixels_together() -> None:
    rng = np.random.default_rng(0)
    given, predicted = rng.integers(0, 4, (6, 30, 40)), rng.integers(0, 4, (6, 30, 40))
    labeled = rng.random((6, 30, 40)) < 0.7
    made = Agreement()
    for own, other, known in zip(given, predicted, labeled, strict=True):
        made.add(own, other, known)
    own, other = given[labeled], predicted[labeled]
    for code, iou in made.ious().items():
        assert iou == pytest.approx(((own == code) & (other == code)).sum() / ((own == code) | (other == code)).sum())
    assert list(made.ious()) == [0, 1, 2, 3]
