"""When processes take over from threads, and that nothing of what comes back changes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
import taking_over

from loupe.brain.core import machine, registry
from loupe.brain.core.records import Scores
from loupe.brain.engine import local, row_processes, threads
from loupe.brain.engine.ending import ending
from loupe.brain.engine.map import Mapped, Task, map_rows
from loupe.brain.engine.reader import Row

NAMES = ("exposure", "halo")


def tasks() -> list[Task[Any]]:
    checks = [registry.checks()[name]() for name in NAMES]
    return [
        Task(check.name, check.load, Scores.by_sample, check.long_side, check.ragged, reentrant=check.reentrant())
        for check in checks
    ]


def rows_of(pictures: list[Path], n: int) -> list[Row]:
    return [Row(str(at), str(pictures[at % len(pictures)]), {}, frozenset(NAMES)) for at in range(n)]


@pytest.fixture
def taken_over(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Notes with how many processes each run goes on; the least is enough to do for them."""
    return taking_over.at_once(monkeypatch)


def test_processes_take_over_between_two_chunks_and_nothing_changes(
    taken_over: list[int], pictures: list[Path]
) -> None:
    """Rows are read as they are needed, so that a run lasts until the processes have begun."""
    seen: list[Mapped[Any]] = []
    sizes: list[int] = []

    def rows() -> Iterator[Row]:
        for at in range(3000):  # half a minute
            if taken_over and at % 16 == 5 and at > until[0] + 100:
                return
            if not taken_over:
                until[0] = at
                time.sleep(0.01)
            yield Row(str(at), str(pictures[at % len(pictures)]), {}, frozenset(NAMES))

    until = [0]
    for chunk in map_rows(rows(), tasks(), batch_size=4, torch_threads=1):
        seen += chunk
        sizes.append(len(chunk))
    assert taken_over == [2]
    assert set(sizes[:-1]) == {16}
    assert sizes[-1] == 5
    assert [each.row.id for each in seen] == [str(at) for at in range(len(seen))]
    expected = threads.run([each.row for each in seen], tasks(), device="cpu", batch_size=4, workers=2, torch_threads=1)
    assert [repr(each) for each in seen] == [repr(each) for chunk in expected for each in chunk]
    assert not [each for each in psutil.Process().children() if "run_path(package)" in "".join(each.cmdline())]


