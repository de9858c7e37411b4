"""Stopping in the middle of a batch: what takes long asks here, between its steps, whether it is to go on.

A verb is asked between two batches by its ``progress``. A batch of a large model may take minutes: an engine calls
``point`` before each part of it, a model between its denoising steps or its blocks. Who runs the verb says by
``asking`` what there is to ask; where nobody has, ``point`` costs a look at a variable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from threading import Lock
from typing import Any, TypeVar

from loupe.brain.core.errors import Stopped

T = TypeVar("T")

_asked: ContextVar[Callable[[], Stopped | None] | None] = ContextVar("loupe_interrupts", default=None)
_lock = Lock()
_held = 0


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
