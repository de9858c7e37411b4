"""How well the composition check tells pictures that keep to their prompt from those that do not.

    python -m benchmarks.composition rules DATA       GenEval's and T2I-CompBench's rules, implemented a second time
    python -m benchmarks.composition spatial DATA     relations against human verdicts
    python -m benchmarks.composition presence DATA    is it there: YOLOX-nano on photos that do and do not show it
    python -m benchmarks.composition pictures DATA    ten generated pictures, end to end
    python -m benchmarks.composition extra DATA       photos: people and animals that nobody asked for
    python -m benchmarks.composition colors           the names of the XKCD colour survey
    python -m benchmarks.composition fit DATA         the coefficients of measures/composition/calibrated.py, fitted anew

DATA is a folder that holds what each of them names in its file. Intervals are Wilson's at 95 %.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from benchmarks.composition.colors import colors
from benchmarks.composition.extra import extra
from benchmarks.composition.fit import fit
from benchmarks.composition.pictures import pictures
from benchmarks.composition.presence import presence
from benchmarks.composition.rules import rules
from benchmarks.composition.spatial import spatial

COMMANDS: dict[str, Callable[[Path], None]] = {
    "rules": rules, "spatial": spatial, "presence": presence, "pictures": pictures, "extra": extra, "colors": colors,
    "fit": fit,
}  # fmt: skip


def main() -> None:
    """Runs one part, or all of them."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.composition",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("part", choices=(*COMMANDS, "all"))
    parser.add_argument("data", type=Path, nargs="?", default=Path("../shared/data"))
    given = parser.parse_args()
    for name in COMMANDS if given.part == "all" else (given.part,):
        COMMANDS[name](given.data)


if __name__ == "__main__":
    main()
