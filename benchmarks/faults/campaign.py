"""Cases of every kind of fault, one after another, each with a seed; what came of them in one table.

Each result is written down as it comes: the same command again goes on with the cases that are not there yet.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.faults import clocks, disks, killing, losing, mutated, named, pairs, slow_files, tabled, working
from benchmarks.faults.result import Result
from benchmarks.faults.world import World, opened
from benchmarks.figures import at_most, results


def _modeled(world: World, seed: int) -> Result:
    # hypothesis is installed where the tests are
    from benchmarks.faults import model

    return model.modeled(world, seed)


#: what is done with a seed, by kind
KINDS: Mapping[str, Callable[[World, int], Result]] = {
    "kill": killing.killed,
    "two writers": pairs.paired,
    "database": losing.lost,
    "disk": disks.filled,
    "read-only": slow_files.read_only,
    "network files": slow_files.networked,
    "clock": clocks.jumped,
    "worker": working.worked,
    "hostile files": mutated.damaged,
    "tables": tabled.tabled,
    "names": named.named,
    "model": _modeled,
}
_COUNTS = ("lost", "doubled", "half", "dead")
DEFAULT = Path(".faults") / "campaign.jsonl"


def run(
    kinds: Sequence[str], seeds: Sequence[int], path: Path, minutes: float = float("inf"), fresh: bool = False
) -> list[dict[str, Any]]:
    """Runs the cases that have no result yet; returns all results of these kinds and seeds.

    Args:
        kinds: of ``KINDS``
        seeds: each kind is tried with each of them
        path: where the results are kept, one line of JSON each
        minutes: after which no further case begins
        fresh: forget earlier results
    """
    if fresh:
        path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    known = {(row["kind"], row["seed"]): row for row in results(path)}
    wanted = [(kind, seed) for seed in seeds for kind in kinds]
    pending = [case for case in wanted if case not in known]
    end = time.monotonic() + 60 * minutes
    if pending:
        start = time.monotonic()
        with opened() as world, path.open("a", encoding="utf-8") as file:
            for count, (kind, seed) in enumerate(pending):
                if time.monotonic() > end:
                    break
                if count and count % 25 == 0:
                    left = (time.monotonic() - start) / count * (len(pending) - count) / 60
                    print(
                        f"{len(wanted) - len(pending) + count} of {len(wanted)} points, {left:.0f} min left", flush=True
                    )
                row = _case(world, kind, seed)
                known[kind, seed] = row
                file.write(json.dumps(row) + "\n")
                file.flush()
                print(f"{kind:14} {seed:4}  {row['what']:44} {row['seconds']:6.1f} s  {row['note']}", flush=True)
    return [known[case] for case in wanted if case in known]


def _case(world: World, kind: str, seed: int) -> dict[str, Any]:
    start = time.monotonic()
    try:
        result = KINDS[kind](world, seed)
    except Exception as error:
        # the campaign itself must not end for a case: it is one that is dead
        result = Result(kind, dead=1, note=f"{type(error).__name__}: {str(error)[:300]}")
    return {"kind": kind, "seed": seed, **asdict(result), "seconds": round(time.monotonic() - start, 2)}


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Returns a line for each kind: cases, what was lost, doubled, half or dead, and the share of cases with any of it.

    Of 0 in n cases the share is at most 3 / n, with 95 % confidence (the rule of three).
    """
    head = [f"{name:>{len(name)}}" for name in _COUNTS]
    lines = [f"{'kind':14}  {'cases':>5}  {'  '.join(head)}  {'seconds':>7}  cases with any of it"]
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    for kind in [*kinds, "all"]:
        mine = [row for row in rows if kind in (row["kind"], "all")]
        counts = [sum(int(row[name]) for row in mine) for name in _COUNTS]
        seconds = sum(float(row["seconds"]) for row in mine)
        numbers = "  ".join(f"{count:>{len(name)}}" for count, name in zip(counts, _COUNTS, strict=True))
        bad = sum(wrong(row) for row in mine)
        lines.append(f"{kind:14}  {len(mine):5}  {numbers}  {seconds:7.0f}  {at_most(bad, len(mine))}")
    return "\n".join(lines)


def wrong(row: Mapping[str, Any]) -> bool:
    """Whether anything was lost, doubled, half or dead."""
    return any(row[name] for name in _COUNTS)


def print_campaign(
    kinds: Sequence[str],
    sample: int,
    first: int,
    minutes: float | None,
    path: Path,
    fresh: bool,
    points: int | None = None,
) -> None:
    """Runs cases and prints their table.

    Args:
        kinds: of ``KINDS``; none: all
        sample: cases of each kind
        first: the first seed
        minutes: after which no further case begins
        path: where the results are kept
        fresh: forget earlier results
        points: cases of all kinds together, instead of ``sample``

    Raises:
        SystemExit: something was lost, doubled, half or dead
    """
    chosen = list(kinds or KINDS)
    sample = sample if points is None else math.ceil(points / len(chosen))
    rows = run(chosen, range(first, first + sample), path, minutes or float("inf"), fresh)
    print(f"\n{table(rows)}\nthe results: {path}")
    bad = [row for row in rows if wrong(row)]
    for row in bad:
        again = f"python -m {__package__} campaign --kinds '{row['kind']}' --seed {row['seed']} --sample 1"
        print(f"{again} --results {path}.again --fresh  # {row['what']}: {row['note']}", file=sys.stderr)
    if bad:
        raise SystemExit(1)
