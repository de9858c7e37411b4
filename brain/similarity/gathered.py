"""Vectors put into one matrix as they come: a million of 512 numbers are 2 GB, and are never held twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

#: vectors that are scaled at once
_AT_ONCE = 4096


@dataclass(frozen=True)
class Vectors:
    """Vectors that can be compared.

    Attributes:
        unit: (M, D) float32 of unit length
        index: (M,) which of the N given each is
        reasons: why the others cannot be compared, by index
    """

    unit: np.ndarray
    index: np.ndarray
    reasons: dict[int, str]


def scaled(stacked: np.ndarray) -> Vectors:
    """Returns the rows of a (N, D) float32 matrix at unit length, but for those that have none: zeros and NaN.

    >>> scaled(np.array([[3, 4], [0, 0]], np.float32)).reasons
    {1: 'a vector of zeros'}
    """
    finite = np.isfinite(stacked).all(1)
    length = np.linalg.norm(np.where(finite[:, None], stacked, 0), axis=1)
    good = finite & (length > 0)
    reasons = {
        int(place): "a vector of zeros" if finite[place] else "a vector with NaN or infinity"
        for place in np.flatnonzero(~good)
    }
    return Vectors(stacked[good] / length[good, None], np.flatnonzero(good), reasons)


class Gathered:
    """Vectors that come one after the other, and what cannot be compared of them.

    Args:
        n: how many there are at most
        unit: scale each to unit length; one of zeros cannot be compared then

    >>> gathered = Gathered(2)
    >>> gathered.put(0, np.array([3.0, 4.0])), gathered.put(1, None)
    (None, None)
    >>> gathered.vectors().unit.tolist(), gathered.vectors().reasons
    ([[0.6000000238418579, 0.800000011920929]], {1: 'no vector'})
    """

    def __init__(self, n: int, *, unit: bool = True) -> None:
        self._n, self._unit = n, unit
        self._none: list[int] = []
        # the matrix takes vectors of the first size that comes, which nearly all have; it fills from above
        self._table = np.zeros((0, 0), np.float32)
        self._places = np.zeros(0, np.int64)
        self._filled = self._settled = 0
        self._bad: dict[int, str] = {}
        self._others: list[tuple[int, np.ndarray]] = []
        self._sizes: Counter[int] = Counter()

    def put(self, place: int, vector: np.ndarray | None) -> None:
        """Takes a vector of any size and kind of numbers, or none.

        Args:
            place: which of the N it is, each once
            vector: it is copied
        """
        if vector is None:
            self._none.append(place)
            return
        size = int(np.size(vector))
        if not self._sizes:
            # a page of memory is taken as it is written to
            self._table, self._places = np.empty((self._n, size), np.float32), np.empty(self._n, np.int64)
        self._sizes[size] += 1
        if size != self._table.shape[1]:
            self._others.append((place, np.array(vector, np.float32).ravel()))
            return
        self._table[self._filled], self._places[self._filled] = np.ravel(vector), place
        self._filled += 1
        if self._filled - self._settled == _AT_ONCE:
            self._settle()

    @property
    def size(self) -> int:
        """How many numbers most of the vectors have; 0 where there are none."""
        return max(self._sizes, key=lambda size: (self._sizes[size], size)) if self._sizes else 0

    def vectors(self) -> Vectors:
        """Returns those of the most frequent size, in the order of their places, and why the others cannot be used."""
        self._settle()
        size, first = self.size, self._table.shape[1]
        if self._sizes and size != first:  # most came later
            return self._anew(size)
        reasons = {place: _of_another_size(each.size, size) for place, each in self._others}
        reasons |= dict.fromkeys(self._none, "no vector") | self._bad
        unit, index = self._table[: self._filled], self._places[: self._filled]
        if (index[1:] < index[:-1]).any():
            order = np.argsort(index)
            unit, index = unit[order], index[order]
        return Vectors(unit, index, dict(sorted(reasons.items())))

    def _anew(self, size: int) -> Vectors:
        """Returns the vectors, where the first one that came is not of the most frequent size."""
        made = Gathered(self._n, unit=self._unit)
        for place, vector in self._others:
            if vector.size == size:
                made.put(place, vector)
        first = self._table.shape[1]
        apart = {place: vector.size for place, vector in self._others if vector.size != size}
        apart |= dict.fromkeys([*self._places[: self._filled].tolist(), *self._bad], first)
        reasons = {place: _of_another_size(each, size) for place, each in apart.items()}
        own = made.vectors()
        reasons |= own.reasons | dict.fromkeys(self._none, "no vector")
        return Vectors(own.unit, own.index, dict(sorted(reasons.items())))

    def _settle(self) -> None:
        """Scales what has come since, and takes out what cannot be compared."""
        start, stop = self._settled, self._filled
        new, places = self._table[start:stop], self._places[start:stop]
        finite = np.asarray(np.isfinite(new).all(1))
        good = finite
        if self._unit:
            made = scaled(new)
            good = np.zeros(len(new), dtype=bool)
            good[made.index] = True
            new[: len(made.index)] = made.unit
        elif not finite.all():
            new[: int(finite.sum())] = new[finite]
        for at in np.flatnonzero(~good).tolist():
            self._bad[int(places[at])] = "a vector of zeros" if finite[at] else "a vector with NaN or infinity"
        kept = int(good.sum())
        places[:kept] = places[good]
        self._filled = self._settled = start + kept


def _of_another_size(own: int, size: int) -> str:
    return f"a vector of {own} numbers, most of the others have {size}"
