"""Are sets that are altered in a known way named right, and are real pictures against real ones left alone?"""

from __future__ import annotations

from collections import Counter

import numpy as np

from benchmarks import cifar
from benchmarks.figures import header, row, share, title
from benchmarks.realism.altered import EXPECTED, REAL, TYPICAL, Pictures, Sources
from loupe.brain.core.realism import ADDITIVE_ONLY, INSUFFICIENT_DATA, USEFUL, Verdict
from loupe.brain.realism import transfer
from loupe.brain.realism.blocks import Labeled
from loupe.brain.realism.compare import compare
from loupe.brain.realism.spectra import Spectrum, band_gap, spectrum
from loupe.brain.realism.verdicts import Evidence, verdicts

#: the pictures that the limits were set on; the others are measured
TUNED_ON = 4000
#: what says nothing bad of a set
_HARMLESS = {USEFUL, ADDITIVE_ONLY, INSUFFICIENT_DATA}


def print_verdicts(draws: int, sizes: tuple[int, ...]) -> None:
    """Prints how often each altered set is named as it should be, and real ones are left alone."""
    pixels, columns = cifar.pictures()
    sources = Sources.of(np.stack(pixels), columns["clean_label"], lambda each: cifar.vectors(list(each)))
    for name, part in (
        (f"pictures 0 to {TUNED_ON:,} (limits set on these)", np.arange(TUNED_ON)),
        (f"pictures {TUNED_ON:,} to 12,000 (held out)", np.arange(TUNED_ON, len(pixels))),
    ):
        for n in sizes:
            print_part(name, sources, part, n, draws)


def print_part(name: str, sources: Sources, part: np.ndarray, n: int, draws: int) -> None:
    """Prints the table of one part of the pictures; sets of n."""
    title(f"CIFAR-10, EfficientNet-Lite0, {name}, n = {n:,}")
    header("set", "named as it should be", "verdicts", "C2ST", "recall", "diversity", "S→R", "R→S", "S→S", "utility")
    for kind in EXPECTED:
        count = 2 * draws if kind == REAL else draws
        known = [evidence(sources, kind, part, n, np.random.default_rng(seed)) for seed in range(count)]
        named = [verdicts(each) for each in known]
        row(kind, share(sum(right(kind, each) for each in named), count), _names(named, count), *_means(known))


def right(kind: str, named: tuple[Verdict, ...]) -> bool:
    """Returns whether verdicts are right of a kind of set: one of those expected, none of a fault of real pictures."""
    names = {each.name for each in named}
    return bool(names & set(EXPECTED[kind])) if EXPECTED[kind] else not names - _HARMLESS


def evidence(sources: Sources, kind: str, part: np.ndarray, n: int, rng: np.random.Generator) -> Evidence:
    """Returns what is measured of an altered set of n pictures, against n real ones, tested on as many others."""
    order = rng.permutation(part)
    n = min(n, len(part) // 4)
    real, test = sources.whole.take(order[:n]), sources.whole.take(order[n : 2 * n])
    # a fifth is typical: of all others, so that there are n of them
    made = sources.drawn(kind, order[2 * n :], n if kind != TYPICAL else min(n, len(order[2 * n :]) // 5), rng)
    compared = compare(real.vectors, made.vectors, permutations=99, seed=int(rng.integers(1 << 30)))
    center = real.vectors.mean(axis=0)
    sets = [Labeled(each.vectors - center, each.classes) for each in (real, test, made)]
    return Evidence(
        manifold=compared.manifold,
        diversity=compared.diversity,
        apart=compared.apart,
        spectra=band_gap(_spectra(real), _spectra(made), 12, rng),
        transfer=transfer.measure(*sets, 10, seed=0),
    )


def _spectra(pictures: Pictures) -> list[Spectrum]:
    gray = pictures.pixels.astype(np.float32) @ np.float32([0.299, 0.587, 0.114]) / 255  # type: ignore[arg-type]
    return [made for each in gray if (made := spectrum(each)) is not None]


def _names(named: list[tuple[Verdict, ...]], count: int) -> str:
    counts = Counter(each.name for every in named for each in every)
    return ", ".join(f"{name} {n}/{count}" for name, n in counts.most_common()) or "none"


def _means(known: list[Evidence]) -> list[str]:
    transfers = [each.transfer for each in known if each.transfer is not None]
    ratios = [
        np.mean([each.manifold.matched["recall"].mean() / each.manifold.null["recall"].mean() for each in known]),
        np.mean([each.diversity[0].mean() / each.diversity[1].mean() for each in known]),
    ]
    arms = [np.mean([each.arms[arm].accuracy.value for each in transfers]) for arm in ("S→R", "R→S", "S→S")]
    utility = np.mean([each.utility.value for each in transfers])
    figures = [np.mean([each.apart.accuracy for each in known]), *ratios, *arms, utility]
    return [f"{figure:.3f}" for figure in figures]
