"""How well the lettering in a picture is drawn: each line cut out, its letters told apart and measured.

A line that looks wrong is measured again with more and with less of it taken for ink, and the mildest result counts:
what is wrong with the letters stays wrong, what is wrong with the light does not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loupe.brain.measures.text.legible import LONG, READABLE, broken_share, kept_share, unsureness
from loupe.brain.measures.text.letters import Lettering, letters_of
from loupe.brain.measures.text.line_hypotheses import Line
from loupe.brain.measures.text.shape import shape_of
from loupe.brain.measures.text.style import anomaly
from loupe.brain.perception.ocr import regions

#: with lower lines, in pixels of the picture, letters are too coarse to be measured
MIN_HEIGHT = 14
#: what the detector is less sure of than this may be no lettering
SURE = 0.75
#: above this the letters are not what they are read as, and cannot be compared with their like
_NONSENSE = 0.5
#: uneven gaps count for less than letters off the line: even type has gaps that differ by a tenth of its height
_GAP_WEIGHT = 0.25
#: from these on a line looks wrong, and is measured again
_SUSPECT = {"distortion": 0.03, "mixed": 3.0, "broken": 0.3}
_MARGIN = 0.15
_SHIFTS = (-0.2, 0.2)


@dataclass(frozen=True)
class LetteringQuality:
    """How one line is drawn; NaN where it cannot be said.

    Attributes:
        distortion: how far letters stand off a smooth line, in letter heights (root mean square), or a quarter of how
            much the gaps differ, whichever is more
        mixed: how odd the oddest letter of a word is, in standard deviations within ordinary fonts
        illegible: how much of the line cannot be read, in [0, 1]
        reason: why something is NaN, else empty
        doubtful: whether there may be lettering here that cannot be read
    """

    distortion: float = math.nan
    mixed: float = math.nan
    illegible: float = math.nan
    reason: str = ""
    doubtful: bool = False


def lettering_quality(picture: np.ndarray, line: Line) -> LetteringQuality:
    """Returns how a line of a (H, W, 3) uint8 RGB picture is drawn; all of it is unknown for very low lines."""
    if line.region.height < MIN_HEIGHT:
        return LetteringQuality(reason=f"the lettering is lower than {MIN_HEIGHT} pixels")
    measures = _ink_measures(picture, line)
    unsure = unsureness(line)
    illegible = 1.0 - (1.0 - unsure) * kept_share(measures.broken)
    if unsure > _NONSENSE:
        measures = _InkMeasures(reason="what the letters are cannot be read")
    if unsure <= READABLE:
        return LetteringQuality(measures.distortion, measures.mixed, illegible, measures.reason)
    if line.region.confidence == 0:
        return LetteringQuality(illegible=0.0, reason=measures.reason or "there is no lettering to measure")
    if line.region.width < LONG * line.region.height:
        # views of two or three signs soon differ in many of them, and one alone is often a texture
        return LetteringQuality(
            measures.distortion, measures.mixed, reason=measures.reason or "too short to say whether it can be read"
        )
    if line.region.confidence < SURE:
        return LetteringQuality(
            measures.distortion, measures.mixed, math.nan, "there may be lettering that cannot be read", True
        )
    return LetteringQuality(measures.distortion, measures.mixed, illegible, measures.reason)


@dataclass(frozen=True)
class _InkMeasures:
    """What the ink of a line shows: as in ``LetteringQuality``, and the share of letters in pieces."""

    distortion: float = math.nan
    mixed: float = math.nan
    broken: float = 0.0
    reason: str = ""

    def suspect(self) -> bool:
        return (
            self.distortion > _SUSPECT["distortion"]
            or self.mixed > _SUSPECT["mixed"]
            or self.broken > _SUSPECT["broken"]
        )


def _ink_measures(picture: np.ndarray, line: Line) -> _InkMeasures:
    lettering = _lettering(picture, line)
    if isinstance(lettering, str):
        return _InkMeasures(reason=lettering)
    measures = _measured(lettering)
    for shift in _SHIFTS:
        if measures.suspect() and not isinstance(lettering := _lettering(picture, line, shift), str):
            other = _measured(lettering)
            measures = _InkMeasures(
                _min_known(measures.distortion, other.distortion),
                _min_known(measures.mixed, other.mixed),
                min(measures.broken, other.broken),
                measures.reason,
            )
    return measures


def _lettering(picture: np.ndarray, line: Line, shift: float = 0.0) -> Lettering | str:
    view = next((at for at, spelled in enumerate(line.spelled) if spelled.text == line.shown and spelled.frames), None)
    if view is None:
        return "no letters or digits were read"
    spelled = line.spelled[view]
    text, places = _respaced(spelled.text, regions.places(line.region, view, spelled.frames, _MARGIN), line.words)
    cut = regions.cut(picture, line.region, _MARGIN)
    return letters_of(cut, text, places, cut.shape[0] / (line.region.height * (1 + 2 * _MARGIN)), shift)


def _respaced(text: str, places: Sequence[float], words: Sequence[str]) -> tuple[str, list[float]]:
    """The text with its spaces where the compared words end, which a recognizer is less sure of than of letters."""
    letters = [(letter, place) for letter, place in zip(text, places, strict=True) if not letter.isspace()]
    if sum(letter.isalnum() for letter, _ in letters) != sum(map(len, words)):
        return text, list(places)
    ends = set(np.cumsum([len(word) for word in words]).tolist())
    out: list[tuple[str, float]] = []
    seen = 0
    for letter, place in letters:
        if letter.isalnum() and seen in ends and out:
            out.append((" ", place))
        seen += letter.isalnum()
        out.append((letter, place))
    return "".join(letter for letter, _ in out), [place for _, place in out]


def _measured(lettering: Lettering) -> _InkMeasures:
    """The worst word's distortion and mixture, the share of letters in pieces, and why something is unknown."""
    distortions, mixtures, reason = [], [], "too few letters stand apart"
    for word in lettering.words():
        shape = shape_of(word)
        if isinstance(shape, str):
            reason = shape
            continue
        gaps = 0.0 if math.isnan(shape.spacing) else _GAP_WEIGHT * shape.spacing
        distortions.append(max(shape.baseline, gaps))
        odd = anomaly(word, shape.slopes)
        if not isinstance(odd, str):
            mixtures.append(odd)
    return _InkMeasures(
        max(distortions, default=math.nan),
        max(mixtures, default=math.nan),
        broken_share(lettering.letters),
        "" if distortions else reason,
    )


def _min_known(value: float, other: float) -> float:
    return value if math.isnan(other) else min(value, other)
