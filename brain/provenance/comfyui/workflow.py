"""The graph out of what ComfyUI's editor saves: widgets get their names, subgraphs are put in, bypassed nodes left out.

Schema: docs.comfy.org/specs/workflow_json. A node's widgets are a list without names. The names stand at its inputs
where the editor is of 2025 or later; for the usual nodes of before they are in ``_WIDGETS``. A node whose widgets have
no sure names keeps its links only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loupe.brain.provenance.comfyui.graph import MAX_NODES, Graph, Link, Node
from loupe.brain.provenance.plain import as_list, as_mapping
from loupe.brain.provenance.records import MetadataError

_MUTED, _BYPASSED = 2, 4
_MAX_NESTED = 20
#: the ends of a subgraph's links (docs.comfy.org/specs/workflow_json)
_INSIDE_IN, _INSIDE_OUT = "-10", "-20"
_CONTROL = ("fixed", "increment", "decrement", "randomize", "increment-wrap")
_NO_NODES = ("Note", "MarkdownNote")
_PRIMITIVE = "PrimitiveNode"
_REROUTE = "Reroute"

#: the widgets of the usual nodes, in order, of several versions after a bar; a control after a seed is left out
_WIDGETS = {
    name: [tuple(version.split()) for version in names.split("|")]
    for name, names in {
        "CheckpointLoader": "config_name ckpt_name",
        "CheckpointLoaderSimple": "ckpt_name",
        "UNETLoader": "unet_name weight_dtype",
        "UnetLoaderGGUF": "unet_name",
        "unCLIPCheckpointLoader": "ckpt_name",
        "LoraLoader": "lora_name strength_model strength_clip",
        "LoraLoaderModelOnly": "lora_name strength_model",
        "CLIPTextEncode": "text",
        "CLIPTextEncodeSDXL": "width height crop_w crop_h target_width target_height text_g text_l",
        "CLIPTextEncodeSDXLRefiner": "ascore width height text",
        "CLIPTextEncodeFlux": "clip_l t5xxl guidance",
        "CLIPTextEncodeSD3": "clip_l clip_g t5xxl empty_padding",
        "CLIPTextEncodeHunyuanDiT": "bert mt5xl",
        "ConditioningAverage": "conditioning_to_strength",
        "ConditioningSetArea": "width height x y strength",
        "ConditioningSetTimestepRange": "start end",
        "FluxGuidance": "guidance",
        "CFGGuider": "cfg",
        "KSampler": "seed steps cfg sampler_name scheduler denoise",
        "KSamplerAdvanced": (
            "add_noise noise_seed steps cfg sampler_name scheduler start_at_step end_at_step return_with_leftover_noise"
        ),
        "SamplerCustom": "add_noise noise_seed cfg",
        "RandomNoise": "noise_seed",
        "KSamplerSelect": "sampler_name",
        "BasicScheduler": "scheduler steps denoise",
        "KarrasScheduler": "steps sigma_max sigma_min rho",
        "SDTurboScheduler": "steps denoise|steps",
        "AlignYourStepsScheduler": "model_type steps denoise",
        "EmptyLatentImage": "width height batch_size",
        "EmptySD3LatentImage": "width height batch_size",
        "LatentUpscale": "upscale_method width height crop",
        "LatentUpscaleBy": "upscale_method scale_by",
        "ImageScale": "upscale_method width height crop",
        "ImageScaleBy": "upscale_method scale_by",
        "UpscaleModelLoader": "model_name",
        "ControlNetApply": "strength",
        "ControlNetApplyAdvanced": "strength start_percent end_percent",
        "LoadImage": "image upload|image",
        "SaveImage": "filename_prefix",
        "PrimitiveString": "value",
        "PrimitiveStringMultiline": "value",
        "PrimitiveInt": "value",
        "PrimitiveFloat": "value",
        "StringConcatenate": "string_a string_b delimiter",
        "SetNode": "name",
        "GetNode": "name",
    }.items()
}


@dataclass
class _Level:
    """A graph or a subgraph while it is taken apart: where each of its links comes from, and what comes in."""

    prefix: str
    nodes: list[Mapping[str, Any]]
    #: link id: (node id in this level, slot)
    origins: dict[Any, tuple[str, int]]
    #: of a subgraph, what stands at its inputs: links or values
    given: list[Any] = field(default_factory=list)
    names: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    #: of a subgraph, the widgets of its nodes that are shown outside, with the values that stand there
    overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


class _Taken:
    """Puts all levels into one graph."""

    def __init__(self, subgraphs: Mapping[str, Mapping[str, Any]]) -> None:
        self.subgraphs = subgraphs
        self.nodes: dict[str, Node] = {}
        #: what an output really leads to: of a bypassed node, a reroute, a subgraph
        self.instead: dict[tuple[str, int], Any] = {}

    def take(self, level: _Level, depth: int = 0) -> None:
        if depth > _MAX_NESTED or len(self.nodes) > MAX_NODES:
            raise MetadataError(
                f"expected subgraphs nested at most {_MAX_NESTED} deep and {MAX_NODES:,} nodes, got more"
            )
        for node in level.nodes:
            self._node(level, node, depth)

    def _node(self, level: _Level, node: Mapping[str, Any], depth: int) -> None:
        kind, mode = node.get("type"), node.get("mode")
        if not isinstance(kind, str) or kind in _NO_NODES or mode == _MUTED:
            return
        name = level.prefix + str(node.get("id"))
        entries = [as_mapping(item) for item in as_list(node.get("inputs"))]
        linked = {}
        for entry in entries:
            if isinstance(entry.get("name"), str) and entry.get("link") is not None:
                # None where it leads nowhere: the widget's own value is not used then, either
                linked[entry["name"]] = self._source(level, entry["link"])
        outputs = [as_mapping(item) for item in as_list(node.get("outputs"))]
        if mode == _BYPASSED:
            self._bypass(name, entries, outputs, linked)
        elif kind == _REROUTE:
            self.instead[name, 0] = next(iter(linked.values()), None)
        elif kind == "GetNode":
            self.instead[name, 0] = _named(level, node)
        elif kind in self.subgraphs:
            self._subgraph(name, self.subgraphs[kind], {**_promoted(node), **linked}, _overridden(node), depth)
        else:
            names = tuple(str(item.get("name", ""))[:100] for item in outputs)
            values = widgets(node)
            for key, value in level.overrides.get(str(node.get("id")), {}).items():
                # stated twice: inside, and where it is shown outside
                if values.get(key, value) != value:
                    del values[key]
            # a primitive's value stands in the widget that it is linked to, too
            self.nodes[name] = Node(name, kind[:200], {**values, **_without_primitives(linked, values)}, names)

    def _source(self, level: _Level, link: Any) -> Any:
        if isinstance(link, (dict, list)) or link is None:
            return None
        origin = level.origins.get(link)
        if origin is None:
            return None
        if origin[0] == _INSIDE_IN:
            return level.given[origin[1]] if 0 <= origin[1] < len(level.given) else None
        if as_mapping(level.names.get(origin[0])).get("type") == _PRIMITIVE:
            return _Primitive(level.prefix + origin[0], origin[1])
        return Link(level.prefix + origin[0], origin[1])

    def _bypass(self, name: str, entries: list[Any], outputs: list[Any], linked: Mapping[str, Any]) -> None:
        """Each output of a bypassed node is its first linked input of the same type."""
        for slot, output in enumerate(outputs):
            fitting = (
                linked[entry["name"]]
                for entry in entries
                if entry.get("type") == output.get("type") and entry.get("name") in linked
            )
            self.instead[name, slot] = next(fitting, None)

    def _subgraph(
        self,
        name: str,
        body: Mapping[str, Any],
        values: Mapping[str, Any],
        overrides: Mapping[str, Mapping[str, Any]],
        depth: int,
    ) -> None:
        given = [values.get(str(as_mapping(item).get("name"))) for item in as_list(body.get("inputs"))]
        level = _level(body, f"{name}:", given)
        level.overrides = overrides
        for origin, slot, target, target_slot in _links(body):
            if target == _INSIDE_OUT:
                inside = given[slot] if origin == _INSIDE_IN and 0 <= slot < len(given) else None
                self.instead[name, target_slot] = inside if origin == _INSIDE_IN else Link(level.prefix + origin, slot)
        self.take(level, depth + 1)


@dataclass(frozen=True)
class _Primitive(Link):
    """Leads to a primitive, which is no node when the graph runs."""


def _without_primitives(linked: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: link for name, link in linked.items() if not (isinstance(link, _Primitive) and name in values)}


def knows(value: Any) -> bool:
    """Returns whether this is what ComfyUI's editor saves."""
    return isinstance(value, Mapping) and isinstance(value.get("nodes"), list) and isinstance(value.get("links"), list)


