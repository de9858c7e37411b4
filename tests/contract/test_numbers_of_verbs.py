"""Each number of each public verb: numpy's are taken as plain ones, and what is no number is one clear error."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from functools import wraps
from typing import Any

import numpy as np
import pytest

from loupe.brain import api
from loupe.brain.core.arguments import known_parts
from loupe.brain.core.errors import InputError

pytestmark = pytest.mark.database

WHOLE, NUMBER = ("int", "int | None"), ("float", "float | None")
VERBS = sorted(name for name, module in api.PUBLIC.items() if module.startswith("loupe.brain.verbs."))
#: a value of each kind that is required of a call
SOME: dict[str, Any] = {
    "str": "x",
    "Path": "x",
    "os.PathLike": "x",
    "Sequence": ["x"],
    "Iterable": ["x"],
    "Mapping": {},
}
#: annotations with numbers in them that go by another way, and which
OTHERS = {
    ("experiment", "guidance"): "each arm's own is looked at in experiment_arms.py",
    ("experiment", "seeds"): "each is looked at in experiment_arms.py",
    ("find_label_issues", "evidence"): "what a score is weighed with",
    ("flag", "thresholds"): "flagging.py reads each",
    ("relabel", "accept"): "a number or a mapping",
    ("select", "strategy"): "weights of strategies",
    ("split", "gap"): "a number or a time",
    ("split", "sizes"): "shares of splits",
}


def numbers(name: str) -> Iterator[inspect.Parameter]:
    """Yields the parameters of a verb that are numbers."""
    for each in inspect.signature(getattr(api, name)).parameters.values():
        if each.annotation in (*WHOLE, *NUMBER):
            yield each


def with_nothing(name: str, **given: Any) -> dict[str, Any]:
    """Returns arguments that a verb can be called with, and that it would not get far with."""
    made: dict[str, Any] = {}
    for each in inspect.signature(getattr(api, name)).parameters.values():
        if each.default is inspect.Parameter.empty:
            made[each.name] = next((SOME[part] for part in known_parts(each.annotation) if part in SOME), None)
    return made | given


def test_there_are_many(database: str) -> None:
    assert sum(len(list(numbers(name))) for name in VERBS) >= 87


@pytest.mark.parametrize("name", VERBS)
def test_no_annotation_is_overlooked(database: str, name: str) -> None:
    for each in inspect.signature(getattr(api, name)).parameters.values():
        known = each.annotation in (*WHOLE, *NUMBER) or (name, each.name) in OTHERS
        assert known or not {"int", "float"} & set(str(each.annotation).replace("[", " ").replace("]", " ").split()), (
            f"{name}({each.name}: {each.annotation}): annotate it as one of {WHOLE + NUMBER}, or say in OTHERS what "
            "looks at it"
        )


@pytest.mark.parametrize("name", VERBS)
def test_numbers_of_numpy_become_plain_ones(database: str, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    real = getattr(importlib.import_module(api.PUBLIC[name]), name)
    seen: dict[str, Any] = {}

    @wraps(real)
    def spy(*args: Any, **kwargs: Any) -> None:
        seen.update(inspect.signature(real).bind(*args, **kwargs).arguments)

    monkeypatch.setattr(importlib.import_module(api.PUBLIC[name]), name, spy)
    asked = list(numbers(name))
    given = {each.name: np.int64(3) if each.annotation in WHOLE else np.float32(0.5) for each in asked}
    getattr(api, name)(**with_nothing(name, **given))
    for each in asked:
        assert type(seen[each.name]) is (int if each.annotation in WHOLE else float), each.name


@pytest.mark.parametrize("name", VERBS)
def test_what_is_no_number_is_one_clear_error(database: str, name: str) -> None:
    for each in numbers(name):
        whole = each.annotation in WHOLE
        for value in (True, "3", float("nan"), *((1.5, np.float64(2), 2**63) if whole else ())):
            with pytest.raises(InputError, match=f"expected {each.name} to be a (whole )?number"):
                getattr(api, name)(**with_nothing(name, **{each.name: value}))
        if not each.annotation.endswith("None"):
            with pytest.raises(InputError, match=f"expected {each.name} to be a (whole )?number"):
                getattr(api, name)(**with_nothing(name, **{each.name: None}))
