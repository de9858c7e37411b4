"""Small tables, for whoever prints a result: as text, and as HTML in a notebook."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loupe.brain.core.p_values import p_value
from loupe.brain.core.shares import tenths
from loupe.brain.core.shown import counted, html, line, plain

if TYPE_CHECKING:
    from loupe.brain.core.results import DuplicatesResult, Flags, Rate

#: rows beyond these are counted only
MAX_ROWS = 40


@dataclass(frozen=True)
class Table:
    """Rows of cells below their heads.

    Attributes:
        title: one line
        head: what stands over each column
        rows: the cells; all rows are as long as the head. Numbers stand to the right
        more: how many rows there are beyond
        note: what is to be known to read it; stands below
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    more: int = 0
    note: str = ""

    @classmethod
    def of(cls, title: str, head: Sequence[str], rows: Iterable[Sequence[object]], note: str = "") -> Table:
        """Returns the table of the first rows; the others are counted."""
        every = [tuple(row) for row in rows]
        return cls(title, tuple(head), tuple(every[:MAX_ROWS]), max(0, len(every) - MAX_ROWS), note)

    def text(self) -> str:
        r"""Returns it as lines of one width.

        >>> print(Table.of("2 fail", ["failure", "failed"], [["blur", 12], ["a\nb", 3]]).text())
        2 fail
        failure  failed
        blur         12
        a b           3
        """
        lines = [plain(self.title)] if self.title else []
        if self.rows:
            cells = [[line(cell) for cell in row] for row in (self.head, *self.rows)]
            widths = [max(len(row[column]) for row in cells) for column in range(len(self.head))]
            right = self._right()
            for row in cells:
                padded = [
                    cell.rjust(width) if to_right else cell.ljust(width)
                    for cell, width, to_right in zip(row, widths, right, strict=True)
                ]
                lines.append("  ".join(padded).rstrip())
        more = [f"and {counted(self.more, 'more row')}"] if self.more else []
        return "\n".join([*lines, *more, *([plain(self.note)] if self.note else [])])

    def html(self) -> str:
        """Returns it as an HTML table; whatever stands in a cell is shown as it is."""
        right = [" style='text-align:right'" if to_right else "" for to_right in self._right()]

        def row(tag: str, cells: Iterable[object]) -> str:
            made = (f"<{tag}{style}>{html(cell)}</{tag}>" for cell, style in zip(cells, right, strict=True))
            return f"<tr>{''.join(made)}</tr>"

        body = "".join(row("td", cells) for cells in self.rows)
        table = f"<table><thead>{row('th', self.head)}</thead><tbody>{body}</tbody></table>" if self.rows else ""
        more = f"<p>and {counted(self.more, 'more row')}</p>" if self.more else ""
        note = f"<p style='white-space: pre-line'>{html(self.note)}</p>" if self.note else ""
        return (f"<p>{html(self.title)}</p>" if self.title else "") + table + more + note

    def _right(self) -> list[bool]:
        return [
            bool(self.rows) and all(isinstance(row[column], (int, float)) for row in self.rows)
            for column in range(len(self.head))
        ]


class Tabular:
    """What prints as a table; a dataclass that inherits it needs ``repr=False``."""

    def table(self) -> Table:
        """Returns the table that it prints as."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return self.table().text()

    def _repr_html_(self) -> str:
        return self.table().html()


def of_rates(rates: Sequence[Rate]) -> Table:
    """Returns a row for each rate; what no rate has, gets no column. One of too few samples stands in parentheses."""
    compared = any(not math.isnan(rate.p) for rate in rates)
    grouped = any(rate.groups is not None for rate in rates)
    rows = [
        (
            str(rate.slice),
            rate.failure,
            rate_text(rate, f"{tenths(rate.rate)}"),
            f"{tenths(rate.low)} to {tenths(rate.high)}" if rate.n else "",
            *((lift_text(rate), p_value(rate.q)) if compared else ()),
            rate.failures,
            rate.n,
            *((rate.groups or 0, f"{rate.effective_n or 0:.3g}") if grouped else ()),
            rate.unknown,
            rate.unchecked,
        )
        for rate in rates
    ]
    head = (
        *("slice", "failure", "rate", "interval", *(("lift", "q") if compared else ()), "failed", "judged"),
        *(("groups", "counts as") if grouped else ()),
        *("unknown", "unchecked"),
    )
    return Table.of("" if rows else "no rates: nothing was judged", head, rows, few_note(rates))


def rate_text(rate: Rate, share: str) -> str:
    """Returns how a rate is shown whose share is written so: in brackets where too few were judged."""
    if not rate.n:
        return "not judged"
    return f"({share})" if rate.too_few else share


def lift_text(rate: Rate) -> str:
    """Returns how often as often as the rest a slice fails; nothing where that is not defined."""
    if math.isnan(rate.lift):
        return ""
    return "only here" if math.isinf(rate.lift) else f"{rate.lift:.2f}"


def few_note(rates: Sequence[Rate]) -> str:
    """Returns what the brackets say, where any rate stands in them."""
    few = [rate for rate in rates if rate.n and rate.too_few]
    if not few:
        return ""
    return f"in parentheses: fewer than {few[0].min_n} {'independent samples' if few[0].groups else 'judged'}"


def of_flags(flags: Flags) -> Table:
    """Returns a row for each failure mode, the most frequent first."""
    used = sorted(flags.thresholds.items(), key=lambda item: (-flags.counts.get(item[0], 0), item[0]))
    rows = [
        (
            failure,
            f"{threshold.op} {threshold.value:g}",
            threshold.source,
            flags.counts.get(failure, 0),
            flags.unknown.get(failure, 0),
            *((flags.as_asked.get(failure, 0),) if flags.as_asked else ()),
        )
        for failure, threshold in used
    ]
    head = ("failure", "fails where", "set by", "failed", "unknown", *(("as asked",) if flags.as_asked else ()))
    return Table.of(f"{sum(flags.counts.values()):,} failures flagged", head, rows)


def of_pairs(result: DuplicatesResult) -> Table:
    """Returns a row for each pair."""
    rows = [(pair.id_a, pair.id_b, pair.kind, round(pair.similarity, 3)) for pair in result.pairs]
    title = f"{counted(len(result.pairs), 'pair')} in {counted(len(result.groups), 'group')}"
    return Table.of(title, ("sample", "and", "the same", "similarity"), rows, note="\n".join(result.messages))
