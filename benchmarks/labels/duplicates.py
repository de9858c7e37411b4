"""Duplicates in a database: how quickly the panel opens and answers, how long the verb takes, and what leaks remain."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np

from benchmarks.figures import header, row, title
from benchmarks.speed.end_to_end import own_database

#: documents that are put into the database at once, and the size of what else stands on each: a fingerprint
_BULK, _PRINT = 10_000, 4648
#: pictures of the largest group
LARGEST = 500


def print_duplicates(n: int, n_groups: int) -> None:
    """Prints the seconds, of the clock and of the processor; the database's own processor time is not counted."""
    with own_database():
        import fiftyone as fo

        dataset = fo.Dataset()
        try:
            add_documents(dataset, n, n_groups)
            _print(dataset, n, n_groups)
        finally:
            dataset.delete()


def _print(dataset: Any, n: int, n_groups: int) -> None:
    from panel_session import PanelSession

    import loupe
    from loupe.panels.duplicates.panel import DuplicatesPanel

    title(f"{n:,} samples, {n_groups:,} groups of duplicates, one of {LARGEST} (aims: opens in 2 s, the next in .5 s)")
    header("what", "seconds", "processor")
    session = _timed("the panel opens", lambda: PanelSession(DuplicatesPanel(), dataset), 1)
    _timed("again", lambda: session.call("on_load"), 3)
    assert session.content.progress.groups == n_groups

    def decide(answer: str = "keep") -> None:
        session.call("on_decide", answer=answer, step=session.state["choices"]["step"])

    largest = session.state["seen"]["item"]
    _timed(f"the group of {LARGEST}: another page", lambda: session.call("on_page", page=7), 5)
    _timed(f"the group of {LARGEST}: kept, to the next group", decide, 1)
    _timed(f"the group of {LARGEST}: undone", lambda: session.call("on_undo", step=session.state["choices"]["step"]), 1)
    assert session.state["seen"]["item"] == largest
    decide()
    _timed("a decision, to the next group", decide, 21)
    _timed("a merge, to the next group", lambda: decide("merge"), 21)
    _timed("skip", lambda: decide("skip"), 21)
    _timed("back", lambda: session.call("on_back", step=session.state["choices"]["step"]), 11)
    before = session.content.progress
    result = _timed("loupe.deduplicate, the rest", lambda: loupe.deduplicate(dataset, save_view=False), 1)
    assert result.decided == n_groups
    assert result.by_people == before.decided
    print(
        f"\nleaks before any decision {_leaks(dataset, all_of_them=True):,}, left {result.leaks:,}, "
        f"by a loop over every pair {_leaks(dataset):,}; dropped {result.n_dropped:,}"
    )
    _timed("taken back", lambda: loupe.deduplicate(dataset, "none"), 1)


def add_documents(dataset: Any, n: int, n_groups: int, seed: int = 0) -> None:
    """Adds n samples; some are in groups of two to four, and one group is large; some groups stand in two splits."""
    import fiftyone as fo
    from bson import Binary, ObjectId

    from loupe.brain.core.results import Pair
    from loupe.brain.sets.duplicates import Duplicates
    from loupe.brain.store import fields, sets

    first = fo.Sample(filepath="/n/0.png", split="train", truth=fo.Classification(label="a"))
    first["metadata"] = fo.ImageMetadata(width=640, height=480, size_bytes=1000, mime_type="image/png")
    dataset.add_sample(first)
    fields.declare(dataset, [*fields.of_groups(Duplicates.outputs), *fields.of_fingerprints()])
    whole = dataset._sample_collection.find_one()
    rng = np.random.default_rng(seed)
    sizes = np.concatenate([[LARGEST], rng.integers(2, 5, n_groups - 1)])
    group = np.full(n, -1)
    group[rng.permutation(n)[: sizes.sum()]] = np.repeat(np.arange(n_groups), sizes)
    split, label = rng.choice(["train", "val", "test"], n, p=[0.9, 0.05, 0.05]), rng.choice(list("abcde"), n)
    print_of = Binary(rng.integers(0, 256, _PRINT, dtype=np.uint8).tobytes())
    ids = [ObjectId() for _ in range(n)]
    head: dict[int, str] = {}
    pairs = []
    for at, own in enumerate(group.tolist()):
        if own >= 0 and own in head:
            pairs.append(Pair(head[own], str(ids[at]), "near", 0.9))
        elif own >= 0:
            head[own] = str(ids[at])
    dataset._sample_collection.delete_many({})
    for start in range(0, n, _BULK):
        documents = [
            {
                **whole,
                "_id": ids[at],
                "filepath": f"/n/{at}.png",
                "split": str(split[at]),
                "truth": {**whole["truth"], "label": str(label[at])},
                "duplicate_group": head.get(int(group[at])),
                "fingerprint": print_of,
            }
            for at in range(start, min(n, start + _BULK))
        ]
        dataset._sample_collection.insert_many(documents)
    dataset.reload()
    dataset.create_index("duplicate_group")  # as find_duplicates does
    sets.save_same(dataset, Duplicates(), [str(each) for each in ids], pairs)


def _leaks(dataset: Any, *, all_of_them: bool = False) -> int:
    """Counts the pairs of one group that stand in two splits and are kept, one by one."""
    kept = dataset if all_of_them else dataset.match({"deduplicated.label": {"$ne": "drop"}})
    groups: dict[str, list[str]] = {}
    for name, split in zip(*kept.values(["duplicate_group", "split"]), strict=True):
        if name is not None:
            groups.setdefault(name, []).append(split)
    return sum(a != b for splits in groups.values() for a, b in combinations(splits, 2))


def _timed(name: str, work: Callable[[], Any], times: int) -> Any:
    seconds, result = [], None
    for _ in range(times):
        started, processor = time.perf_counter(), time.process_time()
        result = work()
        seconds.append((time.perf_counter() - started, time.process_time() - processor))
    wall, processor = (statistics.median(column) for column in zip(*seconds, strict=True))
    row(name, f"{wall:.3f}", f"{processor:.3f}")
    return result
