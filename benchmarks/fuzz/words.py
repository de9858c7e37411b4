"""Prompts and tables of prompts."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any, Literal, get_args

from benchmarks.fuzz import changes, moment
from benchmarks.fuzz.changes import Rng, pick
from benchmarks.fuzz.files import storable
from loupe.brain.core.errors import LoupeError, PromptError
from loupe.brain.core.written import Dialect
from loupe.brain.prompts import (
    as_asked,
    cleaned,
    files,
    metadata,
    parse,
    requested_overlays,
    requested_text,
    requests,
    variants,
    wildcards,
    written,
)
from loupe.brain.provenance import tabled

_Tried = tuple[str, Literal["ok", "refused"], int]
#: what lies outside of the folder of wildcards, and may not come out of it
SECRET = "what-lies-outside"
#: the files that are there, which is all that is looked for in a table of millions of rows
_NAMES = frozenset(("a.png", "../../b.png", "x"))
_METADATA: dict[str, Any] = {
    "tag": "counting",
    "include": [{"class": "cup", "count": 2, "color": "red"}],
    "exclude": [{"class": "dog", "count": 1}],
    "objects": [{"name": "cup", "count": 2, "exact": True, "attributes": [{"kind": "color", "value": "red"}]}],
    "relations": [{"subject": 0, "name": "left of", "object": 0}],
    "excluded": ["dog"],
    "texts": ["SALE"],
}


def prompt(rng: Rng, folder: Path) -> _Tried:
    """Reads a prompt in every way: each says what it is, or refuses it by a ``PromptError``."""
    text = changes.text(rng, 12)
    if len(text) % 5 == 0:
        text += " a __x/../../secret__"
    (folder / "input.txt").write_bytes(text.encode("utf-8", "surrogatepass"))
    (folder / "secret.txt").write_text(SECRET)
    own = folder / "wild"
    own.mkdir()
    (own / "animal.txt").write_text("cat\ndog __loop__\n{a|b}\n")
    (own / "loop.txt").write_text("__animal__\nx\n")
    (own / "other.txt").write_bytes(changes.text(rng).encode("utf-8", "surrogatepass"))
    refused = 0
    reading = requests.Reading(syntax=pick(rng, get_args(requests.Syntax)), wildcards=wildcards.Wildcards(own))
    ways: list[Any] = [
        lambda: written.written(text, dialect=pick(rng, get_args(Dialect))),
        lambda: parse.parse(text),
        lambda: requested_text.requested_text(text),
        lambda: requested_overlays.requested_overlays(text),
        lambda: as_asked.as_asked(text),
        lambda: cleaned.cleaned(text),
        lambda: variants.expanded(text, 3, 1, wildcards.Wildcards(own)),
        lambda: metadata.spec_of(text, changes.tree(_METADATA, rng)),
        lambda: requests.requests_of(files.read([text]), 2, 0, reading),
        lambda: files.read(text, factors={"a": [changes.value(rng), "x"], changes.text(rng, 1): ["y"]}),
        lambda: files.read(text),
        lambda: files.read([{"prompt": text, "seed": changes.value(rng), changes.text(rng, 1): changes.value(rng)}]),
    ]
    moment.begins()
    for at, way in enumerate(ways):
        try:
            made = way()
        except PromptError as error:
            refused += 1
            str(error).encode()
            continue
        if at in (6, 8):
            assert SECRET not in repr(made), "a wildcard left its folder"
        if at == 8:
            storable([[request.prompt, request.factors, request.facts] for request in made.requests])
    return "prompts", "refused" if refused == len(ways) else "ok", 0


def table(rng: Rng, folder: Path) -> _Tried:
    """Reads a table as prompts and as what is known of pictures."""
    kind = pick(rng, (".csv", ".tsv", ".jsonl", ".json", ".txt", ".parquet"))
    path = folder / f"table{kind}"
    path.write_bytes(_written(rng, kind))
    refused = 0
    moment.begins()
    for read in (_prompts, _pictures):
        try:
            storable(read(path))
        except LoupeError as error:
            refused += 1
            str(error).encode()
    return f"tables {kind}", "refused" if refused == 2 else "ok", 0


def _prompts(path: Path) -> Any:
    return [[prompt.prompt, prompt.seed, prompt.factors, prompt.negative_prompt] for prompt in files.read(path)]


def _pictures(path: Path) -> Any:
    return [[image.name, image.factors] for image in tabled.read(path, _NAMES.__contains__)]


def _rows(rng: Rng) -> list[dict[str, Any]]:
    columns = [
        pick(rng, ("prompt", "prompt", "file", "seed", "negative_prompt", "image_name", "p", "se", "Attachments"))
    ]
    columns += ["prompt", pick(rng, ("file", "file_name", "image")), "weather", changes.text(rng, 1)]
    return [{name: changes.value(rng) for name in columns} for _ in range(int(rng.integers(1, 6)))]


def _written(rng: Rng, kind: str) -> bytes:
    rows = _rows(rng)
    if kind == ".parquet":
        return changes.changed(_parquet(), rng)
    if kind in (".csv", ".tsv"):
        text = io.StringIO(newline="")
        made = csv.writer(text, delimiter="\t" if kind == ".tsv" else pick(rng, (",", ";", "|")), escapechar="\\")
        made.writerow(list(rows[0]))
        made.writerows([list(row.values())[: int(rng.integers(1, 8))] for row in rows])
        content = text.getvalue()
    elif kind == ".jsonl":
        content = "\n".join(changes.as_json(row, rng) for row in rows)
    elif kind == ".json":
        by_name = {changes.text(rng, 1): {"p": changes.value(rng), "se": 1} for _ in range(3)}
        content = changes.as_json(rows if rng.random() < 0.7 else by_name, rng)
    else:
        content = "\n".join(changes.text(rng) for _ in range(5))
    data = content.encode(pick(rng, ("utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-32")), "surrogatepass")
    return changes.changed(data, rng) if rng.random() < 0.3 else data


def _parquet() -> bytes:
    try:
        import pyarrow
        import pyarrow.parquet as parquet
    except ImportError:
        return json.dumps({"prompt": "x"}).encode()
    buffer = io.BytesIO()
    columns = {"image_name": ["a.png", "../../b.png"], "prompt": ["x", "y"], "seed": [1, 2], "cfg": [7.0, 8.0]}
    parquet.write_table(pyarrow.table(columns), buffer)
    return buffer.getvalue()
