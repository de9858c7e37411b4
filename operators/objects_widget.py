"""How forms ask whether whole pictures or the objects of a field are meant, and what objects can be judged by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from loupe.brain.core import registry
from loupe.brain.core.records import Output
from loupe.brain.core.shown import markdown as escape
from loupe.operators import forms
from loupe.operators.checks_widget import Checks
from loupe.operators.forms import Form
from loupe.operators.signature import Parameter
from loupe.operators.widgets import Choice, Several, ask_spec, has_inputs, read_spec

_WHOLE = "(the whole pictures)"
#: before the checks of objects: those of pictures, that a form may still hold, are others
_PREFIX = "objects__"


def _boxes(form: Form) -> dict[str, tuple[str, str]]:
    from loupe.brain.store.objects import mirror as objects

    return {path: (path, "Each object of this field by itself") for path in objects.fields_of(form.samples)}


def _checked(form: Form) -> dict[str, tuple[str, str]]:
    return {path: own for path, own in _boxes(form).items() if form.samples.has_field(mirror_of(path))}


def mirror_of(path: str) -> str:
    """Returns where Loupe keeps what it knows of the objects of a field."""
    from loupe.brain.store.objects import mirror as objects

    return objects.mirror_of(path)


#: a field of boxes, or the whole pictures
OBJECTS = Choice(
    _boxes,
    none=(_WHOLE, "Not the objects in them"),
    description="What is looked at: the pictures, or the crop of each object of a field of boxes",
)
#: one whose objects were checked, or the whole pictures
CHECKED = replace(OBJECTS, choices=_checked, description="What is counted: the pictures, or the objects of a field")


def shows(form: Form, name: str) -> bool:
    """Returns whether a form asks for a parameter: for objects only where a dataset has boxes."""
    return name != "objects" or bool(_boxes(form))


def chosen(form: Form) -> str | None:
    """Returns the field whose objects are meant, as far as the form holds one; None: the whole pictures."""
    given = form.params.get("objects")
    return given if isinstance(given, str) and given in _boxes(form) else None


def scored_failures(form: Form) -> Mapping[str, tuple[str, Output]]:
    """Returns (check, output) for each failure mode whose scores are stored, of pictures or of objects."""
    path = chosen(form)
    if path is None:
        return forms.scored_failures(form.samples)
    inside = f"{mirror_of(path)}.detections"
    return {
        failure: (check, output)
        for failure, (check, output) in registry.object_failures().items()
        if form.samples.has_field(f"{inside}.{output.name}")
    }


def next_step(path: str) -> str:
    """Returns what to do when objects were checked."""
    mirror = mirror_of(path)
    return (
        f"Next: show the field **{escape(mirror)}** and filter it by `failures`, or see its patches; rates by class "
        "and size: "
        f"**Loupe: failure rates by scenario** with the objects of {escape(path)}."
    )


def _by_default() -> list[str]:
    return [name for name, spec in registry.of_objects().items() if spec.default]


@dataclass(frozen=True)
class ChecksOfEither(Checks):
    """The checks of pictures, or where a field of boxes is chosen those of objects."""

    of_objects: Several = field(
        default_factory=lambda: Several(
            lambda _: {name: spec.title() for name, spec in registry.of_objects().items()},
            chosen=lambda _: _by_default(),
            kind="check",
            some=True,
            description="What to look for in the crop of each object, and by where its box lies",
        )
    )

    def ask(self, form: Form, parameter: Parameter) -> None:
        if chosen(form) is None:
            super().ask(form, parameter)
        else:
            self.of_objects.ask(form, _own(parameter))

    def ask_settings(self, form: Form, parameter: Parameter) -> None:
        if chosen(form) is None:
            super().ask_settings(form, parameter)
            return
        names = self.of_objects.read(form, _own(parameter)) or _by_default()
        for name in names:
            if has_inputs(spec := registry.of_objects()[name]):
                ask_spec(form, spec, _prefix(parameter, name))

    def read(self, form: Form, parameter: Parameter) -> Any:
        if chosen(form) is None:
            return super().read(form, parameter)
        names = self.of_objects.read(form, _own(parameter)) or _by_default()
        return [read_spec(form, registry.of_objects()[name], _prefix(parameter, name)) for name in names]

    def absent_weights(self, form: Form, parameter: Parameter) -> dict[str, Any]:
        return {} if chosen(form) is not None else super().absent_weights(form, parameter)


def _own(parameter: Parameter) -> Parameter:
    return replace(parameter, prefix=_PREFIX)


def _prefix(parameter: Parameter, name: str) -> str:
    return f"{_PREFIX}{parameter.name}__{name}__"
