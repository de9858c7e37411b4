"""What the measures say together: named findings, each with its evidence, and what to do next. Never one score.

What counts as far is what two halves of the user's own real set are apart, and a smallest difference that matters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from loupe.brain.core.realism import (
    ADDITIVE_ONLY,
    COLLAPSE,
    DOMAIN_SHIFT,
    INSUFFICIENT_DATA,
    LABEL_MISMATCH,
    MEMORIZED,
    SPECTRAL,
    TOLD_APART,
    USEFUL,
    Estimate,
    Verdict,
)
from loupe.brain.core.shares import tenths, whole
from loupe.brain.realism.manifold import Manifold
from loupe.brain.realism.spectra import BandGap
from loupe.brain.realism.transfer import Measured
from loupe.brain.realism.two_samples import TwoSamples
from loupe.brain.stats.intervals import Proportion

#: standard deviations of the null splits beyond which a value is no chance
_DEVIATIONS = 4.0
#: the smallest differences that matter, set on pictures of CIFAR-10 that no figure is of; see docs/realism.md
MIN_RECALL_LOSS, MIN_DIVERSITY_LOSS = 0.15, 0.05
MIN_ACCURACY, MIN_FOREIGN, MIN_NARROW, MIN_WRONG = TOLD_APART, 0.03, 0.02, 0.05
#: where real samples tell of each other so well that less than this is left, S→S has no room to rise
MIN_ROOM = 0.05
MIN_BAND_GAP, MIN_COPIES = 0.25, 0.01
MIN_UTILITY, MIN_GAIN = 0.85, 0.0
#: samples of a side below which nothing is said
MIN_SAMPLES = 100


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of a synthetic set against a real one; None of what was not measured.

    Attributes:
        manifold: precision, recall and the like
        diversity: (S,) of parts of the synthetic set, and (S,) of the real one, equally many vectors
        apart: whether a classifier tells them apart
        spectra: of the pictures
        transfer: what trains what
        alike: all real vectors are the same one
    """

    manifold: Manifold
    diversity: tuple[np.ndarray, np.ndarray]
    apart: TwoSamples
    spectra: BandGap | None = None
    transfer: Measured | None = None
    alike: bool = False


def verdicts(known: Evidence) -> tuple[Verdict, ...]:
    """Returns what holds, the causes first; several may. Where nothing can be said, INSUFFICIENT_DATA alone."""
    n = min(len(known.manifold.covered), len(known.manifold.inside))
    if n < MIN_SAMPLES:
        return (_too_few(n),)
    if known.alike:
        return (_ALIKE,)
    spectral = _spectral(known)
    faults = [spectral, _collapse(known, spectral is not None), _labels(known), _shift(known), _memorized(known)]
    made = [each for each in faults if each is not None]
    if known.transfer is not None:
        made += of_transfer(known.transfer)
    return tuple(made)


_ALIKE = Verdict(
    INSUFFICIENT_DATA,
    "All real vectors are the same: nothing can be told from them",
    {},
    "Look at the field of vectors, and embed the images anew",
)


def _too_few(n: int) -> Verdict:
    return Verdict(
        INSUFFICIENT_DATA,
        f"{n:,} samples on the smaller side are too few to tell anything: at least {MIN_SAMPLES} are needed",
        {"samples": float(n)},
        "Add samples to the smaller side",
    )


def below(matched: np.ndarray, null: np.ndarray, smallest: float) -> bool:
    """Returns whether values lie under those of chance: by more than chance varies, and by a share that matters."""
    center, spread = float(np.mean(null)), float(np.std(null, ddof=1))
    return float(np.mean(matched)) < center - max(_DEVIATIONS * spread, smallest * abs(center))


def _ratio(matched: np.ndarray, null: np.ndarray) -> float:
    center = float(np.mean(null))
    return float(np.mean(matched)) / center if center else float("nan")


def _collapse(known: Evidence, spectral: bool) -> Verdict | None:
    """By recall, diversity and S→S: density rises with a low-pass, and coverage stays at 1 where a set is truncated."""
    matched, null = known.manifold.matched["recall"], known.manifold.null["recall"]
    synthetic, real = known.diversity
    few = below(synthetic, real, MIN_DIVERSITY_LOSS)
    if not (few and below(matched, null, MIN_RECALL_LOSS)):
        return None
    evidence = {"recall ratio": _ratio(matched, null), "diversity ratio": _ratio(synthetic, real)}
    transfer = known.transfer
    if transfer is None or not _can_rise(transfer):
        if spectral:
            return None  # a low-pass loses recall and diversity, too: where S→S cannot rise nobody can tell
    else:
        evidence["S→S less R→R"] = transfer.narrowness.value
        if not _risen(transfer):
            return None
    return Verdict(
        COLLAPSE,
        f"The set is narrower than the real one: it reaches {whole(evidence['recall ratio'])} of the recall, and "
        f"{whole(evidence['diversity ratio'])} of the diversity, that as many real pictures would have",
        evidence,
        "Vary prompts and seeds, lower the guidance scale, or fill the holes: suggest_prompts",
    )


def _can_rise(transfer: Measured) -> bool:
    """Returns whether S→S of a narrow set would show: labels teach something, and R→R leaves room for it."""
    room = 1 - transfer.arms["R→R held out"].accuracy.value
    return room >= MIN_ROOM and not math.isnan(transfer.utility.value)


