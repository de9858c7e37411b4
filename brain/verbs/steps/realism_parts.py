"""A synthetic set against a real one, a class, scenario or generator at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from loupe.brain.core.errors import UnknownName
from loupe.brain.core.realism import RealismMetric
from loupe.brain.realism import releases, results
from loupe.brain.realism.compare import compare
from loupe.brain.slicing.factors import Factor
from loupe.brain.store.datasets import Samples
from loupe.brain.store.realism import sides as store
from loupe.brain.store.realism.sides import Side, Valued
from loupe.brain.verbs.lifecycle import Lifecycle

#: samples on either side below which nothing is said of a value
_MIN_SAMPLES = 50
#: the factor whose values are generators by name
_GENERATOR = "generation.model"


@dataclass(frozen=True)
class Parts:
    """What is known of each value of a factor.

    Attributes:
        factor: the factor, its bins fitted; None: nothing was asked for
        metrics: by value: its measures
        left_out: values with too few samples on a side, and how many real and synthetic ones they have
        alone: no real sample has a value: each was held against all of them
        released: when the generators among the values came out, as far as that is known
    """

    factor: Factor | None = None
    metrics: dict[str, tuple[RealismMetric, ...]] = field(default_factory=dict)
    left_out: dict[str, tuple[int, int]] = field(default_factory=dict)
    alone: bool = False
    released: dict[str, str] = field(default_factory=dict)


def by_value(
    verb: Lifecycle,
    sides: tuple[Samples, Samples],
    by: str | Factor | None,
    released: Mapping[str, str] | str | None,
    theirs: Side,
    ours: Side,
    k: int,
    seed: int,
) -> Parts:
    """Returns what is known of each value of a factor.

    Where no real sample has a value, each part is held against real samples drawn from all of them, at most twice as
    many as it has itself: so that its interval is of its own samples as much as of theirs.

    Args:
        verb: the verb that is running
        sides: the synthetic and the real samples
        by: the factor; None: nothing is asked for
        released: dates of generators, or the field that has them
        theirs, ours: the vectors of both
        k: the nearest neighbor that a ball reaches to
        seed: decides all draws

    Raises:
        UnknownName: neither side has the field
        InputError: no field to slice by, or a date of another form
    """
    if by is None:
        return Parts()
    factor, own, others = _valued(sides, by, theirs, ours)
    alone = not others.places
    dates = releases.released(own.generators.values(), store.dates(sides[0], released, own, theirs))
    made: dict[str, tuple[RealismMetric, ...]] = {}
    left_out: dict[str, tuple[int, int]] = {}
    every, none = sorted({*own.places, *others.places}), np.zeros(0, np.int64)
    for at, value in enumerate(every):
        verb.step(at, len(every), f"comparing {value}")
        synthetic = own.places.get(value, none)
        real = _drawn(len(ours.ids), len(synthetic), seed) if alone else others.places.get(value, none)
        if min(len(synthetic), len(real)) < _MIN_SAMPLES:
            left_out[value] = (len(ours.ids) if alone else len(real), len(synthetic))
            continue
        part = compare(ours.vectors[real], theirs.vectors[synthetic], k=k, seed=seed, permutations=99)
        made[value] = results.metrics(part)
    known = {value: dates[name] for value, name in own.generators.items() if name in dates}
    return Parts(factor, made, left_out, alone, known)


def _drawn(n: int, synthetic: int, seed: int) -> np.ndarray:
    return np.sort(np.random.default_rng(seed).permutation(n)[: 2 * synthetic])


def _valued(
    sides: tuple[Samples, Samples], by: str | Factor, theirs: Side, ours: Side
) -> tuple[Factor, Valued, Valued]:
    """Returns the factor with the bins of the real samples, or of the synthetic ones where those have no value."""
    try:
        factor = store.fitted(sides[1], by)
        others = store.valued(sides[1], factor, ours, _GENERATOR)
    except UnknownName:
        others = Valued({}, {})
    if not others.places:
        factor = store.fitted(sides[0], by)
    return factor, store.valued(sides[0], factor, theirs, _GENERATOR), others
