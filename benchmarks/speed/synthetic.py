"""Datasets of any size without pictures: some samples are made one by one, and copied with ids of their own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

#: so many samples are made one by one
BASE = 20_000
#: documents that are put into the database at once
_CHUNK = 5_000


def fill_many(dataset: Any, n: int, **given: Any) -> None:
    """Adds n samples with scenario, scores, failures and what was checked.

    Args:
        dataset: an empty FiftyOne dataset
        n: how many; of more than ``BASE`` the rest are copies of the first ones
        given: as for ``filled.fill``
    """
    from filled import fill

    fill(dataset, min(n, BASE), **given)
    if n <= BASE:
        return
    documents = dataset._sample_collection
    for chunk in _copies(documents, n - BASE):
        documents.insert_many(chunk, ordered=False)
    dataset.reload()


def _copies(documents: Any, n: int) -> Iterator[list[Any]]:
    """Yields n copies of the collection's documents, a chunk at a time, as the database has them."""
    from bson import ObjectId
    from bson.codec_options import CodecOptions
    from bson.raw_bson import RawBSONDocument

    read = documents.with_options(CodecOptions(document_class=RawBSONDocument))
    originals: Sequence[bytes] = [document.raw for document in read.find()]
    # the id comes first: after the length, its type and its name
    assert all(each[4:9] == b"\x07_id\x00" for each in originals)
    every = itertools.islice(itertools.cycle(originals), n)
    while chunk := list(itertools.islice(every, _CHUNK)):
        yield [RawBSONDocument(each[:9] + ObjectId().binary + each[21:]) for each in chunk]
