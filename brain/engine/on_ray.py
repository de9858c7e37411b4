"""The engine that is a Ray cluster: processes on its nodes work through portions of the rows, in any order.

The rows of a portion are those of a chunk of the local engine, and a process does with them what that engine does: the
scores are the same, bit for bit. A process, or a node with all of its processes, may end at any time: what it had not
answered is done again by another one. Rows that end every process that they come to are told apart until a single one
is left, which becomes an error. What came back is yielded in the order of the rows; only so many portions are on their
way at a time, so that memory stays flat, whatever the number of rows.

Actors and not Ray Data: see docs/scale.md.
"""

from __future__ import annotations

import os
import pickle
import time
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from loupe.brain.core.errors import InputError, ProcessLost
from loupe.brain.engine import ray_work
from loupe.brain.engine.drawing_process import torch_settings
from loupe.brain.engine.map import Mapped, Task
from loupe.brain.engine.ray_cluster import Node, begun, connected, nodes
from loupe.brain.engine.ray_portions import Entry, Piece, Portions
from loupe.brain.engine.reader import Row, chunk_size
from loupe.brain.imaging.files import printable

#: cores of a process whose tasks take a core each; such processes share no interpreter, and each holds the models
CPUS = 2
#: cores that decode for a GPU, at most
CPUS_OF_GPU = 8
#: portions that a process has been sent: the one it works at, and the next one
SENT = 2
#: portions on their way for each process, those that wait for an earlier one included
AHEAD = 4
#: processes of a node that may end, one after the other, before they have begun
MAX_FAILED_STARTS = 3
#: seconds between two looks at the nodes; between two looks at anything; until it is said that there is no room
_LOOK, _WAIT, _PATIENCE = 2.0, 0.5, 30.0


def run(
    rows: Iterable[Row],
    tasks: Sequence[Task[Any]],
    *,
    device: str,
    batch_size: int,
    workers: int | None,
    torch_threads: int | None,
) -> Iterator[list[Mapped[Any]]]:
    """Yields what became of the rows, see ``map_rows``; ``workers`` are the cores of each process.

    Raises:
        InputError: a node has another version of Loupe, or no node sees the files
        ProcessLost: no node is left
    """
    settings = torch_settings()
    if torch_threads is not None:
        settings["threads"] = torch_threads
    # where a model takes all of torch's threads, their number decides bits: a process has as many cores
    cpus = workers or (CPUS if torch_threads == 1 else settings["threads"])
    with connected() as ray:
        crew = Crew(ray, tasks, device, batch_size, cpus, settings)
        begun(crew.dismiss)
        try:
            yield from crew.run(rows)
        finally:
            crew.dismiss()


@dataclass(eq=False)
class _Process:
    """A process on a node.

    Attributes:
        node: where
        handle: Ray's actor
        starting: Ray's reference to what ``start`` says; None once it was heard
        sent: the pieces that it was sent, with Ray's references to the answers, in order
    """

    node: Node
    handle: Any
    starting: Any
    sent: deque[tuple[Any, Piece]] = field(default_factory=deque)


