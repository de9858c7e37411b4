"""What the panel "Compare" reads beside the comparison: what it offers, and the samples of pairs that changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import fiftyone as fo
from fiftyone.core.collections import SampleCollection

from loupe.brain.core import registry
from loupe.brain.core.taxonomy import ANY
from loupe.brain.slicing.comparison import MAX_CONTENDERS
from loupe.brain.slicing.factors import Factor
from loupe.brain.store import choices
from loupe.brain.store.comparison.columns import Compared
from loupe.brain.store.connection import database_errors
from loupe.brain.store.fields import QUALITY
from loupe.brain.store.narrowing import Narrowing
from loupe.brain.store.runs import root
from loupe.brain.store.spread import spread

#: the name of the predictions of several evaluation runs on the same samples
EVALUATIONS = "(evaluation runs)"
#: how pictures were made, as ``generate`` keeps it
_MADE_BY = tuple(
    f"generation.{name}" for name in ("model", "fingerprint", "generator", "scheduler", "steps", "guidance")
)
_SIMPLE = (fo.StringField, fo.IntField, fo.FloatField)


@dataclass(frozen=True)
class Pairs(Narrowing):
    """The samples of two contenders, of which some pairs are selected.

    Attributes:
        new, old: their names
        where: what the names say of, for people
        queries: the database's query of each
    """

    new: str
    old: str
    where: str
    queries: tuple[Mapping[str, Any], ...]

    tag: ClassVar[str] = "pairs"

    def query(self) -> dict[str, Any]:
        return {"$or": [dict(query) for query in self.queries]}

    def facts(self) -> Any:
        return [self.new, self.old, self.where, [dict(query) for query in self.queries]]

    @classmethod
    def from_facts(cls, facts: Any) -> Pairs:
        new, old, where, queries = facts
        if not queries or not all(isinstance(text, str) for text in (new, old, where)):
            raise ValueError("expected two names, and queries")
        return cls(new, old, where, tuple(dict(query) for query in queries))

    @property
    def selects(self) -> bool:
        return True


def queries(view: SampleCollection, read: Compared, names: Sequence[str]) -> tuple[dict[str, Any], ...]:
    """Returns the database's query of each of these contenders, or of all samples where they are outcomes."""
    if not read.own:
        return ({"_id": {"$ne": None}},)
    made = []
    for name in names:
        parts = read.parts[read.entries.names.index(name)]
        own = [choices.queries(view, factor, [value]) for factor, value in zip(read.own, parts, strict=True)]
        made.append({"$and": [query for listed in own for query in listed]})
    return tuple(made)


def ids(view: SampleCollection, rows: Sequence[int]) -> list[str]:
    """Returns the ids of some samples by their places, each once."""
    with database_errors():
        every = view.values("id")
    return list(dict.fromkeys(every[row] for row in rows if row < len(every)))


def made_by(view: SampleCollection) -> list[str]:
    """Returns the fields of how pictures were made that have two to 200 values, the model first."""
    fields = [path for path in _MADE_BY if isinstance(view.get_field(path) if view.has_field(path) else None, _SIMPLE)]
    with database_errors():
        columns = spread(view).values(fields) if fields else []
    counts = [len({value for value in column if value is not None}) for column in columns]
    return [path for path, n in zip(fields, counts, strict=True) if 2 <= n <= MAX_CONTENDERS]


def offered(view: SampleCollection) -> dict[str, Any]:
    """Returns by name what a panel can compare by: factors, the model first, and the evaluation runs where there are
    two or more that say of each sample whether its prediction is right."""
    made: dict[str, Any] = {path: Factor.field(path) for path in made_by(view)}
    known = choices.factors(view)
    made |= {name: factor for name, factor in known.items() if name.startswith("generation.") and name not in made}
    made |= {name: factor for name, factor in known.items() if name not in made}
    with database_errors():
        runs = [key for key in root(view).list_evaluations() if isinstance(view.get_field(key), fo.BooleanField)]
    return {**made, EVALUATIONS: runs} if len(runs) > 1 else made


def failures(view: SampleCollection) -> tuple[str, ...]:
    """Returns what a panel can count: failing in any way, and each failure mode that has scores."""
    schema = view.get_field_schema(flat=True)
    scored = [name for name, (_, output) in registry.failures().items() if f"{QUALITY}.{output.name}" in schema]
    return (ANY, *scored)
