"""Blocks of cases, one after another; what came of them in one table. The same command goes on where it was ended."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import figures
from benchmarks.fuzz import pool

#: cases of a block: what is tried again where the command is killed
BLOCK = 100
DEFAULT = Path(".faults") / "fuzz"
_COUNTED = ("ok", "refused", "crashed", "hung", "memory", "other")


def run(seed: int, number: int, folder: Path, workers: int, minutes: float = float("inf")) -> list[dict[str, Any]]:
    """Tries the cases that have no result yet; returns a row for each block.

    Args:
        seed: of all cases
        number: how many cases; rounded up to whole blocks
        folder: where results and inputs that something is wrong with are kept
        workers: processes
        minutes: after which no further case begins
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"seed-{seed}.jsonl"
    known = {row["first"]: row for row in figures.results(path)}
    wanted = list(range(0, number, BLOCK))
    pending = [first for first in wanted if first not in known]
    start, end = time.monotonic(), time.monotonic() + 60 * minutes
    if pending:
        with tempfile.TemporaryDirectory(prefix="fuzz-", ignore_cleanup_errors=True) as name, path.open("a") as file:
            blocks = [(first, first + BLOCK) for first in pending]
            tries = pool.tried(seed, blocks, workers, Path(name), folder / "wrong")
            for count, (first, rows) in enumerate(tries, 1):
                known[first] = _summed(first, rows)
                file.write(json.dumps(known[first]) + "\n")
                file.flush()
                for row in known[first]["wrong"]:
                    print(f"case {row['case']} ({row['of']}): {row['wrong']}", flush=True)
                _tell(count, len(pending), time.monotonic() - start)
                if time.monotonic() > end:
                    break
            tries.close()  # type: ignore[attr-defined]
    return [known[first] for first in wanted if first in known]


def _tell(done: int, total: int, seconds: float) -> None:
    if done % 20 == 0 or done == total:
        left = seconds / done * (total - done) / 60
        rate = done * BLOCK / seconds
        print(f"{done * BLOCK:,} of {total * BLOCK:,} cases, {rate:.0f} a second, {left:.0f} min left", flush=True)


def _summed(first: int, rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    counts: dict[str, Counter[str]] = {}
    slowest, largest, wrong = 0.0, 0, []
    for row in rows:
        counts.setdefault(row["of"], Counter())[_came(row)] += 1
        slowest, largest = max(slowest, row["s"]), max(largest, row["mib"])
        if row["came"] == "wrong":
            wrong.append({name: row[name] for name in ("case", "of", "wrong")})
    return {"first": first, "counts": counts, "slowest": slowest, "largest": largest, "wrong": wrong}


def _came(row: Mapping[str, Any]) -> str:
    if row["came"] != "wrong":
        return str(row["came"])
    word = str(row["wrong"]).partition(":")[0]
    return word if word in _COUNTED else "other"


def print_table(rows: Sequence[Mapping[str, Any]]) -> int:
    """Prints a line for each format; returns how many cases something is wrong with."""
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        for of, each in row["counts"].items():
            counts.setdefault(of, Counter()).update(each)
    every = Counter[str]()
    for each in counts.values():
        every.update(each)
    figures.title("Hostile input, by what it is of")
    figures.header(
        "of", "cases", "taken", "refused, clearly", "crashed", "hung", "over memory", "other", "wrong, 95 % interval"
    )
    for of in [*sorted(counts), "all"]:
        mine = every if of == "all" else counts[of]
        total, bad = mine.total(), mine.total() - mine["ok"] - mine["refused"]
        figures.row(of, f"{total:,}", *(f"{mine[name]:,}" for name in _COUNTED), figures.at_most(bad, total))
    slowest, largest = max(row["slowest"] for row in rows), max(row["largest"] for row in rows)
    print(f"\nthe slowest took {slowest:.1f} s of processor time; the most that a case held is {largest:,} MiB")
    return every.total() - every["ok"] - every["refused"]


def print_campaign(seed: int, number: int, folder: Path, workers: int | None, minutes: float | None) -> None:
    """Tries cases and prints their table.

    Raises:
        SystemExit: something is wrong with a case
    """
    rows = run(seed, number, folder, workers or max(1, (os.cpu_count() or 2)), minutes or float("inf"))
    if not rows:
        print("no case was tried")
        return
    wrong = print_table(rows)
    if wrong:
        for each in (each for row in rows for each in row["wrong"]):
            print(
                f"python -m {__package__} one --seed {seed} {each['case']}  # {each['of']}: {each['wrong']}",
                file=sys.stderr,
            )
        raise SystemExit(1)
