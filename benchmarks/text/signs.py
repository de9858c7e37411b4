"""The signs of tiny-signs, which may be wrong by themselves; a model trained on real digits tells what they show."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.batches import Scorer
from benchmarks.figures import header, row, title
from benchmarks.generators.sign_reader import load_reader
from benchmarks.text.edits import KINDS
from benchmarks.text.measuring import Case, measure, opened
from benchmarks.text.wording import precision_and_recall
from loupe.brain.measures.text.alignment import align


def signs(
    scorer: Scorer, n: int, seed: int, folder: Path | None, cache: Path | None, steps: int | None, explain: bool
) -> None:
    """Prints precision and recall of the text failures on signs; what they show is told by the reader of signs.

    Args:
        scorer: the check
        n: how many signs to draw
        seed: of the signs
        folder: of signs to judge instead: PNGs with prompts
        cache: folder that keeps the trained reader
        steps: of the diffusion
        explain: whether to print what was read of each sign on stderr
    """

    pictures, prompts = _dataset(folder) if folder else _generate(n, seed, steps)
    readings = load_reader(cache).read(np.stack([np.asarray(picture.convert("RGB")) for picture in pictures]))
    wanted = ["".join(c for c in prompt.split('"')[1] if c.isdigit()) for prompt in prompts]
    kinds = ("substitution", "omission", "duplication", "unrequested")
    edits = [
        align([want], [reading.text] if reading.text else []) for want, reading in zip(wanted, readings, strict=True)
    ]
    truth = np.array([[edit.count(kind) for kind in kinds] for edit in edits]) > 0
    measured = measure(scorer, [Case(a, b) for a, b in zip(pictures, prompts, strict=True)])
    values = measured.edits()
    title(f"tiny-signs, as read: {len(pictures)} pictures, seed {seed}, {measured.seconds:.2f} s a picture")
    sure = np.array([reading.sure for reading in readings])
    for which, chosen in (("all", np.ones_like(sure)), ("those that the reader is sure of", sure)):
        print(f"\nsigns: {which}: {int(chosen.sum())}, wrong by the reader: {int(truth[chosen].any(1).sum())}\n")
        header("failure", "precision", "recall where judged", "recall of all", "judged")
        flagged, known, wrong = values[chosen] > 0, ~np.isnan(values[chosen]), truth[chosen]
        # of a whole sign: flagged is any failure; judged is any failure flagged, or none and nothing unknown
        judged = flagged.any(1) | known.all(1)
        row("any text failure", *precision_and_recall(flagged.any(1), wrong.any(1), judged))
        for k, kind in enumerate(KINDS):
            row(kind, *precision_and_recall(flagged[:, k], wrong[:, k], known[:, k]))
    if explain:
        for prompt, reading, scores, reason in zip(prompts, readings, values, measured.reasons, strict=True):
            print(prompt, reading.text, f"{reading.confidence:.2f}", scores.tolist(), reason, file=sys.stderr)


def _dataset(folder: Path) -> tuple[list[Image.Image], list[str]]:
    """PNGs whose prompt stands in a .txt file of the same name, or in prompts.csv (columns file, prompt)."""
    table = folder / "prompts.csv"
    rows: Iterable[tuple[Path, str]]
    if table.is_file():
        with table.open(newline="", encoding="utf-8") as file:
            rows = [(folder / row["file"], row["prompt"]) for row in csv.DictReader(file)]
    else:
        rows = [(path, path.with_suffix(".txt").read_text("utf-8").strip()) for path in sorted(folder.glob("*.png"))]
    pairs = [(opened(path), prompt) for path, prompt in rows]
    return [picture for picture, _ in pairs], [prompt for _, prompt in pairs]


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
