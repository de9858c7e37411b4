"""What a check, a set measure, an embedder, a generator and a defect are.

A *spec* is a frozen dataclass. It is cheap to import (no torch), its fields are its parameters, and they become its
form in the App. ``load(device)`` does the heavy work once and returns the function that runs. A spec's class docstring
is its documentation: the first line is its title in the App.
"""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, dataclass_transform

from loupe.brain.core import conditioning
from loupe.brain.core.errors import InputError
from loupe.brain.core.hashes import json_hash
from loupe.brain.core.records import Output, Request, SampleResult, Scores
from loupe.brain.core.remote import RemoteJob
from loupe.brain.core.written import PromptSyntax

if TYPE_CHECKING:
    import numpy as np
    import torch
    from PIL.Image import Image
    from torch import Tensor

    from loupe.brain.imaging.batches import ImageBatch

#: the kinds of pictures that a check may be for
BOTH_KINDS = ("photos", "generated")


def param(
    default: Any, description: str, *, low: float | None = None, high: float | None = None, choices: Sequence[str] = ()
) -> Any:
    """Returns a dataclass field with what a form needs to ask for it: one sentence, and bounds or choices."""
    metadata = {"description": description, "low": low, "high": high, "choices": tuple(choices)}
    return dataclasses.field(default=default, metadata=metadata)


def known_backend(backend: str, choices: Sequence[str], former: Mapping[str, str]) -> None:
    """Raises an InputError where a check has no such backend; it names today's name of a former one.

    Args:
        backend: what was asked for
        choices: the backends that the check has, "auto" among them
        former: the names of today by those of earlier versions

    >>> known_backend("auto", ("auto", "ocr"), {})
    """
    if backend not in choices:
        renamed = f"; what was {backend!r} is called {former[backend]!r}" if backend in former else ""
        raise InputError(f"expected a backend out of {', '.join(choices)}, got {backend!r}{renamed}")


@dataclass_transform(frozen_default=True)
@dataclass(frozen=True)
class Spec(ABC):
    """Base of all specs.

    Attributes:
        name: the same as its file's name
        version: raised whenever its numbers change; stored with each sample, so that a resumed run redoes what is stale
        reference: the paper or the page that the method comes from
        license: of the method's code and weights, as an SPDX identifier
    """

    name: ClassVar[str]
    version: ClassVar[int]
    reference: ClassVar[str]
    license: ClassVar[str]

    def params(self) -> dict[str, Any]:
        """Returns its parameters as plain values."""
        return dataclasses.asdict(self)

    @property
    def key(self) -> str:
        """Changes when its name, version or a parameter changes: 12 hexadecimal digits."""
        return json_hash([self.name, self.version, self.params()], 6, default=str)

    @classmethod
    def title(cls) -> str:
        """Returns the first line of its docstring, without the full stop."""
        return (cls.__doc__ or cls.name).strip().splitlines()[0].rstrip(".")


