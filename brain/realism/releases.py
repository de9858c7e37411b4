"""When generators came out: a table of those that many use, by their names on the hub, and nobody is guessed.

A fine-tune of a model has another name, and another date that nobody knows here: it is none of the table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from loupe.brain.core.errors import InputError

_DATE = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")


@dataclass(frozen=True)
class Release:
    """When a generator came out.

    Attributes:
        date: ISO 8601, as exact as the source says: a month, or a day
        source: where that stands; of a paper on arXiv its month
        names: what it is called on the hub, in lower case, without who put it there
    """

    date: str
    source: str
    names: tuple[str, ...]


RELEASES = (
    Release("2022-08-22", "stability.ai/news/stable-diffusion-public-release", ("stable-diffusion-v1-4",)),
    Release("2022-10", "huggingface.co/stable-diffusion-v1-5/stable-diffusion-v1-5", ("stable-diffusion-v1-5",)),
    Release(
        "2022-11-24",
        "stability.ai/news/stable-diffusion-v2-release",
        ("stable-diffusion-2", "stable-diffusion-2-base"),
    ),
    Release(
        "2022-12-07",
        "stability.ai/news/stablediffusion2-1-release7-dec-2022",
        ("stable-diffusion-2-1", "stable-diffusion-2-1-base"),
    ),
    Release("2023-07-26", "stability.ai/news/stable-diffusion-sdxl-1-announcement", ("stable-diffusion-xl-base-1.0",)),
    Release(
        "2023-10",
        "arXiv:2310.00426",
        ("pixart-xl-2-512x512", "pixart-xl-2-1024-ms"),
    ),
    Release("2023-11-28", "stability.ai/news/stability-ai-sdxl-turbo", ("sdxl-turbo",)),
    Release("2023-12", "arXiv:2312.03511", ("kandinsky-3",)),
    Release("2024-02", "arXiv:2402.17245", ("playground-v2.5-1024px-aesthetic",)),
    Release(
        "2024-03",
        "arXiv:2403.04692",
        ("pixart-sigma-xl-2-512-ms", "pixart-sigma-xl-2-1024-ms"),
    ),
    Release(
        "2024-05",
        "arXiv:2405.08748",
        ("hunyuandit-diffusers",),
    ),
    Release(
        "2024-06-12",
        "stability.ai/news/stable-diffusion-3-medium",
        ("stable-diffusion-3-medium", "stable-diffusion-3-medium-diffusers"),
    ),
    Release("2024-08-01", "bfl.ai/announcing-black-forest-labs", ("flux.1-dev", "flux.1-schnell")),
    Release(
        "2024-10",
        "arXiv:2410.10629",
        ("sana_600m_512px_diffusers", "sana_1600m_512px_diffusers", "sana_1600m_1024px_diffusers"),
    ),
    Release(
        "2024-10-22",
        "stability.ai/news/introducing-stable-diffusion-3-5",
        ("stable-diffusion-3.5-large", "stable-diffusion-3.5-large-turbo"),
    ),
    Release("2025-03", "arXiv:2503.21758", ("lumina-image-2.0",)),
    Release("2025-05", "arXiv:2505.22705", ("hidream-i1-full", "hidream-i1-dev", "hidream-i1-fast")),
    Release("2025-08", "arXiv:2508.02324", ("qwen-image",)),
)
_BY_NAME = {name: release for release in RELEASES for name in release.names}


def released(names: Iterable[str], own: Mapping[str, str] | None = None) -> dict[str, str]:
    """Returns when generators came out, as far as that is known; the user's own dates first.

    Args:
        names: ids on the hub, or the names of models' folders
        own: dates by name: ISO 8601, a year, a month or a day

    Raises:
        InputError: a date of another form

    >>> released(["stabilityai/sdxl-turbo", "somebody/sdxl-turbo-anime", "mine"], {"mine": "2026-03"})
    {'stabilityai/sdxl-turbo': '2023-11-28', 'mine': '2026-03'}
    """
    known = dict(own or {})
    for name, date in known.items():
        if not isinstance(date, str) or not _DATE.fullmatch(date):
            raise InputError(f"expected a date such as '2024-06' or '2024-06-12' of {name!r}, got {date!r}")
    made = {}
    for name in names:
        listed = _BY_NAME.get(re.split(r"[/\\]", name.rstrip("/\\"))[-1].lower())
        if name in known or listed is not None:
            made[name] = known[name] if listed is None or name in known else listed.date
    return made
