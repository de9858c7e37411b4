"""What a page of docs/checks is made of: its cases, and what can be done to a picture beside putting a flaw in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Pixels = np.ndarray

#: the sections of a page in their order, with the sentence under the heading
SECTIONS = {
    "Finds": "The flaw is there, and the score is on the wrong side of the default threshold.",
    "Misses": "The flaw is there, and the score passes.",
    "Abstains": "The check says *unknown*, and why.",
    "Flags wrongly": "The picture has no such flaw, and the score fails all the same.",
}


@dataclass(frozen=True)
class Case:
    """One picture of a page.

    Attributes:
        section: where it belongs, one of ``SECTIONS``
        failure: the failure mode that is asked about
        picture: its name, see pages.pictures
        note: one sentence: what there is to see
        defect, severity, seed: a flaw that is put in
        prompt: what the picture is said to show; ours, unless the note says otherwise
        change: what else is done to the picture, as the note says
        pair: whether the picture before and after the flaw or the change are compared: duplicates
        other: the second picture of a pair, where it is not a changed copy
    """

    section: str
    failure: str
    picture: str
    note: str
    defect: str = ""
    severity: float = 0
    seed: int = 0
    prompt: str = ""
    change: Callable[[Pixels], Pixels] | None = None
    pair: bool = False
    other: str = ""


@dataclass(frozen=True)
class Group:
    """One page: its heading, what is judged and how, and its pictures."""

    title: str
    text: str
    cases: tuple[Case, ...]


def shrunk(side: int) -> Callable[[Pixels], Pixels]:
    """Returns a change: the long side scaled down to that many pixels."""

    def change(pixels: Pixels) -> Pixels:
        import cv2

        scale = side / max(pixels.shape[:2])
        return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)

    return change


def cut(left: float, top: float, right: float, bottom: float) -> Callable[[Pixels], Pixels]:
    """Returns a change: the part between these shares of the width and of the height."""

    def change(pixels: Pixels) -> Pixels:
        height, width = pixels.shape[:2]
        rows, columns = slice(int(top * height), int(bottom * height)), slice(int(left * width), int(right * width))
        return np.ascontiguousarray(pixels[rows, columns])

    return change


def mirrored(pixels: Pixels) -> Pixels:
    return np.ascontiguousarray(pixels[:, ::-1])


def same(pixels: Pixels) -> Pixels:
    return pixels.copy()


def with_corner(share: float) -> Callable[[Pixels], Pixels]:
    """Returns a change: a white plate with a blue ring in the lower right corner, that share of the sides."""

    def change(pixels: Pixels) -> Pixels:
        import cv2

        made = pixels.copy()
        height, width = (round(share * side) for side in made.shape[:2])
        made[-height:, -width:] = 245
        center = (made.shape[1] - width // 2, made.shape[0] - height // 2)
        cv2.circle(made, center, height // 3, (20, 60, 160), max(2, height // 10))
        return made

    return change


def turned(degrees: float) -> Callable[[Pixels], Pixels]:
    """Returns a change: the picture turned by so many degrees, its borders mirrored."""

    def change(pixels: Pixels) -> Pixels:
        import cv2

        height, width = pixels.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
        return cv2.warpAffine(pixels, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)

    return change
