"""Lays out the panel "Model metrics": controls, values, slices, threshold, curves, matrix, notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.brain.core.evaluation import METRICS
from loupe.brain.core.shown import markdown as escape
from loupe.brain.evaluation.cells import MAX_EXAMPLES
from loupe.operators import forms
from loupe.panels import theme, widgets
from loupe.panels.model_metrics import plot

if TYPE_CHECKING:
    from loupe.brain.store.evaluation.view import EvaluationCell, Kept, Point
    from loupe.panels.model_metrics.panel import Content


def draw(panel: types.Object, handlers: Any, content: Content, turn: int, narrowed: EvaluationCell | None) -> None:
    """Draws an evaluation.

    Args:
        panel: to draw on
        handlers: the panel whose methods are called
        content: what is drawn
        turn: of the slider: a new one moves it
        narrowed: the cell that the view is narrowed to, or None
    """
    kept = content.kept
    _controls(panel, handlers, content)
    panel.md(_about(kept), name="about", componentsProps=theme.SMALL)
    if not kept.of_these:
        text = "Made of other samples than those shown now. Evaluate again to see how models do on these."
        panel.view("elsewhere", types.AlertView(severity="warning", label=text))
    points = kept.points(content.metric, content.at)
    panel.md(_values(content, points), name="values", componentsProps=theme.LARGE)
    ordered = _ordered(content, points)
    widgets.plot(panel, "slices", plot.bars(ordered, kept.models), handlers.on_look)
    panel.md(_under(content, points, ordered), name="under", componentsProps=theme.SMALL)
    if kept.thresholds:
        _slider(panel, handlers, content, turn)
    curves = [each for each in kept.run["curves"] if each["name"] == content.curve]
    if curves:
        drawn = plot.curve(curves, kept.models, _threshold(content))
        widgets.plot(panel, "curve", drawn, handlers.on_look)
    _matrix(panel, handlers, content, narrowed)
    panel.md(_notes(kept), name="notes", componentsProps=theme.SMALL)


def name_of(cell: EvaluationCell) -> str:
    """Returns how a cell is called."""
    if not cell.row:
        return f"{cell.model}: its most confident mistakes"
    return f"{cell.model}: {cell.row} taken for {cell.column}"


def _controls(panel: types.Object, handlers: Any, content: Content) -> None:
    kept = content.kept
    row = widgets.grid(panel, "controls", "repeat(auto-fit, minmax(150px, 1fr))", gap=1)
    keys = {key: f"#{key.rpartition('_')[2]}" for key in content.keys}
    keys[kept.key] = f"#{kept.key.rpartition('_')[2]} · {_moment(kept.at)}"
    widgets.dropdown(row, "key", "Evaluation", keys, kept.key, handlers.on_key)
    metrics = {name: title[:1].upper() + title[1:] for name, title in kept.metrics.items()}
    widgets.dropdown(row, "metric", "Metric", metrics, content.metric, handlers.on_metric)
    if kept.run["slices"]:
        orders = {"sliced": "as sliced", "worst": "worst first"}
        widgets.dropdown(row, "order", "Order", orders, content.order, handlers.on_order)
    if kept.curves:
        curves = {name: plot.CURVE_TITLES[name] for name in kept.curves}
        widgets.dropdown(row, "curve", "Curve", curves, content.curve, handlers.on_curve)
    if len(kept.models) > 1:
        models = {name: name for name in kept.models}
        widgets.dropdown(row, "model", "Matrix of", models, content.model, handlers.on_model)
    more = widgets.row(panel, "more")
    more.btn("evaluate", label="Evaluate", icon="analytics", variant="outlined", on_click=handlers.on_evaluate)
    widgets.refresh_button(more, handlers)


def _about(kept: Kept) -> str:
    run = kept.run
    parts = [f"{run['kind'].capitalize()} against **{escape(run['ground_truth'])}**", f"{run['n']:,} labeled images"]
    if run["unlabeled"]:
        parts.append(f"{run['unlabeled']:,} without a ground truth are left out")
    parts += [
        f"{count:,} without {escape(name)}, not counted as wrong" for name, count in run["missing"].items() if count
    ]
    if run["iou"] is not None:
        parts.append(f"boxes match at an overlap of {run['iou']:g}")
    return " · ".join(parts)


def _values(content: Content, points: Sequence[Point]) -> str:
    parts = []
    for point in points:
        if point.row == "all":
            ends = "" if point.low is None or point.high is None else f" ({point.low:.3f} to {point.high:.3f})"
            value = "not known" if point.value is None else f"{point.value:.3f}{ends}"
            parts.append(f"{escape(point.model)} **{value}**")
    title = content.kept.metrics.get(content.metric, content.metric)
    return f"{escape(title[:1].upper() + title[1:])}: " + " · ".join(parts)


def _ordered(content: Content, points: Sequence[Point]) -> list[Point]:
    """Returns the rows that are drawn, in their order; the models' own stand first."""
    names = list(dict.fromkeys(point.row for point in points if point.row != "all"))
    if content.order == "worst":
        better = METRICS.get(content.metric, ("", True))[1]
        value = {name: [p.value for p in points if p.row == name and p.value is not None] for name in names}
        sign = 1 if better is False else -1
        # the worst of a slice is that of its worst model
        worst = {name: max((sign * each for each in own), default=float("-inf")) for name, own in value.items()}
        names.sort(key=lambda name: -worst[name])
    place = {name: at for at, name in enumerate(["all", *names[: plot.MAX_ROWS]])}
    return sorted((point for point in points if point.row in place), key=lambda point: place[point.row])


