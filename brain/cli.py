"""The command ``loupe``."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from loupe import __version__
from loupe.brain.core.errors import InputError, LoupeError
from loupe.brain.core.results import Rate, Rates
from loupe.brain.core.shown import plain

#: what a shell expects of a command that was stopped by Ctrl+C
_STOPPED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns the exit status: 0, 1 after an error of Loupe's, 2 after a wrong argument, 130 after
    Ctrl+C."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.command is None:
        parser.print_help()
        return 2
    try:
        return _COMMANDS[given.command](given)
    except LoupeError as error:
        _say(f"loupe {given.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        message = "stopped by you. What was done so far is kept; the same command goes on from there"
        _say(f"loupe {given.command}: {message}", file=sys.stderr)
        return _STOPPED
    except BrokenPipeError:  # whoever read it, as in loupe ... | head, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _check(given: argparse.Namespace) -> int:
    from loupe.brain import api

    api.check  # noqa: B018  imports fiftyone, which takes seconds; where it is not installed, it says so
    from loupe.brain.report import files
    from loupe.brain.store import named, overview
    from loupe.brain.verbs.check import picked
    from loupe.brain.verbs.report import FORMS

    if not given.folder:  # a variable of a shell that is not set: not the folder that one happens to be in
        raise InputError("expected a folder of images, got an empty text: give its path, or . for this one")
    folder = Path(given.folder).expanduser()
    if not folder.is_dir():
        raise InputError(f"expected a folder of images, got {'a file' if folder.exists() else 'nothing'} at {folder}")
    # before the work, not after it
    picked(given.checks)
    if given.report:
        files.place(given.report, *FORMS)
    name = given.dataset or named.of_folder(folder)
    with named.not_for_nothing(name):
        dataset = named.opened(name)
        api.import_images(dataset, folder, prompts=given.prompts)
    run = api.check(dataset, given.checks, progress=not given.quiet)
    for name, reason in run.messages.items():
        _say(f"{name}: {reason}", file=sys.stderr)
    table = by_rate(api.slice(dataset, [])).table()
    _say(table.text())
    for note in overview.notes(dataset):
        _say(note)
    if given.report:
        path = api.report(dataset, given.report, title=f"{folder}", progress=not given.quiet)
        _say(f"the report: {path}", file=sys.stderr)
    _say(f"to see the pictures: fiftyone app launch {shlex.quote(dataset.name)}", file=sys.stderr)
    return 0


def by_rate(rates: Sequence[Rate]) -> Rates:
    """Returns rates, the highest first; what nobody judged stands at the end."""
    return Rates(sorted(rates, key=lambda rate: (-rate.rate if rate.n else 1.0, rate.failure)))


def _experiment(given: argparse.Namespace) -> int:
    from loupe.brain import api

    api.experiment  # noqa: B018  imports fiftyone, which takes seconds; where it is not installed, it says so
    from loupe.brain.store import named
    from loupe.brain.store.experiment import plan_file as experiment_file

    plan = experiment_file.read(Path(given.plan))
    with named.not_for_nothing(plan["dataset"]):
        return _run_experiment(given, plan)


def _run_experiment(given: argparse.Namespace, plan: Mapping[str, Any]) -> int:
    from loupe.brain import api
    from loupe.brain.store.experiment import plan_file as experiment_file

    stays = not given.dry_run or given.measure > 0
    dataset, real_train, real_test = experiment_file.opened(plan, stays=stays)
    arguments = {name: value for name, value in plan.items() if name not in ("dataset", "real_train", "real_test")}
    if given.report:
        arguments["report"] = given.report
    run = partial(api.experiment, dataset, real_train, real_test, **arguments)
    planned = run(dry_run=True, measure=given.measure, progress=bool(given.measure) and not given.quiet)
    if given.dry_run:
        _say(planned)
        return 0
    _say(planned, file=sys.stderr)
    made = run(progress=not given.quiet)
    _say(made)
    if "report" in arguments:
        _say(f"the report: {arguments['report']}", file=sys.stderr)
    _say(f"to see the pictures: fiftyone app launch {shlex.quote(dataset.name)}", file=sys.stderr)
    return 0


def _worker(given: argparse.Namespace) -> int:
    from loupe.brain.worker import supervise  # imports fiftyone, which takes seconds

    supervise.configure_logging()
    return supervise.run(
        device=given.device,
        name=given.name,
        once=given.once,
        poll=given.poll,
        dead_after=given.dead_after,
        grace=given.grace,
        max_memory=given.max_memory,
    )


def _workers(given: argparse.Namespace) -> int:
    from loupe.brain.store import jobs, workers  # imports fiftyone, which takes seconds

    alive = workers.workers_with_status()
    if given.json:
        _say(json.dumps([{**asdict(worker), **asdict(status)} for worker, status in alive], indent=2))
    else:
        _say(workers.as_text(alive, __version__, jobs.waiting()))
    return 0 if alive else 1


def _weights(given: argparse.Namespace) -> int:
    from loupe.brain.perception import weights

    names = None if given.names in ([], ["all"]) else given.names
    if given.action == "list":
        _say(weights.as_text())
    elif given.action == "verify":
        for name, file in weights.verify(names).items():
            _say(f"{name}: {file or 'not here'}")
    else:
        for file in weights.get_all(names, progress=lambda message: _say(message, file=sys.stderr)):
            _say(file)
    return 0


def _doctor(given: argparse.Namespace) -> int:
    from loupe.brain.doctor.examine import examine

    made = examine()
    _say(json.dumps(made.to_dict(), indent=2) if given.json else made.text())
    return 0 if made.works else 1


def _say(text: object, file: TextIO | None = None) -> None:
    """Prints; what a terminal would take for an order is written out: names, prompts and reasons are not ours."""
    print(plain(text), file=file)


_COMMANDS = {
    "check": _check,
    "doctor": _doctor,
    "experiment": _experiment,
    "weights": _weights,
    "worker": _worker,
    "workers": _workers,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="loupe", description="Finds the flaws in image datasets, generated ones first."
    )
    parser.add_argument("--version", action="version", version=f"loupe {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command")
    check = commands.add_parser(
        "check",
        help="check the images of a folder",
        description="Puts the images of a folder into a FiftyOne dataset that stays, checks them, and prints how often "
        "each failure occurs. A second time it checks what is new or has changed.",
    )
    check.add_argument("folder", help="the images, in folders inside of it, too")
    check.add_argument("--report", metavar="FILE", help="write a report as well: .html, .md or .json")
    check.add_argument(
        "--checks", nargs="+", metavar="NAME", help="checks, failures such as blur, or quick, photos, generated, all"
    )
    check.add_argument("--prompts", metavar="FILE", help="a table with the prompt of each image")
    check.add_argument("--dataset", metavar="NAME", help="which dataset; one of the folder's own by default")
    check.add_argument("--quiet", action="store_true", help="show no progress")
    experiment = commands.add_parser(
        "experiment",
        help="draw sets by several models and prompts, and see which trains best",
        description="Draws a set for each model, prompt style and guidance of a plan, checks them, compares them with "
        "real images, and trains and tests on them: see docs/experiment.md. It says first how many images that are, "
        "how long they take and what they cost. The same command goes on from where one ended.",
    )
    experiment.add_argument("plan", help="a .toml file")
    experiment.add_argument("--dry-run", action="store_true", help="only say what would be drawn")
    experiment.add_argument(
        "--measure",
        type=int,
        default=0,
        metavar="N",
        help="draw N images of each arm first, to tell how long one takes",
    )
    experiment.add_argument("--report", metavar="FILE", help="write a page of what came of it: .html or .md")
    experiment.add_argument("--quiet", action="store_true", help="show no progress")
    doctor = commands.add_parser(
        "doctor",
        help="say what is installed, what is missing, and how to get it",
        description="Looks at packages, FiftyOne's database, the plugin, the device, model files and API keys (whether "
        "they are set, never what they are). Ends with 1 where something is broken. Nothing is downloaded.",
    )
    doctor.add_argument("--json", action="store_true", help="for a program, or for a report of a problem")
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
        default=40.0,
        metavar="SECONDS",
        help="of its silence, after which others take up its job",
    )
    worker.add_argument(
        "--grace",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="that a batch has to end in after SIGTERM; then the process ends all the same",
    )
    worker.add_argument(
        "--max-memory",
        metavar="SIZE",
        help="that a job may take, as 12GB; 80 %% of the machine's or the container's by default. One that takes more "
        "is stopped, and fails with that reason",
    )
    workers = commands.add_parser(
        "workers",
        help="list the workers that are alive",
        description="Lists the workers on this database: where they run, what, and how much memory that takes. Ends "
        "with 1 where there are none.",
    )
    workers.add_argument("--json", action="store_true", help="for a program")
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
