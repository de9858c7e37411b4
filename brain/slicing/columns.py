"""Which values of a factor each sample has, and the slices that several factors make together. No FiftyOne."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from loupe.brain.core.errors import InputError

#: how a missing value is shown; it is a slice of its own
NONE = "(none)"

#: with more slices nobody reads their rates
MAX_SLICES = 50_000
#: so many values of one sample each are no chance
_ALONE = 20


@dataclass(frozen=True, eq=False)
class Column:
    """Which values of a factor each of N samples has: one, or several where its field holds lists.

    Attributes:
        values: the distinct values in the order in which they are shown; None is the missing value
        samples: (M,) int64: the sample of each entry, ascending; each of the N stands there at least once
        codes: (M,) int64: its value, as a place in ``values``
        n: how many samples there are
    """

    values: tuple[Any, ...]
    samples: np.ndarray
    codes: np.ndarray
    n: int

    @classmethod
    def of(cls, values: Sequence[Any], order: Sequence[Any] | None = None) -> Column:
        """Returns the column of N values.

        Args:
            values: a value for each sample, or a list of several; a list with nothing in it, or nothing but None, is
                the missing value
            order: the values in the order in which they are shown, None left out. By default numbers stand in numeric
                order, then texts with the numbers in them in numeric order. None is last in any case

        >>> column = Column.of(["day 10", None, "day 9", ["day 10", "day 9"]])
        >>> column.values, column.samples.tolist(), column.codes.tolist()
        (('day 9', 'day 10', None), [0, 1, 2, 3, 3], [1, 2, 0, 0, 1])
        """
        entries: Sequence[Any] = values
        samples = np.arange(len(values), dtype=np.int64)
        if any(isinstance(value, list) for value in values):
            rows = [_flat(value) or [None] for value in values]
            samples = np.repeat(samples, [len(row) for row in rows])
            entries = [value for row in rows for value in row]
        occurring = dict.fromkeys(entries)
        if order is None:
            distinct = sorted(occurring, key=_natural)
        else:
            distinct = [value for value in [*order, None] if value in occurring]
        place = {value: code for code, value in enumerate(distinct)}
        codes = np.fromiter((place[value] for value in entries), dtype=np.int64, count=len(entries))
        if len(entries) > len(values):  # the values of a list, too, stand in the order in which they are shown
            codes = codes[np.lexsort((codes, samples))]
        return cls(tuple(distinct), samples, codes, len(values))

    def counts(self) -> np.ndarray:
        """Returns how many samples have each value: (V,) int64."""
        return np.bincount(self.codes, minlength=len(self.values))

    def rows(self, value: Any) -> np.ndarray:
        """Returns which samples have a value, ascending: (K,) int64."""
        return self.samples[self.codes == self.values.index(value)]


@dataclass(frozen=True, eq=False)
class Slices:
    """The combinations of values that occur.

    Attributes:
        values: the values of each, by factor, in the order in which they are shown
        samples: (M,) int64: the sample of each entry
        codes: (M,) int64: its slice, as a place in ``values``
    """

    values: list[dict[str, Any]]
    samples: np.ndarray
    codes: np.ndarray


def combine(columns: Mapping[str, Column], n: int) -> Slices:
    """Returns the slices that some factors make; a sample is in one for each combination of the values it has.

    Args:
        columns: by factor name; none: one slice of all samples
        n: how many samples there are

    Raises:
        InputError: there are more than ``MAX_SLICES``

    >>> combine({"time": Column.of(["day", "night"]), "wet": Column.of([True, [True, False]])}, 2).values
    [{'time': 'day', 'wet': True}, {'time': 'night', 'wet': False}, {'time': 'night', 'wet': True}]
    """
    samples, codes = np.arange(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    values: list[dict[str, Any]] = [{}]
    for name, column in columns.items():
        first = np.searchsorted(column.samples, np.arange(n + 1))
        times = np.diff(first)[samples]
        entry = np.repeat(np.arange(len(samples)), times)
        # each entry meets every value of its sample, from the first on
        offset = np.arange(len(entry)) - np.repeat(np.cumsum(times) - times, times)
        samples = samples[entry]
        width = max(1, len(column.values))
        both = codes[entry] * width + column.codes[first[samples] + offset]
        occurring, codes = np.unique(both, return_inverse=True)
        if len(occurring) > MAX_SLICES:
            raise InputError(
                f"expected at most {MAX_SLICES:,} slices, got {len(occurring):,} by {', '.join(columns)}: slice by "
                "fewer factors, by one with fewer values, or put numbers into bins (Factor.field(path, bins=4))"
            )
        values = [{**values[code // width], name: column.values[code % width]} for code in occurring.tolist()]
    return Slices(values, samples, codes)


def require_shared(columns: Mapping[str, Column]) -> None:
    """Raises an error where a factor tells each sample from all others: its slices say nothing.

    Of fewer than 20 samples that may be by chance.

    Raises:
        InputError: it does

    >>> require_shared({"filepath": Column.of([f"{at}.png" for at in range(30)])})
    Traceback (most recent call last):
    loupe.brain.core.errors.InputError: expected a factor whose values several samples share, but the 30 of 'filepath' \
are of one sample each: slice by a field with fewer values
    """
    for name, column in columns.items():
        counts = column.counts()
        occurring = int((counts > 0).sum())
        if occurring >= _ALONE and counts.max() == 1:
            raise InputError(
                f"expected a factor whose values several samples share, but the {occurring:,} of {name!r} are of one "
                f"sample each: {_shared_instead(name, column.values)}"
            )


def _shared_instead(name: str, values: Sequence[Any]) -> str:
    known = [value for value in values if value is not None]
    if all(isinstance(value, str) and " " in value.strip() for value in known):
        return (
            "slice by what such texts have in common: their words, by "
            f"loupe.Factor.prompt('words', path={name!r}), or how many objects they name, by 'objects'"
        )
    if all(isinstance(value, (int, float)) for value in known):
        return f"put the numbers into bins, by loupe.Factor.field({name!r}, bins=4)"
    return "slice by a field with fewer values"


def shown(value: Any) -> str:
    """Returns how a factor's value is named in a slice: each value by a name of its own.

    >>> shown(3), shown(None), shown("(none)")
    ('3', '(none)', '"(none)"')
    """
    if value is None:
        return NONE
    name = str(value)
    return f'"{name}"' if name.strip('"') == NONE else name


def unquoted(name: str) -> str:
    """Returns the text that ``shown`` gave that name; not for the name of the missing value.

    >>> unquoted(shown("(none)")), unquoted(shown("day"))
    ('(none)', 'day')
    """
    return name[1:-1] if name.strip('"') == NONE else name


def _flat(value: Any) -> list[Any]:
    """Returns each value of a list once, whatever lists it stands in; None is no value there."""
    if not isinstance(value, list):
        return [] if value is None else [value]
    return list(dict.fromkeys(part for item in value for part in _flat(item)))


def _natural(value: Any) -> tuple[Any, ...]:
    if value is None:
        return (2,)
    if isinstance(value, (bool, int, float)):
        return (0, value)
    parts = re.split(r"(\d+)", str(value))
    return (1, [(int(part), "") if part.isdecimal() else (-1, part.casefold()) for part in parts], str(value))