class Check(Spec):
    """Scores one image at a time.

    Attributes:
        outputs: the numbers that it gives
        needs: the sample fields that it reads, e.g. ``("prompt",)``; a sample without one is unknown
        long_side: the resolution that it works at: the reader may scale down to it; None for the file's own
        boxes_field: the sample field that its boxes are written to, or None; checks may share one
        points_field: the sample field that its points are written to, or None
        map_field: the sample field that its maps are written to, or None
        default: whether it runs where no check is named: it takes about as long as decoding does, or reads a prompt
        presets: the kinds of pictures that it is for, "photos" and "generated": see ``loupe.brain.core.presets``; one
            that is for neither is in no preset, not even in "all"
        cost: about how many milliseconds a picture of 1024 x 1024 pixels takes on one core: what a form estimates by;
            ``python -m benchmarks.speed cost`` measures it
        ragged: whether it takes pictures of several shapes at once, as a ``RaggedBatch`` (brain/imaging), and needs no
            more of each than its ``luma`` and ``samples``
        stateless: whether what ``load`` returns keeps nothing from one batch to the next, so that several threads may
            use it at once
        whole_picture: why it says nothing of the crop of an object, to be put after "because"; empty: a crop is a
            picture to it, as any other
    """

    outputs: ClassVar[tuple[Output, ...]]
    needs: ClassVar[tuple[str, ...]] = ()
    long_side: ClassVar[int | None] = None
    boxes_field: ClassVar[str | None] = None
    map_field: ClassVar[str | None] = None
    points_field: ClassVar[str | None] = None
    default: ClassVar[bool] = True
    presets: ClassVar[tuple[str, ...]] = BOTH_KINDS
    cost: ClassVar[float] = 5.0
    ragged: ClassVar[bool] = False
    stateless: ClassVar[bool] = False
    whole_picture: ClassVar[str] = ""

    @abstractmethod
    def load(self, device: str) -> Callable[[ImageBatch], Scores]:
        """Returns the function that scores a batch on that device ("cpu", "cuda", "cuda:1", "mps")."""

    def reentrant(self) -> bool:
        """Returns whether several threads may use what ``load`` returns at once: it keeps no state, and locks none out.

        Each core then has a batch of its own. ``stateless``, but where that depends on the method behind the check.
        """
        return self.stateless

    def scores(self, results: Sequence[SampleResult], device: torch.device | str) -> Scores:
        """Returns what was said of each picture of a batch as one record: NaN where nothing was."""
        import torch

        rows = [[result.values.get(output.name, math.nan) for result in results] for output in self.outputs]
        # one copy to the device for all scores
        values = torch.tensor(rows, dtype=torch.float32).to(device)
        return Scores(
            dict(zip((output.name for output in self.outputs), values, strict=True)),
            tuple(result.reason for result in results) if any(result.reason for result in results) else (),
            tuple(result.boxes for result in results) if any(result.boxes for result in results) else (),
            tuple(result.map for result in results) if self.map_field else (),
            tuple(result.points for result in results) if any(result.points for result in results) else (),
        )

    def reads(self) -> tuple[str, ...]:
        """Returns the sample fields that it reads: ``needs``, and those that it uses where a sample has them.

        Their values stand in ``ImageBatch.fields``: plain values, detections as ``tuple[Box, ...]``, None where absent.
        """
        return self.needs

    def not_of_crops(self) -> str:
        """Returns why it says nothing of the crop of an object; empty where it can judge one.

        What it reads of a sample, such as a prompt, says something of the whole picture.
        """
        return self.whole_picture or (
            f"it reads {', '.join(self.reads())} of the whole picture" if self.reads() else ""
        )

    def abstains(self, fields: Mapping[str, Any]) -> str | None:
        """Returns why it cannot judge a sample, whatever its picture shows; None where the picture has to be looked at.

        A sample whose prompt asks for no text needs no reader of text: for this check it is not even decoded.

        Args:
            fields: the values of ``reads``, as in ``ImageBatch.fields``
        """
        return None

    def weights(self) -> tuple[str, ...]:
        """Returns the names of the model files that it cannot run without, see ``loupe.brain.perception.weights``."""
        return ()

    def absent(self) -> str:
        """Returns what else it lacks here, such as a file that nobody has named; empty where nothing is known."""
        return ""

    def resolved(self, device: str) -> Self:
        """Returns the check with what "auto" means on that device put in its place: what the run records."""
        return self


class SetMeasure(Spec):
    """Scores images by the others of their set. It says what it gives; a verb of Loupe's own does the work.

    So another package cannot offer one: nothing would run it. What it can offer is a ``SetCheck``.

    Attributes:
        outputs: the numbers that it gives
        of_objects: whether its verb takes ``objects=``, so that the objects of pictures may fail, too
    """

    outputs: ClassVar[tuple[Output, ...]]
    of_objects: ClassVar[bool] = False


class SetCheck(SetMeasure):
    """Scores images by the scores of their set: ``loupe.check`` runs it when the check that it follows has run.

    Another package offers its own by an entry point in the group ``loupe.sets``.

    Attributes:
        after: the check whose scores it reads
        reads: the outputs of that check that it reads
        default, presets: as for a check
    """

    after: ClassVar[str]
    reads: ClassVar[tuple[str, ...]]
    default: ClassVar[bool] = True
    presets: ClassVar[tuple[str, ...]] = BOTH_KINDS

    @abstractmethod
    def score(self, columns: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], str]:
        """Returns (N,) float32 scores by output name, NaN as unknown, and why they are unknown.

        Args:
            columns: (N,) float32 scores by the names in ``reads``, NaN as unknown
        """


class ObjectMeasure(Spec):
    """Scores objects by where their boxes lie in the picture: ``loupe.check(samples, ..., objects="ground_truth")``.

    It looks at no pixel: only the picture's size is read. Another package cannot offer one yet.

    Attributes:
        outputs: the numbers that it gives
        default: whether it runs where no check is named
    """

    outputs: ClassVar[tuple[Output, ...]]
    default: ClassVar[bool] = True

    @abstractmethod
    def score(self, boxes: np.ndarray, sizes: np.ndarray) -> dict[str, np.ndarray]:
        """Returns (M,) float64 scores by output name.

        Args:
            boxes: (M, 4) float64: left, top, right, bottom in pixels; they may reach beyond the picture, but each has
                an area, and some of it in the picture
            sizes: (M, 2) float64: width and height of each one's picture in pixels
        """


