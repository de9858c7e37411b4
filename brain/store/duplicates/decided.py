"""What was decided of duplicates: ``deduplicated`` of each sample, written group by group; nothing is deleted.

It is a classification, whose label is the status, with ``key`` (the samples of one decision share it), ``kept``,
``rule``, ``by``, ``at`` and ``note``. What stood there before stays in it as ``before``, so that it can be taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import fiftyone as fo
from bson import ObjectId
from pymongo import UpdateOne

from loupe.brain.core.deduplicated import STATUSES, GroupDecision, Standing
from loupe.brain.core.hashes import parts_hash
from loupe.brain.store import fields, keeping, plain, updates
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples, require_stored, root, sample_documents
from loupe.brain.store.fields import DEDUPLICATED as FIELD

STATUS, KEY, RULE = f"{FIELD}.label", f"{FIELD}.key", f"{FIELD}.rule"
VIEW = "Without duplicates"
#: the database's query of the dropped ones; a label of the user's own has no key
DROPPED: dict[str, Any] = {STATUS: "drop", KEY: {"$ne": None}}
#: so many decisions of one sample can be taken back, one after the other
_DEPTH = 6
_CHUNK = 1000
#: Loupe's own fields of labels, of which 0.1.0 did not mark any as its own: nothing of them is merged
_OWN = {
    *("failures", "unknown", "flaws", "text", "hands", "faces", "bodies", "composition", "overlays"),
    FIELD,
}
_LISTS = {
    fo.Classifications: "classifications",
    fo.Detections: "detections",
    fo.Polylines: "polylines",
    fo.Keypoints: "keypoints",
}


def kept_view(samples: Samples) -> fo.DatasetView:
    """Returns the samples that are not dropped as duplicates; all of them where nothing was decided.

    It is a rule, not a list: what is decided later counts, too, and so it does in a saved view.

    Args:
        samples: a dataset or view

    >>> loupe.kept_view(dataset)  # doctest: +SKIP
    """
    require_stored(samples)
    return samples.match({"$nor": [DROPPED]})


def save_view(samples: Samples) -> str:
    """Saves the view of what is kept, unless there is one; returns its name."""
    return keeping.save_once(kept_view(samples), VIEW)


def standing_of(document: Any) -> Standing | None:
    """Returns what a document says; None where it says nothing."""
    if not isinstance(document, Mapping) or document.get("label") not in STATUSES:
        return None
    at = document.get("at")
    texts = {name: str(document.get(name) or "") for name in ("key", "by", "note", "rule", "kept")}
    moment = at.replace(tzinfo=UTC).isoformat(timespec="milliseconds") if isinstance(at, datetime) else ""
    merged = [document.get(name) for name in ("merged_labels", "merged_tags")]
    noted = tuple(str(each) for listed in merged for each in listed or ()) if merged != [None, None] else None
    return Standing(document["label"], at=moment, merged=noted, **texts)


def standing(samples: Samples, ids: Iterable[str]) -> dict[str, Standing | None]:
    """Returns what stands on samples now; one that is no more is left out."""
    wanted = {"_id": {"$in": [ObjectId(each) for each in ids]}}
    with database_errors():
        documents = list(sample_documents(samples).find(wanted, [FIELD]))
    return {str(each["_id"]): standing_of(each.get(FIELD)) for each in documents}


def digest(known: Mapping[str, Standing | None]) -> str:
    """Returns what changes when anything that stands on the samples does, or one of them comes or goes: 16 digits."""
    stands = {sample_id: f"{each.status} {each.key}" if each else "" for sample_id, each in known.items()}
    return parts_hash((f"{sample_id} {stands[sample_id]}\n" for sample_id in sorted(stands)), 8)


def decide(
    samples: Samples,
    members: Sequence[str],
    decision: GroupDecision,
    known: Mapping[str, Standing | None],
    without_tags: Iterable[str] = (),
) -> bool:
    """Writes a decision of one group, where just that stands on its samples which is known to.

    Two who decide at once: the first sample of the group says who was first, and of the other nothing is left.

    Args:
        samples: a dataset or view
        members: the samples of the group
        decision: what was decided
        known: what stands on those that are left, as ``standing`` returned it
        without_tags: tags that are not merged: those that name splits

    Returns:
        whether it was written: not where somebody else was first, or the one that is kept is no more

    Raises:
        InputError: ``deduplicated`` is a field of the user's own
    """
    left = sorted(each for each in members if each in known)
    if decision.keep and decision.keep not in left:
        return False
    fields.declare(samples, fields.of_deduplicated())
    also = _merged(samples, left, decision.keep, without_tags) if decision.answer == "merge" else {}
    operations = {each: _update(each, decision, known[each], also) for each in left}
    with database_errors():
        for part in (left[:1], left[1:]):
            if updates.write(samples, [operations[each] for each in part], part) != len(part):
                take_back(samples, left, decision.key)
                return False
    return bool(left)


def decide_all(
    samples: Samples,
    decisions: Sequence[tuple[Sequence[str], GroupDecision]],
    known: Mapping[str, Standing | None],
) -> list[bool]:
    """Writes the decisions of a rule, many groups at once; returns for each whether it was written.

    A group of which somebody else has decided meanwhile is left as they decided.

    Args:
        samples: a dataset or view
        decisions: for each group the samples to write to, and the decision
        known: what stands on them
    """
    fields.declare(samples, fields.of_deduplicated())
    written: list[bool] = []
    with database_errors():
        for start in range(0, len(decisions), _CHUNK):
            part = decisions[start : start + _CHUNK]
            ids = [each for members, _ in part for each in members]
            operations = [_update(each, made, known.get(each), {}) for members, made in part for each in members]
            if updates.write(samples, operations, ids) == len(ids):
                written += [True] * len(part)
                continue
            now = standing(samples, ids)
            for members, made in part:
                whole = all((stands := now.get(each)) is not None and stands.key == made.key for each in members)
                if not whole:
                    take_back(samples, members, made.key)
                written.append(whole)
    return written


def take_back(samples: Samples, members: Sequence[str], key: str) -> int:
    """Takes a decision back: what stood on its samples before stands there again; returns on how many."""
    ids = list(members)
    with database_errors():
        return updates.write(samples, [UpdateOne({"_id": ObjectId(each), KEY: key}, _BACK) for each in ids], ids)


def take_back_rules(samples: Samples) -> int:
    """Takes back whatever rules decided of the samples; returns of how many. What people decided stays."""
    taken: set[str] = set()
    if not samples.has_field(RULE):
        return 0
    for _ in range(_DEPTH + 1):
        with database_errors():
            (ids,), _ = plain.read(samples.match({RULE: {"$nin": [None, ""]}}), [plain.ID])
            for start in range(0, len(ids), _CHUNK):
                part = ids[start : start + _CHUNK]
                query = {RULE: {"$nin": [None, ""]}}
                updates.write(samples, [UpdateOne({"_id": ObjectId(each), **query}, _BACK) for each in part], part)
        if not ids:
            break
        taken |= set(ids)
    return len(taken)


def is_decided(samples: Samples, members: Sequence[str], key: str) -> bool:
    """Returns whether a decision still stands on samples, and no later one on any that it was made of."""
    now = standing(samples, members)
    held = [stands.key for stands in now.values() if stands is not None]
    return key in held and set(held) == {key}


def distinct(samples: Samples) -> dict[str, str]:
    """Returns which samples were decided to be no duplicates of each other: for each the key of the decision."""
    if not samples.has_field(KEY):
        return {}
    with database_errors():
        (ids, keys), _ = plain.read(samples.match({STATUS: "distinct"}), [plain.ID, KEY])
    return dict(zip(ids, keys, strict=True))


_BACK: list[dict[str, Any]] = [{"$set": {FIELD: {"$ifNull": [f"${FIELD}.before", "$$REMOVE"]}}}]


def _update(
    sample_id: str, decision: GroupDecision, known: Standing | None, merged: Mapping[str, list[str]]
) -> UpdateOne:
    status = decision.status(sample_id)
    at = datetime.fromisoformat(decision.at).astimezone(UTC).replace(tzinfo=None) if decision.at else None
    facts: dict[str, Any] = {
        "key": decision.key,
        "by": decision.by,
        "at": at,
        "note": decision.note,
        "rule": decision.rule,
    }
    facts |= {"kept": decision.keep} if status == "drop" else merged if status == "keep" else {}
    standing_now = {"$cond": [{"$gt": [f"${KEY}", None]}, f"${FIELD}", "$$REMOVE"]}
    whole = {"$mergeObjects": [{"$literal": updates.label(status, **facts)}, {"before": standing_now}]}
    steps: list[dict[str, Any]] = [{"$set": {FIELD: whole}}, {"$unset": [f"{FIELD}{'.before' * (_DEPTH + 1)}"]}]
    # nothing stands where there is no key, be it missing or null
    return UpdateOne({"_id": ObjectId(sample_id), KEY: None if known is None else known.key}, steps)


# what is merged


def _merged(samples: Samples, members: Sequence[str], keep: str, without_tags: Iterable[str]) -> dict[str, list[str]]:
    """Returns the labels and tags of the dropped ones that the kept one does not have."""
    schema = root(samples).get_field_schema(flat=True)
    paths = [
        name
        for name, own in schema.items()
        # a label that somebody put right is theirs, though it stands in a field of Loupe's
        if "." not in name and name not in _OWN and (not fields.is_own(own) or f"{name}.how" in schema)
        if _holds_labels(own)
    ]
    with database_errors():
        read = sample_documents(samples).find({"_id": {"$in": [ObjectId(each) for each in members]}}, ["tags", *paths])
        documents = {str(document["_id"]): document for document in read}
    own = documents.pop(keep, {})
    names = {path: {name for each in documents.values() for name in _names(each.get(path))} for path in paths}
    labels = [f"{path}: {name}" for path in paths for name in sorted(names[path] - _names(own.get(path)))]
    tags = {str(tag) for each in documents.values() for tag in each.get("tags") or ()}
    return {
        "merged_tags": sorted(tags - set(own.get("tags") or ()) - set(without_tags)),
        "merged_labels": labels,
    }


def _holds_labels(own: fo.Field) -> bool:
    kind = getattr(own, "document_type", None)
    return isinstance(kind, type) and issubclass(kind, (fo.Classification, *_LISTS))


def _names(document: Any) -> set[str]:
    if not isinstance(document, Mapping):
        return set()
    lists = (document[inside] for inside in _LISTS.values() if isinstance(document.get(inside), list))
    listed = next(lists, [document])
    return {str(each["label"]) for each in listed if isinstance(each, Mapping) and each.get("label") is not None}
