"""What is tried, by kind. Each makes its input by chance into a folder, gives it to Loupe, and says what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.fuzz import answers, drawn, files, words
from benchmarks.fuzz.changes import Rng

Outcome = Literal["ok", "refused"]
#: bytes that a case may hold beyond what it says beforehand
SLACK = 64 * 2**20
BUDGET = 256 * 2**20


@dataclass(frozen=True)
class Kind:
    """A kind of cases.

    Attributes:
        try_it: makes an input in a folder and tries it; returns what it was of, whether it was taken or refused by a
            clear error, and how many bytes it said beforehand that it would hold
        share: how many of 100 cases are of it
        budget: bytes that it may hold beyond what it said
    """

    try_it: Callable[[Rng, Path], tuple[str, Outcome, int]]
    share: int
    budget: int = BUDGET


KINDS: Mapping[str, Kind] = {
    "pictures": Kind(files.picture, 60, SLACK),
    "metadata": Kind(files.metadata, 10),
    "prompts": Kind(words.prompt, 10),
    "tables": Kind(words.table, 8),
    "answers": Kind(answers.answer, 7),
    "names": Kind(drawn.names, 5),
}
#: by the number of a case: which kind it is of
ORDER = tuple(name for name, kind in KINDS.items() for _ in range(kind.share))


def kind_of(number: int) -> str:
    """Returns the kind of a case by its number: all of them come in each hundred, one after another."""
    # 37 and 100 have no common divisor: the kinds alternate
    return ORDER[number * 37 % len(ORDER)]
