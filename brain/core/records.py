"""The plain records that flow through the pipe: frozen, comparable, JSON-able where they leave the process.

No torch and no FiftyOne is imported here. A field typed ``Tensor`` is filled by the reader, the checks, the embedders.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from loupe.brain.core.conditioning import require_agreement
from loupe.brain.core.errors import InputError
from loupe.brain.core.hashes import hex_hash
from loupe.brain.core.shown import plain

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor


@dataclass(frozen=True)
class Record:
    """Base of the records that a verb returns.

    What it prints can be printed: the classes, names and reasons in it are not ours, and a terminal would do what they
    say. So whatever a record's own ``__str__`` or ``__repr__`` returns is written out.
    """

    def __init_subclass__(cls, **given: Any) -> None:
        super().__init_subclass__(**given)
        for name in ("__str__", "__repr__"):
            if name in vars(cls):
                setattr(cls, name, _printable(vars(cls)[name]))

    def to_dict(self) -> dict[str, Any]:
        """Returns the record as plain JSON-able values (nested records too; NaN becomes None)."""
        return {key: _plain(value) for key, value in asdict(self).items()}


def _printable(method: Callable[[Any], str]) -> Callable[[Any], str]:
    @functools.wraps(method)
    def printed(self: Any) -> str:
        return plain(method(self))

    return printed


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


@dataclass(frozen=True)
class Request(Record):
    """What a generator is asked for: one image.

    Attributes:
        prompt: the text
        seed: decides the noise, in [0, 2**63)
        factors: the scenario the prompt was made from, e.g. ``{"time": "night"}``
        negative_prompt: what the image should not show
        image: an RGB picture to begin with; the image that is drawn has its size. None: begin with noise
        mask: what of it is drawn anew, as an "L" picture of the same size: from 128 on; None: all of it
        strength: how much of what stands there is given up, in (0, 1]; 1 is all of it, None the generator's own number
        control: an RGB picture of edges, a pose, depth …, whose layout the image keeps to (a ControlNet); the image
            that is drawn has its size
        reference: an RGB picture of any size, whose look the image takes over (an IP-Adapter)
        size: (width, height) in pixels of this image alone; None for the generator's own, or that of its pictures.
            Those that are drawn at once have one size
        facts: what else is to be kept of it, as ``generation.*``, e.g. the prompt as it was written; decides no pixel
    """

    prompt: str
    seed: int
    factors: Mapping[str, str] = field(default_factory=dict)
    negative_prompt: str = ""
    image: Image | None = field(default=None, repr=False)
    mask: Image | None = field(default=None, repr=False)
    strength: float | None = None
    control: Image | None = field(default=None, repr=False)
    reference: Image | None = field(default=None, repr=False)
    size: tuple[float, float] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_agreement(self)

    def inputs(self) -> dict[str, Any]:
        """Returns what the image is drawn from beside texts and seed: hashes of the pixels, and the strength.

        Empty for a request by text alone. It is part of an image's key and of its provenance.

        >>> Request("a red sign", 1).inputs()
        {}
        """
        pictures = {"image": self.image, "mask": self.mask, "control": self.control, "reference": self.reference}
        made: dict[str, Any] = {name: _pixels_hash(own) for name, own in pictures.items() if own is not None}
        return made if self.image is None else {**made, "strength": self.strength}

    def to_dict(self) -> dict[str, Any]:
        """Returns the request as plain JSON-able values, with hashes in the place of pictures."""
        own = {"prompt": self.prompt, "seed": self.seed, "factors": self.factors}
        own |= {"negative_prompt": self.negative_prompt, **self.inputs()}
        return {key: _plain(value) for key, value in own.items()}


def _pixels_hash(picture: Image) -> str:
    text = f"{picture.mode} {picture.size}".encode()
    return hex_hash(text + picture.tobytes())


#: what a stored threshold's facts were called in 0.1.0
_RENAMED = {"basis": "provenance"}


@dataclass(frozen=True)
class Threshold(Record):
    """A line that turns a score into a failure. A NaN score (unknown) never fails.

    Attributes:
        op: ``"<"``: scores below ``value`` fail; ``">"``: scores above it fail
        value: in the unit of the score
        source: ``"default"``, ``"user"`` or ``"calibrated:<run>"``
        provenance: where the number comes from: the data and the false-positive rate
        by: who set it; empty for a default
        at: when: ISO 8601 in UTC, e.g. ``"2026-11-24T20:31:05+00:00"``; empty for a default

    >>> Threshold("<", 0.2).violates(np.array([0.1, 0.3, np.nan])).tolist()
    [True, False, False]
    """

    op: Literal["<", ">"]
    value: float
    source: str = "default"
    provenance: str = ""
    by: str = ""
    at: str = ""

    def __post_init__(self) -> None:
        if self.op not in ("<", ">"):
            raise InputError(f"a threshold's op is '<' or '>', got {self.op!r}")
        if not math.isfinite(self.value):
            raise InputError(f"a threshold's value is a finite number, got {self.value!r}")

    @classmethod
    def from_dict(cls, facts: Mapping[str, Any]) -> Threshold:
        """Returns the threshold that ``to_dict`` gave, also one that 0.1.0 kept on a dataset."""
        facts = {_RENAMED.get(name, name): value for name, value in facts.items()}
        return cls(**facts)

    def violates(self, scores: np.ndarray) -> np.ndarray:
        """Returns a (N,) bool array: which of the (N,) scores are on the failing side."""
        with np.errstate(invalid="ignore"):
            return scores < self.value if self.op == "<" else scores > self.value


@dataclass(frozen=True)
class Output(Record):
    """One number that a check or a set measure gives for each image.

    Attributes:
        name: the field under ``quality``; unique over all checks
        unit: what the number counts or is a ratio of
        higher_is_better: which way is better; None for a count or a fact, of which neither is. An output with a
            threshold has one
        bounds: the lowest and highest value there can be
        description: what it is, for forms and docs
        default_threshold: the default threshold; None for a number that is only information
        failure: the failure mode that a failing score is labelled with
        when_unreadable: the score of a file that cannot be decoded; NaN (unknown) but for the check that says just that
    """

    name: str
    unit: str
    higher_is_better: bool | None
    bounds: tuple[float, float]
    description: str
    default_threshold: Threshold | None = None
    failure: str | None = None
    when_unreadable: float = math.nan

    def __post_init__(self) -> None:
        if self.default_threshold is not None and self.higher_is_better is None:
            raise InputError(
                f"{self.name}: expected higher_is_better=True or False of an output with a threshold, got None"
            )

    @property
    def direction(self) -> str:
        """Which way is better, in words; empty where neither is.

        >>> Output("width", "pixels", None, (1, math.inf), "The width").direction
        ''
        """
        return {True: "higher is better", False: "lower is better", None: ""}[self.higher_is_better]


@dataclass(frozen=True)
class Box(Record):
    """Evidence with a place: what was found where.

    Attributes:
        label: what it is
        bounds: x, y, width, height in [0, 1], relative to the image, from its top left corner
        confidence: in [0, 1], or None
        attributes: further facts, e.g. ``{"read": "437", "wanted": "427"}``
    """

    label: str
    bounds: tuple[float, float, float, float]
    confidence: float | None = None
    attributes: Mapping[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True)
class Points(Record):
    """Evidence as points: a hand, a face, a body.

    Attributes:
        label: what it is, or what is wrong with it
        points: x, y in [0, 1], relative to the image, from its top left corner; may lie a little outside
        confidence: in [0, 1], or None
        attributes: further facts, e.g. ``{"verdict": "unknown", "reason": "a fist"}``
    """

    label: str
    points: tuple[tuple[float, float], ...]
    confidence: float | None = None
    attributes: Mapping[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True)
class SampleResult(Record):
    """What a check says of one picture.

    Attributes:
        values: scores by output name; one that is not there is unknown
        reason: why a score is unknown, else None
        boxes, points, map: its evidence, see ``Scores``
    """

    values: Mapping[str, float] = field(default_factory=dict)
    reason: str | None = None
    boxes: tuple[Box, ...] = ()
    points: tuple[Points, ...] = ()
    map: np.ndarray | None = None


@dataclass(frozen=True)
class Scores(Mapping[str, "Tensor"]):
    """What a check says of a batch: for each output a (N,) float32 tensor, NaN where it cannot judge.

    Attributes:
        tensors: the scores by output name
        reasons: for each image why a score is unknown, else None; empty when nothing is unknown
        boxes: for each image its localized evidence; empty when there is none
        maps: for each image a (h, w) float32 map in [0, 1] over the whole of it, or None; empty when there is none
        points: for each image its evidence as points; empty when there is none
    """

    tensors: Mapping[str, Tensor]
    reasons: tuple[str | None, ...] = ()
    boxes: tuple[tuple[Box, ...], ...] = ()
    maps: tuple[np.ndarray | None, ...] = ()
    points: tuple[tuple[Points, ...], ...] = ()

    def __getitem__(self, name: str) -> Tensor:
        return self.tensors[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.tensors)

    def __len__(self) -> int:
        return len(self.tensors)

    def _columns(self) -> dict[str, list[float]]:
        """Returns the scores as plain numbers: one copy from a device for all of them, and not one for each."""
        tensors = list(self.tensors.values())
        if tensors and tensors[0].device.type != "cpu" and len({(t.device, t.dtype, t.shape) for t in tensors}) == 1:
            import torch

            return dict(zip(self.tensors, torch.stack(tensors).tolist(), strict=True))
        return {name: values.tolist() for name, values in self.tensors.items()}

    def by_sample(self, n: int) -> list[SampleResult]:
        """Returns what the scores say of each of the batch's n pictures, in order."""
        columns = self._columns()
        return [
            SampleResult(
                values={name: column[at] for name, column in columns.items()},
                reason=(self.reasons[at] or None) if self.reasons else None,
                boxes=self.boxes[at] if self.boxes else (),
                points=self.points[at] if self.points else (),
                map=self.maps[at] if self.maps else None,
            )
            for at in range(n)
        ]


@dataclass(frozen=True)
class Failure(Record):
    """One failure of one sample: a score on the wrong side of a threshold."""

    label: str
    score: float
    threshold: float
    check: str


@dataclass(frozen=True)
class Progress:
    """How far a verb has come: ``done`` of ``total``, in ``message``'s words."""

    done: int
    total: int
    message: str = ""


#: called between batches; raise ``errors.Stopped`` from it to stop the verb there
ProgressCallback = Callable[[Progress], None]
