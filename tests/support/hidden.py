"""Packages that are not installed as far as a process can see: this file is its sitecustomize."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any

NAMES = frozenset(os.environ.get("LOUPE_TEST_HIDDEN", "").split())


class Hiding:
    """A finder that does not find some packages, nor says that they are there."""

    def __init__(self, finder: Any) -> None:
        self._finder = finder

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        # Loupe itself is not installed either: what the checkout holds is found once it is loaded from there
        hidden = name if name.startswith("loupe.") else name.partition(".")[0]
        if hidden in NAMES:
            return None
        return self._finder.find_spec(name, path, target)

    def find_distributions(self, *arguments: Any, **more: Any) -> Iterable[Any]:
        for package in getattr(self._finder, "find_distributions", lambda *_, **__: ())(*arguments, **more):
            if (package.metadata["Name"] or "").lower().replace("-", "_") not in NAMES:
                yield package

    def __getattr__(self, name: str) -> Any:
        return getattr(self._finder, name)


if NAMES:
    sys.meta_path[:] = [Hiding(finder) for finder in sys.meta_path]