class Crew:
    """The processes of a run."""

    def __init__(
        self, ray: Any, tasks: Sequence[Task[Any]], device: str, batch_size: int, cpus: int, torch: dict[str, Any]
    ) -> None:
        self._ray, self._device, self._cpus, self._size = ray, device, cpus, chunk_size(batch_size)
        self._tasks = {task.name for task in tasks}
        self._facts = ray_work.facts()
        # sent once, whatever the number of processes
        self._order = ray.put(ray.cloudpickle.dumps(ray_work.Order(tasks, device, batch_size, torch)))
        self._class = ray.remote(ray_work.worker_class())
        self._processes: list[_Process] = []
        self._failed_starts: dict[str, int] = {}
        self._left_out: dict[str, str] = {}
        self._looked = -_LOOK
        self._heard = time.monotonic()
        self._warned: set[str] = set()

    def run(self, rows: Iterable[Row]) -> Iterator[list[Mapped[Any]]]:
        """Yields what became of the rows, chunk by chunk, in their order."""
        source = iter(rows)
        portions = Portions(iter(lambda: tuple(islice(source, self._size)), ()), self._tasks)
        while True:
            self._tend(portions)
            self._deal(portions)
            for piece, chunks in portions.finished():
                yield from _mapped(piece, chunks)
                self._deal(portions)
            if portions.done:
                return
            self._listen(portions)

    def dismiss(self) -> None:
        """Ends the processes, whatever they are doing."""
        for process in self._processes:
            self._end(process)
        self._processes = []

    def _tend(self, portions: Portions) -> None:
        """Starts processes on nodes that have room for more: at first, where one was lost, and where a node came."""
        if time.monotonic() - self._looked < _LOOK:
            return
        self._looked = time.monotonic()
        for node in nodes(self._ray):
            if node.id in self._left_out:
                continue
            own = sum(process.node.id == node.id for process in self._processes)
            for _ in range(own, places(node, self._cpus, self._device)):
                self._processes.append(self._start(node))
        if not self._processes:
            raise ProcessLost(self._nobody())
        is_idle = all(process.starting is not None for process in self._processes)
        if is_idle and time.monotonic() - self._heard > _PATIENCE:
            self._warn("the Ray cluster has no room for this run yet: others use its cores, or its GPUs. Waiting")

    def _start(self, node: Node) -> _Process:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        is_gpu = self._device != "cpu"
        cpus = min(CPUS_OF_GPU, max(1, node.cpus // node.gpus)) if is_gpu else min(self._cpus, node.cpus)
        handle = self._class.options(
            num_cpus=cpus,
            num_gpus=1 if is_gpu else 0,
            max_restarts=0,
            max_task_retries=0,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node.id, soft=False),
        ).remote()
        return _Process(node, handle, handle.start.remote(self._facts, self._order, cpus))

    def _deal(self, portions: Portions) -> None:
        """Sends pieces to those that have the fewest."""
        ready = [process for process in self._processes if process.starting is None]
        max_open = AHEAD * max(1, len(ready))
        for held in range(SENT):
            for process in ready:
                if len(process.sent) == held and (piece := portions.take(max_open)) is not None:
                    answer = process.handle.work.remote(pickle.dumps(piece.rows))
                    process.sent.append((answer, piece))

    def _listen(self, portions: Portions) -> None:
        """Waits until something is heard, or for half a second."""
        waited_for = {}
        for process in self._processes:
            if process.starting is not None:
                waited_for[process.starting] = process
            elif process.sent:
                waited_for[process.sent[0][0]] = process
        if not waited_for:
            time.sleep(_WAIT)
            return
        heard, _ = self._ray.wait(list(waited_for), num_returns=1, timeout=_WAIT)
        if heard:  # all that are ready, not the first alone
            heard, _ = self._ray.wait(list(waited_for), num_returns=len(waited_for), timeout=0)
        for reference in heard:
            process = waited_for[reference]
            # another answer may have left its node out
            if process in self._processes:
                self._hear(process, reference, portions)

    def _hear(self, process: _Process, reference: Any, portions: Portions) -> None:
        self._heard = time.monotonic()
        try:
            answer = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            raise error.as_instanceof_cause() from None
        except self._ray.exceptions.RayError as error:
            self._lost(process, error, portions)
            return
        if process.starting is not None:
            process.starting = None
            self._greet(process, answer)
            return
        _, piece = process.sent.popleft()
        self._take(process, piece, pickle.loads(answer), portions)

    def _greet(self, process: _Process, has: dict[str, Any]) -> None:
        """Looks at what a node has.

        Raises:
            InputError: another version of Loupe, or none
        """
        self._failed_starts[process.node.id] = 0
        if has["lacks"]:
            raise InputError(
                f"expected Loupe {self._facts['loupe']} on every node of the Ray cluster, as here, got {has['lacks']} "
                f"on {process.node.name}. Install the same version there, or take that node out of the cluster; what "
                "was done so far is stored, and the same call goes on from there"
            )
        if has["differs"]:
            versions = ", ".join(f"{name} {theirs} (here {ours})" for name, (ours, theirs) in has["differs"].items())
            self._warn(f"{process.node.name} has {versions}: the last digits of scores may differ by node")

    def _take(self, process: _Process, piece: Piece, answer: ray_work.Answer, portions: Portions) -> None:
        if answer.error is not None:
            raise answer.error
        for text, kind in answer.warnings:
            self._warn(text, kind)
        # what is not here, either, is not there for anybody
        lacking = next((path for path in answer.lacking if os.path.exists(path)), None)
        if lacking is None:
            portions.put(piece, answer.chunks)
            return
        portions.again(piece)
        self._leave_out(
            process.node,
            f"{process.node.name} does not see {printable(lacking)}, which is here: pictures have to lie under the "
            "same path on every node, on storage that they share",
            portions,
        )

    def _lost(self, process: _Process, error: Exception, portions: Portions) -> None:
        """A process has ended: what it was working at was not answered, and may be why."""
        self._processes.remove(process)
        self._end(process)
        why = _cause(error)
        if process.starting is not None:
            self._failed_starts[process.node.id] = self._failed_starts.get(process.node.id, 0) + 1
            if self._failed_starts[process.node.id] >= MAX_FAILED_STARTS:
                self._leave_out(process.node, f"{process.node.name}: processes end as they begin: {why}", portions)
        elif process.sent:
            # the one that was worked at last of all, so that it comes first
            for _, piece in reversed(list(process.sent)[1:]):
                portions.again(piece)
            portions.lost(process.sent[0][1], why)
        # another one in its place at once
        self._looked = -_LOOK

    def _leave_out(self, node: Node, why: str, portions: Portions) -> None:
        """No longer sends anything to a node.

        Raises:
            InputError: none is left
        """
        self._left_out[node.id] = why
        for process in [process for process in self._processes if process.node.id == node.id]:
            self._processes.remove(process)
            for _, piece in reversed(process.sent):
                portions.again(piece)
            self._end(process)
        self._looked = -_LOOK
        if all(other.id in self._left_out for other in nodes(self._ray)):
            raise InputError(f"{self._nobody()}")
        self._warn(f"{why}. That node is left out of this run")

    def _end(self, process: _Process) -> None:
        with suppress(ValueError, self._ray.exceptions.RayError):  # it has ended, or the cluster has
            self._ray.kill(process.handle, no_restart=True)

    def _nobody(self) -> str:
        device = "a GPU" if self._device != "cpu" else "cores"
        why = "; ".join(self._left_out.values()) or f"no node of the Ray cluster with {device} is left"
        return f"expected nodes that work on this run, got none: {why}. What was done so far is stored"

    def _warn(self, text: str, kind: type[Warning] = UserWarning) -> None:
        if text not in self._warned:
            self._warned.add(text)
            warnings.warn(text, kind, stacklevel=2)


def places(node: Node, cpus: int, device: str) -> int:
    """Returns how many processes a node has room for: one a GPU, or one for so many cores.

    >>> places(Node("a", "a", 16, 0), 2, "cpu"), places(Node("a", "a", 16, 4), 2, "cuda")
    (8, 4)
    """
    return node.gpus if device != "cpu" else max(1, node.cpus // cpus)


def _mapped(rows: Sequence[Row], chunks: Sequence[Sequence[Entry]]) -> Iterator[list[Mapped[Any]]]:
    left = iter(rows)
    for chunk in chunks:
        yield [Mapped(next(left), *entry) for entry in chunk]


def _cause(error: Exception) -> str:
    """Returns how a process ended, in a few words of Ray's many."""
    text = " ".join(str(error).split())
    if "memory" in text.lower() and "kill" in text.lower():
        return "memory ran short on its node"
    return "its node was lost" if "node" in text.lower() and "died" in text.lower() else "it was killed, or broke"
