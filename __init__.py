"""Loupe finds the flaws in image datasets, generated ones first.

FiftyOne runs this file as a plugin module, pip installs the same folder as the package ``loupe``. Everything imports
``loupe.…`` absolutely, so that there is one copy of every class whichever way came first.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

__version__ = "0.2.0"

_HERE = Path(__file__).resolve().parent


def _put_canonical_package() -> None:
    """Makes ``import loupe`` mean this folder where loupe is not installed (a plain link in the plugins folder)."""
    if "loupe" in sys.modules or importlib.util.find_spec("loupe") is not None:
        return
    spec = importlib.util.spec_from_file_location(
        "loupe", _HERE / "__init__.py", submodule_search_locations=[str(_HERE)]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["loupe"] = package
    spec.loader.exec_module(package)


if __name__ != "loupe":
    _put_canonical_package()


def register(plugin: Any) -> None:
    """Registers every operator and panel with FiftyOne."""
    importlib.import_module("loupe.operators").register(plugin)
    importlib.import_module("loupe.panels").register(plugin)


def __getattr__(name: str) -> Any:
    # the names are listed in brain/api.py alone, which imports nothing heavy
    api = importlib.import_module("loupe.brain.api")
    if name in api.PUBLIC:
        return getattr(api, name)
    raise AttributeError(f"module 'loupe' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*importlib.import_module("loupe.brain.api").PUBLIC, "__version__", "register"])
