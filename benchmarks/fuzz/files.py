"""Pictures through the reader, and what stands in and beside them through the readers of metadata."""

from __future__ import annotations

import math
import shutil
import struct
import tempfile
import zlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from benchmarks.fuzz import changes, moment, parts, pictures
from benchmarks.fuzz.changes import Rng, pick
from loupe.brain.core.errors import ReadError
from loupe.brain.imaging import decode as decoding
from loupe.brain.imaging.files import MAX_FILE_BYTES

#: bytes that one picture may say that it holds: 16 a pixel of the largest, and its file
_LARGEST = 16 * decoding.MAX_PIXELS + MAX_FILE_BYTES
_Tried = tuple[str, Literal["ok", "refused"], int]


def picture(rng: Rng, folder: Path) -> _Tried:
    """Reads a changed picture: whole and upright pixels of the size that is stated, or a ``ReadError``."""
    kind, data = pictures.made(rng)
    path = folder / f"picture.{kind.lower()}"
    path.write_bytes(data)
    long_side = None if rng.random() < 0.6 else int(pick(rng, (1, 8, 64, 512)))
    reserved = 0

    def reserve(size: int) -> None:
        nonlocal reserved
        reserved = max(reserved, size)

    moment.begins()
    try:
        pixels, size = decoding.decode(path, long_side, reserve=reserve)
    except ReadError as error:
        str(error).encode()
        return kind, "refused", reserved
    assert reserved <= _LARGEST, reserved
    assert isinstance(pixels, np.ndarray)
    assert pixels.dtype == np.uint8, pixels.dtype
    assert pixels.ndim == 3 and pixels.shape[2] == 3, pixels.shape  # noqa: PT018
    assert min(size) > 0, size
    assert long_side is not None or pixels.shape[1::-1] == size, (pixels.shape, size)
    return kind, "ok", reserved


def metadata(rng: Rng, folder: Path) -> _Tried:
    """Reads how a picture was made: values that any database can hold, or a ``MetadataError``."""
    from loupe.brain.provenance.read import UnreadableMetadata, of_file
    from loupe.brain.provenance.records import MetadataError

    names = sorted(_layouts())
    name, beside = _layouts()[pick(rng, names)]
    others = dict(beside)
    data = others.pop(name)
    path = folder / name
    if others and rng.random() < 0.5:
        changed = pick(rng, sorted(others))
        others[changed] = _text(others[changed], rng)
    else:
        data = _container(data, rng)
    path.write_bytes(data)
    for other, content in others.items():
        (folder / other).write_bytes(content)
    if rng.random() < 0.1:
        ending = pick(rng, (".txt", ".json", ".yaml", ".png.txt", ".swarm.json"))
        words = changes.as_json(changes.value(rng), rng) if "json" in ending else changes.text(rng)
        path.with_suffix(ending).write_bytes(words.encode("utf-8", "surrogatepass"))
    hidden = None if rng.random() < 0.9 else True
    outcome: Literal["ok", "refused"] = "ok"
    moment.begins()
    try:
        known = of_file(path, hidden=hidden)
    except UnreadableMetadata as error:
        known, outcome = error.known, "refused"
        str(error).encode()
    except MetadataError as error:
        str(error).encode()
        return "metadata", "refused", 0
    storable(known.values)
    storable(known.unknown)
    storable(known.factors)
    storable(known.raw)
    assert sum(map(len, known.raw.values())) < 20_000
    return "metadata", outcome, 0


def storable(value: Any, depth: int = 0) -> None:
    """Raises an AssertionError where a value cannot stand in a database: no UTF-8, no 64 bits, NUL, nested for ever."""
    assert depth < 50, "nested too deeply"
    if isinstance(value, str):
        value.encode()
        assert "\0" not in value, repr(value[:100])
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, int):
        assert -(2**63) <= value < 2**63, value
    elif isinstance(value, float):
        assert math.isfinite(value), value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            storable(str(key), depth + 1)
            storable(item, depth + 1)
    elif isinstance(value, (list, tuple)):
        for item in value:
            storable(item, depth + 1)
    else:
        storable(repr(value), depth + 1)


@lru_cache(maxsize=1)
def _layouts() -> dict[str, tuple[str, dict[str, bytes]]]:
    """What each tool writes: by a number, the picture's name, and all files of its name with their bytes."""
    from benchmarks.provenance import layouts

    folder = Path(tempfile.mkdtemp(prefix="fuzz-layouts-"))
    try:
        made = {}
        for number, case in enumerate(layouts.cases(folder, 2, seed=0)):
            own = sorted(file for file in case.path.parent.iterdir() if file.name.startswith(f"{case.path.stem}."))
            made[f"{number:03}"] = (case.path.name, {file.name: file.read_bytes() for file in own})
        return made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _container(data: bytes, rng: Rng) -> bytes:
    """Changes what stands in a file: its texts with right checksums, most of the time."""
    if data.startswith(b"\x89PNG") and rng.random() < 0.8:
        return _png_text(data, rng) if rng.random() < 0.7 else parts.of_png(data, rng)
    if data.startswith(b"\xff\xd8") and rng.random() < 0.6:
        return parts.of_jpeg(data, rng)
    if data.startswith(b"RIFF") and rng.random() < 0.6:
        return parts.of_riff(data, rng)
    return changes.changed(data, rng)


def _png_text(data: bytes, rng: Rng) -> bytes:
    """Changes the text of a chunk as what it is: JSON as JSON, others as bytes."""
    at, made, places = 8, [], []
    while at + 12 <= len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        made.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
        if made[-1][0] in (b"tEXt", b"iTXt"):
            places.append(len(made) - 1)
        at += 12 + size
    if places:
        chosen = pick(rng, places)
        kind, body = made[chosen]
        end = body.find(b"\0") + (1 if kind == b"tEXt" else 5)
        made[chosen] = (kind, body[:end] + _text(body[end:], rng))
    chunks = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in made
    )
    return data[:8] + b"".join(chunks)


def _text(data: bytes, rng: Rng) -> bytes:
    import json

    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = None
    if value is not None and rng.random() < 0.8:
        for _ in range(int(rng.integers(1, 4))):
            value = changes.tree(value, rng)
        return changes.as_json(value, rng).encode("utf-8", "surrogatepass")
    if rng.random() < 0.3:
        at = int(rng.integers(0, len(data) + 1))
        return data[:at] + changes.text(rng).encode("utf-8", "surrogatepass") + data[at:]
    return changes.changed(data, rng) if data else b"x"
