"""One checkout's checks over the same files, round by round: run by ``benchmarks.speed.each``, in a process of its own.

    python laps.py FILES.json      # a line on its input for each round; it answers with a line of JSON

What of the processor's time each check takes, and each of what they share, is told apart: what is computed for
several checks counts for itself, and not for the check that happens to ask first. It names what both checkouts have
to have: the runner, the reader's rows, the batches' cached properties.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2

from loupe.brain.core import registry
from loupe.brain.core.specs import Check
from loupe.brain.engine import runner
from loupe.brain.engine.reader import Row
from loupe.brain.imaging import decode as decoding
from loupe.brain.imaging import ragged
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.imaging.luma import Luma

#: the name of all that no part below took
REST = "reading ahead, batches, results"


class Clock:
    """Seconds of processor time by part, a part within another one counted for itself alone."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._thread = threading.local()
        self._lock = threading.Lock()

    def charged(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """Returns the work, with its time told apart."""

        def run(*given: Any, **named: Any) -> Any:
            stack = self._thread.__dict__.setdefault("stack", [])
            self._turn(stack)
            stack.append(name)
            try:
                return work(*given, **named)
            finally:
                self._turn(stack)
                stack.pop()

        return run

    def _turn(self, stack: list[str]) -> None:
        now = time.thread_time()
        if stack:
            with self._lock:
                self.seconds[stack[-1]] += now - self._thread.since
        self._thread.since = now

    def watch(self, owner: Any, prefix: str) -> None:
        """Tells the cached properties of a class apart, and its scaling."""
        for name, value in list(vars(owner).items()):
            if isinstance(value, cached_property) and not name.startswith("_"):
                value.func = self.charged(f"shared: {prefix}{name}", value.func)  # type: ignore[method-assign]
        if hasattr(owner, "at"):
            owner.at = self.charged(f"shared: {prefix}at", owner.at)


def timed(check: Check, clock: Clock) -> Check:
    """Returns the check with what it does told apart."""

    def load(self: Check, device: str) -> Callable[..., Any]:
        return clock.charged(check.name, type(check).load(check, device))

    return type(check.name, (type(check),), {"load": load})()  # type: ignore[no-any-return]


def lap(rows: Sequence[Row], checks: Sequence[Check], clock: Clock) -> dict[str, float]:
    """Returns the seconds of processor time of one round by part, and of all that no part took."""
    clock.seconds.clear()
    started = time.process_time()
    for _ in runner.run(rows, checks, workers=1):
        pass
    whole = time.process_time() - started
    return {**clock.seconds, REST: whole - sum(clock.seconds.values())}


def main() -> None:
    files, names, fields = json.loads(Path(sys.argv[1]).read_text())
    cv2.setNumThreads(1)
    clock = Clock()
    for owner, prefix in ((ImageBatch, "pixels."), (Luma, "luma."), (ragged.PreviewBatch, "preview.")):
        clock.watch(owner, prefix)
    decoding.decode = clock.charged("decoding", decoding.decode)
    taken = clock.charged("shared: previews", ragged.Preview.at.__func__)  # type: ignore[attr-defined]
    ragged.Preview.at = classmethod(taken)  # type: ignore[method-assign, assignment]
    checks = [timed(registry.checks()[name](), clock) for name in names]
    rows = [Row(str(index), path, fields, frozenset(names)) for index, path in enumerate(files)]
    lap(rows[:16], checks, clock)  # loads what is loaded once
    print("ready", flush=True)
    for _ in sys.stdin:
        print(json.dumps(lap(rows, checks, clock)), flush=True)


if __name__ == "__main__":
    main()
