"""``@loupe/loupe/calibrate``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loupe.brain.core.errors import InputError
from loupe.brain.core.shares import tenths
from loupe.brain.core.shown import counted
from loupe.brain.core.taxonomy import failure_title
from loupe.brain.stats.calibration import Calibration, OperatingPoint, Share
from loupe.operators import forms, summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import DEVICE, Form
from loupe.operators.summary import Summary
from loupe.operators.widgets import Number, Several


def _known(_: Form) -> dict[str, str]:
    from loupe.brain.verbs import calibrate

    return {name: failure_title(name) for name in calibrate.calibratable()}


class CalibrateThresholds(VerbOperator):
    """Puts flaws into copies of your pictures, measures how well they are found, and proposes thresholds."""

    verb = "calibrate"
    label = "calibrate thresholds"
    icon = "straighten"
    button = "Calibrate"
    widgets = {
        "failures": Several(
            _known,
            chosen=lambda form: list(_known(form)),
            default=lambda form: list(_known(form)),
            kind="failure mode with a check and a defect",
            some=True,
            description="What to put into copies of the pictures. The pictures themselves are left as they are",
        ),
        "false_positive_rate": Number(
            0.001,
            0.2,
            description="The share of the pictures, as they are, that a threshold may flag; flawed ones count like "
            "others",
        ),
        "limit": Number(
            description="The most pictures, at least 10, picked evenly; half of them choose, the others measure. Each "
            "takes seconds on a CPU"
        ),
        "seed": Number(0),
    }
    hidden = {"device": DEVICE}
    settings = ("engine", "seed")

    def remark(self, form: Form) -> None:
        from loupe.brain.stats.risk import min_known

        try:
            rate, limit = self.value(form, "false_positive_rate"), self.value(form, "limit")
        except InputError:
            return  # it is said where it is asked for
        needed, available = 2 * min_known(rate) - 1, min(limit, len(form.samples))
        if available < needed:
            text = (
                f"A threshold for {rate * 100:g} % needs at least {needed:,} pictures, here are {available:,}: the "
                "current thresholds will be measured, and none will be proposed."
            )
            forms.note(form.inputs, "too_few", text, severity="warning")

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        applied = "apply" in given
        proposed = counted(len(result.thresholds), "threshold")
        message = f"Measured {counted(len(result.rows), 'failure')} on {counted(result.n, 'picture')}, "
        message += f"{proposed} {'now in use' if applied else 'proposed'}"
        if result.unreadable:
            message += f", {counted(result.unreadable, 'file')} could not be read"
        if result.worse:
            message += f", {len(result.worse)} of them worse than today's"
        return Summary(message, _text(result, message, applied=applied), {"calibration": result.to_dict()})


def _text(done: Calibration, message: str, *, applied: bool) -> str:
    head = ["Failure", "Threshold", "", "False positives", "95 % interval", "Found, the mildest first", "Unknown"]
    lines, without = [], []
    for row in done.rows:
        title = failure_title(row.failure)
        lines.append([title, *_cells(row.current, "current", row.severities)])
        if row.proposed:
            lines.append([title, *_cells(row.proposed, "proposed", row.severities)])
        else:
            without.append([title, row.reason])
    tables = [lines[start : start + 40] for start in range(0, len(lines), 40)]
    parts = [f"{message}."]
    if done.worse:
        names = ", ".join(map(failure_title, done.worse))
        advice = "set them back with **Loupe: set thresholds**" if applied else "keep today's for these"
        parts.append(f"⚠ **Worse than today's threshold: {names}.** Run it without them, or {advice}.")
    parts += [*(summary.table(head, part) for part in tables)]
    units = [[failure_title(row.failure), row.unit] for row in done.rows]
    parts += ["**What the severities are**", summary.table(["Failure", "Severity in"], units)]
    against = [[failure_title(row.failure), row.comparison] for row in done.rows if row.comparison]
    if against:
        parts += ["**Against today's thresholds**", summary.table(["Failure", "The proposed threshold"], against)]
    if without:
        parts += ["**No threshold is proposed for**", summary.table(["Failure", "Why"], without)]
    if done.thresholds and not applied:
        parts.append(
            "Next: run it again with **Apply** to use the proposed thresholds, or move them with **Loupe: set "
            "thresholds**."
        )
    if done.messages:
        parts += ["**What could not be done**", summary.table(["Sample", "Why"], done.messages.items())]
    return "\n\n".join(parts)


def _cells(point: OperatingPoint, which: str, severities: tuple[float, ...]) -> list[str]:
    clean = point.false_positive_rate
    recall = ", ".join(
        f"{severity:g}: {_rate(share, '.0f')}" for severity, share in zip(severities, point.recall, strict=True)
    )
    interval = f"{tenths(clean.low)} to {tenths(clean.high)}" if clean.n else ""
    threshold = f"{point.threshold.op} {point.threshold.value:.4g}"
    return [threshold, which, _rate(clean, ".1f"), interval, recall, f"{clean.unknown} of {clean.n + clean.unknown}"]


def _rate(share: Share, digits: str) -> str:
    return f"{share.rate * 100:{digits}} %" if share.n else "not known"
