"""Names for groups of checks: ``loupe.check(dataset, "photos")``, the App's form and ``loupe check`` read the same.

Which checks are in a group stands on each check: ``default`` for "quick", ``presets`` for the two kinds of pictures;
what is in neither of these runs where it is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from loupe.brain.core.specs import Check, SetCheck

#: preset → what it is for; no check and no failure mode may have one of these names
PRESETS: dict[str, str] = {
    "quick": "What takes about as long as decoding does, and the text that a prompt asks for",
    "photos": "What goes wrong in photos: blur, exposure, contrast, size, watermarks, damage by processing",
    "generated": "What goes wrong in generated pictures: also hands, faces, bodies, text, composition, tiling",
    "all": "Every check but those of safety and taste, which run where they are named",
}


def members(preset: str, known: Mapping[str, type[Check] | type[SetCheck]]) -> list[str]:
    """Returns the names of a preset's checks, in the order of ``known``.

    Raises:
        KeyError: there is no such preset
    """
    PRESETS[preset]
    return [
        name
        for name, spec in known.items()
        if (spec.default if preset == "quick" else spec.presets if preset == "all" else preset in spec.presets)
    ]


def expanded(
    wanted: Iterable[str | Check | SetCheck], known: Mapping[str, type[Check] | type[SetCheck]]
) -> list[str | Check | SetCheck]:
    """Returns what is wanted with each preset's checks in its place; all else stays as it is."""
    names: list[str | Check | SetCheck] = []
    for each in wanted:
        names += members(each, known) if isinstance(each, str) and each in PRESETS else [each]
    return names
