"""Slices that fail more often than the rest: what ``discover_slices`` returns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from loupe.brain.core.hashes import json_hash
from loupe.brain.core.p_values import equals, p_value
from loupe.brain.core.records import Record
from loupe.brain.core.results import Rate, Slice
from loupe.brain.core.shares import percent
from loupe.brain.core.shown import field_name
from loupe.brain.core.tables import Table, Tabular
from loupe.brain.core.taxonomy import failure_title


@dataclass(frozen=True)
class Neighborhood(Record):
    """The samples whose vectors are near to that of one sample.

    Attributes:
        field: of the vectors
        center: the id of that sample
        cosine: the cosine from which on a vector is near, in [−1, 1]
        mostly: values that most of them have, and far fewer of the others: (factor, value, share in [0, 1]) each
    """

    field: str
    center: str
    cosine: float
    mostly: tuple[tuple[str, str, float], ...] = ()


@dataclass(frozen=True)
class Finding(Record):
    """A slice that fails more often than all other samples.

    It was found on one half of the samples, the explored one; ``rate``, ``rest``, ``lift``, ``p`` and ``q`` are of the
    other half, on which nobody has looked for it: what is chosen for its rate has too high a rate where it was chosen.

    Attributes:
        slice: which samples
        failure: the failure mode or other outcome; "any": some failure mode
        rate: the slice on the confirming half
        rest: all other samples of that half
        lift: how many times as often the slice fails as the rest; infinite where the rest never fails
        lift_low, lift_high: the 95 % interval of the lift
        p: of the test that the slice does not fail more often
        q: p, corrected for all slices that were tested (Benjamini-Hochberg)
        confirmed: whether q is at most the false discovery rate that was asked for; else it is a candidate
        whole: the slice on all samples, both halves: as ``loupe.slice`` counts it
        examples: the ids of some samples of the slice that failed
        also: slices that fail more often, too, and say the same: most of their excess lies in this one
        factors: what the slice is made by, as ``Factor.to_dict`` gives it, bins fitted
        near: of a slice of vectors: which
    """

    slice: Slice
    failure: str
    rate: Rate
    rest: Rate
    lift: float
    lift_low: float
    lift_high: float
    p: float
    q: float
    confirmed: bool
    whole: Rate
    examples: tuple[str, ...] = ()
    also: tuple[Rate, ...] = ()
    factors: tuple[Mapping[str, Any], ...] = ()
    near: Neighborhood | None = None

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Finding:
        """Returns the finding that ``to_dict`` made plain values of."""
        near = facts["near"]
        kept = {
            "slice": Slice(facts["slice"]["values"]),
            **{name: _rate(facts[name]) for name in ("rate", "rest", "whole")},
            # an infinite lift is no plain value
            "lift": _number(facts["lift"], math.inf if facts["rate"]["failures"] else math.nan),
            **{name: _number(facts[name]) for name in ("lift_low", "lift_high", "p", "q")},
            "examples": tuple(facts["examples"]),
            "also": tuple(map(_rate, facts["also"])),
            "factors": tuple(facts["factors"]),
            "near": near and Neighborhood(**{**near, "mostly": tuple(tuple(each) for each in near["mostly"])}),
        }
        return cls(**{**facts, **kept})

    @property
    def key(self) -> str:
        """Says which slice and failure it is, whatever the numbers are: 16 hexadecimal digits."""
        return json_hash([self.failure, self.slice_key], 8)

    @property
    def slice_key(self) -> str:
        """Says which slice it is, whatever fails there: 16 hexadecimal digits."""
        return json_hash(sorted(self.slice.values.items()), 8)

    @property
    def where(self) -> str:
        """The slice in words, e.g. ``"night × rain"``."""
        if self.near is not None:
            mostly = ", ".join(
                f"{_named(name, value, 'text')} {percent(share)}" for name, value, share in self.near.mostly
            )
            return f"look-alike ({mostly})" if mostly else "look-alike"
        kinds = {facts["name"]: facts.get("kind") for facts in self.factors}
        return " × ".join(_named(name, value, kinds.get(name)) for name, value in self.slice.values.items())

    @property
    def sentence(self) -> str:
        """What was found, in one sentence."""
        low, high = percent(self.rate.low), percent(self.rate.high)
        start = (
            f"{failure_title(self.failure)}: {percent(self.rate.rate)} of {self.where} pictures fail [{low}, {high}]"
        )
        lift = "and none elsewhere" if math.isinf(self.lift) else f"{self.lift:.1f} times as often as elsewhere"
        return f"{start}, {lift} ({'q' if self.confirmed else 'not confirmed: q'} {equals(self.q)})"

    def __repr__(self) -> str:
        return f"Finding({self.sentence})"


@dataclass(frozen=True, repr=False)
class SliceFindings(Tabular, Record):
    """What ``discover_slices`` found.

    Attributes:
        findings: the confirmed slices, the smallest q first
        candidates: what looked worst on the explored half and was not confirmed: no findings
        n: how many samples there are
        judged: for each failure mode or other outcome how many samples were judged; only these count
        unknown: how many a check could not judge
        unchecked: how many no check has looked at
        tested: how many slices were tested on the confirming half, over all outcomes
        searched: how many slices were looked at on the explored half
        groups: of how many groups of samples that belong together (one prompt's pictures, near duplicates)
        factors: the names of the factors that were combined
        notes: what was left out, and why
        message: why there is no finding; empty where there is one
        params: the settings
    """

    findings: tuple[Finding, ...]
    candidates: tuple[Finding, ...]
    n: int
    judged: Mapping[str, int]
    unknown: Mapping[str, int]
    unchecked: Mapping[str, int]
    tested: int
    searched: int
    groups: int
    factors: tuple[str, ...]
    notes: tuple[str, ...] = ()
    message: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> SliceFindings:
        """Returns what ``to_dict`` made plain values of."""
        known = {each.name for each in fields(cls)}
        lists: dict[str, Any] = {name: tuple(facts[name]) for name in ("factors", "notes")}
        for name in ("findings", "candidates"):
            lists[name] = tuple(map(Finding.from_dict, facts[name]))
        return cls(**{**{name: value for name, value in facts.items() if name in known}, **lists})

    def by_slice(self) -> list[tuple[Finding, ...]]:
        """Returns the findings of each slice: where a slice fails in several ways, the surest first."""
        known: dict[str, list[Finding]] = {}
        for finding in self.findings:
            known.setdefault(finding.slice_key, []).append(finding)
        return [tuple(findings) for findings in known.values()]

    def table(self) -> Table:
        """Returns the table that it prints as: a row for each finding; candidates are counted."""
        rows = [
            (
                failure_title(each.failure),
                each.where,
                percent(each.rate.rate),
                f"{percent(each.rate.low)} to {percent(each.rate.high)}",
                percent(each.rest.rate),
                "∞" if math.isinf(each.lift) else f"{each.lift:.1f} [{each.lift_low:.1f}, {each.lift_high:.1f}]",
                p_value(each.q),
                each.whole.n,
                len(each.also),
            )
            for each in self.findings
        ]
        title = self.message
        if not title:
            title = f"{len(rows):,} {'slice fails' if len(rows) == 1 else 'slices fail'} more often"
            title += f"; {self.searched:,} looked at, {self.tested:,} tested on the other half"
        if self.candidates:
            title += f"; {len(self.candidates):,} not confirmed: .candidates"
        head = ("failure", "slice", "rate", "interval", "rest", "times as often", "q", "judged", "folded")
        return Table.of(title, head, rows)


def _named(name: str, value: str, kind: str | None) -> str:
    short = field_name(name)
    speaks = kind == "text" and len(value) > 2 and value[0] not in "<>[(" and value not in ("True", "False")
    if speaks:
        return value
    return f"{short} {value}"


def _rate(facts: Mapping[str, Any]) -> Rate:
    shares = {name: _number(facts[name]) for name in ("rate", "low", "high")}
    return Rate(**{**facts, **shares, "slice": Slice(facts["slice"]["values"])})


def _number(value: float | None, missing: float = math.nan) -> float:
    return missing if value is None else float(value)


def rows_of(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Returns findings as plain values with their sentences, for whoever reads JSON."""
    return [{**each.to_dict(), "sentence": each.sentence} for each in findings]
