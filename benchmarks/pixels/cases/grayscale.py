"""Cases of grayscale."""

from __future__ import annotations

import numpy as np

from benchmarks.pixels.changes import chain, gain, gray, haze, jpeg, on_gray

DEFECTS = {"gray, as JPEG of quality 50": chain(gray, jpeg(50)), "gray, dark (gain 0.25)": chain(gray, gain(0.25))}
NEGATIVES = {"haze 0.4": haze(0.4), "dark (gain 0.25)": gain(0.25), "color on 2 % of it": on_gray(0.02)}


def is_clean(photo: np.ndarray) -> bool:
    """Returns whether there is any color: photos taken in black and white are no clean ones."""
    return bool((photo.max(2).astype(int) - photo.min(2)).max() > 20)
