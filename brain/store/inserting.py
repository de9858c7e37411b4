"""Samples are added once, however many processes add the same ones at the same time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import fiftyone as fo
from bson import ObjectId
from pymongo.errors import BulkWriteError

from loupe.brain.core.hashes import raw_hash
from loupe.brain.store.datasets import sample_documents

_DUPLICATE_KEY = 11000


def insert(dataset: fo.Dataset, identity: str, samples: Sequence[tuple[str, fo.Sample]]) -> None:
    """Adds samples whose fields are declared, unless there is one of the same identity.

    The id of a sample is made of its identity, so that the database itself lets in one. Each dataset makes other ids.

    Args:
        dataset: of images
        identity: the path of the field that tells the samples apart, e.g. ``"filepath"``
        samples: what stands there, and the sample
    """
    now = datetime.now(UTC).replace(tzinfo=None)
    documents: dict[ObjectId, dict[str, Any]] = {}
    names = {}
    for name, sample in samples:
        sample_id = ObjectId(raw_hash(f"{dataset._doc.id}\n{identity}\n{name}", 12))
        document = dataset._make_dict(sample, created_at=now, last_modified_at=now)
        documents[sample_id], names[sample_id] = {**document, "_id": sample_id}, name
    if not documents:
        return
    taken = _inserted(dataset, list(documents.values()))
    # somebody may have given a sample of ours another file: the new one comes beside it
    standing = {
        document["_id"]: _at(document, identity)
        for document in sample_documents(dataset).find({"_id": {"$in": taken}}, [identity])
    }
    others = [
        {**documents[sample_id], "_id": ObjectId()} for sample_id, name in standing.items() if name != names[sample_id]
    ]
    if others:
        _inserted(dataset, others)


def _inserted(dataset: fo.Dataset, documents: list[dict[str, Any]]) -> list[ObjectId]:
    """Inserts the documents; returns the ids that there are already."""
    try:
        sample_documents(dataset).insert_many(documents, ordered=False)
    except BulkWriteError as error:
        failed = error.details["writeErrors"]
        if any(part["code"] != _DUPLICATE_KEY for part in failed):
            raise
        return [documents[part["index"]]["_id"] for part in failed]
    return []


def _at(document: dict[str, Any], path: str) -> Any:
    value: Any = document
    for name in path.split("."):
        value = (value or {}).get(name)
    return value
