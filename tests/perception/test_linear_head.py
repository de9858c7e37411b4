"""Heads of linear layers: put together they give what the layers give one after another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from loupe.brain.core.errors import ModelError
from loupe.brain.perception import linear_head


def laion_head() -> torch.nn.Sequential:
    """The layers of LAION's improved head, of smaller width: more than ten of them sort by number, not by letter."""
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(24, 16), torch.nn.Dropout(0.2), torch.nn.Linear(16, 12), torch.nn.Dropout(0.2),
        *(torch.nn.Dropout(0.1) for _ in range(6)), torch.nn.Linear(12, 5), torch.nn.Linear(5, 1),
    ).eval()  # fmt: skip


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_chain_is_one_product(tmp_path: Path, suffix: str) -> None:
    head = laion_head()
    state = {f"layers.{key}": value for key, value in head.state_dict().items()}
    file = tmp_path / f"head{suffix}"
    save_file(state, file) if suffix == ".safetensors" else torch.save(state, file)
    weight, bias = linear_head.load(file)
    vectors = torch.randn(7, 24)
    with torch.no_grad():
        assert torch.allclose(vectors @ weight + bias, head(vectors)[:, 0], atol=1e-5)


def test_one_layer_without_a_bias(tmp_path: Path) -> None:
    torch.save({"weight": torch.arange(3.0)[None]}, tmp_path / "head.pt")
    weight, bias = linear_head.load(tmp_path / "head.pt")
    assert (weight.tolist(), bias) == ([0.0, 1.0, 2.0], 0.0)


class Evil:
    def __reduce__(self) -> Any:
        return (print, ("run",))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({}, "its keys are none"),
        ({"weight": torch.zeros(2, 3), "bias": torch.zeros(2)}, "the last layer gives 2 numbers"),
        ({"0.weight": torch.zeros(4, 3), "1.weight": torch.zeros(1, 5)}, "RuntimeError"),
        ({"weight": torch.full((1, 3), torch.nan)}, "not finite"),
        ({"conv.kernel": torch.zeros(1)}, "its keys are conv.kernel"),
        (Evil(), "UnpicklingError"),
    ],
)
def test_what_is_no_head_is_told_and_never_run(tmp_path: Path, content: Any, says: str, capsys: Any) -> None:
    torch.save(content, tmp_path / "head.pth")
    with pytest.raises(ModelError, match=f"expected a head: linear layers.*{says}"):
        linear_head.load(tmp_path / "head.pth")
    assert "run" not in capsys.readouterr().out


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="expected a head"):
        linear_head.load(tmp_path / "none.safetensors")
