"""A synthetic set of vectors against a real one: every distance of distributions, each beside its null."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from loupe.brain.core.errors import InputError
from loupe.brain.core.interrupts import leavable
from loupe.brain.realism import manifold
from loupe.brain.realism.angles import Angles
from loupe.brain.realism.diversity import diversity
from loupe.brain.realism.kernels import KernelSums, mmd2_of_sums, own_values
from loupe.brain.realism.manifold import Manifold, Part
from loupe.brain.realism.moments import Moments, extrapolated, frechet, frechet_of
from loupe.brain.realism.two_samples import TwoSamples, tell_apart
from loupe.brain.stats import ball_coverage

#: splits that moments are made of: they cost a pass over the vectors each, and vary little
MOMENT_SPLITS = 4
#: lengths that differ by less are one: a Fréchet distance or KID of unit vectors prints as 0
_ONE_LENGTH = 1e-3
#: how far the numbers of vectors may be from their mean: the squares of smaller and larger ones are lost in float32
_SMALLEST, _LARGEST = 1e-12, 1e12


@dataclass(frozen=True, eq=False)
class Metric:
    """A measure of a synthetic set.

    Attributes:
        name: e.g. ``"recall"``
        value: of all vectors; NaN where it cannot be told
        matched: (S,) of parts, as many real as synthetic vectors at most; empty where only the whole was measured
        null: (S,) of the same real parts against other real ones
        expected: what a second real set would have at the full sizes, where a closed form says so; else NaN
        expected_matched: the same at the sizes of the parts
    """

    name: str
    value: float
    matched: np.ndarray
    null: np.ndarray
    expected: float = math.nan
    expected_matched: float = math.nan

    @property
    def ratio(self) -> float:
        """The value over what a second real set of its size would have: 1 is as real; NaN where that is no ratio."""
        if math.isfinite(self.expected):
            return self.value / self.expected if self.expected else math.nan
        ratios = self.ratios
        return float(np.mean(ratios)) if len(ratios) else math.nan

    @property
    def ratios(self) -> np.ndarray:
        """The ratio of each part; none where it is no ratio, or where only the whole was measured."""
        center = float(np.mean(self.null)) if len(self.null) else math.nan
        expected = self.expected_matched if math.isfinite(self.expected) else center
        return self.matched / expected if expected > 0 else np.zeros(0)


@dataclass(frozen=True, eq=False)
class Compared:
    """A synthetic set against a real one.

    Attributes:
        metrics: by name
        manifold: with what is said of each sample
        apart: the classifier that tells them apart
        diversity: (S,) Vendi scores of synthetic parts and of real ones, equally many vectors
        unit_length: all vectors have one length, so that ``frechet`` and ``kid`` are small whatever they say
        alike: all real vectors are the same one: nothing can be told from them
    """

    metrics: dict[str, Metric]
    manifold: Manifold
    apart: TwoSamples
    diversity: tuple[np.ndarray, np.ndarray]
    unit_length: bool
    alike: bool


@leavable
def compare(
    real: np.ndarray,
    synthetic: np.ndarray,
    *,
    groups: np.ndarray | None = None,
    k: int = manifold.K,
    splits: int = manifold.SPLITS,
    permutations: int = 199,
    seed: int = 0,
    device: str = "cpu",
    angles: Angles | None = None,
    step: Callable[[int, int], None] = lambda done, total: None,
) -> Compared:
    """Returns every measure of a synthetic set against a real one.

    Args:
        real, synthetic: (N, D) and (M, D) float32, finite
        groups: (N + M,) int, the real ones first: of one prompt or scene, kept together by the classifier
        k: the nearest neighbor that a ball reaches to
        splits: of the real set
        permutations: of the sides, for the classifier's p
        seed: decides all draws
        device: where distances are made
        angles: reads the distances, too
        step: called with how many rows are done of how many

    Raises:
        InputError: too few vectors on a side, or numbers whose squares float32 cannot tell
    """
    n, m = len(real), len(synthetic)
    rng = np.random.default_rng(seed)
    center = real.mean(axis=0, dtype=np.float64).astype(np.float32)
    _require_scale(real, synthetic, center)
    lengths = tuple(np.einsum("nd,nd->n", each, each, dtype=np.float64) for each in (real, synthetic))
    drawn = manifold.parts(n, m, splits, np.random.default_rng(seed))
    kernels = {name: _Kernel(name, drawn, lengths, real.shape[1]) for name in ("cubic", "gaussian")}
    beside = ((), (), ()) if angles is None else angles.readers
    readers = tuple([*(kernel.readers[at] for kernel in kernels.values()), *beside[at]] for at in range(3))
    made = manifold.measure(
        real - center, synthetic - center, k=k, splits=splits, seed=seed, device=device,
        readers=(readers[0], readers[1], readers[2]), step=step,
    )  # fmt: skip
    parts = drawn[:MOMENT_SPLITS]
    metrics = {
        name: Metric(name, value, made.matched.get(name, np.zeros(0)), made.null.get(name, np.zeros(0)))
        for name, value in made.values.items()
    }
    metrics["coverage"] = Metric(
        "coverage",
        made.values["coverage"],
        made.matched["coverage"],
        made.null["coverage"],
        ball_coverage.coverage(n, m, k),
        ball_coverage.coverage(*made.n_matched, k) if len(made.matched["coverage"]) else math.nan,
    )
    metrics["kid"], metrics["cmmd"] = kernels["cubic"].metric("kid"), kernels["gaussian"].metric("cmmd")
    metrics["frechet"] = _frechet(real, synthetic, parts)
    endless = extrapolated(real, synthetic, rng)
    metrics["frechet_endless"] = Metric("frechet_endless", endless, np.zeros(0), np.zeros(0))
    metrics["vendi"], metrics["rke"] = _diversity(real, synthetic, parts)
    apart = tell_apart(real, synthetic, groups=groups, permutations=permutations, seed=seed)
    metrics["c2st"] = Metric("c2st", apart.accuracy, np.array([apart.accuracy]), apart.null)
    spread = np.concatenate([np.sqrt(each) for each in lengths])
    # of one length are those that lie on a sphere: far from zero lengths are alike whatever vectors are
    wide = min(float(spread.max()), float(np.linalg.norm(real.std(axis=0, dtype=np.float64))) or math.inf)
    one_length = float(np.ptp(spread)) <= _ONE_LENGTH * max(wide, 1e-12)
    alike = bool((real == real[0]).all())
    return Compared(metrics, made, apart, (metrics["vendi"].matched, metrics["vendi"].null), one_length, alike)


def _require_scale(real: np.ndarray, synthetic: np.ndarray, center: np.ndarray) -> None:
    """Raises an error where distances would be nothing but 0 or endless.

    Raises:
        InputError: the vectors are to be scaled
    """
    reach = np.maximum(
        *(np.maximum(each.max(axis=0) - center, center - each.min(axis=0)) for each in (real, synthetic))
    )
    largest = float(reach.max(initial=0))
    if largest and not _SMALLEST <= largest <= _LARGEST:
        raise InputError(
            f"expected vectors whose numbers lie between {_SMALLEST:g} and {_LARGEST:g} from their mean, got "
            f"{largest:.3g}: scale those of both sides alike"
        )


class _Kernel:
    """A kernel's sums over the whole sets and over every part, as readers of the three streams."""

    def __init__(
        self, name: Literal["cubic", "gaussian"], drawn: list[Part], lengths: tuple[np.ndarray, ...], size: int
    ) -> None:
        n, m = len(lengths[0]), len(lengths[1])
        self._drawn, self._n, self._m = drawn, n, m
        self._own = [own_values(name, each, size) for each in lengths]
        a, b, s = (_members([np.arange(n if side < 2 else m), *(part[side] for part in drawn)], n if side < 2 else m)
                   for side in range(3))  # fmt: skip
        own, other = (np.concatenate(each, axis=1) for each in ([a, b, a], [a, b, b]))
        self.readers = tuple(
            KernelSums(name, left, right, size=size, left_lengths=first, right_lengths=second)
            for left, right, first, second in (
                (own, other, lengths[0], lengths[0]), (s, s, lengths[1], lengths[1]), (a, s, lengths[0], lengths[1])
            )
        )  # fmt: skip

    def metric(self, name: str) -> Metric:
        """Returns the unbiased squared discrepancy: of all, of parts, and of real halves."""
        count = len(self._drawn) + 1
        within, theirs, across = (reader.sums for reader in self.readers)
        aa, bb, ab = within[:count], within[count : 2 * count], within[2 * count :]
        own = [self._own[0].sum(), *(self._own[0][part[0]].sum() for part in self._drawn)]
        other = [self._own[0].sum(), *(self._own[0][part[1]].sum() for part in self._drawn)]
        synthetic = [self._own[1].sum(), *(self._own[1][part[2]].sum() for part in self._drawn)]
        n_a = np.array([self._n, *(len(part[0]) for part in self._drawn)])
        n_b = np.array([self._n, *(len(part[1]) for part in self._drawn)])
        n_s = np.array([self._m, *(len(part[2]) for part in self._drawn)])
        matched = mmd2_of_sums(aa - own, theirs - synthetic, across, n_a, n_s)
        null = mmd2_of_sums(aa - own, bb - other, ab, n_a, n_b)
        return Metric(name, float(matched[0]), matched[1:], null[1:])


