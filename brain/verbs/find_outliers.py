"""``loupe.find_outliers``: samples far from all others of their set."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError
from loupe.brain.core.numbers import is_real, require_whole
from loupe.brain.core.records import ProgressCallback, Threshold
from loupe.brain.core.results import OutliersResult
from loupe.brain.sets.outliers import Outliers as OutliersMeasure
from loupe.brain.sets.outliers import outlyingness
from loupe.brain.similarity import outliers
from loupe.brain.store import fields as store_fields
from loupe.brain.store import runs as store_runs
from loupe.brain.store import sets as store_sets
from loupe.brain.verbs.lifecycle import running
from loupe.brain.verbs.steps.flagging import apply_thresholds

if TYPE_CHECKING:
    import fiftyone as fo

#: samples with a vector, below which there is no set to be far from
_MIN = 10


def find_outliers(
    samples: fo.Dataset | fo.DatasetView,
    *,
    field: str = "embeddings",
    neighbors: int | None = None,
    threshold: float | None = None,
    progress: bool | ProgressCallback | None = None,
) -> OutliersResult:
    """Finds samples whose nearest neighbors by a field of vectors are far, against those of the other samples.

    Writes ``quality.outlier`` (robust standard deviations: the threshold is relative to the set) and
    ``quality.neighbour_distance``, and flags the failure ``outlier``. Samples without a vector, with NaN in it, or with
    one of another size than most are unknown, and the reason says which. Of more than 150,000 vectors the neighbors are
    looked for among 50,000 of them, drawn by chance, as all with all takes hours; ``messages`` says so.

    Args:
        samples: a dataset or view; each sample is compared with the others of it
        field: of vectors, such as ``loupe.embed`` writes
        neighbors: how many count; by default those of the measure
        threshold: in robust standard deviations; kept on the dataset like any threshold of ``flag``. By default the
            dataset's own, else that of the measure
        progress: True for a bar, or a function; see ``loupe.Progress``

    Returns:
        the ids of those that fail, the farthest first

    Raises:
        UnknownName: no such field; the nearest name is suggested
        InputError: a field of another kind, fewer than 10 samples with a usable vector, or neighbors below 1
        InputError: they are no images of a dataset, or a field of the user's own has a name that Loupe writes to
        NoSamples: the view is empty
        Stopped: ``progress`` asked to stop

    >>> loupe.find_outliers(dataset)  # doctest: +SKIP
    Outliers(3 of 216 samples, 0 unknown)
    """
    spec = registry.pick("set measure", registry.sets(), OutliersMeasure.name)
    assert isinstance(spec, OutliersMeasure)
    if neighbors is not None:
        require_whole(neighbors=(neighbors, 1))
        spec = OutliersMeasure(neighbors)
    if threshold is not None and not is_real(threshold):
        raise InputError(f"expected a threshold in robust standard deviations, got {threshold!r}")
    with running(samples, "find_outliers", progress, label="outliers") as verb:
        samples = verb.samples
        store_fields.require(samples, store_fields.of_scores(spec.outputs))
        rows = store_sets.rows(samples, spec)
        verb.step(0, len(rows), "reading")
        vectors = store_sets.comparable(samples, rows, field)
        if len(vectors.index) < _MIN:
            raise InputError(
                f"expected at least {_MIN} samples with a vector in {field!r}, got {len(vectors.index)}: "
                "run loupe.embed"
            )
        distances = outliers.distances(
            vectors.unit, spec.neighbors, step=lambda done: verb.step(done, len(rows), "comparing")
        )
        message = outliers.message(len(vectors.unit))
        columns = {name: np.full(len(rows), math.nan, np.float32) for name in ("outlier", "neighbour_distance")}
        columns["outlier"][vectors.index] = outlyingness(distances)
        columns["neighbour_distance"][vectors.index] = distances.mean(1)
        reasons = {rows[at].id: reason for at, reason in vectors.reasons.items()}
        store_sets.write(samples, spec, rows, columns, reasons)
        apply_thresholds(samples, None if threshold is None else {"outlier": threshold})
        default = spec.outputs[0].default_threshold
        assert default is not None
        limit: Threshold = store_runs.load_thresholds(samples).get("outlier", default)
        params = {"field": field, "threshold": limit.value, **spec.params()}
        verb.finish(
            len(rows),
            unknown={spec.name: len(reasons)},
            params=params,
            messages={"how": message} if message else {},
        )
    beyond = np.flatnonzero(limit.violates(columns["outlier"]))
    farthest = beyond[np.argsort(-columns["outlier"][beyond], kind="stable")]
    return OutliersResult(
        tuple(rows[at].id for at in farthest), len(vectors.index), len(vectors.reasons), tuple(filter(None, [message]))
    )
