"""What was measured, as the records that verbs return."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from loupe.brain.core.realism import MemorizedPair, RealismMetric, Transfer, TransferArm, Verdict
from loupe.brain.realism.alignment import Agreement
from loupe.brain.realism.compare import Compared, Metric
from loupe.brain.realism.manifold import Manifold
from loupe.brain.realism.spectra import BandGap
from loupe.brain.realism.transfer import Measured

#: in the order in which they are read: how real, how complete, how diverse, how far, how new
ORDER = (
    "precision", "density", "clipped_density", "recall", "coverage", "clipped_coverage", "vendi", "rke", "c2st",
    "frechet", "frechet_endless", "kid", "cmmd", "authenticity",
)  # fmt: skip
#: distances that are 0 for two sets of one distribution: over another distance they are no ratio
_DISTANCES = {"kid", "cmmd"}
_MAX_PAIRS = 100


def metric(measured: Metric) -> RealismMetric:
    """Returns a measure with the band of its null and of its ratio."""
    matched, null = measured.matched, measured.null
    center = float(np.mean(null)) if len(null) else math.nan
    band = _band(null)
    ratio = math.nan if measured.name in _DISTANCES else measured.ratio
    spread = _band(measured.ratios) if math.isfinite(ratio) else (math.nan, math.nan)
    if math.isfinite(spread[0]):
        # of all vectors by a closed form, or of parts: parts of other sizes waver as much, about another middle
        shift = ratio - float(np.mean(measured.ratios))
        spread = spread[0] + shift, spread[1] + shift
    return RealismMetric(
        name=measured.name,
        value=measured.value,
        matched=float(np.mean(matched)) if len(matched) else math.nan,
        null=center,
        null_low=band[0],
        null_high=band[1],
        ratio=ratio,
        low=spread[0],
        high=spread[1],
    )


def _band(values: np.ndarray) -> tuple[float, float]:
    """Where 95 of 100 splits lie: of few splits by their spread, which a quantile of twelve cannot show."""
    if len(values) < 2:
        return math.nan, math.nan
    center, half = float(np.mean(values)), 1.96 * float(np.std(values, ddof=1))
    return center - half, center + half


def metrics(compared: Compared) -> tuple[RealismMetric, ...]:
    """Returns every measure, in the order in which they are read."""
    return tuple(metric(compared.metrics[name]) for name in ORDER if name in compared.metrics)


def alignment(agreement: Agreement) -> RealismMetric:
    """Returns how well labels fit as a measure: its null is the real set's own share, with its 95 % interval."""
    low, high = agreement.real_interval
    ratio = agreement.ratio
    return RealismMetric(
        name="alignment",
        value=agreement.synthetic,
        matched=agreement.synthetic,
        null=agreement.real,
        null_low=low,
        null_high=high,
        ratio=ratio.value,
        low=ratio.low,
        high=ratio.high,
    )


def bands_chance(gap: BandGap) -> tuple[tuple[float, float], ...]:
    """Returns where each band of two halves of the real set lies apart in 95 of 100 splits."""
    return tuple(_band(own) for own in gap.null_bands.T)


def pairs(made: Manifold, real: Sequence[str], synthetic: Sequence[str]) -> tuple[MemorizedPair, ...]:
    """Returns synthetic samples that lie nearer to a real one than real ones do, the nearest first, a hundred at most.

    Args:
        made: of the sets
        real, synthetic: the ids
    """
    usual = made.nearest_other[made.nearest_real]
    copies = np.flatnonzero(~made.authentic)
    order = copies[np.argsort(made.real_distance[copies] / np.maximum(usual[copies], 1e-12), kind="stable")]
    return tuple(
        MemorizedPair(synthetic[at], real[made.nearest_real[at]], float(made.real_distance[at]), float(usual[at]))
        for at in order[:_MAX_PAIRS].tolist()
    )


def transfer(
    measured: Measured,
    label: str,
    classes: Sequence[str],
    findings: Sequence[Verdict],
    *,
    retrieved: Measured | None = None,
    left_out: dict[str, int] | None = None,
    learner: str = "discriminant",
    seed: int = 0,
) -> Transfer:
    """Returns what transfers."""
    return Transfer(
        label=label,
        classes=tuple(classes),
        matrix=_arms(measured, classes),
        chance=measured.chance,
        gap=measured.gap,
        asymmetry=measured.asymmetry,
        utility=measured.utility,
        gain=measured.gain,
        curve=tuple((round(n), accuracy) for n, accuracy in measured.curve.rows()),
        equivalent_real_size=measured.equivalent_real_size,
        exchange_rate=measured.exchange_rate,
        findings=tuple(findings),
        retrieved=() if retrieved is None else _arms(retrieved, classes),
        left_out=dict(left_out or {}),
        learner=learner,
        seed=seed,
    )


def _arms(measured: Measured, classes: Sequence[str]) -> tuple[TransferArm, ...]:
    return tuple(
        TransferArm(
            name=arm.name,
            n_train=arm.n_train,
            n_test=arm.n_test,
            accuracy=arm.accuracy,
            recall={name: float(value) for name, value in zip(classes, arm.recall, strict=True)},
            calibration_error=arm.calibration_error,
        )
        for arm in measured.arms.values()
    )