def _members(parts: list[np.ndarray], n: int) -> np.ndarray:
    made = np.zeros((n, len(parts)), dtype=bool)
    for column, part in enumerate(parts):
        made[part, column] = True
    return made


def _frechet(real: np.ndarray, synthetic: np.ndarray, parts: list[Part]) -> Metric:
    if not parts or max(len(parts[0][0]), len(parts[0][1])) < real.shape[1]:
        matched = np.array([frechet_of(real[a], synthetic[s]) for a, _, s in parts])
        null = np.array([frechet_of(real[a], real[b]) for a, b, _ in parts])
        return Metric("frechet", frechet_of(real, synthetic), matched, null)
    every, theirs = Moments.of(real), Moments.of(synthetic)
    rows = []
    for a, b, s in parts:
        own = Moments.of(real[a])
        # the others are all the rest, unless the synthetic set has fewer
        rest = every - own if len(a) + len(b) == len(real) else Moments.of(real[b])
        rows.append((frechet(own, Moments.of(synthetic[s])), frechet(own, rest)))
    return Metric("frechet", frechet(every, theirs), *np.array(rows).T)


def _diversity(real: np.ndarray, synthetic: np.ndarray, parts: list[Part]) -> tuple[Metric, Metric]:
    whole = diversity(synthetic)
    theirs = [diversity(synthetic[s]) for _, _, s in parts]
    ours = [diversity(real[b]) for _, b, _ in parts]
    vendi, rke = (
        Metric(
            name,
            getattr(whole, name),
            np.array([getattr(each, name) for each in theirs]),
            np.array([getattr(each, name) for each in ours]),
        )
        for name in ("vendi", "rke")
    )
    return vendi, rke
