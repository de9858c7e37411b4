"""Where the figures come from: ``python -m benchmarks.<family> <command>``, and ``--help`` for a family's commands."""

from __future__ import annotations

import runpy
from pathlib import Path

# makes ``import loupe`` mean the checkout where Loupe is not installed: a bare machine has the folder only
runpy.run_path(str(Path(__file__).resolve().parents[1] / "__init__.py"))