def of_workflow(value: Mapping[str, Any]) -> Graph:
    """Returns the graph that the editor would run.

    Raises:
        MetadataError: it has too many nodes, or subgraphs in each other without end
    """
    definitions = as_list(as_mapping(value.get("definitions")).get("subgraphs"))
    subgraphs = {body["id"]: body for body in map(as_mapping, definitions) if isinstance(body.get("id"), str)}
    taken = _Taken(subgraphs)
    taken.take(_level(value, ""))
    nodes = {
        name: Node(name, node.kind, {key: _followed(item, taken) for key, item in node.inputs.items()}, node.outputs)
        for name, node in taken.nodes.items()
    }
    # an input that leads to nothing is none: ComfyUI would not run the node, and nothing is known through it
    return Graph(
        {
            name: Node(
                name, node.kind, {key: value for key, value in node.inputs.items() if value is not None}, node.outputs
            )
            for name, node in nodes.items()
        }
    )


def output_names(value: Any) -> dict[str, tuple[str, ...]]:
    """Returns the names of the outputs of a workflow's nodes, by id."""
    names = {}
    for node in map(as_mapping, as_list(as_mapping(value).get("nodes"))):
        outputs = [as_mapping(item) for item in as_list(node.get("outputs"))]
        names[str(node.get("id"))] = tuple(str(item.get("name", ""))[:100] for item in outputs)
    return names


