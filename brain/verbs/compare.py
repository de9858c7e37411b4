"""``loupe.compare``: models, runs or dates side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from loupe.brain.core.comparison import Comparison, Regression, Within
from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.slicing import changed, comparison, ranks, regressions
from loupe.brain.slicing.factors import Factor, listed
from loupe.brain.slicing.outcomes import Outcome
from loupe.brain.slicing.within import within as within_categories
from loupe.brain.store import columns
from loupe.brain.store import datasets as store_datasets
from loupe.brain.store.comparison import columns as compared
from loupe.brain.store.connection import database_errors

if TYPE_CHECKING:
    from fiftyone.core.collections import SampleCollection

#: so many contenders make so many comparisons that it is said
_MANY = 50


@database_errors()
def compare(
    samples: SampleCollection,
    by: str | Factor | Iterable[str | Factor | Outcome] = "generation.model",
    *,
    failure: str | None = None,
    outcome: Outcome | None = None,
    paired_by: str | Sequence[str] | bool | None = None,
    groups: str | bool | None = None,
    against: str | None = None,
    slices: str | Factor | Iterable[str | Factor] | None = None,
    within: str | Factor | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> Comparison:
    """Puts models, generators, runs, prompt styles or dates side by side: a leaderboard of failure rates.

    It ranks only as far as the data tell: a rank is a range, and those that are tied are named. Each two are compared
    by pairs where they share them (the same prompt and seed), else with all of their samples; unknown and unchecked
    samples count nowhere, and a pair with one of them counts nowhere either. All comparisons are corrected together.

    The record prints as a table. Nothing is written.

    Args:
        samples: a dataset or view
        by: a field path or a factor whose values are compared; or several outcomes, for models whose predictions stand
            on the same samples (a field of yes and no counts as one that fails at no)
        failure: one failure mode; None or "any" for failing in any way that was judged of each of them
        outcome: what is counted instead of failure modes
        paired_by: the fields whose values two samples share to be a pair. None finds them: the prompt and the seed, or
            the prompt alone, where at least half of the judged samples of the smaller one have a partner; False pairs
            none
        groups: the field whose samples are alike, so that they count as fewer. None: the prompt, where it has several
            samples; False: none
        against: one of those that are compared: where do the others fail more often than that one?
        slices: the factors that this is looked for by; the fields with few values by default, "scenario" first
        within: a field or a factor of at most 50 values, such as a suite's ``"scenario.category"``: the rates of each
            of its values, too. Those have intervals, and no ranks: ranks are of all samples
        confidence: of the intervals, and of all ranks at once, in (0, 1)
        seed: decides the halves: such slices are chosen on one and confirmed on the other

    Raises:
        NoSamples: the view is empty
        UnknownName: no such field, failure mode, or nothing of the name of ``against``
        InputError: a view of patches, frames or groups, whose samples are no whole pictures; fewer than 2 or more than
            200 to compare; both a failure and an outcome; a field of another kind; a confidence outside (0, 1);
            categories of one value or more than 50

    Example::

        loupe.compare(dataset)                                     # generation.model, any failure
        loupe.compare(dataset, "generation.model", failure="hand_malformed", against="old-model").regressions
        loupe.compare(dataset, ["eval_a", "eval_b"])               # two models' predictions on the same pictures
    """
    if failure is not None and outcome is not None:
        raise InputError(f"expected a failure or an outcome, got both: {failure!r} and {outcome.name!r}")
    store_datasets.require_images(samples)
    if isinstance(by, Outcome) or not isinstance(by, (str, Factor, Iterable)):
        raise InputError(f"expected a field, a factor or several outcomes to compare, got {by!r}")
    given = by if isinstance(by, (str, Factor)) else list(by)
    looked_by = _slices(samples, given, outcome, slices) if against is not None else []
    name = _category(within)
    beside = [] if within is None or name in map(_category, looked_by) else [within]
    read = compared.read(samples, given, failure, outcome, paired_by, groups, [*looked_by, *beside])
    made = comparison_of(read, confidence)
    if within is not None:
        parts = _within(read, within, confidence)
        made = replace(made, categories=name, within=parts)
    if beside:
        # what was not to be looked at for regressions is not
        read = replace(read, factors={path: column for path, column in read.factors.items() if path != name})
    if against is None:
        return made
    names = [own.name for own in made.standings]
    if against not in names:
        raise UnknownName("contender", str(against), names)
    listed, notes = _regressions(read, made, against, seed)
    return replace(made, against=against, regressions=tuple(listed), notes=(*made.notes, *notes))


def comparison_of(read: compared.Compared, confidence: float = 0.95) -> Comparison:
    """Returns the comparison of what was read.

    Raises:
        InputError: as for ``compare``
    """
    entries = read.entries
    if len(entries.names) < 2:
        only = f"only {entries.names[0]!r}" if entries.names else "none"
        raise InputError(
            f"expected at least two to compare by {read.by!r}, got {only}: compare by another field, or add the "
            "samples of another one"
        )
    rates = comparison.standings(entries, read.by, read.failure, confidence)
    differences = comparison.differences(entries, rates, min_shared=read.min_shared, confidence=confidence)
    standings, tied = ranks.ranked(rates, differences, confidence)
    notes = [_pairing(read, sum(each.paired for each in differences), len(differences)), *read.notes]
    if read.groups:
        notes.append(f"samples of one {read.groups} are alike: the intervals count them as fewer")
    if len(entries.names) >= _MANY:
        notes.append(
            f"{len(entries.names)} are {len(differences):,} comparisons: corrected for so many, only large differences "
            "tell"
        )
    return Comparison(
        by=read.by,
        failure=read.failure,
        standings=tuple(standings),
        differences=tuple(differences),
        tied=tied,
        paired_by=read.paired_by if any(each.paired for each in differences) else (),
        groups=read.groups,
        confidence=confidence,
        notes=tuple(notes),
    )


def _category(factor: str | Factor | None) -> str:
    return factor.name if isinstance(factor, Factor) else factor or ""


def _within(read: compared.Compared, factor: str | Factor, confidence: float) -> tuple[Within, ...]:
    name = _category(factor)
    column = read.factors.get(name)
    if column is None:
        raise InputError(
            f"expected categories of 2 to {compared.MAX_VALUES} values that are not compared themselves, got {name!r}: "
            "take another field, or fewer values by loupe.Factor.field(path, bins=...)"
        )
    return within_categories(read.entries, read.rows, column, read.by, read.failure, confidence)


def _pairing(read: compared.Compared, paired: int, every: int) -> str:
    if not read.paired_by:
        return "not paired"
    fields = "the sample" if read.paired_by == ("id",) else " and ".join(read.paired_by)
    if not paired:
        return f"not paired: too few share {fields}"
    return f"paired by {fields}" + (f": {paired:,} of {every:,} comparisons" if paired < every else "")


def _slices(
    samples: SampleCollection, by: object, outcome: Outcome | None, slices: str | Factor | Iterable[str | Factor] | None
) -> list[str | Factor]:
    if slices is not None:
        return listed(slices, "slices")
    # what is compared, and what decides who failed, is no scenario; nor is how a model made its picture
    own = set(_paths(by)) | set(_paths(outcome))
    return [path for path in columns.factors(samples) if path not in own and not path.startswith("generation.")]


def _paths(given: object) -> Iterator[str]:
    if isinstance(given, str):
        yield given
    elif isinstance(given, Factor):
        yield from (part.path for part in given.parts())
    elif isinstance(given, Outcome):
        yield from (fact.path for fact in given.facts.values())
    elif isinstance(given, Iterable):
        for item in given:
            yield from _paths(item)


def _regressions(
    read: compared.Compared, made: Comparison, against: str, seed: int
) -> tuple[list[Regression], list[str]]:
    listed: list[Regression] = []
    left_out: set[str] = set()
    for standing in made.standings:
        if standing.name == against:
            continue
        paired = made.difference(standing.name, against).paired
        units, unlike = changed.units_of(read.entries, read.rows, read.factors, standing.name, against, paired=paired)
        left_out.update(unlike)
        listed += regressions.find(units, confidence=made.confidence, seed=seed)
    notes = [f"not looked at, for they differ within pairs: {', '.join(sorted(left_out))}"] if left_out else []
    return regressions.corrected(listed), notes