class Defect(Spec):
    """Puts a flaw of known severity into a picture: what calibration, the tests and the benchmark measure checks with.

    Attributes:
        name: the failure mode that has to be found; the same as its file's name
        unit: of the severities
        severities: the ones to measure at, the mildest first
    """

    unit: ClassVar[str]
    severities: ClassVar[tuple[float, ...]]

    @abstractmethod
    def inject(self, pixels: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
        """Returns a new picture with the flaw; the one given is not changed.

        Args:
            pixels: (H, W, 3) uint8 sRGB
            severity: in ``unit``
            rng: decides what the severity does not, e.g. the direction of a smear
        """


class Embedder(Spec):
    """Turns an image into a vector.

    Attributes:
        long_side: as for a check
        offline: whether it needs no weights from anywhere
        reads_texts: whether it has ``load_texts``: vectors of texts that can be compared with those of pictures
    """

    long_side: ClassVar[int | None] = None
    offline: ClassVar[bool] = False
    reads_texts: ClassVar[bool] = False

    @abstractmethod
    def load(self, device: str) -> Callable[[ImageBatch], Tensor]:
        """Returns the function that maps a batch to (N, D) float32 vectors of unit length."""

    def load_texts(self, device: str) -> Callable[[Sequence[str]], Tensor]:
        """Returns the function that maps N texts to (N, D) float32 vectors of unit length.

        Raises:
            InputError: it knows no texts
        """
        raise InputError(f"expected an embedder that knows texts, but {self.name} knows pictures only")

    def weights(self) -> tuple[str, ...]:
        """Returns the names of the model files that it cannot run without, as for a check."""
        return ()

    def absent(self) -> str:
        """Returns what it lacks here, without asking the network, and how to get it; empty where nothing is known."""
        return ""


class Generator(Spec):
    """Draws images from prompts.

    Attributes:
        syntax: what it understands beside words: marks that it reads in a prompt by itself, and whether it takes a
            size for an image
    """

    syntax: ClassVar[PromptSyntax] = PromptSyntax()

    @abstractmethod
    def load(self, device: str) -> GeneratorSession:
        """Returns a loaded generator.

        Raises:
            ModelError: the model cannot be loaded
        """

    def price(self) -> float | None:
        """Returns what an image costs with these settings, in US dollars, without asking the network.

        0 where it takes nothing but the time of one's own machine; None where nobody knows.
        """
        return None


@dataclass(frozen=True)
class GeneratorSession:
    """A loaded generator.

    Attributes:
        facts: all that decides the pixels beside the request, and what is good to know: model, fingerprint, steps,
            guidance, width, height, scheduler, dtype, device; goes to ``generation.*``
        draw: maps requests to as many RGB images; the image of a request does not depend on its neighbours; what is
            to be said of one image alone (JSON-able) stands in its ``info`` and goes to ``generation.*``, too
        batch_size: how many requests ``draw`` takes at once
        takes: what a request may bring beside texts: ``"image"`` (image-to-image), ``"mask"`` (inpainting: a picture
            with a mask), ``"control"`` (a ControlNet), ``"reference"`` (an IP-Adapter)
        needs: what of these it has to bring: an inpainting model draws nothing without a picture and a mask, one with
            a ControlNet nothing without a control
        size: (width, height) that the model was made for, where that is known
        multiple: of how many pixels width and height of a request's picture have to be a multiple
        remote: of one that draws elsewhere, for money: opens a job whose ledger lies in a folder. ``generate`` then
            uses that and not ``draw``
    """

    facts: dict[str, Any]
    draw: Callable[[Sequence[Request]], list[Image]]
    batch_size: int
    takes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    size: tuple[int, int] | None = None
    multiple: int = 8
    remote: Callable[[Path], AbstractContextManager[RemoteJob]] | None = None

    def require(self, requests: Sequence[Request]) -> None:
        """Raises an error unless it can draw them.

        Raises:
            InputError: a request brings what it does not take, or lacks what it needs
        """
        model = self.facts.get("model", "this generator")
        conditioning.require(requests, str(model), self.takes, self.needs)


def failing_outputs(
    specs: Sequence[type[Check] | type[SetMeasure] | type[ObjectMeasure]],
) -> dict[str, tuple[str, Output]]:
    """Returns for each failure mode (check name, output) that flags it, over the given specs."""
    return {
        output.failure: (spec.name, output)
        for spec in specs
        for output in spec.outputs
        if output.failure is not None and output.default_threshold is not None
    }
