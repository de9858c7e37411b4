"""Servers on loopback, and samples whose pictures lie there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from object_server import Objects, served
from remote import add, picture

import loupe
from loupe.brain.media import fetching, settings

_NAMES = (settings.ON, settings.CACHE, settings.CACHE_BYTES, settings.FILE_BYTES, settings.PRIVATE_HOSTS)


@pytest.fixture(autouse=True)
def media(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in _NAMES:
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(fetching, "_wait", lambda seconds: None)
    loupe.remote_media(True, cache=tmp_path / "cache", private_hosts=["127.0.0.1"])
    yield tmp_path / "cache"
    fetching.forget()


@pytest.fixture
def web() -> Iterator[Objects]:
    with served() as objects:
        yield objects


@pytest.fixture
def bucket(web: Objects, monkeypatch: pytest.MonkeyPatch) -> Objects:
    """Keys of the bucket ``pictures`` are paths below ``/pictures/``."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", web.url)
    for name, value in (("ACCESS_KEY_ID", "AKIA"), ("SECRET_ACCESS_KEY", "secret"), ("DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    return web


@pytest.fixture
def pictures(dataset: Any, web: Objects) -> Any:
    """Four pictures on the server, the last two the same."""
    for at in range(4):
        web.held[f"/{at}.png"] = picture(min(at, 2))
    add(dataset, [f"{web.url}/{at}.png?sig=secret" for at in range(4)])
    return dataset
