"""``loupe.review``: what people decided of the samples of a failure is written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from loupe.brain.core import who
from loupe.brain.core.errors import InputError
from loupe.brain.core.review import STATUSES, Decision, ReviewResult
from loupe.brain.store import annotation as store_annotation
from loupe.brain.store import fields as store_fields
from loupe.brain.store.review import decisions as store_review
from loupe.brain.verbs.lifecycle import running
from loupe.brain.verbs.steps import reviewing

if TYPE_CHECKING:
    import fiftyone as fo

#: takes a decision back
NONE = "none"


def review(
    samples: fo.Dataset | fo.DatasetView,
    failure: str,
    decisions: str | Mapping[str, str | Decision | None] | None = None,
    *,
    field: str | None = None,
    note: str = "",
    by: str = "",
) -> ReviewResult:
    """Writes what somebody decided of samples and a failure: it is real, it is a false alarm, or nobody can tell.

    It stands in ``review.<failure>`` of each sample, with who decided it and when. What stood there is replaced; what
    somebody else decides of other samples at the same time stays. Scores and failures are not touched.

    Args:
        samples: a dataset or view of images
        failure: the failure mode, e.g. ``"blur"``
        decisions: for all of the samples ``"real"``, ``"false_alarm"`` or ``"unsure"``, or ``"none"`` to take back what
            was decided; or by sample id, as a text of these, a ``Decision``, or None
        field: instead of decisions: a field of classifications with these labels, as annotators gave them, see
            ``annotate``; samples with another label, or none, are left alone
        note: in one's own words; kept with each decision that has none of its own
        by: who decided; the user of the operating system by default

    Returns:
        how many were decided so far, the precision of the check and its recall with their 95 % intervals, and a better
        threshold, see ``reviewed``

    Raises:
        UnknownName: no check flags a failure mode of that name; the nearest name is suggested
        InputError: another status, an id that is none of the samples, decisions and a field or neither, or a field of
            the user's own named ``review``
        NoSamples: the view is empty

    >>> loupe.review(dataset, "blur", {sample.id: "false_alarm"}, by="anna")  # doctest: +SKIP
    ReviewResult(blur: 1 of 84 flagged reviewed: 0 real, 1 false alarms, 0 unsure; 1 written)
    """
    store_review.require_failure(failure)
    if (decisions is None) == (field is None):
        raise InputError(
            f"expected decisions or a field, got {'neither' if field is None else 'both'}: choose a decision, "
            "or give field="
        )
    with running(samples, "review", None) as verb:
        chosen = verb.samples
        store_fields.require(chosen, store_fields.of_review(failure))
        at, name = who.now("milliseconds"), by or who.user()
        ids = chosen.values("id")
        given: Mapping[str, Any] = dict.fromkeys(ids, decisions)
        if field is not None:
            given = store_annotation.answers(chosen, field)
        elif isinstance(decisions, Mapping):
            given = decisions
        strangers = sorted(set(map(str, given)) - set(ids))
        if strangers:
            raise InputError(
                f"expected ids of these samples, got {len(strangers):,} that are none of them, e.g. {strangers[0]!r}"
            )
        made = {str(key): _decision(value, name, at, note) for key, value in given.items()}
        written = store_review.write(chosen, failure, made)
        taken_back = sum(decision is None for decision in made.values())
        verb.finish(written, params={"failure": failure, "by": name, "statuses": _counts(made)})
        result = reviewing.result(chosen, failure, reviewing.WANTED)
        return replace(result, written=written - taken_back, taken_back=taken_back)


def _decision(given: Any, by: str, at: str, note: str) -> Decision | None:
    if given is None or given == NONE:
        return None
    if isinstance(given, Decision):
        return replace(given, by=given.by or by, at=given.at or at, note=given.note or note)
    if given not in STATUSES:
        raise InputError(f"expected a status of {', '.join(map(repr, (*STATUSES, NONE)))}, got {given!r}")
    return Decision(given, by=by, at=at, note=note)


def _counts(made: Mapping[str, Decision | None]) -> dict[str, int]:
    statuses = [NONE if decision is None else decision.status for decision in made.values()]
    return {status: statuses.count(status) for status in (*STATUSES, NONE) if status in statuses}
