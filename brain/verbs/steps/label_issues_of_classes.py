"""Labels of one class a sample that are probably wrong: by a probe over vectors, or by given probabilities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Threshold
from loupe.brain.core.shares import tenths, whole
from loupe.brain.engine.reader import Row
from loupe.brain.labels import by_model, many_classes, noise
from loupe.brain.labels import issues as label_issues
from loupe.brain.labels.noise import Noise
from loupe.brain.labels.probe import REPEATS, probe
from loupe.brain.labels.records import LabelIssue, LabelIssues
from loupe.brain.stats.intervals import Proportion
from loupe.brain.store import fields as store_fields
from loupe.brain.store import sets as store_sets
from loupe.brain.store import splits as store_splits
from loupe.brain.store.labels import given as store_labels
from loupe.brain.store.labels.given import Labels
from loupe.brain.verbs.lifecycle import Lifecycle
from loupe.brain.verbs.steps.flagging import apply_thresholds, threshold_of
from loupe.brain.verbs.steps.label_issues import (
    Request,
    confusions,
    names_of,
    predicted_by,
    table_of,
    vectors_of_meaning,
)

#: the factors that a prompt was made from
_PROMPTED = "scenario."
#: without its own fold, or group, such a class is known to nobody: each of its samples would look wrong
_TOO_FEW = "too few other samples, or groups of samples, have its class"


def find(verb: Lifecycle, request: Request) -> LabelIssues:
    """Returns the labels of a field of one class a sample that are probably wrong, see ``loupe.find_label_issues``."""
    spec, samples = request.measure(), verb.samples
    limit = threshold_of(samples, "label_issue", request.threshold)
    store_fields.require(samples, [*store_fields.of_scores(spec.outputs), *store_labels.own_fields()])
    rows = store_sets.rows(samples, spec)
    labels = store_labels.read(samples, request.label)
    verb.step(0, REPEATS + 1, "reading")
    judged = (
        _by_probe(verb, rows, labels, request)
        if request.probabilities is None and request.predictions is None
        else _by_probabilities(verb, rows, labels, request)
    )
    scores = np.full(len(rows), math.nan, np.float32)
    scores[judged.places] = judged.known.wrong
    store_sets.write(samples, spec, rows, {"label_issue": scores}, judged.reasons)
    apply_thresholds(samples, None if request.threshold is None else {"label_issue": request.threshold})
    result = _result(labels, judged, limit, request.label)
    store_labels.write(samples, labels.ids, {issue.id: issue for issue in result.issues})
    params = {"label": request.label, "threshold": limit.value, "source": judged.source}
    by_probe = request.probabilities is None and request.predictions is None
    params |= {"folds": request.folds, "seed": request.seed, "embeddings": request.embeddings if by_probe else ""}
    verb.finish(len(rows), unknown={spec.name: len(judged.reasons)}, params=params)
    return result


@dataclass(frozen=True)
class _Labeled:
    """What was judged: the samples' places, their labels among the names, what is known, and why others are not.

    ``rare``: classes that are hardly judged, or not at all. ``stated``: the model's own probability of each label.
    """

    places: np.ndarray
    names: list[str]
    given: np.ndarray
    known: Noise
    source: str
    reasons: dict[str, str]
    rare: tuple[str, ...] = ()
    stated: np.ndarray | None = None


def _unlabeled(labels: Labels) -> dict[str, str]:
    return {labels.ids[at]: "no label" for at, name in enumerate(labels.given) if name is None}


def _by_probe(verb: Lifecycle, rows: Sequence[Row], labels: Labels, request: Request) -> _Labeled:
    samples, embeddings = verb.samples, request.embeddings
    groups = store_splits.group_fields(samples, request.groups)
    vectors = vectors_of_meaning(samples, rows, embeddings)
    codes = labels.codes()
    kept = codes[vectors.index] >= 0
    places, unit = vectors.index[kept], vectors.unit[kept]
    own_groups = store_splits.groups(samples, groups)[places] if groups else np.arange(len(places))
    many = many_classes.are_many(len(places), len(np.unique(codes[places])))
    # of thousands of classes those that nobody can judge would drown all others
    alone = label_issues.too_few(codes[places], own_groups, request.folds if many else 2)
    reasons = {labels.ids[at]: why for at, why in vectors.reasons.items()} | _unlabeled(labels)
    reasons |= {labels.ids[at]: _TOO_FEW for at in places[alone].tolist()}
    rare = sorted({labels.classes[at] for at in codes[places[alone]].tolist()})
    places, unit, own_groups = places[~alone], unit[~alone], own_groups[~alone]
    present, given = np.unique(codes[places], return_inverse=True)
    if len(present) < 2:
        raise InputError(
            f"expected at least two classes on samples with a vector in {embeddings!r}, of at least "
            f"{request.folds if many else 2} samples (or groups) each, got {len(present)}: run loupe.embed first"
        )

    def step(done: int, total: int) -> None:
        verb.step(done, total, "judging each label by the others")

    given, k, folds, seed = given.ravel(), len(present), request.folds, request.seed
    if many_classes.are_many(len(given), k):
        logs = many_classes.probes(unit, given, k, groups=own_groups, folds=folds, seed=seed, step=step)
        known = many_classes.fit(logs, given, k, step)
    else:
        known = noise.fit(probe(unit, given, k, groups=own_groups, folds=folds, seed=seed, step=step), given)
    names = [labels.classes[at] for at in present.tolist()]
    # out of their fold little is known of these
    rare += [names[at] for at in np.flatnonzero(np.bincount(given, minlength=k) < folds).tolist()]
    return _Labeled(places, names, given, known, f"a probe over {embeddings}", reasons, tuple(rare))


def _by_probabilities(verb: Lifecycle, rows: Sequence[Row], labels: Labels, request: Request) -> _Labeled:
    model = predicted_by(verb.samples, request, "class")
    occurring = labels.classes if model is None else sorted({*labels.classes, *model.classes})
    names = names_of(request.classes, labels.declared, occurring)
    if len(names) < 2:
        raise InputError(f"expected at least two classes, got {len(names)}")
    labeled = np.array([name is not None for name in labels.given], dtype=bool)
    if model is not None:
        known, source = labeled & model.known, f"the predictions of {request.predictions}"
        table = model.exclusive(names, ordered=bool(request.classes or labels.declared))[known]
    else:
        assert request.probabilities is not None
        table, known, source = table_of(verb.samples, rows, request.probabilities, len(names), labeled)
    if not known.any():
        raise InputError(f"expected samples with a label in {request.label!r} and probabilities, got none with both")
    without = np.flatnonzero(labeled & ~known).tolist()
    made = label_issues.require_probabilities(table, int(known.sum()), len(names))
    places, place = np.flatnonzero(known), {name: at for at, name in enumerate(names)}
    own = np.array([place[labels.given[at] or ""] for at in places.tolist()], dtype=np.int64)
    reasons = {labels.ids[at]: "no probabilities" for at in without} | _unlabeled(labels)
    if many_classes.are_many(*made.shape):
        # they are as they were given: what is worked out of them is done for some samples at a time
        def step(done: int, total: int) -> None:
            verb.step(done, total, "judging each label")

        fitted = many_classes.fit(lambda rows: [np.log(np.maximum(made[rows], noise.FLOOR))], own, len(names), step)
    else:
        default = request.measure().outputs[0].default_threshold
        assert default is not None
        fitted = by_model.fit(made, own, default.value)
    return _Labeled(places, names, own, fitted, source, reasons, stated=made[np.arange(len(own)), own])


def _reason(label: str, sure: float, suggested: str, probability: float, *, prompted: bool) -> str:
    """Returns why a label is probably wrong; of a factor of the prompt it is the picture that is."""
    if prompted:
        return f"the prompt asks for {label} ({tenths(sure)}); the picture is like {suggested}'s ({whole(probability)})"
    return f"{suggested} {whole(probability)}, {label} {tenths(sure)}"


def _result(labels: Labels, judged: _Labeled, limit: Threshold, label: str) -> LabelIssues:
    known, names = judged.known, judged.names
    flagged = limit.violates(known.wrong)
    sure = 1 - known.wrong if judged.stated is None else judged.stated
    order = np.flatnonzero(flagged)[np.argsort(-known.wrong[flagged], kind="stable")]
    issues = tuple(
        LabelIssue(
            id=labels.ids[int(judged.places[at])],
            given=names[int(judged.given[at])],
            suggested=names[int(known.suggested[at])],
            score=float(known.wrong[at]),
            probability=float(known.suggested_probability[at]),
            reason=_reason(
                names[int(judged.given[at])],
                float(sure[at]),
                names[int(known.suggested[at])],
                float(known.suggested_probability[at]),
                prompted=label.startswith(_PROMPTED),
            ),
        )
        for at in order.tolist()
    )
    groups = label_issues.disagreeing(labels.groups, labels.given)
    return LabelIssues(
        label=label,
        issues=issues,
        n=len(judged.given),
        unknown=len(judged.reasons),
        noise=Proportion.of(len(issues), len(judged.given)),
        expected=known.share,
        confusions=confusions(judged.given, known.suggested, flagged, names),
        duplicates={name: {labels.ids[at]: labels.given[at] or "" for at in own} for name, own in groups.items()},
        same_names=tuple(label_issues.same_names([*labels.classes, *labels.declared])),
        rare=judged.rare,
        empty=tuple(name for name in labels.declared if name not in set(labels.classes)),
        source=judged.source,
    )
