"""The public names are brain/api.py's, and asking for another name imports nothing heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest

import loupe


@pytest.mark.database
def test_the_public_names_are_those_of_the_api(database: str) -> None:
    from loupe.brain import api

    assert set(dir(loupe)) == {*api.__all__, "__version__", "register"}
    assert all(getattr(loupe, name) is getattr(api, name) for name in api.__all__)


def test_another_name_imports_nothing_heavy() -> None:
    code = "import sys, loupe; print(hasattr(loupe, 'setUpModule'), 'fiftyone' in sys.modules, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["False"] * 3
