"""Tables with one row for each prompt or image: .csv, .tsv, .jsonl and .json, as other programs write them.

They may be UTF-8 with or without a byte order mark, or UTF-16, and be separated by commas, semicolons, tabs or bars:
that is decided by the header. A quoted cell may hold line breaks. Nothing of a table is guessed beyond that: what is
not clear is refused with file, row and reason.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loupe.brain.core.errors import PromptError

#: the endings of the files that are read here
ENDINGS = (".jsonl", ".json", ".csv", ".tsv")
#: the column of the file's name where a JSON object has the names as its keys
BY_FILE = "file"
_SEPARATORS = ",;\t|"
#: more digits are no number that anything could be done with, and Python refuses to read them
_MAX_DIGITS = 4300
_QUOTING = "A cell that holds the separator or a quote stands in quotes, and quotes inside it are doubled"
#: longer marks first: UTF-32's begins as UTF-16's does
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, eq=False)
class TableRow:
    """A row: ``where`` it stands (``"prompts.csv:3"``) and its values by column; an empty cell is left out."""

    where: str
    values: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Table:
    """What a file holds.

    Attributes:
        rows: in their order
        columns: of a .csv or .tsv; empty for JSON, where each row has its own keys
        where: where the header stands
    """

    rows: tuple[TableRow, ...]
    columns: tuple[str, ...] = ()
    where: str = ""


def read_text(path: Path) -> str:
    """Returns the text of a file in UTF-8, or in UTF-16 or UTF-32 with its mark, without the mark.

    Raises:
        PromptError: it cannot be read, or is not such a text; with the line
    """
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise PromptError(
            f"{path}: expected a readable prompt file: {getattr(error, 'strerror', '') or error}"
        ) from error
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), None) or _unmarked(data)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PromptError(
            f"{path}:{line}: expected UTF-8 text, got the byte 0x{data[error.start : error.start + 1].hex() or '00'}. "
            "Save the file as UTF-8"
        ) from error


def _unmarked(data: bytes) -> str:
    """UTF-16 without a mark has a zero in every other byte, where the letters are Latin."""
    start = data[:4096]
    zeros = [start[side::2].count(0) for side in (0, 1)]
    if len(start) >= 4 and len(data) % 2 == 0 and max(zeros) > 0.3 * len(start) / 2 and min(zeros) == 0:
        return "utf-16-le" if zeros[1] else "utf-16-be"
    return "utf-8"


def read_table(path: Path, key_columns: Sequence[str]) -> Table:
    """Returns the rows of a table.

    Args:
        path: the file
        key_columns: what the columns have to hold one of

    Raises:
        PromptError: it is no such table; with file, row and reason
    """
    kind = path.suffix.lower()
    if kind not in ENDINGS:
        raise PromptError(f"expected a {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]} file, got {path.name!r}")
    text = read_text(path)
    if kind in (".csv", ".tsv"):
        return _separated(path, text, key_columns)
    rows = _json_lines(path, text) if kind == ".jsonl" else _json(path, text, key_columns)
    return Table(tuple(rows))


def lines_of(text: str) -> Iterator[tuple[int, str]]:
    """Yields the lines that are not blank, stripped, with their numbers from 1."""
    # not splitlines(): it also splits at characters that may stand inside a prompt, such as U+2028
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, line.strip()


def _json_lines(path: Path, text: str) -> Iterator[TableRow]:
    for number, line in lines_of(text):
        yield _row(_loaded(line, f"{path}:{number}"), f"{path}:{number}")


def _json(path: Path, text: str, key_columns: Sequence[str]) -> Iterator[TableRow]:
    values = _loaded(text, str(path), "a JSON list of objects")
    if isinstance(values, dict) and BY_FILE in key_columns and all(isinstance(row, dict) for row in values.values()):
        # an object of the files' names, as DiffusionDB has it
        for name, row in values.items():
            if row.get(BY_FILE, name) != name:
                raise PromptError(
                    f"{path}: {name[:100]!r}: expected one name of the file, got another: {row[BY_FILE]!r}"[:500]
                )
            yield _row({BY_FILE: name, **row}, f"{path}: {name[:100]!r}")
        return
    if not isinstance(values, list):
        raise PromptError(f"{path}: expected a JSON list of objects, got {type(values).__name__}")
    for number, value in enumerate(values, 1):
        yield _row(value, f"{path}: row {number}")


def _row(value: Any, where: str) -> TableRow:
    if not isinstance(value, dict):
        raise PromptError(f"{where}: expected a JSON object, got {type(value).__name__}")
    return TableRow(where, value)


def _loaded(text: str, where: str, expected: str = "a JSON object") -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once, parse_int=_integer, parse_constant=_constant)
    except RecursionError:
        raise PromptError(f"{where}: expected {expected}, got one that is nested too deeply") from None
    except ValueError as error:
        raise PromptError(f"{where}: expected {expected}: {error}") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} stands in it twice")
    return values


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError(f"a number of {len(digits):,} digits is too large")
    return int(digits)


def _constant(name: str) -> None:
    """NaN is how some programs write that there is no value."""
    if name != "NaN":
        raise ValueError(f"{name} is no number")


def _separated(path: Path, text: str, key_columns: Sequence[str]) -> Table:
    start = 0
    first, _, rest = text.partition("\n")
    marked = first.strip().lower()
    own = "\t" if path.suffix.lower() == ".tsv" else ","
    if marked.startswith("sep=") and len(marked) <= 5:
        # a line that spreadsheets write for themselves
        own, text, start = marked[4:] or "\t", rest, 1
    separator = _separator(text, own, key_columns)
    columns: tuple[str, ...] | None = None
    header, rows = "", []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    place = start
    try:
        for cells in reader:
            where, place = f"{path}:{place + 1}", start + reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if columns is None:
                columns, header = tuple(cell.strip() for cell in cells), where
                _check_columns(columns, where, key_columns)
                continue
            if len(cells) != len(columns):
                shown = ", ".join(columns)[:300]
                raise PromptError(f"{where}: expected {len(columns)} cells ({shown}), got {len(cells)}. {_QUOTING}")
            rows.append(TableRow(where, _values(columns, cells, where, key_columns)))
    except csv.Error as error:
        raise PromptError(f"{path}:{place + 1}: {_csv_reason(error)}") from error
    return Table(tuple(rows), tuple(filter(None, columns or ())), header)


def _csv_reason(error: csv.Error) -> str:
    if "field limit" in str(error):
        return (
            f"expected cells of at most {csv.field_size_limit():,} characters, got a longer one: is a quote left open?"
        )
    return f"{error}. {_QUOTING}"


def _separator(text: str, own: str, key_columns: Sequence[str]) -> str:
    """The separator with which the header has one of the columns; else the ending's own."""
    for separator in dict.fromkeys((own, *_SEPARATORS)):
        try:
            reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
            header = next((cells for cells in reader if any(cell.strip() for cell in cells)), [])
        except csv.Error:
            continue
        if {cell.strip() for cell in header} & set(key_columns):
            return separator
    return own


