"""How the benchmarks print: a share never without its interval and its n, a table never without its machine."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from loupe.brain.stats.intervals import wilson


def share(hits: int, n: int) -> str:
    """Returns a share with its 95 % Wilson interval and its n.

    >>> share(3, 4)
    '0.750 [0.301, 0.954] (3/4)'
    """
    if not n:
        return "– (0)"
    low, high = (float(end) for end in wilson(hits, n))
    return f"{hits / n:.3f} [{low:.3f}, {high:.3f}] ({hits}/{n})"


def at_most(hits: int, n: int) -> str:
    """Returns a share of what should not be: of 0 hits the bound of the rule of three, 3 / n with 95 % confidence.

    >>> at_most(0, 3000), at_most(1, 4)
    ('0, at most 0.001', '0.250 [0.046, 0.699] (1/4)')
    """
    return share(hits, n) if hits or not n else f"0, at most {min(1, 3 / n):.2g}"


def rank_correlation(scores: np.ndarray, severities: np.ndarray, rng: np.random.Generator) -> str:
    """Returns Spearman's rank correlation of two (N,) arrays, with the 95 % interval of 2000 bootstrap resamples."""
    from scipy.stats import spearmanr

    resamples = [rng.integers(0, len(scores), len(scores)) for _ in range(2000)]
    low, high = np.nanpercentile([spearmanr(scores[at], severities[at])[0] for at in resamples], [2.5, 97.5])
    return f"{spearmanr(scores, severities)[0]:+.2f} [{low:+.2f}, {high:+.2f}]"


def title(text: str) -> None:
    """Prints a heading."""
    print(f"\n### {text}\n", flush=True)


def header(*names: str) -> None:
    """Prints the first two lines of a Markdown table."""
    row(*names)
    print("|" + "---|" * len(names))


def row(*cells: object) -> None:
    """Prints a line of a Markdown table."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def columns(cells: Sequence[str], widths: Sequence[int]) -> None:
    """Prints a line of a table for the terminal; the last cell may be of any width."""
    padded = [f"{cell:{width}}" for cell, width in zip(cells, widths, strict=False)]
    print(" ".join([*padded, *cells[len(widths) :]]), flush=True)


def machine() -> str:
    """Returns what the figures were measured on: processor, cores, Python and the libraries that decide the speed."""
    names = ("torch", "onnxruntime", "numpy", "Pillow", "opencv-python-headless", "fiftyone")
    libraries = ", ".join(filter(None, map(_library, names)))
    return f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, {libraries}"


def _library(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"no {name}"


def processor() -> str:
    """Returns the name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def results(path: Path) -> list[dict[str, Any]]:
    """Returns the lines of JSON in a campaign's file; one that was cut off when the campaign was killed is left out."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows
