"""Where the real set has no synthetic sample near, with pictures, and the prompts that would fill it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.operators.summary import table
from loupe.panels import theme, widgets
from loupe.panels.realism import headings, pictures

if TYPE_CHECKING:
    from loupe.brain.core.realism import Realism
    from loupe.brain.labels.suggestions import SuggestedPrompts
    from loupe.panels.realism.panel import Content

_MAX_PROMPTS = 8


def draw(panel: types.Object, handlers: Any, content: Content, made: Realism) -> None:
    """Draws the holes and what was suggested for them last."""
    known = made.holes
    if known is None:
        return
    headings.heading(
        panel,
        "holes",
        "What the set lacks",
        f"Kinds of real pictures that nothing in it is like. {escape(known.sentence)}.",
    )
    for number, note in enumerate(known.notes):
        panel.md(f"{escape(note)}.", name=f"holes_note{number}", componentsProps=theme.SMALL)
    if not known.holes:
        panel.md(
            "No region of the real set is without synthetic samples beyond what chance leaves out.",
            name="holes_none",
            componentsProps=theme.TEXT,
        )
        return
    for number, hole in enumerate(known.holes[: max(1, len(content.holes))]):
        part = widgets.column(panel, f"hole{number}", marginTop="4px")
        part.md(f"{escape(hole.sentence)}.", name="sentence", componentsProps=theme.TEXT)
        if number < len(content.holes):
            pictures.row(part, handlers, f"Hole {hole.number}", content.holes[number])
    more = len(known.holes) - max(1, len(content.holes))
    if more > 0:
        panel.md(f"{counted(more, 'smaller hole')} more.", name="holes_more", componentsProps=theme.SMALL)
    prompts = content.kept.prompts
    row = widgets.row(panel, "holes_row")
    label = "Suggest prompts" if prompts is None else "Suggest again"
    variant = "contained" if prompts is None else "outlined"
    row.btn("suggest", label=label, icon="tips_and_updates", variant=variant, on_click=handlers.on_suggest)
    row.btn("rebalance", label="Rebalance", icon="balance", variant="outlined", on_click=handlers.on_rebalance)
    if prompts is not None:
        _prompts(panel, handlers, prompts)


def _prompts(panel: types.Object, handlers: Any, prompts: SuggestedPrompts) -> None:
    title = f"{counted(len(prompts), 'picture')} of {counted(len(prompts.suggestions), 'prompt')} were suggested last."
    if not len(prompts):
        title = "No prompt could be suggested."
    panel.md(title, name="prompts_title", componentsProps=theme.TEXT)
    if len(prompts):
        rows = [(each.n, each.prompt, each.why.split(":")[0]) for each in prompts.suggestions[:_MAX_PROMPTS]]
        panel.md(table(["Pictures", "Prompt", "For"], rows), name="prompts", componentsProps=_TABLE)
    more = len(prompts.suggestions) - _MAX_PROMPTS
    texts = [*([f"{counted(more, 'prompt')} more"] if more > 0 else []), *map(escape, prompts.notes[:5])]
    if texts:
        panel.md(". ".join(texts) + ".", name="prompts_notes", componentsProps=theme.SMALL)
    row = widgets.row(panel, "prompts_row")
    if len(prompts):
        row.btn(
            "generate",
            label="Generate these images",
            icon="auto_awesome",
            variant="contained",
            on_click=handlers.on_generate,
        )
    row.btn("otherwise", label="Suggest otherwise", variant="outlined", on_click=handlers.on_suggest_otherwise)


_TABLE = {
    "container": {
        "sx": {
            "overflowX": "auto",
            "& table": {"borderCollapse": "collapse", "width": "100%"},
            "& th, & td": {"textAlign": "left", "padding": "3px 14px 3px 0", "verticalAlign": "top"},
        }
    }
}
