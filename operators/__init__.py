"""One operator a verb: a form in, one call of the verb, a summary out."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import Any


def register(plugin: Any) -> None:
    """Registers the operators that the modules of this package define."""
    import fiftyone.operators as foo

    for info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{info.name}")
        for _, operator in inspect.getmembers(module, inspect.isclass):
            if (
                issubclass(operator, foo.Operator)
                and operator.__module__ == module.__name__
                and not inspect.isabstract(operator)
            ):
                plugin.register(operator)
