"""What was read against what was wanted: words by optimal assignment, then characters by edit distance.

A word that matches as a set member may still be drawn twice or with a doubled letter, so everything is aligned one to
one: what is left over on either side is an edit of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from loupe.brain.core.records import Record
from loupe.brain.core.strings import similarity

Kind = Literal["substitution", "omission", "duplication", "unrequested"]

#: two words are the same one, misspelled, from this share of equal characters on
_SIMILAR = 0.4
#: a word this short is paired with any other of about its length: "7" for "4" is a wrong digit, not a missing one
_SHORT = 4


@dataclass(frozen=True)
class Edit(Record):
    """One difference.

    Attributes:
        kind: substitution (other characters), omission (missing), duplication (repeated characters, or a repeated
            word) or unrequested (characters or a word that nobody asked for)
        wanted: the wanted characters; empty for duplication and unrequested
        read: the characters read instead; empty for omission
        wanted_word: index of the wanted word, None for a surplus word
        read_word: index of the read word, None for a missing word
    """

    kind: Kind
    wanted: str
    read: str
    wanted_word: int | None
    read_word: int | None

    @property
    def size(self) -> int:
        """How many characters it touches."""
        return max(len(self.wanted), len(self.read))


@dataclass(frozen=True)
class Alignment(Record):
    """What was read against what was wanted.

    Attributes:
        edits: every difference, in the order of the wanted words, surplus words last
        pairs: (wanted word, read word) indices of the words that belong together
        cer: character error rate, >= 0, lower is better: edits of the wanted words, and repeated words, over the
            number of wanted characters; other surplus words are left to ``edits``; NaN if none is wanted
        ned: 1 - edits / max(length), in [0, 1], higher is better; NaN if none is wanted
        word_accuracy: exactly read words over wanted and repeated words, in [0, 1]; NaN if none is wanted
        open: differences at letters that the recognizer is not sure of: neither right nor wrong, and in no other number
            but these three
    """

    edits: tuple[Edit, ...]
    pairs: tuple[tuple[int, int], ...]
    cer: float
    ned: float
    word_accuracy: float
    open: tuple[Edit, ...] = ()

    def count(self, kind: Kind) -> int:
        """Returns how many characters the edits of that kind touch."""
        return sum(edit.size for edit in self.edits if edit.kind == kind)


def align(wanted: Sequence[str], read: Sequence[str], unsure: Sequence[Collection[int]] = ()) -> Alignment:
    """Returns how the read words differ from the wanted ones; words are compared as they are given.

    Words are paired by the assignment with the least total normalized edit distance (the Hungarian method), ties by
    their order. In a pair, a run of surplus characters that equals the run beside it is a duplication; a surplus word
    that equals a paired one is a repeated word, a duplication too.

    Args:
        wanted: the wanted words
        read: the read words
        unsure: for each wanted word the places of letters that the recognizer is not sure of: differences that touch
            them are open

    >>> [(e.kind, e.read) for e in align(["COFFEE"], ["COFFEEE"]).edits]
    [('duplication', 'E')]
    >>> align(["OPEN", "DAILY"], ["DAILY", "OPEN"]).edits
    ()
    """
    pairs = _pair(wanted, read)
    by_wanted = dict(pairs)
    edits: list[Edit] = []
    open_: list[Edit] = []
    for index, word in enumerate(wanted):
        if index in by_wanted:
            places = unsure[index] if unsure else ()
            for edit, is_open in _spell(word, read[by_wanted[index]], index, by_wanted[index], places):
                (open_ if is_open else edits).append(edit)
        else:
            edits.append(Edit("omission", word, "", index, None))
    inside = sum(edit.size for edit in (*edits, *open_))
    taken = {at for _, at in pairs}
    known = {wanted[at] for at, _ in pairs} | {read[at] for _, at in pairs}
    repeated = repeated_size = 0
    for index, word in enumerate(read):
        if index not in taken:
            again = word in known
            repeated += again
            repeated_size += len(word) if again else 0
            edits.append(Edit("duplication" if again else "unrequested", "", word, None, index))
    total = sum(map(len, wanted))
    if not total:
        return Alignment(tuple(edits), pairs, float("nan"), float("nan"), float("nan"), tuple(open_))
    length = max(total, sum(len(read[at]) for _, at in pairs) + repeated_size)
    exact = sum(wanted[a] == read[b] for a, b in pairs)
    errors = inside + repeated_size
    accuracy = exact / (len(wanted) + repeated)
    return Alignment(tuple(edits), pairs, errors / total, max(0.0, 1.0 - errors / length), accuracy, tuple(open_))


def resegment(read: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Returns the read words with spaces dropped or put in where that makes them wanted words.

    A space is what a recognizer is least sure of: ``COFFEE SHOP`` comes back as ``COFFEESHOP``.

    >>> resegment(["COFFEESHOP", "O", "PEN"], ["COFFEE", "SHOP", "OPEN"])
    ['COFFEE', 'SHOP', 'OPEN']
    """
    vocabulary = set(wanted)
    joined: list[str] = []
    at = 0
    while at < len(read):
        width = _join_width(read, at, vocabulary)
        joined.append("".join(read[at : at + width]))
        at += width
    pieces: list[str] = []
    for word in joined:
        pieces += [word] if word in vocabulary else _split(word, wanted)
    return pieces


