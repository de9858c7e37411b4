"""Which model draws: one of this machine's, or a hosted service's, with its price and its key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError
from loupe.brain.core.results import Run
from loupe.brain.core.shown import counted
from loupe.brain.hosted import price, secrets
from loupe.brain.hosted.spec import ELSEWHERE, HostedGenerator
from loupe.operators import forms
from loupe.operators.forms import Form
from loupe.operators.signature import REQUIRED, Parameter, of_spec
from loupe.operators.widgets import Choice, Text, Widget, widget_for
from loupe.operators.wording import in_app

LOCAL, COMPATIBLE = "local", "compatible"
_SERVICES = {
    LOCAL: ("This machine", "A model that is built in, from the hub, or in a folder"),
    "openai": ("OpenAI", "Its image models, for money"),
    "ideogram": ("Ideogram", "Its image models, for money"),
    "bfl": ("Black Forest Labs", "FLUX, for money"),
    COMPATIBLE: ("Another address", "A server that takes the same requests as OpenAI's images"),
}
_ASKED = ("model", "quality", "base_url")
_SETTINGS = ("price_per_image", "requests_per_minute", "concurrency", "repeat_unclear")
_SERVICE = Choice(lambda _: _SERVICES)
_LOCAL_ONLY = (
    *("steps", "guidance", "batch_size", "dtype"),
    *("true_guidance", "scheduler", "loras", "controlnet", "ip_adapter", "placement", "quantize", "device", "engine"),
)


def _service_parameter() -> Parameter:
    return Parameter("drawn_by", "str", LOCAL, "A hosted service takes money for each image", prefix="model__")


def service(form: Form) -> str:
    """Returns who draws: this machine, a service, or another address."""
    chosen = form.params.get(_service_parameter().key)
    return chosen if isinstance(chosen, str) and chosen in _SERVICES else LOCAL


def kind_of(name: str) -> type[HostedGenerator]:
    """Returns the generator of a service."""
    provider = "openai" if name == COMPATIBLE else name
    return next(
        spec
        for spec in registry.generators().values()
        if issubclass(spec, HostedGenerator) and spec.provider == provider
    )


def is_shown(form: Form, name: str) -> bool:
    """Returns whether a parameter of ``generate`` says something where that service draws."""
    local = service(form) == LOCAL
    return name not in _LOCAL_ONLY if not local else name != "budget"


def secrets_of(ctx: Any) -> Mapping[str, str | None]:
    """Returns the API keys that the App's server has."""
    names = [kind.secret for kind in registry.generators().values() if issubclass(kind, HostedGenerator)]
    known = ctx.secrets
    return {name: known[name] for name in (*names, ELSEWHERE)}


@dataclass(frozen=True)
class Model(Widget):
    """Who draws, and the model there."""

    local: Text

    def ask(self, form: Form, parameter: Parameter) -> None:
        _SERVICE.ask(form, _service_parameter())
        if service(form) == LOCAL:
            self.local.ask(form, parameter)
            return
        for each, widget in _parameters(form, _ASKED):
            widget.ask(form, each)
        kind = kind_of(service(form))
        if service(form) != COMPATIBLE and not secrets.known(kind.secret):
            why = secrets.missing(kind.secret, kind.service_title)
            forms.problem(form.inputs, "no_key", "The API key is missing", why)

    def ask_settings(self, form: Form, parameter: Parameter) -> None:
        if service(form) != LOCAL:
            for each, widget in _parameters(form, _SETTINGS):
                widget.ask(form, each)

    def read(self, form: Form, parameter: Parameter) -> Any:
        _SERVICE.read(form, _service_parameter())
        if service(form) == LOCAL:
            return self.local.read(form, parameter)
        given = {each.name: widget.read(form, each) for each, widget in _parameters(form, (*_ASKED, *_SETTINGS))}
        if any(value is REQUIRED for value in given.values()):
            return REQUIRED
        return kind_of(service(form))(**given)


def _parameters(form: Form, names: tuple[str, ...]) -> list[tuple[Parameter, Widget]]:
    """Returns what is asked for of a service, with the widgets."""
    name = service(form)
    known = of_spec(kind_of(name), f"model__{name}__")
    asked = []
    for each in names:
        if each not in known or (each == "base_url" and name != COMPATIBLE):
            continue
        parameter = known[each]
        if name == COMPATIBLE and each in ("base_url", "model"):
            what = "Such as http://localhost:8000/v1" if each == "base_url" else "As that server calls it"
            parameter = replace(parameter, default=REQUIRED, description=what)
        widget = widget_for(parameter)
        assert widget is not None
        asked.append((parameter, widget))
    return asked


def remark(form: Form, spec: Any, images: int, given: Mapping[str, Any]) -> None:
    """Says what the images will cost, and what keeps them from being drawn."""
    if not isinstance(spec, HostedGenerator):
        return
    spec = replace(spec, **given)
    try:
        spec.facts()
        each = spec.price()
        if spec.budget is not None:
            price.checked("budget", spec.budget)
            if each is None:
                raise InputError(
                    f"nobody says what an image of {spec.model} costs: give a price per image among the settings, or "
                    "leave the budget out"
                )
    except InputError as error:
        forms.problem(form.inputs, "bad_model", "This cannot be drawn", in_app(str(error)))
        return
    forms.note(
        form.inputs, "price", _price_in_words(spec, each, images), severity="warning" if each is None else "info"
    )


def came(run: Run) -> list[str]:
    """Returns what a run has cost, and what became of the images that are not there, a paragraph each."""
    parts = []
    if run.params.get("cost") is not None:
        how = "by the price list" if run.params.get("cost_estimated") else "as the service billed"
        parts.append(f"Cost of these images so far: **${run.params['cost']:,.2f}**, {how}.")
    if count := run.unknown.get("refused"):
        parts.append(f"{count:,} refused by the service's moderation: no samples, and not asked for again.")
    if count := run.unknown.get("unclear"):
        parts.append(
            f"{count:,} unclear: requested, maybe paid, and nothing came. They are not asked for again, unless the "
            "settings say so."
        )
    if count := run.unknown.get("unaffordable"):
        parts.append(f"{count:,} not requested: the budget is spent. With a larger one the same call goes on.")
    return parts


def _price_in_words(spec: HostedGenerator, each: float | None, images: int) -> str:
    if each is None:
        return (
            f"Nobody says what an image of {spec.model} costs there, so that no budget can be kept: give a price per "
            "image among the settings."
        )
    whose = "yours" if spec.price_per_image is not None else f"the price list of {price.AS_OF}"
    text = f"About ${each * images:,.2f}: {counted(images, 'image')} at ${each:,.4g} each ({whose})."
    if spec.budget is not None and each * images > spec.budget:
        text += (
            f" The budget of ${spec.budget:,.2f} is enough for {int(spec.budget / each + 1e-9) if each else images:,}."
        )
    return text
