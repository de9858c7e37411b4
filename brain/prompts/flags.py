"""Midjourney's flags in a prompt: ``--ar 16:9``, ``--no plants``, and with the one dash that telephones make of two."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

#: what Midjourney knows after "--", and how many words of value each takes: "" none, "1" one, "*" up to the next flag
_FLAGS = {
    "*": "no sref cref oref profile personalize p",
    "1": "ar aspect v version style s stylize c chaos q quality seed sameseed stop w weird iw cw sw sv ow repeat r exp "
    "niji motion bs end width height h steps cfg scale n",
    "": "tile raw fast relax turbo draft hd sd stealth public video loop upbeta uplight test testp creative hq",
}
#: how many words of value each known flag takes
KNOWN = {name: count for count, names in _FLAGS.items() for name in names.split()}
#: two hyphens, or the one dash that telephones make of them
_FLAG = re.compile(r"(?<!\S)(?:--([A-Za-z][A-Za-z_-]{0,30})|[—–]([a-z]{1,12}))(?=\s|$|[,.;])")
_VALUE = re.compile(r"[ \t]+(?!--|[—–])[^\s,;]+")
_NUMBER = re.compile(r"[ \t]+[\d:.x/-]{1,20}(?![^\s,;.])")


class Flag(NamedTuple):
    """A flag: its name in lower case, the span of it with its value, and the value as it stands."""

    name: str
    start: int
    end: int
    value: str


def flags_in(text: str, quoted: Sequence[tuple[int, int]], *, known: bool = False) -> list[Flag]:
    """Returns the flags that are not quoted, in order.

    Args:
        text: a prompt
        quoted: the spans that hold none, in order
        known: whether a flag of a name that Midjourney does not know is none

    >>> flags_in("a cup --ar 16:9 --no plants, trees", [])
    [Flag(name='ar', start=6, end=15, value='16:9'), Flag(name='no', start=16, end=34, value='plants, trees')]
    """
    hits, at = [], 0
    for hit in _FLAG.finditer(text):
        while at < len(quoted) and quoted[at][1] <= hit.start():
            at += 1
        inside = at < len(quoted) and quoted[at][0] <= hit.start()
        # after a dash "no" is a word as often as not: the grammar reads it
        named = hit[1] or (hit[2] in KNOWN and hit[2] != "no")
        if named and not inside and not (known and (hit[1] or hit[2]).lower() not in KNOWN):
            hits.append(hit)
    flags = []
    for place, hit in enumerate(hits):
        following = hits[place + 1].start() if place + 1 < len(hits) else len(text)
        name = (hit[1] or hit[2]).lower()
        end = _end_of_value(text, hit.end(), following, name)
        flags.append(Flag(name, hit.start(), end, text[hit.end() : end].strip()))
    # the blanks before the next flag are no part of a value
    return [flag._replace(end=flag.start + len(text[flag.start : flag.end].rstrip())) for flag in flags]


def _end_of_value(text: str, start: int, following: int, name: str) -> int:
    count = KNOWN.get(name)
    if count == "*":
        line = text.find("\n", start, following)
        return following if line < 0 else line
    pattern = _VALUE if count == "1" else _NUMBER
    hit = pattern.match(text, start, following) if count != "" else None
    return hit.end() if hit else start
