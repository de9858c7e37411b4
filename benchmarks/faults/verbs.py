"""The verbs that the campaign disturbs: what each needs, how it is called, and what it comes to undisturbed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.faults.world import Child, World, dataset, doubled, pictures, state

SAMPLES, PROMPTS = 160, 60
#: what some verbs need to have run before
_BEFORE: dict[str, dict[str, Any]] = {"flag": {"checks": ["exposure", "sharpness", "size"], "batch_size": 16}}
#: thresholds that flag about half
_THRESHOLDS = {"dark": ["<", 0.9], "blur": ["<", 4.0], "low_contrast": ["<", 0.9]}


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


VERBS = ("check", "generate", "embed", "find_duplicates", "flag")


@contextmanager
def job(world: World, verb: str) -> Iterator[Job]:
    """Gives a verb with a dataset that has what it needs."""
    paths = [] if verb == "generate" else _pictures(world)
    with dataset(paths) as made:
        if verb in _BEFORE:
            done = world.start("check", dataset=made.name, **_BEFORE[verb]).wait()
            assert done is not None, "the check before it ended"
            assert done["ok"], done
        yield Job(verb, made, _arguments(world, verb))


def _pictures(world: World) -> list[Path]:
    folder = world.folder / "pictures"
    return sorted(folder.iterdir()) if folder.is_dir() else pictures(folder, SAMPLES)


def _arguments(world: World, verb: str) -> dict[str, Any]:
    if verb == "generate":
        return {"folder": str(world.place()), "prompts": PROMPTS}
    if verb == "flag":
        return {"thresholds": _THRESHOLDS}
    if verb == "check":
        return {"checks": ["file", "exposure", "sharpness", "size", "grayscale", "information"]}
    return {}


def writes(world: World, verb: str) -> int:
    """Returns how often a verb writes to the database when nothing happens."""
    undisturbed(world, verb)
    count: int = world.known(f"writes of {verb}", lambda: 0)
    return count


def undisturbed(world: World, verb: str) -> tuple[dict[str, Any], float]:
    """Returns what a verb comes to when nothing happens, and how long it takes.

    Raises:
        SystemExit: it fails undisturbed
    """

    def run() -> tuple[dict[str, Any], float]:
        with job(world, verb) as ready:
            start = time.monotonic()
            child = ready.start(world)
            made = child.wait()
            seconds = time.monotonic() - start
            if made is None or not made["ok"] or doubled(ready.made):
                raise SystemExit(f"{verb} fails undisturbed: {made}, {child.log()[-2000:]}")
            world.known(f"writes of {verb}", lambda: made["writes"])
            ready.made.reload()
            return state(ready.made), seconds

    reference: tuple[dict[str, Any], float] = world.known(verb, run)
    return reference
