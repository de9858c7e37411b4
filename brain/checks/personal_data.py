"""The check of personal data: does lettering in the picture tell how to reach somebody, or where money lies?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from loupe.brain.core.records import Box, Output, SampleResult, Scores, Threshold
from loupe.brain.core.specs import Check, param
from loupe.brain.imaging.batches import ImageBatch

if TYPE_CHECKING:
    import numpy as np

    from loupe.brain.perception.ocr.rapid_ocr import Ocr

_LONG_SIDE = 1280
#: lines that a recognizer is less sure of are not read
_MIN_CONFIDENCE = 0.6
#: as many lines of a picture are read, the largest first
_MAX_LINES = 128
_MIN_SIDE = 48


@dataclass(frozen=True)
class PersonalData(Check):
    """Personal data: lettering that looks like somebody's address or number.

    PP-OCRv6 small (in RapidOCR's wheel, no download) reads the lines, and what has the form of an e-mail address, a
    telephone, account, card or social security number is counted;
    check digits of cards and accounts have to be right. Not looked for: names, street addresses, plates, handwriting.
    What standards keep for examples ("example.com", 555-0123) counts as nobody's. What was read is kept nowhere: the
    evidence says the kind and the place. How many faces a picture shows tells the check "faces" (``faces_seen``).
    """

    name: ClassVar[str] = "personal_data"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "ISO 13616, ISO/IEC 7812-1, ITU-T E.164, RFC 2606; https://github.com/RapidAI/RapidOCR"
    license: ClassVar[str] = "Apache-2.0"
    whole_picture: ClassVar[str] = "lettering is read at the size that it has in the whole picture"
    long_side: ClassVar[int | None] = _LONG_SIDE
    boxes_field: ClassVar[str | None] = "flaws"
    default: ClassVar[bool] = False
    presets: ClassVar[tuple[str, ...]] = ()
    cost: ClassVar[float] = 300.0
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            "personal_data",
            "texts",
            False,
            (0.0, float(_MAX_LINES)),
            "How many texts look like personal data.",
            Threshold(">", 0.0, provenance="one is enough"),
            "personal_data",
        ),
    )

    threads: int = param(1, "Threads of the text detector", low=1, high=64)

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:
        """Returns the function that scores a batch.

        Raises:
            MissingDependency: rapidocr or onnxruntime is not installed
        """
        from loupe.brain.perception.ocr.rapid_ocr import Ocr

        ocr = Ocr(device, self.threads)

        def score(batch: ImageBatch) -> Scores:
            pictures = batch.at(_LONG_SIDE).pixels.permute(0, 2, 3, 1).cpu().numpy()
            return self.scores([_judged(ocr, picture) for picture in pictures], batch.pixels.device)

        return score


def _judged(ocr: Ocr, picture: np.ndarray) -> SampleResult:
    from loupe.brain.measures.text.personal import KINDS, personal
    from loupe.brain.perception.ocr.regions import cut

    height, width = picture.shape[:2]
    if min(height, width) < _MIN_SIDE:
        return SampleResult({}, f"too small to read: {width} x {height} pixels")
    regions = sorted(ocr.regions(picture, max(height, width)), key=lambda region: -region.height)[:_MAX_LINES]
    alphabet = ocr.alphabet("any")
    boxes: list[Box] = []
    for region, seen in zip(regions, ocr.posteriors([cut(picture, region, 0.1) for region in regions]), strict=True):
        text, confidence = alphabet.greedy(seen)
        if confidence >= _MIN_CONFIDENCE:
            bounds = region.bounds(width, height)
            boxes += [
                # the text itself would be personal data once more
                Box("personal_data", bounds, confidence, {"kind": KINDS[each.kind]})
                for each in personal(text)
            ]
    return SampleResult({"personal_data": float(min(len(boxes), _MAX_LINES))}, boxes=tuple(boxes))
