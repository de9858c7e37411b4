"""DALL·E's file names, as ChatGPT and OpenAI's labs gave them: ``DALL·E 2024-01-05 12.34.56 - A red fox.png``.

A name is cut and loses what a file may not be called. So it gives the tool and a part of the prompt, never the prompt.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePath

from loupe.brain.provenance.records import Reading

_NAME = re.compile(r"^DALL.{0,2}E \d{4}-\d{2}-\d{2} \d{2}[.:_]\d{2}[.:_]\d{2} - (.+)$", re.DOTALL)


def read_name(name: str) -> Reading | None:
    """Returns what the name of a file of DALL·E's tells; None where it is no such name."""
    hit = _NAME.match(unicodedata.normalize("NFC", PurePath(name).stem))
    if hit is None:
        return None
    values = {"tool": "DALL·E", "prompt_part": hit[1].strip()}
    return Reading("the file's name", values, {"prompt": "the file's name holds only a part of it"})
