"""Wildcards: ``__animal__`` in a prompt is a line of the file ``animal.txt`` in a folder of the user's."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from loupe.brain.core.errors import PromptError
from loupe.brain.prompts import tables

#: names may hold folders: "clothes/hats"
WILDCARD = re.compile(r"(?<![^\W_])__([^\W_][\w./ -]{0,198}?)__(?![^\W_])")
_MAX_BYTES = 10_000_000
_MAX_LINES = 1_000_000


class Wildcards:
    """The files of a folder, each read when it is first asked for.

    A line is a value; blank lines and lines that begin with ``#`` are none. A line may hold variants and wildcards, but
    a file may not lead to itself.

    Args:
        source: a folder of .txt files, or the values by name

    >>> Wildcards({"animal": ["cat", "dog"]}).values("animal")
    ('cat', 'dog')
    """

    def __init__(self, source: str | os.PathLike[str] | Mapping[str, object]) -> None:
        self._values: dict[str, tuple[str, ...]] = {}
        self._folder: Path | None = None
        if isinstance(source, Mapping):
            for name, given in source.items():
                if isinstance(given, str) or not all(isinstance(value, str) for value in _listed(given)):
                    raise PromptError(f"expected wildcard {str(name)[:60]!r} as a list of texts, got {given!r}"[:300])
                self._values[str(name)] = tuple(text for value in _listed(given) if (text := str(value).strip()))
        elif isinstance(source, (str, os.PathLike)):
            self._folder = Path(source).expanduser().resolve()
            if not self._folder.is_dir():
                raise PromptError(f"expected a folder of wildcards, one .txt file each, got {source!s}: there is none")
        else:
            raise PromptError(f"expected a folder of wildcards or their values by name, got {type(source).__name__}")
        self._checked: set[str] = set()
        #: the names whose values were looked at, each variant in them
        self.sound: set[str] = set()

    def values(self, name: str) -> tuple[str, ...]:
        """Returns the values of a wildcard.

        Raises:
            PromptError: there is none of that name, it lies outside of the folder, it is empty, or it leads to itself
        """
        if name not in self._checked:
            self._check(name)
        return self._read(name)

    def _check(self, name: str) -> None:
        """Goes through all that a wildcard leads to, whatever is drawn."""
        path: list[str] = []
        waiting: list[tuple[str, bool]] = [(name, True)]
        while waiting:
            current, enters = waiting.pop()
            if not enters:
                path.pop()
                self._checked.add(current)
                continue
            if current in path:
                circle = " → ".join([*path[path.index(current) :], current])
                raise PromptError(f"expected wildcards that end, but __{current}__ leads to itself: {circle[:300]}")
            if current in self._checked:
                continue
            path.append(current)
            waiting.append((current, False))
            names = dict.fromkeys(hit[1] for value in self._read(current) for hit in WILDCARD.finditer(value))
            waiting += [(following, True) for following in names]

    def _read(self, name: str) -> tuple[str, ...]:
        if name not in self._values:
            if self._folder is None:
                known = ", ".join(sorted(self._values)[:20]) or "none"
                raise PromptError(f"expected a wildcard that is known, got __{name}__: there are {known}")
            self._values[name] = self._from_file(self._folder, name)
        values = self._values[name]
        if not values:
            raise PromptError(f"expected at least one value for the wildcard __{name}__, got none")
        return values

    @staticmethod
    def _from_file(folder: Path, name: str) -> tuple[str, ...]:
        path = (folder / f"{name}.txt").resolve()
        if ".." in Path(name).parts or not path.is_relative_to(folder):
            raise PromptError(f"expected a wildcard inside of {folder}, got __{name}__, which lies outside of it")
        if not path.is_file():
            near = sorted(file.stem for file in folder.glob("*.txt"))[:20]
            raise PromptError(
                f"expected the file {name}.txt in {folder} for the wildcard __{name}__, got none. "
                f"There are: {', '.join(near) or 'no .txt files'}"
            )
        if path.stat().st_size > _MAX_BYTES:
            raise PromptError(f"expected {path.name} to be at most {_MAX_BYTES:,} bytes, got {path.stat().st_size:,}")
        lines = [line for _, line in tables.lines_of(tables.read_text(path)) if not line.startswith("#")]
        if len(lines) > _MAX_LINES:
            raise PromptError(f"expected {path.name} to have at most {_MAX_LINES:,} lines, got {len(lines):,}")
        return tuple(lines)


def _listed(given: object) -> list[object]:
    return list(given) if isinstance(given, (list, tuple, range)) else [given]
