"""OpenCV where it is installed: the engine, the pixel checks and the generators run without it, too."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


@cache
def opencv() -> Any:
    """Returns the module cv2; None where it is not installed."""
    try:
        import cv2
    except ImportError:
        return None
    return cv2


def by_opencv(values: Tensor) -> bool:
    """Returns whether OpenCV does the work on a tensor: on the CPU, where it is installed."""
    return values.device.type == "cpu" and opencv() is not None
