"""One page of docs/checks: its pictures with the checks' own words under them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PIL import Image

from loupe.brain.core import registry
from loupe.brain.core.records import Output
from loupe.brain.engine.runner import Verdict
from pages.cases import SECTIONS, Case, Group
from pages.drawn_boxes import drawn, side_by_side
from pages.judging import judged, pixels_of, section
from pages.pictures import SOURCES, attribution

_COLUMNS = 3
_VERDICTS = {"Finds": "Found", "Misses": "Missed", "Abstains": "Unknown", "Flags wrongly": "False alarm"}


def caption(case: Case, verdict: Verdict, output: Output, check: str) -> str:
    """Returns what stands under a picture: the verdict, what is to be seen, the flaw that was put in, the prompt."""
    assert output.default_threshold is not None
    if case.section == "Abstains":
        reasons = verdict.reasons.get(check) or "; ".join(verdict.reasons.values()) or "no reason given"
        parts = reasons.split("; ")
        mine = next((part.partition(": ")[2] for part in parts if part.startswith(f"{output.name}: ")), reasons)
        text = mine[:220]
    else:
        side = "below" if output.default_threshold.op == "<" else "above"
        text = f"`{output.name}` {verdict.scores[output.name]:.3g}, fails {side} {output.default_threshold.value:g}"
    lines = [f"**{_VERDICTS[case.section]}: `{case.failure}`.** {text[0].upper()}{text[1:]}."]
    lines.append(case.note)
    if case.defect:
        lines.append(f"Put in by us: `{case.defect}`, {case.severity:g} ({registry.defects()[case.defect].unit}).")
    if case.prompt:
        lines.append(f"Asked for: “{case.prompt}”.")
    source = case.picture.partition("/")[0]
    if not case.picture.startswith("drawn"):
        lines.append(f"*{SOURCES[source].title[0].upper()}{SOURCES[source].title[1:]}*")
    return " ".join(" ".join(lines).split()).replace("|", "\\|").replace("<", "&lt;")


def page(name: str, group: Group, data: Path) -> tuple[str, dict[str, Image.Image], list[str]]:
    """Returns a group's page, its pictures by file name, and what is wrong with its cases."""
    pictures = [pixels_of(case, data) for case in group.cases]
    with tempfile.TemporaryDirectory() as folder:
        verdicts = judged(group.cases, pictures, Path(folder))
    cells: dict[str, list[tuple[str, str]]] = {title: [] for title in SECTIONS}
    panels: dict[str, Image.Image] = {}
    wrong = []
    for number, (case, made, verdict) in enumerate(zip(group.cases, pictures, verdicts, strict=True), 1):
        check, output = registry.failures()[case.failure]
        what = f"{name}, {case.failure} of {case.picture}"
        if verdict.errors:
            wrong.append(f"{what}: {'; '.join(verdict.errors.values())}")
            continue
        got = section(output, verdict, case.section != "Flags wrongly")
        if got != case.section:
            scores = {key: float(f"{value:.3g}") for key, value in verdict.scores.items()}
            wrong.append(f"{what}: expected “{case.section}”, got “{got or 'passes'}”: {scores} {verdict.reasons}")
        file = f"{name}-{number:02}-{case.failure.replace('_', '-')}.jpg"
        panels[file] = side_by_side(made) if len(made) == 2 else drawn(made[0], verdict, check, case.section)
        shown = case if got == case.section else replace(case, section=got or "Flags wrongly")
        if got:
            cells[shown.section].append((file, caption(shown, verdict, output, check)))
    lines = [f"# {group.title}", "", " ".join(group.text.split()), ""]
    for title, sentence in SECTIONS.items():
        if cells[title]:
            lines += [f"## {title}", "", sentence, "", *_table(cells[title]), ""]
    lines += ["## Where the pictures are from", "", "Scaled down, with what the check says drawn on them.", ""]
    used = [name for case in group.cases for name in (case.picture, case.other) if name]
    lines += attribution(used, data)
    lines += ["", "Made by `scripts/check_pages.py`, which runs the checks; do not edit this page."]
    return "\n".join(lines) + "\n", panels, wrong


def _table(cells: Sequence[tuple[str, str]]) -> list[str]:
    """Rows of three pictures with their captions: a table of HTML has no row of headings."""
    lines = ["<table>"]
    for start in range(0, len(cells), _COLUMNS):
        lines.append("<tr>")
        for file, text in cells[start : start + _COLUMNS]:
            lines += [f'<td width="33%" valign="top">\n\n![{file.split("-", 1)[1][:-4]}]({file})\n\n{text}\n\n</td>']
        lines.append("</tr>")
    return [*lines, "</table>"]
