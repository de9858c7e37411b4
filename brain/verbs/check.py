"""``loupe.check``: runs checks over samples and stores their raw scores."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from loupe.brain.core import presets, reasons, registry
from loupe.brain.core.errors import InputError
from loupe.brain.core.numbers import require_whole
from loupe.brain.core.records import ProgressCallback
from loupe.brain.core.results import Run
from loupe.brain.core.specs import Check, ObjectMeasure, SetCheck
from loupe.brain.engine import runner
from loupe.brain.engine.map import require_engine
from loupe.brain.engine.runner import Verdict
from loupe.brain.store import fields as store_fields
from loupe.brain.store import rows as store_rows
from loupe.brain.store import scores as store_scores
from loupe.brain.store import sets as store_sets
from loupe.brain.store.datasets import everything, root
from loupe.brain.store.workspace import tidy_app
from loupe.brain.verbs.lifecycle import Lifecycle, running
from loupe.brain.verbs.steps.flagging import apply_thresholds
from loupe.brain.verbs.steps.objects import Reading, check_objects
from loupe.brain.verbs.steps.planning import with_weights
from loupe.brain.verbs.steps.writer import Writer

if TYPE_CHECKING:
    import fiftyone as fo


def check(
    samples: fo.Dataset | fo.DatasetView,
    checks: Sequence[str | Check | SetCheck | ObjectMeasure] | str | None = None,
    *,
    objects: str | None = None,
    device: str | None = None,
    engine: str = "local",
    resume: bool = True,
    batch_size: int = 16,
    workers: int | None = None,
    flag_after: bool = True,
    progress: bool | ProgressCallback | None = None,
) -> Run:
    """Runs checks over samples and stores their raw scores in ``quality.*``.

    The App shows a dataset that nobody has set up as the demo's is: see ``store.workspace.tidy_app``.

    Chunk by chunk: what is stored stays, whatever happens after; the same call goes on from there. A file that cannot
    be read, or that a check breaks on, is recorded and the rest goes on.

    Args:
        samples: a dataset or view of images
        checks: names of checks or of the failure modes that they flag, or specs with parameters of your own; or a
            preset: ``"quick"``, ``"photos"``, ``"generated"`` or ``"all"``. By default the quick ones: those that take
            about as long as decoding does, and those that read a prompt. Set measures that follow a check, such as
            ``size``, are told anew for all of these samples, against the whole dataset
        objects: a field of detections: judge each of its objects by its crop, instead of the whole pictures, and by
            where its box lies (``"cut"``, ``"tiny"``). The labels stay as they are; scores and failures of each object
            stand in ``<field>_objects``, see docs/objects.md
        device: e.g. ``"cuda:1"``; the best there is by default
        engine: where to run; ``"local"`` is this process, ``"ray"`` a Ray cluster, see docs/scale.md
        resume: leave out what the same check has judged already and that has not changed since
        batch_size: the most images a check gets at once
        workers: cores to use, all by default: threads, or processes in a long run. Of a cluster: those of each process
        flag_after: turn the scores into ``failures`` by the current thresholds at the end
        progress: True for a bar, or a function; see ``loupe.Progress``

    Returns:
        what was done: how many samples, errors, and unknowns by check

    Raises:
        UnknownName: no check, or no engine, of that name; the nearest name is suggested
        InputError: they are no images of a dataset, or a field of the user's own has a name that Loupe writes to; or
            of objects: a check that only knows whole pictures
        NoSamples: the view is empty
        MissingWeights: the model files of every chosen check are missing; a check without its files is otherwise left
            out, and ``messages`` says what to do
        MissingDependency: ``engine="ray"``, and Ray is not installed
        ProcessLost: no node of the cluster is left; what was done is stored
        Stopped: ``progress`` asked to stop; what was done is stored
        DatabaseGone: the database stopped answering; what was done is stored

    >>> loupe.check(dataset, ["sharpness", "text"])  # doctest: +SKIP
    Run(loupe_check_1: 216 done, 0 already done, 0 errors, unknown: text 4, 31.0 s on cpu)
    """
    require_engine(engine)
    require_whole(batch_size=(batch_size, 1), workers=(1 if workers is None else workers, 1))
    if objects is not None:
        with running(samples, "check", progress, device=device, engine=engine) as verb:
            how = Reading(batch_size, workers)
            return check_objects(verb, objects, checks, how, resume=resume, flag_after=flag_after)
    with running(samples, "check", progress, device=device, engine=engine) as verb:
        samples = verb.samples
        plan = _planned(checks, verb.device)
        fields = store_scores.fields_of([*plan.checks, *plan.following])
        read = [store_fields.PROMPT] if any(store_fields.PROMPT.path in spec.reads() for spec in plan.checks) else []
        store_fields.require(samples, [*fields, *read])
        rows, skipped = store_rows.pending_rows(
            samples, plan.checks, needs=sorted({name for spec in plan.checks for name in spec.reads()}), resume=resume
        )
        store_fields.declare(samples, store_scores.fields_of(plan.checks))
        verb.step(0, len(rows), "loading")
        verdicts = runner.run(
            rows, plan.checks, engine=verb.engine, device=verb.device, batch_size=batch_size, workers=workers
        )
        tally = _stored(verb, verdicts, plan.checks, len(rows))
        for spec in plan.following:
            tally.unknown[spec.name] += _follow(samples, spec)
        as_asked = apply_thresholds(samples).as_asked if flag_after else {}
        # the first time: only the failures on, the rest folded, a workspace to choose
        tidy_app(root(samples))
        specs = [*plan.checks, *plan.following]
        return verb.finish(
            tally.n,
            skipped=skipped,
            errors=tally.errors,
            unknown=tally.unknown,
            params={"checks": {spec.name: {"version": spec.version, **spec.params()} for spec in specs}},
            messages=plan.absent,
            as_asked=as_asked,
            inapplicable=tally.inapplicable(),
        )


@dataclass(frozen=True)
class _Plan:
    """What is to run.

    Attributes:
        checks: each with what "auto" means on the device, and with its model files there
        following: the set measures that follow some of them
        absent: for each check that was chosen and is left out, why
    """

    checks: list[Check]
    following: list[SetCheck]
    absent: dict[str, str]


def picked(wanted: Sequence[str | Check | SetCheck | ObjectMeasure] | str | None) -> list[Check | SetCheck]:
    """Returns the checks that are wanted, presets in their place, each once; as in ``check``.

    Raises:
        UnknownName: no such check
        InputError: none at all, or one that judges objects
    """
    known = registry.checkable()
    wanted = "quick" if wanted is None else wanted
    wanted = [wanted] if isinstance(wanted, str) else list(wanted)
    measures = registry.objects()
    for each in wanted:
        if (name := getattr(each, "name", each)) in measures:
            raise InputError(f"expected checks of pictures, got {name!r}, which judges objects: give objects=, a field")
    wanted = presets.expanded(wanted, known)  # type: ignore[arg-type]
    specs = [registry.pick("check", known, name) for name in wanted]
    # two failure modes may be one check's; a spec with a list among its parameters cannot be hashed
    chosen = list({(spec.name, spec.key): spec for spec in specs}.values())
    if not chosen:
        raise InputError(f"expected at least one check, got none. There are: {', '.join(known)}")
    return chosen


def _planned(wanted: Sequence[str | Check | SetCheck | ObjectMeasure] | str | None, device: str) -> _Plan:
    chosen = picked(wanted)
    checks = [spec for spec in chosen if isinstance(spec, Check)]
    following = [spec for spec in chosen if isinstance(spec, SetCheck)]
    names = {spec.name for spec in checks}
    for name in dict.fromkeys(spec.after for spec in following):
        if name not in names:
            checks.append(registry.pick("check", registry.checks(), name))
    ready, absent = with_weights([spec.resolved(device) for spec in checks])
    return _Plan(ready, following, absent)


@dataclass
class _Tally:
    """How many samples were judged, how many each check could not judge and why, and the errors by sample id."""

    checks: Mapping[str, Check]
    n: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    errors: dict[str, str] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    judged: Counter[str] = field(default_factory=Counter)
    why: dict[str, Counter[str]] = field(default_factory=dict)

    def inapplicable(self) -> dict[str, str]:
        """For each check that could not judge nearly all of the samples, that and why."""
        sentences = {
            name: reasons.inapplicable(self.seen[name], why.total(), self.judged[name], why)
            for name, why in self.why.items()
        }
        return {name: sentence for name, sentence in sentences.items() if sentence}

    def add(self, verdicts: Sequence[Verdict]) -> None:
        self.n += len(verdicts)
        for verdict in verdicts:
            self.unknown.update(verdict.reasons.keys())
            self.seen.update(verdict.row.pending)
            for name, reason in verdict.reasons.items():
                self.why.setdefault(name, Counter())[reason] += 1
            self.judged.update(name for name in verdict.row.pending if self._judged(verdict, name))
            if verdict.errors:
                self.errors[verdict.row.id] = reasons.of_checks(verdict.errors)

    def _judged(self, verdict: Verdict, name: str) -> bool:
        """Whether a check judged a sample for one of its failure modes at least."""
        # what is only told says nothing, as how many hands there are
        modes = [output.name for output in self.checks[name].outputs if output.failure]
        return any(not math.isnan(verdict.scores.get(mode, math.nan)) for mode in modes)


def _stored(verb: Lifecycle, chunks: Iterable[Sequence[Verdict]], checks: Sequence[Check], total: int) -> _Tally:
    """Stores the verdicts as they come, also those that were held when the run is stopped or breaks."""
    tally = _Tally({spec.name: spec for spec in checks})
    writer = Writer[Verdict](lambda verdicts: store_scores.write(verb.samples, verdicts, checks))
    try:
        for verdicts in chunks:
            # of what could not be fetched, what was judged before stays
            writer.add([verdict for verdict in verdicts if not verdict.not_now])
            tally.add(verdicts)
            verb.step(tally.n, total, "checking")
    finally:
        writer.close()
    return tally


def _follow(samples: fo.Dataset | fo.DatasetView, spec: SetCheck) -> int:
    """Judges the samples by the scores that their whole dataset has now; returns how many are unknown."""
    rows = store_sets.rows(samples, spec)
    dataset = everything(samples)
    place = {sample_id: index for index, sample_id in enumerate(dataset.values("id"))}
    inside = [place[row.id] for row in rows]
    judged, why = spec.score(
        {name: store_rows.column(dataset, f"{store_scores.QUALITY}.{name}") for name in spec.reads}
    )
    columns = {name: scores[inside] for name, scores in judged.items()}
    lost = np.logical_or.reduce([np.isnan(scores) for scores in columns.values()])
    store_sets.write(samples, spec, rows, columns, {rows[at].id: why for at in np.flatnonzero(lost).tolist()})
    return int(lost.sum())
