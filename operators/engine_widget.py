"""Where a verb reads its files: asked where there is more than this machine."""

from __future__ import annotations

import importlib.util

from loupe.operators.widgets import Choice

#: the parameter
ENGINE = "engine"
ENGINES = Choice(
    lambda _: {
        "local": ("This machine", "The one that runs the job: the App's, or a worker's"),
        "ray": ("A Ray cluster", "The one that RAY_ADDRESS names there; without it, processes of that machine"),
    },
    description="Where the pictures are read and judged, or drawn",
)


def is_offered() -> bool:
    """Returns whether there is a choice."""
    return importlib.util.find_spec("ray") is not None
