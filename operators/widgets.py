"""How a form asks for a parameter, and how what comes back is read.

What comes back is untrusted: it is read by the parameter's kind, bounds and choices, and whatever does not fit is
refused with a sentence that says so, in the form as well as when the operator runs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from fiftyone.operators import types

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.specs import Spec
from loupe.brain.media.addresses import address_of, shown
from loupe.brain.media.fetching import OFF
from loupe.brain.media.settings import is_on
from loupe.brain.stats.histogram import decimal_step
from loupe.operators import forms
from loupe.operators.forms import Form, is_number
from loupe.operators.signature import REQUIRED, Parameter, of_spec
from loupe.operators.wording import in_app

S = TypeVar("S", bound=Spec)

_MAX_CHARACTERS = 1_000_000
#: a slider with more positions than these is harder to set than a field
_MAX_POSITIONS = 1000


@dataclass(frozen=True)
class Widget(ABC):
    """Asks for one parameter.

    Attributes:
        description: where the docstring's sentence is written for Python and a person at a form needs another one
    """

    description: str = field(default="", kw_only=True)

    @abstractmethod
    def ask(self, form: Form, parameter: Parameter) -> None:
        """Adds what is asked for; what does not fit is marked with the reason."""

    @abstractmethod
    def read(self, form: Form, parameter: Parameter) -> Any:
        """Returns what was given, and the parameter's own default where it was left empty.

        Raises:
            InputError: it does not fit: of another type, out of bounds, or none of the choices
        """

    def ask_settings(self, form: Form, parameter: Parameter) -> None:
        """Adds what is asked for among the settings beside the parameter itself: for most there is nothing."""
        return

    def facts(self, parameter: Parameter, **more: Any) -> dict[str, Any]:
        """Returns what an input says of itself."""
        return {
            "label": parameter.label,
            "description": self.description or parameter.description or None,
            "default": None if parameter.required else parameter.default,
            "required": parameter.required,
            **more,
        }


@dataclass(frozen=True)
class Input(Widget):
    """A widget of one input, which has the parameter's name."""

    def ask(self, form: Form, parameter: Parameter) -> None:
        made = self.draw(form, parameter)
        if made is not None:
            mark(made, lambda: self.read(form, parameter))

    def read(self, form: Form, parameter: Parameter) -> Any:
        raw = form.params.get(parameter.key)
        blank = isinstance(raw, str) and not raw.strip()
        if raw is None or (blank and not parameter.empty_text):
            return parameter.default
        return self.parse(form, parameter, raw)

    @abstractmethod
    def draw(self, form: Form, parameter: Parameter) -> types.Property | None:
        """Adds the input, and returns it; None where there is nothing to ask."""

    @abstractmethod
    def parse(self, form: Form, parameter: Parameter, raw: Any) -> Any:
        """Returns what the verb takes for a raw value; raises as ``read`` does."""


def mark(made: types.Property, read: Callable[[], Any]) -> None:
    """Marks an input with the reason why what it holds cannot be read."""
    try:
        read()
    except InputError as error:
        made.invalid, made.error_message = True, in_app(str(error))


def refused(parameter: Parameter, expected: str, raw: Any) -> InputError:
    """Returns the error that says what a parameter takes, and what came."""
    text = repr(raw)
    return InputError(f"{parameter.label}: expected {expected}, got {text if len(text) <= 60 else text[:57] + '...'}")


@dataclass(frozen=True)
class Checkbox(Input):
    """Yes or no."""

    def draw(self, form: Form, parameter: Parameter) -> types.Property:
        return form.inputs.bool(parameter.key, view=types.CheckboxView(), **self.facts(parameter))

    def parse(self, form: Form, parameter: Parameter, raw: Any) -> bool:
        if isinstance(raw, bool):
            return raw
        raise refused(parameter, "yes or no", raw)


