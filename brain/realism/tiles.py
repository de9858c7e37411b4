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

#: vectors a side of a tile: 512 × 4096 floats are 8 MiB
_ROWS, _COLUMNS = 512, 4096
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
    right: np.ndarray,
    readers: Sequence[Reader],
    *,
    device: str = "cpu",
    step: Callable[[int], None] = lambda _: None,
) -> None:
    """Hands the squared distances of every pair to each reader: rows of the left set, columns of the right set.

    Args:
        left: (N, D) float32
        right: (M, D) float32
        readers: read in this order
        device: where the products are made
        step: called with the number of rows that are done
    """
    import torch

    where, which = torch.from_numpy(left).to(device), torch.from_numpy(right).to(device)
    lengths, others = (where * where).sum(1), (which * which).sum(1)
    for top in range(0, len(left), _ROWS):
        rows = slice(top, min(top + _ROWS, len(left)))
        for start in range(0, len(right), _COLUMNS):
            columns = slice(start, min(start + _COLUMNS, len(right)))
            sums = lengths[rows, None] + others[None, columns]
            squared = torch.addmm(sums, where[rows], which[columns].T, alpha=-2)
            squared.masked_fill_(squared < SAME * sums, 0)
            for reader in readers:
                reader.read(rows, columns, squared)
        step(rows.stop)
