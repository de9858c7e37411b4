"""What ``find_bias`` returns: how groups of samples differ in size, labels, quality, and in what models do on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from loupe.brain.core.evaluation import METRICS
from loupe.brain.core.p_values import equals, p_value
from loupe.brain.core.records import Record
from loupe.brain.core.shares import percent
from loupe.brain.core.tables import Table, Tabular
from loupe.brain.core.taxonomy import failure_title
from loupe.brain.stats.intervals import Proportion

Kind = Literal["label", "failure", "model"]


@dataclass(frozen=True)
class Group(Record):
    """A group of samples.

    Attributes:
        name: its values
        share: how many of all samples are in it
        effective_n: as how many independent samples it counts
        few: whether it has too few to be compared
    """

    name: str
    share: Proportion
    effective_n: float
    few: bool


@dataclass(frozen=True)
class GroupRate(Record):
    """A rate of a group, and how it differs from that of all other samples.

    Attributes:
        group: the group
        kind: of a label: how many samples have the class; of a failure: how many fail; of a model: a metric
        measure: the class, the failure mode, or the metric
        model: the field of the predictions; empty for the data
        label: of a model's metric: the class that counts as positive; empty where all classes count
        share: k of n with its Wilson interval, at the effective n where samples come in groups
        rest: the same of all other samples
        effective_n: as how many independent samples those of the group count
        difference: share less rest, in [-1, 1]
        low, high: its interval, by Newcombe; NaN where a side is empty
        p: of the test that there is no difference, two-sided
        q: p, corrected for all groups and measures of the kind (Benjamini-Hochberg); NaN where it was not tested
        few: whether a side has too few to be compared: it is shown, and not tested
    """

    group: str
    kind: Kind
    measure: str
    model: str
    label: str
    share: Proportion
    rest: Proportion
    effective_n: float
    difference: float
    low: float
    high: float
    p: float
    q: float
    few: bool

    @property
    def title(self) -> str:
        """What was measured, in words."""
        if self.kind == "label":
            return f"labeled {self.measure}"
        if self.kind == "failure":
            return failure_title(self.measure)
        of = f" of {self.label}" if self.label else ""
        return f"{metric_title(self.measure)}{of}, {self.model}"

    @property
    def sentence(self) -> str:
        """How the group differs, in one sentence."""
        return (
            f"{self.title}: {percent(self.share.rate)} in {self.group}, {percent(self.rest.rate)} elsewhere, "
            f"{_moved(self)} (q {equals(self.q)})"
        )


@dataclass(frozen=True)
class ScoreGap(Record):
    """How the mean of a raw score differs between a group and all other samples.

    Attributes:
        group: the group
        score: the field
        mean, rest: the means
        n: how many samples of the group have it
        difference: mean less rest, in the score's unit
        low, high: its interval (Welch's, cluster-robust where samples come in groups)
        size: the difference in standard deviations of all samples
        p, q: as in ``GroupRate``
        few: as there
    """

    group: str
    score: str
    mean: float
    rest: float
    n: int
    difference: float
    low: float
    high: float
    size: float
    p: float
    q: float
    few: bool

    @property
    def sentence(self) -> str:
        """How the group differs, in one sentence."""
        return (
            f"{self.score}: {self.mean:.3g} on average in {self.group}, {self.rest:.3g} elsewhere, {self.size:+.1f} "
            f"standard deviations (q {equals(self.q)})"
        )


@dataclass(frozen=True)
class Apart(Record):
    """How far the groups are apart in a rate: the highest less the lowest.

    Attributes:
        name: ``"demographic parity"``: selection rates; ``"equalized odds"``: the larger of recall and false positive
            rate; or the metric, class or failure mode itself
        kind: as in ``GroupRate``
        model, label: as there
        difference: in [0, 1]; 0 is parity. What fairlearn calls the difference between groups
        low, high: an interval that holds all pairs of groups at once, so that it is not too narrow for the largest
        highest, lowest: the groups
        groups: of how many
        left_out: groups of too few
    """

    name: str
    kind: Kind
    model: str
    label: str
    difference: float
    low: float
    high: float
    highest: str
    lowest: str
    groups: int
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class Bias(Tabular, Record):
    """How groups of samples differ.

    Attributes:
        by: what the groups are made by
        n: how many samples there are
        groups: the groups, the largest first
        labels: how often each class is given in each group
        failures: how often each failure mode occurs
        scores: how raw scores differ
        models: what each model does on each group
        apart: how far the groups are apart in each of these, the farthest first
        notes: what was left out, and why
        params: the settings
    """

    by: tuple[str, ...]
    n: int
    groups: tuple[Group, ...]
    labels: tuple[GroupRate, ...]
    failures: tuple[GroupRate, ...]
    scores: tuple[ScoreGap, ...]
    models: tuple[GroupRate, ...]
    apart: tuple[Apart, ...]
    notes: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def findings(self) -> tuple[GroupRate | ScoreGap, ...]:
        """The differences that are sure (q at most ``fdr``) and large enough, the surest first.

        Of rates at least ``min_difference``; of scores a fifth of a standard deviation. Where there are two groups, of
        each pair the one that is higher; of two classes likewise.
        """
        fdr, minimum = float(self.params.get("fdr", 0.05)), float(self.params.get("min_difference", 0.05))
        rates = [
            each
            for each in (*self.models, *self.labels, *self.failures)
            if each.q <= fdr and abs(each.difference) >= minimum and not self._mirrored(each.difference)
        ]
        scores = [
            each
            for each in self.scores
            if each.q <= fdr and abs(each.size) >= _SIZE and not self._mirrored(each.difference)
        ]
        return tuple(sorted([*rates, *scores], key=lambda each: each.p))

    def _mirrored(self, difference: float) -> bool:
        return len(self.groups) == 2 and difference < 0

    def sentences(self) -> list[str]:
        """Returns what was found, sentence by sentence; never empty."""
        findings = self.findings
        made = [each.sentence for each in findings[:_MAX_SENTENCES]]
        if len(findings) > len(made):
            made.append(f"and {len(findings) - len(made):,} more: .findings")
        if not made:
            made.append(f"no difference between groups by {', '.join(self.by)} is sure and large")
        return [*made, *self.notes]

    def table(self) -> Table:
        """Returns the table that it prints as: a row for each rate and score of each group, the surest first."""
        rows = []
        for each in sorted((*self.models, *self.labels, *self.failures), key=_surest):
            cells = (each.group, each.title, percent(each.share.rate), _interval(each.share))
            rest = (percent(each.rest.rate), _moved(each))
            rows.append((*cells, *rest, _q(each), each.share.n))
        for gap in sorted(self.scores, key=_surest):
            cells = (gap.group, gap.score, f"{gap.mean:.3g}", "")
            rest = (f"{gap.rest:.3g}", f"{gap.difference:+.3g} [{gap.low:+.3g}, {gap.high:+.3g}]")
            rows.append((*cells, *rest, _q(gap), gap.n))
        number = len(self.findings)
        title = f"{number:,} {'difference' if number == 1 else 'differences'} between {len(self.groups):,} groups by "
        title += f"{', '.join(self.by)}; {self.n:,} samples"
        head = ("group", "what", "rate or mean", "interval", "elsewhere", "difference", "q", "n")
        lines = [_apart(each) for each in self.apart[:_MAX_APART]]
        return Table.of(title, head, rows, "\n".join([*lines, *self.notes]))


#: so many standard deviations are a difference of scores that is worth a word: Cohen's "small"
_SIZE = 0.2
_MAX_APART = 6
#: nobody reads more
_MAX_SENTENCES = 12


def metric_title(name: str) -> str:
    """Returns how a metric is called."""
    return METRICS[name][0] if name in METRICS else name


def points(difference: float) -> str:
    """Returns a difference of shares in percentage points; "–" for NaN.

    >>> points(0.214), points(-0.05), points(float("nan"))
    ('+21', '-5.0', '–')
    """
    number = 100 * difference
    if number != number:
        return "–"
    return f"{number:+.0f}" if abs(number) >= 9.95 else f"{number:+.1f}"


def sizes(groups: Sequence[Group], min_samples: int) -> list[str]:
    """Returns sentences on groups that are too small to say anything of."""
    made = []
    single = [each.name for each in groups if each.share.k == 1]
    few = [f"{each.name} ({each.share.k})" for each in groups if each.few and each.share.k > 1]
    if single:
        made.append(f"groups of one sample, of which nothing can be said: {_listed(single)}")
    if few:
        made.append(f"groups that count as fewer than {min_samples} samples, shown and not tested: {_listed(few)}")
    return made


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8:,} more" if len(names) > 8 else "")


def _apart(each: Apart) -> str:
    of = "".join(f", {name}" for name in (each.label, each.model) if name)
    name = each.name if each.kind == "model" else f"{each.kind} {each.name}"
    return (
        f"{name}{of}: {percent(each.difference)} apart [{percent(each.low)}, {percent(each.high)}], highest in "
        f"{each.highest}, lowest in {each.lowest}"
    )


def _interval(share: Proportion) -> str:
    return f"{percent(share.low)} to {percent(share.high)}" if share.n else ""


def _moved(each: GroupRate) -> str:
    known = each.share.n and each.rest.n
    return f"{points(each.difference)} points [{points(each.low)}, {points(each.high)}]" if known else ""


def _q(each: GroupRate | ScoreGap) -> str:
    return "few" if each.few else p_value(each.q)


def _surest(each: GroupRate | ScoreGap) -> tuple[bool, float]:
    return each.few, each.p
