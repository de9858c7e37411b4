"""Image files to decoded batches. A bad file becomes a ``ReadError`` with its reason, never half a picture.

Decoding is strict: a truncated file is an error. Whatever the file's mode, the pixels come out as 8-bit sRGB: palettes
are looked up, alpha is composited on white, 16-bit greys are divided by 257, EXIF rotation is applied. Of an animation,
the first frame is read.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from loupe.brain.errors import ReadError
from loupe.brain.jpeg import Encoded, decode, decode_scaled, encoded
from loupe.brain.records import ImageBatch

if TYPE_CHECKING:
    from torch import Tensor

#: pictures held in memory at once, by count and by decoded bytes
CHUNK = 64
CHUNK_BYTES = 256 * 2**20

_ORIENTATION = 0x0112
_SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I;16N")


@dataclass(frozen=True)
class Picture:
    """One decoded image.

    Attributes:
        pixels: (H, W, 3) uint8 sRGB, not to be written to
        size: (width, height) of the file after EXIF rotation, before any scaling
    """

    pixels: np.ndarray
    size: tuple[int, int]


def read(path: str | os.PathLike[str], long_side: int | None = None) -> Picture:
    """Decodes one image file strictly.

    Args:
        path: the file
        long_side: when given, a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, never below this long side

    Raises:
        ReadError: the file is missing, empty, truncated, corrupt, no image, too large, or of a mode without a range

    >>> read("/no/such.png")
    Traceback (most recent call last):
    loupe.brain.errors.ReadError: expected an image file, got no file at such.png
    """
    name = os.path.basename(os.fspath(path))
    file = encoded(path)
    if file is not None:
        try:
            found = decode_scaled(file, long_side)
        except ReadError as error:
            raise ReadError(f"cannot decode {name}: {error}") from error
        if found is not None:
            return Picture(found, file.size)
    try:
        with Image.open(path) as image:
            size = image.size
            # a JPEG says all that it has to say before its pixels; looking for it costs more than opening the file
            told = image.format != "JPEG" or "exif" in image.info or "xmp" in image.info
            orientation = image.getexif().get(_ORIENTATION, 1) if told else 1
            if orientation in (5, 6, 7, 8):
                size = (size[1], size[0])
            if long_side is not None and image.format == "JPEG" and max(size) > long_side:
                scale = long_side / max(size)
                image.draft(None, (max(1, int(image.width * scale)), max(1, int(image.height * scale))))
            image.load()
            upright = image if orientation == 1 else ImageOps.exif_transpose(image)
            plain = upright.mode == "RGB" and "transparency" not in upright.info
            pixels = np.asarray(upright if plain else _to_rgb(upright))
    except FileNotFoundError:
        raise ReadError(f"expected an image file, got no file at {name}") from None
    except UnidentifiedImageError:
        empty = os.path.getsize(path) == 0
        raise ReadError(
            f"expected an image file, got {'an empty file' if empty else 'another format'}: {name}"
        ) from None
    except Image.DecompressionBombError as error:
        raise ReadError(
            f"expected a picture of at most {2 * (Image.MAX_IMAGE_PIXELS or 0):,} pixels: {error}"
        ) from None
    # Pillow's decoders raise these for truncated and corrupt files
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, OverflowError, MemoryError) as error:
        raise ReadError(f"cannot decode {name}: {error}") from error
    return Picture(pixels, size)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in _SIXTEEN_BIT or image.mode == "I":
        values = np.asarray(image, dtype=np.int64)
        if values.min() < 0 or values.max() > 65535:
            raise ReadError(f"expected at most 16 bits a channel, got values from {values.min()} to {values.max()}")
        return Image.fromarray((values / 257).round().astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        raise ReadError("expected integer pixels, got floating-point ones, whose white is unknown")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


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
class Chunk:
    """Some rows, read.

    Attributes:
        rows: all of them, in the order given
        batches: (rows, batch) of those that were readable, each batch of one shape and one set of pending specs
        unreadable: the reason for each of the others, by id
    """

    rows: tuple[Row, ...]
    batches: tuple[tuple[tuple[Row, ...], ImageBatch], ...]
    unreadable: Mapping[str, str]


def read_chunks(
    rows: Iterable[Row],
    *,
    long_side: int | None = None,
    batch_size: int = 16,
    workers: int | None = None,
    device: str = "cpu",
) -> Iterator[Chunk]:
    """Yields the rows as decoded chunks, in order, reading ahead on a pool of threads.

    Memory is bounded: a chunk holds at most four batches, ``CHUNK`` pictures or about ``CHUNK_BYTES`` bytes, whatever
    the rows. A chunk is also what has to end before a run can stop, so that smaller batches stop sooner.

    Args:
        rows: the samples
        long_side: the resolution that is needed, see ``read``
        batch_size: the most images a batch holds
        workers: threads; the number of cores by default
        device: where the pixels are wanted; a CUDA device decodes JPEGs itself, see ``loupe.brain.jpeg``
    """
    workers = workers or os.cpu_count() or 1
    most = min(CHUNK, 4 * batch_size)
    waiting: deque[tuple[Row, Future[Picture | Encoded]]] = deque()
    on_device = device.startswith("cuda")

    def fetch(path: str) -> Picture | Encoded:
        found = encoded(path) if on_device else None
        return read(path, long_side) if found is None else found

    source = iter(rows)
    with ThreadPoolExecutor(workers, thread_name_prefix="loupe-reader") as pool:

        def read_ahead() -> None:
            while len(waiting) < 2 * workers:
                row = next(source, None)
                if row is None:
                    return
                waiting.append((row, pool.submit(fetch, row.path)))

        held: list[tuple[Row, Picture | Encoded | ReadError]] = []
        size = 0
        read_ahead()
        try:
            while waiting:
                row, future = waiting.popleft()
                try:
                    picture = future.result()
                    size += 3 * picture.size[0] * picture.size[1]
                    held.append((row, picture))
                except ReadError as error:
                    held.append((row, error))
                read_ahead()
                if len(held) >= most or size >= CHUNK_BYTES or not waiting:
                    yield _chunk(held, batch_size, long_side, device)
                    held, size = [], 0
        finally:
            for _, future in waiting:
                future.cancel()


_Held = Picture | Encoded | ReadError


def _chunk(held: list[tuple[Row, _Held]], batch_size: int, long_side: int | None, device: str) -> Chunk:
    buckets: dict[tuple[tuple[int, ...], frozenset[str], type], list[tuple[Row, Picture | Encoded]]] = {}
    unreadable: dict[str, str] = {}
    for row, picture in held:
        if isinstance(picture, ReadError):
            unreadable[row.id] = str(picture)
        else:
            shape = picture.pixels.shape if isinstance(picture, Picture) else picture.size
            buckets.setdefault((shape, row.pending, type(picture)), []).append((row, picture))
    batches: list[tuple[tuple[Row, ...], ImageBatch]] = []
    for bucket in buckets.values():
        for start in range(0, len(bucket), batch_size):
            part = bucket[start : start + batch_size]
            pixels = _pixels([picture for _, picture in part], device)
            if pixels is None:
                # the device refused a file: each is read strictly, and the bad one is a record
                again: list[tuple[Row, _Held]] = [(row, _strictly(row, long_side)) for row, _ in part]
                rest = _chunk(again, batch_size, long_side, "cpu")
                batches += rest.batches
                unreadable.update(rest.unreadable)
                continue
            names = part[0][0].fields
            batch = ImageBatch(
                ids=tuple(row.id for row, _ in part),
                pixels=pixels,
                sizes=tuple(picture.size for _, picture in part),
                fields={name: tuple(row.fields.get(name) for row, _ in part) for name in names},
            )
            batches.append((tuple(row for row, _ in part), batch))
    return Chunk(tuple(row for row, _ in held), tuple(batches), unreadable)


def _pixels(pictures: list[Picture | Encoded], device: str) -> Tensor | None:
    """Returns the (N, 3, H, W) pixels of pictures of one shape; None where the device cannot decode them."""
    import torch

    files = [picture for picture in pictures if isinstance(picture, Encoded)]
    if not files:
        arrays = [picture.pixels for picture in pictures if isinstance(picture, Picture)]
        return torch.from_numpy(np.stack(arrays).transpose(0, 3, 1, 2))
    decoded = decode(files, device)
    return None if decoded is None else torch.stack(decoded)


def _strictly(row: Row, long_side: int | None) -> Picture | ReadError:
    try:
        return read(row.path, long_side)
    except ReadError as error:
        return error
