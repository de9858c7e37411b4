"""Finds checks, set measures, embedders, generators and defects: by folder, and by the entry points of other packages.

A spec lives in a module of its own name: ``brain/checks/text.py`` holds the one ``Check`` whose ``name`` is ``"text"``.
Another package adds its own by an entry point in the group ``loupe.checks``, ``loupe.sets``, ``loupe.embedders``,
``loupe.generators`` or ``loupe.defects`` that names the class. One that cannot be used is left out with a warning that
says why, and the rest of Loupe works; ``problems`` lists them.
"""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Any, TypeVar

from loupe.brain.core.errors import InputError, LoupeError, UnknownName
from loupe.brain.core.presets import PRESETS
from loupe.brain.core.records import Output, Record
from loupe.brain.core.specs import (
    Check,
    Defect,
    Embedder,
    Generator,
    ObjectMeasure,
    SetCheck,
    SetMeasure,
    Spec,
    failing_outputs,
)
from loupe.brain.core.taxonomy import FAILURE_MODES

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


def objects() -> dict[str, type[ObjectMeasure]]:
    """Returns every object measure by name."""
    return {name: spec for name, spec in sorted(_own("objects").items()) if issubclass(spec, ObjectMeasure)}


def embedders() -> dict[str, type[Embedder]]:
    """Returns every embedder by name."""
    return _find("embedders", Embedder)


def generators() -> dict[str, type[Generator]]:
    """Returns every generator by name."""
    return _find("generators", Generator)


def generator_of(model: str | os.PathLike[str] | Generator) -> Generator:
    """Returns the generator of a model: a spec as it is, a service's or generator's name, else a model of diffusers."""
    known = generators()
    if isinstance(model, Generator):
        return model
    if str(model) in known:
        return known[str(model)]()
    return hosted(str(model)) or known["diffusion"](**{"model": str(model)})


def hosted(name: str) -> Generator | None:
    """Returns the generator of a name such as ``"openai:gpt-image-2.5-flare"``; None where it names no service."""
    service, colon, model = name.partition(":")
    specs = {getattr(spec, "provider", None): spec for spec in generators().values()}
    return specs[service](**{"model": model}) if colon and model and service in specs else None


def defects() -> dict[str, type[Defect]]:
    """Returns every defect by the failure mode that it is."""
    return _find("defects", Defect)


def failures() -> dict[str, tuple[str, Output]]:
    """Returns (check or set measure, output) for each failure mode that something registered can flag."""
    return failing_outputs([*checks().values(), *sets().values()])


def of_objects() -> dict[str, type[Check] | type[ObjectMeasure]]:
    """Returns by name all that objects can be judged by: the checks that know crops, and the object measures."""
    of_crops = {name: spec for name, spec in checks().items() if not spec().not_of_crops()}
    return {**of_crops, **objects()}


def object_failures() -> dict[str, tuple[str, Output]]:
    """Returns (check or measure, output) for each failure mode that an object may have."""
    return failing_outputs([*of_objects().values(), *(spec for spec in sets().values() if spec.of_objects)])


def pick(kind: str, known: dict[str, type[S]], wanted: str | S) -> S:
    """Returns the spec of that name with its default parameters; a spec is returned as it is.

    The name of a failure mode is that of the check which flags it: ``"blur"`` is the check ``sharpness``.

    Raises:
        UnknownName: there is none; the nearest name is suggested, of a spec or of a failure mode
        InputError: another package offers one of that name, which cannot be used
    """
    if isinstance(wanted, Spec):
        return wanted
    if wanted not in known:
        for problem in problems():
            if problem.name == wanted:
                raise InputError(f"the {kind} {wanted!r} cannot be used: {problem}")
        flagging = {failure: spec for spec in known.values() for failure in _flags(spec)}
        if wanted not in flagging:
            measures = {failure: spec.name for spec in sets().values() for failure in _flags(spec)} if flagging else {}
            if wanted in measures:
                raise InputError(
                    f"expected a {kind} or a failure mode that one flags, got {wanted!r}, which compares the pictures "
                    f"of a set ({measures[wanted]}): it has a verb of its own, see loupe.find_…"
                )
            presets = PRESETS if kind == "check" else ()
            raise UnknownName(kind, str(wanted), {*known, *flagging, *presets})
        return flagging[wanted]()
    return known[wanted]()


def _flags(spec: type[Spec]) -> list[str]:
    """Returns the failure modes that a spec's outputs are labeled with."""
    return [output.failure for output in getattr(spec, "outputs", ()) if output.failure]


@dataclass(frozen=True)
class Problem(Record):
    """Why an entry point of another package is left out.

    Attributes:
        group: of the entry point, e.g. ``"loupe.checks"``
        name: of the entry point
        target: what it names, e.g. ``"others.dust:Dust"``
        message: what was expected, and what came
    """

    group: str
    name: str
    target: str
    message: str

    def __str__(self) -> str:
        return f"entry point {self.name} = {self.target!r} in {self.group}: {self.message}"


