"""Which samples wait for a repair, and where the user says that their pictures are to be drawn anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import fiftyone as fo

from loupe.brain.core.errors import InputError
from loupe.brain.store import augmented
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples, root
from loupe.brain.store.fields import CHECKED, FAILURES, QUALITY, UNKNOWN


@dataclass(frozen=True)
class Waiting:
    """A sample that waits for a repair.

    Attributes:
        id, path: its own
        failures: the failure modes that it has
        unknown: those that a check could not judge on it
        checked: the checks that have judged it
        asked: failure modes that its prompt asks for
        prompt: its prompt; empty where it has none
        negative_prompt, model: of its generation; empty where it has none
    """

    id: str
    path: str
    failures: tuple[str, ...]
    unknown: tuple[str, ...]
    checked: frozenset[str]
    asked: frozenset[str]
    prompt: str
    negative_prompt: str
    model: str


def waiting(samples: Samples, failures: Mapping[str, tuple[str, str]], unknown: bool) -> list[Waiting]:
    """Returns the samples with one of these failures, in their order.

    Args:
        samples: a dataset or view
        failures: by failure mode its check and its output
        unknown: whether those count, too, of which the check could not tell
    """
    dataset = root(samples)
    if not dataset.has_field(CHECKED):
        return []
    outputs = {name: f"{QUALITY}.{output}" for name, (_, output) in failures.items()}
    wanted: dict[str, Any] = {f"{FAILURES}.classifications.label": {"$in": list(failures)}}
    if unknown:
        unclear = [{f"{CHECKED}.{failures[name][0]}": {"$exists": True}, outputs[name]: None} for name in failures]
        wanted = {"$or": [wanted, *unclear]}
    project = dict.fromkeys(("filepath", CHECKED, FAILURES, UNKNOWN, "prompt", "generation", QUALITY), True)
    with database_errors():
        rows = list(samples._aggregate(pipeline=[{"$match": wanted}, {"$project": project}]))
    return [_waiting(row, failures, outputs) for row in rows]


def _waiting(row: Mapping[str, Any], failures: Mapping[str, tuple[str, str]], outputs: Mapping[str, str]) -> Waiting:
    labels = [each.get("label") for each in _inside(row.get(FAILURES))]
    checked = row.get(CHECKED) or {}
    quality, generation = row.get(QUALITY) or {}, row.get("generation") or {}
    asked = frozenset(str(each["asked"]) for each in _inside(row.get(UNKNOWN)) if each.get("asked"))
    unclear = [
        name
        for name, (check, output) in failures.items()
        if check in checked and quality.get(output) is None and name not in asked
    ]
    negative = generation.get("negative_prompt")
    return Waiting(
        str(row["_id"]),
        row["filepath"],
        tuple(name for name in failures if name in labels),
        tuple(unclear),
        frozenset(checked),
        asked,
        _text(row.get("prompt")),
        _text(negative),
        _text(generation.get("model")),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def is_checked(samples: Samples, check: str) -> bool:
    """Returns whether a check has judged any of the samples."""
    if not root(samples).has_field(CHECKED):
        return False
    with database_errors():
        return bool(
            list(samples._aggregate(pipeline=[{"$match": {f"{CHECKED}.{check}": {"$exists": True}}}, {"$limit": 1}]))
        )


def _inside(document: Any) -> list[Mapping[str, Any]]:
    listed = document.get("classifications") if isinstance(document, Mapping) else None
    return [each for each in listed or () if isinstance(each, Mapping)]


def region_fields(samples: Samples) -> list[str]:
    """Returns the fields of boxes and of masks of whole pictures."""
    kinds = (fo.Detection, fo.Detections, fo.Segmentation)
    schema = root(samples).get_field_schema()
    return [name for name, own in schema.items() if getattr(own, "document_type", None) in kinds]


def require_region(samples: Samples, field: str) -> None:
    """Raises an error unless a field holds boxes, or masks of whole pictures.

    Raises:
        InputError: it names those that do
    """
    known = region_fields(samples)
    if field not in known:
        listed = ", ".join(known) or "none"
        raise InputError(f"expected a field of boxes or masks as region, got {field!r}. There are: {listed}")


def regions(samples: Samples, field: str, ids: Sequence[str]) -> dict[str, Any]:
    """Returns what marks the region of samples in a field of the user's own: boxes, or a (h, w) mask of the whole.

    Raises:
        InputError: there is no such field, or it holds no boxes and no masks
    """
    require_region(samples, field)
    made: dict[str, Any] = {}
    for sample_id, sample in augmented.read(samples, ids).items():
        label = sample[field]
        if isinstance(label, fo.Segmentation):
            mask = label.get_mask()
            made[sample_id] = None if mask is None else mask > 0
        elif label is not None:
            boxes = label.detections if isinstance(label, fo.Detections) else [label]
            made[sample_id] = [tuple(each.bounding_box or ()) for each in boxes]
    return made
