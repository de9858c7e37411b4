"""Box issues on injected mistakes, beside cleanlab's ObjectLab: synthetic scenes, and photos with detected boxes."""

from __future__ import annotations

import io
import resource
import time
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from benchmarks import data
from benchmarks.commands import each
from benchmarks.figures import header, row, share, title
from benchmarks.labels.box_scenes import CLASSES, KINDS, Spoiled, scenes, seen, spoiled
from loupe.brain.labels.box_issues import assess
from loupe.brain.labels.boxes import Boxes, Pairs
from loupe.brain.sets.box_issues import BoxIssues
from loupe.brain.stats.bootstrap import intervals

SHARES = (0.02, 0.05, 0.1, 0.2)
#: the model's ability, and how sure it is of itself
MODELS = {"usual": (1.0, 1.0), "good, too sure": (1.3, 0.6), "poor, not sure enough": (0.85, 2.0)}
#: pictures of a set; the settings were chosen on seeds 0 to 9
_PICTURES, _HELD_OUT = 600, 100
_SURE = 0.5
#: of ImageNet beside the ten of COCO
_PHOTOS = 200


def print_boxes() -> None:
    """Prints how well injected mistakes are found, beside cleanlab, and the time for 100,000 pictures."""
    each(_print_scenes, _print_models, _print_photos, _print_time)


def _threshold() -> float:
    threshold = BoxIssues.outputs[0].default_threshold
    assert threshold is not None
    return threshold.value


def _print_scenes() -> None:
    title(f"{_PICTURES} synthetic scenes, 7 boxes each, a usual model; the share is of each kind of mistake")
    _head()
    for amount in SHARES:
        rng = np.random.default_rng(_HELD_OUT)
        truth = scenes(_PICTURES, rng)
        predicted = seen(truth, _PICTURES, rng)
        _print_rows(f"{amount:.0%}", spoiled(truth, amount, rng), predicted, _PICTURES, CLASSES)


def _print_models() -> None:
    title("The same by other models, 5 % of each kind")
    _head()
    for name, (ability, sure) in MODELS.items():
        rng = np.random.default_rng(_HELD_OUT + 1)
        truth = scenes(_PICTURES, rng)
        predicted = seen(truth, _PICTURES, rng, ability=ability, sure=sure)
        _print_rows(name, spoiled(truth, 0.05, rng), predicted, _PICTURES, CLASSES)


def _print_photos() -> None:
    given, predicted, names, n = _photos()
    title(
        f"{n} photos (COCO, ImageNet): the boxes of YOLOX-nano above {_SURE} are taken for the truth and get mistakes; "
        "predictions are its own on a mirrored, smaller and more compressed copy. The same network twice: kinder"
    )
    _head()
    for amount in SHARES[1:]:
        rng = np.random.default_rng(_HELD_OUT)
        _print_rows(f"{amount:.0%}", spoiled(given, amount, rng, classes=len(names)), predicted, n, len(names))


def _head() -> None:
    header(
        "mistakes", "kind", "objects that a prediction shows", "average precision", "ObjectLab, .95", "ObjectLab, .5",
        "precision and recall at the true number", "ObjectLab, the better", "at the default threshold: precision",
        "recall",
    )  # fmt: skip


