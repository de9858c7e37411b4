"""``@loupe/loupe/scores``: the worst first."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from fiftyone.operators import types
from fiftyone.operators.message import GeneratedMessage

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError
from loupe.brain.core.records import ProgressCallback
from loupe.operators import forms, summary
from loupe.operators.base import LoupeOperator


class SortByFailureScore(LoupeOperator):
    """Shows the samples sorted by the score behind a failure."""

    verb = "scores"
    label = "sort by failure score"
    description = "Shows the samples with the worst score first"
    icon = "sort"
    button = "Sort"
    background = False

    def form(self, ctx: Any, inputs: types.Object) -> None:
        samples = forms.target(ctx, inputs, "Sort")
        there = forms.scored_failures(samples)
        if not there:
            forms.problem(inputs, "no_scores", "There are no scores yet", "Run 'Loupe: check images' first.")
            return
        forms.one(
            inputs,
            "failure",
            {
                failure: (summary.failure_title(failure), f"{output.description} ({output.unit})")
                for failure, (_, output) in there.items()
            },
            label="Failure",
            description="Whose score to sort by",
            default=next(iter(there)),
        )
        inputs.bool(
            "only_failing",
            label="Only what failed",
            description="Leave out the samples that passed",
            default=False,
            view=types.CheckboxView(),
        )

    def call(self, ctx: Any, progress: ProgressCallback) -> Mapping[str, Any]:
        from loupe.brain import api

        failure = ctx.params.get("failure")
        if not isinstance(failure, str):
            raise InputError(f"expected the name of a failure mode, got {failure!r}")
        scores = api.scores(ctx.target_view(), failure)
        judged = int((scores == scores).sum())
        said = f"{judged} samples by {summary.failure_title(failure).lower()}, the worst first"
        left_out = len(scores) - judged
        more = f" {left_out} without a score (unknown or not checked) are left out." if left_out else ""
        return {"said": said, "summary": f"{said}.{more}", "judged": judged, "left_out": left_out}

    def after(self, ctx: Any, result: Mapping[str, Any]) -> Generator[GeneratedMessage, None, None]:
        yield ctx.ops.set_view(
            sorted_view(ctx.target_view(), ctx.params["failure"], ctx.params.get("only_failing", False))
        )


def sorted_view(samples: Any, failure: str, only_failing: bool = False) -> Any:
    """Returns the samples that have a score for the failure, the worst first."""
    from fiftyone import ViewField as F

    output = registry.failures()[failure][1]
    path = f"quality.{output.name}"
    if only_failing:
        samples = samples.match(F("failures.classifications").filter(F("label") == failure).length() > 0)
    # a sample without a score would stand first or last by the way of sorting: it is neither good nor bad
    return samples.exists(path).sort_by(path, reverse=not output.higher_is_better)
