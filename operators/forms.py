"""Forms made from the specs: a dataclass field in, an input of the App out, and the way back.

What comes back is untrusted: it is read by the field's type, bounds and choices, and whatever does not fit is refused
with a sentence that says so, in the form as well as when the operator runs.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from fiftyone.operators import types

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Output
from loupe.brain.core.specs import Spec
from loupe.brain.stats.histogram import decimal_step

S = TypeVar("S", bound=Spec)

_KINDS = ("bool", "int", "float", "str", "tuple[str, ...]")
_LONGEST_TEXT = 1_000_000


def problem(inputs: types.Object, name: str, title: str, description: str) -> None:
    """Shows why the operator cannot run, and keeps it from running."""
    inputs.view(
        name, types.Error(label=title, description=description), invalid=True, error_message=f"{title}. {description}"
    )


def note(inputs: types.Object, name: str, description: str, *, severity: str = "info") -> None:
    """Shows a sentence; severity: info, success or warning."""
    inputs.view(name, types.AlertView(label=description, severity=severity))


def several(
    inputs: types.Object,
    name: str,
    choices: Mapping[str, str],
    *,
    label: str,
    description: str,
    default: Sequence[str],
    required: bool = True,
) -> None:
    """Asks for any number of things; choices: value → how it is shown."""
    inputs.list(
        name,
        types.String(),
        label=label,
        description=description,
        default=list(default),
        required=required,
        view=types.AutocompleteView(
            choices=[types.Choice(value, label=shown) for value, shown in choices.items()],
            allow_user_input=False,
            allow_duplicates=False,
            componentsProps={"autocomplete": {"disableCloseOnSelect": True}},
        ),
    )


def one(
    inputs: types.Object,
    name: str,
    choices: Mapping[str, tuple[str, str]],
    *,
    label: str,
    description: str,
    default: str | None,
    required: bool = True,
) -> None:
    """Asks for one of some things; choices: value → (how it is shown, a sentence on it)."""
    inputs.enum(
        name,
        list(choices),
        label=label,
        description=description,
        default=default,
        required=required,
        view=types.DropdownView(
            choices=[types.Choice(value, label=shown, description=more) for value, (shown, more) in choices.items()]
        ),
    )


def chosen(params: Mapping[str, Any], name: str, default: Sequence[str]) -> list[str]:
    """Returns what was chosen with ``several``, each once.

    Raises:
        InputError: it is no list of texts
    """
    raw = params.get(name)
    if raw is None:
        return list(default)
    if not isinstance(raw, list) or not all(isinstance(item, str) for item in raw):
        raise InputError(f"{name}: expected a list of names, got {_short(raw)}")
    return list(dict.fromkeys(raw))


def title_of(name: str) -> str:
    """Returns a field's name as a label.

    >>> title_of("min_similarity")
    'Min similarity'
    """
    return name.replace("_", " ").capitalize()


def add_params(inputs: types.Object, spec: type[Spec], params: Mapping[str, Any], prefix: str = "") -> None:
    """Adds an input for each parameter of a spec; one whose value does not fit is marked with the reason."""
    for field in _fields(spec):
        _add(inputs, f"{prefix}{field.name}", field, params)


def read_params(spec: type[S], params: Mapping[str, Any], prefix: str = "") -> S:
    """Returns the spec with the parameters that were given; the others have their default.

    Raises:
        InputError: a value does not fit: of another type, out of bounds, or none of the choices

    >>> from loupe.brain.core import registry
    >>> read_params(registry.checks()["sharpness"], {}) == registry.checks()["sharpness"]()
    True
    """
    given = {}
    for field in _fields(spec):
        raw = params.get(f"{prefix}{field.name}")
        if raw is not None:
            given[field.name] = _read(field, raw)
    return spec(**given)


def has_params(spec: type[Spec]) -> bool:
    """Returns whether a spec has parameters that a form can ask for."""
    return bool(_fields(spec))


def _fields(spec: type[Spec]) -> list[dataclasses.Field[Any]]:
    """A parameter of a type that no input fits keeps its default, and is set from Python only."""
    return [field for field in dataclasses.fields(spec) if _kind(field)[0] in _KINDS]


def _kind(field: dataclasses.Field[Any]) -> tuple[str, bool]:
    """Returns the type's name, and whether None is allowed."""
    name = field.type if isinstance(field.type, str) else getattr(field.type, "__name__", str(field.type))
    parts = [part.strip() for part in name.split("|")]
    return " | ".join(part for part in parts if part != "None"), "None" in parts


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else None


