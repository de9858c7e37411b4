"""What the processes of the campaign do: one verb on one dataset, and what came of it as one line of JSON."""

from __future__ import annotations

import inspect
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from pymongo import monitoring

from benchmarks.faults import shim
from benchmarks.faults.lines import LINES
from benchmarks.faults.noise import Lamp, Noise


class _Writes(monitoring.CommandListener):
    """Stands before each write to the database: counts it, waits a little, or kills the process."""

    _NAMES = ("insert", "update", "delete", "findAndModify", "aggregate", "create", "createIndexes", "drop")

    def __init__(self) -> None:
        self.count, self.kill_at = 0, 0
        self.chance: random.Random | None = None

    def started(self, event: Any) -> None:
        """Is told before a command is sent."""
        if event.command_name in self._NAMES:
            self.count += 1
            if self.count == self.kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            if self.chance is not None and self.chance.random() < 0.3:
                time.sleep(self.chance.random() * 0.03)

    def succeeded(self, event: Any) -> None:
        """Is told of an answer."""

    def failed(self, event: Any) -> None:
        """Is told of an error."""


_writes = _Writes()
_progress = -1


def _tell(progress: Any) -> None:
    """Leaves how far it has come, for those who wait for a moment to disturb it."""
    os.pwrite(_progress, f"{progress.done / max(progress.total, 1):.4f}".encode(), 0)


def _dataset(name: str) -> Any:
    import fiftyone as fo
    from pymongo.errors import PyMongoError

    from loupe.brain.core.errors import DatabaseGone

    try:
        return fo.load_dataset(name)
    except (PyMongoError, ConnectionError, RuntimeError, ValueError) as error:
        # FiftyOne itself cannot connect, or finds it deleted as it notes when it was opened: no verb has begun
        raise DatabaseGone(f"the dataset cannot be opened: {error}") from error


def check(dataset: str, checks: list[str] | None = None, batch_size: int = 4) -> Any:
    """Runs checks."""
    import loupe

    return loupe.check(_dataset(dataset), checks, batch_size=batch_size, progress=_tell)


def embed(dataset: str, **given: Any) -> Any:
    """Embeds with hog."""
    import loupe

    asked = {"embedder": "hog", "visualize": None, "batch_size": 4, **given}
    return loupe.embed(_dataset(dataset), progress=_tell, **asked)


def find_duplicates(dataset: str) -> Any:
    """Looks for duplicates."""
    import loupe

    return loupe.find_duplicates(_dataset(dataset), progress=_tell)


def flag(dataset: str, thresholds: dict[str, list[Any]]) -> Any:
    """Flags with other thresholds."""
    import loupe

    given = {name: loupe.Threshold(*threshold) for name, threshold in thresholds.items()}
    loupe.flag(_dataset(dataset), thresholds=given)
    return None


def generate(dataset: str, folder: str, prompts: int) -> Any:
    """Draws noise."""
    import loupe

    wanted = [f"prompt {number}" for number in range(prompts)]
    return loupe.generate(_dataset(dataset), wanted, model=Noise(), output_dir=folder, progress=_tell)


def import_images(dataset: str, folder: str, prompts: str | None = None) -> Any:
    """Imports a folder."""
    import loupe

    return loupe.import_images(_dataset(dataset), folder, prompts=prompts, progress=_tell)


def repair(dataset: str, folder: str) -> Any:
    """Repairs dark pictures."""
    import loupe

    given = {"failure": "dark", "model": Lamp(), "attempts": 2, "checks": ["exposure"]}
    made = loupe.repair(_dataset(dataset), output_dir=folder, progress=_tell, **given)  # type: ignore[arg-type]
    return made.attempted


def find_memorized(dataset: str) -> Any:
    """Looks for pictures of one split in the other."""
    import loupe

    made = _dataset(dataset)
    return loupe.find_memorized(made.match_tags("test"), made.match_tags("train"), progress=_tell)


def compare_to_real(dataset: str) -> Any:
    """Compares one split with the other."""
    import loupe

    made = _dataset(dataset)
    return loupe.compare_to_real(made.match_tags("test"), made.match_tags("train"), spectra=False, progress=_tell)


def test_transfer(dataset: str) -> Any:
    """Trains on a part, and tests on another one."""
    import loupe

    made = _dataset(dataset)
    parts = made.match_tags("test"), made.match_tags("train")[:60], made.match_tags("train")[60:]
    return loupe.test_transfer(*parts, label="ground_truth", progress=_tell)


