"""``loupe.experiment``: which model, asked in which way, draws the images that train best?"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loupe import __version__
from loupe.brain.core import presets, registry
from loupe.brain.core.errors import InputError, MissingWeights, UnknownName
from loupe.brain.core.experiment import ArmResult, Experiment, ExperimentPlan
from loupe.brain.core.kept import number
from loupe.brain.core.numbers import require_whole
from loupe.brain.core.realism import Estimate
from loupe.brain.core.records import ProgressCallback
from loupe.brain.core.specs import Check, Embedder, Generator, SetCheck
from loupe.brain.core.warned import warn
from loupe.brain.perception import weights
from loupe.brain.prompts.styles import Styles
from loupe.brain.realism import arms as realism_arms
from loupe.brain.realism import newer, releases
from loupe.brain.report import experiment as experiment_report
from loupe.brain.report import files, html, markdown
from loupe.brain.store import report as store_report
from loupe.brain.store import vectors as store_vectors
from loupe.brain.store.datasets import everything, require_images, whole
from loupe.brain.store.experiment import datasets as store
from loupe.brain.verbs.lifecycle import Lifecycle, running
from loupe.brain.verbs.steps import experiment_time
from loupe.brain.verbs.steps.embedding import AUTO, pick_embedder
from loupe.brain.verbs.steps.experiment_arms import Wanted, arms_of, planned
from loupe.brain.verbs.steps.experiment_steps import Bench, Running, total_of, unmeasured, with_rates

if TYPE_CHECKING:
    import fiftyone as fo

_PICTURES = 6


def experiment(
    dataset: fo.Dataset,
    real_train: fo.Dataset | fo.DatasetView,
    real_test: fo.Dataset | fo.DatasetView,
    *,
    label: str,
    models: Sequence[str | Path | Generator | Mapping[str, Any]] | str | Path | Generator = "tiny-signs",
    styles: Styles = ("class", "varied"),
    guidance: Sequence[float | None] = (None,),
    seeds: Sequence[int] = (0,),
    per_class: int = 50,
    classes: Sequence[str] | None = None,
    names: Mapping[str, str] | None = None,
    captions: str | None = None,
    options: Mapping[str, Any] | None = None,
    released: Mapping[str, str] | None = None,
    checks: Sequence[str | Check | SetCheck] | str | None = "quick",
    embedder: str | Embedder = AUTO,
    field: str = "embeddings",
    seed: int = 0,
    dry_run: bool = False,
    measure: int = 0,
    report: str | os.PathLike[str] | None = None,
    output_dir: str | Path | None = None,
    device: str | None = None,
    progress: bool | ProgressCallback | None = None,
) -> Experiment:
    """Draws a set for each model, prompt style and guidance, and says which of them trains best, beside real images.

    An arm is a model, a style and a guidance. Each is drawn, checked, embedded, compared with the real images as
    ``loupe.compare_to_real`` does, and trained on and tested on real ones as ``loupe.test_transfer`` does. Two arms are
    called different only where that is sure, all pairs corrected together; the others are tied. Newer and prettier
    models can train worse ("When Pretty Isn't Useful", arXiv:2602.19946): whether the prettiest is the most useful is
    said.

    The same call goes on from where one ended, however that ended: images are not drawn again, nor checked, embedded or
    measured again where nothing has changed. More ``per_class``, and further arms, add to what is there. An arm that
    cannot be drawn is named with the reason, and the others go on.

    Args:
        dataset: where the images go, with ``scenario.arm``, ``scenario.style``, ``scenario.class``, and their class in
            the field ``label``
        real_train: real images to train on, and to compare with
        real_test: real images to test on: they share nothing with the others
        label: a field of one class a sample, on both real sides
        models: names, hub ids, folders, generators' specs, or mappings such as ``{"model": "…", "steps": 30}``
        styles: how a class is asked for: ``"class"`` (its name), ``"caption"`` (captions of the real images),
            ``"varied"`` (views, light, places), templates with ``{class}`` in them; or a mapping of names of your own
            to such, or to ``{"template": "a {class} in {place}", "factors": {"place": ["…"]}}``
        guidance: of each model, one arm each; None: the model's own
        seeds: of the draws, one arm each, each in [0, 2**63)
        per_class: images of each class and arm, at least 5
        classes: which to draw; None: all that both real sides have
        names: what a class is called in a prompt, where its name is no word
        captions: the field of captions of the real images, for the style ``"caption"``
        options: settings of all models, e.g. ``{"steps": 20, "width": 512}``
        released: when a model came out, by its name here, such as ``{"mine": "2026-03"}``; a few well-known ones are
            known by their names on the hub. Of five models or more it is said whether newer ones are less useful
        checks: as for ``loupe.check``; None: nothing is checked
        embedder: as for ``loupe.embed``; the real images are embedded with it, too
        field: where the vectors go
        seed: decides what is drawn beside the images: splits, folds, orders
        dry_run: only plan: how many images, how long, at what cost; nothing is drawn or written
        measure: with ``dry_run``, draw so many images of each arm, which stay, to tell how long one takes; 0 to 100
        report: a path for a page of what came of it: .html or .md
        output_dir: where the files go; the dataset's folder in FiftyOne's dataset folder by default
        device: e.g. ``"cuda:1"``; the best there is by default
        progress: True for a bar, or a function; see ``loupe.Progress``

    Returns:
        the arms, the most useful first, with what follows; with ``dry_run`` only its ``plan``

    Raises:
        UnknownName: no such field, class, style, setting, check or embedder; the nearest name is suggested
        MissingWeights: the embedder's file is not here; nothing is drawn
        InputError: an image to test on is among those to train on; fewer than two classes, 50 images to test on, 5 of
            a class to train on; an arm twice; every arm failed
        PromptError: a template without ``{class}``, or without values for a placeholder; no captions
        OutputError: the folder cannot be written, the disk is full, or another process writes there
        NoSamples: one of the real sides is empty
        Stopped: ``progress`` asked to stop; what was done is stored
        DatabaseGone: the database stopped answering; what was done is stored

    Example::

        plan = loupe.experiment(signs, train, test, label="digit", guidance=[1, 3, 7], dry_run=True)
        made = loupe.experiment(signs, train, test, label="digit", guidance=[1, 3, 7], report="signs.html")
    """
    file = None if report is None else files.place(report, ".html", ".htm", ".md")
    if isinstance(measure, bool) or not isinstance(measure, int) or not 0 <= measure <= 100:
        raise InputError(f"expected measure to be a whole number from 0 to 100, got {measure!r}")
    require_whole(seed=(seed, 0, 2**63 - 1))
    judging = _checks(checks)
    asked = Wanted(models, styles, guidance, seeds, per_class, classes, names, captions, options)
    with running(dataset, "experiment", progress, device=device, needs="dataset") as verb:
        for samples in (real_train, real_test):
            require_images(samples)
        real = store.read_real(whole(real_train), whole(real_test), label)
        arms, known, notes = arms_of(asked, real)
        dates = _dates(released, [arm.model for arm in arms])
        store.require_kind(dataset, label, real.train)
        spec, warning = _embedder(embedder, dataset, real, field)
        folder, free = store.place(dataset, output_dir)

        def plan() -> ExperimentPlan:
            after = experiment_time.after(dataset, arms, real, judging, field)
            own = [*notes, *experiment_time.words(after)]
            return planned(arms, known, asked, real, label, store.drawn(dataset), free, own, after)

        at_work = Running(verb, dataset, real, label, arms, seed, folder)
        if dry_run:
            if measure:
                at_work.draw(measure)
                notes += [f"{name}: {reason}" for name, reason in at_work.failed.items()]
            return Experiment(plan())
        total_of(plan().megabytes * 1e6, free)
        if warning:
            warn(warning)
        at_work.embed({"real images to train on": real.train, "real images to test on": real.test}, spec, field)
        bench = Bench.of(at_work, known, field, spec)
        at_work.draw()
        members = at_work.named()
        every = [sample_id for ids in members.values() for sample_id in ids]
        _require_some(at_work, members)
        at_work.check(every, checks)
        at_work.embed({"the arms": dataset.select(every)}, spec, field)
        params: dict[str, Any] = {
            "real_train": store_report.name(real.train),
            "real_test": store_report.name(real.test),
        }
        params |= {"label": label, "field": field, "embedder": {"name": spec.name, **spec.params()}, "seed": seed}
        params |= {"arms": [arm.name for arm in arms], "per_class": per_class, "output_dir": str(folder)}
        outcome = _measured(verb, bench, members, params)
        made = _concluded(bench, plan(), members, outcome, dates, (*notes, *([warning] if warning else ())))
        store.keep(dataset, params, {**store.kept(dataset), **outcome}, made.to_dict())
        if file is not None:
            _write(file, dataset, made, members, verb)
        verb.finish(len(every), params=params, messages=dict(at_work.failed))
    return made


def _dates(released: Mapping[str, str] | None, models: Sequence[str]) -> dict[str, str]:
    """Returns when the models came out, as far as that is known.

    Raises:
        UnknownName: a date of a model that is none of these
        InputError: no table of dates
    """
    if released is not None and not isinstance(released, Mapping):
        raise InputError(f"expected released to be a table of models and dates, got {str(released)[:80]!r}")
    for name in released or {}:
        if name not in models:
            raise UnknownName("model of this experiment", str(name), sorted(set(models)))
    return releases.released(models, released)


def _checks(checks: Any) -> list[Check] | None:
    """Returns the checks, without those of sets; an error where there is none of a name, before anything is drawn."""
    if checks is None:
        return None
    known = registry.checkable()
    wanted = presets.expanded([checks] if isinstance(checks, (str, Check, SetCheck)) else list(checks), known)
    return [spec for spec in (registry.pick("check", known, each) for each in wanted) if isinstance(spec, Check)]


def _embedder(embedder: str | Embedder, dataset: fo.Dataset, real: Any, path: str) -> tuple[Embedder, str]:
    """Returns what the real images are embedded with, or are to be; the arms are embedded alike."""
    is_part = len(real.train) < len(everything(real.train))
    spec, warning = pick_embedder(embedder, store_vectors.made_by(real.train, path), is_part, path)
    if lacking := weights.lacking(spec.weights()):
        raise MissingWeights(f"embedder={spec.name!r} cannot run here: {lacking}. Nothing was drawn")
    facts = {"name": spec.name, "version": spec.version, **spec.params()}
    sides = {"real images to test on": real.test, "images here": dataset}
    store.require_embedder(sides, path, facts)
    return spec, warning


def _require_some(at_work: Running, members: Mapping[str, Sequence[str]]) -> None:
    if any(members.values()):
        return
    reasons = "; ".join(f"{name}: {reason}" for name, reason in at_work.failed.items())
    raise InputError(f"expected an arm that can be drawn, got none. {reasons}"[:2000])


def _measured(
    verb: Lifecycle, bench: Bench, members: Mapping[str, Sequence[str]], params: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Returns what is known of each arm, kept as soon as it is known."""
    at_work = bench.running
    made: dict[str, dict[str, Any]] = {}
    for at, arm in enumerate(at_work.arms):
        if not members.get(arm.name):
            at_work.failed.setdefault(arm.name, "nothing of it was drawn")
            continue
        verb.step(at, len(at_work.arms), "comparing and training")
        before = store.kept(at_work.dataset)
        try:
            made[arm.name] = bench.measured(arm, members[arm.name])
        except InputError as error:
            at_work.failed[arm.name] = f"cannot be measured: {error}"
            continue
        if before.get(arm.name) != made[arm.name]:
            store.keep(at_work.dataset, params, {**before, arm.name: made[arm.name]}, {})
    verb.step(len(at_work.arms), len(at_work.arms), "comparing and training")
    return made


