"""``@loupe/loupe/compare``."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

from fiftyone.operators import types
from fiftyone.operators.message import GeneratedMessage

from loupe.brain.core.comparison import Comparison
from loupe.brain.core.shares import tenths, whole
from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.brain.core.taxonomy import failure_title
from loupe.operators import forms, summary
from loupe.operators.base import VerbOperator
from loupe.operators.forms import Form
from loupe.operators.signature import Parameter
from loupe.operators.summary import Summary
from loupe.operators.widgets import Choice, Input, Number, text_of

#: so many differences go to who reads the result
_MAX_DIFFERENCES = 1000
_MAX_NAMES = 200
_FIND, _NONE = "(found by itself)", "(none)"


def _fields(form: Form) -> dict[str, tuple[str, str]]:
    from loupe.brain.store import columns
    from loupe.brain.store.comparison import view as compare_view

    paths = [*compare_view.made_by(form.samples), *columns.factors(form.samples)]
    return {path: (path, "") for path in dict.fromkeys(paths)}


def _names(form: Form) -> dict[str, tuple[str, str]]:
    """Returns the contenders of the field that is chosen, as far as the form knows it."""
    from loupe.brain.slicing.columns import shown

    path = form.params.get("by")
    if not isinstance(path, str) or not form.samples.has_field(path):
        fields = _fields(form)
        path = next((known for known in ("generation.model", *fields) if known in fields), None)
    if path is None:
        return {}
    values = [shown(value) for value in form.samples.distinct(path) if value is not None]
    return {name: (name, "") for name in values[:_MAX_NAMES]}


@dataclass(frozen=True)
class _Shared(Input):
    """A field, what the verb finds by itself (None), or nothing (False)."""

    fields: tuple[str, ...] = ()

    def draw(self, form: Form, parameter: Parameter) -> types.Property:
        listed = [path for path in self.fields if form.samples.has_field(path)]
        choices = {
            _FIND: (_FIND, "The prompt and its seed where they are shared"),
            _NONE: (_NONE, "Each sample stands for itself"),
            **{path: (path, "") for path in dict.fromkeys([*listed, *_fields(form)])},
        }
        return forms.dropdown(form.inputs, parameter.key, choices, **self.facts(parameter, default=_FIND))

    def parse(self, form: Form, parameter: Parameter, raw: Any) -> str | bool | None:
        return {_FIND: None, _NONE: False}.get(text := text_of(parameter, raw), text)


class Compare(VerbOperator):
    """Compares models, runs or dates: a leaderboard that says where it cannot rank, and where one got worse."""

    verb = "compare"
    label = "compare models"
    icon = "compare_arrows"
    button = "Compare"
    widgets = {
        "by": Choice(
            _fields,
            absent=(
                "There is nothing to compare by",
                "A field with two values or more is needed, e.g. the model's name.",
            ),
            strict=False,
            description="The field whose values are compared",
        ),
        "failure": Choice(
            lambda form: {name: (failure_title(name), "") for name in forms.scored_failures(form.samples)},
            none=("(any failure)", "Whatever was judged of each of them"),
            strict=False,
            description="Which failure to count",
        ),
        "paired_by": _Shared(
            fields=("prompt",), description="What two samples share to be compared as a pair: that tells more"
        ),
        "groups": _Shared(
            fields=("prompt",), description="Samples that share it are alike, and count as fewer in the intervals"
        ),
        "against": Choice(
            _names,
            none=(_NONE, "Only the leaderboard"),
            strict=False,
            description="The old one: in which scenarios do the others fail more often than this one?",
        ),
        "within": Choice(
            _fields,
            none=(_NONE, "Only the rates of all samples"),
            strict=False,
            description="The rates within each value of a field, too, such as a suite's categories",
        ),
        "confidence": Number(0.5, 0.999),
        "seed": Number(0, 2**31 - 1),
    }
    settings = ("paired_by", "groups", "confidence", "seed")
    hidden = {
        "outcome": "it is made in Python, of a field and a rule; the form counts failure modes",
        "slices": "the form looks by the fields with few values, which are most often those of the prompt",
    }

    def remark(self, form: Form) -> None:
        from loupe.brain.store import columns

        if not columns.any_checked(form.samples):
            forms.problem(
                form.inputs, "no_failures", "Nothing has been checked yet", "Run 'Loupe: check images' first."
            )

    def summarize(self, form: Form, given: Mapping[str, Any], result: Any) -> Summary:
        made: Comparison = result
        first, last = made.standings[0], made.standings[-1]
        message = f"{counted(len(made.standings), 'value')} of {made.by} compared"
        if not first.rate.n:
            message += ": nothing was judged of any"
        elif first.rank == "1":
            message += f": {first.name} fails the least"
        elif first.rank_low == last.rank_low:
            message += ": nothing tells them apart"
        parts = [f"{escape(message)}.", leaderboard(made)]
        parts.append("\n".join(f"- {escape(note)}" for note in made.notes))
        if made.within:
            table = made.table_within()
            # contenders are column heads here, and their names are anybody's
            heads = [escape(head) for head in table.head]
            parts += [escape(table.title), summary.table(heads, table.rows)]
            parts += [escape(table.note)] if table.note else []
        if made.against:
            parts.append(_regressions(made))
        parts.append("Next: open the panel **Compare** to see where two of them differ, and the pairs that changed.")
        facts = made.to_dict()
        facts["differences"] = facts["differences"][:_MAX_DIFFERENCES]
        return Summary(message, "\n\n".join(parts), {"comparison": facts})

    def after(self, ctx: Any, done: Summary) -> Generator[GeneratedMessage, None, None]:
        yield from ()


def leaderboard(made: Comparison) -> str:
    """Returns the standings as a Markdown table."""
    marks = made.letters()
    head = ["Rank", made.by, "Rate", f"{whole(made.confidence)} interval", "Failed", "Judged", "Unknown", "Not checked"]
    rows = [
        [
            own.rank,
            own.name,
            tenths(own.rate.rate) if own.rate.n else "not judged",
            f"{tenths(own.rate.low)} to {tenths(own.rate.high)}" if own.rate.n else "",
            own.rate.failures,
            own.rate.n,
            own.rate.unknown,
            own.rate.unchecked,
            marks[own.name],
        ]
        for own in made.standings
    ]
    return summary.table([*(escape(name) for name in head), "Tied with those of one letter"], rows)


def _regressions(made: Comparison) -> str:
    confirmed = [each for each in made.regressions if each.confirmed]
    against = escape(made.against)
    if not confirmed:
        return f"Nothing surely fails more often than **{against}**."
    lines = "\n".join(f"- {escape(each)}" for each in confirmed)
    return f"**What fails more often than {against}**\n\n{lines}"
