"""Are wrong labels told, set by set and sample by sample, and right ones left alone?"""

from __future__ import annotations

import numpy as np

from benchmarks import cifar
from benchmarks.figures import header, row, share, title
from benchmarks.realism.altered import LABELS, LOW, REAL, TYPICAL, Pictures, Sources, low_pass
from benchmarks.realism.verdicts import TUNED_ON
from loupe.brain.realism.alignment import Aligned, aligned
from loupe.brain.realism.blocks import Labeled

KINDS = (REAL, LABELS, TYPICAL, LOW)


def print_alignment(draws: int, n: int) -> None:
    """Prints the ratio of each kind of set to the real one, and how well single wrong labels are told."""
    pixels, columns = cifar.pictures()
    held_out = np.stack(pixels[TUNED_ON:])
    classes = columns["clean_label"][TUNED_ON:]
    blurred = low_pass(held_out, 0.8)
    whole, low = (Pictures(each, cifar.vectors(list(each)), classes) for each in (held_out, blurred))
    sources = Sources(whole, {LOW: low}, whole.take(np.zeros(0, np.int64)), np.zeros(0, np.int64))
    title(f"CIFAR-10, EfficientNet-Lite0, pictures {TUNED_ON:,} to 12,000, n = {n:,}, {draws} draws")
    header("set", "real", "synthetic", "ratio", "below 1", "AUC of wrong labels")
    for kind in KINDS:
        known = [_drawn(sources, kind, n, np.random.default_rng(seed)) for seed in range(draws)]
        made = [each for each, _ in known]
        below = sum(each.all.ratio.high < 1 for each in made)
        shares = [(each.all.real, each.all.synthetic, each.all.ratio.value) for each in made]
        figures = np.mean(shares, axis=0).tolist()
        areas = [area for _, area in known if area is not None]
        row(
            kind,
            *(f"{figure:.3f}" for figure in figures),
            share(below, draws),
            f"{np.mean(areas):.3f}" if areas else "–",
        )


def _drawn(sources: Sources, kind: str, n: int, rng: np.random.Generator) -> tuple[Aligned, float | None]:
    from sklearn.metrics import roc_auc_score

    order = rng.permutation(len(sources.whole.classes))
    real = sources.whole.take(order[:n])
    made = sources.drawn(kind, order[n:], n, rng)
    result = aligned(*(Labeled(each.vectors, each.classes) for each in (real, made)), 10)
    if kind != LABELS:
        return result, None
    # the truth: which picture it is, by its vector
    truth = {vector.tobytes(): own for vector, own in zip(sources.whole.vectors, sources.whole.classes, strict=True)}
    wrong = np.array([truth[vector.tobytes()] for vector in made.vectors]) != made.classes
    return result, float(roc_auc_score(wrong, -result.synthetic))
