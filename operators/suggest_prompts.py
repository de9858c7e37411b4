"""``@loupe/loupe/suggest_prompts``."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from fiftyone.operators.message import GeneratedMessage

from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.operators import forms, summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import Form
from loupe.operators.generate import SUGGESTED
from loupe.operators.summary import Summary
from loupe.operators.widgets import Number, Text

_MAX_ROWS = 1000
#: the button that leads on
GENERATE = ("Generate these images", "@loupe/loupe/generate", {"prompts__source": SUGGESTED})


class SuggestPrompts(VerbOperator):
    """Suggests prompts for what was found last: thin cells, holes, and slices that fail."""

    verb = "suggest_prompts"
    label = "suggest prompts"
    icon = "tips_and_updates"
    button = "Suggest"
    widgets = {
        "template": Text(
            description="Instead of the dataset's own prompts, for example: a photo of a {class} in {context}"
        ),
        "target": Number(
            1, 1_000_000, description="How many samples each cell should have; empty: as many as it lacks by itself"
        ),
        "each": Number(
            1,
            10_000,
            description="How many pictures for each hole, and for each slice that fails; empty: as many as a hole "
            "lacks, and 10 for a slice",
        ),
        "path": Text(description="A new .csv or .jsonl file for them, which 'Loupe: generate images' reads"),
    }
    hidden = {"samples": "the dataset that is open has the own prompts"}

    def remark(self, form: Form) -> None:
        from loupe.brain.store import coverage, findings
        from loupe.brain.store.realism import sides as realism

        compared = realism.kept(form.samples, "realism")
        if coverage.load(form.samples) is None and findings.load(form.samples) is None and compared is None:
            text = (
                "Nothing has looked yet: run 'Loupe: coverage and balance', 'Loupe: compare to real images' or "
                "'Loupe: find the worst slices' first."
            )
            forms.note(form.inputs, "report", text, severity="warning")

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        message = f"{counted(len(result), 'picture')} of {counted(len(result.suggestions), 'prompt')}"
        rows = [
            (each.n, each.prompt, ", ".join(f"{name}={value}" for name, value in each.factors.items()), each.why)
            for each in result.suggestions
        ]
        text = f"{message}."
        text += "\n\n" + summary.table(["Pictures", "Prompt", "Scenario", "For"], rows) if rows else ""
        text += "".join(f"\n\n{escape(note)}." for note in result.notes[:20])
        if "path" in given:
            text += f"\n\nWritten to {escape(given['path'])}. Next: **Loupe: generate images** with that file."
        elif rows:
            text += "\n\nNext: **Loupe: generate images**, which knows them as what was suggested last."
        facts = {"prompts": [dict(row) for row, _ in zip(result, range(_MAX_ROWS), strict=False)], "n": len(result)}
        return Summary(message, text, facts, following=GENERATE if rows else None)

    def after(self, ctx: Any, done: Summary) -> Generator[GeneratedMessage, None, None]:
        yield from ()
