"""``loupe.more_like``: the samples that are the most alike to a sample, to several, to a slice, or to a sentence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from loupe.brain.core.alike import MoreLike
from loupe.brain.core.errors import InputError, MissingWeights
from loupe.brain.core.findings import Finding
from loupe.brain.core.numbers import require_whole
from loupe.brain.core.records import ProgressCallback
from loupe.brain.similarity.neighbors import nearest_to, usable
from loupe.brain.store import alike as store_alike
from loupe.brain.store import assigned as store_assigned
from loupe.brain.store import sets as store_sets
from loupe.brain.store import vectors as store_vectors
from loupe.brain.verbs.find_words import reader_of_texts
from loupe.brain.verbs.lifecycle import running

if TYPE_CHECKING:
    import fiftyone as fo


def more_like(
    samples: fo.Dataset | fo.DatasetView,
    query: str | Iterable[str] | fo.Sample | fo.DatasetView | Finding,
    n: int = 25,
    *,
    embeddings: str = "embeddings",
    failing: str | None = None,
    unlabeled: str | None = None,
    split: str | None = None,
    device: str | None = None,
    progress: bool | ProgressCallback | None = None,
) -> MoreLike:
    """Finds the samples that are the most alike to some others, or to a sentence. Nothing is written.

    Exactly, by the cosine of their vectors. A similarity index of FiftyOne's over the same vectors, such as
    ``loupe.embed`` makes, is used where there is one.

    Args:
        samples: the dataset or view to look among; the query may be outside of the view
        query: the id of a sample, several, a view or a finding of ``discover_slices`` (what is the nearest to the mean
            of their directions); or a sentence, where the vectors are of a model that reads texts (``open_clip``)
        n: how many, at least 1
        embeddings: a field of vectors
        failing: only among samples that fail: a failure mode, or ``"any"``
        unlabeled: only among samples without a value in that field of labels
        split: only among the samples of that split: a tag, or a value of the field ``split``
        device: of the model that reads a sentence, e.g. ``"cuda:1"``; the best there is by default
        progress: True for a bar, or a function; see ``loupe.Progress``

    Returns:
        the samples, the most alike first; of a query of samples none of its own. ``loupe.view_of(samples, made)``

    Raises:
        UnknownName: no such field or failure mode; the nearest name is suggested
        InputError: the query has no vector, or is a sentence and the vectors are of a model that knows no texts
        MissingWeights, ModelError: the weights of the model that reads texts are not here, or cannot be loaded
        NoSamples: the view is empty
        Stopped: ``progress`` asked to stop

    Example::

        made = loupe.more_like(dataset, dataset.first().id, unlabeled="ground_truth")
        session.view = loupe.view_of(dataset, made)
    """
    require_whole(n=(n, 1))
    with running(samples, "more_like", progress, label="more like this", device=device) as verb:
        whole = verb.samples
        store_sets.require_vectors(whole, embeddings)
        ids, sentence, words = store_alike.query_of(whole, query)
        looked = store_alike.among(whole, failing=failing, unlabeled=unlabeled, split=split)
        verb.step(0, 2, "reading the query")
        if sentence is None:
            direction = _mean(store_alike.vectors_of(whole, ids, embeddings))
        else:
            direction = _read(sentence, store_vectors.made_by(whole, embeddings), embeddings, verb.device)
        verb.step(1, 2, "looking")
        key = store_alike.index_of(whole, embeddings)
        own = set(ids)
        if key is None:
            rows = [row for row in store_assigned.rows(looked) if row.id not in own] if _any(looked) else []
            known = store_sets.comparable(looked, rows, embeddings)
            _require_size(known.unit, direction, embeddings)
            # of no vectors nobody knows the size
            index, cosines = nearest_to(direction, known.unit.reshape(-1, len(direction)), n)
            listed = [rows[at].id for at in known.index[index].tolist()]
            result = MoreLike(
                words,
                tuple(listed),
                tuple(float(max(0.0, 1 - each)) for each in cosines),
                len(rows),
                len(known.reasons),
                "exact",
            )
        else:
            result = _by_index(looked, key, direction, n, own, embeddings, words)
        verb.step(2, 2, "done")
    return result


def _any(samples: fo.Dataset | fo.DatasetView) -> bool:
    return bool(len(samples.limit(1)))


def _mean(unit: np.ndarray) -> np.ndarray:
    """Returns the (D,) float32 mean direction."""
    mean = unit.mean(axis=0)
    length = float(np.linalg.norm(mean))
    if length < 1e-6:
        raise InputError("the samples of the query point in opposite directions: there is nothing in between")
    return np.asarray(mean / length, dtype=np.float32)


def _read(sentence: str, facts: dict[str, object] | None, field: str, device: str) -> np.ndarray:
    spec = reader_of_texts(facts, field)
    if absent := spec.absent():
        raise MissingWeights(f"a sentence is read by the model of the vectors: {absent}. Or ask by the id of a sample")
    read = spec.load_texts(device)
    return np.asarray(read([sentence]).float().cpu().numpy()[0], dtype=np.float32)


def _require_size(unit: np.ndarray, direction: np.ndarray, field: str) -> None:
    if len(unit) and unit.shape[1] != len(direction):
        raise InputError(
            f"expected vectors of one model in {field!r}, but those of the samples have {unit.shape[1]} numbers and "
            f"the query {len(direction)}: run loupe.embed"
        )


def _by_index(
    looked: fo.Dataset | fo.DatasetView,
    key: str,
    direction: np.ndarray,
    n: int,
    own: set[str],
    field: str,
    words: str,
) -> MoreLike:
    held = looked.exists(field)
    count, with_vector = looked.count(), held.count()
    inside = len(looked.select(list(own))) if own else 0
    inside_with = len(held.select(list(own))) if own else 0
    listed = store_alike.by_index(held, key, direction, n + len(own)) if with_vector else []
    listed = [each for each in listed if each not in own][:n]
    # what stands there now may be none any more
    known = usable(list(store_alike.held(looked, listed, field).values()))
    _require_size(known.unit, direction, field)
    listed = [listed[at] for at in known.index.tolist()]
    distances = 1 - known.unit.reshape(-1, len(direction)) @ direction
    order = np.argsort(distances, kind="stable")
    return MoreLike(
        words,
        tuple(listed[at] for at in order.tolist()),
        tuple(float(max(0.0, distances[at])) for at in order.tolist()),
        count - inside,
        count - with_vector - inside + inside_with,
        key,
    )
