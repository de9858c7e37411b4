"""What Loupe does on a GPU, in one command of less than eight minutes: parity, speed, where the time goes, memory.

    python -m benchmarks.gpu                        # all parts, on the first GPU; on the CPU where there is none
    python -m benchmarks.gpu --json out.json        # the rows as JSON, too; the file is whole after each row
    python -m benchmarks.gpu --parts parity speed   # some parts
    python -m benchmarks.gpu --device cpu --small   # a rehearsal of a minute or two

It needs torch, torchvision, numpy, scipy and Pillow, no network, no FiftyOne. What else is not installed is left out,
and a row says what and why. Each part runs in a process of its own for so long at most, so that one that fails, hangs
or breaks the device costs no other part its figures.

Small wheels can be carried along in a folder, .gpu by default, and the contract's pictures, whose flaws OpenCV draws:

    python -m benchmarks.gpu --prepare              # writes .gpu/pictures.npz here, where OpenCV is installed
    pip install --target .gpu/site --no-deps --only-binary=:all: --python-version 3.12 \
        --platform manylinux_2_28_x86_64 --platform manylinux2014_x86_64 \
        simplejpeg diffusers requests urllib3 idna charset-normalizer certifi importlib-metadata zipp
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.gpu.parts import PARTS, TOTAL

CARRIED = Path(__file__).resolve().parents[2] / ".gpu"


class Command:
    """The command.

    Attributes:
        parser: of its arguments
    """

    def __init__(self) -> None:
        self.parser = argparse.ArgumentParser(
            prog="python -m benchmarks.gpu", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        add = self.parser.add_argument
        add("--device", default="", help='"cuda", "cuda:1", "cpu"; the best there is by default')
        add("--parts", nargs="+", choices=list(PARTS), metavar="PART", help=f"some of: {', '.join(PARTS)}")
        add("--json", type=Path, metavar="PATH", help="write the rows as JSON, too")
        add("--small", action="store_true", help="small sizes: a rehearsal, whose figures say nothing of speed")
        add("--total", type=float, default=TOTAL, metavar="SECONDS", help=f"for all parts; {TOTAL:.0f} by default")
        add("--carried", type=Path, default=CARRIED, metavar="FOLDER", help="what was carried along; .gpu by default")
        add("--prepare", action="store_true", help="write the contract's pictures into that folder, and end")
        add("--part", choices=list(PARTS), help=argparse.SUPPRESS)  # this process is that part

    def main(self, arguments: Sequence[str] | None = None) -> int:
        """Runs it, and returns the exit status: 1 where a part failed or was not finished."""
        given = self.parser.parse_args(arguments)
        if given.prepare:
            from benchmarks.gpu.parity import prepare

            prepare(given.carried)
            return 0
        if given.part:
            from benchmarks.gpu.report import run_part

            run_part(given.part, given.device, given.small, given.total, given.carried)
            return 0
        from benchmarks.gpu.parent import run_all

        return run_all(given.parts or list(PARTS), given)


def family() -> Command:
    """Returns the command."""
    return Command()


if __name__ == "__main__":
    sys.exit(family().main())
