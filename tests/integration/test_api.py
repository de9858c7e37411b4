"""The package offers what brain/api.py does, and imports it only when asked for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

import loupe


def test_asking_for_something_else_does_not_import_fiftyone() -> None:
    code = "import loupe, sys; getattr(loupe, 'setUpModule', None); dir(loupe); assert 'fiftyone' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="chekc"):
        loupe.chekc  # noqa: B018


@pytest.mark.database
def test_the_package_and_the_api_offer_the_same_names(database: str) -> None:
    from loupe.brain import api

    assert set(api.__all__) == set(loupe.__dir__()) - {"__version__", "register"}
    assert all(getattr(loupe, name) is getattr(api, name) for name in api.__all__)
