"""Processes of this machine that work through rows: the same values as threads give, whatever ends on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from loupe.brain.core import interrupts, registry
from loupe.brain.core.errors import InputError, Stopped
from loupe.brain.core.records import Scores
from loupe.brain.engine import own_process, portions, threads
from loupe.brain.engine.map import Mapped, Task
from loupe.brain.engine.reader import Row
from loupe.brain.engine.row_processes import RowProcesses, _Process

pytestmark = pytest.mark.slow

#: a module that other processes can import: what a task makes of a picture is its name, after what ``act`` says of it
MODULE = """
import os, signal, time, warnings
from pathlib import Path

ACT = Path(__file__).with_name("act")

def load(device):
    def apply(batch):
        acts = dict(line.split() for line in ACT.read_text().splitlines())
        for name in batch.ids:
            what = acts.get(name)
            if what == "segv":
                os.kill(os.getpid(), signal.SIGSEGV)
            if what == "nap":
                time.sleep(600)
            if what == "raise":
                raise RuntimeError("not this one")
            if what == "warn":
                warnings.warn("look at this one")
        return [f"<{name}>" for name in batch.ids]
    return apply

def split(result, n):
    return result

class Unreadable:
    def __init__(self):
        self.pid = os.getpid()
    def __call__(self, device):
        raise AssertionError
    def __setstate__(self, state):
        if state["pid"] != os.getpid():
            raise ImportError("no such module here")
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module; ``act`` says what becomes of which picture."""
    name = f"rows_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    (tmp_path / "act").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield __import__(name)
    sys.modules.pop(name, None)


@pytest.fixture
def begun() -> Iterator[Callable[..., RowProcesses]]:
    """Begins processes, and ends them with the test."""
    all_of_them: list[RowProcesses] = []

    def begin(tasks: list[Task[Any]], batch_size: int = 2, count: int = 2) -> RowProcesses:
        processes = RowProcesses(tasks, batch_size, count)
        all_of_them.append(processes)
        until = time.monotonic() + 60
        while not processes.is_ready and processes.count:
            assert time.monotonic() < until
            time.sleep(0.05)
        return processes

    yield begin
    for each in all_of_them:
        each.end()


def rows_of(pictures: list[Path], n: int, *pending: str) -> list[Row]:
    return [Row(str(at), str(pictures[at % len(pictures)]), {}, frozenset(pending or {"ids"})) for at in range(n)]


def flat(chunks: Iterator[list[Mapped[Any]]]) -> list[Mapped[Any]]:
    return [mapped for chunk in chunks for mapped in chunk]


def pids() -> list[int]:
    return [each.pid for each in psutil.Process().children() if "run_path(package)" in "".join(each.cmdline())]


def test_they_give_what_threads_give_to_the_last_bit(
    begun: Callable[..., RowProcesses], pictures: list[Path], tmp_path: Path
) -> None:
    names = ("exposure", "halo", "local_blur", "sharpness", "tiling")
    checks = [registry.checks()[name]() for name in names]
    tasks = [
        Task(check.name, check.load, Scores.by_sample, check.long_side, check.ragged, reentrant=check.reentrant())
        for check in checks
    ]
    rows = rows_of(pictures, 50, *names)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    rows[7] = Row("7", str(broken), {}, rows[7].pending)
    rows[20] = Row("20", str(tmp_path / "gone.png"), {}, frozenset({"exposure"}))
    expected = list(threads.run(rows, tasks, device="cpu", batch_size=4, workers=2, torch_threads=1))
    got = list(begun(tasks, 4).run(iter(rows)))
    assert [len(chunk) for chunk in got] == [len(chunk) for chunk in expected] == [16, 16, 16, 2]
    assert [repr(mapped) for mapped in flat(iter(got))] == [repr(mapped) for mapped in flat(iter(expected))]
    assert got[0][7].unreadable
    assert "no file" in (got[1][4].unreadable or "")
    assert got[0][0].values["exposure"].values


def test_what_a_task_breaks_on_or_warns_of_is_told(
    begun: Callable[..., RowProcesses], pictures: list[Path], module: Any, tmp_path: Path
) -> None:
    (tmp_path / "act").write_text("3 raise\n5 warn\n17 warn\n")
    with pytest.warns(UserWarning, match="look at this one") as warned:
        mapped = flat(begun([Task("ids", module.load, module.split)]).run(iter(rows_of(pictures, 30))))
    reported = [str(each.message) for each in warned if issubclass(each.category, UserWarning)]
    assert reported == ["look at this one"], "of the same once"
    assert {each.row.id: dict(each.errors) for each in mapped if each.errors} == {
        "3": {"ids": "RuntimeError: not this one"}
    }
    assert [each.values["ids"] for each in mapped if not each.errors] == [f"<{at}>" for at in range(30) if at != 3]


def test_a_picture_that_breaks_its_process_is_an_error_of_its_own(
    begun: Callable[..., RowProcesses],
    pictures: list[Path],
    module: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(portions, "MAX_DEATHS", 1)
    monkeypatch.setattr(portions, "MAX_DEATHS_OF_ROW", 1)
    (tmp_path / "act").write_text("5 segv\n")
    mapped = flat(begun([Task("ids", module.load, module.split)], 1).run(iter(rows_of(pictures, 24))))
    assert [each.row.id for each in mapped] == [str(at) for at in range(24)]
    assert [each.row.id for each in mapped if each.errors] == ["5"]
    assert "ended while they worked on this picture" in mapped[5].errors["ids"]
    assert "SIGSEGV" in mapped[5].errors["ids"]
    assert [each.values.get("ids") for each in mapped if not each.errors] == [f"<{at}>" for at in range(24) if at != 5]


def test_processes_that_the_system_kills_are_nobodys_fault_and_the_others_do_their_work(
    begun: Callable[..., RowProcesses], pictures: list[Path], module: Any
) -> None:
    processes = begun([Task("ids", module.load, module.split)])
    got: list[Mapped[Any]] = []
    for chunk in processes.run(iter(rows_of(pictures, 200))):
        got += chunk
        if len(got) in (16, 80):
            os.kill(pids()[0], signal.SIGKILL)
    assert [each.values.get("ids") for each in got] == [f"<{at}>" for at in range(200)]
    assert not any(each.errors for each in got)
    assert processes.count == 0, "no other is begun where memory is short: threads here did the rest"


def test_they_go_on_while_nobody_asks_for_results(
    begun: Callable[..., RowProcesses], pictures: list[Path], module: Any
) -> None:
    processes = begun([Task("ids", module.load, module.split)])
    results = processes.run(iter(rows_of(pictures, 200)))
    until = time.monotonic() + 60
    while (handed_out := processes._portions._taken) < 8:  # type: ignore[union-attr]
        processes.keep_busy()
        assert time.monotonic() < until
        time.sleep(0.02)
    time.sleep(1)
    processes.keep_busy()
    assert processes._portions._taken == handed_out, "memory is bounded"  # type: ignore[union-attr]
    assert [each.values["ids"] for each in flat(results)] == [f"<{at}>" for at in range(200)]


def test_who_wants_to_stop_does_not_wait_for_them(
    begun: Callable[..., RowProcesses], pictures: list[Path], module: Any, tmp_path: Path
) -> None:
    (tmp_path / "act").write_text("9 nap\n")
    processes = begun([Task("ids", module.load, module.split)])
    asked = time.monotonic() + 1.0
    with (
        interrupts.asking(lambda: Stopped("canceled") if time.monotonic() > asked else None),
        pytest.raises(Stopped, match="canceled"),
    ):
        flat(processes.run(iter(rows_of(pictures, 40))))
    assert time.monotonic() - asked < 5
    assert pids()
    processes.end()
    assert not pids()


def test_what_cannot_be_sent_or_not_be_read_there_is_told_before_anything_is_done(
    begun: Callable[..., RowProcesses], module: Any
) -> None:
    with pytest.raises(ValueError, match="lambda"):
        begun([Task("ids", lambda _: lambda batch: list(batch.ids), module.split)])
    processes = begun([Task("ids", module.Unreadable(), module.split)])
    assert processes.is_ready
    assert processes.count == 0


def test_rows_that_wait_for_another_task_are_refused(
    begun: Callable[..., RowProcesses], pictures: list[Path], module: Any
) -> None:
    with pytest.raises(InputError, match="expected rows that wait for ids only, got other"):
        flat(begun([Task("ids", module.load, module.split)]).run(iter(rows_of(pictures, 4, "other"))))


def test_they_end_with_the_process_that_began_them_in_the_middle_of_what_they_do(
    pictures: list[Path], module: Any, tmp_path: Path
) -> None:
    (tmp_path / "act").write_text("0 nap\n8 nap\n")
    code = f"""
