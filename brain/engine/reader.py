"""Image files to decoded batches. A bad file becomes a ``ReadError`` with its reason, never half a picture.

What a file becomes stands in ``loupe.brain.imaging.decode``; here files are read ahead, within a budget of memory, and
put together.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from loupe.brain.core import machine
from loupe.brain.core.errors import NotReadNow, ReadError
from loupe.brain.engine.in_flight import InFlight
from loupe.brain.imaging import decode as decoding
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.imaging.files import printable
from loupe.brain.imaging.jpeg import Encoded, decode
from loupe.brain.imaging.ragged import Preview, PreviewBatch
from loupe.brain.media.fetching import ahead

if TYPE_CHECKING:
    from torch import Tensor

#: pictures held in memory at once, by count and by decoded bytes
CHUNK = 64
CHUNK_BYTES = 256 * 2**20
#: bytes that all reading threads hold together, decoded and being decoded; one picture alone may take more
IN_FLIGHT_BYTES = 512 * 2**20
#: pictures that a thread reads in one go, at most, and bytes that all threads may read ahead where it is more than one
AT_ONCE = 4
AHEAD_BYTES = 64 * 2**20

T = TypeVar("T")


@dataclass(frozen=True)
class Picture:
    """One decoded image.

    Attributes:
        pixels: (H, W, 3) uint8 sRGB, not to be written to
        size: (width, height) of the file, upright, before any scaling
        preview: what was taken of it at once, where that was asked for
    """

    pixels: np.ndarray
    size: tuple[int, int]
    preview: Preview | None = None


def read(path: str | os.PathLike[str], long_side: int | None = None) -> Picture:
    """Decodes one image file strictly, as a person sees it, see ``loupe.brain.imaging.decode``.

    Args:
        path: the file
        long_side: when given, a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, never below this long side

    Raises:
        ReadError: the file is missing, no regular file, empty, truncated, damaged, no image, too large, or of a mode
            without a range

    >>> read("/no/such.png")
    Traceback (most recent call last):
    loupe.brain.core.errors.ReadError: expected an image file, got no file at such.png
    """
    pixels, size = decoding.decode(path, long_side)
    assert isinstance(pixels, np.ndarray), "only a device is given files"
    return Picture(pixels, size)


@dataclass(frozen=True)
class Glance:
    """What is left of a decoded image where its pixels are not wanted.

    Attributes:
        preview: what was taken of it
        size: as of ``Picture``
    """

    preview: Preview
    size: tuple[int, int]


@dataclass(frozen=True)
class Wanted:
    """What is to be read of a picture.

    Attributes:
        long_side: the resolution that is needed, see ``read``
        pixels: whether to hold its pixels; a device always gets them
        preview: whether to take a preview of it as it is read; on the CPU only
    """

    long_side: int | None = None
    pixels: bool = True
    preview: bool = False


@dataclass(frozen=True)
class Row:
    """One sample to read.

    Attributes:
        id: the sample's id
        path: its file
        fields: the sample fields that the specs need
        pending: the names of the specs that have not judged it yet
        keys: for each pending spec, what to remember once it has judged this sample
    """

    id: str
    path: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    pending: frozenset[str] = frozenset()
    keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Bucket:
    """Readable rows whose pictures are of one shape, and that wait for the same specs.

    Attributes:
        rows: N
        pictures: N, or glances at them; none where a device decoded them
        on_device: their batch where a device decoded them, else None
    """

    rows: tuple[Row, ...]
    pictures: tuple[Picture | Glance, ...]
    on_device: ImageBatch | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self) -> ImageBatch:
        """Returns the pictures, put together."""
        import torch

        if self.on_device is not None:
            return self.on_device
        images = [picture.pixels for picture in self.pictures if isinstance(picture, Picture)]
        pixels = torch.from_numpy(np.stack(images).transpose(0, 3, 1, 2))
        return _batch(self.rows, pixels, [picture.size for picture in self.pictures])

    def singles(self) -> list[ImageBatch]:
        """Returns each picture by itself, on the CPU; pixels are moved only where torch takes no others."""
        import torch

        singles = []
        for row, picture in zip(self.rows, self.pictures, strict=True):
            if isinstance(picture, Picture):
                pixels = picture.pixels if picture.pixels.flags.writeable else picture.pixels.copy()
                singles.append(_batch([row], torch.from_numpy(pixels[None]).permute(0, 3, 1, 2), [picture.size]))
        return singles

    def previews(self) -> PreviewBatch:
        """Returns the previews of the pictures; each is taken now where it was not as they were read."""
        ids, sizes = tuple(row.id for row in self.rows), tuple(picture.size for picture in self.pictures)
        previews = tuple(
            picture.preview or Preview.at(picture.pixels) if isinstance(picture, Picture) else picture.preview
            for picture in self.pictures
        )
        return PreviewBatch(ids, previews, sizes, _fields(self.rows))


@dataclass(frozen=True)
class Chunk:
    """Some rows, read.

    Attributes:
        rows: all of them, in the order given
        buckets: those that were readable
        unreadable: the reason for each of the others, by id
        not_now: the reason for each whose disk or network failed, by id; nothing is known of it
    """

    rows: tuple[Row, ...]
    buckets: tuple[Bucket, ...]
    unreadable: Mapping[str, str]
    not_now: Mapping[str, str] = field(default_factory=dict)


def chunk_size(batch_size: int) -> int:
    """Returns how many rows a chunk has at most, and each whole one where no picture is huge.

    >>> chunk_size(16), chunk_size(1)
    (64, 4)
    """
    return min(CHUNK, 4 * batch_size)


def read_chunks(
    rows: Iterable[Row],
    *,
    wanted: Callable[[frozenset[str]], Wanted] = lambda pending: Wanted(),
    batch_size: int = 16,
    workers: int | None = None,
    device: str = "cpu",
) -> Iterator[Chunk]:
    """Yields the rows as decoded chunks, in order, reading ahead on a pool of threads.

    Memory is bounded: a chunk holds at most four batches, ``CHUNK`` pictures or about ``CHUNK_BYTES`` bytes, whatever
    the rows, and what is read ahead or being decoded takes ``IN_FLIGHT_BYTES`` and one picture at most. A chunk is also
    what has to end before a run can stop, so that smaller batches stop sooner.

    A chunk ends with every ``chunk_size`` rows, so that whoever reads those by themselves gets the same chunks.

    Args:
        rows: the samples
        wanted: what is to be read of a row, by the names of what it waits for
        batch_size: the most images a batch holds
        workers: threads; the number of cores by default
        device: where the pixels are wanted; a CUDA device decodes JPEGs itself, see ``loupe.brain.imaging.jpeg``
    """
    workers = workers or machine.cores()
    maximum = chunk_size(batch_size)
    flight: InFlight[_Held] = InFlight(IN_FLIGHT_BYTES)
    waiting: deque[tuple[int, Row]] = deque()
    groups: deque[int] = deque()

    def fetch(some: list[tuple[int, Row]]) -> None:
        with flight.guarded():
            for place, row in some:
                held = _fetched(row.path, wanted(row.pending), device, partial(flight.reserve, place))
                flight.put(place, held, _bytes(held))

    source = enumerate(ahead(rows, lambda row: row.path))
    with ThreadPoolExecutor(workers, thread_name_prefix="loupe-reader") as pool:

        def read_ahead(at_once: int) -> None:
            while len(groups) < 2 * workers:
                some = list(islice(source, at_once))
                if not some:
                    return
                waiting.extend(some)
                groups.append(some[-1][0])
                pool.submit(fetch, some)

        held: list[tuple[Row, _Held]] = []
        size = largest = 0
        read_ahead(1)
        try:
            while waiting:
                place, row = waiting.popleft()
                picture = flight.take(place)
                held.append((row, picture))
                bytes_of_it = _bytes(picture)
                size, largest = size + bytes_of_it, max(largest, bytes_of_it)
                if place == groups[0]:
                    groups.popleft()
                    # each hand-over from thread to thread costs: a thread reads some small pictures in one go
                    read_ahead(max(1, min(AT_ONCE, AHEAD_BYTES // (2 * workers * max(largest, 1)))))
                if (place + 1) % maximum == 0 or size >= CHUNK_BYTES or not waiting:
                    now, held, size = held, [], 0
                    # one huge picture slows down the next chunk only
                    largest = max(_bytes(picture) for _, picture in now)
                    yield _chunk(now, batch_size, wanted, device)
        finally:
            flight.close()
            pool.shutdown(wait=False, cancel_futures=True)


_Held = Picture | Glance | Encoded | ReadError


def _fetched(
    path: str,
    wanted: Wanted,
    device: str,
    reserve: Callable[[int], None] = lambda size: None,
) -> _Held:
    """Returns the picture, the file where the device decodes it, or what is wrong with it."""
    try:
        pixels, size = decoding.decode(path, wanted.long_side, for_device=device.startswith("cuda"), reserve=reserve)
        if isinstance(pixels, Encoded):
            return pixels
        preview = Preview.at(pixels) if wanted.preview else None
        return Glance(preview, size) if preview and not wanted.pixels else Picture(pixels, size, preview)
    except ReadError as error:
        return error
    # as little as is left, the next picture may need less
    except MemoryError:
        return ReadError(f"cannot decode {printable(path)}: out of memory")


def _bytes(picture: _Held) -> int:
    """Returns how many bytes it takes, decoded."""
    if isinstance(picture, ReadError):
        return 0
    if isinstance(picture, Glance):
        return picture.preview.nbytes
    return picture.pixels.nbytes if isinstance(picture, Picture) else 3 * picture.size[0] * picture.size[1]


def _chunk(
    held: list[tuple[Row, _Held]], batch_size: int, wanted: Callable[[frozenset[str]], Wanted], device: str
) -> Chunk:
    read_ones: dict[tuple[tuple[int, ...], frozenset[str]], list[tuple[Row, Picture | Glance]]] = {}
    files: dict[tuple[tuple[int, ...], frozenset[str]], list[tuple[Row, Encoded]]] = {}
    unreadable: dict[str, str] = {}
    not_now: dict[str, str] = {}
    for row, picture in held:
        if isinstance(picture, NotReadNow):
            not_now[row.id] = str(picture)
        elif isinstance(picture, ReadError):
            unreadable[row.id] = str(picture)
        elif isinstance(picture, Encoded):
            files.setdefault((picture.size, row.pending), []).append((row, picture))
        else:
            shape = (picture.pixels if isinstance(picture, Picture) else picture.preview.luma).shape
            read_ones.setdefault((shape, row.pending), []).append((row, picture))
    buckets = [
        Bucket(tuple(row for row, _ in part), tuple(picture for _, picture in part))
        for bucket in read_ones.values()
        for part in _parts(bucket, batch_size)
    ]
    for encoded_ones in files.values():
        for some in _parts(encoded_ones, batch_size):
            rows = tuple(row for row, _ in some)
            decoded = decode([file for _, file in some], device)
            if decoded is None:
                # the device refused a file: each is read strictly, and the bad one is a record
                again = [(row, _fetched(row.path, replace(wanted(row.pending), preview=False), "cpu")) for row in rows]
                rest = _chunk(again, batch_size, wanted, "cpu")
                buckets += rest.buckets
                unreadable.update(rest.unreadable)
                not_now.update(rest.not_now)
            else:
                import torch

                batch = _batch(rows, torch.stack(decoded), [file.size for _, file in some])
                buckets.append(Bucket(rows, (), batch))
    return Chunk(tuple(row for row, _ in held), tuple(buckets), unreadable, not_now)


def _parts(some: Sequence[T], n: int) -> Iterator[Sequence[T]]:
    return (some[start : start + n] for start in range(0, len(some), n))


def _batch(rows: Sequence[Row], pixels: Tensor, sizes: Sequence[tuple[int, int]]) -> ImageBatch:
    return ImageBatch(tuple(row.id for row in rows), pixels, tuple(sizes), _fields(rows))


def _fields(rows: Sequence[Row]) -> dict[str, tuple[Any, ...]]:
    return {name: tuple(row.fields.get(name) for row in rows) for name in rows[0].fields}
