"""Compares given and predicted masks picture by picture, and writes what is suggested: the masks themselves stay."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import fiftyone as fo
import numpy as np
from bson import ObjectId

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.evaluation.segmentation import scaled
from loupe.brain.labels.mask_issues import Agreement, Disagreement, disagreement
from loupe.brain.labels.mask_records import MaskIssue
from loupe.brain.store import fields
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples
from loupe.brain.store.fields import OwnField
from loupe.brain.store.labels import given as labels
from loupe.brain.store.labels import masks

ISSUES = "mask_issues"


@dataclass
class Compared:
    """What the masks of N samples say of each other.

    Attributes:
        ids: the samples
        by_sample: what speaks against each mask that could be judged
        reasons: why the others could not
        agreement: how far all pictures agree on each class
        targets: the names of the classes that have one
    """

    ids: list[str]
    targets: Mapping[int, str]
    by_sample: dict[str, Disagreement] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    agreement: Agreement = field(default_factory=Agreement)

    def name(self, code: int) -> str:
        """Returns what a class is called: its number, where it has no name."""
        return self.targets.get(code, "background" if self.targets and not code else str(code))


def compare(
    samples: Samples, label: str, predictions: str, sure: str | None, step: Callable[[int, int], None]
) -> Compared:
    """Returns what speaks against each mask; a few pictures are in memory at a time.

    Where the field has mask targets, pixels of the given mask with a number that has none do not count, but for 0, the
    background, from which whatever was forgotten is missing.

    Raises:
        UnknownName: no such field of maps
        InputError: it is a field of something else; masks of colors; classes that stand behind other numbers
    """
    if sure is not None:
        _require_map(samples, sure)
    targets = masks.targets_of(samples, label)
    _require_same(targets, masks.targets_of(samples, predictions), predictions)
    with database_errors():
        made = Compared(samples.values("id"), targets)
    paths = [label, predictions, *([sure] if sure is not None else [])]
    for at, held in masks.one_by_one(samples, made.ids, paths, step):
        reason = _judged(made, made.ids[at], *held)
        if reason:
            made.reasons[made.ids[at]] = reason
    return made


def _judged(made: Compared, sample_id: str, given: Any, predicted: Any, *maps: Any) -> str:
    """Adds what speaks against a mask; returns why that cannot be known, else nothing."""
    own, other = masks.mask_of(given), masks.mask_of(predicted)
    for value, mask, name in ((given, own, "mask"), (predicted, other, "prediction")):
        if mask is None:
            return f"no {name}" if value is None else f"the {name} cannot be read"
        if mask.ndim != 2 or mask.dtype.kind not in "bui" or not mask.size:
            return f"the {name} holds no whole numbers"
    assert own is not None
    assert other is not None
    other = scaled(other, own.shape)
    # often -1 says that nobody labeled a pixel
    labeled = (own >= 0) & (other >= 0)
    if made.targets:
        labeled &= np.isin(own, [0, *made.targets])
    if not labeled.any():
        return "no labeled pixel"
    weights = None
    for sure in maps:
        weights = _weights(sure)
        if weights is None:
            return "no map" if sure is None else "the map cannot be read"
        weights = scaled(weights, own.shape)
    made.by_sample[sample_id] = disagreement(own, other, weights, labeled)
    made.agreement.add(own, other, labeled)
    return ""


def _weights(label: Any) -> np.ndarray | None:
    """Returns a map in [0, 1]; None where there is none, or its file cannot be read."""
    if label is None:
        return None
    try:
        values = np.asarray(label.get_map())
    except Exception:
        return None
    if values.ndim != 2 or not values.size:
        return None
    whole = values.dtype.kind in "ui"
    low, high = label.range or ((0, 255) if whole else (0, 1))
    return np.nan_to_num(np.clip((values.astype(np.float64) - low) / max(high - low, 1e-12), 0, 1))


def _require_same(targets: Mapping[int, str], others: Mapping[int, str], predictions: str) -> None:
    for code in sorted(targets.keys() & others.keys()):
        if targets[code] != others[code]:
            raise InputError(
                f"expected the same classes behind the same numbers, but {code} is {targets[code]!r}, and "
                f"{others[code]!r} in {predictions!r}: fiftyone.utils.labels.transform_segmentations renumbers masks"
            )


def maps(samples: Samples) -> list[str]:
    """Returns the fields of maps."""
    schema = samples.get_field_schema()
    return [name for name, held in schema.items() if getattr(held, "document_type", None) is fo.Heatmap]


def _require_map(samples: Samples, path: str) -> None:
    if not samples.has_field(path):
        raise UnknownName("field of maps", path, maps(samples))
    if path not in maps(samples):
        raise InputError(f"expected a Heatmap of how sure the model is of each pixel, but {path!r} is none")


def own_fields() -> list[OwnField]:
    """Returns the fields of suggestions."""
    return [
        OwnField(
            ISSUES,
            fo.EmbeddedDocumentField,
            "What the model has where most of it differs from the mask",
            fo.Classification,
            f"{ISSUES}.given",
        ),
        OwnField(f"{ISSUES}.given", fo.StringField, "The class as it stands there"),
        OwnField(f"{ISSUES}.score", fo.FloatField, "The share of the picture that differs, from 0 to 1"),
        OwnField(f"{ISSUES}.reason", fo.StringField, "Why"),
    ]


def write(samples: Samples, ids: Sequence[str], issues: Mapping[str, MaskIssue]) -> None:
    """Writes the suggestion of each sample that has an issue; the others lose an older one."""
    fields.declare(samples, own_fields())
    labels.write_documents(samples, ids, ISSUES, lambda each: _document(issues.get(each)))


def _document(issue: MaskIssue | None) -> dict[str, Any] | None:
    if issue is None:
        return None
    return {
        "_id": ObjectId(),
        "_cls": "Classification",
        "tags": [],
        "label": issue.suggested,
        "given": issue.given,
        "score": issue.score,
        "reason": issue.reason,
    }
