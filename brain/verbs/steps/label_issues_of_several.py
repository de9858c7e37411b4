"""Labels of several classes a sample of which some are probably wrong or missing; and what prompts ask for."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import sparse

from loupe.brain.core.errors import InputError
from loupe.brain.core.shares import whole
from loupe.brain.engine.reader import Row
from loupe.brain.labels import issues as label_issues
from loupe.brain.labels import multilabel
from loupe.brain.labels.multilabel import MultiNoise
from loupe.brain.labels.one_vs_rest import LIMIT, OneVsRest
from loupe.brain.labels.records import ClassNoise, Confusion, LabelIssue, LabelIssues
from loupe.brain.stats.intervals import Proportion
from loupe.brain.store import fields as store_fields
from loupe.brain.store import sets as store_sets
from loupe.brain.store import splits as store_splits
from loupe.brain.store.labels import given as store_labels
from loupe.brain.store.labels import of_several as labels_of_several
from loupe.brain.store.labels.of_several import SeveralLabels
from loupe.brain.verbs.lifecycle import Lifecycle
from loupe.brain.verbs.steps.flagging import apply_thresholds, threshold_of
from loupe.brain.verbs.steps.label_issues import (
    Request,
    names_of,
    predicted_by,
    table_of,
    vectors_of_meaning,
)

_MANY = 50
#: the label of a sample with no class
NO_CLASS = "(no class)"
#: above this a picture is like those of a class
_LIKELY = 0.5


def find(verb: Lifecycle, request: Request) -> LabelIssues:
    """Returns the samples with a class that is probably wrong, or that lack one, see ``loupe.find_label_issues``."""
    return _find(verb, request, "classes", lambda: labels_of_several.read(verb.samples, request.label))


def find_prompted(verb: Lifecycle, request: Request) -> LabelIssues:
    """Returns the pictures that are unlike those of other prompts that ask for the same."""
    return _find(verb, request, "prompt", lambda: labels_of_several.read_prompted(verb.samples))


@dataclass(frozen=True, eq=False)
class _Labeled:
    """What was judged: the samples' places, their (M, L) classes among the names, what is known, why others are not."""

    places: np.ndarray
    names: list[str]
    given: sparse.csc_matrix
    known: MultiNoise
    source: str
    reasons: dict[str, str]
    rare: tuple[str, ...]


def _find(
    verb: Lifecycle, request: Request, kind: Literal["classes", "prompt"], read: Callable[[], SeveralLabels]
) -> LabelIssues:
    spec, samples = request.measure(), verb.samples
    limit = threshold_of(samples, "label_issue", request.threshold)
    store_fields.require(samples, [*store_fields.of_scores(spec.outputs), *store_labels.own_fields()])
    rows = store_sets.rows(samples, spec)
    verb.step(0, 2, "reading")
    labels = read()
    judged = (
        _by_probe(verb, rows, labels, request, limit.value, kind)
        if request.probabilities is None and request.predictions is None
        else _by_probabilities(verb, rows, labels, request, limit.value, kind)
    )
    scores = np.full(len(rows), math.nan, np.float32)
    scores[judged.places] = judged.known.score
    store_sets.write(samples, spec, rows, {"label_issue": scores}, judged.reasons)
    apply_thresholds(samples, None if request.threshold is None else {"label_issue": request.threshold})
    result = _result(labels, judged, request, kind)
    store_labels.write(samples, labels.ids, {issue.id: issue for issue in result.issues})
    params = {"label": request.label, "threshold": limit.value, "source": judged.source}
    params |= {"folds": request.folds, "seed": request.seed}
    verb.finish(len(rows), unknown={spec.name: len(judged.reasons)}, params=params)
    return result


def _unlabeled(labels: SeveralLabels, kind: str) -> dict[str, str]:
    why = "no label" if kind == "classes" else "no prompt, or none that names a thing"
    return {labels.ids[at]: why for at in np.flatnonzero(~labels.known).tolist()}


