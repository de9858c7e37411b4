"""What the panel "Model metrics" draws of a kept evaluation, at any threshold, and the samples of a cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from fiftyone.core.collections import SampleCollection

from loupe.brain.core.errors import UnknownName
from loupe.brain.core.evaluation import title_of
from loupe.brain.store.columns import fingerprint
from loupe.brain.store.evaluation import results as evaluations
from loupe.brain.store.narrowing import Narrowing

#: how an evaluation calls a sample set in the view that is narrowed to: there is nothing that has no id
_ANY: dict[str, Any] = {"_id": {"$ne": None}}


@dataclass(frozen=True)
class Point:
    """A metric of one row.

    Attributes:
        row: the slice
        model: the field of its predictions
        value, low, high: None where not known
        n: how many ground truths the slice has
        few: whether these are few
    """

    row: str
    model: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    few: bool


@dataclass(frozen=True, eq=False)
class Kept:
    """An evaluation that was kept.

    Attributes:
        key: of the run
        run: the evaluation as plain values
        drawn: what is drawn at each threshold, as ``assemble.moved`` gives it
        at: when it was made: ISO 8601 in UTC
        of_these: whether it was made of just the samples that are seen
    """

    key: str
    run: Mapping[str, Any]
    drawn: Mapping[str, Any]
    at: str
    of_these: bool

    @property
    def models(self) -> list[str]:
        """The fields of predictions."""
        return list(self.run["models"])

    @property
    def thresholds(self) -> list[float]:
        """What the threshold can be moved to; empty where nothing has a confidence."""
        return list(self.drawn["thresholds"])

    @cached_property
    def rows(self) -> list[Mapping[str, Any]]:
        """Models first, then slices."""
        return [*self.run["overall"], *self.run["slices"]]

    @cached_property
    def metrics(self) -> dict[str, str]:
        """By name how each metric is called that some row has."""
        names = dict.fromkeys(name for row in self.rows for name in row["metrics"])
        moved = dict.fromkeys(name for row in self.drawn["rows"] for name in row)
        return {name: title_of(name) for name in {**names, **moved}}

    @cached_property
    def curves(self) -> list[str]:
        """The names of the curves that there are."""
        return list(dict.fromkeys(curve["name"] for curve in self.run["curves"]))

    def moves(self, metric: str) -> bool:
        """Returns whether a metric depends on the threshold."""
        return any(metric in row for row in self.drawn["rows"])

    def points(self, metric: str, at: int | None) -> list[Point]:
        """Returns a metric of every row that has it.

        Args:
            metric: its name
            at: which of the thresholds; None: as it was evaluated
        """
        made = []
        for row, moved in zip(self.rows, self.drawn["rows"], strict=True):
            own = row["metrics"].get(metric)
            if at is not None and metric in moved:
                value, low, high = moved[metric][at]
            elif own is not None:
                value, low, high = own["value"], own["low"], own["high"]
            else:
                continue
            name = ", ".join(f"{path.rsplit('.', 1)[-1]}={value}" for path, value in row["slice"]["values"].items())
            made.append(Point(name or "all", row["model"], value, low, high, row["truths"], row["few"]))
        return made

    def matrix(self, model: str, at: int | None) -> Mapping[str, Any]:
        """Returns the counts and examples of a model's confusion matrix at a threshold; None: as it was evaluated."""
        if at is None:
            at = self._evaluated_at()
        cells: Sequence[Mapping[str, Any]] = self.drawn["cells"][model]
        return cells[0 if at is None else at + 1]

    def _evaluated_at(self) -> int | None:
        confidence = self.run["confidence"]
        if confidence is None or not self.thresholds:
            return None
        return min(range(len(self.thresholds)), key=lambda at: abs(self.thresholds[at] - confidence))

    def cell(self, model: str, at: int | None, row: int, column: int) -> tuple[EvaluationCell, list[str]]:
        """Returns what the view is narrowed to by a cell of the matrix, and the ids of its kept samples, surest first.

        Of a classification the samples are matched by their labels, all of them; of boxes and masks the ids are all
        that is known.
        """
        labels = self.drawn["labels"]
        examples = self.matrix(model, at)["examples"].get(f"{row},{column}", [])
        ids = [self.drawn["ids"][place] for place in examples]
        where = None
        last, classes = len(labels) - 1, labels[: self.drawn["classes"]]
        if self.run["kind"] == "classification" and self.run["params"].get("positive") is None and row < last:
            facts = {
                "truth": self.run["ground_truth"],
                "predicted": model,
                "row": labels[row] if row < len(classes) else None,
                "column": labels[column] if column < len(classes) else None,
                "withheld": column == last,
                "classes": classes,
                "confidence": self._threshold(at),
            }
            where = evaluations.query_of(facts)
        return EvaluationCell(self.key, model, labels[row], labels[column], where), ids

    def errors(self, model: str) -> tuple[EvaluationCell, list[str]]:
        """Returns what the view is narrowed to by a model's confident mistakes, and their samples, the surest first."""
        ids = [error["sample_id"] for error in self.run["errors"] if error["model"] == model]
        return EvaluationCell(self.key, model, "", "", None), list(dict.fromkeys(ids))

    def _threshold(self, at: int | None) -> float | None:
        if at is not None:
            return self.thresholds[at]
        own = self._evaluated_at()
        return None if own is None else self.thresholds[own]


def load(view: SampleCollection, key: str | None) -> Kept | None:
    """Returns a kept evaluation, the latest where there is none of that key; None where none is kept."""
    keys = evaluations.kept(view)
    own = fingerprint(view)
    if key not in keys:
        key = keys[0] if keys else None
    if key is None:
        return None
    try:
        facts = evaluations.load(view, key)
    except UnknownName:  # another process has just deleted it
        return None
    return Kept(key, facts["run"], facts["drawn"], str(facts["at"]), facts["view"] == own)


@dataclass(frozen=True)
class EvaluationCell(Narrowing):
    """Samples of a cell of a confusion matrix, or, without a row, a model's confident mistakes.

    Attributes:
        key: of the evaluation
        model: the field of the predictions
        row, column: how the matrix calls the ground truth and the prediction
        where: the database's query; None: the samples are selected by their ids
    """

    key: str
    model: str
    row: str
    column: str
    where: Mapping[str, Any] | None = None

    tag: ClassVar[str] = "evaluation"

    def query(self) -> dict[str, Any]:
        return dict(_ANY if self.where is None else self.where)

    @property
    def selects(self) -> bool:
        return self.where is None

    def facts(self) -> Any:
        return [self.key, self.model, self.row, self.column, None if self.where is None else dict(self.where)]

    @classmethod
    def from_facts(cls, facts: Any) -> EvaluationCell:
        key, model, row, column, where = facts
        if not all(isinstance(each, str) for each in (key, model, row, column)):
            raise ValueError("expected names")
        if where is not None and not isinstance(where, dict):
            raise ValueError("expected a query")
        return cls(key, model, row, column, where)
