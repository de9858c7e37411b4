"""``loupe.find_bias``: how groups of samples differ in labels, quality, and in what models do on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.numbers import require_numbers, require_whole
from loupe.brain.core.records import ProgressCallback
from loupe.brain.evaluation import bias
from loupe.brain.evaluation.bias import Parts, Settings
from loupe.brain.evaluation.bias_records import Bias, GroupRate, sizes
from loupe.brain.evaluation.labels import Labels
from loupe.brain.evaluation.slicing import Model, Options
from loupe.brain.slicing.columns import Column, shown
from loupe.brain.slicing.factors import Factor, factors_of
from loupe.brain.slicing.outcomes import State
from loupe.brain.store import bias as store
from loupe.brain.store import rows as store_rows
from loupe.brain.store.evaluation import results as store_evaluations
from loupe.brain.verbs.lifecycle import running

if TYPE_CHECKING:
    import fiftyone as fo

#: with more classes nobody reads them; the most frequent are compared
MAX_CLASSES = 30


def find_bias(
    samples: fo.Dataset | fo.DatasetView,
    by: str | Factor | Iterable[str | Factor],
    *,
    label: str | Factor | None = None,
    predictions: str | Iterable[str] = (),
    positive: str | None = None,
    confidence: float | None = None,
    scores: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    min_samples: int = 20,
    min_difference: float = 0.05,
    fdr: float = 0.05,
    interval: float = 0.95,
    progress: bool | ProgressCallback | None = None,
) -> Bias:
    """Compares groups of samples: their sizes, labels, failures and scores, and what models do on them.

    Of data: how often each class is given, how often each failure mode occurs, and the mean of each raw score, each
    against all other samples. Of models: accuracy, selection rate, recall (true positive rate), false positive rate and
    precision; demographic parity and equalized odds. Rates have Wilson's intervals and differences Newcombe's, all of a
    kind are corrected together. Groups of too few are shown, named and not tested. Nothing is written.

    Args:
        samples: a dataset or view
        by: what makes the groups: a field path or a factor, or several for the combinations that occur
        label: the classes: a field of labels or texts; with predictions the ground truth
        predictions: the field of a model's predictions, or of several models; of the ground truth's kind
        positive: the class whose selection, recall and false positives are asked for; None: each class in turn
        confidence: predictions that are less sure do not count; all by default
        scores: fields of numbers whose means are compared; None: all raw scores; an empty list: none
        groups: fields; samples that share a value of one are alike and count as fewer. None: "prompt" and
            "duplicate_group", where they are; an empty list: none
        min_samples: groups that count as fewer are not tested, at least 2
        min_difference: differences of rates below it are no findings, in [0, 1]
        fdr: which share of the findings may be false, in (0, 0.5]
        interval: how sure the intervals are, in (0, 1)
        progress: True for a bar, or a function; see ``loupe.Progress``

    Raises:
        UnknownName: no such field or class; the nearest name is suggested
        InputError: no factor, too many groups, predictions without a label or of another kind, the label among what
            makes the groups, or a number out of its bounds
        NoSamples: the view is empty
        Stopped: ``progress`` asked to stop

    Example::

        print(loupe.find_bias(dataset, "country", label="ground_truth", predictions="model"))
    """
    models = [predictions] if isinstance(predictions, str) else list(predictions)
    require_whole(min_samples=(min_samples, 2))
    # an interval of nothing or of everything says nothing
    require_numbers(min_difference=(min_difference, 0, 1), fdr=(fdr, 1e-6, 0.5), interval=(interval, 1e-6, 1 - 1e-6))
    settings = Settings(min_samples, float(interval))
    if models and not isinstance(label, str):
        raise InputError("expected the field of the ground truth beside predictions: label='ground_truth'")
    factors = factors_of(by)
    with running(samples, "find_bias", progress, label="bias") as verb:
        view = verb.samples
        store_rows.require_samples(view)
        verb.step(0, 3, "reading")
        wanted = (groups,) if isinstance(groups, str) else groups
        read = store.read(view, factors, label, (scores,) if isinstance(scores, str) else scores, wanted)
        parts = Parts.of(read.slices, read.cluster)
        verb.step(1, 3, "comparing data")
        notes: list[str] = []
        labels = bias.corrected_rates(_labels(parts, read.label, settings, notes))
        failures = bias.corrected_rates(
            [
                rate
                for name, state in read.states.items()
                for rate in bias.rates_of(
                    parts, state >= State.PASSED, state == State.FAILED, "failure", name, settings
                )
            ]
        )
        gaps = [gap for name, values in read.scores.items() for gap in bias.score_gaps(parts, name, values, settings)]
        verb.step(2, 3, "comparing models")
        rates: list[GroupRate] = []
        if models:
            truths = store_evaluations.read(view, models, str(label))
            if len(truths.ids) != len(read.cluster):
                raise InputError("the samples were changed while they were read: call again")
            rates = bias.corrected_rates(_models(truths, parts, positive, confidence, settings, notes))
        verb.step(3, 3, "done")
    made = bias.group_sizes(parts, settings)
    if len(made) < 2:
        notes.insert(0, f"there is one group only: {made[0].name}")
    apart = bias.how_far_apart([*rates, *labels, *failures], settings)
    params: dict[str, Any] = {"label": str(label) if label is not None else None, "predictions": models}
    params |= {"min_samples": min_samples, "min_difference": min_difference, "fdr": fdr, "interval": interval}
    return Bias(
        by=tuple(each.name for each in factors),
        n=len(read.cluster),
        groups=tuple(made),
        labels=tuple(labels),
        failures=tuple(failures),
        scores=tuple(bias.corrected_gaps(gaps)),
        models=tuple(rates),
        apart=tuple(apart),
        notes=(*sizes(made, min_samples), *notes),
        params={**params, "positive": positive, "confidence": confidence, "groups": list(read.clustered)},
    )


def _labels(parts: Parts, column: Column | None, settings: Settings, notes: list[str]) -> list[GroupRate]:
    """Returns how often each class is given in each group, of the samples that have a label."""
    if column is None:
        return []
    known = np.zeros(column.n, dtype=bool)
    classes = [(code, value) for code, value in enumerate(column.values) if value is not None]
    for code, _ in classes:
        known[column.samples[column.codes == code]] = True
    if not known.all():
        notes.append(f"{int((~known).sum()):,} samples without a label are left out of the rates of labels")
    counts = column.counts()
    classes.sort(key=lambda each: -counts[each[0]])
    if len(classes) == 2:
        # the rates of the other are what is left of 100 %
        classes = [max(classes, key=lambda each: shown(each[1]))]
    if len(classes) > MAX_CLASSES:
        notes.append(f"of {len(classes):,} classes the {MAX_CLASSES} most frequent are compared")
    made: list[GroupRate] = []
    for code, value in classes[:MAX_CLASSES]:
        has = np.zeros(column.n, dtype=bool)
        has[column.samples[column.codes == code]] = True
        made += bias.rates_of(parts, known, has, "label", shown(value), settings)
    return made


def _models(
    truths: Labels,
    parts: Parts,
    positive: str | None,
    confidence: float | None,
    settings: Settings,
    notes: list[str],
) -> list[GroupRate]:
    """Returns what each model does on each group: of a classification for each class, or the positive one."""
    if positive is not None and positive not in truths.classes:
        raise UnknownName("class", positive, truths.classes)
    # samples that belong together count as fewer here, too
    truths = replace(truths, cluster=parts.cluster)
    positives: list[str | None] = [positive]
    if truths.kind == "classification" and positive is None:
        assert truths.truth.label is not None
        counts = np.bincount(truths.truth.label[truths.truth.known], minlength=len(truths.classes))
        order = np.argsort(-counts, kind="stable")[:MAX_CLASSES].tolist()
        positives = [truths.classes[at] for at in order if counts[at]]
        if len(positives) == 2:
            # what is true of one of two classes is false of the other
            positives = [max(str(each) for each in positives)]
            notes.append(f"{positives[0]!r} is taken as the positive class of the two: positive= for the other")
        if (counts > 0).sum() > MAX_CLASSES:
            notes.append(f"models: the {MAX_CLASSES} most frequent classes are compared")
    made: list[GroupRate] = []
    for name in truths.models:
        for at, own in enumerate(positives):
            model = Model(truths, name, Options(positive=own) if truths.kind == "classification" else Options())
            rows = bias.rates_of_model(model, parts, settings, label=own or "", confidence=confidence)
            # accuracy is that of all classes, whichever is the positive one
            made += [replace(each, label="") for each in rows if each.measure == "accuracy" and not at]
            made += [each for each in rows if each.measure != "accuracy"]
        unjudged = int((truths.truth.known & ~model.judged).sum())
        if unjudged:
            notes.append(f"{unjudged:,} labeled samples without {name} are left out of its rates")
    return made