def _join_width(read: Sequence[str], at: int, vocabulary: set[str]) -> int:
    if read[at] in vocabulary:
        return 1
    for width in (4, 3, 2):
        if at + width <= len(read) and "".join(read[at : at + width]) in vocabulary:
            return width
    return 1


def _split(word: str, wanted: Sequence[str]) -> list[str]:
    """The word cut where a run of wanted words would be cut, if it is nearer to the run than to any one of them."""
    best, run = max((_bound_similarity(word, other, 0.0) for other in wanted), default=0.0), None
    for start in range(len(wanted)):
        for stop in range(start + 2, min(start + 7, len(wanted) + 1)):
            whole = "".join(wanted[start:stop])
            if len(whole) > 1.4 * len(word) + 1:
                break
            value = _bound_similarity(word, whole, max(best, 0.7))
            if value > max(best, 0.7):
                best, run = value, wanted[start:stop]
    if run is None:
        return [word]
    cuts, end = [], 0
    path = _path("".join(run), word)
    for piece in run[:-1]:
        end += len(piece)
        cuts.append(max((j + 1 for i, j in path if i is not None and j is not None and i < end), default=0))
    return [word[a:b] for a, b in zip([0, *cuts], [*cuts, len(word)], strict=True) if b > a]


def _sort(word: str) -> str:
    """What a word is made of: nobody draws letters for a number, or Latin for Japanese, by a slip of the pen."""
    return "digits" if word.isdigit() else "Latin" if ord(word[0]) < 0x250 else "other"


@lru_cache(maxsize=4096)
def _characters(word: str) -> Counter[str]:
    return Counter(word)


def _bound_similarity(a: str, b: str, floor: float) -> float:
    """The similarity, or 0 where the characters that both have already show that it is below ``floor``."""
    longest = max(len(a), len(b))
    common = (_characters(a) & _characters(b)).total()
    return similarity(a, b) if longest and common / longest > floor else 0.0


def _pair(wanted: Sequence[str], read: Sequence[str]) -> tuple[tuple[int, int], ...]:
    if not wanted or not read:
        return ()
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    # equal words cost nothing, so an optimum pairs them; taking them out first keeps the matrix small
    places: dict[str, list[int]] = {}
    for j in range(len(read) - 1, -1, -1):
        places.setdefault(read[j], []).append(j)
    pairs = [(i, places[word].pop()) for i, word in enumerate(wanted) if places.get(word)]
    left = sorted(set(range(len(wanted))) - {i for i, _ in pairs})
    right = sorted(set(range(len(read))) - {j for _, j in pairs})
    cost = np.ones((len(left), len(right)))
    for row, i in enumerate(left):
        for column, j in enumerate(right):
            a, b = wanted[i], read[j]
            value = _bound_similarity(a, b, _SIMILAR - 1e-9)
            alike = _sort(a) == _sort(b) and max(len(a), len(b)) <= _SHORT and abs(len(a) - len(b)) <= 1
            alike |= a.isdigit() and b.isdigit() and max(len(a), len(b)) <= _SHORT + 1 and (a in b or b in a)
            if value >= _SIMILAR or alike:
                # the order only breaks ties: it weighs less than one character of a word of 100
                tie = 1e-3 * abs(i / len(wanted) - j / len(read))
                cost[row, column] = min(0.99, 1.0 - max(value, 0.02)) + tie
    for row, column in zip(*linear_sum_assignment(cost), strict=True):
        if cost[row, column] < 1.0:
            pairs.append((left[row], right[column]))
    return tuple(sorted(pairs))


