"""Hostile input: files of every format, metadata, prompts, tables, names and answers, changed by chance and on purpose.

python -m benchmarks.fuzz run --number 100000    # resumable; what is wrong is kept with its input
python -m benchmarks.fuzz one 4711               # a case again, with what it raises
python -m benchmarks.fuzz shown --rounds 3       # panels, forms, dialogs, pages, records of hostile names
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.commands import Family
from benchmarks.fuzz import app
from benchmarks.fuzz.campaign import DEFAULT, print_campaign


def family() -> Family:
    """Returns the commands."""
    made = Family("fuzz", __doc__)
    run = made.command(
        "run",
        lambda given: print_campaign(given.seed, given.number, given.folder, given.workers, given.minutes),
        "many cases, resumable: dead, hung, over memory, executed, escaped",
    )
    run.add_argument("--number", type=int, default=2000, metavar="N", help="cases")
    run.add_argument("--seed", type=int, default=0)
    run.add_argument("--folder", type=Path, default=DEFAULT, help="where results and wrong inputs are kept")
    run.add_argument("--workers", type=int, help="processes; the number of cores by default")
    run.add_argument("--minutes", type=float, metavar="M", help="begin no further case after that")
    again = made.command("one", lambda given: print_case(given.seed, given.case, given.keep), "one case again")
    again.add_argument("case", type=int)
    again.add_argument("--seed", type=int, default=0)
    again.add_argument("--keep", type=Path, help="a folder for its input")
    shown = made.command(
        "shown",
        lambda given: app.print_rounds(given.seed, given.rounds, given.panels),
        "every panel, form, dialog, page and record of a dataset whose owner gives everything a hostile name",
    )
    shown.add_argument("--rounds", type=int, default=1, metavar="N", help="datasets, some minutes each")
    shown.add_argument("--seed", type=int, default=0)
    shown.add_argument("--panels", nargs="*", help="only these panels, and no operator")
    return made


def print_case(seed: int, number: int, keep: Path | None = None) -> None:
    """Tries a case in this process: what it raises is shown whole."""
    from benchmarks.fuzz import kinds

    with tempfile.TemporaryDirectory() as name:
        place = Path(name) if keep is None else keep
        place.mkdir(parents=True, exist_ok=True)
        print(kinds.KINDS[kinds.kind_of(number)].try_it(np.random.default_rng([seed, number]), place))


if __name__ == "__main__":
    sys.exit(family().main())
