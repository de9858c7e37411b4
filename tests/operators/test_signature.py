"""What a form knows of a parameter comes from the verb's signature and docstring, or from a spec's fields."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import pytest

from loupe.brain.core.specs import Spec, param

if TYPE_CHECKING:
    from nowhere import Samples

pytestmark = pytest.mark.database  # the operators' package is FiftyOne's


def example(
    samples: Samples,
    names: Sequence[str] | str | None = None,
    *,
    op: Literal["<", ">"] = "<",
    mode: Literal["fast"] | None = None,
    path: str | os.PathLike[str] | Path,
    wide: int = 3,
    high: int | None = None,
    share: float = 0.5,
    minimum: float = 2.5,
    sure: bool = True,
    progress: bool | None = None,
) -> None:
    """Does something.

    Args: not a section

    Args:
        samples: of ``N`` images
        names: a name, or
            several: e.g. ``"a"``
        op, mode: how
        path: the file
        wide, high: in [1, 2**4)
        share: in (0, 0.5)
        minimum: a number of at least 1.5; more is better
        sure: whether, in [0, 1]
        progress: True for a bar

    Returns:
        nothing: at all
    """


def test_a_verbs_parameters_are_read_without_importing_what_their_types_name(database: str) -> None:
    from loupe.operators.signature import REQUIRED, Parameter, of_verb, reports_progress, takes_view

    assert {each.verb for each in of_verb(example).values()} == {"example"}
    assert [replace(each, verb="") for each in of_verb(example).values()] == [
        Parameter("names", "Sequence[str] | str", None, 'A name, or several: e.g. "a"', optional=True),
        Parameter("op", "str", "<", "How", choices=("<", ">")),
        Parameter("mode", "str", None, "How", optional=True, choices=("fast",)),
        Parameter("path", "str", REQUIRED, "The file"),
        Parameter("wide", "int", 3, "In [1, 2**4)", low=1, high=15),
        Parameter("high", "int", None, "In [1, 2**4)", optional=True, low=1, high=15),
        Parameter("share", "float", 0.5, "In (0, 0.5)", low=0, high=0.5),
        Parameter("minimum", "float", 2.5, "A number of at least 1.5; more is better", low=1.5),
        Parameter("sure", "bool", True, "Whether, in [0, 1]"),
    ]
    assert of_verb(example)["path"].required
    assert not of_verb(example)["names"].required
    assert takes_view(example)
    assert takes_view(lambda synthetic, real: None)
    assert not takes_view(lambda dataset, prompts: None)
    assert reports_progress(example)
    assert not reports_progress(lambda samples: None)


def test_types_that_are_no_strings_are_read_as_well(database: str) -> None:
    from loupe.operators.signature import of_verb

    def bare(samples: Any, n: Any, m: Any = 1) -> None: ...

    bare.__annotations__ = {"n": int, "m": float | None}
    made = of_verb(bare)
    assert [(each.kind, each.optional, each.description) for each in made.values()] == [
        ("int", False, ""),
        ("float", True, ""),
    ]


@pytest.mark.parametrize(
    ("docstring", "reported"),
    [
        ("", {}),
        ("Does.\n\nReturns:\n    a: b", {}),
        ("Does.\n\nArgs:\n    a: first\n\n    b: second\n\nRaises:\n    c: no", {"a": "First", "b": "Second"}),
        ("Does.\n\nArgs:\n    a: e.g. x: y\n        b: still a", {"a": "E.g. x: y b: still a"}),
        ("Does.\n\nArgs:\n    a: such as ``__animal__``", {"a": "Such as __animal__"}),
    ],
)
def test_only_the_entries_of_the_section_are_parameters(
    database: str, docstring: str, reported: dict[str, str]
) -> None:
    from loupe.operators.signature import descriptions

    assert descriptions(docstring) == reported


@dataclass(frozen=True)
class Plain(Spec):
    """Plain."""

    name: ClassVar[str] = "plain"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "none"
    license: ClassVar[str] = "Apache-2.0"

    tiles: int = param(4, "How many", low=1, high=64)
    way: str = param("fast", "Which", choices=("fast", "exact"))
    limit: int | None = param(None, "At most")
    words: tuple[str, ...] = field(default_factory=lambda: ("a",))


def test_a_specs_fields_are_read(database: str) -> None:
    from loupe.operators.signature import Parameter, of_spec

    assert list(of_spec(Plain, "plain__").values()) == [
        Parameter("tiles", "int", 4, "How many", low=1, high=64, prefix="plain__"),
        Parameter("way", "str", "fast", "Which", choices=("fast", "exact"), prefix="plain__"),
        Parameter("limit", "int", None, "At most", optional=True, prefix="plain__"),
        Parameter("words", "tuple[str, ...]", ("a",), "", prefix="plain__", empty_text=True),
    ]
    assert of_spec(Plain, "plain__")["way"].key == "plain__way"
    assert of_spec(Plain)["way"].label == "Way"
