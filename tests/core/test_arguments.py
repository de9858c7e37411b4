"""What a public function is given is held against its annotations, before any work."""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loupe.brain.core.arguments import with_plain_arguments
from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.warned import warn


def _echo(
    text: str = "",
    maybe: str | None = None,
    *,
    path: str | os.PathLike[str] = "",
    other: str | Path | None = None,
    names: Sequence[str] = (),
    several: tuple[str, ...] = ("a",),
    either: str | Sequence[str] | None = None,
    words: Iterable[str] = (),
    sizes: Mapping[str, float] | None = None,
    apply: bool = False,
    seeds: Sequence[int] = (0,),
    checks: Sequence[str | Mapping[str, Any]] | str | None = None,
    own: str | np.ndarray | None = None,
) -> dict[str, Any]:
    return dict(locals())


GOOD: list[tuple[str, Any, Any]] = [
    ("text", np.str_("x"), "x"),
    ("maybe", None, None),
    ("path", Path("x"), Path("x")),
    ("other", None, None),
    ("names", "day", ("day",)),
    ("names", ["day", "night"], ["day", "night"]),
    ("several", "prompt", ("prompt",)),
    ("either", "day", "day"),
    ("either", {"day"}, {"day"}),
    ("words", "day", "day"),
    ("sizes", {"train": 1}, {"train": 1}),
    ("apply", np.True_, True),
    ("seeds", range(3), range(3)),
    ("checks", "quick", "quick"),
    ("checks", [{}], [{}]),
    ("own", 5, 5),  # an annotation that is not known is the function's own to judge
]
BAD: list[tuple[str, Any, str]] = [
    ("text", None, "a text, got None"),
    ("text", ["blur"], r"a text, got \['blur'\]"),
    ("maybe", 3, "a text or None, got 3"),
    ("path", None, "a path, got None"),
    ("path", ["x"], "a path, got"),
    ("other", 3, "a path or None, got 3"),
    ("names", None, "a list, got None"),
    ("names", 5, "a list, got 5"),
    ("names", {"day": 1}, "a list, got {'day': 1}"),
    ("names", b"day", "a list, got b'day'"),
    ("either", 5, "a text or a list or None, got 5"),
    ("words", None, "a list, got None"),
    ("sizes", ["train"], r"a mapping \(a dict\) or None, got"),
    ("sizes", 0.8, r"a mapping \(a dict\) or None, got 0.8"),
    ("apply", "no", "True or False, got 'no'"),
    ("apply", None, "True or False, got None"),
    ("seeds", 0, "a list, got 0"),
    ("checks", 5, "a list or a text or None, got 5"),
]


@pytest.mark.parametrize(("name", "given", "kept"), GOOD, ids=repr)
def test_what_fits_goes_through_and_one_text_is_a_list_of_one(name: str, given: Any, kept: Any) -> None:
    assert with_plain_arguments(_echo)(**{name: given})[name] == kept


@pytest.mark.parametrize(("name", "given", "says"), BAD, ids=repr)
def test_another_kind_is_refused_by_its_name(name: str, given: Any, says: str) -> None:
    with pytest.raises(InputError, match=f"^expected {name} to be {says}"):
        with_plain_arguments(_echo)(**{name: given})


def test_the_functions_own_words_stay() -> None:
    made = with_plain_arguments(_echo)
    assert inspect.signature(made) == inspect.signature(_echo)
    with pytest.raises(TypeError, match="unexpected keyword argument 'odd'"):
        made(odd=1)


def test_a_warning_points_to_the_line_outside_of_loupe() -> None:
    space: dict[str, Any] = {"__name__": "loupe.brain.deep", "warn": warn}
    exec("def inner():\n    warn('late')\ndef outer():\n    inner()", space)  # noqa: S102  frames that are named so
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        space["outer"]()
        warn("here")
    assert [Path(each.filename).name for each in caught] == ["test_arguments.py"] * 2


def test_very_many_names_are_not_all_listed() -> None:
    names = [f"class {at:04}" for at in range(1000)]
    message = str(UnknownName("class", "clas 0007", names, "give one"))
    assert message.startswith("unknown class 'clas 0007'. Did you mean 'class 0007'? There are: 1,000, the nearest are")
    assert message.endswith(": give one")
    assert len(message) < 500
    assert str(UnknownName("class", "x", names[:60])).endswith("class 0059")
