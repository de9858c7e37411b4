"""What a report tells: plain records, read once, from which every form of it is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from loupe.brain.core.records import Record, Threshold
from loupe.brain.core.results import Run
from loupe.brain.report.blocks import Thumbnail
from loupe.brain.slicing.overview import Overview
from loupe.brain.slicing.table import Table


@dataclass(frozen=True)
class Contents(Record):
    """What is known of the samples of a report.

    Attributes:
        title: the report's name
        dataset: the dataset's name
        n: how many samples
        whole: whether these are all samples of the dataset
        created: when it was read: ISO 8601 in UTC
        overview: which failures there are, and what nobody knows
        tables: the rates of each factor's values
        thresholds: of each failure mode that somebody judged by: the one in use
        runs: what ran on the dataset, the first first
        results: what else was found: findings, comparisons, evaluations, drift
        as_asked: for each failure mode that prompts ask for, for how many samples it is therefore not counted
        inapplicable: for each check that could not judge nearly all samples, that and the commonest reason
    """

    title: str
    dataset: str
    n: int
    whole: bool
    created: str
    overview: Overview
    tables: tuple[Table, ...]
    thresholds: Mapping[str, Threshold]
    runs: tuple[Run, ...]
    results: tuple[Record, ...] = ()
    as_asked: Mapping[str, int] = field(default_factory=dict)
    inapplicable: Mapping[str, str] = field(default_factory=dict)


#: for each failure mode, and for the key of each finding, its pictures
Examples = Mapping[str, tuple[Thumbnail, ...]]
