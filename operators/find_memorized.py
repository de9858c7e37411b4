"""``@loupe/loupe/find_memorized``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import fiftyone as fo
from fiftyone.operators import types

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.records import ProgressCallback
from loupe.operators import forms, summary
from loupe.operators.base import LoupeOperator

_MAX_PAIRS = 1000


class FindMemorized(LoupeOperator):
    """Finds images that stand in a reference set, too."""

    verb = "find_memorized"
    label = "find memorized images"
    description = "Finds images that stand in a reference set, such as what the generator was trained on"
    icon = "history_edu"
    button = "Find"

    def form(self, ctx: Any, inputs: types.Object) -> None:
        forms.target(ctx, inputs, "Compare")
        others = [name for name in fo.list_datasets() if ctx.dataset is None or name != ctx.dataset.name]
        if not others:
            forms.problem(
                inputs, "no_reference", "There is no other dataset", "Import the reference pictures into one."
            )
            return
        choices = {name: (name, "") for name in others}
        description = "The dataset to look for copies in"
        forms.one(inputs, "reference", choices, label="Reference", description=description, default=others[0])
        inputs.float(
            "threshold",
            label="Least similarity",
            description="In [0, 1]; leave it empty for the measured default",
            min=0,
            max=1,
        )

    def call(self, ctx: Any, progress: ProgressCallback) -> Mapping[str, Any]:
        from loupe.brain import api

        name = ctx.params.get("reference")
        if not isinstance(name, str) or not name:
            raise InputError(f"expected the name of a dataset, got {name!r}")
        if name not in fo.list_datasets():
            raise UnknownName("dataset", name, fo.list_datasets())
        found = api.find_memorized(
            ctx.target_view(), fo.load_dataset(name), threshold=ctx.params.get("threshold"), progress=progress
        )
        samples = len({pair.id_a for pair in found.pairs})
        said = f"{samples} of {summary.counted(found.n, 'sample')} stand in {summary.escape(name)}, too"
        parts = [f"{said}."]
        if samples:
            parts.append("Next: filter by **failures** (memorized) in the sidebar.")
        facts = [pair.to_dict() for pair in found.pairs[:_MAX_PAIRS]]
        return {"said": said, "summary": "\n\n".join(parts), "pairs": facts}
