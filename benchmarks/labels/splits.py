"""Splits of drawn labels and groups: how far from their shares, and how long, beside scikit-learn and its kin."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from scipy import sparse

from benchmarks.figures import header, row, title
from loupe.brain.labels.splits import Targets, assign, deviation, merged

FOLDS = 5
TARGETS = Targets.of({str(number): 1 / FOLDS for number in range(FOLDS)})


def print_splits(rows: int) -> None:
    """Prints the table: five folds, so that the peers can take part; and three splits of the large sets."""
    title("Five folds: the largest difference of any class's share from a fifth, over 10 drawn sets; median (worst)")
    header("set", "who", "difference", "rounding alone", "samples off, mean", "groups torn", "seconds of CPU")
    for name, draw in SETS.items():
        for who, split in PEERS.items():
            if name == "many labels in groups" and who != "loupe":
                continue
            results = [_measured(split, *draw(np.random.default_rng(seed))) for seed in range(10)]
            known = [result for result in results if result is not None]
            if known:
                off, rounding, mean, torn, seconds = (np.array(column) for column in zip(*known, strict=True))
                differs = f"{np.median(off):.4f} ({off.max():.4f})"
                cells = f"{np.median(rounding):.4f}", f"{mean.mean():.3f}", int(torn.sum()), f"{np.median(seconds):.2f}"
                row(name, who, differs, *cells)
    title(f"Three splits (.8, .1, .1) of {rows:,} rows")
    header("set", "difference", "groups torn", "seconds of CPU")
    rng = np.random.default_rng(0)
    three = Targets.of({"train": 0.8, "val": 0.1, "test": 0.1})
    for name, labels, groups in (
        ("10 classes", _single(rng, rows, 10), np.arange(rows)),
        ("20 labels, several each", _several(rng, rows, 20), np.arange(rows)),
        ("10 classes in groups of 4", _single(rng, rows, 10), _grouped(rng, rows, rows // 4)),
        ("20 labels in groups of 4", _several(rng, rows, 20), _grouped(rng, rows, rows // 4)),
    ):
        started = time.process_time()
        split = assign(three, rows, classes=labels, groups=groups, seed=0)
        seconds = time.process_time() - started
        row(name, f"{deviation(split, three, labels)[0]:.5f}", _torn(split, groups), f"{seconds:.1f}")


def _measured(
    split: Callable[[sparse.csr_matrix, np.ndarray], np.ndarray | None], labels: sparse.csr_matrix, groups: np.ndarray
) -> tuple[float, float, float, int, float] | None:
    started = time.process_time()
    made = split(labels, groups)
    seconds = time.process_time() - started
    if made is None:
        return None
    off, rounding = deviation(made, TARGETS, labels)
    held = np.stack([np.asarray(labels[made == at].sum(axis=0)).ravel() for at in range(FOLDS)])
    return off, rounding, float(np.abs(held - held.mean(axis=0)).mean()), _torn(made, groups), seconds


def _torn(split: np.ndarray, groups: np.ndarray) -> int:
    """Returns how many groups stand in several splits, by counting the pairs that occur."""
    pairs = np.unique(np.stack([groups, split]), axis=1)
    return int((np.unique(pairs[0], return_counts=True)[1] > 1).sum())


def _loupe(labels: sparse.csr_matrix, groups: np.ndarray) -> np.ndarray:
    return assign(TARGETS, len(groups), classes=labels, groups=groups, seed=0)


def _scikit_learn(labels: sparse.csr_matrix, groups: np.ndarray) -> np.ndarray | None:
    """StratifiedGroupKFold: of one class a row."""
    from sklearn.model_selection import StratifiedGroupKFold

    if (np.asarray(labels.sum(axis=1)).ravel() != 1).any():
        return None
    classes = np.asarray(labels.argmax(axis=1)).ravel()
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0).split(np.zeros(len(groups)), classes, groups)
    return _of_folds(folds, len(groups))


def _iterative(labels: sparse.csr_matrix, groups: np.ndarray) -> np.ndarray | None:
    """iterative-stratification: of several labels a row, without groups."""
    try:
        from iterstrat.ml_stratifiers import MultilabelStratifiedKFold
    except ImportError:
        return None
    made = MultilabelStratifiedKFold(FOLDS, shuffle=True, random_state=0)
    return _of_folds(made.split(np.zeros(len(groups)), labels.toarray().astype(int)), len(groups))


def _of_folds(folds: object, n: int) -> np.ndarray:
    split = np.zeros(n, dtype=np.int64)
    for number, (_, test) in enumerate(folds):  # type: ignore[arg-type, var-annotated]
        split[test] = number
    return split


def _single(rng: np.random.Generator, n: int, classes: int) -> sparse.csr_matrix:
    shares = np.geomspace(1, 0.02, classes)
    drawn = rng.choice(classes, n, p=shares / shares.sum())
    return sparse.csr_matrix((np.ones(n), (np.arange(n), drawn)), shape=(n, classes))


def _several(rng: np.random.Generator, n: int, labels: int) -> sparse.csr_matrix:
    return sparse.csr_matrix((rng.random((n, labels)) < np.geomspace(0.5, 0.01, labels)).astype(np.float64))


def _grouped(rng: np.random.Generator, n: int, groups: int) -> np.ndarray:
    return merged([(np.arange(n), rng.integers(0, groups, n))], n)


SETS = {
    "10 classes": lambda rng: (_single(rng, 3000, 10), np.arange(3000)),
    "10 classes in groups of 6": lambda rng: (_single(rng, 3000, 10), _grouped(rng, 3000, 500)),
    "15 labels, several each": lambda rng: (_several(rng, 3000, 15), np.arange(3000)),
    "many labels in groups": lambda rng: (_several(rng, 3000, 15), _grouped(rng, 3000, 500)),
}
PEERS = {"loupe": _loupe, "scikit-learn": _scikit_learn, "iterative-stratification": _iterative}
