"""What a graph states of the picture that it drew.

Where samplers follow each other (a second pass, a detailer, a refiner) the facts are those of the first: it began
from noise and drew what is asked for. Where several nodes save, and the file's name does not tell which, the facts are
those in which they agree.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from loupe.brain.provenance.comfyui import models, passes, texts
from loupe.brain.provenance.comfyui.graph import MAX_DEPTH, Graph, Link, Node, Unknown
from loupe.brain.provenance.comfyui.passes import Chain
from loupe.brain.provenance.records import Reading, as_number

_TOOL = "ComfyUI"
_NAMES = ("prompt", "negative_prompt", "seed", "model")
#: what the editor itself changes before the graph runs
_EDITED = re.compile(r"(?<!\\)\{[^{}|]*\|[^{}]*\}|/\*|^[ \t]*//", re.MULTILINE)
_NUMBERS = ("value", "int", "seed", "number", "Number", "float", "noise_seed", "INT")


def read(graph: Graph, source: str, file_name: str | None = None, edited: bool = False) -> Reading:
    """Returns what a graph states.

    Args:
        graph: the nodes
        source: where it stood
        file_name: of the picture
        edited: whether it is what the editor saves: braces with bars in it are chosen from when it runs
    """
    savers = passes.savers(graph, file_name)
    if not savers:
        return Reading(source, {"tool": _TOOL}, dict.fromkeys(_NAMES, "no node of the graph saves a picture"))
    readings = [_saved(graph, saver, edited) for saver in savers[:50]]
    values, unknown, scale = readings[0]
    for other, reasons, _ in readings[1:]:
        for name in {*values, *other}:
            if values.get(name) != other.get(name) and name in {*values, *other}:
                values.pop(name, None)
                unknown[name] = f"{len(savers)} nodes save pictures, and they differ in it"
        unknown = {**reasons, **unknown}
    return Reading(source, values, {name: why for name, why in unknown.items() if name not in values}, scale=scale)


def _saved(graph: Graph, saver: Node, edited: bool) -> tuple[dict[str, Any], dict[str, str], float]:
    values: dict[str, Any] = {"tool": _TOOL}
    try:
        chain = passes.chain(graph, saver)
    except Unknown as error:
        return values, dict.fromkeys(_NAMES, str(error)), math.nan
    unknown: dict[str, str] = {}

    def take(name: str, read: Callable[[], Any]) -> None:
        try:
            value = read()
        except Unknown as error:
            unknown[name] = str(error)
            return
        if isinstance(value, str) and edited and _EDITED.search(value):
            unknown[name] = "the editor chooses in the braces of its text when it runs"
        elif value is not None:
            values[name] = value

    first = chain.passes[0]
    take("prompt", lambda: _text(graph, first, "positive"))
    take("negative_prompt", lambda: _text(graph, first, "negative"))
    take("seed", lambda: _seed(graph, first))
    take("steps", lambda: _setting(graph, first, "steps", "sigmas"))
    take("guidance", lambda: _guidance(graph, first))
    take("distilled_guidance", lambda: _distilled(graph, first))
    take("scheduler", lambda: _name(graph, first, "sampler_name", "sampler"))
    take("noise_schedule", lambda: _name(graph, first, "scheduler", "sigmas"))
    take("denoise", lambda: _setting(graph, first, "denoise", "sigmas"))
    _model(graph, first, values, unknown)
    _size(graph, chain, values)
    if chain.upscaler:
        values["upscaler"] = chain.upscaler
    if values.get("prompt") == "":
        del values["prompt"]
        unknown["prompt"] = "it was empty"
    return values, unknown, math.nan if chain.scaled or len(chain.passes) > 1 else 1.0


def _guider(graph: Graph, sampler: Node) -> Node | None:
    link = sampler.inputs.get("guider")
    return graph.at(link) if isinstance(link, Link) else None


def _text(graph: Graph, sampler: Node, side: texts.Side) -> str:
    guider = _guider(graph, sampler)
    if guider is not None and isinstance(guider.inputs.get("conditioning"), Link):
        # one conditioning: there is no negative one
        return "" if side == "negative" else texts.of(graph, guider.inputs["conditioning"], side)
    if guider is not None and "cond1" in guider.inputs and side == "positive":
        raise Unknown(f"the node {guider.kind!r} is guided by two prompts")
    own = sampler if guider is None else guider
    embedded = own.inputs.get("text_embeds")
    if isinstance(embedded, Link):
        node = graph.at(embedded)
        name = f"{side}_prompt"
        return (
            texts.string(graph, node.inputs[name])
            if name in node.inputs
            else texts.of(graph, node.inputs.get(side), side)
        )
    link = passes.value(graph, own, side)
    if link is None and side == "negative":
        # a sampler that has no such input knows no negative prompt
        return ""
    return texts.of(graph, link, side)


def _seed(graph: Graph, sampler: Node) -> Any:
    if isinstance(sampler.inputs.get("noise"), Link):
        node = graph.at(sampler.inputs["noise"])
        if "noise_seed" not in node.inputs:
            raise Unknown(f"the node {node.kind!r} gives the noise, and has no seed")
        return _number(graph, node.inputs["noise_seed"])
    if str(sampler.inputs.get("add_noise", "enable")).lower() in ("disable", "false"):
        raise Unknown("the sampler adds no noise of its own")
    for name in ("seed", "noise_seed"):
        given = passes.value(graph, sampler, name)
        if given is not None:
            return _number(graph, given)
    raise Unknown("the sampler states no seed")


def _number(graph: Graph, given: Any) -> Any:
    """A number, also one that a node hands on."""
    for _ in range(MAX_DEPTH):
        if not isinstance(given, Link):
            return given
        node = graph.at(given)
        present = [name for name in _NUMBERS if name in node.inputs]
        links = list(node.links)
        if len(links) == 1 and "reroute" in node.kind.lower():
            given = links[0][1]
        elif len(present) == 1 and not re.search(r"random|math|add|index|switch|list", node.kind, re.IGNORECASE):
            given = node.inputs[present[0]]
        else:
            raise Unknown(f"the node {node.kind!r} makes the number when it runs")
    raise Unknown("the graph leads back to itself")


def _setting(graph: Graph, sampler: Node, name: str, through: str) -> Any:
    """A number of the sampler, or of the node behind its input ``through``."""
    given = passes.value(graph, sampler, name)
    if given is None and isinstance(sampler.inputs.get(through), Link):
        node = graph.at(sampler.inputs[through])
        given = node.inputs.get(name)
        if given is None and node.links and name == "steps":
            raise Unknown(f"the node {node.kind!r} gives the steps, and changes them")
    number = _number(graph, given) if given is not None else None
    return as_number(number) if number is not None else None


def _name(graph: Graph, sampler: Node, name: str, through: str) -> str | None:
    given = passes.value(graph, sampler, name)
    if given is None and isinstance(sampler.inputs.get(through), Link):
        given = graph.at(sampler.inputs[through]).inputs.get(name)
    return given if isinstance(given, str) and given.strip() else None


def _guidance(graph: Graph, sampler: Node) -> Any:
    own = _guider(graph, sampler) or sampler
    given = passes.value(graph, own, "cfg")
    return _number(graph, given) if given is not None else None


def _distilled(graph: Graph, sampler: Node) -> Any:
    """The guidance that Flux is told, on the way to its text."""
    guider = _guider(graph, sampler)
    own = sampler if guider is None else guider
    link = own.inputs.get("conditioning", own.inputs.get("positive"))
    for _ in range(MAX_DEPTH):
        if not isinstance(link, Link) or link.node not in graph.nodes:
            return None
        node = graph.nodes[link.node]
        if "guidance" in node.inputs and "conditioning" not in node.kind.lower():
            return _number(graph, node.inputs["guidance"])
        following = [item for name, item in node.links if name.lower().startswith(("cond", "positive"))]
        link = following[0] if len(following) == 1 else None
    return None


def _model(graph: Graph, sampler: Node, values: dict[str, Any], unknown: dict[str, str]) -> None:
    try:
        own = _guider(graph, sampler) or sampler
        link = passes.value(graph, own, "model")
        values["model"], loras = models.of(graph, _piped(graph, own) if link is None else link)
    except Unknown as error:
        unknown["model"] = str(error)
        return
    if loras:
        values["loras"] = loras


def _piped(graph: Graph, node: Node) -> Any:
    return next((link for name, link in node.links if "pipe" in name.lower()), None)


def _size(graph: Graph, chain: Chain, values: dict[str, Any]) -> None:
    """The size that the first pass began at, where it began from an empty picture of a stated size."""
    link = chain.first_latent
    node: Node | None = graph.nodes.get(link.node) if isinstance(link, Link) else None
    for _ in range(MAX_DEPTH):
        if node is None:
            return
        inputs: Mapping[str, Any] = node.inputs
        if (
            "width" in inputs
            and "height" in inputs
            and not any(name in ("samples", "pixels") for name, _ in node.links)
        ):
            if "empty" not in node.kind.lower():
                return
            try:
                values["width"], values["height"] = (_number(graph, inputs[name]) for name in ("width", "height"))
            except Unknown:
                values.pop("width", None)
            return
        links = list(node.links)
        following = links[0][1] if len(links) == 1 else None
        node = graph.nodes.get(following.node) if isinstance(following, Link) else None
