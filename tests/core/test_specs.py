"""What every spec has: parameters, a key that changes with what decides its numbers, and a title."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from loupe.brain.core.errors import InputError
from loupe.brain.core.records import Box, Output, Points, SampleResult, Scores
from loupe.brain.core.specs import Check, Defect, Embedder, Generator, SetCheck, Spec, known_backend, param
from loupe.brain.imaging.batches import ImageBatch


@dataclass(frozen=True)
class Grain(Check):
    """
    Grain of the picture.

    More about it.
    """

    name = "grain"
    version = 1
    reference = "ours"
    license = "MIT"
    needs = ("prompt",)
    outputs = (
        Output("grain", "0 to 1", False, (0, 1), "How much grain there is"),
        Output("size", "pixels", False, (0, 64), "How large it is"),
    )
    gain: float = param(1.5, "Multiplies the grain", low=0, high=10)
    backend: str = param("auto", "What measures it", choices=("auto", "fft"))

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:
        raise NotImplementedError


class Mapped(Grain):
    name = "mapped"
    map_field = "grain_map"


def test_a_parameter_carries_its_form() -> None:
    gain, backend = dataclasses.fields(Grain)
    assert gain.metadata == {"description": "Multiplies the grain", "low": 0, "high": 10, "choices": ()}
    assert backend.metadata["choices"] == ("auto", "fft")
    assert (backend.metadata["low"], backend.metadata["high"]) == (None, None)
    assert Grain().params() == {"gain": 1.5, "backend": "auto"}


def test_a_key_changes_with_all_that_decides_the_numbers() -> None:
    class Newer(Grain):
        version = 2

    class Renamed(Grain):
        name = "noise"

    keys = {spec.key for spec in (Grain(), Grain(gain=2), Grain(backend="fft"), Newer(), Renamed())}
    assert len(keys) == 5
    assert all(re.fullmatch("[0-9a-f]{12}", key) for key in keys)
    # stored with each sample: it has to be the same in every process and version
    assert Grain().key == Grain(1.5).key == "30130a80545c"


def test_a_title_is_the_docstrings_first_line() -> None:
    assert Grain.title() == "Grain of the picture"
    undocumented = type("Undocumented", (Grain,), {"__doc__": None, "name": "bare"})
    assert undocumented.title() == "bare"


@pytest.mark.parametrize(
    ("base", "method"),
    [(Check, "load"), (SetCheck, "score"), (Defect, "inject"), (Embedder, "load"), (Generator, "load")],
)
def test_a_spec_that_does_nothing_cannot_be_made(base: type[Spec], method: str) -> None:
    with pytest.raises(TypeError, match=f"abstract method '?{method}'?$"):
        type("Nothing", (base,), {})()


def test_what_a_check_is_unless_it_says_otherwise() -> None:
    check = Grain()
    assert check.default
    assert not check.ragged
    assert check.reads() == ("prompt",)
    assert check.weights() == ()
    assert check.resolved("cuda") is check
    with pytest.raises(dataclasses.FrozenInstanceError):
        check.gain = 2  # type: ignore[misc]


def test_results_become_columns() -> None:
    scores = Grain().scores([SampleResult({"grain": 0.25}), SampleResult(), SampleResult({"size": 3})], "cpu")
    assert list(scores) == ["grain", "size"]
    assert all(column.dtype == torch.float32 for column in scores.values())
    np.testing.assert_array_equal(scores["grain"], [0.25, np.nan, np.nan])
    np.testing.assert_array_equal(scores["size"], [np.nan, np.nan, 3])
    assert (scores.reasons, scores.boxes, scores.maps, scores.points) == ((), (), (), ())


def test_what_one_sample_has_stands_at_its_place() -> None:
    box, points, heat = Box("grain", (0, 0, 1, 1)), Points("grain", ((0, 0),)), np.ones((2, 2), np.float32)
    results = [SampleResult(), SampleResult(reason="flat", boxes=(box,), points=(points,), map=heat)]
    scores = Mapped().scores(results, "cpu")
    assert scores.reasons == (None, "flat")
    assert scores.boxes == ((), (box,))
    assert scores.points == ((), (points,))
    assert scores.maps[0] is None
    assert scores.maps[1] is heat
    assert Grain().scores(results, "cpu").maps == (), "a check with no field for maps gives none"


def test_a_backend_that_is_not_there_is_named_with_todays_name() -> None:
    known_backend("fft", ("auto", "fft"), {"fourier": "fft"})
    with pytest.raises(InputError, match=r"^expected a backend out of auto, fft, got 'dct'$"):
        known_backend("dct", ("auto", "fft"), {"fourier": "fft"})
    with pytest.raises(InputError, match=r"got 'fourier'; what was 'fourier' is called 'fft'$"):
        known_backend("fourier", ("auto", "fft"), {"fourier": "fft"})
