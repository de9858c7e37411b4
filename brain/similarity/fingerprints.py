"""What is kept of the files of a set to compare them with each other: hashes of bytes and pixels, and thumbnails."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import ClassVar

import numpy as np

from loupe.brain.core.errors import ReadError
from loupe.brain.core.records import Progress, ProgressCallback, Threshold
from loupe.brain.engine.map import Task, by_picture, map_rows
from loupe.brain.engine.reader import Row
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.similarity import matching, thumbnail_similarity
from loupe.brain.similarity.previews import Previews, of_file
from loupe.brain.similarity.verification import verified

_TASK = _PATH = "fingerprint"
#: pixels: what has fewer is nearly alike to others by chance, as digits of 8 x 8 pixels are
MIN_AREA = 256
#: equal pictures of which all pairs are told
_MANY_EQUAL = 100


@dataclass(frozen=True)
class Fingerprint:
    """What is kept of one picture to compare it with others: 4.7 KB.

    Attributes:
        bytes: the 128-bit hash of its file, in hexadecimal digits; None where the file has gone since it was decoded
        pixels: that of its pixels
        area: how many pixels it has
        luma: (64, 64) uint8 thumbnail
        chroma: (2, 16, 16) int8
    """

    #: raised when a fingerprint of the same picture would be another one
    VERSION: ClassVar[int] = 1

    bytes: str | None
    pixels: str
    area: int
    luma: np.ndarray
    chroma: np.ndarray

    def pack(self) -> np.ndarray:
        """Returns it as one (4648,) uint8 array."""
        head = bytes.fromhex(self.bytes or "0" * 32) + bytes.fromhex(self.pixels) + self.area.to_bytes(8, "little")
        return np.concatenate([np.frombuffer(head, np.uint8), self.luma.ravel(), self.chroma.view(np.uint8).ravel()])

    @classmethod
    def unpack(cls, packed: np.ndarray) -> Fingerprint:
        """Returns what was packed."""
        packed = np.asarray(packed, dtype=np.uint8)
        head, luma, chroma = packed[:40].tobytes(), packed[40 : 40 + 64 * 64], packed[40 + 64 * 64 :]
        of_file = head[:16].hex()
        return cls(
            bytes=None if of_file == "0" * 32 else of_file,
            pixels=head[16:32].hex(),
            area=int.from_bytes(head[32:40], "little"),
            luma=luma.reshape(64, 64),
            chroma=chroma.view(np.int8).reshape(2, 16, 16),
        )


@dataclass(frozen=True)
class Contents:
    """What is known of N files.

    Attributes:
        prints: their fingerprints; None for a file that cannot be read
        places: where in ``thumbs`` each is; -1 for one that cannot be read
        thumbs: the thumbnails
        reasons: why one could not be judged, by index
        previews: larger ones, read again from the files of those that look alike
        messages: what is to be known of how they were compared
        what: what they are
        stored: the ids of those that were known already
        away: why those whose disk or network failed could not be read, by index: they count as they were last seen, and
            what is stored of them stays as it is
        not_now: those of them that were never seen
    """

    prints: list[Fingerprint | None]
    places: np.ndarray
    thumbs: thumbnail_similarity.Thumbnails
    reasons: dict[int, str]
    previews: Previews
    messages: list[str] = field(default_factory=list)
    what: str = "pictures"
    stored: frozenset[str] = frozenset()
    away: dict[int, str] = field(default_factory=dict)
    not_now: frozenset[int] = frozenset()

    @classmethod
    def of(
        cls, prints: list[Fingerprint | None], reasons: dict[int, str], paths: Sequence[str] | None = None
    ) -> Contents:
        """Returns the contents of these files; without their paths none is looked at closely."""
        readable = [index for index, fingerprint in enumerate(prints) if fingerprint is not None]
        places = np.full(len(prints), -1)
        places[readable] = np.arange(len(readable))
        known = [fingerprint for fingerprint in prints if fingerprint is not None]
        luma = np.stack([fingerprint.luma for fingerprint in known]) if known else np.zeros((0, 64, 64), np.uint8)
        chroma = np.stack([fingerprint.chroma for fingerprint in known]) if known else np.zeros((0, 2, 16, 16), np.int8)
        previews = Previews(lambda index: of_file(paths[index]) if paths else None)
        return cls(prints, places, thumbnail_similarity.Thumbnails(luma, chroma), reasons, previews)

    @property
    def pixels(self) -> list[str | None]:
        """The hashes of their pixels; None for a file that cannot be read."""
        return [fingerprint.pixels if fingerprint else None for fingerprint in self.prints]

    @property
    def areas(self) -> list[int]:
        """How many pixels each has; 0 for one that cannot be read."""
        return [fingerprint.area if fingerprint else 0 for fingerprint in self.prints]

    def kind(self, a: int, b: int) -> str:
        """Returns whether two files with equal pixels have equal ``"bytes"``, too, or just equal ``"pixels"``."""
        first, second = self.prints[a], self.prints[b]
        assert first is not None
        assert second is not None
        return "bytes" if first.bytes is not None and first.bytes == second.bytes else "pixels"


def read(
    rows: Sequence[Row],
    report: ProgressCallback,
    stored: Iterable[tuple[str, Fingerprint]] = (),
    keep: Callable[[Sequence[Row], Mapping[str, Fingerprint]], None] = lambda *_: None,
    last: Callable[[Sequence[str]], Mapping[str, Fingerprint]] = lambda _: {},
    *,
    engine: str = "local",
) -> Contents:
    """Reads the files of N rows, chunk by chunk.

    Args:
        rows: the samples
        report: called after each chunk
        stored: fingerprints that are known already, each with its id: their files are not read
        keep: called with the rows of each chunk that was read, and their fingerprints
        last: gives the fingerprints that files had which cannot be read for the moment, by id
        engine: as for ``map_rows``
    """
    held = _Held.of([row.id for row in rows])
    for sample_id, print_of in stored:  # a million take 4.6 GB: none is held twice
        held.put(sample_id, print_of)
    before = frozenset(rows[at].id for at, print_of in enumerate(held.prints) if print_of is not None)

    def load(_: str) -> Callable[[ImageBatch], list[Fingerprint]]:
        return lambda batch: fingerprints(batch, batch.fields[_PATH])

    new = (
        replace(row, fields={_PATH: row.path}, pending=frozenset({_TASK}), keys={})
        for at, row in enumerate(rows)
        if held.prints[at] is None
    )
    done = len(before)
    report(Progress(done, len(rows), "reading"))
    reasons: dict[int, str] = {}
    away: dict[int, str] = {}
    not_now: set[int] = set()
    for chunk in map_rows(new, [Task(_TASK, load, by_picture)], engine=engine):
        made = {mapped.row.id: mapped.values[_TASK] for mapped in chunk if _TASK in mapped.values}
        for mapped in chunk:
            if mapped.unreadable is not None:
                reasons[held.place[mapped.row.id]] = f"unreadable: {mapped.unreadable}"
            elif _TASK in mapped.errors:
                reasons[held.place[mapped.row.id]] = f"no fingerprint: {mapped.errors[_TASK]}"
        keep([mapped.row for mapped in chunk if not mapped.not_now], made)
        failed = [mapped.row.id for mapped in chunk if mapped.not_now]
        seen = last(failed)
        made |= seen
        away |= {(at := held.place[each]): reasons.pop(at) for each in failed}
        not_now.update(held.place[each] for each in failed if each not in seen)
        for sample_id, print_of in made.items():
            held.put(sample_id, print_of)
        done += len(chunk)
        report(Progress(done, len(rows), "reading"))
    known = before | {rows[at].id for at in away.keys() - not_now}
    contents = held.contents(dict(sorted(reasons.items())), [row.path for row in rows])
    return replace(contents, stored=known, away=away, not_now=frozenset(not_now))


@dataclass(frozen=True)
class _Held:
    """The fingerprints of N samples as they come; their thumbnails lie in one piece from the start."""

    place: Mapping[str, int]
    prints: list[Fingerprint | None]
    thumbs: thumbnail_similarity.Thumbnails

    @classmethod
    def of(cls, ids: Sequence[str]) -> _Held:
        # the system gives these pages as they are written
        luma, chroma = np.zeros((len(ids), 64, 64), np.uint8), np.zeros((len(ids), 2, 16, 16), np.int8)
        thumbs = thumbnail_similarity.Thumbnails(luma, chroma)
        return cls({sample_id: at for at, sample_id in enumerate(ids)}, [None] * len(ids), thumbs)

    def put(self, sample_id: str, print_of: Fingerprint) -> None:
        at = self.place.get(sample_id)
        if at is not None:
            self.thumbs.luma[at], self.thumbs.chroma[at] = print_of.luma, print_of.chroma
            self.prints[at] = replace(print_of, luma=self.thumbs.luma[at], chroma=self.thumbs.chroma[at])

    def contents(self, reasons: dict[int, str], paths: Sequence[str]) -> Contents:
        places = np.array([-1 if print_of is None else at for at, print_of in enumerate(self.prints)], dtype=np.int64)
        return Contents(self.prints, places, self.thumbs, reasons, Previews(lambda index: of_file(paths[index])))


def fingerprints(batch: ImageBatch, paths: Sequence[str]) -> list[Fingerprint]:
    """Returns the fingerprint of each picture of a batch, in order."""
    thumbs = thumbnail_similarity.thumbnails(batch.pixels)
    made = []
    for index, (pixels, path) in enumerate(zip(batch.pixels.numpy(), paths, strict=True)):
        of_file = None
        with suppress(OSError, ReadError):  # decoded, and gone since
            of_file = matching.bytes_hash(path)
        width, height = batch.sizes[index]
        made.append(
            Fingerprint(of_file, matching.pixels_hash(pixels), width * height, thumbs.luma[index], thumbs.chroma[index])
        )
    return made


def compare(
    known: Contents,
    chosen: np.ndarray,
    *,
    per_image: int,
    minimum: float,
    report: ProgressCallback,
    groups: np.ndarray | None = None,
    new: np.ndarray | None = None,
    further: tuple[np.ndarray, np.ndarray] | None = None,
    without: tuple[np.ndarray, np.ndarray] | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Compares pictures with their nearest others, and notes a reason for those that show too little to be compared.

    Args:
        known: the pictures
        chosen: (M,) indices of the pictures to compare
        per_image, minimum, groups: as for ``matching.searched``; groups: (N,) or (G, N), of all pictures
        report: called now and then
        new: (N,) bool; when given, only pairs with one of these are compared
        further: two arrays of indices: pairs to compare beside those that the hashes suggest
        without: two arrays of indices: pairs that are not compared

    Returns:
        the indices of those that were compared, and for each of P candidate pairs its indices a and b and its (P,)
        float32 similarity; a pair may stand there more than once
    """
    large = np.asarray(known.areas, dtype=np.int64)[chosen] >= MIN_AREA
    clear = large & thumbnail_similarity.has_detail(known.thumbs.luma[known.places[chosen]])
    for index in chosen[~clear]:
        known.reasons[int(index)] = "too little detail to tell it from other pictures"
    for index in chosen[~large]:
        known.reasons[int(index)] = f"too small to tell it from other pictures: fewer than {MIN_AREA} pixels"
    compared = chosen[clear]
    own = known.places[compared]
    # where all of them are compared, nothing is copied: a million thumbnails take 4.6 GB
    thumbs = known.thumbs if np.array_equal(own, np.arange(len(known.thumbs))) else known.thumbs[own]
    place = np.full(len(known.prints), -1)
    place[compared] = np.arange(len(compared))
    pairs, how = matching.searched(
        thumbs.luma,
        per_image=per_image,
        minimum=minimum,
        groups=None if groups is None else groups[..., compared],
        chosen=None if new is None else np.flatnonzero(new[compared]),
        without=None if without is None else _both(place, without),
        step=lambda done: report(Progress(done, len(compared), "looking for candidates")),
    )
    if message := how.message(len(compared), known.what):
        known.messages.append(message)
    if further is not None:
        pairs += matching.oriented(thumbs.luma, *_both(place, further))
    similar = matching.similarities(
        thumbs, pairs, step=lambda done: report(Progress(done, len(pairs), "comparing candidates"))
    )
    similar = verified(
        thumbs,
        pairs,
        similar,
        lambda place: known.previews[int(compared[place])],
        step=lambda done, n: report(Progress(done, n, "looking closely")),
    )
    return compared, compared[pairs.a], compared[pairs.b], similar


