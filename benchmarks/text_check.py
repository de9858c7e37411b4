"""How well the text check finds wrong text, and how seldom it accuses right text.

    python -m benchmarks.text_check rendered            strings drawn in many fonts, with injected edits
    python -m benchmarks.text_check crops FOLDER        real word crops with transcripts (IIIT5K), all of them right
    python -m benchmarks.text_check photos FOLDER       photos; the prompt asks for a text that they do not show
    python -m benchmarks.text_check digits                signs of real handwritten digits, with injected edits
    python -m benchmarks.text_check empty                 signs with nothing on them
    python -m benchmarks.text_check signs               tiny-signs' own pictures, against a judge trained on real digits

Tables are Markdown. Intervals are Wilson's at 95 %. Seeds below 100 were used to choose the check's parameters; the
default seeds are not.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.figures import machine, share
from loupe.brain.checks.text import Text
from loupe.brain.core.records import Scores
from loupe.brain.core.strings import comparable
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.measures.text.alignment import align

KINDS = ("text_substitution", "text_omission", "text_duplication", "unrequested_text")
FONTS = """
DejaVuSans DejaVuSans-Bold DejaVuSans-Oblique DejaVuSerif DejaVuSerif-Bold DejaVuSerif-Italic DejaVuSansMono
DejaVuSansMono-Bold STIXGeneral STIXGeneralBol STIXGeneralItalic cmr10 cmss10 cmtt10 cmb10
"""
Scorer = Callable[[ImageBatch], Scores]

WORDS = """
COFFEE SHOP OPEN DAILY WELCOME BAKERY FRESH BREAD SUMMER SALE EXIT PARKING HOTEL MUSIC FESTIVAL LIBRARY MARKET STREET
Garden Kitchen Mountain River Happy Birthday Adventure Journey Discover Coast Winter Flowers Pizza Museum Gallery
station platform ticket doctor school kindness forever together sunshine yesterday language breakfast 24 1998 427 50 365
"""


@dataclass(frozen=True)
class Case:
    """A picture, the prompt that it is judged by, and the kind of edit that is in it (None: it is right)."""

    picture: Image.Image
    prompt: str
    kind: str | None


def judge(scorer: Scorer, cases: Sequence[Case]) -> tuple[np.ndarray, list[str | None], float]:
    """Returns (N, 4) scores in the order of ``KINDS``, the reasons, and the seconds a picture."""
    rows, reasons, start = [], [], time.perf_counter()
    for case in cases:
        import torch

        pixels = torch.from_numpy(np.asarray(case.picture.convert("RGB")).copy()).permute(2, 0, 1)[None]
        scores = scorer(ImageBatch(("0",), pixels, (case.picture.size,), {"prompt": (case.prompt,)}))
        rows.append([float(scores[kind][0]) for kind in KINDS])
        reasons += scores.reasons
    return np.array(rows), reasons, (time.perf_counter() - start) / max(1, len(cases))


def fonts() -> list[str]:
    """Returns the text fonts in matplotlib's wheel: DejaVu, STIX and Computer Modern."""
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return [str(folder / f"{name}.ttf") for name in FONTS.split() if (folder / f"{name}.ttf").is_file()]


def inject(text: str, kind: str, rng: np.random.Generator) -> str:
    """Returns the text with one edit of that kind; what is compared differs by just that kind."""
    for _ in range(200):
        words = text.split()
        at = int(rng.integers(len(words)))
        word = words[at]
        place = int(rng.integers(len(word)))
        if kind == "text_substitution":
            pool = "0123456789" if word[place].isdigit() else "abcdefghijklmnopqrstuvwxyz"
            new = str(rng.choice(list(pool)))
            words[at] = word[:place] + (new.upper() if word[place].isupper() else new) + word[place + 1 :]
        elif kind == "text_omission":
            words[at] = word[:place] + word[place + 1 :]
        elif rng.random() < 0.5 and len(words) < 4:
            words.insert(at, word)
        else:
            words[at] = word[:place] + word[place] + word[place:]
        made = " ".join(word for word in words if word)
        edits = align([*map(comparable, text.split())], [*map(comparable, made.split())]).edits
        # an l for an I is no substitution that anybody could see
        same = comparable(made.replace("I", "l")) == comparable(text.replace("I", "l"))
        if made and not same and {edit.kind for edit in edits} == {kind.removeprefix("text_")}:
            return made
    raise ValueError(f"no {kind} fits into {text!r}")


