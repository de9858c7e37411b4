"""``loupe.find_label_issues``: labels that are probably wrong, with what they probably should be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError
from loupe.brain.core.records import ProgressCallback, Threshold
from loupe.brain.engine.reader import Row
from loupe.brain.labels import issues as label_issues
from loupe.brain.labels import noise
from loupe.brain.labels.noise import Noise
from loupe.brain.labels.probe import REPEATS, probe
from loupe.brain.labels.records import Confusion, LabelIssue, LabelIssues
from loupe.brain.sets.label_issues import LabelIssues as LabelIssuesMeasure
from loupe.brain.similarity.neighbors import usable
from loupe.brain.stats.intervals import Proportion
from loupe.brain.store import fields as store_fields
from loupe.brain.store import labels as store_labels
from loupe.brain.store import runs as store_runs
from loupe.brain.store import sets as store_sets
from loupe.brain.store import splits as store_splits
from loupe.brain.store import vectors as store_vectors
from loupe.brain.store.labels import Labels
from loupe.brain.verbs.flagging import apply_thresholds
from loupe.brain.verbs.lifecycle import Lifecycle, running

if TYPE_CHECKING:
    import fiftyone as fo

#: vectors of shapes, not of meaning
_SHAPES_ONLY = "hog"
_MANY_CONFUSIONS = 50


def find_label_issues(
    samples: fo.Dataset | fo.DatasetView,
    label: str,
    *,
    probabilities: str | ArrayLike | None = None,
    classes: Sequence[str] | None = None,
    embeddings: str = "embeddings",
    groups: str | Sequence[str] | None = None,
    folds: int = 5,
    threshold: float | None = None,
    seed: int = 0,
    progress: bool | ProgressCallback | None = None,
) -> LabelIssues:
    """Finds labels that are probably wrong, and says what they probably should be. The labels themselves stay.

    Each label is judged by a probe over the vectors that has not seen it, or by probabilities of a model of your own
    that has not been trained on it; how often each class is given another label is learned along. Writes
    ``quality.label_issue`` (the probability that the label is wrong), flags the failure ``label_issue``, and puts the
    suggestion with its reason into ``label_issues``. Duplicates with two labels, class names that differ by case only,
    and classes too rare to judge are told as well.

    Args:
        samples: a dataset or view
        label: a field of one class a sample: a Classification, or a text
        probabilities: instead of the probe: a field of vectors with a probability for each class, or an array of
            samples by classes, in the samples' order
        classes: the names that the probabilities are of, in their order; by default the dataset's classes for the
            field, else the names that occur, sorted
        embeddings: a field of vectors, such as ``loupe.embed`` writes
        groups: fields whose values are kept on one side of every fold: a prompt, a scene, a patient. None:
            ``duplicate_group``, where ``find_duplicates`` has run
        folds: into how many parts the samples are put, at least 2
        threshold: the score in [0, 1] above which a label is an issue; kept on the dataset like any threshold of
            ``flag``. By default the dataset's own, else that of the measure
        seed: of the folds
        progress: True for a bar, or a function; see ``loupe.Progress``

    Raises:
        UnknownName: no such field; the nearest name is suggested
        InputError: a field of another kind; fewer than two classes; vectors that say nothing of meaning (``hog``);
            probabilities of another shape, with NaN, or that do not sum to 1; a field of the user's own has a name that
            Loupe writes to
        NoSamples: the view is empty
        Stopped: ``progress`` asked to stop

    Example::

        loupe.embed(dataset)
        made = loupe.find_label_issues(dataset, "ground_truth")
        dataset.select(made.ids, ordered=True)
    """
    spec = registry.pick("set measure", registry.sets(), LabelIssuesMeasure.name)
    assert isinstance(spec, LabelIssuesMeasure)
    if isinstance(folds, bool) or not isinstance(folds, int) or folds < 2:
        raise InputError(f"expected at least 2 folds, got {folds!r}")
    spec = LabelIssuesMeasure(folds)
    with running(samples, "find_label_issues", progress, label="label issues") as verb:
        samples = verb.samples
        store_fields.require(samples, [*store_fields.of_scores(spec.outputs), *store_labels.own_fields()])
        rows = store_sets.rows(samples, spec)
        labels = store_labels.read(samples, label)
        verb.step(0, REPEATS + 1, "reading")
        if probabilities is None:
            judged = _by_probe(verb, rows, labels, embeddings, store_splits.group_fields(samples, groups), folds, seed)
        else:
            judged = _by_probabilities(samples, rows, labels, probabilities, classes)
        scores = np.full(len(rows), math.nan, np.float32)
        scores[judged.places] = judged.known.wrong
        store_sets.write(samples, spec, rows, {"label_issue": scores}, judged.reasons)
        apply_thresholds(samples, None if threshold is None else {"label_issue": threshold})
        default = spec.outputs[0].default_threshold
        assert default is not None
        limit: Threshold = store_runs.load_thresholds(samples).get("label_issue", default)
        result = _result(labels, judged, limit, label, folds)
        store_labels.write(samples, labels.ids, {issue.id: issue for issue in result.issues})
        params = {"label": label, "threshold": limit.value, "source": judged.source, "folds": folds, "seed": seed}
        params["embeddings"] = embeddings if probabilities is None else ""
        verb.finish(len(rows), unknown={spec.name: len(judged.reasons)}, params=params)
    return result


@dataclass(frozen=True)
class _Labeled:
    """What was judged: the samples' places, their labels among the names, what is known, and why others are not."""

    places: np.ndarray
    names: list[str]
    given: np.ndarray
    known: Noise
    source: str
    reasons: dict[str, str]


