"""``@loupe/loupe/report``."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from fiftyone.operators import types
from fiftyone.operators.message import GeneratedMessage

from loupe.brain.core.shown import markdown as escape
from loupe.operators import signature
from loupe.operators.base import VerbOperator
from loupe.operators.forms import Form
from loupe.operators.signature import Parameter
from loupe.operators.summary import Summary
from loupe.operators.widgets import Number, Several, Text


@dataclass(frozen=True)
class _NewFile(Text):
    """The path of a file that is to be written, on the machine that runs this; one beside the user's own by default."""

    def draw(self, form: Form, parameter: Parameter) -> types.Property:
        return form.inputs.str(parameter.key, **self.facts(parameter, default=self._default(form)))

    def read(self, form: Form, parameter: Parameter) -> Any:
        given = super().read(form, parameter)
        return self._default(form) if given is signature.REQUIRED else given

    def _default(self, form: Form) -> str:
        plain = re.sub(r"[^\w.-]+", "-", form.ctx.dataset.name).strip("-.") or "dataset"
        return f"~/{plain}-report.html"


def _factors(form: Form) -> dict[str, str]:
    from loupe.brain.store import columns

    return {path: path for path in columns.factors(form.samples)}


def _first(form: Form) -> list[str]:
    from loupe.brain.store import report

    return report.factors(form.samples)


class Report(VerbOperator):
    """Writes what is known of the samples into one file: rates, where they fail, examples, what nobody knows."""

    verb = "report"
    label = "write a report"
    icon = "summarize"
    button = "Write"
    widgets = {
        "path": _NewFile(description="Its ending says the form: .html, .md, or .json. On the machine that runs this"),
        "by": Several(
            _factors,
            chosen=_first,
            default=_first,
            description="Each field gives a table of failure rates by its values",
        ),
        "examples": Number(0, 24),
    }
    hidden = {"results": "what other verbs found is made in Python"}
    settings = ("card", "croissant", "license")

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        path, size = result.resolve(), result.stat().st_size
        message = f"Wrote {result.name}, {size / 1e6:.1f} MB"
        text = f"{message}.\n\nIt lies at {escape(path)} on the machine that ran this, and needs nothing else: "
        text += f"[open it](/media?filepath={quote(str(path), safe='')}) in the browser, or send it."
        return Summary(message, text, {"path": str(path), "bytes": size})

    def after(self, ctx: Any, done: Summary) -> Generator[GeneratedMessage, None, None]:
        yield from ()
