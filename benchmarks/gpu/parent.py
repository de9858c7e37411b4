"""Runs the parts, each in a process of its own, and relays their rows as they come."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.gpu.parts import PARTS
from benchmarks.gpu.report import MARK

Row = dict[str, Any]
_ROOT = Path(__file__).resolve().parents[2]
#: what a part is run by
COMMAND = (sys.executable, "-m", "benchmarks.gpu")
#: seconds more than its budget that a part has to end by itself
_GRACE = 5.0
_WIDTHS = (10, 44, 12)


def run_all(names: Sequence[str], given: argparse.Namespace) -> int:
    """Runs the parts, prints their rows, and returns 1 where one failed.

    Args:
        names: of the parts
        given: the command's arguments
    """
    started = time.monotonic()
    rows: list[Row] = []
    for name in names:
        left = given.total - (time.monotonic() - started)
        budget = min(PARTS[name].budget, left - _GRACE)
        print(f"\n{name}: {PARTS[name].what}", flush=True)
        for row in run_one(name, budget, given) if budget > 0 else [_note(name, "left out: the time was over")]:
            rows.append(row)
            print(as_text(row), flush=True)
            if given.json:
                _write(given.json, rows)
    failed = [row for row in rows if row["note"].startswith("failed")]
    print(f"\n{len(rows)} rows, {len(failed)} failed; {time.monotonic() - started:.0f} s", flush=True)
    return 1 if failed else 0


def run_one(name: str, budget: float, given: argparse.Namespace) -> Iterator[Row]:
    """Yields the rows of a part as they come, and a last one where it did not end well or printed nothing.

    Args:
        name: of the part
        budget: seconds after which it is ended
        given: the command's arguments
    """
    command = [*COMMAND, "--part", name, "--total", str(budget), "--device", given.device]
    command += ["--carried", str(given.carried), *(["--small"] if given.small else [])]
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True
        )
        late = threading.Event()

        def end() -> None:
            late.set()
            _kill(process)

        timer = threading.Timer(budget + _GRACE, end)
        timer.start()
        count = 0
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith(MARK):
                    count += 1
                    yield json.loads(line.removeprefix(MARK))
            process.wait()
        finally:
            timer.cancel()
            _kill(process)
            process.wait()
        errors.seek(0)
        last = (errors.read().strip().splitlines() or ["no message"])[-1][:300]
    if late.is_set():
        yield _note(name, f"failed: it took longer than {budget:.0f} s and was ended; what it printed stands")
    elif process.returncode:
        yield _note(name, f"failed: the process ended with {process.returncode}: {last}")
    elif not count:
        yield _note(name, "failed: it printed nothing")


def _kill(process: subprocess.Popen[str]) -> None:
    """Ends a part and what it has started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        process.kill()


def _note(name: str, note: str) -> Row:
    return {"part": name, "name": name, "value": None, "unit": "", "note": note}


def as_text(row: Row) -> str:
    """Returns a row as a line of a table."""
    value = "–" if row["value"] is None else str(row["value"])
    cells = (row["part"], row["name"], value)
    padded = " ".join(f"{cell:{width}}" for cell, width in zip(cells, _WIDTHS, strict=True))
    return f"{padded} {row['unit']}{'; ' if row['unit'] and row['note'] else ''}{row['note']}".rstrip()


def _write(path: Path, rows: Sequence[Row]) -> None:
    """Writes all rows so far; whoever reads the file finds it whole."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(json.dumps({"rows": rows}, indent=1) + "\n", encoding="utf-8")
    beside.replace(path)