def plain(verb: str) -> Callable[..., Any]:
    """Returns the action of a verb that needs nothing but its arguments."""

    def act(dataset: str, **given: Any) -> Any:
        import loupe

        call = getattr(loupe, verb)
        reported = {"progress": _tell} if "progress" in inspect.signature(call).parameters else {}
        return call(_dataset(dataset), **reported, **given)

    return act


def worker(name: str, dead_after: float = 2.0, grace: float = 3.0, once: bool = False, stuck: bool = False) -> Any:
    """Works until it is asked to end; ``stuck``: what it runs never ends."""
    from loupe.brain.worker import supervise as room

    room.configure_logging()
    if stuck:
        # in the process that runs the job, which is a new one
        hook = Path(tempfile.mkdtemp(dir=os.environ["FIFTYONE_PLUGINS_DIR"] + "/.."))
        lines = ["import time", "import loupe.brain.engine.runner as runner"]
        lines.append("runner.run = lambda *_, **__: time.sleep(10_000)")
        (hook / "sitecustomize.py").write_text("\n".join(lines))
        os.environ["PYTHONPATH"] = f"{hook}:{os.environ.get('PYTHONPATH', '')}"
    status = room.run(device="cpu", name=name, poll=0.05, dead_after=dead_after, grace=grace, once=once)
    if status:
        raise SystemExit(status)
    return status


def read_files(paths: list[str]) -> Any:
    """Reads files; what raises anything but ``ReadError`` ends it."""
    from loupe.brain.core.errors import ReadError
    from loupe.brain.engine import reader

    readable = 0
    for path in paths:
        try:
            reader.read(path)
            readable += 1
        except ReadError:
            continue
    return readable


_OWN = (check, embed, find_duplicates, flag, generate, import_images, repair, find_memorized, compare_to_real)
#: verbs that keep no run, which are tried with names
_READING = ("slice", "find_shortcuts", "discover_slices", "compare", "report")
ACTIONS: dict[str, Callable[..., Any]] = {verb: plain(verb) for verb in (*LINES, *_READING)}
ACTIONS |= {action.__name__: action for action in (*_OWN, test_transfer, worker, read_files)}


def _act(order: dict[str, Any]) -> None:
    """In a process of its own: does it, and leaves what came of it."""
    from loupe.brain.core.errors import LoupeError

    result: dict[str, Any] = {}
    result_path = Path(order["result"])
    log = os.open(f"{result_path}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    global _progress
    _progress = os.open(f"{result_path}.progress", os.O_WRONLY | os.O_CREAT, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    _writes.kill_at = order["kill_at"]
    _writes.chance = random.Random(order["dawdle"]) if order["dawdle"] else None
    try:
        time.sleep(max(0.0, order.get("at", 0.0) - time.time()))
        if order.get("page"):
            shim.watch(order["page"])
        if order.get("limit"):  # no file may get larger than that
            resource.setrlimit(resource.RLIMIT_FSIZE, (order["limit"], resource.RLIM_INFINITY))
        made = ACTIONS[order["action"]](**order["given"])
        count = getattr(made, "n", made if isinstance(made, int) else None)
        result = {"ok": True, "n": count, "writes": _writes.count}
    except BaseException as error:
        clear = isinstance(error, LoupeError)
        result = {"ok": False, "clear": clear, "error": f"{type(error).__name__}: {str(error)[:400]}"}
        if not clear:
            import traceback

            traceback.print_exc()
    finally:
        # what came of it has to be written, too
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        Path(f"{result_path}.part").write_text(json.dumps(result))
        os.replace(f"{result_path}.part", result_path)
        os._exit(0)


def serve() -> None:
    """Imports all that the actions need once, and forks a process for each line of JSON."""
    monitoring.register(_writes)  # of clients that are made from now on: FiftyOne is not imported yet
    import cv2  # noqa: F401
    import torch  # noqa: F401

    from loupe.brain import api, worker  # noqa: F401
    from loupe.brain.core import registry

    for verb in (*LINES, *_READING):
        getattr(api, verb)
    registry.checks()
    registry.embedders()
    Image.init()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("> ready", flush=True)
    for line in sys.stdin:
        process = os.fork()
        if not process:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _act(json.loads(line))
        print(f"> {process}", flush=True)


if __name__ == "__main__":
    serve()
