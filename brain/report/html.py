"""Draws a report as one HTML page that needs nothing else: no script, no network, no font, no file beside it.

Whatever comes from a dataset is escaped, and the page's own policy forbids scripts and every address but its own.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from typing import Any

from loupe.brain.core.interrupts import leavable
from loupe.brain.core.shares import percent
from loupe.brain.core.shown import html as _text
from loupe.brain.core.tables import Table
from loupe.brain.report import charts
from loupe.brain.report.blocks import Bar, Bars, Block, Chart, Heat, Numbers, Page, Pictures, Section, Text, Thumbnail
from loupe.brain.report.style import STYLE
from loupe.brain.report.words import interval, of_rate, unsure

#: by it a page is known as one of Loupe's, which the next report of that name may replace
GENERATOR = '<meta name="generator" content="Loupe">'
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
#: of a cell's color at the highest rate
_STRONGEST = 0.85


@leavable
def draw(page: Page) -> str:
    """Returns the page."""
    sections = [section for section in page.sections if section.blocks]
    links = "".join(
        f'<a href="#s{number}">{_text(section.title)}</a>' for number, section in enumerate(sections) if section.title
    )
    body = "".join(_section(number, section) for number, section in enumerate(sections))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">{GENERATOR}'
        f"<title>{_text(page.title)}</title><style>{STYLE}</style></head><body>"
        f"<header><h1>{_text(page.title)}</h1><p class=sub>{_text(page.subtitle)}</p><nav>{links}</nav></header>"
        f"<main>{body}</main><footer>{_text(page.made_by)}</footer></body></html>\n"
    )


def _section(number: int, section: Section) -> str:
    drawn = "".join(_block(block) for block in section.blocks)
    return f'<section id="s{number}"><h2>{_text(section.title)}</h2>{drawn}</section>'


def _block(block: Block) -> str:
    return _DRAWN[type(block)](block)


def _paragraph(block: Text) -> str:
    kind = " class=small" if block.small else ""
    return f"<p{kind}>{_text(block.text)}</p>"


def _numbers(block: Numbers) -> str:
    items = "".join(f"<div><b>{_text(number)}</b><span>{_text(words)}</span></div>" for number, words in block.items)
    return f"<div class=numbers>{items}</div>"


def _bars(block: Bars) -> str:
    return f"<div class=bars>{''.join(_bar(bar, block.top) for bar in block.bars)}</div>"


def _bar(bar: Bar, top: float) -> str:
    shares = "" if math.isnan(bar.rate) else f"<span>95 %: {interval(bar.low, bar.high)}</span>"
    pictures = "".join(_thumbnail(picture) for picture in bar.pictures)
    return (
        f"<div class=bar><div class=what><b>{_text(bar.label)}</b><span>{_text(bar.hint)}</span></div>"
        f"<div class=much><b>{percent(bar.rate)}</b>{shares}{charts.interval_bar(bar, top)}"
        f"<span>{_text(bar.note)}</span></div><div class=pictures>{pictures}</div></div>"
    )


def _heat(block: Heat) -> str:
    known = [rate.rate for row in block.cells for rate in row if rate.n]
    top = max([0.1, *known])
    head = "".join(f"<th scope=col><span>{_text(column)}</span></th>" for column in block.columns)
    rows = "".join(
        f"<tr><th scope=row>{_text(name)}</th>{''.join(_cell(rate, top) for rate in row)}</tr>"
        for name, row in zip(block.rows, block.cells, strict=True)
    )
    corner = f'<th scope=col title="{_text(block.path)}">{_text(block.corner)}</th>'
    return (
        f"<div class=wide><table class=heat><thead><tr>{corner}{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _cell(rate: Any, top: float) -> str:
    hover = _text(f"{rate.failure}, {rate.slice}: {of_rate(rate)}")
    if not rate.n:
        return f'<td class=none title="{hover}">–</td>'
    strength = _STRONGEST * rate.rate / top
    kind = ' class="unsure"' if unsure(rate) else ""
    return (
        f'<td{kind} title="{hover}" style="--much:{strength:.2f}"><b>{percent(rate.rate)}</b>'
        f"<span>{rate.n:,}</span></td>"
    )


def _table(block: Table) -> str:
    return f"<div class=wide>{block.html()}</div>"


def _pictures(block: Pictures) -> str:
    return f"<div class=pictures>{''.join(_thumbnail(picture) for picture in block.pictures)}</div>"


def _thumbnail(picture: Thumbnail) -> str:
    name = _text(f"{picture.name} · {picture.id}")
    caption = f"<figcaption>{_text(picture.caption)}</figcaption>" if picture.caption else ""
    if not picture.jpeg:
        return f'<figure title="{name}"><div class=unread>cannot be read</div>{caption}</figure>'
    source = base64.b64encode(picture.jpeg).decode()
    return (
        f'<figure title="{name}"><img src="data:image/jpeg;base64,{source}" alt="{name}" loading="lazy">'
        f"{caption}</figure>"
    )


def _chart(block: Chart) -> str:
    return charts.chart(block)


_DRAWN: dict[type, Callable[[Any], str]] = {
    Text: _paragraph,
    Numbers: _numbers,
    Bars: _bars,
    Heat: _heat,
    Table: _table,
    Pictures: _pictures,
    Chart: _chart,
}