def draw(text: str, rng: np.random.Generator) -> Image.Image:
    """Returns the text on a picture: font, size, place, colours, background and rotation by chance."""
    width, height = int(rng.integers(320, 769)), int(rng.integers(256, 641))
    dark = rng.random() < 0.5
    ink = tuple(int(v) for v in (rng.integers(0, 70, 3) if dark else rng.integers(190, 256, 3)))
    paper = rng.integers(150, 256, 3) if dark else rng.integers(0, 110, 3)
    ramp = np.linspace(-1, 1, width)[None, :, None] * rng.uniform(0, 20)
    noise = rng.normal(0, rng.choice([0, 4, 10]), (height, width, 1))
    base = np.clip(np.asarray(paper, float) + ramp + noise, 0, 255).astype(np.uint8)
    path = str(rng.choice(fonts()))
    for size in range(int(rng.integers(20, 97)), 11, -2):
        font = ImageFont.truetype(path, size)
        left, top, right, bottom = font.getbbox(text)
        if right - left < 0.8 * width:
            break
    layer = Image.new("L", (width, height), 0)
    x = rng.uniform(0.1 * width, max(0.1 * width + 1, 0.9 * width - (right - left)))
    y = rng.uniform(0.3, 0.7) * height - (bottom - top) / 2
    ImageDraw.Draw(layer).text((x - left, y - top), text, fill=255, font=font)
    layer = layer.rotate(float(rng.uniform(-12, 12)), Image.Resampling.BICUBIC, center=(x + (right - left) / 2, y))
    return Image.composite(Image.new("RGB", (width, height), ink), Image.fromarray(base), layer)


def rendered(scorer: Scorer, n: int, seed: int) -> None:
    """Prints precision and recall for each kind of edit, over as many right pictures as of each kind."""
    rng = np.random.default_rng(seed)
    cases = []
    for index in range(n):
        kind = (None, *KINDS[:3])[index % 4]
        text = " ".join(rng.choice(WORDS.split(), int(rng.integers(1, 4)), replace=False))
        cases.append(Case(draw(inject(text, kind, rng) if kind else text, rng), f'a poster that says "{text}"', kind))
    values, reasons, seconds = judge(scorer, cases)
    print(f"\n### Rendered strings: {n} pictures, {len(fonts())} fonts, seed {seed}, {seconds:.2f} s a picture\n")
    _table(values, [case.kind for case in cases])
    _explain(cases, values, reasons)


def digits(scorer: Scorer, n: int, seed: int) -> None:
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
    values, reasons, seconds = judge(scorer, cases)
    print(f"\n### Signs of held-out handwritten digits: {n} pictures, seed {seed}, {seconds:.2f} s a picture\n")
    _table(values, [case.kind for case in cases])
    found, wrong = (values > 0).any(1), np.array([case.kind is not None for case in cases])
    known = found | ~np.isnan(values).any(1)
    both = int((found & wrong).sum())
    print(f"\nany text failure: precision {share(both, int(found.sum()))}, recall {share(both, int(wrong.sum()))}, ")
    print(f"where judged {share(both, int((wrong & known).sum()))}, judged {share(int(known.sum()), n)}")
    _explain(cases, values, reasons)


def empty(scorer: Scorer, n: int, seed: int) -> None:
    """Prints what is said of boards with nothing on them, in all colours, by day and night, in all weathers."""
    from training.tiny_signs import signs as world

    rng = np.random.default_rng(seed)
    cases = []
    for _ in range(n):
        sign = world.random_sign(rng)
        picture = world.render(replace(sign, text=" " * len(sign.text)), rng, "heldout")
        cases.append(Case(Image.fromarray(picture), world.prompt_of(sign), "text_omission"))
    values, reasons, seconds = judge(scorer, cases)
    print(f"\n### Signs with nothing on them: {n} pictures, seed {seed}, {seconds:.2f} s a picture\n")
    omission = values[:, 1]
    found, unknown = int((omission > 0).sum()), int(np.isnan(omission).sum())
    print(f"text_omission found: {share(found, n)}, unknown: {share(unknown, n)}")
    print(f"text read on them: {share(int((values[:, (0, 2, 3)] > 0).any(1).sum()), n)}")
    _explain(cases, values, reasons)


