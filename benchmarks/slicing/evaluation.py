"""How right ``loupe.evaluate`` is: coverage of its intervals by simulation, COCO's numbers against pycocotools, time."""

from __future__ import annotations

import contextlib
import io

import numpy as np

from loupe.brain.evaluation.average_precision import Ranked, mean_known
from loupe.brain.evaluation.matching import Boxes, match

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
        there = ~matches.true_ignored
        ranked = Ranked.of(
            classes,
            predictions.label,
            predictions.score,
            matches.match >= 0,
            matches.ignored,
            predictions.image,
            truths.label[there],
            truths.image[there],
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
