"""When a process last wrote: what counts as a write, and that a read and what is of jobs themselves does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient

from loupe.brain.worker import writes

pytestmark = pytest.mark.database


@pytest.fixture
def heard(database: str) -> Iterator[tuple[Any, writes.Writes]]:
    """A database of its own, and who hears of its commands."""
    listener = writes.Writes()
    client: MongoClient[Any] = MongoClient(database, event_listeners=[listener])
    yield client["loupe-writes"], listener
    client.drop_database("loupe-writes")
    client.close()


@pytest.fixture(autouse=True)
def for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writes, "QUIET", 1e9)


def test_reads_and_what_is_of_jobs_are_no_writes(heard: tuple[Any, writes.Writes]) -> None:
    database, listener = heard
    list(database["samples.1"].find({}))
    list(database["samples.1"].aggregate([{"$match": {}}]))
    for name in ("delegated_ops", "loupe_workers", "loupe_worker_status"):
        database[name].insert_one({"a": 1})
        database[name].update_one({"a": 1}, {"$set": {"a": 2}})
    assert not listener.busy()


@pytest.mark.parametrize("kind", ["insert", "update", "delete", "modify", "bulk", "out", "merge", "index", "drop"])
def test_a_write_counts_until_it_is_quiet(
    heard: tuple[Any, writes.Writes], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    from pymongo import UpdateOne

    database, listener = heard
    samples = database["samples.1"]
    {
        "insert": lambda: samples.insert_one({"a": 1}),
        "update": lambda: samples.update_one({"a": 1}, {"$set": {"a": 2}}),
        "delete": lambda: samples.delete_many({}),
        "modify": lambda: samples.find_one_and_update({"a": 1}, {"$set": {"a": 2}}),
        "bulk": lambda: samples.bulk_write([UpdateOne({"a": 1}, {"$set": {"a": 2}}, upsert=True)]),
        "out": lambda: list(samples.aggregate([{"$match": {}}, {"$out": "samples.2"}])),
        "merge": lambda: list(samples.aggregate([{"$match": {}}, {"$merge": {"into": "samples.2"}}])),
        "index": lambda: samples.create_index("a"),
        "drop": lambda: samples.drop(),
    }[kind]()
    assert listener.busy()
    monkeypatch.setattr(writes, "QUIET", 0.0)
    assert not listener.busy(), "it is over"


def test_a_write_that_fails_is_over_too(heard: tuple[Any, writes.Writes], monkeypatch: pytest.MonkeyPatch) -> None:
    from pymongo.errors import OperationFailure

    database, listener = heard
    monkeypatch.setattr(writes, "QUIET", 0.0)
    with pytest.raises(OperationFailure):
        database["samples.1"].update_one({}, {"$nonsense": {"a": 1}})
    assert not listener.busy()
