"""Markdown that shows a text as it is: prompts, file names and labels are not ours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~$-])")


def escape(text: object) -> str:
    """Returns a text that Markdown shows as it is, in one line.

    >>> escape("<b>|x|</b>")
    '&lt;b&gt;\\\\|x\\\\|&lt;/b&gt;'
    """
    plain = " ".join(str(text).split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", plain)


def grid(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Returns a table; the cells are escaped, the head is Markdown already."""
    shown = [head, ["---"] * len(head), *([escape(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(row) + " |" for row in shown)