def _under(content: Content, points: Sequence[Point], drawn: Sequence[Point]) -> str:
    kept = content.kept
    unit = "objects" if kept.run["kind"] == "detection" else "labeled images"
    parts = [f"Bars: {100 * kept.run['params'].get('interval', 0.95):g} % intervals. In parentheses: {unit}."]
    better = METRICS.get(content.metric, ("", True))[1]
    parts.append({True: "Higher is better.", False: "Lower is better.", None: ""}[better])
    if any(point.few for point in drawn):
        parts.append(f"Hollow: fewer than {kept.run['params'].get('min_samples', 20)}.")
    left_out = len({point.row for point in points}) - len({point.row for point in drawn})
    if left_out:
        parts.append(f"{left_out} more slices: see worst first.")
    if kept.thresholds and not kept.moves(content.metric):
        parts.append("It is over all thresholds: the slider does not move it.")
    if not kept.run["slices"]:
        parts.append("Evaluate by a field, or by the size of objects, to see slices here.")
    return " ".join(filter(None, parts))


def _threshold(content: Content) -> float | None:
    if content.at is not None:
        return content.kept.thresholds[content.at]
    confidence = content.kept.run["confidence"]
    return None if confidence is None else float(confidence)


def _slider(panel: types.Object, handlers: Any, content: Content, turn: int) -> None:
    steps = content.kept.thresholds
    threshold = _threshold(content)
    best = content.kept.run["best_confidence"]
    text = "every prediction counts" if threshold is None else f"confidence of at least **{threshold:g}**"
    hint = ", ".join(f"{escape(name)} {value:.2f}" for name, value in best.items())
    tail = f" · best on these samples: {hint}" if hint else ""
    panel.md(f"Threshold: {text}{tail}", name="threshold", componentsProps=theme.TEXT)
    key = f"threshold__{turn}"
    value = steps[0] if threshold is None else min(max(threshold, steps[0]), steps[-1])
    props = {"key": key, "defaultValue": value, "aria-label": "Threshold", "sx": {"marginLeft": "16px"}}
    view = forms.slider(steps[0], steps[-1], 0.05, **props)
    # the App puts 48 pixels above a slider and as many below it
    row = widgets.column(panel, "slider", marginTop="-44px", marginBottom="-36px", paddingRight="40px")
    row.float(key, view=view, on_change=handlers.on_move)


def _matrix(panel: types.Object, handlers: Any, content: Content, narrowed: EvaluationCell | None) -> None:
    kept = content.kept
    labels, cells = kept.drawn["labels"], kept.matrix(content.model, content.at)
    chosen = None
    if narrowed is not None and narrowed.key == kept.key and narrowed.model == content.model:
        names = (narrowed.row, narrowed.column)
        chosen = (labels.index(names[0]), labels.index(names[1])) if set(names) <= set(labels) else None
    title = f"**What {escape(content.model)} takes for what**"
    panel.md(title, name="matrix_title", componentsProps=theme.TEXT)
    wide = widgets.scrolled(panel, 150 + 46 * len(labels))
    widgets.plot(wide, "matrix", plot.matrix(labels, cells["counts"], chosen), handlers.on_click)
    picked = widgets.row(panel, "picked", minHeight="52px")
    if narrowed is None:
        unit = "pixels" if kept.run["kind"] == "segmentation" else "samples"
        text = f"Click a cell to see its samples{'' if unit == 'samples' else ' (it counts pixels)'}."
        picked.md(text, name="sentence", componentsProps=theme.SMALL)
        if any(error["model"] == content.model for error in kept.run["errors"]):
            picked.btn("errors", label="Confident mistakes", variant="outlined", on_click=handlers.on_errors)
    else:
        widgets.show_all_button(picked, handlers)
        picked.md(
            f"Showing {escape(name_of(narrowed))}{_some(kept, content, chosen, narrowed)}",
            name="sentence",
            componentsProps=theme.TEXT,
        )


def _some(kept: Kept, content: Content, chosen: tuple[int, int] | None, narrowed: EvaluationCell) -> str:
    """Returns what is to be said where not all samples of a cell are known."""
    if chosen is None or not narrowed.selects:
        return ""
    _, ids = kept.cell(content.model, content.at, *chosen)
    return f": the {MAX_EXAMPLES} that it was surest of" if len(ids) >= MAX_EXAMPLES else ""


def _notes(kept: Kept) -> str:
    lines = [f"- {escape(note)}" for note in kept.run["notes"]]
    apart = sorted(kept.run["disparities"], key=lambda each: -each["difference"])[:3]
    for each in apart:
        metric = kept.metrics.get(each["metric"], each["metric"])
        lines.append(
            f"- {escape(each['model'])}: {escape(metric)} is {each['difference']:.3f} apart between "
            f"{escape(each['highest'])} and {escape(each['lowest'])}"
        )
    return (
        "\n".join(lines)
        if lines
        else "Rows of the matrix are what is there; (none) is a miss, or a box where nothing is."
    )


def _moment(at: str) -> str:
    return f"{at[5:10]} {at[11:16]} UTC"
