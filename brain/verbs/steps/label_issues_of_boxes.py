"""Boxes that are probably wrong, by a model's predictions."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError
from loupe.brain.core.numbers import is_real
from loupe.brain.core.records import Threshold
from loupe.brain.core.shares import whole
from loupe.brain.labels import issues as label_issues
from loupe.brain.labels.box_issues import KINDS, Assessed, Kind, assess
from loupe.brain.labels.box_records import BoxIssue, BoxIssues, counted
from loupe.brain.sets.box_issues import BoxIssues as BoxIssuesMeasure
from loupe.brain.stats.intervals import Proportion
from loupe.brain.store import fields as store_fields
from loupe.brain.store import sets as store_sets
from loupe.brain.store.labels import boxes as store_boxes
from loupe.brain.store.labels import predicted as store_predicted
from loupe.brain.store.labels.boxes import BothSides, Drawn
from loupe.brain.verbs.lifecycle import Lifecycle
from loupe.brain.verbs.steps.flagging import apply_thresholds, threshold_of
from loupe.brain.verbs.steps.label_issues import Request, confusions

_STEPS = 4
_MANY_NAMED = 5


def find(verb: Lifecycle, request: Request) -> BoxIssues:
    """Returns the boxes that are probably wrong or missing, see ``loupe.find_label_issues``."""
    spec, samples = _spec(request), verb.samples
    limit = threshold_of(samples, "box_issue", request.threshold)
    store_predicted.require(samples, request.label, request.predictions, "boxes")
    assert request.predictions is not None
    store_fields.require(samples, [*store_fields.of_scores(spec.outputs), *store_boxes.own_fields()])
    rows = store_sets.rows(samples, spec)
    verb.step(0, _STEPS, "reading")
    read = store_boxes.read(samples, request.label, request.predictions)
    sides, notes = _comparable(read, request)
    verb.step(1, _STEPS, "comparing")
    judged_samples = sides.given.known & sides.predicted.known
    if not judged_samples.any():
        raise InputError(
            f"expected samples with boxes in {request.label!r} and in {request.predictions!r}, got none with both"
        )
    given, predicted = (side.take(judged_samples[side.boxes.image]) for side in (sides.given, sides.predicted))
    even: dict[Kind, float] = {
        "overlooked": spec.overlooked,
        "badly_located": spec.badly_located,
        "swapped": spec.swapped,
    }
    made = assess(given.boxes, predicted.boxes, overlap=spec.overlap, even=even)
    scores = np.where(judged_samples, 0.0, np.nan).astype(np.float32)
    for side, values in ((given, made.swapped), (given, made.badly_located), (predicted, made.overlooked)):
        np.maximum.at(scores, side.boxes.image, values.astype(np.float32))
    reasons = _reasons(read)
    verb.step(2, _STEPS, "writing")
    store_sets.write(samples, spec, rows, {"box_issue": scores}, reasons)
    apply_thresholds(samples, None if request.threshold is None else {"box_issue": request.threshold})
    issues = _issues(sides, given, predicted, made, limit)
    by_sample: dict[str, list[BoxIssue]] = defaultdict(list)
    for issue in issues:
        by_sample[issue.id].append(issue)
    store_boxes.write(samples, read.ids, by_sample)
    params = {"label": request.label, "predictions": request.predictions, "threshold": limit.value, **spec.params()}
    verb.finish(len(rows), unknown={spec.name: len(reasons)}, params=params)
    countable = ~given.boxes.crowd
    # -1 for no prediction, and for its class
    swapped_to = np.append(predicted.boxes.label, -1)[made.swapped_by]
    return BoxIssues(
        label=request.label,
        predictions=request.predictions,
        issues=issues,
        n=int(judged_samples.sum()),
        boxes=int(countable.sum()),
        unseen=int((countable & ~made.seen).sum()),
        unknown=len(reasons),
        flagged=Proportion.of(len(by_sample), int(judged_samples.sum())),
        kinds=counted(issues),
        confusions=confusions(given.boxes.label, swapped_to, limit.violates(made.swapped), sides.classes),
        malformed={read.ids[at]: count for at, count in sorted(read.given.malformed.items())},
        same_names=tuple(label_issues.same_names(read.classes)),
        notes=notes,
    )


def _spec(request: Request) -> BoxIssuesMeasure:
    spec = registry.pick("set measure", registry.sets(), BoxIssuesMeasure.name)
    assert isinstance(spec, BoxIssuesMeasure)
    evidence = dict(request.evidence or {})
    unknown = sorted(set(evidence) - set(KINDS))
    if unknown:
        raise InputError(f"expected evidence for {', '.join(KINDS)}, got {', '.join(map(repr, unknown))}")
    for name, value in {**evidence, "overlap": request.overlap}.items():
        if not is_real(value) or not 0 < value < 1:
            raise InputError(f"expected a number between 0 and 1 for {name}, got {value!r}")
    return replace(spec, overlap=float(request.overlap), **{k: float(v) for k, v in evidence.items()})


def _comparable(read: BothSides, request: Request) -> tuple[BothSides, tuple[str, ...]]:
    """Returns both sides without predictions of classes that the labels do not know, and what is to be said of them."""
    given, predicted = read.given, read.predicted
    occurring = set(np.unique(given.boxes.label).tolist())
    named = set(request.classes if request.classes is not None else read.declared)
    known = np.array([code in occurring or name in named for code, name in enumerate(read.classes)], dtype=bool)
    kept = known[predicted.boxes.label] if len(known) else np.zeros(0, dtype=bool)
    if not len(predicted.boxes):
        raise InputError(f"expected boxes in {request.predictions!r}, got none: run the model first")
    strange = sorted({read.classes[code] for code in np.unique(predicted.boxes.label[~kept]).tolist()})
    if not kept.any():
        labeled = _listed(sorted(read.classes[code] for code in occurring)) or "no boxes"
        raise InputError(
            f"expected predictions of the labels' classes, got {_listed(strange)} in {request.predictions!r}, but "
            f"{labeled} in {request.label!r}: rename them with dataset.map_labels, or name more classes with classes="
        )
    notes = []
    if strange:
        notes.append(
            f"{int((~kept).sum()):,} predictions of classes that no label has were left out: {_listed(strange)}"
        )
    without = int(np.isnan(predicted.boxes.score[kept]).sum())
    if without:
        notes.append(f"{without:,} predictions have no confidence: they all count as equally sure")
    malformed = sum(predicted.malformed.values())
    if malformed:
        notes.append(f"{malformed:,} predictions have no area in the picture or no class, and were left out")
    return replace(read, predicted=predicted.take(kept)), tuple(notes)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MANY_NAMED} more" if len(names) > _MANY_NAMED else ""
    return f"{', '.join(map(repr, names[:_MANY_NAMED]))}{more}"


def _reasons(read: BothSides) -> dict[str, str]:
    labeled, ran = read.given.known, read.predicted.known
    return {
        read.ids[at]: "no label" if not labeled[at] else "no predictions"
        for at in np.flatnonzero(~(labeled & ran)).tolist()
    }


def _issues(sides: BothSides, given: Drawn, predicted: Drawn, made: Assessed, limit: Threshold) -> tuple[BoxIssue, ...]:
    listed = [
        *(
            _of_given("swapped", at, int(made.swapped_by[at]), sides, given, predicted, made)
            for at in np.flatnonzero(limit.violates(made.swapped)).tolist()
        ),
        *(
            _of_given("badly_located", at, int(made.located_by[at]), sides, given, predicted, made)
            for at in np.flatnonzero(limit.violates(made.badly_located)).tolist()
        ),
        *(_overlooked(at, sides, predicted, made) for at in np.flatnonzero(limit.violates(made.overlooked)).tolist()),
    ]
    return tuple(sorted(listed, key=lambda issue: -issue.score))


def _of_given(
    kind: Kind, at: int, by: int, sides: BothSides, given: Drawn, predicted: Drawn, made: Assessed
) -> BoxIssue:
    own, other = sides.classes[int(given.boxes.label[at])], sides.classes[int(predicted.boxes.label[by])]
    score = made.swapped[at] if kind == "swapped" else made.badly_located[at]
    sure = _sure(predicted, made, by)
    if kind == "swapped":
        reason = f"{other}{sure}, where {own} is given"
    else:
        reason = f"{other}{sure}, overlaps by {whole(made.located_iou[at])}, where {whole(made.usual_iou)} is usual"
    # the class is wrong, the place is not
    place = given.boxes.corners[at] if kind == "swapped" else predicted.boxes.corners[by]
    return BoxIssue(
        id=sides.ids[int(given.boxes.image[at])],
        kind=kind,
        box_id=given.box_id(at),
        given=own,
        suggested=other,
        box=_bounds(place),
        score=float(score),
        confidence=_confidence(predicted, by),
        reason=reason,
    )


def _overlooked(at: int, sides: BothSides, predicted: Drawn, made: Assessed) -> BoxIssue:
    name = sides.classes[int(predicted.boxes.label[at])]
    nearest = f"the nearest box overlaps by {whole(made.overlap[at])}" if made.overlap[at] > 0 else "no box is near"
    return BoxIssue(
        id=sides.ids[int(predicted.boxes.image[at])],
        kind="overlooked",
        box_id=None,
        given=None,
        suggested=name,
        box=_bounds(predicted.boxes.corners[at]),
        score=float(made.overlooked[at]),
        confidence=_confidence(predicted, at),
        reason=f"{name}{_sure(predicted, made, at)}, {nearest}",
    )


def _sure(predicted: Drawn, made: Assessed, at: int) -> str:
    confidence = _confidence(predicted, at)
    agree = f"of such {whole(made.agreement[at])} agree with the labels"
    return f" ({agree})" if confidence is None else f" {confidence:.2f} ({agree})"


def _confidence(predicted: Drawn, at: int) -> float | None:
    score = float(predicted.boxes.score[at])
    return score if np.isfinite(score) else None


def _bounds(corners: np.ndarray) -> tuple[float, float, float, float]:
    left, top, right, bottom = (float(each) for each in corners)
    return left, top, right - left, bottom - top
