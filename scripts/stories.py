"""Runs the notebooks of docs/stories and keeps what they print.

    make stories
    .venv/bin/python scripts/stories.py [NOTEBOOK …]

A test runs them, too, and compares what they print with what is kept.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

STORIES = Path(__file__).resolve().parents[1] / "docs" / "stories"
#: seconds that one cell may take
_TIMEOUT = 600
_ENVIRONMENT = {
    "FIFTYONE_DO_NOT_TRACK": "true",
    "FIFTYONE_DATABASE_VALIDATION": "false",
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",  # so small a model is no faster with more, and much slower on a busy machine
}


def run(notebook: Path, folder: Path) -> Any:
    """Returns a notebook that was run from its first cell on, in a process of its own.

    Args:
        notebook: its file, which is left as it is
        folder: where it runs, and writes its files

    Raises:
        CellExecutionError: a cell ended with an error, or took longer than ten minutes
    """
    import nbformat
    from nbclient import NotebookClient

    made = nbformat.read(notebook, as_version=4)
    place = {"metadata": {"path": str(folder)}}
    client = NotebookClient(made, timeout=_TIMEOUT, kernel_name="python3", record_timing=False, resources=place)
    client.execute(env=_ENVIRONMENT | os.environ)
    for cell in made.cells:
        if "outputs" not in cell:
            continue
        # what libraries say on the way is of this machine
        cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
        for output in cell.outputs:
            if "image/jpeg" in output.get("data", {}):
                output.data.pop("image/png", None)  # the same picture, eight times as large
    made.metadata.pop("language_info", None)  # the version of Python
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", type=Path, default=sorted(STORIES.glob("*.ipynb")), metavar="notebook")
    import nbformat

    for notebook in parser.parse_args().notebooks:
        with tempfile.TemporaryDirectory(prefix="loupe-story-") as folder:
            made = run(notebook, Path(folder))
        nbformat.write(made, notebook)
        print(f"wrote {notebook.name}, {notebook.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
