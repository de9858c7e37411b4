"""What is kept of the files of a set to compare them with each other: hashes of bytes and pixels, and thumbnails."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from loupe.brain import likeness, matching
from loupe.brain.reader import Row, read_chunks
from loupe.brain.records import Progress, ProgressCallback


@dataclass(frozen=True)
class Contents:
    """What is known of N files.

    Attributes:
        bytes, pixels: their hashes; None for a file that cannot be read, or was deleted meanwhile
        areas: how many pixels each has; 0 for one that cannot be read
        places: where in ``thumbs`` each is; -1 for one that cannot be read
        thumbs: the thumbnails; None where only exact duplicates are wanted
        reasons: why one could not be judged, by index
    """

    bytes: list[str | None]
    pixels: list[str | None]
    areas: list[int]
    places: np.ndarray
    thumbs: likeness.Thumbnails | None
    reasons: dict[int, str]

    def kind(self, a: int, b: int) -> str:
        """Returns whether two files with equal pixels have equal ``"bytes"``, too, or just equal ``"pixels"``."""
        return "bytes" if self.bytes[a] is not None and self.bytes[a] == self.bytes[b] else "pixels"


def read(rows: Sequence[Row], near: bool, report: ProgressCallback) -> Contents:
    """Reads the files of N rows, chunk by chunk.

    Args:
        rows: the samples
        near: whether thumbnails are wanted, too
        report: called after each chunk
    """
    n = len(rows)
    index_of = {row.id: index for index, row in enumerate(rows)}
    known = Contents([None] * n, [None] * n, [0] * n, np.full(n, -1), None, {})
    parts: list[likeness.Thumbnails] = []
    order: list[int] = []
    done = 0
    for chunk in read_chunks(rows):
        for row in chunk.rows:
            if row.id in chunk.unreadable:
                known.reasons[index_of[row.id]] = f"unreadable: {chunk.unreadable[row.id]}"
        for part, batch in chunk.batches:
            for row, pixels, (width, height) in zip(part, batch.pixels.numpy(), batch.sizes, strict=True):
                index = index_of[row.id]
                with suppress(OSError):  # decoded, and gone since
                    known.bytes[index] = matching.bytes_hash(row.path)
                known.pixels[index] = matching.pixels_hash(pixels)
                known.areas[index] = width * height
                order.append(index)
            if near:
                parts.append(likeness.thumbnails(batch.pixels))
        done += len(chunk.rows)
        report(Progress(done, n, "reading"))
    known.places[order] = np.arange(len(order))
    thumbs = likeness.Thumbnails.join(parts) if parts else None
    return Contents(known.bytes, known.pixels, known.areas, known.places, thumbs, known.reasons)


def compare(
    known: Contents,
    chosen: np.ndarray,
    *,
    per_image: int,
    least: float,
    report: ProgressCallback,
    groups: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Compares pictures with their nearest others, and notes a reason for those that show too little to be compared.

    Args:
        known: with thumbnails
        chosen: (M,) indices of the pictures to compare
        per_image, least, groups: as for ``matching.candidates``; groups: (N,), of all pictures
        report: called now and then

    Returns:
        the indices of those that were compared, and for each of P candidate pairs its indices a and b and its (P,)
        float32 similarity; a pair may stand there more than once
    """
    if known.thumbs is None:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32)
    clear = likeness.has_detail(known.thumbs.luma[known.places[chosen]])
    for index in chosen[~clear]:
        known.reasons[int(index)] = "too little detail to tell it from other pictures"
    compared = chosen[clear]
    thumbs = known.thumbs[known.places[compared]]
    pairs = matching.candidates(
        thumbs.luma,
        per_image=per_image,
        least=least,
        groups=None if groups is None else groups[compared],
        step=lambda done: report(Progress(done, len(compared), "looking for candidates")),
    )
    similar = matching.similarities(
        thumbs, pairs, step=lambda done: report(Progress(done, len(pairs), "comparing candidates"))
    )
    return compared, compared[pairs.a], compared[pairs.b], similar
