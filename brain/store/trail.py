"""The way into a dataset by values of factors, one after the other: night, and in it fog, and in it …"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import fiftyone as fo
from fiftyone.core.collections import SampleCollection

from loupe.brain.core.errors import InputError, LoupeError
from loupe.brain.core.records import Record
from loupe.brain.slicing.factors import Factor
from loupe.brain.store.factors import place

#: so deep nobody goes: hardly a sample is left
MAX_STEPS = 4


@dataclass(frozen=True)
class Step(Record):
    """One step: the samples that have a value of a factor.

    Attributes:
        factor: with the edges of its bins, as they were where the step was taken
        value: the value's name in a slice
    """

    factor: Factor
    value: str

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Step:
        """Returns the step that ``to_dict`` made plain values of; raises whatever it likes where it is none."""
        if not isinstance(facts["value"], str):
            raise ValueError("expected the name of a value")
        return cls(Factor.from_dict(facts["factor"]), facts["value"])

    def query(self, samples: SampleCollection) -> dict[str, Any]:
        """Returns the database's query of its samples: JSON-able.

        Raises:
            LoupeError: the samples have no such field any more, or the factor no such value
        """
        own = place(samples, self.factor)
        factor = self.factor.of_kind(own.kind)
        stage = own.stage(factor, factor.value_of(self.value))
        if not isinstance(stage, fo.Match):
            raise InputError(f"expected a factor of the samples' own fields, got {self.factor.name!r}")
        return dict(stage.filter)


def steps_of(given: Any) -> tuple[Step, ...]:
    """Returns the steps that were kept as plain values; none where they are none: they come from a browser."""
    if not isinstance(given, (list, tuple)) or len(given) > MAX_STEPS:
        return ()
    try:
        steps = tuple(Step.from_dict(facts) for facts in given)
    except (LoupeError, ValueError, LookupError, TypeError, AttributeError):
        return ()
    return steps if len({step.factor.name for step in steps}) == len(steps) else ()


def queries(samples: SampleCollection, steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Returns the database's query of each step.

    Raises:
        LoupeError: as for ``Step.query``
    """
    return [step.query(samples) for step in steps]
