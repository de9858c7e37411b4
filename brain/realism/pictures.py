"""Spectrum and texture of many pictures, read from their files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from loupe.brain.core.records import Progress, ProgressCallback
from loupe.brain.engine.map import Task, by_picture, map_rows
from loupe.brain.engine.reader import Row
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.imaging.luma import luma
from loupe.brain.imaging.shown_size import shown_size
from loupe.brain.realism.spectra import MAX_SIDE, Spectrum, spectrum, square
from loupe.brain.realism.texture import Texture, texture

#: pictures of a side that are read: a distribution of so many is known well enough
MAX_PICTURES = 2000
#: pictures below this share of all that are smaller than the common side are left out
_SMALL = 0.05
_TASK = "spectrum"


@dataclass(frozen=True, eq=False)
class Pictured:
    """A picture's spectrum, None of a flat one, and its texture."""

    spectrum: Spectrum | None
    texture: Texture


def common_side(paths: Sequence[str]) -> int:
    """Returns the side that pictures are brought to: the shorter side that nearly all of them have, at most 256 px."""
    shorts = [min(size) for path in paths if (size := shown_size(path)) is not None]
    if not shorts:
        return MAX_SIDE
    return int(min(MAX_SIDE, np.quantile(shorts, _SMALL, method="lower")))


def read(
    rows: Sequence[Row], side: int, report: ProgressCallback, done: int, total: int
) -> tuple[dict[str, Pictured], dict[str, str]]:
    """Returns spectrum and texture by sample id, and why others have none. Files are read at their own resolution.

    Args:
        rows: the samples
        side: that the pictures are brought to; a smaller one has no spectrum
        report: called after each chunk
        done, total: what was read before, and is read in all
    """
    made: dict[str, Pictured] = {}
    reasons: dict[str, str] = {}

    def load(_: str) -> Callable[[ImageBatch], list[Pictured | None]]:
        return lambda batch: [_pictured(each, side) for each in luma(batch.pixels).numpy() / 255]

    wanted = [replace(row, fields={}, pending=frozenset({_TASK}), keys={}) for row in rows]
    for chunk in map_rows(wanted, [Task(_TASK, load, by_picture)]):
        for mapped in chunk:
            value = mapped.values.get(_TASK)
            if mapped.unreadable is not None or _TASK in mapped.errors:
                reasons[mapped.row.id] = f"unreadable: {mapped.unreadable or mapped.errors[_TASK]}"
            elif value is None:
                reasons[mapped.row.id] = f"smaller than {side} px"
            else:
                made[mapped.row.id] = value
        done += len(chunk)
        report(Progress(done, total, "reading spectra"))
    return made, reasons


def _pictured(levels: np.ndarray, side: int) -> Pictured | None:
    cut = square(levels, side)
    return None if len(cut) < max(side, 3) else Pictured(spectrum(cut), texture(cut))
