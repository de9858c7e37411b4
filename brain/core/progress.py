"""What ``progress=`` means in every verb."""

from __future__ import annotations

from loupe.brain.core.records import Progress, ProgressCallback


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