class PluginWarning(UserWarning):
    """An entry point of another package is left out; the rest of Loupe works."""


def problems() -> tuple[Problem, ...]:
    """Returns what is wrong with the entry points of other packages; empty where all of them can be used."""
    return tuple(problem for folder in _BASES if folder not in _OWN_ONLY for problem in _plugins(folder)[1])


_BASES: dict[str, type[Spec]] = {
    "checks": Check,
    "sets": SetMeasure,
    "embedders": Embedder,
    "generators": Generator,
    "defects": Defect,
    "objects": ObjectMeasure,
}
#: the folders that no other package adds to
_OWN_ONLY = ("objects",)


def _find(folder: str, base: Any) -> dict[str, Any]:
    every = {**_own(folder), **_plugins(folder)[0]}
    return {name: spec for name, spec in sorted(every.items()) if issubclass(spec, base)}


@cache
def _own(folder: str) -> dict[str, type[Spec]]:
    """Returns the specs of a folder by name: one a file, named as the file is."""
    base = _BASES[folder]
    package = importlib.import_module(f"loupe.brain.{folder}")
    specs: dict[str, type[Spec]] = {}
    for info in pkgutil.iter_modules(package.__path__):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        classes = [
            item
            for item in vars(module).values()
            if inspect.isclass(item) and issubclass(item, base) and item.__module__ == module.__name__
        ]
        if len(classes) != 1 or classes[0].name != info.name:
            raise LoupeError(
                f"expected one {base.__name__} named {info.name!r} in {module.__name__}, "
                f"got {[spec.name for spec in classes]}"
            )
        specs[info.name] = classes[0]
    return specs


@cache
def _plugins(folder: str) -> tuple[dict[str, type[Spec]], tuple[Problem, ...]]:
    """Returns the specs that other packages offer, and why each of the others is left out, which is warned of once."""
    group = f"loupe.{folder}"
    specs: dict[str, type[Spec]] = {}
    left_out = []
    for point in sorted(entry_points(group=group), key=lambda point: (point.name, point.value)):
        try:
            spec = point.load()
            _require_fitting(spec, point.name, folder, specs)
        # importing another package may raise anything; it must not end Loupe
        except Exception as error:
            message = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
            left_out.append(Problem(group, point.name, point.value, message))
            warnings.warn(f"left out: {left_out[-1]}", PluginWarning, stacklevel=2)
            continue
        specs[spec.name] = spec
    return specs, tuple(left_out)


def _require_fitting(spec: Any, name: str, folder: str, others: Mapping[str, type[Spec]]) -> None:
    """Raises an error unless the spec can stand beside those that are there. ``loupe.testing.check_spec`` asks more.

    Raises:
        InputError: what was expected, and what came
    """
    # a set measure has its own verb, which another package cannot add; one that follows a check is run by ``check``
    base = SetCheck if folder == "sets" else _BASES[folder]
    if not (inspect.isclass(spec) and issubclass(spec, base)):
        raise InputError(f"expected a class that inherits {base.__name__}, got {spec!r}")
    absent = [field for field in ("name", "version", "reference", "license") if not getattr(spec, field, None)]
    if absent:
        raise InputError(f"expected {spec.__name__}.{absent[0]} to be stated, got none")
    if inspect.isabstract(spec):
        methods = ", ".join(sorted(spec.__abstractmethods__))
        raise InputError(f"expected {spec.__name__} to have the methods {methods}, got a class without")
    if spec.name != name or not name.isidentifier() or name != name.lower():
        raise InputError(f"expected {spec.__name__}.name to be the entry point's, in lower case, got {spec.name!r}")
    judges = folder in ("checks", "sets")
    if name in {**_own(folder), **others} or (judges and name in {**PRESETS, **_own("objects")}):
        raise InputError(f"expected a name that is free, got {name!r}, which is taken already")
    if judges:
        _require_free_outputs(spec, others)


def _require_free_outputs(spec: Any, others: Mapping[str, type[Spec]]) -> None:
    outputs = getattr(spec, "outputs", None)
    if not outputs or not all(isinstance(output, Output) for output in outputs):
        raise InputError(f"expected {spec.__name__}.outputs to be a tuple of Output, got {outputs!r}")
    own = [spec for folder in ("checks", "sets", "objects") for spec in _own(folder).values()]
    judging: list[Any] = [*own, *others.values()]
    taken = {output.name for other in judging for output in other.outputs}
    flagged = {output.failure for other in judging for output in other.outputs if output.failure}
    for output in outputs:
        if output.name in taken:
            raise InputError(f"expected an output's name that is free, got {output.name!r}, which is taken already")
        if output.failure is not None and output.failure not in FAILURE_MODES:
            raise InputError(str(UnknownName("failure mode", output.failure, FAILURE_MODES)))
        if output.failure in flagged:
            raise InputError(f"expected a failure mode that no other check flags, got {output.failure!r}")
