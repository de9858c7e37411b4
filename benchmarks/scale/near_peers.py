"""The near pairs of the same vectors by FAISS and LanceDB, where they are installed.

As a module of its own, ``python -m benchmarks.scale.near_peers faiss|lancedb N``: it needs numpy and the peer alone.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from collections.abc import Sequence

import numpy as np

from benchmarks.figures import header, row, share
from benchmarks.scale import near_data
from benchmarks.scale.processes import apart_with, tell, timed

PEERS = ("faiss", "lancedb")
_MINIMUM, _KEEP, _ROWS = 0.9, 9, 2_000


def print_peers(numbers: Sequence[int]) -> None:
    """Prints a line for each peer and number."""
    header("peer", "how many", "CPU seconds", "seconds", "GiB of data", "GiB at most", "pairs of 2,000 vectors found")
    for peer in PEERS:
        if importlib.util.find_spec(peer) is None:
            print(f"{peer}: not installed here (pip install {peer + '-cpu' if peer == 'faiss' else peer})")
            continue
        for n in numbers:
            cost, reported = apart_with("benchmarks.scale.near_peers", peer, str(n))
            numbers_of = (f"{cost.cpu:.0f}", f"{cost.wall:.0f}", f"{cost.before:.2f}", f"{cost.peak:.2f}")
            row(reported["what"], f"{n:,}", *numbers_of, reported["found"])


def _faiss(unit: np.ndarray) -> tuple[np.ndarray, np.ndarray, str]:
    import faiss

    lists = max(1, round(1.5 * len(unit) ** 0.5))
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(unit.shape[1]), unit.shape[1], lists, faiss.METRIC_INNER_PRODUCT)
    index.cp.niter = 6
    index.train(unit[:: max(1, len(unit) // (48 * lists))])
    index.add(unit)
    index.nprobe = 8
    cosines, indices = index.search(unit, _KEEP)
    return indices, cosines, "FAISS IVFFlat, 8 probes"


def _lancedb(unit: np.ndarray) -> tuple[np.ndarray, np.ndarray, str]:
    import lancedb
    import pyarrow as pa

    # one question a vector: some are asked, as all would take hours
    rows = _some(len(unit))
    indices, cosines = np.full((len(unit), _KEEP), -1), np.full((len(unit), _KEEP), -2.0, np.float32)
    with tempfile.TemporaryDirectory() as folder:
        numbers = pa.FixedSizeListArray.from_arrays(pa.array(unit.ravel()), unit.shape[1])
        table = lancedb.connect(folder).create_table(
            "vectors", pa.table({"id": pa.array(np.arange(len(unit))), "vector": numbers})
        )
        partitions = max(1, round(1.5 * len(unit) ** 0.5))
        table.create_index(metric="cosine", num_partitions=partitions, num_sub_vectors=64, vector_column_name="vector")
        for at in rows.tolist():
            query = table.search(unit[at]).distance_type("cosine").nprobes(8).refine_factor(4).limit(_KEEP)
            held = query.select(["id", "_distance"]).to_arrow()
            own = held["id"].to_numpy()
            indices[at, : len(own)], cosines[at, : len(own)] = own, 1 - held["_distance"].to_numpy()
    return indices, cosines, f"LanceDB IVF_PQ refined, {len(rows):,} questions only"


def _some(n: int) -> np.ndarray:
    return np.sort(np.random.default_rng(7).choice(n, min(n, _ROWS), replace=False))


def main() -> None:
    """Does one of them and tells the cost."""
    peer, n = sys.argv[1], int(sys.argv[2])
    unit = near_data.vectors(n)
    kept: list[tuple[np.ndarray, np.ndarray, str]] = []
    cost = timed(lambda: kept.append({"faiss": _faiss, "lancedb": _lancedb}[peer](unit)))
    indices, cosines, what = kept[0]
    rows = _some(n)
    near = unit[rows] @ unit.T
    near[np.arange(len(rows)), rows] = -2
    place, other = np.nonzero(near > _MINIMUM)
    near_by = np.where(cosines > _MINIMUM - 1e-3, indices, -1)
    # a pair is found by either of its two
    is_listed = (near_by[rows[place]] == other[:, None]).any(1) | (near_by[other] == rows[place][:, None]).any(1)
    tell(cost, what=what, found=share(int(is_listed.sum()), len(is_listed)))


if __name__ == "__main__":
    main()