@dataclass(frozen=True)
class Number(Input):
    """A number; a slider, where there are two ends and a default.

    Attributes:
        low, high: the ends, where the parameter itself names none, or a person needs fewer
    """

    low: float | None = None
    high: float | None = None

    def draw(self, form: Form, parameter: Parameter) -> types.Property:
        low, high = self._ends(parameter)
        whole = parameter.kind == "int"
        facts = self.facts(parameter, min=low, max=high, view=types.FieldView())
        if low is not None and high is not None and is_number(facts["default"]):
            step = 1 if whole else decimal_step(low, high)
            if (high - low) / step <= _MAX_POSITIONS:
                raw = form.params.get(parameter.key)
                facts["view"] = forms.slider(low, high, step)
                facts["label"] += f": {raw if is_number(raw) else facts['default']:g}"
        return (form.inputs.int if whole else form.inputs.float)(parameter.key, **facts)

    def parse(self, form: Form, parameter: Parameter, raw: Any) -> int | float:
        low, high = self._ends(parameter)
        whole = parameter.kind == "int"
        out = is_number(raw) and ((low is not None and raw < low) or (high is not None and raw > high))
        if not is_number(raw) or out or (whole and raw != int(raw)):
            raise refused(parameter, ("a whole number" if whole else "a number") + _between(low, high), raw)
        return int(raw) if whole else float(raw)

    def _ends(self, parameter: Parameter) -> tuple[float | None, float | None]:
        low = parameter.low if self.low is None else self.low
        high = parameter.high if self.high is None else self.high
        return low, high


