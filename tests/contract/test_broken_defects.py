"""That each contract of a defect can fail: ones that are broken in one way each, caught by just that contract."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from loupe.brain.core.specs import Defect
from loupe.testing import ContractError, check_spec

Inject = Callable[[Defect, np.ndarray, float, np.random.Generator], np.ndarray]
CHANCE = np.random.default_rng(0)


@dataclass(frozen=True)
class Dark(Defect):
    """Darker by so many levels, and a little noise: a good defect of a third party."""

    name: ClassVar[str] = "dark"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "a test"
    license: ClassVar[str] = "Apache-2.0"
    unit: ClassVar[str] = "levels"
    severities: ClassVar[tuple[float, ...]] = (20, 60)

    def inject(self, pixels: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
        return (pixels - severity - rng.uniform(0, 3, pixels.shape)).clip(0, 255).astype(np.uint8)


def altered(inject: Inject | None = None, **facts: Any) -> type[Dark]:
    body: dict[str, Any] = {"__doc__": "Altered: a broken defect.", **facts}
    if inject is not None:
        body["inject"] = inject
    return dataclass(frozen=True)(type("Altered", (Dark,), body))


def _in_place(self: Defect, pixels: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
    pixels[::2] //= 2 + int(severity)
    return pixels.copy()


def _shared(self: Defect, pixels: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
    return pixels[::-1] if severity < 50 else pixels[:, ::-1]


def _chance(self: Defect, pixels: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
    return Dark().inject(pixels, severity, CHANCE)


def _by_layout(self: Defect, pixels: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
    return Dark().inject(pixels, severity + 9 * (not pixels.flags.c_contiguous), rng)


def _raises(self: Defect, pixels: np.ndarray, severity: float, rng: np.random.Generator) -> np.ndarray:
    if min(pixels.shape[:2]) < 4:
        raise ValueError("no room")
    return Dark().inject(pixels, severity, rng)


BROKEN: dict[str, tuple[Callable[[], type[Dark]], str]] = {
    "no failure mode": (lambda: altered(name="gloom"), "severities"),
    "no unit": (lambda: altered(unit=""), "severities"),
    "no severities": (lambda: altered(severities=()), "severities"),
    "up and down": (lambda: altered(severities=(20, 60, 40)), "severities"),
    "floats": (lambda: altered(lambda self, p, s, r: p / 2), "form"),
    "gray": (lambda: altered(lambda self, p, s, r: p[..., 0].copy()), "form"),
    "another shape": (lambda: altered(lambda self, p, s, r: p[: max(1, len(p) // int(s // 10))].copy()), "shape"),
    "nothing": (lambda: altered(lambda self, p, s, r: p.copy()), "changes"),
    "one severity": (lambda: altered(lambda self, p, s, r: 255 - p), "changes"),
    "in place": (lambda: altered(_in_place), "pixels"),
    "a view": (lambda: altered(_shared), "own_memory"),
    "chance": (lambda: altered(_chance), "deterministic"),
    "by layout": (lambda: altered(_by_layout), "layout"),
    "raises on small pictures": (lambda: altered(_raises), "odd_pictures"),
}


def caught(kind: type[Defect]) -> list[str]:
    try:
        check_spec(kind())
    except ContractError as error:
        return [line[2:].partition(": ")[0] for line in str(error).splitlines() if line.startswith("- ")]
    return []


def test_a_good_defect_keeps_every_contract() -> None:
    assert {"shape", "changes", "layout", "odd_pictures"} <= set(check_spec(Dark()).kept)


@pytest.mark.parametrize("fault", BROKEN)
def test_a_fault_is_caught_by_one_contract(fault: str) -> None:
    made, contract = BROKEN[fault]
    assert caught(made()) == [contract]
