"""Prompts: from a list, a file, or a template with factors. All of it is checked before anything is generated.

Files are UTF-8, or UTF-16 with its mark (``tables``):

- ``.txt``: one prompt a line. Blank lines and lines that start with ``"# "`` are left out.
- ``.jsonl``: one object a line: ``prompt``, and optionally ``negative_prompt``, ``seed``, ``factors`` (an object); any
  other key is a factor.
- ``.json``: a list of such objects.
- ``.csv``, ``.tsv``: a header with the column ``prompt``, and optionally ``negative_prompt`` and ``seed``; any other
  column is a factor. An empty cell means that the row has none. Quoting as in RFC 4180, for tabs too; the separator
  may be a comma, a semicolon, a tab or a bar.

A ``seed`` in a row is used as it is for the row's first image; without one it is derived from the call's seed.
"""

from __future__ import annotations

import math
import os
import random
import string
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from loupe.brain.core.errors import PromptError
from loupe.brain.core.records import Record
from loupe.brain.prompts import tables
from loupe.brain.prompts.texts import MAX_CHARACTERS as MAX_CHARACTERS
from loupe.brain.prompts.texts import MAX_STORED as MAX_STORED
from loupe.brain.prompts.texts import RESERVED as RESERVED
from loupe.brain.prompts.texts import checked_text as checked_text
from loupe.brain.prompts.variants import doubled

#: the most prompts that one call takes
MAX_PROMPTS = 1_000_000

T = TypeVar("T")

_ENDINGS = (".txt", *tables.ENDINGS)


@dataclass(frozen=True)
class Prompt(Record):
    """One picture to draw.

    Attributes:
        prompt: the text
        factors: the scenario that it describes, e.g. ``{"time": "night"}``: one string each
        negative_prompt: what the image should not show; None means the call's own
        seed: the seed of its first image, or None to derive it
    """

    prompt: str
    factors: Mapping[str, str] = field(default_factory=dict)
    negative_prompt: str | None = None
    seed: int | None = None


Prompts: TypeAlias = str | os.PathLike[str] | Sequence[str | Mapping[str, Any] | Prompt]


def read(
    prompts: Prompts,
    *,
    factors: Mapping[str, Any] | None = None,
    sample: int | None = None,
    seed: int = 0,
) -> tuple[Prompt, ...]:
    """Returns the prompts, in order.

    Args:
        prompts: a list of strings, mappings (as the lines of a .jsonl file) or ``Prompt`` records; a file of the kinds
            above; with ``factors`` a template such as ``'a {color} sign that says "{text}"'``; else one prompt. A
            string is taken for a file when it ends as one and has no space, or when there is such a file.
        factors: for each placeholder of the template its values; every combination becomes a prompt (the last factor
            changes fastest)
        sample: only that many of them, drawn without repetition; a larger sample with the same seed begins with the
            smaller one
        seed: of the sample

    Raises:
        PromptError: they cannot be used; where they come from a file, with file, line and reason

    >>> [prompt.prompt for prompt in read("a {time} street", factors={"time": ["day", "night"]})]
    ['a day street', 'a night street']
    """
    if factors is not None:
        return _expand(prompts, factors, sample, seed)
    every = _read_any(prompts)
    if not every:
        raise PromptError("expected at least one prompt, got none")
    if len(every) > MAX_PROMPTS:
        raise PromptError(f"expected at most {MAX_PROMPTS:,} prompts, got {len(every):,}")
    return tuple(every[position] for position in _positions(len(every), sample, seed))


def _read_any(prompts: Prompts) -> list[Prompt]:
    if isinstance(prompts, str):
        if prompts.lower().endswith(_ENDINGS) and (not any(map(str.isspace, prompts)) or Path(prompts).is_file()):
            return _read_file(Path(prompts))
        names = _placeholders(prompts)
        if names:
            raise PromptError(
                f"expected factors for the placeholders {', '.join(names)}, got none: pass "
                f"factors={{{names[0]!r}: [...]}}, or put the prompt in a list to have its braces drawn as they stand"
            )
        return [_checked(_fill(prompts, {}), "the prompt")]
    if isinstance(prompts, os.PathLike):
        return _read_file(Path(prompts))
    if isinstance(prompts, Mapping) or not isinstance(prompts, Sequence):
        raise PromptError(f"expected a list of prompts, a file or a template, got {type(prompts).__name__}")
    return [_of_item(item, f"prompts[{index}]") for index, item in enumerate(prompts)]


def _of_item(item: Any, where: str) -> Prompt:
    if isinstance(item, str):
        return _checked(item, where)
    if isinstance(item, Prompt):
        item = {key: value for key, value in vars(item).items() if value is not None}
    if isinstance(item, Mapping):
        return _of_mapping(item, where)
    raise PromptError(f"{where}: expected a string or a mapping with 'prompt', got {type(item).__name__}")


