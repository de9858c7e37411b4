"""``@loupe/loupe/rebalance``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from loupe.brain.core.errors import InputError, LoupeError
from loupe.brain.core.holes import Hole
from loupe.brain.core.presets import PRESETS
from loupe.brain.core.rebalanced import Rebalanced
from loupe.brain.core.shown import markdown as escape
from loupe.brain.labels.cells import Cell
from loupe.operators import forms, summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import DEVICE, Form
from loupe.operators.other_samples import OtherSamples
from loupe.operators.signature import Parameter
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice, Input, Number, Text, text_of
from loupe.operators.wording import in_app

#: cells that are offered one by one
_LISTED = 200
_ALL, _NONE = "(all that was found)", "(none)"
#: all of one kind; panels open the form with these
CELLS, HOLES, SLICES = "(every rare cell)", "(every hole)", "(every failing slice)"


def _lacking(form: Form) -> dict[str, Any]:
    """Returns by name what was found last that is lacking: cells, holes and slices, first all of a kind."""
    from loupe.brain.verbs.steps.lacking import name_of, parts_of

    try:
        parts, _, _ = parts_of(form.ctx.dataset)
    except LoupeError:
        return {}
    made: dict[str, Any] = {}
    for part, coverage in parts:
        if coverage is not None and isinstance(part, Cell):
            made.setdefault(CELLS, replace(coverage, holes=None))
        else:
            made.setdefault(HOLES if isinstance(part, Hole) else SLICES, []).append(part)
    for part, coverage in parts[:_LISTED]:
        # a cell goes with its coverage, which says how many it should have
        if coverage is not None and isinstance(part, Cell):
            made[name_of(part)] = replace(coverage, cells=(part,), holes=None)
        else:
            made[name_of(part)] = [part]
    return made


class _Source(Choice):
    """All that was found, or one of it."""

    def read(self, form: Form, parameter: Parameter) -> Any:
        name = super().read(form, parameter)
        if name is None:
            return None
        known = _lacking(form)
        if name not in known:
            raise InputError(f"{parameter.label}: expected something that was found here, got {name!r}: look again")
        return known[name]


@dataclass(frozen=True)
class _Allowed(Input):
    """Whether silence counts, or whose does."""

    def draw(self, form: Form, parameter: Parameter) -> Any:
        return form.inputs.str(parameter.key, allow_empty=True, **self.facts(parameter, default=None))

    def parse(self, form: Form, parameter: Parameter, raw: Any) -> Any:
        names = [name.strip() for name in text_of(parameter, raw).split(",") if name.strip()]
        return True if names == ["all"] else names or False


def _classes(form: Form) -> dict[str, tuple[str, str]]:
    from loupe.brain.store.labels import given as labels

    return {path: (path, "") for path in labels.fields_of(form.ctx.dataset)}


def _texts(form: Form) -> dict[str, tuple[str, str]]:
    import fiftyone as fo

    schema = form.ctx.dataset.get_field_schema()
    texts = [name for name, kind in schema.items() if isinstance(kind, fo.StringField)]
    return {name: (name, "") for name in texts if name not in ("filepath", "prompt")}


class RebalanceImages(VerbOperator):
    """Draws what the set lacks until enough of it passes the checks, and stops there."""

    verb = "rebalance"
    label = "rebalance"
    icon = "balance"
    button = "Draw"
    widgets = {
        "source": _Source(
            lambda form: {name: (name, "") for name in _lacking(form)},
            none=(_ALL, "Every rare cell, hole and failing slice"),
            strict=False,
            description="What is lacking: rare cells, holes and slices that fail, as they were found last",
        ),
        "target": Number(
            1, 1_000_000, description="Samples that count which each cell and slice is to have; empty: what it lacks"
        ),
        "each": Number(1, 10_000, description="Samples that count for each hole, and each slice without a target"),
        "model": Text(
            description="tiny-signs comes with Loupe; else a Hugging Face hub id, a folder in diffusers' format, or a "
            "generator's name"
        ),
        "checks": Choice(
            lambda _: {name: (name, words) for name, words in PRESETS.items()},
            none=(_NONE, "Nothing but the class"),
            description="What a picture has to pass before it counts",
        ),
        "allow_unknown": _Allowed(
            description="Checks or failure modes of which silence does not matter, with commas between, or: all. "
            "Empty: a picture of which a check cannot tell does not count"
        ),
        "label": Choice(
            _classes,
            none=(_NONE, "The checks alone decide"),
            strict=False,
            description="A class that the picture has to show, as a classifier of the reference tells",
        ),
        "reference": OtherSamples(
            none="(this dataset)",
            description="Real images with that class and vectors; else this dataset's own that do not fail",
        ),
        "captions": Choice(
            _texts,
            none=("(the prompts)", ""),
            strict=False,
            description="Sentences on the pictures, to be asked for in place of their prompts",
        ),
        "template": Text(description="Instead of own prompts, for example: a photo of a {class} in {context}"),
        "language_model": Text(
            description="A folder or hub id of a language model that says each prompt in other words; what asks for "
            "something else is refused"
        ),
        "max_draws": Number(1, 1_000_000, description="For each at most; empty: 20 for each that is needed"),
        "budget": Number(0, 1_000_000, description="Dollars, of a hosted model"),
        "seed": Number(0, 2**53 - 1, description="The same seed draws the same pictures"),
    }
    hidden = {"device": DEVICE, "dry_run": "the form itself says what will be drawn"}
    settings = (
        *("allow_unknown", "reference", "embeddings", "template", "captions", "language_model", "max_draws", "budget"),
        *("seed", "output_dir"),
    )

    def remark(self, form: Form) -> None:
        if not _lacking(form):
            text = (
                "Nothing has looked yet, or nothing is lacking: run 'Loupe: coverage and balance', 'Loupe: compare to "
                "real images' or 'Loupe: find the worst slices' first."
            )
            forms.note(form.inputs, "report", text, severity="warning")
            return
        if any(each.invalid for each in form.inputs.properties.values()):
            return
        try:
            plan = self.function()(form.ctx.dataset, **self.arguments(form), dry_run=True)
        except LoupeError as error:
            forms.note(form.inputs, "count", in_app(str(error)), severity="warning")
            return
        forms.note(form.inputs, "count", plan.sentence())
        table = plan.table()
        text = summary.table(table.head, table.rows[:20]) if table.rows else ""
        form.inputs.md("\n\n".join([text, *map(escape, plan.notes)]), name="plan")

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        made: Rebalanced = result
        message = made.sentence()
        table = made.table()
        ends = [cell.sentence for cell in made.cells if cell.end != "reached"]
        parts = [
            f"{escape(message)}.",
            summary.table(table.head, table.rows) if table.rows else "",
            *(f"{escape(sentence)}." for sentence in [*ends[:20], *made.notes[:20]]),
            f"Next: the saved view **{escape(made.view)}** leaves out what does not count; color by "
            "**rebalance.status** in the sidebar to see what does."
            if made.view
            else "",
        ]
        return Summary(message, "\n\n".join(filter(None, parts)), {"rebalance": made.to_dict()})
