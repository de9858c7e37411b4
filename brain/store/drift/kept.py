"""What ``find_drift`` found last, kept on the dataset for its panel, and the parts that it narrows the view to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, ClassVar

import fiftyone as fo
from fiftyone.core.collections import SampleCollection

from loupe.brain.core.drift import Drift, DriftBatch
from loupe.brain.core.errors import LoupeError
from loupe.brain.slicing.factors import Factor
from loupe.brain.store import runs
from loupe.brain.store.factors import place
from loupe.brain.store.narrowing import Narrowing
from loupe.brain.store.overview import Picture
from loupe.brain.store.thresholds_view import sources

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
        stages: the view that was looked at, as JSON; empty: all of the dataset
        at: when: ISO 8601 in UTC
    """

    drift: Drift
    batches: Mapping[str, Mapping[str, Any]]
    slices: Mapping[str, Mapping[str, Any]]
    reference: str
    stages: str = ""
    at: str = ""


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
        "stages": json.dumps(samples._serialize()) if isinstance(samples, fo.DatasetView) else "",
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    runs.put(samples, KEY, "find_drift", params, facts)


def load(samples: SampleCollection) -> Kept | None:
    """Returns what was found last; None where nothing was looked for, or what is kept cannot be read."""
    facts = runs.results(samples, KEY)
    if facts is None:
        return None
    try:
        return Kept(
            Drift.from_dict(facts["drift"]),
            dict(facts["batches"]),
            dict(facts["slices"]),
            str(facts["reference"]),
            str(facts["stages"]),
            str(facts["at"]),
        )
    except (KeyError, TypeError, ValueError):
        return None


def view_of(dataset: fo.Dataset, stages: str) -> fo.DatasetView:
    """Returns the view that was looked at, as its samples are now.

    Args:
        dataset: the whole
        stages: as in ``Kept``
    """
    return fo.DatasetView._build(dataset, json.loads(stages))


def pictures(
    samples: SampleCollection, kept: Kept, batch: DriftBatch
) -> tuple[tuple[Picture, ...], tuple[Picture, ...]]:
    """Returns the pictures that are the most typical of a batch, and of the reference; without those that are gone.

    A picture of another dataset has an empty id: the App cannot open it.
    """
    dataset = runs.root(samples)
    other = dataset
    if kept.reference:
        if not fo.dataset_exists(kept.reference):
            return _pictures(dataset, batch.newest), ()
        other = fo.load_dataset(kept.reference)
    oldest = _pictures(other, batch.oldest)
    return _pictures(dataset, batch.newest), tuple(
        replace(picture, id="") if other is not dataset else picture for picture in oldest
    )


def _pictures(dataset: fo.Dataset, ids: Sequence[str]) -> tuple[Picture, ...]:
    served = sources(dataset, list(ids))
    return tuple(Picture(sample_id, served[sample_id]) for sample_id in ids if sample_id in served)


def _where(samples: SampleCollection, factor: Factor | None, value: str) -> dict[str, Any] | None:
    """Returns the query of a factor's value; None of what no query tells, such as all rare values together."""
    if factor is None:
        return None
    try:
        stage = place(samples, factor).stage(factor, factor.value_of(value))
    except LoupeError:
        return None
    return dict(stage.filter) if isinstance(stage, fo.Match) else None
