"""Every combination of up to three values that has enough samples, and how many fail there: counted all at once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from loupe.brain.slicing.columns import Column

#: of one factor no more values are combined; the others are counted with the rest
MAX_VALUES = 30

#: a value of a factor: the place of the factor, and that of the value in its column
Member: TypeAlias = tuple[int, int]


@dataclass(frozen=True, eq=False)
class _Axis:
    """What one factor divides samples into; of a factor of lists each value is an axis by itself.

    Attributes:
        factor: the place of the factor
        values: the places of its values that have enough samples
        codes: (N,) int32: the place of a sample's value in ``values``; their number where it is none of them
    """

    factor: int
    values: tuple[int, ...]
    codes: np.ndarray


@dataclass(frozen=True, eq=False)
class _Node:
    """One combination of axes.

    Attributes:
        axes: their places
        first: the place of its first cell among all cells
        cells: for each code of the combination the place of its cell, after ``first``; the last place, ``width``, is
            that of the combinations with too few samples
        width: how many of its combinations of values have enough samples
    """

    axes: tuple[int, ...]
    first: int
    cells: np.ndarray
    width: int


@dataclass(frozen=True, eq=False)
class Lattice:
    """The combinations of values that have enough samples.

    Attributes:
        names: of the factors
        axes: what divides the samples
        nodes: the combinations of axes, each right before those that go on from it
        codes: (C, 3) int32: the value on each axis of a cell, by its place in the axis; −1 beyond the last axis
        of: (C,) int32: the node of each cell
    """

    names: tuple[str, ...]
    axes: tuple[_Axis, ...]
    nodes: tuple[_Node, ...]
    codes: np.ndarray
    of: np.ndarray

    @property
    def size(self) -> int:
        """How many cells there are."""
        return len(self.of)

    def members(self, cell: int) -> tuple[Member, ...]:
        """Returns a cell's values: the places of the factors and of the values in their columns."""
        axes = [self.axes[axis] for axis in self.nodes[self.of[cell]].axes]
        return tuple((axis.factor, axis.values[code]) for axis, code in zip(axes, self.codes[cell], strict=False))

    def parts(self, cell: int) -> Iterator[int]:
        """Yields the cells of fewer of a cell's values, those of the fewest first."""
        axes = self.nodes[self.of[cell]].axes
        for length in range(1, len(axes)):
            for places in itertools.combinations(range(len(axes)), length):
                yield self._cell([(axes[place], int(self.codes[cell, place])) for place in places])

    def _cell(self, values: Sequence[tuple[int, int]]) -> int:
        """Returns the cell of some values of axes in ascending order; it has enough samples."""
        own = 0
        for length in range(1, len(values) + 1):
            node = self.nodes[self._place_of[tuple(axis for axis, _ in values[:length])]]
            axis, code = values[length - 1]
            own = int(node.cells[own * (len(self.axes[axis].values) + 1) + code])
        return node.first + own

    @cached_property
    def _place_of(self) -> dict[tuple[int, ...], int]:
        return {node.axes: place for place, node in enumerate(self.nodes)}

    def rows(self, cell: int) -> np.ndarray:
        """Returns which samples are in a cell: (N,) bool."""
        inside: Any = True
        for axis, code in zip(self.nodes[self.of[cell]].axes, self.codes[cell], strict=False):
            inside = inside & (self.axes[axis].codes == code)
        return np.asarray(inside)

    def count(self, rows: np.ndarray) -> np.ndarray:
        """Returns how many of the given samples are in each cell: (C,) int64.

        Args:
            rows: the places of the samples
        """
        counts = np.zeros(self.size, dtype=np.int64)
        for node, cells in self._places(rows):
            counts[node.first : node.first + node.width] = np.bincount(cells, minlength=node.width + 1)[: node.width]
        return counts

    def _places(self, rows: np.ndarray) -> Iterator[tuple[_Node, np.ndarray]]:
        """Yields each node with the cells of the samples, by their places in it."""
        codes = [axis.codes[rows] for axis in self.axes]
        above: dict[int, np.ndarray] = {0: np.zeros(len(rows), dtype=np.int32)}
        for node in self.nodes:
            # the last combination of one axis less is the one that this goes on from
            depth, axis = len(node.axes), node.axes[-1]
            own = above[depth - 1] * (len(self.axes[axis].values) + 1) + codes[axis]
            above[depth] = node.cells[own]
            yield node, above[depth]


