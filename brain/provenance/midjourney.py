"""Midjourney: the ``Description`` of its PNGs, messages of Discord's export, and what a file's name tells.

A name keeps the beginning of the prompt, with its punctuation gone and the user's name before it. So the name gives
the tool and the job, and a part of the prompt; never the prompt.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from loupe.brain.provenance.records import Reading

_JOB = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_NAME = re.compile(rf"^([^/]{{3,}}?)_({_JOB.pattern})(?:_\d)?(?:_\w{{1,20}})?$", re.IGNORECASE)
_MESSAGE = re.compile(r"^\*\*(.{1,20000}?)\*\* - ", re.DOTALL)
_FLAG = re.compile(r"(?:^|\s)(?:--|—)([a-z]+)\s*")
_LINK = re.compile(r"^<?https?://\S+>?\s*")


def read_description(texts: Mapping[str, Any], source: str) -> Reading | None:
    """Returns what the texts of a PNG of Midjourney's state; None where they are not Midjourney's."""
    text = texts.get("Description")
    prompt, mark, job = text.rpartition("Job ID:") if isinstance(text, str) else ("", "", "")
    return of_prompt(prompt, source, job.strip().lower()) if mark and _JOB.fullmatch(job.strip()) else None


def of_prompt(text: str, source: str, job: str | None = None) -> Reading:
    """Returns what a prompt as it was typed states: it is kept with its flags.

    >>> of_prompt("a red fox --no dogs, cats --seed 7 --v 6.1", "here").values["negative_prompt"]
    'dogs, cats'
    """
    flags = _flags(text)
    version = flags.get("niji") or flags.get("v") or flags.get("version")
    name = "Niji" if "niji" in flags else "Midjourney"
    values = {
        "tool": "Midjourney",
        "prompt": text.strip() or None,
        "negative_prompt": flags.get("no", ""),
        "seed": flags.get("seed"),
        "model": f"{name} {version}" if version else None,
        "job": job,
    }
    return Reading(source, values)


def _flags(text: str) -> dict[str, str]:
    hits = list(_FLAG.finditer(text))
    ends = [*(hit.start() for hit in hits[1:]), len(text)][: len(hits)]
    return {hit[1]: text[hit.end() : end].strip() for hit, end in zip(hits, ends, strict=True)}


def read_name(name: str) -> Reading | None:
    """Returns what the name of a file that Midjourney made tells; None where it is no such name.

    >>> read_name("ann_a_red_fox_in_snow_0f8b4c1e-1111-2222-3333-444455556666_2.png").values["tool"]
    'Midjourney'
    """
    hit = _NAME.match(PurePath(name).stem)
    if hit is None or "_" not in hit[1]:
        return None
    values = {"tool": "Midjourney", "job": hit[2].lower(), "prompt_part": hit[1].replace("_", " ").strip()}
    return Reading("the file's name", values, {"prompt": "the file's name holds only a part of it"})


def job_of(name: str) -> str | None:
    """Returns the id of the job in a file's name or in a link, in lower case; None where there is none."""
    hit = _JOB.search(name)
    return hit[0].lower() if hit else None


def read_message(content: str, source: str) -> Reading | None:
    """Returns what a message of Midjourney's bot states; None where it is another message.

    >>> read_message("**a red fox --ar 3:2** - <@1> (fast)", "here").values["prompt"]
    'a red fox --ar 3:2'
    """
    hit = _MESSAGE.match(content)
    return None if hit is None else of_prompt(_LINK.sub("", hit[1]), source)
