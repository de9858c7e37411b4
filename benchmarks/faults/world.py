"""Where the campaign happens: a database of its own, processes that may be killed, datasets, and what is in them."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.faults import shim

#: seconds after which a process that has not ended is dead
HANGS = 90.0
#: what says when something was written, or is of one run only
_PASSING = {
    "_rand",
    "created_at",
    "last_modified_at",
    "_dataset_id",
    "seconds",
    "tags_at",
    "at",
    "evaluated_at",
    "size_bytes",
}


class Mongod:
    """A database on loopback, to be killed, stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.start()

    def start(self) -> None:
        """Starts it, and waits until it answers.

        Raises:
            SystemExit: it does not
        """
        spec = importlib.util.find_spec("fiftyone")
        assert spec is not None
        assert spec.origin is not None
        binary = Path(spec.origin).parent / "db" / "bin" / "mongod"
        command = [str(binary), "--dbpath", str(self._folder), "--port", str(self.port), "--bind_ip", "127.0.0.1"]
        self.process = subprocess.Popen(
            [*command, "--quiet", "--nounixsocket"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(600):
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise SystemExit("the campaign's mongod does not answer")

    def kill(self) -> None:
        """Ends it at once."""
        self.process.kill()
        self.process.wait(30)


class Child:
    """A process that was forked to act."""

    def __init__(self, process: int, result: Path, page: shim.Page | None = None) -> None:
        self.process, self._result = process, result
        #: what happens to its files and its clock
        self.page = page

    def alive(self) -> bool:
        """Whether it still runs."""
        try:
            os.kill(self.process, 0)
        except ProcessLookupError:
            return False
        return True

    def signal(self, number: int) -> None:
        """Sends a signal, if it still runs."""
        if self.alive():
            os.kill(self.process, number)

    def wait(self, seconds: float = HANGS) -> dict[str, Any] | None:
        """Returns what came of it; None where it left nothing (it was killed, or it hangs and is killed now)."""
        end = time.monotonic() + patience(seconds)
        while self.alive():
            if time.monotonic() > end:
                os.kill(self.process, signal.SIGKILL)
                self.hung = True
                break
            time.sleep(0.01)
        return json.loads(self._result.read_text()) if self._result.exists() else None

    hung = False

    def share(self) -> float:
        """Returns how far it says that it has come, in [0, 1]."""
        path = Path(f"{self._result}.progress")
        try:
            return float(path.read_text() or 0)
        except (OSError, ValueError):
            return 0.0

    def reaches(self, share: float, seconds: float = HANGS) -> None:
        """Waits until it has come that far, or has ended."""
        end = time.monotonic() + seconds
        while self.share() < share and self.alive() and time.monotonic() < end:
            time.sleep(0.001)

    def log(self) -> str:
        """Returns what it printed."""
        path = Path(f"{self._result}.log")
        return path.read_text(errors="replace") if path.exists() else ""


def patience(seconds: float) -> float:
    """Returns how long to wait for what takes so long where no one else works: others may have most of the machine."""
    return seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def wait_for_a_moment(child: Child, rng: np.random.Generator, seconds: float) -> None:
    """Waits until somewhere in the middle of what a process does, which takes so many seconds undisturbed."""
    if rng.random() < 0.3:
        time.sleep(float(rng.uniform(0, seconds)))
    else:
        child.reaches(min(1.0, float(rng.uniform(0, 1.2))))
        time.sleep(float(rng.choice([0.0, rng.uniform(0, 0.2 * seconds)])))


def set_up(folder: Path, mongod: Mongod) -> Path:
    """Lets FiftyOne, which is not imported yet, use a database and a folder, with this plugin; returns its root."""
    plugins = folder / "plugins"
    plugins.mkdir()
    root = Path(__file__).resolve().parents[2]
    (plugins / "loupe").symlink_to(root)
    os.environ.update(
        # a database that does not answer is noticed soon
        FIFTYONE_DATABASE_URI=f"mongodb://127.0.0.1:{mongod.port}/?serverSelectionTimeoutMS=3000",
        FIFTYONE_DATABASE_VALIDATION="false",
        FIFTYONE_DATABASE_NAME="loupe-faults",
        FIFTYONE_DEFAULT_DATASET_DIR=str(folder / "datasets"),
        FIFTYONE_PLUGINS_DIR=str(plugins),
        FIFTYONE_CONFIG_PATH=str(folder / "config.json"),
        FIFTYONE_ALLOW_LEGACY_ORCHESTRATORS="true",
        FIFTYONE_DO_NOT_TRACK="true",
    )
    return root


class World:
    """The database, the process that forks others, and a folder for all that is made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mongod = Mongod(folder / "db")
        root = set_up(folder, self.mongod)
        self._count = 0
        self._reference: dict[str, Any] = {}
        #: what stands before the C library of the processes that act; None where it cannot be made
        self.library = shim.compiled(folder)
        environment = {} if self.library is None else {"LD_PRELOAD": str(self.library)}
        self._forking = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "benchmarks.faults.actions"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=root,
            env={**os.environ, **environment},
        )
        self._answer()

    def _answer(self) -> str:
        assert self._forking.stdout is not None
        for line in self._forking.stdout:
            if line.startswith("> "):
                return line[2:].strip()
        raise SystemExit("the campaign's own process has ended")

    def start(
        self,
        action: str,
        at: float = 0.0,
        kill_at: int = 0,
        dawdle: int = 0,
        limit: int = 0,
        disturbed: bool = False,
        **given: Any,
    ) -> Child:
        """Forks a process that acts.

        Args:
            action: of ``actions.ACTIONS``
            at: the moment of the clock at which it begins
            kill_at: before which of its writes to the database it is killed; 0: it is not
            dawdle: a seed: it waits a little before some of its writes, so that others come between; 0: it does not
            limit: how many bytes a file may have that it writes; 0: any number
            disturbed: whether its files and its clock can be disturbed, by ``Child.page``
            given: what the action gets
        """
        self._count += 1
        result = self.folder / f"result-{self._count}"
        page = shim.Page(Path(f"{result}.page")) if disturbed and self.library is not None else None
        order = {
            "action": action,
            "given": given,
            "result": str(result),
            "at": at,
            "kill_at": kill_at,
            "dawdle": dawdle,
            "limit": limit,
            "page": None if page is None else str(page.path),
        }
        assert self._forking.stdin is not None
        self._forking.stdin.write(json.dumps(order) + "\n")
        self._forking.stdin.flush()
        return Child(int(self._answer()), result, page)

    def place(self) -> Path:
        """Returns a new folder."""
        return Path(tempfile.mkdtemp(dir=self.folder))

    def known(self, name: str, make: Any) -> Any:
        """Returns what ``make`` made when it was first asked for: what an undisturbed run comes to."""
        if name not in self._reference:
            self._reference[name] = make()
        return self._reference[name]

    def close(self) -> None:
        """Ends what was started."""
        self._forking.kill()
        self._forking.wait(30)
        self.mongod.kill()


@contextmanager
def opened() -> Iterator[World]:
    """Gives a world that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True) as name:
        world = World(Path(name))
        try:
            yield world
        finally:
            world.close()


def pictures(folder: Path, count: int, seed: int = 0, dark: bool = False) -> list[Path]:
    """Writes smooth pictures; every seventh equals the one before it, every eleventh cannot be read."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    paths = []
    for number in range(count):
        path = folder / f"{number:03}.png"
        if number % 11 == 10:
            path.write_bytes(b"no picture")
        elif number % 7 == 6 and number:
            path.write_bytes(paths[-1].read_bytes())
        else:
            small = rng.integers(0, 32 if dark else 256, (6, 8, 3), dtype=np.uint8)
            Image.fromarray(small).resize((96, 72), Image.Resampling.BICUBIC).save(path)
        paths.append(path)
    return paths


@contextmanager
def dataset(paths: Iterable[Path] = ()) -> Iterator[Any]:
    """Gives a dataset of pictures, which is gone afterwards; ids go by the place, as keys are made of them."""
    import fiftyone as fo
    from bson import ObjectId

    made = fo.Dataset(persistent=True)
    made.add_samples([fo.Sample(filepath=str(path)) for path in paths], progress=False)
    documents = list(made._sample_collection.find({}))
    if documents:
        made._sample_collection.delete_many({})
        made._sample_collection.insert_many(
            {**each, "_id": ObjectId(f"{at:024x}")} for at, each in enumerate(documents, 1)
        )
        made.reload()
    try:
        yield made
    finally:
        if fo.dataset_exists(made.name):
            fo.delete_dataset(made.name)


def labeled(made: Any) -> None:
    """Gives each sample a class, a vector of it, a prompt and a split, by its place, as a user's own."""
    import fiftyone as fo

    if not len(made):
        return
    rng = np.random.default_rng(0)
    made.set_values("vectors", [rng.normal(size=6) + 3 * np.eye(6)[at % 3] for at in range(len(made))])
    classes = [fo.Classification(label="abc"[at % 3]) for at in range(len(made))]
    made.set_values("ground_truth", classes)
    made.set_values("prompt", [f"picture {at}" for at in range(len(made))])
    made.set_values("tags", [["test" if at % 4 == 3 else "train"] for at in range(len(made))])


def state(made: Any) -> dict[str, Any]:
    """Returns what a dataset holds, by file name, without what says when or in which order it was written.

    Of the dataset itself: the names of its saved views, and of the results that are kept on it.
    """
    documents = list(made._sample_collection.find({}))
    names = {str(document["_id"]): Path(document["filepath"]).name for document in documents}
    content: dict[str, Any] = {}
    for document in documents:
        content.setdefault(Path(document["filepath"]).name, []).append(_plain(document, names))
    samples = {name: values[0] if len(values) == 1 else values for name, values in content.items()}
    kept = [name for name in made.list_runs() if name.startswith("loupe_") and not name[-1].isdigit()]
    return {**samples, "the dataset": {"views": sorted(made.list_saved_views()), "results": sorted(kept)}}


def _plain(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        kept = {key: item for key, item in value.items() if key != "_id" and key not in _PASSING and item is not None}
        made = {key: _plain(item, names) for key, item in sorted(kept.items()) if key != "filepath"}
        if "checked" in made:
            # behind the colon is when the file was written, among others
            made["checked"] = {name: key.partition(":")[0] for name, key in made["checked"].items()}
        if isinstance(made.get("deduplicated"), dict):
            del made["deduplicated"]["key"]  # drawn at random
        return made
    if isinstance(value, (list, tuple)):
        return sorted((_plain(item, names) for item in value), key=lambda item: json.dumps(item, default=str))
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()[:16]
    if isinstance(value, str) and value.startswith("/"):
        return Path(value).name
    if isinstance(value, str) and re.fullmatch("[0-9a-f]{24}", value):
        return names.get(value, "a sample that is gone")
    return names.get(str(value), value) if isinstance(value, (str, int, bool)) else names.get(str(value), str(value))


def differences(wanted: Mapping[str, Any], got: Mapping[str, Any]) -> list[str]:
    """Returns the files whose sample is not what it should be, and in which field."""
    wrong = []
    for name in sorted(wanted.keys() | got.keys()):
        first, second = wanted.get(name), got.get(name)
        if first != second:
            fields: list[str] = []
            if isinstance(first, dict) and isinstance(second, dict):
                fields = sorted(field for field in {*first, *second} if first.get(field) != second.get(field))
            wrong.append(f"{name}: {', '.join(fields) or 'missing, or there twice'}")
    return wrong


def doubled(made: Any) -> int:
    """Returns how many samples have the file or the key of another one, and how many labels are there twice."""
    count = 0
    paths, keys = Counter[str](), Counter[str]()
    for document in made._sample_collection.find({}):
        paths[document["filepath"]] += 1
        key = (document.get("generation") or {}).get("key")
        keys.update([key] if key else [])
        for field in ("failures", "unknown"):
            labels = Counter(label["label"] for label in (document.get(field) or {}).get("classifications", ()))
            count += sum(number - 1 for number in labels.values())
    return count + sum(number - 1 for number in (*paths.values(), *keys.values()))


def half(made: Any, specs: Sequence[str] = ()) -> int:
    """Returns how many runs and samples are half there: judged by a check, with neither a score nor a reason."""
    from loupe.brain.core import registry
    from loupe.brain.store import runs

    made.reload()
    count = len(set(made.list_runs()) - set(runs.listed(made)))
    checks = registry.checks()
    for document in made._sample_collection.find({}):
        for name in document.get("checked") or {}:
            if name in checks and (document.get("checked") or {})[name]:
                scores = document.get("quality") or {}
                known = any(scores.get(output.name) is not None for output in checks[name].outputs)
                reasons = [label["label"] for label in (document.get("unknown") or {}).get("classifications", ())]
                count += not known and name not in reasons
    return count


def orphans(database: Any, known: Iterable[str]) -> list[str]:
    """Returns the collections of samples, frames and runs that belong to no dataset."""
    owned = {document["sample_collection_name"] for document in database["datasets"].find({})}
    return [
        name
        for name in database.list_collection_names()
        if re.match(r"(samples|frames|clips|patches)\.", name) and name not in owned and name not in set(known)
    ]
