"""What an image costs: price lists with their date and sources. Prices change: ``price_per_image`` overrides them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from loupe.brain.core.errors import InputError

#: when the lists were last looked at, and the pages that decide. OpenAI's rates and token counts and the steps of FLUX
#: were read in others' quotes of these pages, not on them
AS_OF = "2026-11-29"
SOURCES = {
    "openai": "https://developers.openai.com/api/docs/pricing#image-generation",
    "ideogram": "https://ideogram.ai/features/api-pricing",
    "bfl": "https://docs.bfl.ai/quick_start/pricing",
}


@dataclass(frozen=True)
class TokenRates:
    """Dollars for a million tokens.

    Attributes:
        image_out: of the picture
        text_in: of the prompt
        factors: quality → how many patches the longer side counts as; None: the older table of tokens
    """

    image_out: float
    text_in: float
    factors: Mapping[str, int] | None = None


_IMAGE_2 = {"low": 16, "medium": 48, "high": 96}
_IMAGE_2_5 = {"low": 16, "medium": 24, "high": 48, "xhigh": 64, "max": 96}
#: a model's name begins with it: dated snapshots cost the same. The first that fits counts
OPENAI: dict[str, TokenRates] = {
    "gpt-image-2.5-": TokenRates(30, 5, _IMAGE_2_5),
    "gpt-image-2-": TokenRates(30, 5, _IMAGE_2),
    "gpt-image-1.5-": TokenRates(32, 5),
    "gpt-image-1-mini-": TokenRates(8, 2),
    "gpt-image-1-": TokenRates(40, 5),
}
_OLDER_TOKENS = {
    ("low", 1024, 1024): 272,
    ("low", 1024, 1536): 408,
    ("low", 1536, 1024): 400,
    ("medium", 1024, 1024): 1056,
    ("medium", 1024, 1536): 1584,
    ("medium", 1536, 1024): 1568,
    ("high", 1024, 1024): 4160,
    ("high", 1024, 1536): 6240,
    ("high", 1536, 1024): 6208,
}
_IDEOGRAM = {
    "ideogram-4-5": {"low": 0.03, "medium": 0.06, "high": 0.10},
    "ideogram-4": {"turbo": 0.03, "default": 0.06, "quality": 0.10},
    "ideogram-3": {"flash": 0.03, "turbo": 0.03, "default": 0.06, "quality": 0.09},
}
#: dollars for the first megapixel and for each further one
_BFL_MEGAPIXELS = {
    "flux-2-klein-4b": (0.014, 0.001),
    "flux-2-klein-9b": (0.015, 0.002),
    "flux-2-pro": (0.03, 0.015),
    "flux-2-max": (0.07, 0.03),
}
_BFL = {"flux-pro-1.1": 0.04, "flux-pro-1.1-ultra": 0.06}


def rates(model: str) -> TokenRates | None:
    """Returns what OpenAI's tokens of a model cost; None where the list does not have it."""
    return next((rate for name, rate in OPENAI.items() if f"{model}-".startswith(name)), None)


def openai_tokens(model: str, quality: str, width: int, height: int) -> int | None:
    """Returns the output tokens of an image; None where nobody says.

    The newer models count patches: the longer side as ``factors`` says, the shorter in proportion, times an area term
    (OpenAI's own cost calculator; 7024 for 1024 x 1024 at the highest quality).

    >>> openai_tokens("gpt-image-2.5-flare", "medium", 1024, 1024)
    439
    """
    known = rates(model)
    if known is None:
        return None
    if known.factors is None:
        return _OLDER_TOKENS.get((quality, width, height))
    factor = known.factors.get(quality)
    if factor is None:
        return None
    longer, shorter = max(width, height), min(width, height)
    short_factor = (2 * factor * shorter + longer) // (2 * longer)
    return math.ceil(factor * short_factor * (2_000_000 + width * height) / 4_000_000)


def of_openai(model: str, quality: str, width: int, height: int) -> float | None:
    """Returns dollars for an image; the few tokens of its prompt are not in it.

    >>> of_openai("gpt-image-2.5-flare", "medium", 1024, 1024)
    0.01317
    """
    known, tokens = rates(model), openai_tokens(model, quality, width, height)
    return None if known is None or tokens is None else round(tokens * known.image_out / 1e6, 6)


def of_openai_usage(model: str, text_in: int, image_out: int) -> float | None:
    """Returns dollars for the tokens that an answer tells."""
    known = rates(model)
    return None if known is None else round((text_in * known.text_in + image_out * known.image_out) / 1e6, 6)


def of_ideogram(model: str, quality: str) -> float | None:
    """Returns dollars for an image."""
    return _IDEOGRAM.get(model, {}).get(quality)


def qualities_of_ideogram(model: str) -> tuple[str, ...]:
    """Returns the qualities of a model, none where the list does not have it."""
    return tuple(_IDEOGRAM.get(model, ()))


def of_bfl(model: str, width: int, height: int) -> float | None:
    """Returns dollars for an image; a megapixel that is begun counts.

    >>> of_bfl("flux-2-pro", 1024, 1024)
    0.045
    """
    if model in _BFL:
        return _BFL[model]
    if model not in _BFL_MEGAPIXELS:
        return None
    first, further = _BFL_MEGAPIXELS[model]
    return round(first + (math.ceil(width * height / 1e6) - 1) * further, 6)


def checked(name: str, value: float | None) -> None:
    """Raises an InputError where an amount of dollars is none.

    >>> checked("budget", 5.0)
    """
    if value is None:
        return
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not number or value < 0 or (name == "budget" and value == 0):
        lowest = "more than 0" if name == "budget" else "from 0"
        raise InputError(f"expected {name} in dollars, {lowest}, got {value!r}. Leave it out for none")
