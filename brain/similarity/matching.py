"""Which pictures of a set may be the same one: hashes, candidate pairs, and how alike the two of a pair are.

Each picture's nearest others by perceptual hash are candidates; a candidate pair is registered onto each other and
compared detail by detail (``thumbnail_similarity``), so that a shared layout is no duplicate.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from loupe.brain.imaging.files import opened
from loupe.brain.similarity.thumbnail_similarity import SIDE, WINDOWS, Thumbnails, similarity

if TYPE_CHECKING:
    from collections.abc import Callable

_HASHED = 32
#: four parts that are compared each with the same one of the other picture: one logo near an edge is hardly in all
_PARTS = ((0.0, 0.0, 0.6), (0.4, 0.0, 0.6), (0.0, 0.4, 0.6), (0.4, 0.4, 0.6))


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
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def pixels_hash(pixels: np.ndarray) -> str:
    """Returns a stable 128-bit hash of an image's shape and values, whatever its file's format.

    >>> pixels_hash(np.zeros((2, 3, 3), np.uint8)) == pixels_hash(np.zeros((3, 2, 3), np.uint8))
    False
    """
    made = hashlib.blake2b(repr((pixels.shape, pixels.dtype.str)).encode(), digest_size=16)
    made.update(np.ascontiguousarray(pixels).data)
    return made.hexdigest()


@cache
def _hash_matrix(start: float, side: float) -> np.ndarray:
    """Returns the (8, 64) matrix that resamples a window of one axis to 32 and takes its 8 lowest cosines."""
    edges = (start + side * np.arange(_HASHED + 1) / _HASHED) * SIDE
    pixel = np.arange(SIDE)
    cover = np.clip(np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel), 0, None)
    cover /= cover.sum(1, keepdims=True)
    cosines = np.cos(np.pi * np.arange(8)[:, None] * (np.arange(_HASHED) + 0.5) / _HASHED)
    cosines[0] /= np.sqrt(2)
    return (cosines @ cover).astype(np.float32)


def hashes(luma: np.ndarray, window: tuple[float, float, float] = WINDOWS[0]) -> np.ndarray:
    """Returns the hash of a window of each (N, 64, 64) thumbnail: (N, 63) float32 of unit length, zero if flat.

    Args:
        luma: (N, 64, 64) uint8
        window: left, top, side in [0, 1]
    """
    left, top, side = window
    rows, columns = _hash_matrix(top, side), _hash_matrix(left, side)
    coefficients = np.concatenate(
        [rows @ luma[start : start + 4096].astype(np.float32) @ columns.T for start in range(0, len(luma), 4096)]
        or [np.zeros((0, 8, 8), np.float32)]
    ).reshape(len(luma), 64)[:, 1:]
    length = np.linalg.norm(coefficients, axis=1, keepdims=True)
    return np.where(length > 1, coefficients / np.maximum(length, 1), 0).astype(np.float32)


def turned_hashes(coefficients: np.ndarray, turn: int) -> np.ndarray:
    """Returns what (N, 63) hashes of whole pictures become when the pictures are ``turned``, without reading them."""
    full = np.concatenate([np.zeros((len(coefficients), 1), coefficients.dtype), coefficients], 1).reshape(-1, 8, 8)
    odd = np.where(np.arange(8) % 2, -1, 1).astype(coefficients.dtype)
    if turn & 1:
        full = full * odd
    if turn & 2:
        full = full * odd[:, None]
    if turn & 4:
        full = full.swapaxes(1, 2)
    return full.reshape(len(coefficients), 64)[:, 1:]


def candidates(
    luma: np.ndarray,
    *,
    per_image: int = 8,
    minimum: float = 0.75,
    groups: np.ndarray | None = None,
    chosen: np.ndarray | None = None,
    without: tuple[np.ndarray, np.ndarray] | None = None,
    block: int = 1024,
    step: Callable[[int], None] = lambda _: None,
) -> Candidates:
    """Returns the pairs whose hashes are alike: for each image its nearest others, each pair once.

    Memory is block × block, never N × N. Time grows with N²: 17 products of (block, 63) by (63, block) a tile.

    Args:
        luma: (N, 64, 64) uint8 thumbnails
        per_image: how many others of each image at most
        minimum: the least cosine
        groups: (N,) ints; when given, only pairs across two groups are looked for
        chosen: indices; when given, only pairs with one of these images are looked for
        without: two arrays of indices: pairs that are no candidates, and take no place of others
        block: the side of a tile
        step: called with the number of images done after each row of tiles
    """
    n = len(luma)
    keep = min(per_image, n - 1)
    chosen = np.arange(n) if chosen is None else chosen
    if keep < 1 or not len(chosen):
        return Candidates(*np.zeros((4, 0), np.int64))
    whole = hashes(luma)
    turns = [turned_hashes(whole, turn) for turn in range(1, 8)]
    windows = [hashes(luma, window) for window in WINDOWS]
    parts = [hashes(luma, part) for part in _PARTS]
    candidates: list[np.ndarray] = []
    left_out = _LeftOut.of(without)
    for top in range(0, len(chosen), block):
        rows = chosen[top : top + block]
        best, labels = np.empty((len(rows), 0), np.float32), np.empty((len(rows), 0, 3), np.int64)
        for left in range(0, n, block):
            columns = slice(left, min(left + block, n))
            upright, window = _highest(
                [view[rows] @ whole[columns].T for view in windows] + [part[rows] @ part[columns].T for part in parts]
            )
            turned_too, turn = _highest([view[rows] @ whole[columns].T for view in turns])
            # a symmetric layout fits turned as well as upright: then both are tried
            turn = np.where(turned_too >= minimum, turn + 1, 0)
            window = np.where(upright >= minimum, np.where(window < len(WINDOWS), window, 0), -1)
            tile = np.maximum(upright, turned_too)
            tile[rows[:, None] == np.arange(left, columns.stop)] = -2
            if groups is not None:
                tile[groups[rows][:, None] == groups[columns]] = -2
            left_out.cover(tile, rows, left)
            near = np.argpartition(-tile, min(keep, tile.shape[1]) - 1, axis=1)[:, :keep]
            index = np.arange(len(near))[:, None]
            label = np.stack([near + left, turn[index, near], window[index, near]], 2)
            best, labels = np.concatenate([best, tile[index, near]], 1), np.concatenate([labels, label], 1)
            near = np.argsort(-best, axis=1, kind="stable")[:, :keep]
            best, labels = best[index, near], labels[index, near]
        row, column = np.nonzero(best >= minimum)
        candidates.append(np.concatenate([rows[row][:, None], labels[row, column]], 1))
        step(top + len(rows))
    a, b, turn, window = np.concatenate(candidates).T
    # what turns a into b turns b into a by its inverse
    inverse = np.array([0, 1, 2, 3, 4, 6, 5, 7])[turn]
    upright_pairs = np.stack([a, b, np.zeros_like(a), window], 1)[window >= 0]
    turned_pairs = np.stack([a, b, inverse, np.zeros_like(a)], 1)[turn > 0]
    both = np.concatenate([upright_pairs, turned_pairs])
    # (a, b) and (b, a) as whole pictures are the same question; for a window they are not
    swap = (both[:, 0] > both[:, 1]) & (both[:, 2] == 0) & (both[:, 3] == 0)
    both[swap, :2] = both[swap, 1::-1]
    swap = (both[:, 0] > both[:, 1]) & (both[:, 2] > 0)
    both[swap] = np.stack(
        [both[swap, 1], both[swap, 0], np.array([0, 1, 2, 3, 4, 6, 5, 7])[both[swap, 2]], both[swap, 3]], 1
    )
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


def oriented(luma: np.ndarray, a: np.ndarray, b: np.ndarray) -> Candidates:
    """Returns pairs that come from elsewhere as candidates, each in the window or turn in which they are most alike.

    Args:
        luma: (N, 64, 64) uint8 thumbnails
        a, b: (P,) indices
    """
    whole = hashes(luma)
    upright, window = _highest([(hashes(luma, at)[a] * whole[b]).sum(1) for at in WINDOWS])
    turned_too, turn = _highest([(turned_hashes(whole, at)[a] * whole[b]).sum(1) for at in range(1, 8)])
    by_turn = turned_too > upright
    inverse = np.array([0, 1, 2, 3, 4, 6, 5, 7])[turn.astype(np.int64) + 1]
    return Candidates(a, b, np.where(by_turn, inverse, 0), np.where(by_turn, 0, window).astype(np.int64))


def _highest(tiles: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Returns the element-wise highest of some arrays, and which one it is from: the first of equals."""
    best, which = tiles[0].copy(), np.zeros(tiles[0].shape, np.int8)
    for index, tile in enumerate(tiles[1:], 1):
        better = tile > best + 1e-4
        best[better], which[better] = tile[better], index
    return best, which


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
    import os
    from concurrent.futures import ThreadPoolExecutor

    similar = np.zeros(len(pairs), np.float32)

    def compare(index: int) -> float:
        return similarity(
            thumbs, int(pairs.a[index]), int(pairs.b[index]), int(pairs.turn[index]), int(pairs.window[index])
        )

    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
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
