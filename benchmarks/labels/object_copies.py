"""Copies among objects: what is found of planted ones by the size of the crop, what is wrong, time and memory."""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import data
from benchmarks.figures import header, row, share, title
from benchmarks.labels.pasting import CHANGES, Corners, scaled
from loupe.brain.engine.crops import OBJECTS, Region
from loupe.brain.engine.reader import Row, read
from loupe.brain.sets.duplicates import Duplicates
from loupe.brain.similarity import object_pairs, objects
from loupe.brain.similarity.cohesion import loose
from loupe.brain.similarity.duplicates import ComparedBefore

#: short sides of the original's crop in pixels, from and to below
SIZES = ((8, 16), (16, 24), (24, 32), (32, 64), (64, 128), (128, 256))
_NEAR = next(output for output in Duplicates.outputs if output.failure == "near_duplicate").default_threshold
#: objects of one class each, on which no pair is planted
_HANDS, _CIFAR, _WORDS = 400, 1000, 600


@dataclass(frozen=True)
class Boxed:
    """A picture with one box, in pixels."""

    pixels: np.ndarray
    box: Corners


def print_copies(things: Sequence[Boxed], name: str, sizes: Sequence[tuple[int, int]] = SIZES) -> None:
    """Prints what is found of planted copies among all objects of a size, change by change.

    Args:
        things: pictures with an object
        name: what they are
        sizes: short sides
    """
    title(f"{name}: {len(things)} objects, each with a copy among all; recall by the short side of the crop in pixels")
    header("copy", *(f"{low} to {high}" for low, high in sizes), "wrong pairs of those found", "middle alone")
    pools = [_of_size(things, size, np.random.default_rng(at)) for at, size in enumerate(sizes)]
    for change in CHANGES:
        cells, wrong, pairs, middle = [], 0, 0, 0
        for at, pool in enumerate(pools):
            hits, own_wrong, own_middle = _recalled(pool, change, np.random.default_rng(100 + at))
            cells.append(share(hits, len(pool)))
            wrong, pairs, middle = wrong + own_wrong, pairs + hits + own_wrong, middle + own_middle
        row(change, *cells, share(wrong, pairs), middle)


def _of_size(things: Sequence[Boxed], size: tuple[int, int], rng: np.random.Generator) -> list[Boxed]:
    """Returns those that are large enough, scaled down until the short side of the box is of that size."""
    made = []
    for thing in things:
        short = min(thing.box[2] - thing.box[0], thing.box[3] - thing.box[1])
        wanted = float(np.exp(rng.uniform(*np.log(size))))
        if short >= wanted:
            factor = wanted / short
            left, top, right, bottom = thing.box
            own = scaled(thing.pixels, factor)
            made.append(Boxed(own, (left * factor, top * factor, right * factor, bottom * factor)))
    return made


def _recalled(things: Sequence[Boxed], change: str, rng: np.random.Generator) -> tuple[int, int, int]:
    """Returns how many copies are found, how many pairs are wrong, and how many are found by their middle alone."""
    copies = []
    for at, thing in enumerate(things):
        other = (at + 1 + int(rng.integers(max(len(things) - 1, 1)))) % len(things)
        copies.append(Boxed(*CHANGES[change](thing.pixels, thing.box, things[other].pixels, rng)))
    made = compared([*things, *copies])
    right = [(a, b, kind) for a, b, kind, _ in made.pairs if b - a == len(things)]
    return len(right), len(made.pairs) - len(right), sum(kind == object_pairs.MIDDLE for *_, kind in right)


def compared(things: Sequence[Boxed]) -> object_pairs.AlikeObjects:
    """Returns what the verb finds among these objects, from their files."""
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for at, thing in enumerate(things):
            path = Path(folder, f"{at:05}.png")
            Image.fromarray(thing.pixels).save(path, compress_level=1)
            rows.append(_row(path, [thing.box], thing.pixels.shape[1], thing.pixels.shape[0]))
        return _alike(objects.read(rows, lambda _: None))


def _alike(known: objects.Objects) -> object_pairs.AlikeObjects:
    assert _NEAR is not None
    nothing = ComparedBefore(np.zeros(len(known.regions), bool), {})
    return object_pairs.alike(known, Duplicates(), _NEAR, dict.fromkeys(object_pairs.PARTS, nothing), lambda _: None)


def _row(path: Path, boxes: Sequence[Corners], width: int, height: int) -> Row:
    regions = tuple(
        Region(f"{path.stem}-{at}", None, (x / width, y / height, (right - x) / width, (bottom - y) / height))
        for at, (x, y, right, bottom) in enumerate(boxes)
    )
    return Row(str(path), str(path), {OBJECTS: regions})


