"""Kinds of cases that go wrong in each way that the hostile campaign has to notice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fuzz.kinds import Kind, Outcome

_KEPT: list[Any] = []


def _fine(rng: np.random.Generator, folder: Path) -> tuple[str, Outcome, int]:
    (folder / "input.txt").write_text(str(rng.integers(100)))
    return "fine", "ok", 0


def _raises(rng: np.random.Generator, folder: Path) -> tuple[str, Outcome, int]:
    (folder / "input.txt").write_text("raises")
    raise KeyError("x")


def _crashes(rng: np.random.Generator, folder: Path) -> tuple[str, Outcome, int]:
    (folder / "input.txt").write_text("crashes")
    os.kill(os.getpid(), signal.SIGSEGV)
    return "crashes", "ok", 0


def _hangs(rng: np.random.Generator, folder: Path) -> tuple[str, Outcome, int]:
    while True:
        pass


def _holds(rng: np.random.Generator, folder: Path) -> tuple[str, Outcome, int]:
    _KEPT.append(np.ones(60 * 2**20, np.uint8))
    _KEPT.clear()
    return "holds", "ok", 20 * 2**20


def _starts(rng: np.random.Generator, folder: Path) -> tuple[str, Outcome, int]:
    subprocess.run([sys.executable, "-c", ""], check=True)
    return "starts", "ok", 0


def _evaluates(rng: np.random.Generator, folder: Path) -> tuple[str, Outcome, int]:
    eval("1 + 1")  # noqa: S307
    return "evaluates", "ok", 0


def _opens(rng: np.random.Generator, folder: Path) -> tuple[str, Outcome, int]:
    with open("/etc/hostname", "rb") as file:
        file.read()
    return "opens", "ok", 0


_WAYS = (_fine, _raises, _crashes, _hangs, _holds, _starts, _evaluates, _opens)
KINDS = {way.__name__: Kind(way, 1, 10 * 2**20) for way in _WAYS}


def kind_of(number: int) -> str:
    """Returns the kind of a case."""
    return list(KINDS)[number % len(KINDS)]
