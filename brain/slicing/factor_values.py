"""What a factor is, and which values each sample has: without knowing where they are read from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, TypeAlias

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.records import Record
from loupe.brain.slicing import bins as number_bins
from loupe.brain.slicing.columns import NONE, Column, shown, unquoted
from loupe.brain.slicing.prompt_facts import telling_words

#: where values come from; each has its reader in brain/store/places.py
Source: TypeAlias = Literal[
    "field", "label", "count", "attribute", "box", "tags", "views", "metadata", "time", "stored", "prompt", "product"
]
#: what values are
Kind: TypeAlias = Literal["text", "bool", "int", "float"]

#: how many bins numbers get where nothing else is asked for
BINS = 4


@dataclass(frozen=True)
class FactorValues(Record):
    """A factor as data; ``Factor`` is how one is made.

    Attributes:
        name: what the slices call it
        source: where its values come from
        path: the field that they are read from
        part: what is taken of it: of a time, of the metadata, of boxes, of a prompt, of labels; of what Loupe stores:
            the call that stores it
        only: the tags, labels, saved views or words that count, in the order in which they are shown; empty: all
        of: of labels: the classes that count; empty: all
        bins: of numbers: how many bins of about the same size, or, once they are known, the edges between them, where a
            number on an edge belongs to the bin above it; None: each value by itself
        width: of numbers: how wide each bin is, where that was asked for, until the edges are known
        names: what the bins are called, the lowest first; empty: by their ends
        kind: what its values are; None until it was looked up in a dataset
        factors: those that a product is made of
    """

    name: str
    source: Source
    path: str = ""
    part: str = ""
    only: tuple[str, ...] = ()
    of: tuple[str, ...] = ()
    bins: int | tuple[float, ...] | None = None
    width: float | None = None
    names: tuple[str, ...] = ()
    kind: Kind | None = None
    factors: tuple[Self, ...] = ()

    def __repr__(self) -> str:
        return f"Factor({self.name})"

    def of_kind(self, kind: Kind) -> Self:
        """Returns the factor with what its values are, and with its bins to suit them.

        Raises:
            InputError: values that cannot be put into bins
        """
        if kind in ("text", "bool"):
            if self.bins is not None or self.width is not None:
                raise InputError(f"expected numbers to put into bins, but {self.name!r} holds {_KINDS[kind]}")
            return replace(self, kind=kind)
        bins = self.bins
        if bins is None and self.width is None and kind == "float" and self.kind is None:
            bins = BINS
        if isinstance(bins, tuple):
            # names stand for the bins as they were given
            bins = number_bins.whole(bins) if kind == "int" and not self.names else tuple(map(float, bins))
        return replace(self, kind=kind, bins=bins)

    @property
    def needs_values(self) -> bool:
        """Whether what it slices by depends on the values of the samples: ``fitted`` has to see them."""
        words = self.source == "prompt" and self.part == "words" and not self.only
        return isinstance(self.bins, int) or self.width is not None or words

    def fitted(self, values: Sequence[Any]) -> Self:
        """Returns the factor with its bins' edges, or its words: those that part the values of N samples.

        Args:
            values: for each sample a value, or a list of them, or None

        Raises:
            InputError: bins of that width would be too many
        """
        if not self.needs_values:
            return self
        if self.kind == "text":
            return replace(self, only=telling_words(values))
        cleaned = (_known(value, self.kind) for value in values)
        items = (item for value in cleaned for item in (value if isinstance(value, list) else (value,)))
        known = [item for item in items if item is not None]
        if self.width is not None:
            edges = number_bins.width_edges(known, self.width)
            edges = number_bins.whole(edges) if self.kind == "int" else tuple(map(float, edges))
            return replace(self, width=None, bins=edges or None)
        assert isinstance(self.bins, int)
        few = len(set(known)) <= self.bins
        return replace(self, bins=None if few else number_bins.quantile_edges(known, self.bins))

    def bin_names(self) -> tuple[str, ...]:
        """Returns what its bins are called, the lowest first; they have to be fitted."""
        assert isinstance(self.bins, tuple)
        return self.names or number_bins.names(self.bins)

    def limits(self, name: Any) -> tuple[float | None, float | None]:
        """Returns from where to below where the bin of that name reaches; None: it has no end there.

        Raises:
            UnknownName: no bin is called so
        """
        names = self.bin_names()
        if name not in names:
            raise UnknownName("bin", str(name), names)
        assert isinstance(self.bins, tuple)
        return number_bins.limits(self.bins, names.index(name))

    def column(self, values: Sequence[Any]) -> Column:
        """Returns which of the factor's values each of N samples has.

        Args:
            values: what its field holds: a value for each sample, or a list of them, or None

        A bin's value is its name; None, NaN and an empty list are the missing value.
        """
        if self.kind == "float" or not _TYPES[self.kind].issuperset(map(type, values)):
            # what is of another kind is none, as it is to the database
            values = [_known(value, self.kind) for value in values]
        if isinstance(self.bins, tuple):
            edges, order = self.bins, self.bin_names()

            def named(value: Any) -> Any:
                if isinstance(value, list):
                    return [named(item) for item in value]
                return None if value is None else order[number_bins.index(edges, value)]

            return Column.of([named(value) for value in values], order)
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
            return unquoted(name) if unquoted(name) in self.bin_names() else None
        if self.kind == "bool":
            return {"True": True, "False": False}.get(name)
        if self.kind == "int":
            return int(name)
        if self.kind == "float":
            return float(name)
        return unquoted(name) if not self.only or unquoted(name) in self.only else None


_KINDS: dict[Kind, str] = {"text": "texts", "bool": "yes or no", "int": "whole numbers", "float": "numbers"}


#: what a value of each kind, no value, and several are
_TYPES: dict[Kind | None, frozenset[type]] = {
    "text": frozenset({str, type(None)}),
    "bool": frozenset({bool, type(None)}),
    "int": frozenset({int, type(None)}),
    "float": frozenset({float, type(None)}),
    None: frozenset({str, bool, int, type(None), list}),
}


def _known(value: Any, kind: Kind | None) -> Any:
    if isinstance(value, list):
        return [_known(item, kind) for item in value]
    if _missing(value):
        return None
    if kind in ("int", "float"):
        return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    return value if type(value) in _TYPES[kind] or kind is None else None


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
