"""Whether a learned score of hands ranks generated pictures as experts do, better than implausibility does.

``people_learned`` asks the same of faces and limbs. The scores are made by ``training.anatomy.scores``, which sees no
rating. What is fitted on ratings here is judged on
prompts that it was not fitted on.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import rankdata
from sklearn.linear_model import RidgeCV

from benchmarks import data
from benchmarks.figures import header, row, title

_GRADED = "4_hands/ai_human_anatomy"
_RESAMPLES = 2000
_SEED = 16
_OLD = "implausibility"
#: one for each way, and what knows nothing of hands beside them
WAYS = ("agreement", "structure", "places", "layers", "redrawn")
PLAIN = ("size", "blur")
#: the strengths of ridge regression that are chosen among, within the pictures that it is fitted on
_STRENGTHS = (1.0, 10.0, 100.0, 1e3, 1e4, 1e5)
#: sizes of the learning curve, in rated pictures
_SIZES = (10, 20, 30, 40, 50, 60)
_DRAWS = 20


@dataclass(frozen=True, eq=False)
class Rated:
    """Pictures that experts rated and in which hands were found.

    Attributes:
        severity: (N,) the experts' mean severity of errors at hands, or at another part
        adjusted: (N,) the same after each expert's mean was taken from their ratings
        prompts: (N,) the prompt of each
        scores: (N,) each, by name: the mean over a picture's hands, worse where higher
        old: the name of the score that is in the check already
    """

    severity: np.ndarray
    adjusted: np.ndarray
    prompts: np.ndarray
    scores: Mapping[str, np.ndarray]
    old: str = _OLD


def ratings(folder: Path, column: str = "total_hands") -> tuple[dict[str, list[tuple[str, float]]], dict[str, str]]:
    """Returns each picture's (expert, severity), and its prompt, by its name below the folder.

    Args:
        folder: of the rated pictures, those that are not here among them
        column: of labels_tidy.csv: the severity of errors at a part of the body
    """
    given: dict[str, list[tuple[str, float]]] = defaultdict(list)
    prompts = {}
    with (folder / "labels_tidy.csv").open(newline="", encoding="utf-8") as stream:
        for label in csv.DictReader(stream):
            given[label["image"]].append((label["annotator"], float(label[column])))
            prompts[label["image"]] = label["prompt"]
    return given, prompts


def by_picture(
    given: Mapping[str, Sequence[tuple[str, float]]],
    prompts: Mapping[str, str],
    pictures: np.ndarray,
    scores: Mapping[str, np.ndarray],
    old: str = _OLD,
) -> Rated:
    """Returns the rated pictures, with the means of their hands' scores.

    Args:
        given, prompts: see ``ratings``
        pictures: of each hand the name of its picture
        scores: of each hand, by name: a number, or several
        old: the name of the score that is in the check already
    """
    means = {
        expert: float(np.mean([value for several in given.values() for name, value in several if name == expert]))
        for expert in {name for several in given.values() for name, _ in several}
    }
    names = sorted(set(pictures.tolist()) & set(given))
    return Rated(
        np.array([np.mean([value for _, value in given[name]]) for name in names]),
        np.array([np.mean([value - means[expert] for expert, value in given[name]]) for name in names]),
        np.array([prompts[name] for name in names]),
        {key: np.array([values[pictures == name].mean(0) for name in names]) for key, values in scores.items()},
        old,
    )


def rho(first: np.ndarray, second: np.ndarray) -> float:
    """Returns Spearman's rank correlation; 0 where one of both is constant."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    # many times faster than SciPy's own, which also gives a p-value
    return float(np.corrcoef(rankdata(first), rankdata(second))[0, 1])


def within(scores: np.ndarray, severity: np.ndarray, prompts: np.ndarray) -> float:
    """Returns the rank correlation within prompts: of the ranks' offs from their prompt's mean."""
    ranks = [rankdata(values).astype(float) for values in (scores, severity)]
    for prompt in np.unique(prompts):
        for values in ranks:
            values[prompts == prompt] -= values[prompts == prompt].mean()
    if not all(values.std() > 1e-9 for values in ranks):
        return 0.0
    return float(np.corrcoef(*ranks)[0, 1])


