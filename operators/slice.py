"""``@loupe/loupe/slice``."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

from fiftyone.operators.message import GeneratedMessage

from loupe.brain.core.shown import counted
from loupe.brain.core.taxonomy import failure_title
from loupe.operators import forms, objects_widget, summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import Form
from loupe.operators.signature import Parameter
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice, Number, Several


def _offered(form: Form) -> dict[str, Any]:
    from loupe.brain.slicing.factors import Factor
    from loupe.brain.store import choices

    path = objects_widget.chosen(form)
    own = [] if path is None else [Factor.label(path), Factor.box_size(path), Factor.box_position(path)]
    return {**{factor.name: factor for factor in own}, **choices.factors(form.samples)}


def _factors(form: Form) -> dict[str, str]:
    return {name: name for name in _offered(form)}


@dataclass(frozen=True)
class By(Several):
    """Any number of factors, by their names: a field's own name is its path."""

    def parse(self, form: Form, parameter: Parameter, raw: Any) -> Any:
        from loupe.brain.slicing.factors import Factor

        names = self.names(form, parameter, raw)
        offered = _offered(form) if names else {}
        return [name if offered.get(name) in (None, Factor.field(name)) else offered[name] for name in names]


def _failures(form: Form) -> dict[str, tuple[str, str]]:
    from loupe.brain.slicing.families import members

    scored = list(objects_widget.scored_failures(form))
    several = {name: modes for name, modes in members(scored).items() if len(modes) > 1}
    facts = {name: ", ".join(map(failure_title, modes[:8])) for name, modes in several.items()}
    together = {name: (failure_title(name), fact if len(fact) < 80 else "") for name, fact in facts.items()}
    return {**together, **{name: (failure_title(name), "") for name in scored}}


def _groups(form: Form) -> dict[str, tuple[str, str]]:
    from loupe.brain.store import columns

    known = ("prompt", "generation.seed", "duplicate_group")
    usual = [path for path in known if forms.has_values(form.samples, path)]
    return {path: (path, "") for path in dict.fromkeys([*usual, *columns.factors(form.samples)])}


class FailureRates(VerbOperator):
    """Reports how often each failure occurs in each scenario, with its n and its interval."""

    verb = "slice"
    label = "failure rates by scenario"
    icon = "table_chart"
    button = "Show"
    widgets = {
        "by": By(
            _factors,
            chosen=lambda form: [path for path in _factors(form) if path.startswith("scenario.")][:1],
            description="One, or several for the combinations that occur; none for all samples together",
        ),
        "failure": Choice(
            _failures,
            none=("(all failures)", "Every failure mode that was judged, each by itself"),
            strict=False,
            description="Which failures to count",
        ),
        "objects": objects_widget.CHECKED,
        "confidence": Number(0.5, 0.999),
        "groups": Choice(
            _groups,
            none=("(none)", "Each sample counts by itself"),
            strict=False,
            description="Samples of one value, e.g. one prompt, tend to fail together: they count as fewer",
        ),
        "min_n": Number(1, 1000, description="A rate of fewer independent samples stands in parentheses"),
    }
    hidden = {"outcome": "it is made in Python, of a field and a rule; the form counts failure modes"}

    def shows(self, form: Form, name: str) -> bool:
        return objects_widget.shows(form, name)

    def remark(self, form: Form) -> None:
        from loupe.brain.store import columns

        if objects_widget.chosen(form) is None and not columns.any_checked(form.samples):
            forms.problem(
                form.inputs, "no_failures", "Nothing has been checked yet", "Run 'Loupe: check images' first."
            )

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        slices = len({str(rate.slice) for rate in result})
        message = f"{counted(len(result), 'rate')} over {counted(slices, 'slice')}"
        confidence = self.value(form, "confidence")
        text = summary.rates_table(result, by_slice=bool(given["by"]), confidence=confidence)
        text += "\n\nNext: open the panel **Failures by scenario** and click a cell to see its samples."
        return Summary(message, text, {"rates": [rate.to_dict() for rate in result]})

    def after(self, ctx: Any, done: Summary) -> Generator[GeneratedMessage, None, None]:
        yield from ()
