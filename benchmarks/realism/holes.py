"""Clusters of a real set that a synthetic one lacks: are they named, and how often is something else?

Real pictures stand for both sides, so that nothing but what was taken out is missing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks import cifar
from benchmarks.data import MissingData
from benchmarks.figures import header, row, share, title
from benchmarks.realism.verdicts import TUNED_ON
from loupe.brain.labels.holes import uncovered
from loupe.brain.similarity.gathered import scaled
from loupe.brain.slicing.clusters import k_means

#: a cluster that is taken out has one of these shares of all pictures, about
CLUSTERS = (10, 20)
_DIGITS_TUNED_ON = 600
#: of CIFAR-10: their vectors take minutes
_PICTURES = 8000


@dataclass(frozen=True)
class Outcome:
    """What was named in a drawn pair of sets.

    Attributes:
        planted: how many real pictures lie in the cluster that was taken out; 0: none was
        named: how many real pictures lie in holes
        hit: how many do both
        reported: a hole lies mostly in that cluster
        other: a hole lies mostly elsewhere
    """

    planted: int
    named: int
    hit: int
    reported: bool
    other: bool


def print_holes(runs: int) -> None:
    """Prints the tables, of scikit-learn's digits and of CIFAR-10 where it is.

    Args:
        runs: how many pairs of sets are drawn for each line
    """
    for name, vectors, parts in _sources():
        for part_name, part, sizes in parts:
            title(f"{name}, {part_name}: {runs} drawn pairs of sets each")
            header(
                "pictures a side", "taken out", "a hole lies in it", "recall of its pictures", "precision",
                "pairs in which something else is named",
            )  # fmt: skip
            for n in sizes:
                for clusters in (0, *CLUSTERS):
                    _print_row(n, clusters, [drawn(vectors[part], n, clusters, seed) for seed in range(runs)])


def drawn(vectors: np.ndarray, n: int, clusters: int, seed: int) -> Outcome:
    """Returns what is named where one of so many clusters is taken out of the synthetic side.

    Args:
        vectors: (N, D) float32 of real pictures
        n: pictures a side, at most
        clusters: of all vectors; 0: nothing is taken out
        seed: decides the draws, and which cluster
    """
    rng = np.random.default_rng(seed)
    unit = scaled(vectors).unit
    own = k_means(unit, clusters, seed % 10) if clusters else np.full(len(unit), -1)
    # clusters of k-means are uneven: of those of about the size that is wanted
    sizes = np.bincount(own, minlength=clusters) if clusters else np.zeros(0)
    near = np.flatnonzero((sizes * clusters >= 0.5 * len(unit)) & (sizes * clusters <= 1.5 * len(unit)))
    gone = int(rng.choice(near)) if clusters else -2
    order = rng.permutation(len(unit))
    real, rest = order[: len(unit) // 2][:n], order[len(unit) // 2 :]
    synthetic = rest[own[rest] != gone][:n]
    lacking = own[real] == gone
    looked = uncovered(unit[real], unit[synthetic], seed=seed)
    named = np.zeros(len(real), dtype=bool)
    for region in looked.regions:
        named[region.rows] = True
    own_shares = [float(lacking[region.rows].mean()) for region in looked.regions]
    reported, other = any(each >= 0.5 for each in own_shares), any(each < 0.5 for each in own_shares)
    return Outcome(int(lacking.sum()), int(named.sum()), int((named & lacking).sum()), reported, other)


def _print_row(n: int, clusters: int, made: list[Outcome]) -> None:
    others = share(sum(each.other for each in made), len(made))
    if not clusters:
        row(f"{n:,}", "nothing", "", "", "", others)
        return
    named = [each for each in made if each.named]
    hits = share(sum(each.reported for each in made), len(made))
    planted = round(float(np.mean([each.planted for each in made])))
    row(
        f"{n:,}",
        f"1 cluster of {clusters}, {planted} pictures",
        hits,
        _mean([each.hit / each.planted for each in made]),
        _mean([each.hit / each.named for each in named]),
        others,
    )


def _mean(values: list[float]) -> str:
    """Returns the mean of drawn pairs with its 95 % interval."""
    if len(values) < 2:
        return "–"
    center, half = float(np.mean(values)), 1.96 * float(np.std(values, ddof=1)) / len(values) ** 0.5
    return f"{center:.3f} [{max(0.0, center - half):.3f}, {min(1.0, center + half):.3f}] ({len(values)} pairs)"


_Part = tuple[str, np.ndarray, tuple[int, ...]]


def _sources() -> list[tuple[str, np.ndarray, list[_Part]]]:
    made = [("scikit-learn's digits, hog", _digits(), _parts(1797, _DIGITS_TUNED_ON, (200, 500)))]
    try:
        pixels, _ = cifar.pictures()
        vectors = cifar.vectors(pixels[:_PICTURES])
    except MissingData as error:
        print(f"CIFAR-10 is left out: {error}")
        return made
    return [*made, ("CIFAR-10, EfficientNet-Lite0", vectors, _parts(len(vectors), TUNED_ON, (500, 2000)))]


def _parts(n: int, tuned: int, sizes: tuple[int, ...]) -> list[_Part]:
    return [
        (f"pictures 0 to {tuned:,} (what was looked at while the rules were made)", np.arange(tuned), sizes[:1]),
        (f"pictures {tuned:,} to {n:,} (held out)", np.arange(tuned, n), sizes),
    ]


def _digits() -> np.ndarray:
    from sklearn.datasets import load_digits

    from benchmarks.embedders.meaning import vectors_of
    from loupe.brain.embedders.hog import Hog

    pictures = [np.repeat(each.astype(np.uint8)[..., None] * 15, 3, axis=2) for each in load_digits().images]
    pictures = [np.asarray(np.kron(each, np.ones((8, 8, 1), np.uint8))) for each in pictures]
    return vectors_of(Hog().load("cpu"), pictures)
