"""Makes the pages of docs/checks: what each group of checks finds, misses and abstains on, in pictures.

    python scripts/check_pages.py FOLDER                      # makes all pages; FOLDER holds the data
    python scripts/check_pages.py FOLDER text duplicates      # these pages
    python scripts/check_pages.py FOLDER --check              # exits 1 where a page is stale; pictures are not compared

The checks are run, and their own words stand under the pictures. A picture that no longer falls into the section where
its author put it (pages/pixels.py, prompts.py, people.py) ends the script with exit status 1, and its page is left as
it was. Needs the model files: ``loupe weights get all``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pages.people
import pages.pixels
import pages.prompts
from pages.cases import SECTIONS, Case, Group
from pages.drawn_boxes import drawn, side_by_side
from pages.pictures import SOURCES, attribution, picture, with_defect
from PIL import Image

from loupe.brain.core import registry
from loupe.brain.core.records import Output
from loupe.brain.engine import runner
from loupe.brain.engine.reader import Row
from loupe.brain.engine.runner import Verdict
from loupe.brain.similarity import fingerprints

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "checks"
GROUPS: dict[str, Group] = pages.pixels.GROUPS | pages.prompts.GROUPS | pages.people.GROUPS
_COLUMNS = 3
_VERDICTS = {"Finds": "Found", "Misses": "Missed", "Abstains": "Unknown", "Flags wrongly": "False alarm"}


def section(output: Output, verdict: Verdict, flawed: bool) -> str:
    """Returns the section that a verdict belongs to; "" for a sound picture that passes.

    Args:
        output: the number that decides
        verdict: what the check said
        flawed: whether the picture has the flaw
    """
    assert output.default_threshold is not None
    score = verdict.scores.get(output.name, float("nan"))
    if np.isnan(score):
        return "Abstains"
    if output.default_threshold.violates(np.array([score]))[0]:
        return "Finds" if flawed else "Flags wrongly"
    return "Misses" if flawed else ""


def judged(cases: Sequence[Case], pictures: Sequence[tuple[np.ndarray, ...]], folder: Path) -> list[Verdict]:
    """Returns the verdict on each case. Pairs are compared with each other as samples of one set.

    Args:
        cases: what is asked
        pictures: one picture for each case, or two for a pair
        folder: an empty one, for the files that the checks read
    """
    known = registry.failures()
    rows, verdicts = [], {}
    for index, (case, made) in enumerate(zip(cases, pictures, strict=True)):
        check, files = known[case.failure][0], []
        for at, pixels in enumerate(made):
            files.append(folder / f"{index}-{at}.png")
            Image.fromarray(pixels).save(files[-1])
        if len(files) == 2:
            verdicts[str(index)] = _compared(str(index), files)
        else:
            fields = {"prompt": case.prompt or None}
            rows.append(Row(str(index), str(files[0]), fields, frozenset((check,)), {check: ""}))
    specs = [spec().resolved("cpu") for spec in registry.checks().values()]
    for found in runner.run(rows, specs, device="cpu", workers=1):
        verdicts |= {verdict.row.id: verdict for verdict in found}
    return [verdicts[str(index)] for index in range(len(cases))]


def _compared(name: str, files: list[Path]) -> Verdict:
    """The similarity of two files and whether they are equal, as find_duplicates and find_leaks have them."""
    rows = [Row(str(file), str(file)) for file in files]
    known = fingerprints.read(rows, lambda _: None)
    spec = registry.sets()["duplicates"]()
    line = registry.failures()["near_duplicate"][1].default_threshold
    assert line is not None
    pairs, highest = fingerprints.across(
        known, np.arange(2), line, per_image=spec.per_image, minimum=spec.min_hash, report=lambda _: None
    )
    equal = float(any(kind in ("bytes", "pixels") for kind, _ in pairs.values()))
    scores = {name: float(highest[0]) for name in ("near_duplicate", "leak", "memorized")} | {"exact_duplicate": equal}
    reasons = {"duplicates": known.reasons[0]} if 0 in known.reasons else {}
    return Verdict(rows[0], scores, reasons, {}, {}, {})


def pixels_of(case: Case, folder: Path) -> tuple[np.ndarray, ...]:
    """Returns the case's picture with its flaw; of a pair, both."""
    first = picture(case.picture, folder)
    made = with_defect(first, case.defect, case.severity, case.seed) if case.defect else first
    made = case.change(made) if case.change else made
    if case.other:
        return first, picture(case.other, folder)
    return (first, made) if case.pair else (made,)


