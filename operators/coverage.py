"""``@loupe/loupe/coverage``."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

from fiftyone.operators.message import GeneratedMessage

from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.operators import summary
from loupe.operators.base import VerbOperator
from loupe.operators.find_memorized import Dataset
from loupe.operators.forms import Form
from loupe.operators.signature import Parameter
from loupe.operators.slice import By
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice, Number, Text

_MAX_CHOSEN, _MAX_CELLS = 4, 1000


@dataclass(frozen=True)
class _Reference(Dataset):
    """Another dataset, or none."""

    def parse(self, form: Form, parameter: Parameter, raw: Any) -> Any:
        return None if self.none and raw == self.none[0] else super().parse(form, parameter, raw)


def _others(form: Form) -> dict[str, tuple[str, str]]:
    import fiftyone as fo

    return {name: (name, "") for name in fo.list_datasets() if name != form.ctx.dataset.name}


def _factors(form: Form) -> dict[str, str]:
    from loupe.brain.store import choices

    return {name: name for name in choices.factors(form.samples)}


def _chosen(form: Form) -> list[str]:
    """Returns the scenario; without one the first factors that are no labels."""
    from loupe.brain.store import choices

    offered = choices.factors(form.samples)
    scenario = [name for name in offered if name.startswith("scenario.")]
    others = [name for name, factor in offered.items() if factor.source == "field" and factor.bins is None]
    return (scenario or others)[:_MAX_CHOSEN]


def _labels(form: Form) -> dict[str, tuple[str, str]]:
    from loupe.brain.store import choices

    offered = choices.factors(form.samples)
    labels = [name for name, factor in offered.items() if factor.source == "label"]
    texts = [name for name, factor in offered.items() if factor.source == "field" and factor.bins is None]
    return {name: (name, "") for name in [*labels, *texts]}


class FindCoverage(VerbOperator):
    """Finds what the set lacks: rare classes, rare combinations, and regions of a reference without pictures."""

    verb = "coverage"
    label = "coverage and balance"
    icon = "grid_on"
    button = "Look"
    widgets = {
        "by": By(
            _factors,
            chosen=_chosen,
            description="The contexts that each class should occur in: time, place, source",
        ),
        "label": Choice(
            _labels,
            none=("(none)", "The contexts are held against each other"),
            strict=False,
            description="The classes",
        ),
        "reference": _Reference(
            _others,
            none=("(none)", "No holes are looked for"),
            description="Real pictures: regions of them where these samples have none are holes. Both need vectors",
        ),
        "captions": Text(description="A field of the reference with a sentence on each picture"),
        "min_samples": Number(1, 1_000_000, description="A class in a context with fewer samples is thin"),
        "far": Number(1, 100),
        "fdr": Number(0.001, 0.5),
        "weights": Text(description="A field to write the weight of each sample to, so that all classes count alike"),
    }
    settings = ("embeddings", "captions", "groups", "far", "fdr", "weights", "seed")

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        below, above = len(result.below), len(result.above)
        message = f"{counted(below, 'cell')} far too small, {above:,} far too large, {result.thin:,} thin"
        if result.holes is not None:
            message += f", {counted(len(result.holes.holes), 'hole')}"
        text = "\n\n".join(f"{escape(sentence)}." for sentence in result.sentences(5))
        rows = [_row(cell) for cell in result.cells]
        if rows:
            text += "\n\n" + summary.table(["Cell", "Verdict", "Samples", "Expected", "Times as many", "q"], rows)
        if result.label is not None and result.balances[0].shares:
            weights = result.class_weights()
            counts = [
                (name, count, f"{weights[name]:.2f}") for name, count in result.balances[0].counts.items() if count
            ]
            text += "\n\n" + summary.table(["Class", "Samples", "Weight"], counts)
        text += (
            "\n\nNext: **Loupe: rebalance** draws until enough of what is lacking passes the checks, **Loupe: suggest "
            "prompts** only says what to generate, **Loupe: augment rare samples** makes changed copies."
        )
        facts = {**result.to_dict(), "cells": [cell.to_dict() for cell in result.cells[:_MAX_CELLS]]}
        del facts["tables"]
        return Summary(message, text, {"coverage": facts})

    def after(self, ctx: Any, done: Summary) -> Generator[GeneratedMessage, None, None]:
        if ctx.params.get("weights"):
            yield from super().after(ctx, done)


def _row(cell: Any) -> tuple[object, ...]:
    from loupe.brain.core.p_values import p_value

    verdict = {"below": "too few", "above": "too many", "": "thin"}[cell.far]
    times = f"{cell.ratio:.2g} ({cell.low:.2g} to {cell.high:.2g})" if math.isfinite(cell.low) else ""
    q = "" if math.isnan(cell.q) else p_value(cell.q)
    return cell.where, verdict, cell.n, f"{cell.expected:.3g}", times, q
