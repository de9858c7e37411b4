"""What every set measure says of itself, and what one that judges scores does with them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cached_property, partial

import numpy as np

from loupe.brain.core import registry
from loupe.brain.core.records import Output
from loupe.brain.core.specs import SetCheck, SetMeasure
from loupe.testing import spec as of_any
from loupe.testing.contract import Rule, require

_ROWS = 40
#: rows whose scores are unknown
_UNKNOWN = (3, 17)
_TOLERANCE = 1e-5
Columns = Mapping[str, np.ndarray]


class Measuring:
    """A set check, made-up columns of the scores that it reads, and what it says of them; asked for once."""

    def __init__(self, spec: SetCheck) -> None:
        self.spec = spec

    @cached_property
    def followed(self) -> dict[str, Output]:
        """The outputs of the check that it follows, by name; empty where nobody knows that check."""
        check = registry.checks().get(self.spec.after)
        return {output.name: output for output in check.outputs} if check else {}

    @cached_property
    def columns(self) -> dict[str, np.ndarray]:
        """(40,) float32 within the bounds of each output that it reads: most alike, a few far off, two unknown."""
        rng = np.random.default_rng(3)
        columns = {}
        for name in self.spec.reads:
            low, high = self.followed[name].bounds if name in self.followed else (0.0, 1.0)
            if math.isfinite(low) and math.isfinite(high):
                values = low + (high - low) * rng.beta(8, 8, _ROWS)
                values[:2] = low, high
            else:
                values = (low if math.isfinite(low) else 0.0) + 500 * np.exp(rng.normal(0, 0.1, _ROWS))
                values[:2] *= 40
            values[list(_UNKNOWN)] = math.nan
            columns[name] = values.astype(np.float32)
        return columns

    def say(self, columns: Columns) -> dict[str, np.ndarray]:
        """Returns what it says of columns, held to their form."""
        n = len(next(iter(columns.values())))
        answer = self.spec.score({name: column.copy() for name, column in columns.items()})
        require(
            isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[0], dict),
            "scores by name and a reason",
            type(answer).__name__,
            "return both",
        )
        scores, reason = answer
        names = [output.name for output in self.spec.outputs]
        require(set(scores) == set(names), f"the outputs {', '.join(names)}", ", ".join(scores), "give each, no other")
        for name, values in scores.items():
            got = f"{getattr(values, 'dtype', type(values).__name__)} {getattr(values, 'shape', '')}"
            lawful = isinstance(values, np.ndarray) and values.dtype == np.float32 and values.shape == (n,)
            require(lawful, f"{name!r} as a float32 array of shape ({n},)", got, "one number for each sample")
        given = isinstance(reason, str) and bool(reason.strip())
        require(given, "a reason for what is unknown", repr(reason), "unknown is an answer, a silent NaN is not")
        return scores

    @cached_property
    def scores(self) -> dict[str, np.ndarray]:
        """What it says of the columns."""
        return self.say(self.columns)


def rules(spec: SetMeasure) -> Iterator[Rule]:
    """Yields the contracts of a set measure."""
    yield from of_any.rules(spec)
    yield from of_any.output_rules(spec.outputs)
    if not isinstance(spec, SetCheck):
        return
    measuring = Measuring(spec)
    yield Rule("follows", lambda: _follows(measuring))
    yield Rule("form", lambda: _form(measuring), ("follows",))
    yield Rule("bounds", lambda: _bounds(measuring), ("form",))
    yield Rule("columns", lambda: _columns(measuring), ("form",))
    for output in spec.outputs:
        yield Rule(f"varies:{output.name}", partial(_varies, measuring, output), ("form",))
    yield Rule("unknown", lambda: _unknown(measuring), ("form",))
    yield Rule("deterministic", lambda: _deterministic(measuring), ("form",))
    yield Rule("order", lambda: _order(measuring), ("deterministic",))


def _follows(measuring: Measuring) -> None:
    spec = measuring.spec
    require(bool(spec.after and spec.reads), "a check to follow and outputs to read", spec.after, "set after and reads")
    if measuring.followed:
        missing = [name for name in spec.reads if name not in measuring.followed]
        do = f"{spec.after!r} gives {', '.join(measuring.followed)}"
        require(not missing, f"outputs of {spec.after!r}", ", ".join(missing), do)


def _form(measuring: Measuring) -> None:
    assert measuring.scores is not None
    for n in (0, 1, 2):
        measuring.say({name: column[:n] for name, column in measuring.columns.items()})


def _bounds(measuring: Measuring) -> None:
    for output in measuring.spec.outputs:
        low, high = output.bounds
        for value in measuring.scores[output.name].tolist():
            inside = math.isnan(value) or low <= value <= high
            require(inside, f"{output.name!r} in [{low}, {high}] or NaN", value, "clamp it, or state other bounds")


def _columns(measuring: Measuring) -> None:
    given = {name: column.copy() for name, column in measuring.columns.items()}
    measuring.spec.score(given)
    same = all(np.array_equal(given[name], column, equal_nan=True) for name, column in measuring.columns.items())
    require(same, "columns as they were", "others", "work on a copy")


def _varies(measuring: Measuring, output: Output) -> None:
    values = measuring.scores[output.name]
    known = np.unique(values[~np.isnan(values)])
    do = "samples that differ have to be told apart"
    require(len(known) > 1, f"different known {output.name!r}", known.tolist(), do)


def _unknown(measuring: Measuring) -> None:
    for name, values in measuring.scores.items():
        rows = list(_UNKNOWN)
        do = "what it reads is unknown there: so is what it says"
        require(bool(np.isnan(values[rows]).all()), f"{name!r} unknown in the rows {rows}", values[rows].tolist(), do)
    nothing = {name: np.full_like(column, math.nan) for name, column in measuring.columns.items()}
    for name, values in measuring.say(nothing).items():
        do = "of nothing, nothing is known"
        require(bool(np.isnan(values).all()), f"{name!r} unknown everywhere", values[:3].tolist(), do)


def _require_same(wanted: Columns, got: Columns, do: str) -> None:
    for name, values in wanted.items():
        same = np.allclose(values, got[name], rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True)
        require(bool(same), f"the same {name!r}", "another", do)


def _deterministic(measuring: Measuring) -> None:
    _require_same(measuring.scores, measuring.say(measuring.columns), "the same scores have to give the same again")


def _order(measuring: Measuring) -> None:
    order = np.random.default_rng(1).permutation(_ROWS)
    turned = measuring.say({name: column[order] for name, column in measuring.columns.items()})
    wanted = {name: values[order] for name, values in measuring.scores.items()}
    _require_same(wanted, turned, "a sample has to keep its score wherever it stands in the set")
