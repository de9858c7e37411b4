"""How right ``loupe.evaluate`` is: its intervals by simulation, COCO's numbers against pycocotools, and time."""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Iterator

import numpy as np

from benchmarks.commands import Family
from benchmarks.figures import header, share, title
from benchmarks.figures import row as line
from loupe.brain.core.results import Slice
from loupe.brain.evaluation.average_precision import Ranked, mean_known
from loupe.brain.evaluation.calibration import reliability
from loupe.brain.evaluation.classification import Classified
from loupe.brain.evaluation.detection import Detected
from loupe.brain.evaluation.matching import Boxes, match
from loupe.brain.evaluation.measure import Setting, of_ratios, row
from loupe.brain.stats.bootstrap import intervals

#: COCO's ranges of areas in square pixels
AREAS = {"all": (0.0, 1e10), "small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}


def boxes(rng: np.random.Generator, images: int, classes: int = 4, crowds: float = 0.1) -> tuple[Boxes, Boxes]:
    """Returns ground truths and predictions of images whose difficulty differs from image to image."""
    truths: list[tuple[float, ...]] = []
    predicted: list[tuple[float, ...]] = []
    for image in range(images):
        hard = rng.beta(2, 4)
        for _ in range(rng.poisson(4)):
            wide, high = rng.uniform(6, 160, 2) * rng.choice([0.3, 1.0])
            left, top = rng.uniform(0, 400, 2)
            label = int(rng.integers(classes))
            crowd = rng.random() < crowds
            truths.append((image, label, left, top, wide, high, np.nan, crowd))
            for _ in range(int(rng.random() > hard) + int(rng.random() < 0.2)):
                shift = rng.normal(0, 0.1, 4)
                own = label if rng.random() > hard / 2 else int(rng.integers(classes))
                box = (left + shift[0] * wide, top + shift[1] * high, wide * np.exp(shift[2]), high * np.exp(shift[3]))
                predicted.append((image, own, *box, round(float(rng.beta(4, 2)), 2), 0))
        for _ in range(rng.poisson(3 * hard)):
            box = (*rng.uniform(0, 400, 2), *rng.uniform(6, 160, 2))
            predicted.append((image, int(rng.integers(classes)), *box, round(float(rng.beta(2, 4)), 2), 0))
    return _boxes(truths), _boxes(predicted)


def _boxes(rows: list[tuple[float, ...]]) -> Boxes:
    table = np.array(rows, dtype=np.float64).reshape(-1, 8)
    whole = table[:, :2].astype(np.int64)
    return Boxes(whole[:, 0], whole[:, 1], table[:, 2:6], table[:, 6], table[:, 7].astype(bool))


def coco_numbers(truths: Boxes, predictions: Boxes, classes: int) -> list[float]:
    """Returns COCO's numbers as Loupe computes them: AP, AP50, AP75, AP by area, AR, AR by area."""
    precision, recall = [], []
    for low, high in AREAS.values():
        outside = [(each.area < low) | (each.area > high) for each in (truths, predictions)]
        matches = match(truths, predictions, true_ignored=outside[0], outside=outside[1])
        real = ~matches.true_ignored
        ranked = Ranked.of(
            classes,
            predictions.label,
            predictions.score,
            matches.match >= 0,
            matches.ignored,
            predictions.image,
            truths.label[real],
            truths.image[real],
        )
        average, highest = ranked.measure()
        precision.append(average)
        recall.append(highest)
    at = [mean_known(precision[0]), mean_known(precision[0][0]), mean_known(precision[0][5])]
    return [*at, *map(mean_known, precision[1:]), *map(mean_known, recall)]


def pycocotools_numbers(truths: Boxes, predictions: Boxes, classes: int, images: int) -> list[float]:
    """Returns the same numbers by pycocotools, NaN for its -1."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    truth = COCO()
    truth.dataset = {
        "images": [{"id": image + 1} for image in range(images)],
        "categories": [{"id": label + 1} for label in range(classes)],
        "annotations": [
            {
                "id": at + 1,
                "image_id": int(truths.image[at]) + 1,
                "category_id": int(truths.label[at]) + 1,
                "bbox": truths.box[at].tolist(),
                "area": float(truths.area[at]),
                "iscrowd": int(truths.crowd[at]),
            }
            for at in range(len(truths))
        ],
    }
    results = [
        {
            "image_id": int(predictions.image[at]) + 1,
            "category_id": int(predictions.label[at]) + 1,
            "bbox": predictions.box[at].tolist(),
            "score": float(predictions.score[at]),
        }
        for at in range(len(predictions))
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        made = COCOeval(truth, truth.loadRes(results), "bbox")
        made.evaluate()
        made.accumulate()
        made.summarize()
    stats = [*made.stats[:6], made.stats[8], *made.stats[9:12]]
    return [float("nan") if value == -1 else float(value) for value in stats]


def print_evaluation(runs: int, n: list[int]) -> None:
    """Prints all of it."""
    _print_coco()
    _print_coverage(runs, n)
    _print_time()


def _print_coco(sets: int = 20, images: int = 100) -> None:
    title(
        f"COCO's ten numbers against pycocotools: {sets} random sets of {images} pictures, crowds, ties, four classes"
    )
    header("number", "largest difference")
    names = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR100", "ARs", "ARm", "ARl")
    away = np.zeros(len(names))
    for seed in range(sets):
        truths, predictions = boxes(np.random.default_rng(seed), images)
        own, theirs = coco_numbers(truths, predictions, 4), pycocotools_numbers(truths, predictions, 4, images)
        away = np.fmax(away, np.abs(np.array(own) - theirs))
    for name, difference in zip(names, away, strict=True):
        line(name, f"{difference:.1e}")


def _population(kind: str) -> Detected | Classified:
    """Returns what stands for all pictures that there are."""
    rng = np.random.default_rng(1)
    if kind == "boxes":
        truths, predictions = boxes(rng, 8000)
        return Detected.of_matches(truths, predictions, match(truths, predictions), np.arange(8000), 4)
    n = 200_000
    score = rng.beta(5, 2, n)
    right = rng.random(n) < (score if kind == "calibrated classes" else score**1.5)
    if kind == "two classes":
        truth = (rng.random(n) < 0.3).astype(np.int64)
        return Classified(truth, np.where(right, truth, 1 - truth), score, np.arange(n), 2, positive=1)
    truth = rng.choice(5, n, p=[0.3, 0.25, 0.2, 0.15, 0.1])
    other = (truth + rng.integers(1, 5, n)) % 5
    return Classified(truth, np.where(right, truth, other), score, np.arange(n), 5)


def _true_values(population: Detected | Classified) -> dict[str, float]:
    values = {name: float(k.sum() / n.sum()) for name, (k, n) in population.ratios(None).items()}
    own = population.resampled(None)
    if own.names:
        values |= dict(zip(own.names, own.statistic(np.ones(population.clusters)).tolist(), strict=True))
    if own.confidences is not None:
        values["ece"] = reliability(*own.confidences[:2]).error
    return values


def _samples(population: Detected | Classified, n: int, runs: int) -> Iterator[Detected | Classified]:
    images = population.sizes()[0]
    for run in range(runs):
        chosen = np.random.default_rng([n, run]).choice(images, n, replace=False)
        yield population.take(np.sort(chosen))


def _print_coverage(runs: int, sizes: list[int]) -> None:
    title(f"How often a 95 % interval holds the truth: {runs} samples of n pictures, resampled 200 times")
    header("of", "metric", "interval", *(f"n = {n}" for n in sizes))
    for kind in ("classes", "calibrated classes", "two classes", "boxes"):
        population = _population(kind)
        truth = _true_values(population)
        held: dict[tuple[str, str], dict[int, list[bool]]] = {}
        for n in sizes:
            for run, own in enumerate(_samples(population, n, runs)):
                for name, interval, low, high in _ends(own, run):
                    # the error of a population that is calibrated is 0 but for its own chance
                    slack = 0.002 if name == "ece" else 0.0
                    inside = low - slack <= truth[name] <= high + slack
                    held.setdefault((name, interval), {}).setdefault(n, []).append(bool(inside))
        for (name, interval), by_size in held.items():
            line(kind, name, interval, *(share(sum(by_size[n]), len(by_size[n])) for n in sizes))


def _ends(own: Detected | Classified, seed: int) -> Iterator[tuple[str, str, float, float]]:
    """Yields each metric's interval, and of ratios over boxes what a percentile bootstrap would say."""
    for name, measure in row(own, "model", Slice({}), Setting(resamples=200, seed=seed)).metrics.items():
        if measure.known and not np.isnan(measure.low):
            yield name, measure.interval, measure.low, measure.high
    if isinstance(own, Detected):
        for name in ("recall", "f1"):
            k, n = own.ratios(None)[name]

            def ratio(weights: np.ndarray, k: np.ndarray = k, n: np.ndarray = n) -> np.ndarray:
                return np.array([weights @ k / (weights @ n)])

            low, high = intervals(ratio, own.clusters, resamples=200, seed=seed)
            yield name, "percentile, to compare", float(low[0]), float(high[0])


def _print_time(images: int = 5000) -> None:
    title(f"Processor seconds at {images:,} pictures, one model")
    header("step", "seconds")
    truths, predictions = boxes(np.random.default_rng(1), images)
    started = time.process_time()
    matches = match(truths, predictions)
    line(
        f"match {len(truths):,} with {len(predictions):,} boxes at ten overlaps", f"{time.process_time() - started:.2f}"
    )
    detected = Detected.of_matches(truths, predictions, matches, np.arange(images), 4)
    started = time.process_time()
    of_ratios(detected.ratios(0.5))
    line("precision, recall, F1 with intervals at another threshold", f"{time.process_time() - started:.3f}")
    started = time.process_time()
    row(detected, "model", Slice({}), Setting())
    line("a row with AP and calibration error, 400 resamples", f"{time.process_time() - started:.2f}")
    started = time.process_time()
    pycocotools_numbers(truths, predictions, 4, images)
    line("pycocotools: AP and AR of four area ranges, no interval", f"{time.process_time() - started:.2f}")


def add_evaluation(family: Family) -> None:
    """Adds the command."""
    about = "loupe.evaluate: its numbers and intervals"
    command = family.command("evaluation", lambda given: print_evaluation(given.runs, given.n), about)
    command.add_argument("--runs", type=int, default=300, help="samples a cell")
    command.add_argument("-n", type=int, nargs="+", default=[20, 100, 400], help="pictures a sample")
