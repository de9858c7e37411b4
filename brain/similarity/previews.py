"""Larger previews of the few pictures that look like duplicates on their thumbnails, read again from their files."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

import numpy as np

from loupe.brain.core.errors import ReadError

#: no side of a preview is longer: the lines of a page are 8 pixels high there
SIDE = 512
#: how many are held: 0.8 MB each at most
_HELD = 96


class Previews:
    """Previews by index, the last ones held. Threads may share it."""

    def __init__(self, load: Callable[[int], np.ndarray | None], held: int | None = None) -> None:
        """Takes what gives the preview of an index, or None where there is none, and how many are held."""
        self._load = load
        self._max = _HELD if held is None else held
        self._held: OrderedDict[int, np.ndarray | None] = OrderedDict()
        self._lock = Lock()

    def __getitem__(self, index: int) -> np.ndarray | None:
        """Returns the (h, w, 3) uint8 preview, no side longer than 512; None where there is none."""
        with self._lock:
            if index in self._held:
                self._held.move_to_end(index)
                return self._held[index]
        made = self._load(index)
        with self._lock:
            self._held[index] = made
            while len(self._held) > self._max:
                self._held.popitem(last=False)
        return made


def preview(pixels: np.ndarray) -> np.ndarray:
    """Returns a (H, W, 3) uint8 picture with each side scaled down to at most 512 pixels, for itself."""
    import cv2

    height, width = pixels.shape[:2]
    size = min(width, SIDE), min(height, SIDE)
    return np.ascontiguousarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))


def of_file(path: str) -> np.ndarray | None:
    """Returns the preview of an image file; None where it cannot be read any more."""
    from loupe.brain.engine.reader import read

    try:
        return preview(read(path, SIDE).pixels)
    except ReadError:
        return None
