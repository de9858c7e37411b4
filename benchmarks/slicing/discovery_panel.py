"""How long worst slices take on a dataset in a database, and how quickly their panel answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.figures import header, row, title

#: documents that are put into the database at once
_BULK = 20_000


def add_documents(dataset: Any, n: int, seed: int = 0) -> None:
    """Adds n samples with four factors, of which one in ten fails, and twice as many at night in the rain."""
    import fiftyone as fo
    from bson import ObjectId

    first = fo.Sample(filepath="/n/0.png", time="day", weather="fog", kind="a", level=0.5, wrong=False)
    dataset.add_sample(first)
    whole = dataset._sample_collection.find_one()
    rng = np.random.default_rng(seed)
    times, weathers = rng.choice(["day", "night"], n), rng.choice(["fog", "rain", "clear"], n)
    kinds, levels = rng.choice(list("abcdef"), n), rng.random(n)
    wrong = rng.random(n) < np.where((times == "night") & (weathers == "rain"), 0.2, 0.1)
    for start in range(1, n, _BULK):
        documents = [
            {
                **whole,
                "_id": ObjectId(),
                "filepath": f"/n/{at}.png",
                "time": str(times[at]),
                "weather": str(weathers[at]),
                "kind": str(kinds[at]),
                "level": float(levels[at]),
                "wrong": bool(wrong[at]),
            }
            for at in range(start, min(n, start + _BULK))
        ]
        dataset._sample_collection.insert_many(documents)
    dataset.reload()


def print_panel(n: int) -> None:
    """Prints the seconds, of the clock and of the processor; the database's own processor time is not counted."""
    import fiftyone as fo
    from panel_session import PanelSession

    import loupe
    from loupe.panels.worst_slices.panel import WorstSlices

    title(f"In a database: {n:,} samples, four factors in up to three (aims: the panel opens in 2 s, a click in 1 s)")
    header("what", "seconds", "processor")
    dataset = fo.Dataset()
    try:
        add_documents(dataset, n)
        outcome = loupe.Outcome.field("wrong", failed=[True])
        report = _timed("discover_slices", lambda: loupe.discover_slices(dataset, outcome=outcome))
        session = _timed("the panel opens", lambda: PanelSession(WorstSlices(), dataset))
        session = _timed("again", lambda: PanelSession(WorstSlices(), dataset))
        key = report.findings[0].key
        _timed("a click on Show, to the view", lambda: session.call("on_show", key=key, failing=False))
        assert session.samples().count() == report.findings[0].whole.n
    finally:
        dataset.delete()


def _timed(name: str, work: Callable[[], Any]) -> Any:
    started, processor = time.perf_counter(), time.process_time()
    result = work()
    row(name, f"{time.perf_counter() - started:.2f}", f"{time.process_time() - processor:.2f}")
    return result
