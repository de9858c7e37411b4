"""The distances between two sets of vectors, handed out tile by tile: memory never grows with N².

In float32, about the real set's center: distances in half precision are wrong where it matters, between near
duplicates. Whoever reads the distances is a ``Reader``; several read the same tiles, which are made once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

#: vectors a side of a tile: 2560² floats are 25 MiB. Lists of the nearest are made fastest of long rows
_ROWS, _COLUMNS = 2560, 2560
#: two vectors closer than this share of their squared lengths are the same: float32 cannot tell them apart
SAME = 2e-6


class Reader(Protocol):
    """Reads tiles of squared distances."""

    def read(self, rows: slice, columns: slice, squared: Tensor) -> None:
        """Takes a tile.

        Args:
            rows: which vectors of the left set
            columns: which of the right set
            squared: (R, C) float32 squared Euclidean distances; not to be changed
        """


def stream(
    left: np.ndarray,
    right: np.ndarray | None,
    readers: Sequence[Reader],
    *,
    device: str = "cpu",
    step: Callable[[int], None] = lambda _: None,
) -> None:
    """Hands the squared distances of every pair to each reader: rows of the left set, columns of the right set.

    Args:
        left: (N, D) float32
        right: (M, D) float32; None: the left set itself. A tile is then made once and read both ways
        readers: read in this order
        device: where the products are made
        step: called with the number of rows that are done; of a set against itself earlier rows take longer
    """
    import torch

    itself = right is None
    where = torch.from_numpy(left).to(device)
    which = where if right is None else torch.from_numpy(right).to(device)
    lengths, others = (where * where).sum(1), (which * which).sum(1)
    height, width = (_ROWS, _ROWS if itself else _COLUMNS)
    for top in range(0, len(where), height):
        rows = slice(top, min(top + height, len(where)))
        for start in range(top if itself else 0, len(which), width):
            columns = slice(start, min(start + width, len(which)))
            sums = lengths[rows, None] + others[None, columns]
            squared = torch.addmm(sums, where[rows], which[columns].T, alpha=-2)
            squared.masked_fill_(squared < sums.mul_(SAME), 0)
            del sums
            _read(readers, rows, columns, squared, both=itself and start > top)
        step(rows.stop)


def _read(readers: Sequence[Reader], rows: slice, columns: slice, squared: Tensor, *, both: bool) -> None:
    for reader in readers:
        reader.read(rows, columns, squared)
    if both:
        turned = squared.T.contiguous()
        for reader in readers:
            reader.read(columns, rows, turned)