def print_others(of: str = "", sides: Sequence[int] = (96, 48, 32, 24, 16, 8)) -> None:
    """Prints how many pairs are found among objects of one kind of which nobody has planted a copy.

    Args:
        of: only kinds whose name begins so
        sides: short sides in pixels
    """
    from benchmarks.cifar import pictures

    rng = np.random.default_rng(0)
    hands = data.pictures(data.required("4_hands/sign_digits_real"))
    words = data.pictures(data.required("6_ocr/iiit5k"))
    cifar, _ = pictures()
    kinds = {
        "hands that sign a digit, other people's among them": [
            pixels
            for at in rng.permutation(len(hands))[:_HANDS]
            if min((pixels := read(hands[at]).pixels).shape[:2]) >= 96
        ],
        "CIFAR-10 training pictures": [cifar[at] for at in rng.permutation(len(cifar))[:_CIFAR]],
        "digits of 8 x 8 pixels, drawn at 32": _digits(),
        "words of IIIT5K, several of one line": [read(path).pixels for path in words[:_WORDS]],
    }
    title("pairs found among objects of one kind; none was planted, some are real")
    header(
        "objects", "short side", "compared", "pairs of all pairs", "by the middle alone", "objects in a pair", "loose"
    )
    for name, pool in ((name, pool) for name, pool in kinds.items() if name.startswith(of)):
        for side in sides:
            own = [scaled(pixels, side / min(pixels.shape[:2])) for pixels in pool if min(pixels.shape[:2]) >= side]
            if len(own) < len(pool) / 2:
                continue
            made = compared([Boxed(pixels, (0, 0, pixels.shape[1], pixels.shape[0])) for pixels in own])
            middle = sum(kind == object_pairs.MIDDLE for _, _, kind, _ in made.pairs)
            inside = len({at for a, b, *_ in made.pairs for at in (a, b)})
            judged = int((~np.isnan(made.near)).sum())
            row(
                name,
                side,
                f"{judged} of {len(own)}",
                f"{len(made.pairs)} of {judged * (judged - 1) // 2:,}",
                middle,
                share(inside, judged),
                f"{_loose(made)} of {sum(len(group) > 2 for group in made.groups)} groups of three and more",
            )


def _loose(made: object_pairs.AlikeObjects) -> int:
    assert _NEAR is not None
    return len(loose(made.groups, made.means, _NEAR))


def _digits(n: int = 600) -> list[np.ndarray]:
    import cv2
    from sklearn.datasets import load_digits

    gray = [(each * 15.9).astype(np.uint8) for each in load_digits().images[:n]]
    return [np.repeat(cv2.resize(each, (32, 32), interpolation=cv2.INTER_CUBIC)[..., None], 3, 2) for each in gray]


def print_time(n: int = 10_000, of_picture: int = 10, alone: int = 1_000) -> None:
    """Prints the time and the memory of many objects, beside a loop that decodes a file for each crop.

    The objects are pictures of CIFAR-10, three times as large, so that as many are alike as among real ones.

    Args:
        n: objects
        of_picture: of each picture
        alone: objects of the loop, whose time is scaled up
    """
    from benchmarks.cifar import pictures

    title(f"{n:,} objects of {n // of_picture:,} JPEGs of 1,024 × 768: CPU seconds")
    header("how", "objects", "CPU seconds", "objects a CPU second", "peak memory, MB")
    pool, _ = pictures()
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for at in range(n // of_picture):
            pixels = scaled(rng.integers(0, 256, (48, 64, 3), dtype=np.uint8), 16)
            boxes: list[Corners] = []
            for place in range(of_picture):
                left, top = 20 + 200 * (place % 5), 40 + 300 * (place // 5)
                pixels[top : top + 96, left : left + 96] = scaled(pool[(at * of_picture + place) % len(pool)], 3)
                boxes.append((left, top, left + 96, top + 96))
            path = Path(folder, f"{at:05}.jpg")
            Image.fromarray(pixels).save(path, quality=90)
            rows.append(_row(path, boxes, 1024, 768))
        known = objects.read([], lambda _: None)

        def reading() -> None:
            nonlocal known
            known = objects.read(rows, lambda _: None)

        _timed("read: one decode a file", reading, n)
        _timed("compared with each other", lambda: _alike(known), n)
        singles = [
            Row(f"{each.id} {at}", each.path, {OBJECTS: (region,)})
            for each in rows[: alone // of_picture]
            for at, region in enumerate(each.fields[OBJECTS])
        ]
        _timed("read: a loop that decodes a file for each crop", lambda: _loop(singles), len(singles))


def _loop(singles: Sequence[Row]) -> None:
    for single in singles:
        objects.read([single], lambda _: None)


def _timed(how: str, work: object, n: int) -> None:
    started = time.process_time()
    work()  # type: ignore[operator]
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    row(how, f"{n:,}", f"{seconds:.1f}", f"{n / seconds:.0f}", peak)