def _add(inputs: types.Object, name: str, field: dataclasses.Field[Any], params: Mapping[str, Any]) -> None:
    kind, _ = _kind(field)
    facts = field.metadata
    low, high, choices = facts.get("low"), facts.get("high"), facts.get("choices") or ()
    default = _default(field)
    common = {"label": title_of(field.name), "description": facts.get("description") or None, "default": default}
    if kind == "bool":
        made = inputs.bool(name, view=types.CheckboxView(), **common)
    elif kind in ("int", "float"):
        define = inputs.int if kind == "int" else inputs.float
        view = _number_view(kind, low, high, default)
        if isinstance(view, types.SliderView):
            raw = params.get(name)
            common["label"] += f": {raw if is_number(raw) else default:g}"
        made = define(name, min=low, max=high, view=view, **common)
    elif choices:
        view = types.DropdownView(choices=[types.Choice(value, label=value) for value in choices])
        made = inputs.enum(name, list(choices), view=view, **common)
    elif kind == "str":
        made = inputs.str(name, allow_empty=True, **common)
    else:
        made = inputs.str(name, allow_empty=True, **{**common, "default": ", ".join(default or ())})
    raw = params.get(name)
    if raw is not None:
        try:
            _read(field, raw)
        except InputError as error:
            made.invalid = True
            made.error_message = str(error)


def _number_view(kind: str, low: float | None, high: float | None, default: Any) -> types.View:
    if low is None or high is None or default is None or not math.isfinite(high - low):
        return types.FieldView()
    return slider(low, high, 1 if kind == "int" else decimal_step(low, high))


def slider(low: float, high: float, step: float, **props: Any) -> types.SliderView:
    """Returns a slider; ``props`` are further ones of its component.

    Its value shows on hovering only, where it covers the description: say it in the label, too.
    """
    decimals = max(0, -math.floor(math.log10(step)))
    ends = {"min": low, "max": high, "step": step}
    return types.SliderView(
        label_position="top",
        value_label_display="auto",
        value_precision=decimals,
        componentsProps={"slider": {**ends, **props}},
    )


def _read(field: dataclasses.Field[Any], raw: Any) -> Any:
    kind, optional = _kind(field)
    if optional and raw == "":
        return None
    facts = field.metadata
    low, high, choices = facts.get("low"), facts.get("high"), facts.get("choices") or ()
    if kind == "bool":
        if isinstance(raw, bool):
            return raw
        raise _refused(field, "yes or no", raw)
    if kind in ("int", "float"):
        return _read_number(field, raw, kind, low, high)
    if isinstance(raw, (list, tuple)) and kind.startswith("tuple"):
        raw = ", ".join(str(item) for item in raw)
    if not isinstance(raw, str) or len(raw) > _LONGEST_TEXT:
        raise _refused(field, "a text", raw)
    if kind != "str":
        return tuple(part.strip() for part in raw.split(",") if part.strip())
    if choices and raw not in choices:
        raise _refused(field, f"one of {', '.join(choices)}", raw)
    return raw


def _read_number(
    field: dataclasses.Field[Any], raw: Any, kind: str, low: float | None, high: float | None
) -> int | float:
    whole = kind == "int"
    bounds = f" from {low:g} to {high:g}" if low is not None and high is not None else ""
    if not bounds and low is not None:
        bounds = f" of at least {low:g}"
    if not bounds and high is not None:
        bounds = f" of at most {high:g}"
    expected = ("a whole number" if whole else "a number") + bounds
    if not is_number(raw):
        raise _refused(field, expected, raw)
    if (whole and raw != int(raw)) or (low is not None and raw < low) or (high is not None and raw > high):
        raise _refused(field, expected, raw)
    return int(raw) if whole else float(raw)


def is_number(raw: Any) -> bool:
    """Returns whether it is a finite number, and not True or False."""
    return isinstance(raw, (int, float)) and not isinstance(raw, bool) and math.isfinite(raw)


def _refused(field: dataclasses.Field[Any], expected: str, raw: Any) -> InputError:
    return InputError(f"{title_of(field.name)}: expected {expected}, got {_short(raw)}")


def _short(raw: Any) -> str:
    text = repr(raw)
    return text if len(text) <= 60 else f"{text[:57]}..."


def target(ctx: Any, inputs: types.Object, action: str) -> Any:
    """Asks which samples to work on, and returns those chosen now; none at all is shown as a problem."""
    inputs.view_target(ctx, action_description=action)
    samples = ctx.target_view()
    count = len(samples)
    if not count:
        problem(
            inputs,
            "no_samples",
            "There are no samples here",
            "Add samples to the dataset, or clear the view's filters.",
        )
    else:
        note(inputs, "count", f"{count:,} sample{'' if count == 1 else 's'}")
    return samples


def has_values(samples: Any, path: str) -> bool:
    """Returns whether a field is there and at least one sample has a value in it."""
    return samples.has_field(path) and len(samples.exists(path).limit(1)) > 0


def scored_failures(samples: Any) -> dict[str, tuple[str, Output]]:
    """Returns (check, output) for each failure mode whose scores are stored on these samples."""
    return {
        failure: (check, output)
        for failure, (check, output) in registry.failures().items()
        if samples.has_field(f"quality.{output.name}")
    }
