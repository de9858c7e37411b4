"""Reads a picture against the words that it should show, and says what it is not sure of.

A recogniser misreads about one real word in eight, so one reading accuses nobody. Each difference between what was
read and what was wanted is a question of two texts: how much likelier is the line as it was read than the line as it
was wanted, averaged over several views of it (``ctc``)? Where the wanted text is as likely, the line is taken as
wanted; where it is less likely by ``doubt`` nats, the difference stands; in between both readings are kept, and what
they do not agree on is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace

import numpy as np

from loupe.brain.core.strings import comparable
from loupe.brain.measures.text.alignment import align
from loupe.brain.measures.text.excused import unsure_letters
from loupe.brain.measures.text.legible import LONG, READABLE, unsureness
from loupe.brain.measures.text.line_hypotheses import (
    Line,
    LineHypothesis,
    Reading,
    Words,
    compared,
    likeness,
    look_alike,
)
from loupe.brain.perception.ocr import regions as line_regions
from loupe.brain.perception.ocr.ctc import Alphabet, script_of
from loupe.brain.perception.ocr.rapid_ocr import Ocr
from loupe.brain.perception.ocr.regions import Region

#: a picture this low is read as one line, without looking for lines first
_LINE_HEIGHT = 48
_SMALLEST = 12
#: the detector's usual range of resolutions
_MIN_SIDE, _USUAL_SIDE, _MAX_SIDE = 384, 960, 1536
#: readings nearer than this to the likeliest one (nats) are no less likely
_SAME = 1.0
#: below this mean probability a line is no lettering that can be read; above the second it is
_ILLEGIBLE, _SURE = 0.5, 0.8
#: from this mean probability on, what the detector finds is lettering: no sign of ``benchmarks.text empty`` has it
_LETTERING = 0.75
_FAINTLY = 0.01
#: range of luma, in [0, 1], in which a text may hide from the detector; below it a picture is blank
_FAINT = (0.01, 0.08)
_MAX_LINES = 120


class Reader:
    """Reads pictures against wanted words.

    Args:
        ocr: the loaded models
        doubt: by how many nats a difference must be likelier than the wanted text to be believed
    """

    def __init__(self, ocr: Ocr, doubt: float) -> None:
        self._ocr, self._doubt = ocr, doubt
        self._known = frozenset(ocr.characters)
        self._looked: dict[int, list[Region]] = {}

    def unsure_letters(self, word: str) -> dict[int, str]:
        """Returns the letters of a word that the recognizer is not sure of, by their places in ``comparable(word)``."""
        return unsure_letters(word, self._known)

    def read(self, picture: np.ndarray, wanted: Sequence[str]) -> Reading | str:
        """Returns what a (H, W, 3) uint8 RGB picture says, or why nothing can be said.

        Args:
            picture: the pixels
            wanted: the wanted words, as ``comparable`` gives them
        """
        if min(picture.shape[:2]) < _SMALLEST:
            return f"the picture is smaller than {_SMALLEST} pixels"
        script = script_of(wanted)
        alphabet = self._ocr.alphabet(script)
        strange = sorted({c for word in wanted for c in word if c not in alphabet.columns})
        if strange:
            return f"the recogniser does not know the characters {''.join(strange[:10])}"
        # what one picture was looked at is kept by a reader of its own: several threads may read at once
        own = copy(self)
        own._looked = {}
        return own._with_confidence(picture, own._read(picture, wanted, alphabet))

    def _regions(self, picture: np.ndarray, side: int) -> list[Region]:
        """The lines of text in the picture at that long side, looked for once: it is most of what reading costs."""
        if side not in self._looked:
            self._looked[side] = self._ocr.regions(picture, side)
        return self._looked[side]

    def _read(self, picture: np.ndarray, wanted: Sequence[str], alphabet: Alphabet) -> Reading:
        hypotheses = self._hypotheses(picture, self._places(picture), alphabet)
        if self._matches(hypotheses, wanted):
            return self._weigh_all(picture, hypotheses, wanted)
        self._add_views(picture, hypotheses, wanted)
        if self._missing(hypotheses, wanted) and not _is_line(picture):
            known = [hypothesis.region for hypothesis in hypotheses]
            for side in self._other_sides(picture):
                fresh = [
                    region
                    for region in self._regions(picture, side)
                    if not any(line_regions.same_place(region, old) for old in known)
                ]
                known += fresh
                hypotheses += self._hypotheses(picture, fresh[:_MAX_LINES], alphabet, range(5))
        return self._weigh_all(picture, hypotheses, wanted)

    def _places(self, picture: np.ndarray) -> list[Region]:
        height, width = picture.shape[:2]
        if height <= _LINE_HEIGHT and width >= 1.2 * height:
            return [line_regions.whole(picture)]
        longest = max(height, width)
        regions = self._regions(
            picture, int(np.clip(2 * longest, _MIN_SIDE, max(_USUAL_SIDE, min(longest, _USUAL_SIDE))))
        )
        if _is_line(picture) and _in_one_row(regions, height):
            return [line_regions.whole(picture)]
        return regions[:_MAX_LINES]

    def _lettering(self, picture: np.ndarray) -> list[Region]:
        """What the detector takes for lettering, whatever the recogniser makes of it; the surest first."""
        side = min(max(2 * max(picture.shape[:2]), 2 * _LINE_HEIGHT), _USUAL_SIDE)
        return sorted(self._regions(picture, side), key=lambda region: -region.confidence)

    def _with_confidence(self, picture: np.ndarray, reading: Reading) -> Reading:
        """The reading; where a picture was taken as one line and reads badly, with what the detector says of it."""
        lines = (*reading.lines, *reading.unread)
        if not any(line.region.confidence == 0 and unsureness(line) > READABLE for line in lines):
            return reading
        regions = self._lettering(picture)
        long = [region.confidence for region in regions if region.width >= LONG * region.height]
        # only short ones: there may be lettering, and no more can be said
        sure = max(long) if long else _FAINTLY if regions else 0.0
        seen = [replace(line, region=replace(line.region, confidence=sure)) for line in lines]
        count = len(reading.lines)
        return replace(reading, lines=tuple(seen[:count]), unread=tuple(seen[count:]))

    def _other_sides(self, picture: np.ndarray) -> list[int]:
        """Resolutions at which to look again for what is missing: larger for small letters, smaller for huge ones."""
        longest = max(picture.shape[:2])
        return [min(_MAX_SIDE, max(2 * longest, _MIN_SIDE)) if longest < _USUAL_SIDE // 2 else _MAX_SIDE, 480]

    def _hypotheses(
        self, picture: np.ndarray, regions: Sequence[Region], alphabet: Alphabet, which: Sequence[int] = (0, 1)
    ) -> list[LineHypothesis]:
        alone = len(regions) == 1
        upright = self._upright(picture, regions)
        lines = [line_regions.views(picture, region) for region in upright]
        seen = self._ocr.posteriors([views[k] for views in lines for k in which])
        hypotheses = []
        for row, region in enumerate(upright):
            posteriors = seen[row * len(which) : (row + 1) * len(which)]
            chosen = alphabet
            if alphabet.script == "digits" and not alone and not self._numeric(posteriors):
                chosen = self._ocr.alphabet("latin")
            hypotheses.append(LineHypothesis(region, chosen).add_views(posteriors, self._ocr.alphabet("any")))
        return hypotheses

    def _numeric(self, posteriors: Sequence[np.ndarray]) -> bool:
        """Whether a line looks more like a number than like a word, to a recogniser that may read both."""
        shown = "".join(self._ocr.alphabet("latin").greedy(posterior)[0] for posterior in posteriors)
        characters = comparable(shown)
        return not characters or sum(c.isdigit() for c in characters) >= 0.5 * len(characters)

    def _upright(self, picture: np.ndarray, regions: Sequence[Region]) -> list[Region]:
        """The regions, tall ones turned to the side and upside-down ones turned round where that reads much better."""
        free = self._ocr.alphabet("any")
        choices = [line_regions.turns(region) for region in regions]
        flat = [turn for turns in choices for turn in turns]
        if len(flat) == len(regions):
            return list(regions)
        posteriors = self._ocr.posteriors([line_regions.cut(picture, turn, 0.1) for turn in flat])
        best, at = [], 0
        for turns in choices:
            read = [free.greedy(posterior) for posterior in posteriors[at : at + len(turns)]]
            at += len(turns)
            # a single digit upside down is another digit: only longer lines are turned
            values = [confidence if k == 0 or len(text) >= 3 else 0.0 for k, (text, confidence) in enumerate(read)]
            best.append(turns[int(np.argmax(values))])
        return best

    def _add_views(self, picture: np.ndarray, hypotheses: list[LineHypothesis], wanted: Sequence[str]) -> None:
        """Adds the other three views to every line that is not just as wanted."""
        exact, free = set(wanted), self._ocr.alphabet("any")
        for at, hypothesis in enumerate(hypotheses):
            words = hypothesis.likeliest(wanted)
            if words and all(word in exact for word in words) and len(hypotheses) > 1:
                continue
            region = self._turned(picture, hypothesis, wanted)
            if region is not hypothesis.region:
                posteriors = self._ocr.posteriors(line_regions.views(picture, region))
                hypotheses[at] = LineHypothesis(region, hypothesis.alphabet).add_views(posteriors, free)
                continue
            hypothesis.add_views(self._ocr.posteriors(line_regions.views(picture, hypothesis.region)[2:]), free)

    def _turned(self, picture: np.ndarray, hypothesis: LineHypothesis, wanted: Sequence[str]) -> Region:
        """The region upside down, where it reads badly as it is, and well and more as wanted when turned.

        A badly drawn 676 reads as a well drawn 929 when it is turned: that alone is no reason to turn it.
        """
        if hypothesis.confidence >= 0.9 or hypothesis.region.width < 1.5 * hypothesis.region.height:
            return hypothesis.region
        other = replace(hypothesis.region, corners=np.roll(hypothesis.region.corners, 2, axis=0))
        text, confidence = hypothesis.alphabet.greedy(self._ocr.posteriors([line_regions.cut(picture, other, 0.1)])[0])
        if len(text) < 3 or confidence <= max(0.9, hypothesis.confidence + 0.05):
            return hypothesis.region
        upright = max(likeness(compared(spelled.text, wanted), wanted) for spelled in hypothesis.greedy)
        return other if not wanted or likeness(compared(text, wanted), wanted) > upright else hypothesis.region

    def _matches(self, hypotheses: Sequence[LineHypothesis], wanted: Sequence[str]) -> bool:
        read = [word for hypothesis in hypotheses for word in hypothesis.likeliest(wanted)]
        return bool(wanted) and sorted(read) == sorted(wanted)

    def _missing(self, hypotheses: Sequence[LineHypothesis], wanted: Sequence[str]) -> bool:
        read = [word for hypothesis in hypotheses for word in hypothesis.likeliest(wanted)]
        paired = {at for at, _ in align(wanted, read).pairs}
        return len(paired) < len(wanted)

    def _weigh_all(self, picture: np.ndarray, hypotheses: list[LineHypothesis], wanted: Sequence[str]) -> Reading:
        lines: list[Line] = []
        unread: list[LineHypothesis] = []
        stray: set[str] = set()
        words = [list(hypothesis.likeliest(wanted)) for hypothesis in hypotheses]
        for at, hypothesis in enumerate(hypotheses):
            others = [word for k, line in enumerate(words) if k != at for word in line]
            line = self._weigh(hypothesis, tuple(words[at]), wanted, others)
            words[at] = list(line.words)
            # an isolated sign that cannot be read, or one character alone, is often no lettering at all
            alone = len(hypotheses) > 1 or not wanted
            illegible = not line.words or line.confidence < _ILLEGIBLE
            asked = any(word in wanted for word in line.words)
            if alone and not asked and (illegible or (len("".join(line.words)) < 2 and not line.others)):
                unread += [hypothesis] if illegible else []
                stray |= set(line.words) if line.confidence >= _ILLEGIBLE else set()
                words[at] = []
                continue
            lines.append(line)
        return self._conclude(picture, tuple(lines), wanted, unread, stray)

    def _weigh(self, hypothesis: LineHypothesis, words: Words, wanted: Sequence[str], others: Sequence[str]) -> Line:
        """The line with each of its differences believed, taken back or left open."""
        current = words
        for _ in range(len(words) + 1):
            current = self._taken_back(hypothesis, current, wanted, others) or current
        options = self._as_wanted(current, wanted, others)
        values = hypothesis.likelihoods([current, *options])
        # that a line says nothing is also what a recogniser reads where it is at a loss
        doubt = self._doubt if current else 2 * self._doubt
        open_ = [option for option, value in zip(options, values[1:], strict=True) if values[0] - value < doubt]
        if options:
            texts = hypothesis.readings(wanted)
            values = hypothesis.likelihoods([current, *texts])
            open_ += [
                text
                for text, value in zip(texts, values[1:], strict=True)
                if text != current and values[0] - value < _SAME
            ]
        return hypothesis.line(current, wanted, open_)

    def _taken_back(
        self, hypothesis: LineHypothesis, words: Words, wanted: Sequence[str], others: Sequence[str]
    ) -> Words | None:
        """The line with a difference put right that is not likelier than the wanted text; None when all are."""
        options = self._as_wanted(words, wanted, others)
        values = hypothesis.likelihoods([words, *options])
        for option, value in zip(options, values[1:], strict=True):
            if value >= values[0] or look_alike("".join(words), "".join(option)):
                return option
        return None

    def _as_wanted(self, words: Words, wanted: Sequence[str], others: Sequence[str]) -> list[Words]:
        """What the line would be as wanted: all words put right, or one of them; or what is missing elsewhere."""
        pairs = align(wanted, [*words, *others]).pairs
        paired = {read: at for at, read in pairs}
        right = tuple(wanted[paired[k]] for k in range(len(words)) if k in paired)
        options = [right] if right else []
        for k, word in enumerate(words):
            if k not in paired:
                options.append((*words[:k], *words[k + 1 :]))
            elif wanted[paired[k]] != word:
                options.append((*words[:k], wanted[paired[k]], *words[k + 1 :]))
        missing = tuple(word for at, word in enumerate(wanted) if at not in {a for a, _ in pairs})
        if missing and not any(word in wanted for word in words):
            options += [missing, *((word,) for word in missing)]
        return [option for option in dict.fromkeys(options) if option != words]

    def _conclude(
        self,
        picture: np.ndarray,
        lines: tuple[Line, ...],
        wanted: Sequence[str],
        unread: Sequence[LineHypothesis],
        stray: set[str],
    ) -> Reading:
        """The alignment, and on what the likely readings do not agree; ``stray`` are single letters left out of it."""
        base = align(wanted, [word for line in lines for word in line.words])
        doubts: dict[str, str] = {}
        for at, line in enumerate(lines):
            for other in line.others:
                changed = [word for k, each in enumerate(lines) for word in (other if k == at else each.words)]
                option = align(wanted, changed)
                reason = f"readings differ: {' '.join(line.words) or 'nothing'!r} or {' '.join(other) or 'nothing'!r}"
                for kind in ("substitution", "omission", "duplication", "unrequested"):
                    if (base.count(kind) > 0) != (option.count(kind) > 0):
                        doubts.setdefault(kind, reason)
        lost = [edit.wanted for edit in base.edits if edit.read_word is None]
        nothing_read = lost and not any(line.words for line in lines)
        if any(hypothesis.could_be(word) for hypothesis in unread for word in lost) or (
            nothing_read and any(region.confidence >= _LETTERING for region in self._lettering(picture))
        ):
            # what cannot be read may be the lost text, drawn well or badly
            for kind in ("omission", "substitution"):
                doubts.setdefault(kind, "there is lettering that could not be read")
        strays = {word for line in lines for word in line.words if len(word) == 1} | stray
        if len("".join(lost)) > 1 and any(look_alike(letter, c) for word in lost for c in word for letter in strays):
            doubts.setdefault("omission", "there are letters that stand alone")
        if lost and _FAINT[0] < _contrast(picture) < _FAINT[1]:
            doubts.setdefault("omission", "the picture has too little contrast to say that a text is missing")
        surplus = [line for line in lines if line.confidence < _SURE and set(line.words) - set(wanted)]
        if surplus and base.count("unrequested"):
            sure = {word for line in lines if line.confidence >= _SURE for word in line.words}
            if not any(
                edit.kind == "unrequested" and edit.wanted_word is None and edit.read in sure for edit in base.edits
            ):
                doubts.setdefault("unrequested", f"perhaps there is other text: {surplus[0].shown!r}")
        return Reading(
            lines, base, doubts, tuple(hypothesis.line(hypothesis.likeliest(wanted), wanted) for hypothesis in unread)
        )


def _is_line(picture: np.ndarray) -> bool:
    height, width = picture.shape[:2]
    return height < 160 and width >= 1.2 * height


def _in_one_row(regions: Sequence[Region], height: int) -> bool:
    """Whether no region lies under another one, and the row fills a good part of the picture's height."""
    if not regions:
        return True
    middles = [float(region.corners[:, 1].mean()) for region in regions]
    tallest = max(region.height for region in regions)
    return max(middles) - min(middles) < 0.5 * tallest and tallest > 0.4 * height


def _contrast(picture: np.ndarray) -> float:
    luma = picture.astype(np.float32) @ np.array((0.299, 0.587, 0.114), np.float32) / 255
    low, high = np.percentile(luma, (0.1, 99.9))
    return float(high - low)
