"""The processes of a run on a Ray cluster: where they are placed, what each has been sent, and what if one is lost.

What they do is an order that each is sent as it starts, and then piece by piece; what the pieces are, and what becomes
of the answers, is for the run: rows of pictures in ``on_ray``, batches of images to draw in ``ray_drawing``. A process,
or a node with all of its processes, may end at any time: what it had not answered goes back to who handed it out.
"""

from __future__ import annotations

import pickle
import time
import warnings
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from loupe.brain.core.errors import InputError, ProcessLost
from loupe.brain.engine import ray_work
from loupe.brain.engine.dealing import Dealer, dealt
from loupe.brain.engine.ray_cluster import Node, nodes

P = TypeVar("P")

#: cores that decode for a GPU, at most
CPUS_OF_GPU = 8
#: pieces on their way for each process, those that wait for an earlier one included
AHEAD = 4
#: processes of a node that may end, one after the other, before they have begun
MAX_FAILED_STARTS = 3
#: seconds between two looks at the nodes; between two looks at anything; until it is said that there is no room
_LOOK, _WAIT, _PATIENCE = 2.0, 0.5, 30.0


class Pieces(Dealer[P], Protocol[P]):
    """Who hands out what is to be done on a cluster."""

    def lost(self, piece: P, why: str) -> None:
        """A process ended while it worked at a piece."""

    def sent(self, piece: P) -> object:
        """Returns what a process is sent of a piece."""

    def worth(self, maximum: int) -> int:
        """Returns how many processes what is left can use, ``maximum`` at most."""


@dataclass(eq=False)
class Process(Generic[P]):
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
    sent: deque[tuple[Any, P]] = field(default_factory=deque)

    @property
    def pieces(self) -> list[P]:
        """What it was sent."""
        return [piece for _, piece in self.sent]


