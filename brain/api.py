"""The public names: ``import loupe`` offers just these. Each verb stands in its own file in brain/verbs/."""

from __future__ import annotations

from loupe.brain.core import errors
from loupe.brain.core.errors import LoupeError
from loupe.brain.core.records import (
    Duplicates,
    Flags,
    Leaks,
    Memorized,
    Outliers,
    Progress,
    Rate,
    Run,
    Slice,
    Threshold,
)
from loupe.brain.stats.calibration import Calibration
from loupe.brain.verbs.calibrate import calibrate
from loupe.brain.verbs.check import check
from loupe.brain.verbs.embed import embed
from loupe.brain.verbs.find_copies import find_copies
from loupe.brain.verbs.find_duplicates import find_duplicates
from loupe.brain.verbs.find_leaks import find_leaks
from loupe.brain.verbs.find_memorized import find_memorized
from loupe.brain.verbs.find_outliers import find_outliers
from loupe.brain.verbs.flag import flag
from loupe.brain.verbs.generate import generate
from loupe.brain.verbs.import_images import import_images
from loupe.brain.verbs.scores import scores
from loupe.brain.verbs.slice import slice

__all__ = [
    "Calibration",
    "Duplicates",
    "Flags",
    "Leaks",
    "LoupeError",
    "Memorized",
    "Outliers",
    "Progress",
    "Rate",
    "Run",
    "Slice",
    "Threshold",
    "calibrate",
    "check",
    "embed",
    "errors",
    "find_copies",
    "find_duplicates",
    "find_leaks",
    "find_memorized",
    "find_outliers",
    "flag",
    "generate",
    "import_images",
    "scores",
    "slice",
]
