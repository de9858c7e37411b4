"""A cell of signs that tiny-signs mostly draws wrong, brought to a number that passes; what passes, judged by another.

Passing is what Loupe's ``text`` says (PP-OCRv6), as in the demo. Whether a sign is right is told by the reader of
``sign_reader.py``, which is trained on scikit-learn's real handwritten digits and takes no part in the choice.
"""

from __future__ import annotations

import random
import re
import tempfile
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.generators.sign_reader import load_reader
from loupe.brain.stats.intervals import Proportion

#: lettering that nothing can be told of at 32 pixels' height: silence on it does not matter
ALLOWED = ("text_distortion", "text_mixed_style", "text_illegible")
CHECKS = ("text", "sharpness", "exposure", "information", "grayscale")
TIME, WEATHER, DIGITS = "night", "fog", 4


def rows(per_cell: int, seed: int) -> list[dict[str, str]]:
    """Returns prompts of signs by night in each weather and of each number of digits, with their factors."""
    rng = random.Random(seed)
    made = []
    for weather, digits, _ in product(("clear", "fog", "rain"), (1, 2, 3, 4), range(per_cell)):
        number = "".join(rng.choices("0123456789", k=digits))
        prompt = f'a {rng.choice(("red", "blue", "green"))} sign that says "{number}", {TIME}, {weather}'
        made.append({"prompt": prompt, "digits": str(digits), "weather": weather, "time": TIME})
    return made


def truth(paths: Sequence[str], prompts: Sequence[str], cache: Path | None) -> tuple[Proportion, Proportion]:
    """Returns how many of some signs the reader reads as asked: of all, and of those that it is sure of."""
    from PIL import Image

    if not paths:
        return Proportion.of(0, 0), Proportion.of(0, 0)
    readings = load_reader(cache).read(np.stack([np.asarray(Image.open(path).convert("RGB")) for path in paths]))
    texts = [re.findall(r'"(\d+)"', prompt)[0] for prompt in prompts]
    right = [reading.text == text for reading, text in zip(readings, texts, strict=True)]
    sure = [each for each, reading in zip(right, readings, strict=True) if reading.sure]
    return Proportion.of(sum(right), len(right)), Proportion.of(sum(sure), len(sure))


def print_rebalance(cache: Path | None, target: int, limit: int, per_cell: int, seed: int) -> None:
    """Prints the tables."""
    import fiftyone as fo
    import torch

    import loupe
    from loupe.brain.labels.suggestions import SuggestedPrompts, Suggestion

    torch.set_num_threads(1)
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        dataset = fo.Dataset()
        try:
            asked = rows(per_cell, seed)
            where = f"{DIGITS} digits, {TIME}, {WEATHER}"
            cell = [each for each in asked if each["digits"] == str(DIGITS) and each["weather"] == WEATHER]
            shared = {"digits": str(DIGITS), "weather": WEATHER, "time": TIME}
            prompts = SuggestedPrompts(
                tuple(Suggestion(each["prompt"], shared, -(-target // len(cell)), where) for each in cell)
            )
            how: dict[str, Any] = {"checks": list(CHECKS), "allow_unknown": list(ALLOWED), "max_draws": limit}
            how |= {"output_dir": Path(folder) / "drawn", "seed": seed}
            made = loupe.rebalance(dataset, prompts, **how)
            print(made)
            _print_truth(dataset, made, cache)
            further = loupe.rebalance(dataset, prompts, dry_run=True, **how)
            print(f"plan for the same again: {further.sentence()}")
        finally:
            dataset.delete()
    print(f"{time.process_time() - started:.0f} s of CPU time")


def _print_truth(dataset: Any, made: Any, cache: Path | None) -> None:
    drawn = dataset.match({"rebalance.key": {"$in": [cell.key for cell in made.cells]}})
    groups = {
        "count: passed the gate": ["counts"],
        "fail": ["fails"],
        "unknown": ["unknown"],
        "all drawn: without a gate": ["counts", "spare", "fails", "unknown"],
    }
    print("| signs | read as asked | of those the reader is sure of |\n|---|---|---|")
    for name, statuses in groups.items():
        own = drawn.match({"rebalance.status": {"$in": statuses}})
        every, sure = truth(own.values("filepath"), own.values("prompt"), cache)
        print(f"| {name} | {every} | {sure} |")
