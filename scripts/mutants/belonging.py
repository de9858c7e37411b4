"""Which tests belong to a file: those of its room that import it or are named after it, else all of the room's.

The rest of the room's tests come after them, and then tests elsewhere that import it, as far as the time allows: a file
of a lower room is often asked about by the tests of a higher one. The store and the verbs are asked about by all that
needs the database, as what they do shows there. A check is asked about by its own slow tests, too: what it does with
what a model sees, only those know.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_OF_THE_DATABASE = ("store", "verbs")
_OF_MODELS = ("checks",)
#: rooms of tests that start browsers or run over the whole project: too slow to be asked about each mutant
_APART = ("app", "contract", "integration", "support")


@dataclass(frozen=True)
class Tests:
    """The test files that belong to a file, relative to the project.

    Attributes:
        own: those about it
        slow: those of which the slow tests count, too
        room: the rest of its room's
        others: those of other rooms
    """

    own: tuple[str, ...]
    slow: tuple[str, ...]
    room: tuple[str, ...]
    others: tuple[str, ...]


class Belonging:
    """Finds the tests of a file by what they import.

    Args:
        project: the folder of the package, under the package's name
    """

    def __init__(self, project: Path) -> None:
        self._package = project.name
        texts = {
            path.relative_to(project).as_posix(): path.read_text(encoding="utf-8")
            for path in sorted((project / "tests").rglob("test_*.py"))
        }
        self._imported = {test: frozenset(_imported(ast.parse(text))) for test, text in texts.items()}
        self._of_database = frozenset(test for test, text in texts.items() if "pytest.mark.database" in text)

    def of(self, room: str, path: str) -> Tests:
        """Returns the tests of a file of a room."""
        module = ".".join((self._package, *PurePosixPath(path).with_suffix("").parts)).removesuffix(".__init__")
        of_room = [test for test in self._imported if test.startswith(f"tests/{room}/")]
        importers = [test for test, names in self._imported.items() if module in names]
        stem = PurePosixPath(path).stem
        own = [test for test in of_room if test in importers or _is_about(test, stem)] or of_room
        asking = {*importers, *(self._of_database if room in _OF_THE_DATABASE else ())} - {*of_room}
        return Tests(
            own=tuple(own),
            slow=tuple(own) if room in _OF_MODELS and own != of_room else (),
            room=tuple(test for test in of_room if test not in own),
            others=tuple(sorted(test for test in asking if PurePosixPath(test).parts[1] not in _APART)),
        )


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_about(test: str, stem: str) -> bool:
    name = PurePosixPath(test).stem
    return name == f"test_{stem}" or name.startswith(f"test_{stem}_")
