"""What forms are made of: problems, notes, lists to choose from, sliders, and the samples to work on."""

from __future__ import annotations

import json
import math
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from fiftyone.operators import types

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Output
from loupe.brain.core.shown import counted

#: of a text in Markdown that explains an input
SMALL = {"container": {"sx": {"& p": {"margin": 0, "fontSize": "0.85rem", "opacity": 0.75}}}}

T = TypeVar("T")

#: why no form asks for a device
DEVICE = "it is the worker's, or the best of this machine"


@dataclass(frozen=True)
class Form:
    """A form that is being filled, or was.

    Attributes:
        ctx: FiftyOne's context
        samples: what the verb is to work on: the chosen samples, or the dataset
        inputs: what is asked for; where a form is only read, what is put here is shown to nobody
    """

    ctx: Any
    samples: Any
    inputs: types.Object = field(default_factory=types.Object)
    _filled: dict[str, bool] = field(default_factory=dict)
    _kept: dict[str, Any] = field(default_factory=dict)

    @property
    def params(self) -> Mapping[str, Any]:
        """What the form holds by input name. It is untrusted."""
        params: Mapping[str, Any] = self.ctx.params
        return params

    def has_values(self, path: str) -> bool:
        """Returns whether a field is there and at least one sample has a value in it; asked for once."""
        if path not in self._filled:
            self._filled[path] = has_values(self.samples, path)
        return self._filled[path]

    def once(self, name: str, make: Callable[[], T]) -> T:
        """Returns what is asked for several times while a form is drawn or read, and is worked out for the first."""
        if name not in self._kept:
            self._kept[name] = make()
        made: T = self._kept[name]
        return made

    def megapixels(self) -> Sequence[float]:
        """Returns how large some of the pictures are; see ``store.sizes``."""
        from loupe.brain.store import sizes

        return sizes.some_megapixels(self.samples, len(self.samples))


def problem(inputs: types.Object, name: str, title: str, description: str) -> None:
    """Shows why the operator cannot run, and keeps it from running."""
    inputs.view(
        name, types.Error(label=title, description=description), invalid=True, error_message=f"{title}. {description}"
    )


_shown: OrderedDict[str, tuple[str, types.Object]] = OrderedDict()
_MAX_SHOWN = 64


def as_shown(ctx: Any, make: Callable[[], types.Object]) -> types.Object:
    """Returns a form; one that the App has shown, and that could be submitted, as it was, while nothing in it changes.

    The App asks for it once more as it is submitted. Where it does not fit any more (samples were deleted, a field is
    gone), the App would show neither the new form nor why: its button turns gray. So what was shown may be submitted,
    and the run ends with the reason.

    Args:
        ctx: FiftyOne's context
        make: makes the form anew
    """
    request = ctx.request_params
    prompt = str(request.get("prompt_id") or "")
    parts = [request.get(name) for name in ("dataset_name", "view", "selected", "params")]
    held = json.dumps(parts, sort_keys=True, default=str)
    before = _shown.get(prompt)
    if before is not None and before[0] == held:
        return before[1]
    made = make()
    _shown.pop(prompt, None)
    if prompt and not any(each.invalid for each in made.properties.values()):
        _shown[prompt] = (held, made)
        while len(_shown) > _MAX_SHOWN:
            _shown.popitem(last=False)
    return made


def require_valid(inputs: types.Object) -> None:
    """Raises an error where something keeps a form from being run.

    Raises:
        InputError: with the words that the form has for it
    """
    for each in inputs.properties.values():
        if each.invalid:
            raise InputError(each.error_message or each.view.label)


def note(inputs: types.Object, name: str, description: str, *, severity: str = "info") -> None:
    """Shows a sentence; severity: info, success or warning."""
    inputs.view(name, types.AlertView(label=description, severity=severity))


#: the command that starts a worker
WORKER = "loupe worker"


def ask_for_worker(inputs: types.Object) -> None:
    """Says that nobody runs what is scheduled, and which command starts a worker."""
    text = "To schedule it instead, start a worker first, where this database and the images can be reached: "
    inputs.md(f"{text}`{WORKER}`", name="no_worker", componentsProps=SMALL)


def several(inputs: types.Object, name: str, choices: Mapping[str, str], **facts: Any) -> types.Property:
    """Asks for any number of things.

    Args:
        inputs: where to ask
        name: of the input
        choices: value → how it is shown
        facts: label, description, default, required
    """
    view = types.AutocompleteView(
        choices=[types.Choice(value, label=shown) for value, shown in choices.items()],
        allow_user_input=False,
        allow_duplicates=False,
        componentsProps={"autocomplete": {"disableCloseOnSelect": True}},
    )
    return inputs.list(name, types.String(), view=view, **facts)


def dropdown(inputs: types.Object, name: str, choices: Mapping[str, tuple[str, str]], **facts: Any) -> types.Property:
    """Asks for one of some things.

    Args:
        inputs: where to ask
        name: of the input
        choices: value → (how it is shown, a sentence on it)
        facts: label, description, default, required
    """
    view = types.DropdownView(
        choices=[types.Choice(value, label=shown, description=more) for value, (shown, more) in choices.items()]
    )
    return inputs.enum(name, list(choices), view=view, **facts)


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


def is_number(raw: Any) -> bool:
    """Returns whether it is a finite number, and not True or False."""
    return isinstance(raw, (int, float)) and not isinstance(raw, bool) and math.isfinite(raw)


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
        note(inputs, "count", counted(count, "sample"))
    return samples


def has_values(samples: Any, path: str) -> bool:
    """Returns whether a field is there and at least one sample has a value in it."""
    return samples.has_field(path) and len(samples.exists(path).limit(1)) > 0


def vector_fields(samples: Any) -> Sequence[str]:
    """Returns the fields that hold a vector which stands for the picture, ``embeddings`` first."""
    from loupe.brain.store import vectors

    return vectors.fields_of(samples)


def scored_failures(samples: Any) -> dict[str, tuple[str, Output]]:
    """Returns (check, output) for each failure mode whose scores are stored on these samples."""
    return {
        failure: (check, output)
        for failure, (check, output) in registry.failures().items()
        if samples.has_field(f"quality.{output.name}")
    }
