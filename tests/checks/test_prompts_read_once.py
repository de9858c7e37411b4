"""A prompt is read once, though a check asks it twice: whether it can judge, and what for."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from loupe.brain.core import registry

ONCE = {"composition": ("parse", "_parsed"), "text": ("requested_text", "_requested")}


@pytest.mark.parametrize("name", ONCE)
def test_a_prompt_is_read_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module(f"loupe.brain.prompts.{ONCE[name][0]}")
    cached = getattr(module, ONCE[name][1])
    read: list[str] = []

    def counted(prompt: str) -> Any:
        read.append(prompt)
        return cached.__wrapped__(prompt)

    monkeypatch.setattr(module, ONCE[name][1], type_of(cached)(counted))
    check = registry.checks()[name]()
    fields = {"prompt": f'two red cups and a sign that says "OPEN", {name}'}
    for _ in range(2):
        assert check.abstains(fields) is None
    assert read == [fields["prompt"]]


def type_of(cached: Any) -> Any:
    """Returns what makes a cache of the same size."""
    from functools import lru_cache

    size: int = cached.cache_info().maxsize
    assert 100 <= size < 100_000
    return lru_cache(size)
