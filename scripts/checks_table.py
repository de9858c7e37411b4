"""Makes the table of checks in docs/checks.md from the registry.

python scripts/checks_table.py            # prints the table
python scripts/checks_table.py --write    # puts it between the markers in docs/checks.md
python scripts/checks_table.py --check    # exits 1 when docs/checks.md is stale
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from loupe.brain.core import registry
from loupe.brain.core.records import Output
from loupe.brain.core.specs import Check, ObjectMeasure, SetMeasure

PAGE = Path(__file__).resolve().parents[1] / "docs" / "checks.md"
BEGIN, END = "<!-- checks -->", "<!-- /checks -->"
#: what has a row
_Spec = type[Check] | type[SetMeasure] | type[ObjectMeasure]
HEADER = ("Check", "Failure modes", "Score", "Fails by default", "Needs", "Source")


def table() -> str:
    """Returns the table of all registered checks and measures as markdown: a row for each output."""
    specs: list[_Spec] = [*registry.checks().values(), *registry.sets().values(), *registry.objects().values()]
    rows = [row for spec in specs for row in _rows(spec)]
    lines = [HEADER, ("---",) * len(HEADER), *rows]
    return "\n".join("| " + " | ".join(cell for cell in line) + " |" for line in lines)


def _rows(spec: _Spec) -> list[tuple[str, ...]]:
    # what fails stands first, each in its own row; what is only reported follows in one row
    failing = [output for output in spec.outputs if output.default_threshold]
    reported = [output for output in spec.outputs if not output.default_threshold]
    cells = [(f"`{output.failure}`", _score(output), _threshold(output)) for output in failing]
    if reported:
        cells.append(("", ", ".join(f"`{output.name}` ({_cell(output.unit)})" for output in reported), "only told"))
    needs = ", ".join(f"`{name}`" for name in getattr(spec, "needs", ())) or "–"
    needs = "`objects=`" if issubclass(spec, ObjectMeasure) else needs
    asked = "" if getattr(spec, "default", True) else " (on request)"
    first = (f"`{spec.name}`{asked}", needs, _cell(spec.reference))
    name, fields, source = first
    return [
        (name if index == 0 else "", *cell, fields if index == 0 else "", source if index == 0 else "")
        for index, cell in enumerate(cells)
    ]


def _score(output: Output) -> str:
    return f"`{output.name}` ({_cell(output.unit)}; {output.direction})"


def _threshold(output: Output) -> str:
    assert output.default_threshold is not None
    sign = {"<": "&lt;", ">": "&gt;"}[output.default_threshold.op]
    return f"{sign} {output.default_threshold.value:g}: {_cell(output.default_threshold.provenance)}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")


def put(text: str) -> str:
    """Returns a page's text with the table between its markers.

    Raises:
        ValueError: the text does not have each marker once, in order
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ValueError(f"expected {BEGIN} and then {END}, once each")
    pattern = re.escape(BEGIN) + ".*?" + re.escape(END)
    return re.sub(pattern, lambda _: f"{BEGIN}\n{table()}\n{END}", text, flags=re.DOTALL)


def main(arguments: list[str] | None = None, page: Path = PAGE) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--write", action="store_true", help="put the table into docs/checks.md")
    what.add_argument("--check", action="store_true", help="exit 1 when docs/checks.md is stale")
    chosen = parser.parse_args(arguments)
    if not (chosen.write or chosen.check):
        print(table())
        return 0
    before = page.read_text(encoding="utf-8")
    after = put(before)
    if chosen.write:
        page.write_text(after, encoding="utf-8")
    elif before != after:
        print(f"{page.name} is stale: run python scripts/checks_table.py --write", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
