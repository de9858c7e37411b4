"""``@loupe/loupe/calibrate``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fiftyone.operators import types

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import ProgressCallback
from loupe.brain.stats.calibration import Calibration, OperatingPoint, Share
from loupe.operators import forms, summary
from loupe.operators.base import LoupeOperator

_DEFAULT_PERCENT, _MIN_PERCENT, _MAX_PERCENT = 1.0, 0.1, 20.0


class CalibrateThresholds(LoupeOperator):
    """Measures the checks on the user's own pictures."""

    verb = "calibrate"
    label = "calibrate thresholds"
    description = "Puts flaws into copies of your pictures, measures how well they are found, and proposes thresholds"
    icon = "straighten"
    button = "Calibrate"

    def form(self, ctx: Any, inputs: types.Object) -> None:
        from loupe.brain.stats.calibration import min_known
        from loupe.brain.verbs import calibrate

        samples = forms.target(ctx, inputs, "Calibrate on")
        known = list(calibrate.calibratable())
        forms.several(
            inputs,
            "failures",
            {name: summary.failure_title(name) for name in known},
            label="Failures",
            description="What to put into copies of the pictures. The pictures themselves are left as they are",
            default=known,
        )
        if not forms.chosen(ctx.params, "failures", known):
            forms.problem(inputs, "no_failures", "No failure is chosen", "Choose at least one.")
        percent = _percent(ctx.params)
        inputs.float(
            "percent",
            label=f"Wanted false positives: {percent:g} %",
            description="How many of the pictures, as they are, a threshold may flag; flawed ones count like others",
            default=_DEFAULT_PERCENT,
            min=_MIN_PERCENT,
            max=_MAX_PERCENT,
            view=forms.slider(_MIN_PERCENT, _MAX_PERCENT, 0.1),
        )
        inputs.int(
            "limit",
            label="At most how many pictures",
            description="Picked evenly; half of them choose, the others measure. Each takes seconds on a CPU",
            default=calibrate.LIMIT,
            min=calibrate.MIN_LIMIT,
        )
        limit, needed = _limit(ctx.params), 2 * min_known(percent / 100) - 1
        there = min(limit, len(samples))
        if there < needed:
            description = (
                f"A threshold for {percent:g} % needs at least {needed:,} pictures, here are {there:,}: the current "
                "thresholds will be measured, and none will be proposed."
            )
            forms.note(inputs, "too_few", description, severity="warning")
        inputs.bool(
            "apply",
            label="Use the proposed thresholds",
            description="Keeps them on the dataset and flags the samples with them",
            default=False,
            view=types.SwitchView(),
        )

    def call(self, ctx: Any, progress: ProgressCallback) -> Mapping[str, Any]:
        from loupe.brain import api

        given = ctx.params.get("failures")
        apply = bool(ctx.params.get("apply", False))
        done = api.calibrate(
            ctx.target_view(),
            None if given is None else forms.chosen(ctx.params, "failures", ()),
            false_positive_rate=_percent(ctx.params) / 100,
            limit=_limit(ctx.params),
            apply=apply,
            progress=progress,
        )
        proposed = summary.counted(len(done.thresholds), "threshold")
        said = f"Measured {summary.counted(len(done.rows), 'failure')} on {summary.counted(done.n, 'picture')}, "
        said += f"{proposed} {'now in use' if apply else 'proposed'}"
        if done.unreadable:
            said += f", {summary.counted(done.unreadable, 'file')} could not be read"
        return {"said": said, "summary": _summary(done, said, apply), "calibration": done.to_dict()}


def _percent(params: Mapping[str, Any]) -> float:
    given = params.get("percent")
    if given is None:
        return _DEFAULT_PERCENT
    if not forms.is_number(given) or not _MIN_PERCENT <= given <= _MAX_PERCENT:
        raise InputError(
            f"Wanted false positives: expected a number from {_MIN_PERCENT:g} to {_MAX_PERCENT:g}, got {given!r}"
        )
    return float(given)


def _limit(params: Mapping[str, Any]) -> int:
    from loupe.brain.verbs import calibrate

    given = params.get("limit")
    if given is None:
        return calibrate.LIMIT
    if not forms.is_number(given) or given != int(given):
        raise InputError(f"At most how many pictures: expected a whole number, got {given!r}")
    return int(given)


def _summary(done: Calibration, said: str, applied: bool) -> str:
    head = ["Failure", "Threshold", "", "False positives", "95 % interval", "Found, the mildest first", "Unknown"]
    lines, without = [], []
    for row in done.rows:
        title = summary.failure_title(row.failure)
        lines.append([title, *_cells(row.current, "current", row.severities)])
        if row.proposed:
            lines.append([title, *_cells(row.proposed, "proposed", row.severities)])
        else:
            without.append([title, row.reason])
    tables = [lines[start : start + 40] for start in range(0, len(lines), 40)]
    parts = [f"{said}.", *(summary.table(head, part) for part in tables)]
    units = [[summary.failure_title(row.failure), row.unit] for row in done.rows]
    parts += ["**What the severities are**", summary.table(["Failure", "Severity in"], units)]
    if without:
        parts += ["**No threshold is proposed for**", summary.table(["Failure", "Why"], without)]
    if done.thresholds and not applied:
        parts.append(
            "Next: run it again with **Use the proposed thresholds**, or move them with **Loupe: set thresholds**."
        )
    if done.messages:
        parts += ["**What could not be done**", summary.table(["Sample", "Why"], done.messages.items())]
    return "\n\n".join(parts)


def _cells(point: OperatingPoint, which: str, severities: tuple[float, ...]) -> list[str]:
    clean = point.false_positive_rate
    found = ", ".join(
        f"{severity:g}: {_rate(share, '.0f')}" for severity, share in zip(severities, point.recall, strict=True)
    )
    interval = f"{summary.percent(clean.low)} to {summary.percent(clean.high)}" if clean.n else ""
    line = f"{point.threshold.op} {point.threshold.value:.4g}"
    return [line, which, _rate(clean, ".1f"), interval, found, f"{clean.unknown} of {clean.n + clean.unknown}"]


def _rate(share: Share, digits: str) -> str:
    return f"{share.rate * 100:{digits}} %" if share.n else "not known"
