"""How well the text check finds wrong, distorted, mixed and illegible lettering, and how seldom it accuses good one.

    python -m benchmarks.text_shape                    everything that needs no data
    python -m benchmarks.text_shape edits              strings with injected edits: exact type, precision and recall
    python -m benchmarks.text_shape form               flaws of shape against clean lines and unusual designs
    python -m benchmarks.text_shape crops FOLDER       real word crops with transcripts (IIIT5K), all of them right
    python -m benchmarks.text_shape photos FOLDER      photos, most without text: how much of it is called illegible

``--half tune`` are the fonts and strings that the thresholds were chosen on; the default, ``measure``, shares no font
family and no string with them. ``--photos FOLDER`` puts photos behind half of the texts, ``--fonts FOLDER`` adds fonts.
Tables are Markdown, intervals Wilson's at 95 %; -n is the number of pictures of each kind.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import text_cases
from benchmarks.figures import machine, share
from benchmarks.text_check import KINDS, inject
from loupe.brain.checks.text import Text
from loupe.brain.core.records import Scores
from loupe.brain.core.strings import comparable
from loupe.brain.imaging.batches import ImageBatch

FORM = ("text_distortion", "text_mixed_style", "text_illegible")
FLAWS = {"text_distortion": text_cases.DISTORTED, "text_mixed_style": text_cases.MIXED, FORM[2]: text_cases.ILLEGIBLE}
LIMITS = {
    output.name: output.default_threshold.value for output in Text.outputs if output.default_threshold is not None
}
Scorer = Callable[[ImageBatch], Scores]


@dataclass
class Measured:
    """One row of scores for each picture, NaN as unknown, in the order of ``names``."""

    names: tuple[str, ...]
    values: np.ndarray
    seconds: float

    def of(self, name: str) -> np.ndarray:
        """Returns the (N,) scores of one output."""
        return self.values[:, self.names.index(name)]


def judge(scorer: Scorer, cases: Sequence[tuple[Image.Image, str]]) -> Measured:
    """Returns what the check says of pictures with their prompts."""
    import torch

    names = tuple(output.name for output in Text.outputs)
    rows, start = [], time.perf_counter()
    for picture, prompt in cases:
        pixels = torch.from_numpy(np.asarray(picture.convert("RGB")).copy()).permute(2, 0, 1)[None]
        scores = scorer(ImageBatch(("0",), pixels, (picture.size,), {"prompt": (prompt,)}))
        rows.append([float(scores[name][0]) for name in names])
    return Measured(names, np.array(rows).reshape(-1, len(names)), (time.perf_counter() - start) / max(1, len(cases)))


def auroc(good: np.ndarray, bad: np.ndarray) -> float:
    """Returns how often a flawed picture scores worse than a good one, ties by half; unknown ones are left out."""
    good, bad = good[~np.isnan(good)], bad[~np.isnan(bad)]
    if not len(good) or not len(bad):
        return float("nan")
    return float((bad[:, None] > good[None]).mean() + 0.5 * (bad[:, None] == good[None]).mean())


def edits(scorer: Scorer, given: argparse.Namespace) -> None:
    """Prints precision and recall of the exact type of edit: one in each picture, and as many right pictures."""
    rng = np.random.default_rng(given.seed)
    photos = _photos(given.photos, 40)
    words = text_cases.WORDS[given.half].split()
    files = text_cases.font_files(given.half, given.fonts)
    cases, truth = [], []
    for index in range(4 * given.n):
        kind = (None, *KINDS[:3])[index % 4]
        text = " ".join(rng.choice(words, int(rng.integers(1, 4)), replace=False))
        written = inject(text, kind, rng) if kind else text
        size = min(int(np.exp(rng.uniform(np.log(20), np.log(120)))), 1100 // len(written))
        mask = text_cases.line_mask(written, [str(rng.choice(files))] * len(written), size, rng)
        photo = photos[int(rng.integers(len(photos)))] if photos and rng.random() < 0.5 else None
        cases.append((text_cases.placed(mask, rng, photo), f'a poster that says "{text}"'))
        truth.append(kind)
    judged = judge(scorer, cases)
    print(f"\n### Edits: {len(cases)} pictures, {len(files)} fonts of {given.half!r}, {judged.seconds:.2f} s each\n")
    print("| failure | precision | recall | coverage |\n|---|---|---|---|")
    for kind in KINDS[:3]:
        found, there = judged.of(kind) > 0, np.array([one == kind for one in truth])
        both, known = int((found & there).sum()), int((~np.isnan(judged.of(kind))).sum())
        row = (share(both, int(found.sum())), share(both, int(there.sum())), share(known, len(cases)))
        print(f"| {kind} | {' | '.join(row)} |")
    right = np.array([one is None for one in truth])
    accused = np.column_stack([judged.of(kind) > 0 for kind in KINDS[:3]])[right].any(1)
    print(f"\nright ones accused of one of them: {share(int(accused.sum()), int(right.sum()))}")
    # photos may show text of their own, so this is no false alarm for sure
    other = judged.of(KINDS[3])[right] > 0
    print(f"right ones said to have text that nobody asked for: {share(int(other.sum()), int(right.sum()))}")


def form(scorer: Scorer, given: argparse.Namespace) -> None:
    """Prints, for each flaw, how it is told from clean lines and from unusual designs."""
    rng = np.random.default_rng(given.seed)
    photos = _photos(given.photos, 40)
    kinds = ("clean", "clean", *text_cases.HARD, *(kind for flaw in FLAWS.values() for kind in flaw))
    drawn = [text_cases.make(kind, given.half, rng, photos, given.fonts) for kind in kinds for _ in range(given.n)]
    judged = judge(scorer, [(one.picture, f'a poster that says "{one.text}"') for one in drawn])
    kind_of = np.array([one.kind for one in drawn])
    files = text_cases.font_files(given.half, given.fonts)
    print(
        f"\n### Form: {len(drawn)} pictures, {len(files)} fonts of the half {given.half!r}, {judged.seconds:.2f} s each"
    )
    good = np.isin(kind_of, ("clean", *text_cases.HARD))
    for name, flaws in FLAWS.items():
        scores, limit = judged.of(name), LIMITS[name]
        line = float(np.nanquantile(scores[good], 0.99))
        print(f"\n{name}: default threshold {limit:g}; 1 % of the good ones are above {line:.3f}\n")
        print("| flaw | AUROC: clean | AUROC: clean and designs | recall at 1 % | at the default | judged |")
        print("|---|---|---|---|---|---|")
        for flaw in (*flaws, "all"):
            chosen = np.isin(kind_of, flaws) if flaw == "all" else kind_of == flaw
            bad, known = scores[chosen], ~np.isnan(scores[chosen])
            areas = [f"{auroc(scores[which], bad):.3f}" for which in (kind_of == "clean", good)]
            found = [share(int((bad > at).sum()), int(known.sum())) for at in (line, limit)]
            print(f"| {flaw} | {' | '.join([*areas, *found, share(int(known.sum()), len(bad))])} |")
        print("\n| design | falsely accused at the default | judged |\n|---|---|---|")
        for kind in ("clean", *text_cases.HARD):
            mine = scores[kind_of == kind]
            known = int((~np.isnan(mine)).sum())
            print(f"| {kind} | {share(int((mine > limit).sum()), known)} | {share(known, len(mine))} |")


def crops(scorer: Scorer, given: argparse.Namespace) -> None:
    """Prints how often real words, all right, are accused; ``*.tags`` files have lines "picture transcript"."""
    pairs = [
        (given.folder / name, transcript)
        for tags in sorted(given.folder.glob("*.tags"))
        for name, _, transcript in (line.strip().partition(" ") for line in tags.read_text().splitlines())
        if comparable(transcript)
    ]
    if not pairs:
        raise SystemExit(f"expected a folder with *.tags files (6_ocr/iiit5k), got {given.folder}")
    # even places to tune on, odd ones to measure on
    pairs = pairs[given.half == "measure" :: 2][: given.n if given.n != _EACH else None]
    judged = judge(scorer, [(_opened(path), f'a sign that says "{text}"') for path, text in pairs])
    _accusations(judged, f"Real word crops, half {given.half!r}")


def photos(scorer: Scorer, given: argparse.Namespace) -> None:
    """Prints what is said of the lettering in photos; what they show of it is small, and often cut or out of focus."""
    paths = sorted(path for path in given.folder.rglob("*") if path.suffix.lower() in {".jpg", ".jpeg", ".png"})
    chosen = np.random.default_rng(0).permutation(len(paths))[given.half == "measure" :: 2][: given.n]
    judged = judge(scorer, [(_opened(paths[at]), "a photo, no text") for at in chosen])
    _accusations(judged, f"Photos, half {given.half!r}", FORM)


def _accusations(judged: Measured, title: str, names: Sequence[str] = (*KINDS, *FORM)) -> None:
    total = len(judged.values)
    print(f"\n### {title}: {total} pictures, {judged.seconds:.2f} s each\n")
    print("| failure | accused, of all | accused, of those judged | judged |\n|---|---|---|---|")
    for name in names:
        scores = judged.of(name)
        accused, known = int((scores > LIMITS[name]).sum()), int((~np.isnan(scores)).sum())
        print(f"| {name} | {share(accused, total)} | {share(accused, known)} | {share(known, total)} |")
    good = judged.values[:, [judged.names.index(name) for name in FORM]]
    lines = [f"{name} {np.nanquantile(column, 0.99):.3f}" for name, column in zip(FORM, good.T, strict=True)]
    print(f"\n99th percentile of those judged: {', '.join(lines)}")


def _photos(folder: Path | None, n: int) -> list[np.ndarray]:
    if folder is None:
        return []
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".jpg", ".jpeg", ".png"})
    return [np.asarray(_opened(path)) for path in paths[:: max(1, len(paths) // n)][:n]]


def _opened(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")


_EACH = 40


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["all", "edits", "form", "crops", "photos"], default="all")
    parser.add_argument("folder", nargs="?", type=Path, help="of the pictures, for crops and photos")
    parser.add_argument("-n", type=int, default=_EACH, help="pictures of each kind; of all, for crops and photos")
    parser.add_argument("--half", choices=["tune", "measure"], default="measure")
    parser.add_argument("--seed", type=int, default=1001)
    parser.add_argument("--photos", type=Path, help="photos to put behind half of the texts")
    parser.add_argument("--fonts", type=Path, help="a folder with further fonts; every other one goes to each half")
    given = parser.parse_args()
    scorer = Text(threads=1, grade="offline").load("cpu")
    if given.what in ("crops", "photos"):
        if given.folder is None:
            parser.error(f"{given.what} needs a folder")
        (crops if given.what == "crops" else photos)(scorer, given)
    if given.what in ("all", "edits"):
        edits(scorer, given)
    if given.what in ("all", "form"):
        form(scorer, given)
    print(f"\nfonts: {', '.join(Path(path).stem for path in text_cases.font_files(given.half, given.fonts))}")
    print(f"\n{machine()}")


if __name__ == "__main__":
    main()
