"""What was learned so far, one line a mutant, so that a run that was ended goes on where it stood."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from mutants.sample import Mutant

KILLED, TIMED_OUT, SURVIVED = "killed", "timed out", "survived"
#: no run is needed, or possible, for these
EQUIVALENT, BROKEN = "equivalent", "tests fail without a mutant"


@dataclass(frozen=True)
class Result:
    """What became of one mutant.

    Attributes:
        key: the file with its content, the fault, and the contents of the file's own tests
        others: the contents of the other tests that were asked
        path, line, function, original, mutated: where it stands
        outcome: one of the above
        by: the test that noticed it
        seconds: how long that took
    """

    key: str
    path: str
    line: int
    function: str
    original: str
    mutated: str
    outcome: str
    by: str = ""
    seconds: float = 0.0
    others: str = ""


def key(root: Path, mutant: Mutant, tests: Sequence[str]) -> str:
    """Returns what a result is kept under: it is asked for again once the file or one of its own tests changes."""
    fault = mutant.fault
    return (
        f"{mutant.path} {_digest(mutant.source.encode())} {fault.operator} {fault.occurrence} {contents(root, tests)}"
    )


def contents(root: Path, tests: Sequence[str]) -> str:
    """Returns a hash of what stands in these tests."""
    return _digest(b"\0".join((root / test).read_bytes() for test in tests))


def result(mutant: Mutant, key: str, outcome: str, by: str = "", seconds: float = 0.0, others: str = "") -> Result:
    """Says what became of a mutant."""
    where = (mutant.path, mutant.fault.start[0], mutant.fault.function)
    change = mutant.change
    return Result(key, *where, change.original, change.mutated, outcome, by, round(seconds, 1), others)


class Kept:
    """The results of a file of lines; a line that was cut off is left out."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._results: dict[str, Result] = {}
        for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else ():
            try:
                kept = Result(**json.loads(line))
            except (ValueError, TypeError):
                continue
            self._results[kept.key] = kept

    def get(self, key: str, others: str) -> Result | None:
        """Returns what is known; a mutant that survived is asked about again once any test that was asked changes."""
        kept = self._results.get(key)
        return None if kept is None or (kept.outcome == SURVIVED and kept.others != others) else kept

    def add(self, kept: Result) -> None:
        self._results[kept.key] = kept
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(kept), ensure_ascii=False) + "\n")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
