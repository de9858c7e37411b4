"""From decisions to results: what ``review``, ``reviewed`` and the panel have in common."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from loupe.brain.core import registry, who
from loupe.brain.core.errors import InputError
from loupe.brain.core.numbers import is_real
from loupe.brain.core.records import Threshold
from loupe.brain.core.review import ReviewResult, ThresholdOffer
from loupe.brain.core.shares import hundredths, whole
from loupe.brain.slicing.outcomes import State
from loupe.brain.stats import review as stats
from loupe.brain.stats import risk
from loupe.brain.stats.review_tally import Known
from loupe.brain.store import runs as store_runs
from loupe.brain.store.connection import database_errors
from loupe.brain.store.review import decisions as store_review

if TYPE_CHECKING:
    import fiftyone as fo

#: the precision that a better threshold is looked for
WANTED = 0.9
#: the names of so many reviewers stand in a threshold's source
_MAX_NAMES = 3


def require_share(name: str, value: float, example: str = "0.9 asks for 90 %") -> None:
    """Raises an error unless it is a number between 0 and 1.

    Raises:
        InputError: it is none
    """
    if not is_real(value) or not 0 < value < 1:
        raise InputError(f"expected a {name} between 0 and 1, got {value!r}: {example}")


def result(
    samples: fo.Dataset | fo.DatasetView, failure: str, precision: float, max_false_alarms: float | None = None
) -> ReviewResult:
    """Returns what was decided of a failure mode, and what follows from it.

    Args:
        samples: each once, with all fields
        failure: the failure mode, which is known
        precision: the wanted one of an offered threshold
        max_false_alarms: the share of false alarms that it shall keep to instead
    """
    return follows(samples, failure, store_review.read(samples, failure), precision, max_false_alarms)


def follows(
    samples: fo.Dataset | fo.DatasetView,
    failure: str,
    known: Known,
    precision: float,
    max_false_alarms: float | None = None,
) -> ReviewResult:
    """Returns what follows from decisions that were read; the arguments are those of ``result``."""
    flagged, passed = known.flagged.side(), known.passed.side()
    drawn_unsure = int((flagged.statuses[flagged.drawn()] == "unsure").sum())
    return ReviewResult(
        failure=failure,
        flagged=flagged.n,
        real=flagged.count("real"),
        false_alarms=flagged.count("false_alarm"),
        unsure=flagged.count("unsure"),
        remaining=flagged.n - len(flagged.statuses),
        precision=stats.precision(flagged),
        drawn_unsure=drawn_unsure,
        passed=passed.n,
        passed_reviewed=len(passed.statuses),
        recall=stats.recall(flagged, passed),
        offer=_offer(samples, failure, known, flagged, precision)
        if max_false_alarms is None
        else _controlled(samples, failure, known, flagged, max_false_alarms),
        by=known.names(),
    )


def _offer(
    samples: fo.Dataset | fo.DatasetView, failure: str, known: Known, flagged: stats.Side, wanted: float
) -> ThresholdOffer:
    used = _used(samples, failure)
    choice, reason = stats.choose(flagged, used.op, wanted)
    if choice is None:
        return ThresholdOffer(failure, wanted, reason=reason, flagged=flagged.n)
    provenance = (
        f"chosen for a precision of {whole(wanted)} on one half of the decisions; on the other it has "
        f"{choice.precision}, and {used.op} {used.value:g} has {choice.current}"
    )
    threshold = _reviewed(used, choice.value, len(flagged.sure()[0]), known, provenance)
    return ThresholdOffer(
        failure,
        wanted,
        threshold=threshold,
        precision=choice.precision,
        current=choice.current,
        kept=choice.kept,
        flags=_flags(samples, failure, known, threshold),
        flagged=flagged.n,
    )


def _controlled(
    samples: fo.Dataset | fo.DatasetView, failure: str, known: Known, flagged: stats.Side, rate: float
) -> ThresholdOffer:
    used = _used(samples, failure)
    control = risk.controlled(flagged, flagged.n + known.passed.n, used.op, rate)
    offer = ThresholdOffer(
        failure,
        math.nan,
        reason=control.reason,
        kept=control.kept,
        flags=flagged.n,
        flagged=flagged.n,
        max_false_alarms=rate,
        bound=control.bound,
        bound_now=control.now,
    )
    if control.value is None:
        return offer
    provenance = (
        f"of all pictures at most {hundredths(control.bound)} are expected to be false alarms, "
        "by conformal risk control for "
        f"{hundredths(rate)}; {used.op} {used.value:g} has {hundredths(control.now)}"
    )
    threshold = _reviewed(used, control.value, int(flagged.drawn().sum()), known, provenance)
    return replace(offer, threshold=threshold, flags=_flags(samples, failure, known, threshold))


def _used(samples: fo.Dataset | fo.DatasetView, failure: str) -> Threshold:
    default = registry.failures()[failure][1].default_threshold
    assert default is not None
    return store_runs.load_thresholds(samples).get(failure, default)


def _reviewed(used: Threshold, value: float, n: int, known: Known, provenance: str) -> Threshold:
    source = f"review of {n} samples by {_names(known.names())}"
    return Threshold(used.op, value, source=source, provenance=provenance, by=who.user(), at=who.now())


def _flags(samples: fo.Dataset | fo.DatasetView, failure: str, known: Known, threshold: Threshold) -> int:
    if threshold.value not in known.beyond:
        known.beyond[threshold.value] = _beyond(samples, failure, threshold)
    return known.beyond[threshold.value]


def set_by(threshold: Threshold, name: str) -> Threshold:
    """Returns an offered threshold as somebody takes it now."""
    return replace(threshold, by=name or who.user(), at=who.now())


def _beyond(samples: fo.Dataset | fo.DatasetView, failure: str, threshold: Threshold) -> int:
    """Returns how many of the flagged samples a stricter threshold would still flag."""
    from loupe.brain.store.thresholds_view import Side

    side = Side(failure, threshold.op, threshold.value, "failing").query()
    with database_errors():
        return int(samples.match({"$and": [side, store_review.of_state(failure, State.FAILED)]}).count())


def _names(by: Mapping[str, int]) -> str:
    names = [name or "somebody" for name in by]
    more = len(names) - _MAX_NAMES
    return ", ".join(names[:_MAX_NAMES]) + (f" and {more} more" if more > 0 else "")
