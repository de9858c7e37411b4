"""Which samples make a batch, which are the reference, and what of them is kept together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import fiftyone as fo
import numpy as np
from fiftyone.core.collections import SampleCollection

from loupe.brain.core.drift import ALL
from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.slicing.columns import shown
from loupe.brain.slicing.factors import TIME, Factor
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import count, root
from loupe.brain.store.factors import place
from loupe.brain.store.fields import GROUP

#: with more batches nobody reads the timeline, and correcting for all of them leaves nothing to see
MAX_BATCHES = 400
#: in place of the name of a batch: the first of them
FIRST = "first"
#: what is kept together by default: one prompt's pictures, and duplicates
GROUPS = ("prompt", GROUP)


def factor_of(samples: SampleCollection, by: str | Factor) -> Factor:
    """Returns what makes the batches: a factor as it is, a field, or a date's part as in ``"created_at day"``.

    Raises:
        UnknownName: no such field; the nearest name is suggested
    """
    if isinstance(by, Factor):
        return by
    path, _, part = by.rpartition(" ")
    if not samples.has_field(by) and path and samples.has_field(path):
        if part not in TIME:
            raise UnknownName("part of a time", part, TIME)
        return Factor.time(path, part)
    is_time = samples.has_field(by) and isinstance(samples.get_field(by), (fo.DateField, fo.DateTimeField))
    return Factor.time(by) if is_time else Factor.field(by)


@dataclass(frozen=True, eq=False)
class Batches:
    """The batches of N samples.

    Attributes:
        names: of the batches
        of: (N,) int64: the batch of each sample, -1 in none
        by: what makes them; empty: nothing, and there is one
        where: the database's query of each by its name, where there is one
    """

    names: list[str]
    of: np.ndarray
    by: str = ""
    where: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def batches(samples: SampleCollection, by: str | Factor | None) -> Batches:
    """Returns the batches of N samples, in the order of the factor's values; without a factor there is one.

    Raises:
        UnknownName: no such field
        InputError: one that has several values of a sample, none at all, or very many
    """
    if by is None:
        return Batches([ALL], np.zeros(count(samples), dtype=np.int64))
    factor = factor_of(samples, by)
    if factor.source == "product":
        raise InputError(f"expected one field or factor to make the batches, got the product {factor.name!r}")
    own = place(samples, factor)
    with database_errors():
        items = own.values(samples.values(own.read))
    factor = factor.of_kind(own.kind).fitted(items)
    column = factor.column(items)
    if len(column.samples) > column.n:
        raise InputError(f"cannot make batches by {factor.name!r}: it has several values of a sample")
    values = [value for value in column.values if value is not None]
    if not values:
        raise InputError(f"cannot make batches by {factor.name!r}: none of {column.n:,} samples has a value")
    if len(values) > MAX_BATCHES:
        raise InputError(
            f"expected at most {MAX_BATCHES} batches, got {len(values):,} by {factor.name!r}: take a coarser part of a "
            "time ('created_at month'), or put numbers into bins (Factor.field(path, bins=4))"
        )
    # the missing value is the last
    of = np.where(column.codes < len(values), column.codes, -1)
    stages = {shown(value): own.stage(factor, value) for value in values}
    where = {name: dict(stage.filter) for name, stage in stages.items() if isinstance(stage, fo.Match)}
    return Batches(list(stages), of, factor.name, where)


def reference_names(made: Batches, given: list[str]) -> list[str]:
    """Returns which of the batches are the reference.

    Raises:
        UnknownName: no such batch; the nearest name is suggested
        InputError: there are no batches to choose from, or none was chosen
    """
    if not given:
        listed = f". There are: {', '.join(made.names)}" if made.by else ""
        raise InputError(f"expected a dataset, a view or at least one batch as the reference, got none{listed}")
    if not made.by:
        raise InputError(
            f"expected a dataset or view as the reference, got {', '.join(given)!r}: to name one of several batches, "
            "say what makes them (by=...)"
        )
    if given == [FIRST] and FIRST not in made.names:
        return made.names[:1]
    for name in given:
        if name not in made.names:
            raise UnknownName(f"batch by {made.by}", str(name), made.names)
    return given


def described(reference: SampleCollection, samples: SampleCollection) -> str:
    """Returns what a reference is called in a sentence."""
    dataset = root(reference)
    name = getattr(reference, "name", None) if isinstance(reference, fo.DatasetView) else None
    if name:
        return f"the saved view {name}"
    whole = isinstance(reference, fo.Dataset)
    own = dataset is root(samples)
    return ("the dataset" if whole else "a view of this dataset" if own else "a view of") + (
        "" if own and not whole else f" {dataset.name}"
    )


def without(made: Batches, ids: Sequence[str], reference: Sequence[str]) -> tuple[Batches, int]:
    """Returns the batches without the samples of the reference, and how many those were.

    Raises:
        InputError: nothing is left
    """
    own = set(reference)
    shared = np.array([sample_id in own for sample_id in ids], dtype=bool)
    if shared.all():
        raise InputError(
            "expected samples beside the reference, got the same samples twice: give another dataset or view, or name "
            "one of their batches (by='created_at day', reference='first')"
        )
    return replace(made, of=np.where(shared, -1, made.of)), int(shared.sum())


def ids_and_groups(
    parts: Sequence[SampleCollection], groups: Sequence[str] | None
) -> tuple[list[list[str]], np.ndarray, tuple[str, ...]]:
    """Returns the ids of each part, the group of each sample of all parts, and the fields that groups are made by."""
    for path in groups or ():
        for part in parts:
            if not part.has_field(path):
                raise UnknownName("field", path, part.get_field_schema(flat=True))
    wanted = GROUPS if groups is None else tuple(groups)
    used = tuple(path for path in wanted if all(part.has_field(path) for part in parts))
    # with groups=() every picture stands for itself, but a file that stands there twice is one picture
    paths = ["filepath", *used]
    ids, values = [], []
    with database_errors():
        for part in parts:
            own, *more = part.values(["id", *paths])
            ids.append(list(own))
            values.append(more)
    n = sum(map(len, ids))
    columns_of = [[value for more in values for value in more[at]] for at in range(len(paths))]
    return ids, components(columns_of, n), used


def components(fields: Iterable[Sequence[Any]], n: int) -> np.ndarray:
    """Returns a group for each of N samples: those that share a value of any field are in one; None is no value."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    edges: list[tuple[int, int]] = []
    for values in fields:
        first: dict[Any, int] = {}
        for at, value in enumerate(values):
            if value is None or value == "" or isinstance(value, (list, dict)):
                continue
            start = first.setdefault(value, at)
            if start != at:
                edges.append((start, at))
    if not edges:
        return np.arange(n)
    ends = np.array(edges)
    graph = coo_matrix((np.ones(len(ends), dtype=bool), (ends[:, 0], ends[:, 1])), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)
