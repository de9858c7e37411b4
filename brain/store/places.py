"""Where the values of a factor lie in a dataset, by how they are read: in a field, computed, in lists, in prompts.

What is read and the view of each value say the same: a test holds them together for every source.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import fiftyone as fo
from fiftyone.core.collections import SampleCollection
from fiftyone.core.expressions import ViewExpression

from loupe.brain.core.errors import InputError
from loupe.brain.slicing import prompt_facts
from loupe.brain.slicing.factors import Factor, Kind
from loupe.brain.store.connection import database_errors
from loupe.brain.store.outcomes import is_number

_BSON: dict[Kind, str] = {"text": "string", "bool": "bool"}
#: a view travels as one document of the database, which may have 16 MB
_MAX_QUERY = 12_000_000


class Place(ABC):
    """Where the values of one factor lie in one dataset.

    Attributes:
        kind: what they are
        read: what ``values`` of a collection takes to read them
    """

    kind: Kind
    read: str | ViewExpression

    def values(self, column: Sequence[Any]) -> Sequence[Any]:
        """Returns N values, or lists of them, from what was read of N samples."""
        return column

    @abstractmethod
    def stage(self, factor: Factor, value: Any) -> fo.ViewStage:
        """Returns the view stage of a value: it keeps just the samples that have it."""


@dataclass(frozen=True)
class InField(Place):
    """In a field; where it holds lists, a query asks whether any item fits."""

    kind: Kind
    read: str

    def stage(self, factor: Factor, value: Any) -> fo.ViewStage:
        return fo.Match(self._query(factor, value))

    def _query(self, factor: Factor, value: Any) -> dict[str, Any]:
        if value is None:
            if factor.only:
                return {self.read: {"$nin": list(factor.only)}}
            if self.kind in _BSON:
                return {self.read: {"$not": {"$type": _BSON[self.kind]}}}
            return {"$nor": is_number(self.read)}
        if isinstance(factor.bins, tuple):
            low, high = factor.limits(value)
            ends = {"$gte": low, "$lt": high}
            return {self.read: {end: number for end, number in ends.items() if number is not None}}
        # a view travels as JSON, which has no infinity
        if value == float("inf"):
            return {self.read: {"$gt": sys.float_info.max}}
        if value == -float("inf"):
            return {self.read: {"$lt": -sys.float_info.max}}
        return {self.read: {"$eq": value}}


@dataclass(frozen=True)
class Computed(Place):
    """Computed by the database: one number or text of each sample, or null."""

    kind: Kind
    expression: dict[str, Any]

    @property
    def read(self) -> ViewExpression:  # type: ignore[override]
        return ViewExpression(self.expression)

    def stage(self, factor: Factor, value: Any) -> fo.ViewStage:
        if value is None:
            return fo.Match({"$expr": {"$eq": [{"$ifNull": [self.expression, None]}, None]}})
        if not isinstance(factor.bins, tuple):
            return fo.Match({"$expr": {"$eq": [self.expression, {"$literal": value}]}})
        low, high = factor.limits(value)
        # in an expression null is below every number
        tests: list[dict[str, Any]] = [{"$isNumber": self.expression}]
        tests += [{"$gte": [self.expression, low]}] if low is not None else []
        tests += [{"$lt": [self.expression, high]}] if high is not None else []
        return fo.Match({"$expr": {"$and": tests}})


@dataclass(frozen=True)
class Members(Place):
    """In lists of sample ids, by name: what no query could tell of a sample alone."""

    members: Mapping[str, frozenset[str]]
    kind: Kind = "text"
    read: str = "id"

    def values(self, column: Sequence[Any]) -> Sequence[Any]:
        return [[name for name, ids in self.members.items() if sample_id in ids] for sample_id in column]

    def stage(self, factor: Factor, value: Any) -> fo.ViewStage:
        if value is None:
            return fo.Exclude(sorted(frozenset().union(*self.members.values())))
        return fo.Select(sorted(self.members.get(value, ())))


@dataclass(frozen=True)
class Items(Place):
    """Computed by the database: a list of numbers, texts or truths of each sample; null is no item.

    Attributes:
        expression: of the list; it is one for every sample
    """

    kind: Kind
    expression: dict[str, Any]

    @property
    def read(self) -> ViewExpression:  # type: ignore[override]
        return ViewExpression(self.expression)

    def stage(self, factor: Factor, value: Any) -> fo.ViewStage:
        test = self._known(factor) if value is None else self._is(factor, value)
        any_item = {"$anyElementTrue": [{"$map": {"input": self.expression, "as": "item", "in": test}}]}
        return fo.Match({"$expr": {"$not": [any_item]} if value is None else any_item})

    def _known(self, factor: Factor) -> dict[str, Any]:
        if factor.only:
            return {"$in": ["$$item", {"$literal": list(factor.only)}]}
        if self.kind in _BSON:
            return {"$eq": [{"$type": "$$item"}, _BSON[self.kind]]}
        # in an expression NaN is a number, below all others
        return {"$and": [{"$isNumber": "$$item"}, {"$ne": [{"$toString": "$$item"}, "NaN"]}]}

    def _is(self, factor: Factor, value: Any) -> dict[str, Any]:
        if isinstance(factor.bins, tuple):
            low, high = factor.limits(value)
            tests = [self._known(factor)]
            tests += [{"$gte": ["$$item", low]}] if low is not None else []
            tests += [{"$lt": ["$$item", high]}] if high is not None else []
            return {"$and": tests}
        # a view travels as JSON, which has no infinity
        if isinstance(value, float) and abs(value) == float("inf"):
            beyond = {"$gt": ["$$item", sys.float_info.max]} if value > 0 else {"$lt": ["$$item", -sys.float_info.max]}
            return {"$and": [self._known(factor), beyond]}
        return {"$eq": ["$$item", {"$literal": value}]}


@dataclass(frozen=True)
class InPrompt(Place):
    """In the words of a field of prompts: read by Loupe's grammar, which no database knows.

    The view of a value is that of the prompts that have it: a query of texts, of those that these samples have.
    """

    kind: Kind
    read: str
    part: str
    samples: SampleCollection
    _known: dict[Any, Any] = field(default_factory=dict, compare=False)

    def values(self, column: Sequence[Any]) -> Sequence[Any]:
        return [self._value(prompt) for prompt in column]

    def stage(self, factor: Factor, value: Any) -> fo.ViewStage:
        with database_errors():
            prompts = [prompt for prompt in self.samples.distinct(self.read) if isinstance(prompt, str)]
        column = factor.column([self._value(prompt) for prompt in prompts])
        # what has another value is left out: a sample without a prompt has none
        rows = set(column.rows(value).tolist()) if value in column.values else set()
        wanted = [prompt for row, prompt in enumerate(prompts) if (row in rows) == (value is not None)]
        if sum(map(len, wanted)) > _MAX_QUERY:
            raise InputError(
                f"expected prompts that fit into a view, got {len(wanted):,} for {factor.name}={value!r}: store the "
                "value in a field of the samples, and slice by that"
            )
        return fo.Match({self.read: {"$in" if value is not None else "$nin": wanted}})

    def _value(self, prompt: Any) -> Any:
        if prompt not in self._known:
            self._known[prompt] = prompt_facts.value_of(prompt, self.part)
        return self._known[prompt]