def _table(values: np.ndarray, kinds: Sequence[str | None]) -> None:
    truth = np.array([str(kind) for kind in kinds])
    print("| failure | precision | recall where judged | recall of all | judged |\n|---|---|---|---|---|")
    for column, kind in enumerate(KINDS):
        known, found, there = ~np.isnan(values[:, column]), values[:, column] > 0, truth == kind
        cells = (
            share(int((found & there).sum()), int(found.sum())),
            share(int((found & there).sum()), int((known & there).sum())),
            share(int((found & there).sum()), int(there.sum())),
            share(int(known.sum()), len(known)),
        )
        print(f"| {kind} | {' | '.join(cells)} |")
    right = truth == "None"
    wrong_found = (values[right] > 0).any(1)
    print(f"\nright pictures accused of anything: {share(int(wrong_found.sum()), int(right.sum()))}")
    print(
        f"right pictures with nothing unknown: {share(int((~np.isnan(values[right])).all(1).sum()), int(right.sum()))}"
    )


def _explain(cases: Sequence[Case], values: np.ndarray, reasons: Sequence[str | None]) -> None:
    if EXPLAIN:
        for index, (case, row, reason) in enumerate(zip(cases, values, reasons, strict=True)):
            wrong = any((value > 0) != (kind == case.kind) for kind, value in zip(KINDS, row, strict=True))
            if wrong:
                print(f"{index}: {case.prompt} {case.kind} {row.tolist()} {reason}", file=sys.stderr)


def crops(scorer: Scorer, folder: Path, n: int, seed: int) -> None:
    """Prints how often right word crops are accused. FOLDER holds ``*.tags`` files of lines "picture transcript"."""
    pairs = [
        (folder / name, transcript)
        for tags in sorted(folder.glob("*.tags"))
        for name, _, transcript in (line.strip().partition(" ") for line in tags.read_text().splitlines())
        if comparable(transcript)
    ]
    if not pairs:
        raise SystemExit(f"expected a folder with *.tags files (6_ocr/iiit5k), got {folder}")
    chosen = np.random.default_rng(seed).permutation(len(pairs))[:n]
    cases = []
    for index in chosen:
        with Image.open(pairs[index][0]) as picture:
            cases.append(Case(picture.convert("RGB"), f'a sign that says "{pairs[index][1]}"', None))
    values, reasons, seconds = judge(scorer, cases)
    accused, unknown = (values > 0).any(1), np.isnan(values).any(1) & ~(values > 0).any(1)
    print(f"\n### Real word crops, all right: {len(cases)} pictures, seed {seed}, {seconds:.2f} s a picture\n")
    print("| accused falsely | unknown in part | judged right |\n|---|---|---|")
    total = len(cases)
    print(f"| {share(int(accused.sum()), total)} | {share(int(unknown.sum()), total)} | ", end="")
    print(f"{share(int((~accused & ~unknown).sum()), total)} |")
    _explain(cases, values, reasons)


