"""What ``find_drift`` found last, kept on the dataset for its panel, and the parts that it narrows the view to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import fiftyone as fo
from fiftyone.core.collections import SampleCollection

from loupe.brain.core.drift import Drift
from loupe.brain.core.errors import LoupeError
from loupe.brain.slicing.factors import Factor
from loupe.brain.store import runs
from loupe.brain.store.factors import place
from loupe.brain.store.narrowing import Narrowing

#: the run that keeps it
KEY = "loupe_drift"


@dataclass(frozen=True)
class Kept:
    """What is kept.

    Attributes:
        drift: what was found
        batches: the database's query of each batch by its name; a batch without one is all samples
        slices: that of each slice that is named, by ``key``
        reference: of other samples than the dataset's, the name of their dataset; else empty
    """

    drift: Drift
    batches: Mapping[str, Mapping[str, Any]]
    slices: Mapping[str, Mapping[str, Any]]
    reference: str


@dataclass(frozen=True)
class Part(Narrowing):
    """The samples of a batch, or of a slice of it.

    Attributes:
        name: how it is called
        where: the database's query
    """

    name: str
    where: Mapping[str, Any]

    tag: ClassVar[str] = "drift"

    def query(self) -> dict[str, Any]:
        return {"$and": [dict(self.where)]}

    def facts(self) -> Any:
        return [self.name, dict(self.where)]

    @classmethod
    def from_facts(cls, facts: Any) -> Part:
        name, where = facts
        if not isinstance(name, str) or not isinstance(where, dict):
            raise ValueError("expected a name and a query")
        return cls(name, where)


def key(factor: str, value: str) -> str:
    """Returns the key of a slice by one factor: its name and that of its value."""
    return f"{factor}\n{value}"


def save(
    samples: SampleCollection,
    drift: Drift,
    batches: Mapping[str, Mapping[str, Any]],
    factors: Mapping[str, Factor],
    reference: str,
    params: Mapping[str, Any],
) -> None:
    """Keeps what was found in place of what was found before; nothing of the samples is written.

    Args:
        samples: what was looked at
        drift: what was found
        batches: the query of each batch by its name
        factors: those that slices are named by, with the edges of their bins
        reference: as in ``Kept``
        params: the settings
    """
    named = {
        (factor, value)
        for batch in drift.batches
        for factor, value in (
            *(pair for driver in batch.drivers for pair in driver.slice.values.items()),
            *((shift.quantity, change.value) for shift in batch.shifts for change in shift.changes),
        )
    }
    slices = {}
    for name, value in sorted(named):
        where = _where(samples, factors.get(name), value)
        if where is not None:
            slices[key(name, value)] = where
    # a query's operators begin with $, and a name may hold dots: kept as lists, they are no keys of the database
    facts = {
        "drift": drift.to_dict(),
        "batches": [[name, dict(where)] for name, where in batches.items()],
        "slices": [[name, where] for name, where in slices.items()],
        "reference": reference,
    }
    runs.put(samples, KEY, "find_drift", params, facts)


def load(samples: SampleCollection) -> Kept | None:
    """Returns what was found last; None where nothing was looked for, or what is kept cannot be read."""
    facts = runs.results(samples, KEY)
    if facts is None:
        return None
    try:
        return Kept(
            Drift.from_dict(facts["drift"]), dict(facts["batches"]), dict(facts["slices"]), str(facts["reference"])
        )
    except (KeyError, TypeError, ValueError):
        return None


def _where(samples: SampleCollection, factor: Factor | None, value: str) -> dict[str, Any] | None:
    """Returns the query of a factor's value; None of what no query tells, such as all rare values together."""
    if factor is None:
        return None
    try:
        stage = place(samples, factor).stage(factor, factor.value_of(value))
    except LoupeError:
        return None
    return dict(stage.filter) if isinstance(stage, fo.Match) else None
