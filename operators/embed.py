"""``@loupe/loupe/embed``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loupe.brain.core import registry
from loupe.brain.core.shown import counted
from loupe.operators import forms, objects_widget, summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import DEVICE, Form
from loupe.operators.signature import Parameter
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice, Number, Text, ask_spec, read_spec


@dataclass(frozen=True)
class Embedders(Choice):
    """An embedder, and its parameters; or the verb's own choice of one, which has none."""

    def ask(self, form: Form, parameter: Parameter) -> None:
        super().ask(form, parameter)
        chosen = registry.embedders().get(str(form.params.get(parameter.key) or parameter.default))
        if chosen is not None:
            if absent := chosen().absent():
                forms.note(form.inputs, f"{parameter.key}__{chosen.name}__absent", absent, severity="warning")
            ask_spec(form, chosen, f"{parameter.key}__{chosen.name}__")

    def read(self, form: Form, parameter: Parameter) -> Any:
        name = str(super().read(form, parameter))
        if name == parameter.default:
            return name
        chosen = type(registry.pick("embedder", registry.embedders(), name))
        return read_spec(form, chosen, f"{parameter.key}__{chosen.name}__")


_MAPS = {
    "umap": ("UMAP", "Neighbors stay together; takes seconds to minutes"),
    "pca": ("PCA", "The two widest directions; takes no time"),
}


class EmbedImages(VerbOperator):
    """Turns each image into a vector, draws a map of them, and makes them searchable by similarity."""

    verb = "embed"
    label = "embed images"
    icon = "scatter_plot"
    button = "Embed"
    widgets = {
        "embedder": Embedders(
            lambda _: {
                "auto": ("The best one here", "what the field has already, else open_clip, efficientnet_lite or hog"),
                **{
                    name: (spec.title(), "needs no weights" if spec.offline else "")
                    for name, spec in registry.embedders().items()
                },
            },
            strict=False,
            description="What turns an image into a vector",
        ),
        "visualize": Choice(
            lambda _: _MAPS, none=("none", "No map"), description="The map that the Embeddings panel shows"
        ),
        "objects": objects_widget.OBJECTS,
        "field": Text(description="The field that the vectors are stored in"),
        "batch_size": Number(1, 4096),
        "seed": Number(0),
    }
    hidden = {"device": DEVICE}
    settings = ("batch_size", "engine", "resume", "seed")

    def shows(self, form: Form, name: str) -> bool:
        return objects_widget.shows(form, name)

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        if given.get("objects") is not None:
            did = f"Embedded {counted(result.params['n_objects'], 'object')} of"
            return summary.of_run(result, did, "Next: open the **Embeddings** panel.")
        following = "Next: open the **Embeddings** panel, or find duplicates with **Loupe: find duplicates**."
        return summary.of_run(result, "Embedded", following)
