"""One decision on one label: what ``relabel`` and its panel have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from loupe.brain.core.relabeled import Correction
from loupe.brain.core.review import Decision
from loupe.brain.labels.corrections import corrected
from loupe.brain.store import datasets as store_datasets
from loupe.brain.store.labels import given as store_labels
from loupe.brain.store.relabel import corrected as store_relabel
from loupe.brain.store.relabel import evidence as store_evidence
from loupe.brain.store.relabel.corrected import LabelField
from loupe.brain.verbs.relabel import relabel

if TYPE_CHECKING:
    import fiftyone as fo

#: of a decision as the panel keeps it: the corrected label that stood there before
_BEFORE = "before"


def decide(
    dataset: fo.Dataset,
    label: str,
    into: str,
    sample_id: str,
    decision: Mapping[str, Any] | None,
    stands: Mapping[str, Any] | None,
) -> bool:
    """Writes a decision and the corrected label that follows from it, in one update; returns whether it is written.

    It is not where something else stands by now. The first one of all copies the labels of all samples first.

    Args:
        dataset: the dataset
        label: the field of the given labels
        into: the field of the corrected ones
        sample_id: which sample
        decision: of ``Decision``, with the corrected label ``before`` it; None: it is taken back
        stands: what is known to stand on the sample; where it has a ``before``, that is what comes back

    Raises:
        InputError: ``into`` is a field of the user's own
    """
    path = store_labels.path_of(dataset, label)
    store_relabel.require(dataset, label, into)
    if not dataset.has_field(f"{into}.how"):
        relabel(store_datasets.everything(dataset), label, field=into)
    put, known = (None if each is None else _decision(each) for each in (decision, stands))
    before = None if stands is None else stands.get(_BEFORE)
    made = None
    if isinstance(before, Mapping):
        made = Correction(**before)
    elif put is not None:
        item = store_evidence.evidence(dataset, LabelField(label, path), into, sample_id)
        if item is None:
            return False
        follows = corrected(item.given, put, item.suggestion)
        if follows.how != "given":
            made = Correction(sample_id, item.given, follows.label, follows.how, put.by, put.at)
    return store_relabel.write_one(dataset, path, into, sample_id, made, known, put)


def _decision(facts: Mapping[str, Any]) -> Decision:
    return Decision(**{name: value for name, value in facts.items() if name != _BEFORE})