def _unlabeled(labels: Labels) -> dict[str, str]:
    return {labels.ids[at]: "no label" for at, name in enumerate(labels.given) if name is None}


def _by_probe(
    verb: Lifecycle, rows: Sequence[Row], labels: Labels, embeddings: str, groups: Sequence[str], folds: int, seed: int
) -> _Labeled:
    samples = verb.samples
    if (store_vectors.made_by(samples, embeddings) or {}).get("name") == _SHAPES_ONLY:
        raise InputError(
            f"expected vectors of meaning in {embeddings!r}, got those of {_SHAPES_ONLY}, which sees shapes: "
            "run `loupe weights get efficientnet_lite0`, then loupe.embed, or give probabilities of a model of your own"
        )
    vectors = usable(store_sets.vectors(samples, rows, embeddings))
    codes = labels.codes()
    kept = codes[vectors.index] >= 0
    places, unit = vectors.index[kept], vectors.unit[kept]
    present, given = np.unique(codes[places], return_inverse=True)
    if len(present) < 2:
        raise InputError(
            f"expected at least two classes on samples with a vector in {embeddings!r}, got {len(present)}: "
            "run loupe.embed first"
        )
    own_groups = store_splits.groups(samples, groups)[places] if groups else None

    def step(done: int, total: int) -> None:
        verb.step(done, total, "judging each label by the others")

    given = given.ravel()
    probes = probe(unit, given, len(present), groups=own_groups, folds=folds, seed=seed, step=step)
    reasons = {labels.ids[at]: why for at, why in vectors.reasons.items()} | _unlabeled(labels)
    names = [labels.classes[at] for at in present.tolist()]
    return _Labeled(places, names, given, noise.fit(probes, given), f"a probe over {embeddings}", reasons)


def _by_probabilities(
    samples: Any, rows: Sequence[Row], labels: Labels, probabilities: str | ArrayLike, classes: Sequence[str] | None
) -> _Labeled:
    names = list(classes) if classes is not None else labels.declared or labels.classes
    unknown = sorted(set(labels.classes) - set(names))
    if unknown:
        raise InputError(f"expected a probability for each class, got none for {', '.join(map(repr, unknown[:5]))}")
    if len(names) < 2:
        raise InputError(f"expected at least two classes, got {len(names)}")
    n = len(labels.ids)
    known = np.array([name is not None for name in labels.given])
    if isinstance(probabilities, str):
        given = store_sets.vectors(samples, rows, probabilities)
        without = [at for at in np.flatnonzero(known).tolist() if given[at] is None]
        known[without] = False
        held = [vector for at, vector in enumerate(given) if known[at] and vector is not None]
        sizes = {vector.size for vector in held}
        if sizes - {len(names)}:
            wrong = ", ".join(map(str, sorted(sizes)))
            raise InputError(f"expected {len(names)} probabilities a sample in {probabilities!r}, got {wrong}")
        table = np.stack(held) if held else np.zeros((0, len(names)))
        source = probabilities
    else:
        without = []
        table = np.asarray(probabilities, dtype=np.float32)
        if table.shape != (n, len(names)):
            raise InputError(f"expected probabilities of shape ({n}, {len(names)}), got {table.shape}")
        table, source = table[known], "given probabilities"
    made = label_issues.require_probabilities(table, int(known.sum()), len(names))
    places, place = np.flatnonzero(known), {name: at for at, name in enumerate(names)}
    own = np.array([place[labels.given[at] or ""] for at in places.tolist()], dtype=np.int64)
    reasons = {labels.ids[at]: "no probabilities" for at in without} | _unlabeled(labels)
    return _Labeled(places, names, own, noise.fit([np.log(np.maximum(made, noise.FLOOR))], own), source, reasons)


def _result(labels: Labels, judged: _Labeled, limit: Threshold, label: str, folds: int) -> LabelIssues:
    known, names = judged.known, judged.names
    flagged = limit.violates(known.wrong)
    order = np.flatnonzero(flagged)[np.argsort(-known.wrong[flagged], kind="stable")]
    issues = tuple(
        LabelIssue(
            id=labels.ids[int(judged.places[at])],
            given=names[int(judged.given[at])],
            suggested=names[int(known.suggested[at])],
            score=float(known.wrong[at]),
            probability=float(known.suggested_probability[at]),
            reason=f"{names[int(known.suggested[at])]} {known.suggested_probability[at]:.0%}, "
            f"{names[int(judged.given[at])]} {1 - known.wrong[at]:.1%}",
        )
        for at in order.tolist()
    )
    sizes = np.bincount(judged.given, minlength=len(names))
    groups = label_issues.disagreeing(labels.groups, labels.given)
    return LabelIssues(
        label=label,
        issues=issues,
        n=len(judged.given),
        unknown=len(judged.reasons),
        noise=Proportion.of(len(issues), len(judged.given)),
        expected=known.share,
        confusions=tuple(
            Confusion(names[each.given], names[each.suggested], Proportion.of(each.k, each.n))
            for each in label_issues.mixed_up(judged.given, known.suggested, flagged, len(names))[:_MANY_CONFUSIONS]
        ),
        duplicates={name: {labels.ids[at]: labels.given[at] or "" for at in own} for name, own in groups.items()},
        same_names=tuple(label_issues.same_names([*labels.classes, *labels.declared])),
        rare=tuple(names[at] for at in np.flatnonzero((sizes > 0) & (sizes < folds)).tolist()),
        empty=tuple(name for name in labels.declared if name not in set(labels.classes)),
        source=judged.source,
    )
