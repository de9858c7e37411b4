"""How a family of benchmarks runs: ``python -m benchmarks.<family> <command>``."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import data
from benchmarks.figures import machine

Run = Callable[[argparse.Namespace], None]


class Family:
    """The commands of one family.

    Args:
        name: of its folder
        doc: what ``--help`` says
    """

    def __init__(self, name: str, doc: str | None) -> None:
        self.parser = argparse.ArgumentParser(
            prog=f"python -m benchmarks.{name}", description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        self._commands = self.parser.add_subparsers(dest="command", required=True, metavar="command")

    def command(self, name: str, run: Run, description: str) -> argparse.ArgumentParser:
        """Adds a command, and returns its parser for further arguments.

        Args:
            name: the word to call it by
            run: what it does; gets the parsed arguments
            description: one line for ``--help``
        """
        parser = self._commands.add_parser(name, help=description, description=description)
        parser.add_argument("--data", type=Path, help="the folder of the data; else $LOUPE_DATA, else ../shared/data")
        parser.set_defaults(run=run)
        return parser

    def main(self, arguments: Sequence[str] | None = None) -> int:
        """Runs a command, says on which machine it ran, and returns the exit status: 1 where its data are missing."""
        given = self.parser.parse_args(arguments)
        if given.data:
            data.use(given.data)
        started = time.perf_counter()
        try:
            given.run(given)
        except data.MissingData as error:
            print(error, file=sys.stderr)
            return 1
        print(f"\n{machine()}; {time.perf_counter() - started:.0f} s")
        return 0


def each(*parts: Callable[[], None]) -> None:
    """Runs one part after another, and says which are left out because their data are missing."""
    for part in parts:
        try:
            part()
        except data.MissingData as error:
            print(f"\nSKIPPED: {error}")
