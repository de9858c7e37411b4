"""Objects: blur in the boxes of some of them, cut and tiny ones, and how long a file with many objects takes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks import data
from benchmarks.commands import each
from benchmarks.figures import header, machine, row, share, title
from benchmarks.labels import object_copies
from loupe.brain.core import registry
from loupe.brain.defects.blur import Blur
from loupe.brain.engine import objects
from loupe.brain.engine.crops import OBJECTS, Region, places
from loupe.brain.engine.reader import Row, read
from loupe.brain.imaging.batches import ImageBatch

#: short sides of crops in pixels: what is smaller than the first is never judged
SIDES = ((0, 32), (32, 64), (64, 128), (128, 256), (256, 10_000))
SEVERITIES = (1, 2, 4)
_CONFIDENCE = 0.4
_SCENES, _OBJECTS = 120, 6
#: pictures as large as a camera's, in which objects are timed
_LARGE = 40

Boxes = tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True)
class Picture:
    """A picture and the boxes of its objects, in shares of it; none of them lies in another one."""

    pixels: np.ndarray
    boxes: Boxes


def print_objects(part: str | None = None) -> None:
    """Prints what is found of blur that was put into some objects, and the time.

    Args:
        part: of ``PARTS``; all by default
    """
    print(machine())
    each(*(PARTS.values() if part is None else [PARTS[part]]))


def _print_scenes() -> None:
    _print_blur("generated scenes", list(_scenes(_SCENES)))


def _print_photos() -> None:
    _print_blur("COCO and ImageNet photos, boxes of yolox_nano", list(_photos()))


def _scenes(n: int) -> Iterator[Picture]:
    """Yields pictures of objects with texture before a softer background, six of different sizes in each."""
    import cv2

    for seed in range(n):
        rng = np.random.default_rng(seed)
        height, width = 480, 640
        picture = cv2.GaussianBlur(_texture(rng, height, width), (0, 0), 4)
        boxes: list[tuple[float, float, float, float]] = []
        for at in range(_OBJECTS):
            side = int(rng.choice([24, 48, 96, 150]))
            high, wide = int(side * rng.uniform(1.0, 1.3)), int(side * rng.uniform(1.0, 1.3))
            left, top = (at % 3) * 213 + int(rng.integers(4, 10)), (at // 3) * 240 + int(rng.integers(4, 10))
            picture[top : top + high, left : left + wide] = _texture(rng, high, wide)
            boxes.append((left / width, top / height, wide / width, high / height))
        yield Picture(picture, tuple(boxes))


def _texture(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    import cv2

    made = np.zeros((height, width, 3), np.float32)
    for cell, strength in ((48, 60), (12, 40), (3, 25), (1.5, 10)):
        cells = max(2, round(height / cell)), max(2, round(width / cell))
        noise = rng.normal(size=(*cells, 3)).astype(np.float32)
        made += strength * cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(made + 128, 0, 255).astype(np.uint8)


def _photos() -> Iterator[Picture]:
    for path, boxes in _detected():
        if boxes:
            yield Picture(read(path).pixels, _apart(boxes))


@cache
def _detected() -> list[tuple[Path, Boxes]]:
    """Returns the photos, and the boxes that a detector sees in each."""
    from loupe.brain.perception import weights
    from loupe.brain.perception.detectors import yolox

    find = yolox.load(weights.path("yolox_nano")).find
    detected = []
    for path in [*data.files(data.required(data.COCO), "*.jpg"), *data.photos()]:
        pixels = read(path).pixels
        height, width = pixels.shape[:2]
        sure = [box.bounds for box in find(pixels) if (box.confidence or 0) >= _CONFIDENCE]
        detected.append((path, tuple(bounds for bounds in sure if places(bounds, width, height) is not None)))
    return detected


def _apart(boxes: Sequence[tuple[float, float, float, float]]) -> Boxes:
    """Returns those that overlap with none before them: blur in one of them is then in no other."""
    kept: list[tuple[float, float, float, float]] = []
    for box in boxes:
        x, y, wide, high = box
        if all(x + wide <= left or left + w <= x or y + high <= top or top + h <= y for left, top, w, h in kept):
            kept.append(box)
    return tuple(kept)


def _print_blur(name: str, pictures: Sequence[Picture]) -> None:
    check = registry.checks()["sharpness"]()
    threshold = check.outputs[0].default_threshold
    assert threshold is not None
    title(f"{name}: every second object blurred in its box ({sum(len(each.boxes) for each in pictures)} objects)")
    header("blur, % of the long side", "short side", "recall", "false positives", "precision", "judged")
    for severity in SEVERITIES:
        scores, blurred, sides = _blurred(pictures, severity, check.name)
        fails = threshold.violates(scores)
        for low, high in (*SIDES, (0, 10_000)):
            own = (sides >= low) & (sides < high)
            judged = own & ~np.isnan(scores)
            hits = int((fails & blurred & own).sum())
            row(
                severity,
                "all" if high - low == 10_000 else f"{low} to {high} pixels" if high < 10_000 else f"from {low} pixels",
                share(hits, int((judged & blurred).sum())),
                share(int((fails & ~blurred & own).sum()), int((judged & ~blurred).sum())),
                share(hits, int((fails & own).sum())),
                share(int(judged.sum()), int(own.sum())),
            )


def _blurred(pictures: Sequence[Picture], severity: float, check: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns for each object its score, whether it was blurred, and the short side of its crop in pixels."""
    rng = np.random.default_rng(0)
    defect = Blur()
    rows, blurred, sides = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for at, picture in enumerate(pictures):
            pixels = picture.pixels.copy()
            height, width = pixels.shape[:2]
            for number, box in enumerate(picture.boxes):
                corners = places(box, width, height)
                assert corners is not None
                left, top, right, bottom = corners
                blurred.append((at + number) % 2 == 0)
                sides.append(min(right - left, bottom - top))
                if blurred[-1]:
                    crop = pixels[top:bottom, left:right]
                    pixels[top:bottom, left:right] = defect.inject(crop, severity, rng)
            path = Path(folder, f"{at:04}.png")
            Image.fromarray(pixels).save(path, compress_level=1)
            rows.append(_row(path, picture.boxes, [check]))
        spec = registry.checks()[check]()
        verdicts = [verdict for chunk in objects.run(rows, [spec]) for verdict in chunk]
    scores = [
        result.values.get(spec.outputs[0].name, np.nan) for verdict in verdicts for result in verdict.results[check]
    ]
    return np.array(scores), np.array(blurred), np.array(sides)


