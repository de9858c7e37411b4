"""From a sampler back to its model and LoRAs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from loupe.brain.provenance import plain
from loupe.brain.provenance.comfyui.graph import MAX_DEPTH, Graph, Link, Node, Unknown

_NAMES = (
    "ckpt_name",
    "unet_name",
    "base_ckpt_name",
    "model_name",
    "gguf_name",
    "diffusion_model",
    "checkpoint",
    "model",
)
_LISTED = re.compile(r"^lora_(?:name_)?(\d+)$")


def of(graph: Graph, link: Any) -> tuple[str, str | None]:
    """Returns the model's file as the graph names it, and the LoRAs on the way to it.

    Raises:
        Unknown: it is not in the graph, or several are merged
    """
    pairs: list[tuple[Any, Any]] = []
    for _ in range(MAX_DEPTH):
        if not isinstance(link, Link):
            raise Unknown("the sampler's model leads nowhere")
        node = graph.at(link)
        pairs = [*_loras(graph, node), *pairs]
        name = next((node.inputs[key] for key in _NAMES if plain.as_text(node.inputs.get(key))), None)
        if name is not None and not isinstance(node.inputs.get("model"), Link):
            return str(name), plain.loras(pairs)
        following = [value for key, value in node.links if key in ("model", "unet", "MODEL", "diffusion_model")]
        if not following:
            following = [value for key, value in node.links if "pipe" in key.lower()]
        if not following and "reroute" in node.kind.lower():
            following = [value for _, value in node.links]
        if len(following) != 1:
            merged = sum(key.startswith("model") for key, _ in node.links) > 1
            why = "merges several models" if merged else "gives the model, and its file is not in the graph"
            raise Unknown(f"the node {node.kind!r} {why}")
        link = following[0]
    raise Unknown("the graph leads back to itself")


def _loras(graph: Graph, node: Node) -> Iterator[tuple[Any, Any]]:
    """The LoRAs of one node: a loader, a stack, rgthree's Power Lora Loader, one that loads a model beside."""
    inputs = node.inputs
    strength = inputs.get(
        "strength_model", inputs.get("lora_model_strength", inputs.get("strength", inputs.get("lora_wt")))
    )
    if isinstance(inputs.get("lora_name"), str):
        yield inputs["lora_name"], strength
    count = inputs.get("lora_count")
    for name, value in inputs.items():
        number = _LISTED.match(name)
        if number is None:
            continue
        if isinstance(value, Mapping):
            if value.get("on") is not False and isinstance(value.get("lora"), str):
                yield value["lora"], value.get("strength")
        elif isinstance(value, str) and not (isinstance(count, int) and int(number[1]) > count):
            yield value, next((inputs.get(key) for key in _strengths(number[1]) if key in inputs), None)
    for key, link in node.links:
        if key == "lora_stack" and link.node in graph.nodes and link.node != node.id:
            yield from _stack(graph, graph.nodes[link.node], {node.id})


def _stack(graph: Graph, node: Node, seen: set[str]) -> Iterator[tuple[Any, Any]]:
    if node.id in seen or len(seen) > MAX_DEPTH // 4:
        return
    following = [graph.nodes[link.node] for key, link in node.links if key == "lora_stack" and link.node in graph.nodes]
    for other in following:
        yield from _stack(graph, other, seen | {node.id})
    yield from _loras(Graph({}), node)


def _strengths(number: str) -> tuple[str, ...]:
    return (
        f"lora_wt_{number}",
        f"model_str_{number}",
        f"strength_{number}",
        f"model_weight_{number}",
        f"strength_model_{number}",
    )
