"""From a conditioning back to its texts, by the names of the inputs; polarity is never guessed.

A node that has both a positive and a negative input gives both on: which of its outputs is which, the workflow's names
say, or the table of ComfyUI's own nodes. A text that a node makes when it runs (a language model, a wildcard, a style)
does not stand in the graph, so that it is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

from loupe.brain.provenance.comfyui.graph import MAX_DEPTH, Graph, Link, Node, Unknown

Side = Literal["positive", "negative"]

#: inputs that hold a prompt, the first that a node has of each group; the texts of a group are all read
_PROMPTS = (
    ("populated_text",),
    ("text_g", "text_l"),
    ("clip_l", "clip_g", "t5xxl"),
    ("bert", "mt5xl"),
    ("user_prompt",),
    ("text",),
    ("prompt",),
    ("string",),
    ("tags", "lyrics"),
)
#: inputs of nodes that hold one text and hand it on
_BOXES = (
    "value",
    "text",
    "string",
    "prompt",
    "Text",
    "STRING",
    "text_0",
    "wildcard_text",
    "multiline_text",
    "input",
    "positive",
    "negative",
)
#: nodes that make a text when they run
_MAKES = re.compile(
    r"llm|gpt|ollama|gemini|claude|florence|caption|interrogat|tagger|wd14|joy|blip|translat|enhanc|random|wildcard"
    r"|dynamic|style|generat|vlm|qwen.?vl|llava|moondream|describe|expan|rewrite|magic|replace|regex|format|substring"
    r"|list|select|switch|index|(?<!multi)line|csv|file|load|lazy|merge|mix",
    re.IGNORECASE,
)
_MAKERS_INPUTS = (
    "seed",
    "temperature",
    "max_tokens",
    "image",
    "images",
    "model",
    "top_p",
    "style",
    "file",
    "path",
    "index",
)
_SHOWS = re.compile(
    r"^(show|display|preview)|reroute|showtext|text ?(box|multiline|string|input)|primitive", re.IGNORECASE
)
_JOINS = re.compile(r"concat|combine|join|append", re.IGNORECASE)
_JOINED = re.compile(r"^(?:(?:text|string|prompt|input)_?\d{0,2}[a-h]?|(?:text|string)_[a-h])$", re.IGNORECASE)
#: ComfyUI's own nodes that give a positive and a negative on, in this order of outputs (comfy_extras, nodes.py)
_IN_ORDER = frozenset(
    (
        *("ControlNetApplyAdvanced", "ControlNetApplySD3", "ControlNetInpaintingAliMamaApply"),
        *("InpaintModelConditioning", "InstructPixToPixConditioning", "SVD_img2vid_Conditioning"),
        *("SV3D_Conditioning", "SD_4XUpscale_Conditioning", "StableZero123_Conditioning", "PerpNegAdjust"),
        *("StableZero123_Conditioning_Batched", "WanImageToVideo", "WanFunControlToVideo", "LTXVConditioning"),
        *("CosmosImageToVideoLatent", "LTXVImgToVideo"),
    )
)


def of(graph: Graph, link: Any, side: Side) -> str:
    """Returns the text that a sampler's positive or negative input comes from; empty where it is an empty one.

    Several texts (regions, concatenated ones, those of two encoders) become lines, each once.

    Args:
        graph: the nodes
        link: what stands at the sampler's input
        side: which of the two inputs

    Raises:
        Unknown: it is not in the graph, or not for sure; with the reason
    """
    parts = [part.strip() for part in _conditioning(graph, link, side, 0)]
    return "\n".join(dict.fromkeys(part for part in parts if part))


def _conditioning(graph: Graph, link: Any, side: Side, depth: int) -> Iterator[str]:
    if isinstance(link, str):
        yield link
        return
    if not isinstance(link, Link):
        raise Unknown(f"the sampler's {side} input leads nowhere")
    if depth > MAX_DEPTH:
        raise Unknown("the graph leads back to itself")
    node = graph.at(link)
    if "zeroout" in node.kind.lower():
        # what it is given has no effect
        yield ""
        return
    if _has_both(node):
        yield from _conditioning(graph, node.inputs[_own_side(node, link, side)], side, depth + 1)
        return
    texts = _encoded(graph, node, depth)
    if texts is not None:
        yield from texts
        return
    following = [value for name, value in node.links if name.lower().startswith(("cond", "base_cond"))]
    if not following:
        following = [value for name, value in node.links if name.lower() == side]
    if not following and len(list(node.links)) == 1 and "reroute" in node.kind.lower():
        following = [value for _, value in node.links]
    if not following:
        raise Unknown(f"the node {node.kind!r} gives the {side} prompt, and its text is not in the graph")
    if len(following) > 1 and re.search(r"switch|select|average", node.kind, re.IGNORECASE):
        raise Unknown(f"the node {node.kind!r} chooses between conditionings, or mixes them")
    for value in following:
        yield from _conditioning(graph, value, side, depth + 1)


def _has_both(node: Node) -> bool:
    return _input_of(node, "positive") is not None and _input_of(node, "negative") is not None


def _input_of(node: Node, side: str) -> str | None:
    """The name of the node's only input of that side: ``positive``, ``text_positive``, ``positive_prompt`` …"""
    names = [
        name for name in node.inputs if re.fullmatch(rf"(?:text_|base_)?{side}(?:_prompt|_text|_cond\w*)?1?", name)
    ]
    return names[0] if len(names) == 1 else None


