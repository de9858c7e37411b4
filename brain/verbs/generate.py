"""``loupe.generate``: prompts become images, and images become samples."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError, PromptError
from loupe.brain.core.hashes import json_hash
from loupe.brain.core.numbers import require_whole
from loupe.brain.core.records import ProgressCallback, Request
from loupe.brain.core.results import Run
from loupe.brain.core.specs import Generator
from loupe.brain.core.written import Syntax
from loupe.brain.engine import output_folder
from loupe.brain.engine.drawing import Item
from loupe.brain.generation.sources import Source
from loupe.brain.generation.upscaling import Upscale
from loupe.brain.prompts import files as prompt_files
from loupe.brain.prompts import suites
from loupe.brain.prompts.files import Prompts
from loupe.brain.prompts.requests import Reading, requests_of, sized
from loupe.brain.prompts.wildcards import Wildcards
from loupe.brain.store import generated as store_generated
from loupe.brain.verbs.lifecycle import running
from loupe.brain.verbs.steps import conditioning, drawing

if TYPE_CHECKING:
    import fiftyone as fo

# what is good to know and decides no pixel
_NOT_IN_KEY = {"model", "family", "license", "guidance_kind"}


def generate(
    dataset: fo.Dataset,
    prompts: Prompts | None = None,
    *,
    source: fo.Dataset | fo.DatasetView | None = None,
    image: str | Path | None = None,
    mask: str | Path | None = None,
    strength: float | None = None,
    control: str | Path | None = None,
    reference: str | Path | None = None,
    upscale: float | None = None,
    upscale_strength: float | None = None,
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
    controlnet: str | None = None,
    ip_adapter: str | None = None,
    placement: str | None = None,
    quantize: str | None = None,
    budget: float | None = None,
    device: str | Sequence[str] | None = None,
    engine: str = "local",
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
            ``factors``, a template (see ``loupe.brain.prompts.files``). None: with ``source``, each sample's own
        source: a dataset or view: each of its samples is drawn from, with each prompt
        image: the picture to begin with: a file, a folder of pictures, or a field of the source's samples that names
            files; with ``source`` their own files, ``"filepath"``, unless a control or a reference stands alone
        mask: what of the picture is drawn anew, all else stays to the last bit: a field of boxes, masks or polygons of
            the source's samples, or a file or a folder of pictures that are white there
        strength: how much of what stands there is given up, in (0, 1]; by default 0.6 of a picture, all of a mask
        control: whose layout is kept, by a model with a ControlNet: ``"edges"`` or ``"pose"`` of the picture, or its
            depth by a model, ``"depth:MODEL"``; else a field of points, maps or files of the samples, a file or a
            folder of such pictures as they stand
        reference: whose look is taken over, by a model with an IP-Adapter: a field, a file or a folder
        upscale: draws each image again so many times as wide and high, in tiles, from itself, in (1, 4]
        upscale_strength: how much of the enlarged image is given up, in (0, 1]; 0.3 by default
        model: ``"tiny-signs"``, a hub id, a folder in diffusers' format, a generator's spec, or a hosted service and
            its model: ``"openai:gpt-image-2.5-flare"``, ``"ideogram:ideogram-4-5"``, ``"bfl:flux-2-pro"``
        per_prompt: images for each prompt; a larger number adds to what is there
        seed: in [0, 2**63)
        output_dir: where the files go, as ``<key>.png``; the dataset's folder in FiftyOne's dataset folder by default
        negative_prompt: for the prompts that have none of their own
        steps, guidance, width, height, dtype, scheduler: the model's own by default
        true_guidance, loras, controlnet, ip_adapter, placement, quantize: of a local model: docs/models.md
        batch_size: images between two progress reports; it changes no pixel
        budget: of a hosted service: dollars for the images of this call, earlier tries at it included; never exceeded
            by more than one request
        device: e.g. ``"cuda:1"``; the best there is by default. Several, as ``"cuda:0,cuda:1"`` or a list, or ``"all"``
            GPUs draw in a process each, to the same bits. On a cluster "cuda" or "cpu": Ray chooses which
        engine: where to draw; ``"local"`` is this machine, ``"ray"`` a Ray cluster, with a process for each of its
            GPUs: each node needs the model, and what is drawn from, under the same path; requests go there, files come
            back and are written here alone, see docs/scale.md
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
        InputError: what is to be drawn from does not go together, is not there, or the model does not take it
        ModelError: the model cannot be loaded
        ServiceError: a hosted service cannot be used; what was drawn is stored
        MissingDependency: ``engine="ray"``, and Ray is not installed
        ProcessLost: of several devices, or of a cluster, too few processes are left; what was drawn is stored
        OutputError: the folder cannot be written, the disk is full, or another process writes there
        Stopped: ``progress`` asked to stop; what was drawn is stored
        DatabaseGone: the database stopped answering; what was drawn is on disk, and the same call takes it up

    >>> template = 'a {color} sign that says "{text}", {time}, clear'
    >>> values = {"color": ["red", "blue"], "text": range(10, 100), "time": ["day", "night"]}
    >>> loupe.generate(dataset, template, factors=values, sample=200)  # doctest: +SKIP
    Run(loupe_generate_1: 200 done, 0 already done, 0 errors, unknown: none, 170.0 s on cpu)
    """
    with running(dataset, "generate", progress, device=device, several=True, needs="dataset", engine=engine) as verb:
        require_whole(per_prompt=(per_prompt, 1, 1_000_000))
        require_whole(seed=(seed, 0, 2**63 - 1))
        asked = conditioning.conditioning(source, image, mask, control, reference, strength, upscale, upscale_strength)
        _require_prompts(prompts, factors, source)
        wanted = None if prompts is None else suites.read(prompts, factors=factors, sample=sample, seed=seed)
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
            "controlnet": controlnet,
            "ip_adapter": ip_adapter,
            "placement": placement,
            "quantize": quantize,
            "budget": budget,
        }
        spec = _spec(model, {name: value for name, value in given.items() if value is not None})
        drawn = conditioning.drawn(asked, wanted, sample, seed, verb)
        reading = Reading(
            syntax, asked.understood(spec.syntax), spec.name, None if wildcards is None else Wildcards(wildcards)
        )
        listed = prompt_files.with_negative_prompt(drawn.prompts, negative_prompt)
        read = requests_of(listed, per_prompt, seed, reading, drawn.origins)
        store_generated.prepare(dataset, (name for request in read.requests for name in request.factors))
        folder = Path(output_dir).expanduser() if output_dir is not None else store_generated.default_folder(dataset)
        folder = folder.resolve()
        with output_folder.opened(folder), drawing.loaded(spec, folder, verb, len(read.requests)) as drawers:
            session = drawers.session
            here = session if verb.engine == "local" else conditioning.here(session)
            conditioning.require_drawable(here, asked)
            requests = sized(read.requests, session.facts.get("width"), session.facts.get("height"))
            items = [
                _item(spec, session.facts, request, drawn.sources[at // per_prompt], asked.upscale)
                for at, request in enumerate(requests)
            ]
            _refuse_clashes(items)
            items, errors = conditioning.readable(here, items, dataset, verb, drawn.errors)
            made, skipped, outcomes = drawing.make(dataset, folder, spec, drawers, items, verb.report)
        settings = {"per_prompt": per_prompt, "seed": seed, "sample": sample, "prompts": len(listed), "syntax": syntax}
        params = {"generator": spec.name, **spec.params(), **settings, "output_dir": str(folder)}
        params |= {**asked.params(), **outcomes.account}
        return verb.finish(
            made,
            skipped=skipped,
            params=params,
            errors={**errors, **outcomes.errors},
            unknown=outcomes.unknown,
            messages=outcomes.messages,
            left_out={**read.notes, **drawn.left_out},
        )


def _require_prompts(prompts: Any, factors: Any, source: Any) -> None:
    if prompts is None and source is None:
        raise PromptError("expected prompts, got none: give some, or source= to draw from samples with their own")
    if prompts is None and factors is not None:
        raise PromptError("expected a template beside factors, got none: the samples' own prompts have no placeholders")


def _item(
    spec: Generator, facts: Mapping[str, Any], request: Request, source: Source | None, upscale: Upscale | None
) -> Item:
    more: dict[str, Any] = {}
    if source is not None:
        more |= source.facts()
    if upscale is not None:
        more["upscale"], more["upscale_strength"] = upscale.factor, upscale.strength
    inputs = [] if source is None else [source.VERSION, dict(source.inputs)]
    inputs += [] if upscale is None else [upscale.VERSION, upscale.to_dict()]
    made = dataclasses.replace(request, facts={**request.facts, **more}) if more else request
    return Item(_key(spec, facts, request, inputs), made, source, upscale)


def _key(spec: Generator, facts: Mapping[str, Any], request: Request, inputs: Sequence[Any]) -> str:
    decisive = {name: value for name, value in facts.items() if name not in _NOT_IN_KEY}
    text: list[Any] = [spec.name, spec.version, decisive, request.prompt, request.negative_prompt, request.seed]
    if request.size is not None:
        text.append(request.size)
    text += inputs
    return json_hash(text)


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
