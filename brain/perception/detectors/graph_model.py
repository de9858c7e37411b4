"""Runs a TensorFlow.js graph model (model.json and its weights) with PyTorch: convolutional networks, to infer only.

A graph model is a TensorFlow graph as JSON, and a file with all constants one after another
(https://www.tensorflow.org/js/guide/conversion). What is here is what such a network is made of; another operation is
an error when the model is loaded, not when it runs. Tensors keep TensorFlow's axes: N, H, W, C for what is convolved.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from loupe.brain.core.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

_Operation = Callable[[Sequence[Any], Mapping[str, Any]], Any]


class GraphModel:
    """A loaded model.

    Args:
        graph: model.json
        constants: the file of its weights
        outputs: names of the nodes whose values are wanted; as ``node:1`` the second value of a node

    Raises:
        ModelError: the files are not there, are no such model, or use an operation that is not known here
    """

    def __init__(self, graph: Path, constants: Path, outputs: Sequence[str]) -> None:
        try:
            described = json.loads(graph.read_text(encoding="utf-8"))
            self._nodes = {node["name"]: node for node in described["modelTopology"]["node"]}
            self._values = _constants(described["weightsManifest"], constants.read_bytes())
            self._outputs = tuple(outputs)
            self._order = self._needed()
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise ModelError(f"expected a graph model in {graph} and {constants}, got {reason}") from error

    def __call__(self, **inputs: Tensor) -> list[Tensor]:
        """Returns the outputs, for inputs by the names of their placeholders."""
        values: dict[str, Any] = {**self._values, **inputs}
        for node in self._order:
            given = [_value(values, name) for name in node.get("input", ())]
            values[node["name"]] = _OPERATIONS[node["op"]](given, node.get("attr", {}))
        return [_value(values, name) for name in self._outputs]

    def _needed(self) -> list[dict[str, Any]]:
        """The nodes that have to be run for the outputs, each after those that it needs."""
        order: dict[str, dict[str, Any]] = {}
        visiting = list(reversed([_node_name(name) for name in self._outputs]))
        entered: set[str] = set()
        while visiting:
            name = visiting.pop()
            node = self._nodes[name]
            if name in order or name in self._values or node["op"] == "Placeholder":
                continue
            before = [_node_name(given) for given in node.get("input", ())]
            if name in entered:
                order[name] = node
                continue
            if node["op"] not in _OPERATIONS:
                raise ValueError(f"the operation {node['op']}, which is not among {', '.join(sorted(_OPERATIONS))}")
            entered.add(name)
            visiting += [name, *(given for given in before if given not in entered)]
        return list(order.values())


def _node_name(name: str) -> str:
    return name.partition(":")[0]


def _value(values: Mapping[str, Any], name: str) -> Any:
    node, _, place = name.partition(":")
    value = values[node]
    return value[int(place or 0)] if isinstance(value, (tuple, list)) else value


def _constants(manifest: Sequence[Mapping[str, Any]], data: bytes) -> dict[str, Tensor]:
    import torch

    constants, start = {}, 0
    for described in (entry for group in manifest for entry in group["weights"]):
        kind = np.dtype((described.get("quantization") or described)["dtype"])
        count = int(np.prod(described["shape"], dtype=np.int64))
        end = start + count * kind.itemsize
        if end > len(data):
            raise ValueError(f"{len(data)} bytes of weights where {described['name']} ends at {end}")
        values = np.frombuffer(data[start:end], kind).reshape(described["shape"])
        constants[described["name"]] = torch.from_numpy(values.astype(described["dtype"]))
        start = end
    if start != len(data):
        raise ValueError(f"{len(data)} bytes of weights where {start} are described")
    return constants


def _first(values: Tensor) -> Tensor:
    """N, H, W, C → N, C, H, W, without a copy."""
    return values.permute(0, 3, 1, 2)


def _last(values: Tensor) -> Tensor:
    return values.permute(0, 2, 3, 1)


def _window(attributes: Mapping[str, Any], name: str) -> list[int]:
    return [int(value) for value in attributes[name]["list"]["i"][1:3]]


def _convolved(given: Sequence[Any], attributes: Mapping[str, Any]) -> Tensor:
    from torch.nn.functional import conv2d

    return _last(conv2d(_first(given[0]), given[1].permute(3, 2, 0, 1), stride=_window(attributes, "strides")))


def _pooled(given: Sequence[Any], attributes: Mapping[str, Any]) -> Tensor:
    from torch.nn.functional import max_pool2d

    return _last(max_pool2d(_first(given[0]), _window(attributes, "ksize"), _window(attributes, "strides")))


def _padded(given: Sequence[Any], attributes: Mapping[str, Any]) -> Tensor:
    from torch.nn.functional import pad

    around = [int(value) for value in given[1].flip(0).reshape(-1)]
    return pad(given[0], around, value=float(given[2]) if len(given) > 2 else 0.0)


def _resized(given: Sequence[Any], attributes: Mapping[str, Any]) -> Tensor:
    from torch.nn.functional import interpolate

    return _last(interpolate(_first(given[0]), given[1].tolist(), mode="bilinear", align_corners=False))


def _leaky(given: Sequence[Any], attributes: Mapping[str, Any]) -> Tensor:
    from torch.nn.functional import leaky_relu

    return leaky_relu(given[0], attributes["alpha"]["f"])


def _joined(given: Sequence[Any], attributes: Mapping[str, Any]) -> Tensor:
    import torch

    return torch.cat(list(given[:-1]), int(given[-1]))


_OPERATIONS: dict[str, _Operation] = {
    "Add": lambda given, _: given[0] + given[1],
    "AddV2": lambda given, _: given[0] + given[1],
    "ConcatV2": _joined,
    "Conv2D": _convolved,
    "Identity": lambda given, _: given[0],
    "LeakyRelu": _leaky,
    "MaxPool": _pooled,
    "Pad": _padded,
    "PadV2": _padded,
    "ResizeBilinear": _resized,
    "Sigmoid": lambda given, _: given[0].sigmoid(),
    "SplitV": lambda given, _: given[0].split(given[1].tolist(), int(given[2])),
    "Transpose": lambda given, _: given[0].permute(given[1].tolist()),
}
