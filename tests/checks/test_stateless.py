"""Checks that say that they keep no state: several threads use what they load at once, and each gets its own scores."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from loupe.brain.core import registry
from loupe.brain.core.records import SampleResult
from loupe.testing.cases import CASES
from loupe.testing.picture_set import batch, by_shape

NAMES = [name for name, check in registry.checks().items() if check.stateless]
GROUP = by_shape(CASES)[0][:8]
THREADS = 4


def test_all_that_look_at_the_pixels_alone_are() -> None:
    models = {"aesthetic", "nsfw", "personal_data", "preference"}
    weightless = {n for n, check in registry.checks().items() if "backend" not in check().params()}
    assert set(NAMES) == weightless - models


@pytest.mark.parametrize("name", NAMES)
def test_threads_do_not_disturb_each_other(name: str) -> None:
    score = registry.checks()[name]().load("cpu")
    parts = [GROUP[at::THREADS] for at in range(THREADS)]
    alone = [score(batch(part)).by_sample(len(part)) for part in parts]
    together = Barrier(THREADS)

    def at_once(place: int) -> list[list[SampleResult]]:
        together.wait(60)
        return [list(score(batch(parts[place])).by_sample(len(parts[place]))) for _ in range(3)]

    with ThreadPoolExecutor(THREADS) as pool:
        for expected, rounds in zip(alone, pool.map(at_once, range(THREADS)), strict=True):
            for results in rounds:
                assert repr(results) == repr(list(expected))
