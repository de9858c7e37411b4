"""Several processes that draw, one a device: each loads the generator once, and takes a batch whenever it is free."""

from __future__ import annotations

import contextlib
import pickle
import queue
import subprocess
import threading
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loupe.brain.core import interrupts
from loupe.brain.core.errors import InputError, ModelError, ProcessLost
from loupe.brain.core.specs import Generator, GeneratorSession
from loupe.brain.engine import output_folder, own_process
from loupe.brain.engine.drawing import Drawers, Finished, Item
from loupe.brain.engine.drawing_process import Failed, Order, torch_settings

#: seconds between two looks at whether somebody wants to stop
_EVERY = 0.5
#: seconds that a process has to end in
_LEAVE = 10.0
#: a batch that has cost so many processes is not tried again
_MAX_DEATHS = 2


@dataclass(eq=False)
class _Process:
    """One of the processes.

    Attributes:
        device: where it draws
        popen: the process
        batch: what it is drawing; None: it is free, or not yet loaded
        images: how many it has drawn or adopted
        status: how it ended; None: it has not
    """

    device: str
    popen: subprocess.Popen[bytes]
    batch: Sequence[Item] | None = None
    images: int = 0
    status: int | None = None

    def send(self, message: object) -> None:
        """Sends what it is to do; where it is dying, its end is heard of elsewhere."""
        own_process.send(self.popen, message)

    def lost(self) -> str:
        """Returns how it ended, in words."""
        assert self.status is not None
        return own_process.ended(self.status)


class Processes(Drawers):
    """Draws in several processes; made by ``opened``."""

    def __init__(self, processes: Sequence[_Process]) -> None:
        self.count = len(processes)
        self._processes = processes
        self._answers: queue.SimpleQueue[tuple[_Process, bytes | None]] = queue.SimpleQueue()
        self._stopping = False
        self._warned: set[str] = set()
        for process in processes:
            threading.Thread(target=_listen, args=(process, self._answers), name="loupe-drawing", daemon=True).start()

    def load(self, waiting: Callable[[], None]) -> None:
        """Waits until each has loaded the generator.

        Args:
            waiting: called twice a second; may raise

        Raises:
            ProcessLost: one of them ended
            ModelError: they loaded different generators
            Exception: what one of them raised
        """
        sessions: list[tuple[str, GeneratorSession]] = []
        while len(sessions) < len(self._processes):
            answer = self._next()
            if answer is None:
                waiting()
                continue
            process, message = answer
            if isinstance(message, Failed):
                raise message.error
            if message is None:
                waiting()
                raise ProcessLost(f"{process.device}: {process.lost()}, while it loaded the model. Nothing was drawn")
            sessions.append((process.device, message))
        require_same(sessions)
        self.session = sessions[0][1]

    def run(self, batches: Iterable[Sequence[Item]]) -> Iterator[Finished | None]:
        """Yields what became of each batch as it is done; a batch whose process is killed is drawn by another.

        Raises:
            Stopped: the caller is to stop at once; what is under way is lost
            ProcessLost: all of them are gone, or the same batch has cost several
        """
        waiting = deque(batches)
        deaths: Counter[str] = Counter()
        while True:
            self._deal(waiting)
            if all(process.batch is None for process in self._processes):
                break
            answer = self._next()
            if answer is None:
                interrupts.point()
                yield None
                continue
            process, message = answer
            batch, process.batch = process.batch, None
            if message is not None:
                process.images += len(message.images)
                # the next one first: what follows here takes its time
                self._deal(waiting)
                yield self._warn(message)
            elif batch is not None:
                # who asked everything to end asked this process, too: then that is what there is to say
                yield None
                deaths[batch[0].key] += 1
                waiting.appendleft(batch)
                if deaths[batch[0].key] >= _MAX_DEATHS and not self._stopping:
                    break
        if waiting and not self._stopping:
            raise ProcessLost(self._gone())

    def _deal(self, waiting: deque[Sequence[Item]]) -> None:
        for process in self._processes:
            if waiting and process.batch is None and process.status is None and not self._stopping:
                process.batch = waiting.popleft()
                process.send(process.batch)

    def _next(self) -> tuple[_Process, Any] | None:
        """Returns who answered what; None after half a second."""
        try:
            process, answer = self._answers.get(timeout=_EVERY)
        except queue.Empty:
            return None
        return process, None if answer is None else pickle.loads(answer)

    def _warn(self, done: Finished) -> Finished:
        for text, kind in done.warnings:
            if text not in self._warned:
                self._warned.add(text)
                warnings.warn(text, kind, stacklevel=3)
        return done

    def _gone(self) -> str:
        ended = "; ".join(f"{each.device}: {each.lost()}" for each in self._processes if each.status is not None)
        return (
            f"expected processes that draw until all is drawn, but too few are left, or the same images cost several. "
            f"{ended}. What was drawn is stored. Where memory is short, name fewer devices, or draw fewer images at "
            "once, and repeat the same call, which goes on from there"
        )

    def stop(self) -> None:
        self._stopping = True

    def account(self) -> tuple[dict[str, object], dict[str, str]]:
        drawn = [{"device": process.device, "images": process.images} for process in self._processes]
        lost = {
            f"{process.device} ({number} of {self.count})": f"{process.lost()}; the others drew what was left of it"
            for number, process in enumerate(self._processes, 1)
            if process.status is not None
        }
        return {"devices": drawn}, lost


