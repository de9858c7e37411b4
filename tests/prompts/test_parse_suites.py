"""The prompts of GenEval and SpatialBench-UC, and our own in their forms, are read as their metadata have them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import suite

from loupe.brain.prompts.parse import parse
from loupe.brain.prompts.spec import RequestedObject


def color_of(requested: RequestedObject) -> str | None:
    return next((attribute.value for attribute in requested.attributes if attribute.kind == "color"), None)


def as_its_metadata(row: dict[str, Any]) -> bool:
    """Whether a prompt of GenEval's is read as its metadata have it."""
    spec, include = parse(row["prompt"]), row["include"]
    names = [requested.name for requested in spec.objects]
    wanted = Counter((clause["class"], clause["count"], clause.get("color")) for clause in include)
    parsed = Counter((requested.name, requested.count, color_of(requested)) for requested in spec.objects)
    positions = [(clause["class"], *clause["position"]) for clause in include if "position" in clause]
    placed = [(names[relation.subject], relation.name, names[relation.object]) for relation in spec.relations]
    return wanted == parsed and placed == [(a, name, include[b]["class"]) for a, name, b in positions]


def test_prompts_like_genevals() -> None:
    rows = suite.metadata()
    assert len({row["tag"] for row in rows}) == 6
    assert [row["prompt"] for row in rows if not as_its_metadata(row)] == []


def test_geneval(shared_data: Path) -> None:
    path = shared_data / "8_prompts" / "geneval" / "evaluation_metadata.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert sum(map(as_its_metadata, rows)) / len(rows) >= 0.98


def require_pair(row: dict[str, Any]) -> None:
    spec = parse(row["prompt"])
    assert [requested.name for requested in spec.objects] == [row["object_a"]["name"], row["object_b"]["name"]]
    assert [(relation.subject, relation.name, relation.object) for relation in spec.relations] == [
        (0, row["relation"].replace("_", " "), 1)
    ]


def test_prompts_like_spatialbenchs() -> None:
    rows = suite.pairs()
    assert len(rows) > 50
    for row in rows:
        require_pair(row)


def test_spatialbench(shared_data: Path) -> None:
    path = shared_data / "8_prompts" / "spatialbench_uc" / "prompts.jsonl"
    for line in path.read_text().splitlines():
        require_pair(json.loads(line))
