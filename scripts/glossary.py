"""Holds the code to docs/glossary.md: no name of its second table is bound anywhere, and what is read is American.

python scripts/glossary.py    # prints where one is, and exits with 1
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "glossary.md"
FOLDERS = ("brain", "operators", "panels", "testing", "benchmarks", "scripts", "tests", "training")
#: banned inside of longer names as well
BRITISH = ("colour", "grey", "centre", "licence", "neighbour", "normalis", "recognis", "labelled", "artefact")
#: of what is read: British words, in comments, docstrings and docs
PROSE = re.compile(
    r"\b(?:(?:dis|un)?colour|grey(?:s|er|ish|scale)?\b|centre[sd]?\b|licence|neighbour|normalis|organis[ei]|recognis|"
    r"labell|artefact|behaviour|favour|honour|analyse[dr]?\b|cancell(?:ed|ing)|catalogue|judgement|optimis[ei]|minimis|"
    r"maximis|summaris|initialis|visualis|modell|travell|quantis|tokenis|misspelt|metres?\b|towards\b)"
)
#: in code, of what others wrote, and what stands on a picture
_QUOTED = re.compile(r"`+[^`]*`+|“[^”]*”|\"[^\"]*\"|\([\w/.#:-]+\)")
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


def british(text: str) -> list[str]:
    """Returns the British words of a text, without what it quotes.

    >>> british('The colour of "grey" and `colour` is a behaviour'), british("Gray centers")
    (['colour', 'behaviour'], [])
    """
    return PROSE.findall(_QUOTED.sub("", text).lower())


def prose(source: str) -> Iterator[tuple[int, str]]:
    """Yields the line and the text of each comment and docstring of a module."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, documented) and ast.get_docstring(node)]
    docstrings = {node.body[0].lineno for node in nodes}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and token.start[0] in docstrings):
            yield token.start[0], token.string.strip('"')


def written() -> Iterator[tuple[Path, int, str]]:
    """Yields the place and the text of all that is read."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if path != Path(__file__).resolve():
                yield from ((path, line, text) for line, text in prose(path.read_text(encoding="utf-8")))
    for path in sorted((ROOT / "docs").rglob("*.md")):
        if path != PAGE and "published" not in path.parts:
            lines = path.read_text(encoding="utf-8").splitlines()
            yield from ((path, number, line) for number, line in enumerate(lines, 1))


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
    for path, number, text in written():
        for word in british(text):
            count += 1
            print(f"{path.relative_to(ROOT)}:{number}: {word}: use the American spelling")
    print(f"{count} names and words that docs/glossary.md bans")
    return int(count > 0)


if __name__ == "__main__":
    sys.exit(main())
