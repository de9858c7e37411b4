"""What ``find_label_issues`` was asked for, and what each kind of label needs of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError
from loupe.brain.core.numbers import require_whole
from loupe.brain.engine.reader import Row
from loupe.brain.labels.issues import mixed_up
from loupe.brain.labels.records import Confusion
from loupe.brain.sets.label_issues import LabelIssues as LabelIssuesMeasure
from loupe.brain.similarity.gathered import Vectors
from loupe.brain.stats.intervals import Proportion
from loupe.brain.store import sets as store_sets
from loupe.brain.store import vectors as store_vectors
from loupe.brain.store.labels import predicted
from loupe.brain.store.labels.given import Kind
from loupe.brain.store.labels.predicted import Predicted

if TYPE_CHECKING:
    import fiftyone as fo

#: vectors of shapes, not of meaning
_SHAPES_ONLY = "hog"
_MANY_CONFUSIONS = 50


@dataclass(frozen=True, eq=False)
class Request:
    """The arguments of ``loupe.find_label_issues``; its docstring says what each is."""

    label: str
    probabilities: str | ArrayLike | None = None
    classes: Sequence[str] | None = None
    embeddings: str = "embeddings"
    predictions: str | None = None
    groups: str | Sequence[str] | None = None
    folds: int = 5
    threshold: float | None = None
    overlap: float = 0.5
    evidence: Mapping[str, float] | None = None
    seed: int = 0

    def measure(self) -> LabelIssuesMeasure:
        """Returns the set measure of these folds.

        Raises:
            InputError: fewer than two folds
        """
        require_whole(folds=(self.folds, 2))
        spec = registry.pick("set measure", registry.sets(), LabelIssuesMeasure.name)
        assert isinstance(spec, LabelIssuesMeasure)
        return replace(spec, folds=self.folds)


def vectors_of_meaning(samples: fo.Dataset | fo.DatasetView, rows: Sequence[Row], embeddings: str) -> Vectors:
    """Returns the vectors that labels can be judged by.

    Raises:
        UnknownName, InputError: no such field of vectors, or one that says nothing of meaning
    """
    if (store_vectors.made_by(samples, embeddings) or {}).get("name") == _SHAPES_ONLY:
        raise InputError(
            f"expected vectors of meaning in {embeddings!r}, got those of {_SHAPES_ONLY}, which sees shapes: "
            "run `loupe weights get efficientnet_lite0`, then loupe.embed, or give probabilities of a model of your own"
        )
    return store_sets.comparable(samples, rows, embeddings)


def predicted_by(samples: fo.Dataset | fo.DatasetView, request: Request, kind: Kind) -> Predicted | None:
    """Returns what the model says whose predictions were given; None where none were.

    Raises:
        UnknownName, InputError: as for ``predicted.read``; or probabilities were given, too
    """
    if request.predictions is None:
        return None
    if request.probabilities is not None:
        raise InputError("expected probabilities or predictions, got both: a label is judged by either")
    return predicted.read(samples, request.label, request.predictions, kind)


def table_of(
    samples: fo.Dataset | fo.DatasetView,
    rows: Sequence[Row],
    probabilities: str | ArrayLike,
    n_classes: int,
    known: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, str]:
    """Returns given probabilities of the labeled samples that have some, (M, K), which those are, and the source.

    Args:
        samples: a dataset or view
        rows: its N samples
        probabilities: a field of vectors, or an (N, K) array
        n_classes: K
        known: (N,) bool: the labeled samples

    Raises:
        UnknownName, InputError: no such field, or another size
    """
    if not isinstance(probabilities, str):
        table = np.asarray(probabilities, dtype=np.float32)
        if table.shape != (len(rows), n_classes):
            raise InputError(f"expected probabilities of shape ({len(rows)}, {n_classes}), got {table.shape}")
        return table[known], known, "given probabilities"
    given = store_sets.vectors(samples, rows, probabilities)
    usable_ones = known & np.array([vector is not None for vector in given], dtype=bool)
    held = [vector for vector, kept in zip(given, usable_ones, strict=True) if kept and vector is not None]
    sizes = {vector.size for vector in held}
    if sizes - {n_classes}:
        wrong = ", ".join(map(str, sorted(sizes)))
        raise InputError(f"expected {n_classes} probabilities a sample in {probabilities!r}, got {wrong}")
    return (np.stack(held) if held else np.zeros((0, n_classes))), usable_ones, probabilities


def names_of(classes: Sequence[str] | None, declared: Sequence[str], occurring: Sequence[str]) -> list[str]:
    """Returns the classes that given probabilities are of, in their order.

    Raises:
        InputError: a class that occurs is not among them, or one is named twice
    """
    names = list(classes) if classes is not None else list(declared) or list(occurring)
    unknown = sorted(set(occurring) - set(names))
    if unknown:
        raise InputError(f"expected a probability for each class, got none for {', '.join(map(repr, unknown[:5]))}")
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise InputError(f"expected each class once, got {', '.join(map(repr, twice[:5]))} twice")
    return names


def confusions(
    given: np.ndarray, suggested: np.ndarray, flagged: np.ndarray, names: Sequence[str]
) -> tuple[Confusion, ...]:
    """Returns which classes are mixed up, the most frequent first, by their places among the names."""
    listed = mixed_up(given, suggested, flagged, len(names))[:_MANY_CONFUSIONS]
    return tuple(Confusion(names[each.given], names[each.suggested], Proportion.of(each.k, each.n)) for each in listed)
