"""``loupe.rebalance``: what a set lacks is drawn, and only what passes its checks counts."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from loupe.brain.core import presets, registry
from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.numbers import require_numbers, require_whole
from loupe.brain.core.rebalanced import NOTHING, Rebalanced, RebalancedCell
from loupe.brain.core.records import ProgressCallback
from loupe.brain.core.specs import Check, Generator, SetCheck
from loupe.brain.prompts import llm
from loupe.brain.realism.agreement import agreeing
from loupe.brain.store import generated as store_generated
from loupe.brain.store import rebalance as store
from loupe.brain.store import vectors as store_vectors
from loupe.brain.store.datasets import count, require_images, whole
from loupe.brain.store.realism import sides as store_realism
from loupe.brain.verbs.lifecycle import running
from loupe.brain.verbs.steps.embedding import AUTO, pick_embedder
from loupe.brain.verbs.steps.experiment_arms import generator
from loupe.brain.verbs.steps.planning import with_weights
from loupe.brain.verbs.steps.rebalance_rounds import Label, Rounds
from loupe.brain.verbs.steps.rebalance_wishes import Ask, Standing, Wish, wishes

if TYPE_CHECKING:
    import fiftyone as fo

    from loupe.brain.labels.suggestions import SuggestedPrompts
    from loupe.brain.verbs.steps.lacking import Source


def rebalance(
    dataset: fo.Dataset,
    source: Source | SuggestedPrompts | None = None,
    *,
    target: int | None = None,
    each: int | None = None,
    model: str | Path | Generator | Mapping[str, Any] = "tiny-signs",
    checks: Sequence[str | Check | SetCheck] | str | None = "quick",
    allow_unknown: bool | Sequence[str] = False,
    label: str | None = None,
    reference: fo.Dataset | fo.DatasetView | None = None,
    embeddings: str = "embeddings",
    template: str | None = None,
    captions: str | None = None,
    language_model: str | Path | None = None,
    max_draws: int | None = None,
    budget: float | None = None,
    seed: int = 0,
    dry_run: bool = False,
    output_dir: str | Path | None = None,
    device: str | None = None,
    progress: bool | ProgressCallback | None = None,
) -> Rebalanced:
    """Draws what a set lacks until enough of it passes the checks and shows its class, and stops there.

    For each rare cell, slice that fails and hole: prompts are made as ``loupe.suggest_prompts`` makes them, pictures
    are drawn in rounds, and each is checked before it counts. One that fails stays as a sample with the reason in
    ``rebalance.reason``, and ``loupe.rebalanced_view`` leaves it out. A cell that cannot be drawn ends at its limit,
    with its pass rate. The interval of that rate is one for draws that stop at the r-th pass.

    What passes a check is not always right: of the counted ones more are wrong, the more of the drawn ones are wrong
    and the more of these the check overlooks. See docs/rebalance.md.

    The same call goes on where a stop, an error or a killed process ended it, and does nothing where every target is
    reached; a larger target goes on from there.

    Args:
        dataset: where the samples are, and the new ones go
        source: what ``loupe.coverage``, ``loupe.discover_slices``, ``loupe.compare_to_real`` or
            ``loupe.suggest_prompts`` returned, or some of its cells, findings or holes; None: what was found here last
        target: how many samples that count each cell and slice is to have, those that it has included: a sample that
            was checked counts where it passes, one that nobody checked counts; None: as ``suggest_prompts`` says
        each: how many for each hole, and for each slice where no target is given; None: as ``suggest_prompts`` says
        model: a name, hub id, folder, generator's spec, or a mapping such as ``{"model": "…", "steps": 30}``
        checks: what a picture has to pass, as for ``loupe.check``; None: nothing but the label
        allow_unknown: whether a picture counts of which a check cannot tell; or the checks or failure modes of which
            silence does not matter, ``"label"`` among them. A check that does not apply, such as one of texts where
            none is asked for, is no doubt
        label: a field of one class a sample: the picture has to show the class that was asked for
        reference: samples with that class and vectors, by which that is told; None: this dataset's own that do not fail
        embeddings: the field of their vectors; new pictures are embedded alike
        template: as for ``suggest_prompts``
        captions: a field of sentences on this dataset's pictures, to be asked for in place of their prompts
        language_model: a folder or hub id of a causal language model that says each prompt in other words; an answer
            that does not ask for the same is refused
        max_draws: for each cell at most; None: 20 for each sample that is needed, at least 50
        budget: of a hosted model: dollars for the pictures of this call, earlier tries at it included
        seed: of the draws, in [0, 2**53)
        dry_run: only plan: how many pictures are to be drawn, how long that takes, what it costs
        output_dir: where the files go; the dataset's folder in FiftyOne's dataset folder by default
        device: e.g. ``"cuda:1"``; the best there is by default
        progress: True for a bar, or a function; see ``loupe.Progress``

    Returns:
        for each cell how many count, and the pass rate with its interval

    Raises:
        UnknownName: no such check, field, model's setting or failure mode; the nearest name is suggested
        InputError: nothing was found yet, nothing to hold pictures against, a label without vectors, a field of the
            user's own that would be written to, a number out of its bounds
        PromptError: a prompt that cannot be used
        ModelError, MissingWeights, ServiceError: a model or service that cannot be used
        OutputError: the folder cannot be written, the disk is full, or another process writes there
        Stopped: ``progress`` asked to stop; what was drawn is stored
        DatabaseGone: the database stopped answering; what was drawn is stored

    >>> lacking = loupe.coverage(dataset, "scenario.time", label="scenario.object")  # doctest: +SKIP
    >>> loupe.rebalance(dataset, lacking, target=40)  # doctest: +SKIP
    """
    _require(target, each, max_draws, seed, checks, label, allow_unknown, budget)
    with running(dataset, "rebalance", progress, device=device, needs="dataset") as verb:
        store.require(dataset)
        store.require_captions(dataset, captions)
        spec = _with_budget(generator(model), budget)
        gate, absent = _gate(checks, verb.device)
        known = store.kept(dataset)
        ask = Ask(template, captions, None if language_model is None else str(language_model), seed)
        every, notes = wishes(
            dataset if source is None else source, Standing(dataset, gate, allow_unknown), spec, ask,
            target=target, each=each, max_draws=max_draws, kept=known,
            rewords=None if dry_run else lambda name: llm.load(name, verb.device),
        )  # fmt: skip
        own, right = (None, NOTHING) if label is None else _label(dataset, reference, label, embeddings, seed)
        folder = Path(output_dir).expanduser() if output_dir is not None else store_generated.default_folder(dataset)
        price = spec.price()
        rounds = Rounds(
            verb, dataset, spec, folder, every, checks, gate, allow_unknown, own,
            math.nan if price is None else float(price),
        )  # fmt: skip
        names, notes = tuple(each.name for each in gate), [*notes, *(f"{name}: {why}" for name, why in absent.items())]
        if dry_run:
            cells = rounds.cells(look=False)
            return Rebalanced(tuple(cells), True, names, label or "", right, "", (*notes, *_notes(cells, own)))
        if not every:
            return Rebalanced((), False, names, label or "", right, "", tuple(notes))
        store.prepare(dataset)
        asked = {**known, **{wish.key: _kept(wish) for wish in every}}
        if asked != known:
            store.keep(dataset, asked, store.load(dataset))
        before = count(dataset)
        cells = rounds.run()
        notes += _notes(cells, own)
        made = Rebalanced(
            tuple(cells), False, names, label or "", right, store.save_view(dataset), tuple(notes)
        )  # fmt: skip
        params: dict[str, Any] = {"target": target, "each": each, "generator": {"name": spec.name, **spec.params()}}
        params |= {"gate": list(names), "allow_unknown": allow_unknown, "label": label, "seed": seed}
        params |= {"template": template, "captions": captions, "language_model": ask.language_model}
        if made != store.load(dataset):
            store.keep(dataset, asked, made)
        new = count(dataset) - before
        verb.finish(new, skipped=made.drawn - new, params=params, messages=dict(_messages(cells)))
    return made


def _require(
    target: Any, each: Any, max_draws: Any, seed: Any, checks: Any, label: Any, allowed: Any, budget: Any
) -> None:
    for name, number in (("target", target), ("each", each), ("max_draws", max_draws)):
        if number is not None:
            require_whole(**{name: (number, 1, 1_000_000)})
    require_whole(seed=(seed, 0, 2**53 - 1))
    if budget is not None:
        require_numbers(budget=(budget, 0, 1e9))
    if checks is None and label is None:
        raise InputError(
            "expected something that new pictures have to pass, got neither checks nor a label: give checks=, or label="
        )
    named = [] if isinstance(allowed, bool) else allowed
    if isinstance(named, str) or not isinstance(named, Sequence) or not all(isinstance(name, str) for name in named):
        raise InputError(f"expected allow_unknown to be True, False or a list of checks, got {allowed!r}")
    known = {*registry.checks(), *registry.failures(), "label"}
    for name in named:
        if name not in known:
            raise UnknownName("check or failure mode", name, known)


def _with_budget(spec: Generator, budget: float | None) -> Generator:
    if budget is None:
        return spec
    if "budget" not in spec.params():
        raise InputError(f"expected no budget: {spec.name} draws here and costs nothing but time, see max_draws=")
    return dataclasses.replace(spec, budget=budget)  # type: ignore[call-arg]


def _gate(checks: Any, device: str) -> tuple[list[Check], dict[str, str]]:
    """Returns the checks that have to have looked, and why others cannot.

    Raises:
        UnknownName: no such check
        MissingWeights: none of them can run here
    """
    if checks is None:
        return [], {}
    known = registry.checkable()
    wanted = presets.expanded([checks] if isinstance(checks, (str, Check, SetCheck)) else list(checks), known)
    picked = [registry.pick("check", known, name) for name in wanted]
    return with_weights([spec.resolved(device) for spec in picked if isinstance(spec, Check)])


def _label(dataset: fo.Dataset, reference: Any, label: str, embeddings: str, seed: int) -> tuple[Label, Any]:
    """Returns what new pictures have to agree with, and how often it is right on left-out samples.

    Raises:
        UnknownName: no such field
        InputError: no vectors, or fewer than two classes
    """
    if reference is None:
        samples = store.sound(dataset)
        hint = "give reference=, real samples with classes and vectors, or run loupe.embed here"
    else:
        require_images(reference)
        samples, hint = whole(reference), "run loupe.embed on the reference"
        store.require_label(dataset, samples, label)
    (side,) = store_realism.read(embeddings, {"reference": samples})
    given = store_realism.classes(samples, label, side)
    classes = sorted({name for name in given if name is not None})
    if not len(side.ids) or len(classes) < 2:
        raise InputError(
            f"expected a reference with vectors in {embeddings!r} of at least two classes of {label!r}, got "
            f"{len(side.ids):,} vectors of {len(classes)} classes: {hint}"
        )
    at = {name: code for code, name in enumerate(classes)}
    codes = np.array([-1 if name is None else at[name] for name in given], dtype=np.int64)
    tells = agreeing(store_realism.labeled(samples, side, codes), len(classes), seed)
    embedder, _ = pick_embedder(AUTO, store_vectors.made_by(samples, embeddings), True, embeddings)
    return Label(label, classes, tells, embedder, embeddings, samples), tells.right


def _kept(wish: Wish) -> dict[str, Any]:
    prompts = [[text, dict(factors)] for text, factors in wish.prompts]
    return {"prompts": prompts, "refused": wish.refused, "where": wish.where}


def _notes(cells: Sequence[RebalancedCell], label: Label | None) -> list[str]:
    notes = []
    refused = sum(cell.refused for cell in cells)
    if refused:
        notes.append(f"{refused:,} answers of the language model did not ask for the same, and were refused")
    unasked = [cell.where for cell in cells if cell.unasked]
    if label is not None and unasked:
        notes.append(f"{'; '.join(unasked[:5])}: no {label.path} is asked for, so that none is looked for")
    if label is not None and cells:
        notes.append(f"{label.path} is told right of {label.agreeing.right} left-out pictures of the reference")
    return notes


def _messages(cells: Sequence[RebalancedCell]) -> list[tuple[str, str]]:
    return [(cell.where[:100], cell.sentence) for cell in cells if cell.end != "reached"]
