"""Tables that say how pictures were made: one's own, Discord's export of Midjourney's messages, DiffusionDB.

- One's own: a column for the file, ``prompt``, ``negative_prompt``, ``seed``, and factors (``prompts.tables``).
- DiscordChatExporter's .csv: ``Content`` holds the prompt, ``Attachments`` the links to the pictures.
- DiffusionDB (Wang et al. 2023, poloclub/diffusiondb): ``metadata.parquet``, and ``part-000001.json`` with the files'
  names as its keys and ``p``, ``se``, ``c``, ``st``, ``sa``. It does not say which version of the model, nor the
  negative prompt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from loupe.brain.core.errors import MissingDependency, PromptError
from loupe.brain.prompts import files as prompt_files
from loupe.brain.prompts import tables
from loupe.brain.provenance import midjourney
from loupe.brain.provenance.records import Reading

#: the columns that may name the file, the first that is there does
FILE_COLUMNS = ("file", "file_name", "filename", "filepath", "path", "image")
PARQUET = ".parquet"
#: the source of what DiffusionDB's tables state
DIFFUSIONDB = "DiffusionDB"
_ATTACHMENTS = "Attachments"
_IMAGE_NAME = "image_name"
_KEY_COLUMNS = (*FILE_COLUMNS[:-1], _IMAGE_NAME, _ATTACHMENTS, FILE_COLUMNS[-1])
_PART = {"p": "prompt", "se": "seed", "c": "guidance", "st": "steps", "sa": "scheduler"}
_METADATA = {
    "prompt": "prompt",
    "seed": "seed",
    "cfg": "guidance",
    "step": "steps",
    "sampler": "scheduler",
    "width": "width",
    "height": "height",
}
#: of the column sampler, by DiffusionDB's card
_SAMPLERS = dict(
    enumerate(("ddim", "plms", "k_euler", "k_euler_ancestral", "k_heun", "k_dpm_2", "k_dpm_2_ancestral", "k_lms"), 1)
)
_INSTALL = 'pip install "loupe-fiftyone[parquet]"'


@dataclass(frozen=True)
class TabledImage:
    """A row.

    Attributes:
        name: the file as the row names it
        where: where the row stands
        reading: what it states
        factors: the scenario
        by_job: whether a picture of the same job is meant, whatever it is called
    """

    name: str
    where: str
    reading: Reading
    factors: Mapping[str, str] = field(default_factory=dict)
    by_job: bool = False


def read(path: Path, is_wanted: Callable[[str], bool]) -> Iterator[TabledImage]:
    """Yields the rows of a table.

    Args:
        path: a .csv, .tsv, .jsonl, .json or .parquet file
        is_wanted: of a .parquet file, which may have millions of rows: whether a picture of that name is of interest

    Raises:
        PromptError: the table is malformed: file, row and reason
        MissingDependency: a .parquet file, and pyarrow is not installed
    """
    if path.suffix.lower() == PARQUET:
        yield from _parquet(path, is_wanted)
        return
    if path.suffix.lower() not in tables.ENDINGS:
        raise PromptError(f"expected a {', '.join(tables.ENDINGS)} or {PARQUET} file, got {path.name!r}")
    for row in tables.read_table(path, _KEY_COLUMNS).rows:
        yield from _of_row(row)


def _of_row(row: tables.TableRow) -> Iterator[TabledImage]:
    values = dict(row.values)
    if _ATTACHMENTS in values:
        yield from _of_message(values, row.where)
        return
    if _IMAGE_NAME in values:
        values = {"file": values.pop(_IMAGE_NAME), **values}
        yield TabledImage(_name(values, row.where), row.where, _stated(values, _METADATA, row.where))
        return
    name = _name(values, row.where)
    if {"p", "se"} <= values.keys():
        yield TabledImage(name, row.where, _stated(values, _PART, row.where))
        return
    for column in FILE_COLUMNS:
        if column in values:
            del values[column]
            break
    prompt, factors = prompt_files.of_image(values, row.where)
    stated = {"prompt": prompt, "negative_prompt": values.get("negative_prompt"), "seed": values.get("seed")}
    yield TabledImage(name, row.where, Reading("the table", stated, level=0), factors)


def _stated(values: Mapping[str, Any], names: Mapping[str, str], where: str) -> Reading:
    stated = {name: values.get(key) for key, name in names.items()}
    sampler = stated.get("scheduler")
    if isinstance(sampler, (int, float, str)) and str(sampler).split(".")[0].isdigit():
        stated["scheduler"] = _SAMPLERS.get(int(float(sampler)))
    return Reading(DIFFUSIONDB, {**stated, "tool": "Stable Diffusion"}, level=0)


def _name(values: Mapping[str, Any], where: str) -> str:
    column = next((name for name in FILE_COLUMNS if name in values), None)
    name = values[column] if column else None
    if not isinstance(name, str) or not name.strip():
        columns = ", ".join(map(repr, FILE_COLUMNS))
        raise PromptError(f"{where}: expected a file in one of the columns {columns}, got {dict(values)!r}"[:300])
    return prompt_files.checked_text(name, where, "the file's name", prompt_files.MAX_STORED)


def _of_message(values: Mapping[str, Any], where: str) -> Iterator[TabledImage]:
    """A message of the bot's, with a picture for each of its links; other messages say nothing of a picture."""
    content, links = values.get("Content"), values.get(_ATTACHMENTS)
    if not isinstance(content, str) or not isinstance(links, str):
        return
    reading = midjourney.read_message(content, "Discord's export")
    if reading is None:
        return
    for link in links.split(","):
        name = PurePosixPath(unquote(urlsplit(link.strip()).path) if "://" in link else link.strip()).name
        if name:
            known = {**reading.values, "job": midjourney.job_of(name)}
            yield TabledImage(name, where, Reading(reading.source, known, level=0), by_job=True)


def _parquet(path: Path, is_wanted: Callable[[str], bool]) -> Iterator[TabledImage]:
    try:
        import pyarrow
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise MissingDependency(f"expected pyarrow to read {path.name}: {_INSTALL}") from error
    try:
        table = parquet.ParquetFile(path)
        columns = set(table.schema_arrow.names)
        name = next((column for column in (_IMAGE_NAME, *FILE_COLUMNS) if column in columns), None)
        if name is None or "prompt" not in columns:
            shown = ", ".join(sorted(columns))[:300]
            raise PromptError(f"{path}: expected the columns {_IMAGE_NAME!r} and 'prompt', got {shown}")
        number = 0
        for batch in table.iter_batches(65_536, columns=sorted(columns & {name, *_METADATA})):
            for at, file in enumerate(batch.column(name).to_pylist()):
                if isinstance(file, str) and is_wanted(file):
                    values = {column: batch.column(column)[at].as_py() for column in batch.schema.names}
                    where = f"{path}: row {number + at + 1}"
                    yield TabledImage(file, where, _stated(values, _METADATA, where))
            number += batch.num_rows
    # a text that is none is found as it is read, a number that is none as it is taken
    except (pyarrow.ArrowException, OSError, UnicodeError, OverflowError) as error:
        raise PromptError(f"{path}: expected a Parquet file: {str(error)[:200]}") from error
