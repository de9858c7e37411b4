"""What prompts ask for that would else be a failure: by word, and how often a reader disagrees."""

from __future__ import annotations

import csv
import random
from collections import Counter

from benchmarks.figures import header, row, share, title
from benchmarks.prompts.asked_reading import WRONG
from benchmarks.prompts.scoring import free_prompts, lines, suite
from loupe.brain.prompts.as_asked import as_asked

#: so many hits of the held-out half were read by hand; the table was written on the other half
READ = 150


def every() -> dict[str, list[str]]:
    """Returns the free prompts of five suites, by name."""
    with suite("oneig", "OneIG-Bench.csv").open(encoding="utf-8", newline="") as file:
        oneig = [line["prompt_en"] for line in csv.DictReader(file)]
    dpg = [line.partition("\t")[2] for line in lines(suite("dpg_bench", "dpg_prompts.tsv"))]
    return {**free_prompts(), "dpg": dpg, "oneig": oneig}


def hits(held_out: bool) -> list[tuple[str, int, str, tuple[str, ...], str]]:
    """Returns the suite, the line, the words, the failure modes and the prompt of each thing that is asked for."""
    listed = []
    for name, prompts in every().items():
        for number, prompt in enumerate(prompts):
            if number % 2 == held_out:
                asked: dict[str, list[str]] = {}
                for mode, words in as_asked(prompt).items():
                    asked.setdefault(words.lower(), []).append(mode)
                listed += [(name, number, words, tuple(modes), prompt) for words, modes in asked.items()]
    return listed


def sample(held_out: bool) -> list[tuple[str, int, str, tuple[str, ...], str]]:
    """Returns some hits of one half, those that were read by hand of the held-out one."""
    listed = hits(held_out)
    return random.Random(0).sample(listed, min(READ, len(listed)))


def asked(verbose: bool = False) -> None:
    """Prints how many prompts ask for what, and the precision on the hits that were read by hand."""
    prompts = sum(map(len, every().values()))
    title(f"What is asked for, {prompts:,} prompts: the words that occur most, of both halves")
    counts = Counter(hit[2] for half in (False, True) for hit in hits(half))
    print(", ".join(f"{words} {number}" for words, number in counts.most_common(60)))
    title("Read by hand, held-out half: is the failure what the prompt asks for?")
    read = sample(True)
    right = [hit for hit in read if (hit[0], hit[1], hit[2]) not in WRONG]
    header("", "right")
    row("hits", share(len(right), len(read)))
    if verbose:
        for suite_name, number, words, modes, prompt in read:
            at = max(0, prompt.lower().find(words) - 50)
            print(f"{suite_name} {number} [{words}] {' '.join(modes)}: {prompt[at : at + 110 + len(words)]}")