def test_processes_have_begun_as_threads_end_what_they_hold(
    taken_over: list[int], pictures: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []
    plain = row_processes.own_process.send
    monkeypatch.setattr(
        row_processes.own_process, "send", lambda popen, message: (sent.append(len(message)), plain(popen, message))
    )
    by_threads = 0

    def rows() -> Iterator[Row]:
        for row in rows_of(pictures, 3000):  # half a minute
            if taken_over and int(row.id) >= until[0] + 200:
                return
            if not taken_over:
                until[0] = int(row.id)
                time.sleep(0.01)
            yield row

    until = [0]
    for chunk in map_rows(rows(), tasks(), batch_size=4, torch_threads=1):
        if sent and len(sent) <= 4:
            by_threads += len(chunk)
        assert len(chunk) <= 16
    assert taken_over == [2]
    assert by_threads, "each has two pieces before threads have ended theirs"


@pytest.mark.parametrize(
    "why",
    [
        "one core",
        "one worker",
        "torch's threads decide bits",
        "costly pictures",
        "cheap pictures",
        "little memory",
        "few rows",
        "a lambda",
    ],
)
def test_threads_go_on_where_processes_would_not_help(
    why: str, taken_over: list[int], pictures: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []
    made = local.RowProcesses
    monkeypatch.setattr(local, "RowProcesses", lambda *given: started.append(given) or made(*given))
    wanted, settings = tasks(), {"torch_threads": 1}
    if why == "one core":
        monkeypatch.setattr(machine, "cores", lambda: 1)
    elif why == "one worker":
        settings["workers"] = 1
    elif why == "torch's threads decide bits":
        del settings["torch_threads"]
    elif why == "costly pictures":
        monkeypatch.setattr(local, "PORTION", 0.0)
    elif why == "cheap pictures":
        monkeypatch.setattr(local, "ROW", 1.0)
    elif why == "little memory":
        monkeypatch.setattr(machine, "free_memory", lambda: 2 * local.MEMORY - 1)
    elif why == "few rows":
        monkeypatch.setattr(local, "COST", 1e6)
    else:
        plain = wanted[0].load
        wanted[0] = Task(wanted[0].name, lambda device: plain(device), wanted[0].split, wanted[0].long_side)
    rows = rows_of(pictures, 80)
    mapped = [each for chunk in map_rows(rows, wanted, batch_size=4, **settings) for each in chunk]
    assert [each.row.id for each in mapped] == [str(at) for at in range(80)]
    assert not any(each.errors for each in mapped)
    assert taken_over == []
    assert len(started) == (why == "a lambda")


def test_threads_go_on_where_processes_do_not_begin(
    taken_over: list[int], pictures: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[row_processes.RowProcesses] = []

    def broken(*given: Any) -> row_processes.RowProcesses:
        made.append(row_processes.RowProcesses(*given))
        made[0]._processes[0].popen.kill()
        return made[0]

    monkeypatch.setattr(local, "RowProcesses", broken)

    def rows() -> Iterator[Row]:
        for at, row in enumerate(rows_of(pictures, 3000)):  # half a minute
            if made and not made[0].count and at % 16 == 0:
                return
            time.sleep(0.01)
            yield row

    mapped = [each for chunk in map_rows(rows(), tasks(), batch_size=4, torch_threads=1) for each in chunk]
    assert taken_over == []
    assert len(made) == 1
    assert made[0].count == 0, "the one that has begun is ended"
    assert 16 < len(mapped) < 3000
    assert not any(each.errors for each in mapped)


def test_they_end_with_the_verb_though_somebody_holds_on_to_the_rest(
    taken_over: list[int], pictures: list[Path]
) -> None:
    def running() -> list[psutil.Process]:
        return [each for each in psutil.Process().children() if "run_path(package)" in "".join(each.cmdline())]

    with ending():
        chunks = map_rows(rows_of(pictures, 4000), tasks(), batch_size=4, torch_threads=1)
        for _ in range(3):
            next(chunks)
        assert len(running()) == 2
    assert not running()
    chunks.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("stop_at", [0, 1, 15, 16, 17, 32])
def test_rows_are_taken_away_between_two_chunks_only(pictures: list[Path], stop_at: int) -> None:
    source = local._Source(rows_of(pictures, 50), 16)
    assert source.has(20)
    given = [next(source).id for _ in range(stop_at)]
    rest = source.rest()
    first = next(rest).id
    given += [row.id for row in source]
    assert len(given) == -(-stop_at // 16) * 16
    assert [*given, first, *(row.id for row in rest)] == [str(at) for at in range(50)]
    assert not source.has(1)


def test_where_the_last_chunk_is_being_read_nothing_is_left(pictures: list[Path]) -> None:
    source = local._Source(rows_of(pictures, 20), 16)
    given = [next(source).id for _ in range(18)]
    assert not list(source.rest())
    assert given + [row.id for row in source] == [str(at) for at in range(20)]


def test_every_check_and_measure_of_objects_can_be_sent_to_a_process() -> None:
    import pickle

    from loupe.brain.engine import objects
    from loupe.brain.similarity import objects as prints

    specs = [spec() for spec in (*registry.checks().values(), *registry.objects().values())]
    assert len(specs) > 20
    for spec in specs:
        sent = pickle.loads(pickle.dumps(objects._task(spec)))
        assert sent.name == spec.name
        if hasattr(spec, "reentrant"):
            sent = pickle.loads(pickle.dumps(Task(spec.name, spec.load, Scores.by_sample)))
            assert sent.load.__self__.params() == spec.params()
    assert pickle.loads(pickle.dumps(prints._packing))("cpu") is prints.packed_of


def test_the_more_cores_lie_idle_the_fewer_rows_are_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = {"monotonic": 100.0, "process_time": 7.0}
    own = SimpleNamespace(monotonic=lambda: clock["monotonic"], process_time=lambda: clock["process_time"])
    monkeypatch.setattr(local, "time", own)
    pace = local._Pace.now()
    assert not pace.is_known
    clock.update(monotonic=110.0, process_time=7.0 + 15.0)
    pace.done = 400
    assert pace.is_known
    assert pace.idle(2) == pytest.approx(0.25)
    assert pace.idle(16) == pytest.approx(1 - 1.5 / 16)
    assert pace.idle(1) == 0.01
    assert pace.rows_in(5.0) == 200
    assert pace.processor_time(64) == pytest.approx(64 * 0.0375)
