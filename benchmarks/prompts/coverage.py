"""What is said of the prompts themselves: how much of them is understood, what is to be written, and how fast."""

from __future__ import annotations

import csv
import time

from benchmarks.figures import header, row, share, title
from benchmarks.prompts.scoring import free_prompts, parti, suite
from loupe.brain.prompts.parse import parse


def texts() -> None:
    """Prints whether what is to be written is in ``Spec.texts``, and whether it changes the objects."""
    path = suite("text_rendering", "spelling_eval_400", "prompts_100.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = [cells for cells in csv.reader(file) if len(cells) > 1][1:]
    read = same = 0
    for prompt, text, *_ in rows:
        spec = parse(prompt)
        read += spec.texts == (" ".join(text.split()),)  # white space is collapsed
        same += spec.objects == parse(prompt.replace(text, "zzzz")).objects
    title(f"What is to be written ({path.parent.name}, {len(rows)} prompts)")
    header("", "share")
    row("the text is the only one in `texts`", share(read, len(rows)))
    row("another text in its place gives the same objects", share(same, len(rows)))


def coverage() -> None:
    """Prints how many prompts are understood as a whole, and how much of the words is."""
    table = parti()
    groups = {
        "PartiPrompts Quantity": [prompt for prompt, _, challenge, *_ in table if challenge == "Quantity"],
        "PartiPrompts Properties & Positioning": [
            prompt for prompt, _, challenge, *_ in table if challenge == "Properties & Positioning"
        ],
        "PartiPrompts Negation": [cells[0] for cells in table if "Negation" in cells[3:]],
        "PartiPrompts, all": [cells[0] for cells in table],
        **{name: prompts for name, prompts in free_prompts().items() if name != "parti"},
    }
    title("Coverage: nothing in `unparsed`, and the share of words outside it")
    header("prompts", "all of it understood", "words understood")
    for name, prompts in groups.items():
        specs = [parse(prompt) for prompt in prompts]
        words = sum(len(prompt.split()) for prompt in prompts)
        left = sum(len(part.split()) for spec in specs for part in spec.unparsed)
        whole = share(sum(not spec.unparsed for spec in specs), len(specs))
        row(name, whole, f"{1 - left / max(1, words):.2f}")


def speed() -> None:
    """Prints how long the captions of COCO take."""
    prompts = free_prompts()["coco"]
    start = time.perf_counter()
    for prompt in prompts:
        parse(prompt)
    seconds = time.perf_counter() - start
    print(f"\n{len(prompts):,} captions of COCO in {seconds:.1f} s: {len(prompts) / seconds:,.0f} a second.")
