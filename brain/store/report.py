"""Reads what a report tells of a view."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime

import fiftyone as fo
from fiftyone.core.collections import SampleCollection

from loupe.brain.core import registry
from loupe.brain.core.findings import SliceFindings
from loupe.brain.core.records import Progress, ProgressCallback, Record, Threshold
from loupe.brain.core.results import Run
from loupe.brain.imaging.files import printable
from loupe.brain.report import thumbnails
from loupe.brain.report.blocks import Thumbnail
from loupe.brain.report.contents import Contents
from loupe.brain.slicing.columns import Column, combine, shown
from loupe.brain.slicing.factors import Factor, factors_of
from loupe.brain.slicing.overview import overview
from loupe.brain.slicing.table import tabulate
from loupe.brain.store import columns, findings, runs
from loupe.brain.store import overview as store_overview
from loupe.brain.store.connection import database_errors
from loupe.brain.store.drift import kept as drift_kept
from loupe.brain.store.runs import load_thresholds, root

#: rows and columns that a reader still takes in
_MAX_VALUES, _MAX_MODES = 25, 12
#: failure modes with pictures, factors that are shown where none is named, and runs that are listed
_MAX_SHOWN, _MAX_FACTORS, _MAX_RUNS = 40, 4, 40


def factors(view: SampleCollection) -> list[str]:
    """Returns the fields that a report slices by where none is named: the first of those that are worth it."""
    return columns.factors(view)[:_MAX_FACTORS]


def read(
    view: SampleCollection, by: Iterable[str | Factor], *, title: str, examples: int, results: Sequence[Record]
) -> tuple[Contents, dict[str, list[str]]]:
    """Returns what is known of a view, and for each failure mode and finding the ids of its examples.

    Args:
        view: a dataset or view, at least one sample
        by: field paths and factors; each gives a table of its own
        title: the report's name
        examples: how many pictures a failure mode gets
        results: what else was found

    Raises:
        UnknownName, InputError: as for ``loupe.slice``
    """
    wanted = [factors_of(item) for item in by]
    table = columns.read(view, [factor for parts in wanted for factor in parts])
    known = overview(table.states, len(next(iter(table.states.values()))), examples)
    judged = table.judged()
    tables = [
        tabulate(
            " × ".join(factor.name for factor in parts),
            _column([table.factors[factor.name] for factor in parts]),
            judged,
            max_values=_MAX_VALUES,
            max_modes=_MAX_MODES,
        )
        for parts in (wanted if judged else ())
    ]
    with database_errors():
        ids = view.values("id")
    contents = Contents(
        title=title,
        dataset=root(view).name,
        n=known.n,
        whole=known.n == len(root(view)),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        overview=known,
        tables=tuple(tables),
        thresholds=_thresholds(view, list(judged)),
        runs=_runs(view),
        results=tuple(results),
        as_asked=store_overview.as_asked(view),
        inapplicable=store_overview.inapplicable(view, table.states),
    )
    pictured = {rate.failure: [ids[at] for at in known.examples[rate.failure]] for rate in known.failing[:_MAX_SHOWN]}
    for result in results:
        if isinstance(result, SliceFindings):
            pictured |= {finding.key: list(finding.examples[:examples]) for finding in result.findings}
    return contents, pictured


def kept(view: SampleCollection) -> list[Record]:
    """Returns what verbs found last on these very samples: worst slices and drift, where that can still be read."""
    own = columns.fingerprint(view)
    last = findings.load(view)
    drift = drift_kept.load(view)
    made: list[Record] = []
    if last is not None and last.view == own:
        made.append(last.findings)
    stages = json.dumps(view._serialize()) if isinstance(view, fo.DatasetView) else ""
    if drift is not None and drift.stages == stages:
        made.append(drift.drift)
    return made


def pictures(
    view: SampleCollection, examples: Mapping[str, Sequence[str]], report: ProgressCallback
) -> dict[str, tuple[Thumbnail, ...]]:
    """Returns thumbnails of the examples of each failure mode; a file that cannot be read has none, and says so."""
    ids = list(dict.fromkeys(sample_id for some in examples.values() for sample_id in some))
    with database_errors():
        paths = dict(zip(*view.select(ids).values(["id", "filepath"]), strict=True)) if ids else {}
    made: dict[str, Thumbnail] = {}
    for number, sample_id in enumerate(ids):
        report(Progress(number, len(ids), "pictures"))
        # a sample that somebody has just deleted has no picture
        if sample_id in paths:
            made[sample_id] = thumbnails.of_file(sample_id, paths[sample_id])
    return {name: tuple(made[sample_id] for sample_id in some if sample_id in made) for name, some in examples.items()}


def _column(parts: Sequence[Column]) -> Column:
    """Returns the column of a factor, or of the combinations of several."""
    if len(parts) == 1:
        return parts[0]
    n = parts[0].n
    slices = combine({str(number): part for number, part in enumerate(parts)}, n)
    names = [" × ".join(shown(value) for value in values.values()) for values in slices.values]
    return Column(tuple(names), slices.samples, slices.codes, n)


def _thresholds(view: SampleCollection, failures: Sequence[str]) -> dict[str, Threshold]:
    own, known = load_thresholds(view), registry.failures()
    used = {name: own.get(name, known[name][1].default_threshold) for name in failures}
    return {name: threshold for name, threshold in used.items() if threshold is not None}


def _runs(view: SampleCollection) -> tuple[Run, ...]:
    """Returns what verbs did; a calibration is told by its thresholds, and what is kept beside runs is none."""
    kept = []
    for key in runs.listed(view):
        facts = (runs.results(view, key) or {}).get("run") or {}
        if facts and facts.keys() <= {field.name for field in fields(Run)}:
            kept.append(Run(**facts))
    return tuple(kept[-_MAX_RUNS:])


def name(view: SampleCollection) -> str:
    """Returns the name of a view's dataset."""
    return str(root(view).name)


def file_names(view: SampleCollection) -> list[str]:
    """Returns the names of the samples' files, without their folders."""
    with database_errors():
        return [printable(path) for path in view.values("filepath")]
