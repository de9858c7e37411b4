"""What ``progress=`` means in every verb."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from loupe.brain.core.records import Progress, ProgressCallback

_report: ContextVar[ProgressCallback | None] = ContextVar("loupe_progress", default=None)


@contextmanager
def telling(report: ProgressCallback) -> Iterator[None]:
    """Inside of it ``tell`` calls the function: who reads rows for a verb need not be handed it."""
    token = _report.set(report)
    try:
        yield
    finally:
        _report.reset(token)


def tell(done: int, total: int, message: str) -> None:
    """Says how far what takes long has come, to whoever runs the verb; raises ``Stopped`` where it is to stop."""
    report = _report.get()
    if report is not None:
        report(Progress(done, total, message))


def reporter(progress: bool | ProgressCallback | None, verb: str) -> ProgressCallback:
    """Returns what to call between batches: the caller's function, a bar on stderr (True), or nothing (None, False)."""
    if callable(progress):
        return progress
    if not progress:
        return lambda _: None
    from tqdm.auto import tqdm

    bar = tqdm(desc=verb, unit="img")

    def show(step: Progress) -> None:
        bar.total = step.total
        bar.n = step.done
        bar.set_postfix_str(step.message, refresh=False)
        bar.refresh()
        if step.done >= step.total:
            bar.close()

    return show
