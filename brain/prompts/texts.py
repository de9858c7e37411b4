"""What a prompt may hold, and how long it may be."""

from __future__ import annotations

import unicodedata
from typing import Any

from loupe.brain.core.errors import PromptError

#: the longest prompt, negative prompt or factor value, in characters: far more than any text encoder reads
MAX_CHARACTERS = 4000
#: the same for an image that is there already: what it was asked for is stored, and encoded by nobody
MAX_STORED = 100_000

_TAKEN = """
prompt negative_prompt seed factors id pk STRICT clean clear_field copy fancy_repr field_names field_to_mongo
field_to_python from_dict from_json get_field get_text_score has_field iter_fields merge my_metaclass set_field to_dict
to_json to_mongo validate
"""
#: what a factor cannot be named: the other columns, and what FiftyOne's documents call their own methods
RESERVED = frozenset(_TAKEN.split())


def checked_text(text: Any, where: str, what: str, longest: int = MAX_CHARACTERS) -> str:
    """Returns a text that any file and any database can hold, without the white space around it.

    Args:
        text: what was given
        where: where it stands
        what: what it is
        longest: in characters

    Raises:
        PromptError: it is no text, too long, or holds control characters or halves of a surrogate pair
    """
    if not isinstance(text, str):
        raise PromptError(f"{where}: expected {what} to be text, got {type(text).__name__}")
    text = text.strip()
    if len(text) > longest:
        raise PromptError(f"{where}: expected {what} of at most {longest:,} characters, got {len(text):,}")
    for position, character in enumerate(text):
        # Cc: control characters; Cs: halves of a surrogate pair, which no file and no database can hold
        if unicodedata.category(character) in ("Cc", "Cs") and character not in "\t\n\r":
            raise PromptError(
                f"{where}: expected {what} without control characters, got U+{ord(character):04X} "
                f"at character {position + 1}"
            )
    return text
