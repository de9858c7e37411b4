"""Which arms an experiment has: models by prompt styles by guidance by seeds, and what is known of each beforehand."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from loupe.brain.core import registry
from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.core.experiment import ExperimentPlan, PlannedArm
from loupe.brain.core.specs import Generator
from loupe.brain.prompts import styles as prompt_styles
from loupe.brain.prompts.styles import CAPTION, Style, Styles
from loupe.brain.realism.transfer import MIN_PER_CLASS, MIN_TEST
from loupe.brain.store.experiment import datasets as store
from loupe.brain.store.experiment.datasets import Drawn, Real

#: a model as it may be given
Model: TypeAlias = str | Path | Generator | Mapping[str, Any]

#: images that one experiment may have
MAX_IMAGES = 1_000_000
#: settings that change no pixel, or stand in an arm's name by themselves
_UNNAMED = {"model", "guidance", "batch_size"}
_MAX_SETTING = 40


@dataclass(frozen=True, eq=False)
class Arm:
    """One way to draw a set.

    Attributes:
        name: what tells it from the others
        spec: what draws
        model: what that is called
        style: how it is asked
        guidance: NaN: the model's own
        seed: of its draws
        rows: what ``loupe.generate`` takes, a row for each image
    """

    name: str
    spec: Generator
    model: str
    style: Style
    guidance: float
    seed: int
    rows: Sequence[Mapping[str, Any]]

    @property
    def pace(self) -> str:
        """What decides how long an image takes, but for the guidance and the prompt."""
        others = {name: value for name, value in self.spec.params().items() if name != "guidance"}
        return f"{self.spec.name} {others}"


@dataclass(frozen=True)
class Wanted:
    """What an experiment was asked for; see ``loupe.experiment``."""

    models: Sequence[Model] | Model
    styles: Styles
    guidance: Sequence[float | None]
    seeds: Sequence[int]
    per_class: int
    classes: Sequence[str] | None
    names: Mapping[str, str] | None
    captions: str | None
    options: Mapping[str, Any] | None


def arms_of(asked: Wanted, real: Real) -> tuple[list[Arm], list[str], list[str]]:
    """Returns the arms, the classes, and what else is to be known, a sentence each.

    Raises:
        InputError: what was asked for cannot be done; nothing was drawn
    """
    if not _are_seeds(asked.seeds):
        raise InputError(f"expected seeds to be whole numbers in [0, 2**63), got {str(asked.seeds)[:80]}")
    number = asked.per_class
    if isinstance(number, bool) or not isinstance(number, int) or number < MIN_PER_CLASS:
        raise InputError(f"expected per_class to be a whole number of at least {MIN_PER_CLASS}, got {number!r}")
    classes, notes = _classes(asked.classes, real)
    styles = prompt_styles.read(asked.styles)
    specs, left_out = _specs(asked)
    notes += left_out
    images = len(specs) * len(styles) * len(asked.seeds) * len(classes) * number
    if images > MAX_IMAGES:
        raise InputError(f"expected at most {MAX_IMAGES:,} images, got {images:,}: fewer arms, classes or per_class")
    captions = _captions(asked, real, styles, classes)
    arms = []
    for spec, model, guidance in specs:
        for style in styles:
            for seed in asked.seeds:
                name = _name(spec, model, style, guidance, seed)
                rows = _Rows(name, style, classes, dict(asked.names or {}), number, seed, captions).made()
                arms.append(Arm(name, spec, model, style, guidance, seed, rows))
    named = [arm.name for arm in arms]
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise InputError(f"expected each arm once, got {twice[0]!r} twice: give a model, style, guidance or seed once")
    return arms, classes, notes


def _are_seeds(given: Any) -> bool:
    return (
        isinstance(given, Sequence)
        and len(given) > 0
        and all(isinstance(each, int) and not isinstance(each, bool) and 0 <= each < 2**63 for each in given)
    )


def _classes(wanted: Sequence[str] | None, real: Real) -> tuple[list[str], list[str]]:
    train, test = real.counts("train"), real.counts("test")
    if wanted is not None:
        if isinstance(wanted, str) or not all(isinstance(each, str) for each in wanted):
            raise InputError(f"expected classes to be a list of names, got {str(wanted)[:80]!r}")
        for side, known in (("to train on", train), ("to test on", test)):
            for name in wanted:
                if name not in known:
                    raise UnknownName(f"class of the real samples {side}", name, list(known)[:50])
    classes = sorted(set(wanted)) if wanted is not None else sorted(train.keys() & test.keys())
    notes = []
    alone = sorted((train.keys() | test.keys()) - set(classes)) if wanted is None else []
    if alone:
        notes.append(f"not drawn, as one real side lacks them: {', '.join(alone[:5])}{' …' if len(alone) > 5 else ''}")
    if len(classes) < 2:
        raise InputError(
            f"expected at least two classes that both real sides have, got {len(classes)}: to train on "
            f"{', '.join(sorted(train)[:5]) or 'none'}; to test on {', '.join(sorted(test)[:5]) or 'none'}"
        )
    n_train, n_test = (sum(counted[name] for name in classes) for counted in (train, test))
    if n_test < MIN_TEST:
        raise InputError(f"expected at least {MIN_TEST} real samples of these classes to test on, got {n_test}")
    if n_train < MIN_PER_CLASS * len(classes):
        raise InputError(
            f"expected at least {MIN_PER_CLASS * len(classes)} real samples of {len(classes)} classes to train on, got "
            f"{n_train}"
        )
    return classes, notes


def _captions(asked: Wanted, real: Real, styles: Sequence[Style], classes: Sequence[str]) -> dict[str, list[str]]:
    if all(style.templates for style in styles):
        return {}
    if asked.captions is None:
        raise InputError(f"expected captions=, a field of texts of the real samples, for the style {CAPTION!r}")
    return store.captions(real, asked.captions, classes)


def _specs(asked: Wanted) -> tuple[list[tuple[Generator, str, float]], list[str]]:
    """Returns each model with each guidance that it takes: the spec, how it is called, the guidance."""
    given = asked.models
    models = [given] if isinstance(given, (str, Path, Generator, Mapping)) else list(given)
    if not models:
        raise InputError(f"expected at least one model, got none. There are: {', '.join(registry.generators())}")
    if isinstance(asked.guidance, str) or not isinstance(asked.guidance, Sequence) or not asked.guidance:
        raise InputError(f"expected guidance to be a list of numbers or None, got {asked.guidance!r}")
    made, notes = [], []
    specs = [_with_settings(generator(model), asked.options or {}) for model in models]
    places: dict[str, set[str]] = {}
    for spec in specs:
        places.setdefault(_called(spec), set()).add(_model(spec))
    for spec in specs:
        # folders of one name are told apart by where they lie
        called = _called(spec) if len(places[_called(spec)]) == 1 else _model(spec)
        takes = "guidance" in spec.params()
        if not takes and any(each is not None for each in asked.guidance):
            notes.append(f"{called} takes no guidance, so it is drawn once")
        for guidance in asked.guidance if takes else [None]:
            if guidance is not None and (
                isinstance(guidance, bool) or not isinstance(guidance, (int, float)) or not math.isfinite(guidance)
            ):
                raise InputError(f"expected guidance to be numbers or None, got {guidance!r}")
            own = spec if guidance is None else dataclasses.replace(spec, guidance=guidance)  # type: ignore[call-arg]
            used = getattr(own, "guidance", None)
            made.append((own, called, math.nan if used is None else float(used)))
    return made, notes


def generator(model: Model) -> Generator:
    """Returns the generator of a model as it may be given.

    Raises:
        UnknownName: no generator of that name, or no such setting of it
        InputError: it is none of these

    >>> generator({"model": "tiny-signs", "steps": 10}).steps
    10
    """
    known = registry.generators()
    if isinstance(model, Generator):
        return model
    if isinstance(model, Mapping):
        own = {str(name): value for name, value in model.items()}
        name = own.pop("generator", "diffusion")
        if name not in known:
            raise UnknownName("generator", str(name), known)
        if name == "diffusion" and not own.get("model"):
            raise InputError(f"expected a model in {dict(model)!r}, got none")
        return _with_settings(known[name](), own)
    if isinstance(model, (str, Path)) and str(model).strip():
        name = str(model)
        return known[name]() if name in known else _with_settings(known["diffusion"](), {"model": name})
    raise InputError(f"expected a model: a name, a hub id, a folder, a mapping or a generator, got {model!r}")


def _with_settings(spec: Generator, settings: Mapping[str, Any]) -> Generator:
    known = spec.params()
    for name in settings:
        if name not in known:
            raise UnknownName(f"setting of {spec.name}", name, known)
    return dataclasses.replace(spec, **settings)


def _model(spec: Generator) -> str:
    return str(getattr(spec, "model", None) or spec.name)


def _called(spec: Generator) -> str:
    model = _model(spec)
    return Path(model).name if Path(model).expanduser().is_dir() else model


def _name(spec: Generator, model: str, style: Style, guidance: float, seed: int) -> str:
    parts = [model, style.name]
    parts += [] if math.isnan(guidance) else [f"guidance {guidance:g}"]
    for each in dataclasses.fields(spec):
        value = getattr(spec, each.name)
        if each.name not in _UNNAMED and value != each.default and len(str(value)) <= _MAX_SETTING:
            parts.append(f"{each.name} {value}")
    parts += [f"seed {seed}"] if seed else []
    # a list of names has commas between them
    return " · ".join(parts)


@dataclass(frozen=True, eq=False)
class _Rows:
    name: str
    style: Style
    classes: Sequence[str]
    names: Mapping[str, str]
    per_class: int
    seed: int
    captions: Mapping[str, Sequence[str]]

    def made(self) -> list[dict[str, Any]]:
        """Returns a row for each image, of all classes in turn: what is drawn of an arm is always balanced."""
        asked = {
            label: prompt_styles.prompts(
                self.style,
                label,
                self.names.get(label, label.replace("_", " ")),
                self.per_class,
                seed=self.seed,
                captions=self.captions.get(label, ()),
            )
            for label in self.classes
        }
        return [
            {
                "prompt": asked[label][at].prompt,
                "seed": prompt_styles.seed_of(self.seed, self.style.name, label, asked[label][at].prompt, at),
                "factors": {**asked[label][at].factors, "class": label, "style": self.style.name, "arm": self.name},
            }
            for at in range(self.per_class)
            for label in self.classes
        ]


def planned(
    arms: Sequence[Arm], classes: Sequence[str], asked: Wanted, real: Real, label: str,
    drawn: Mapping[str, Drawn], free: float, notes: Sequence[str], after: Mapping[str, float],
) -> ExperimentPlan:  # fmt: skip
    """Returns the plan: what is there already, and how long an image takes by what is there."""
    paces: dict[str, list[float]] = {}
    sizes: dict[str, list[float]] = {}
    for arm in arms:
        own = drawn.get(arm.name, Drawn())
        paces.setdefault(arm.pace, []).append(own.seconds)
        sizes.setdefault(arm.pace, []).append(own.size)
    listed = []
    for arm in arms:
        own = drawn.get(arm.name, Drawn())
        listed.append(
            PlannedArm(
                name=arm.name,
                model=arm.model,
                style=arm.style.name,
                guidance=arm.guidance,
                seed=arm.seed,
                n=len(arm.rows),
                drawn=sum(row["seed"] in own.by_seed for row in arm.rows),
                seconds=_first(own.seconds, paces[arm.pace]),
                price=_price(arm.spec),
                size=_first(own.size, sizes[arm.pace]),
                prompt=arm.rows[0]["prompt"],
            )
        )
    counts = [real.counts(side) for side in ("train", "test")]
    n_train, n_test = (sum(counted[name] for name in classes) for counted in counts)
    return ExperimentPlan(
        tuple(listed), label, tuple(classes), asked.per_class, n_train, n_test, free, tuple(notes), dict(after)
    )


def _price(spec: Generator) -> float:
    """Returns what an image costs in US dollars; NaN where nobody knows.

    Raises:
        InputError: the generator says what is no price
    """
    price = spec.price()
    if price is None:
        return math.nan
    if isinstance(price, bool) or not isinstance(price, (int, float)) or not 0 <= price < math.inf:
        raise InputError(f"expected the price of an image by {spec.name} to be at least 0 US$ or None, got {price!r}")
    return float(price)


def _first(own: float, others: Sequence[float]) -> float:
    """Returns what is known of an arm itself, else the most of what is known of the same model's others."""
    known = [each for each in others if not math.isnan(each)]
    return own if not math.isnan(own) or not known else max(known)
