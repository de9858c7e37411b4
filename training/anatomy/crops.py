"""The hands that scores are learned from and judged by: cut out once, and kept.

Three sources: ``rated``, the generated pictures that experts graded; ``photos``, real photos with people in them;
``signs``, real hands before a plain ground, the even-numbered files. Each picture makes one file in the work folder, so
that a run that is stopped goes on where it was.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks import data
from benchmarks.anatomy.hands import is_even, read
from benchmarks.anatomy.people import find_objects, is_animal
from loupe.brain.checks.hands import MAX
from loupe.brain.measures.anatomy.hand_shape import implausibility
from loupe.brain.measures.anatomy.hand_views import HandViews
from loupe.brain.perception.landmarks import crop
from loupe.brain.perception.landmarks.crop import Roi
from loupe.brain.perception.landmarks.hand import Hand, hand_region

SOURCES = ("rated", "photos", "signs")
#: the side of a patch, in pixels, and how much more than the hand's own region it shows: views are turned and scaled
SIDE, AROUND = 384, 1.6
#: hands smaller than this, in pixels of at most 1280, are left out: the least that the figures in the issue go by
MIN_SIDE = 40
#: a real hand that the landmark model is less sure of may be none
_SURE = 0.9
_GRADED = "4_hands/ai_human_anatomy"


@dataclass(frozen=True, eq=False)
class Crop:
    """One hand.

    Attributes:
        picture: its file, relative to the data
        side: the longer side of its box, in pixels of the picture
        patch: (SIDE, SIDE, 3) uint8 RGB, upright, the hand in its middle
        points: (21, 2) float32, in pixels of the patch
        world: (21, 3) float32, in meters, turned like the picture
        score: the palm detector's, in [0, 1]
        presence: the landmark model's, in [0, 1]
        rank: its implausibility, as the check ``hands`` has it, in [0, 1]
    """

    picture: str
    side: float
    patch: np.ndarray
    points: np.ndarray
    world: np.ndarray
    score: float
    presence: float
    rank: float

    @property
    def mirrored(self) -> Crop:
        """The same hand in a mirror."""
        points = np.array([SIDE, 0], np.float32) + self.points * np.array([-1, 1], np.float32)
        return replace(self, patch=np.ascontiguousarray(self.patch[:, ::-1]), points=points)

    @property
    def region(self) -> Roi:
        """The hand's own region within the patch."""
        return Roi(SIDE / 2, SIDE / 2, SIDE / AROUND)


@cache
def _views() -> HandViews:
    return HandViews(levels=3, max_hands=MAX)


def cut_out(picture: np.ndarray, name: str, hand: Hand) -> Crop:
    """Returns one hand of a picture, (H, W, 3) uint8 RGB."""
    roi = hand_region(hand.points).scaled(AROUND)
    return Crop(
        name,
        float(max(hand.box[2:])),
        crop.cut(picture, roi, SIDE, border=True),
        (crop.unproject(hand.points, roi) * SIDE).astype(np.float32),
        hand.world.astype(np.float32),
        hand.score,
        hand.presence,
        implausibility(_views().steadiness(picture, hand), hand.score),
    )


def files(source: str) -> list[Path]:
    """Returns the pictures of a source, sorted.

    Raises:
        MissingData: they are not there
    """
    if source == "rated":
        return data.pictures(data.required(_GRADED))
    if source == "photos":
        photos = data.files(data.required(data.IMAGENET)) + data.files(data.required(data.COCO))
        return [path for path in photos if path.suffix.lower() in data.SUFFIXES and not is_animal(path)]
    folder = data.required("4_hands/sign_digits_real")
    return [path for path in data.pictures(folder) if is_even(path)]


def _shows_people(picture: np.ndarray) -> bool:
    return any(box.label == "person" and (box.confidence or 0) >= 0.4 for box in find_objects()(picture))


def hands_in(path: Path, source: str) -> list[Crop]:
    """Returns the hands of one picture that are large enough; of a real one those that are surely hands."""
    picture = read(path)
    if source == "photos" and not _shows_people(picture):
        return []
    name = path.relative_to(data.at()).as_posix()
    hands, _ = _views().find(picture)
    kept = [hand for hand in hands if max(hand.box[2:]) >= MIN_SIDE and (source == "rated" or hand.presence >= _SURE)]
    return [cut_out(picture, name, hand) for hand in kept]


def _file(work: Path, source: str, path: Path) -> Path:
    name = path.relative_to(data.at()).as_posix()
    return work / "crops" / source / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.npz"


def make(work: Path, source: str) -> None:
    """Cuts the hands of a source out, where that has not been done."""
    for path in files(source):
        file = _file(work, source, path)
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            crops = hands_in(path, source)
            columns = {field.name: np.array([getattr(made, field.name) for made in crops]) for field in fields(Crop)}
            part = file.with_suffix(".part.npz")
            np.savez_compressed(part, **columns)
            part.replace(file)


def load(work: Path, source: str) -> list[Crop]:
    """Returns the hands of a source, in the order of its pictures, that ``make`` has cut out."""
    return list(_loaded(work, source))


def _loaded(work: Path, source: str) -> Iterator[Crop]:
    for path in files(source):
        with np.load(_file(work, source, path)) as kept:
            columns = {field.name: kept[field.name] for field in fields(Crop)}
        for number in range(len(columns["side"])):
            yield Crop(
                *(column[number].item() if column[number].ndim == 0 else column[number] for column in columns.values())
            )


if __name__ == "__main__":
    for name in sys.argv[2:] or SOURCES:
        make(Path(sys.argv[1]), name)
