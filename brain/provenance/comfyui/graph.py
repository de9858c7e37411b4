"""A graph of nodes as ComfyUI runs it: each node has a class and inputs, which are values or links to other nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from loupe.brain.provenance.plain import as_mapping
from loupe.brain.provenance.records import MetadataError

#: nodes; the largest graphs have some 1,000
MAX_NODES = 20_000
#: links from one end of a graph to the other
MAX_DEPTH = 400


class Unknown(Exception):
    """A value cannot be known; the message says why."""


@dataclass(frozen=True)
class Link:
    """Leads to the output of a node, by its number from 0."""

    node: str
    slot: int


@dataclass(frozen=True, eq=False)
class Node:
    """A node: ``outputs`` are the names of its outputs, where the workflow beside the graph tells them."""

    id: str
    kind: str
    inputs: Mapping[str, Any]
    outputs: tuple[str, ...] = ()

    @property
    def links(self) -> Iterator[tuple[str, Link]]:
        """Yields its linked inputs."""
        return ((name, value) for name, value in self.inputs.items() if isinstance(value, Link))


@dataclass(frozen=True, eq=False)
class Graph:
    """The nodes by id."""

    nodes: Mapping[str, Node]

    def at(self, link: Link) -> Node:
        """Returns the node that a link leads to.

        Raises:
            Unknown: there is none
        """
        node = self.nodes.get(link.node)
        if node is None:
            raise Unknown(f"the node {link.node[:50]} is not in the graph")
        return node


def knows(value: Any) -> bool:
    """Returns whether this is a graph as ComfyUI runs it."""
    if not isinstance(value, Mapping) or not value:
        return False
    nodes = [node for node in value.values() if isinstance(node, Mapping) and "class_type" in node]
    return bool(nodes) and all(isinstance(node.get("inputs"), Mapping) for node in nodes)


def of_prompt(value: Mapping[str, Any], outputs: Mapping[str, tuple[str, ...]] | None = None) -> Graph:
    """Returns the graph in the text ``prompt``.

    Args:
        value: the nodes by id
        outputs: the names of the outputs by id

    Raises:
        MetadataError: there are too many nodes
    """
    if len(value) > MAX_NODES:
        raise MetadataError(f"expected a graph of at most {MAX_NODES:,} nodes, got {len(value):,}")
    nodes = {}
    for name, node in value.items():
        node = as_mapping(node)
        kind, inputs = node.get("class_type"), node.get("inputs")
        if isinstance(kind, str) and isinstance(inputs, Mapping):
            linked = {str(key): _linked(item) for key, item in inputs.items()}
            nodes[str(name)] = Node(str(name), kind[:200], linked, (outputs or {}).get(str(name), ()))
    return Graph(nodes)


def _linked(value: Any) -> Any:
    if isinstance(value, list) and len(value) == 2 and type(value[0]) in (str, int) and type(value[1]) is int:
        return Link(str(value[0]), value[1])
    return value
