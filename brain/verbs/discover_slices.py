"""``loupe.discover_slices``: the slices that fail more often than the rest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from loupe.brain.core.errors import InputError
from loupe.brain.core.findings import SliceFindings
from loupe.brain.core.numbers import require_numbers, require_whole
from loupe.brain.core.records import ProgressCallback
from loupe.brain.slicing.discovery import Settings, discover
from loupe.brain.slicing.factors import Factor, listed
from loupe.brain.slicing.findings import note_of_values, plain_params, reported, usable
from loupe.brain.slicing.lattice import MAX_VALUES
from loupe.brain.slicing.outcomes import Outcome
from loupe.brain.store import findings as store_findings
from loupe.brain.verbs.lifecycle import running

if TYPE_CHECKING:
    import fiftyone as fo


def discover_slices(
    samples: fo.Dataset | fo.DatasetView,
    *,
    failure: str | None = None,
    outcome: Outcome | None = None,
    by: str | Factor | Iterable[str | Factor] | None = None,
    max_factors: int = 3,
    min_samples: int = 20,
    fdr: float = 0.05,
    seed: int = 0,
    embeddings: str | None = None,
    groups: tuple[str, ...] = ("prompt", "duplicate_group"),
    progress: bool | ProgressCallback | None = None,
) -> SliceFindings:
    """Finds the slices that fail more often than the rest, and confirms them on samples that it did not look at.

    Every combination of up to three factor values is counted on one half of the samples, and the worst are tested on
    the other half, all of them corrected for (Benjamini-Hochberg). Only what is confirmed there is a finding. Samples
    of one prompt, and near duplicates, stay in one half, and count as as many as they tell. A slice that a simpler one
    explains is folded into it. Nothing is written to the samples; the findings are kept on the dataset for the panel.

    Args:
        samples: a dataset or view
        failure: one failure mode, or "any" for some failure mode; None for each that something was judged for, and for
            what only shows in all of them together
        outcome: what is looked at instead of failure modes, e.g. the wrong predictions of an evaluation run
        by: field paths and factors whose values are combined; None for those that are worth looking at: fields of few
            values, labels, tags, and numbers in bins
        max_factors: how many values a slice may combine, in [1, 3]
        min_samples: how many samples a slice has, at least 2
        fdr: which share of the findings may be false, in (0, 0.5]
        seed: decides which half is which, in [0, 2**32)
        embeddings: a field of vectors, whose neighborhoods are looked through, too
        groups: fields whose values tie samples together; those that the dataset lacks are left out
        progress: True for a bar, or a function; see ``loupe.Progress``

    Returns:
        the findings, the surest first; without any, ``message`` says why. ``loupe.view_of(samples, finding)`` gives the
        samples of one

    Raises:
        NoSamples: the view is empty
        UnknownName: no such field or failure mode; the nearest name is suggested
        InputError: a field of another kind, both a failure and an outcome, a number out of its bounds, or no images
        Stopped: ``progress`` asked to stop

    >>> loupe.discover_slices(dataset).findings[0].sentence  # doctest: +SKIP
    'Blur: 31 % of night × rain pictures fail [24 %, 39 %], 3.1 times as often as elsewhere (q = .002)'
    """
    settings = _settings(max_factors, min_samples, fdr, seed)
    if failure is not None and outcome is not None:
        raise InputError(f"expected a failure or an outcome, got both: {failure!r} and {outcome.name!r}")
    wanted = None if by is None else listed(by, "by")
    ties = (groups,) if isinstance(groups, str) else tuple(groups or ())
    with running(samples, "discover_slices", progress, label="worst slices") as verb:
        verb.step(0, 4, "reading")
        known, unit, notes = store_findings.read(
            verb.samples, failure=failure, outcome=outcome, by=wanted, groups=ties, embeddings=embeddings
        )
        notes += note_of_values(known.columns, settings.min_samples, MAX_VALUES)
        states = usable(known.states, settings.min_samples)
        made = None
        if states and (known.columns or unit is not None):
            made = discover(
                states,
                known.columns,
                groups=known.groups,
                unit=unit,
                settings=settings,
                step=lambda done, total, message: verb.step(1 + done, 1 + total, message),
            )
        report = reported(known, made, settings, notes=notes)
        params = {"failure": failure, "outcome": outcome, "by": wanted, "embeddings": embeddings, "groups": ties}
        store_findings.keep(verb.samples, report, {**plain_params(params), **report.params})
    return report


def _settings(max_factors: int, min_samples: int, fdr: float, seed: int) -> Settings:
    require_whole(max_factors=(max_factors, 1, 3), min_samples=(min_samples, 2), seed=(seed, 0, 2**32 - 1))
    require_numbers(fdr=(fdr, 1e-12, 0.5))
    return Settings(max_factors, min_samples, float(fdr), seed)
