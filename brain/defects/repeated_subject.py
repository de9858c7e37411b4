"""The subject, drawn again beside itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from loupe.brain.core.specs import Defect
from loupe.brain.imaging.window_selection import busiest

#: share of the sides that the subject takes up
_MIN_SIDE, _MAX_SIDE = 0.15, 0.35
#: how often a copy is mirrored
_MIRRORED = 0.3


def near_copy(subject: np.ndarray, change: float, rng: np.random.Generator) -> np.ndarray:
    """Returns the subject drawn again, not quite the same: (H, W, 3) float32 in 0 ... 255, of its own size.

    It is scaled by up to ``change`` %, bent by half of that at the most, up to 1.5 times ``change`` % brighter or
    darker, noisy, and mirrored now and then.

    Args:
        subject: (H, W, 3) uint8
        change: in %
        rng: decides within these bounds
    """
    import cv2

    height, width = subject.shape[:2]
    share = change / 100
    scale = 1 + rng.uniform(-share, share)
    # a smooth random field of shifts: what is drawn again is not a rigid copy
    bend = rng.uniform(-1, 1, (2, 4, 4)).astype(np.float32) * share / 2 * min(height, width) / 2
    shifts = [cv2.resize(field, (width, height), interpolation=cv2.INTER_CUBIC) for field in bend]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    x, y = (x - width / 2) / scale + width / 2 + shifts[0], (y - height / 2) / scale + height / 2 + shifts[1]
    if rng.random() < _MIRRORED:
        x = width - 1 - x
    copy = cv2.remap(subject, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT).astype(np.float32)
    copy *= 1 + rng.uniform(-1.5, 1.5) * share
    return copy + rng.normal(0, 255 * share / 8, copy.shape).astype(np.float32)


@dataclass(frozen=True)
class RepeatedSubject(Defect):
    """A near copy of the busiest part of the picture, an oval or rectangle with a soft edge, at another place."""

    name: ClassVar[str] = "repeated_subject"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "Copy-move with changes, as in Christlein et al., IEEE Trans. IFS 7 (2012)"
    license: ClassVar[str] = "Apache-2.0"
    unit: ClassVar[str] = "likeness: 100 less the change in %"
    severities: ClassVar[tuple[float, ...]] = (85, 90, 95, 98)

    def inject(self, pixels: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
        import cv2

        height, width = pixels.shape[:2]
        wide, high = (max(1, round(rng.uniform(_MIN_SIDE, _MAX_SIDE) * side)) for side in (width, height))
        x, y = busiest(pixels, wide, high)
        left = int(np.clip(x - wide / 2, 0, width - wide))
        top = int(np.clip(y - high / 2, 0, height - high))
        subject = pixels[top : top + high, left : left + wide]
        # anywhere it does not cover the first one; there is always room, since it is a third of the picture at most
        while True:
            x, y = int(rng.integers(0, width - wide + 1)), int(rng.integers(0, height - high + 1))
            if abs(x - left) >= wide or abs(y - top) >= high or min(width, height) < 4:
                break
        copy = near_copy(subject, 100 - severity, rng)
        across = (np.arange(wide) + 0.5) / wide * 2 - 1
        down = ((np.arange(high) + 0.5) / high * 2 - 1)[:, None]
        inner = 0.9
        inside = np.hypot(across, down) if rng.random() < 0.5 else np.maximum(np.abs(across), np.abs(down))
        mask = (inside <= inner).astype(np.float32)
        mask = cv2.GaussianBlur(mask, (0, 0), max(0.5, 0.04 * min(wide, high)))[..., None]
        drawn = pixels.astype(np.float32)
        place = drawn[y : y + high, x : x + wide]
        place += mask * (copy - place)
        return drawn.round().clip(0, 255).astype(np.uint8)
