"""The scores that each check gives on the committed pictures: written once, held to ever after.

    .venv/bin/python scripts/contract_scores.py --check            # what has changed
    .venv/bin/python scripts/contract_scores.py --write            # after a change that is meant, with a new version
    .venv/bin/python scripts/contract_scores.py --check seam halo

They catch what no rule does: a tuned constant that has moved. Checks with a model are compared on the pictures that
are meant for them, all others on every picture. The table in testing/pictures/README.md is made here, too.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from loupe.brain.core import registry
from loupe.brain.core.errors import MissingWeights
from loupe.brain.core.records import SampleResult
from loupe.brain.core.specs import Check
from loupe.testing.cases import CASES, PICTURES
from loupe.testing.check import Judging
from loupe.testing.picture_set import FOLDER, Case

ROOT = Path(__file__).resolve().parents[1]
SCORES = ROOT / "tests" / "contract" / "scores.json"
README = FOLDER / "README.md"

#: they run a model
MODELS = ("body", "faces", "hands", "nsfw", "overlay", "personal_data", "skin", "text")
#: relative and absolute; a network may sum in another order on another CPU
TOLERANCE, MODEL_TOLERANCE = 1e-3, 1e-2

#: what limits are looked at with: a picture, width and height of parts of it, rows of a strip, how much it is
#: enlarged, standard deviations in levels, shares of a white picture; a limit that moves by a fifth passes over one
_LIMITS_OF = "pagoda"
_SMALL = ((35, 35), (52, 52), (70, 70), (120, 80), (140, 100), (210, 70), (210, 140), (285, 190))
_STRIP, _ENLARGED, _FAINT, _ON_WHITE = 132, 2.6, (1.6, 2.3, 3.2, 6.0), (0.022, 0.055)

Facts = dict[str, Any]


def cases_of(check: Check, judging: Judging) -> Sequence[Case]:
    """Returns the cases that a check is compared on."""
    if check.name in MODELS or check.needs:
        return judging.cases
    seen: dict[tuple[Any, ...], Case] = {}
    for case in (*CASES, *limits()):  # what differs in its fields alone is the same picture to it
        picture = case.picture if isinstance(case.picture, str) else case.name
        seen.setdefault((picture, case.defect, case.severity, case.seed, case.size), case)
    return tuple(seen.values())


@cache
def limits() -> tuple[Case, ...]:
    """Returns a picture cut to small sizes, enlarged, and with hardly any contrast: what limits are for."""
    whole = Case("", _LIMITS_OF).pixels
    parts = [
        Case(f"{_LIMITS_OF}, {width} x {height}", whole[100 : 100 + height, 150 : 150 + width])
        for width, height in _SMALL
    ]
    strip = Case(f"{_LIMITS_OF}, a strip", whole[120 : 120 + _STRIP])
    size = (round(whole.shape[1] * _ENLARGED), round(whole.shape[0] * _ENLARGED))
    large = np.asarray(Image.fromarray(whole).resize(size, Image.Resampling.BICUBIC))
    middle = whole.astype(np.float64).mean()
    faint = [
        Case(f"{_LIMITS_OF}, {levels} levels", (128 + (whole - middle) * levels / whole.std()).round().astype(np.uint8))
        for levels in _FAINT
    ]
    on_white = []
    for share in _ON_WHITE:
        white, side = np.full_like(whole, 255), round((share * whole[..., 0].size) ** 0.5)
        white[100 : 100 + side, 150 : 150 + side] = whole[100 : 100 + side, 150 : 150 + side]
        on_white.append(Case(f"{_LIMITS_OF}, {share:.1%} on white", white))
    return (*parts, strip, Case(f"{_LIMITS_OF}, enlarged", large), *faint, *on_white)


def facts_of(result: SampleResult) -> Facts:
    """Returns what a check says of a picture as plain values, without what says nothing."""
    values = {name: None if math.isnan(value) else float(f"{value:.6g}") for name, value in result.values.items()}
    facts: Facts = {"scores": values}
    if result.reason:
        facts["reason"] = result.reason
    if result.boxes:
        facts["boxes"] = [[box.label, *(round(side, 3) for side in box.bounds)] for box in result.boxes]
    if result.points:
        facts["points"] = [[points.label, len(points.points)] for points in result.points]
    if result.map is not None:
        facts["map"] = float(f"{float(result.map.mean()):.6g}")
    return facts


def measured(check: Check) -> dict[str, Facts]:
    """Returns what a check says of each of its cases, by the case's name."""
    judging = Judging(check)
    return {
        case.name: facts_of(judging.run(judging.batch([case])).by_sample(1)[0])
        for case in cases_of(check.resolved("cpu"), judging)
    }


