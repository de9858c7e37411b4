"""Which models are here, without asking a network."""

from __future__ import annotations

from pathlib import Path

import pytest

from loupe.brain.perception.vlm import folder


def test_a_vlm_is_here_with_its_weights_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    assert folder.is_here(str(tmp_path))
    assert not folder.is_here("nobody/has-this")
    assert not folder.is_here("not a name")
    config = tmp_path / "config.json"
    config.write_text("{}")
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_: str(config))
    assert not folder.is_here("some/vlm")
    (tmp_path / "model.safetensors").write_bytes(b"")
    assert folder.is_here("some/vlm")
