"""``@loupe/loupe/compare_to_real``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loupe.brain.core.realism import Realism, Verdict
from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.operators import forms, summary
from loupe.operators.base import VerbOperator
from loupe.operators.find_shortcuts import Groups, known_groups
from loupe.operators.forms import Form
from loupe.operators.other_samples import OtherSamples
from loupe.operators.split import group_choices
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice, Number, Several, Text

#: that are named in the result
_MAX_CLASSES = 5


def classes(form: Form) -> dict[str, tuple[str, str]]:
    """Returns the fields of one class a sample."""
    from loupe.brain.store.labels import given as labels

    return {path: (path, "") for path in labels.fields_of(form.samples)}


def _factors(form: Form) -> dict[str, tuple[str, str]]:
    from loupe.brain.store import columns

    return {path: (path, "") for path in columns.factors(form.samples)}


def _vectors(form: Form) -> dict[str, str]:
    return {name: name for name in forms.vector_fields(form.samples)}


def _embeddings(form: Form) -> list[str]:
    names = forms.vector_fields(form.samples)
    return [name for name in names if name == "embeddings"] or list(names)[:1]


def verdicts(findings: Sequence[Verdict]) -> str:
    """Returns findings as a Markdown list."""
    rows = ((each.name, escape(each.sentence), escape(each.next)) for each in findings)
    return "\n".join(f"- **{name}**: {sentence}. {following}." for name, sentence, following in rows)


def _labels(made: Realism) -> str:
    """Returns the classes whose labels surely fit worse than real ones, a few."""
    below = [(name, each) for name, each in made.worst_aligned() if each.high < 1][:_MAX_CLASSES]
    rows = [f"**{escape(name)}** {each.ratio:.2f} [{each.low:.2f}, {each.high:.2f}]" for name, each in below]
    return f"Labels fit less well than real ones (1 is as well): {', '.join(rows)}." if rows else ""


class CompareToReal(VerbOperator):
    """Compares synthetic images with real ones: is the set like them, and in what is it not?"""

    verb = "compare_to_real"
    label = "compare to real images"
    icon = "balance"
    button = "Compare"
    widgets = {
        "real": OtherSamples(
            advice="Import real pictures into a dataset of their own, and run 'Loupe: embed images' there.",
            description="The real images",
        ),
        "embeddings": Several(
            _vectors,
            chosen=_embeddings,
            default=lambda _: ["embeddings"],
            description="The fields of vectors; findings are of the first",
            kind="field of vectors",
            some=True,
        ),
        "label": Choice(
            classes,
            none=("(none)", "Nothing is trained"),
            strict=False,
            description="The class that both sides have: training on it tells a collapse from a shift and wrong labels,"
            " and how well pictures show what their labels say",
        ),
        "by": Choice(
            _factors,
            none=("(nothing)", "The sets as a whole"),
            strict=False,
            description="Each value of this field is compared by itself, too; generators and prompt styles, which real "
            "images have none of, side by side",
        ),
        "released": Text(description="Of generators: a field that says when each came out, for example 2024-06"),
        "captions": Text(
            description="A field of the real images with a sentence on each: prompts for what is missing are made of it"
        ),
        "groups": Groups(
            group_choices,
            chosen=known_groups,
            description="Samples that share a value of one of these are kept together",
        ),
        "k": Number(1, 20),
        "seed": Number(0, 2**31 - 1),
    }
    settings = ("by", "released", "groups", "captions", "spectra", "k", "seed", "device")

    def remark(self, form: Form) -> None:
        if not forms.vector_fields(form.samples):
            advice = "Run 'Loupe: embed images' here and on the real images first."
            forms.problem(form.inputs, "no_vectors", "There are no vectors", advice)

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        made: Realism = result
        names = ", ".join(dict.fromkeys(each.name for each in made.findings))
        synthetic = counted(made.n_synthetic, "synthetic image")
        message = f"{synthetic} compared: {names or 'no finding'}"
        table = made.table()
        parts = [
            f"{synthetic} against {counted(made.n_real, 'real image')}.",
            verdicts(made.findings) or f"{made.without_findings()}.",
            summary.table(table.head, table.rows),
            _labels(made),
            "\n".join(f"- Look first: {escape(each)}." for each in made.warnings),
            "Next: color or filter by **realism** in the sidebar, or slice by it.",
        ]
        return Summary(message, "\n\n".join(filter(None, parts)), {"realism": made.to_dict()})
