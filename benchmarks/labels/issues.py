"""Label issues on real mistakes (CIFAR-10N), on injected ones (digits), and how long they take."""

from __future__ import annotations

import csv
import io
import resource
import time
import zipfile

import numpy as np

from benchmarks import data
from benchmarks.commands import each
from benchmarks.figures import header, row, share, title
from loupe.brain.labels import noise
from loupe.brain.labels.probe import probe
from loupe.brain.sets.label_issues import LabelIssues

PARTS = ("7_labels/cifar10/cifar10_train_0_3000", "7_labels/cifar10/cifar10_train_3000_12000")
LABELS = {"aggre_label": "three people's majority", "random_label1": "one person", "worse_label": "the worst of three"}
#: the part of the pictures that shrinkage and threshold were set on
TUNED_ON = 3000


def print_issues() -> None:
    """Prints what is flagged of real mistakes, of injected ones, and the time for 100,000 vectors."""
    each(_print_cifar, _print_digits, _print_time)


def _threshold() -> float:
    threshold = LabelIssues.outputs[0].default_threshold
    assert threshold is not None
    return threshold.value


def _print_cifar() -> None:
    vectors, clean, given = _cifar()
    title("CIFAR-10N: labels that people gave, vectors of EfficientNet-Lite0")
    header(
        "pictures", "labels", "wrong", "average precision", "precision", "recall", "F1", "suggestion right", "mixed up"
    )
    for name, part in (
        ("0 to 3,000 (set on these)", slice(0, TUNED_ON)),
        ("3,000 to 12,000 (held out)", slice(TUNED_ON, None)),
        ("all 12,000", slice(None)),
    ):
        for label, words in LABELS.items():
            row(name, words, *_measured(vectors[part], given[label][part], clean[part]))


def _measured(vectors: np.ndarray, given: np.ndarray, true: np.ndarray) -> list[str]:
    from sklearn.metrics import average_precision_score

    wrong = given != true
    classes = int(max(given.max(), true.max())) + 1
    made = noise.fit(probe(vectors, given, classes), given)
    flagged = made.wrong > _threshold()
    hits = int((flagged & wrong).sum())
    precision, recall = hits / max(int(flagged.sum()), 1), hits / max(int(wrong.sum()), 1)
    right = (made.suggested == true)[flagged & wrong]
    codes, counts = np.unique(given[flagged] * classes + made.suggested[flagged], return_counts=True)
    worst = divmod(int(codes[counts.argmax()]), classes) if len(codes) else ("–", "–")
    return [
        f"{wrong.mean():.1%} ({made.share:.1%})",
        f"{average_precision_score(wrong, made.wrong):.3f}",
        share(hits, int(flagged.sum())),
        share(hits, int(wrong.sum())),
        f"{2 * precision * recall / max(precision + recall, 1e-9):.3f}",
        share(int(right.sum()), len(right)),
        f"{worst[0]} → {worst[1]}",
    ]


def _cifar() -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    from PIL import Image

    from benchmarks.embedders.meaning import vectors_of
    from loupe.brain.embedders.efficientnet_lite import EfficientNetLite

    embedder = EfficientNetLite()
    if embedder.absent():
        raise data.MissingData(f"the embedder's weights are not here: {embedder.absent()}")
    pictures, rows = [], []
    for part in PARTS:
        with open(data.required(f"{part}_human_labels.csv"), newline="") as table:
            own = list(csv.DictReader(table))
        with zipfile.ZipFile(data.required(f"{part}_jpg.zip")) as archive:
            pictures += [np.asarray(Image.open(io.BytesIO(archive.read(each["file"]))).convert("RGB")) for each in own]
        rows += own
    vectors = vectors_of(embedder.load("cpu"), pictures)
    columns = {name: np.array([int(each[name]) for each in rows]) for name in ("clean_label", *LABELS)}
    return vectors, columns.pop("clean_label"), columns


def _print_digits() -> None:
    from sklearn.datasets import load_digits

    digits = load_digits()
    vectors = digits.data / np.linalg.norm(digits.data, axis=1, keepdims=True)
    title("scikit-learn's digits (pixels as vectors), injected mistakes; as many are taken as there are")
    header(
        "mistakes", "share", "precision and recall at the true number", "at the default threshold: precision", "recall"
    )
    for kind, confuse in CONFUSIONS.items():
        for amount in (0.02, 0.05, 0.1, 0.2):
            rng = np.random.default_rng(0)
            given = confuse(digits.target, amount, rng)
            wrong = given != digits.target
            made = noise.fit(probe(vectors.astype(np.float32), given, 10), given)
            top = np.argsort(-made.wrong, kind="stable")[: int(wrong.sum())]
            flagged = made.wrong > _threshold()
            hits = int((flagged & wrong).sum())
            budget = share(int(wrong[top].sum()), int(wrong.sum()))
            row(kind, f"{amount:.0%}", budget, share(hits, int(flagged.sum())), share(hits, int(wrong.sum())))


def _symmetric(true: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
    return np.where(rng.random(len(true)) < amount, (true + rng.integers(1, 10, len(true))) % 10, true)


def _asymmetric(true: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
    """Each digit is taken for one other: 1 for 7, 3 for 8, …"""
    other = np.array([6, 7, 3, 8, 9, 6, 0, 1, 3, 4])
    return np.where(rng.random(len(true)) < amount, other[true], true)


def _grouped(true: np.ndarray, amount: float, rng: np.random.Generator) -> np.ndarray:
    """One of ten annotators makes all the mistakes, or as many of them as it takes."""
    careless = max(1, round(10 * amount))
    wrong = (rng.integers(0, 10, len(true)) < careless) & (rng.random(len(true)) < 10 * amount / careless)
    return np.where(wrong, (true + 1) % 10, true)


CONFUSIONS = {"symmetric": _symmetric, "asymmetric": _asymmetric, "by few annotators of ten": _grouped}


def _print_time() -> None:
    n, size, classes = 100_000, 512, 10
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(classes, size)).astype(np.float32)
    given = rng.integers(0, classes, n)
    vectors = centers[given] + 4 * rng.normal(size=(n, size)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    started, cpu = time.perf_counter(), time.process_time()
    noise.fit(probe(vectors, given, classes), given)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    title(f"{n:,} × {size} vectors, {classes} classes")
    header("seconds", "of CPU", "peak memory of the process, GiB")
    row(f"{time.perf_counter() - started:.0f}", f"{time.process_time() - cpu:.0f}", f"{peak:.1f}")
