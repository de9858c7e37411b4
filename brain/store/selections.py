"""Reads what selections are made by, and keeps them as saved views with their recipes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import fiftyone as fo
import numpy as np
from scipy import sparse

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.splits import is_held_out
from loupe.brain.core.taxonomy import ANY
from loupe.brain.slicing.columns import Column, combine, shown
from loupe.brain.slicing.factors import Factor
from loupe.brain.store import columns, keeping
from loupe.brain.store import rows as store_rows
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples, count, root
from loupe.brain.store.fields import FAILURES, QUALITY

#: flagged on each of a group, of which the best may well be chosen
_OF_GROUPS = {"exact_duplicate", "near_duplicate"}
#: a saved view with more ids than this would not fit into a document of the database
MAX_SAVED = 200_000
_RECIPE = "Recipe: "
_LABELS = f"{FAILURES}.classifications.label"


def looked_at(samples: Samples, keep: Iterable[str] | str | Samples | None) -> tuple[Samples, list[str], set[str]]:
    """Returns all samples that are read, those that can be chosen, and those that count as chosen already.

    Args:
        samples: a dataset or view
        keep: ids, the name of a saved view, or samples of the same dataset

    Raises:
        UnknownName: no such saved view
        InputError: an id that the dataset does not have
    """
    dataset = root(samples)
    with database_errors():
        ids = list(samples.values("id"))
        if keep is None:
            return samples, ids, set()
        if isinstance(keep, str):
            if keep not in dataset.list_saved_views():
                raise UnknownName("saved view", keep, dataset.list_saved_views())
            keep = dataset.load_saved_view(keep)
        if isinstance(keep, (fo.Dataset, fo.DatasetView)):
            keep = keep.values("id")
        kept = set(map(str, keep))
        outside = sorted(kept - set(ids))
        if not outside:
            return samples, ids, kept
        known = _known(dataset, outside)
        if set(outside) - known:
            raise InputError(
                f"expected ids of this dataset in keep, got {len(set(outside) - known):,} others, e.g. "
                f"{min(set(outside) - known)!r}"
            )
        return dataset.select([*ids, *outside], ordered=True), ids, kept


def _known(dataset: fo.Dataset, ids: Sequence[str]) -> set[str]:
    possible = [each for each in ids if is_id(each)]
    return set(dataset.select(possible).values("id")) if possible else set()


def is_id(text: str) -> bool:
    """Returns whether a text has the form of a sample's id."""
    return len(text) == 24 and all(letter in "0123456789abcdef" for letter in text)


def failing(samples: Samples, without: str | Sequence[str], score: str | None, grouped: bool) -> list[str | None]:
    """Returns for each of N samples the failure mode for which it is left out, or None.

    Args:
        samples: a dataset or view
        without: failure modes; ``"any"``: all of them, but for what ``score`` looks for, and but for duplicates where
            at most so many of a group are chosen
        score: the field that hard ones are chosen by
        grouped: whether groups are kept to a number

    Raises:
        UnknownName: no such failure mode
    """
    known = registry.failures()
    if without == ANY:
        wanted = set(known) - (_OF_GROUPS if grouped else set())
        wanted -= {failure for failure, (_, output) in known.items() if score == f"{QUALITY}.{output.name}"}
    else:
        wanted = {without} if isinstance(without, str) else set(without)
        for name in sorted(wanted):
            if name not in known:
                raise UnknownName("failure mode", name, [*known, ANY])
    with database_errors():
        if not wanted or not samples.has_field(_LABELS):
            return [None] * count(samples)
        flagged = samples.values(_LABELS)
    return [min(wanted.intersection(own or ()), default=None) for own in flagged]


def held_out(samples: Samples, split: str | None) -> list[str | None]:
    """Returns for each of N samples the name of the held-out split that it is in, or None.

    Args:
        samples: a dataset or view
        split: a field of texts, or ``"tags"``

    Raises:
        UnknownName: no such field
        InputError: a field of another kind
    """
    with database_errors():
        if split is None:
            return [None] * count(samples)
        if split == "tags":
            return [next((tag for tag in own or () if is_held_out(tag)), None) for own in samples.values("tags")]
        columns.require_sliceable(samples, split)
        values = samples.values(split)
    columns.require_single(split, values)
    return [str(value) if value is not None and is_held_out(str(value)) else None for value in values]


def cells(made: Mapping[str, Column], n: int) -> tuple[np.ndarray | None, sparse.csr_matrix, np.ndarray]:
    """Returns what balances and proportions are made of.

    Args:
        made: the columns of the factors
        n: how many samples there are

    Returns:
        (N,) int64 the cell of each sample, None where some are in several; (N, C) which cells each is in; (N,) bool
        which have a value of every factor
    """
    slices = combine(made, n)
    size = len(slices.values)
    ones = np.ones(len(slices.samples))
    matrix = sparse.csr_matrix((ones, (slices.samples, slices.codes)), shape=(n, size))
    known = np.array([None not in values.values() for values in slices.values], dtype=bool)
    alone = slices.codes if len(slices.codes) == n else None
    return alone, matrix, np.asarray(matrix @ known > 0).ravel()


