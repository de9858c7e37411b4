"""How a form asks where to draw: one device, or several."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from fiftyone.operators import types

from loupe.brain.core.device import gpus
from loupe.brain.core.shown import counted
from loupe.operators.forms import Form
from loupe.operators.signature import Parameter
from loupe.operators.widgets import Input, refused, text_of

_DEVICE = r"[a-z]+(:\d+)?"
_DEVICES = re.compile(rf"all|{_DEVICE}(\s*,\s*{_DEVICE})*")


@dataclass(frozen=True)
class Devices(Input):
    """The devices of this machine are offered; whether they are on the machine that runs it, the verb decides there."""

    def draw(self, form: Form, parameter: Parameter) -> types.Property:
        known = gpus()
        offered = {"all": f"all GPUs of the machine that runs this, a process each ({counted(len(known), 'GPU')} here)"}
        offered |= {device: f"{device}, {name}" for device, name in known.items()} if len(known) > 1 else {}
        view = types.AutocompleteView(
            choices=[types.Choice(device, label=shown) for device, shown in offered.items()], allow_user_input=True
        )
        return form.inputs.str(parameter.key, allow_empty=True, view=view, **self.facts(parameter))

    def parse(self, form: Form, parameter: Parameter, raw: Any) -> str:
        text = text_of(parameter, raw)
        if not _DEVICES.fullmatch(text):
            raise refused(parameter, "all, a device, or several such as cuda:0,cuda:1", raw)
        return text
