"""Tables in Markdown; their cells are not ours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from loupe.brain.core.shown import markdown as escape


def grid(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Returns a table; the cells are escaped, the head is Markdown already."""
    shown = [head, ["---"] * len(head), *([escape(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(row) + " |" for row in shown)
