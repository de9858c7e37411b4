"""Reads what a model of the user's own says of samples, as probabilities of classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import fiftyone as fo
import numpy as np
from scipy import sparse

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.labels.noise import softmax
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples
from loupe.brain.store.labels import given as store_labels
from loupe.brain.store.labels.given import Kind


@dataclass(frozen=True, eq=False)
class Predicted:
    """What a model says of N samples.

    Attributes:
        classes: the names of the classes that it says, sorted
        known: (N,) bool: which samples it says something of that can be used
        rows, places: (M,) int64: the sample of each class that it says, and the place of that among ``classes``
        confidences: (M,) float64 in [0, 1]
        logits: of each sample a vector, or None; empty where no sample has one
    """

    classes: list[str]
    known: np.ndarray
    rows: np.ndarray
    places: np.ndarray
    confidences: np.ndarray
    logits: Sequence[Any] = ()

    def exclusive(self, names: Sequence[str], *, ordered: bool) -> np.ndarray:
        """Returns the (N, K) float32 probabilities, where a sample has one class; 0 where there is no prediction.

        Args:
            names: of the K classes
            ordered: whether the names are known to be in the order of the logits, which then count more than the
                confidence: that tells of one class only, and what it leaves is the same for all others
        """
        made = np.zeros((len(self.known), len(names)), dtype=np.float32)
        used = [self.logits[at] for at in np.flatnonzero(self.known).tolist()] if ordered and len(self.logits) else []
        if used and all(each is not None and np.size(each) == len(names) for each in used):
            table = np.asarray([np.ravel(each) for each in used], dtype=np.float64)
            if not np.isfinite(table).all():
                raise InputError("expected finite logits, got NaN or infinity")
            made[self.known] = softmax(table)
            return made
        made[self.rows] = ((1 - self.confidences) / max(1, len(names) - 1))[:, None]
        made[self.rows, self._columns(names)] = self.confidences
        return made

    def several(self, names: Sequence[str]) -> np.ndarray:
        """Returns the (N, L) float32 probabilities, where a sample may have several classes.

        A class that the model does not name is less probable than what it names least surely: by half.
        """
        made = np.full((len(self.known), len(names)), self.confidences.min(initial=0.02) / 2, dtype=np.float32)
        table = sparse.coo_matrix((self.confidences, (self.rows, self._columns(names))), shape=made.shape)
        made[table.row, table.col] = table.data
        return made

    def _columns(self, names: Sequence[str]) -> np.ndarray:
        place = {name: at for at, name in enumerate(names)}
        return np.array([place[name] for name in self.classes], dtype=np.int64)[self.places]


def require(samples: Samples, label: str, path: str | None, kind: Kind) -> None:
    """Raises an error where a field of predictions is not there, not of the kind, or the labels themselves."""
    options = [name for name in store_labels.fields_of(samples, kind) if name != label]
    if path is None:
        named = f", e.g. predictions={options[0]!r}" if options else ""
        raise InputError(
            f"expected predictions with labels like those in {label!r}: a field of a model of your own that was not "
            f"trained on them{named}"
        )
    _require_another(label, path)
    if not samples.has_field(path):
        raise UnknownName("field of predictions", path, options)
    store_labels.kind_of(samples, path, (kind,))


def _require_another(label: str, path: str) -> None:
    if path == label:
        raise InputError(f"expected predictions beside the labels, got {label!r} for both")


def read(samples: Samples, label: str, path: str, kind: Kind) -> Predicted:
    """Returns what a field of predictions says.

    Args:
        samples: a dataset or view
        label: the field of the labels
        path: the field
        kind: as the labels are: ``"class"`` or ``"classes"``

    Raises:
        UnknownName: no such field
        InputError: a field of another kind, the labels themselves, or suggestions; predictions without confidence, or
            with one outside [0, 1]
    """
    _require_another(label, path)
    store_labels.require_no_suggestions(path)
    several = kind == "classes"
    document = fo.Classifications if several else fo.Classification
    field = samples.get_field(path) if isinstance(path, str) and samples.has_field(path) else None
    if field is None:
        schema = samples.get_field_schema()
        own = [name for name, each in schema.items() if getattr(each, "document_type", None) is document]
        raise UnknownName("field of predictions", str(path), own)
    if getattr(field, "document_type", None) is not document:
        raise InputError(
            f"expected predictions of the kind of the labels, {document.__name__}, but {path!r} is "
            f"{getattr(getattr(field, 'document_type', None), '__name__', type(field).__name__)}"
        )
    inside = f"{path}.classifications" if several else path
    with database_errors():
        labels, confidences = samples.values([f"{inside}.label", f"{inside}.confidence"])
        logits = [] if several else samples.values(f"{inside}.logits")
    if not several:
        labels, confidences = (
            [None if each is None else [each] for each in column] for column in (labels, confidences)
        )
    counts = [0 if each is None else len(each) for each in labels]
    rows = np.repeat(np.arange(len(labels)), counts)
    names = [name for each in labels if each is not None for name in each]
    numbers = [
        number
        for each, beside, count in zip(labels, confidences, counts, strict=True)
        if each is not None
        for number in (beside or [None] * count)
    ]
    sure = np.array([np.nan if number is None else number for number in numbers], dtype=np.float64)
    bad = ~((sure >= 0) & (sure <= 1))
    if bad.any():
        wrong = numbers[int(np.flatnonzero(bad)[0])]
        raise InputError(
            f"expected a confidence from 0 to 1 for each prediction in {path!r}, got {wrong} and others on "
            f"{len(np.unique(rows[bad])):,} of {len(labels):,} samples"
        )
    known = np.array([each is not None for each in labels], dtype=bool)
    classes = sorted({name for name in names if name is not None})
    place = {name: at for at, name in enumerate(classes)}
    kept = np.array([name is not None for name in names], dtype=bool)
    places = np.array([place[name] for name in names if name is not None], dtype=np.int64)
    has = [each for each in logits if each is not None]
    return Predicted(classes, known, rows[kept], places, sure[kept], logits if has else ())