def _both(place: np.ndarray, pairs: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Returns the places of those pairs whose two have one."""
    a, b = place[pairs[0]], place[pairs[1]]
    both = (a >= 0) & (b >= 0)
    return a[both], b[both]


def _across(groups: np.ndarray, pairs: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Returns those pairs whose two are in two groups, by each row of (G, N) groups."""
    a, b = pairs
    apart = (groups[:, a] != groups[:, b]).all(axis=0)
    return a[apart], b[apart]


def _equal_across(members: Sequence[int], groups: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yields the pairs of equal pictures that are in two groups: of very many each with the first of each other group.

    A hundred thousand copies of one picture have five billion pairs, which say no more than these.
    """
    inside = [member for member in members if groups[member] >= 0]
    if len(inside) <= _MANY_EQUAL:
        yield from ((a, b) for a, b in combinations(inside, 2) if groups[a] != groups[b])
        return
    firsts = {int(groups[member]): member for member in reversed(inside)}
    for member in inside:
        yield from (
            (min(member, first), max(member, first)) for group, first in firsts.items() if group != groups[member]
        )


def across(
    known: Contents,
    groups: np.ndarray,
    threshold: Threshold,
    *,
    per_image: int,
    minimum: float,
    report: ProgressCallback,
    of_first: bool = False,
    distinct: np.ndarray | None = None,
    further: tuple[np.ndarray, np.ndarray] | None = None,
) -> tuple[dict[tuple[int, int], tuple[str, float]], np.ndarray]:
    """Compares each picture with those of the other groups only.

    Args:
        known: the pictures
        groups: (N,) ints; a picture of a negative one is not compared
        threshold: what is nearly the same
        per_image, minimum, report: as for ``compare``
        of_first: look for copies of the pictures of group 0 only
        distinct: (N,) ints: pictures with one number were decided to be no duplicates of each other; -1: nothing was
        further: two arrays of indices: pairs to compare beside those that the hashes suggest

    Returns:
        for each pair of indices that is the same, or nearly, its kind and similarity, and each picture's highest
        similarity to one of another group: (N,) float32, NaN where it was not compared
    """
    highest = np.full(len(groups), math.nan, dtype=np.float32)
    chosen = np.flatnonzero((known.places >= 0) & (groups >= 0))
    equal = matching.equal(known.pixels)
    # equal ones are known: they take no places of others, and are not looked at
    first = np.arange(len(groups))
    for members in equal:
        first[members] = members[0]
    both = np.stack([groups, first])
    compared, left, right, similar = compare(
        known,
        chosen,
        per_image=per_image,
        minimum=minimum,
        groups=both,
        report=report,
        new=groups == 0 if of_first else None,
        further=None if further is None else _across(both, further),
    )
    highest[compared] = 0.0
    pairs: dict[tuple[int, int], tuple[str, float]] = {}
    beyond = threshold.violates(similar)
    apart = np.full(len(groups), -1) if distinct is None else distinct
    for a, b, value, near in zip(left.tolist(), right.tolist(), similar.tolist(), beyond.tolist(), strict=True):
        if apart[a] == apart[b] >= 0:
            continue
        highest[a], highest[b] = max(highest[a], value), max(highest[b], value)
        pair = (min(a, b), max(a, b))
        if near and value > pairs.get(pair, ("", 0.0))[1]:
            pairs[pair] = ("near", value)
    for members in equal:
        for a, b in _equal_across(members, groups):
            if not apart[a] == apart[b] >= 0:
                pairs[a, b] = (known.kind(a, b), 1.0)
                highest[[a, b]] = 1.0
                for index in (a, b):
                    known.reasons.pop(index, None)
    return pairs, highest
