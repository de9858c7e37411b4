"""Mask issues on injected mistakes, beside cleanlab's softmin and plain accuracy: synthetic scenes of regions."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from benchmarks.commands import each
from benchmarks.figures import header, row, share, title
from loupe.brain.labels.mask_issues import disagreement
from loupe.brain.sets.mask_issues import MaskIssues

CLASSES, SIDE = 7, 96
KINDS = ("dropped", "swapped", "shifted")
SHARES = (0.02, 0.05, 0.1, 0.2)
#: how good the model is: how often it misses, confuses and dreams up regions, and by how much it puts them beside
MODELS = {"usual": 1.0, "good": 0.5, "poor": 1.6}
_PICTURES, _HELD_OUT = 500, 100


@dataclass(frozen=True)
class Region:
    """An ellipse or a rectangle of a class, in pixels."""

    code: int
    middle: tuple[float, float]
    sides: tuple[float, float]
    round: bool

    def draw(self, mask: np.ndarray, value: float | None = None) -> None:
        """Puts it over a mask, or a value of its own."""
        rows, columns = np.ogrid[: mask.shape[0], : mask.shape[1]]
        y, x = (rows - self.middle[0]) / (self.sides[0] / 2), (columns - self.middle[1]) / (self.sides[1] / 2)
        inside = x**2 + y**2 <= 1 if self.round else (np.abs(x) <= 1) & (np.abs(y) <= 1)
        mask[inside] = self.code if value is None else value


def regions(rng: np.random.Generator) -> list[Region]:
    """Returns the true regions of a picture, the farther ones first."""
    return [
        Region(
            int(rng.integers(1, CLASSES)),
            (float(rng.uniform(0, SIDE)), float(rng.uniform(0, SIDE))),
            (float(np.exp(rng.normal(3.2, 0.5))), float(np.exp(rng.normal(3.2, 0.5)))),
            bool(rng.random() < 0.5),
        )
        for _ in range(int(rng.integers(2, 7)))
    ]


def mask_of(own: list[Region]) -> np.ndarray:
    """Returns the mask that they make, the later over the earlier."""
    mask = np.zeros((SIDE, SIDE), dtype=np.int64)
    for region in own:
        region.draw(mask)
    return mask


def seen(own: list[Region], rng: np.random.Generator, trouble: float) -> tuple[np.ndarray, np.ndarray]:
    """Returns what a model takes each pixel for, and how sure it is of it."""
    mask, sure = mask_of([]), np.full((SIDE, SIDE), 0.93)
    for region in own:
        small = float(np.clip(20 / np.sqrt(np.prod(region.sides)), 0.3, 3))
        if rng.random() < 0.04 * trouble * small:
            continue
        beside = 0.04 * trouble * small * np.array(region.sides)
        code = int(rng.integers(1, CLASSES)) if rng.random() < 0.06 * trouble * small else region.code
        drawn = replace(
            region,
            code=code,
            middle=tuple(np.array(region.middle) + beside * rng.normal(size=2)),
            sides=tuple(np.array(region.sides) * np.exp(0.05 * trouble * small * rng.normal(size=2))),
        )
        drawn.draw(mask)
        drawn.draw(sure, float(np.clip(rng.beta(8, 1.5 * trouble) - (0.15 if code != region.code else 0), 0.3, 0.99)))
    for _ in range(int(rng.poisson(0.25 * trouble))):
        dream = replace(regions(rng)[0], sides=tuple(np.exp(rng.normal(2.3, 0.5, 2))))
        dream.draw(mask)
        dream.draw(sure, float(rng.uniform(0.35, 0.85)))
    return mask, sure


def spoiled(own: list[Region], kind: str, rng: np.random.Generator) -> list[Region]:
    """Returns regions of which one has a mistake."""
    at = int(rng.integers(len(own)))
    region = own[at]
    if kind == "dropped":
        return [*own[:at], *own[at + 1 :]]
    if kind == "swapped":
        code = 1 + (region.code - 1 + int(rng.integers(1, CLASSES - 1))) % (CLASSES - 1)
        return [*own[:at], replace(region, code=code), *own[at + 1 :]]
    by = rng.uniform(0.25, 0.6, 2) * rng.choice([-1, 1], 2) * np.array(region.sides)
    return [*own[:at], replace(region, middle=tuple(np.array(region.middle) + by)), *own[at + 1 :]]


@dataclass(frozen=True, eq=False)
class Set:
    """N pictures: given masks, the model's, how sure it is, and what is wrong with each."""

    given: list[np.ndarray]
    predicted: list[np.ndarray]
    sure: list[np.ndarray]
    kind: np.ndarray