def _risen(transfer: Measured) -> bool:
    """Returns whether S→S surely exceeds R→R, or is as high as it can be: of few samples that is not surely above."""
    own, room = transfer.narrowness, 1 - transfer.arms["R→R held out"].accuracy.value
    return own.low > MIN_NARROW or own.value > max(MIN_NARROW, room - MIN_NARROW)


def _shift(known: Evidence) -> Verdict | None:
    apart, transfer = known.apart, known.transfer
    if apart.accuracy < MIN_ACCURACY or apart.p > 0.05 or transfer is None:
        return None
    if not transfer.foreignness.high < -MIN_FOREIGN:
        return None
    return Verdict(
        DOMAIN_SHIFT,
        f"The pictures look different: a classifier tells {whole(apart.accuracy)} of them from "
        "real ones, and a model of "
        f"real pictures loses {tenths(-transfer.foreignness.value)} of its accuracy on them",
        {"C2ST": apart.accuracy, "R→S less R→R": transfer.foreignness.value},
        "Match size, codec and style to the real pictures, or adapt the generator to them",
    )


def _labels(known: Evidence) -> Verdict | None:
    """Wrong labels leave every distribution as it is: only S→S and R→S fall."""
    transfer = known.transfer
    if transfer is None or known.apart.accuracy >= MIN_ACCURACY:
        return None
    if not (transfer.narrowness.high < -MIN_WRONG and transfer.foreignness.high < -MIN_WRONG):
        return None
    return Verdict(
        LABEL_MISMATCH,
        f"The pictures look real and their labels do not fit: a model of real pictures is right on "
        f"{whole(transfer.arms['R→S'].accuracy.value)} of them, and on "
        f"{whole(transfer.arms['R→R held out'].accuracy.value)} "
        "of real ones",
        {"S→S less R→R": transfer.narrowness.value, "R→S less R→R": transfer.foreignness.value},
        "Look at the labels: find_label_issues",
    )


def _spectral(known: Evidence) -> Verdict | None:
    gap = known.spectra
    if gap is None:
        return None
    limit = max(float(np.mean(gap.null)) + _DEVIATIONS * float(np.std(gap.null, ddof=1)), MIN_BAND_GAP)
    if float(np.mean(gap.matched)) <= limit:
        return None
    worst = int(gap.distance.argmax())
    change = float(10 ** gap.bands[worst])
    return Verdict(
        SPECTRAL,
        "The fine structure is not as in real pictures: at "
        f"{whole((worst + 0.5) / len(gap.bands))} of the finest detail "
        f"there is {_times(change)} the power",
        {"band distance": gap.largest, "power ratio": change, "high frequency": gap.high_frequency[1]},
        "Compare sizes and codecs on both sides; else the decoder or an upscaler smooths",
    )


def _times(change: float) -> str:
    """Returns a ratio as one reads it: a small one as a fraction."""
    return f"{change:.2g} times" if change > 0.5 else f"1/{1 / max(change, 1e-6):,.0f} of"


def _memorized(known: Evidence) -> Verdict | None:
    share, real = known.manifold.copies
    n = len(known.manifold.inside)
    # authenticity falls where a set keeps to the dense middle: only much nearer than usual is a copy
    if Proportion.of(round(share * n), n).low <= real + MIN_COPIES:
        return None
    return Verdict(
        MEMORIZED,
        f"{whole(share)} of the pictures lie less than half as far from a real one as real ones do from each other "
        f"({tenths(real)} of real ones)",
        {"near copies": share, "of real pictures": real},
        "Look at the pairs: find_memorized",
    )


def of_transfer(transfer: Measured) -> list[Verdict]:
    """Returns whether a set is useful, or at least beside real samples, or whether that is not known."""
    utility, gain = transfer.utility, transfer.gain
    evidence = {
        "utility": utility.value,
        "gain": gain.value,
        "equivalent real size": transfer.equivalent_real_size.value,
    }
    if math.isnan(utility.value):
        sentence = "Real pictures teach no more than guessing, so that nobody can say what others are worth"
        return [Verdict(INSUFFICIENT_DATA, sentence, evidence, "Look at the labels, or embed with another embedder")]
    if utility.low >= MIN_UTILITY:
        sentence = f"As training data it does {_percent(utility)} of what as many real pictures do"
        return [Verdict(USEFUL, sentence, evidence, "Train with it; test on real pictures only")]
    if gain.low > MIN_GAIN:
        sentence = (
            f"It helps beside real pictures (accuracy {tenths(gain.value, signed=True)}) and does "
            "not replace them: it does "
            f"{_percent(utility)} of what as many of them do"
        )
        return [Verdict(ADDITIVE_ONLY, sentence, evidence, "Keep the real pictures, and add it to them")]
    if utility.high >= MIN_UTILITY:
        sentence = f"Whether it is of use is not known: it does {_percent(utility)} of what as many real pictures do"
        return [Verdict(INSUFFICIENT_DATA, sentence, evidence, "Add real pictures to test on, or samples to train on")]
    return []


def _percent(value: Estimate) -> str:
    return f"{whole(value.value)} ({whole(value.low)} to {whole(value.high)})"