def _by_probe(
    verb: Lifecycle, rows: Sequence[Row], labels: SeveralLabels, request: Request, above: float, kind: str
) -> _Labeled:
    samples = verb.samples
    groups = store_splits.group_fields(samples, request.groups)
    vectors = vectors_of_meaning(samples, rows, request.embeddings)
    kept = labels.known[vectors.index]
    places, unit = vectors.index[kept], vectors.unit[kept]
    own_groups = store_splits.groups(samples, groups)[places] if groups else np.arange(len(places))
    given = labels.given[places].tocsc()
    # classes that too few groups have, or have not, are known to nobody out of their fold
    counts = _groups_with(given, own_groups)
    n_groups = len(np.unique(own_groups))
    judged = (counts >= request.folds) & (n_groups - counts >= 2)
    if not judged.any():
        raise InputError(
            f"expected a class that at least {request.folds} samples with a vector in {request.embeddings!r} have and "
            f"others have not, got none in {request.label!r}: label more, take fewer folds, or run loupe.embed first"
        )

    def step(message: str, offset: int) -> Callable[[int, int], None]:
        return lambda done, total: verb.step(offset * total + done, 2 * total, message)

    own = given[:, np.flatnonzero(judged)].tocsc()
    probes = OneVsRest(unit, own, groups=own_groups, folds=request.folds, seed=request.seed, step=step("preparing", 0))
    known = multilabel.fit(
        probes.log_odds, own, limit=above, only_given=kind == "prompt", step=step("judging each class by the others", 1)
    )
    reasons = {labels.ids[at]: why for at, why in vectors.reasons.items()} | _unlabeled(labels, kind)
    names = [labels.classes[at] for at in np.flatnonzero(judged).tolist()]
    rare = tuple(labels.classes[at] for at in np.flatnonzero(~judged).tolist())
    return _Labeled(places, names, own, known, f"a probe over {request.embeddings}", reasons, rare)


def _groups_with(given: sparse.csc_matrix, groups: np.ndarray) -> np.ndarray:
    """Returns for each class how many groups of samples have it."""
    table = given.tocoo()
    pairs = np.unique(np.stack([table.col, groups[table.row]]), axis=1)
    return np.bincount(pairs[0], minlength=given.shape[1])


def _by_probabilities(
    verb: Lifecycle, rows: Sequence[Row], labels: SeveralLabels, request: Request, above: float, kind: str
) -> _Labeled:
    model = predicted_by(verb.samples, request, "classes")
    occurring = labels.classes if model is None else sorted({*labels.classes, *model.classes})
    names = names_of(request.classes, labels.declared, occurring)
    if not names:
        raise InputError(f"expected at least one class in {request.label!r}, got none")
    if model is not None:
        known, source = labels.known & model.known, f"the predictions of {request.predictions}"
        table = model.several(names)[known]
    else:
        assert request.probabilities is not None
        table, known, source = table_of(verb.samples, rows, request.probabilities, len(names), labels.known)
    if not known.any():
        raise InputError(f"expected samples with a label in {request.label!r} and probabilities, got none with both")
    made = label_issues.require_probabilities(table, int(known.sum()), len(names), exclusive=False)
    places, place = np.flatnonzero(known), {name: at for at, name in enumerate(names)}
    entries = labels.given[places].tocoo()
    columns = np.array([place[name] for name in labels.classes], dtype=np.int64)[entries.col]
    given = sparse.csc_matrix((entries.data, (entries.row, columns)), shape=(len(places), len(names)))

    def log_odds(block: slice) -> list[np.ndarray]:
        with np.errstate(divide="ignore"):
            own = made[:, block]
            return [np.clip(np.log(own) - np.log1p(-own), -LIMIT, LIMIT)]

    def step(done: int, total: int) -> None:
        verb.step(done, total, "judging each class")

    noise = multilabel.fit(log_odds, given, limit=above, only_given=kind == "prompt", step=step)
    reasons = {labels.ids[at]: "no probabilities" for at in np.flatnonzero(labels.known & ~known).tolist()}
    return _Labeled(places, names, given, noise, source, reasons | _unlabeled(labels, kind), ())


