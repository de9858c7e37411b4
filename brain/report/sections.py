"""Puts what a report tells into sections: what fails, where, what nobody knows, how it was made."""

from __future__ import annotations

from collections.abc import Mapping

from loupe.brain.core.interrupts import leavable
from loupe.brain.core.results import Rate
from loupe.brain.core.shares import percent
from loupe.brain.core.shown import field_name
from loupe.brain.core.tables import Table
from loupe.brain.core.taxonomy import FAILURE_MODES, failure_title
from loupe.brain.report import results
from loupe.brain.report.blocks import Bar, Bars, Block, Heat, Numbers, Page, Section, Text, top_of
from loupe.brain.report.contents import Contents, Examples
from loupe.brain.slicing.columns import shown
from loupe.brain.slicing.table import Table as RateTable


@leavable
def page(contents: Contents, examples: Examples, version: str) -> Page:
    """Returns the report.

    Args:
        contents: what it tells
        examples: pictures by failure mode
        version: Loupe's
    """
    of = "all of its" if contents.whole else "a view of"
    when = contents.created[:16].replace("T", " ")
    return Page(
        title=contents.title,
        subtitle=f"Dataset {contents.dataset}: {of} {contents.n:,} samples · {when} UTC",
        sections=(
            Section("At a glance", tuple(_glance(contents))),
            Section("What fails", tuple(_failing(contents, examples))),
            Section("Where it fails", tuple(_where(contents))),
            *(results.section(result, examples) for result in contents.results),
            Section("What nobody knows", tuple(_unknown(contents))),
            Section("How it was made", tuple(_made(contents))),
        ),
        made_by=f"Made by Loupe {version}. A rate counts the judged samples only; its interval is Wilson's, 95 %.",
    )


def _glance(contents: Contents) -> list[Block]:
    known = contents.overview
    judged = known.failed + known.passed
    numbers = [(f"{known.n:,}", "samples"), (f"{known.failed:,}", "fail in some way")]
    numbers += [(f"{known.passed:,}", "pass what was judged")]
    if known.unchecked:
        numbers.append((f"{known.unchecked:,}", "not checked"))
    if known.unknown:
        numbers.append((f"{known.unknown:,}", "have a check that could not tell"))
    blocks: list[Block] = [Numbers(tuple(numbers))]
    if not judged:
        blocks.append(Text("No check has judged any of these samples: run loupe.check, then make the report again."))
    elif known.failing:
        name = failure_title(known.failing[0].failure).lower()
        share = percent(known.failing[0].rate)
        blocks.append(Text(f"The most frequent failure is {name}: {share} of the judged."))
    return blocks


def _failing(contents: Contents, examples: Examples) -> list[Block]:
    rates = contents.overview.failing
    if not rates:
        return [Text("Nothing fails that was judged.")] if contents.overview.passed else []
    bars = tuple(
        Bar(
            label=failure_title(rate.failure),
            hint=FAILURE_MODES[rate.failure].description if rate.failure in FAILURE_MODES else "",
            rate=rate.rate,
            low=rate.low,
            high=rate.high,
            note=_counts(rate),
            pictures=examples.get(rate.failure, ()),
        )
        for rate in rates
    )
    blocks: list[Block] = [Bars(bars, top_of([rate.high for rate in rates]))]
    if contents.overview.clean:
        clean = ", ".join(failure_title(failure).lower() for failure in contents.overview.clean)
        blocks.append(Text(f"Judged, and nothing has: {clean}.", small=True))
    return blocks


def _counts(rate: Rate) -> str:
    parts = [f"{rate.failures:,} of {rate.n:,} judged"]
    parts += [f"{rate.unknown:,} unknown"] if rate.unknown else []
    parts += [f"{rate.unchecked:,} not checked"] if rate.unchecked else []
    return " · ".join(parts)


def _where(contents: Contents) -> list[Block]:
    blocks: list[Block] = []
    for table in contents.tables:
        blocks.append(_heat(table))
        left = [
            *([f"{table.values_left_out:,} rarer values"] if table.values_left_out else []),
            *([f"{table.milder_left_out:,} failure modes that differ less"] if table.milder_left_out else []),
        ]
        if left:
            blocks.append(Text(f"Left out: {' and '.join(left)}.", small=True))
    if blocks:
        blocks.append(
            Text("Below each rate stands how many were judged; an interval wider than 20 points is in italics.", True)
        )
    return blocks


def _heat(table: RateTable) -> Heat:
    return Heat(
        corner=field_name(table.factor),
        rows=("all samples", *(shown(value) for value in table.values)),
        columns=tuple(failure_title(mode) for mode in table.modes),
        cells=(table.overall, *table.cells),
        path=table.factor,
    )


def _unknown(contents: Contents) -> list[Block]:
    blocks: list[Block] = []
    known = contents.overview
    if known.unjudged:
        blocks.append(
            Text(f"Could be judged nowhere: {', '.join(failure_title(mode).lower() for mode in known.unjudged)}.")
        )
    blocks += [Text(f"{check}: {sentence}.") for check, sentence in contents.inapplicable.items()]
    if contents.as_asked:
        asked = ", ".join(f"{failure_title(failure).lower()} {count:,}" for failure, count in contents.as_asked.items())
        blocks.append(Text(f"As the prompts ask, and so no failure: {asked}."))
    unsure = [rate for rate in known.failing if rate.unknown or rate.unchecked]
    if unsure:
        rows = [(failure_title(rate.failure), rate.n, rate.unknown, rate.unchecked) for rate in unsure]
        blocks.append(Table.of("", ("failure", "judged", "unknown", "not checked"), rows))
    return blocks


def _made(contents: Contents) -> list[Block]:
    blocks: list[Block] = []
    if contents.thresholds:
        rows = [
            (failure_title(mode), f"{threshold.op} {threshold.value:g}", threshold.source, threshold.provenance)
            for mode, threshold in contents.thresholds.items()
        ]
        blocks.append(Table.of("Thresholds", ("failure", "fails where", "set by", "on what data"), rows))
    if contents.runs:
        rows_of_runs = [(run.verb, run.n, run.errors, f"{run.seconds:.1f}", run.device) for run in contents.runs]
        blocks.append(Table.of("Runs", ("verb", "samples", "errors", "seconds", "on"), rows_of_runs))
    return blocks


def as_json(contents: Contents, version: str) -> dict[str, object]:
    """Returns the report as plain JSON-able values: the records themselves, without pictures."""
    facts: Mapping[str, object] = contents.to_dict()
    return {"generator": "Loupe", "version": version, **facts}
