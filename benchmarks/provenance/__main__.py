"""Metadata of generated pictures.

python -m benchmarks.provenance metadata    prompts, seed, model: right, wrong, unknown, beside sd-parsers
python -m benchmarks.provenance speed       10,000 files, and what looking for hidden texts costs
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.commands import Family
from benchmarks.provenance import metadata


def family() -> Family:
    """Returns the commands."""
    made = Family("provenance", __doc__)

    def speed(given: argparse.Namespace) -> None:
        metadata.print_speed(given.count)

    made.command("metadata", lambda given: metadata.print_table(given.rounds), "how right they are read").add_argument(
        "--rounds", type=int, default=8, help="how often each layout is written, with other facts"
    )
    made.command("speed", speed, "how long it takes").add_argument("--count", type=int, default=10_000, help="files")
    return made


if __name__ == "__main__":
    sys.exit(family().main())
