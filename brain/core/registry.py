"""Finds checks, set measures, embedders, generators and defects: by folder, and by the entry points of other packages.

A spec lives in a module of its own name: ``brain/checks/text.py`` holds the one ``Check`` whose ``name`` is ``"text"``.
Another package adds its own by an entry point in the group ``loupe.checks``, ``loupe.sets``, ``loupe.embedders``,
``loupe.generators`` or ``loupe.defects`` that names the class.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache
from importlib.metadata import entry_points
from typing import TypeVar

from loupe.brain.core.errors import LoupeError, UnknownName
from loupe.brain.core.records import Output
from loupe.brain.core.specs import Check, Defect, Embedder, Generator, SetCheck, SetMeasure, Spec, failing_outputs

S = TypeVar("S", bound=Spec)


def checks() -> dict[str, type[Check]]:
    """Returns every check by name."""
    return _find("checks", Check)


def sets() -> dict[str, type[SetMeasure]]:
    """Returns every set measure by name."""
    return _find("sets", SetMeasure)


def checkable() -> dict[str, type[Check] | type[SetCheck]]:
    """Returns by name all that ``loupe.check`` can run: the checks, and then the set measures that follow one."""
    following = {name: spec for name, spec in sets().items() if issubclass(spec, SetCheck)}
    return {**checks(), **following}


def embedders() -> dict[str, type[Embedder]]:
    """Returns every embedder by name."""
    return _find("embedders", Embedder)


def generators() -> dict[str, type[Generator]]:
    """Returns every generator by name."""
    return _find("generators", Generator)


def defects() -> dict[str, type[Defect]]:
    """Returns every defect by the failure mode that it is."""
    return _find("defects", Defect)


def failures() -> dict[str, tuple[str, Output]]:
    """Returns (check or set measure, output) for each failure mode that something registered can flag."""
    return failing_outputs([*checks().values(), *sets().values()])


def pick(kind: str, known: dict[str, type[S]], wanted: str | S) -> S:
    """Returns the spec of that name with its default parameters; a spec is returned as it is.

    Raises:
        UnknownName: there is none; the nearest name is suggested
    """
    if isinstance(wanted, Spec):
        return wanted
    if wanted not in known:
        raise UnknownName(kind, str(wanted), known)
    return known[wanted]()


@cache
def _find(folder: str, base: type[S]) -> dict[str, type[S]]:
    package = importlib.import_module(f"loupe.brain.{folder}")
    found: dict[str, type[S]] = {}
    for info in pkgutil.iter_modules(package.__path__):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        specs = [
            item
            for item in vars(module).values()
            if inspect.isclass(item) and issubclass(item, base) and item.__module__ == module.__name__
        ]
        if len(specs) != 1 or specs[0].name != info.name:
            raise LoupeError(
                f"expected one {base.__name__} named {info.name!r} in {module.__name__}, "
                f"got {[spec.name for spec in specs]}"
            )
        found[info.name] = specs[0]
    for point in entry_points(group=f"loupe.{folder}"):
        spec = point.load()
        if not (inspect.isclass(spec) and issubclass(spec, base)):
            raise LoupeError(f"entry point {point.value!r} in loupe.{folder}: expected a {base.__name__}, got {spec!r}")
        if spec.name in found:
            raise LoupeError(f"entry point {point.value!r} in loupe.{folder}: the name {spec.name!r} is taken already")
        found[spec.name] = spec
    return dict(sorted(found.items()))
