"""How the letters are drawn: distorted, mixed and illegible lettering against good lines and unusual designs.

The half "tune" has the fonts and strings that the thresholds were chosen on; "measure" shares no font family and no
string with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import data
from benchmarks.batches import Scorer
from benchmarks.figures import header, row, share, title
from benchmarks.text import drawing, masks, measuring
from benchmarks.text.edits import KINDS, inject
from benchmarks.text.measuring import Case, Measured, measure, opened
from loupe.brain.checks.text import Text
from loupe.brain.stats.calibration import auroc

FORM = ("text_distortion", "text_mixed_style", "text_illegible")
FLAWS = {"text_distortion": drawing.DISTORTED, "text_mixed_style": drawing.MIXED, FORM[2]: drawing.ILLEGIBLE}
LIMITS = {
    output.name: output.default_threshold.value for output in Text.outputs if output.default_threshold is not None
}


@dataclass(frozen=True)
class Given:
    """What is drawn.

    Attributes:
        n: pictures of each kind
        half: "tune" or "measure"
        seed: of everything
        photos: a folder of photos to put behind half of the texts
        fonts: a folder of further fonts; every other one goes to each half
    """

    n: int
    half: str
    seed: int
    photos: Path | None = None
    fonts: Path | None = None


def edits(scorer: Scorer, given: Given) -> None:
    """Prints precision and recall of the exact type of edit: one in each picture, and as many right pictures."""
    rng = np.random.default_rng(given.seed)
    photos = _photos(given.photos, 40)
    words = drawing.WORDS[given.half].split()
    files = drawing.font_files(given.half, given.fonts)
    cases = []
    for index in range(4 * given.n):
        kind = (None, *KINDS[:3])[index % 4]
        text = " ".join(rng.choice(words, int(rng.integers(1, 4)), replace=False))
        written = inject(text, kind, rng) if kind else text
        size = min(int(np.exp(rng.uniform(np.log(20), np.log(120)))), 1100 // len(written))
        mask = masks.line_mask(written, [str(rng.choice(files))] * len(written), size, rng)
        photo = photos[int(rng.integers(len(photos)))] if photos and rng.random() < 0.5 else None
        cases.append(Case(drawing.placed(mask, rng, photo), f'a poster that says "{text}"', kind))
    judged = measure(scorer, cases)
    title(f"Edits: {len(cases)} pictures, {len(files)} fonts of {given.half!r}, {judged.seconds:.2f} s each")
    header("failure", "precision", "recall", "coverage")
    for kind in KINDS[:3]:
        flagged, wrong = judged.of(kind) > 0, np.array([case.kind == kind for case in cases])
        both, known = int((flagged & wrong).sum()), int((~np.isnan(judged.of(kind))).sum())
        row(kind, share(both, int(flagged.sum())), share(both, int(wrong.sum())), share(known, len(cases)))
    right = np.array([case.kind is None for case in cases])
    accused = np.column_stack([judged.of(kind) > 0 for kind in KINDS[:3]])[right].any(1)
    print(f"\nright ones accused of one of them: {share(int(accused.sum()), int(right.sum()))}")
    # photos may show text of their own, so this is no false alarm for sure
    other = judged.of(KINDS[3])[right] > 0
    print(f"right ones said to have text that nobody asked for: {share(int(other.sum()), int(right.sum()))}")


def form(scorer: Scorer, given: Given) -> None:
    """Prints, for each flaw, how it is told from clean lines and from unusual designs."""
    rng = np.random.default_rng(given.seed)
    photos = _photos(given.photos, 40)
    kinds = ("clean", "clean", *drawing.HARD, *(kind for flaw in FLAWS.values() for kind in flaw))
    pictures = [drawing.make(kind, given.half, rng, photos, given.fonts) for kind in kinds for _ in range(given.n)]
    judged = measure(scorer, [Case(drawn.picture, f'a poster that says "{drawn.text}"') for drawn in pictures])
    kind_of = np.array([drawn.kind for drawn in pictures])
    files = drawing.font_files(given.half, given.fonts)
    title(f"Form: {len(pictures)} pictures, {len(files)} fonts of the half {given.half!r}, {judged.seconds:.2f} s each")
    good = np.isin(kind_of, ("clean", *drawing.HARD))
    for name, flaws in FLAWS.items():
        scores, limit = judged.of(name), LIMITS[name]
        at_one_percent = float(np.nanquantile(scores[good], 0.99))
        print(f"\n{name}: default threshold {limit:g}; 1 % of the good ones are above {at_one_percent:.3f}\n")
        header("flaw", "AUROC: clean", "AUROC: clean and designs", "recall at 1 %", "at the default", "judged")
        for flaw in (*flaws, "all"):
            chosen = np.isin(kind_of, flaws) if flaw == "all" else kind_of == flaw
            bad, known = scores[chosen], ~np.isnan(scores[chosen])
            areas = [f"{auroc(scores[which], bad):.3f}" for which in (kind_of == "clean", good)]
            recall = [share(int((bad > value).sum()), int(known.sum())) for value in (at_one_percent, limit)]
            row(flaw, *areas, *recall, share(int(known.sum()), len(bad)))
        print()
        header("design", "falsely accused at the default", "judged")
        for kind in ("clean", *drawing.HARD):
            mine = scores[kind_of == kind]
            known_n = int((~np.isnan(mine)).sum())
            row(kind, share(int((mine > limit).sum()), known_n), share(known_n, len(mine)))


def crops(scorer: Scorer, folder: Path, half: str, n: int | None) -> None:
    """Prints how often real words, all right, are accused; even places were tuned on, odd ones are measured on."""
    pairs = measuring.crops(folder)[half == "measure" :: 2][:n]
    judged = measure(scorer, [Case(opened(path), f'a sign that says "{text}"') for path, text in pairs])
    _accusations(judged, f"Real word crops, half {half!r}")


def photos(scorer: Scorer, folder: Path, half: str, n: int) -> None:
    """Prints what is said of the lettering in photos; what they show of it is small, and often cut or out of focus."""
    paths = data.pictures(folder)
    chosen = np.random.default_rng(0).permutation(len(paths))[half == "measure" :: 2][:n]
    judged = measure(scorer, [Case(opened(paths[at]), "a photo, no text") for at in chosen])
    _accusations(judged, f"Photos, half {half!r}", FORM)


def _accusations(judged: Measured, text: str, names: Sequence[str] = (*KINDS, *FORM)) -> None:
    total = len(judged.values)
    title(f"{text}: {total} pictures, {judged.seconds:.2f} s each")
    header("failure", "accused, of all", "accused, of those judged", "judged")
    for name in names:
        scores = judged.of(name)
        accused, known = int((scores > LIMITS[name]).sum()), int((~np.isnan(scores)).sum())
        row(name, share(accused, total), share(accused, known), share(known, total))
    ends = [f"{name} {np.nanquantile(judged.of(name), 0.99):.3f}" for name in FORM]
    print(f"\n99th percentile of those judged: {', '.join(ends)}")


def _photos(folder: Path | None, n: int) -> list[np.ndarray]:
    if folder is None:
        return []
    paths = data.pictures(folder)
    return [np.asarray(opened(path)) for path in paths[:: max(1, len(paths) // n)][:n]]
