"""Cells of signs that tiny-signs often draws wrong, brought to a number that passes; what passes, judged by another.

Passing is what Loupe's ``text`` says (PP-OCRv6), as in the demo. Whether a sign is right is told by the reader of
``sign_reader.py``, which is trained on scikit-learn's real handwritten digits and takes no part in the choice. As many
signs without a gate are the ones that were drawn first.
"""

from __future__ import annotations

import random
import re
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figures import header, machine, row, title
from benchmarks.generators.sign_reader import SignReader, load_reader
from loupe.brain.stats.intervals import Proportion

#: lettering that nothing can be told of at 32 pixels' height: silence on it does not matter
ALLOWED = ("text_distortion", "text_mixed_style", "text_illegible")
CHECKS = ("text", "sharpness", "exposure", "information", "grayscale")
TIME = "night"
#: weather and number of digits
CELLS = ("clear-4", "rain-4", "fog-2", "fog-3")
BY = ("scenario.weather", "scenario.digits")


def rows(cells: Sequence[str], per_cell: int, seed: int) -> list[dict[str, str]]:
    """Returns so many prompts of signs by night for each cell, with their factors."""
    rng = random.Random(seed)
    made = []
    for weather, digits in (cell.split("-") for cell in cells):
        for _ in range(per_cell):
            number = "".join(rng.choices("0123456789", k=int(digits)))
            prompt = f'a {rng.choice(("red", "blue", "green"))} sign that says "{number}", {TIME}, {weather}'
            made.append({"prompt": prompt, "digits": digits, "weather": weather, "time": TIME})
    return made


def right(reader: SignReader, paths: Sequence[str], prompts: Sequence[str]) -> list[bool]:
    """Returns of signs whether the reader reads what was asked for."""
    from PIL import Image

    if not paths:
        return []
    readings = reader.read(np.stack([np.asarray(Image.open(path).convert("RGB")) for path in paths]))
    texts = [re.findall(r'"(\d+)"', prompt)[0] for prompt in prompts]
    return [reading.text == text for reading, text in zip(readings, texts, strict=True)]


def print_rebalance(
    cache: Path | None, more: int, limit: int, per_cell: int, seed: int, names: Sequence[str] = CELLS
) -> None:
    """Prints the tables.

    Args:
        cache: folder that keeps the trained reader; None: it is trained
        more: signs that pass that each cell is to have beside those that it has
        limit: draws of a cell at most
        per_cell: signs of each cell that are drawn and checked before, by which the draws are planned
        seed: of the numbers and the draws
        names: of the cells, weather and number of digits
    """
    import fiftyone as fo
    import torch

    import loupe

    torch.set_num_threads(1)
    reader = load_reader(cache)
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        dataset = fo.Dataset()
        try:
            loupe.generate(dataset, rows(names, per_cell, seed), seed=seed, output_dir=Path(folder))
            loupe.check(dataset, list(CHECKS))
            coverage = loupe.coverage(dataset, list(BY), min_samples=per_cell + 1)
            cells = {"-".join(value for _, value in cell.values): cell for cell in coverage.cells}
            how: dict[str, Any] = {"checks": list(CHECKS), "allow_unknown": list(ALLOWED), "max_draws": limit}
            how |= {"output_dir": Path(folder), "seed": seed}
            _print_draws(dataset, [cells[name] for name in names], more, how)
            _print_right(dataset, reader)
        finally:
            dataset.delete()
    print(f"\n{time.process_time() - started:.0f} s of CPU time; {machine()}")


def _print_draws(dataset: Any, cells: Sequence[Any], more: int, how: dict[str, Any]) -> None:
    """Brings each cell to its target, and prints how many draws were planned and used."""
    import loupe

    title(f"Draws until {more} more pass")
    header("cell", "passed before", "planned draws", "used", "passed", "target reached", "most often")
    for cell in cells:
        (before,) = loupe.rebalance(dataset, cell, target=10_000, dry_run=True, **how).cells
        target = before.present + more
        (plan,) = loupe.rebalance(dataset, cell, target=target, dry_run=True, **how).cells
        (made,) = loupe.rebalance(dataset, cell, target=target, **how).cells
        mid, few, many = plan.to_draw
        kinds = {**made.failures, **{f"{name} silent": count for name, count in made.doubts.items()}}
        often = ", ".join(f"{name} {kinds[name]}" for name in sorted(kinds, key=lambda name: -kinds[name])[:3])
        planned = f"{mid:.0f} ({few:.0f} to {many:.0f})"
        row(made.where, plan.expected, planned, made.rate.n, made.rate, made.end == "reached", often)


def _print_right(dataset: Any, reader: SignReader) -> None:
    """Prints how many of the drawn signs read as asked, by what the gate says of them."""
    fields = ["rebalance.cell", "rebalance.number", "rebalance.status", "filepath", "prompt"]
    drawn = dataset.match({"rebalance.key": {"$ne": None}})
    held = sorted(zip(*drawn.values(fields), strict=True))
    answers = right(reader, [each[3] for each in held], [each[4] for each in held])
    title("Read as asked by the reader that takes no part")
    header("cell", "count: passed the gate", "as many without it", "fail", "unknown", "all drawn")
    groups: dict[str, list[list[bool]]] = {}
    for where in [*dict.fromkeys(each[0] for each in held), "all"]:
        own = [(each[2], is_right) for each, is_right in zip(held, answers, strict=True) if each[0] == where]
        counted = [is_right for status, is_right in own if status == "counts"]
        parts = [counted, [is_right for _, is_right in own[: len(counted)]]]
        parts += [[is_right for status, is_right in own if status == name] for name in ("fails", "unknown")]
        parts.append([is_right for _, is_right in own])
        if where == "all":
            parts = [[each for group in groups.values() for each in group[at]] for at in range(len(parts))]
        groups[where] = parts
        row(where, *(Proportion.of(sum(each), len(each)) for each in parts))
