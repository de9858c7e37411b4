"""How long an experiment takes after its images are drawn, by rates that were measured: told before it starts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from loupe.brain.core.specs import Check
from loupe.brain.engine import estimate
from loupe.brain.realism.pictures import MAX_PICTURES
from loupe.brain.store.experiment import datasets as store
from loupe.brain.store.experiment import pace
from loupe.brain.store.experiment.datasets import Real
from loupe.brain.verbs.steps.experiment_arms import Arm

if TYPE_CHECKING:
    import fiftyone as fo

#: seconds of CPU of comparing an arm and training on it, on the machine that the costs of checks were taken on: of
#: each, of a pair of vectors and of one of its numbers, of a vector and of two of its numbers
_ARM, _PAIR, _PAIR_NUMBER, _VECTOR_NUMBERS = 1.0, 2.5e-8, 2e-11, 6e-10
#: numbers of a vector where there are none yet
_NUMBERS = 1024


def after(
    dataset: fo.Dataset, arms: Sequence[Arm], real: Real, checks: Sequence[Check] | None, path: str
) -> dict[str, float]:
    """Returns the seconds of what is still to be done, by name; NaN where there is no rate.

    Checks and vectors by the last run of the kind on these datasets; checks without one by their stated costs.
    Comparing and training by what both cost on normal vectors (``python -m benchmarks.realism speed``).

    Args:
        dataset: where the images go
        arms: all of them
        real: the real samples
        checks: what new images are checked for; None: nothing
        path: of the vectors
    """
    n = sum(len(arm.rows) for arm in arms)
    known = pace.done(dataset, real, path)
    made: dict[str, float] = {}
    images = max(n - known.checked, 0)
    if checks is not None and images:
        rate = pace.rate([dataset], "check")
        made["checks"] = estimate.seconds(checks, images) if math.isnan(rate) else images * rate
    vectors = max(n - known.embedded, 0) + known.real_without
    if vectors:
        made["vectors"] = vectors * pace.rate([dataset, real.train, real.test], "embed")
    names = set(store.kept(dataset))
    sizes = [len(arm.rows) for arm in arms if arm.name not in names]
    if sizes:
        made["comparing and training"] = comparing(len(real.train), sizes, known.numbers or _NUMBERS)
    return made


def comparing(n: int, sizes: Sequence[int], numbers: int, *, speed: float | None = None) -> float:
    """Returns the seconds that comparing and training take of sets of so many images, against n real ones.

    Args:
        n: real samples
        sizes: images of each set
        numbers: of a vector
        speed: of a core; that of this machine by default

    >>> comparing(1000, [1000, 1000], 512, speed=1) == 2 * comparing(1000, [1000], 512, speed=1)
    True
    """
    speed = estimate.core_speed() if speed is None else speed
    total = 0.0
    for m in sizes:
        pairs = n * n / 2 + m * m / 2 + n * m
        seconds = _ARM + pairs * (_PAIR + _PAIR_NUMBER * numbers) + _VECTOR_NUMBERS * (n + m) * numbers**2
        read = min(n, MAX_PICTURES) + min(m, MAX_PICTURES)
        total += seconds / speed + estimate.seconds([], read, megapixels=[0.25], speed=speed, cores=1)
    return total


def words(known: Mapping[str, float]) -> tuple[str, ...]:
    """Returns what is to be known of it, a sentence each."""
    if any(math.isnan(seconds) for seconds in known.values()):
        return ("how long vectors take is known once some were made here: loupe.embed of the real images, for one",)
    return ()
