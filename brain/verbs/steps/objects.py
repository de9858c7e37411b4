"""What ``check`` and ``flag`` do with ``objects=``: the same for each object of a field of detections.

The registry says which checks can judge the crop of an object; what they say is stored by ``store.objects.mirror``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from loupe.brain.core import presets, reasons, registry
from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Output, Threshold
from loupe.brain.core.results import Flags, Run
from loupe.brain.core.specs import Check, ObjectMeasure, SetMeasure
from loupe.brain.engine import objects as engine
from loupe.brain.engine.objects import OBJECTS, ObjectVerdict
from loupe.brain.store import asked as store_asked
from loupe.brain.store import fields as store_fields
from loupe.brain.store import runs as store_runs
from loupe.brain.store.datasets import root
from loupe.brain.store.objects import mirror as store_objects
from loupe.brain.store.objects import scores as store_scores
from loupe.brain.store.workspace import tidy_app
from loupe.brain.verbs.lifecycle import Lifecycle
from loupe.brain.verbs.steps.flagging import parsed_thresholds, until_settled, used_thresholds
from loupe.brain.verbs.steps.planning import with_weights
from loupe.brain.verbs.steps.writer import Writer

if TYPE_CHECKING:
    import fiftyone as fo


@dataclass(frozen=True)
class Reading:
    """How files are read: as for ``map_rows``."""

    batch_size: int = 16
    workers: int | None = None


def check_objects(
    verb: Lifecycle,
    path: str,
    checks: Sequence[str | Check | SetMeasure | ObjectMeasure] | str | None,
    reading: Reading,
    *,
    resume: bool,
    flag_after: bool,
) -> Run:
    """Judges the objects of a field, see ``loupe.check``."""
    samples = verb.samples
    store_objects.require(samples, path)
    specs, absent = _planned(checks, verb.device)
    store_fields.require(samples, store_objects.own_fields(path, specs))
    todo = store_objects.pending(samples, path, {spec.name: spec.key for spec in specs}, resume=resume)
    store_objects.declare(samples, path, specs)
    store_objects.empty(samples, path, todo.emptied)
    verb.step(0, len(todo.rows), "loading")
    verdicts = engine.run(
        todo.rows,
        specs,
        engine=verb.engine,
        device=verb.device,
        batch_size=reading.batch_size,
        workers=reading.workers,
    )
    tally = _stored(verb, path, verdicts, specs, len(todo.rows))
    as_asked = flag_objects(samples, path).as_asked if flag_after else {}
    tidy_app(root(samples))
    return verb.finish(
        tally.n,
        skipped=todo.skipped,
        errors=tally.errors,
        unknown=tally.unknown,
        params={
            "objects": path,
            "n_objects": tally.objects,
            "checks": {spec.name: {"version": spec.version, **spec.params()} for spec in specs},
        },
        messages=absent,
        as_asked=as_asked,
        inapplicable=tally.inapplicable(),
    )


def _planned(
    wanted: Sequence[str | Check | SetMeasure | ObjectMeasure] | str | None, device: str
) -> tuple[list[Check | ObjectMeasure], dict[str, str]]:
    """Returns what is to run, and for each check that a preset names and that is left out, why.

    Raises:
        UnknownName: no check of that name
        InputError: one that was named judges whole pictures only
    """
    measures = registry.objects()
    pictures = registry.checkable()
    known: dict[str, Any] = {**pictures, **measures}
    given = ["quick"] if wanted is None else [wanted] if isinstance(wanted, str) else list(wanted)
    specs: dict[tuple[str, str], Check | ObjectMeasure] = {}
    absent: dict[str, str] = {}
    for each in given:
        of_preset = isinstance(each, str) and each in presets.PRESETS
        names = [*presets.members(str(each), pictures), *measures] if of_preset else [each]
        for name in names:
            spec: Check | SetMeasure | ObjectMeasure = registry.pick("check", known, name)
            why = _not_of_objects(spec)
            if why and not of_preset:
                raise InputError(f"expected checks that can judge the crop of an object, but {spec.name!r} {why}")
            if why:
                absent[spec.name] = f"left out: it {why}"
            elif not isinstance(spec, SetMeasure):
                specs[spec.name, spec.key] = spec
    if not specs:
        raise InputError(
            f"expected at least one check of objects, got none. There are: {', '.join(registry.of_objects())}"
        )
    ready, lacking = with_weights([spec.resolved(device) for spec in specs.values() if isinstance(spec, Check)])
    return [*ready, *(spec for spec in specs.values() if isinstance(spec, ObjectMeasure))], {**absent, **lacking}


def _not_of_objects(spec: Check | SetMeasure | ObjectMeasure) -> str:
    """Returns why a spec does not judge objects, to be put after its name; empty where it does."""
    if isinstance(spec, ObjectMeasure):
        return ""
    if isinstance(spec, Check):
        why = spec.not_of_crops()
        return f"judges whole pictures only: {why}" if why else ""
    return "compares whole pictures with each other"


@dataclass
class _Tally:
    """How many samples and objects were judged, how many each check could not judge and why, and errors by sample."""

    specs: Mapping[str, Check | ObjectMeasure]
    n: int = 0
    objects: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    errors: dict[str, str] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    judged: Counter[str] = field(default_factory=Counter)
    why: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, verdicts: Sequence[ObjectVerdict]) -> None:
        self.n += len(verdicts)
        for verdict in verdicts:
            self.objects += len(verdict.row.fields[OBJECTS])
            if verdict.errors:
                self.errors[verdict.row.id] = reasons.of_checks(verdict.errors)
            for name, results in verdict.results.items():
                modes = [output.name for output in self.specs[name].outputs if output.failure]
                self.seen[name] += len(results)
                for result in results:
                    if result.reason:
                        self.unknown[name] += 1
                        self.why.setdefault(name, Counter())[result.reason] += 1
                    self.judged[name] += any(not math.isnan(result.values.get(mode, math.nan)) for mode in modes)

    def inapplicable(self) -> dict[str, str]:
        """For each check that could not judge nearly all of the objects, that and why."""
        sentences = {
            name: reasons.inapplicable(self.seen[name], why.total(), self.judged[name], why, of="objects")
            for name, why in self.why.items()
        }
        return {name: sentence for name, sentence in sentences.items() if sentence}


def _stored(
    verb: Lifecycle,
    path: str,
    chunks: Iterable[Sequence[ObjectVerdict]],
    specs: Sequence[Check | ObjectMeasure],
    total: int,
) -> _Tally:
    """Stores the verdicts as they come, also those that were held when the run is stopped or breaks."""
    tally = _Tally({spec.name: spec for spec in specs})
    writer = Writer[ObjectVerdict](lambda verdicts: store_objects.write(verb.samples, path, verdicts, specs))
    try:
        for verdicts in chunks:
            writer.add([verdict for verdict in verdicts if not verdict.not_now])
            tally.add(verdicts)
            verb.step(tally.n, total, f"checking ({tally.objects:,} objects)")
    finally:
        writer.close()
    return tally


def flag_objects(
    samples: fo.Dataset | fo.DatasetView,
    path: str,
    thresholds: Mapping[str, float | Threshold | None] | None = None,
) -> Flags:
    """Turns the stored scores of objects into their ``failures``, see ``loupe.flag``; nothing is decoded.

    Raises:
        UnknownName: no check of objects flags a failure mode of that name
        InputError: a threshold is no number, or one that no score can reach, or the objects were never checked
    """
    store_objects.require(samples, path)
    known = registry.object_failures()
    mirror = store_objects.mirror_of(path)
    parsed = parsed_thresholds(thresholds or {}, known)
    store_scores.require(samples, path)
    store_runs.save_thresholds(samples, parsed, mirror)

    def flagged(own: Mapping[str, Threshold]) -> Flags:
        used = used_thresholds(samples, known, own, f"{mirror}.detections")
        return _flagged(samples, path, known, used)

    return until_settled(samples, flagged, mirror)


def _flagged(
    samples: fo.Dataset | fo.DatasetView,
    path: str,
    known: Mapping[str, tuple[str, Output]],
    used: Mapping[str, Threshold],
) -> Flags:
    """Writes the failures that follow from these thresholds."""
    if not used:
        return Flags({}, {}, {})
    objects = store_scores.read(samples, path, [known[failure][1].name for failure in used])
    asked = store_asked.of_objects(samples, objects.owners, list(used))
    fails = np.zeros((len(objects.owners), len(used)), dtype=bool)
    for at, threshold in enumerate(used.values()):
        fails[:, at] = threshold.violates(objects.scores[:, at])
    fails &= ~asked
    _write(samples, path, objects, list(used), fails)
    counted = asked & ~np.isnan(objects.scores)
    return Flags(
        dict(zip(used, fails.sum(0).tolist(), strict=True)),
        dict(zip(used, np.isnan(objects.scores).sum(0).tolist(), strict=True)),
        dict(used),
        {failure: int(counted[:, at].sum()) for at, failure in enumerate(used) if counted[:, at].any()},
    )


def _write(
    samples: fo.Dataset | fo.DatasetView,
    path: str,
    objects: store_scores.Objects,
    modes: Sequence[str],
    fails: np.ndarray,
) -> None:
    """Writes what the objects fail in now; what nothing of today can flag stays."""
    texts: dict[bytes, str] = {}
    now = []
    named = set(modes)
    for before, row in zip(objects.failures, fails, strict=True):
        key = row.tobytes()
        if key not in texts:
            texts[key] = store_scores.joined([modes[at] for at in np.flatnonzero(row).tolist()])
        others = [mode for mode in store_scores.parted(before) if mode not in named]
        now.append(store_scores.joined([*others, *store_scores.parted(texts[key])]) if others else texts[key])
    counts = np.bincount(objects.owners[[bool(text) for text in now]], minlength=len(objects.ids)).tolist()
    failing = {at: count for at, count in enumerate(counts) if objects.inputs[at] is not None}
    store_scores.write_failures(samples, path, objects, now, failing)
