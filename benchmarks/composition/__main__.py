"""How well the composition check tells pictures that keep to their prompt from those that do not.

    python -m benchmarks.composition rules        GenEval's and T2I-CompBench's rules, implemented a second time
    python -m benchmarks.composition spatial      relations against human verdicts
    python -m benchmarks.composition presence     is it there: YOLOX-nano on photos that do and do not show it
    python -m benchmarks.composition detectors    NanoDet beside YOLOX-nano, which it stands in for
    python -m benchmarks.composition pictures     ten generated pictures, end to end
    python -m benchmarks.composition extra        photos: people and animals that nobody asked for
    python -m benchmarks.composition colors       the names of the XKCD color survey
    python -m benchmarks.composition fit          the coefficients of measures/composition/calibrated.py, fitted anew
    python -m benchmarks.composition all

Intervals are Wilson's at 95 %.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from benchmarks.commands import Family, each
from benchmarks.composition.colors import colors
from benchmarks.composition.detectors import detectors
from benchmarks.composition.extra import extra
from benchmarks.composition.fit import fit
from benchmarks.composition.pictures import pictures
from benchmarks.composition.presence import presence
from benchmarks.composition.rules import rules
from benchmarks.composition.spatial import spatial

COMMANDS: dict[str, tuple[Callable[[], None], str]] = {
    "rules": (rules, "GenEval's and T2I-CompBench's rules, implemented a second time"),
    "spatial": (spatial, "relations against human verdicts"),
    "presence": (presence, "is it there: photos that do and do not show it"),
    "detectors": (detectors, "NanoDet beside YOLOX-nano, which it stands in for"),
    "pictures": (pictures, "ten generated pictures, end to end"),
    "extra": (extra, "people and animals that nobody asked for"),
    "colors": (colors, "the names of the XKCD color survey"),
    "fit": (fit, "the coefficients of measures/composition/calibrated.py, fitted anew"),
}


def family() -> Family:
    """Returns the commands."""
    made = Family("composition", __doc__)
    for name, (part, description) in COMMANDS.items():
        made.command(name, lambda given, part=part: part(), description)
    made.command("all", lambda _: each(*(part for part, _ in COMMANDS.values())), "all of them")
    return made


if __name__ == "__main__":
    sys.exit(family().main())
