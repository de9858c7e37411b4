"""A database of one's own, with a dataset of any size in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.speed.end_to_end import own_database
from benchmarks.speed.synthetic import fill_many


@contextmanager
def filled(n: int, cache: float) -> Iterator[tuple[str, int]]:
    """Makes n samples without pictures, as check and flag leave them; yields the dataset's name and MongoDB's pid.

    Args:
        n: how many
        cache: GiB that MongoDB may hold of its files; by default it takes half of the machine
    """
    with own_database():
        import fiftyone as fo
        from pymongo import MongoClient

        client: MongoClient[dict[str, object]] = MongoClient(os.environ["FIFTYONE_DATABASE_URI"])
        client.admin.command("setParameter", 1, wiredTigerEngineRuntimeConfig=f"cache_size={int(cache * 1024)}M")
        pid = int(client.admin.command("serverStatus")["pid"])
        dataset = fo.Dataset(persistent=True)
        fill_many(dataset, n)
        yield dataset.name, pid
        dataset.delete()
