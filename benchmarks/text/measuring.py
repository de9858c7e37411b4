"""What the text check says of pictures with their prompts."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import data
from benchmarks.batches import Scorer, batch_of
from benchmarks.text.edits import KINDS
from loupe.brain.checks.text import Text
from loupe.brain.core.strings import comparable


@dataclass(frozen=True)
class Case:
    """A picture, the prompt that it is judged by, and the kind of flaw that is in it (None: it is right)."""

    picture: Image.Image
    prompt: str
    kind: str | None = None


@dataclass(frozen=True)
class Measured:
    """What the check says of some cases.

    Attributes:
        cases: the cases
        names: of the check's outputs
        values: (cases, names) scores, NaN as unknown
        reasons: why a case is unknown
        seconds: a picture
    """

    cases: tuple[Case, ...]
    names: tuple[str, ...]
    values: np.ndarray
    reasons: tuple[str | None, ...]
    seconds: float

    def of(self, name: str) -> np.ndarray:
        """Returns the (cases,) scores of one output."""
        return self.values[:, self.names.index(name)]

    def edits(self) -> np.ndarray:
        """Returns the (cases, 4) scores of ``KINDS``."""
        return self.values[:, [self.names.index(kind) for kind in KINDS]]


def measure(scorer: Scorer, cases: Sequence[Case]) -> Measured:
    """Returns what the check says, a picture at a time."""
    names = tuple(output.name for output in Text.outputs)
    rows, reasons, start = [], [], time.perf_counter()
    for case in cases:
        scores = scorer(batch_of(case.picture, prompt=[case.prompt]))
        rows.append([float(scores[name][0]) for name in names])
        reasons += scores.reasons
    seconds = (time.perf_counter() - start) / max(1, len(cases))
    return Measured(tuple(cases), names, np.array(rows).reshape(-1, len(names)), tuple(reasons), seconds)


def print_wrong(measured: Measured) -> None:
    """Prints on stderr each case that is accused of another edit than it has, or not of the one it has."""
    for index, (case, row) in enumerate(zip(measured.cases, measured.edits(), strict=True)):
        if any((value > 0) != (kind == case.kind) for kind, value in zip(KINDS, row, strict=True)):
            reason = measured.reasons[index]
            print(f"{index}: {case.prompt} {case.kind} {row.tolist()} {reason}", file=sys.stderr)


def crops(folder: Path) -> list[tuple[Path, str]]:
    """Returns word crops with their transcripts; ``*.tags`` files in the folder have lines "picture transcript".

    Raises:
        MissingData: there are none
    """
    pairs = [
        (folder / name, transcript)
        for tags in sorted(folder.glob("*.tags"))
        for name, _, transcript in (line.strip().partition(" ") for line in tags.read_text().splitlines())
        if comparable(transcript)
    ]
    if not pairs:
        raise data.MissingData(f"expected a folder with *.tags files (6_ocr/iiit5k), got {folder}")
    return pairs


def opened(path: Path) -> Image.Image:
    """Returns the picture in a file, in RGB."""
    with Image.open(path) as picture:
        return picture.convert("RGB")