def counts(made: Mapping[str, Column], places: np.ndarray) -> dict[str, dict[str, int]]:
    """Returns for each factor how many of some samples have each value."""
    counted = {}
    for name, column in made.items():
        own = np.bincount(column.codes[np.isin(column.samples, places)], minlength=len(column.values))
        counted[name] = {shown(value): int(number) for value, number in zip(column.values, own, strict=True)}
    return counted


def factors(samples: Samples, per: Sequence[str | Factor], label: str | None) -> dict[str, Column]:
    """Returns the columns that the chosen are counted by: those of ``per``, the labels, else a few worth it.

    Raises:
        UnknownName, InputError: as for ``loupe.slice``
    """
    wanted: list[str | Factor] = list(per)
    names = {each.name if isinstance(each, Factor) else each for each in wanted}
    if label is not None and label not in names:
        wanted.append(label)
    if not wanted:
        wanted = list(columns.factors(samples)[:3])
    return dict(columns.read(samples, wanted, failures=[]).factors) if wanted else {}


def hardness(samples: Samples, score: str) -> tuple[np.ndarray, str]:
    """Returns how hard each of N samples is: (N,) float64, higher is harder, NaN where nothing is known; and why.

    Args:
        samples: a dataset or view
        score: a field of numbers, with ``-`` before it where low ones are hard, ``+`` where high ones are: of Loupe's
            own scores the worse way is known; or a field of predicted classes, of which unsure ones are hard

    Raises:
        UnknownName: no such field
        InputError: a field of another kind, or nobody says which way is hard
    """
    path = score.lstrip("+-")
    field = samples.get_field(path) if samples.has_field(path) else None
    if field is None:
        raise UnknownName("field of scores", path, offered(samples))
    if isinstance(field, (fo.FloatField, fo.IntField)):
        values = store_rows.column(samples, path).astype(np.float64)
        worse = _worse(path) if score[0] not in "+-" else score[0]
        if worse is None:
            raise InputError(f"expected score='+{path}' (high ones are hard) or '-{path}' (low ones are)")
        return (-values, f"low {path}") if worse == "-" else (values, f"high {path}")
    document = getattr(field, "document_type", None)
    if not (isinstance(document, type) and issubclass(document, fo.Classification)):
        raise InputError(
            f"expected a field of numbers or of predicted classes, but {path!r} is a {type(field).__name__}"
        )
    with database_errors():
        logits, confidences = samples.values([f"{path}.logits", f"{path}.confidence"])
    if any(each is not None for each in logits):
        return np.array([_margin(each) for each in logits]), f"small margin of {path}"
    known = np.array([np.nan if each is None else each for each in confidences], dtype=np.float64)
    return 1 - known, f"low confidence of {path}"


def offered(samples: Samples) -> list[str]:
    """Returns the fields that hard ones can be chosen by: numbers, and classes with a confidence."""
    schema = samples.get_field_schema(flat=True)
    numbers = [path for path, field in schema.items() if isinstance(field, (fo.FloatField, fo.IntField))]
    own = [path for path in numbers if path.count(".") == 0 or path.startswith(f"{QUALITY}.")]
    predicted = [path for path, field in schema.items() if getattr(field, "document_type", None) is fo.Classification]
    return [*own, *predicted]


def is_directed(samples: Samples, path: str) -> bool:
    """Returns whether it is known which values of a field are hard."""
    return not isinstance(samples.get_field(path), (fo.FloatField, fo.IntField)) or _worse(path) is not None


def _worse(path: str) -> str | None:
    """Returns which way one of Loupe's own scores is worse; None of any other number."""
    if not path.startswith(f"{QUALITY}."):
        return None
    for spec in [*registry.checkable().values(), *registry.sets().values()]:
        for output in spec.outputs:
            if f"{QUALITY}.{output.name}" == path and output.higher_is_better is not None:
                return "-" if output.higher_is_better else "+"
    return None


def _margin(logits: Any) -> float:
    if logits is None:
        return float("nan")
    own = np.sort(np.ravel(np.asarray(logits, dtype=np.float64)))
    if len(own) < 2 or not np.isfinite(own).all():
        return float("nan")
    odds = np.exp(own - own[-1])
    return float(1 - (odds[-1] - odds[-2]) / odds.sum())


def save(samples: Samples, ids: Sequence[str], name: str, sentence: str, recipe: Mapping[str, Any]) -> str:
    """Saves the chosen as a view, in their order, with the recipe in its description; returns the name it got.

    The same choice by the same recipe is saved once: a call that is repeated because the database went makes no second.

    Raises:
        InputError: nothing can be called so
    """
    view = root(samples).select(list(ids), ordered=True)
    return keeping.save_once(view, name.strip(), f"{sentence}. {_RECIPE}{json.dumps(dict(recipe))}")


def recipe_of(samples: Samples, name: str) -> dict[str, Any]:
    """Returns the recipe of a selection that stands in a saved view.

    Raises:
        UnknownName: no such saved view
        InputError: one that ``loupe.select`` did not save
    """
    dataset = root(samples)
    with database_errors():
        if name not in dataset.list_saved_views():
            raise UnknownName("saved view", name, dataset.list_saved_views())
        description = dataset.get_saved_view_info(name).get("description") or ""
    _, _, text = description.partition(_RECIPE)
    try:
        return dict(json.loads(text))
    except ValueError as error:
        raise InputError(f"expected a saved view of loupe.select, but {name!r} has no recipe") from error
