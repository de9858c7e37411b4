"""The errors, and what their messages promise: what was expected, what came, what to do."""

from __future__ import annotations

import inspect

import pytest

from loupe.brain.core import errors
from loupe.brain.core.errors import InputError, LoupeError, UnknownName

CLASSES = [item for item in vars(errors).values() if inspect.isclass(item) and issubclass(item, Exception)]


def test_all_have_one_root_and_stand_in_the_drawn_tree() -> None:
    for item in CLASSES:
        assert issubclass(item, LoupeError)
        assert item.__name__ in (errors.__doc__ or "")
        assert item.__doc__


def test_bad_input_is_a_value_error_too() -> None:
    for name in ("UnknownName", "PromptError", "NoSamples", "ModelError"):
        assert issubclass(getattr(errors, name), InputError)
        assert issubclass(getattr(errors, name), ValueError)
    for name in ("ReadError", "OutputError", "DatabaseGone", "MissingDependency", "Stopped"):
        assert not issubclass(getattr(errors, name), ValueError)


@pytest.mark.parametrize(
    ("given", "known", "message"),
    [
        ("blurr", ["dark", "blur"], "unknown check 'blurr'. Did you mean 'blur'? There are: blur, dark"),
        ("zzz", ["blur"], "unknown check 'zzz'. There are: blur"),
        ("blur", [], "unknown check 'blur'. There are: none"),
        ("a\nb'", ["blur"], 'unknown check "a\\nb\'". There are: blur'),
    ],
)
def test_an_unknown_name(given: str, known: list[str], message: str) -> None:
    assert str(UnknownName("check", given, known)) == message


def test_what_an_error_quotes_can_be_printed_and_stored() -> None:
    from loupe.brain.core import errors

    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.LoupeError)]
    for kind in set(kinds) - {errors.UnknownName}:
        assert str(kind("got \udcff")).encode() == b"got \\udcff"
    assert str(errors.UnknownName("check", "\ud800", ["\udcff"])).encode()
