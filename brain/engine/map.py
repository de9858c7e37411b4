"""``map_rows``: reads the files of rows, applies tasks to batches of them, and gives back a value for each row.

Checking, embedding, calibrating and fingerprinting are tasks. What they share stands here and in the engines alone:
reading ahead, batches of equal or of several shapes, halving a batch that does not fit into memory, isolating the one
sample that breaks a task, and chunks as the points at which a run may be stored, stopped and taken up again.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.engine import ray_cluster
from loupe.brain.engine.ending import ending
from loupe.brain.engine.reader import Row

V = TypeVar("V")

#: each engine and the module whose ``run`` it is: another one takes the same arguments and yields the same chunks
ENGINES = {"local": "loupe.brain.engine.local", "ray": "loupe.brain.engine.on_ray"}


@dataclass(frozen=True)
class Task(Generic[V]):
    """What is done with pictures.

    Attributes:
        name: a row waits for the task by this name, in ``Row.pending``
        load: maps a device to the function that is applied to batches; it is called where the batches are, once
        split: maps what that function returned for a batch, and the batch's size, to a value for each picture, in order
        long_side: the resolution that the task needs; None for the file's own
        ragged: whether it takes pictures of several shapes at once, see ``Check.ragged``
        apart: whether it is given each picture by itself, on the CPU: what takes parts of pictures only need not have
            them put together
        reentrant: whether several threads may use what ``load`` returned at once, see ``Check.reentrant``
    """

    name: str
    load: Callable[[str], Callable[[Any], Any]]
    split: Callable[[Any, int], Sequence[V]]
    long_side: int | None = None
    ragged: bool = False
    apart: bool = False
    reentrant: bool = False


@dataclass(frozen=True)
class Mapped(Generic[V]):
    """What became of one row.

    Attributes:
        row: the row
        values: by task; a task that the row did not wait for, or that broke on it, is missing
        errors: for each task that broke on this row, the error
        unreadable: why the file could not be decoded, so that no task saw it; else None
        not_now: whether its disk, its network or its store failed: ``errors`` says why for each task, nothing is
            known of the picture, and what is stored of it stays as it is
    """

    row: Row
    values: Mapping[str, V] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    unreadable: str | None = None
    not_now: bool = False


def by_picture(results: Sequence[V], _: int) -> Sequence[V]:
    """Returns results that are by picture already; a function, so that a task can be sent to another process."""
    return results


def needed_long_side(sides: Iterable[int | None]) -> int | None:
    """Returns the resolution to read at: the highest that is needed; None (the file's own) where one needs that.

    >>> needed_long_side([256, 512]), needed_long_side([256, None]), needed_long_side([])
    (512, None, None)
    """
    needed = list(sides)
    return None if not needed or None in needed else max(side for side in needed if side is not None)


def require_engine(engine: str) -> None:
    """Raises an error unless there is such an engine, and it can run.

    Raises:
        UnknownName: there is none; the nearest name is suggested
        MissingDependency: what it needs is not installed
    """
    if engine not in ENGINES:
        raise UnknownName("engine", str(engine), ENGINES)
    if engine == "ray":
        ray_cluster.require()


@contextmanager
def opened(engine: str, device: str | Sequence[str] | None = "cpu") -> Iterator[str | Sequence[str] | None]:
    """Keeps what an engine needs open over several ``map_rows``, and yields the device that it runs on.

    Args:
        engine: its name
        device: as the caller gave it; what the engine says nothing to is yielded as it is

    Raises:
        UnknownName: no engine of that name
        MissingDependency: what it needs is not installed
        InputError: the engine has no such device
    """
    require_engine(engine)
    if engine == "local":
        with ending():
            yield device
        return
    if device is not None and not isinstance(device, str):
        raise InputError(f"expected a device such as 'cpu' or 'cuda', got {device!r}")
    # work that nobody takes the results of any more ends here, whoever still holds on to it
    with ray_cluster.connected(), ending():
        yield ray_cluster.device_of(device)


def map_rows(
    rows: Iterable[Row],
    tasks: Sequence[Task[V]],
    *,
    engine: str = "local",
    device: str = "cpu",
    batch_size: int = 16,
    workers: int | None = None,
    torch_threads: int | None = None,
) -> Iterator[list[Mapped[V]]]:
    """Yields what became of the rows, chunk by chunk, in their order; a chunk is what may be stored at once.

    Args:
        rows: what to read; each is given to the tasks that its ``pending`` names. They are asked for as they are needed
        tasks: at least those that some row waits for
        engine: where to run; ``"local"`` is this process, ``"ray"`` a Ray cluster (see docs/scale.md)
        device: e.g. ``"cuda:1"``; of a cluster ``"cpu"`` or ``"cuda"``
        batch_size: the most pictures that a task gets at once
        workers: cores to use, all by default: threads, or processes in a long run. Of a cluster: those of each process
        torch_threads: of each step on the CPU; 1 where steps are small and many, None leaves torch's own number

    Raises:
        UnknownName: no engine of that name
        MissingDependency: what the engine needs is not installed
        InputError: a row waits for a task that is not given; or of a cluster: a node has another version of Loupe, or
            none sees the files
        ProcessLost: no node of a cluster is left
    """
    require_engine(engine)
    module = importlib.import_module(ENGINES[engine])
    run: Callable[..., Iterator[list[Mapped[V]]]] = module.run
    return run(rows, tasks, device=device, batch_size=batch_size, workers=workers, torch_threads=torch_threads)
