"""Small pictures for a network to learn from, read from their files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from loupe.brain.core.records import Progress, ProgressCallback
from loupe.brain.engine.map import Task, map_rows
from loupe.brain.engine.reader import Row
from loupe.brain.imaging.batches import ImageBatch

#: the sides that a network learns at: of small pictures, and of all others
SMALL, LARGE = 32, 64
#: files are read at so many times the side, at most: it is a small step then, whatever their format
_ROOM = 8
_TASK = "pixels"


def read(
    rows: Sequence[Row], side: int, report: ProgressCallback, done: int, total: int
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Returns (side * side * 3,) uint8 numbers by sample id, and why others have none.

    Each picture is brought to a square, whatever its shape: nothing of it is cut off.

    Args:
        rows: the samples
        side: of the small pictures, in pixels
        report: called after each chunk
        done, total: what was read before, and is read in all
    """
    made: dict[str, np.ndarray] = {}
    reasons: dict[str, str] = {}

    def load(_: str) -> Callable[[ImageBatch], np.ndarray]:
        from torch.nn.functional import interpolate

        def small(batch: ImageBatch) -> np.ndarray:
            scaled = interpolate(batch.pixels.float(), (side, side), mode="bilinear", antialias=True)
            levels = scaled.round().clamp(0, 255).byte().permute(0, 2, 3, 1)
            return levels.reshape(len(batch), side * side * 3).numpy()

        return small

    wanted = [replace(row, fields={}, pending=frozenset({_TASK}), keys={}) for row in rows]
    for chunk in map_rows(wanted, [Task(_TASK, load, lambda values, _: list(values), long_side=_ROOM * side)]):
        for mapped in chunk:
            if mapped.unreadable is not None or _TASK in mapped.errors:
                reasons[mapped.row.id] = f"unreadable: {mapped.unreadable or mapped.errors[_TASK]}"
            else:
                made[mapped.row.id] = mapped.values[_TASK]
        done += len(chunk)
        report(Progress(done, total, "reading pictures"))
    return made, reasons
