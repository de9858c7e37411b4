"""Draws a report as Markdown: the same sections and numbers, without the pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from loupe.brain.core.interrupts import leavable
from loupe.brain.core.markdown import grid
from loupe.brain.core.shares import percent
from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.brain.core.tables import Table
from loupe.brain.report.blocks import Bars, Chart, Heat, Numbers, Page, Pictures, Text
from loupe.brain.report.words import interval

#: by it a file is known as one of Loupe's, which the next report of that name may replace
GENERATOR = "<!-- generator: Loupe -->"


@leavable
def draw(page: Page) -> str:
    """Returns the text."""
    parts = [GENERATOR, f"# {escape(page.title)}", escape(page.subtitle)]
    for section in page.sections:
        if section.blocks:
            parts += [f"## {escape(section.title)}", *(_DRAWN[type(block)](block) for block in section.blocks)]
    return "\n\n".join(part for part in [*parts, escape(page.made_by)] if part) + "\n"


def _numbers(block: Numbers) -> str:
    return " · ".join(f"**{escape(number)}** {escape(words)}" for number, words in block.items)


def _bars(block: Bars) -> str:
    rows = [(bar.label, percent(bar.rate), interval(bar.low, bar.high), bar.note, bar.hint) for bar in block.bars]
    return _titled(("", "rate", "95 % interval", "", ""), rows)


def _heat(block: Heat) -> str:
    rows = [
        (name, *(f"{percent(rate.rate)} of {rate.n:,}" if rate.n else "–" for rate in row))
        for name, row in zip(block.rows, block.cells, strict=True)
    ]
    return _titled((block.corner, *block.columns), rows)


def _table(block: Table) -> str:
    title = [escape(block.title)] if block.title else []
    more = [f"and {counted(block.more, 'more row')}"] if block.more else []
    return "\n\n".join([*title, *([_titled(block.head, block.rows)] if block.rows else []), *more])


def _chart(block: Chart) -> str:
    return f"{escape(block.title)}: {escape(', '.join(curve.name for curve in block.curves))} (drawn in the HTML)"


def _titled(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    return grid([escape(cell) for cell in head], rows)


def _pictures(block: Pictures) -> str:
    return "Samples: " + ", ".join(escape(picture.id) for picture in block.pictures)


_DRAWN: dict[type, Callable[[Any], str]] = {
    Text: lambda block: escape(block.text),
    Numbers: _numbers,
    Bars: _bars,
    Heat: _heat,
    Table: _table,
    Chart: _chart,
    Pictures: _pictures,
}
