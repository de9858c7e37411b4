"""The same checks over the same files by this process, by tasks on a cluster and by Ray Data: rates, and CPU time."""

from __future__ import annotations

import pickle
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.figures import header, row, title
from benchmarks.speed.end_to_end import TESTS
from benchmarks.speed.pictures import default_checks, write_files
from loupe.brain.core import registry
from loupe.brain.core.records import Scores
from loupe.brain.engine import ray_work
from loupe.brain.engine.drawing_process import torch_settings
from loupe.brain.engine.map import Mapped, Task, map_rows, opened
from loupe.brain.engine.reader import Row
from loupe.brain.engine.row_work import Order

#: rows of a portion of Ray Data: those of a chunk
_PORTION = 64


@dataclass(frozen=True)
class Lap:
    """One round: images a second, and milliseconds an image of all processes and of the driver; the bits of scores."""

    rate: float
    cpu: float
    driver: float
    bits: str


def print_engines(n: int, rounds: int) -> None:
    """Prints medians over rounds, each engine once a round; what starts is not counted."""
    with _work(n) as (tasks, rows, settings):
        ways: dict[str, Callable[[], Iterator[list[Mapped[Any]]]]] = {
            "local, 2 threads": lambda: map_rows(rows, tasks, workers=2, torch_threads=1),
            "ray actors, 2 processes of 1 core": lambda: map_rows(
                rows, tasks, engine="ray", workers=1, torch_threads=1
            ),
            "ray actors, 1 process of 2 cores": lambda: map_rows(rows, tasks, engine="ray", workers=2, torch_threads=1),
            "ray.data map_batches, 2 actors": lambda: _by_ray_data(rows, tasks, settings),
        }
        laps: dict[str, list[Lap]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                laps[name].append(lap(way(), n))
    title(f"{len(tasks)} default pixel checks over {n} JPEGs of 0.5 MP, {rounds} rounds, medians [least, most]")
    header("engine", "images a second", "to local", "CPU ms an image", "of it the driver", "same bits")
    local = laps["local, 2 threads"]
    for name, of in laps.items():
        ratios = [lap.rate / base.rate for lap, base in zip(of, local, strict=True)]
        same = all(lap.bits == local[0].bits for lap in of)
        row(name, _spread([lap.rate for lap in of], 0), _spread(ratios, 2), _spread([lap.cpu for lap in of], 2),
            _spread([lap.driver for lap in of], 2), "yes" if same else "NO")  # fmt: skip


@dataclass(frozen=True)
class Whole:
    """A whole map, from the call to the last row, with what starts: seconds, and seconds of CPU of all processes."""

    wall: float
    cpu: float
    bits: str


def print_whole(n: int, rounds: int) -> None:
    """Prints the whole of two maps by tasks and by Ray Data, of ``n`` pictures and of four times as many, by turns.

    Ray Data hands on many results at once, so that no rate can be read off as they come. What the longer map takes more
    is the work of 3 ``n`` pictures without what starts.
    """
    with _work(4 * n) as (tasks, rows, settings):
        ways: dict[str, Callable[[list[Row]], Iterator[list[Mapped[Any]]]]] = {
            "ray actors, 2 processes of 1 core": lambda part: map_rows(
                part, tasks, engine="ray", workers=1, torch_threads=1
            ),
            "ray.data map_batches, 2 actors": lambda part: _by_ray_data(part, tasks, settings),
        }
        laps: dict[str, list[tuple[Whole, Whole]]] = {name: [] for name in ways}
        for at in range(rounds):
            # who begins changes, so that a load that grows is nobody's
            for name in list(ways)[:: 1 if at % 2 else -1]:
                laps[name].append((_whole(ways[name](rows[:n])), _whole(ways[name](rows))))
    title(f"{len(tasks)} default pixel checks, {n} and {4 * n} JPEGs of 0.5 MP, {rounds} rounds, medians [least, most]")
    header("by", f"s for {n}", f"s for {4 * n}", "to actors", "CPU s", "to actors", "ms more a picture", "same bits")
    base = laps["ray actors, 2 processes of 1 core"]
    for name, of in laps.items():
        walls = [long.wall / other.wall for (_, long), (_, other) in zip(of, base, strict=True)]
        cpus = [long.cpu / other.cpu for (_, long), (_, other) in zip(of, base, strict=True)]
        more = [1000 * (long.cpu - short.cpu) / (3 * n) for short, long in of]
        same = all((short.bits, long.bits) == (base[0][0].bits, base[0][1].bits) for short, long in of)
        row(name, _spread([short.wall for short, _ in of], 1), _spread([long.wall for _, long in of], 1),
            _spread(walls, 2), _spread([long.cpu for _, long in of], 1), _spread(cpus, 2), _spread(more, 2),
            "yes" if same else "NO")  # fmt: skip


def _whole(chunks: Iterator[list[Mapped[Any]]]) -> Whole:
    before = after = _clock()
    bits: list[Any] = []
    for chunk in chunks:
        bits += [_bits(mapped) for mapped in chunk]
        # as the last ones come, those that worked at them are there still
        after = _clock()
    wall, own, others = after.since(before)
    return Whole(wall, own + others, repr(bits))


@contextmanager
def _work(n: int) -> Iterator[tuple[list[Task[Any]], list[Row], dict[str, Any]]]:
    """Yields the tasks, ``n`` rows and torch's settings, beside a cluster of two cores."""
    checks = [registry.checks()[name]() for name in default_checks()]
    tasks: list[Task[Any]] = [Task(c.name, c.load, Scores.by_sample, c.long_side, c.ragged) for c in checks]
    sys.path.append(str(TESTS / "support"))
    import ray_nodes

    # without the helpers that nobody looks at
    with tempfile.TemporaryDirectory() as folder, ray_nodes.running(2), opened("ray"):
        paths = write_files(Path(folder) / "a", 128, ".jpg")
        names = frozenset(task.name for task in tasks)
        rows = [Row(str(at), paths[at % len(paths)], {}, names) for at in range(n)]
        yield tasks, rows, {**torch_settings(), "threads": 1}


def lap(chunks: Iterator[list[Mapped[Any]]], n: int) -> Lap:
    """Measures from a third of the rows on: processes have started, and each has loaded its tasks.

    Args:
        chunks: what an engine makes of the rows, two chunks at least
        n: how many rows there are
    """
    done = started_at = 0
    before: _Clock | None = None
    bits: list[Any] = []
    after = _clock()
    for chunk in chunks:
        done += len(chunk)
        bits += [_bits(mapped) for mapped in chunk]
        if before is None and done >= n / 3:
            before, started_at = _clock(), done
        # as the last ones come, those that worked at them are there still
        after = _clock()
    assert before is not None
    images = done - started_at
    wall, own, others = after.since(before)
    return Lap(images / wall, 1000 * (own + others) / images, 1000 * own / images, repr(bits))


@dataclass(frozen=True)
class _Clock:
    """The wall, this process's CPU, and that of each of its children, by what tells it from others of its number."""

    wall: float
    own: float
    children: dict[tuple[int, float], float]

    def since(self, before: _Clock) -> tuple[float, float, float]:
        """Returns the seconds between; processes of an earlier round that ended meanwhile take nothing off."""
        others = sum(seconds - before.children.get(child, 0.0) for child, seconds in self.children.items())
        return self.wall - before.wall, self.own - before.own, others


def _clock() -> _Clock:
    children = {}
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # it has ended since
            times = child.cpu_times()
            children[child.pid, child.create_time()] = times.user + times.system
    return _Clock(time.perf_counter(), time.process_time(), children)


def _bits(mapped: Mapped[Any]) -> Any:
    return [
        (task, name, np.float64(score).tobytes())
        for task, result in sorted(mapped.values.items())
        for name, score in sorted(result.values.items())
    ]


def _by_ray_data(rows: list[Row], tasks: list[Task[Any]], settings: dict[str, Any]) -> Iterator[list[Mapped[Any]]]:
    """Yields the same work, put as Ray Data wants it: a table of portions, mapped by a pool of two actors, in order."""
    import ray

    ray.data.DataContext.get_current().enable_progress_bars = False
    ray.data.DataContext.get_current().execution_options.preserve_order = True
    order = ray.cloudpickle.dumps(Order(tasks, "cpu", 16, settings))
    portions = [rows[start : start + _PORTION] for start in range(0, len(rows), _PORTION)]

    class Works:
        def __init__(self) -> None:
            self.work, _ = ray_work.begun(order, 1)

        def __call__(self, table: dict[str, Any]) -> dict[str, Any]:
            return {"answer": [ray_work.answered(self.work, packed) for packed in table["rows"]]}

    items = [{"rows": pickle.dumps(portion)} for portion in portions]
    made = ray.data.from_items(items, override_num_blocks=len(items)).map_batches(
        Works, batch_size=1, compute=ray.data.ActorPoolStrategy(size=2), num_cpus=1
    )
    for portion, answer in zip(portions, made.iter_rows(), strict=True):
        left = iter(portion)
        for chunk in pickle.loads(answer["answer"]).chunks:  # noqa: S301
            yield [Mapped(next(left), *entry) for entry in chunk]


def _spread(values: list[float], digits: int) -> str:
    return f"{np.median(values):.{digits}f} [{min(values):.{digits}f}, {max(values):.{digits}f}]"
