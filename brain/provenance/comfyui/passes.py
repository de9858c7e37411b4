"""From the node that saves the picture back to the samplers that drew it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from loupe.brain.provenance.comfyui.graph import MAX_DEPTH, Graph, Link, Node, Unknown

_SAVES = re.compile(r"save|output|websocket|export|write", re.IGNORECASE)
_SHOWS = re.compile(r"preview|compare|show|view", re.IGNORECASE)
_PICTURES = re.compile(r"^(images?|pixels|frames|image_?\d*|samples|latents?|video)", re.IGNORECASE)
#: what a sampler has beside the conditioning
_SETTINGS = ("seed", "noise_seed", "noise", "steps", "sampler_name", "sigmas")
#: inputs that lead to no earlier picture
_ASIDE = re.compile(
    r"^(model|unet|clip|vae|positive|negative|cond|control_?net|style_model|upscale_model|guider|noise$|noise_|sampler|sigmas"
    r"|mask|lora|text|prompt|string|seed|steps|cfg|bbox|segm|sam_|detailer|optional_|reference|ref_|ipadapter|pipe)",
    re.IGNORECASE,
)


@dataclass(frozen=True, eq=False)
class Chain:
    """What drew a picture.

    Attributes:
        passes: the samplers, the first one first: it began from noise or from a picture that was given
        scaled: whether something on the way changes the size
        first_latent: what the first one began from
        upscaler: the model that enlarged the picture, if one did
    """

    passes: tuple[Node, ...]
    scaled: bool
    first_latent: Any
    upscaler: str | None = None


def savers(graph: Graph, file_name: str | None = None) -> list[Node]:
    """Returns the nodes that may have saved the file: those whose names begin as it does, where they tell.

    Args:
        graph: the nodes
        file_name: the file's
    """
    used = {link.node for node in graph.nodes.values() for _, link in node.links}
    ends = [
        node
        for node in graph.nodes.values()
        if any(_PICTURES.match(name) for name, _ in node.links) and (node.id not in used or _SAVES.search(node.kind))
    ]
    saving = [node for node in ends if _SAVES.search(node.kind) and not _SHOWS.search(node.kind)]
    ends = saving or ends
    if file_name and len(ends) > 1:
        named = [node for node in ends if _begins(file_name, node.inputs.get("filename_prefix"))]
        longest = max((len(str(node.inputs["filename_prefix"])) for node in named), default=0)
        ends = [node for node in named if len(str(node.inputs["filename_prefix"])) == longest] or ends
    if not ends:
        # a sampler that saves its picture itself
        ends = [node for node in graph.nodes.values() if node.id not in used and is_sampler(graph, node)]
    return ends


def _begins(file_name: str, prefix: Any) -> bool:
    if not isinstance(prefix, str) or not prefix or "%" in prefix:
        return False
    return file_name.startswith(PurePath(prefix.replace("\\", "/")).name)


def value(graph: Graph, node: Node, name: str, depth: int = 0) -> Any:
    """Returns an input of a node: its own, else that of the pipe that leads to it; None where there is none."""
    own = node.inputs.get(name)
    if own is not None:
        return own
    if depth < MAX_DEPTH:
        for key, link in node.links:
            if "pipe" in key.lower() and link.node in graph.nodes:
                return value(graph, graph.nodes[link.node], name, depth + 1)
    return None


def is_sampler(graph: Graph, node: Node) -> bool:
    """Returns whether a node takes steps from a conditioning: by its inputs, whatever its name is."""
    if isinstance(node.inputs.get("guider"), Link):
        return "sigmas" in node.inputs or "sampler" in node.inputs
    piped = any("pipe" in name.lower() for name, _ in node.links)
    if piped and "sampler" not in node.kind.lower() and "detailer" not in node.kind.lower():
        return False
    conditioned = isinstance(value(graph, node, "positive") if piped else node.inputs.get("positive"), (Link, str))
    conditioned = conditioned and (piped or isinstance(node.inputs["positive"], Link))
    if not conditioned and isinstance(node.inputs.get("text_embeds"), Link):
        conditioned = True
    settings = (value(graph, node, name) if piped else node.inputs.get(name) for name in _SETTINGS)
    return conditioned and any(item is not None for item in settings)


def chain(graph: Graph, saver: Node) -> Chain:
    """Returns what drew the picture that a node saves.

    Raises:
        Unknown: no sampler leads to it, or several that do not follow each other; with the reason
    """
    passes: list[Node] = []
    scaled = False
    upscaler: str | None = None
    at = saver
    for _ in range(MAX_DEPTH):
        reached, resized, enlarged = _nearest(graph, at, not passes and is_sampler(graph, saver))
        scaled, upscaler = scaled or resized, upscaler or enlarged
        if len(reached) > 1:
            kinds = ", ".join(sorted({node.kind for node in reached})[:3])
            raise Unknown(f"{len(reached)} samplers ({kinds}) lead to the picture beside each other")
        if not reached:
            break
        (at,) = reached
        if at in passes:
            raise Unknown("the graph leads back to itself")
        passes.append(at)
        scaled = scaled or "upscale_by" in at.inputs or "guide_size" in at.inputs
    if passes and "guide_size" in passes[-1].inputs:
        raise Unknown(f"the node {passes[-1].kind!r} drew only a part of a picture that was there")
    if not passes:
        raise Unknown("no node that samples leads to the one that saves the picture")
    return Chain(tuple(reversed(passes)), scaled, _latent(graph, passes[-1]), upscaler)


def _nearest(graph: Graph, start: Node, itself: bool) -> tuple[list[Node], bool, str | None]:
    """The samplers nearest to a node, going back through pictures and latents; and what changes the size on the way."""
    if itself:
        return [start], False, None
    reached: dict[str, Node] = {}
    seen = {start.id}
    scaled, upscaler = False, None
    pending = [start]
    while pending:
        node = pending.pop()
        scaled = scaled or bool(
            re.search(r"scale|resize|crop|pad|rotate|stitch|composite|grid", node.kind, re.IGNORECASE)
        )
        link = node.inputs.get("upscale_model")
        if isinstance(link, Link) and link.node in graph.nodes:
            loader = graph.nodes[link.node].inputs
            upscaler = upscaler or next(
                (v for n, v in loader.items() if n.endswith("name") and isinstance(v, str)), None
            )
        for following in _before(graph, node, node is start):
            if following.id in seen:
                continue
            seen.add(following.id)
            if is_sampler(graph, following):
                reached[following.id] = following
            else:
                pending.append(following)
    return list(reached.values()), scaled, upscaler


def _before(graph: Graph, node: Node, is_start: bool) -> Iterator[Node]:
    """The nodes whose pictures or latents a node is given."""
    for name, link in node.links:
        following = graph.nodes.get(link.node)
        if following is None:
            continue
        if not _ASIDE.match(name):
            yield following
        elif name.lower().startswith(("positive", "negative", "cond")) and is_start:
            # Stable Cascade hands the picture of its first stage on beside the text
            stage = following.inputs.get("stage_c")
            if isinstance(stage, Link) and stage.node in graph.nodes:
                yield graph.nodes[stage.node]
        elif "pipe" in name.lower() and "sampler" in following.kind.lower():
            yield following


def _latent(graph: Graph, sampler: Node) -> Any:
    for name in ("latent_image", "latent", "samples", "optional_latent"):
        link = value(graph, sampler, name)
        if isinstance(link, Link):
            return link
    return None
