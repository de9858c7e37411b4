"""``@loupe/loupe/repair``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.brain.core.taxonomy import failure_title
from loupe.operators import forms, summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import DEVICE, Form
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice, Number, Several, Text

_ANY = "(the first of each)"
_METHODS = {
    "inpaint": ("The region only", "Where the check saw the failure; the rest stays to the last bit"),
    "image_to_image": ("The whole picture, from itself", ""),
    "redraw": ("Anew, from the prompt", "By other seeds; nothing of the original stays"),
    "mixed": ("By turns", "What fits, and anew from the prompt: the best of both is kept"),
}

_CONTROLS = {
    "pose": ("The pose", "Of the people in the original, by landmarks"),
    "edges": ("The edges", "Of the original: shapes stay"),
}


def _failures(form: Form) -> dict[str, tuple[str, str]]:
    """Returns the failure modes that these samples have and that one picture alone tells, with how many have each."""
    from loupe.brain.core import registry
    from loupe.brain.store import thresholds_view

    checks, known = registry.checks(), registry.failures()
    flagged = thresholds_view.flagged(form.samples)
    return {
        name: (failure_title(name), counted(count, "sample"))
        for name, count in flagged.items()
        if name in known and known[name][0] in checks
    }


def _regions(form: Form) -> dict[str, tuple[str, str]]:
    from loupe.brain.store.repair import waiting as repair_waiting

    return {name: (name, "") for name in repair_waiting.region_fields(form.samples)}


def _checks(form: Form) -> dict[str, str]:
    from loupe.brain.core import registry
    from loupe.brain.store.repair import waiting as repair_waiting

    known = registry.checks()
    return {name: known[name].title() for name in sorted(known) if repair_waiting.is_checked(form.samples, name)}


class RepairImages(VerbOperator):
    """Draws again what failed, and keeps the best attempt only where it is better and nothing else is worse."""

    verb = "repair"
    label = "repair images"
    icon = "healing"
    button = "Repair"
    widgets = {
        "failure": Choice(
            _failures,
            none=(_ANY, "Of each sample the first of its failures that a check here can judge again"),
            absent=("Nothing here fails yet", "Run 'Loupe: check images' first."),
        ),
        "model": Text(
            description="Empty: the model that drew the picture. tiny-signs comes with Loupe; else a Hugging Face hub "
            "id, or a folder in diffusers' format"
        ),
        "method": Choice(
            lambda _: _METHODS,
            none=("(what fits)", "The region where the failure has a place and the model can, else the whole picture"),
            description="What is drawn",
        ),
        "attempts": Number(1, 64, description="Drawings of each sample; the best one is kept, if it is better"),
        "control": Choice(
            lambda _: _CONTROLS,
            none=("(what fits)", "The pose where hands, faces or bodies are malformed"),
            description="What a model with a ControlNet keeps to; others take none",
        ),
        "region": Choice(
            _regions,
            none=("(where the check saw it)", ""),
            description="A field of boxes or masks that says where to draw",
        ),
        "prompt": Text(description="For samples that have no prompt of their own"),
        "sample": Number(1, 10_000_000, description="Only that many of the samples, the first ones"),
        "checks": Several(
            _checks,
            chosen=lambda form: list(_checks(form)),
            default=lambda form: list(_checks(form)),
            kind="check",
            some=True,
            description="Which judge again, so that nothing gets worse; all that judged these samples",
        ),
        "seed": Number(description="The same seed draws the same attempts"),
    }
    hidden = {"device": DEVICE, "unknown": "a failure that nobody can tell is no failure to choose here"}
    settings = ("strength", "control", "region", "prompt", "sample", "checks", "output_dir", "seed")

    def remark(self, form: Form) -> None:
        text = "The originals stay as they are: a repaired picture becomes a sample beside its original."
        forms.note(form.inputs, "originals", text)

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        rows = [
            (failure_title(each.failure), each.method.replace("_", " ") or "–", each.rate, each.harm, each.unknown)
            for each in result.rates
        ]
        head = ["Failure", "Method", "Better", "First attempt worse", "Unknown"]
        message = f"{result.better:,} of {result.attempted:,} attempted samples have a better picture now"
        text = f"{message}.\n\n{summary.table(head, rows)}" if rows else f"{message}: nothing here has that failure."
        if result.messages:
            text += "\n\n" + "; ".join(escape(each) for each in result.messages) + "."
        text += "\n\nNext: the panel **Repairs** shows each beside its original, to accept it or to take it back."
        return Summary(message, text, {"repair": result.to_dict()})
