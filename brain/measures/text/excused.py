"""What of the differences is not the picture's fault: letters that the recognizer is not sure of, and names.

PP-OCRv6 lists every letter of Latin, and was taught few of those with marks: of clean renders in four fonts it reads
``É`` and ``ü`` as they are, but ``ß`` as B or not at all, ``Đ`` as D, ``Ğ`` as Č, ``Ń`` as Ú, ``Œ`` as CE; where an
accented letter is drawn in another way, it is dropped. Accents are not compared either. So what depends on such a
letter is unknown, and never an edit.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from loupe.brain.core.strings import comparable, similarity
from loupe.brain.measures.text.alignment import Alignment, Edit, align
from loupe.brain.measures.text.line_hypotheses import Reading

#: a read word is what is left of a wanted one, or a name misread, from this share of equal characters on
_ALIKE = 0.6
#: of a letter's decompositions, those that are drawn as the letter itself
_SAME_FORM = ("<wide>", "<narrow>", "<vertical>")


def unsure_letters(word: str, known: Collection[str]) -> dict[int, str]:
    """Returns the letters of a word that the recognizer is not sure of, by their places in ``comparable(word)``.

    These are Latin letters with marks or of their own (``É ß Đ Æ``), those that stand for others (``² ①``), and
    whatever the recognizer does not list.

    Args:
        word: as the prompt has it
        known: the recognizer's own characters

    >>> unsure_letters("STRAßE", "STRAßE")
    {4: 'ß', 5: 'ß'}
    """
    places: dict[int, str] = {}
    at = 0
    last: tuple[range, str] = (range(0), "")
    for letter in unicodedata.normalize("NFC", word):
        size = len(comparable(letter))
        if unicodedata.combining(letter):
            # a mark for which there is no letter in one
            places.update(dict.fromkeys(last[0], last[1] + letter))
        elif size and not _is_sure(letter, known):
            places.update(dict.fromkeys(range(at, at + size), letter))
        if size:
            last = (range(at, at + size), letter)
        at += size
    whole = len(comparable(word))
    return places if at == whole or not places else dict.fromkeys(range(whole), next(iter(places.values())))


def _is_sure(letter: str, known: Collection[str]) -> bool:
    if letter.isascii():
        return True
    form = unicodedata.decomposition(letter)
    if form.startswith("<"):
        return form.startswith(_SAME_FORM)
    return letter in known and not unicodedata.name(letter, "").startswith("LATIN ")


def excused(
    reading: Reading, wanted: Sequence[str], unsure: Sequence[Mapping[int, str]], names: Sequence[str] = ()
) -> Reading:
    """Returns the reading without the differences that are not the picture's fault.

    A kind of edit of which nothing else is left is in ``doubts``; so is ``"letters"`` where anything is open, for what
    counts all kinds together.

    Args:
        reading: what was read
        wanted: the wanted words, as compared
        unsure: for each of them its ``unsure_letters``
        names: what may be written and need not be, as the prompt has it
    """
    if any(unsure):
        reading = _with_open_letters(reading, wanted, unsure)
    return _without_names(reading, names) if names else reading


def _with_open_letters(reading: Reading, wanted: Sequence[str], unsure: Sequence[Mapping[int, str]]) -> Reading:
    read = reading.words()
    alignment = align(wanted, read, [list(places) for places in unsure])
    open_ = list(alignment.open)
    surplus = {edit.read_word: edit for edit in alignment.edits if edit.wanted_word is None}
    seen = bool(reading.unread or any(line.region.confidence for line in reading.lines) or read)
    for edit in alignment.edits:
        at = edit.wanted_word
        if at is None or not unsure[at] or edit.read_word is not None:
            continue
        plain = "".join(letter for place, letter in enumerate(wanted[at]) if place not in unsure[at])
        pieces = [other for other in surplus.values() if _is_left_of(wanted[at], plain, other.read)]
        if pieces or (not plain and seen):
            open_ += [edit, *pieces]
    for at in {edit.wanted_word for edit in alignment.open if edit.wanted_word is not None}:
        if pieces := [other for other in surplus.values() if _is_within(other.read, wanted[at])]:
            # the word fell apart: what one piece lacks stands in another
            open_ += [*pieces, *(edit for edit in alignment.edits if edit.wanted_word == at)]
    open_ = list(dict.fromkeys(open_))
    if not open_:
        return replace(reading, alignment=alignment)
    touched = sorted(
        {letter for edit in open_ if edit.wanted_word is not None for letter in unsure[edit.wanted_word].values()}
    )
    reason = f"the recognizer is not sure of the letters {' '.join(touched[:10])}"
    return _opened(reading, alignment, open_, reason)


def _opened(reading: Reading, alignment: Alignment, open_: Sequence[Edit], reason: str) -> Reading:
    kept = tuple(edit for edit in alignment.edits if edit not in open_)
    settled = replace(alignment, edits=kept, open=tuple(open_))
    lost = {edit.kind: reason for edit in open_ if not settled.count(edit.kind)}
    # first, so that it is the reason that is stored: what else is in doubt often follows from it
    doubts = {"letters": reason} | {kind: why for kind, why in reading.doubts.items() if kind not in lost} | lost
    return replace(reading, alignment=settled, doubts=doubts)


def _is_left_of(word: str, plain: str, read: str) -> bool:
    """Whether a read word may be a wanted one whose unsure letters were lost or taken for others."""
    return _is_within(read, word) or bool(plain and _is_within(plain, read)) or similarity(plain, read) >= _ALIKE


def _is_within(short: str, long: str) -> bool:
    """Whether the characters of one text stand in another one, in their order."""
    rest = iter(long)
    return all(character in rest for character in short)


def _without_names(reading: Reading, names: Sequence[str]) -> Reading:
    words = {comparable(part) for name in names for part in (name, *re.split(r"[\W_]+", name))} - {""}
    whole = "".join(comparable(name) for name in names)
    kept, doubtful = [], []
    for edit in reading.alignment.edits:
        if edit.kind == "unrequested" and edit.wanted_word is None:
            if edit.read in words or (len(edit.read) > 2 and edit.read in whole):
                continue
            alike = max(words, key=lambda word: similarity(word, edit.read), default="")
            if len(edit.read) > 2 and similarity(alike, edit.read) >= _ALIKE:
                doubtful.append((edit, alike))
        kept.append(edit)
    alignment = replace(reading.alignment, edits=tuple(kept))
    if not doubtful:
        return replace(reading, alignment=alignment)
    edit, alike = doubtful[0]
    opened = _opened(
        reading, alignment, [edit for edit, _ in doubtful], f"{edit.read!r} may be {alike!r}, which the prompt names"
    )
    # a name need not be there: the wanted texts are known without it
    letters = {"letters": reading.doubts["letters"]} if "letters" in reading.doubts else {}
    return replace(opened, doubts=letters | {kind: why for kind, why in opened.doubts.items() if kind != "letters"})
