"""Draws the mutants of a room by a seed.

Places are drawn, not mutants, so that a line that can go wrong in many ways counts no more than any other; at each
place one of its faults is drawn. A place is known by its file, function and line of text, not by its number: an edit
elsewhere in the room leaves the rest of the sample as it was, and a larger sample begins with the smaller one.
"""

from __future__ import annotations

import random
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mutants.faults import Change, Fault, change, faults

#: what an entry of equivalent.toml is known by: file, function, line before, line after
Name = tuple[str, str, str, str]


@dataclass(frozen=True)
class Mutant:
    """One fault in one file.

    Attributes:
        path: the file, relative to the project
        source: its text before
    """

    path: str
    source: str
    fault: Fault
    change: Change

    @property
    def name(self) -> Name:
        return self.path, self.fault.function, self.change.original, self.change.mutated


def files_of(root: Path, room: str) -> list[str]:
    """Returns the files of a room: a folder or a file of brain/, or of the project itself."""
    for folder in (root / "brain" / room, root / room):
        if folder.is_dir():
            return sorted(path.relative_to(root).as_posix() for path in folder.rglob("*.py"))
        if folder.with_suffix(".py").is_file():
            return [folder.with_suffix(".py").relative_to(root).as_posix()]
    raise SystemExit(f"no room {room!r}: expected a folder or a file of brain/, or of {root}")


def draw(root: Path, room: str, number: int, seed: int) -> list[Mutant]:
    """Returns as many mutants of a room as asked for, or all places' where there are fewer."""
    places = [place for path in files_of(root, room) for place in _places(root, path)]
    ranked = sorted(
        (
            (random.Random(f"{seed}\n" + "\n".join(known_by)), known_by, source, ways)
            for known_by, source, ways in places
        ),
        key=lambda entry: (entry[0].random(), entry[1]),
    )
    drawn: list[Mutant] = []
    for rng, (path, *_), source, ways in ranked:
        if len(drawn) == number:
            break
        rng.shuffle(ways)
        made = ((fault, change(source, fault)) for fault in ways)
        drawn += next(([Mutant(path, source, fault, result)] for fault, result in made if result is not None), [])
    return drawn


def _places(root: Path, path: str) -> Iterator[tuple[tuple[str, ...], str, list[Fault]]]:
    source = (root / path).read_text(encoding="utf-8")
    lines = source.splitlines()
    by_place: dict[tuple[int, int], list[Fault]] = defaultdict(list)
    for fault in faults(source):
        by_place[fault.start].append(fault)
    seen: Counter[tuple[str, ...]] = Counter()
    for start, ways in by_place.items():
        text = (path, ways[0].function, lines[start[0] - 1].strip())
        seen[text] += 1
        yield (*text, str(seen[text])), source, ways


def equivalents(file: Path) -> dict[Name, str]:
    """Reads the mutants that a person judged to be no fault at all, each with the reason."""
    if not file.is_file():
        return {}
    with file.open("rb") as opened:
        entries = tomllib.load(opened).get("mutant", [])
    return {(entry["file"], entry["function"], entry["line"], entry["mutated"]): entry["reason"] for entry in entries}


def stale(root: Path, named: Iterable[Name], files: Iterable[str]) -> list[Name]:
    """Returns the entries about these files that no fault makes any more."""
    among = set(files)
    left = {name for name in named if name[0] in among}
    for path in {name[0] for name in left}:
        source = (root / path).read_text(encoding="utf-8")
        functions = {name[1] for name in left if name[0] == path}
        for fault in faults(source):
            if fault.function in functions and (made := change(source, fault)):
                left.discard((path, fault.function, made.original, made.mutated))
    return sorted(left)
