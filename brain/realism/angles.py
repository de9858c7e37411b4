"""The nearest vectors by angle, out of distances that are made anyway: holes are looked for among both sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from loupe.brain.realism.nearest import Nearest

if TYPE_CHECKING:
    from torch import Tensor


class Angles:
    """Keeps the ``k`` nearest by angle of some vectors of both sets, among all of these, the real ones first.

    At unit length the squared distance is (d² - (|x| - |y|)²) / (|x| |y|): nothing is lost where lengths differ little.

    Attributes:
        readers: of the distances within the real set, within the synthetic one, and across
    """

    def __init__(self, lengths: tuple[np.ndarray, np.ndarray], chosen: tuple[np.ndarray, np.ndarray], k: int) -> None:
        """Prepares the lists.

        Args:
            lengths: (N,) and (M,) of the vectors as they were given, those of the chosen above 0
            chosen: sorted indices of the vectors that take part
            k: how many, below the number of those that take part
        """
        self._k, self._chosen = k, chosen
        kept = tuple(np.isin(np.arange(len(own)), some) for own, some in zip(lengths, chosen, strict=True))
        own = tuple(np.where(some, each, 1.0).astype(np.float32) for each, some in zip(lengths, kept, strict=True))
        n, m = (len(each) for each in lengths)
        self._lists = {
            pair: Nearest(n if pair[0] == 0 else m, k, of_itself=pair[0] == pair[1])
            for pair in ((0, 0), (0, 1), (1, 0), (1, 1))
        }
        self.readers = tuple(
            [_Turning(own[a], own[b], kept[a], kept[b], self._lists[a, b], self._lists[b, a] if a != b else None)]
            for a, b in ((0, 0), (1, 1), (0, 1))
        )

    def nearest(self) -> np.ndarray:
        """Returns the (n + m, k) int64 indices of the nearest, as the chosen are counted, the real ones first."""
        import torch

        places = []
        for at, some in enumerate(self._chosen):
            place = np.full(len(self._lists[at, at].index), -1)
            place[some] = np.arange(len(some)) + at * len(self._chosen[0])
            places.append(torch.from_numpy(place))
        made = []
        for at, some in enumerate(self._chosen):
            rows = torch.from_numpy(some)
            both = [self._lists[at, other] for other in (0, 1)]
            squared = torch.cat([each.squared[rows] for each in both], 1)
            index = torch.cat([place[each.index[rows]] for each, place in zip(both, places, strict=True)], 1)
            made.append(index.gather(1, squared.topk(self._k, 1, largest=False).indices))
        return np.asarray(torch.cat(made).numpy())


class _Turning:
    """Reads distances as those of unit vectors, and hands them to the lists of either side."""

    def __init__(
        self, left: np.ndarray, right: np.ndarray, left_kept: np.ndarray, right_kept: np.ndarray,
        rows: Nearest, columns: Nearest | None,
    ) -> None:  # fmt: skip
        import torch

        self._left, self._right = torch.from_numpy(left)[:, None], torch.from_numpy(right)[None]
        self._out = torch.from_numpy(~left_kept)[:, None], torch.from_numpy(~right_kept)[None]
        self._rows, self._columns = rows, columns
        self._alike = bool(np.ptp(np.concatenate([left, right])) == 0)

    def read(self, rows: slice, columns: slice, squared: Tensor) -> None:
        """Takes a tile; see ``tiles.Reader``."""
        where = squared.device
        left, right = self._left[rows].to(where), self._right[:, columns].to(where)
        unit = squared if self._alike else (left - right).square_().neg_().add_(squared).div_(left).div_(right)
        for out, part in zip(self._out, (rows, columns), strict=True):
            own = out[part] if out.shape[1] == 1 else out[:, part]
            if own.any():
                unit = unit.masked_fill(own.to(where), float("inf"))
        self._rows.read(rows, columns, unit)
        if self._columns is not None:
            self._columns.read(columns, rows, unit.T.contiguous())
