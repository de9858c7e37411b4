"""``@loupe/loupe/more_like``."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fiftyone.operators import types
from fiftyone.operators.message import GeneratedMessage

from loupe.brain.core.errors import InputError
from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.operators import forms, summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import Form
from loupe.operators.signature import REQUIRED, Parameter
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice, Text, text_of


@dataclass(frozen=True)
class _Query(Text):
    """The selected samples, or one's id, or a sentence."""

    def draw(self, form: Form, parameter: Parameter) -> types.Property:
        chosen = ", ".join(selected(form.ctx))
        made = form.inputs.str(parameter.key, **self.facts(replace(parameter, default=chosen or REQUIRED)))
        return made

    def parse(self, form: Form, parameter: Parameter, raw: Any) -> str | list[str]:
        from loupe.brain.store.selections import is_id

        text = text_of(parameter, raw)
        if not text:
            raise InputError(f"{parameter.label}: expected a sample's id, or a sentence, got nothing")
        parts = [part.strip() for part in text.split(",")]
        return parts if len(parts) > 1 and all(map(is_id, parts)) else text


def selected(ctx: Any) -> list[str]:
    """Returns the ids of the samples that are selected in the App, or of the one that is open."""
    return list(ctx.selected or ([ctx.current_sample] if ctx.current_sample else []))


def _failures(form: Form) -> dict[str, tuple[str, str]]:
    from loupe.brain.core.taxonomy import ANY, failure_title

    return {
        ANY: ("any failure", ""),
        **{name: (failure_title(name), "") for name in forms.scored_failures(form.samples)},
    }


def _labels(form: Form) -> dict[str, tuple[str, str]]:
    from loupe.brain.store.labels import given as labels

    return {path: (f"those without {path}", "") for path in labels.fields_of(form.samples)}


class MoreLikeThis(VerbOperator):
    """Shows the samples that are the most alike to the selected ones, or to a sentence."""

    verb = "more_like"
    label = "more like this"
    icon = "image_search"
    button = "Show"
    widgets = {
        "query": _Query(description="The selected samples, or one's id; or a sentence, of vectors that know texts"),
        "embeddings": Choice(
            lambda form: {name: (name, "") for name in forms.vector_fields(form.samples)},
            absent=("There are no vectors yet", "Run 'Loupe: embed images' first."),
            strict=False,
            description="The vectors that tell what is alike",
        ),
        "failing": Choice(
            _failures, none=("(all samples)", "Failing or not"), description="Only among those that fail"
        ),
        "unlabeled": Choice(
            _labels, none=("(all samples)", "Labeled or not"), description="Only among samples without a label"
        ),
    }
    hidden = {"device": forms.DEVICE}
    settings = ("failing", "unlabeled", "split")

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        message = f"{counted(len(result.ids), 'sample')} most like {escape(result.query)}"
        text = f"{message}, which the grid shows, the most alike first.\n\n"
        if not result.ids:
            text = "Nothing else is here to be like it.\n\n"
        rows = [[sample_id, f"{each:.3f}"] for sample_id, each in zip(result.ids, result.distances, strict=True)]
        text += summary.table(["Sample", "Distance"], rows) if rows else ""
        if result.unknown:
            text += f"\n\n{counted(result.unknown, 'sample')} without a usable vector were left out."
        return Summary(message, text, {"ids": list(result.ids), "distances": list(result.distances)})

    def after(self, ctx: Any, done: Summary) -> Generator[GeneratedMessage, None, None]:
        ids = done.facts["ids"]
        if ids:
            yield ctx.ops.clear_selected_samples()
            yield ctx.ops.set_view(ctx.dataset.select(ids, ordered=True))
