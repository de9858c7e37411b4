"""Where quotation marks open and close in a prompt, and where a mark is an apostrophe, feet or inches.

An apostrophe is no quotation mark: not in ``don't``, ``the dogs' bowl``, ``rock 'n' roll`` or ``'90s``, nor inside
``'Mama's Kitchen'``. A mark right after a number is feet or inches: ``a 4" nail``, ``5'9" tall``.
"""

from __future__ import annotations

import re
from functools import lru_cache

#: opening mark -> the marks that can close it; " and ' are their own closers
_CLOSERS = {
    '"': '"',
    "'": "'",
    "“": "”",
    "„": "“”",
    "‟": "”",
    "”": "”",
    "‘": "’",
    "‚": "‘’",
    "«": "»",
    "‹": "›",
    "「": "」",
    "『": "』",
    "《": "》",
    "〈": "〉",
    "＂": "＂",
    "`": "`",
}
#: marks that also stand inside words, as apostrophes
_APOSTROPHES = "'’‘"
#: characters after which an ambiguous mark may open; letters of scripts that put no spaces are added in ``_may_open``
_BEFORE_OPENING = frozenset(" \t\r\n([{<-–—:;,./=|“\"'「『。、，：")
#: the first of two marks for inches
_INCHES = re.compile(r"\d['’]$")
_ELISION = re.compile(r"['’‘](?:n['’]|\d0s\b|tis\b|twas\b|til\b|em\b|cause\b|bout\b|cuz\b)", re.IGNORECASE)


def quoted_spans(prompt: str) -> list[tuple[int, int]]:
    """Returns (start, end) of what stands between each pair of outermost quotation marks.

    >>> [prompt[start:end] for prompt in ['a sign that says "OPEN"'] for start, end in quoted_spans(prompt)]
    ['OPEN']
    """
    closings = _closings(prompt)
    spans, at = [], 0
    unclosed: set[tuple[str, bool]] = set()
    while at < len(prompt):
        mark = (prompt[at], _escaped(prompt, at))
        # where nothing closes a mark, nothing closes a later one: looked for once, the search stays linear
        if prompt[at] in _CLOSERS and mark not in unclosed and _may_open(prompt, at):
            end = _closing(prompt, at, closings)
            if end is None:
                unclosed.add(mark)
            else:
                spans.append((at + 1, end - 1 if _escaped(prompt, end) else end))
                at = end
        at += 1
    return spans


def _closings(prompt: str) -> dict[str, list[int]]:
    """For each closing mark its places, the last first, so that they can be popped as the search goes on."""
    wanted = set("".join(_CLOSERS.values()))
    places: dict[str, list[int]] = {mark: [] for mark in wanted}
    for at in range(len(prompt) - 1, -1, -1):
        if prompt[at] in wanted:
            places[prompt[at]].append(at)
    return places


def _escaped(prompt: str, at: int) -> bool:
    return at in _escaped_places(prompt)


@lru_cache(maxsize=8)
def _escaped_places(prompt: str) -> frozenset[int]:
    """Where a character stands that an odd number of backslashes precedes."""
    return frozenset(match.start(1) for match in re.finditer(r"\\(.)", prompt, re.DOTALL))


def _may_open(prompt: str, at: int) -> bool:
    mark = prompt[at]
    if at + 1 >= len(prompt) or (prompt[at + 1].isspace() and mark not in "«‹"):
        return False
    if mark not in "\"'‘`”":
        return True
    before = prompt[at - 1] if at else " "
    if before == "\\":
        before = prompt[at - 2] if at > 1 else " "
    if mark in _APOSTROPHES and (_ELISION.match(prompt, at) or _INCHES.search(prompt, max(0, at - 2), at)):
        return False
    return before in _BEFORE_OPENING or (ord(before) > 0x2E7F and not before.isspace())


def _closing(prompt: str, start: int, closings: dict[str, list[int]]) -> int | None:
    """The place of the mark that closes the one at ``start``; None when nothing does."""
    mark = prompt[start]
    escaped_pair = _escaped(prompt, start)
    candidates = []
    for closer in _CLOSERS[mark]:
        places = closings[closer]
        while places and places[-1] <= start:
            places.pop()
        candidates.append(places)
    if mark in "「『《〈«“‹" and len(_CLOSERS[mark]) == 1:
        return _balanced(prompt, start, mark, candidates[0])
    ordered = reversed(candidates[0]) if len(candidates) == 1 else sorted(candidates[0] + candidates[1])
    for place in ordered:
        if mark in "'‘" and not _closes_word(prompt, place):
            continue
        if prompt[place] in '"＂' and _escaped(prompt, place) != escaped_pair:
            continue
        if mark in "'‘" and _is_possessive(prompt, place):
            continue
        return place
    return None


def _balanced(prompt: str, start: int, mark: str, places: list[int]) -> int | None:
    """The closing mark at which as many have closed as opened; the first one where they never balance."""
    depth, at = 1, start
    for place in reversed(places):
        depth += prompt.count(mark, at + 1, place) - 1
        at = place
        if depth == 0:
            return place
    return places[-1] if places else None


def _closes_word(prompt: str, at: int) -> bool:
    """Whether an apostrophe stands after a word and before none: ``STOP'`` but not ``Mama's``."""
    after = prompt[at + 1] if at + 1 < len(prompt) else " "
    return not prompt[at - 1].isspace() and not (after.isalnum() and ord(after) < 0x2E80)


def _is_possessive(prompt: str, at: int) -> bool:
    """Whether the mark after an s is the possessive of a quoted phrase that goes on: ``'the dogs' bowl'``."""
    if prompt[at - 1] != "s" or at + 2 >= len(prompt) or prompt[at + 1] != " " or not prompt[at + 2].isalpha():
        return False
    following = re.compile(r"['’‘]").search(prompt, at + 1, at + 200)
    if following is None or _may_open(prompt, following.start()):
        return False
    later = following.start()
    after = prompt[later + 1] if later + 1 < len(prompt) else "."
    # "'Open' in the workers' hall": the later mark is a possessive itself, and closes nothing
    return _closes_word(prompt, later) and not (prompt[later - 1] == "s" and after == " ")
