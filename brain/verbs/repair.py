"""``loupe.repair``: what failed is drawn again, and kept only where it is better and nothing else is worse."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError, MissingWeights, NotReadNow, UnknownName
from loupe.brain.core.numbers import require_whole
from loupe.brain.core.records import ProgressCallback
from loupe.brain.core.specs import Check, Generator
from loupe.brain.core.taxonomy import FAILURE_MODES
from loupe.brain.engine import output_folder
from loupe.brain.engine.again import Loaded
from loupe.brain.engine.reader import Row
from loupe.brain.generation import guided
from loupe.brain.generation.candidates import key_of
from loupe.brain.generation.gate import Limits, Rule
from loupe.brain.generation.guided import Control, Guide
from loupe.brain.generation.records import METHODS, Method, Repair
from loupe.brain.store import generated as store_generated
from loupe.brain.store import rows as store_rows
from loupe.brain.store.datasets import root
from loupe.brain.store.repair import repaired as store
from loupe.brain.store.repair import waiting as store_waiting
from loupe.brain.store.repair.waiting import Waiting
from loupe.brain.verbs.lifecycle import Lifecycle, running
from loupe.brain.verbs.steps import alignment, planning
from loupe.brain.verbs.steps.repair_jobs import VERSION, Job, Settings
from loupe.brain.verbs.steps.repair_keeping import keep
from loupe.brain.verbs.steps.repairing import Workshop

if TYPE_CHECKING:
    import fiftyone as fo

#: samples between two writes: what a killed run does again
_CHUNK = 4
#: files that cannot be read for the moment, of those that are named in the result
_NAMED = 5
#: what a check may read of a sample and still judge another picture of it
_OF_PROMPTS = {"prompt", "spec"}


def repair(
    samples: fo.Dataset | fo.DatasetView,
    *,
    failure: str | None = None,
    model: str | Path | Generator | None = None,
    method: Method | None = None,
    attempts: int = 4,
    strength: float | None = None,
    control: Control | None = None,
    region: str | None = None,
    prompt: str | None = None,
    unknown: bool = False,
    checks: Sequence[str | Check] | None = None,
    sample: int | None = None,
    output_dir: str | Path | None = None,
    seed: int = 0,
    device: str | None = None,
    progress: bool | ProgressCallback | None = None,
) -> Repair:
    """Draws again what failed, looks at it again, and keeps the best attempt only where it is better than the original.

    Of each sample with the failure: where it lies (by what the check saw: boxes, landmarks, a map), the crop around it,
    ``attempts`` drawings of it at the size that the model draws, put back into the picture. The gate keeps the best one
    only where the check that flagged the original passes it, by more than its own noise and on pictures that show the
    same, and where nothing else gets worse: no other check that judged the original, nothing outside of the region,
    sharpness and colors inside of it, nor how well it fits the prompt, where that can be measured here.

    The original stays as it is. The repaired picture is a sample beside it, with ``repair.of``; on the original
    ``repaired.<failure>`` says what became of it. ``decide_repairs`` accepts and undoes, ``with_repairs`` gives the
    view in which repaired pictures stand for their originals.

    The same call again does nothing twice, and goes on where a stop, an error or a killed process ended it.

    Args:
        samples: a dataset or view of checked images
        failure: the failure mode; None: of each sample the first of its failures that a check here can judge again
        model: ``"tiny-signs"``, a hub id, a folder in diffusers' format, or a generator's spec; by default the model
            that drew the picture
        method: ``"inpaint"`` draws the region only, ``"image_to_image"`` the whole picture from itself, ``"redraw"``
            anew from the prompt; ``"mixed"`` by turns the default one and anew; by default inpaint where the failure
            has a place and the model can, else image_to_image, else redraw
        attempts: drawings of each sample, in [1, 64]
        strength: how much of what stands there is given up, in (0, 1]; by default all of a region, 0.6 of a picture
        control: what a model with a ControlNet keeps to: ``"pose"`` of the people in the original, by landmarks, or its
            ``"edges"``; by default the pose where hands, faces or bodies are malformed
        region: a field of boxes or masks of your own that says where to draw, instead of what the check saw
        prompt: for samples that have none of their own
        unknown: also try samples of which the check could not tell; only with a failure
        checks: which checks judge again; by default all that judged the original
        sample: only that many of the samples, the first ones
        output_dir: where the files go, as ``<key>.png``; the dataset's folder in FiftyOne's dataset folder by default
        seed: in [0, 2**63)
        device: e.g. ``"cuda:1"``; the best there is by default
        progress: True for a bar, or a function; see ``loupe.Progress``

    Returns:
        what became of each sample, and how many are better, with intervals, by failure and method

    Raises:
        UnknownName: no such failure mode, method, check or field; the nearest name is suggested
        InputError: samples that nobody checked; a failure that compares pictures of a set; a method that the model
            cannot; a control without a ControlNet; no model to draw with; a dataset of groups; a field of the user's
            own that would be written to
        ModelError: the model cannot be loaded, or cannot draw
        NoSamples: the view is empty
        OutputError: the folder cannot be written, the disk is full, or another process writes there
        Stopped: ``progress`` asked to stop; what was repaired is stored

    >>> loupe.repair(dataset, failure="text_substitution")  # doctest: +SKIP
    25 of 31 attempted samples have a better picture now, 2 unknown
    """
    _check(failure, method, attempts, strength, sample, unknown, seed)
    with running(samples, "repair", progress, device=device) as verb:
        view, known = verb.samples, _failures(failure)
        store.require(view, known)
        outputs = {name: (check, output.name) for name, (check, output) in known.items()}
        waiting = store_waiting.waiting(view, outputs, unknown)[:sample]
        if not waiting:
            _require_checked(view, known, failure)
        ready, unjudged = _again(checks, waiting, verb.device)
        rules = _rules(view, ready)
        failing = {each.id: _first(each.failures, each.unknown if unknown else (), rules) for each in waiting}
        by_model = _by_model(waiting, model)
        if region is not None:
            store_waiting.require_region(view, region)
        store.prepare(view, sorted(set(failing.values())))
        fits, why_not = alignment.here(verb.device)
        folder = Path(output_dir).expanduser() if output_dir is not None else store_generated.default_folder(root(view))
        folder = folder.resolve()
        settings = Settings(method, attempts, strength, seed, Limits(), control)
        guide = Guide(control, verb.device)
        skipped, errors = 0, dict[str, str]()
        with output_folder.opened(folder), tempfile.TemporaryDirectory(prefix="loupe-repair-") as scratch:
            done = 0
            for drawn_by, own in by_model.items():
                spec = registry.generator_of(drawn_by)
                verb.step(done, len(waiting), "loading the model")
                session = spec.load(verb.device)
                guided.require(control, session.takes, str(session.facts.get("model")))
                ids = [each.id for each in own]
                rows = _rows(view, ids, ready)
                shop = Workshop(
                    session=session,
                    spec=(spec.name, spec.version),
                    checks=Loaded(ready, verb.device),
                    rules=rules,
                    rows=rows,
                    unjudged=unjudged,
                    folder=folder,
                    scratch=Path(scratch),
                    settings=settings,
                    guide=guide,
                    alignment=fits,
                )
                marked = None if region is None else store_waiting.regions(view, region, ids)
                jobs = _jobs(own, failing, prompt, marked, shop, errors)
                pending = _pending(view, jobs)
                skipped += len(jobs) - len(pending)
                done = _work(verb, shop, pending, done + len(jobs) - len(pending), len(waiting), errors)
        verb.step(len(waiting), len(waiting), "repaired")
        params = {"failure": failure, "model": _name(model), "method": method, "attempts": attempts}
        params |= {
            "strength": strength,
            "control": control,
            "region": region,
            "seed": seed,
            "unknown": unknown,
            "output_dir": str(folder),
        }
        params["checks"] = [check.name for check in ready]
        verb.finish(len(waiting) - skipped, skipped=skipped, params=params, messages=unjudged, errors=errors)
        notes = [why_not] if why_not and waiting else []
        return _result(view, failing, skipped, [*notes, *list(errors.values())[:_NAMED]])


def _name(model: Any) -> Any:
    return {"generator": model.name, **model.params()} if isinstance(model, Generator) else model and str(model)


def _check(failure: Any, method: Any, attempts: Any, strength: Any, sample: Any, unknown: bool, seed: Any) -> None:
    if method is not None and method not in METHODS:
        raise UnknownName("method", str(method), METHODS)
    require_whole(attempts=(attempts, 1, 64))
    require_whole(seed=(seed, 0, 2**63 - 1))
    if sample is not None:
        require_whole(sample=(sample, 1, 10_000_000))
    bad = isinstance(strength, bool) or not isinstance(strength, (int, float, type(None)))
    if bad or (strength is not None and not 0 < strength <= 1):
        raise InputError(f"expected a strength in (0, 1], got {strength!r}")
    if unknown and failure is None:
        raise InputError("expected a failure beside unknown=True: say which failure the check could not judge")


def _failures(failure: str | None) -> dict[str, tuple[str, Any]]:
    """Returns check and output of the failure modes that can be repaired: those that one picture alone tells."""
    known = {
        name: (check, output) for name, (check, output) in registry.failures().items() if check in registry.checks()
    }
    if failure is None:
        return known
    if failure in registry.failures() and failure not in known:
        raise InputError(
            f"expected a failure of one picture, got {failure!r}, which compares pictures of a set: leave copies and "
            "odd ones out instead, see loupe.deduplicate and loupe.select"
        )
    if failure not in known:
        raise UnknownName("failure mode with a check", str(failure), known)
    return {failure: known[failure]}


def _require_checked(samples: Any, known: Mapping[str, tuple[str, Any]], failure: str | None) -> None:
    """Raises an error where nothing waits because nothing was checked.

    Raises:
        InputError: it says what to run
    """
    checks = {check for check, _ in known.values()}
    if not any(store_waiting.is_checked(samples, check) for check in sorted(checks)):
        what = f"[{next(iter(checks))!r}]" if failure else ""
        raise InputError(
            "expected samples that were checked, got none: run loupe.check(samples"
            f"{', ' + what if what else ''}) first, then repair what it flags"
        )


def _again(
    checks: Sequence[str | Check] | None, waiting: Sequence[Waiting], device: str
) -> tuple[list[Check], dict[str, str]]:
    """Returns the checks that judge again, and of the others that judged the originals why they cannot."""
    known = registry.checks()
    if checks is not None:
        picked = [registry.pick("check", known, name) for name in checks]
        return planning.with_weights([spec.resolved(device) for spec in picked])
    ran = sorted({name for each in waiting for name in each.checked if name in known})
    specs = [known[name]().resolved(device) for name in ran]
    unjudged = {
        spec.name: f"it reads {', '.join(sorted(set(spec.reads()) - _OF_PROMPTS))}, which is said of the original"
        for spec in specs
        if set(spec.reads()) - _OF_PROMPTS
    }
    specs = [spec for spec in specs if spec.name not in unjudged]
    try:
        ready, absent = planning.with_weights(specs)
    except MissingWeights as error:
        return [], unjudged | dict.fromkeys((spec.name for spec in specs), str(error))
    return ready, unjudged | absent


def _rules(samples: Any, checks: Sequence[Check]) -> dict[str, Rule]:
    """Returns score and threshold of each failure mode that the checks flag: the dataset's own, else the default."""
    from loupe.brain.store import runs as store_runs

    own = store_runs.load_thresholds(samples)
    rules = {}
    for check in checks:
        for output in check.outputs:
            if output.failure is None or output.default_threshold is None:
                continue
            threshold = own.get(output.failure, output.default_threshold)
            rules[output.failure] = Rule(output.name, threshold, check.name)
    return rules


