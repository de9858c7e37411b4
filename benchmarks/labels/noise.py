"""Injected label noise on digits and on synthetic vectors: Loupe beside cleanlab and two simple rankings.

Settings were chosen on seeds 0 and 1; these are others. Every method looks for as many labels as are wrong, and then
says by itself which are.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy import sparse

from benchmarks.commands import each
from benchmarks.figures import header, row, title
from benchmarks.labels.issues import CONFUSIONS
from benchmarks.labels.scale import print_scale
from loupe.brain.labels import by_model, multilabel, noise
from loupe.brain.labels.one_vs_rest import OneVsRest
from loupe.brain.labels.probe import probe
from loupe.brain.sets.label_issues import LabelIssues

SEEDS = range(10, 14)
SHARES = (0.02, 0.05, 0.1, 0.2)
_SURE = 1e-6


def print_noise(part: str | None = None) -> None:
    """Prints which of the injected mistakes are found, of one class a sample and of several, and how long it takes."""
    each(*(PARTS.values() if part is None else [PARTS[part]]))


def _threshold() -> float:
    threshold = LabelIssues.outputs[0].default_threshold
    assert threshold is not None
    return threshold.value


def _interval(values: Sequence[float]) -> str:
    """Returns the mean over seeds, with Student's 95 % interval."""
    from scipy.stats import t

    made = np.asarray(values, dtype=np.float64)
    half = t.ppf(0.975, len(made) - 1) * made.std(ddof=1) / np.sqrt(len(made))
    return f"{made.mean():.3f} ± {half:.3f}"


def _at_budget(scores: np.ndarray, wrong: np.ndarray) -> float:
    """Returns the share that is wrong among the highest scores, as many as there are mistakes: precision and recall."""
    top = np.argsort(-scores, axis=None, kind="stable")[: int(wrong.sum())]
    return float(wrong.ravel()[top].mean())


def _precision_recall(flagged: np.ndarray, wrong: np.ndarray) -> tuple[float, float]:
    hits = int((flagged & wrong).sum())
    return hits / max(int(flagged.sum()), 1), hits / max(int(wrong.sum()), 1)


def _print_digits() -> None:
    from sklearn.datasets import load_digits

    digits = load_digits()
    unit = (digits.data / np.linalg.norm(digits.data, axis=1, keepdims=True)).astype(np.float32)
    measured = {
        (kind, share): [_one_class(unit, digits.target, confuse, share, seed) for seed in SEEDS]
        for kind, confuse in CONFUSIONS.items()
        for share in SHARES
    }
    title(f"Digits, one class a sample: precision and recall at the true number of mistakes, {len(SEEDS)} seeds")
    _print(measured, "at the true number")
    title("The same, by each method's own threshold: precision, then recall")
    _print(measured, "flagged")


def _print(measured: Mapping[tuple[str, float], Sequence[Mapping[str, Mapping[str, object]]]], what: str) -> None:
    names = list(next(iter(measured.values()))[0][what])
    header("mistakes", "share", *names)
    for (kind, share), runs in measured.items():
        cells = []
        for name in names:
            values = [run[what][name] for run in runs]
            pairs = zip(*values, strict=True) if isinstance(values[0], tuple) else [values]
            cells.append(", ".join(_interval(each) for each in pairs))  # type: ignore[arg-type]
        row(kind, f"{share:.0%}", *cells)


def _one_class(
    unit: np.ndarray, true: np.ndarray, confuse: Callable[..., np.ndarray], share: float, seed: int
) -> dict[str, dict[str, object]]:
    from cleanlab.filter import find_label_issues
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    given = confuse(true, share, np.random.default_rng(seed))
    wrong, rows = given != true, np.arange(len(true))
    ours = noise.fit(probe(unit, given, 10, seed=seed), given)
    # a probe that others would take: out-of-fold logistic regression
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = LogisticRegression(C=10, max_iter=100)
        theirs = cross_val_predict(model, 4 * unit, given, cv=5, method="predict_proba")
    same = by_model.fit(theirs, given, _threshold())
    fiftyone = _mistakenness(theirs, given)
    filters = {
        f"cleanlab's {name}": find_label_issues(given, theirs, filter_by=name)
        for name in ("prune_by_noise_rate", "low_self_confidence")
    }
    return {
        "at the true number": {
            "Loupe": _at_budget(ours.wrong, wrong),
            "Loupe, by the regression": _at_budget(same.wrong, wrong),
            "self-confidence of the regression": _at_budget(1 - theirs[rows, given], wrong),
            "self-confidence of Loupe's probes": _at_budget(1 - ours.classes[rows, given], wrong),
            "averaged logit margin": _at_budget(-_margins(unit, given), wrong),
            "FiftyOne's mistakenness": _at_budget(fiftyone, wrong),
        },
        "flagged": {
            "Loupe": _precision_recall(ours.wrong > _threshold(), wrong),
            "Loupe, by the regression": _precision_recall(same.wrong > _threshold(), wrong),
            **{name: _precision_recall(flagged, wrong) for name, flagged in filters.items()},
        },
    }


