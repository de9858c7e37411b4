"""``@loupe/loupe/embed``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fiftyone.operators import types

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError
from loupe.brain.core.records import ProgressCallback
from loupe.operators import forms, summary
from loupe.operators.base import LoupeOperator

_FIELD = "embeddings"
_NO_MAP = "none"


class EmbedImages(LoupeOperator):
    """Turns images into vectors, a map of them, and a similarity index."""

    verb = "embed"
    label = "embed images"
    description = "Turns each image into a vector, draws a map of them, and makes them searchable by similarity"
    icon = "scatter_plot"
    button = "Embed"

    def form(self, ctx: Any, inputs: types.Object) -> None:
        forms.target(ctx, inputs, "Embed")
        known = registry.embedders()
        if not known:
            forms.problem(inputs, "no_embedders", "There is no embedder", "None is registered in this installation.")
            return
        default = "open_clip" if "open_clip" in known else next(iter(known))
        forms.one(
            inputs,
            "embedder",
            {name: (spec.title(), "needs no weights" if spec.offline else "") for name, spec in known.items()},
            label="Embedder",
            description="What turns an image into a vector",
            default=default,
        )
        chosen = ctx.params.get("embedder") or default
        if chosen in known:
            forms.add_params(inputs, known[chosen], ctx.params, f"{chosen}__")
        inputs.str("field", label="Field", description="Where the vectors are stored", default=_FIELD, required=True)
        maps = {
            "umap": ("UMAP", "Neighbours stay together; takes seconds to minutes"),
            "pca": ("PCA", "The two widest directions; takes no time"),
            _NO_MAP: ("No map", ""),
        }
        description = "What the Embeddings panel shows"
        forms.one(inputs, "visualize", maps, label="Map", description=description, default="umap", required=False)
        inputs.bool(
            "similarity",
            label="Make it searchable",
            description="An index for sorting by similarity",
            default=True,
            view=types.CheckboxView(),
        )

    def call(self, ctx: Any, progress: ProgressCallback) -> Mapping[str, Any]:
        from loupe.brain import api

        known = registry.embedders()
        name = ctx.params.get("embedder") or "open_clip"
        spec = type(registry.pick("embedder", known, name))
        field, visualize = ctx.params.get("field") or _FIELD, ctx.params.get("visualize") or "umap"
        if not isinstance(field, str):
            raise InputError(f"expected the name of a field, got {field!r}")
        run = api.embed(
            ctx.target_view(),
            embedder=forms.read_params(spec, ctx.params, f"{name}__"),
            field=field,
            visualize=None if visualize == _NO_MAP else visualize,
            similarity=ctx.params.get("similarity", True),
            progress=progress,
        )
        said = summary.run_line(run, "Embedded")
        text = f"{said}.\n\nNext: open the **Embeddings** panel, or find duplicates with **Loupe: find duplicates**."
        return {"said": said, "summary": text + summary.messages(run), "run": run.to_dict()}
