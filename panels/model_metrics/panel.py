"""The panel "Model metrics": slices with interval bars, curves, a threshold to move, a matrix of samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.operators.forms import is_number
from loupe.panels.base import Notice, Panel, Reading
from loupe.panels.latest import Shown

if TYPE_CHECKING:
    from loupe.brain.store.evaluation.view import EvaluationCell, Kept

ORDERS = {"sliced": "as sliced", "worst": "worst first"}


@dataclass(frozen=True)
class Content:
    """What is drawn.

    Attributes:
        dataset: its name
        kept: the evaluation
        keys: of all that are kept, the latest first
        metric, curve, model, order: what was chosen
        at: which threshold the slider stands at; None: that of the evaluation
    """

    dataset: str
    kept: Kept
    keys: tuple[str, ...]
    metric: str
    curve: str
    model: str
    order: str
    at: int | None


class ModelMetrics(Panel[Content]):
    """Reads one kept evaluation, whatever the size of the dataset."""

    name = "model_metrics"
    label = "Model metrics"
    icon = "analytics"
    subject = "models"
    help_markdown = (
        "How models do, overall and slice by slice, each number with its 95 % interval. Move the threshold by the "
        "slider or the arrow keys: nothing is matched again. A click on a cell of the matrix shows its samples. What "
        "is drawn was made by 'Loupe: evaluate models'."
    )
    #: ``at``: which threshold; ``placed``: the first turn of the slider since something else moved it; ``moved``: the
    #: serial that the App had drawn when it was moved last
    defaults = {
        "key": None,
        "metric": None,
        "curve": None,
        "model": None,
        "order": "sliced",
        "at": None,
        "placed": 0,
        "moved": 0,
    }
    actions = {**Panel.actions, "evaluate": "Evaluate models"}

    def narrowing(self) -> type[EvaluationCell]:
        from loupe.brain.store.evaluation.view import EvaluationCell

        return EvaluationCell

    def read(self, view: Any, choices: Mapping[str, Any], kept: Kept | None) -> Reading[Content] | Notice:
        from loupe.brain.store import runs
        from loupe.brain.store.evaluation import results as evaluations
        from loupe.brain.store.evaluation import view as evaluation_view

        key = choices["key"] if isinstance(choices["key"], str) else None
        if kept is None or (key is not None and kept.key != key):
            kept = evaluation_view.load(view, key)
        if kept is None:
            if len(evaluations.fields(view)) < 2:
                text = "There are no predictions beside a ground truth here. Add a model's predictions, then evaluate."
                return Notice(text, "refresh")
            return Notice("No model was evaluated here yet. Evaluate models to see where they fail.", "evaluate")
        at, steps = choices["at"], len(kept.thresholds)
        decided: dict[str, Any] = {
            "key": kept.key,
            "metric": _of(choices["metric"], list(kept.metrics)),
            "curve": _of(choices["curve"], kept.curves),
            "model": _of(choices["model"], kept.models),
            "order": _of(choices["order"], list(ORDERS)),
            "at": at if isinstance(at, int) and not isinstance(at, bool) and 0 <= at < steps else None,
        }
        shown = {name: decided[name] for name in ("metric", "curve", "model", "order", "at")}
        content = Content(runs.root(view).name, kept, tuple(evaluations.kept(view)), **shown)
        return Reading(content, decided, kept)

    def seen(self, content: Content) -> dict[str, Any]:
        return {"key": content.kept.key, "model": content.model, "at": content.at}

    def draw(self, panel: types.Object, content: Content, shown: Shown, narrowed: EvaluationCell | None) -> None:
        from loupe.panels.model_metrics import layout

        layout.draw(panel, self, content, shown.turn, narrowed)

    # events

    def on_key(self, ctx: Any) -> None:
        self.choose(ctx, key=ctx.params.get("value"), at=None, placed=self.turn(ctx) + 1)
        self.refresh(ctx)

    def on_metric(self, ctx: Any) -> None:
        self._choose(ctx, "metric")

    def on_curve(self, ctx: Any) -> None:
        self._choose(ctx, "curve")

    def on_model(self, ctx: Any) -> None:
        self._choose(ctx, "model")

    def on_order(self, ctx: Any) -> None:
        self._choose(ctx, "order")

    def on_evaluate(self, ctx: Any) -> None:
        ctx.prompt("@loupe/loupe/evaluate")

    def on_change_dataset(self, ctx: Any) -> None:
        super().on_change_dataset(ctx)
        # a slider of the dataset before moves nothing here
        self.choose(ctx, placed=self.turn(ctx))

    def on_move(self, ctx: Any) -> None:
        """The slider was moved; its name says which one it is."""
        name, value = str(ctx.params.get("path")).rpartition(".")[2], ctx.params.get("value")
        turn = name.rpartition("__")[2]
        seen = ctx.panel.state.seen
        content = self._content(ctx)
        if seen is None or content is None or not is_number(value) or not turn.isdecimal():
            return
        serial = ctx.panel.state.serial
        sent = {"placed": int(turn), "moved": serial if isinstance(serial, int) else 0}
        steps = content.kept.thresholds
        nearest = min(range(len(steps)), key=lambda at: abs(steps[at] - value)) if steps else None
        self.choose(ctx, sent, at=nearest, moved=sent["moved"])
        self.refresh(ctx, again=False, in_place=int(turn) == self.turn(ctx))

    def on_click(self, ctx: Any) -> None:
        """Narrows the view to the samples of the clicked cell of the matrix that was seen."""
        from loupe.panels.model_metrics import layout

        seen, row, column = ctx.panel.state.seen, ctx.params.get("y"), ctx.params.get("x")
        content = self._content(ctx)
        if seen is None or content is None or not isinstance(row, int) or not isinstance(column, int):
            return
        width = len(content.kept.drawn["labels"])
        if not (0 <= row < width and 0 <= column < width) or content.kept.key != seen["key"]:
            return
        cell, ids = content.kept.cell(seen["model"], seen["at"], row, column)
        self.narrow(ctx, cell, f"Nothing to show of {layout.name_of(cell)}", ids=ids)

    def on_look(self, ctx: Any) -> None:
        """A click on what only shows something does nothing."""

    def on_errors(self, ctx: Any) -> None:
        """Narrows the view to the mistakes that the model was surest of."""
        seen, content = ctx.panel.state.seen, self._content(ctx)
        if seen is not None and content is not None:
            cell, ids = content.kept.errors(seen["model"])
            self.narrow(ctx, cell, "There is no mistake with a confidence", ids=ids)

    def _choose(self, ctx: Any, name: str) -> None:
        self.choose(ctx, **{name: ctx.params.get("value")})
        self.refresh(ctx, again=False, in_place=True)

    def _content(self, ctx: Any) -> Content | None:
        """Returns what was drawn last; read again where this server has forgotten it."""
        shown = self._open(ctx).shown
        if shown is None or shown.content is None:
            self.refresh(ctx)
            shown = self._open(ctx).shown
        content = shown.content if shown is not None else None
        return content if isinstance(content, Content) else None


def _of(chosen: Any, known: list[str]) -> str:
    return chosen if isinstance(chosen, str) and chosen in known else next(iter(known), "")
