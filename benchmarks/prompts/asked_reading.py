"""Hits of ``benchmarks.prompts.asked`` that a reader found wrong: what the words mean there is no failure's look."""

from __future__ import annotations

#: suite, line from 0, words; of the 150 hits of the held-out half
WRONG: frozenset[tuple[str, int, str]] = frozenset(
    {
        ("complex", 781, "blank canvas"),
        ("complex", 795, "night"),
        ("complex", 917, "silhouette"),
        ("coco", 135, "night"),
        ("coco", 473, "identical"),
        ("dpg", 11, "night"),
        ("dpg", 75, "monochrome"),
        ("dpg", 743, "watercolor"),
        ("dpg", 793, "doll"),
        ("dpg", 909, "exaggerated"),
        ("dpg", 1025, "floral patterns"),
        ("oneig", 501, "minimalist design"),
        ("oneig", 719, "white background"),
        ("oneig", 1075, "x rays"),
        ("parti", 617, "statue"),
    }
)