def caption(case: Case, verdict: Verdict, output: Output, check: str) -> str:
    """Returns what stands under a picture: the verdict, what is to be seen, the flaw that was put in, the prompt."""
    assert output.default_threshold is not None
    if case.section == "Abstains":
        told = verdict.reasons.get(check) or "; ".join(verdict.reasons.values()) or "no reason given"
        parts = told.split("; ")
        mine = next((part.partition(": ")[2] for part in parts if part.startswith(f"{output.name}: ")), told)
        word = mine[:220]
    else:
        side = "below" if output.default_threshold.op == "<" else "above"
        word = f"`{output.name}` {verdict.scores[output.name]:.3g}, fails {side} {output.default_threshold.value:g}"
    lines = [f"**{_VERDICTS[case.section]}: `{case.failure}`.** {word[0].upper()}{word[1:]}."]
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
        told = f"{name}, {case.failure} of {case.picture}"
        if verdict.errors:
            wrong.append(f"{told}: {'; '.join(verdict.errors.values())}")
            continue
        got = section(output, verdict, case.section != "Flags wrongly")
        if got != case.section:
            scores = {key: float(f"{value:.3g}") for key, value in verdict.scores.items()}
            wrong.append(f"{told}: expected “{case.section}”, got “{got or 'passes'}”: {scores} {verdict.reasons}")
        file = f"{name}-{number:02}-{case.failure.replace('_', '-')}.jpg"
        panels[file] = side_by_side(made) if len(made) == 2 else drawn(made[0], verdict, check, case.section)
        shown = case if got == case.section else replace(case, section=got or "Flags wrongly")
        if got:
            cells[shown.section].append((file, caption(shown, verdict, output, check)))
    lines = [f"# {group.title}", "", " ".join(group.text.split()), ""]
    for title, told in SECTIONS.items():
        if cells[title]:
            lines += [f"## {title}", "", told, "", *_table(cells[title]), ""]
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
        for file, told in cells[start : start + _COLUMNS]:
            lines += [f'<td width="33%" valign="top">\n\n![{file.split("-", 1)[1][:-4]}]({file})\n\n{told}\n\n</td>']
        lines.append("</tr>")
    return [*lines, "</table>"]


def main(arguments: list[str] | None = None, out: Path = FOLDER) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the data folder")
    parser.add_argument("groups", nargs="*", metavar="group", help=f"of {', '.join(GROUPS)}; all by default")
    parser.add_argument("--check", action="store_true", help="exit 1 where a page is not what would be written")
    chosen = parser.parse_args(arguments)
    for name in chosen.groups:
        if name not in GROUPS:
            parser.error(f"expected groups out of {', '.join(GROUPS)}, got {name!r}")
    wrong = []
    for name in chosen.groups or GROUPS:
        text, panels, mistakes = page(name, GROUPS[name], chosen.folder)
        wrong += mistakes
        file = out / f"{name}.md"
        if chosen.check:
            if not mistakes and (not file.is_file() or file.read_text(encoding="utf-8") != text):
                wrong.append(f"{file.name} is stale: run python scripts/check_pages.py FOLDER {name}")
        elif not mistakes:
            out.mkdir(parents=True, exist_ok=True)
            for old in out.glob(f"{name}-[0-9][0-9]-*.jpg"):
                old.unlink()
            for path, made in panels.items():
                made.save(out / path, quality=80, optimize=True)
            file.write_text(text, encoding="utf-8")
    print("\n".join(wrong), file=sys.stderr, end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
