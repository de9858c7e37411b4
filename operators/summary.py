"""Results in words: short Markdown that an operator shows when it has run."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from loupe.brain.core import tables
from loupe.brain.core.alike_objects import ObjectDuplicates, ObjectLeaks
from loupe.brain.core.assigned import Assigned
from loupe.brain.core.markdown import grid
from loupe.brain.core.p_values import p_value
from loupe.brain.core.results import Pair, Rate, Run
from loupe.brain.core.shares import tenths, whole
from loupe.brain.core.shown import counted
from loupe.brain.core.taxonomy import failure_title

_MAX_ROWS = 40
_MAX_PAIRS = 1000

#: kind of a pair → in words
PAIR_KINDS = {
    "bytes": "the same bytes",
    "pixels": "the same pixels",
    "near": "nearly the same",
    "middle": "the same in the middle alone: cut out, or on another background",
}


@dataclass(frozen=True)
class Summary:
    """What an operator did.

    Attributes:
        message: one line
        text: Markdown, which the App shows
        facts: what else is useful to who reads the result, JSON-able
        workspace: whether a button below it opens the workspace "loupe"
        reload: whether the page has to be loaded anew to show the sidebar as it is now
        following: a button below it opens the form of another operator: its label, the operator, and how it is filled
    """

    message: str
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    workspace: bool = False
    reload: bool = False
    following: tuple[str, str, Mapping[str, Any]] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Returns the operator's result."""
        return {"message": self.message, "summary": self.text, **self.facts}


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Returns a Markdown table; its cells are escaped, and rows beyond the first 40 are counted only."""
    every = list(rows)
    more = f"\n\nand {counted(len(every) - _MAX_ROWS, 'more row')}" if len(every) > _MAX_ROWS else ""
    return grid(head, every[:_MAX_ROWS]) + more


def rates_table(rates: Sequence[Rate], *, by_slice: bool = False, confidence: float = 0.95) -> str:
    """Returns the rates as a table, the worst first; what nobody judged stands at the end."""
    if not rates:
        return "No failure mode has been judged on these samples yet."
    ordered = sorted(rates, key=lambda rate: (-rate.rate if rate.n else 1.0, rate.failure, str(rate.slice)))
    compared = any(not math.isnan(rate.p) for rate in rates)
    grouped = any(rate.groups is not None for rate in rates)
    head = [*(["Slice"] if by_slice else []), "Failure", "Rate", f"{whole(confidence)} interval"]
    head += [*(["Lift", "q"] if compared else []), "Failed", "Judged", *(["Groups", "Counts as"] if grouped else [])]
    head += ["Unknown", "Not checked"]
    rows = [
        [
            *([str(rate.slice)] if by_slice else []),
            failure_title(rate.failure),
            tables.rate_text(rate, tenths(rate.rate)),
            f"{tenths(rate.low)} to {tenths(rate.high)}" if rate.n else "",
            *([tables.lift_text(rate), p_value(rate.q)] if compared else []),
            rate.failures,
            rate.n,
            *([rate.groups or 0, f"{rate.effective_n or 0:.3g}"] if grouped else []),
            rate.unknown,
            rate.unchecked,
        ]
        for rate in ordered
    ]
    note = tables.few_note(rates)
    return table(head, rows) + (f"\n\n{note[0].upper()}{note[1:]}." if note else "")


def assigned_table(result: Assigned, head: str) -> str:
    """Returns how many samples have each value, and how many have none."""
    rows = [*result.counts.items(), ("unsure", result.unsure), ("no usable vector", result.unknown)]
    always = len(result.counts)
    return table([head, "Samples"], [pair for at, pair in enumerate(rows) if at < always or pair[1]])


def of_run(run: Run, did: str, *parts: str) -> Summary:
    """Returns the summary of a run: what it did in one line, some more paragraphs, and its errors."""
    line = run_line(run, did)
    return Summary(line, "\n\n".join([f"{line}.", *parts]) + messages(run), {"run": run.to_dict()})


def pair_facts(pairs: Sequence[Pair]) -> list[dict[str, Any]]:
    """Returns the first 1000 pairs as plain values."""
    return [pair.to_dict() for pair in pairs[:_MAX_PAIRS]]


def of_object_pairs(result: ObjectDuplicates | ObjectLeaks) -> list[str]:
    """Returns how pairs of objects are the same, and which have two classes, as paragraphs."""
    kinds = Counter(pair.kind for pair in result.pairs)
    parts = [table(["Pairs with", "Number"], [[PAIR_KINDS.get(kind, kind), count] for kind, count in kinds.items()])]
    classes = Counter(tuple(sorted((pair.label_a or "", pair.label_b or ""))) for pair in result.labeled_differently)
    if classes:
        text = f"**{counted(classes.total(), 'pair')} with two classes**: one of the two labels is wrong."
        parts += [text, table(["Class", "And", "Pairs"], [[*names, count] for names, count in classes.most_common()])]
    return parts


def not_compared(result: ObjectDuplicates | ObjectLeaks) -> list[str]:
    """Returns how many objects were not compared and why, as a paragraph; none where all were."""
    if result.compared == result.n:
        return []
    lead = f"{result.n - result.compared:,} of {counted(result.n, 'object')} could not be compared."
    return [f"{lead}\n\n{table(['Why', 'Objects'], result.unknown.items())}"]


def run_line(run: Run, did: str) -> str:
    """Returns what a run did, in one line, e.g. ``"Checked 216 images in 31.0 s on cpu, 4 were done already"``."""
    parts = [f"{did} {counted(run.n, 'image')} in {run.seconds:.1f} s on {run.device}"]
    if run.skipped:
        parts.append(f"{run.skipped} were done already")
    if run.errors:
        parts.append(f"{run.errors} could not be done")
    return ", ".join(parts)


def messages(run: Run) -> str:
    """Returns a run's errors as a table, or nothing."""
    if not run.messages:
        return ""
    return "\n\n**What could not be done**\n\n" + table(["Sample or file", "Why"], run.messages.items())
