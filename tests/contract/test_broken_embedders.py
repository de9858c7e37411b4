"""That each contract of an embedder can fail: ones that are broken in one way each, caught by just that contract."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch

from loupe.brain.core.specs import Embedder
from loupe.brain.imaging.batches import ImageBatch
from loupe.testing import ContractError, check_spec

pytestmark = pytest.mark.usefixtures("one_thread")

Change = Callable[[torch.Tensor, ImageBatch], torch.Tensor]


@dataclass(frozen=True)
class Means(Embedder):
    """Means: the mean color of sixteen parts, a good embedder of a third party."""

    name: ClassVar[str] = "means"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "a test"
    license: ClassVar[str] = "Apache-2.0"
    offline: ClassVar[bool] = True

    def load(self, device: str) -> Callable[[ImageBatch], torch.Tensor]:
        def embed(batch: ImageBatch) -> torch.Tensor:
            parts = [
                torch.nn.functional.adaptive_avg_pool2d(image.float() / 255, 4).flatten()
                for image in batch.pixels.contiguous()
            ]
            return torch.nn.functional.normalize(torch.stack(parts) + 0.01, dim=1)

        return embed


def altered(change: Change) -> type[Means]:
    @dataclass(frozen=True)
    class Altered(Means):
        """Altered: a broken embedder."""

        def load(self, device: str) -> Callable[[ImageBatch], torch.Tensor]:
            embed = super().load(device)
            return lambda batch: change(embed(batch), batch)

    return Altered


def _mutates(vectors: torch.Tensor, batch: ImageBatch) -> torch.Tensor:
    batch.pixels[0, 0, 0, 0] += 1
    return vectors


def _by_id() -> Change:
    kept: dict[str, torch.Tensor] = {}

    def change(vectors: torch.Tensor, batch: ImageBatch) -> torch.Tensor:
        return torch.stack([kept.setdefault(name, row) for name, row in zip(batch.ids, vectors, strict=True)])

    return change


def _random() -> Change:
    count = itertools.count(1)
    return lambda vectors, batch: torch.nn.functional.normalize(vectors + 0.001 * next(count) * vectors.flip(1), dim=1)


def _by_strides(vectors: torch.Tensor, batch: ImageBatch) -> torch.Tensor:
    return vectors if not batch.pixels.is_contiguous() or batch.pixels.shape[-1] < 5 else vectors.flip(1)


def _odd_raises(vectors: torch.Tensor, batch: ImageBatch) -> torch.Tensor:
    if min(batch.pixels.shape[-2:]) < 4:
        raise ValueError("an empty slice")
    return vectors


def _centered(vectors: torch.Tensor, batch: ImageBatch) -> torch.Tensor:
    weight = 0.0 if len(batch) == 1 else 0.3
    return torch.nn.functional.normalize(vectors - weight * vectors.mean(0), dim=1)


BROKEN: dict[str, tuple[Change, str]] = {
    "a list": (lambda vectors, batch: vectors.tolist(), "form"),
    "float64": (lambda vectors, batch: vectors.double(), "form"),
    "one vector for all": (lambda vectors, batch: vectors[0], "form"),
    "too long": (lambda vectors, batch: 2 * vectors, "unit_length"),
    "changes the pixels": (_mutates, "pixels"),
    "always the same": (lambda vectors, batch: torch.full_like(vectors, vectors.shape[1] ** -0.5), "differs"),
    "less the mean of the batch": (_centered, "neighbors"),
    "by strides": (_by_strides, "layout"),
    "raises on odd pictures": (_odd_raises, "odd_pictures"),
}


def caught(kind: type[Embedder]) -> list[str]:
    try:
        check_spec(kind())
    except ContractError as error:
        return [line[2:].partition(": ")[0] for line in str(error).splitlines() if line.startswith("- ")]
    return []


def test_a_good_embedder_keeps_every_contract() -> None:
    assert {"neighbors", "order", "layout", "odd_pictures"} <= set(check_spec(Means()).kept)


@pytest.mark.parametrize("fault", BROKEN)
def test_a_fault_is_caught_by_one_contract(fault: str) -> None:
    change, contract = BROKEN[fault]
    assert caught(altered(change)) == [contract]


def test_chance_is_caught() -> None:
    assert caught(altered(_random())) == ["deterministic"]


def test_what_is_kept_by_id_is_caught() -> None:
    # the odd pictures have ids of their own
    assert caught(altered(_by_id())) == ["order"]


def test_the_first_vector_for_all_is_caught() -> None:
    assert caught(altered(lambda vectors, batch: vectors[:1].expand(len(batch), -1).clone())) == ["differs"]


def test_one_mistaken_neighbor_is_caught() -> None:
    def last_two_alike(vectors: torch.Tensor, batch: ImageBatch) -> torch.Tensor:
        if len(batch) < 4:
            return vectors
        mixed = torch.nn.functional.normalize(vectors[-1] + 0.05 * vectors[0], dim=0)
        return torch.cat([vectors[:-1], mixed[None]])

    assert caught(altered(last_two_alike)) == ["neighbors"]
