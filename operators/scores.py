"""``@loupe/loupe/scores``: the worst first."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

import numpy as np
from fiftyone.operators.message import GeneratedMessage

from loupe.brain.core import registry
from loupe.brain.core.taxonomy import failure_title
from loupe.operators import forms
from loupe.operators.base import VerbOperator
from loupe.operators.forms import Form
from loupe.operators.signature import Parameter
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice


def _scored(form: Form) -> dict[str, tuple[str, str]]:
    return {
        failure: (failure_title(failure), f"{output.description} ({output.unit})")
        for failure, (_, output) in forms.scored_failures(form.samples).items()
    }


class SortByFailureScore(VerbOperator):
    """Shows the samples sorted by the score behind a failure, the worst first."""

    verb = "scores"
    label = "sort by failure score"
    icon = "sort"
    button = "Sort"
    background = False
    widgets = {
        "failure": Choice(
            _scored,
            absent=("There are no scores yet", "Run 'Loupe: check images' first."),
            strict=False,
            description="The failure mode whose score to sort by",
        )
    }
    own = (Parameter("only_failing", "bool", False, "Leave out the samples that passed"),)

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        failure, only_failing = given["failure"], self.value(form, "only_failing")
        judged = int(np.isfinite(result).sum())
        message = f"{judged} samples by {failure_title(failure).lower()}, the worst first"
        left_out = len(result) - judged
        more = f" {left_out} without a score (unknown or not checked) are left out." if left_out else ""
        facts = {"failure": failure, "only_failing": only_failing, "judged": judged, "left_out": left_out}
        return Summary(message, f"{message}.{more}", facts)

    def after(self, ctx: Any, done: Summary) -> Generator[GeneratedMessage, None, None]:
        view = sorted_view(ctx.target_view(), done.facts["failure"], only_failing=done.facts["only_failing"])
        yield ctx.ops.set_view(view)


def sorted_view(samples: Any, failure: str, *, only_failing: bool = False) -> Any:
    """Returns the samples that have a score for the failure, the worst first."""
    from fiftyone import ViewField as F

    output = registry.failures()[failure][1]
    path = f"quality.{output.name}"
    if only_failing:
        samples = samples.match(F("failures.classifications").filter(F("label") == failure).length() > 0)
    # a sample without a score would stand first or last by the way of sorting: it is neither good nor bad
    return samples.exists(path).sort_by(path, reverse=not output.higher_is_better)