def resamples(prompts: np.ndarray, clustered: bool) -> list[np.ndarray]:
    """Returns the rows of each bootstrap resample: of pictures, or of whole prompts."""
    rng = np.random.default_rng(_SEED)
    if not clustered:
        return [rng.integers(0, len(prompts), len(prompts)) for _ in range(_RESAMPLES)]
    groups = [np.flatnonzero(prompts == prompt) for prompt in np.unique(prompts)]
    return [np.concatenate([groups[at] for at in rng.integers(0, len(groups), len(groups))]) for _ in range(_RESAMPLES)]


def interval(values: Sequence[float] | np.ndarray) -> str:
    """Returns the 95 % interval of resampled values."""
    low, high = np.percentile(values, [2.5, 97.5])
    return f"[{low:+.2f}, {high:+.2f}]"


def fitted(columns: np.ndarray, severity: np.ndarray, prompts: np.ndarray) -> np.ndarray:
    """Returns for each picture what ridge regression on the pictures of the other prompts says of it, (N,).

    Only the weights are taken over, not the level: that would go down where the left-out prompt's severity goes up.

    Args:
        columns: (N, F) scores
        severity: (N,) to learn; its ranks are learned
        prompts: (N,) to leave out in turn
    """
    made = np.zeros(len(severity))
    for prompt in np.unique(prompts):
        out = prompts == prompt
        made[out] = weighted(columns[~out], severity[~out], columns[out])
    return made


