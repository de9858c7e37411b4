"""What a public function is given, held against its annotations before it begins."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ParamSpec, TypeVar

from loupe.brain.core.errors import InputError
from loupe.brain.core.numbers import plain

P = ParamSpec("P")
T = TypeVar("T")

_NUMBERS = ("int", "float")
#: what stands in the annotation of samples
_SAMPLES = ("fo.Dataset", "Samples", "SampleCollection")
#: the other parts of an annotation that are known, without what stands in brackets: what each is called
_WORDS = {
    "str": "a text",
    "bool": "True or False",
    "Path": "a path",
    "os.PathLike": "a path",
    "Sequence": "a list",
    "tuple": "a list",
    "Iterable": "a list",
    "Mapping": "a mapping (a dict)",
    "None": "None",
}


def with_plain_arguments(function: Callable[P, T]) -> Callable[P, T]:
    """Returns the function as it is, but for its arguments: what is of another kind than its annotation is refused.

    numpy's numbers become plain ones, and one text where a list of them is expected becomes a list of one. It goes by
    annotations that are made of ``int``, ``float``, ``bool``, ``str``, paths, lists, mappings and None; the others, and
    bounds, are the function's own. The public verbs are all called this way (``loupe.brain.api``), so that none can
    forget it.

    Raises:
        InputError: when it is called with another kind of value; see also ``numbers.plain``

    >>> import numpy as np
    >>> def doubled(n: int, names: Sequence[str] = ()) -> list[object]:
    ...     return [2 * n, *names]
    >>> with_plain_arguments(doubled)(np.int64(4), "day")
    [8, 'day']
    """
    signature = inspect.signature(function)
    kinds = {name: parts for name, each in signature.parameters.items() if (parts := known_parts(each.annotation))}
    if not kinds:
        return function

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError:  # it says itself which argument is missing
            return function(*args, **kwargs)
        for name, parts in kinds.items():
            if name in bound.arguments:
                bound.arguments[name] = _held(name, bound.arguments[name], parts)
        return function(*bound.args, **bound.kwargs)

    return call


def with_living_samples(function: Callable[P, T], require: Callable[[Any], None]) -> Callable[P, T]:
    """Returns the function, which first holds each argument that may be samples to ``require``.

    A dataset that was deleted meanwhile, by anybody, then says so in one way, whatever the function reads first.
    """
    parameters = inspect.signature(function).parameters.values()
    names = [each.name for each in parameters if any(kind in str(each.annotation) for kind in _SAMPLES)]
    if not names:
        return function
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            given = signature.bind(*args, **kwargs).arguments
        except TypeError:  # it says itself which argument is missing
            return function(*args, **kwargs)
        for name in names:
            require(given.get(name))
        return function(*args, **kwargs)

    return call


def known_parts(annotation: Any) -> tuple[str, ...]:
    """Returns the parts of an annotation that is made of known ones alone, brackets left out; none of another."""
    if not isinstance(annotation, str):
        return ()
    plain_text, depth = "", 0
    for character in annotation:
        depth += (character == "[") - (character == "]")
        plain_text += character if not depth and character != "]" else ""
    parts = tuple(each.strip() for each in plain_text.split("|"))
    if {"bool"} < {*parts} - {"None"}:  # a truth value or something else: its own to judge
        return ()
    number = {*parts} - {"None"} <= {*_NUMBERS}
    return parts if number or all(each in _WORDS for each in parts) else ()


def _held(name: str, value: Any, parts: tuple[str, ...]) -> Any:
    if value is None and "None" in parts:
        return None
    if parts[0] in _NUMBERS:
        return plain(name, value, whole=parts[0] == "int")
    if "bool" in parts and type(value).__name__ in ("bool", "bool_"):  # Python's own and numpy's
        return bool(value)
    lists = {"Sequence", "tuple", "Iterable"} & {*parts}
    if isinstance(value, str):
        if "str" in parts or "Iterable" in parts:
            return value
        if lists:
            return (value,)
    elif (
        (isinstance(value, os.PathLike) and {"Path", "os.PathLike"} & {*parts})
        or (isinstance(value, Mapping) and "Mapping" in parts)
        or (lists and isinstance(value, Iterable) and not isinstance(value, (bytes, Mapping)))
    ):
        return value
    wanted = dict.fromkeys(_WORDS[each] for each in parts if not (each == "str" and {"Path", "os.PathLike"} & {*parts}))
    raise InputError(f"expected {name} to be {' or '.join(wanted)}, got {value!r}"[:300])
