"""``@loupe/loupe/slice``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fiftyone.operators import types

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import ProgressCallback
from loupe.operators import forms, summary
from loupe.operators.base import LoupeOperator

_ALL = "(all failures)"


class FailureRates(LoupeOperator):
    """Shows failure rates by scenario."""

    verb = "slice"
    label = "failure rates by scenario"
    description = "How often each failure occurs in each scenario, with its n and its interval"
    icon = "table_chart"
    button = "Show"

    def form(self, ctx: Any, inputs: types.Object) -> None:
        from loupe.brain.store import columns

        samples = forms.target(ctx, inputs, "Slice")
        paths = columns.factors(samples)
        default = [path for path in paths if path.startswith("scenario.")][:1]
        forms.several(
            inputs,
            "by",
            {path: path for path in paths},
            label="By",
            description="One field, or several for the combinations that occur; none for all samples together",
            default=default,
            required=False,
        )
        there = forms.scored_failures(samples)
        choices = {_ALL: (_ALL, "Every failure mode that was judged")}
        choices |= {failure: (summary.failure_title(failure), "") for failure in there}
        forms.one(
            inputs,
            "failure",
            choices,
            label="Failure",
            description="Which failure to count",
            default=_ALL,
            required=False,
        )
        inputs.float("confidence", label="Confidence", description="Of the intervals", min=0.5, max=0.999, default=0.95)
        if not columns.any_checked(samples):
            forms.problem(inputs, "no_failures", "Nothing has been checked yet", "Run 'Loupe: check images' first.")

    def call(self, ctx: Any, progress: ProgressCallback) -> Mapping[str, Any]:
        from loupe.brain import api

        given = ctx.params.get("by") or []
        by = [given] if isinstance(given, str) else given
        if not isinstance(by, list) or not all(isinstance(path, str) for path in by):
            raise InputError(f"expected a list of field paths to slice by, got {given!r}")
        failure = ctx.params.get("failure") or _ALL
        confidence = ctx.params.get("confidence") or 0.95
        rates = api.slice(ctx.target_view(), by, failure=None if failure == _ALL else failure, confidence=confidence)
        slices = len({str(rate.slice) for rate in rates})
        said = f"{summary.counted(len(rates), 'rate')} over {summary.counted(slices, 'slice')}"
        text = summary.rates_table(rates, by_slice=bool(by), confidence=confidence)
        text += "\n\nNext: open the panel **Failures by scenario** and click a cell to see its samples."
        return {"said": said, "summary": text, "rates": [rate.to_dict() for rate in rates]}

    def after(self, ctx: Any, result: Mapping[str, Any]) -> Any:
        return iter(())