def _result(
    labels: SeveralLabels, judged: _Labeled, request: Request, kind: Literal["classes", "prompt"]
) -> LabelIssues:
    known, names = judged.known, judged.names
    shown = [", ".join(labels.names(at)) for at in range(len(labels.ids))]
    starts = np.r_[0, np.flatnonzero(np.diff(known.rows)) + 1] if len(known.rows) else np.zeros(0, np.int64)
    ends = np.r_[starts[1:], len(known.rows)] if len(starts) else starts
    rows = judged.given.tocsr()
    issues, pairs = [], Counter[tuple[int, int]]()
    order = np.argsort(-known.wrong[starts], kind="stable")
    for start, end in zip(starts[order].tolist(), ends[order].tolist(), strict=True):
        at = int(known.rows[start])
        own = set(rows.indices[rows.indptr[at] : rows.indptr[at + 1]].tolist())
        doubts = list(zip(known.columns[start:end].tolist(), known.wrong[start:end].tolist(), strict=True))
        wrong = [(column, doubt) for column, doubt in doubts if column in own]
        missing = [(column, doubt) for column, doubt in doubts if column not in own]
        other = int(known.other[at])
        likely = kind == "prompt" and other >= 0 and float(known.other_probability[at]) > _LIKELY
        added = [other] if likely else [column for column, _ in missing]
        pairs.update((a, b) for a, _ in wrong for b in added)
        place = int(judged.places[at])
        left = [name for name in labels.names(place) if name not in {names[column] for column, _ in wrong}]
        issues.append(
            LabelIssue(
                id=labels.ids[place],
                given=shown[place] or NO_CLASS,
                suggested=", ".join(sorted({*left, *(names[column] for column in added)})) or NO_CLASS,
                score=doubts[0][1],
                probability=float(known.other_probability[at]) if likely else doubts[0][1],
                reason=_prompt_reason(wrong, names, names[other] if likely else "", known.other_probability[at])
                if kind == "prompt"
                else _reason(wrong, missing, names),
                wrong=tuple(names[column] for column, _ in wrong),
                missing=tuple(names[column] for column, _ in missing),
            )
        )
    sizes = np.asarray(judged.given.sum(axis=0)).ravel()
    disagreeing = label_issues.disagreeing(
        labels.groups, [text if has else None for text, has in zip(shown, labels.known.tolist(), strict=True)]
    )
    return LabelIssues(
        label=request.label,
        issues=tuple(issues),
        n=len(judged.places),
        unknown=len(judged.reasons),
        noise=Proportion.of(len(issues), len(judged.places)),
        expected=float(known.any_wrong.mean()),
        confusions=tuple(
            Confusion(names[a], names[b], Proportion.of(k, int(sizes[a]))) for (a, b), k in pairs.most_common(_MANY)
        ),
        duplicates={name: {labels.ids[at]: shown[at] or NO_CLASS for at in own} for name, own in disagreeing.items()}
        if kind == "classes"
        else {},
        same_names=tuple(label_issues.same_names([*labels.classes, *labels.declared])),
        rare=judged.rare,
        empty=tuple(name for name in labels.declared if name not in set(labels.classes)),
        source=judged.source,
        kind=kind,
        by_class=_by_class(judged, sizes, kind),
    )


def _reason(wrong: Sequence[tuple[int, float]], missing: Sequence[tuple[int, float]], names: Sequence[str]) -> str:
    """Returns which classes are wrong and which are missing, the surest first."""
    parts = [(doubt, f"{names[column]} is wrong ({whole(doubt)})") for column, doubt in wrong]
    parts += [(doubt, f"{names[column]} is missing ({whole(doubt)})") for column, doubt in missing]
    return "; ".join(text for _, text in sorted(parts, key=lambda part: -part[0])[:5])


def _prompt_reason(wrong: Sequence[tuple[int, float]], names: Sequence[str], other: str, probability: float) -> str:
    asked = " and ".join(f"{names[column]} ({whole(1 - doubt)})" for column, doubt in wrong[:5])
    instead = f"the picture is like {other}'s ({whole(probability)})" if other else "the picture is unlike its others"
    return f"the prompt asks for {asked}; {instead}"


def _by_class(judged: _Labeled, sizes: np.ndarray, kind: str) -> tuple[ClassNoise, ...]:
    """Returns the classes with the most issues."""
    known, n = judged.known, len(judged.places)
    entries = judged.given.tocoo()
    width = len(judged.names)
    is_given = np.isin(known.rows * width + known.columns, entries.row.astype(np.int64) * width + entries.col)
    wrong = np.bincount(known.columns[is_given], minlength=len(judged.names))
    missing = np.bincount(known.columns[~is_given], minlength=len(judged.names))
    order = np.argsort(-(wrong + missing), kind="stable")[:_MANY]
    return tuple(
        ClassNoise(
            name=judged.names[at],
            wrong=Proportion.of(int(wrong[at]), int(sizes[at])),
            missing=Proportion.of(int(missing[at]), int(n - sizes[at])),
            added=float(known.added[at]),
            missed=math.nan if kind == "prompt" else float(known.missed[at]),
        )
        for at in order.tolist()
        if wrong[at] + missing[at]
    )