def _check_columns(columns: Sequence[str], where: str, key_columns: Sequence[str]) -> None:
    if not set(key_columns) & set(columns):
        near = next((name for name in columns if name.lower() in key_columns), None)
        hint = f" Rename {near!r} to {near.lower()!r}." if near else ""
        names = " or ".join(filter(None, (", ".join(map(repr, key_columns[:-1])), repr(key_columns[-1]))))
        got = ", ".join(map(repr, columns))[:300]
        raise PromptError(f"{where}: expected the column {names}, got {got}.{hint}")
    twice = sorted({name for name in columns if name and columns.count(name) > 1})
    if twice:
        raise PromptError(f"{where}: expected each column once, got {twice[0]!r} twice")


def _values(columns: Sequence[str], cells: Sequence[str], where: str, key_columns: Sequence[str]) -> dict[str, str]:
    """The cells that are not empty; an empty cell of a key column stays, to be refused for what it is."""
    for number, (name, cell) in enumerate(zip(columns, cells, strict=True), 1):
        if not name and cell.strip():
            raise PromptError(
                f"{where}: expected a name for each column that holds something, got none for column {number}. "
                "Name it in the header, or leave it out (pandas: index=False)"
            )
    return {
        name: cell for name, cell in zip(columns, cells, strict=True) if name and (cell.strip() or name in key_columns)
    }
