"""Can Loupe's ``text`` gate these signs once they are prepared for its reader: larger, stretched, dark on light?"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from benchmarks.generators.sign_pools import Readers, is_right, make_pool
from loupe.brain.core import registry
from loupe.brain.engine.again import Loaded
from loupe.brain.engine.reader import Row
from loupe.brain.stats.intervals import Proportion


def _larger(pixels: np.ndarray, by: int = 4) -> np.ndarray:
    return np.asarray(cv2.resize(pixels, None, fx=by, fy=by, interpolation=cv2.INTER_CUBIC))


def _stretched(pixels: np.ndarray) -> np.ndarray:
    low, high = np.percentile(pixels, (1, 99))
    return np.clip((pixels.astype(np.float32) - low) / (high - low + 1) * 255, 0, 255).astype(np.uint8)


def _inked(pixels: np.ndarray) -> np.ndarray:
    """Dark on light, of even contrast."""
    gray = cv2.createCLAHE(2, (2, 2)).apply(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
    gray = 255 - gray if np.median(gray) < 128 else gray
    return np.repeat(np.asarray(gray)[..., None], 3, 2)


PREPARED: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "as they are": lambda pixels: pixels,
    "four times as large": _larger,
    "the same, stretched": lambda pixels: _larger(_stretched(pixels)),
    "the same, dark on light": lambda pixels: _larger(_inked(pixels)),
    "twice as large, stretched, with a margin": lambda pixels: np.asarray(
        cv2.copyMakeBorder(_larger(_stretched(pixels), 2), *(32,) * 4, cv2.BORDER_REPLICATE)
    ),
}


def print_preparation(cache: Path | None, count: int, seed: int) -> None:
    """Prints for each preparation how many right and other signs are judged, and how many of those are flagged."""
    import torch

    torch.set_num_threads(1)
    check = registry.checks()["text"]().resolved("cpu")
    target = next(output for output in check.outputs if output.failure == "text_substitution")
    threshold, loaded = target.default_threshold, Loaded([check], "cpu")
    assert threshold is not None
    head = ("signs", "surely right: judged", "of them flagged", "read otherwise: judged", "of them flagged")
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    with tempfile.TemporaryDirectory() as folder:
        pool = make_pool("usual", Readers.load(cache), count, seed, Path(folder))
        known = list(zip(pool.signs, pool.readings, pool.rows, strict=True))
        groups = (
            [row for sign, reading, row in known if is_right(sign, reading)],
            [row for sign, reading, row in known if reading.text != sign.text],
        )
        for name, prepare in PREPARED.items():
            cells = []
            for group in groups:
                rows = [_prepared(row, prepare, Path(folder)) for row in group]
                scores = [verdict.scores.get(target.name, math.nan) for verdict in loaded.verdicts(rows)]
                judged = [score for score in scores if not math.isnan(score)]
                flagged = int(np.sum(threshold.violates(np.array(judged)))) if judged else 0
                cells += [Proportion.of(len(judged), len(scores)), Proportion.of(flagged, len(judged))]
            print(f"| {' | '.join([name, *map(str, cells)])} |", flush=True)


def _prepared(row: Row, prepare: Callable[[np.ndarray], np.ndarray], folder: Path) -> Row:
    path = folder / f"prepared-{row.id}.png"
    Image.fromarray(prepare(np.asarray(Image.open(row.path).convert("RGB")))).save(path, compress_level=1)
    return Row(row.id, str(path), row.fields, frozenset({"text"}), {"text": ""})