def _first(failures: Sequence[str], unknown: Sequence[str], rules: Mapping[str, Rule]) -> str:
    """Returns what of a sample is repaired: what can be judged again first, in the order of the taxonomy."""
    rank = {name: place for place, name in enumerate(FAILURE_MODES)}
    listed = sorted(failures, key=lambda name: (name not in rules, rank.get(name, len(rank))))
    return (listed or list(unknown))[0]


def _by_model(
    waiting: Sequence[Waiting], model: str | Path | Generator | None
) -> dict[str | Path | Generator, list[Waiting]]:
    """Returns the samples by the model that is to draw them.

    Raises:
        InputError: no model was given, and that of some samples is not known
    """
    if model is not None:
        return {model: list(waiting)} if waiting else {}
    by_model: dict[str | Path | Generator, list[Waiting]] = {}
    for each in waiting:
        if not each.model or ("/" not in each.model and each.model not in (*registry.generators(), "tiny-signs")):
            what = f"{each.model!r}, a folder whose place is not known" if each.model else "none"
            raise InputError(
                f"expected a model to draw with, got {what} as generation.model of {each.id}: give model=, a hub id or "
                "a folder"
            )
        by_model.setdefault(each.model, []).append(each)
    return by_model


def _rows(samples: Any, ids: Sequence[str], checks: Sequence[Check]) -> dict[str, Any]:
    if not checks:
        chosen = root(samples).select(list(ids))
        paths = dict(zip(*chosen.values(["id", "filepath"]), strict=True))
        return {each: Row(each, paths[each], {}, frozenset(), {}) for each in ids}
    needs = sorted({name for spec in checks for name in spec.reads()})
    rows, _ = store_rows.pending_rows(root(samples).select(list(ids)), checks, needs=needs, resume=False)
    return {row.id: row for row in rows}


