"""``@loupe/loupe/find_memorized``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import fiftyone as fo

from loupe.brain.core.errors import UnknownName
from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.operators import summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import Form
from loupe.operators.signature import Parameter
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice, text_of


def _others(form: Form) -> Mapping[str, tuple[str, str]]:
    return {name: (name, "") for name in fo.list_datasets() if name != form.ctx.dataset.name}


@dataclass(frozen=True)
class Dataset(Choice):
    """Another dataset, by its name."""

    def parse(self, form: Form, parameter: Parameter, raw: Any) -> Any:
        name = text_of(parameter, raw)
        if name not in fo.list_datasets():
            raise UnknownName("dataset", name, fo.list_datasets())
        return fo.load_dataset(name)


class FindMemorized(VerbOperator):
    """Finds images that stand in a reference set, such as what the generator was trained on."""

    verb = "find_memorized"
    label = "find memorized images"
    icon = "history_edu"
    button = "Find"
    widgets = {
        "reference": Dataset(
            _others,
            absent=("There is no other dataset", "Import the reference pictures into one."),
            description="The dataset to look for copies in",
        )
    }
    settings = ("engine",)

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        samples = len({pair.id_a for pair in result.pairs})
        name = escape(given["reference"].name)
        message = f"{samples} of {counted(result.n, 'sample')} stand in {name}, too"
        text = f"{message}."
        if samples:
            text += "\n\nNext: filter by **failures** (memorized) in the sidebar."
        return Summary(message, text, {"pairs": summary.pair_facts(result.pairs)})
