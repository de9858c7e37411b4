"""Where the figures come from: ``python -m benchmarks.<family> <command>``, and ``--help`` for a family's commands."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path


def _put_package() -> None:
    """Makes ``import loupe`` mean the checkout where Loupe is not installed: a bare machine has the folder only."""
    if "loupe" in sys.modules or importlib.util.find_spec("loupe") is not None:
        return
    root = Path(__file__).resolve().parents[1]
    spec = importlib.util.spec_from_file_location("loupe", root / "__init__.py", submodule_search_locations=[str(root)])
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["loupe"] = package
    spec.loader.exec_module(package)


_put_package()
