"""Files that are damaged in any way: each is read, or refused by a ``ReadError``, in a process of its own."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.faults import hostile
from benchmarks.faults.result import Result
from benchmarks.faults.world import World

_KINDS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP", "PPM", "TGA", "ICO", "JPEG2000", "PCX", "DDS")
_FILES = 24

_Change = Callable[[bytes, np.random.Generator], bytes]


def _flipped(data: bytes, rng: np.random.Generator) -> bytes:
    changed = np.frombuffer(data, np.uint8).copy()
    # the head decides most
    span = len(changed) if rng.random() < 0.5 else min(len(changed), 400)
    places = rng.integers(0, span, int(rng.integers(1, 20)))
    changed[places] = rng.integers(0, 256, len(places))
    return changed.tobytes()


def _extreme(data: bytes, rng: np.random.Generator) -> bytes:
    changed, place = bytearray(data), int(rng.integers(0, min(len(data) - 8, 400)))
    changed[place : place + 4] = [b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff", b"\0\0\0\1"][int(rng.integers(4))]
    return bytes(changed)


def _cut(data: bytes, rng: np.random.Generator) -> bytes:
    return data[: int(rng.integers(0, len(data)))]


def _spliced(data: bytes, rng: np.random.Generator) -> bytes:
    first, second = sorted(int(place) for place in rng.integers(0, len(data), 2))
    return data[:first] + data[second:] if rng.random() < 0.5 else data[:second] + data[first:]


def _prolonged(data: bytes, rng: np.random.Generator) -> bytes:
    return data + rng.bytes(int(rng.integers(1, 5000)))


_CHANGES: tuple[_Change, ...] = (_flipped, _extreme, _cut, _spliced, _prolonged)


def damaged(world: World, seed: int) -> Result:
    """Reads two dozen files that were damaged by chance, and every hostile one now and then."""
    rng = np.random.default_rng(seed)
    folder = world.place()
    if seed % 8 == 0:
        paths = [case.path for case in hostile.files(folder) if case.path.isascii()]
        return _read(world, Result("hostile files"), paths)
    paths = []
    for number in range(_FILES):
        kind = str(rng.choice(_KINDS))
        image = hostile.photo(int(rng.integers(1000)), (96, 64), str(rng.choice(["RGB", "L"])))
        buffer = io.BytesIO()
        options = {"progressive": bool(rng.random() < 0.3)} if kind == "JPEG" else {}
        try:
            image.save(buffer, kind, **options)
        except (OSError, KeyError):
            # a build of Pillow without that kind
            Image.Image.save(image, buffer, "PNG")
        data = buffer.getvalue()
        for _ in range(int(rng.integers(1, 3))):
            data = _CHANGES[int(rng.integers(len(_CHANGES)))](data, rng) if len(data) > 16 else data
        path = folder / f"{number}.{kind.lower()}"
        path.write_bytes(data)
        paths.append(str(path))
    return _read(world, Result("damaged files"), paths)


def _read(world: World, result: Result, paths: list[str]) -> Result:
    child = world.start("read_files", paths=paths)
    ended = result.ended(child)
    if (ended is None or not ended["ok"]) and not result.dead:
        result.dead += 1
        result.say(f"{ended}: {child.log()[-300:]}")
    if result.dead:
        result.say(str(Path(paths[0]).parent))
    return result
