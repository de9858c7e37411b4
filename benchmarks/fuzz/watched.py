"""A process that tries cases, one after another, and is watched: by itself for what it does, by its parent else."""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import resource
import shutil
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fuzz import moment

#: bytes of addresses that a child may have: beyond, its case is over its memory
ADDRESSES = 12 * 2**30
#: what code that only reads does never
_NEVER = (
    *("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "pty.spawn"),
    *("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto", "pickle.find_class", "marshal.loads"),
    *("os.remove", "os.rename", "os.rmdir", "os.symlink", "os.link", "os.chmod", "os.truncate", "ctypes.dlopen"),
)


class Watch:
    """Hears what Python is about to do, and keeps what it should not."""

    def __init__(self, folder: Path) -> None:
        self.on = False
        self.wrong: list[str] = []
        self._own = (str(folder), "/proc/self/", "/sys/", "/dev/")
        self._code = tuple({sys.prefix, sys.base_prefix, *(path for path in sys.path if path), os.getcwd()})

    def hear(self, event: str, given: tuple[Any, ...]) -> None:
        """Is told of each event (PEP 578)."""
        if not self.on:
            return
        if event in _NEVER and not self._is_import():
            self.wrong.append(f"{event} {str(given)[:200]}")
        elif event == "open" and isinstance(given[0], (str, bytes)):
            path, mode, flags = os.fsdecode(given[0]), str(given[1] or ""), int(given[2] or 0)
            writes = any(letter in mode for letter in "wax+") or bool(flags & (os.O_WRONLY | os.O_RDWR))
            known = path.startswith(self._own) or (not writes and path.startswith(self._code))
            if not known and not ((writes and path.endswith(".pyc")) or "__pycache__" in path):
                self.wrong.append(f"open {path[:200]} {mode}")
        elif event in ("exec", "compile"):
            # what ast.literal_eval reads is called "<unknown>", and is not run
            name = getattr(given[0], "co_filename", None) if event == "exec" else os.fsdecode(given[1] or "")
            if (
                name
                and not str(name).startswith(("<frozen", "<__array_function__", "<unknown>", *self._code))
                and not self._is_import()
            ):
                self.wrong.append(f"{event} {name} {str(given)[:200]}")

    @staticmethod
    def _is_import() -> bool:
        frame = sys._getframe(2)
        while frame is not None:
            if frame.f_code.co_filename.startswith("<frozen importlib"):
                return True
            frame = frame.f_back  # type: ignore[assignment]
        return False


def serve(folder: Path, kinds: Any) -> None:
    """For each line ``seed first last`` tries these cases; tells of each that it begins, and then what came of it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    warnings.simplefilter("ignore")
    watch = Watch(folder)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    if not os.environ.get("FUZZ_SHOWN"):
        os.dup2(silent, 2)
    _warm(folder, kinds)
    sys.addaudithook(watch.hear)
    print(">ready", file=answers, flush=True)
    for line in sys.stdin:
        seed, first, last = map(int, line.split())
        for number in range(first, last):
            print(f">{number}", file=answers, flush=True)
            print(json.dumps(tried(seed, number, folder, watch, kinds)), file=answers, flush=True)
        # what one block leaves is not charged to the next
        gc.collect()


def _warm(folder: Path, kinds: Any) -> None:
    """Imports what is imported late, by cases that do not count."""
    from PIL import Image

    Image.init()
    for number in range(200 if kinds.__name__.startswith("benchmarks.") else 0):
        with contextlib.suppress(Exception):
            _once(10**6, number, folder, kinds)


def _once(seed: int, number: int, folder: Path, kinds: Any) -> tuple[str, str, int]:
    place = folder / "case"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    rng = np.random.default_rng([seed, number])
    made: tuple[str, str, int] = kinds.KINDS[kinds.kind_of(number)].try_it(rng, place)
    return made


def tried(seed: int, number: int, folder: Path, watch: Watch, kinds: Any) -> dict[str, Any]:
    """Returns what came of one case: what it was of, ``ok`` or ``refused``, or what is wrong with it."""
    place = folder / "case"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    kind = kinds.KINDS[kinds.kind_of(number)]
    rng = np.random.default_rng([seed, number])
    watch.wrong.clear()
    held, start = 0, 0.0

    def begins() -> None:
        nonlocal held, start
        held, start = _reset_peak(), time.process_time()

    moment.hear(begins)
    begins()
    of, outcome, stated, wrong = kinds.kind_of(number), "wrong", 0, ""
    watch.on = True
    try:
        of, outcome, stated = kind.try_it(rng, place)
    except BaseException as error:
        watch.on = False
        last = traceback.extract_tb(error.__traceback__)[-3:]
        where = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(last))
        wrong = f"{type(error).__name__}: {str(error)[:300]!a} at {where}"
    finally:
        watch.on = False
    seconds, more = time.process_time() - start, _peak() - held
    if not wrong and watch.wrong:
        wrong = f"did {watch.wrong[0]!a}"
    if not wrong and more > stated + kind.budget:
        wrong = f"memory: held {more / 2**20:.0f} MiB, stated {stated / 2**20:.0f} + {kind.budget / 2**20:.0f}"
    if wrong:
        # the next case begins at once
        place.rename(folder / f"wrong-{number}")
    return {"of": of, "came": "wrong" if wrong else outcome, "wrong": wrong, "s": round(seconds, 3), "mib": more >> 20}


def _reset_peak() -> int:
    """Forgets the peak of resident memory; returns what is resident now."""
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


def _status(name: str) -> int:
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith(name):
                return int(line.split()[1]) * 1024
    return 0


if __name__ == "__main__":
    serve(Path(sys.argv[1]), importlib.import_module(sys.argv[2]))