def weighted(columns: np.ndarray, severity: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Returns what ridge regression on the ranks of a severity says of other pictures, but for its level and scale."""
    middle, spread = columns.mean(0), columns.std(0) + 1e-9
    ranks = rankdata(severity) / len(severity)
    weights = RidgeCV(_STRENGTHS).fit((columns - middle) / spread, ranks).coef_
    # of length one: how strongly each fit was held back must not decide how its prompt ranks among the others
    return np.asarray(((others - middle) / spread) @ weights / max(float(np.linalg.norm(weights)), 1e-12))


def pictures_needed(better: float, old: float, power: float = 0.8) -> int:
    """Returns how many rated pictures show that a rank correlation is above another, known one.

    By Fisher's transform with Fieller's variance of 1.06 / (n - 3), two-sided at 5 %.

    >>> pictures_needed(0.5, 0.37)
    325
    """
    from scipy.stats import norm

    quantiles = float(norm.ppf(0.975) + norm.ppf(power))
    return int(np.ceil(1.06 * (quantiles / (np.arctanh(better) - np.arctanh(old))) ** 2 + 3))


def table(rated: Rated, scores: Mapping[str, np.ndarray]) -> None:
    """Prints each score's rank correlation with the experts', and how far it is above the old one's."""
    header(
        "score",
        "Spearman, interval over pictures",
        "over prompts",
        f"less that of {rated.old}, over pictures",
        "within prompts",
        "each expert's mean taken off",
    )
    samples = {clustered: resamples(rated.prompts, clustered) for clustered in (False, True)}
    old = np.array([rho(rated.scores[rated.old][at], rated.severity[at]) for at in samples[False]])
    for name, values in scores.items():
        spread = {
            clustered: [rho(values[at], rated.severity[at]) for at in rows] for clustered, rows in samples.items()
        }
        more = np.array(spread[False]) - old
        row(
            name,
            f"{rho(values, rated.severity):+.2f} {interval(spread[False])}",
            interval(spread[True]),
            "" if name == rated.old else f"{np.mean(more):+.2f} {interval(more)}",
            f"{within(values, rated.severity, rated.prompts):+.2f}",
            f"{rho(values, rated.adjusted):+.2f}",
        )


def combined(rated: Rated, ways: Sequence[str] = WAYS) -> dict[str, np.ndarray]:
    """Returns the scores put together: by equal weights, which nothing was fitted for, and by ridge regression."""
    old, all_ways = rated.old, f"the {len(ways)} ways"

    def columns(*names: str) -> np.ndarray:
        return np.column_stack([rated.scores[name] for name in names])

    def equal(*names: str) -> np.ndarray:
        given = columns(*names)
        return np.asarray(((given - given.mean(0)) / given.std(0)).mean(1))

    single = [name for name in rated.scores if ":" in name]
    chosen = {
        **{f"{old} and {name}": (old, name) for name in ways},
        all_ways: tuple(ways),
        f"{old} and {all_ways}": (old, *ways),
        "all these, size and blur": (old, *ways, *PLAIN),
        "all these and every single term": (old, *ways, *PLAIN, *single),
    }
    return {
        **{f"equal weights: {name}": equal(*names) for name, names in list(chosen.items())[: len(ways) + 2]},
        **{f"fitted: {name}": fitted(columns(*names), rated.severity, rated.prompts) for name, names in chosen.items()},
    }


def curve(rated: Rated, ways: Sequence[str] = WAYS) -> None:
    """Prints how good a fit on few rated pictures is: on prompts left out, the mean and spread over draws."""
    header("rated pictures", "Spearman on prompts left out: mean", "5 to 95 % of the draws")
    columns = np.column_stack([rated.scores[name] for name in (rated.old, *ways, *PLAIN)])
    for size in _SIZES:
        made = []
        for draw in range(_DRAWS):
            rng = np.random.default_rng([_SEED, size, draw])
            ranked_by = np.zeros(len(rated.severity))
            for prompt in np.unique(rated.prompts):
                out = rated.prompts == prompt
                others = np.flatnonzero(~out)
                at = rng.choice(others, min(size, len(others)), replace=False)
                ranked_by[out] = weighted(columns[at], rated.severity[at], columns[out])
            made.append(rho(ranked_by, rated.severity))
        low, high = np.percentile(made, [5, 95])
        row(size, f"{np.mean(made):+.2f}", f"{low:+.2f} to {high:+.2f}")


def experts(given: Mapping[str, Sequence[tuple[str, float]]]) -> None:
    """Prints how well two experts agree where both rated a picture: no score can be expected to do much better."""
    twice = np.array([[value for _, value in several[:2]] for several in given.values() if len(several) > 1])
    rng = np.random.default_rng(_SEED)
    spread = []
    for _ in range(_RESAMPLES):
        at = rng.integers(0, len(twice), len(twice))
        spread.append(rho(*twice[at].T))
    print(f"two experts on the same {len(twice)} pictures: {rho(*twice.T):+.2f} {interval(spread)}")


def run(work: Path) -> None:
    """Makes the scores where they are not in the work folder, and prints all tables.

    Raises:
        MissingData: pictures or the tiny autoencoder's weights are not there
    """
    from training.anatomy import scores as learned_scores

    folder = data.required(_GRADED)
    if not (work / "scores.npz").exists():
        learned_scores.make(work)
    if not (work / "injections.csv").exists():
        learned_scores.injections(work)
    with np.load(work / "scores.npz") as kept:
        pictures = np.array([name.removeprefix(f"{_GRADED}/") for name in kept["pictures"].tolist()])
        scores = {name.removeprefix("score "): kept[name] for name in kept.files if name.startswith("score ")}
        features = {name: kept[f"features {name}"] for name in ("layers", "places")}
        real = int(kept["real"])
    given, prompts = ratings(folder)
    rated = by_picture(given, prompts, pictures, scores)
    print(
        f"{len(given)} rated pictures, hands of at least 40 pixels in {len(rated.severity)} of them, {len(pictures)} "
        f"hands; {len(set(rated.prompts.tolist()))} prompts, one generator; {real} real hands"
    )
    experts(given)
    title("Old rules, and each way alone: nothing is fitted on ratings")
    plain = (_OLD, *PLAIN, *WAYS)
    table(rated, {name: rated.scores[name] for name in plain})
    title("Their single terms")
    table(rated, {name: values for name, values in rated.scores.items() if name not in plain})
    title("Put together; fitted ones are judged on prompts left out")
    pooled = {
        f"fitted: the {values.shape[1]} features of {name}, pooled": fitted(
            by_picture(given, prompts, pictures, {"": values}).scores[""], rated.severity, rated.prompts
        )
        for name, values in features.items()
    }
    table(rated, combined(rated) | pooled)
    title("Learning curve of the fit on implausibility, the five ways, size and blur")
    curve(rated)
    needed = pictures_needed(0.5, rho(rated.scores[_OLD], rated.severity))
    print(f"\nto show .5 against implausibility's figure at a power of .8: about {needed} rated pictures with hands")
    title("Malformations put into real hands: AUROC on hands left out; it proves nothing")
    with (work / "injections.csv").open(newline="", encoding="utf-8") as stream:
        lines = list(csv.reader(stream))
    header(*lines[0])
    for line in lines[1:]:
        row(*line)