import sys, time, psutil
sys.path.insert(0, {str(tmp_path)!r})
import loupe, {module.__name__} as module
from loupe.brain.engine.map import Task
from loupe.brain.engine.reader import Row
from loupe.brain.engine.row_processes import RowProcesses, _Process
processes = RowProcesses([Task("ids", module.load, module.split)], 2, 2)
while not processes.is_ready:
    time.sleep(0.05)
print(*[each.pid for each in psutil.Process().children()], flush=True)
list(processes.run(iter([Row(str(at), {str(pictures[0])!r}, {{}}, frozenset({{"ids"}})) for at in range(40)])))
"""
    driver = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert driver.stdout is not None
    children = [psutil.Process(int(pid)) for pid in driver.stdout.readline().split()]
    assert len(children) == 2
    time.sleep(1)  # each naps for ten minutes by now
    driver.kill()
    driver.wait()
    gone, alive = psutil.wait_procs(children, 20)
    assert not alive
    assert len(gone) == 2


def test_what_may_have_ended_a_process_is_all_that_its_next_one_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_process, "send", lambda popen, message: None)
    rows = [Row(str(at), f"{at}.png", {}, frozenset({"ids"})) for at in range(16)]
    pieces = portions.Portions(iter([tuple(rows[start : start + 2]) for start in range(0, 16, 2)]), {"ids"})
    processes = RowProcesses.__new__(RowProcesses)
    nobody: Any = None
    first, second = processes._processes = [_Process(nobody, True), _Process(nobody, True)]

    def held() -> list[list[tuple[str, ...]]]:
        return [[tuple(row.id for row in piece.rows) for piece in process.pieces] for process in (first, second)]

    processes._deal(pieces)
    assert held() == [[("0", "1"), ("4", "5")], [("2", "3"), ("6", "7")]]
    blamed = first.pieces.popleft()
    pieces.lost(blamed, "it broke")
    processes._deal(pieces)
    assert held() == [[("4", "5")], [("2", "3"), ("6", "7")]], "it waits for a process that has nothing"
    second.pieces.clear()
    processes._deal(pieces)
    assert held()[1] == [("0", "1")], "nothing comes after it"


@pytest.mark.parametrize(("n", "expected"), [(1, [1, 0]), (2, [1, 1]), (3, [2, 1]), (5, [2, 2])])
def test_the_last_pieces_are_for_whoever_is_idle_first(
    monkeypatch: pytest.MonkeyPatch, n: int, expected: list[int]
) -> None:
    monkeypatch.setattr(own_process, "send", lambda popen, message: None)
    rows = [(Row(str(at), f"{at}.png", {}, frozenset({"ids"})),) for at in range(n)]
    pieces = portions.Portions(iter(rows), {"ids"})
    processes = RowProcesses.__new__(RowProcesses)
    nobody: Any = None
    both = processes._processes = [_Process(nobody, True), _Process(nobody, True)]
    processes._deal(pieces)
    assert [len(process.pieces) for process in both] == expected
    for process in both:
        if process.pieces:
            process.pieces.popleft()
    processes._deal(pieces)
    # of five one is left, and both are busy
    assert [len(process.pieces) for process in both] == [max(0, each - 1) for each in expected]
