"""OpenCV where it is installed: the engine, the pixel checks and the generators run without it, too."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def opencv() -> Any:
    """Returns the module cv2; None where it is not installed."""
    try:
        import cv2
    except ImportError:
        return None
    return cv2
