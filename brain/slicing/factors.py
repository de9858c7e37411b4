"""What samples are sliced by. A factor names the values of a field; brain/store/factors.py reads and finds them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.records import Record
from loupe.brain.slicing import bins as number_bins
from loupe.brain.slicing.columns import NONE, Column, shown, unquoted

#: where values come from; each has its reader in brain/store/factors.py
Source: TypeAlias = Literal["field", "label", "count", "tags", "views", "metadata", "time", "product"]
#: what values are
Kind: TypeAlias = Literal["text", "bool", "int", "float"]

METADATA = ("width", "height", "size_bytes", "num_channels", "aspect")
TIME = ("year", "month", "day", "hour")

#: how many bins numbers get where nothing else is asked for
BINS = 4


@dataclass(frozen=True)
class Factor(Record):
    """What slices are made by. Factors are made by the methods below; ``a * b`` is their combinations.

    Attributes:
        name: what the slices call it
        source: where its values come from
        path: the field that they are read from
        part: what is taken of a time or of the metadata
        only: the tags, labels or saved views that count; empty: all
        bins: of numbers: how many bins of about the same size, or, once they are known, the edges between them, where a
            number on an edge belongs to the bin above it; None: each value by itself
        kind: what its values are; None until it was looked up in a dataset
        factors: those that a product is made of

    >>> Factor.field("uniqueness", bins=4) * Factor.tags()
    Factor(uniqueness × tags)
    """

    name: str
    source: Source
    path: str = ""
    part: str = ""
    only: tuple[str, ...] = ()
    bins: int | tuple[float, ...] | None = None
    kind: Kind | None = None
    factors: tuple[Factor, ...] = ()

    @classmethod
    def field(cls, path: str, *, bins: int | Iterable[float] | None = None, name: str | None = None) -> Factor:
        """Returns the values of a field of strings, bools, ints or floats, or of lists of strings, bools or ints.

        Args:
            path: the field, e.g. ``"scenario.time"`` or ``"quality.sharpness"``
            bins: of numbers: how many bins with about as many samples each, or the edges between them. None: each int
                by itself, and four bins of floats. Numbers with no more values than bins get none
            name: what the slices call it; the path by default

        Raises:
            InputError: bins that are none
        """
        return cls(name or path, "field", path, bins=_bins(bins))

    @classmethod
    def label(cls, path: str, *, only: Iterable[str] = (), name: str | None = None) -> Factor:
        """Returns the classes of a field of labels: of each sample the one class, or all that it has.

        Args:
            path: a field of a classification, of classifications, of detections, of polylines or of keypoints
            only: the classes that count; all by default
            name: what the slices call it; the path by default
        """
        return cls(name or path, "label", path, only=_texts("classes", only))

    @classmethod
    def count(cls, path: str, *, bins: int | Iterable[float] | None = None, name: str | None = None) -> Factor:
        """Returns how many labels a field holds; a sample without the field's value has no count.

        Args:
            path: a field of classifications, of detections, of polylines or of keypoints, or of lists
            bins: as for ``field``; None: each number by itself
            name: what the slices call it; the path and "count" by default
        """
        return cls(name or f"{path} count", "count", path, bins=_bins(bins))

    @classmethod
    def tags(cls, *only: str, name: str = "tags") -> Factor:
        """Returns the tags of each sample: all of them, or those of the given ones, e.g. the names of splits."""
        return cls(name, "tags", "tags", only=_texts("tags", only))

    @classmethod
    def views(cls, *only: str, name: str = "views") -> Factor:
        """Returns which saved views of the dataset each sample is in: of all of them, or of the given ones."""
        return cls(name, "views", only=_texts("saved views", only))

    @classmethod
    def metadata(cls, part: str, *, bins: int | Iterable[float] | None = BINS, name: str | None = None) -> Factor:
        """Returns a number of the pictures' metadata.

        Args:
            part: width or height in pixels, size_bytes, num_channels, or aspect: width / height
            bins: as for ``field``
            name: what the slices call it; ``metadata.<part>`` by default

        Raises:
            UnknownName: no such part
        """
        if part not in METADATA:
            raise UnknownName("part of the metadata", part, METADATA)
        return cls(name or f"metadata.{part}", "metadata", "metadata", part, bins=_bins(bins))

    @classmethod
    def time(cls, path: str, part: str = "day", *, name: str | None = None) -> Factor:
        """Returns a part of a field of dates or times, in UTC.

        Args:
            path: the field, e.g. ``"created_at"``
            part: year, month (of a year: 2026-11), day (2026-11-28), or hour (0 to 23)
            name: what the slices call it; the path and the part by default

        Raises:
            UnknownName: no such part
        """
        if part not in TIME:
            raise UnknownName("part of a time", part, TIME)
        return cls(name or f"{path} {part}", "time", path, part)

    def __mul__(self, other: Factor) -> Factor:
        """Returns the combinations of two factors' values."""
        if not isinstance(other, Factor):
            return NotImplemented
        parts = (*self.parts(), *other.parts())
        return Factor(" × ".join(part.name for part in parts), "product", factors=parts)

    def __repr__(self) -> str:
        return f"Factor({self.name})"

    def parts(self) -> tuple[Factor, ...]:
        """Returns what a product is made of; of any other factor itself."""
        return self.factors if self.source == "product" else (self,)

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Factor:
        """Returns the factor that ``to_dict`` made plain values of.

        >>> factor = Factor.tags("train", "test") * Factor.field("level", bins=[0.5, 1])
        >>> Factor.from_dict(factor.to_dict()) == factor
        True
        """
        bins = facts["bins"]
        kept = {
            "only": tuple(facts["only"]),
            "bins": tuple(bins) if isinstance(bins, (list, tuple)) else bins,
            "factors": tuple(cls.from_dict(part) for part in facts["factors"]),
        }
        return cls(**{**facts, **kept})

    def of_kind(self, kind: Kind) -> Factor:
        """Returns the factor with what its values are, and with its bins to suit them.

        Raises:
            InputError: values that cannot be put into bins
        """
        if kind in ("text", "bool"):
            if self.bins is not None:
                raise InputError(f"expected numbers to put into bins, but {self.name!r} holds {_KINDS[kind]}")
            return replace(self, kind=kind)
        bins = self.bins
        if bins is None and kind == "float" and self.kind is None:
            bins = BINS
        if isinstance(bins, tuple):
            bins = number_bins.whole(bins) if kind == "int" else tuple(map(float, bins))
        return replace(self, kind=kind, bins=bins)

    def fitted(self, values: Sequence[Any]) -> Factor:
        """Returns the factor with its bins' edges: those that part the values of N samples into its number of bins."""
        if not isinstance(self.bins, int):
            return self
        known = [value for value in values if not _missing(value)]
        few = len(set(known)) <= self.bins
        return replace(self, bins=None if few else number_bins.quantile_edges(known, self.bins))

    def column(self, values: Sequence[Any]) -> Column:
        """Returns which of the factor's values each of N samples has.

        Args:
            values: what its field holds: a value for each sample, or a list of them, or None

        A bin's value is its name; None, NaN and an empty list are the missing value.
        """
        if isinstance(self.bins, tuple):
            edges, order = self.bins, number_bins.names(self.bins)
            named = [None if _missing(value) else order[number_bins.index(edges, value)] for value in values]
            return Column.of(named, order)
        if self.kind == "float":
            return Column.of([None if _missing(value) else value for value in values])
        if self.only:
            kept = set(self.only)
            lists = [value if isinstance(value, list) else [value] for value in values]
            return Column.of([[item for item in items if item in kept] for items in lists], self.only)
        return Column.of(values)

    def value_of(self, name: str) -> Any:
        """Returns the value that a slice calls by that name.

        Raises:
            InputError: no value of this factor is called so
        """
        if name == NONE:
            return None
        try:
            value = self._parsed(name)
        except ValueError:
            value = None
        if _missing(value) or shown(value) != name:
            raise InputError(f"expected a value of the factor {self.name!r}, got {name!r}")
        return value

    def _parsed(self, name: str) -> Any:
        if isinstance(self.bins, tuple):
            return name if name in number_bins.names(self.bins) else None
        if self.kind == "bool":
            return {"True": True, "False": False}.get(name)
        if self.kind == "int":
            return int(name)
        if self.kind == "float":
            return float(name)
        return unquoted(name) if not self.only or unquoted(name) in self.only else None