def _jobs(
    own: Sequence[Waiting],
    failing: Mapping[str, str],
    prompt: str | None,
    marked: Mapping[str, Any] | None,
    shop: Workshop,
    errors: dict[str, str],
) -> list[Job]:
    """Returns the jobs of samples; whose picture cannot be looked at now has none, and the reason in ``errors``."""
    made = []
    for each in own:
        try:
            made.append(_job(each, failing[each.id], prompt, marked, shop))
        except NotReadNow as error:
            errors[each.id] = str(error)
    return made


def _job(each: Waiting, failure: str, prompt: str | None, marked: Mapping[str, Any] | None, shop: Workshop) -> Job:
    text = each.prompt if each.prompt.strip() else prompt or ""
    # a region that is asked for and not marked is an empty one
    own = None if marked is None else marked.get(each.id)
    own = [] if marked is not None and own is None else own
    facts = {name: value for name, value in shop.session.facts.items() if name != "model"}
    checks = sorted(check.key for check in shop.checks.checks)
    inputs = store_rows.known_key(each.path, dict(shop.rows[each.id].fields))
    place = own if own is None or isinstance(own, list) else own.tolist()
    identity = [each.id, failure, text, each.negative_prompt, inputs, place, sorted(each.asked)]
    identity.append(sorted(set(shop.unjudged) & each.checked))
    rules = sorted((name, rule.threshold.op, rule.threshold.value) for name, rule in shop.rules.items())
    key = key_of(VERSION, *identity, shop.spec, facts, shop.settings.facts, checks, rules, shop.alignment is not None)
    return Job(each, failure, failure not in each.failures, text, own, key)