def _own_side(node: Node, link: Link, side: Side) -> str:
    """The name of the input that the output which the link leads to comes from."""
    name = node.outputs[link.slot].lower() if 0 <= link.slot < len(node.outputs) else ""
    stated: Side | None = None
    if "pos" in name or name.endswith("+"):
        stated = "positive"
    elif "neg" in name or name.endswith("-"):
        stated = "negative"
    elif node.kind in _IN_ORDER and link.slot in (0, 1):
        stated = "positive" if link.slot == 0 else "negative"
    elif node.kind in ("Efficient Loader", "Eff. Loader SDXL") and link.slot in (1, 2):
        stated = "positive" if link.slot == 1 else "negative"
    if re.search(r"styl", node.kind, re.IGNORECASE):
        raise Unknown(f"the node {node.kind!r} makes the text when it runs")
    if stated is None:
        raise Unknown(f"which output of the node {node.kind!r} is the positive one, the file does not say")
    own = _input_of(node, stated)
    if own is None:
        raise Unknown(f"the node {node.kind!r} has no {stated} input")
    return own


def _encoded(graph: Graph, node: Node, depth: int) -> list[str] | None:
    """The texts that a node encodes; None where it encodes none."""
    for names in _PROMPTS:
        present = [name for name in names if isinstance(node.inputs.get(name), (str, Link))]
        if present:
            if names == ("populated_text",) and not str(node.inputs["populated_text"]).strip():
                continue
            # an encoder with a seed chooses from its text
            if names != ("populated_text",) and ("wildcard" in node.kind.lower() or "seed" in node.inputs):
                raise Unknown(f"the node {node.kind!r} makes the text when it runs")
            return [string(graph, node.inputs[name], depth + 1) for name in present]
    return None


def string(graph: Graph, value: Any, depth: int = 0) -> str:
    """Returns a text that stands in the graph.

    Args:
        graph: the nodes
        value: the text, or a link to the node that gives it
        depth: how many links were followed

    Raises:
        Unknown: a node makes it when it runs, or may change it
    """
    if isinstance(value, str):
        return value
    if not isinstance(value, Link):
        raise Unknown("its text is no text")
    if depth > MAX_DEPTH:
        raise Unknown("the graph leads back to itself")
    node = graph.at(value)
    populated = node.inputs.get("populated_text")
    if isinstance(populated, str) and populated.strip():
        return populated
    if _JOINS.search(node.kind) and (joined := _joined(graph, node, depth)) is not None:
        return joined
    links = list(node.links)
    given = [name for name in _BOXES if isinstance(node.inputs.get(name), (str, Link))]
    linked = [name for name in given if isinstance(node.inputs[name], Link)]
    texts = [name for name, item in node.inputs.items() if isinstance(item, str) and len(item) > 0]
    made = _MAKES.search(node.kind) or any(name in node.inputs for name in _MAKERS_INPUTS)
    if links and len(links) == len(linked) == 1 and (_SHOWS.search(node.kind) or "reroute" in node.kind.lower()):
        return string(graph, node.inputs[linked[0]], depth + 1)
    if len(links) == 1 and "reroute" in node.kind.lower():
        return string(graph, links[0][1], depth + 1)
    if not links and not made and len(given) == 1 and texts in ([], given):
        return str(node.inputs[given[0]])
    raise Unknown(f"the node {node.kind!r} makes the text when it runs")


def _joined(graph: Graph, node: Node, depth: int) -> str | None:
    """A plain concatenation: its texts in order, with what stands between them. None where it does more than that."""
    names = sorted(name for name in node.inputs if _JOINED.fullmatch(name))
    others = set(node.inputs) - set(names) - {"delimiter", "separator", "clean_whitespace"}
    between = node.inputs.get("delimiter", node.inputs.get("separator", ""))
    if not names or others or not isinstance(between, str):
        return None
    if str(node.inputs.get("clean_whitespace", "false")).lower() == "true":
        between = between.replace("\\n", "\n")
        return between.join(filter(None, (string(graph, node.inputs[name], depth + 1).strip() for name in names)))
    return between.replace("\\n", "\n").join(string(graph, node.inputs[name], depth + 1) for name in names)
