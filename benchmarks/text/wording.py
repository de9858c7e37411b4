"""Whether the text is the right one: strings, signs and photos, judged letter by letter."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import data
from benchmarks.batches import Scorer
from benchmarks.figures import header, row, share, title
from benchmarks.text import measuring
from benchmarks.text.edits import KINDS, WORDS, draw, fonts, inject
from benchmarks.text.measuring import Case, Measured, measure, opened


def rendered(scorer: Scorer, n: int, seed: int) -> Measured:
    """Prints precision and recall for each kind of edit, over as many right pictures as of each kind."""
    rng = np.random.default_rng(seed)
    cases = []
    for index in range(n):
        kind = (None, *KINDS[:3])[index % 4]
        text = " ".join(rng.choice(WORDS.split(), int(rng.integers(1, 4)), replace=False))
        cases.append(Case(draw(inject(text, kind, rng) if kind else text, rng), f'a poster that says "{text}"', kind))
    measured = measure(scorer, cases)
    title(f"Rendered strings: {n} pictures, {len(fonts())} fonts, seed {seed}, {measured.seconds:.2f} s a picture")
    _table(measured)
    return measured


def digits(scorer: Scorer, n: int, seed: int) -> Measured:
    """Prints the same for 32 x 96 signs of real handwritten digits that tiny-signs has not seen; half are right."""
    from training.tiny_signs import signs as world

    rng = np.random.default_rng(seed)
    cases: list[Case] = []
    while len(cases) < n:
        kind = (None, KINDS[0], None, KINDS[1], None, KINDS[2])[len(cases) % 6]
        sign = world.random_sign(rng, 1 if kind in (None, KINDS[0]) else 2, 3)
        text = inject(sign.text, kind, rng) if kind else sign.text
        if " " not in text:
            picture = world.render(replace(sign, text=text), rng, "heldout")
            cases.append(Case(Image.fromarray(picture), world.prompt_of(sign), kind))
    measured = measure(scorer, cases)
    title(f"Signs of held-out handwritten digits: {n} pictures, seed {seed}, {measured.seconds:.2f} s a picture")
    _table(measured)
    values = measured.edits()
    flagged, wrong = (values > 0).any(1), np.array([case.kind is not None for case in cases])
    known = flagged | ~np.isnan(values).any(1)
    both = int((flagged & wrong).sum())
    print(f"\nany text failure: precision {share(both, int(flagged.sum()))}, recall {share(both, int(wrong.sum()))}, ")
    print(f"where judged {share(both, int((wrong & known).sum()))}, judged {share(int(known.sum()), n)}")
    return measured


def empty(scorer: Scorer, n: int, seed: int) -> Measured:
    """Prints what is said of boards with nothing on them, in all colors, by day and night, in all weathers."""
    from training.tiny_signs import signs as world

    rng = np.random.default_rng(seed)
    cases = []
    for _ in range(n):
        sign = world.random_sign(rng)
        picture = world.render(replace(sign, text=" " * len(sign.text)), rng, "heldout")
        cases.append(Case(Image.fromarray(picture), world.prompt_of(sign), "text_omission"))
    measured = measure(scorer, cases)
    title(f"Signs with nothing on them: {n} pictures, seed {seed}, {measured.seconds:.2f} s a picture")
    omission, values = measured.of("text_omission"), measured.edits()
    flagged, unknown = int((omission > 0).sum()), int(np.isnan(omission).sum())
    print(f"text_omission found: {share(flagged, n)}, unknown: {share(unknown, n)}")
    print(f"text read on them: {share(int((values[:, (0, 2, 3)] > 0).any(1).sum()), n)}")
    return measured


def crops(scorer: Scorer, folder: Path, n: int, seed: int) -> Measured:
    """Prints how often real word crops, all right, are accused."""
    pairs = measuring.crops(folder)
    chosen = np.random.default_rng(seed).permutation(len(pairs))[:n]
    cases = [Case(opened(pairs[at][0]), f'a sign that says "{pairs[at][1]}"') for at in chosen]
    measured = measure(scorer, cases)
    values, total = measured.edits(), len(cases)
    accused, unknown = (values > 0).any(1), np.isnan(values).any(1) & ~(values > 0).any(1)
    title(f"Real word crops, all right: {total} pictures, seed {seed}, {measured.seconds:.2f} s a picture")
    header("accused falsely", "unknown in part", "judged right")
    row(*(share(int(which.sum()), total) for which in (accused, unknown, ~accused & ~unknown)))
    return measured


def photos(scorer: Scorer, folder: Path, n: int, seed: int) -> Measured:
    """Prints what is said of photos whose prompt asks for a text that is not there, or for none."""
    paths = data.pictures(folder)
    chosen = [paths[index] for index in np.random.default_rng(seed).permutation(len(paths))[:n]]
    prompt = 'a photo with the text "LOUPE BAKERY"'
    measured = measure(scorer, [Case(opened(path), prompt, "text_omission") for path in chosen])
    title(f"Photos without the wanted text: {len(chosen)} pictures, seed {seed}, {measured.seconds:.2f} s a picture")
    omission = measured.of("text_omission")
    flagged, unknown = int((omission > 0).sum()), int(np.isnan(omission).sum())
    print(f"text_omission found: {share(flagged, len(chosen))}, unknown: {unknown}")
    print(f"some text read in them: {share(int((measured.of('unrequested_text') > 0).sum()), len(chosen))}")
    return measured


def _table(measured: Measured) -> None:
    values = measured.edits()
    truth = np.array([str(case.kind) for case in measured.cases])
    header("failure", "precision", "recall where judged", "recall of all", "judged")
    for column, kind in enumerate(KINDS):
        known, flagged, wrong = ~np.isnan(values[:, column]), values[:, column] > 0, truth == kind
        row(kind, *precision_and_recall(flagged, wrong, known))
    right = truth == "None"
    n = int(right.sum())
    print(f"\nright pictures accused of anything: {share(int((values[right] > 0).any(1).sum()), n)}")
    print(f"right pictures with nothing unknown: {share(int((~np.isnan(values[right])).all(1).sum()), n)}")


def precision_and_recall(flagged: np.ndarray, wrong: np.ndarray, known: np.ndarray) -> tuple[str, str, str, str]:
    """Returns precision, recall where judged, recall of all, and how much is judged; of (N,) bool each."""
    both = int((flagged & wrong).sum())
    return (
        share(both, int(flagged.sum())),
        share(both, int((known & wrong).sum())),
        share(both, int(wrong.sum())),
        share(int(known.sum()), len(known)),
    )
