"""The verbs that the campaign disturbs: what each needs, how it is called, and what it comes to undisturbed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.faults.lines import LINES, Line
from benchmarks.faults.world import Child, World, dataset, doubled, labeled, pictures, state

#: what ``generate`` draws
PROMPTS: int = LINES["generate"].given["prompts"]
VERBS = tuple(LINES)


@dataclass
class Job:
    """A verb on a dataset.

    Attributes:
        verb: its name
        made: the dataset
        given: the verb's arguments
    """

    verb: str
    made: Any
    given: dict[str, Any] = field(default_factory=dict)

    def start(self, world: World, **others: Any) -> Child:
        """Forks a process that runs it."""
        return world.start(self.verb, dataset=self.made.name, **self.given, **others)


@contextmanager
def job(world: World, verb: str) -> Iterator[Job]:
    """Gives a verb with a dataset that has what it needs."""
    line, place = LINES[verb], world.place()
    paths = _pictures(world, line)
    with dataset(paths[: line.samples]) as made:
        labeled(made)
        for name, given in line.before:
            done = world.start(name, dataset=made.name, **_own(given, place, paths)).wait()
            assert done is not None, f"{name} before {verb} ended"
            assert done["ok"], (name, done)
        made.reload()
        yield Job(verb, made, _own(line.given, place, paths))


def _pictures(world: World, line: Line) -> list[Path]:
    folder = world.folder / ("dark" if line.dark else "pictures")
    return sorted(folder.iterdir()) if folder.is_dir() else pictures(folder, 160, dark=line.dark)


def _own(given: Mapping[str, Any], place: Path, paths: list[Path]) -> dict[str, Any]:
    """Returns arguments with the case's own folders."""
    folders = {"FOLDER": str(place), "PICTURES": str(paths[0].parent)}
    return {name: folders.get(value, value) if isinstance(value, str) else value for name, value in given.items()}


def writes(world: World, verb: str) -> int:
    """Returns how often a verb writes to the database when nothing happens."""
    undisturbed(world, verb)
    count: int = world.known(f"writes of {verb}", lambda: 0)
    return count


def fields(world: World, verb: str) -> list[str]:
    """Returns the fields of samples that a verb writes when nothing happens."""
    undisturbed(world, verb)
    names: list[str] = world.known(f"fields of {verb}", list)
    return names


def undisturbed(world: World, verb: str) -> tuple[dict[str, Any], float]:
    """Returns what a verb comes to when nothing happens, and how long it takes.

    Raises:
        SystemExit: it fails undisturbed
    """

    def run() -> tuple[dict[str, Any], float]:
        with job(world, verb) as ready:
            before = state(ready.made)
            start = time.monotonic()
            child = ready.start(world)
            made = child.wait()
            seconds = time.monotonic() - start
            if made is None or not made["ok"] or doubled(ready.made):
                raise SystemExit(f"{verb} fails undisturbed: {made}, {child.log()[-2000:]}")
            world.known(f"writes of {verb}", lambda: made["writes"])
            ready.made.reload()
            after = state(ready.made)
            world.known(f"fields of {verb}", lambda: _changed(before, after))
            return after, seconds

    reference: tuple[dict[str, Any], float] = world.known(verb, run)
    return reference


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    names: set[str] = set()
    for file in after.keys() - {"the dataset"}:
        facts, old = after[file], before.get(file, {})
        if isinstance(facts, dict) and isinstance(old, dict):
            names |= {name for name in facts if facts[name] != old.get(name)}
    # what a verb reads may not be made again where the user deletes it
    own = {"tags", "metadata", "ground_truth", "vectors", *({"prompt"} if len(before) > 1 else ())}
    return sorted(name for name in names - own if not name.startswith("_"))
