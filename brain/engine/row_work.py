"""What a process that works for another one does with rows: tasks are loaded once, and rows worked through.

It reads files and computes; the database it never sees.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

from loupe.brain.engine import threads
from loupe.brain.engine.drawing_process import portable, set_torch
from loupe.brain.engine.map import Task
from loupe.brain.engine.portions import Entry, entry
from loupe.brain.engine.reader import Row
from loupe.brain.imaging.files import is_readable


@dataclass(frozen=True)
class Order:
    """Tasks for rows.

    Attributes:
        tasks: what to apply
        device: where
        batch_size: as for ``map_rows``
        torch: ``torch_settings`` that hold: they decide bits of what is calculated
    """

    tasks: Sequence[Task[Any]]
    device: str
    batch_size: int
    torch: Mapping[str, Any]

    def begin(self, workers: int) -> tuple[Callable[[Sequence[Row]], Answer], None]:
        """Returns what works through rows."""
        return Work(self, workers), None


@dataclass(frozen=True)
class Answer:
    """What became of some rows.

    Attributes:
        chunks: of the rows, in order
        lacking: files that are not on the node, or may not be read there
        failing: files whose disk or network failed there
        warnings: texts of warnings with their kind
        error: what ended the work; None: nothing did
    """

    chunks: Sequence[Sequence[Entry]] = ()
    lacking: Sequence[str] = ()
    failing: Sequence[str] = ()
    warnings: Sequence[tuple[str, type[Warning]]] = ()
    error: Exception | None = None


class Work:
    """Works through rows, in one thread.

    Args:
        order: what for
        workers: threads that decode
    """

    def __init__(self, order: Order, workers: int) -> None:
        set_torch(order.torch, order.device)
        self._order, self._workers = order, workers
        self._tasks = [replace(task, load=_Once(task.load)) for task in order.tasks]

    def __call__(self, rows: Sequence[Row]) -> Answer:
        """Returns what became of the rows."""
        order = self._order
        lacking: list[str] = []
        failing: list[str] = []
        chunks: list[list[Entry]] = []
        with warnings.catch_warnings(record=True) as caught:
            try:
                for chunk in threads.run(
                    rows,
                    self._tasks,
                    device=order.device,
                    batch_size=order.batch_size,
                    workers=self._workers,
                    torch_threads=order.torch["threads"],
                ):
                    unreadable = [mapped.row.path for mapped in chunk if mapped.unreadable is not None]
                    lacking += [path for path in unreadable if not is_readable(path)]
                    failing += [mapped.row.path for mapped in chunk if mapped.not_now]
                    chunks.append([entry(mapped) for mapped in chunk])
            except Exception as error:
                return Answer(error=portable(error))
        return Answer(chunks, lacking, failing, tuple((str(each.message), each.category) for each in caught))


class _Once:
    """Loads a task for all the rows that are ever sent."""

    def __init__(self, load: Callable[[str], Callable[[Any], Any]]) -> None:
        self._load, self._lock = load, Lock()
        self._loaded: Callable[[Any], Any] | None = None

    def __call__(self, device: str) -> Callable[[Any], Any]:
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load(device)
            return self._loaded