def _row(path: Path, boxes: Boxes, names: Sequence[str]) -> Row:
    regions = tuple(Region(str(at), None, box) for at, box in enumerate(boxes))
    return Row(str(path), str(path), {OBJECTS: regions}, frozenset(names), dict.fromkeys(names, "key:inputs"))


def _print_places() -> None:
    """Cut and tiny objects, by boxes as people draw them: off by up to a pixel."""
    rng = np.random.default_rng(0)
    n = 20_000
    sizes = np.tile([640.0, 480.0], (n, 1))
    sides = rng.uniform(4, 200, (n, 2))
    starts = rng.random((n, 2)) * (sizes - sides - 4) + 2
    touches = rng.random(n) < 0.5
    starts[touches, 0] = 0
    starts += rng.uniform(-0.9, 0.9, (n, 2))
    boxes = np.concatenate([starts, starts + sides], 1)
    title(f"Boxes off by up to 0.9 pixels, half of them at the border ({n:,})")
    header("failure", "recall", "false positives")
    measure = registry.objects()["cut"]()
    threshold = measure.outputs[0].default_threshold
    assert threshold is not None
    fails = threshold.violates(measure.score(boxes, sizes)["border_distance"])
    clear = ~touches & (starts.min(1) > 1) & ((sizes - boxes[:, 2:]).min(1) > 1)
    row(
        "cut",
        share(int((fails & touches).sum()), int(touches.sum())),
        share(int((fails & clear).sum()), int(clear.sum())),
    )


def _print_as_they_are() -> None:
    """The photos with all of their boxes, and nothing put into them: what docs/objects.md shows."""
    import loupe

    detected = _detected()
    dataset = _dataset(detected)
    title(f"{len(detected)} photos as they are, {sum(len(boxes) for _, boxes in detected)} boxes of yolox_nano")
    print(loupe.check(dataset, objects="ground_truth"))
    print(loupe.slice(dataset, loupe.Factor.box_size("ground_truth"), failure="cut", objects="ground_truth"))
    print(loupe.slice(dataset, [], objects="ground_truth"))
    dataset.delete()


def _dataset(pictures: Iterable[tuple[Path, Boxes]]) -> Any:
    """Returns a dataset of pictures with their boxes in ``ground_truth``."""
    import fiftyone as fo

    dataset = fo.Dataset()
    samples = [
        fo.Sample(
            filepath=str(path),
            ground_truth=fo.Detections(detections=[fo.Detection(label="x", bounding_box=list(box)) for box in boxes]),
        )
        for path, boxes in pictures
    ]
    dataset.add_samples(samples, progress=False)
    return dataset


