"""How a panel narrows the App's view to some samples, and how anyone finds the way back.

A narrowed view has one stage more, a match whose comment says who narrowed it and to what. That is all there is to
know of it: it survives a reload of the page and a saved view, and the stages that a person adds stay as they are. What
another panel narrowed to is a stage like any other: its samples are what is counted.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar

import fiftyone as fo
from fiftyone.core.collections import SampleCollection

from loupe.brain.core.errors import LoupeError
from loupe.brain.store.runs import root

N = TypeVar("N", bound="Narrowing")


@dataclass(frozen=True)
class Narrowing(ABC):
    """Which samples a view is narrowed to; a subclass for each kind.

    Attributes:
        tag: the kind's name, one that no other kind has
    """

    tag: ClassVar[str]

    @abstractmethod
    def query(self) -> dict[str, Any]:
        """Returns the database's query for the samples: one that JSON can carry, so no NaN and no infinity.

        Raises:
            LoupeError: there is nothing of that name
        """

    @abstractmethod
    def facts(self) -> Any:
        """Returns what ``from_facts`` takes, as JSON-able values."""

    @classmethod
    @abstractmethod
    def from_facts(cls, facts: Any) -> Self:
        """Returns what ``facts`` was called on; raises whatever it likes where it is of another form."""

    @property
    def selects(self) -> bool:
        """Whether a selection of sample ids belongs to it."""
        return False


def narrow(view: SampleCollection, to: Narrowing, ids: Sequence[str] | None = None) -> fo.DatasetView:
    """Returns the samples of a view that it is to be narrowed to.

    They are matched by their fields in the database, so that it costs the same for ten samples and ten thousand.

    Args:
        view: a dataset or view
        to: which samples
        ids: where ``to`` selects: just those of them, in that order

    Raises:
        LoupeError: there is nothing of that name
    """
    narrowed = view.match({"$comment": _prefix(type(to)) + json.dumps(to.facts()), **to.query()})
    return narrowed.select(list(ids), ordered=True) if ids is not None and to.selects else narrowed


def widen(view: SampleCollection, kind: type[N]) -> tuple[SampleCollection, N | None]:
    """Returns the view as it was before ``narrow``, and what it was narrowed to; the view itself and None else.

    Args:
        view: a dataset or view
        kind: only what is narrowed by this kind is taken back
    """
    stages = getattr(view, "_stages", [])
    for index, stage in enumerate(stages):
        to = _read(stage, kind)
        if to is None:
            continue
        left_out = {index}
        if to.selects and index + 1 < len(stages) and isinstance(stages[index + 1], fo.Select):
            left_out.add(index + 1)
        before = root(view).view()
        for other, kept in enumerate(stages):
            if other not in left_out:
                before = before.add_stage(kept)
        return before, to
    return view, None


def _read(stage: fo.ViewStage, kind: type[N]) -> N | None:
    if not isinstance(stage, fo.Match) or not isinstance(stage.filter, dict):
        return None
    comment = stage.filter.get("$comment")
    if not isinstance(comment, str) or not comment.startswith(_prefix(kind)):
        return None
    # a view may come from anyone: what is not just what we would write is a stage like any other
    try:
        to = kind.from_facts(json.loads(comment.removeprefix(_prefix(kind))))
        own = {"$comment": comment, **to.query()}
    except (LoupeError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    return to if own == stage.filter else None


def _prefix(kind: type[Narrowing]) -> str:
    return f"loupe {kind.tag}: "
