"""Media that lie on loopback servers, a cache of each test's own, and no waiting between tries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from object_server import Objects, served

import loupe
from loupe.brain.media import fetching, settings

_NAMES = (settings.ON, settings.CACHE, settings.CACHE_BYTES, settings.FILE_BYTES, settings.PRIVATE_HOSTS)


@pytest.fixture(autouse=True)
def media(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the cache; fetching is on, also from this machine."""
    for name in _NAMES:
        monkeypatch.setenv(name, "")  # what a test sets goes with it
    monkeypatch.setattr(fetching, "_wait", lambda seconds: None)
    folder = tmp_path / "cache"
    loupe.remote_media(True, cache=folder, private_hosts=["127.0.0.1"])
    yield folder
    fetching.forget()


@pytest.fixture
def web() -> Iterator[Objects]:
    with served() as objects:
        yield objects
