"""Runs a sample of mutants and says how many of them the tests notice.

    PYTHONPATH=scripts python -m mutants engine store --number 40 --seed 0

Exit status 1: a room is below its target. What is known already stands in .mutants/results.jsonl and is not asked again
until the file, or one of its tests, changes. equivalent.toml names the mutants that are no faults.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from mutants import report, sample, tree, warm
from mutants.asking import Asking, Seconds
from mutants.results import Kept, Result

ROOMS = ("core", "engine", "store", "stats", "slicing", "similarity", "checks")
ROOT = Path(__file__).resolve().parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("rooms", nargs="*", default=ROOMS, help=f"default: {' '.join(ROOMS)}")
    parser.add_argument("--number", type=int, default=40, help="mutants a room")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rest", type=float, default=30.0, help="seconds for the rest of the room's tests, a file")
    parser.add_argument("--elsewhere", type=float, default=20.0, help="seconds for the tests of other rooms, a file")
    parser.add_argument("--slow", type=float, default=60.0, help="seconds for the slow tests of a check's own files")
    parser.add_argument(
        "--patience", type=float, default=10.0, help="seconds of the processor that a run of no length may take"
    )
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    parser.add_argument("--package", default="loupe", help=argparse.SUPPRESS)
    parser.add_argument("--cold", action="store_true", help=argparse.SUPPRESS)  # nothing imported, and no database
    options = parser.parse_args(arguments)
    # an end from outside is an end in order: mongod and the copy go, too
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))
    root = options.root.resolve()
    named = sample.equivalents(root / "scripts" / "mutants" / "equivalent.toml")
    kept = Kept(root / ".mutants" / "results.jsonl")
    rooms: dict[str, list[Result]] = {}
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mutants-")))
        project = tree.copy(root, folder, options.package)
        warm.put_on_path(project)
        if not options.cold:
            stack.enter_context(warm.database(project, folder / "home"))
            warm.import_all()
        allowed = Seconds(options.rest, options.elsewhere, options.slow, options.patience)
        asking = Asking(project, folder / "run", kept, named, allowed)
        for room in options.rooms:
            rooms[room] = []
            for mutant in sample.draw(project, room, options.number, options.seed):
                began = time.monotonic()
                rooms[room].append(asking.ask(room, mutant))
                _say(room, rooms[room], time.monotonic() - began)
            for name in sample.stale(project, named, sample.files_of(project, room)):
                print(f"equivalent.toml: no such mutant any more: {name}")
    print()
    for room, results in rooms.items():
        print("\n".join([f"## {room}", "", *report.survivors(results)]))
    print("\n".join(report.table(rooms)))
    return int(any(report.fails(room, results) for room, results in rooms.items()))


def _say(room: str, results: Sequence[Result], seconds: float) -> None:
    last = results[-1]
    print(f"{room} {len(results):3} {seconds:5.1f} s  {last.outcome:9}  {last.path}:{last.line}  {last.by}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