def _pending(samples: Any, jobs: Sequence[Job]) -> list[Job]:
    """Returns the jobs that are not decided yet, or whose repaired sample or file was deleted since."""
    known = {(entry.id, entry.failure): entry for entry in store.entries(samples, {job.failure for job in jobs})}
    repaired = {str(entry.facts.get("sample") or "") for entry in known.values()} - {""}
    files = store.present(samples, repaired)
    pending = []
    for job in jobs:
        entry = known.get((job.sample.id, job.failure))
        if entry is None or entry.facts.get("key") != job.key:
            pending.append(job)
        elif entry.status == "better":
            path = files.get(str(entry.facts.get("sample")))
            if path is None or not Path(path).exists():
                pending.append(job)
    return pending


def _work(verb: Lifecycle, shop: Workshop, jobs: Sequence[Job], done: int, total: int, errors: dict[str, str]) -> int:
    """Repairs the samples, chunk by chunk, and stores what becomes of them; returns how many are done.

    Of a file that cannot be read for the moment nothing is stored: why stands in ``errors``, by sample id.
    """
    carried = store.carrying(verb.samples)
    for start in range(0, len(jobs), _CHUNK):
        verb.step(done, total, "repairing")
        part = jobs[start : start + _CHUNK]
        try:
            for outcome in shop.outcomes(part):
                if outcome.not_now:
                    errors[outcome.job.sample.id] = outcome.reason
                else:
                    keep(verb.samples, shop, outcome, carried)
                done += 1
        except OSError as error:
            kept = f"{done} of {total} samples are decided. "
            raise output_folder.writing_error(shop.folder, error, kept) from error
    return done


def _result(samples: Any, failing: Mapping[str, str], skipped: int, messages: Sequence[str]) -> Repair:
    entries: Iterator[Any] = iter(store.entries(samples, sorted(set(failing.values()))))
    own = [entry.record() for entry in entries if failing.get(entry.id) == entry.failure]
    return Repair.of(own, skipped, messages)
