"""The workflow that ComfyUI's editor saves beside a graph (docs.comfy.org/specs/workflow_json)."""

from __future__ import annotations

from typing import Any

_TYPES = {
    "CLIP": ("clip",),
    "MODEL": ("model", "model1", "model2"),
    "VAE": ("vae", "optional_vae"),
    "CONDITIONING": ("positive", "negative", "conditioning"),
    "STRING": ("text", "string_a", "string_b", "text_g", "text_l"),
    "LATENT": ("latent_image", "samples", "latent"),
    "IMAGE": ("image", "images", "pixels"),
    "INT": ("seed",),
}
_NAMES = {
    "ControlNetApplyAdvanced": ("positive", "negative"),
    "Efficient Loader": ("MODEL", "CONDITIONING+", "CONDITIONING-", "LATENT", "VAE", "CLIP", "DEPENDENCIES"),
    "CheckpointLoaderSimple": ("MODEL", "CLIP", "VAE"),
}


def _type(name: str) -> str:
    if name.startswith("conditioning"):
        return "CONDITIONING"
    return next((kind for kind, names in _TYPES.items() if name in names), "*")


def workflow(graph: dict[str, Any]) -> dict[str, Any]:
    """Returns a graph as the editor of 2025 saves it: widgets by the names at a node's inputs, seeds with a control."""
    links: list[list[Any]] = []
    nodes = []
    for name, node in graph.items():
        inputs, values = [], []
        for key, value in node["inputs"].items():
            if isinstance(value, list) and len(value) == 2:
                links.append([len(links) + 1, _id(value[0]), value[1], _id(name), len(inputs), _type(key)])
                inputs.append({"name": key, "type": _type(key), "link": len(links)})
                if _type(key) in ("STRING", "INT"):
                    # a widget that is linked keeps its value, which is not used
                    inputs[-1]["widget"] = {"name": key}
                    values += [0, "randomize"] if key == "seed" else ["an old text"]
            else:
                inputs.append({"name": key, "type": "*", "link": None, "widget": {"name": key}})
                values.append(value)
                if key in ("seed", "noise_seed"):
                    values.append("randomize")
        nodes.append(
            {"id": _id(name), "type": node["class_type"], "mode": 0, "inputs": inputs, "widgets_values": values}
        )
    for node in nodes:
        node["outputs"] = _outputs(node, links)
    return {"version": 0.4, "last_node_id": 99, "nodes": nodes, "links": links, "groups": [], "extra": {}}


def _outputs(node: dict[str, Any], links: list[list[Any]]) -> list[dict[str, Any]]:
    used = [link for link in links if link[1] == node["id"]]
    outputs: list[dict[str, Any]] = []
    for slot in range(1 + max((link[2] for link in used), default=-1)):
        own = [link for link in used if link[2] == slot]
        kind = own[0][5] if own else "*"
        names = _NAMES.get(node["type"], ())
        name = names[slot] if slot < len(names) else kind
        outputs.append({"name": name, "type": kind, "links": [link[0] for link in own] or None, "slot_index": slot})
    return outputs


def _id(name: str) -> int:
    return int(name)
