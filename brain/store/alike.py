"""Looks samples up by what they are alike to: whose vectors, among which samples, by which of FiftyOne's indexes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import fiftyone as fo
import numpy as np

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.findings import Finding
from loupe.brain.similarity.neighbors import usable
from loupe.brain.slicing.outcomes import State
from loupe.brain.store import findings, vectors
from loupe.brain.store import outcomes as store_outcomes
from loupe.brain.store.connection import database_errors
from loupe.brain.store.datasets import Samples, root
from loupe.brain.store.narrowing import Narrowing
from loupe.brain.store.selections import is_id


@dataclass(frozen=True)
class Alike(Narrowing):
    """A view that is narrowed to what is the most alike to a sample; the ids come from ``more_like``."""

    query_id: str

    tag: ClassVar[str] = "alike"

    def query(self) -> dict[str, Any]:
        return {"filepath": {"$exists": True}}

    def facts(self) -> Any:
        return self.query_id

    @classmethod
    def from_facts(cls, facts: Any) -> Alike:
        if not isinstance(facts, str):
            raise TypeError("expected an id")
        return cls(facts)

    @property
    def selects(self) -> bool:
        return True


def query_of(samples: Samples, query: Any) -> tuple[list[str], str | None, str]:
    """Returns the ids of the samples that are asked for, or the sentence; and what that is in words.

    Args:
        samples: a dataset or view
        query: an id, a sample, several of them, a view, a finding of ``discover_slices``, or a sentence

    Raises:
        InputError: none of these, or an empty one
    """
    if isinstance(query, str):
        return ([query], None, f"sample {query}") if is_id(query) else _sentence(query)
    if isinstance(query, Finding):
        with database_errors():
            return list(findings.view_of(samples, query).values("id")), None, f"slice {query.where}"
    if isinstance(query, (fo.Dataset, fo.DatasetView)):
        with database_errors():
            return _some(list(query.values("id")))
    if isinstance(query, (fo.Sample, fo.core.sample.SampleView)):
        return [str(query.id)], None, f"sample {query.id}"
    if isinstance(query, Iterable) and not isinstance(query, (bytes, dict)):
        ids = [str(getattr(each, "id", each)) for each in query]
        bad = [each for each in ids if not is_id(each)]
        if bad:
            raise InputError(f"expected ids of samples, got {bad[0]!r}. A sentence is given by itself, not in a list")
        return _some(ids)
    raise InputError(
        f"expected an id, ids, a sample, a view, a finding or a sentence to be like, got {type(query).__name__}"
    )


def _some(ids: list[str]) -> tuple[list[str], None, str]:
    if not ids:
        raise InputError("expected at least one sample to be like, got none")
    return list(dict.fromkeys(ids)), None, f"sample {ids[0]}" if len(ids) == 1 else f"{len(ids):,} samples"


def _sentence(text: str) -> tuple[list[str], str, str]:
    if not text.strip():
        raise InputError("expected the id of a sample, or a sentence, got an empty text")
    return [], text.strip(), repr(text.strip())


def held(samples: Samples, ids: Sequence[str], field: str) -> dict[str, np.ndarray | None]:
    """Returns the vectors of samples of the dataset, wherever they are, in the order of their ids; None: it has none.

    Raises:
        InputError: an id that the dataset does not have
    """
    with database_errors():
        rows = dict(zip(*root(samples).select(list(ids)).values(["id", field]), strict=True))
    absent = [each for each in ids if each not in rows]
    if absent:
        raise InputError(f"expected samples of this dataset, got {absent[0]!r}, which it does not have")
    return {each: None if rows[each] is None else np.asarray(rows[each], dtype=np.float32) for each in ids}


def vectors_of(samples: Samples, ids: Sequence[str], field: str) -> np.ndarray:
    """Returns the (N, D) float32 vectors of unit length of those samples of the dataset that have a usable one.

    Raises:
        InputError: an id that the dataset does not have, vectors of two sizes, or not one that is usable
    """
    given = list(held(samples, ids, field).values())
    if len({np.size(each) for each in given if each is not None}) > 1:
        raise InputError(f"expected vectors of one size in {field!r}, but the query's differ: run loupe.embed")
    known = usable(given)
    if not len(known.index):
        raise InputError(f"the query has no usable vector in {field!r}: run loupe.embed on these samples first")
    return known.unit


def among(samples: Samples, *, failing: str | None, unlabeled: str | None, split: str | None) -> Samples:
    """Returns the samples that are looked among.

    Raises:
        UnknownName: no such failure mode or field
        InputError: nobody is in that split
    """
    if failing is not None:
        (outcome,) = store_outcomes.of_failures([failing])
        samples = samples.match(store_outcomes.query(outcome, State.FAILED))
    if unlabeled is not None:
        if not samples.has_field(unlabeled):
            raise UnknownName("field of labels", unlabeled, samples.get_field_schema())
        samples = samples.exists(unlabeled, False)
    if split is not None:
        queries: list[dict[str, Any]] = [{"tags": split}]
        if samples.has_field("split"):
            queries.append({"split": split})
        samples = samples.match({"$or": queries})
        if not len(samples.limit(1)):
            raise InputError(f"expected samples in the split {split!r} (a tag, or a value of the field 'split'): none")
    return samples


def index_of(samples: Samples, field: str) -> str | None:
    """Returns the key of a similarity index over a field's vectors that ranks as their cosines do; None: there is none.

    Loupe's own, as long as it is of the vectors that stand there now; another one where its metric is that of vectors
    of unit length and it holds as many samples as have a vector. FiftyOne's "sklearn" takes the mean off for its
    "cosine", and is not taken with that.
    """
    dataset = root(samples)
    with database_errors():
        for key in dataset.list_brain_runs(type="similarity"):
            config = dataset.get_brain_info(key).config
            if getattr(config, "embeddings_field", None) != field or getattr(config, "patches_field", None):
                continue
            remembered = vectors.remembered(samples, key)
            if remembered is not None:
                if remembered == vectors.signature(samples, field)[0]:
                    return str(key)
                continue
            external = config.method != "sklearn" and getattr(config, "metric", None) == "cosine"
            results = dataset.load_brain_results(key) if external else None
            if results is not None and results.total_index_size == len(dataset.exists(field)):
                return str(key)
    return None


def by_index(samples: Samples, key: str, query: np.ndarray, n: int) -> list[str]:
    """Returns the ids of the n nearest by an index, the nearest first."""
    with database_errors():
        return list(samples.sort_by_similarity(query, k=n, brain_key=key).values("id"))
