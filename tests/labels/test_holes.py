"""The coverage is that of its definition, chance leaves no holes, and a missing cluster is one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from loupe.brain.core.errors import InputError
from loupe.brain.labels import holes
from loupe.brain.labels.holes import uncovered
from loupe.brain.stats.ball_coverage import coverage as expected_coverage


def unit(vectors: np.ndarray) -> Any:
    made = vectors.astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


CENTERS = np.random.default_rng(99).normal(size=(8, 16))


def drawn(rng: np.random.Generator, n: int, skip: int | None = None) -> np.ndarray:
    own = rng.choice([at for at in range(8) if at != skip], n)
    return unit(CENTERS[own] + 0.4 * rng.normal(size=(n, 16)))


def by_definition(reference: np.ndarray, samples: np.ndarray, k: int) -> float:
    between = np.linalg.norm(reference[:, None] - reference[None], axis=2)
    radius = np.sort(between, axis=1)[:, k]
    near = np.linalg.norm(reference[:, None] - samples[None], axis=2).min(axis=1)
    return float((near <= radius).mean())


@pytest.mark.parametrize("k", [1, 5, 9])
def test_the_coverage_is_that_of_the_definition(k: int) -> None:
    rng = np.random.default_rng(k)
    reference, samples = drawn(rng, 150), drawn(rng, 90)
    made = uncovered(reference, samples, k=k)
    assert made.covered / made.compared == by_definition(reference, samples, k)


def test_the_expected_coverage_is_what_comes_of_drawing() -> None:
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(60):
        made = uncovered(drawn(rng, 80), drawn(rng, 40), k=5)
        shares.append(made.covered / made.compared)
    assert np.mean(shares) == pytest.approx(expected_coverage(80, 40, 5), abs=3 * np.std(shares) / 60**0.5)


def test_a_missing_cluster_is_a_hole_and_nothing_else_is() -> None:
    rng = np.random.default_rng(1)
    own = np.repeat(np.arange(8), 60)
    reference = unit(CENTERS[own] + 0.4 * rng.normal(size=(480, 16)))
    made = uncovered(reference, drawn(rng, 400, skip=3))
    rows = np.concatenate([region.rows for region in made.regions])
    assert len(rows) > 40
    assert (own[rows] == 3).mean() > 0.95
    assert all(region.p <= 0.05 for region in made.regions)
    assert len(made.regions[0].rows) >= len(made.regions[-1].rows)


def test_chance_leaves_no_holes() -> None:
    named = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        named += bool(uncovered(drawn(rng, 200), drawn(rng, 100), seed=seed).regions)
    assert named <= 5


def test_many_pictures_of_few_prompts_leave_no_more_holes_by_chance() -> None:
    """Copies cover no more: counted one by one, 300 of 30 would be expected to cover everything."""
    named = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        first = drawn(rng, 30)
        copies = unit(np.repeat(first, 10, axis=0) + 1e-3 * rng.normal(size=(300, 16)))
        named += bool(uncovered(drawn(rng, 200), copies, np.repeat(np.arange(30), 10), seed=seed).regions)
    assert named <= 3


def test_a_hole_holds_nothing_that_a_sample_of_a_group_covers() -> None:
    rng = np.random.default_rng(2)
    own = np.repeat(np.arange(8), 60)
    reference = unit(CENTERS[own] + 0.4 * rng.normal(size=(480, 16)))
    # 20 pictures of each group, of which 30 have the last one in the cluster: hardly any of those is dealt
    filled = drawn(rng, 4000, skip=3)
    filled[19:600:20] = unit(CENTERS[[3] * 30] + 0.4 * rng.normal(size=(30, 16)))
    made = uncovered(reference, filled, np.repeat(np.arange(200), 20))
    assert made.regions
    assert sum(len(region.rows) for region in made.regions) < 50
    radius = np.sort(np.linalg.norm(reference[:, None] - reference[None], axis=2), axis=1)[:, made.k]
    near = np.linalg.norm(reference[:, None] - filled[None], axis=2).min(axis=1)
    for region in made.regions:
        assert (near[region.rows] > radius[region.rows] - 1e-6).all()


def test_large_sets_are_drawn_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holes, "MAX_VECTORS", 200)
    rng = np.random.default_rng(3)
    made = uncovered(drawn(rng, 500), drawn(rng, 700, skip=2))
    assert (made.compared, made.samples) == (200, 200)
    assert made.regions
    assert max(region.rows.max() for region in made.regions) >= 200


def test_the_same_seed_gives_the_same() -> None:
    rng = np.random.default_rng(4)
    sets = drawn(rng, 200), drawn(rng, 200, skip=1)
    first, second = uncovered(*sets, seed=5), uncovered(*sets, seed=5)
    assert [region.rows.tolist() for region in first.regions] == [region.rows.tolist() for region in second.regions]


def test_too_few_or_different_vectors_are_refused() -> None:
    rng = np.random.default_rng(5)
    with pytest.raises(InputError, match="at least 20 reference"):
        uncovered(drawn(rng, 19), drawn(rng, 50))
    with pytest.raises(InputError, match="got none"):
        uncovered(drawn(rng, 50), drawn(rng, 0))
    with pytest.raises(InputError, match="one embedder"):
        uncovered(drawn(rng, 50), unit(rng.normal(size=(50, 8))))
    with pytest.raises(InputError, match="k to be"):
        uncovered(drawn(rng, 50), drawn(rng, 50), k=50)
