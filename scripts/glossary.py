"""Holds the code to docs/glossary.md: no name of its second table is bound anywhere.

python scripts/glossary.py    # prints where one is, and exits with 1
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "glossary.md"
FOLDERS = ("brain", "operators", "panels", "testing", "benchmarks", "scripts", "tests", "training")
#: banned inside of longer names as well
BRITISH = ("colour", "grey", "centre", "licence", "neighbour", "normalis", "recognis", "labelled", "artefact")
#: names that are stored on samples or given by others
KEPT = {"neighbour_distance"}


def banned(page: str) -> dict[str, str]:
    """Returns what stands in the table of names that are not used: the name and what to use instead.

    >>> banned("## Names that are not used\\n\\n| name | instead |\\n|---|---|\\n| `one` | a noun |\\n")
    {'one': 'a noun'}
    """
    _, _, table = page.partition("## Names that are not used")
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|$", table, flags=re.MULTILINE)
    return dict(rows)


def bound(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yields the line and the name of everything that a module binds: variables, parameters, functions, classes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.lineno, node.name
        elif isinstance(node, ast.alias):
            yield node.lineno, node.asname or node.name.partition(".")[0]
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.lineno, node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr


def instead(name: str, names: Mapping[str, str]) -> str | None:
    """Returns what to use instead of a name, or None where it may be used."""
    if name in KEPT:
        return None
    if name in names or name.lstrip("_") in names:
        return names[name if name in names else name.lstrip("_")]
    british = next((part for part in BRITISH if part in name.casefold()), None)
    return None if british is None else f"American spelling of {british!r}"


def main() -> int:
    names = banned(PAGE.read_text(encoding="utf-8"))
    if len(names) < 20:
        print(f"expected the table of names in {PAGE}, got {len(names)} names")
        return 1
    count = 0
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for line, name in sorted(bound(ast.parse(path.read_text(encoding="utf-8")))):
                if (use := instead(name, names)) is not None:
                    count += 1
                    print(f"{path.relative_to(ROOT)}:{line}: {name}: use {use}")
    print(f"{count} names that docs/glossary.md bans")
    return int(count > 0)


if __name__ == "__main__":
    sys.exit(main())
