"""``@loupe/loupe/find_duplicates``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from fiftyone.operators import types

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import ProgressCallback
from loupe.operators import forms, summary
from loupe.operators.base import LoupeOperator

_KINDS = {"bytes": "the same bytes", "pixels": "the same pixels", "near": "nearly the same"}
_MAX_PAIRS = 1000


class FindDuplicates(LoupeOperator):
    """Finds images that are the same, or nearly."""

    verb = "find_duplicates"
    label = "find duplicates"
    description = "Finds images with the same bytes, the same pixels, or nearly the same picture"
    icon = "content_copy"
    button = "Find"

    def form(self, ctx: Any, inputs: types.Object) -> None:
        samples = forms.target(ctx, inputs, "Compare")
        if len(samples) == 1:
            forms.problem(inputs, "one_sample", "There is one sample only", "A duplicate needs two.")
        inputs.bool("exact", label="Exact: the same bytes or the same pixels", default=True, view=types.CheckboxView())
        inputs.bool("near", label="Near: nearly the same picture", default=True, view=types.CheckboxView())
        params = ctx.params
        if not params.get("exact", True) and not params.get("near", True):
            forms.problem(inputs, "nothing", "Nothing is chosen", "Choose exact, near, or both.")
        if params.get("near", True):
            inputs.float(
                "threshold",
                label="Least similarity of near duplicates",
                description="In [0, 1]; leave it empty for the measured default",
                min=0,
                max=1,
            )

    def call(self, ctx: Any, progress: ProgressCallback) -> Mapping[str, Any]:
        from loupe.brain import api

        threshold = ctx.params.get("threshold")
        if threshold is not None and (isinstance(threshold, bool) or not isinstance(threshold, (int, float))):
            raise InputError(f"expected a least similarity in [0, 1], got {threshold!r}")
        found = api.find_duplicates(
            ctx.target_view(),
            exact=ctx.params.get("exact", True),
            near=ctx.params.get("near", True),
            threshold=threshold,
            progress=progress,
        )
        kinds = Counter(pair.kind for pair in found.pairs)
        inside = sum(len(group) for group in found.groups)
        pairs, groups = summary.counted(len(found.pairs), "pair"), summary.counted(len(found.groups), "group")
        said = f"{pairs} in {groups} of {inside} samples"
        parts = [
            f"{said}.",
            summary.table(["Pairs with", "Number"], [[_KINDS.get(kind, kind), n] for kind, n in kinds.items()]),
        ]
        if not found.pairs:
            parts = ["No duplicates were found."]
        else:
            parts.append(
                "Next: filter by **failures** (exact or near duplicate) in the sidebar to see them side by side."
            )
        facts = [pair.to_dict() for pair in found.pairs[:_MAX_PAIRS]]
        return {"said": said, "summary": "\n\n".join(parts), "pairs": facts, "groups": len(found.groups)}