class Crew(Generic[P]):
    """The processes of a run.

    Args:
        ray: the module, connected
        order: what a process is started for
        pieces: what is to be done
        device: ``"cpu"``: a process for so many cores; ``"cuda"``: one for each GPU
        cpus: cores of a process
        sent: pieces that a process has been sent at a time
    """

    def __init__(
        self, ray: Any, order: ray_work.Begins, pieces: Pieces[P], *, device: str, cpus: int, sent: int
    ) -> None:
        self._ray, self._pieces, self._device, self._cpus, self._sent = ray, pieces, device, cpus, sent
        self._facts = ray_work.facts()
        # sent once, whatever the number of processes
        self._order = ray.put(ray.cloudpickle.dumps(order))
        self._class = ray.remote(ray_work.worker_class())
        self._processes: list[Process[P]] = []
        self._failed_starts: dict[str, int] = {}
        self._looked = -_LOOK
        self._heard = time.monotonic()
        self._warned: set[str] = set()
        #: why nothing is sent to a node any more, by Ray's id of it
        self.left_out: dict[str, str] = {}

    @property
    def room(self) -> int:
        """How many processes the cluster has room for."""
        return sum(places(node, self._cpus, self._device) for node in nodes(self._ray))

    @property
    def is_at_work(self) -> bool:
        """Whether something that was sent is not answered."""
        return any(process.sent for process in self._processes)

    def deal(self) -> None:
        """Starts processes where there is room for more, and sends pieces to those that have the fewest.

        Raises:
            ProcessLost: no node is left
        """
        self._tend()
        ready = [process for process in self._processes if process.starting is None]
        max_open = AHEAD * max(1, len(ready))
        for process, piece in dealt(self._pieces, ready, self._sent, max_open):
            answer = process.handle.work.remote(pickle.dumps(self._pieces.sent(piece)))
            process.sent.append((answer, piece))

    def heard(self) -> Iterator[tuple[Process[P], P | None, Any]]:
        """Waits until something is heard, or for half a second; yields who answered what, to which piece.

        A process that has begun answers to None, with what its order told of itself.

        Raises:
            InputError: a node has another version of Loupe, or none
        """
        waited_for = {}
        for process in self._processes:
            if process.starting is not None:
                waited_for[process.starting] = process
            elif process.sent:
                waited_for[process.sent[0][0]] = process
        if not waited_for:
            time.sleep(_WAIT)
            return
        ready, _ = self._ray.wait(list(waited_for), num_returns=1, timeout=_WAIT)
        if ready:  # all that are ready, not the first alone
            ready, _ = self._ray.wait(list(waited_for), num_returns=len(waited_for), timeout=0)
        for reference in ready:
            process = waited_for[reference]
            # another answer may have left its node out
            if process in self._processes:
                yield from self._hear(process, reference)

    def leave_out(self, node: Node, why: str) -> None:
        """No longer sends anything to a node.

        Raises:
            InputError: none is left
        """
        self.left_out[node.id] = why
        for process in [process for process in self._processes if process.node.id == node.id]:
            self._processes.remove(process)
            for _, piece in reversed(process.sent):
                self._pieces.again(piece)
            self._end(process)
        self._looked = -_LOOK
        if not self.has_others(node):
            raise InputError(self._nobody())
        self.warn(f"{why}. That node is left out of this run")

    def has_others(self, node: Node) -> bool:
        """Returns whether there are nodes for this run beside that one."""
        left = [other.id for other in nodes(self._ray) if places(other, self._cpus, self._device)]
        return any(other != node.id and other not in self.left_out for other in left)

    def dismiss(self) -> None:
        """Ends the processes, whatever they are doing."""
        for process in self._processes:
            self._end(process)
        self._processes = []

    def warn(self, text: str, kind: type[Warning] = UserWarning) -> None:
        """Warns, of the same once."""
        if text not in self._warned:
            self._warned.add(text)
            warnings.warn(text, kind, stacklevel=2)

    def _tend(self) -> None:
        """Starts processes on nodes that have room for more: at first, where one was lost, and where a node came."""
        if time.monotonic() - self._looked < _LOOK:
            return
        self._looked = time.monotonic()
        free = []
        for node in nodes(self._ray):
            if node.id not in self.left_out:
                own = sum(process.node.id == node.id for process in self._processes)
                # the first places of all nodes come before the second ones of any
                free += [(at, node) for at in range(own, places(node, self._cpus, self._device))]
        if not self._processes and not free:
            raise ProcessLost(self._nobody())
        count = len(self._processes)
        # a process costs seconds of CPU: none is started that would find nothing to do
        wanted = self._pieces.worth(count + len(free)) - count
        for _, node in sorted(free, key=lambda place: place[0])[: max(0, wanted)]:
            self._processes.append(self._start(node))
        is_idle = all(process.starting is not None for process in self._processes)
        if is_idle and time.monotonic() - self._heard > _PATIENCE:
            self.warn("the Ray cluster has no room for this run yet: others use its cores, or its GPUs. Waiting")

    def _start(self, node: Node) -> Process[P]:
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
        return Process(node, handle, handle.start.remote(self._facts, self._order, cpus))

    def _hear(self, process: Process[P], reference: Any) -> Iterator[tuple[Process[P], P | None, Any]]:
        self._heard = time.monotonic()
        try:
            answer = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            # what was raised in it, as by a GPU that does not answer: the process has not ended
            if process.starting is None:
                raise error.cause from None
            name, why = process.node.name, f"{type(error.cause).__name__}: {error.cause}"
            self.leave_out(process.node, f"{name}: processes cannot begin there: {why}")
            return
        except self._ray.exceptions.RayError as error:
            self._lost(process, error)
            return
        if process.starting is not None:
            process.starting = None
            self._greet(process, answer)
            yield process, None, pickle.loads(answer["told"])
            return
        _, piece = process.sent.popleft()
        yield process, piece, pickle.loads(answer)

    def _greet(self, process: Process[P], has: dict[str, Any]) -> None:
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
            self.warn(f"{process.node.name} has {versions}: the last digits of scores or pixels may differ by node")

    def _lost(self, process: Process[P], error: Exception) -> None:
        """A process has ended: what it was working at was not answered, and may be why."""
        self._processes.remove(process)
        self._end(process)
        why = cause(error)
        if process.starting is not None:
            self._failed_starts[process.node.id] = self._failed_starts.get(process.node.id, 0) + 1
            if self._failed_starts[process.node.id] >= MAX_FAILED_STARTS:
                self.leave_out(process.node, f"{process.node.name}: processes end as they begin: {why}")
        elif process.sent:
            # the one that was worked at last of all, so that it comes first
            for _, piece in reversed(list(process.sent)[1:]):
                self._pieces.again(piece)
            self._pieces.lost(process.sent[0][1], why)
        # another one in its place at once
        self._looked = -_LOOK

    def _end(self, process: Process[P]) -> None:
        with suppress(ValueError, self._ray.exceptions.RayError):  # it has ended, or the cluster has
            self._ray.kill(process.handle, no_restart=True)

    def _nobody(self) -> str:
        device = "a GPU" if self._device != "cpu" else "cores"
        why = "; ".join(self.left_out.values()) or f"no node of the Ray cluster with {device} is left"
        return f"expected nodes that work on this run, got none: {why}. What was done so far is stored"


def places(node: Node, cpus: int, device: str) -> int:
    """Returns how many processes a node has room for: one a GPU, or one for so many cores.

    >>> places(Node("a", "a", 16, 0), 2, "cpu"), places(Node("a", "a", 16, 4), 2, "cuda")
    (8, 4)
    """
    return node.gpus if device != "cpu" else max(1, node.cpus // cpus)


def cause(error: Exception) -> str:
    """Returns how a process ended, in a few words of Ray's many, which name memory and nodes whatever it was."""
    text = " ".join(str(error).split()).lower()
    if any(words in text for words in ("running low on memory", "memory pressure", "memory usage threshold of")):
        return "memory ran short on its node"
    lost = ("its node has died", "node was terminated")
    return "its node was lost" if any(words in text for words in lost) else "it was killed, or broke"
