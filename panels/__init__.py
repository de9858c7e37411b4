"""Panels draw records and turn clicks into views: one folder each."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import Any


def register(plugin: Any) -> None:
    """Registers the panel that each folder of this package defines in its ``panel.py``."""
    from loupe.panels.base import Panel

    for info in pkgutil.iter_modules(__path__):
        if not info.ispkg:
            continue
        module = importlib.import_module(f"{__name__}.{info.name}.panel")
        for _, defined in inspect.getmembers(module, inspect.isclass):
            if issubclass(defined, Panel) and defined.__module__ == module.__name__:
                plugin.register(defined)