def _read_file(path: Path) -> list[Prompt]:
    path = path.expanduser()
    kind = path.suffix.lower()
    if kind not in _ENDINGS:
        raise PromptError(f"expected a prompt file ending in {', '.join(_ENDINGS)}, got {path}")
    if kind == ".txt":
        lines = tables.lines_of(tables.read_text(path))
        prompts = [
            _checked(line, f"{path}:{number}") for number, line in lines if line != "#" and not line.startswith("# ")
        ]
    else:
        table = tables.read_table(path, ("prompt",))
        for name in table.columns:
            if name not in ("prompt", "negative_prompt", "seed"):
                _check_name(name, table.where)
        prompts = [_of_mapping(row.values, row.where) for row in table.rows]
    if not prompts:
        raise PromptError(f"{path}: expected at least one prompt, got none")
    return prompts


def of_image(values: Mapping[Any, Any], where: str) -> tuple[str | None, dict[str, str]]:
    """Returns the prompt and the factors that a row of a table gives to an image that is there already.

    Args:
        values: the row's values by column, without that of the file; ``seed`` and ``negative_prompt`` are factors
        where: where the row stands

    Raises:
        PromptError: a value cannot be stored
    """
    rest = _factors_of(values, ("prompt",), where)
    factors = {}
    for name, value in rest.items():
        if name not in ("seed", "negative_prompt"):
            _check_name(name, where)
        if not _is_missing(value) and not (isinstance(value, str) and not value.strip()):
            factors[name] = _factor_value(name, value, where, MAX_STORED)
    prompt = values.get("prompt")
    return (None if _is_missing(prompt) else checked_text(prompt, where, "prompt", MAX_STORED) or None), factors


def _of_mapping(row: Mapping[Any, Any], where: str) -> Prompt:
    if "prompt" not in row:
        raise PromptError(f"{where}: expected the key 'prompt', got {', '.join(map(_shown, row))[:300] or 'nothing'}")
    factors = {}
    for name, value in _factors_of(row, ("prompt", "negative_prompt", "seed"), where).items():
        _check_name(name, where)
        if not _is_missing(value):
            factors[name] = _factor_value(name, value, where)
    return _checked(row["prompt"], where, factors, row.get("negative_prompt"), row.get("seed"))


def _factors_of(row: Mapping[Any, Any], others: Sequence[str], where: str) -> dict[Any, Any]:
    """The factors of a row, those in ``factors`` and those that are keys of their own."""
    rest = {key: value for key, value in row.items() if key not in (*others, "factors")}
    nested = row.get("factors")
    if nested is not None and not isinstance(nested, Mapping):
        raise PromptError(f"{where}: expected 'factors' to map names to values, got {type(nested).__name__}")
    twice = rest.keys() & (nested or {}).keys()
    if twice:
        raise PromptError(f"{where}: expected each factor once, got {sorted(map(str, twice))[0]!r} twice")
    return {**(nested or {}), **rest}


