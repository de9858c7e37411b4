"""What compares all vectors with all never holds a table of all pairs: twice the vectors take twice the memory."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

#: the fewer and the more vectors; a table of bools of the latter is 400 MB, of the former 100
FEW, MANY = 10_000, 20_000
#: MiB that the more may take beyond the fewer: half of what a table of bools would
LIMIT = 140

Work = Callable[[np.ndarray], object]


def _vectors(n: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    made = rng.normal(size=(n, 16)).astype(np.float32) + 2 * np.eye(16, dtype=np.float32)[np.arange(n) % 8]
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True))


def _status(name: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


def _peak(work: Work, vectors: np.ndarray) -> float:
    """Returns how many MiB the work takes at most."""
    gc.collect()
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the peak begins anew
    except OSError:
        pytest.skip("the most memory that a process has had cannot be told anew here")
    before = _status("VmRSS")
    held = work(vectors)
    peak = _status("VmHWM") - before
    del held
    return peak


def _nearest(unit: np.ndarray) -> object:
    from loupe.brain.similarity.neighbors import nearest

    return nearest(unit, 10)


def _outliers(unit: np.ndarray) -> object:
    from loupe.brain.similarity.outliers import distances

    return distances(unit, 10)


def _near_pairs(unit: np.ndarray) -> object:
    from loupe.brain.similarity.neighbors import near_pairs

    return near_pairs(unit, 0.99, 8)


def _clusters(unit: np.ndarray) -> object:
    from loupe.brain.slicing.clusters import k_means

    return k_means(unit, 8)


def _map(unit: np.ndarray) -> object:
    from loupe.brain.verbs.steps.embedding import project

    return project(unit, "pca")


def _placed(unit: np.ndarray) -> object:
    from loupe.brain.verbs.steps.embedding import _placed

    some = len(unit) // 10
    return _placed(unit, np.arange(some), unit[:some, :2])


def _label_issues(unit: np.ndarray) -> object:
    from loupe.brain.labels.probe import probe

    return probe(unit, np.arange(len(unit)) % 8, 8, repeats=1)


def _order(unit: np.ndarray) -> object:
    from loupe.brain.labels.order import nearness

    return nearness(unit, np.arange(len(unit)), np.arange(len(unit)) % 8, permutations=9)


def _dense(unit: np.ndarray) -> object:
    from loupe.brain.selection.ranked import density

    return density(unit, np.random.default_rng(0))


def _diverse(unit: np.ndarray) -> object:
    from loupe.brain.selection.centers import k_center

    return k_center(unit, 200, np.random.default_rng(0))


def _holes(unit: np.ndarray) -> object:
    from loupe.brain.labels.holes import uncovered

    return uncovered(unit[::2], unit[1::2], k=5)


@pytest.mark.parametrize(
    "work",
    [_nearest, _outliers, _near_pairs, _clusters, _map, _placed, _label_issues, _order, _dense, _diverse, _holes],
)
def test_memory_grows_with_the_vectors_and_not_with_their_pairs(work: Work) -> None:
    work(_vectors(1_000))  # what is loaded once
    few, many = (_peak(work, _vectors(n)) for n in (FEW, MANY))
    assert many - few < LIMIT


def test_in_cells_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from loupe.brain.similarity import cells

    monkeypatch.setattr(cells, "EXACT_UP_TO", 500)
    monkeypatch.setattr(cells, "CONTROLS", 500)
    test_memory_grows_with_the_vectors_and_not_with_their_pairs(_near_pairs)


def test_measures_of_a_synthetic_set_too() -> None:
    from loupe.brain.realism.compare import compare

    def work(vectors: np.ndarray) -> object:
        return compare(vectors[::2], vectors[1::2], splits=4, permutations=9)

    work(_vectors(400))
    # of so many a table of float32 is 100 MB, and there would be several
    few, many = (_peak(work, _vectors(n)) for n in (5_000, 10_000))
    assert many - few < LIMIT


def test_a_table_of_all_pairs_would_be_noticed() -> None:
    few, many = (_peak(lambda unit: (unit[:, :1] > unit[:, 1]).sum(), _vectors(n)) for n in (FEW, MANY))
    assert many - few > LIMIT
