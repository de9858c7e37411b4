"""What is kept of the objects of pictures to compare them with each other, and the boxes that lie on one object.

The crop of each object is a picture of its own: its thumbnail is compared as those of pictures are, and so is that of
its middle. A copy that was cut out and pasted onto another background is the same in its middle alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from loupe.brain.core.errors import ReadError
from loupe.brain.core.records import Progress, ProgressCallback
from loupe.brain.engine.crops import OBJECTS, Region, crops_of, no_box, places
from loupe.brain.engine.map import Mapped, Task, by_picture, map_rows
from loupe.brain.engine.reader import Row
from loupe.brain.engine.reader import read as read_file
from loupe.brain.imaging import boxes
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.similarity import close_look, matching, thumbnail_similarity
from loupe.brain.similarity.fingerprints import Contents, Fingerprint
from loupe.brain.similarity.previews import Previews, preview
from loupe.brain.similarity.thumbnail_similarity import SIDE, Thumbnails

TASK = "fingerprint"
#: raised when a fingerprint of the same crop would be another one
VERSION = 1
#: pixels along the short side of a crop: below the first nothing can be told, see docs/objects.md for the figures
MIN_SIDE = 16
#: below that, or with one side more than three times the other, the middle alone is not compared
MIN_SIDE_OF_MIDDLE, MAX_ASPECT_OF_MIDDLE = 24, 3.0
#: the side of the middle as a share of the crop's: about the square in the ellipse of an object that fills its box
MIDDLE = 0.72
#: the IoU with an earlier box of the same picture from which on it is a second label of one object; and that from which
#: on two boxes have so much in common that they look alike for that
SECOND_LABEL, SHARED = 0.8, 0.3
_HEAD, _LUMA, _CHROMA = 24, SIDE * SIDE, 2 * 16 * 16
#: bytes of an object
WIDTH = _HEAD + _LUMA + _CHROMA
_PICTURES_HELD = 4


@dataclass(frozen=True, eq=False)
class Objects:
    """M objects of N pictures, those of a picture one after the other.

    Attributes:
        regions: M
        owners: (M,) int64: the picture of each
        sizes: (M, 2) int64: width and height of each crop in pixels; 0 where there is none
        packed: (M, WIDTH) uint8: what is kept of each crop
        reasons: why one has not been compared, by its place
        second: (M,) int64: the earlier object of the same picture whose box it shares; -1: none
        overlap: (M,) float32: the highest IoU with another box of its picture, 0 for none; NaN where it has no box
        shared: two arrays of places: boxes of one picture that have much in common
        paths: of the N pictures
        messages: what is to be known of how they were compared
        not_now: why the files of some pictures cannot be read for the moment, by the row's id: what is stored of them
            stays as it is
    """

    regions: Sequence[Region]
    owners: np.ndarray
    sizes: np.ndarray
    packed: np.ndarray
    reasons: dict[int, str]
    second: np.ndarray
    overlap: np.ndarray
    shared: tuple[np.ndarray, np.ndarray]
    paths: Sequence[str]
    messages: list[str] = field(default_factory=list)
    not_now: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Sequence[Row], prints: Mapping[str, np.ndarray], unreadable: Mapping[str, str]) -> Objects:
        """Returns the objects of some pictures.

        Args:
            rows: with their regions
            prints: (m, WIDTH) uint8 by the row's id; a row that is in neither has not been read
            unreadable: why a row has none, by its id
        """
        regions = [region for row in rows for region in row.fields[OBJECTS]]
        counts = [len(row.fields[OBJECTS]) for row in rows]
        owners = np.repeat(np.arange(len(rows)), counts)
        packed = np.zeros((len(regions), WIDTH), np.uint8)
        reasons: dict[int, str] = {}
        start = 0
        for row, count in zip(rows, counts, strict=True):
            if row.id in prints:
                packed[start : start + count] = prints[row.id]
            else:
                reasons |= dict.fromkeys(range(start, start + count), unreadable.get(row.id, "not read"))
            start += count
        sizes = packed[:, 16:_HEAD].copy().view("<u4").astype(np.int64)
        second, overlap, shared = overlaps(regions, owners)
        made = cls(regions, owners, sizes, packed, reasons, second, overlap, shared, [row.path for row in rows])
        made._note_reasons()
        return made

    def _note_reasons(self) -> None:
        short = self.sizes.min(1, initial=1 << 30)
        for at, region in enumerate(self.regions):
            if (why := no_box(region.bounds)) is not None:
                self.reasons[at] = why
            elif at in self.reasons:
                continue
            elif short[at] < MIN_SIDE:
                self.reasons[at] = f"too small to compare it: less than {MIN_SIDE} pixels along the short side"
            elif self.second[at] >= 0:
                self.reasons[at] = "a second label of one object: its box lies on another one's"

    def contents(self) -> Contents:
        """Returns the crops as pictures that can be compared; those with a reason are left out."""
        luma, chroma = self._thumbnails()
        clear = thumbnail_similarity.has_detail(luma)
        for at in np.flatnonzero(~clear).tolist():
            # also where it has an equal one: plain crops are equal by chance
            self.reasons.setdefault(at, "too little detail to tell it from other objects")
        return self._contents(luma, chroma, np.array([at not in self.reasons for at in range(len(luma))]), 1.0)

    def middles(self, only: np.ndarray | None = None) -> Contents:
        """Returns the middles of the crops as pictures, of those whose middle tells enough.

        Args:
            only: (M,) bool: of these alone
        """
        short, long = self.sizes.min(1, initial=1 << 30), self.sizes.max(1, initial=1)
        fits = (short >= MIN_SIDE_OF_MIDDLE) & (long <= MAX_ASPECT_OF_MIDDLE * np.maximum(short, 1))
        fits &= np.array([at not in self.reasons for at in range(len(fits))], dtype=bool)
        fits &= True if only is None else only
        luma, chroma = self._thumbnails()
        of_middles = np.zeros(luma.shape, np.uint8), np.zeros(chroma.shape, np.int8)
        for at in np.flatnonzero(fits).tolist():
            of_middles[0][at], of_middles[1][at] = _middle(luma[at]), np.stack([_middle(part) for part in chroma[at]])
        return self._contents(*of_middles, fits, MIDDLE)

    def _thumbnails(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns (M, 64, 64) uint8 and (M, 2, 16, 16) int8; nothing is copied."""
        luma = self.packed[:, _HEAD : _HEAD + _LUMA].reshape(-1, SIDE, SIDE)
        return luma, self.packed[:, _HEAD + _LUMA :].view(np.int8).reshape(-1, 2, 16, 16)

    def _contents(self, luma: np.ndarray, chroma: np.ndarray, kept: np.ndarray, share: float) -> Contents:
        hashes = [bytes(head) for head in self.packed[:, :16]]
        areas = self.sizes.prod(1).tolist()
        prints = [
            Fingerprint(None, hashes[at].hex(), areas[at], luma[at], chroma[at]) if use else None
            for at, use in enumerate(kept.tolist())
        ]
        pictures = Previews(lambda at: _pixels(self.paths[at]), _PICTURES_HELD)
        previews = Previews(lambda at: self._preview(at, pictures, share))
        # all thumbnails stay where they are: one that is left out is never looked up
        return Contents(
            prints,
            np.where(kept, np.arange(len(kept)), -1),
            Thumbnails(luma, chroma),
            {},
            previews,
            self.messages,
            "objects",
        )

    def _preview(self, at: int, pictures: Previews, share: float) -> np.ndarray | None:
        """Returns the crop, or its middle; None where it has so few pixels that its thumbnail shows as much."""
        if share * self.sizes[at].min() < close_look.MIN_SIDE:
            return None
        pixels = pictures[int(self.owners[at])]
        corners = None if pixels is None else places(self.regions[at].bounds, pixels.shape[1], pixels.shape[0])
        if pixels is None or corners is None:
            return None
        left, top, right, bottom = corners
        across, down = round((right - left) * (1 - share) / 2), round((bottom - top) * (1 - share) / 2)
        return preview(pixels[top + down : bottom - down, left + across : right - across])