def _concluded(
    bench: Bench, plan: ExperimentPlan, members: Mapping[str, Sequence[str]], outcome: Mapping[str, Any],
    dates: Mapping[str, str], notes: Sequence[str],
) -> Experiment:  # fmt: skip
    at_work = bench.running
    results: list[ArmResult] = []
    for arm in at_work.arms:
        if arm.name in outcome:
            results.append(ArmResult.from_dict(outcome[arm.name]["result"]))
        else:
            results.append(unmeasured(arm, len(members.get(arm.name, ())), at_work.failed[arm.name]))
    results = [replace(arm, released=dates.get(arm.model, "")) for arm in results]
    every = [sample_id for ids in members.values() for sample_id in ids]
    tested = {name: bench.tested(known) for name, known in outcome.items()}
    surely = realism_arms.surely_better(tested, bench.labeled["test"].clusters())
    ordered, tied = realism_arms.ranked(with_rates(at_work.dataset, every, results), surely)
    first = next(iter(outcome.values()), None)
    by_release = newer.by_release(ordered)
    return Experiment(
        plan=plan,
        arms=ordered,
        real=_estimate(first["real"]) if first else Estimate(math.nan, math.nan, math.nan),
        chance=float(first["chance"]) if first else math.nan,
        curve=tuple((int(n), _estimate(own)) for n, own in first["curve"]) if first else (),
        tied=tied,
        findings=(*realism_arms.sentences(ordered, surely), *newer.sentences(by_release)),
        notes=tuple(notes),
        by_release=by_release,
    )


def _estimate(facts: Mapping[str, Any]) -> Estimate:
    return Estimate(*(number(facts[end]) for end in ("value", "low", "high")))


def _write(
    file: Path, dataset: fo.Dataset, made: Experiment, members: Mapping[str, Sequence[str]], verb: Lifecycle
) -> None:
    as_html = file.suffix.lower() != ".md"
    shown = {name: _spread(ids) for name, ids in members.items()} if as_html else {}
    pictures = store_report.pictures(dataset, shown, verb.report)
    page = experiment_report.page(made, pictures, dataset.name, __version__)
    files.write(file, html.draw(page) if as_html else markdown.draw(page), (html if as_html else markdown).GENERATOR)


def _spread(ids: Sequence[str]) -> list[str]:
    """Returns some of an arm's images, from all over it."""
    step = max(1, len(ids) // _PICTURES)
    return list(ids[::step][:_PICTURES])