def _followed(value: Any, taken: _Taken) -> Any:
    for _ in range(1000):
        if not isinstance(value, Link) or (value.node, value.slot) not in taken.instead:
            return value
        value = taken.instead[value.node, value.slot]
    return None


def _level(body: Mapping[str, Any], prefix: str, given: list[Any] | None = None) -> _Level:
    nodes = [as_mapping(node) for node in as_list(body.get("nodes"))]
    if len(nodes) > MAX_NODES:
        raise MetadataError(f"expected a workflow of at most {MAX_NODES:,} nodes, got {len(nodes):,}")
    origins: dict[Any, tuple[str, int]] = {}
    for item in as_list(body.get("links")):
        parts = _link(item)
        if parts is not None:
            origins[parts[0]] = (parts[1], parts[2])
    return _Level(prefix, nodes, origins, given or [], {str(node.get("id")): node for node in nodes})


def _links(body: Mapping[str, Any]) -> list[tuple[str, int, str, int]]:
    return [parts[1:] for item in as_list(body.get("links")) if (parts := _link(item)) is not None]


def _link(item: Any) -> tuple[Any, str, int, str, int] | None:
    """Both forms: a list, and in subgraphs an object."""
    if isinstance(item, list) and len(item) >= 5:
        name, origin, slot, target, target_slot = item[:5]
    elif isinstance(item, Mapping):
        keys = ("id", "origin_id", "origin_slot", "target_id", "target_slot")
        name, origin, slot, target, target_slot = (item.get(key) for key in keys)
    else:
        return None
    if not isinstance(slot, int) or not isinstance(target_slot, int) or isinstance(name, (list, dict)):
        return None
    return name, str(origin), slot, str(target), target_slot


def _named(level: _Level, node: Mapping[str, Any]) -> Any:
    """What the SetNode of the same name is given (ComfyUI-KJNodes)."""
    wanted = as_list(node.get("widgets_values"))[:1]
    for other in level.nodes:
        if other.get("type") == "SetNode" and wanted and as_list(other.get("widgets_values"))[:1] == wanted:
            for entry in map(as_mapping, as_list(other.get("inputs"))):
                origin = (
                    level.origins.get(entry.get("link")) if not isinstance(entry.get("link"), (list, dict)) else None
                )
                if origin is not None:
                    return Link(level.prefix + origin[0], origin[1])
    return None


def widgets(node: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the widgets of a node by name, as far as their names are sure."""
    values = node.get("widgets_values")
    if isinstance(values, Mapping):
        return {str(name): value for name, value in values.items() if not isinstance(value, list)}
    values = as_list(values)
    entries = [as_mapping(item) for item in as_list(node.get("inputs"))]
    kind = node.get("type")
    own = [
        str(as_mapping(entry["widget"]).get("name")) for entry in entries if isinstance(entry.get("widget"), Mapping)
    ]
    for names in (tuple(own), *(_WIDGETS.get(kind, ()) if isinstance(kind, str) else ())):
        if names and (named := _paired(names, values)) is not None:
            return named
    return {}


def _shown(node: Mapping[str, Any]) -> list[tuple[str, str, Any]] | None:
    """Of a subgraph's node: for each widget that it shows the node within, ``-1`` for its own input, name and value."""
    listed = [
        item for item in as_list(as_mapping(node.get("properties")).get("proxyWidgets")) if isinstance(item, list)
    ]
    shown = [(str(item[0]), item[1]) for item in listed if len(item) >= 2 and isinstance(item[1], str)]
    values = as_list(node.get("widgets_values"))
    if shown and len(shown) == len(values):
        return [(*place, value) for place, value in zip(shown, values, strict=True)]
    return None


def _promoted(node: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the inputs of a subgraph's node that are widgets."""
    shown = _shown(node)
    return widgets(node) if shown is None else {name: value for place, name, value in shown if place == "-1"}


def _overridden(node: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    overrides: dict[str, dict[str, Any]] = {}
    for place, name, value in _shown(node) or ():
        if place != "-1":
            overrides.setdefault(place, {})[name] = value
    return overrides


def _paired(names: tuple[str, ...], values: list[Any]) -> dict[str, Any] | None:
    """Names and values side by side; after a seed may stand what becomes of it. None where they do not fit."""
    named: dict[str, Any] = {}
    at = 0
    for name in names:
        if at >= len(values):
            return None
        named[name] = values[at]
        at += 1
        if name in ("seed", "noise_seed", "value") and at < len(values) and _is_control(values[at]):
            at += 1
    return named if at == len(values) else None


def _is_control(value: Any) -> bool:
    """What becomes of a seed after a run; in 2023 that was true for another one each time."""
    return isinstance(value, bool) or value in _CONTROL