def _print_time() -> None:
    """Seconds of CPU for two checks of every object: one decode a file against one a crop."""
    import loupe

    pictures = list(_scenes(_LARGE))
    names = ["sharpness", "exposure"]
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for at, picture in enumerate(pictures):
            # as large as a camera's
            large = Image.fromarray(picture.pixels).resize((1920, 1440), Image.Resampling.BICUBIC)
            paths.append(Path(folder, f"{at:04}.jpg"))
            large.save(paths[-1], quality=92)
        n = sum(len(each.boxes) for each in pictures)
        specs = [registry.checks()[name]() for name in names]
        apply = {spec.name: spec.load("cpu") for spec in specs}
        rows = [_row(path, each.boxes, names) for path, each in zip(paths, pictures, strict=True)]
        title(f"{n} objects of {_LARGE} JPEGs of 1920 x 1440: sharpness and exposure of each")
        header("how", "CPU seconds", "objects a CPU second")
        for how, work in (
            ("one decode a file (the engine)", lambda: list(objects.run(rows, specs))),
            ("one decode a crop, the same checks", lambda: _one_by_one(rows, apply)),
        ):
            _timed(how, work, n)
        dataset = _dataset(zip(paths, (each.boxes for each in pictures), strict=True))
        whole = "end to end: loupe.check(dataset, …, objects=)"
        _timed(whole, lambda: loupe.check(dataset, names, objects="ground_truth"), n)
        _timed("end to end: a loop over FiftyOne's patches", lambda: _patches(dataset, apply), n)
        dataset.delete()


def _timed(how: str, work: Callable[[], object], n: int) -> None:
    started = time.process_time()
    work()
    seconds = time.process_time() - started
    row(how, f"{seconds:.1f}", f"{n / seconds:.0f}")


def _scored(apply: dict[str, Callable], pixels: np.ndarray, corners: tuple[int, int, int, int]) -> list[dict]:  # type: ignore[type-arg]
    import torch

    left, top, right, bottom = corners
    crop = torch.from_numpy(np.ascontiguousarray(pixels[top:bottom, left:right].transpose(2, 0, 1)))[None]
    batch = ImageBatch(("crop",), crop, ((right - left, bottom - top),))
    return [{name: float(values[0]) for name, values in check(batch).items()} for check in apply.values()]


def _one_by_one(rows: Sequence[Row], apply: dict[str, Callable]) -> None:  # type: ignore[type-arg]
    for each_row in rows:
        for region in each_row.fields[OBJECTS]:
            pixels = read(each_row.path).pixels
            corners = places(region.bounds, pixels.shape[1], pixels.shape[0])
            assert corners is not None
            _scored(apply, pixels, corners)


def _patches(dataset: object, apply: dict[str, Callable]) -> None:  # type: ignore[type-arg]
    patches = dataset.to_patches("ground_truth")  # type: ignore[attr-defined]
    values: dict[str, list[float]] = {}
    for patch in patches:
        pixels = read(patch.filepath).pixels
        corners = places(patch.ground_truth.bounding_box, pixels.shape[1], pixels.shape[0])
        assert corners is not None
        for scores in _scored(apply, pixels, corners):
            for name, value in scores.items():
                values.setdefault(name, []).append(value)
    for name, column in values.items():
        patches.set_values(f"ground_truth.{name}", column, dynamic=True)


def _print_copies_in_photos() -> None:
    """What was chosen with the first half of the pictures in sight, measured on the second."""
    for name, half in (("photos, the half that was tuned with", 0), ("photos, the other half", 1)):
        things = []
        for path, boxes in [own for own in _detected() if own[1]][half::2]:
            pixels = read(path).pixels
            size = pixels.shape[1], pixels.shape[0]
            things += [object_copies.Boxed(pixels, _within(box, *size)) for box in _apart(boxes)]
        object_copies.print_copies(things, name)


def _print_copies_in_scenes() -> None:
    pictures = _scenes(_SCENES // 2)
    things = [object_copies.Boxed(own.pixels, _within(box, 640, 480)) for own in pictures for box in own.boxes[:2]]
    object_copies.print_copies(things, "generated scenes")


def _within(box: tuple[float, float, float, float], width: int, height: int) -> tuple[float, float, float, float]:
    corners = places(box, width, height)
    assert corners is not None
    return corners


PARTS: dict[str, Callable[[], None]] = {
    "scenes": _print_scenes,
    "photos": _print_photos,
    "plain": _print_as_they_are,
    "places": _print_places,
    "time": _print_time,
    "duplicates": _print_copies_in_photos,
    "scene-duplicates": _print_copies_in_scenes,
    "other-objects": object_copies.print_others,
    "duplicate-time": object_copies.print_time,
}
