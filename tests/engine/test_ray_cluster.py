"""The way to a cluster, without one: what is missing is one clear error, what has begun ends with its block."""

from __future__ import annotations

import pytest

from loupe.brain.core.errors import InputError, MissingDependency
from loupe.brain.engine import map as engines


def test_without_ray_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependency, match=r"pip install 'loupe-fiftyone\[ray\]', here and on every node"):
        engines.require_engine("ray")
    engines.require_engine("local")


def test_an_address_where_nothing_is_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'loupe-fiftyone[ray]'")
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")

    def refuses(**given: object) -> None:
        assert given["address"] == "127.0.0.1:1"
        raise ConnectionError("nothing answers")

    monkeypatch.setattr(ray, "init", refuses)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    expected = r"expected a Ray cluster at RAY_ADDRESS='127\.0\.0\.1:1', got: nothing answers"
    with pytest.raises(InputError, match=expected), engines.opened("ray"):
        pass
