"""Single paths and single elements of lists are updated, each sample in one step: two writers lose nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import fiftyone as fo
from bson import ObjectId
from pymongo import UpdateOne

from loupe.brain.store.datasets import Samples, root
from loupe.brain.store.fields import CHECK, QUALITY


@dataclass(frozen=True)
class Elements:
    """Elements of a list of labels that are put in the place of those of the same owners.

    Attributes:
        document: the class of the list's document, e.g. ``"Detections"``
        inside: where the list lies in it
        owner: the part of an element that says whose it is
        owners: whose elements are replaced; those of all others stay
        new: what comes in their place
    """

    document: str
    inside: str
    owner: str
    owners: tuple[str, ...]
    new: Sequence[dict[str, Any]] = ()

    def whole(self) -> dict[str, Any]:
        """Returns the document of a sample that has none yet."""
        return {"_cls": self.document, self.inside: list(self.new)}

    def merged(self, path: str) -> dict[str, Any]:
        """Returns the expression for what the document at ``path`` becomes."""
        # what is no list, or has no owner, is not ours
        standing = {"$cond": [{"$isArray": f"${path}.{self.inside}"}, f"${path}.{self.inside}", []]}
        others = {
            "$filter": {
                "input": standing,
                "as": "element",
                "cond": {"$not": [{"$in": [f"$$element.{self.owner}", {"$literal": list(self.owners)}]}]},
            }
        }
        return {"_cls": self.document, self.inside: {"$concatArrays": [others, {"$literal": list(self.new)}]}}


def reasons(checks: Iterable[str], why: Mapping[str, str]) -> Elements:
    """Returns what ``unknown`` holds of those checks: why each could not judge, if it could not."""
    new = [label(check, reason=reason) for check, reason in sorted(why.items())]
    return Elements("Classifications", "classifications", "label", tuple(checks), new)


def boxes(checks: Iterable[str], new: Sequence[dict[str, Any]]) -> Elements:
    """Returns what a field of boxes holds of those checks."""
    return Elements("Detections", "detections", CHECK, tuple(checks), new)


def label(name: str, **attributes: Any) -> dict[str, Any]:
    """Returns a classification as it is stored."""
    return {"_id": ObjectId(), "_cls": "Classification", "tags": [], "label": name, **attributes}


def update(
    sample_id: str, values: Mapping[str, Any], lists: Mapping[str, Elements], forgotten: Sequence[str] = ()
) -> UpdateOne:
    """Returns the update of one sample: whatever others have written beside it stays, and so does what they will.

    Args:
        sample_id: which
        values: what single paths become
        lists: which elements of lists of labels are replaced, by the field
        forgotten: paths that are taken away
    """
    sets: dict[str, Any] = {path: {"$literal": value} for path, value in values.items()}
    sets |= {path: elements.merged(path) for path, elements in lists.items()}
    if any(path.startswith(f"{QUALITY}.") for path in values):
        sets[f"{QUALITY}._cls"] = "DynamicEmbeddedDocument"
    steps: list[dict[str, Any]] = [{"$set": sets}]
    if forgotten:
        steps.append({"$unset": list(forgotten)})
    return UpdateOne({"_id": ObjectId(sample_id)}, steps)


def write(samples: Samples, operations: Sequence[UpdateOne], ids: Sequence[str]) -> int:
    """Writes the updates of the samples of those ids in one bulk; returns how many samples were there to be updated."""
    if not operations:
        return 0
    dataset = root(samples)
    # FiftyOne's own batches begin with one document each
    result = dataset._sample_collection.bulk_write(list(operations), ordered=False)
    fo.Sample._reload_docs(dataset._sample_collection_name, sample_ids=list(ids))
    return int(result.matched_count)
