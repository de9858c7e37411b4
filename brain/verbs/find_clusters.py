"""``loupe.find_clusters``: pictures that look alike, as scenarios nobody has named yet."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from loupe.brain.core.assigned import Assigned
from loupe.brain.core.numbers import require_whole
from loupe.brain.core.records import ProgressCallback
from loupe.brain.slicing.clusters import cluster_names, k_means
from loupe.brain.store import assigned as store_assigned
from loupe.brain.store import sets as store_sets
from loupe.brain.verbs.lifecycle import running

if TYPE_CHECKING:
    import fiftyone as fo

_DESCRIPTION = "The cluster of vectors that the picture is in"
_MAX = 100


def find_clusters(
    samples: fo.Dataset | fo.DatasetView,
    n: int = 10,
    *,
    embeddings: str = "embeddings",
    field: str = "cluster",
    seed: int = 0,
    progress: bool | ProgressCallback | None = None,
) -> Assigned:
    """Puts the samples into clusters by their vectors, and names each by what tells it from the others.

    The largest cluster is number 1. Its name has up to three words of the prompts and values of ``scenario.*`` that are
    far more frequent in it than in the rest; a cluster that nothing tells of has its number alone. Then
    ``loupe.slice(samples, "cluster")`` says where failures gather. What the clusters hold depends on what made the
    vectors: hog sees shapes, CLIP sees meaning.

    Args:
        samples: a dataset or view; samples outside of it keep what they have in the field
        n: how many clusters, 2 to 100
        embeddings: the field of vectors, such as ``loupe.embed`` writes
        field: where the cluster's name goes; a sample without a usable vector gets none
        seed: of k-means; the same again gives the same clusters
        progress: True for a bar, or a function; see ``loupe.Progress``

    Raises:
        UnknownName: no such field of vectors; the nearest name is suggested
        InputError: fewer different vectors than clusters, n out of range, or a field that Loupe did not make
        NoSamples: the view is empty
        Stopped: ``progress`` asked to stop

    >>> loupe.find_clusters(dataset, 4)  # doctest: +SKIP
    216 samples in 'cluster', 0 unsure, 0 unknown
    cluster            samples
    1: night, lantern       80
    2: day, street          71
    """
    require_whole(n=(n, 2, _MAX), seed=(seed, 0, 2**32 - 1))
    with running(samples, "find_clusters", progress, label="clusters") as verb:
        samples = verb.samples
        store_assigned.require(samples, field, _DESCRIPTION)
        rows = store_assigned.rows(samples)
        verb.step(0, len(rows), "reading")
        vectors = store_sets.comparable(samples, rows, embeddings)
        verb.step(0, len(rows), "comparing")
        labels = k_means(vectors.unit, n, seed)
        words = store_assigned.known_words(samples)
        names = cluster_names(labels, [words[at] for at in vectors.index])
        values: list[str | None] = [None] * len(rows)
        for at, label in zip(vectors.index.tolist(), labels.tolist(), strict=True):
            values[at] = names[label]
        store_assigned.write(samples, field, _DESCRIPTION, rows, values)
        counts = Counter(value for value in values if value is not None)
        result = Assigned(field, {name: counts[name] for name in names}, unknown=len(vectors.reasons))
        params = {"n": n, "embeddings": embeddings, "field": field, "seed": seed}
        verb.finish(len(rows), params=params, unknown={"find_clusters": result.unknown} if result.unknown else {})
        verb.step(len(rows), len(rows), "done")
    return result
