"""Prices against the providers' own numbers, and budgets against every order of events."""

from __future__ import annotations

import math
import random

import pytest

from loupe.brain.core.errors import InputError
from loupe.brain.hosted import price
from loupe.brain.hosted.budget import Budget


@pytest.mark.parametrize(
    ("model", "quality", "tokens"),
    [
        # OpenAI's calculator, as others quote it
        ("gpt-image-2.5-flare", "low", 196),
        ("gpt-image-2.5-flare", "medium", 439),
        ("gpt-image-2.5-sunburst", "high", 1756),
        ("gpt-image-2.5-sunburst-2026-09-08", "xhigh", 3122),
        ("gpt-image-2.5-flare", "max", 7024),
        ("gpt-image-2", "high", 7024),
        ("gpt-image-1.5", "medium", 1056),
        ("gpt-image-1-mini", "high", 4160),
        ("gpt-image-2.6-flare", "low", None),
        ("gpt-image-2", "max", None),
        ("somebody-elses", "low", None),
    ],
)
def test_the_tokens_of_a_square(model: str, quality: str, tokens: int | None) -> None:
    assert price.openai_tokens(model, quality, 1024, 1024) == tokens


def test_the_tokens_of_other_shapes() -> None:
    assert price.openai_tokens("gpt-image-2", "high", 1536, 1024) == 5488
    assert price.openai_tokens("gpt-image-2", "high", 1024, 1536) == 5488
    assert price.openai_tokens("gpt-image-2", "high", 1792, 1024) == 5063
    assert price.openai_tokens("gpt-image-2", "high", 3584, 2048) == 12329
    assert price.openai_tokens("gpt-image-1.5", "high", 1000, 1000) is None


def test_dollars() -> None:
    assert price.of_openai("gpt-image-1.5", "high", 1024, 1024) == pytest.approx(0.13312)
    assert price.of_openai("gpt-image-1-mini", "low", 1536, 1024) == pytest.approx(0.0032)
    assert price.of_openai_usage("gpt-image-2.5-flare", 20, 439) == pytest.approx(0.01327)
    assert price.of_openai_usage("unknown", 20, 439) is None
    assert price.of_ideogram("ideogram-4-5", "medium") == 0.06
    assert price.of_ideogram("ideogram-9", "medium") is None
    assert price.of_bfl("flux-2-pro", 1000, 1000) == pytest.approx(0.03)
    assert price.of_bfl("flux-2-max", 2048, 1920) == pytest.approx(0.07 + 3 * 0.03)
    assert price.of_bfl("flux-pro-1.1", 512, 512) == 0.04
    assert price.of_bfl("flux-2-flex", 512, 512) is None


@pytest.mark.parametrize("value", [0, -1, -0.01, math.nan, math.inf, True, "5", [5]])
def test_a_budget_that_is_none(value: object) -> None:
    with pytest.raises(InputError, match="expected budget in dollars, more than 0, got"):
        price.checked("budget", value)  # type: ignore[arg-type]


def test_a_price_may_be_nothing() -> None:
    price.checked("price_per_image", 0)
    with pytest.raises(InputError, match="price_per_image in dollars, from 0"):
        price.checked("price_per_image", -1)


@pytest.mark.parametrize("seed", range(40))
def test_a_budget_is_exceeded_by_one_request_at_most(seed: int) -> None:
    rng = random.Random(seed)
    cents = rng.choice([1, 4, 7])
    budget = Budget(rng.uniform(0.0, 3.0), cents / 100)
    dearest = rng.choice([1.0, 1.3, 2.0]) * cents / 100
    under_way = 0
    largest = 0.0
    for _ in range(2000):
        if rng.random() < 0.6 and under_way < 8 and budget.allows(under_way):
            under_way += 1
        elif under_way:
            under_way -= 1
            cost = rng.choice([0.0, cents / 100, rng.uniform(0, dearest)])
            largest = max(largest, cost)
            budget.paid(cost)
    assert budget.spent + under_way * 0 <= (budget.limit or 0) + largest + 1e-9
    while under_way:
        under_way -= 1
        budget.paid(dearest)
    assert budget.spent <= (budget.limit or 0) + dearest + 1e-9


def test_a_budget_is_used_up() -> None:
    budget = Budget(1.0, 0.04)
    count = 0
    while budget.allows(0):
        budget.paid(0.04)
        count += 1
    assert count == 25
    assert Budget(None, 0.04).allows(1000)
