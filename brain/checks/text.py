"""The text check: is what the prompt asks to be written there, letter by letter?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from loupe.brain.core.errors import PromptError
from loupe.brain.core.records import Box, Output, SampleResult, Scores, Threshold
from loupe.brain.core.specs import Check, known_backend, param
from loupe.brain.core.strings import comparable
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.measures.text.alignment import Edit, Kind
from loupe.brain.prompts.cleaned import prompt_text
from loupe.brain.prompts.requested_text import RequestedText, requested_text

if TYPE_CHECKING:
    import numpy as np

    from loupe.brain.measures.text.lettering_quality import LetteringQuality
    from loupe.brain.measures.text.line_hypotheses import Line, Reading
    from loupe.brain.measures.text.reading import Reader

_MANY = 10_000.0
_BACKENDS = ("auto", "ocr", "ocr_large")
#: IIIT5K: real word crops, all right, half of them to tune on; the renders are those of benchmarks/text/drawing.py
_DISTORTION_BASIS = "IIIT5K: 1 of 106 measured crops, 4 of 98 others; renders of other fonts: 2 of 223 good lines"
_STYLE_BASIS = "IIIT5K: about 1 % of 106 measured crops, 5 of 98 others; renders of other fonts: 1 of 223 good lines"
_ILLEGIBLE_BASIS = (
    "IIIT5K: 0 of 236 crops, 0 of 233 others; renders of other fonts: 0 of 236 good lines; photos: 1 of 54"
)
_ANY = "one character is one too many: what is not sure is unknown, not counted"


def _count(name: str, failure: str, description: str) -> Output:
    threshold = Threshold(">", 0.0, provenance=_ANY)
    return Output(name, "characters", False, (0.0, _MANY), description, threshold, failure)


#: how the lettering is drawn: the part of ``LetteringQuality`` that each output is
_QUALITY = {"text_distortion": "distortion", "text_mixed_style": "mixed", "text_illegible": "illegible"}
_LABELS = {"text_distortion": "distortion", "text_mixed_style": "mixed_style", "text_illegible": "illegible"}


@dataclass(frozen=True)
class Text(Check):
    """Text: what is written, against what the prompt asks to be written.

    Reads the picture with PP-OCRv6 small (in RapidOCR's wheel, no download) and aligns it with the prompt's texts
    (``requested_text``), word by word and letter by letter (``alignment``). Upper and lower case, accents,
    punctuation, spaces and the direction of a line are not compared, nor O with 0 or l with 1. A difference counts
    only if it is likelier than the wanted text by ``doubt`` nats on average over several views of the line
    (``reading``). An output on which the likely readings do not agree is unknown.

    A found failure stands though another line is unreadable; zero is said only where every line is sure. Unknown are: a
    prompt that is missing; scripts that the recognizer does not know (it knows Latin, Chinese, Japanese and Greek);
    what depends on a letter that it is not sure of, as ``É``, ``ß`` and ``Đ`` (``excused``); a missing text where the
    picture has almost no contrast or other lettering cannot be read; unrequested text where the prompt asks for
    lettering without saying which. With no text asked for, only unrequested text and how it is drawn are judged. A name
    in the prompt ("a Starbucks cup") may be written, and need not be.

    How the lettering is drawn is measured on the letters' ink (``lettering_quality``), not taken from the recognizer's
    confidence: a picture has the score of its worst line. Straight, slanted, arched and perspective lines are designs,
    as are capitals, italics and larger first letters. Joined scripts, words of fewer than four letters, low contrast
    and letters that touch are not measured; where no line can be, the score is unknown. Lettering in a script that the
    recognizer does not know looks illegible to it.

    Backend "ocr_large" reads with PP-OCRv6 medium on torch, for which transformers 5.13 and two models of the hub have
    to be there (``perception/ocr/torch_ocr.py``). The thresholds were set with "ocr".
    """

    name: ClassVar[str] = "text"
    version: ClassVar[int] = 4
    reference: ClassVar[str] = "https://github.com/RapidAI/RapidOCR"
    license: ClassVar[str] = "Apache-2.0"
    whole_picture: ClassVar[str] = "it compares the whole picture with its prompt"
    needs: ClassVar[tuple[str, ...]] = ("prompt",)
    long_side: ClassVar[int | None] = 2048
    presets: ClassVar[tuple[str, ...]] = ("generated",)
    cost: ClassVar[float] = 730.0
    boxes_field: ClassVar[str | None] = "text"
    outputs: ClassVar[tuple[Output, ...]] = (
        _count("text_substitution", "text_substitution", "Characters that the prompt asked for, drawn as other ones."),
        _count("text_omission", "text_omission", "Characters that the prompt asked for and that are not there."),
        _count("text_duplication", "text_duplication", "Characters of doubled letters and repeated words."),
        _count("unrequested_text", "unrequested_text", "Characters of text that the prompt did not ask for."),
        Output("text_cer", "edits per character", False, (0.0, _MANY), "Character error rate of the wanted text."),
        Output("text_ned", "ratio", True, (0.0, 1.0), "1 - edits / length: how much of the wanted text is right."),
        Output("text_word_accuracy", "ratio", True, (0.0, 1.0), "Exactly right words over wanted and repeated ones."),
        Output("text_sentence_accuracy", "ratio", True, (0.0, 1.0), "1 if every wanted text is exactly right, else 0."),
        Output(
            "text_distortion",
            "letter heights",
            False,
            (0.0, 10.0),
            "How far letters stand off a smooth line, or a quarter of how much their gaps differ.",
            Threshold(">", 0.05, provenance=_DISTORTION_BASIS),
            "text_distortion",
        ),
        Output(
            "text_mixed_style",
            "standard deviations",
            False,
            (0.0, 1000.0),
            "How odd a word's oddest letter is in weight and lean, against letters of one font.",
            Threshold(">", 5.6, provenance=_STYLE_BASIS),
            "text_mixed_style",
        ),
        Output(
            "text_illegible",
            "ratio",
            False,
            (0.0, 1.0),
            "How much of a line is read differently at each look, or has letters in pieces.",
            Threshold(">", 0.55, provenance=_ILLEGIBLE_BASIS),
            "text_illegible",
        ),
    )

    doubt: float = param(4.0, "How much likelier (nats) a misspelling must be than the wanted text", low=0.0, high=50.0)
    threads: int = param(2, "Threads of the recognizer", low=1, high=64)
    backend: str = param(
        "auto",
        "ocr: PP-OCRv6 small, in RapidOCR's wheel; ocr_large: PP-OCRv6 medium; auto: ocr_large where it can be had",
        choices=_BACKENDS,
    )

    def reads(self) -> tuple[str, ...]:
        """Returns the prompt, and a spec that wins over it."""
        return ("prompt", "spec")

    def abstains(self, fields: Mapping[str, Any]) -> str | None:
        """Returns why the text is not judged where that is known from the prompt: it asks for none, or is none."""
        expected = _expected(fields.get("prompt"), fields.get("spec"))
        return expected if isinstance(expected, str) else None

    def resolved(self, device: str) -> Self:
        """Returns the check with "auto" replaced: "ocr_large" on a CUDA device that has the weights, else "ocr"."""
        if self.backend != "auto":
            return self
        from loupe.brain.perception.ocr import torch_ocr

        return replace(self, backend="ocr_large" if device.startswith("cuda") and torch_ocr.is_here() else "ocr")

    def reentrant(self) -> bool:
        """Returns whether it reads by "ocr": the other models may keep state."""
        return self.resolved("cpu").backend == "ocr"

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:
        """Returns the function that scores a batch.

        Raises:
            MissingDependency: rapidocr or onnxruntime is not installed
            ModelError: the weights of backend "ocr_large" are not on this machine
            InputError: there is no such backend
        """
        from loupe.brain.measures.text.reading import Reader
        from loupe.brain.perception.ocr.rapid_ocr import Ocr

        known_backend(self.backend, _BACKENDS, {"offline": "ocr", "gpu": "ocr_large"})
        if self.resolved(device).backend == "ocr_large":
            from loupe.brain.perception.ocr.torch_ocr import TorchOcr

            reader = Reader(TorchOcr(device), self.doubt)
        else:
            reader = Reader(Ocr(device, self.threads), self.doubt)

        def score(batch: ImageBatch) -> Scores:
            pictures = batch.pixels.permute(0, 2, 3, 1).cpu().numpy()
            prompts, specs = (batch.fields.get(name) or (None,) * len(batch) for name in self.reads())
            facts = zip(pictures, prompts, specs, strict=True)
            return self.scores([_score(reader, *request) for request in facts], batch.pixels.device)

        return score


def _score(reader: Reader, picture: np.ndarray, prompt: Any, spec: Any) -> SampleResult:
    expected = _expected(prompt, spec)
    if isinstance(expected, str):
        return SampleResult({}, expected)
    written = [word for word in expected.words if comparable(word)]
    words = [comparable(word) for word in written]
    read = reader.read(picture, words)
    if isinstance(read, str):
        return SampleResult({}, read)
    from loupe.brain.measures.text.excused import excused
    from loupe.brain.measures.text.lettering_quality import lettering_quality

    reading = excused(read, words, [reader.unsure_letters(word) for word in written], expected.names)

    lines = (*reading.lines, *reading.unread)
    qualities = [lettering_quality(picture, line) for line in lines]
    values, reason = _values(reading, expected, words)
    drawn, other_reason = _drawn(qualities)
    boxes = _boxes(reading, words, qualities, picture.shape[1], picture.shape[0])
    return SampleResult(values | drawn, reason or other_reason, boxes)


def _expected(prompt: Any, spec: Any) -> RequestedText | str:
    """What is to be written: by the spec where the sample has one, else by the prompt; or why that is not known."""
    if spec is not None:
        from loupe.brain.prompts.metadata import spec_of

        try:
            asked = spec_of(prompt_text(prompt), spec)
        except PromptError as error:
            return f"the sample's spec cannot be used: {error}"
        if asked is not None and asked.source == "field":
            return RequestedText(asked.texts, asked.text_free)
    text = prompt_text(prompt)
    return "the sample has no prompt" if text is None else requested_text(text)


def _drawn(qualities: Sequence[LetteringQuality]) -> tuple[dict[str, float], str | None]:
    """The worst line's scores of form, and why one is not known."""
    values: dict[str, float] = {}
    for output in Text.outputs:
        if output.name not in _QUALITY:
            continue
        known = [getattr(quality, _QUALITY[output.name]) for quality in qualities]
        worst = max((value for value in known if not math.isnan(value)), default=math.nan)
        if output.name == "text_illegible":
            # what may be lettering that nobody can read leaves it open, unless other lettering is illegible for sure
            if any(quality.doubtful for quality in qualities) and not _fails(output, worst):
                continue
            worst = 0.0 if not qualities else worst
        if not math.isnan(worst):
            values[output.name] = min(worst, output.bounds[1])
    if len(values) == len(_QUALITY):
        return values, None
    return values, next((quality.reason for quality in qualities if quality.reason), "there is no lettering to measure")


def _fails(output: Output, value: float) -> bool:
    return output.default_threshold is not None and bool(value > output.default_threshold.value)


def _values(reading: Reading, expected: RequestedText, words: list[str]) -> tuple[dict[str, float], str | None]:
    """The scores that are known, and why the others are not."""
    alignment, doubts = reading.alignment, dict(reading.doubts)
    if expected.open_ended:
        doubts["unrequested"] = "the prompt asks for lettering without saying which"
    names: dict[Kind, str] = {"unrequested": "unrequested_text"}
    if words:
        names |= {"substitution": "text_substitution", "omission": "text_omission", "duplication": "text_duplication"}
    values = {name: float(alignment.count(kind)) for kind, name in names.items() if kind not in doubts}
    if not words:
        return values, doubts.get("unrequested", "the prompt asks for no text")
    if not set(doubts) - {"unrequested"}:
        values |= {
            "text_cer": alignment.cer,
            "text_ned": alignment.ned,
            "text_word_accuracy": alignment.word_accuracy,
            "text_sentence_accuracy": float(alignment.cer == 0),
        }
    return values, next(iter(doubts.values()), None)


def _boxes(
    reading: Reading, words: list[str], qualities: Sequence[LetteringQuality], width: int, height: int
) -> tuple[Box, ...]:
    """One box for each line that was read or is illegible, and one over the whole picture for words not found."""
    boxes, first = [], 0
    edits, open_edits = reading.alignment.edits, reading.alignment.open
    for line, quality in zip(reading.lines, qualities, strict=False):
        places = range(first, first + len(line.words))
        first += len(line.words)
        mine = [edit for edit in edits if edit.read_word in places]
        doubtful = [edit for edit in open_edits if edit.read_word in places]
        asked = [words[at] for at, read in reading.alignment.pairs if read in places]
        box = _box(line, mine, " ".join(asked), bool(reading.doubts), width, height, doubtful)
        boxes.append(_with_quality(box, quality))
    for line, quality in zip(reading.unread, qualities[len(reading.lines) :], strict=True):
        box = _with_quality(_box(line, [], "", False, width, height), quality)
        if box.label != "as wanted":
            boxes.append(box)
    lost = [edit.wanted for edit in edits if edit.read_word is None]
    if lost:
        known = "omission" not in reading.doubts
        facts = {"read": "", "wanted": " ".join(lost), "edit": f"omission {' '.join(lost)!r}"}
        boxes.append(Box("omission" if known else "unknown", (0.0, 0.0, 1.0, 1.0), None, facts))
    return tuple(boxes)


def _with_quality(box: Box, quality: LetteringQuality) -> Box:
    """The box with what is known of how its line is drawn; a line that says what it should is labeled by its flaw."""
    known = {name: getattr(quality, part) for name, part in _QUALITY.items() if not math.isnan(getattr(quality, part))}
    facts = {_LABELS[name]: round(value, 4) for name, value in known.items()}
    wrong = [o.name for o in Text.outputs if o.name in known and _fails(o, known[o.name])]
    label = _LABELS[wrong[-1]] if wrong and box.label == "as wanted" else box.label
    return replace(box, label=label, attributes={**box.attributes, **facts})


def _box(
    line: Line, edits: list[Edit], wanted: str, doubtful: bool, width: int, height: int, open_edits: Sequence[Edit] = ()
) -> Box:
    label = "unknown" if (line.others and doubtful) or (open_edits and not edits) else "as wanted"
    label = edits[0].kind if edits and label == "as wanted" else label
    written = ", ".join(f"{edit.kind} {edit.wanted!r} -> {edit.read!r}" for edit in (*edits, *open_edits))
    facts: dict[str, str | float] = {"read": line.shown, "wanted": wanted, "edit": written}
    if line.others:
        facts["or"] = " | ".join(" ".join(other) for other in line.others)
    return Box(label, line.region.bounds(width, height), line.confidence, facts)