def _print_rows(name: str, made: Spoiled, predicted: Boxes, n: int, classes: int) -> None:
    from sklearn.metrics import average_precision_score

    own = assess(made.given, predicted)
    ours = dict(zip(KINDS, (own.overlooked, own.badly_located, own.swapped), strict=True))
    theirs = {high: objectlab(made.given, predicted, n, classes, high) for high in (0.95, 0.5)}
    for kind in KINDS:
        cases = {"ours": _cases(kind, ours[kind], made, predicted)}
        cases |= {str(high): _cases(kind, scores[kind], made, predicted) for high, scores in theirs.items()}
        reach = cases["ours"].reach
        budgets = {key: case.at_budget() for key, case in cases.items()}
        other = max(budgets["0.95"], budgets["0.5"])
        row(
            name, kind.replace("_", " "), reach, cases["ours"].precision(n), cases["0.95"].precision(n),
            cases["0.5"].precision(n), share(*budgets["ours"]), share(*other), *cases["ours"].at(_threshold()),
        )  # fmt: skip
    bad = _spoiled_images(made, n)
    image_scores = {"ours": _worst(own, made, predicted, n)}
    image_scores |= {str(high): scores["image"] for high, scores in theirs.items()}
    values = {key: average_precision_score(bad, scores) for key, scores in image_scores.items()}
    flagged = image_scores["ours"] > _threshold()
    hits, k = int((flagged & bad).sum()), int(bad.sum())
    tops = {key: int(bad[np.argsort(-scores, kind="stable")[:k]].sum()) for key, scores in image_scores.items()}
    row(
        name, "**pictures**", share(k, n), *(f"{values[key]:.3f}" for key in ("ours", "0.95", "0.5")),
        share(tops["ours"], k), share(max(tops["0.95"], tops["0.5"]), k), share(hits, int(flagged.sum())),
        share(hits, k),
    )  # fmt: skip


def _worst(own: object, made: Spoiled, predicted: Boxes, n: int) -> np.ndarray:
    scores = np.zeros(n)
    for boxes, names in ((made.given, ("swapped", "badly_located")), (predicted, ("overlooked",))):
        for name in names:
            np.maximum.at(scores, boxes.image, getattr(own, name))
    return scores


def _spoiled_images(made: Spoiled, n: int) -> np.ndarray:
    bad = np.zeros(n, dtype=bool)
    bad[made.given.image[made.kind != ""]] = True
    bad[made.left_out.image] = True
    return bad


class Case:
    """Candidates with scores, of which some are mistakes.

    Args:
        image: (C,) the picture of each
        score: (C,)
        right: (C,) bool: whether it is a mistake that is to be found
        lost: (L,) the pictures of mistakes that no candidate shows
    """

    def __init__(self, image: np.ndarray, score: np.ndarray, right: np.ndarray, lost: np.ndarray) -> None:
        order = np.argsort(-score, kind="stable")
        self.image, self.score, self.right, self.lost = image[order], score[order], right[order], lost
        self.k = int(right.sum()) + len(lost)

    @property
    def reach(self) -> str:
        """How many mistakes a candidate shows, of all of them."""
        return share(self.k - len(self.lost), self.k)

    def at_budget(self) -> tuple[int, int]:
        """Returns how many are right of as many as there are mistakes, and how many that is; what scores 0 is none."""
        return int((self.right & (self.score > 0))[: self.k].sum()), self.k

    def at(self, threshold: float) -> tuple[str, str]:
        """Returns precision and recall at a threshold."""
        flagged = self.score > threshold
        hits = int(self.right[flagged].sum())
        return share(hits, int(flagged.sum())), share(hits, self.k)

    def precision(self, n: int) -> str:
        """Returns the average precision with its interval over pictures; what scores 0 is never reached."""

        def measured(weights: np.ndarray) -> np.ndarray:
            own = weights[self.image] * (self.score > 0)
            hits = np.cumsum(own * self.right)
            precision = hits / np.maximum(np.cumsum(own), 1e-12)
            every = (weights[self.image] * self.right).sum() + weights[self.lost].sum()
            return np.array([(own * self.right * precision).sum() / every if every else np.nan])

        low, high = (float(end[0]) for end in intervals(measured, n, resamples=200))
        return f"{measured(np.ones(n))[0]:.3f} [{low:.3f}, {high:.3f}]"


def _cases(kind: str, score: np.ndarray, made: Spoiled, predicted: Boxes) -> Case:
    if kind != "overlooked":
        return Case(made.given.image, score, made.kind == kind, np.zeros(0, np.int64))
    # each left-out object is found once, by the best prediction of any class that lies on it
    pairs = Pairs.of(made.left_out, predicted)
    on_it = pairs.iou >= 0.5
    objects, by = pairs.given[on_it], pairs.predicted[on_it]
    right, taken, double = (
        np.zeros(len(predicted), bool),
        np.zeros(len(made.left_out), bool),
        np.zeros(len(predicted), bool),
    )
    for at in np.argsort(-score[by], kind="stable").tolist():
        free = not taken[objects[at]] and not right[by[at]]
        double[by[at]] |= not free
        if free:
            right[by[at]] = taken[objects[at]] = True
    counted = right | ~double
    return Case(predicted.image[counted], score[counted], right[counted], made.left_out.image[~taken])