def differences(wanted: Any, got: Any, tolerance: float, path: str = "") -> Iterator[str]:
    """Yields where two plain values differ; numbers by more than the tolerance, relative and absolute."""
    if isinstance(wanted, Mapping) and isinstance(got, Mapping):
        for key in {**wanted, **got}:
            yield from differences(wanted.get(key), got.get(key), tolerance, f"{path}, {key}" if path else str(key))
    elif isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        for index, (first, second) in enumerate(zip(wanted, got, strict=True)):
            yield from differences(first, second, tolerance, f"{path}[{index}]")
    elif isinstance(wanted, (int, float)) and isinstance(got, (int, float)):
        if not math.isclose(wanted, got, rel_tol=tolerance, abs_tol=tolerance):
            yield f"{path}: expected {wanted}, got {got}"
    elif wanted != got:
        yield f"{path}: expected {wanted!r}, got {got!r}"


def stored() -> dict[str, Any]:
    """Returns what stands in the file, by check."""
    return json.loads(SCORES.read_text(encoding="utf-8")) if SCORES.exists() else {}


def compared(check: Check) -> list[str]:
    """Returns where a check says something else than what is stored; empty where it does not."""
    kept = stored().get(check.name)
    if kept is None:
        return [f"{check.name}: expected stored scores, got none; run scripts/contract_scores.py --write {check.name}"]
    tolerance = MODEL_TOLERANCE if check.name in MODELS else TOLERANCE
    changes = list(differences(kept["cases"], measured(check), tolerance))
    if changes:
        same = kept["version"] == check.version
        changes.append(
            f"if that is meant: {'raise its version and ' if same else ''}run scripts/contract_scores.py --write "
            f"{check.name}; else a constant or a rule has moved"
        )
    return changes


def written(scores: Mapping[str, Any]) -> str:
    """Returns the file's text: one picture a line."""
    parts = []
    for name, kept in sorted(scores.items()):
        lines = ",\n".join(f"    {json.dumps(case)}: {json.dumps(facts)}" for case, facts in kept["cases"].items())
        parts.append(f'  "{name}": {{"version": {kept["version"]}, "cases": {{\n{lines}\n  }}}}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def readme() -> str:
    """Returns the text of testing/pictures/README.md."""
    lines = [
        "# The pictures of the contract tests",
        "",
        "Made by `scripts/contract_scores.py --write` from the table in `testing/cases.py`; do not edit.",
        "",
        "Small free pictures on which every check has to know its scores. Each is judged as it is, and some with a "
        "flaw of `brain/defects` put into them as they are read. *Fails*: has to be flagged by the default threshold. "
        "*Passes*: has to be known and not flagged. *Unknown*: has to be unknown, for a reason.",
        "",
        "| file | what | by | license | from | changes |",
        "|---|---|---|---|---|---|",
    ]
    for name, origin in sorted(PICTURES.items()):
        lines.append(
            f"| {name}.jpg | {origin.what} | {origin.author} | {origin.license} | {origin.source} | {origin.changes} |"
        )
    lines += [
        "",
        "CC-BY-2.0: creativecommons.org/licenses/by/2.0. The pictures under it are cropped and scaled down.",
        "",
        "| case | file | flaw | asked for | fails | passes | unknown |",
        "|---|---|---|---|---|---|---|",
    ]
    for case in CASES:
        cells = (", ".join(modes) for modes in (case.fails, case.passes, case.unknown))
        prompt = str(case.fields.get("prompt", "")).replace("|", "")
        lines.append(f"| {case.name} | {case.picture}.jpg | {case.defect or ''} | {prompt} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("checks", nargs="*", help="their names; all by default")
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--write", action="store_true", help="write what they say now")
    choice.add_argument("--check", action="store_true", help="compare with what is written")
    given = parser.parse_args()
    every = [registry.pick("check", registry.checks(), name) for name in given.checks or registry.checks()]
    chosen = [check for check in every if not check.absent()]
    scores, problems = stored(), 0
    for check in chosen:
        try:
            if given.write:
                scores[check.name] = {"version": check.version, "cases": measured(check)}
                continue
            changes = compared(check)
        except MissingWeights as error:
            print(f"{check.name}: left out: {error}")
            continue
        problems += bool(changes)
        print(f"{check.name}: " + ("\n  ".join(["changed", *changes]) if changes else "as before"))
    if given.write:
        SCORES.write_text(written(scores), encoding="utf-8")
        README.write_text(readme(), encoding="utf-8")
        print(f"wrote {SCORES} and {README}")
    elif not README.exists() or README.read_text(encoding="utf-8") != readme():
        print(f"{README} is not what the table says: run --write")
        problems += 1
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