@contextmanager
def opened(spec: Generator, folder: Path, devices: Sequence[str], waiting: Callable[[], None]) -> Iterator[Processes]:
    """Starts a process for each device, and yields them as each has loaded the generator; they end with the block.

    Args:
        spec: the generator
        folder: where images go
        devices: of one kind
        waiting: called twice a second while they load; may raise

    Raises:
        InputError: the generator cannot be sent to another process
        ProcessLost: one of them ended while it loaded
        Exception: what one of them raised as it loaded
    """
    settings = torch_settings()
    orders = [_portable(Order(spec, folder, device, settings)) for device in devices]
    started: list[_Process] = []
    try:
        for order in orders:
            started.append(_start(order))
        several = Processes(started)
        several.load(waiting)
        yield several
    finally:
        _end(started)
        if any(process.batch is not None or process.status is not None for process in started):
            with contextlib.suppress(OSError):
                output_folder.remove_temporary(folder)


def _portable(order: Order) -> Order:
    if type(order.spec).__module__ == "__main__":
        raise InputError(
            f"expected a generator that other processes can import, got {type(order.spec).__name__} of a notebook or "
            "script: put it into a module of its own, or name one device"
        )
    try:
        pickle.dumps(order)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise InputError(
            f"expected a generator that can be sent to other processes, got {order.spec.name}: {error}. Name one device"
        ) from error
    return order


def _start(order: Order) -> _Process:
    process = _Process(order.device, own_process.start("loupe.brain.engine.drawing_process"))
    process.send(order)
    return process


def _listen(process: _Process, answers: queue.SimpleQueue[tuple[_Process, bytes | None]]) -> None:
    for answer in own_process.answers(process.popen):
        answers.put((process, answer))
    process.status = process.popen.wait()
    answers.put((process, None))


def _end(processes: Sequence[_Process]) -> None:
    for process in processes:
        assert process.popen.stdin is not None
        with contextlib.suppress(OSError):
            process.popen.stdin.close()
    for process in processes:
        try:
            process.popen.wait(_LEAVE)
        except subprocess.TimeoutExpired:
            process.popen.kill()
            process.popen.wait()


def require_same(sessions: Sequence[tuple[str, GeneratorSession]]) -> None:
    """Raises an error where what decides pixels differs; how a device is called does not."""
    device, first = sessions[0]
    for other, session in sessions[1:]:
        for name in sorted((first.facts.keys() | session.facts.keys()) - {"device"}):
            mine, theirs = first.facts.get(name), session.facts.get(name)
            if mine != theirs:
                raise ModelError(
                    f"expected the same generator on each device, got {name}={mine!r} on {device} and {theirs!r} on "
                    f"{other}: its files were changed meanwhile, or the devices differ"
                )
