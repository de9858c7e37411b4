"""The text check: is what the prompt asks to be written there, letter by letter?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from loupe.brain.records import Box, ImageBatch, Output, Scores, Threshold
from loupe.brain.specs import Check, param
from loupe.brain.text.alignment import Edit, Kind, comparable
from loupe.brain.text.expected import ExpectedText, expected_text

if TYPE_CHECKING:
    import numpy as np

    from loupe.brain.text.reading import Line, Reading

_MANY = 10_000.0
_ANY = "one character is one too many: what is not sure is unknown, not counted"


def _count(name: str, failure: str, sentence: str) -> Output:
    threshold = Threshold(">", 0.0, basis=_ANY)
    return Output(name, "characters", False, (0.0, _MANY), sentence, threshold, failure)


@dataclass(frozen=True)
class Text(Check):
    """Text: what is written, against what the prompt asks to be written.

    Reads the picture with PP-OCRv6 small (in RapidOCR's wheel, no download) and aligns it with the prompt's texts
    (``expected_text``), word by word and letter by letter (``alignment``). Upper and lower case, accents,
    punctuation, spaces and the direction of a line are not compared, nor O with 0 or l with 1. A difference counts
    only if it is likelier than the wanted text by ``doubt`` nats on average over several views of the line
    (``reading``). An output on which the likely readings do not agree is unknown.

    A found failure stands though another line is unreadable; zero is said only where every line is sure. Unknown are: a
    prompt that is missing; scripts that the recogniser does not know (it knows Latin, Chinese, Japanese and Greek); a
    missing text where the picture has almost no contrast or other lettering cannot be read; unrequested text where the
    prompt asks for lettering without saying which. With no text asked for, only unrequested text is judged.
    """

    name: ClassVar[str] = "text"
    version: ClassVar[int] = 2
    source: ClassVar[str] = "https://github.com/RapidAI/RapidOCR"
    licence: ClassVar[str] = "Apache-2.0"
    needs: ClassVar[tuple[str, ...]] = ("prompt",)
    long_side: ClassVar[int | None] = 2048
    evidence: ClassVar[str | None] = "text"
    outputs: ClassVar[tuple[Output, ...]] = (
        _count("text_substitution", "text_substitution", "Characters that the prompt asked for, drawn as other ones."),
        _count("text_omission", "text_omission", "Characters that the prompt asked for and that are not there."),
        _count("text_duplication", "text_duplication", "Characters of doubled letters and repeated words."),
        _count("unrequested_text", "unrequested_text", "Characters of text that the prompt did not ask for."),
        Output("text_cer", "edits per character", False, (0.0, _MANY), "Character error rate of the wanted text."),
        Output("text_ned", "ratio", True, (0.0, 1.0), "1 - edits / length: how much of the wanted text is right."),
        Output("text_word_accuracy", "ratio", True, (0.0, 1.0), "Exactly right words over wanted and repeated ones."),
    )

    doubt: float = param(4.0, "How much likelier (nats) a misspelling must be than the wanted text", low=0.0, high=50.0)
    threads: int = param(2, "Threads of the recogniser", low=1, high=64)

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:
        """Returns the function that scores a batch.

        Raises:
            MissingDependency: rapidocr or onnxruntime is not installed
        """
        from loupe.brain.text.ocr import Ocr
        from loupe.brain.text.reading import Reader

        reader = Reader(Ocr(device, self.threads), self.doubt)

        def score(batch: ImageBatch) -> Scores:
            import torch

            pictures = batch.pixels.permute(0, 2, 3, 1).cpu().numpy()
            prompts = batch.fields.get("prompt", (None,) * len(batch))
            judged = [_judge(reader.read, picture, prompt) for picture, prompt in zip(pictures, prompts, strict=True)]
            values = {
                output.name: torch.tensor(
                    [one.values.get(output.name, math.nan) for one in judged], dtype=torch.float32
                )
                for output in self.outputs
            }
            return Scores(values, tuple(one.reason for one in judged), tuple(one.boxes for one in judged))

        return score


@dataclass(frozen=True)
class _Judged:
    values: dict[str, float]
    reason: str | None = None
    boxes: tuple[Box, ...] = ()


def _judge(read: Callable[..., Reading | str], picture: np.ndarray, prompt: Any) -> _Judged:
    if not isinstance(prompt, str) or not prompt.strip():
        return _Judged({}, "the sample has no prompt")
    expected = expected_text(prompt)
    words = [word for word in map(comparable, expected.words) if word]
    reading = read(picture, words)
    if isinstance(reading, str):
        return _Judged({}, reading)
    return _Judged(*_values(reading, expected, words), _boxes(reading, words, picture.shape[1], picture.shape[0]))


def _values(reading: Reading, expected: ExpectedText, words: list[str]) -> tuple[dict[str, float], str | None]:
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
        }
    return values, next(iter(doubts.values()), None)


def _boxes(reading: Reading, words: list[str], width: int, height: int) -> tuple[Box, ...]:
    """One box for each line that was read, and one over the whole picture for the words that were not found."""
    boxes, first = [], 0
    edits = reading.alignment.edits
    for line in reading.lines:
        places = range(first, first + len(line.words))
        first += len(line.words)
        mine = [edit for edit in edits if edit.read_word in places]
        asked = [words[at] for at, read in reading.alignment.pairs if read in places]
        boxes.append(_box(line, mine, " ".join(asked), bool(reading.doubts), width, height))
    lost = [edit.wanted for edit in edits if edit.read_word is None]
    if lost:
        known = "omission" not in reading.doubts
        facts = {"read": "", "wanted": " ".join(lost), "edit": f"omission {' '.join(lost)!r}"}
        boxes.append(Box("omission" if known else "unknown", (0.0, 0.0, 1.0, 1.0), None, facts))
    return tuple(boxes)


def _box(line: Line, edits: list[Edit], wanted: str, doubtful: bool, width: int, height: int) -> Box:
    label = "unknown" if line.others and doubtful else edits[0].kind if edits else "as wanted"
    written = ", ".join(f"{edit.kind} {edit.wanted!r} -> {edit.read!r}" for edit in edits)
    facts: dict[str, str | float] = {"read": line.shown, "wanted": wanted, "edit": written}
    if line.others:
        facts["or"] = " | ".join(" ".join(other) for other in line.others)
    return Box(label, line.region.bounds(width, height), line.confidence, facts)