def made(n: int, amount: float, trouble: float, seed: int) -> Set:
    """Returns N pictures of which a share has a mistake of each kind that changes more than 30 pixels."""
    rng = np.random.default_rng(seed)
    kind = np.full(n, "", dtype=object)
    order, k = rng.permutation(n), round(amount * n)
    for at, name in enumerate(KINDS):
        kind[order[at * k : (at + 1) * k]] = name
    given, predicted, sure = [], [], []
    for at in range(n):
        own = regions(rng)
        mask = mask_of(own)
        while kind[at]:
            wrong = mask_of(spoiled(own, kind[at], rng))
            if (wrong != mask).sum() > 30:
                break
            own = regions(rng)
            mask = mask_of(own)
        other, certain = seen(own, rng, trouble)
        given.append(wrong if kind[at] else mask)
        predicted.append(other)
        sure.append(certain)
    return Set(given, predicted, sure, kind)


def scores_of(own: Set) -> dict[str, np.ndarray]:
    """Returns the scores of each picture by each method, higher is worse."""
    from cleanlab.segmentation.rank import get_label_quality_scores

    # what the model does not take a pixel for gets equal shares of the rest
    likely = np.stack([np.repeat(((1 - sure) / (CLASSES - 1))[None], CLASSES, axis=0) for sure in own.sure])
    np.put_along_axis(likely, np.stack(own.predicted)[:, None], np.stack(own.sure)[:, None], axis=1)
    quality, _ = get_label_quality_scores(np.stack(own.given), likely, verbose=False)
    pairs = list(zip(own.given, own.predicted, own.sure, strict=True))
    return {
        "sure": np.array([disagreement(given, other, sure).score for given, other, sure in pairs]),
        "plain": np.array([disagreement(given, other).score for given, other, _ in pairs]),
        "softmin": 1 - quality,
        "pixels": np.array([(given != other).mean() for given, other, _ in pairs]),
    }


def print_masks() -> None:
    """Prints how well injected mistakes in masks are found."""
    each(_print_shares, _print_models)


def _print_shares() -> None:
    title(
        f"{_PICTURES} scenes of 2 to 6 regions, {CLASSES} classes, a usual model; the share is of each kind of mistake"
    )
    _head()
    for amount in SHARES:
        _print_row(f"{amount:.0%}", made(_PICTURES, amount, 1.0, _HELD_OUT))


def _print_models() -> None:
    title("The same by other models, 5 % of each kind")
    _head()
    for name, trouble in MODELS.items():
        _print_row(name, made(_PICTURES, 0.05, trouble, _HELD_OUT + 1))


def _head() -> None:
    header(
        "mistakes", "wrong", "average precision, with a map of confidence", "without", "softmin, cleanlab",
        "all pixels that differ", "precision and recall at the true number, with a map", "without", "softmin",
        "without, at the default threshold: precision", "recall", *KINDS,
    )  # fmt: skip


def _print_row(name: str, own: Set) -> None:
    from sklearn.metrics import average_precision_score

    threshold = MaskIssues.outputs[0].default_threshold
    assert threshold is not None
    wrong, scores = own.kind != "", scores_of(own)
    k = int(wrong.sum())
    tops = {key: int(wrong[np.argsort(-each, kind="stable")[:k]].sum()) for key, each in scores.items()}
    flagged = scores["plain"] > threshold.value
    hits = int((flagged & wrong).sum())
    by_kind = [share(int((flagged & (own.kind == kind)).sum()), int((own.kind == kind).sum())) for kind in KINDS]
    row(
        name, share(k, len(wrong)), *(f"{average_precision_score(wrong, scores[key]):.3f}" for key in scores),
        *(share(tops[key], k) for key in ("sure", "plain", "softmin")),
        share(hits, int(flagged.sum())), share(hits, k), *by_kind,
    )  # fmt: skip
