"""That each contract of a set measure can fail: ones that are broken in one way each, caught by just that contract."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest

from loupe.brain.core.records import Output, Threshold
from loupe.brain.core.specs import SetCheck, SetMeasure
from loupe.testing import ContractError, check_spec

Columns = Mapping[str, np.ndarray]
Answer = tuple[dict[str, np.ndarray], str]
CHANCE = np.random.default_rng(0)
RANK = Output(
    name="entropy_rank",
    unit="share",
    higher_is_better=True,
    bounds=(0.0, 1.0),
    description="The share of the set that has less entropy.",
    default_threshold=Threshold("<", 0.01, provenance="a test"),
    failure="outlier",
)


def ranks(columns: Columns) -> np.ndarray:
    values = columns["entropy"]
    known = values[~np.isnan(values)]
    shares = np.array([(known < value).mean() if len(known) else math.nan for value in values], np.float32)
    return np.where(np.isnan(values), np.float32(math.nan), shares).astype(np.float32)


@dataclass(frozen=True)
class Rank(SetCheck):
    """Rank: a good set check of a third party."""

    name: ClassVar[str] = "rank"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "a test"
    license: ClassVar[str] = "Apache-2.0"
    after: ClassVar[str] = "information"
    reads: ClassVar[tuple[str, ...]] = ("entropy",)
    outputs: ClassVar[tuple[Output, ...]] = (RANK,)

    def score(self, columns: Columns) -> Answer:
        return {"entropy_rank": ranks(columns)}, "its entropy is unknown"


@dataclass(frozen=True)
class Plain(SetMeasure):
    """Plain: a set measure with a verb of its own."""

    name: ClassVar[str] = "plain"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "a test"
    license: ClassVar[str] = "Apache-2.0"
    outputs: ClassVar[tuple[Output, ...]] = (RANK,)


def altered(change: Callable[[np.ndarray, Columns], Any] | None = None, **facts: Any) -> type[Rank]:
    body: dict[str, Any] = {"__doc__": "Altered: a broken set check.", **facts}
    if change is not None:
        body["score"] = lambda self, columns: ({"entropy_rank": change(ranks(columns), columns)}, "unknown")
    return dataclass(frozen=True)(type("Altered", (Rank,), body))


def _in_place(values: np.ndarray, columns: Columns) -> np.ndarray:
    columns["entropy"][:] = 0
    return values


def _by_place(values: np.ndarray, columns: Columns) -> np.ndarray:
    return (values * np.linspace(0.5, 1, len(values))).astype(np.float32)


def _drawn(values: np.ndarray, columns: Columns) -> np.ndarray:
    return (values * CHANCE.uniform(0.5, 1)).astype(np.float32)


BROKEN: dict[str, tuple[Callable[[], type[SetMeasure]], str]] = {
    "no such output": (lambda: altered(reads=("entropie",)), "follows"),
    "follows nothing": (lambda: altered(after=""), "follows"),
    "float64": (lambda: altered(lambda values, columns: values.astype(np.float64)), "form"),
    "too short": (lambda: altered(lambda values, columns: values[:-1]), "form"),
    "another name": (lambda: altered(score=lambda self, columns: ({"rank": ranks(columns)}, "unknown")), "form"),
    "no reason": (lambda: altered(score=lambda self, columns: ({"entropy_rank": ranks(columns)}, "")), "form"),
    "scores alone": (lambda: altered(score=lambda self, columns: {"entropy_rank": ranks(columns)}), "form"),
    "out of bounds": (lambda: altered(lambda values, columns: values + 1), "bounds"),
    "changes the columns": (lambda: altered(_in_place), "columns"),
    "always the same": (lambda: altered(lambda values, columns: values * 0), "varies:entropy_rank"),
    "guesses": (lambda: altered(lambda values, columns: np.nan_to_num(values)), "unknown"),
    "by place": (lambda: altered(_by_place), "order"),
    "chance": (lambda: altered(_drawn), "deterministic"),
    "no unit": (lambda: altered(outputs=(replace(RANK, unit=""),)), "outputs"),
    "a threshold on the better side": (lambda: altered(outputs=(replace(RANK, higher_is_better=False),)), "thresholds"),
}


def caught(kind: type[SetMeasure]) -> list[str]:
    try:
        check_spec(kind())
    except ContractError as error:
        return [line[2:].partition(": ")[0] for line in str(error).splitlines() if line.startswith("- ")]
    return []


def test_good_ones_keep_every_contract() -> None:
    assert {"form", "unknown", "order"} <= set(check_spec(Rank()).kept)
    assert "outputs" in check_spec(Plain()).kept


def test_one_that_follows_a_check_that_nobody_knows_is_held_to_the_rest() -> None:
    assert "order" in check_spec(altered(after="elsewhere")).kept


@pytest.mark.parametrize("fault", BROKEN)
def test_a_fault_is_caught_by_one_contract(fault: str) -> None:
    made, contract = BROKEN[fault]
    assert caught(made()) == [contract]
