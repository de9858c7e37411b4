"""Finds the lines that may have been laid over a picture, faint ones too, and what is measured of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from loupe.brain.measures.overlays.ink import Ink, Plate, crispness, ink_of, plate_of
from loupe.brain.perception.ocr.regions import Region, cut, same_place, turns

if TYPE_CHECKING:
    from loupe.brain.perception.ocr.rapid_ocr import Ocr

#: the detector's long side: it finds lines of 8 pixels there, 1 % of the picture
LONG_SIDE = 736
#: contrast is evened out over so much of the long side; noise below so many levels is not raised
_REACH, _FLOOR = 0.02, 4.0
#: lines that are measured, those of the clearer detection first
MAX_LINES = 40
#: lines that are read, the likeliest first: reading costs as much as all else
MAX_READ = 8
#: how alike two lines have to be, as a correlation of their pixels, to say the same
_SAME_SHAPE = 0.45
#: of a line over the picture's short side, and its width over its height
_TALLEST, _MIN_ASPECT = 0.3, 1.1
_SHAPE = (160, 32)


@dataclass(frozen=True, eq=False)
class LineCandidate:
    """A line of lettering and what was measured of it.

    Attributes:
        region: where it is, in the picture's pixels
        faint: only the picture with its contrast evened out shows it
        ink: see ``Ink``; None where it cannot be measured
        plate: see ``Plate``; None where the ground is uneven
        twins: how many other lines look the same
        mates: how many other lines have the same size and slant, which rows of a word have wherever they lie
        text: what was read; empty where it was not
        confidence: of the reading, in [0, 1]
        crisp: how steeply its letters end, in [0, 1]; see ``crispness``
    """

    region: Region
    faint: bool
    ink: Ink | None
    plate: Plate | None
    twins: int
    mates: int = 0
    text: str = ""
    confidence: float = 0.0
    crisp: float = 0.5


def evened(picture: np.ndarray) -> np.ndarray:
    """Returns the picture in gray with the same contrast everywhere, so that faint lettering stands out as clear one.

    Args:
        picture: (H, W, 3) uint8 RGB

    Returns:
        (H, W, 3) uint8, three equal channels, 128 where the picture is as bright as its surroundings
    """
    import cv2

    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    sigma = max(1.0, _REACH * max(luma.shape))
    detail = luma - cv2.GaussianBlur(luma, (0, 0), sigma)
    contrast = np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), sigma))
    gray = (128 + 40 * detail / (contrast + _FLOOR)).clip(0, 255).astype(np.uint8)
    return np.repeat(gray[..., None], 3, 2)


def lines_of(picture: np.ndarray, ocr: Ocr) -> list[LineCandidate]:
    """Returns the lines of lettering in a (H, W, 3) uint8 RGB picture, not read yet, at most ``MOST_LINES``."""
    import cv2

    scale = LONG_SIDE / max(picture.shape[:2])
    how = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=how) if scale != 1 else picture
    even = evened(small)
    clear = _likely(ocr.regions(small, LONG_SIDE), min(small.shape[:2]))
    faint = _likely(ocr.regions(even, LONG_SIDE), min(small.shape[:2]))
    faint = [region for region in faint if not any(same_place(region, old) for old in clear)]
    regions = ([(region, False) for region in clear] + [(region, True) for region in faint])[:MAX_LINES]
    every = [region for region, _ in regions]
    candidates = []
    for (region, is_faint), same, alike in zip(regions, _twins(even, every), mates(every), strict=True):
        own = Region(region.corners / np.float32(scale), region.confidence)
        ink, plate = ink_of(small, region), plate_of(small, region)
        line = LineCandidate(own, is_faint, ink, plate, same, alike, crisp=crispness(picture, own))
        candidates.append(line)
    return candidates


def _likely(regions: Sequence[Region], short: int) -> list[Region]:
    """The regions that can be lines, upright ones turned to the side; a whole animal is often taken for a letter."""
    sideways = [turns(region)[1] if region.height >= 1.8 * region.width else region for region in regions]
    return [line for line in sideways if line.height <= _TALLEST * short and line.width >= _MIN_ASPECT * line.height]


def _twins(even: np.ndarray, regions: Sequence[Region]) -> list[int]:
    """For each line how many others have its shape: its size, its slant and its pixels."""
    import cv2

    shapes = []
    for region in regions:
        line = cv2.resize(cut(even, region, 0.1)[..., 0], _SHAPE, interpolation=cv2.INTER_AREA).astype(np.float32)
        line = cv2.GaussianBlur(line, (0, 0), 1.5)
        line -= line.mean(1, keepdims=True)  # any two lines are dark in the middle rows
        shapes.append(line.ravel() / (float(np.linalg.norm(line)) + 1e-6))
    counts = []
    for at, region in enumerate(regions):
        same = 0
        for other, neighbor in enumerate(regions):
            if other == at:
                continue
            sizes = (region.height / max(1e-3, neighbor.height), region.width / max(1e-3, neighbor.width))
            alike = all(0.75 < size < 1.33 for size in sizes) and abs(slant(region) - slant(neighbor)) < 8
            same += alike and float(shapes[at] @ shapes[other]) > _SAME_SHAPE
        counts.append(same)
    return counts


def mates(regions: Sequence[Region]) -> list[int]:
    """Returns for each line how many others have its height within 25 % and its slant within 4 degrees."""
    heights = np.array([region.height for region in regions])
    slants = np.array([slant(region) for region in regions])
    return [
        int(((np.abs(np.log(heights / max(1e-3, own) + 1e-6)) < 0.223) & (np.abs(slants - angle) < 4)).sum()) - 1
        for own, angle in zip(heights, slants, strict=True)
    ]


def slant(region: Region) -> float:
    """Returns the direction of a line in degrees, in (-90, 90]; 0 is level, positive falls to the right.

    >>> round(slant(Region(np.array([[0, 0], [10, 10], [8, 12], [-2, 2]], np.float32), 1.0)), 3)
    45.0
    """
    along = region.corners[1] - region.corners[0]
    angle = float(np.degrees(np.arctan2(along[1], along[0])))
    return angle - 180 if angle > 90 else angle + 180 if angle <= -90 else angle


def read_lines(picture: np.ndarray, ocr: Ocr, lines: Sequence[LineCandidate]) -> list[LineCandidate]:
    """Returns the lines with what is written there; upright ones in the one of both directions that reads better."""
    ways = [[line.region, *_upside_down(line.region)] for line in lines]
    seen = iter(ocr.posteriors([cut(picture, region, 0.1) for way in ways for region in way]))
    alphabet = ocr.alphabet("any")
    read = []
    for line, way in zip(lines, ways, strict=True):
        text, confidence = max(
            (alphabet.greedy(next(seen)) for _ in way), key=lambda reading: (bool(reading[0]), reading[1])
        )
        read.append(replace(line, text=text, confidence=float(confidence) if text else 0.0))
    return read


def _upside_down(region: Region) -> list[Region]:
    """The other direction of an upright line: nothing says which way it is written."""
    return [replace(region, corners=np.roll(region.corners, 2, axis=0))] if abs(slant(region)) > 60 else []
