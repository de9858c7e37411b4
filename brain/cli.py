"""The command ``loupe``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from loupe import __version__
from loupe.brain.core.errors import LoupeError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit status: 0, 1 after an error of Loupe's, 2 after a wrong argument."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.command is None:
        parser.print_help()
        return 2
    try:
        return _weights(given) if given.command == "weights" else _worker(given)
    except LoupeError as error:
        print(f"loupe {given.command}: {error}", file=sys.stderr)
        return 1


def _worker(given: argparse.Namespace) -> int:
    from loupe.brain import worker  # imports fiftyone, which takes seconds

    worker.configure_logging()
    return worker.run(
        device=given.device, name=given.name, once=given.once, poll=given.poll, dead_after=given.dead_after
    )


def _weights(given: argparse.Namespace) -> int:
    from loupe.brain.perception import weights, weights_table

    names = list(weights_table.TABLE) if given.names in ([], ["all"]) else given.names
    if given.action == "list":
        print(weights.as_text())
    elif given.action == "verify":
        for name, file in weights.verify(names).items():
            print(f"{name}: {file or 'not here'}")
    else:
        for name in names:
            print(weights.get(name, progress=lambda message: print(message, file=sys.stderr)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="loupe", description="Finds the flaws in image datasets, generated ones first."
    )
    parser.add_argument("--version", action="version", version=f"loupe {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command")
    worker = commands.add_parser(
        "worker",
        help="run what the App schedules",
        description="Runs the operations of Loupe that were scheduled in FiftyOne's App. It needs the same database "
        "and the same image files as the App. SIGTERM stops it after the current batch, and what it was running goes "
        "back into the queue.",
    )
    worker.add_argument("--device", help="e.g. cuda:1; the best there is by default")
    worker.add_argument("--name", help="what the App calls it; the host's name by default")
    worker.add_argument("--once", action="store_true", help="end when the queue is empty")
    worker.add_argument("--poll", type=float, default=0.5, metavar="SECONDS", help="between two looks at the queue")
    worker.add_argument(
        "--dead-after",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="of its silence, after which others take up its job",
    )
    weights = commands.add_parser(
        "weights",
        help="list, get or verify model files",
        description="Lists the model files that some checks need, downloads them into the cache (LOUPE_WEIGHTS; "
        "~/.cache/loupe/weights by default), or reads the cached ones again and compares them with their hashes. "
        "LOUPE_WEIGHTS_DIRS names further folders to look in. Nothing else in Loupe downloads them.",
    )
    weights.add_argument("action", choices=["list", "get", "verify"])
    weights.add_argument("names", nargs="*", metavar="name", help="of the list; all if none is named")
    return parser


if __name__ == "__main__":
    sys.exit(main())
