"""Counts the mutants of each room, and shows those that no test noticed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from mutants.results import BROKEN, EQUIVALENT, KILLED, SURVIVED, TIMED_OUT, Result

#: the share of the mutants, without the equivalent ones, that the tests of a room are to notice
TARGETS = {"engine": 0.85, "store": 0.85, "stats": 0.85, "slicing": 0.85}
OTHER_TARGET = 0.75
_Z = 1.959964  # 95 %


def share(results: Sequence[Result]) -> tuple[int, int]:
    """Returns how many were noticed, and of how many; a mutant that makes the tests hang is noticed."""
    counts = Counter(result.outcome for result in results)
    noticed = counts[KILLED] + counts[TIMED_OUT]
    return noticed, noticed + counts[SURVIVED]


def wilson(part: int, whole: int) -> tuple[float, float]:
    """Returns Wilson's 95 % interval of a share."""
    if whole == 0:
        return 0.0, 1.0
    z2 = _Z * _Z
    middle = (part + z2 / 2) / (whole + z2)
    half = _Z / (whole + z2) * math.sqrt(part * (whole - part) / whole + z2 / 4)
    return max(0.0, middle - half), min(1.0, middle + half)


def fails(room: str, results: Sequence[Result]) -> bool:
    """Whether a room is below its target, or could not be asked."""
    noticed, whole = share(results)
    below = noticed < TARGETS.get(room, OTHER_TARGET) * whole
    return below or any(result.outcome == BROKEN for result in results)


def table(rooms: Mapping[str, Sequence[Result]]) -> Iterator[str]:
    """Gives the lines of a table in Markdown, a room a line."""
    yield "| room | mutants | equivalent | killed | timed out | survived | share (95 % interval) | target |"
    yield "|---|---:|---:|---:|---:|---:|---|---:|"
    for room, results in rooms.items():
        counts = Counter(result.outcome for result in results)
        columns = " | ".join(str(counts[name]) for name in (EQUIVALENT, KILLED, TIMED_OUT, SURVIVED))
        noticed, whole = share(results)
        low, high = wilson(noticed, whole)
        figure = f"{noticed / whole:.0%} ({low:.0%} to {high:.0%})" if whole else "unknown"
        yield f"| {room} | {len(results)} | {columns} | {figure} | {TARGETS.get(room, OTHER_TARGET):.0%} |"


def survivors(results: Sequence[Result]) -> Iterator[str]:
    """Gives the lines that show each mutant that survived, by file."""
    for result in sorted(results, key=lambda result: (result.path, result.line)):
        if result.outcome == SURVIVED:
            yield f"{result.path}:{result.line}" + (f"  in {result.function}" if result.function else "")
            yield from (f"  - {line}" for line in result.original.splitlines())
            yield from (f"  + {line}" for line in result.mutated.splitlines())
            yield ""
    for path in sorted({result.path for result in results if result.outcome == BROKEN}):
        yield f"{path}: its tests fail without a mutant, or there are none; nothing is known of it"
