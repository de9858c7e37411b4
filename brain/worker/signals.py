"""SIGTERM and SIGINT ask a worker to end."""

from __future__ import annotations

import logging
import os
import select
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_log = logging.getLogger("loupe.worker")

#: seconds to put the job back and to sign off in, when the process has to end
_LEAVE = 5.0

#: set when the worker is asked to end: the running verb stops after its current batch
stopping = threading.Event()


@contextmanager
def heard(grace: float, leave: Callable[[], None], busy: Callable[[], bool]) -> Iterator[None]:
    """Asks the worker to end on SIGTERM and SIGINT; a second one, or a batch that does not end, ends it at once.

    A thread waits for the signals: Python's own handlers are not called while the main thread is stuck in a call.

    Args:
        grace: seconds that a batch has to end in
        leave: puts the job back and signs off, where the process has to end
        busy: whether a job runs; where none does, the worker is about to sign off, and has some seconds more for that
    """
    stopping.clear()
    hears, rings = os.pipe()
    os.set_blocking(rings, False)
    before: dict[int, Any] = {
        number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)
    }
    woken_before = signal.set_wakeup_fd(rings, warn_on_full_buffer=False)
    threading.Thread(target=_listen, args=(hears, grace, leave, busy), name="loupe-signals", daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(woken_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(rings)  # the thread reads the end of it


def _listen(hears: int, grace: float, leave: Callable[[], None], busy: Callable[[], bool]) -> None:
    with os.fdopen(hears, "rb", buffering=0) as signals:
        if not signals.read(1):
            return
        _log.info("asked to end: stopping after the current batch, or in %g s. Once more to end at once", grace)
        stopping.set()
        again, _, _ = select.select([signals], [], [], grace)
        what = f"the current batch has not ended within {grace:g} s"
        if not again and not busy():
            again, _, _ = select.select([signals], [], [], _LEAVE)
            what = f"it did not sign off within {grace + _LEAVE:g} s"
        if again and not signals.read(1):
            return
    _log.warning("ending at once%s", "" if again else f": {what}")
    # the database may be what does not answer
    leaving = threading.Thread(target=leave, daemon=True)
    leaving.start()
    leaving.join(_LEAVE)
    os._exit(1)