def _mistakenness(probabilities: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Returns FiftyOne's mistakenness by confidence, of its own function."""
    from fiftyone.brain.internal.core.mistakenness import _compute_mistakenness_class_conf

    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    pairs = zip(confidence.tolist(), (predicted == given).tolist(), strict=True)
    return np.array([_compute_mistakenness_class_conf(sure, float(right)) for sure, right in pairs])


def _margins(unit: np.ndarray, given: np.ndarray, epochs: int = 200, rate: float = 20.0) -> np.ndarray:
    """Returns each label's logit above the best other one, averaged over the training of a softmax regression.

    In-sample, as in arXiv:2510.16211: what is learned late is doubtful.
    """
    n, n_classes = len(given), int(given.max()) + 1
    vectors = np.c_[unit - unit.mean(axis=0), np.ones(n)].astype(np.float64)
    weights, wanted = np.zeros((vectors.shape[1], n_classes)), np.eye(n_classes)[given]
    total = np.zeros(n)
    for _ in range(epochs):
        logits = vectors @ weights
        others = np.where(wanted > 0, -np.inf, logits)
        total += logits[np.arange(n), given] - others.max(axis=1)
        weights += rate * vectors.T @ (wanted - noise.softmax(logits)) / n
    return total / epochs


def _print_several() -> None:
    measured = {
        (f"{data}: {kind}", share): [_several(data, kind, share, seed) for seed in SEEDS]
        for data in ("digits", "synthetic")
        for kind in ("wrong and missing", "any", "missing")
        for share in (0.02, 0.1, 0.2)
    }
    title(
        "Several classes a sample: digits (even, above 4, with a loop), and 12 classes of 30 to 2 % in 64 numbers, "
        f"2,000 samples; at the true number, {len(SEEDS)} seeds"
    )
    _print(measured, "at the true number")
    title("The same, by each method's own threshold: precision, then recall")
    _print(measured, "flagged")


def _several(data: str, kind: str, share: float, seed: int) -> dict[str, dict[str, object]]:
    from cleanlab.internal.multilabel_utils import onehot2int
    from cleanlab.multilabel_classification import get_label_quality_scores
    from cleanlab.multilabel_classification.filter import find_multilabel_issues_per_class
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(seed)
    unit, true = _digits_of_several() if data == "digits" else _synthetic(rng)
    frequency = true.mean(axis=0)
    amount = {"wrong and missing": np.where(true, share, share * frequency / (1 - frequency)), "any": share}
    given = true ^ (rng.random(true.shape) < amount.get(kind, np.where(true, share, 0)))
    wrong = given != true
    table = sparse.csc_matrix(given.astype(np.int8))
    ours = _full(multilabel.fit(OneVsRest(unit, table, seed=seed).log_odds, table, limit=-1), given.shape)
    scaled, regression = StandardScaler().fit_transform(unit), LogisticRegression(max_iter=100)
    theirs = np.stack(
        [cross_val_predict(regression, scaled, own, cv=5, method="predict_proba")[:, 1] for own in given.T], axis=1
    ).clip(_SURE, 1 - _SURE)
    odds = np.log(theirs) - np.log1p(-theirs)
    same = _full(multilabel.fit(lambda block: [odds[:, block]], table, limit=-1), given.shape)
    listed = onehot2int(given.astype(int))
    flagged = np.asarray(find_multilabel_issues_per_class(listed, theirs)).reshape(given.shape)
    samples = wrong.any(axis=1)
    return {
        "at the true number": {
            "classes: Loupe": _at_budget(ours, wrong),
            "classes: Loupe, by the regression": _at_budget(same, wrong),
            "classes: self-confidence of the regression": _at_budget(np.where(given, 1 - theirs, theirs), wrong),
            "samples: Loupe": _at_budget(ours.max(axis=1), samples),
            "samples: cleanlab": _at_budget(1 - get_label_quality_scores(listed, theirs), samples),
        },
        "flagged": {
            "Loupe": _precision_recall(ours > _threshold(), wrong),
            "Loupe, by the regression": _precision_recall(same > _threshold(), wrong),
            "cleanlab": _precision_recall(flagged, wrong),
        },
    }


def _full(made: multilabel.MultiNoise, shape: tuple[int, ...]) -> np.ndarray:
    doubts = np.zeros(shape, dtype=np.float32)
    doubts[made.rows, made.columns] = made.wrong
    return doubts


def _digits_of_several() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    digits = load_digits()
    target = digits.target
    several = np.stack([target % 2 == 0, target > 4, np.isin(target, [0, 6, 8, 9])], axis=1)
    return (digits.data / np.linalg.norm(digits.data, axis=1, keepdims=True)).astype(np.float32), several


def _synthetic(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    several = rng.random((2000, 12)) < np.geomspace(0.3, 0.02, 12)
    vectors = several @ rng.normal(size=(12, 64)) + 2 * rng.normal(size=(2000, 64))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), several


PARTS: Mapping[str, Callable[[], None]] = {"one": _print_digits, "several": _print_several, "scale": print_scale}
