"""Which pictures of a set may be the same one: hashes, candidate pairs, and how alike the two of a pair are.

Each picture's nearest others by perceptual hash are candidates; a candidate pair is registered onto each other and
compared detail by detail (``thumbnail_similarity``), so that a shared layout is no duplicate.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from loupe.brain.core import machine
from loupe.brain.core.hashes import parts_hash, stream_hash
from loupe.brain.core.interrupts import leavable
from loupe.brain.imaging.files import opened
from loupe.brain.similarity import cells
from loupe.brain.similarity.cells import Thoroughness
from loupe.brain.similarity.hashes import TURNS, Views, turned_hashes
from loupe.brain.similarity.thumbnail_similarity import WINDOWS, Thumbnails, may_be_moved, similarity

if TYPE_CHECKING:
    from collections.abc import Callable

#: what turns a picture back, by what has turned it
_INVERSE = np.array([0, 1, 2, 3, 4, 6, 5, 7])
#: pairs whose likeness is told at once
_PAIRS = 65_536
#: hashes as near as that are what cells have to find: nearly all changed copies are, and few others
_COPY = 0.9


@dataclass(frozen=True)
class Candidates:
    """P pairs of images that may be duplicates.

    Attributes:
        a, b: (P,) indices; a pair may stand here more than once, upright and turned
        turn: (P,) 0 … 7: which flip or quarter turn of ``b`` looks like ``a``; see ``turned``
        window: (P,) which window of ``a`` looks like ``b``
    """

    a: np.ndarray
    b: np.ndarray
    turn: np.ndarray
    window: np.ndarray

    def __len__(self) -> int:
        return len(self.a)

    def __add__(self, other: Candidates) -> Candidates:
        both = [np.stack([pairs.a, pairs.b, pairs.turn, pairs.window], 1) for pairs in (self, other)]
        return Candidates(*np.unique(np.concatenate(both), axis=0).T)


def bytes_hash(path: str) -> str:
    """Returns a stable 128-bit content hash (BLAKE2b) of a file, the same in every process.

    Raises:
        ReadError: there is no such file
        OSError: it cannot be read
    """
    with opened(path) as file:
        return stream_hash(file)


def pixels_hash(pixels: np.ndarray) -> str:
    """Returns a stable 128-bit hash of an image's shape and values, whatever its file's format.

    >>> pixels_hash(np.zeros((2, 3, 3), np.uint8)) == pixels_hash(np.zeros((3, 2, 3), np.uint8))
    False
    """
    return parts_hash([repr((pixels.shape, pixels.dtype.str)), np.ascontiguousarray(pixels).data])


@leavable
def searched(
    luma: np.ndarray,
    *,
    per_image: int = 8,
    minimum: float = 0.75,
    groups: np.ndarray | None = None,
    chosen: np.ndarray | None = None,
    without: tuple[np.ndarray, np.ndarray] | None = None,
    block: int = 1024,
    step: Callable[[int], None] = lambda _: None,
) -> tuple[Candidates, Thoroughness]:
    """Returns the pairs whose hashes are alike: for each image its nearest others, each pair once.

    Memory is block × block, never N × N. Up to 150,000 images time grows with N²: 17 products of (block, 63) by
    (63, block) a tile. More are looked for in cells (``similarity.cells``), and how many alike ones of 2,000 images,
    compared with all others, are found that way is told.

    Args:
        luma: (N, 64, 64) uint8 thumbnails
        per_image: how many others of each image at most
        minimum: the least cosine
        groups: (N,) or (G, N) ints; when given, only pairs across two groups, by each row, are looked for
        chosen: indices; when given, only pairs with one of these images are looked for
        without: two arrays of indices: pairs that are no candidates, and take no place of others
        block: the side of a tile
        step: called with the number of images done after each row of tiles

    Returns:
        the pairs, and how they were searched
    """
    n = len(luma)
    keep = min(per_image, n - 1)
    chosen = np.arange(n) if chosen is None else chosen
    if keep < 1 or not len(chosen):
        return Candidates(*np.zeros((4, 0), np.int64)), Thoroughness()
    search = _Search(Views.of(luma), keep, minimum, groups, _LeftOut.of(without), block)
    # a few new ones among very many are compared with all of them
    if n <= cells.EXACT_UP_TO or len(chosen) * n <= cells.EXACT_UP_TO**2:
        return _as_candidates(search.in_all(chosen, step), minimum), Thoroughness()
    rows, how = search.in_cells(chosen, step)
    return _as_candidates(rows, minimum), how


@dataclass(frozen=True, eq=False)
class _Search:
    """What is looked for; what is found are (P, 5) arrays: a, b, turn or 0, window or -1, and the cosine times 1e6."""

    views: Views
    keep: int
    minimum: float
    groups: np.ndarray | None
    left_out: _LeftOut
    block: int

    def in_all(self, chosen: np.ndarray, step: Callable[[int], None]) -> np.ndarray:
        """Compares the chosen ones with all."""
        n = len(self.views.windows[0])
        parts_of = []
        for top in range(0, len(chosen), self.block):
            rows = chosen[top : top + self.block]
            best, labels = np.empty((len(rows), 0), np.float32), np.empty((len(rows), 0, 3), np.int64)
            for left in range(0, n, self.block):
                columns = slice(left, min(left + self.block, n))
                tile, turn, window = self._labeled(rows, columns, lambda x, y: x @ y.T)
                tile[rows[:, None] == np.arange(left, columns.stop)] = -2
                if self.groups is not None:
                    tile[cells.in_one_group(self.groups, rows, columns)] = -2
                self.left_out.cover(tile, rows, left)
                near = np.argpartition(-tile, min(self.keep, tile.shape[1]) - 1, axis=1)[:, : self.keep]
                index = np.arange(len(near))[:, None]
                label = np.stack([near + left, turn[index, near], window[index, near]], 2)
                best, labels = np.concatenate([best, tile[index, near]], 1), np.concatenate([labels, label], 1)
                near = np.argsort(-best, axis=1, kind="stable")[:, : self.keep]
                best, labels = best[index, near], labels[index, near]
            row, column = np.nonzero(best >= self.minimum)
            likeness = np.round(best[row, column] * 1e6).astype(np.int64)
            parts_of.append(np.concatenate([rows[row][:, None], labels[row, column], likeness[:, None]], 1))
            step(top + len(rows))
        return np.concatenate(parts_of)

    def _labeled(
        self, rows: np.ndarray, columns: np.ndarray | slice, product: Callable[[np.ndarray, np.ndarray], np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns how alike pictures are, by which turn (0: none) and in which window (-1: none)."""
        upright, window, turned_too, turn = self.views.likeness(rows, columns, product)
        # a symmetric layout fits turned as well as upright: then both are tried
        turn = np.where(turned_too >= self.minimum, turn + 1, 0)
        window = np.where(upright >= self.minimum, np.where(window < len(WINDOWS), window, 0), -1)
        return np.maximum(upright, turned_too), turn, window

    def in_cells(self, chosen: np.ndarray, step: Callable[[int], None]) -> tuple[np.ndarray, Thoroughness]:
        """Compares the chosen ones within cells; how much that finds is told by some that are compared with all."""
        n = len(self.views.windows[0])
        controls = np.sort(np.random.default_rng(1).choice(chosen, min(cells.CONTROLS, len(chosen)), replace=False))
        compared = self.in_all(controls, lambda _: None)
        compared = compared[compared[:, 4] >= _COPY * 1e6]
        place = np.searchsorted(controls, compared[:, 0])
        whole, *parts = (cells.Cells.of(view) for view in (self.views.windows[0], *self.views.parts))
        # what is left out takes places that others are to have
        keep = self.keep + min(self.left_out.max_of_one(), 8 * self.keep)
        total = (1 + len(TURNS) + len(parts)) * len(whole)

        def search_with(probes: int) -> cells.Nearest:
            nearest = cells.Nearest(n, keep, self.minimum - 1e-4)
            done = 0

            def search(where: cells.Cells, views: list[np.ndarray]) -> None:
                nonlocal done
                cells.search(
                    where,
                    views,
                    nearest,
                    probes=probes,
                    chosen=chosen,
                    groups=self.groups,
                    step=lambda at: step(int((done + at / len(where) * len(whole)) / total * len(chosen))),
                )
                done += len(whole)

            # a slice of all is no copy
            own = slice(None) if len(chosen) == n else chosen
            search(whole, [view[own] for view in self.views.windows])
            for part, view in zip(parts, self.views.parts, strict=True):
                search(part, [view[own]])
            for turn in TURNS:
                search(whole, [turned_hashes(self.views.windows[0][own], turn)])
            return nearest

        expected = cells.Expected(place, compared[:, 1], compared[:, 4] / 1e6)
        nearest, how = cells.until_found(search_with, expected, controls, len(whole))
        return self._of_pairs(*nearest.pairs()[:2]), how

    def _of_pairs(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Returns the pairs as ``in_all`` does, the best of each image, without those that are left out."""
        kept = ~self.left_out.holds(a, b)
        a, b = a[kept], b[kept]
        parts_of = []
        for start in range(0, len(a), _PAIRS):
            rows, others = a[start : start + _PAIRS], b[start : start + _PAIRS]
            alike, turn, window = self._labeled(rows, others, lambda x, y: (x * y).sum(1))
            columns = (rows, others, turn, window, np.round(alike * 1e6))
            parts_of.append(np.stack([column.astype(np.int64) for column in columns], 1)[alike >= self.minimum])
        pairs = np.concatenate([np.zeros((0, 5), np.int64), *parts_of])
        pairs = pairs[np.lexsort((-pairs[:, 4], pairs[:, 0]))]
        starts = np.searchsorted(pairs[:, 0], pairs[:, 0])
        return pairs[np.arange(len(pairs)) - starts < self.keep]


def _as_candidates(pairs: np.ndarray, minimum: float) -> Candidates:
    """Returns each pair once, upright or turned or both."""
    a, b, turn, window, _ = pairs.T
    # what turns a into b turns b into a by its inverse
    inverse = _INVERSE[turn]
    upright_pairs = np.stack([a, b, np.zeros_like(a), window], 1)[window >= 0]
    turned_pairs = np.stack([a, b, inverse, np.zeros_like(a)], 1)[turn > 0]
    both = np.concatenate([upright_pairs, turned_pairs])
    # (a, b) and (b, a) as whole pictures are the same question; for a window they are not
    swap = (both[:, 0] > both[:, 1]) & (both[:, 2] == 0) & (both[:, 3] == 0)
    both[swap, :2] = both[swap, 1::-1]
    swap = (both[:, 0] > both[:, 1]) & (both[:, 2] > 0)
    both[swap] = np.stack([both[swap, 1], both[swap, 0], _INVERSE[both[swap, 2]], both[swap, 3]], 1)
    return Candidates(*np.unique(both, axis=0).T)


@dataclass(frozen=True)
class _LeftOut:
    """Pairs that are no candidates: (L,) indices each, both ways round, ascending by the first."""

    a: np.ndarray
    b: np.ndarray

    @classmethod
    def of(cls, pairs: tuple[np.ndarray, np.ndarray] | None) -> _LeftOut:
        first, second = (np.zeros(0, np.int64),) * 2 if pairs is None else pairs
        a, b = np.concatenate([first, second]), np.concatenate([second, first])
        order = np.argsort(a, kind="stable")
        return cls(a[order], b[order])

    def cover(self, tile: np.ndarray, rows: np.ndarray, left: int) -> None:
        """Marks those in a tile of ascending rows, whose columns begin at ``left``."""
        start, stop = np.searchsorted(self.a, rows[0]), np.searchsorted(self.a, rows[-1], side="right")
        a, b = self.a[start:stop], self.b[start:stop] - left
        row = np.minimum(np.searchsorted(rows, a), len(rows) - 1)
        inside = (rows[row] == a) & (b >= 0) & (b < tile.shape[1])
        tile[row[inside], b[inside]] = -2

    def max_of_one(self) -> int:
        """Returns how many of them one picture has at most."""
        return int(np.unique(self.a, return_counts=True)[1].max(initial=0))

    def holds(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Returns (P,) bool: which pairs are among them."""
        if not len(self.a):
            return np.zeros(len(a), dtype=bool)
        side = int(max(self.a.max(), self.b.max(), a.max(initial=0), b.max(initial=0))) + 1
        return np.isin(a * side + b, self.a * side + self.b)


def oriented(luma: np.ndarray, a: np.ndarray, b: np.ndarray) -> Candidates:
    """Returns pairs that come from elsewhere as candidates, each in the window or turn in which they are most alike.

    Args:
        luma: (N, 64, 64) uint8 thumbnails
        a, b: (P,) indices
    """
    windows = Views(Views.of_windows(luma), ())
    upright, window, turned_too, turn = windows.likeness(a, b, lambda x, y: (x * y).sum(1))
    by_turn = turned_too > upright
    inverse = _INVERSE[turn.astype(np.int64) + 1]
    return Candidates(a, b, np.where(by_turn, inverse, 0), np.where(by_turn, 0, window).astype(np.int64))


def similarities(
    thumbs: Thumbnails, pairs: Candidates, *, workers: int | None = None, step: Callable[[int], None] = lambda _: None
) -> np.ndarray:
    """Returns the (P,) float32 similarities of candidate pairs.

    Args:
        thumbs: the thumbnails
        pairs: the candidates
        workers: threads; the number of cores by default
        step: called with the number of pairs done now and then
    """
    from concurrent.futures import ThreadPoolExecutor

    similar = np.zeros(len(pairs), np.float32)
    moves = np.zeros(len(thumbs), dtype=bool)
    members = np.unique(np.concatenate([pairs.a, pairs.b]))
    for start in range(0, len(members), _PAIRS):
        some = members[start : start + _PAIRS]
        moves[some] = may_be_moved(thumbs.luma[some])

    def compare(index: int) -> float:
        a, b = int(pairs.a[index]), int(pairs.b[index])
        both = bool(moves[a] and moves[b])
        return similarity(thumbs, a, b, int(pairs.turn[index]), int(pairs.window[index]), moves=both)

    with ThreadPoolExecutor(workers or machine.cores()) as pool:
        for start in range(0, len(pairs), 512):
            part = range(start, min(start + 512, len(pairs)))
            similar[part.start : part.stop] = list(pool.map(compare, part))
            step(part.stop)
    return similar


def equal(values: Sequence[Hashable]) -> list[list[int]]:
    """Returns the indices that share a value, for each value that at least two share; None is no value.

    >>> equal(["x", "y", "x", None, None])
    [[0, 2]]
    """
    seen: dict[Hashable, list[int]] = {}
    for index, value in enumerate(values):
        if value is not None:
            seen.setdefault(value, []).append(index)
    return [members for members in seen.values() if len(members) > 1]


def connected(n: int, pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Returns the groups that pairs of n things connect, each in ascending order, the group of the lowest first.

    >>> connected(6, [(4, 1), (1, 2), (5, 3)])
    [[1, 2, 4], [3, 5]]
    """
    root = list(range(n))

    def find(item: int) -> int:
        while root[item] != item:
            root[item] = root[root[item]]
            item = root[item]
        return item

    for a, b in pairs:
        low, high = sorted((find(a), find(b)))
        root[high] = low
    groups: dict[int, list[int]] = {}
    for item in sorted({item for pair in pairs for item in pair}):
        groups.setdefault(find(item), []).append(item)
    return sorted(groups.values())
