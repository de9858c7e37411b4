"""How the form of ``check`` asks what to look for: presets, one's own choice, the time it takes, what is lacking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fiftyone.operators import types

from loupe.brain.core import presets, registry
from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Progress, ProgressCallback
from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.brain.core.specs import Check, SetCheck
from loupe.brain.engine import estimate
from loupe.brain.perception import weights
from loupe.brain.perception.weights_table import Weights
from loupe.operators import forms, run, summary
from loupe.operators.forms import Form
from loupe.operators.signature import Parameter
from loupe.operators.widgets import Several, ask_spec, has_inputs, mark, read_spec, refused

_OWN = "own"
_CHOICES = {
    "quick": "Quick",
    "photos": "Photos",
    "generated": "Generated pictures",
    "all": "All",
}
#: a check that takes so much of the time is named
_DEAR = 0.3


@dataclass(frozen=True)
class Checks(Several):
    """A preset or checks; among the settings the parameters of those that are chosen."""

    choices: Any = field(default=lambda _: {name: spec.title() for name, spec in registry.checkable().items()})
    chosen: Any = field(default=lambda form: _usable(form, "quick"))
    default: Any = field(default=lambda _: presets.members("quick", registry.checkable()))
    kind: str = "check"
    some: bool = True

    def ask(self, form: Form, parameter: Parameter) -> None:
        given = {**{name: (_CHOICES[name], what) for name, what in presets.PRESETS.items()}}
        given[_OWN] = ("Your own choice", "Name the checks, one by one")
        preset = self._preset(form, parameter)
        facts = {"label": parameter.label, "description": self.description, "default": preset}
        made = forms.dropdown(form.inputs, f"{parameter.key}__preset", given, **facts)
        if preset == _OWN:
            super().ask(form, parameter)
        elif _is_preset(preset):
            titles = " · ".join(_short(name) for name in self.names_of(form, parameter))
            form.inputs.md(escape(titles), name=f"{parameter.key}__titles", componentsProps=forms.SMALL)
        else:
            made.invalid, made.error_message = True, str(self._refused(parameter, preset))
        absent = self.absent_weights(form, parameter)
        self._ask_time(form, parameter, {} if form.params.get(f"{parameter.key}__get_weights") is True else absent)
        self._ask_fields(form, parameter, preset)
        self._ask_weights(form, parameter, absent)

    def ask_settings(self, form: Form, parameter: Parameter) -> None:
        for name in self.names_of(form, parameter):
            spec = registry.checkable()[name]
            if has_inputs(spec):
                prefix = f"{parameter.key}__{name}__"
                form.inputs.view(f"{prefix}title", types.Header(label=spec.title(), divider=True))
                ask_spec(form, spec, prefix)

    def read(self, form: Form, parameter: Parameter) -> Any:
        self._gets_weights(form, parameter)
        preset = form.params.get(f"{parameter.key}__preset")
        if preset is None or preset == _OWN:
            return super().read(form, parameter)
        if not _is_preset(preset):
            raise self._refused(parameter, preset)
        usable = _usable(form, preset)
        specs = self._specs(form, parameter, usable)
        known = registry.checkable()
        if usable != presets.members(preset, known) or any(spec != known[spec.name]() for spec in specs):
            return specs
        return parameter.default if preset == "quick" else preset

    def parse(self, form: Form, parameter: Parameter, raw: Any) -> Any:
        names = self.names(form, parameter, raw)
        specs = self._specs(form, parameter, names)
        known = registry.checkable()
        by_default = set(names) == set(self.default(form)) and all(spec == known[spec.name]() for spec in specs)
        return parameter.default if by_default else specs

    def names_of(self, form: Form, parameter: Parameter) -> list[str]:
        """Returns the names of the checks that are chosen now; none where what was given cannot be read."""
        preset, raw = self._preset(form, parameter), form.params.get(parameter.key)
        if _is_preset(preset):
            return _usable(form, preset)
        try:
            return list(self.chosen(form)) if raw is None else self.names(form, parameter, raw)
        except InputError:
            return []

    def absent_weights(self, form: Form, parameter: Parameter) -> dict[str, tuple[Weights, ...]]:
        """Returns for each chosen check that lacks some the model files that are not here."""
        known = registry.checkable()
        absent = {}
        for name in self.names_of(form, parameter):
            spec = known[name]()
            if isinstance(spec, Check) and (lacking := weights.absent(spec.weights())):
                absent[name] = lacking
        return absent

    def get_weights(self, form: Form, parameter: Parameter, progress: ProgressCallback) -> None:
        """Downloads what the chosen checks lack, where that was asked for.

        Raises:
            MissingWeights: one could not be had; it says why
        """
        if not self._gets_weights(form, parameter):
            return
        files = _each(self.absent_weights(form, parameter).values())
        for at, file in enumerate(files):
            fetch(file, at, len(files), progress)

    def _gets_weights(self, form: Form, parameter: Parameter) -> bool:
        wanted = form.params.get(f"{parameter.key}__get_weights")
        if wanted is not None and not isinstance(wanted, bool):
            raise refused(parameter, "yes or no to the download", wanted)
        return wanted is True

    def _preset(self, form: Form, parameter: Parameter) -> Any:
        given = form.params.get(f"{parameter.key}__preset")
        return given if given is not None else "quick" if form.params.get(parameter.key) is None else _OWN

    def _refused(self, parameter: Parameter, preset: Any) -> InputError:
        return refused(parameter, f"one of {', '.join([*presets.PRESETS, _OWN])}", preset)

    def _specs(self, form: Form, parameter: Parameter, names: Sequence[str]) -> list[Check | SetCheck]:
        known = registry.checkable()
        return [read_spec(form, known[name], f"{parameter.key}__{name}__") for name in names]

    def _ask_fields(self, form: Form, parameter: Parameter, preset: Any) -> None:
        """Says which fields are not there that checks read."""
        absent = _absent_fields(form)
        if _is_preset(preset):
            left_out: dict[str, list[str]] = {}
            for name in presets.members(preset, registry.checkable()):
                for path in absent.get(name, ()):
                    left_out.setdefault(path, []).append(name)
            for path, names in left_out.items():
                text = f"Left out, for no sample here has a {path}: {', '.join(names)}."
                forms.note(form.inputs, f"{parameter.key}__absent_{path}", text)
            return
        for name in self.names_of(form, parameter):
            for path in absent.get(name, ()):
                text = f"No sample here has a {path}: the check {name!r} will answer 'unknown' wherever it needs one."
                forms.note(form.inputs, f"{parameter.key}__{name}__absent_{path}", text, severity="warning")

    def _ask_weights(self, form: Form, parameter: Parameter, absent: Mapping[str, tuple[Weights, ...]]) -> None:
        """Names the model files that are not here, and offers to download them."""
        if not absent:
            return
        files = _each(absent.values())
        wanted = form.params.get(f"{parameter.key}__get_weights") is True
        size = sum(file.size for file in files) / 1e6
        what = f"{counted(len(files), 'model file')} ({size:.1f} MB)"
        if wanted:
            text = f"{what} will be downloaded first, for {', '.join(absent)}."
        else:
            text = f"{', '.join(absent)} will be left out: {what} {'is' if len(files) == 1 else 'are'} not here."
        forms.note(form.inputs, f"{parameter.key}__absent_weights", text, severity="info" if wanted else "warning")
        rows = [[file.name, f"{file.size / 1e6:.1f} MB", file.license, file.use] for file in files]
        table = summary.table(["Model file", "Size", "License", "What for"], rows)
        made = form.inputs.bool(
            f"{parameter.key}__get_weights",
            label="Download them first",
            description="As `loupe weights get` does, on the machine that runs this; each is verified by its hash",
            default=False,
            view=types.CheckboxView(),
        )
        mark(made, lambda: self._gets_weights(form, parameter))
        form.inputs.md(table, name=f"{parameter.key}__weights")

    def _ask_time(self, form: Form, parameter: Parameter, absent: Mapping[str, Any]) -> None:
        """Says about how long the chosen checks will take."""
        known = registry.checkable()
        specs = [known[name]() for name in self.names_of(form, parameter) if name not in absent]
        checks = [spec for spec in specs if isinstance(spec, Check)]
        n = len(form.samples)
        if not checks or not n:
            return
        total = sum(check.cost for check in checks)
        dear = [check.name for check in checks if check.cost > 50 and check.cost > _DEAR * total]
        sizes = form.megapixels()
        seconds = estimate.seconds(checks, n, megapixels=sizes)
        text = f"About {run.duration(seconds)} for {counted(n, 'image')} {_sizes(sizes, n)}"
        text += " on this machine's processor"
        text += f", most of it for {' and '.join(dear)}" if dear else ""
        forms.note(form.inputs, f"{parameter.key}__time", f"{text}. What is judged already is left out.")


def _sizes(megapixels: Sequence[float], n: int) -> str:
    """Returns in words how large the pictures are taken to be."""
    if not megapixels:
        return "of a megapixel, for no size is known,"
    low, high = (_megapixels(pick(megapixels)) for pick in (min, max))
    span = low if low == high else f"{low} to {high}"
    by = "by their sizes" if len(megapixels) == n else f"by the sizes of {len(megapixels)} of them"
    return f"({by}, {span} megapixels)"


def _megapixels(value: float) -> str:
    return f"{value:.1f}" if value >= 0.095 else f"{value:.1g}"


def fetch(file: Weights, at: int, n: int, progress: ProgressCallback) -> None:
    """Downloads one of n model files, as ``loupe weights get`` does, and says how much of it has come.

    Raises:
        MissingWeights: it could not be had; it says why
        Stopped: ``progress`` asked to stop
    """
    size = f"{file.size / 1e6:.1f} MB"
    progress(Progress(at, n, f"downloading {file.name} ({size})"))
    weights.get(
        file.name,
        received=lambda n_bytes: progress(Progress(at, n, f"downloading {file.name} ({n_bytes / 1e6:.0f} of {size})")),
    )
    progress(Progress(at + 1, n, f"downloaded {file.name}"))


def _is_preset(given: Any) -> bool:
    return isinstance(given, str) and given in presets.PRESETS


def _usable(form: Form, preset: str) -> list[str]:
    absent = _absent_fields(form)
    return [name for name in presets.members(preset, registry.checkable()) if name not in absent]


def _absent_fields(form: Form) -> dict[str, list[str]]:
    """Returns for each check that needs them the fields that no sample here has a value in."""
    needs = {name: spec.needs for name, spec in registry.checkable().items() if issubclass(spec, Check)}
    absent = {name: [path for path in paths if not form.has_values(path)] for name, paths in needs.items()}
    return {name: paths for name, paths in absent.items() if paths}


def _each(groups: Any) -> list[Weights]:
    """Returns each model file once."""
    return list({file.name: file for group in groups for file in group}.values())


def _short(name: str) -> str:
    """Returns a check's title without what stands after its colon."""
    return registry.checkable()[name].title().partition(":")[0]
