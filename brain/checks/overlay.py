"""The overlay check: is something laid over the picture, a watermark, a caption, that nobody asked for?"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

from loupe.brain.core.records import Box, Output, SampleResult, Scores, Threshold
from loupe.brain.core.specs import Check, known_backend, param
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.perception.vlm import few_shot, folder

if TYPE_CHECKING:
    import numpy as np

    from loupe.brain.measures.overlays.finding import LineCandidate
    from loupe.brain.perception.ocr.rapid_ocr import Ocr
    from loupe.brain.perception.vlm.base import Vlm
    from loupe.brain.prompts.requested_overlays import RequestedOverlays

_LONG_SIDE = 1024
#: pixels along the short side below which no lettering can be told
_MIN_SIDE = 96
_BACKENDS = ("auto", "ocr", "vlm")
_KINDS = ("watermark", "overlay")
_SMALL = "too small to judge what is laid over it: {} x {} pixels"
_PLAIN = "too plain to judge what is laid over it"
_CROWDED = "full of lettering, as a page or a screen is: what is laid over it cannot be told"
_OPEN = "the prompt asks for lettering without saying which"
_BASIS = "flags none of 82 unmarked ImageNet photos that its weights were fitted with, and {} of 90 held-out photos"
_Row = dict[str, float]


@dataclass(frozen=True)
class Overlay(Check):
    """Overlay: watermarks, captions and interface elements that nobody asked for.

    With backend "ocr", lines of lettering are found by PP-OCRv6 small (in RapidOCR's wheel, no download) in the picture
    and in a copy whose contrast is evened out, so that faint ones stand out. Of each line is measured: where it is, how
    its ink lies on what is behind it (one opacity and one color, as blending leaves it), how crisp it is, whether it
    stands on an even upright rectangle, how many others look the same, and what it says. A logistic regression makes a
    likelihood of it, one for watermarks (names in corners, words in rows or across), one for overlays (subtitles, bars,
    dates, buttons); a picture has that of its likeliest line.

    The prompt may be missing: then nothing is asked for. A line that says what the prompt asks to be written does not
    count, nor does a watermark where the prompt asks for a logo, nor an overlay where it asks for a screenshot, a
    poster or subtitles. Where the prompt asks for lettering without saying which, a picture that would fail is
    unknown. Unknown, too: pictures under 96 pixels, plain ones, and pages full of lettering.

    With backend "vlm" a vision-language model is asked instead; its scores are P(yes), and it names no places.

    Marks without letters are not found by "ocr". Lettering that belongs to the scene (road signs, shops, plates,
    shirts, screens, clocks) is told apart by how it lies there and what it says, which is a likelihood, not a
    certainty: a flat sign that is drawn upright and without a lens's softness may pass for a caption, and an opaque
    word on an even ground is taken for print, not for a watermark.
    """

    name: ClassVar[str] = "overlay"
    version: ClassVar[int] = 3
    reference: ClassVar[str] = "Blending as in Dekel et al., CVPR 2017; https://github.com/RapidAI/RapidOCR"
    license: ClassVar[str] = "Apache-2.0"
    whole_picture: ClassVar[str] = "what lies over a picture, lies over the whole of it"
    long_side: ClassVar[int | None] = _LONG_SIDE
    boxes_field: ClassVar[str | None] = "overlays"
    default: ClassVar[bool] = False
    cost: ClassVar[float] = 230.0
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            "watermark",
            "likelihood",
            False,
            (0.0, 1.0),
            "How likely a watermark, a logo's lettering or a signature lies over the picture.",
            Threshold(">", 0.5, provenance=_BASIS.format("1")),
            "watermark",
        ),
        Output(
            "overlay",
            "likelihood",
            False,
            (0.0, 1.0),
            "How likely captions or interface elements lie over the picture.",
            Threshold(">", 0.5, provenance=_BASIS.format("1")),
            "overlay",
        ),
    )

    backend: str = param(
        "auto",
        "ocr: PP-OCRv6 small and measurements; vlm: a vision-language model; auto: vlm where it can be had",
        choices=_BACKENDS,
    )
    threads: int = param(1, "Threads of the text detector", low=1, high=64)
    vlm: str = param(folder.DEFAULT, "The VLM of backend vlm: a hub id or a folder")
    examples: str = param("", few_shot.SENTENCE)

    def reads(self) -> tuple[str, ...]:
        """Returns the prompt's field: it is read where there is one, and not needed."""
        return ("prompt",)

    def resolved(self, device: str) -> Self:
        """Returns the check with "auto" replaced: "vlm" on a CUDA device that has the VLM's weights, else "ocr".

        Only the hub's local cache is looked into.
        """
        if self.backend != "auto":
            return self
        return replace(self, backend="vlm" if device.startswith("cuda") and folder.is_here(self.vlm) else "ocr")

    def reentrant(self) -> bool:
        """Returns whether it reads by "ocr": the other models may keep state."""
        return self.resolved("cpu").backend == "ocr"

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:
        """Returns the function that scores a batch.

        Raises:
            MissingDependency: rapidocr or onnxruntime is not installed
            ModelError: the VLM of backend "vlm" cannot be loaded
            InputError: there is no such backend, or the VLM's examples cannot be used
        """
        known_backend(self.backend, _BACKENDS, {"offline": "ocr", "gpu": "vlm"})
        if self.resolved(device).backend == "vlm":
            return self.asking(few_shot.load(self.vlm, device, self.examples))
        from loupe.brain.perception.ocr.rapid_ocr import Ocr

        ocr = Ocr(device, self.threads)
        return lambda batch: self.scores([_measured(ocr, *request) for request in _each(batch)], batch.pixels.device)

    def asking(self, vlm: Vlm) -> Callable[[ImageBatch], Scores]:
        """Returns the function that scores a batch by what a VLM says: P(yes) is the score.

        The function raises ``VlmError`` where the VLM gives no answer at all.

        Args:
            vlm: a vision-language model, asked one question of each kind for each picture

        >>> Overlay().asking(vlm)(batch)["watermark"]  # doctest: +SKIP
        tensor([0.0213, 0.9641])
        """
        return lambda batch: self.scores(_asked(vlm, list(_each(batch))), batch.pixels.device)


def _each(batch: ImageBatch) -> list[tuple[np.ndarray, RequestedOverlays]]:
    from loupe.brain.prompts.requested_overlays import requested_overlays

    pictures = batch.at(_LONG_SIDE).pixels.permute(0, 2, 3, 1).cpu().numpy()
    prompts = batch.fields.get("prompt") or (None,) * len(batch)
    return [(picture, requested_overlays(prompt)) for picture, prompt in zip(pictures, prompts, strict=True)]


def _unfit(picture: np.ndarray) -> str | None:
    """Why nothing can be said of a picture, else None."""
    height, width = picture.shape[:2]
    if min(height, width) < _MIN_SIDE:
        return _SMALL.format(width, height)
    return _PLAIN if float(picture.std()) < 2 else None


def _line(kind: str) -> float:
    threshold = next(output.default_threshold for output in Overlay.outputs if output.name == kind)
    assert threshold is not None
    return threshold.value


def _kept(values: _Row, asked: RequestedOverlays) -> tuple[_Row, str | None]:
    """The scores less what the prompt asks for, and why one is left out."""
    wanted = {"watermark": asked.watermark, "overlay": asked.interface}
    kept, reason = {}, None
    for kind, value in values.items():
        if wanted[kind]:
            kept[kind] = 0.0
        # which lettering is meant is not said: what was found may be it
        elif asked.lettering and value > _line(kind):
            reason = _OPEN
        else:
            kept[kind] = value
    return kept, reason


def _measured(ocr: Ocr, picture: np.ndarray, asked: RequestedOverlays) -> SampleResult:
    """What the lines of a picture say."""
    from loupe.brain.measures.overlays.features import crowded
    from loupe.brain.measures.overlays.finding import MAX_READ, lines_of, read_lines
    from loupe.brain.measures.overlays.interface import overlay_kind, overlay_likelihood
    from loupe.brain.measures.overlays.watermark import watermark_kind, watermark_likelihood

    reason = _unfit(picture)
    if reason:
        return SampleResult({}, reason)
    shape = picture.shape[:2]
    lines = lines_of(picture, ocr)
    if crowded(lines, shape):
        return SampleResult({}, _CROWDED)

    def both(line: LineCandidate, read: bool) -> _Row:
        return {
            "watermark": watermark_likelihood(line, shape, read),
            "overlay": overlay_likelihood(line, shape, read),
        }

    # the likeliest of either kind are read: reading costs as much as all else
    ranked = sorted(lines, key=lambda line: -max(both(line, False).values()))[:MAX_READ]
    read = [line for line in read_lines(picture, ocr, ranked) if not asked.wants(line.text)]
    rated = [(line, both(line, True)) for line in read]
    values = {kind: max((row[kind] for _, row in rated), default=0.0) for kind in _KINDS}
    kept, reason = _kept(values, asked)
    boxes = []
    for line, row in rated:
        kind = max(_KINDS, key=lambda name: row[name] / _line(name))
        if row[kind] > _line(kind) and kept.get(kind):
            what = (watermark_kind if kind == "watermark" else overlay_kind)(line, shape)
            facts: dict[str, str | float] = {"read": line.text, "kind": what, "twins": float(line.twins)}
            if line.ink is not None:
                facts["contrast"] = round(line.ink.contrast, 1)
                if not math.isnan(line.ink.opacity):
                    facts["opacity"] = round(line.ink.opacity, 2)
            boxes.append(Box(kind, line.region.bounds(shape[1], shape[0]), row[kind], facts))
    return SampleResult(kept, reason, tuple(boxes))


def _asked(vlm: Vlm, pictures: Sequence[tuple[np.ndarray, RequestedOverlays]]) -> list[SampleResult]:
    """What a VLM says of pictures that something can be said of."""
    from loupe.brain.measures.overlays.vlm_questions import answers

    reasons = [_unfit(picture) for picture, _ in pictures]
    values: list[_Row] = [{} for _ in pictures]
    fit = [at for at, reason in enumerate(reasons) if reason is None]
    for kind in _KINDS:
        answered = answers(vlm, [pictures[at][0] for at in fit], kind, [pictures[at][1].texts for at in fit])
        for at, (value, why) in zip(fit, answered, strict=True):
            if math.isnan(value):
                reasons[at] = why
            else:
                values[at][kind] = value
    results = []
    for row, reason, (_, asked) in zip(values, reasons, pictures, strict=True):
        kept, left_out = _kept(row, asked)
        results.append(SampleResult(kept, reason or left_out))
    return results
