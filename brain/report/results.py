"""The sections of a report on what verbs found: in words, as bars with intervals, as curves, as a table."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from loupe.brain.core.comparison import Comparison
from loupe.brain.core.drift import DRIFTED, Drift
from loupe.brain.core.evaluation import Evaluation
from loupe.brain.core.experiment import Experiment
from loupe.brain.core.findings import Finding, SliceFindings
from loupe.brain.core.records import Record
from loupe.brain.core.results import Rate
from loupe.brain.core.shares import percent
from loupe.brain.core.tables import Tabular
from loupe.brain.labels.box_records import BoxIssues
from loupe.brain.labels.mask_records import MaskIssues
from loupe.brain.labels.records import LabelIssues
from loupe.brain.report.blocks import Bar, Bars, Block, Chart, Curve, Section, Text, top_of
from loupe.brain.report.contents import Examples
from loupe.brain.report.experiment import section as _experiment

_CURVES = {
    "precision_recall": ("Precision over recall", "recall", "precision", False),
    "roc": ("True over false positive rate", "false positive rate", "true positive rate", True),
    "reliability": ("Right over confidence", "confidence", "right", True),
}


def section(result: Record | Tabular, examples: Examples) -> Section:
    """Returns the section of what a verb returned; of a kind that is not known here, the table that it prints as."""
    for kind, draw in _DRAWN.items():
        if isinstance(result, kind):
            return draw(result, examples)
    title = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in type(result).__name__)
    blocks: list[Block] = [result.table()] if isinstance(result, Tabular) else [Text(repr(result))]
    return Section(title.strip().removesuffix(" result").capitalize(), tuple(blocks))


def _findings(result: SliceFindings, examples: Examples) -> Section:
    blocks: list[Block] = []
    if result.message:
        blocks.append(Text(result.message))
    bars = tuple(_finding(finding, examples) for group in result.by_slice() for finding in group)
    if bars:
        blocks.append(Bars(bars, top_of([share for bar in bars for share in (bar.high, bar.against or 0.0)])))
        text = "Found on one half of the samples, confirmed on the other; the mark is the rate of the rest."
        blocks.append(Text(text, small=True))
    if result.candidates:
        blocks.append(Text(f"{len(result.candidates):,} more looked worse and were not confirmed.", small=True))
    blocks += [Text(note, small=True) for note in result.notes]
    return Section("Where it surely fails more", tuple(blocks))


def _finding(finding: Finding, examples: Examples) -> Bar:
    made, rest = _bar(finding.where, finding.sentence, finding.rate), finding.rest.rate
    made = replace(made, pictures=examples.get(finding.key, ()))
    return made if math.isnan(rest) else replace(made, against=rest, note=f"{made.note} · rest {percent(rest)}")


def _bar(label: str, hint: str, rate: Rate) -> Bar:
    return Bar(label, hint, rate.rate, rate.low, rate.high, f"{rate.failures:,} of {rate.n:,} judged")


def _comparison(result: Comparison, _: Examples) -> Section:
    letters = result.letters()
    bars = tuple(
        _bar(each.name, f"rank {each.rank}, tied: {letters[each.name] or 'with none'}", each.rate)
        for each in result.standings
    )
    blocks: list[Block] = [Text(f"{result.failure}, the fewest failures first; those that share a letter are tied.")]
    blocks.append(Bars(bars, top_of([bar.high for bar in bars])))
    blocks += [Text(str(regression)) for regression in result.regressions]
    blocks += [Text(note, small=True) for note in result.notes]
    return Section(f"By {result.by}", tuple(blocks))


def _evaluation(result: Evaluation, _: Examples) -> Section:
    blocks: list[Block] = [result.table()]
    for name, (title, x, y, diagonal) in _CURVES.items():
        curves = tuple(
            Curve(each.model, tuple(zip(each.x, each.y, strict=True)))
            for each in result.curves
            if each.name == name and not any(map(math.isnan, (*each.x, *each.y)))
        )
        if curves:
            blocks.append(Chart(title, x, y, curves, diagonal))
    blocks += [Text(note, small=True) for note in result.notes]
    return Section(f"Models against {result.ground_truth}", tuple(blocks))


def _drift(result: Drift, _: Examples) -> Section:
    blocks: list[Block] = [result.table()]
    drifted = [batch for batch in result.batches if batch.verdict == DRIFTED]
    blocks += [Text(str(batch)) for batch in drifted]
    blocks += [Text(str(driver), small=True) for batch in drifted for driver in batch.drivers[:3]]
    blocks += [Text(note, small=True) for note in result.notes]
    return Section("Drift", tuple(blocks))


def _labels(result: LabelIssues | BoxIssues | MaskIssues, _: Examples) -> Section:
    blocks: list[Block] = [Text(f"{sentence}.") for sentence in result.sentences()]
    return Section(f"Labels in {result.label}", (*blocks, result.table()))


_DRAWN: dict[type, Callable[[Any, Examples], Section]] = {
    SliceFindings: _findings,
    Comparison: _comparison,
    Evaluation: _evaluation,
    Drift: _drift,
    Experiment: _experiment,
    **dict.fromkeys((LabelIssues, BoxIssues, MaskIssues), _labels),
}