_KINDS: dict[Kind, str] = {"text": "texts", "bool": "yes or no", "int": "whole numbers", "float": "numbers"}


def factors_of(by: str | Factor | Iterable[str | Factor]) -> tuple[Factor, ...]:
    """Returns the factors whose combinations slices are made by, products taken apart, each once.

    Args:
        by: a field path or a factor, or several

    Raises:
        InputError: what is neither, or two factors of one name

    >>> factors_of(["scenario.time", Factor.tags() * Factor.field("wet")])
    (Factor(scenario.time), Factor(tags), Factor(wet))
    """
    given = [by] if isinstance(by, (str, Factor)) or not isinstance(by, Iterable) else by
    factors: dict[str, Factor] = {}
    for item in given:
        if not isinstance(item, (str, Factor)):
            raise InputError(f"expected field paths or factors to slice by, got {item!r}")
        for factor in Factor.field(item).parts() if isinstance(item, str) else item.parts():
            if factors.setdefault(factor.name, factor) != factor:
                raise InputError(f"two factors are called {factor.name!r}: give them names of their own (name=...)")
    return tuple(factors.values())


def _bins(bins: int | Iterable[float] | None) -> int | tuple[float, ...] | None:
    return None if bins is None else number_bins.checked(bins)


def _texts(what: str, given: Iterable[str]) -> tuple[str, ...]:
    texts = () if isinstance(given, str) else tuple(given)
    if isinstance(given, str) or not all(isinstance(text, str) for text in texts):
        raise InputError(f"expected the names of {what}, got {given!r}")
    return tuple(dict.fromkeys(texts))


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
