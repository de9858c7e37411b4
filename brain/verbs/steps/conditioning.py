"""What ``generate`` draws from beside prompts: its arguments, and a source for each picture that they name."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loupe.brain.controls.make import KINDS
from loupe.brain.core.device import resolve_device
from loupe.brain.core.errors import InputError, PromptError, ReadError
from loupe.brain.core.numbers import is_real, require_numbers
from loupe.brain.core.specs import GeneratorSession
from loupe.brain.core.written import PromptSyntax
from loupe.brain.engine.drawing import Item
from loupe.brain.generation import passes
from loupe.brain.generation.sources import Control, Region, Source, maker_of, stems
from loupe.brain.generation.upscaling import Upscale
from loupe.brain.media.addresses import address_of
from loupe.brain.prompts import files as prompt_files
from loupe.brain.prompts.files import Prompt
from loupe.brain.store import generated as store_generated
from loupe.brain.store import sources as store_sources
from loupe.brain.store.sources import Given
from loupe.brain.verbs.lifecycle import Lifecycle

if TYPE_CHECKING:
    import fiftyone as fo

#: the field of a sample's own file
FILE = "filepath"
_KINDS = "edges, pose, depth:MODEL"
_INPUTS = ("image", "mask", "control", "reference")
#: how much of an enlarged image is given up where nobody says it
STRENGTH = 0.3


@dataclass(frozen=True, eq=False)
class Conditioning:
    """What somebody asked ``generate`` to draw from.

    Attributes:
        source: samples, each of which is drawn from; None: files alone
        image, mask, control, reference: a field of theirs, a file or a folder; a control also what is made of the
            picture; None: not drawn from
        strength: how much of the picture is given up, in (0, 1]; None: the generator's own number
        upscale: how the images are enlarged; None: they are not
    """

    source: fo.Dataset | fo.DatasetView | None
    image: str | Path | None
    mask: str | Path | None
    control: str | Path | None
    reference: str | Path | None
    strength: float | None
    upscale: Upscale | None

    @property
    def brings(self) -> tuple[str, ...]:
        """What a request brings."""
        return tuple(name for name in _INPUTS if getattr(self, name) is not None)

    def __bool__(self) -> bool:
        return bool(self.brings)

    def understood(self, syntax: PromptSyntax) -> PromptSyntax:
        """Returns what of a prompt is understood: a size is none of its business where a picture has one."""
        if self.image is None and self.control is None:
            return syntax
        return replace(syntax, takes=tuple(name for name in syntax.takes if name != "size"))

    def params(self) -> dict[str, Any]:
        """Returns what a run keeps of it; empty where nothing was asked for."""
        made: dict[str, Any] = {name: str(getattr(self, name)) for name in self.brings}
        if self.source is not None:
            made["source"] = self.source.name
        if self.strength is not None:
            made["strength"] = self.strength
        return made if self.upscale is None else {**made, "upscale": self.upscale.to_dict()}


def conditioning(
    source: fo.Dataset | fo.DatasetView | None,
    image: str | Path | None,
    mask: str | Path | None,
    control: str | Path | None,
    reference: str | Path | None,
    strength: float | None,
    upscale: float | None,
    upscale_strength: float | None,
) -> Conditioning:
    """Returns what is asked for, with what goes without saying: the samples' own files are the pictures.

    Raises:
        InputError: arguments that do not go together, a number out of its bounds, or a source that is no view of
            pictures
    """
    given = {"image": image, "mask": mask, "control": control, "reference": reference}
    for name, value in given.items():
        if value is not None and (not isinstance(value, (str, os.PathLike)) or not str(value).strip()):
            raise InputError(f"expected {name} to be a field, a file or a folder, got {value!r}")
    if source is not None:
        store_sources.require_source(source)
        if image is None and (mask is not None or (control is None and reference is None)):
            image = FILE
    if image is None and (mask is not None or strength is not None):
        what = "a mask" if mask is not None else "a strength"
        raise InputError(f"expected image= beside {what}, got none: name the picture that is drawn from, or source=")
    if strength is not None:
        _require_share(strength=strength)
    made = None
    if upscale is not None:
        require_numbers(upscale=(upscale, 1, 4))
        if upscale == 1:
            raise InputError("expected upscale to be more than 1, got 1: leave it out")
        own = STRENGTH if upscale_strength is None else upscale_strength
        _require_share(upscale_strength=own)
        if mask is not None:
            raise InputError(
                "expected upscale without a mask, got both: outside of a mask every pixel stays, so nothing is enlarged"
            )
        made = Upscale(float(upscale), float(own))
    elif upscale_strength is not None:
        raise InputError("expected upscale= beside upscale_strength, got none: say how many times as large")
    return Conditioning(source, image, mask, control, reference, strength, made)


def _require_share(**given: Any) -> None:
    for name, value in given.items():
        if not is_real(value) or not 0 < value <= 1:
            raise InputError(f"expected {name} in (0, 1], got {value!r}")


@dataclass(frozen=True, eq=False)
class Drawn:
    """What is drawn from what.

    Attributes:
        prompts: N, in order
        sources: N: that of each; None: from the prompt alone
        errors: why some pictures cannot be drawn from, by sample id or file
        left_out: of what is not drawn, by kind
        own: whether each source brings its prompt
    """

    prompts: tuple[Prompt, ...]
    sources: tuple[Source | None, ...]
    errors: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    own: bool = False

    @property
    def origins(self) -> tuple[str, ...]:
        """What tells the images of one prompt apart, by what they are drawn from; N."""
        return tuple("" if each is None else repr(sorted(each.inputs.items())) for each in self.sources)


def drawn(
    asked: Conditioning, prompts: Sequence[Prompt] | None, sample: int | None, seed: int, verb: Lifecycle
) -> Drawn:
    """Returns each prompt with each picture that it is drawn from; without prompts, each picture with its own.

    Args:
        asked: what to draw from
        prompts: in order; None: the samples' own
        sample: only that many of the samples' own prompts
        seed: of that choice
        verb: to report progress to

    Raises:
        InputError: a field, file or folder that is not there; no prompts; none of the pictures can be drawn from
    """
    if not asked:
        assert prompts is not None
        return Drawn(tuple(prompts), (None,) * len(prompts))
    errors: dict[str, str] = {}
    left_out: dict[str, str] = {}
    listed = list(_of_samples(asked, errors, left_out) if asked.source is not None else _of_files(asked))
    pairs: list[tuple[Source, Prompt | None]] = []
    for at, (source, given) in enumerate(listed):
        if at % 100 == 0:
            verb.step(at, len(listed), "looking at the pictures to draw from")
        try:
            own = _own_prompt(given) if prompts is None else None
            pairs.append((replace(source, inputs=source.hashed()), own))
        except (InputError, ReadError) as error:
            errors[source.name] = str(error)
    _require_some(pairs, errors)
    if prompts is None:
        pairs = list(prompt_files.sampled(pairs, sample, seed))
        return Drawn(
            tuple(own for _, own in pairs if own), tuple(each for each, _ in pairs), errors, left_out, own=True
        )
    if len(pairs) * len(prompts) > prompt_files.MAX_PROMPTS:
        raise InputError(
            f"expected at most {prompt_files.MAX_PROMPTS:,} prompts times pictures, got {len(prompts):,} times "
            f"{len(pairs):,}: give fewer"
        )
    crossed = [(prompt, source) for source, _ in pairs for prompt in prompts]
    return Drawn(tuple(p for p, _ in crossed), tuple(s for _, s in crossed), errors, left_out)


def _require_some(pairs: Sequence[Any], errors: Mapping[str, str]) -> None:
    if not pairs:
        name, reason = next(iter(errors.items()), ("", "there is none"))
        more = f", and {len(errors) - 1:,} more" if len(errors) > 1 else ""
        raise InputError(f"expected a picture that can be drawn from, got none. {name}: {reason}{more}")


def _own_prompt(given: Given | None) -> Prompt:
    if given is None or not given.prompt.strip():
        raise PromptError("the sample has no prompt: give prompts")
    row = {"prompt": given.prompt, "factors": dict(given.scenario)}
    if given.negative_prompt:
        row["negative_prompt"] = given.negative_prompt
    return prompt_files.read([row])[0]


def _of_samples(
    asked: Conditioning, errors: dict[str, str], left_out: dict[str, str]
) -> Iterator[tuple[Source, Given]]:
    """Yields a source for each sample that brings all that is asked for."""
    assert asked.source is not None
    places = {name: _place(asked, name) for name in asked.brings}
    read = list(
        store_sources.read(asked.source, {name: own for name, (kind, own) in places.items() if kind == "field"})
    )
    kept, left = store_sources.without_own(read)
    if left:
        left_out["source"] = f"{left:,} samples of the source were drawn from others of it, and are not drawn from"
    folders = {name: stems(Path(own)) for name, (kind, own) in places.items() if kind == "folder"}
    for given in kept:
        held = dict(given.values)
        for name, (kind, own) in places.items():
            if kind == "file":
                held[name] = own
            elif kind == "made":
                held[name] = Control(given.path, own)
            elif kind == "folder":
                held[name] = folders[name].get(Path(given.path).stem)
        lacking = next((name for name in places if not held.get(name)), None)
        if lacking is not None:
            kind, own = places[lacking]
            what = f"no picture of its name in {own}" if kind == "folder" else f"nothing in {own!r}"
            errors[given.id] = f"it has no {lacking}: {what}"
            continue
        yield _source(given.id, held, asked.strength), given


def _place(asked: Conditioning, name: str) -> tuple[str, str]:
    """Returns where an input comes from: ("field" | "file" | "folder" | "made", of which name).

    Raises:
        InputError: none of these
    """
    value = str(getattr(asked, name))
    if asked.source is not None and store_sources.has_field(asked.source, value):
        store_sources.require_field(asked.source, name, value)
        return "field", value
    if name == "control" and value.partition(":")[0] in KINDS:
        return "made", value
    address = address_of(value)
    if address is not None:
        return "file", address
    path = Path(value).expanduser()
    if path.is_dir():
        return "folder", str(path.resolve())
    if path.exists():
        return "file", str(path.resolve())
    made = f", one of {_KINDS}" if name == "control" else ""
    if asked.source is None:
        raise InputError(
            f"expected {name} to be a file or a folder{made}, got {value!r}: there is none. For a field give source="
        )
    known = ", ".join(store_sources.fields(asked.source, name)) or "none"
    raise InputError(
        f"expected {name} to be a field of the samples ({known}), a file or a folder{made}, got {value!r}: there is "
        "none"
    )


def _of_files(asked: Conditioning) -> Iterator[tuple[Source, None]]:
    """Yields a source for each picture of the first folder; of other folders that of the same name belongs to it.

    Raises:
        InputError: a folder without pictures, or a picture without its like in another folder
    """
    places = {name: _place(asked, name) for name in asked.brings}
    folders = {name: stems(Path(own)) for name, (kind, own) in places.items() if kind == "folder"}
    if "control" in places and places["control"][0] == "made" and "image" not in places:
        raise InputError(
            f"expected image= or source= beside control={places['control'][1]!r}, got neither: it is made of a picture"
        )
    order = [name for name in ("image", "control", "reference", "mask") if name in folders]
    names: Sequence[str] = [""] if not order else list(folders[order[0]])
    if not names:
        raise InputError(f"expected pictures in {places[order[0]][1]}, got none")
    for stem in names:
        held: dict[str, Any] = {}
        for name, (kind, own) in places.items():
            if kind == "folder" and stem not in folders[name]:
                raise InputError(f"expected a picture called {stem} in {own} as {name}, got none")
            held[name] = folders[name][stem] if kind == "folder" else own
        if places.get("control", ("",))[0] == "made":
            held["control"] = Control(held["image"], places["control"][1])
        first = next(name for name in ("image", "control", "reference") if name in held)
        shown = held[order[0] if order else first]
        yield _source(Path(shown.path if isinstance(shown, Control) else shown).name, held, asked.strength), None


def _source(name: str, held: Mapping[str, Any], strength: float | None) -> Source:
    control, mask = held.get("control"), held.get("mask")
    return Source(
        name,
        held.get("image"),
        mask if mask is None or isinstance(mask, Region) else str(mask),
        strength if "image" in held else None,
        control if control is None or isinstance(control, Control) else Control(str(control)),
        held.get("reference"),
    )


def here(session: GeneratorSession) -> GeneratorSession:
    """Returns a session of a cluster, by which pictures are looked at on this machine, which may have no GPU."""
    return replace(session, facts={**session.facts, "device": resolve_device()})


def require_drawable(session: GeneratorSession, asked: Conditioning) -> None:
    """Raises an error unless a model takes what is asked for, and gets what it needs.

    Raises:
        InputError: it says what the model does not take, and what to do
    """
    session.require([passes.probe(asked.brings)])
    if asked.control is not None and _place(asked, "control")[0] == "made":
        maker_of(str(asked.control), str(session.facts.get("device", "cpu")))
    if asked.upscale is not None:
        kept = [name for name in asked.brings if name in ("control", "reference")]
        session.require([passes.probe(["image", *kept])])


def readable(
    session: GeneratorSession,
    items: Sequence[Item],
    dataset: fo.Dataset,
    verb: Lifecycle,
    before: Mapping[str, str],
) -> tuple[list[Item], dict[str, str]]:
    """Returns the images whose pictures can be drawn from, and why the others cannot, by sample id or file.

    ``before`` has what is known already of others.

    Each picture of an image that is not there yet is read and scaled as it will be: a file that is damaged, or a mask
    beside the picture, is known before anything is drawn.

    Raises:
        InputError: none can
    """
    if all(item.source is None for item in items):
        return list(items), dict(before)
    known = store_generated.files_by_key(dataset)
    errors = dict(before)
    tried: dict[int, bool] = {}
    for at, item in enumerate(items):
        if item.source is None or item.key in known or id(item.source) in tried:
            continue
        verb.step(at, len(items), "looking at the pictures to draw from")
        try:
            passes.prepared(item.request, item.source, session)
        except (InputError, ReadError) as error:
            errors[item.source.name] = str(error)
        tried[id(item.source)] = item.source.name not in errors
    kept = [item for item in items if tried.get(id(item.source), True)]
    _require_some(kept, errors)
    return kept, errors