def _middle(plane: np.ndarray) -> np.ndarray:
    import cv2

    side = len(plane)
    edge = round(side * (1 - MIDDLE) / 2)
    part = plane[edge : side - edge, edge : side - edge]
    made = cv2.resize(part.astype(np.float32), (side, side), interpolation=cv2.INTER_LINEAR)
    return np.round(made).astype(plane.dtype)


def _pixels(path: str) -> np.ndarray | None:
    try:
        return read_file(path).pixels
    except ReadError:
        return None


def overlaps(
    regions: Sequence[Region], owners: np.ndarray
) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Returns ``Objects.second``, ``overlap`` and ``shared``: what the boxes of each picture have in common."""
    n = len(regions)
    bounds = np.full((n, 4), np.nan)
    for at, region in enumerate(regions):
        if no_box(region.bounds) is None:
            bounds[at] = boxes.corners(tuple(region.bounds), 1, 1)  # type: ignore[arg-type]
    second, overlap = np.full(n, -1, np.int64), np.full(n, np.nan, np.float32)
    first_of, others_of = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    has_box = np.flatnonzero(np.isfinite(bounds[:, 0]))
    starts = np.flatnonzero(np.diff(owners[has_box], prepend=-1))
    for own in np.split(has_box, starts[1:]) if len(has_box) else []:
        overlap[own] = 0.0
        for at in range(1, len(own)):
            ious = boxes.ious(bounds[own[at]], bounds[own[:at]])
            overlap[own[at]] = max(overlap[own[at]], ious.max())
            np.maximum.at(overlap, own[:at], ious.astype(np.float32))
            # of those that stand for themselves
            on = np.flatnonzero((ious >= SECOND_LABEL) & (second[own[:at]] < 0))
            if len(on):
                second[own[at]] = own[on[0]]
            near = own[:at][ious >= SHARED]
            first_of.append(near)
            others_of.append(np.full(len(near), own[at]))
    return second, overlap, (np.concatenate(first_of), np.concatenate(others_of))


def _packing(_: str) -> Callable[[ImageBatch], list[np.ndarray]]:
    return packed_of


def packed_of(batch: ImageBatch) -> list[np.ndarray]:
    """Returns what is kept of the objects of each picture of a batch: (m, WIDTH) uint8; zeros where there is no box.

    Args:
        batch: pictures, with their regions in ``fields["objects"]``
    """
    made = [np.zeros((len(regions), WIDTH), np.uint8) for regions in batch.fields[OBJECTS]]
    for keys, parts in crops_of(batch, previews=False):
        waiting = iter(keys)
        for part in parts:
            assert isinstance(part, ImageBatch)
            thumbs = thumbnail_similarity.thumbnails(part.pixels)
            for at, pixels in enumerate(part.pixels.cpu().numpy()):
                picture, place = next(waiting)
                head = bytes.fromhex(matching.pixels_hash(pixels)) + np.array(part.sizes[at], "<u4").tobytes()
                row = np.frombuffer(head, np.uint8), thumbs.luma[at].ravel(), thumbs.chroma[at].ravel().view(np.uint8)
                made[picture][place] = np.concatenate(row)
    return made


def read(
    rows: Sequence[Row],
    report: ProgressCallback,
    stored: Mapping[str, np.ndarray] | None = None,
    keep: Callable[[Sequence[Row], Mapping[str, np.ndarray]], None] = lambda *_: None,
    *,
    engine: str = "local",
) -> Objects:
    """Reads the objects of pictures, chunk by chunk: each file is decoded once for all of its objects.

    Args:
        rows: pictures with their objects, a tuple of ``Region`` in ``fields["objects"]``
        report: called after each chunk
        stored: what is known already, by the row's id: these files are not read
        keep: called with the rows of each chunk that was read, and what is to be kept of them
        engine: as for ``map_rows``
    """
    prints: dict[str, np.ndarray] = dict(stored or {})
    reasons: dict[str, str] = {}
    done = len(rows)
    waiting = [row for row in rows if row.id not in prints]
    done -= len(waiting)
    report(Progress(done, len(rows), "reading"))
    new = [replace(row, pending=frozenset({TASK}), keys={}) for row in waiting]
    task: Task[np.ndarray] = Task(TASK, _packing, by_picture, apart=True)
    by_id = {row.id: row for row in waiting}
    not_now: dict[str, str] = {}
    for chunk in map_rows(new, [task], engine=engine, torch_threads=1):
        made = {mapped.row.id: mapped.values[TASK] for mapped in chunk if TASK in mapped.values}
        reasons |= {mapped.row.id: why for mapped in chunk if (why := _reason(mapped))}
        keep([by_id[mapped.row.id] for mapped in chunk if not mapped.not_now], made)
        not_now |= {mapped.row.id: _reason(mapped) for mapped in chunk if mapped.not_now}
        prints |= made
        done += len(chunk)
        report(Progress(done, len(rows), "reading"))
    return replace(Objects.of(rows, prints, reasons), not_now=not_now)


def _reason(mapped: Mapped[np.ndarray]) -> str:
    if mapped.unreadable is not None:
        return f"unreadable: {mapped.unreadable}"
    return f"no fingerprint: {mapped.errors[TASK]}" if TASK in mapped.errors else ""


__all__ = ["OBJECTS", "TASK", "VERSION", "Objects", "Region", "overlaps", "packed_of", "read"]
