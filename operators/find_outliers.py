"""``@loupe/loupe/find_outliers``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import fiftyone as fo
from fiftyone.operators import types

from loupe.brain.core.records import ProgressCallback
from loupe.operators import forms, summary
from loupe.operators.base import LoupeOperator


class FindOutliers(LoupeOperator):
    """Finds images far from all others."""

    verb = "find_outliers"
    label = "find outliers"
    description = "Finds images whose nearest neighbours by their vectors are far, against those of the other images"
    icon = "scatter_plot"
    button = "Find"

    def form(self, ctx: Any, inputs: types.Object) -> None:
        samples = forms.target(ctx, inputs, "Compare")
        fields = [name for name, kind in samples.get_field_schema().items() if isinstance(kind, fo.VectorField)]
        fields = [name for name in fields if name != "fingerprint"]
        if not fields:
            forms.problem(inputs, "no_vectors", "There are no vectors yet", "Run 'Loupe: embed images' first.")
            return
        default = "embeddings" if "embeddings" in fields else fields[0]
        choices = {name: (name, "") for name in fields}
        forms.one(inputs, "field", choices, label="Vectors", description="The field of vectors", default=default)
        inputs.int(
            "neighbours",
            label="Neighbours",
            description="How many nearest neighbours count",
            min=1,
            max=1000,
            default=10,
        )
        inputs.float(
            "threshold",
            label="Robust standard deviations",
            description="Farther ones fail; leave it empty for the dataset's own, or 3.5",
        )

    def call(self, ctx: Any, progress: ProgressCallback) -> Mapping[str, Any]:
        from loupe.brain import api

        samples = ctx.target_view()
        found = api.find_outliers(
            samples,
            field=ctx.params.get("field") or "embeddings",
            neighbors=ctx.params.get("neighbours"),
            threshold=ctx.params.get("threshold"),
            progress=progress,
        )
        said = f"{summary.counted(len(found.ids), 'outlier')} among {summary.counted(found.n, 'sample')}"
        parts = [f"{said}."]
        if found.unknown:
            parts.append(f"{summary.counted(found.unknown, 'sample')} without a usable vector: unknown.")
        if found.ids:
            parts.append("Next: filter by **failures** (outlier) in the sidebar.")
        return {"said": said, "summary": "\n\n".join(parts), "outliers": found.to_dict()}
