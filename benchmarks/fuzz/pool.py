"""Child processes that try blocks of cases; the end of one, or its silence, is a finding and not the end."""

from __future__ import annotations

import importlib
import json
import os
import queue
import selectors
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

#: seconds of processor time, and seconds in all, that a case may take
SECONDS, WALL = 10.0, 90.0
ROOT = Path(__file__).resolve().parents[2]


class Child:
    """A process that tries cases."""

    def __init__(self, folder: Path, kinds: str = "benchmarks.fuzz.kinds") -> None:
        self.folder = folder
        self._kinds = kinds
        self._begin()

    def _begin(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.fuzz.watched", str(self.folder), self._kinds]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env=environment
        )
        self._rest = b""
        if self._line(300) != ">ready":
            raise SystemExit(f"the process that tries the cases does not begin: {' '.join(command)}")

    def block(self, seed: int, first: int, last: int, keep: Path) -> list[dict[str, Any]]:
        """Returns what came of each of these cases; what is wrong is kept in a folder with its input.

        Args:
            seed: of all
            first, last: the cases, without the last
            keep: where inputs are kept that something is wrong with
        """
        rows: list[dict[str, Any]] = []
        at = first
        while at < last:
            try:
                self._tell(f"{seed} {at} {last}")
                while at < last:
                    rows.append(self._case(at))
                    if rows[-1]["came"] == "wrong":
                        self._keep(seed, at, keep, rows[-1]["wrong"])
                    at += 1
            except _Ended as ended:
                rows.append({"of": self._of(at), "came": "wrong", "wrong": str(ended), "s": 0.0, "mib": 0})
                self._keep(seed, at, keep, str(ended))
                self.end()
                self._begin()
                at += 1
        return [{**row, "case": first + number} for number, row in enumerate(rows)]

    def _of(self, number: int) -> str:
        kind_of = importlib.import_module(self._kinds).kind_of
        files = sorted((self.folder / "case").glob("picture.*"))
        return files[0].suffix[1:].upper() if files else str(kind_of(number))

    def _keep(self, seed: int, number: int, keep: Path, wrong: str) -> None:
        place = keep / f"{seed}-{number}"
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        made = [path for path in (self.folder / f"wrong-{number}", self.folder / "case") if path.is_dir()]
        if made:
            shutil.move(made[0], place)
        else:
            place.mkdir()
        (place / "wrong").write_text(wrong, encoding="utf-8", errors="backslashreplace")

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    def _case(self, number: int) -> dict[str, Any]:
        begun = self._line(WALL)
        if begun != f">{number}":
            raise _Ended(f"expected that case {number} begins, got {begun!r}")
        row: dict[str, Any] = json.loads(self._line(WALL, SECONDS))
        return row

    def _line(self, wall: float, seconds: float | None = None) -> str:
        """Returns the next line.

        Raises:
            _Ended: it hangs, or the process is gone
        """
        assert self._process.stdout is not None
        end, used = time.monotonic() + wall, _processor_seconds(self._process.pid)
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._rest:
                if selector.select(0.5):
                    read = os.read(self._process.stdout.fileno(), 65_536)
                    if not read:
                        raise _Ended(f"crashed: the process ended with {self._process.wait(30)}")
                    self._rest += read
                elif time.monotonic() > end:
                    raise _Ended(f"hung: {wall:g} s")
                elif seconds is not None and _processor_seconds(self._process.pid) - used > seconds:
                    raise _Ended(f"hung: {seconds:g} s of processor time")
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()

    def end(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.wait(30)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


class _Ended(Exception):
    """The process hangs or is gone."""


def _processor_seconds(process: int) -> float:
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def tried(
    seed: int, blocks: Sequence[tuple[int, int]], workers: int, folder: Path, keep: Path
) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Yields the first case of each block and what came of its cases, as the blocks end.

    Args:
        seed: of all cases
        blocks: the first case of each and the one after its last
        workers: how many processes
        folder: for what the cases write
        keep: for inputs that something is wrong with
    """
    waiting: queue.SimpleQueue[tuple[int, int]] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, list[dict[str, Any]]] | BaseException] = queue.SimpleQueue()
    for block in blocks:
        waiting.put(block)
    stopping = threading.Event()

    def work(number: int) -> None:
        try:
            child = Child(folder / str(number))
        except BaseException as error:
            done.put(error)
            return
        try:
            while not stopping.is_set():
                first, last = waiting.get_nowait()
                done.put((first, child.block(seed, first, last, keep)))
        except queue.Empty:
            pass
        except BaseException as error:
            done.put(error)
        finally:
            child.end()

    threads = [
        threading.Thread(target=work, args=(number,), daemon=True) for number in range(min(workers, len(blocks)))
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in blocks:
            result = done.get()
            if isinstance(result, BaseException):
                raise result
            yield result
    finally:
        stopping.set()
        for thread in threads:
            thread.join(WALL)
