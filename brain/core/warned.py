"""Warnings that point to the line of whoever called Loupe, however deep inside it they arise."""

from __future__ import annotations

import sys
import warnings

#: whose frames stand between a caller and a warning of Loupe's
_BETWEEN = ("loupe", "contextlib", "functools")


def warn(text: str, category: type[Warning] = UserWarning) -> None:
    """Warns as ``warnings.warn`` does, in the name of the nearest line outside of Loupe.

    Args:
        text: what to say
        category: the kind of warning
    """
    frame, level = sys._getframe(1), 2
    while frame.f_back and str(frame.f_globals.get("__name__")).partition(".")[0] in _BETWEEN:
        frame, level = frame.f_back, level + 1
    warnings.warn(text, category, stacklevel=level)