def lattice(columns: Mapping[str, Column], *, max_factors: int = 3, minimum: int = 20) -> Lattice:
    """Returns the combinations of values of N samples that have enough samples.

    A combination is looked at only where the combination without its last value has enough samples: whatever has too
    few samples has no part with enough (R. Agrawal & R. Srikant, VLDB 1994).

    Args:
        columns: the factors by name
        max_factors: how many values a combination may have, 1 to 3
        minimum: how many samples it needs, at least 1

    >>> made = lattice({"time": Column.of(["day", "day", "night"]), "wet": Column.of([True, True, False])}, minimum=2)
    >>> [made.members(cell) for cell in range(made.size)]
    [((0, 0),), ((0, 0), (1, 1)), ((1, 1),)]
    """
    axes = tuple(axis for place, column in enumerate(columns.values()) for axis in _axes(place, column, minimum))
    nodes: list[_Node] = []
    codes: list[np.ndarray] = []

    def grow(above: _Grown) -> None:
        if len(above.axes) == max_factors:
            return
        taken = {axes[axis].factor for axis in above.axes}
        for place in range(above.axes[-1] + 1 if above.axes else 0, len(axes)):
            if axes[place].factor not in taken:
                made = above.child(place, axes[place], minimum, sum(map(len, codes)))
                if made is not None:
                    nodes.append(made[0])
                    codes.append(made[1].codes)
                    grow(made[1])

    if axes:
        grow(_Grown((), np.zeros(len(axes[0].codes), dtype=np.int32), np.full((1, 3), -1, dtype=np.int32)))
    of = np.repeat(np.arange(len(nodes), dtype=np.int32), [node.width for node in nodes])
    every = np.concatenate(codes) if codes else np.zeros((0, 3), dtype=np.int32)
    return Lattice(tuple(columns), axes, tuple(nodes), every, of)


@dataclass(frozen=True, eq=False)
class _Grown:
    """A combination of axes while the lattice is made: what those of one axis more go on from.

    Attributes:
        axes: their places
        cells: (N,) int32: the cell of each sample
        codes: (W, 3) int32: the values of each cell
    """

    axes: tuple[int, ...]
    cells: np.ndarray
    codes: np.ndarray

    def child(self, place: int, axis: _Axis, minimum: int, first: int) -> tuple[_Node, _Grown] | None:
        """Returns the combination with one axis more; None where none of its cells has enough samples."""
        width, own_width = len(axis.values) + 1, len(self.codes)
        own = self.cells * width + axis.codes
        counts = np.bincount(own, minlength=(own_width + 1) * width)
        enough = counts >= minimum
        enough[width - 1 :: width] = False  # none of the axis' values
        enough[own_width * width :] = False  # too few samples already
        kept = np.flatnonzero(enough)
        if not len(kept):
            return None
        cells = np.full(len(counts), len(kept), dtype=np.int32)
        cells[kept] = np.arange(len(kept), dtype=np.int32)
        codes = self.codes[kept // width]
        codes[:, len(self.axes)] = kept % width
        axes = (*self.axes, place)
        return _Node(axes, first, cells, len(kept)), _Grown(axes, cells[own], codes)


def _axes(place: int, column: Column, minimum: int) -> Iterator[_Axis]:
    """Yields what a factor divides samples into: only values that not all samples have can fail more than the rest."""
    counts = column.counts()
    enough = [int(code) for code in np.argsort(-counts, kind="stable")[:MAX_VALUES] if minimum <= counts[code]]
    values = tuple(sorted(enough))
    if not values or (len(column.values) < 2):
        return
    if len(column.codes) == column.n:
        to = np.full(len(column.values), len(values), dtype=np.int32)
        to[list(values)] = np.arange(len(values), dtype=np.int32)
        yield _Axis(place, values, to[column.codes])
        return
    for value in values:
        codes = np.ones(column.n, dtype=np.int32)
        codes[column.samples[column.codes == value]] = 0
        yield _Axis(place, (value,), codes)
