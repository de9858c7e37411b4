"""Reads what groups of samples are compared by: labels, failures, scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import fiftyone as fo
import numpy as np

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.slicing.columns import Column, Slices, combine
from loupe.brain.slicing.factors import Factor, factors_of
from loupe.brain.store import columns, plain
from loupe.brain.store.datasets import Samples
from loupe.brain.store.drift.batches import ids_and_groups
from loupe.brain.store.fields import QUALITY

#: with more groups nobody reads them, and correcting for all leaves nothing to see
MAX_GROUPS = 200
_NUMBERS = (fo.FloatField, fo.IntField)


@dataclass(frozen=True, eq=False)
class Read:
    """What is known of N samples.

    Attributes:
        slices: the groups
        label: the column of the labels; None without
        states: of each failure mode that was judged (N,) int8 of ``State``
        scores: of each score (N,) float64, NaN where there is none
        cluster: (N,) int64: which samples are alike
        clustered: the fields that say so
    """

    slices: Slices
    label: Column | None
    states: Mapping[str, np.ndarray]
    scores: Mapping[str, np.ndarray]
    cluster: np.ndarray
    clustered: tuple[str, ...]


def read(
    samples: Samples,
    by: Sequence[str | Factor],
    label: str | Factor | None,
    scores: Sequence[str] | None,
    groups: Sequence[str] | None,
) -> Read:
    """Returns what groups are compared by, whole columns at a time.

    Args:
        samples: a dataset or view
        by: what makes the groups
        label: the classes; None: none
        scores: fields of numbers; None: all raw scores
        groups: fields; samples that share a value of one are alike; None: the usual ones

    Raises:
        UnknownName: no such field; the nearest name is suggested
        InputError: a field of another kind, too many groups, or the label among what makes them
    """
    factors = factors_of(by)
    own = () if label is None else factors_of(label)
    if not factors:
        raise InputError("expected a field or factor to make groups by, got none: e.g. by='country'")
    if len(own) > 1:
        raise InputError(f"expected one field or factor as the label, got {', '.join(each.name for each in own)}")
    if own and own[0] in factors:
        raise InputError(f"expected groups by something else than the label, got {own[0].name!r} for both")
    table = columns.read(samples, [*factors, *own], None)
    slices = combine({each.name: table.factors[each.name] for each in factors}, n=_n(table.factors))
    if len(slices.values) > MAX_GROUPS:
        raise InputError(
            f"expected at most {MAX_GROUPS} groups, got {len(slices.values):,} by "
            f"{', '.join(each.name for each in factors)}: take fewer factors, or put numbers into bins "
            "(loupe.Factor.field(path, bins=4))"
        )
    _, cluster, used = ids_and_groups([samples], groups)
    numbers = _scores(samples, scores)
    n = _n(table.factors)
    if len(cluster) != n or any(len(values) != n for values in numbers.values()):
        raise InputError("the samples were changed while they were read: call again")
    column = table.factors[own[0].name] if own else None
    return Read(slices, column, table.judged(), numbers, cluster, used)


def _n(read_columns: Mapping[str, Column]) -> int:
    return next(iter(read_columns.values())).n


def score_fields(samples: Samples) -> list[str]:
    """Returns the fields of raw scores."""
    schema = samples.get_field_schema(flat=True)
    return [path for path, kind in schema.items() if path.startswith(f"{QUALITY}.") and isinstance(kind, _NUMBERS)]


def _scores(samples: Samples, given: Sequence[str] | None) -> dict[str, np.ndarray]:
    schema = samples.get_field_schema(flat=True)
    for path in given or ():
        if path not in schema:
            raise UnknownName("field", path, schema)
        if not isinstance(schema[path], _NUMBERS):
            raise InputError(f"expected a field of numbers, but {path!r} is a {type(schema[path]).__name__}")
    paths = score_fields(samples) if given is None else list(given)
    if not paths:
        return {}
    _, table = plain.read(samples, [plain.ID], paths)
    finite = np.where(np.isfinite(table), table, np.nan)
    return {path: finite[:, at] for at, path in enumerate(paths) if np.isfinite(finite[:, at]).any()}