def _between(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f" from {low:g} to {high:g}"
    return f" of at least {low:g}" if low is not None else f" of at most {high:g}" if high is not None else ""


@dataclass(frozen=True)
class Text(Input):
    """A text; ``rows`` of a field of several lines."""

    rows: int = 1

    def draw(self, form: Form, parameter: Parameter) -> types.Property:
        view = types.TextFieldView(multiline=True, rows=self.rows) if self.rows > 1 else None
        return form.inputs.str(parameter.key, allow_empty=not parameter.required, view=view, **self.facts(parameter))

    def parse(self, form: Form, parameter: Parameter, raw: Any) -> Any:
        return text_of(parameter, raw)


def text_of(parameter: Parameter, raw: Any) -> str:
    """Returns a text without the blanks around it.

    Raises:
        InputError: it is none, or it is very long
    """
    if not isinstance(raw, str) or len(raw) > _MAX_CHARACTERS:
        raise refused(parameter, "a text", raw)
    return raw.strip()


@dataclass(frozen=True)
class Words(Input):
    """Several texts, with a comma between."""

    def draw(self, form: Form, parameter: Parameter) -> types.Property:
        shown = None if parameter.required or parameter.default is None else ", ".join(parameter.default)
        return form.inputs.str(parameter.key, allow_empty=True, **self.facts(parameter, default=shown))

    def parse(self, form: Form, parameter: Parameter, raw: Any) -> tuple[str, ...]:
        if isinstance(raw, (list, tuple)):
            raw = ", ".join(str(item) for item in raw)
        return tuple(part.strip() for part in text_of(parameter, raw).split(",") if part.strip())


@dataclass(frozen=True)
class FilePath(Text):
    """The path of a file that is there, on the machine that runs this.

    Attributes:
        elsewhere: whether an address such as ``s3://…`` does, too
    """

    elsewhere: bool = False

    def parse(self, form: Form, parameter: Parameter, raw: Any) -> str:
        path = text_of(parameter, raw)
        if not _is_elsewhere(self.elsewhere, parameter, path) and not Path(path).expanduser().is_file():
            raise InputError(f"{parameter.label}: expected a file, got {path!r}: there is none")
        return path


@dataclass(frozen=True)
class FolderPath(Text):
    """The path of a folder that is there, on the machine that runs this.

    Attributes:
        elsewhere: whether an address such as ``s3://…`` does, too
    """

    elsewhere: bool = False

    def parse(self, form: Form, parameter: Parameter, raw: Any) -> str:
        path = text_of(parameter, raw)
        if not _is_elsewhere(self.elsewhere, parameter, path) and not Path(path).expanduser().is_dir():
            raise InputError(f"{parameter.label}: expected a folder, got {path!r}: there is none")
        return path


def _is_elsewhere(taken: bool, parameter: Parameter, path: str) -> bool:
    """Returns whether a path is an address that is taken.

    Raises:
        InputError: it would be, and nothing is fetched
    """
    address = address_of(path) if taken else None
    if address is not None and not is_on():
        raise InputError(f"{parameter.label}: {shown(address)}: {OFF}")
    return address is not None


@dataclass(frozen=True)
class Choice(Input):
    """One of some texts.

    Attributes:
        choices: value → (how it is shown, a sentence on it), of this form
        none: the choice that stands for None, as (value, a sentence on it)
        absent: the title and the advice to show where there is nothing to choose from
        strict: whether nothing else is taken; the verb decides on it otherwise
        needed: whether something has to be chosen where the form asks for it, though the verb has a default
    """

    choices: Callable[[Form], Mapping[str, tuple[str, str]]]
    none: tuple[str, str] | None = None
    absent: tuple[str, str] | None = None
    strict: bool = True
    needed: bool = False

    def draw(self, form: Form, parameter: Parameter) -> types.Property | None:
        choices = dict(self.choices(form))
        if not choices and self.absent:
            forms.problem(form.inputs, f"no_{parameter.key}", *self.absent)
            return None
        default = parameter.default
        if self.none:
            choices = {self.none[0]: self.none, **choices}
            default = self.none[0] if default is None else default
        required = parameter.required or self.needed
        if (required or default is not None) and default not in choices:
            default = next(iter(choices), None)
        facts = self.facts(parameter, default=default, required=required)
        return forms.dropdown(form.inputs, parameter.key, choices, **facts)

    def parse(self, form: Form, parameter: Parameter, raw: Any) -> str | None:
        if self.none and raw == self.none[0]:
            return None
        if not isinstance(raw, str):
            raise refused(parameter, "a text", raw)
        if self.strict:
            choices = self.choices(form)
            if raw not in choices:
                raise refused(parameter, f"one of {', '.join(choices)}", raw)
        return raw


@dataclass(frozen=True)
class Several(Input):
    """Any number of texts.

    Attributes:
        choices: value → how it is shown, of this form
        chosen: what is chosen at first, of this form
        default: what the verb's own default stands for, of this form; None where it has none
        kind: what a choice is, e.g. "check": nothing else is then taken; the verb decides on it otherwise
        some: whether none at all is refused
    """

    choices: Callable[[Form], Mapping[str, str]]
    chosen: Callable[[Form], Sequence[str]]
    default: Callable[[Form], Sequence[str]] | None = None
    kind: str = ""
    some: bool = False

    def draw(self, form: Form, parameter: Parameter) -> types.Property | None:
        facts = self.facts(parameter, default=list(self.chosen(form)), required=self.some)
        return forms.several(form.inputs, parameter.key, self.choices(form), **facts)

    def parse(self, form: Form, parameter: Parameter, raw: Any) -> Any:
        names = self.names(form, parameter, raw)
        return parameter.default if self.default and set(names) == set(self.default(form)) else names

    def names(self, form: Form, parameter: Parameter, raw: Any) -> list[str]:
        """Returns the texts, each once; raises as ``read`` does."""
        if not isinstance(raw, list) or not all(isinstance(item, str) for item in raw):
            raise refused(parameter, "a list of names", raw)
        names = list(dict.fromkeys(raw))
        if self.some and not names:
            raise InputError(f"{parameter.label}: expected at least one, got none")
        if self.kind:
            known = self.choices(form)
            for name in names:
                if name not in known:
                    raise UnknownName(self.kind, name, known)
        return names


_KINDS: dict[str, Widget] = {
    "bool": Checkbox(),
    "int": Number(),
    "float": Number(),
    "str": Text(),
    "tuple[str, ...]": Words(),
}


def widget_for(parameter: Parameter) -> Widget | None:
    """Returns how to ask for a parameter of its kind; None where no input fits, and an operator has to say it."""
    if parameter.choices:
        return Choice(lambda _: {value: (value, "") for value in parameter.choices})
    return _KINDS.get(parameter.kind)


def ask_spec(form: Form, spec: type[Spec], prefix: str = "") -> None:
    """Adds an input for each parameter of a spec that an input fits; the others are set from Python only."""
    for parameter in of_spec(spec, prefix).values():
        widget = widget_for(parameter)
        if widget is not None:
            widget.ask(form, parameter)


def read_spec(form: Form, spec: type[S], prefix: str = "") -> S:
    """Returns the spec with the parameters that were given; the others have their default.

    Raises:
        InputError: a value does not fit: of another type, out of bounds, or none of the choices
    """
    given = {}
    for parameter in of_spec(spec, prefix).values():
        widget = widget_for(parameter)
        value = REQUIRED if widget is None else widget.read(form, parameter)
        if value is not REQUIRED:
            given[parameter.name] = value
    return spec(**given)


def has_inputs(spec: type[Spec]) -> bool:
    """Returns whether a spec has parameters that a form can ask for."""
    return any(widget_for(parameter) for parameter in of_spec(spec).values())
