"""Stopping in the middle of a batch: what takes long asks here, between its steps, whether it is to go on.

A verb is asked between two batches by its ``progress``. A batch of a large model may take minutes: an engine calls
``point`` before each part of it, a model between its denoising steps or its blocks. Who runs the verb says by
``asking`` what there is to ask; where nobody has, ``point`` costs a look at a variable. A calculation that has no such
steps, as one call of a library, is ``leavable``: it is not waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import partial, wraps
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, Generic, ParamSpec, TypeVar

from loupe.brain.core.errors import Stopped

P = ParamSpec("P")
T = TypeVar("T")

#: seconds between two looks whether a calculation is still wanted
_EVERY = 0.05

_asked: ContextVar[Callable[[], Stopped | None] | None] = ContextVar("loupe_interrupts", default=None)
_apart: ContextVar[bool] = ContextVar("loupe_apart", default=False)
_lock = Lock()
_held = _left = 0


def point() -> None:
    """Raises ``Stopped`` where somebody has asked to stop at once; else does nothing.

    >>> with asking(lambda: Stopped("cancelled")):
    ...     point()
    Traceback (most recent call last):
    loupe.brain.core.errors.Stopped: cancelled
    """
    asked = _asked.get()
    error = None if asked is None else asked()
    if error is not None:
        raise error


@contextmanager
def asking(asked: Callable[[], Stopped | None]) -> Iterator[None]:
    """Inside of it ``point`` raises what ``asked`` returns; it is called often, from any thread of the work."""
    token = _asked.set(asked)
    try:
        yield
    finally:
        _asked.reset(token)


def carried(call: Callable[..., T]) -> Callable[..., T]:
    """Returns the same call for another thread, where ``point`` asks whom it asks here."""
    context = copy_context()
    return lambda *given: context.run(call, *given)


def leavable(call: Callable[P, T]) -> Callable[P, T]:
    """Lets a long calculation be left: where somebody asks to stop, ``Stopped`` is raised at once.

    For what only calculates, and writes nothing: it goes on in a thread of its own until its next ``point``, at the
    latest to its end, and what comes of it is thrown away. Where nobody can ask, it is called as it is.

    >>> @leavable
    ... def total(numbers: list[int]) -> int:
    ...     return sum(numbers)
    >>> total([1, 2])
    3
    """

    @wraps(call)
    def called(*given: P.args, **named: P.kwargs) -> T:
        asked = _asked.get()
        if asked is None or _apart.get():
            return call(*given, **named)
        point()
        return _Calculation(partial(call, *given, **named), asked).result()

    return called


class _Calculation(Generic[T]):
    """A call in a thread of its own, which is waited for as long as nobody asks to stop."""

    def __init__(self, call: Callable[[], T], asked: Callable[[], Stopped | None]) -> None:
        self._call, self._asked = call, asked
        self._stopped: Stopped | None = None
        self._outcome: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

    def result(self) -> T:
        """Returns what the call returns, or raises what it raises, or what was asked."""
        Thread(target=copy_context().run, args=(self._run,), name="loupe-calculation", daemon=True).start()
        while True:
            try:
                made, error = self._outcome.get(timeout=_EVERY)
            except Empty:
                stopped = self._asked()
                if stopped is not None and self._leave(stopped):
                    raise stopped from None
                continue
            if error is not None:
                raise error
            return made  # type: ignore[return-value]

    def _run(self) -> None:
        global _left
        _apart.set(True)
        # whoever has left it may not be there to be asked any more
        _asked.set(lambda: self._stopped or self._asked())
        outcome: tuple[T | None, BaseException | None]
        try:
            outcome = self._call(), None
        except BaseException as error:
            outcome = None, error
        with _lock:
            if self._stopped is None:
                self._outcome.put(outcome)
            else:
                _left -= 1

    def _leave(self, stopped: Stopped) -> bool:
        """Notes that nobody waits any more; returns whether the call is still under way."""
        global _left
        with _lock:
            if not self._outcome.empty():
                return False
            self._stopped = stopped
            _left += 1
            return True


def is_left() -> bool:
    """Returns whether a calculation goes on that nobody waits for."""
    return _left > 0


def watch(model: Any) -> Any:
    """Lets a torch model stop between its blocks, as far as it has such; returns it. No bit of its numbers changes."""
    if any(type(part).__name__ == "TransformerEncoderLayer" for part in model.modules()):
        return model  # torch's own kind computes otherwise, to the last bit, where a hook hangs on it
    for part in model.modules():
        # the blocks of a tower: what stands in a list or a sequence, and what that holds, is run one after the other
        if type(part).__name__ in ("ModuleList", "Sequential"):
            for block in part.children():
                block.register_forward_pre_hook(_before_block)
    return model


def _before_block(*_: Any) -> None:
    point()


@contextmanager
def held() -> Iterator[None]:
    """Inside of it a process that is to stop waits for the end, as of a picture that is paid already."""
    global _held
    with _lock:
        _held += 1
    try:
        yield
    finally:
        with _lock:
            _held -= 1


def is_held() -> bool:
    """Returns whether something is under way that is worth waiting for."""
    return _held > 0