def _path(wanted: str, read: str) -> list[tuple[int | None, int | None]]:
    """(wanted index, read index) along one shortest edit path; None for what is missing on that side."""
    rows = [list(range(len(read) + 1))]
    for i, x in enumerate(wanted, 1):
        row, above = [i], rows[-1]
        for j, y in enumerate(read, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (x != y)))
        rows.append(row)
    path: list[tuple[int | None, int | None]] = []
    i, j = len(wanted), len(read)
    while i or j:
        if i and j and rows[i][j] == rows[i - 1][j - 1] + (wanted[i - 1] != read[j - 1]):
            i, j = i - 1, j - 1
            path.append((i, j))
        elif j and rows[i][j] == rows[i][j - 1] + 1:
            j -= 1
            path.append((None, j))
        else:
            i -= 1
            path.append((i, None))
    return path[::-1]


def _spell(
    wanted: str, read: str, wanted_word: int, read_word: int, unsure: Collection[int] = ()
) -> list[tuple[Edit, bool]]:
    """The edits inside one pair of words, runs of one kind put together, and whether each is open."""
    edits: list[tuple[Edit, bool]] = []
    run: list[tuple[int | None, int | None]] = []
    path = _path(wanted, read)
    touched = _touched(wanted, read, path, unsure)

    def close(end: int) -> None:
        if run:
            left = "".join(wanted[i] for i, _ in run if i is not None)
            right = "".join(read[j] for _, j in run if j is not None)
            kind: Kind = "substitution" if left and right else "omission" if left else "unrequested"
            first = run[0][1]
            if kind == "unrequested" and first is not None and _repeats(read, first, len(run)):
                kind = "duplication"
            edits.append((Edit(kind, left, right, wanted_word, read_word), end - 1 in touched))
            run.clear()

    for at, (i, j) in enumerate(path):
        if i is not None and j is not None and wanted[i] == read[j]:
            close(at)
            continue
        turned = run and ((run[-1][0] is None) != (i is None) or (run[-1][1] is None) != (j is None))
        if turned or (at - 1 in touched) != (at in touched):
            close(at)
        run.append((i, j))
    close(len(path))
    return edits


def _touched(
    wanted: str, read: str, path: Sequence[tuple[int | None, int | None]], unsure: Collection[int]
) -> set[int]:
    """The steps of a path that may come of an unsure letter: at it or beside it, or read besides where it was read."""
    touched: set[int] = set()
    if not unsure:
        return touched
    same = [i is not None and j is not None and wanted[i] == read[j] for i, j in path]
    for at, (i, _) in enumerate(path):
        near = range(max(0, at - 1), min(len(path), at + 2))
        if not same[at] and any(path[k][0] in unsure and (i is None or not same[k]) for k in near):
            touched.add(at)
    return touched


def _repeats(read: str, at: int, size: int) -> bool:
    run = read[at : at + size]
    return read[max(0, at - size) : at] == run or read[at + size : at + 2 * size] == run or _one_letter(read, at, size)


def _one_letter(read: str, at: int, size: int) -> bool:
    """Whether the run is one letter over and over that stands beside it: ``COFFEEEEE``."""
    beside = read[at - 1 : at] + read[at + size : at + size + 1]
    return len(set(read[at : at + size])) == 1 and read[at] in beside
