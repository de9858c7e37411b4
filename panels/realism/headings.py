"""The headings of the panel "Realism"."""

from __future__ import annotations

from fiftyone.operators import types

from loupe.panels import theme

_TITLE = {"container": {"sx": {"& p": {"margin": "16px 0 0 0", "fontSize": "1.05rem"}}}}


def heading(panel: types.Object, name: str, title: str, text: str = "") -> None:
    """Adds a heading, and what stands below it in small letters; both are Markdown."""
    panel.md(f"**{title}**", name=f"{name}_title", componentsProps=_TITLE)
    if text:
        panel.md(text, name=f"{name}_text", componentsProps=theme.SMALL)
