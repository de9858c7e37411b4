"""Prompt suites by their names: ``signs`` is Loupe's own, the others are read from where their owner put them.

``loupe.generate(dataset, "geneval")`` looks for the suite's files in the folders of ``LOUPE_SUITES_DIRS`` (several with
``:`` between, ``;`` on Windows), and one folder below; ``"geneval:~/geneval/prompts"`` names the folder. Nothing is
downloaded: the message says where a suite comes from.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from loupe.brain.core.errors import PromptError, UnknownName
from loupe.brain.core.records import Record
from loupe.brain.core.tables import Table, Tabular
from loupe.brain.prompts import files, tables
from loupe.brain.prompts.files import Prompt, Prompts

#: folders in which suites are looked for
VARIABLE = "LOUPE_SUITES_DIRS"
_CATEGORIES = ["color", "shape", "texture", "spatial", "3d_spatial", "numeracy", "non_spatial", "complex"]
_T2I_COMPBENCH = tuple(f"{name}_val.txt" for name in _CATEGORIES)
_NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


@dataclass(frozen=True)
class Suite(Record):
    """A prompt suite.

    Attributes:
        name: what ``generate`` takes
        title: what it asks for
        factors: what lands in ``scenario.*`` beside ``suite``
        license: of its prompts, as their repository says
        source: where it comes from
        files: the names of its files
        path: the folder in which they were found; empty: they are not here, or Loupe brings them
        prompts: how many there are; None where they are not here
    """

    name: str
    title: str
    factors: tuple[str, ...]
    license: str
    source: str
    files: tuple[str, ...] = ()
    path: str = ""
    prompts: int | None = None


class Suites(Tabular, list[Suite]):
    """A list of suites that prints as a table."""

    def table(self) -> Table:
        """Returns a row for each suite."""
        rows = [
            (
                suite.name,
                suite.title,
                "not here" if suite.prompts is None else suite.prompts,
                ", ".join(suite.factors),
                suite.license,
                suite.source,
            )
            for suite in self
        ]
        note = f"those that are not here: get their files, and name the folder in {VARIABLE}" if self._absent() else ""
        return Table.of("", ("suite", "asks for", "prompts", "scenario", "license", "source"), rows, note)

    def _absent(self) -> bool:
        return any(suite.prompts is None for suite in self)


Row = tuple[str, Mapping[str, Any]]


def suites() -> Suites:
    """Returns the suites that ``loupe.generate`` knows by name, and how many prompts of each are here.

    Raises:
        PromptError: a suite's file is here and cannot be read

    >>> [suite.name for suite in suites()]
    ['signs', 'geneval', 't2i_compbench', 'partiprompts', 'drawbench', 'gentexteval', 'longtext_bench', 'oneig']
    >>> suites()[0].prompts
    240
    """
    made = Suites()
    for name, (suite, _) in _SUITES.items():
        folder = _folder(suite)
        here = folder is not None or not suite.files
        count = len(prompts_of(name)) if here else None
        made.append(Suite(**{**vars(suite), "path": str(folder or ""), "prompts": count}))
    return made


def known() -> list[Suite]:
    """Returns the suites without a look at any file."""
    return [suite for suite, _ in _SUITES.values()]


def read(
    prompts: Prompts, *, factors: Mapping[str, Any] | None = None, sample: int | None = None, seed: int = 0
) -> tuple[Prompt, ...]:
    """Returns the prompts as ``files.read`` does, and those of a suite by its name.

    Raises:
        UnknownName: a name that is nearly that of a suite
        PromptError: as ``files.read``; the suite's files are not here

    >>> len(read("signs", sample=3))
    3
    """
    return files.read(_of_suite(prompts, factors), factors=factors, sample=sample, seed=seed)


def _of_suite(prompts: Prompts, factors: Mapping[str, Any] | None) -> Prompts:
    if not isinstance(prompts, str) or factors is not None or not prompts.strip():
        return prompts
    name, _, path = prompts.strip().partition(":")
    plain = _plain(name)
    if plain in _ALIASES and not any(map(str.isspace, name)):
        return prompts_of(_ALIASES[plain], path.strip() or None)
    looks = not any(map(str.isspace, prompts)) and not path and not Path(prompts).suffix and len(plain) > 4
    if looks and difflib.get_close_matches(plain, _ALIASES, n=1, cutoff=0.8):
        raise UnknownName("suite", prompts.strip(), _SUITES)
    return prompts


def prompts_of(name: str, path: str | os.PathLike[str] | None = None) -> tuple[Prompt, ...]:
    """Returns the prompts of a suite, each with its factors.

    Args:
        name: of the suite
        path: the folder of its files; None looks in ``LOUPE_SUITES_DIRS``

    Raises:
        UnknownName: there is no such suite
        PromptError: its files are not here, or not what they should be
    """
    if name not in _SUITES:
        raise UnknownName("suite", name, _SUITES)
    suite, rows = _SUITES[name]
    folder = Path(path).expanduser() if path is not None else _folder(suite) or Path()
    paths = _paths(suite, folder) if suite.files else []
    if suite.files and not paths:
        looked = f"{folder}" if path is not None else os.environ.get(VARIABLE) or f"{VARIABLE}, which is not set"
        raise PromptError(
            f"expected {suite.files[0]} of the suite {name} in {looked}, got none. It comes from {suite.source} "
            f"({suite.license}): get that file, and name its folder in {VARIABLE}, or as {name}:FOLDER"
        )
    made = []
    for text, values in rows(paths):
        given = {key: str(value) for key, value in values.items() if value not in (None, "")}
        made.append({"prompt": text, "factors": {"suite": name, **given}})
    return tuple(files.read(made))


def _folder(suite: Suite) -> Path | None:
    for given in filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)):
        folder = Path(given).expanduser()
        inside = sorted(each for each in folder.iterdir() if each.is_dir()) if folder.is_dir() else []
        for each in (folder, *inside):
            if _paths(suite, each):
                return each
    return None


def _paths(suite: Suite, folder: Path) -> list[Path]:
    """The files of a suite in a folder: all of them, or for a suite of one file the first name that is there."""
    here = [folder / name for name in suite.files if (folder / name).is_file()]
    if suite.name == "t2i_compbench":
        return here if len(here) == len(suite.files) else []
    return here[:1]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _signs(_: list[Path]) -> Iterator[Row]:
    """Numbers of one to four digits on signs: of each scene two of each length, decided by a hash."""
    scenes = product(("red", "blue", "green", "yellow", "white"), ("day", "night"), ("clear", "fog", "rain"))
    for (color, time, weather), digits in product(scenes, range(1, 5)):
        hashed = hashlib.sha256(f"{color} {time} {weather} {digits}".encode()).digest()
        low, span = 10 ** (digits - 1), 9 * 10 ** (digits - 1)
        first = int.from_bytes(hashed[:8], "big") % span
        other = (first + 1 + int.from_bytes(hashed[8:16], "big") % (span - 1)) % span
        for number in (low + first, low + other):
            prompt = f'a {color} sign that says "{number}", {time}, {weather}'
            yield prompt, {"color": color, "time": time, "weather": weather, "digits": digits}


def _geneval(paths: list[Path]) -> Iterator[Row]:
    for row in tables.read_table(paths[0], ("prompt",)).rows:
        values = row.values
        include = values.get("include")
        if not isinstance(values.get("prompt"), str) or not isinstance(include, list) or not include:
            raise PromptError(f"{row.where}: expected GenEval's keys prompt and include, got {', '.join(values)[:200]}")
        parts = [part for part in include if isinstance(part, Mapping)]
        counts = [part.get("count", 1) for part in parts]
        positions = [part["position"][0] for part in parts if isinstance(part.get("position"), list)]
        yield (
            values["prompt"],
            {
                "tag": values.get("tag"),
                "objects": len(parts),
                "count": max(counts, default=1) if values.get("tag") == "counting" else None,
                "color": parts[0].get("color") if len(parts) == 1 else None,
                "position": positions[0] if positions else None,
            },
        )


def _t2i_compbench(paths: list[Path]) -> Iterator[Row]:
    for path in paths:
        category = path.stem.removesuffix("_val")
        for _, line in tables.lines_of(tables.read_text(path)):
            counts = [at for at, word in enumerate(_NUMBERS, 1) if re.search(rf"\b{word}\b", line, re.IGNORECASE)]
            yield line, {"category": category, "count": max(counts, default=None) if category == "numeracy" else None}


def _partiprompts(paths: list[Path]) -> Iterator[Row]:
    # its quotation marks are those of the prompts, not those of a table
    (_, head), *lines = list(tables.lines_of(tables.read_text(paths[0]))) or [(0, "")]
    names = head.split("\t")
    if names[:3] != ["Prompt", "Category", "Challenge"]:
        raise PromptError(f"{paths[0]}: expected the columns Prompt, Category and Challenge, got {head[:200]!r}")
    for number, line in lines:
        cells = line.split("\t")
        if len(cells) < 3:
            raise PromptError(f"{paths[0]}:{number}: expected at least 3 cells with tabs between, got {len(cells)}")
        yield cells[0], {"category": cells[1], "challenge": cells[2]}


def _drawbench(paths: list[Path]) -> Iterator[Row]:
    if paths[0].suffix == ".txt":
        yield from ((line, {}) for _, line in tables.lines_of(tables.read_text(paths[0])))
    else:
        yield from _table("Prompts", {"category": "Category"})(paths)


def _table(column: str, factors: Mapping[str, str]) -> Callable[[list[Path]], Iterator[Row]]:
    """Reads a table: the column of the prompts, and for each factor its column."""

    def rows(paths: list[Path]) -> Iterator[Row]:
        for row in tables.read_table(paths[0], (column,)).rows:
            text = row.values.get(column)
            if not isinstance(text, str) or not text.strip():
                raise PromptError(f"{row.where}: expected a prompt in {column!r}, got {str(text)[:100]!r}")
            yield text.strip(), {name: row.values.get(own) for name, own in factors.items()}

    return rows


def _known() -> Iterator[tuple[Suite, Callable[[list[Path]], Iterator[Row]]]]:
    github = "https://github.com/"
    yield (
        Suite("signs", "Numbers on signs: what tiny-signs draws", ("color", "time", "weather", "digits"), "Apache-2.0",
              "Loupe"),
        _signs,
    )  # fmt: skip
    yield (
        Suite("geneval", "Objects, counts, colors and positions", ("tag", "objects", "count", "color", "position"),
              "MIT", f"{github}djghosh13/geneval, prompts/", ("evaluation_metadata.jsonl",)),
        _geneval,
    )  # fmt: skip
    yield (
        Suite("t2i_compbench", "Attributes, relations, numbers, complex scenes", ("category", "count"), "MIT",
              f"{github}Karine-Huang/T2I-CompBench, examples/dataset/", _T2I_COMPBENCH),
        _t2i_compbench,
    )  # fmt: skip
    yield (
        Suite("partiprompts", "Twelve categories, eleven challenges", ("category", "challenge"), "Apache-2.0",
              f"{github}google-research/parti", ("PartiPrompts.tsv",)),
        _partiprompts,
    )  # fmt: skip
    yield (
        Suite("drawbench", "Hard prompts of eleven categories", ("category",), "not stated",
              "the paper Imagen (2205.11487)", ("drawbench.csv", "DrawBench.csv", "drawbench.txt")),
        _drawbench,
    )  # fmt: skip
    yield (
        Suite("gentexteval", "Texts on pictures, by length", ("dataset",), "Apache-2.0",
              f"{github}CIawevy/TextPecker", ("GenTextEval_en.jsonl",)),
        _table("prompt", {"dataset": "dataset_type"}),
    )  # fmt: skip
    yield (
        Suite("longtext_bench", "Long texts on pictures", ("category", "length"), "not stated",
              f"{github}X-Omni-Team/X-Omni", ("longtext_bench_en.jsonl", "text_prompts.jsonl")),
        _table("prompt", {"category": "category", "length": "length"}),
    )  # fmt: skip
    yield (
        Suite("oneig", "Objects, portraits, styles, texts, reasoning", ("category", "kind", "length"), "not stated",
              f"{github}OneIG-Bench/OneIG-Benchmark", ("OneIG-Bench.csv",)),
        _table("prompt_en", {"category": "category", "kind": "type", "length": "prompt_length"}),
    )  # fmt: skip


_SUITES = {suite.name: (suite, rows) for suite, rows in _known()}
#: how else a suite is written
_ALIASES = {_plain(name): name for name in _SUITES} | {"parti": "partiprompts", "t2icompbench": "t2i_compbench"}
