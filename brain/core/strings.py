"""Two texts as they are compared: what of a text counts, and how far one text is from another."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

#: of symbols and punctuation, what changes the meaning of a text
_KEPT_SYMBOLS = frozenset("%&@#+=<>$€£¥¢₩₹")


@lru_cache(maxsize=65536)
def comparable(text: str) -> str:
    """Returns the characters that are compared: letters, digits, % & @ # + = < > and currencies; no case, no accents.

    Case, accents, punctuation and white space are left out: generators choose case freely, and recognizers are not sure
    of the others.

    >>> comparable("Mama's CAFÉ, 50%")
    'mamascafe50%'
    """
    plain = unicodedata.normalize("NFKD", text.casefold())
    kept = (c for c in plain if c in _KEPT_SYMBOLS or unicodedata.category(c)[0] in "LN")
    return unicodedata.normalize("NFC", "".join(kept)).casefold()


def distance(a: str, b: str) -> int:
    """Returns the Levenshtein distance: the least number of characters to replace, drop or add.

    >>> distance("kitten", "sitting")
    3
    """
    if len(a) < len(b):
        a, b = b, a
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
    return row[-1]


def similarity(a: str, b: str) -> float:
    """Returns 1 - distance / max(length), in [0, 1]; 1 for two empty strings."""
    longest = max(len(a), len(b))
    return 1.0 - distance(a, b) / longest if longest else 1.0
