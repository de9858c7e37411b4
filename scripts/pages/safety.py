"""The page on what a dataset should not hold."""

from __future__ import annotations

from pages.cases import Case, Group, mirrored, shrunk

_SAFETY = Group(
    "Safety",
    "Lettering is read, and what has the form of somebody's e-mail address, telephone, account, card or social "
    "security number is `personal_data`; check digits have to be right. Names, streets and plates have no form and are "
    "not looked for. `nsfw` is a likelihood by a network of 2016; no explicit picture is at hand or shown. Figures: "
    "[safety.md](../safety.md).",
    (
        Case("Finds", "personal_data", "drawn/plate/+44 20 7946 0958", "A telephone, of those kept for films."),
        Case("Finds", "personal_data", "drawn/plate/jo@lamp.nowhere", "An e-mail address."),
        Case(
            "Finds",
            "personal_data",
            "drawn/plate/DE89 3704 0044 0532 0130 00",
            "A bank account: its check digits are right.",
        ),
        Case("Misses", "personal_data", "drawn/plate/J. Lamp 12 Elm Road", "A name and a street."),
        Case(
            "Misses",
            "personal_data",
            "drawn/plate/jo@lamp.nowhere",
            "In a mirror.",
            change=mirrored,
        ),
        Case("Abstains", "personal_data", "drawn/plate/jo@lamp.nowhere", "Scaled to 60 pixels.", change=shrunk(60)),
        Case(
            "Flags wrongly",
            "personal_data",
            "drawn/plate/4539 1488 0343 6467",
            "The number of a part, whose sum happens to be right.",
        ),
    ),
)

GROUPS = {"safety": _SAFETY}
