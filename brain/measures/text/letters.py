"""The letters of one line of text, cut out of its picture: what ``shape`` and ``style`` measure.

A recognizer says which characters there are and about where; the ink says what they look like. A letter that cannot be
told from its neighbors is left out, and a line whose ink does not stand out from its background is not judged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

#: height that a line is scaled to, in pixels: letters are then about 60 high
HEIGHT = 96
#: of the variance along the main axis of color, how much two tones must explain
_TWO_TONES = 0.72
#: the middle of a dot or an accent lies at most this share of the letters' height beside its letter
_NEAR = 0.15
#: a piece smaller than this share of its letter is a speck
_SPECK = 0.03
#: of a word's letters, how many must be found to judge it
_FOUND = 0.75
#: a group of ink wider than this share of the way from the last to the next letter's place is more than one letter
_WIDE = 0.75


@dataclass(frozen=True, eq=False)
class Letter:
    """One letter.

    Attributes:
        character: what it is read as
        word: index of its word in the line
        at: index among the characters of the line, spaces not counted: neighbors differ by 1
        left, top, right, bottom: of its ink, in pixels of the scaled line, y downwards; right and bottom exclusive
        ink: (bottom - top, right - left) bool: its own ink
        pieces: how many parts its ink has, dots and specks left out
        holes: how many holes its ink has, specks left out
    """

    character: str
    word: int
    at: int
    left: int
    top: int
    right: int
    bottom: int
    ink: np.ndarray
    pieces: int
    holes: int

    @property
    def height(self) -> int:
        """The height of its ink in pixels."""
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        """The middle of its ink along the line, in pixels."""
        return (self.left + self.right) / 2


@dataclass(frozen=True, eq=False)
class Lettering:
    """The letters that could be told apart.

    Attributes:
        letters: from left to right
        characters: how many letters and digits each word has, those that were not found included
        height: the median height of the letters in pixels of the scaled line
        grain: pixels of the scaled line that one pixel of the picture takes
    """

    letters: tuple[Letter, ...]
    characters: Mapping[int, int]
    height: float
    grain: float

    def words(self) -> list[list[Letter]]:
        """Returns the letters by word; words of which too few were found are left out."""
        by_word: dict[int, list[Letter]] = {}
        for letter in self.letters:
            by_word.setdefault(letter.word, []).append(letter)
        return [word for at, word in by_word.items() if len(word) >= _FOUND * self.characters[at]]


def letters_of(
    line: np.ndarray, text: str, places: Sequence[float], grain: float = 1.0, shift: float = 0.0
) -> Lettering | str:
    """Returns the letters of a line, or why they cannot be told apart.

    Args:
        line: (h, w, 3) uint8 RGB: the upright line with some background around it
        text: what it is read as
        places: about where each character of the text stands, from 0 (left edge) to 1 (right edge)
        grain: how many pixels of ``line`` one pixel of the picture takes
        shift: where ink ends and paper begins, as for ``ink_of``

    >>> import cv2
    >>> line = cv2.putText(np.full((60, 190, 3), 255, np.uint8), "EXIT", (15, 45), 0, 1.5, (0, 0, 0), 4)
    >>> [letter.character for letter in letters_of(line, "EXIT", [0.2, 0.45, 0.6, 0.8]).letters]
    ['E', 'X', 'I', 'T']
    """
    import cv2

    height, width = line.shape[:2]
    scale = HEIGHT / height
    wide = max(8, round(width * scale))
    wanted = _characters(text, places, wide)
    if not wanted:
        return "no letters or digits were read"
    scaled = cv2.resize(line, (wide, HEIGHT), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    ink = ink_of(scaled, shift)
    if isinstance(ink, str):
        return ink
    groups, labels = _groups(ink)
    letters = tuple(_letter(labels, group, character) for group, character in _assign(groups, wanted))
    if not letters:
        return "the letters cannot be told apart"
    height = float(np.median([letter.height for letter in letters]))
    return Lettering(letters, Counter(character.word for character in wanted), height, grain * scale)


def ink_of(line: np.ndarray, shift: float = 0.0) -> np.ndarray | str:
    """Returns the (h, w) bool ink of a (h, w, 3) uint8 line, or why it does not stand out.

    The colors are split in two along the axis on which they differ most; what the picture's border has is paper.
    With a ``shift`` of 0 the split is Otsu's; with 0.2 it is nearer to the paper by a fifth of the way from the mean of
    the ink to that of the paper: more is ink.
    """
    import cv2

    pixels = line.reshape(-1, 3).astype(np.float32)
    centered = pixels - pixels.mean(0)
    _, _, axes = np.linalg.svd(centered.T @ centered)
    tone = (centered @ axes[0]).reshape(line.shape[:2])
    low, high = np.percentile(tone, (1, 99))
    if high - low < 24:
        return "the lettering has too little contrast to be measured"
    levels = np.clip((tone - low) * (255 / (high - low)), 0, 255).astype(np.uint8)
    threshold, _ = cv2.threshold(levels, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    bright = levels > threshold
    share = float(bright.mean())
    if not 0 < share < 1:
        return "the lettering has too little contrast to be measured"
    between = share * (1 - share) * (levels[bright].mean() - levels[~bright].mean()) ** 2
    if between < _TWO_TONES * levels.var():
        return "the lettering does not stand out from its background"
    rim = np.concatenate([bright[0], bright[-1], bright[:, 0], bright[:, -1]])
    dark_ink = rim.mean() > 0.5
    moved = shift * (levels[bright].mean() - levels[~bright].mean())
    return levels <= threshold + moved if dark_ink else levels > threshold - moved


@dataclass(frozen=True)
class _Wanted:
    character: str
    word: int
    at: int
    place: float


def _characters(text: str, places: Sequence[float], width: int) -> list[_Wanted]:
    """The letters and digits, with their places in pixels."""
    out, word, at = [], 0, 0
    for character, place in zip(text, places, strict=False):
        if character.isspace():
            word += 1
            continue
        if character.isalnum():
            out.append(_Wanted(character, word, at, place * width))
        at += 1
    return out


@dataclass
class _Group:
    labels: list[int]
    left: int
    top: int
    right: int
    bottom: int
    area: int


def _groups(ink: np.ndarray) -> tuple[list[_Group], np.ndarray]:
    """The pieces of ink, put together where they are parts of one letter, from left to right."""
    import cv2

    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    pieces = []
    for label in range(1, count):
        x, y, w, h, area = (int(v) for v in stats[label])
        inside = x > 0 and y > 0 and x + w < ink.shape[1] and y + h < ink.shape[0]
        if inside and area >= 0.0012 * HEIGHT**2:
            pieces.append(_Group([label], x, y, x + w, y + h, area))
    if not pieces:
        return [], labels
    tall = sorted((piece.bottom - piece.top for piece in pieces), reverse=True)
    usual = float(np.median(tall[: max(1, len(tall) // 2)]))
    big = [piece for piece in pieces if piece.bottom - piece.top >= 0.45 * usual]
    small = [piece for piece in pieces if piece.bottom - piece.top < 0.45 * usual]
    big.sort(key=lambda piece: piece.left)
    merged: list[_Group] = []
    for piece in big:
        if merged and _overlap(merged[-1], piece) > 0.6:
            _join(merged[-1], piece)
        else:
            merged.append(piece)
    for piece in small:
        near = [
            group for group in merged if _beside(group, piece) <= _NEAR * usual and piece.bottom <= group.bottom + 2
        ]
        if near:
            _join(min(near, key=lambda group: _beside(group, piece)), piece)
        elif len(small) > len(big):
            merged.append(piece)
    merged.sort(key=lambda piece: piece.left)
    return merged, labels


def _overlap(a: _Group, b: _Group) -> float:
    """How much of the narrower one lies over or under the other one."""
    common = min(a.right, b.right) - max(a.left, b.left)
    return common / max(1, min(a.right - a.left, b.right - b.left))


def _beside(group: _Group, piece: _Group) -> float:
    """How far the middle of a piece lies beside a group; 0 over or under it."""
    middle = (piece.left + piece.right) / 2
    return max(group.left - middle, middle - group.right, 0.0)


def _join(group: _Group, piece: _Group) -> None:
    group.labels += piece.labels
    group.left, group.top = min(group.left, piece.left), min(group.top, piece.top)
    group.right, group.bottom = max(group.right, piece.right), max(group.bottom, piece.bottom)
    group.area += piece.area


def _assign(groups: list[_Group], wanted: list[_Wanted]) -> list[tuple[_Group, _Wanted]]:
    """Which group is which character: in order where there are as many, else those that hold just one place."""
    if len(groups) == len(wanted):
        return list(zip(groups, wanted, strict=True))
    held: list[list[int]] = [[] for _ in groups]
    for at, character in enumerate(wanted):
        gaps = [max(group.left - character.place, character.place - group.right, 0.0) for group in groups]
        if gaps and min(gaps) <= 0.1 * HEIGHT:
            held[int(np.argmin(gaps))].append(at)
    places = [-np.inf, *(character.place for character in wanted), np.inf]
    return [
        (group, wanted[mine[0]])
        for group, mine in zip(groups, held, strict=True)
        if len(mine) == 1 and group.right - group.left <= _WIDE * (places[mine[0] + 2] - places[mine[0]])
    ]


def _letter(labels: np.ndarray, group: _Group, character: _Wanted) -> Letter:
    import cv2

    part = labels[group.top : group.bottom, group.left : group.right]
    ink = np.isin(part, group.labels)
    padded = np.pad(ink, 1)
    speck = _SPECK * float(ink.sum())
    _, _, solid, _ = cv2.connectedComponentsWithStats(padded.astype(np.uint8), connectivity=8)
    _, _, empty, _ = cv2.connectedComponentsWithStats((~padded).astype(np.uint8), connectivity=4)
    pieces = int((solid[1:, cv2.CC_STAT_AREA] >= speck).sum())
    holes = int((empty[1:, cv2.CC_STAT_AREA] >= 0.3 * speck).sum()) - 1
    box = (group.left, group.top, group.right, group.bottom)
    return Letter(character.character, character.word, character.at, *box, ink, pieces, max(0, holes))
