"""Masks that are probably wrong, by a model's."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Threshold
from loupe.brain.core.shares import tenths
from loupe.brain.labels.mask_records import MaskIssue, MaskIssues
from loupe.brain.sets.mask_issues import MaskIssues as MaskIssuesMeasure
from loupe.brain.stats.intervals import Proportion
from loupe.brain.store import fields as store_fields
from loupe.brain.store import sets as store_sets
from loupe.brain.store.labels import mask_issues as store_masks
from loupe.brain.store.labels import predicted as store_predicted
from loupe.brain.store.labels.mask_issues import Compared
from loupe.brain.verbs.lifecycle import Lifecycle
from loupe.brain.verbs.steps.flagging import apply_thresholds, threshold_of
from loupe.brain.verbs.steps.label_issues import Request


def find(verb: Lifecycle, request: Request) -> MaskIssues:
    """Returns the masks that are probably wrong, see ``loupe.find_label_issues``."""
    spec = registry.pick("set measure", registry.sets(), MaskIssuesMeasure.name)
    assert isinstance(spec, MaskIssuesMeasure)
    samples, sure = verb.samples, request.probabilities
    if sure is not None and not isinstance(sure, str):
        raise InputError("expected the name of a field of Heatmaps as probabilities of masks, got an array")
    limit = threshold_of(samples, "mask_issue", request.threshold)
    store_predicted.require(samples, request.label, request.predictions, "mask")
    assert request.predictions is not None
    store_fields.require(samples, [*store_fields.of_scores(spec.outputs), *store_masks.own_fields()])
    rows = store_sets.rows(samples, spec)
    made = store_masks.compare(
        samples, request.label, request.predictions, sure, lambda done, total: verb.step(done, total, "comparing masks")
    )
    if not made.by_sample:
        why = Counter(made.reasons.values()).most_common(1)[0][0]
        raise InputError(
            f"expected samples with masks in {request.label!r} and in {request.predictions!r}, got none that can be "
            f"compared: most often {why}"
        )
    scores = np.array([_score(made, row.id) for row in rows], dtype=np.float32)
    store_sets.write(samples, spec, rows, {"mask_issue": scores}, made.reasons)
    apply_thresholds(samples, None if request.threshold is None else {"mask_issue": request.threshold})
    issues = _issues(made, scores, limit)
    store_masks.write(samples, made.ids, {issue.id: issue for issue in issues})
    params = {"label": request.label, "predictions": request.predictions, "threshold": limit.value, "sure": sure}
    verb.finish(len(rows), unknown={spec.name: len(made.reasons)}, params=params)
    return MaskIssues(
        label=request.label,
        predictions=request.predictions,
        issues=issues,
        n=len(made.by_sample),
        unknown=len(made.reasons),
        flagged=Proportion.of(len(issues), len(made.by_sample)),
        agreement={made.name(code): iou for code, iou in made.agreement.ious().items()},
    )


def _score(made: Compared, sample_id: str) -> float:
    own = made.by_sample.get(sample_id)
    return math.nan if own is None else own.score


def _issues(made: Compared, scores: np.ndarray, limit: Threshold) -> tuple[MaskIssue, ...]:
    flagged = np.flatnonzero(limit.violates(scores))
    listed = []
    for at in flagged[np.argsort(-scores[flagged], kind="stable")].tolist():
        own = made.by_sample[made.ids[at]]
        given, suggested = made.name(own.given), made.name(own.suggested)
        listed.append(
            MaskIssue(
                id=made.ids[at],
                given=given,
                suggested=suggested,
                score=own.score,
                share=own.share,
                reason=f"{tenths(own.share)} of the picture is {given}, and {suggested} by the model",
            )
        )
    return tuple(listed)
