"""Near pairs among very many: how long, how much memory, how many are found. As a module of its own: one of them.

``python -m benchmarks.scale.near pictures|vectors N ROWS`` tells the cost as its last line.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

from benchmarks.commands import Family
from benchmarks.figures import header, row, share, title
from benchmarks.scale import near_data, near_peers
from benchmarks.scale.processes import apart_with, tell, timed
from loupe.brain.similarity import cells, matching, neighbors

#: copies whose pairs are looked for among all pictures, beside those that the search measures itself by
_ROWS = 1_000
MINIMUM, PER_IMAGE = 0.9, 8


def add_to(family: Family) -> None:
    """Adds the command."""
    made = family.command("near", run, "near pairs of very many pictures and vectors")
    made.add_argument("-n", type=int, nargs="*", default=[20_000, 100_000], help="how many")
    made.add_argument("--rows", type=int, default=2 * _ROWS, help="vectors that are compared with all; 0: every one")
    made.add_argument("--what", nargs="*", choices=("pictures", "vectors", "peers"), default=["pictures", "vectors"])


def run(given: argparse.Namespace) -> None:
    """Prints the tables."""
    for what in given.what:
        title({"pictures": "fingerprints", "vectors": "vectors of 512 numbers", "peers": "peers, on the vectors"}[what])
        if what == "peers":
            near_peers.print_peers(given.n)
            continue
        header(
            "how many", "CPU seconds", "all with all, by some rows", "GiB of data", "GiB at most", "found", "by itself"
        )
        for n in given.n:
            cost, reported = apart_with("benchmarks.scale.near", what, str(n), str(given.rows or n))
            cells_of = (f"{n:,}", f"{cost.cpu:.0f}", reported["exact"], f"{cost.before:.2f}", f"{cost.peak:.2f}")
            row(*cells_of, reported["found"], reported["itself"])


def pictures(n: int, _: int) -> None:
    """Looks for the candidates among n fingerprints; the changed copies are looked for among all, too."""
    luma = near_data.thumbnails(n)
    k = n // near_data.COPIES
    rows = np.arange(n - k, n)[: min(k, _ROWS)]
    cells.EXACT_UP_TO = min(cells.EXACT_UP_TO, n - 1)
    kept: list[tuple[matching.Candidates, cells.Thoroughness]] = []
    cost = timed(lambda: kept.append(matching.searched(luma, per_image=PER_IMAGE)))
    got, how = kept[0]
    cells.EXACT_UP_TO = n
    exact = timed(lambda: kept.append(matching.searched(luma, per_image=PER_IMAGE, chosen=rows)))
    mine, theirs = _keys(got.a, got.b, n), _keys(kept[1][0].a, kept[1][0].b, n)
    copies = np.intersect1d(theirs, _keys(rows, rows - (n - k), n))
    tell(
        cost,
        exact=f"{exact.cpu * n / len(rows):,.0f} s",
        found=share(int(np.isin(copies, mine).sum()), len(copies)),
        itself=f"{how.recall}, {how.probes} cells each; {len(got):,} candidates",
    )


def vectors(n: int, compared: int) -> None:
    """Looks for the near pairs among n vectors; some vectors are compared with all, too."""
    unit = near_data.vectors(n)
    rows = np.sort(np.random.default_rng(7).choice(n, min(n, compared), replace=False))
    cells.EXACT_UP_TO = min(cells.EXACT_UP_TO, n - 1)
    kept: list[tuple[np.ndarray, np.ndarray, cells.Thoroughness]] = []
    cost = timed(lambda: kept.append(neighbors.near_pairs(unit, MINIMUM, PER_IMAGE)))
    a, b, how = kept[0]
    expected, exact = exact_pairs(unit, rows)
    tell(
        cost,
        exact=f"{exact * n / len(rows) / 2:,.0f} s",
        found=share(int(np.isin(expected, _keys(a, b, n)).sum()), len(expected)),
        itself=f"{how.recall}, {how.probes} cells each; {len(a):,} pairs",
    )


def exact_pairs(unit: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, float]:
    """Returns the keys of the near pairs of some vectors with all others, and the CPU seconds of looking for them."""
    kept: list[tuple[np.ndarray, np.ndarray]] = []
    cost = timed(lambda: kept.append(neighbors.nearest(unit[rows], PER_IMAGE + 1, unit)))
    indices, cosines = kept[0]
    place, column = np.nonzero((cosines > MINIMUM) & (indices != rows[:, None]))
    return np.unique(_keys(rows[place], indices[place, column], len(unit))), cost.cpu


def _keys(a: np.ndarray, b: np.ndarray, n: int) -> np.ndarray:
    return np.asarray(np.minimum(a, b) * n + np.maximum(a, b))


if __name__ == "__main__":
    {"pictures": pictures, "vectors": vectors}[sys.argv[1]](*map(int, sys.argv[2:]))
