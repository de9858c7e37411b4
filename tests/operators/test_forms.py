"""A spec's fields become inputs of their kind, and what comes back is read by type, bounds and choices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from loupe.brain.core.errors import InputError, PromptError
from loupe.brain.core.specs import Spec, param

pytestmark = pytest.mark.database


@dataclass(frozen=True)
class Example(Spec):
    """An example with a parameter of each kind."""

    name: ClassVar[str] = "example"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "none"
    license: ClassVar[str] = "Apache-2.0"

    sure: bool = param(True, "Whether")
    tiles: int = param(4, "How many", low=1, high=64)
    share: float = param(0.25, "How much", low=0.0, high=1.0)
    minimum: float = param(2.0, "At least", low=0)
    way: str = param("fast", "Which", choices=("fast", "exact"))
    tag: str = param("", "Any text")
    limit: int | None = param(None, "At most", low=1)
    words: tuple[str, ...] = param(("a", "b"), "Which ones")
    odd: complex = param(0j, "Not for a form")


def _form(params: dict[str, Any]) -> Any:
    from fiftyone.operators import types

    from loupe.operators import forms

    inputs = types.Object()
    forms.add_params(inputs, Example, params, "example__")
    return inputs.properties


def _read(**params: Any) -> Example:
    from loupe.operators import forms

    return forms.read_params(Example, {f"example__{name}": value for name, value in params.items()}, "example__")


def test_each_kind_has_its_input(database: str) -> None:
    form = _form({})
    assert list(form) == [f"example__{name}" for name in Example().params() if name != "odd"]
    kinds = {name.removeprefix("example__"): (made.type.to_json(), made.view.to_json()) for name, made in form.items()}
    assert kinds["sure"][0]["name"] == "Boolean"
    assert kinds["tiles"][1]["name"] == "SliderView"
    assert kinds["tiles"][1]["componentsProps"]["slider"]["step"] == 1
    assert kinds["tiles"][1]["description"] == "How many"
    assert kinds["share"][0] == {"name": "Number", "min": 0.0, "max": 1.0, "int": False, "float": True}
    assert kinds["share"][1]["componentsProps"]["slider"]["step"] == pytest.approx(0.01)
    assert kinds["minimum"][1]["name"] == "FieldView"
    assert kinds["way"][0]["values"] == ["fast", "exact"]
    assert kinds["limit"][0]["name"] == "Number"
    assert {name.removeprefix("example__"): made.default for name, made in form.items()} == {
        "sure": True, "tiles": 4, "share": 0.25, "minimum": 2.0, "way": "fast", "tag": "", "limit": None, "words": "a, b",
    }  # fmt: skip


def test_nothing_given_is_the_default(database: str) -> None:
    assert _read() == Example()
    assert _read(tiles=None, limit=None) == Example()


def test_what_the_form_gives_becomes_the_spec(database: str) -> None:
    given = _read(sure=False, tiles=8.0, share=1, minimum=3, way="exact", tag="x", limit=5, words="c, d ,")
    assert given == Example(
        sure=False, tiles=8, share=1.0, minimum=3.0, way="exact", tag="x", limit=5, words=("c", "d")
    )  # fmt: skip
    assert isinstance(given.tiles, int)
    assert isinstance(given.share, float)
    assert _read(limit="").limit is None
    assert _read(words=["c", "d"]).words == ("c", "d")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("sure", "yes", "Sure: expected yes or no, got 'yes'"),
        ("sure", 1, "Sure: expected yes or no, got 1"),
        ("tiles", 0, "Tiles: expected a whole number from 1 to 64, got 0"),
        ("tiles", 65, "Tiles: expected a whole number from 1 to 64, got 65"),
        ("tiles", 2.5, "Tiles: expected a whole number from 1 to 64, got 2.5"),
        ("tiles", True, "Tiles: expected a whole number from 1 to 64, got True"),
        ("tiles", "4", "Tiles: expected a whole number from 1 to 64, got '4'"),
        ("share", float("nan"), "Share: expected a number from 0 to 1, got nan"),
        ("share", float("inf"), "Share: expected a number from 0 to 1, got inf"),
        ("share", 1.01, "Share: expected a number from 0 to 1, got 1.01"),
        ("minimum", -1, "Minimum: expected a number of at least 0, got -1"),
        ("way", "slow", "Way: expected one of fast, exact, got 'slow'"),
        ("tag", {"$where": "1"}, "Tag: expected a text, got {'$where': '1'}"),
        ("words", 3, "Words: expected a text, got 3"),
        ("limit", 0, "Limit: expected a whole number of at least 1, got 0"),
    ],
)
def test_what_does_not_fit_is_refused_in_the_form_and_after(database: str, name: str, value: Any, says: str) -> None:
    with pytest.raises(InputError) as error:
        _read(**{name: value})
    assert str(error.value) == says
    form = _form({f"example__{name}": value})
    assert form[f"example__{name}"].invalid
    assert form[f"example__{name}"].error_message == says
    assert [key for key, made in form.items() if made.invalid] == [f"example__{name}"]


def test_every_registered_spec_has_a_form_and_comes_back_as_it_went(database: str) -> None:
    from fiftyone.operators import types

    from loupe.brain.core import registry
    from loupe.operators import forms

    kinds: list[Callable[[], dict[str, type[Spec]]]] = [registry.checks, registry.embedders, registry.generators]  # type: ignore[list-item]
    specs = [spec for kind in kinds for spec in kind().values()]
    assert specs
    for spec in specs:
        inputs = types.Object()
        forms.add_params(inputs, spec, {})
        inputs.to_json()
        given = {name: made.default for name, made in inputs.properties.items()}
        assert forms.read_params(spec, given) == spec(), spec


def test_factors_are_read_line_by_line(database: str) -> None:
    from loupe.operators.generate import read_factors

    assert read_factors('time: day, night\n\ntext: "a, b", c\n') == {"time": ["day", "night"], "text": ["a, b", "c"]}
    with pytest.raises(PromptError, match="factors, line 2: expected 'name: value, value', got 'night'"):
        read_factors("time: day\nnight")
    with pytest.raises(PromptError, match="line 2: expected each factor once, got 'time' twice"):
        read_factors("time: day\ntime: night")


def test_text_that_is_not_ours_is_shown_as_it_is(database: str) -> None:
    from loupe.operators.summary import escape, table

    assert escape('<img src=x onerror="alert(1)">') == '&lt;img src=x onerror="alert\\(1\\)"&gt;'
    made = table(["a"], [["x | y\n# z [l](javascript:1) `c`"]])
    assert made.splitlines()[2] == "| x \\| y \\# z \\[l\\]\\(javascript:1\\) \\`c\\` |"
    assert len(made.splitlines()) == 3


def test_long_tables_are_cut_and_say_so(database: str) -> None:
    from loupe.operators.summary import table

    made = table(["n"], [[n] for n in range(100)])
    assert made.endswith("and 60 rows more")
    assert made.count("\n| ") == 41
