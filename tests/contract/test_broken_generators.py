"""That each contract of a generator can fail: ones that are broken in one way each, caught by just that contract."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest
from PIL import Image

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Request
from loupe.brain.core.specs import Generator, GeneratorSession
from loupe.testing import ContractError, check_spec

FACTS: dict[str, Any] = {"model": "noise", "width": 24, "height": 16}
Draw = Callable[[Sequence[Request]], list[Image.Image]]


def noise(request: Request) -> Image.Image:
    """A picture that depends on its request alone."""
    text = "|".join(map(str, (request.prompt, request.negative_prompt, request.seed)))
    rng = np.random.default_rng(zlib.crc32(text.encode()))
    return Image.fromarray(rng.integers(0, 256, (16, 24, 3), dtype=np.uint8))


@dataclass(frozen=True)
class Noise(Generator):
    """Noise: a good generator of a third party."""

    name: ClassVar[str] = "noise"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "a test"
    license: ClassVar[str] = "Apache-2.0"
    facts: ClassVar[dict[str, Any]] = FACTS
    size: ClassVar[int] = 2

    def draw(self, requests: Sequence[Request]) -> list[Image.Image]:
        """One image for each request."""
        return [noise(request) for request in requests]

    def load(self, device: str) -> GeneratorSession:
        return GeneratorSession(self.facts, self.draw, self.size)


def altered(draw: Draw | None = None, **facts: Any) -> type[Noise]:
    body: dict[str, Any] = {"__doc__": "Altered: a broken generator.", **facts}
    if draw is not None:
        body["draw"] = staticmethod(draw)
    return dataclass(frozen=True)(type("Altered", (Noise,), body))


def _without(field: str) -> Draw:
    empty = {"prompt": "", "seed": 0, "negative_prompt": ""}[field]
    return lambda requests: [noise(replace(request, **{field: empty})) for request in requests]


def _random() -> Draw:
    count = itertools.count()
    return lambda requests: [noise(replace(request, seed=next(count))) for request in requests]


def _batch_noise(requests: Sequence[Request]) -> list[Image.Image]:
    return [noise(replace(request, seed=request.seed + requests[0].seed)) for request in requests]


def _refuses(requests: Sequence[Request]) -> list[Image.Image]:
    if any(request.negative_prompt for request in requests):
        raise InputError("it takes no negative prompt: leave it out")
    return [noise(request) for request in requests]


def _informed(requests: Sequence[Request]) -> list[Image.Image]:
    images = [noise(request) for request in requests]
    for image in images:
        image.info["at"] = object()
    return images


BROKEN: dict[str, tuple[Callable[[], type[Noise]], str]] = {
    "facts that are no JSON": (lambda: altered(facts={**FACTS, "folder": object}), "session"),
    "no model": (lambda: altered(facts={"width": 24, "height": 16}), "session"),
    "no batch size": (lambda: altered(size=0), "session"),
    "no session": (lambda: altered(load=lambda self, device: None), "session"),
    "gray": (lambda: altered(lambda requests: [noise(request).convert("L") for request in requests]), "form"),
    "arrays": (lambda: altered(lambda requests: [np.asarray(noise(request)) for request in requests]), "form"),  # type: ignore[misc]
    "another size": (lambda: altered(facts={**FACTS, "width": 32}), "form"),
    "one image for all": (lambda: altered(lambda requests: [noise(requests[0])]), "form"),
    "an info that is no JSON": (lambda: altered(_informed), "form"),
    "chance": (lambda: altered(_random()), "deterministic"),
    "one noise for the batch": (lambda: altered(_batch_noise), "neighbors"),
    "no seed": (lambda: altered(_without("seed")), "seed"),
    "no prompt": (lambda: altered(_without("prompt")), "prompt"),
    "no negative prompt": (lambda: altered(_without("negative_prompt")), "negative_prompt"),
}


def caught(kind: type[Generator]) -> list[str]:
    try:
        check_spec(kind())
    except ContractError as error:
        return [line[2:].partition(": ")[0] for line in str(error).splitlines() if line.startswith("- ")]
    return []


def test_a_good_generator_keeps_every_contract() -> None:
    assert {"neighbors", "order", "seed", "prompt", "negative_prompt"} <= set(check_spec(Noise()).kept)
    assert "negative_prompt" in check_spec(altered(_refuses)).kept


@pytest.mark.parametrize("fault", BROKEN)
def test_a_fault_is_caught_by_one_contract(fault: str) -> None:
    made, contract = BROKEN[fault]
    assert caught(made()) == [contract]


def test_what_depends_on_its_place_is_caught() -> None:
    def by_place(requests: Sequence[Request]) -> list[Image.Image]:
        # alone and at its own place it is right
        moved = len(requests) > 1 and requests[0].seed > requests[-1].seed
        return [noise(replace(request, seed=request.seed + moved)) for request in requests]

    assert caught(altered(by_place)) == ["order"]
