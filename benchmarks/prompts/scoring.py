"""Hits and cases, for the half that was looked at and for the one that was held out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import data
from benchmarks.figures import header, row, share, title

#: which half was looked at while the rules were written: the remainder of the line, from 0, by 2
SEEN = {"geneval": 0, "spatialbench_uc": 0, "t2i_compbench": 0, "drawbench": 1, "parti": 1, "coco": 1, "complex": 1}


@dataclass
class Tally:
    """Hits and cases, for the seen half and for the one that was held out."""

    hits: list[int] = field(default_factory=lambda: [0, 0])
    cases: list[int] = field(default_factory=lambda: [0, 0])

    def add(self, right: bool, held_out: bool) -> None:
        """Counts a case."""
        self.hits[held_out] += right
        self.cases[held_out] += 1


def print_table(text: str, tallies: dict[str, Tally]) -> None:
    """Prints a row for each tally."""
    title(text)
    header("", "seen", "held out")
    for name, tally in tallies.items():
        row(name, *(share(hits, cases) for hits, cases in zip(tally.hits, tally.cases, strict=True)))


def suite(*parts: str) -> Path:
    """Returns a file or folder of the prompt suites.

    Raises:
        MissingData: it is not there
    """
    return data.required("8_prompts", *parts)


def lines(path: Path) -> list[str]:
    """Returns the lines of a file."""
    return path.read_text(encoding="utf-8").splitlines()


def free_prompts() -> dict[str, list[str]]:
    """Returns the suites without a structure of their own, by name."""
    return {
        "drawbench": lines(suite("dalle3_eval", "drawbench.txt")),
        "parti": [cells[0] for cells in parti()],
        "coco": lines(suite("dalle3_eval", "8k_coco.txt")),
        "complex": lines(suite("t2i_compbench", "complex.txt")),
    }


def parti() -> list[list[str]]:
    """Returns the rows of PartiPrompts: prompt, category, challenge, note."""
    return [line.split("\t") for line in lines(suite("PartiPrompts.tsv"))][1:]
