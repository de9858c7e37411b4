"""What the examples in docstrings print is what stands there."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

pytestmark = [pytest.mark.database, pytest.mark.slow]


def test_every_example_prints_what_stands_in_it(database: str) -> None:
    tried, wrong = 0, list[str]()
    for package in ("brain", "operators", "panels"):
        root = importlib.import_module(f"loupe.{package}")
        for info in pkgutil.walk_packages(root.__path__, f"{root.__name__}."):
            for test in doctest.DocTestFinder().find(importlib.import_module(info.name), info.name):
                tried += len(test.examples)
                doctest.DocTestRunner(optionflags=doctest.IGNORE_EXCEPTION_DETAIL).run(test, out=wrong.append)
    assert not wrong, "".join(wrong)
    assert tried > 500
