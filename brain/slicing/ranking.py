"""The cells of a table of rates in order: the worst first, or the surest, or those of the most samples."""

from __future__ import annotations

import math
from collections.abc import Callable

from loupe.brain.core.errors import UnknownName
from loupe.brain.core.results import Rate
from loupe.brain.slicing.table import Table

#: what cells can be ordered by; what is to come first has the smallest key
_KEYS: dict[str, Callable[[Rate], float]] = {
    "lift": lambda rate: -rate.lift,
    "rate": lambda rate: -rate.rate,
    "n": lambda rate: -rate.n,
    "q": lambda rate: rate.q,
}
ORDERS = tuple(_KEYS)


def ranked(table: Table, by: str = "lift") -> list[tuple[int, int]]:
    """Returns the judged cells of a table as (row, column), in an order; among equals the higher rate comes first.

    Rates of too few samples come last whatever they are, for most that stands out among them is chance.

    Args:
        table: of at least one column
        by: lift, rate and n: the highest first; q: the lowest first

    Raises:
        UnknownName: no such order

    >>> import numpy as np
    >>> from loupe.brain.slicing.table import tabulate
    >>> states = {"blur": np.repeat([3, 2, 3, 2], [1, 19, 9, 11])}
    >>> ranked(tabulate("time", ["day"] * 20 + ["night"] * 20, states))
    [(1, 0), (0, 0)]
    """
    if by not in _KEYS:
        raise UnknownName("order", by, ORDERS)
    key = _KEYS[by]

    def place(cell: tuple[int, int]) -> tuple[bool, float, float, tuple[int, int]]:
        rate = table.cells[cell[0]][cell[1]]
        value = key(rate)
        return rate.too_few, math.inf if math.isnan(value) else value, -rate.rate, cell

    cells = [(row, at) for row, rates in enumerate(table.cells) for at, rate in enumerate(rates) if rate.n]
    return sorted(cells, key=place)
