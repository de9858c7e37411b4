"""``@loupe/loupe/find_leaks``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fiftyone.operators import types

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import ProgressCallback
from loupe.operators import forms, summary
from loupe.operators.base import LoupeOperator

_TAGS = "(sample tags)"
_MAX_PAIRS = 1000


class FindLeaks(LoupeOperator):
    """Finds images that stand in more than one split."""

    verb = "find_leaks"
    label = "find leaks"
    description = "Finds images that stand in more than one split: a test on what was trained on says nothing"
    icon = "water_drop"
    button = "Find"

    def form(self, ctx: Any, inputs: types.Object) -> None:
        from loupe.brain.store import columns

        samples = forms.target(ctx, inputs, "Compare")
        paths = columns.factors(samples)
        default = next((path for path in paths if path.rpartition(".")[2] in ("split", "subset", "fold")), _TAGS)
        choices = {_TAGS: (_TAGS, "Each split is a tag on its samples"), **{path: (path, "") for path in paths}}
        description = "The field with the name of each sample's split, or its tags"
        forms.one(inputs, "field", choices, label="Splits", description=description, default=default)
        if (ctx.params.get("field") or default) == _TAGS:
            inputs.str(
                "tags",
                label="Tags",
                description="Two or more, with a comma between",
                default="train, test",
                required=True,
            )
        inputs.float(
            "threshold",
            label="Least similarity",
            description="In [0, 1]; leave it empty for the measured default",
            min=0,
            max=1,
        )

    def call(self, ctx: Any, progress: ProgressCallback) -> Mapping[str, Any]:
        from loupe.brain import api

        field, tags = ctx.params.get("field") or _TAGS, ctx.params.get("tags") or "train, test"
        if not isinstance(field, str) or not isinstance(tags, str):
            raise InputError("expected the name of a field, or tags with a comma between, each as a text")
        found = api.find_leaks(
            ctx.target_view(),
            splits=[tag.strip() for tag in tags.split(",") if tag.strip()] if field == _TAGS else field,
            threshold=ctx.params.get("threshold"),
            progress=progress,
        )
        said = f"{summary.counted(len(found.pairs), 'pair')} across splits"
        parts = ["No picture stands in two splits."]
        if found.pairs:
            parts = [
                f"{said}.",
                summary.table(["Between", "Pairs"], found.between.items()),
                summary.table(["Split", "Samples that another one has, too"], found.samples.items()),
                "Next: filter by **failures** (leak) in the sidebar, and take them out of one of the splits.",
            ]
        facts = [pair.to_dict() for pair in found.pairs[:_MAX_PAIRS]]
        return {"said": said, "summary": "\n\n".join(parts), "pairs": facts, "between": dict(found.between)}
