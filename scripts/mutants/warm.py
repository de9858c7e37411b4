"""What each run would otherwise wait for, done once: slow imports, and a mongod.

The parent imports nothing of the project, starts no thread and opens no connection: FiftyOne connects on first use.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_SLOW_TO_IMPORT = (
    *("numpy", "PIL.Image", "scipy.stats", "scipy.ndimage", "scipy.optimize", "scipy.spatial", "scipy.signal", "cv2"),
    *("sklearn.neighbors", "sklearn.cluster", "torch", "torchvision", "fiftyone", "fiftyone.operators"),
)
_MONGOD_SECONDS = 60


def put_on_path(project: Path) -> None:
    """Lets ``import loupe`` mean the copy, here and in every child."""
    sys.path.insert(0, str(project.parent))
    os.environ["PYTHONPATH"] = str(project.parent)
    os.chdir(project)


def import_all() -> None:
    """Imports what is slow to import."""
    for name in _SLOW_TO_IMPORT:
        importlib.import_module(name)


@contextlib.contextmanager
def database(project: Path, home: Path) -> Iterator[None]:
    """One mongod, which tests/conftest.py takes for its own; to be opened before FiftyOne is imported."""
    spec = importlib.util.find_spec("fiftyone")
    if spec is None or spec.origin is None:
        raise SystemExit("no fiftyone: run `make setup`")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    for name in ("db", "plugins"):
        (home / name).mkdir(parents=True)
    (home / "plugins" / project.name).symlink_to(project)
    uri = f"mongodb://127.0.0.1:{port}"
    os.environ.update(
        FIFTYONE_DATABASE_URI=uri,
        FIFTYONE_DATABASE_VALIDATION="false",
        FIFTYONE_DATABASE_NAME="loupe-tests",
        FIFTYONE_DEFAULT_DATASET_DIR=str(home / "datasets"),
        FIFTYONE_PLUGINS_DIR=str(home / "plugins"),
        FIFTYONE_CONFIG_PATH=str(home / "config.json"),
        FIFTYONE_DO_NOT_TRACK="true",
        FIFTYONE_ALLOW_LEGACY_ORCHESTRATORS="true",
        LOUPE_TEST_DATABASE=uri,
    )
    binary = Path(spec.origin).parent / "db" / "bin" / "mongod"
    command = [binary, "--dbpath", home / "db", "--port", port, "--bind_ip", "127.0.0.1", "--quiet", "--nounixsocket"]
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _MONGOD_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit(f"mongod did not answer within {_MONGOD_SECONDS} s (exit status {process.poll()})")