def _is_missing(value: Any) -> bool:
    """Whether there is no value: None, or the NaN that tables of other programs have for it."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def _shown(value: Any) -> str:
    """A value as an error shows it; a number may have too many digits to be written."""
    try:
        return repr(value)[:300]
    except ValueError:
        return f"a number of more than {sys.get_int_max_str_digits():,} digits"


def _checked(
    prompt: Any, where: str, factors: Mapping[str, str] | None = None, negative_prompt: Any = None, seed: Any = None
) -> Prompt:
    text = checked_text(prompt, where, "prompt")
    if not text:
        raise PromptError(f"{where}: expected a prompt, got an empty one")
    negative = None if _is_missing(negative_prompt) else checked_text(negative_prompt, where, "negative_prompt")
    seed = None if _is_missing(seed) else _checked_seed(seed, where)
    return Prompt(text, dict(factors or {}), negative, seed)


def _checked_seed(seed: Any, where: str) -> int:
    try:
        number = int(seed) if isinstance(seed, str) and len(seed) < 20 else seed
    except ValueError:
        number = None
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < 2**63:
        raise PromptError(f"{where}: expected seed to be an integer from 0 to 2**63 - 1, got {_shown(seed)}"[:300])
    return number


def _check_name(name: Any, where: str) -> None:
    if not isinstance(name, str) or not name.isidentifier() or name.startswith("_") or len(name) > 64:
        raise PromptError(
            f"{where}: expected a factor's name to be letters, digits and _ (as in {'weather'!r}), got {_shown(name)}"[
                :300
            ]
        )
    if name in RESERVED:
        raise PromptError(f"{where}: the factor name {name!r} is taken already. Choose another, such as 'scene_{name}'")


def _factor_value(name: str, value: Any, where: str, longest: int = MAX_CHARACTERS) -> str:
    if not isinstance(value, (str, int, float)):
        raise PromptError(f"{where}: expected factor {name!r} to be text or a number, got {type(value).__name__}")
    try:
        written = str(value)
    except ValueError:
        raise PromptError(f"{where}: expected factor {name!r} to be text or a number, got {_shown(value)}") from None
    text = checked_text(written, where, f"factor {name!r}", longest)
    if not text:
        raise PromptError(f"{where}: expected a value for factor {name!r}, got an empty one")
    return text


def _placeholders(template: str, where: str = "the template") -> list[str]:
    """Returns the placeholders in order of appearance: plain names only, so that a template reaches no attribute."""
    names: list[str] = []
    try:
        parts = list(string.Formatter().parse(doubled(template)))
    except ValueError as error:
        raise PromptError(
            f"{where}: expected {{name}} placeholders, and {{{{ or }}}} for a brace as such: {error}"
        ) from error
    for _, name, specification, conversion in parts:
        if name is None:
            continue
        if not name.isidentifier() or specification or conversion:
            raise PromptError(f"{where}: expected placeholders such as {{color}}, got {{{name}}} or one with a format")
        if name not in names:
            names.append(name)
    return names


def _fill(template: str, values: Mapping[str, str]) -> str:
    return "".join(
        literal + ("" if name is None else values[name])
        for literal, name, _, _ in string.Formatter().parse(doubled(template))
    )


def _expand(template: Prompts, factors: Mapping[str, Any], sample: int | None, seed: int) -> tuple[Prompt, ...]:
    where = "the template"
    if not isinstance(template, str):
        raise PromptError(f"expected a template string to go with factors, got {type(template).__name__}")
    if not isinstance(factors, Mapping):
        raise PromptError(f"expected factors to map names to lists of values, got {type(factors).__name__}")
    values = {name: _factor_values(name, given, where) for name, given in factors.items()}
    names = _placeholders(template)
    missing, unused = [name for name in names if name not in values], [name for name in values if name not in names]
    if missing:
        raise PromptError(f"{where}: expected values for the placeholder {{{missing[0]}}}, got factors {list(values)}")
    if unused:
        raise PromptError(f"{where}: expected the placeholder {{{unused[0]}}} for that factor, got {names or 'none'}")
    total = 1
    for options in values.values():
        total *= len(options)
    if min(total, sample or total) > MAX_PROMPTS:
        raise PromptError(f"expected at most {MAX_PROMPTS:,} prompts, got {total:,}: pass sample=")
    prompts = []
    for position in _positions(total, sample, seed):
        chosen = {}
        for name in reversed(values):
            position, index = divmod(position, len(values[name]))
            chosen[name] = values[name][index]
        chosen = {name: chosen[name] for name in values}
        prompts.append(_checked(_fill(template, chosen), f"{where} with {chosen}"[:300], chosen))
    return tuple(prompts)


def _factor_values(name: Any, given: Any, where: str) -> list[str]:
    _check_name(name, where)
    if isinstance(given, (str, int, float)):
        given = [given]
    if isinstance(given, Mapping) or not isinstance(given, (Sequence, range)):
        raise PromptError(f"{where}: expected factor {name!r} to be a list of values, got {type(given).__name__}")
    values = [_factor_value(name, value, where) for value in given]
    if not values:
        raise PromptError(f"{where}: expected at least one value for factor {name!r}, got none")
    if len(set(values)) < len(values):
        twice = next(value for value in values if values.count(value) > 1)
        raise PromptError(f"{where}: expected each value of factor {name!r} once, got {twice!r} twice")
    return values


def _positions(total: int, sample: int | None, seed: int) -> Sequence[int]:
    if sample is None:
        return range(total)
    if isinstance(sample, bool) or not isinstance(sample, int) or not 1 <= sample <= total:
        raise PromptError(f"expected sample to be from 1 to {total:,}, the number of prompts there are, got {sample!r}")
    # a shuffle that stops after `sample` swaps and keeps only what it has swapped, however large the grid is
    rng = random.Random(seed)
    swapped: dict[int, int] = {}
    chosen = []
    for position in range(sample):
        other = rng.randrange(position, total)
        chosen.append(swapped.get(other, other))
        swapped[other] = swapped.get(position, position)
    return chosen


def sampled(items: Sequence[T], sample: int | None, seed: int) -> tuple[T, ...]:
    """Returns so many of the items as ``read`` draws of prompts, all without a number.

    Raises:
        PromptError: there are fewer
    """
    return tuple(items[position] for position in _positions(len(items), sample, seed))


def with_negative_prompt(prompts: Sequence[Prompt], negative_prompt: str) -> tuple[Prompt, ...]:
    """Returns the prompts, those without a negative prompt of their own with that one.

    Raises:
        PromptError: it is too long or holds control characters
    """
    text = checked_text(negative_prompt, "negative_prompt", "negative_prompt")
    return tuple(
        replace(prompt, negative_prompt=text) if prompt.negative_prompt is None else prompt for prompt in prompts
    )
