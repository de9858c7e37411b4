"""How many threads each step of a task takes inside: of torch, and of what numpy and scipy calculate with (BLAS).

The engine's pool keeps the cores busy. Threads inside of steps that take microseconds would only wait for each other:
with them faces took a tenth more of the processor's time on idle cores, and two to four times as much on busy ones.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from threading import Lock

_lock = Lock()
_inside = 0
#: what the last run undoes
_undo = ExitStack()
#: threadpoolctl lets one thread alone change BLAS until it has undone that: a thread that outlives each of the runs
_keeper: ThreadPoolExecutor


@contextmanager
def inner_threads(number: int | None) -> Iterator[None]:
    """Inside of it each step has so many threads, as they were afterwards; None leaves them as they are.

    BLAS has them for the whole process, from the first of several runs at once until the last one ends.
    """
    import torch

    if number is None:
        yield
        return
    usual = torch.get_num_threads()
    torch.set_num_threads(number)
    _enter()
    try:
        limit_blas(number)
        yield
    finally:
        # a process that ends, a run left half done, has nothing to undo and no threads to do it with
        if not sys.is_finalizing():
            _leave()
            torch.set_num_threads(usual)


def limit_blas(number: int | None) -> None:
    """Limits the libraries that are loaded by now, as a task may have brought one; outside of a run it does nothing."""
    with _lock:
        if number is not None and _inside:
            _keeper.submit(_limit_blas, number).result()


def _limit_blas(number: int) -> None:
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:  # on a GPU machine that has little but torch
        return
    libraries = ThreadpoolController().select(user_api="blas")
    if any(each.num_threads > number for each in libraries.lib_controllers):
        _undo.enter_context(libraries.limit(limits=number))


def _enter() -> None:
    global _inside, _keeper
    with _lock:
        _inside += 1
        if _inside == 1:
            _keeper = ThreadPoolExecutor(1, thread_name_prefix="loupe-blas")


def _leave() -> None:
    global _inside
    with _lock:
        _inside -= 1
        if not _inside:
            _keeper.submit(_undo.close).result()
            _keeper.shutdown()
