"""How far the letters of a word stand off a smooth line, and how unevenly they are spaced.

A straight, a slanted, an arched line and one seen from the side are designs: the letters' feet and heads lie on smooth
curves then, which are fitted and taken away. What is left is what no design explains: waves within a word, letters that
jump, shrink or melt. Letters are compared with their like only: small letters, capitals with digits, and letters with
ascenders each have a height of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from loupe.brain.measures.text.letters import Letter

#: with fewer letters a curve fits any of them
MIN_LETTERS = 4
_HANGING = frozenset("gjpqy")
#: in some fonts they hang, in others they do not
_PERHAPS_HANGING = frozenset("QJf")
_SMALL = frozenset("acemnorsuvwxzgpqy")
_TALL = frozenset("bdfhkl")
#: small and capital ones have the same form, so a recognizer takes one for the other
_EITHER = frozenset("cosvwxzukp")
_OTHER = {"small": "capital", "capital": "small"}
#: feet and heads farther than this from where they belong, in letter heights, may be of the other case
_OTHER_CASE = 0.06
#: a gap is the mean distance of two letters' outlines, not more than this much beyond their least distance
_DEPTH = 0.1


@dataclass(frozen=True, eq=False)
class Shape:
    """How regular a word is.

    Attributes:
        baseline: root mean square of what feet and heads are off their curves, in letter heights, >= 0, lower is better
        spacing: standard deviation of the gaps between neighbors, in letter heights; NaN with fewer than three gaps
        slopes: (N,) how steeply the line falls at each letter, in pixels down for each pixel to the right
    """

    baseline: float
    spacing: float
    slopes: np.ndarray


def shape_of(word: Sequence[Letter]) -> Shape | str:
    """Returns how regular the letters of one word are, or why that cannot be said.

    The feet follow a parabola, those of letters that hang below the line one below it; the heads follow the same one,
    higher by the height of their kind of letter, which may grow along the line. Letters are measured along the slope of
    the line where they stand.
    """
    if len(word) < MIN_LETTERS:
        return f"fewer than {MIN_LETTERS} letters stand apart"
    height = float(np.median([letter.height for letter in word]))
    middles = np.array([letter.middle for letter in word])
    half = max(1.0, float(np.ptp(middles)) / 2)
    x = (middles - middles.mean()) / half
    kinds = [_kind(letter.character, at == 0) for at, letter in enumerate(word)]
    fit = _fitted(word, x, half, kinds)
    if fit is None:
        return "too few letters of one kind"
    # a small o that is read as a capital is no flaw: where its head is off, it is tried as the other one
    doubtful = np.abs(fit.heads) > _OTHER_CASE * height
    moved = [
        _OTHER.get(kind or "", kind) if off and letter.character.lower() in _EITHER else kind
        for letter, kind, off in zip(word, kinds, doubtful, strict=True)
    ]
    if moved != kinds:
        again = _fitted(word, x, half, moved)
        fit = again if again is not None and again.error < fit.error else fit
    gaps = _gaps(word, height)
    spacing = float(np.std(gaps)) if len(gaps) >= 3 else float("nan")
    return Shape(fit.error / height, spacing, fit.slopes)


def _kind(character: str, first: bool) -> str | None:
    """Which letters it shares its height with; None for a letter with a dot, an accent or a height of its own."""
    if character in _SMALL:
        return "small"
    if character in _TALL:
        return "tall"
    if not character.isascii() or character in "itjJ":
        return None
    # many designs begin a word in capitals with a larger one
    return "first" if first else "capital"


@dataclass(frozen=True, eq=False)
class _Fit:
    error: float
    slopes: np.ndarray
    heads: np.ndarray


def _fitted(word: Sequence[Letter], x: np.ndarray, half: float, kinds: Sequence[str | None]) -> _Fit | None:
    """The least squares fit of the curves; the slopes that it finds say where feet and heads are, so it is repeated."""
    columns = sorted({kind for kind in kinds if kind})
    feet = np.array([letter.character not in _PERHAPS_HANGING and letter.character.isascii() for letter in word])
    hanging = np.array([float(letter.character in _HANGING) for letter in word])
    heads = np.array([kind is not None for kind in kinds])
    ones = np.column_stack([np.ones(len(x)), x, x * x])
    kind_of = np.array([[float(kind == column) for column in columns] for kind in kinds]).reshape(len(x), -1)
    top = np.column_stack([ones, np.zeros(len(x)), x, kind_of])[heads]
    low = np.column_stack([ones, hanging, np.zeros((len(x), 1 + len(columns)))])[feet]
    design = np.vstack([low, top])
    freedom = len(design) - int(np.linalg.matrix_rank(design))
    if freedom < 2:
        return None
    down, up = np.zeros(len(x)), np.zeros(len(x))
    for _ in range(3):
        ends = np.array([_ends(letter, a, b) for letter, a, b in zip(word, up, down, strict=True)])
        target = np.concatenate([ends[feet, 1], ends[heads, 0]])
        solution = np.linalg.lstsq(design, target, rcond=None)[0]
        down = (solution[1] + 2 * solution[2] * x) / half
        up = down + solution[4] / half
    off = target - design @ solution
    by_letter = np.zeros(len(x))
    by_letter[heads] = off[int(feet.sum()) :]
    return _Fit(float(np.sqrt((off**2).sum() / freedom)), down, by_letter)


def _ends(letter: Letter, above: float, below: float) -> tuple[float, float]:
    """The head and the foot of a letter, measured along the slopes of the line at its head and its foot."""
    columns = np.flatnonzero(letter.ink.any(0))
    across = columns + 0.5 + letter.left - letter.middle
    inside = letter.ink[:, columns]
    head = letter.top + inside.argmax(0) - above * across
    foot = letter.bottom - inside[::-1].argmax(0) - below * across
    return float(head.min()), float(foot.max())


def _gaps(word: Sequence[Letter], height: float) -> list[float]:
    """The gaps between neighbors, in letter heights."""
    out = []
    for a, b in pairwise(word):
        top, bottom = max(a.top, b.top), min(a.bottom, b.bottom)
        if b.at != a.at + 1 or bottom - top < 0.3 * height:
            continue
        left, right = a.ink[top - a.top : bottom - a.top], b.ink[top - b.top : bottom - b.top]
        both = left.any(1) & right.any(1)
        if both.sum() < 3:
            continue
        end = a.right - left[both][:, ::-1].argmax(1)
        distance = b.left + right[both].argmax(1) - end
        out.append(float(np.minimum(distance, distance.min() + _DEPTH * height).mean()) / height)
    return out
