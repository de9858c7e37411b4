"""What is held of many samples grows by little: nothing makes an object of each sample and each check."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.database

#: the fewer and the more samples of the two measurements
FEW, MANY = 500, 2_500


@pytest.fixture
def judged(dataset: Any) -> Any:
    """Samples without files of which twenty checks know what they judged."""
    import fiftyone as fo
    from bson import ObjectId

    from loupe.brain.store import datasets

    dataset.add_samples([fo.Sample(filepath="/nowhere/0.png", prompt="a cat")], progress=False)
    documents = datasets.sample_documents(dataset)
    (made,) = documents.find()
    known = {name: f"{name}:1:0123456789ab:{index}" for index, name in enumerate(_names())}
    copies = (
        {**made, "_id": ObjectId(), "filepath": f"/nowhere/{index:07}.png", "checked": known}
        for index in itertools.count(1)
    )
    documents.insert_many(list(itertools.islice(copies, MANY)))
    if not dataset.has_field("checked"):
        dataset.add_sample_field("checked", fo.DictField)
    return dataset


def _names() -> list[str]:
    from loupe.brain.core import registry

    return sorted(registry.checks())


def _bytes_more(work: Callable[[Any], object], samples: Any) -> float:
    """Returns how many bytes more the work holds at its peak for each sample more."""
    peaks = []
    for n in (FEW, MANY):
        view = samples[:n]
        work(view)  # what is made once
        tracemalloc.start()
        held = work(view)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        del held
    return (peaks[1] - peaks[0]) / (MANY - FEW)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database sends 16 MB at once, which would hide the rest: here a hundred samples."""
    from loupe.brain.store import bulk

    monkeypatch.setattr(bulk, "_BATCH", 100)


def test_rows_that_wait_for_every_check_take_little(judged: Any) -> None:
    from loupe.brain.core import registry
    from loupe.brain.store import rows

    specs = [registry.checks()[name]() for name in _names()]
    # a row with its keys takes thousands of bytes, and so does what was remembered of twenty checks
    assert _bytes_more(lambda view: rows.pending_rows(view, specs, needs=["prompt"]), judged) < 900


def test_rows_of_a_set_take_little(judged: Any) -> None:
    from loupe.brain.sets.duplicates import Duplicates
    from loupe.brain.store import sets

    assert _bytes_more(lambda view: sets.rows(view, Duplicates()), judged) < 600


def test_flagging_holds_columns_and_no_documents(judged: Any) -> None:
    import loupe
    from loupe.brain.core import registry
    from loupe.brain.store import scores

    outputs = registry.checks()["exposure"].outputs
    scores.declare(judged, outputs)
    for output in outputs:
        judged.set_values(f"quality.{output.name}", [0.5] * len(judged))
    loupe.flag(judged)
    assert _bytes_more(lambda view: loupe.flag(view), judged) < 900


def test_rows_are_those_that_were_put_in() -> None:
    from loupe.brain.store.rows import Rows

    rows = Rows({"blur": "blur:1"})
    rows.add("a", "/a.png", "0123456789ab", frozenset({"blur"}), {"prompt": "x"})
    rows.add("b", "/b.png", "ba9876543210", frozenset({"blur"}), {"prompt": None})
    assert [row.id for row in rows] == ["a", "b"]
    assert [row.keys for row in rows] == [{"blur": "blur:1:0123456789ab"}, {"blur": "blur:1:ba9876543210"}]
    assert [row.fields for row in rows] == [{"prompt": "x"}, {"prompt": None}]
    assert rows[-1].path == "/b.png"
    assert [row.id for row in rows[:1]] == ["a"]
    assert rows[0].pending is rows[1].pending
    with pytest.raises(IndexError):
        rows[2]