def photos(scorer: Scorer, folder: Path, n: int, seed: int) -> None:
    """Prints what is said of photos whose prompt asks for a text that is not there, or for none."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".jpg", ".jpeg", ".png"})
    chosen = [paths[index] for index in np.random.default_rng(seed).permutation(len(paths))[:n]]
    cases = []
    for path in chosen:
        with Image.open(path) as picture:
            cases.append(Case(picture.convert("RGB"), 'a photo with the text "LOUPE BAKERY"', "text_omission"))
    values, reasons, seconds = judge(scorer, cases)
    print(f"\n### Photos without the wanted text: {len(cases)} pictures, seed {seed}, {seconds:.2f} s a picture\n")
    omission = values[:, 1]
    print(
        f"text_omission found: {share(int((omission > 0).sum()), len(cases))}, unknown: {int(np.isnan(omission).sum())}"
    )
    print(f"some text read in them: {share(int((values[:, 3] > 0).sum()), len(cases))}")
    _explain(cases, values, reasons)


def signs(scorer: Scorer, n: int, seed: int, folder: Path | None, cache: Path | None, steps: int | None) -> None:
    """Prints precision and recall of the text failures on signs, with a digit classifier as the judge."""
    from benchmarks.signs_judge import load_judge

    pictures, prompts = _dataset(folder) if folder else _generate(n, seed, steps)
    readings = load_judge(cache).read(np.stack([np.asarray(picture.convert("RGB")) for picture in pictures]))
    wanted = ["".join(c for c in prompt.split('"')[1] if c.isdigit()) for prompt in prompts]
    kinds = ("substitution", "omission", "duplication", "unrequested")
    edits = [
        align([want], [reading.text] if reading.text else []) for want, reading in zip(wanted, readings, strict=True)
    ]
    truth = np.array([[edit.count(kind) for kind in kinds] for edit in edits]) > 0
    values, reasons, seconds = judge(scorer, [Case(a, b, None) for a, b in zip(pictures, prompts, strict=True)])
    print(f"\n### tiny-signs against a judge: {len(pictures)} pictures, seed {seed}, {seconds:.2f} s a picture\n")
    sure = np.array([reading.sure for reading in readings])
    for title, chosen in (("all", np.ones_like(sure)), ("those that the judge is sure of", sure)):
        print(f"\nsigns: {title}: {int(chosen.sum())}, wrong by the judge: {int(truth[chosen].any(1).sum())}\n")
        print("| failure | precision | recall where judged | recall of all | judged |\n|---|---|---|---|---|")
        scores, there = values[chosen], truth[chosen]
        found, known = scores > 0, ~np.isnan(scores)
        # of a whole sign: found is any failure; judged is any failure found, or none and nothing unknown
        rows = [("any text failure", found.any(1), found.any(1) | known.all(1), there.any(1))]
        rows += [(kind, found[:, k], known[:, k], there[:, k]) for k, kind in enumerate(KINDS)]
        for name, hit, judged, wrong in rows:
            both = int((hit & wrong).sum())
            cells = (
                share(both, int(hit.sum())),
                share(both, int((judged & wrong).sum())),
                share(both, int(wrong.sum())),
                share(int(judged.sum()), len(judged)),
            )
            print(f"| {name} | {' | '.join(cells)} |")
    if EXPLAIN:
        for prompt, reading, row, reason in zip(prompts, readings, values, reasons, strict=True):
            print(prompt, reading.text, f"{reading.confidence:.2f}", row.tolist(), reason, file=sys.stderr)


def _dataset(folder: Path) -> tuple[list[Image.Image], list[str]]:
    """PNGs whose prompt stands in a .txt file of the same name, or in prompts.csv (columns file, prompt)."""
    import csv

    table = folder / "prompts.csv"
    rows: Iterable[tuple[Path, str]]
    if table.is_file():
        with table.open(newline="", encoding="utf-8") as file:
            rows = [(folder / row["file"], row["prompt"]) for row in csv.DictReader(file)]
    else:
        rows = [(path, path.with_suffix(".txt").read_text("utf-8").strip()) for path in sorted(folder.glob("*.png"))]
    pictures, prompts = [], []
    for path, prompt in rows:
        with Image.open(path) as picture:
            pictures.append(picture.convert("RGB"))
        prompts.append(prompt)
    return pictures, prompts


def _generate(n: int, seed: int, steps: int | None) -> tuple[list[Image.Image], list[str]]:
    """Signs drawn by the embedded model, one seed a picture."""
    from loupe.brain.core.records import Request
    from loupe.brain.generators.diffusion import Diffusion
    from training.tiny_signs import signs as world

    rng = np.random.default_rng(seed)
    prompts = [world.prompt_of(world.random_sign(rng)) for _ in range(n)]
    session = Diffusion("tiny-signs", steps=steps, images_per_call=16).load("cpu")
    requests = [Request(prompt, seed * 100_000 + index) for index, prompt in enumerate(prompts)]
    return [picture.convert("RGB") for picture in session.draw(requests)], prompts


EXPLAIN = False


def main() -> None:
    """Runs one of the benchmarks."""
    global EXPLAIN
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["rendered", "digits", "empty", "crops", "photos", "signs"])
    parser.add_argument("folder", nargs="?", type=Path, help="of the pictures, for crops and photos")
    parser.add_argument("--dataset-folder", type=Path, help="signs to judge instead of fresh ones: PNGs with prompts")
    parser.add_argument("-n", type=int, default=256)
    parser.add_argument("--seed", type=int, default=1001)
    parser.add_argument("--doubt", type=float, default=Text().doubt)
    parser.add_argument("--judge-cache", type=Path, help="folder that keeps the trained judge")
    parser.add_argument("--steps", type=int, help="of the signs' diffusion: with few steps more of them are wrong")
    parser.add_argument("--explain", action="store_true", help="print each wrong verdict on stderr")
    given = parser.parse_args()
    EXPLAIN = given.explain
    scorer = Text(doubt=given.doubt).load("cpu")
    if given.what == "rendered":
        rendered(scorer, given.n, given.seed)
    elif given.what in ("digits", "empty"):
        (digits if given.what == "digits" else empty)(scorer, given.n, given.seed)
    elif given.what == "signs":
        signs(scorer, given.n, given.seed, given.dataset_folder, given.judge_cache, given.steps)
    elif given.folder is None:
        parser.error(f"{given.what} needs a folder")
    else:
        (crops if given.what == "crops" else photos)(scorer, given.folder, given.n, given.seed)
    print(f"\n{machine()}")


if __name__ == "__main__":
    main()
