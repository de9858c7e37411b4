"""Tables of prompts: what a program writes is read to the letter, what is broken is one clear error."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.faults.result import Result
from benchmarks.faults.world import World, dataset, pictures
from loupe.brain.core.errors import LoupeError
from loupe.brain.prompts import files as prompt_files

_TABLES = 60
#: parts of prompts that have broken readers
_PARTS = (
    *("a red cup", "on a table", 'a sign that says "SALE"', "it's 4\" tall", "two\nlines", "two\r\nlines", "tab\there"),
    *(
        "a;b|c,d",
        "U+2028 \u2028 here",
        "naïve café",
        "日本語の看板",
        "🦊",
        "e\u0301",
        "--ar 16:9",
        "{curly}",
        "\\n",
        "''",
        '""',
    ),
    *("=1+1", "#hash", "  spaces  ", "null", "NaN", "0", "1e400", "-", "\ufeffmark", "<lora:x:1>", "a\u00a0b", "true"),
)
_ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32")


def tabled(world: World, seed: int) -> Result:
    """Reads tables: whole ones in every encoding, broken ones, and one that goes with a folder of pictures."""
    rng = np.random.default_rng(seed)
    folder = world.place()
    if seed % 4 == 3:
        return _imported(world, rng, folder)
    result = Result("broken tables" if seed % 4 == 2 else "whole tables")
    for number in range(_TABLES):
        prompts = [_prompt(rng) for _ in range(int(rng.integers(1, 6)))]
        if seed % 4 == 2:
            _broken(rng, folder / str(number), prompts, result)
        else:
            _whole(rng, folder / str(number), prompts, result)
    return result


def _prompt(rng: np.random.Generator) -> str:
    # what is around a prompt is left out on purpose
    return " ".join(str(part) for part in rng.choice(_PARTS, int(rng.integers(1, 5)))).strip()


def _written(rng: np.random.Generator, path: Path, prompts: list[str]) -> Path:
    """Writes a table as some program would."""
    ending = str(rng.choice(["csv", "tsv", "jsonl", "json"]))
    rows = [{"prompt": prompt, "seed": str(number), "weather": "rain"} for number, prompt in enumerate(prompts)]
    if ending in ("csv", "tsv"):
        separator = "\t" if ending == "tsv" else str(rng.choice([",", ";", "\t", "|"]))
        text = io.StringIO(newline="")
        quoting = int(rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
        line_end = str(rng.choice(["\n", "\r\n"]))
        writer = csv.DictWriter(text, [*rows[0]], delimiter=separator, quoting=quoting, lineterminator=line_end)  # type: ignore[arg-type]
        writer.writeheader()
        writer.writerows(rows)
        content = text.getvalue()
    else:
        ascii_only = bool(rng.random() < 0.5)
        lines = [json.dumps(row, ensure_ascii=ascii_only) for row in rows]
        content = "\n".join(lines) if ending == "jsonl" else json.dumps(rows, ensure_ascii=ascii_only)
    made = path.with_suffix(f".{ending}")
    made.write_bytes(content.encode(str(rng.choice(_ENCODINGS[:3] if len(content) < 200 else _ENCODINGS))))
    return made


def _whole(rng: np.random.Generator, path: Path, prompts: list[str], result: Result) -> None:
    prompts = [prompt for prompt in prompts if prompt] or ["a cup"]
    made = _written(rng, path, prompts)
    try:
        read = prompt_files.read(made)
    except LoupeError as error:
        result.lost += len(prompts)
        result.say(f"{made.name} {made.read_bytes()[:80]!r}: {error}")
        return
    got = [prompt.prompt for prompt in read]
    if got != prompts:
        result.lost += sum(first != second for first, second in zip(prompts, got, strict=False))
        result.lost += abs(len(prompts) - len(got))
        result.say(f"{made.name}: expected {prompts!r}, got {got!r}")


def _broken(rng: np.random.Generator, path: Path, prompts: list[str], result: Result) -> None:
    made = _written(rng, path, [prompt or "a cup" for prompt in prompts])
    data = bytearray(made.read_bytes())
    kind = int(rng.integers(6))
    if kind == 0:
        data = data[: int(rng.integers(0, len(data)))]
    elif kind == 1:
        data[int(rng.integers(len(data)))] = int(rng.integers(256))
    elif kind == 2:
        data = bytearray(b'[{"prompt": ' + b"[" * 50_000)
    elif kind == 3:
        data = bytearray(b'{"prompt": "a", "seed": ' + b"9" * 6000 + b"}")
    elif kind == 4:
        data = bytearray(rb'{"prompt": "half \ud83d of a pair"}')
    else:
        data += rng.bytes(40)
    made.write_bytes(bytes(data))
    try:
        for prompt in prompt_files.read(made):
            prompt.prompt.encode()
    except LoupeError:
        return
    except Exception as error:
        result.dead += 1
        result.say(f"{made.name} {bytes(data)[:60]!r}: {type(error).__name__}: {error}")


def _imported(world: World, rng: np.random.Generator, folder: Path) -> Result:
    """A table beside a folder of pictures: each picture has its prompt, or the one error says why none has."""
    result = Result("tables of pictures")
    paths = pictures(folder / "pictures", 8, int(rng.integers(1000)))
    wanted = {path.name: _prompt(rng) or "a cup" for path in paths}
    strangers = bool(rng.random() < 0.3)
    column = str(rng.choice(["file", "file_name", "filepath", "image"]))
    rows: list[dict[str, Any]] = [
        {column: f"other-{name}" if strangers else name, "prompt": prompt} for name, prompt in wanted.items()
    ]
    table = folder / "table.csv"
    with table.open("w", newline="", encoding=str(rng.choice(_ENCODINGS))) as file:
        writer = csv.DictWriter(file, [column, "prompt"], delimiter=str(rng.choice([",", ";"])))
        writer.writeheader()
        writer.writerows(rows)
    with dataset() as made:
        ended = result.ended(
            world.start("import_images", dataset=made.name, folder=str(folder / "pictures"), prompts=str(table)),
            must=not strangers,
        )
        made.reload()
        got = dict(zip(*made.values(["filepath", "prompt"]), strict=True)) if len(made) else {}
        if strangers:
            if ended is None or ended["ok"] or len(got):
                result.lost += 1
                result.say(f"a table that names no file: {ended}")
        else:
            wrong = [path.name for path in paths if got.get(str(path)) != wanted[path.name]]
            result.lost += len(wrong)
            if wrong:
                result.say(f"{wrong[0]}: expected {wanted[wrong[0]]!r}, got {got}"[:300])
    return result