def objectlab(given: Boxes, predicted: Boxes, n: int, classes: int, high: float) -> Mapping[str, np.ndarray]:
    """Returns the scores of cleanlab's ObjectLab, higher is worse: of given boxes, of predictions, and of pictures."""
    from cleanlab.object_detection import rank

    labels, predictions, order = [], [], []
    at, to = (np.searchsorted(boxes.image, np.arange(n + 1)) for boxes in (given, predicted))
    for image in range(n):
        own, other = slice(at[image], at[image + 1]), slice(to[image], to[image + 1])
        labels.append({"bboxes": given.corners[own].astype(np.float32), "labels": given.label[own]})
        table = np.c_[predicted.corners[other], predicted.score[other]].astype(np.float32)
        predictions.append([table[predicted.label[other] == code] for code in range(classes)])
        order.append(to[image] + np.argsort(predicted.label[other], kind="stable"))
    inputs = rank._get_valid_inputs_for_compute_scores(rank.ALPHA, labels, predictions)
    settings = {"alpha": rank.ALPHA, "auxiliary_inputs": inputs}
    by_class = np.concatenate(rank.compute_overlooked_box_scores(high_probability_threshold=high, **settings))
    overlooked = np.zeros(len(predicted))
    overlooked[np.concatenate(order)] = 1 - np.nan_to_num(by_class, nan=1.0)
    return {
        "overlooked": overlooked,
        "badly_located": 1 - np.concatenate(rank.compute_badloc_box_scores(**settings)),
        "swapped": 1 - np.concatenate(rank.compute_swap_box_scores(high_probability_threshold=high, **settings)),
        "image": 1 - rank._get_subtype_label_quality_scores(labels, predictions, high_probability_threshold=high),
    }


def _photos() -> tuple[Boxes, Boxes, Sequence[str], int]:
    from loupe.brain.perception import weights
    from loupe.brain.perception.detectors import yolox

    find = yolox.load(weights.path("yolox_nano")).find
    paths = [*data.files(data.required(data.COCO), "*.jpg"), *data.photos()[:_PHOTOS]]
    sides: tuple[list, list] = ([], [])
    for at, path in enumerate(paths):
        picture = Image.open(path).convert("RGB")
        for side, pixels, mirrored in ((0, picture, False), (1, _changed(picture), True)):
            for box in find(np.asarray(pixels), ()):
                x, y, wide, high = box.bounds
                x = 1 - x - wide if mirrored else x
                corners = np.array([x, y, x + wide, y + high]) * np.tile(picture.size, 2)
                sides[side].append((at, box.label, corners, box.confidence))
    names = sorted({entry[1] for side in sides for entry in side})
    given, predicted = (
        Boxes(
            np.array([entry[0] for entry in side]),
            np.array([names.index(entry[1]) for entry in side]),
            np.array([entry[2] for entry in side], dtype=float),
            np.array([entry[3] for entry in side], dtype=float),
            np.zeros(len(side), dtype=bool),
        )
        for side in sides
    )
    return given.take(given.score >= _SURE), predicted, names, len(paths)


def _changed(picture: Image.Image) -> Image.Image:
    small = picture.resize((round(picture.width * 0.75), round(picture.height * 0.75)))
    held = io.BytesIO()
    small.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(held, "JPEG", quality=60)
    return Image.open(held).convert("RGB")


def _print_time() -> None:
    n = 100_000
    rng = np.random.default_rng(0)
    truth = scenes(n, rng)
    predicted = seen(truth, n, rng)
    cpu = time.process_time()
    assess(truth, predicted)
    cpu = time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    title(f"{n:,} pictures, {len(truth):,} boxes, {len(predicted):,} predictions")
    header("seconds of CPU", "peak memory of the process, GiB")
    row(f"{cpu:.1f}", f"{peak:.1f}")
