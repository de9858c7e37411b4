"""Bytes and texts that are changed: what any format breaks on."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

Rng = np.random.Generator
T = TypeVar("T")

#: numbers at which a decoder's arithmetic goes over
_EXTREMES = (0, 1, 2, 7, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
#: what may never be drawn as anything but letters
MARK = "LOUPEMARK"
#: what has a meaning somewhere
PARTS = (
    *(f"<script>{MARK}()</script>", f'"onmouseover="{MARK}()', f"'><img src=x onerror={MARK}()>", f"</title>{MARK}"),
    *(f"[{MARK}](javascript:{MARK}())", f"![x](http://127.0.0.1:9/{MARK})", "`code`", "| a | b |", "\n\n# head\n\n"),
    *(
        "&lt;",
        "&#60;script&#62;",
        "\\",
        "\\\\",
        '\\"',
        "{{7*7}}",
        "{0.__class__}",
        "{a|b}",
        "{2$$a|b}",
        "%s%n",
        "${HOME}",
    ),
    *(
        "$(touch /tmp/x)",
        "`touch /tmp/x`",
        "; rm -rf x",
        "'; DROP TABLE x; --",
        "__import__('os')",
        "!!python/object:os.x",
    ),
    *("../../../../etc/passwd", "..\\..\\x", "/etc/passwd", "file:///etc/passwd", "~/.ssh/id", "C:\\x", "CON", "a/b"),
    *(
        "__../secret__",
        "__animal__",
        "__loop__",
        "<lora:../../x:1>",
        "<lora:x:1e400>",
        "(a:1.5)",
        "((((",
        "]]]]",
        "a::2 b::-1",
    ),
    *("--ar 16:9", "--no x", "--seed 99999999999999999999", "BREAK", "a AND b :0.5", "Negative prompt: x", "Steps: 2"),
    *(
        "$where",
        "$set",
        ".",
        "a.b",
        "_id",
        "id",
        "filepath",
        "metadata",
        "__class__",
        "constructor",
        "\u202e",
        "\u2028",
    ),
    *(
        "\0",
        "\x1b[2J",
        "\r",
        "\n",
        "\t",
        "\ufeff",
        "\ud800",
        "\U0001f98a",
        "e\u0301" * 5,
        "\u0130",
        "ß",
        "日本語",
        "א",
        "١٢",
    ),
    *(
        "NaN",
        "Infinity",
        "-0",
        "1e999",
        "9" * 30,
        "0x10",
        "null",
        "true",
        "[]",
        "{}",
        '{"a":',
        "=1+1",
        "@x",
        "#h",
        ",",
        ";",
    ),
    *("a red cup", "two cats", 'a sign that says "SALE"', "no text", "without a dog", "three blue boxes on a table"),
)
#: values that another kind was expected for
_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, -(2**63), 10**40, 0.5, 1e308, -0.0, math.nan, math.inf),
    *("", " ", "x", "0", "nan", [], {}, [[]], {"": ""}, [None], {"a": {"b": []}}, ["3", 0], [1, 2, 3]),
)


def pick(rng: Rng, some: Sequence[T]) -> T:
    """Returns one of some things."""
    return some[int(rng.integers(len(some)))]


def flipped(data: bytes, rng: Rng) -> bytes:
    """Returns bytes with a few of them changed, often in the head, which decides most."""
    changed = np.frombuffer(data, np.uint8).copy()
    span = len(changed) if rng.random() < 0.5 else min(len(changed), 400)
    places = rng.integers(0, span, int(rng.integers(1, 12)))
    if rng.random() < 0.5:
        changed[places] ^= (1 << rng.integers(0, 8, len(places))).astype(np.uint8)
    else:
        changed[places] = rng.integers(0, 256, len(places))
    return changed.tobytes()


def extreme(data: bytes, rng: Rng) -> bytes:
    """Returns bytes in which a number of one, two or four bytes, in either order, is at an end of its range."""
    size = int(pick(rng, (1, 2, 4)))
    at = int(rng.integers(0, max(1, min(len(data), 500 if rng.random() < 0.8 else len(data)) - size)))
    value = int(pick(rng, _EXTREMES)) % 256**size
    return data[:at] + value.to_bytes(size, "little" if rng.random() < 0.5 else "big") + data[at + size :]


def cut(data: bytes, rng: Rng) -> bytes:
    """Returns the beginning."""
    return data[: int(rng.integers(0, len(data)))]


def spliced(data: bytes, rng: Rng) -> bytes:
    """Returns bytes with a piece taken out, doubled, or put elsewhere."""
    first, second = sorted(int(place) for place in rng.integers(0, len(data), 2))
    piece = data[first:second]
    match int(rng.integers(3)):
        case 0:
            return data[:first] + data[second:]
        case 1:
            return data[:second] + piece[:5000] * int(rng.integers(1, 20)) + data[second:]
        case _:
            rest = data[:first] + data[second:]
            at = int(rng.integers(0, len(rest) + 1))
            return rest[:at] + piece + rest[at:]


def prolonged(data: bytes, rng: Rng) -> bytes:
    """Returns bytes with noise behind them."""
    return data + rng.bytes(int(rng.integers(1, 5000)))


_CHANGES: tuple[Callable[[bytes, Rng], bytes], ...] = (flipped, flipped, extreme, extreme, cut, spliced, prolonged)


def changed(data: bytes, rng: Rng, changes: int = 3) -> bytes:
    """Returns bytes after one change or a few."""
    for _ in range(int(rng.integers(1, changes + 1))):
        if len(data) < 2:
            break
        data = pick(rng, _CHANGES)(data, rng)
    return data


def text(rng: Rng, parts: int = 8) -> str:
    """Returns parts with a meaning, put together; now and then nested deeply or very long."""
    chosen = [pick(rng, PARTS) for _ in range(int(rng.integers(1, parts + 1)))]
    made = pick(rng, ("", " ", ", ", "\n")).join(chosen)
    chance = rng.random()
    if chance < 0.02:
        mark = pick(
            rng, ("(", "[", "{", "{a|", '"', "<", "((a:1.1)", "--x ", "a::", "__a", "\\", "'", ",", "an a ", "and ")
        )
        made += mark * int(rng.integers(1000, 30_000))
    elif chance < 0.05:
        made = (made * 5000)[: int(rng.integers(1000, 120_000))]
    elif chance < 0.15:
        raw = changed(made.encode("utf-8", "surrogatepass"), rng)
        made = raw.decode("utf-8", pick(rng, ("replace", "surrogateescape")))
    return made


def value(rng: Rng) -> Any:
    """Returns a value of any kind."""
    return text(rng, 3) if rng.random() < 0.5 else pick(rng, _VALUES)


def tree(given: Any, rng: Rng) -> Any:
    """Returns JSON in which one place has become something else: another kind, gone, doubled, renamed or nested."""
    path: list[Any] = []
    at = given
    while isinstance(at, (dict, list)) and at and rng.random() < 0.8:
        key = pick(rng, list(at)) if isinstance(at, dict) else int(rng.integers(len(at)))
        path.append(key)
        at = at[key]
    return _with(given, path, rng)


def _with(given: Any, path: Sequence[Any], rng: Rng) -> Any:
    if not path:
        return _other(given, rng)
    key, rest = path[0], path[1:]
    if isinstance(given, dict):
        copied = dict(given)
        if rest or rng.random() < 0.7:
            copied[key] = _with(given[key], rest, rng)
        elif rng.random() < 0.5:
            del copied[key]
        else:
            copied[text(rng, 2)] = copied.pop(key)
        return copied
    listed = list(given)
    listed[key] = _with(given[key], rest, rng)
    return listed if rng.random() < 0.8 else listed * 2


def _other(given: Any, rng: Rng) -> Any:
    chance = rng.random()
    if chance < 0.03:
        made: Any = given
        for _ in range(int(rng.integers(10, 600))):
            made = [made] if rng.random() < 0.5 else {"a": made}
        return made
    if chance < 0.2:
        return [given, given]
    if chance < 0.3:
        return {"a": given}
    return value(rng)


def as_json(given: Any, rng: Rng) -> str:
    """Returns JSON as some program would write it, or broken."""
    written = json.dumps(given, ensure_ascii=bool(rng.random() < 0.5), default=str)
    chance = rng.random()
    if chance < 0.1:
        return changed(written.encode("utf-8", "surrogatepass"), rng).decode("utf-8", "replace")
    if chance < 0.12:
        return pick(rng, ("[", '{"a":')) * int(rng.integers(500, 100_000)) + written
    return written
