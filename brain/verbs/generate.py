"""``loupe.generate``: prompts become images, and images become samples."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError, PromptError
from loupe.brain.core.numbers import require_whole
from loupe.brain.core.records import ProgressCallback, Request
from loupe.brain.core.results import Run
from loupe.brain.core.specs import Generator
from loupe.brain.core.written import Syntax
from loupe.brain.engine import output_folder
from loupe.brain.engine.drawing import Item
from loupe.brain.prompts import files as prompt_files
from loupe.brain.prompts import suites
from loupe.brain.prompts.files import Prompts
from loupe.brain.prompts.requests import Reading, hash_of, requests_of, sized
from loupe.brain.prompts.wildcards import Wildcards
from loupe.brain.store import generated as store_generated
from loupe.brain.verbs import drawing
from loupe.brain.verbs.lifecycle import running

if TYPE_CHECKING:
    import fiftyone as fo

# what is good to know and decides no pixel
_NOT_IN_KEY = {"model", "family", "license", "guidance_kind"}


def generate(
    dataset: fo.Dataset,
    prompts: Prompts,
    *,
    model: str | Path | Generator = "tiny-signs",
    per_prompt: int = 1,
    seed: int = 0,
    output_dir: str | Path | None = None,
    negative_prompt: str = "",
    steps: int | None = None,
    guidance: float | None = None,
    width: int | None = None,
    height: int | None = None,
    batch_size: int | None = None,
    dtype: str | None = None,
    true_guidance: float | None = None,
    scheduler: str | None = None,
    loras: str | None = None,
    placement: str | None = None,
    quantize: str | None = None,
    budget: float | None = None,
    device: str | Sequence[str] | None = None,
    factors: Mapping[str, Sequence[Any]] | None = None,
    sample: int | None = None,
    syntax: Syntax = "plain",
    wildcards: str | Path | None = None,
    progress: bool | ProgressCallback | None = None,
) -> Run:
    """Draws images from prompts and adds a sample for each: ``prompt``, ``generation.*`` and ``scenario.*``.

    Each image has a seed of its own, derived from ``seed``, its prompt and its number among those of the same prompt:
    other prompts beside it, their order and the batch size do not change it. The key of an image (``generation.key``)
    is a hash of all that decides its pixels: what the dataset has already is not drawn again, and after a stop, an
    error or a killed process the same call goes on where that one ended. Files are written under a temporary name
    first, so that none is ever half there; each carries its provenance as JSON in the PNG text chunk ``loupe``.

    Args:
        dataset: where the samples go
        prompts: a list of strings or of mappings with ``prompt`` and factors; a .txt, .jsonl, .csv or .tsv file; the
            name of a suite (``loupe.suites()``), such as ``"geneval"``, whose categories become factors; or, with
            ``factors``, a template (see ``loupe.brain.prompts.files``)
        model: ``"tiny-signs"``, a hub id, a folder in diffusers' format, a generator's spec, or a hosted service and
            its model: ``"openai:gpt-image-2.5-flare"``, ``"ideogram:ideogram-4-5"``, ``"bfl:flux-2-pro"``
        per_prompt: images for each prompt; a larger number adds to what is there
        seed: in [0, 2**63)
        output_dir: where the files go, as ``<key>.png``; the dataset's folder in FiftyOne's dataset folder by default
        negative_prompt: for the prompts that have none of their own
        steps, guidance, width, height, dtype, scheduler: the model's own by default
        true_guidance, loras, placement, quantize: of a local model: docs/models.md
        batch_size: images between two progress reports; it changes no pixel
        budget: of a hosted service: dollars for the images of this call, earlier tries at it included; never exceeded
            by more than one request
        device: e.g. ``"cuda:1"``; the best there is by default. Several, as ``"cuda:0,cuda:1"`` or a list, or ``"all"``
            GPUs draw in a process each, to the same bits
        factors: for each placeholder of the template its values; every combination is drawn
        sample: only that many of the prompts, drawn by ``seed``
        syntax: what is done with weights, LoRAs and flags that the model does not read: plain draws the words and says
            what was left out, refuse draws nothing, keep draws prompts as they stand, variants too
        wildcards: a folder of .txt files, for wildcards such as ``__animal__`` in prompts
        progress: True for a bar, or a function; see ``loupe.Progress``

    Returns:
        ``n`` images added, ``skipped`` that were there; of a hosted service ``params["cost"]``, and ``unknown`` has
        how many were ``refused`` by its moderation, remained ``unclear``, or were ``unaffordable``

    Raises:
        PromptError: a prompt, a prompt file or the template cannot be used; nothing was drawn
        ModelError: the model cannot be loaded
        ServiceError: a hosted service cannot be used; what was drawn is stored
        ProcessLost: of several devices too few processes are left; what was drawn is stored
        OutputError: the folder cannot be written, the disk is full, or another process writes there
        Stopped: ``progress`` asked to stop; what was drawn is stored
        DatabaseGone: the database stopped answering; what was drawn is on disk, and the same call takes it up

    >>> template = 'a {color} sign that says "{text}", {time}, clear'
    >>> values = {"color": ["red", "blue"], "text": range(10, 100), "time": ["day", "night"]}
    >>> loupe.generate(dataset, template, factors=values, sample=200)  # doctest: +SKIP
    Run(loupe_generate_1: 200 done, 0 already done, 0 errors, unknown: none, 170.0 s on cpu)
    """
    with running(dataset, "generate", progress, device=device, several=True, needs="dataset") as verb:
        require_whole(per_prompt=(per_prompt, 1, 1_000_000))
        require_whole(seed=(seed, 0, 2**63 - 1))
        wanted = suites.read(prompts, factors=factors, sample=sample, seed=seed)
        given = {
            "steps": steps,
            "guidance": guidance,
            "width": width,
            "height": height,
            "batch_size": batch_size,
            "dtype": dtype,
            "true_guidance": true_guidance,
            "scheduler": scheduler,
            "loras": loras,
            "placement": placement,
            "quantize": quantize,
            "budget": budget,
        }
        spec = _spec(model, {name: value for name, value in given.items() if value is not None})
        reading = Reading(syntax, spec.syntax, spec.name, None if wildcards is None else Wildcards(wildcards))
        wanted = prompt_files.with_negative_prompt(wanted, negative_prompt)
        read = requests_of(wanted, per_prompt, seed, reading)
        store_generated.prepare(dataset, (name for request in read.requests for name in request.factors))
        folder = Path(output_dir).expanduser() if output_dir is not None else store_generated.default_folder(dataset)
        folder = folder.resolve()
        with output_folder.opened(folder), drawing.loaded(spec, folder, verb, len(read.requests)) as drawers:
            session = drawers.session
            requests = sized(read.requests, session.facts.get("width"), session.facts.get("height"))
            items = [Item(_key(spec, session.facts, request), request) for request in requests]
            _refuse_clashes(items)
            made, skipped, outcomes = drawing.make(dataset, folder, spec, drawers, items, verb.report)
        settings = {"per_prompt": per_prompt, "seed": seed, "sample": sample, "prompts": len(wanted), "syntax": syntax}
        params = {"generator": spec.name, **spec.params(), **settings, "output_dir": str(folder)}
        params |= outcomes.account
        return verb.finish(
            made,
            skipped=skipped,
            params=params,
            errors=outcomes.errors,
            unknown=outcomes.unknown,
            messages=outcomes.messages,
            left_out=read.notes,
        )


def _key(spec: Generator, facts: Mapping[str, Any], request: Request) -> str:
    decisive = {name: value for name, value in facts.items() if name not in _NOT_IN_KEY}
    text: list[Any] = [spec.name, spec.version, decisive, request.prompt, request.negative_prompt, request.seed]
    if request.size is not None:
        text.append(request.size)
    return f"{hash_of(text, 16):032x}"


def _refuse_clashes(items: Sequence[Item]) -> None:
    """Two prompts with a seed of their own can ask for the same image under different factors."""
    seen: dict[str, Request] = {}
    for item in items:
        other = seen.setdefault(item.key, item.request)
        if other is not item.request:
            raise PromptError(
                f"expected each image once, got {item.request.prompt[:200]!r} with seed {item.request.seed} twice: "
                f"with the factors {dict(other.factors)} and {dict(item.request.factors)}. Change or leave out one "
                "of the seeds"
            )


def _spec(model: str | Path | Generator, given: dict[str, Any]) -> Generator:
    spec = registry.generator_of(model)
    unknown = given.keys() - spec.params().keys()
    if unknown:
        raise InputError(f"expected settings of {spec.name} ({', '.join(spec.params())}), got {sorted(unknown)[0]!r}")
    return dataclasses.replace(spec, **given)
