"""A spec's fields become inputs of their kind, and what comes back is read by type, bounds and choices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from loupe.brain.core.errors import InputError
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
    tag: str = param("none", "Any text")
    batch: int = param(16, "At once", low=1, high=4096)
    limit: int | None = param(None, "At most", low=1)
    words: tuple[str, ...] = param(("a", "b"), "Which ones")
    odd: complex = param(0j, "Not for a form")


def _filled(params: dict[str, Any]) -> Any:
    from loupe.operators.forms import Form

    return Form(SimpleNamespace(params=params), samples=None)


def _form(params: dict[str, Any]) -> Any:
    from loupe.operators.widgets import ask_spec

    form = _filled(params)
    ask_spec(form, Example, "example__")
    return form.inputs.properties


def _read(**params: Any) -> Example:
    from loupe.operators.widgets import read_spec

    return read_spec(_filled({f"example__{name}": value for name, value in params.items()}), Example, "example__")


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
    assert kinds["batch"][1]["name"] == "FieldView", "a slider with so many positions cannot be set"
    assert kinds["way"][0]["values"] == ["fast", "exact"]
    assert kinds["limit"][0]["name"] == "Number"
    assert {name.removeprefix("example__"): made.default for name, made in form.items()} == {
        "sure": True, "tiles": 4, "share": 0.25, "minimum": 2.0, "way": "fast", "tag": "none",
        "batch": 16, "limit": None, "words": "a, b",
    }  # fmt: skip


def test_nothing_given_is_the_default(database: str) -> None:
    assert _read() == Example()
    assert _read(tiles=None, limit=None) == Example()
    assert _read(tiles="", share=" ", way="", limit="") == Example()


def test_an_empty_text_is_a_value_of_a_specs_text(database: str) -> None:
    assert _read(tag="") == Example(tag="")
    assert _read(words=" ") == Example(words=())


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
        ("words", 3, "Words to tell apart: expected a text, got 3"),
        ("limit", 0, "Pictures at most: expected a whole number of at least 1, got 0"),
    ],
)
def test_what_does_not_fit_is_refused_in_the_form_and_after(database: str, name: str, value: Any, says: str) -> None:
    with pytest.raises(InputError) as error:
        _read(**{name: value})
    assert str(error.value) == says
    form = _form({f"example__{name}": value})
    assert form[f"example__{name}"].invalid
    assert form[f"example__{name}"].error_message == f"{says}."
    assert [key for key, made in form.items() if made.invalid] == [f"example__{name}"]


def test_every_registered_spec_has_a_form_and_comes_back_as_it_went(database: str) -> None:
    from loupe.brain.core import registry
    from loupe.operators.widgets import ask_spec, read_spec

    kinds: list[Callable[[], dict[str, type[Spec]]]] = [registry.checks, registry.embedders, registry.generators]  # type: ignore[list-item]
    specs = [spec for kind in kinds for spec in kind().values()]
    assert specs
    for spec in specs:
        form = _filled({})
        ask_spec(form, spec)
        form.inputs.to_json()
        given = {name: made.default for name, made in form.inputs.properties.items()}
        assert read_spec(_filled(given), spec) == spec(), spec
