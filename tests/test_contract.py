"""One list of rules for everything that is registered: checks, set measures, embedders, generators.

Whoever adds one gets these tests for nothing. What a spec is for, its own test file tests.
"""

from __future__ import annotations

import dataclasses
import json
import math
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from loupe.brain.core import registry
from loupe.brain.core.errors import ModelError
from loupe.brain.core.records import Output, Scores
from loupe.brain.core.specs import Check, SetMeasure, Spec
from loupe.brain.core.taxonomy import FAILURE_MODES
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.imaging.ragged import RaggedBatch
from loupe.brain.perception import weights_table

#: they load a model: left out by -m "not slow"
HEAVY = {"body", "faces", "hands", "overlay", "skin", "text"}
LICENSES = {"Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MPL-2.0", "CC0-1.0", "CC-BY-4.0"}
LEAVES = ("checks", "sets", "embedders", "generators")
HEAVY_MODULES = (
    "torch", "cv2", "fiftyone", "diffusers", "transformers", "sklearn", "scipy", "rapidocr", "onnxruntime",
    "open_clip", "timm", "umap", "faiss", "ai_edge_litert",
)  # fmt: skip

SPECS: list[type[Spec]] = [spec for folder in LEAVES for spec in getattr(registry, folder)().values()]
JUDGES: list[type[Check] | type[SetMeasure]] = [*registry.checks().values(), *registry.sets().values()]
OUTPUTS: list[tuple[str, Output]] = [(spec.name, output) for spec in JUDGES for output in spec.outputs]

each_spec = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.__mro__[1].__name__}-{spec.name}")
each_output = pytest.mark.parametrize("output", [output for _, output in OUTPUTS], ids=[o.name for _, o in OUTPUTS])
each_check = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in HEAVY else ()) for name in registry.checks()]
)
each_embedder = pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if spec.offline else pytest.mark.slow) for name, spec in registry.embedders().items()],
)


# what a spec says of itself


@each_spec
def test_it_is_a_frozen_dataclass_with_a_title(spec: type[Spec]) -> None:
    assert dataclasses.is_dataclass(spec)
    assert spec.__dataclass_params__.frozen  # type: ignore[attr-defined]
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec().name = "other"  # type: ignore[misc]
    assert spec.__doc__, "a spec is documented by its docstring"
    assert 3 <= len(spec.title()) <= 80


@each_spec
def test_its_name_is_its_files(spec: type[Spec]) -> None:
    assert spec.name.isidentifier()
    assert spec.name.islower()
    if spec.__module__.startswith("loupe."):
        assert spec.__module__.rsplit(".", 1)[-1] == spec.name


@each_spec
def test_it_has_version_source_and_license(spec: type[Spec]) -> None:
    assert type(spec.version) is int
    assert spec.version >= 1
    assert spec.reference.strip()
    assert spec.license in LICENSES, f"{spec.license!r} is none of {sorted(LICENSES)}: may it be shipped?"


@each_spec
def test_its_parameters_make_a_form(spec: type[Spec]) -> None:
    made = spec()
    assert json.loads(json.dumps(made.params())) == made.params()
    for field in dataclasses.fields(spec):
        facts = field.metadata
        assert facts.get("description"), f"{field.name}: made by specs.param, with a description"
        value = getattr(made, field.name)
        if facts["choices"]:
            assert value in facts["choices"]
        for limit, holds in ((facts["low"], lambda v, b: v >= b), (facts["high"], lambda v, b: v <= b)):
            assert limit is None or value is None or holds(value, limit)


@each_spec
def test_its_key_follows_its_parameters(spec: type[Spec]) -> None:
    assert spec().key == spec().key
    assert len(spec().key) == 12
    for field in dataclasses.fields(spec):
        value = getattr(spec(), field.name)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            assert dataclasses.replace(spec(), **{field.name: value + 1}).key != spec().key


def test_output_names_are_unique() -> None:
    assert [name for name, count in Counter(output.name for _, output in OUTPUTS).items() if count > 1] == []


def test_a_failure_has_one_output() -> None:
    failures = Counter(output.failure for _, output in OUTPUTS if output.failure)
    assert [failure for failure, count in failures.items() if count > 1] == []


@each_output
def test_an_output_says_what_it_is(output: Output) -> None:
    assert output.name.isidentifier()
    assert output.unit.strip()
    assert output.description.strip()
    low, high = output.bounds
    assert low < high
    assert not math.isinf(output.when_unreadable)


@each_output
def test_a_threshold_is_on_the_worse_side_and_says_where_it_comes_from(output: Output) -> None:
    assert (output.failure is None) == (output.default_threshold is None)
    if output.default_threshold is None:
        return
    assert output.failure in FAILURE_MODES
    assert output.default_threshold.op == ("<" if output.higher_is_better else ">")
    assert output.bounds[0] <= output.default_threshold.value <= output.bounds[1]
    assert output.default_threshold.source == "default"
    assert output.default_threshold.provenance.strip()
    assert "placeholder" not in output.default_threshold.provenance.lower()


def test_importing_every_leaf_imports_nothing_heavy() -> None:
    code = (
        "import sys; from loupe.brain.core import registry\n"
        f"for folder in {LEAVES!r}: assert getattr(registry, folder)() is not None\n"
        f"print([name for name in {HEAVY_MODULES!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


# what a check and an embedder do


@pytest.fixture(autouse=True)
def model_files(
    request: pytest.FixtureRequest,
    weights: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Gives a check that needs model files those; where they cannot be had, its tests are skipped."""
    name = getattr(request.node, "callspec", None) and request.node.callspec.params.get("name")
    needed = registry.checks()[name]().weights() if name in registry.checks() else ()
    for one in needed:
        (tmp_path / weights_table.TABLE[one].file).symlink_to(weights(one))
    if needed:
        monkeypatch.setenv("LOUPE_WEIGHTS_DIRS", str(tmp_path))


@cache
def loaded_check(name: str) -> Callable[[ImageBatch], Scores]:
    return offline(name).load("cpu")


def offline(name: str) -> Check:
    """The check, in the grade that is the same on every device."""
    spec = registry.checks()[name]()
    return dataclasses.replace(spec, grade="offline") if "grade" in spec.params() else spec


@cache
def embedder_or_error(name: str) -> Callable[[ImageBatch], torch.Tensor] | ModelError:
    """Where weights cannot be had, the one error that says so: never other vectors instead."""
    try:
        return registry.embedders()[name]().load("cpu")
    except ModelError as error:
        return error


def batch_of(pictures: np.ndarray, fields: Mapping[str, Any] | None = None) -> ImageBatch:
    """(N, H, W, 3) uint8 to a batch, in the reader's own memory layout."""
    n, height, width = pictures.shape[:3]
    values = {"prompt": 'a sign that says "437"'} if fields is None else fields
    return ImageBatch(
        ids=tuple(f"id{index}" for index in range(n)),
        pixels=torch.from_numpy(pictures.transpose(0, 3, 1, 2)),
        sizes=((width, height),) * n,
        fields={name: (value,) * n for name, value in values.items()},
    )


@pytest.fixture
def four() -> ImageBatch:
    """Four pictures of 64 x 96: grain, a soft texture, a number on a plain ground, a faint shape."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[:64, :96]
    soft = 127 + 60 * np.sin(x / 9.0) * np.cos(y / 7.0)
    shape = np.where((x - 50) ** 2 + (y - 30) ** 2 < 300, 30.0, 220.0)
    number = cv2.putText(np.full((64, 96), 220.0), "427", (14, 44), cv2.FONT_HERSHEY_DUPLEX, 1.2, 20.0, 2, cv2.LINE_AA)
    gray = np.stack([rng.integers(0, 256, (64, 96)).astype(float), soft, number, 100 + shape / 40])
    tint = np.array([1.0, 0.9, 0.8])
    return batch_of((gray[..., None] * tint).clip(0, 255).astype(np.uint8))


ODD = {
    "one pixel": np.full((2, 1, 1, 3), 90, np.uint8),
    "wide": np.arange(2 * 2 * 500 * 3, dtype=np.uint64).reshape(2, 2, 500, 3).astype(np.uint8),
    "tall": np.arange(2 * 500 * 2 * 3, dtype=np.uint64).reshape(2, 500, 2, 3).astype(np.uint8),
    "black": np.zeros((2, 48, 64, 3), np.uint8),
    "white": np.full((2, 48, 64, 3), 255, np.uint8),
}
each_odd = pytest.mark.parametrize("odd", ODD)


def assert_lawful(spec: type[Check], scores: Scores, n: int) -> None:
    """Every output, within its bounds or unknown for a reason; evidence only where the spec says so."""
    assert set(scores) == {output.name for output in spec.outputs}
    assert len(scores.reasons) in (0, n)
    assert len(scores.boxes) in (0, n)
    for output in spec.outputs:
        values = scores[output.name]
        assert values.dtype == torch.float32
        assert values.shape == (n,)
        for index, value in enumerate(values.tolist()):
            if math.isnan(value):
                assert scores.reasons, f"{output.name} is unknown without a reason"
                assert (scores.reasons[index] or "").strip(), f"{output.name} is unknown without a reason"
            else:
                assert output.bounds[0] <= value <= output.bounds[1], output.name
    assert len(scores.maps) in (0, n)
    for found in scores.maps:
        if found is not None:
            assert spec.map_field, "maps need the name of a field to be written to"
            assert (found.dtype, found.ndim) == (np.float32, 2)
            assert 0 <= found.min() <= found.max() <= 1
    for box in (box for boxes in scores.boxes for box in boxes):
        assert spec.boxes_field, "boxes need the name of a field to be written to"
        x, y, width, height = box.bounds
        assert min(box.bounds) >= 0
        assert x + width <= 1 + 1e-6
        assert y + height <= 1 + 1e-6


def assert_same(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor], tolerance: float = 1e-6) -> None:
    for name in one:
        torch.testing.assert_close(
            one[name].cpu(), other[name].cpu(), rtol=tolerance, atol=tolerance, equal_nan=True, msg=name
        )


@each_check
def test_a_check_keeps_the_law(name: str, four: ImageBatch) -> None:
    assert_lawful(registry.checks()[name], loaded_check(name)(four), 4)


@each_check
def test_a_check_says_the_same_again_and_changes_nothing(name: str, four: ImageBatch) -> None:
    before = four.pixels.clone()
    first = loaded_check(name)(four)
    again = loaded_check(name)(dataclasses.replace(four))
    assert_same(first, again, 0)
    assert first.reasons == again.reasons
    assert torch.equal(four.pixels, before)


@each_check
def test_a_check_does_not_look_at_the_neighbors(name: str, four: ImageBatch) -> None:
    together = loaded_check(name)(four)
    for index in range(4):
        part = slice(index, index + 1)
        alone = ImageBatch(
            four.ids[part],
            four.pixels[part],
            four.sizes[part],
            {key: value[part] for key, value in four.fields.items()},
        )
        assert_same(loaded_check(name)(alone), {key: values[part] for key, values in together.items()})


@each_check
def test_a_check_of_mixed_batches_says_of_each_picture_what_it_says_alone(name: str, four: ImageBatch) -> None:
    if not registry.checks()[name].ragged:
        return
    other = batch_of(four.pixels[:2, :, :200, :].permute(0, 2, 3, 1).numpy())
    other = dataclasses.replace(other, ids=("x", "y"))
    tiny = dataclasses.replace(batch_of(four.pixels[:1, :, :5, :9].permute(0, 2, 3, 1).numpy()), ids=("z",))
    ragged = RaggedBatch((four, other, tiny))
    assert ragged.ids == (*four.ids, "x", "y", "z")
    found = loaded_check(name)(ragged)
    parts = [loaded_check(name)(part) for part in ragged.parts]
    assert_same(found, {key: torch.cat([part[key] for part in parts]) for key in found})
    reasons = [
        reason
        for part, scores in zip(ragged.parts, parts, strict=True)
        for reason in scores.reasons or (None,) * len(part)
    ]
    assert list(found.reasons or (None,) * 7) == reasons


@each_check
def test_a_check_does_not_care_how_the_pixels_lie_in_memory(name: str, four: ImageBatch) -> None:
    planes = dataclasses.replace(four, pixels=four.pixels.contiguous())
    assert_same(loaded_check(name)(four), loaded_check(name)(planes))


@each_check
@each_odd
def test_a_check_survives_odd_pictures(name: str, odd: str) -> None:
    assert_lawful(registry.checks()[name], loaded_check(name)(batch_of(ODD[odd])), 2)


@each_check
def test_a_check_without_what_it_needs_is_unknown(name: str, four: ImageBatch) -> None:
    spec = registry.checks()[name]
    if not spec.needs:
        return
    for fields in ({}, dict.fromkeys(spec.needs, (None,) * 4)):
        scores = loaded_check(name)(dataclasses.replace(four, fields=fields))
        assert_lawful(spec, scores, 4)
        assert all(values.isnan().all() for values in scores.values())


@each_check
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_check_says_the_same_on_a_gpu(name: str, four: ImageBatch) -> None:
    moved = dataclasses.replace(four, pixels=four.pixels.to("cuda"))
    assert_same(loaded_check(name)(four), offline(name).load("cuda")(moved), 1e-3)


def vectors_of(name: str, batch: ImageBatch) -> torch.Tensor:
    embed = embedder_or_error(name)
    if isinstance(embed, ModelError):
        assert not registry.embedders()[name].offline, embed
        pytest.skip(f"{name}: its default weights are not here; its own tests use small ones")
    return embed(batch)


@each_embedder
def test_an_embedder_gives_unit_vectors(name: str, four: ImageBatch) -> None:
    before = four.pixels.clone()
    vectors = vectors_of(name, four)
    assert vectors.dtype == torch.float32
    assert vectors.shape[0] == 4
    assert vectors.ndim == 2
    torch.testing.assert_close(vectors.norm(dim=1).cpu(), torch.ones(4))
    assert torch.equal(vectors, vectors_of(name, dataclasses.replace(four)))
    assert torch.equal(four.pixels, before)


@each_embedder
def test_an_embedder_does_not_look_at_the_neighbors(name: str, four: ImageBatch) -> None:
    together = vectors_of(name, four)
    for index in range(4):
        alone = ImageBatch(four.ids[:1], four.pixels[index : index + 1], four.sizes[:1])
        torch.testing.assert_close(vectors_of(name, alone)[0], together[index], rtol=1e-5, atol=1e-6)


@each_embedder
@each_odd
def test_an_embedder_survives_odd_pictures(name: str, odd: str) -> None:
    vectors = vectors_of(name, batch_of(ODD[odd]))
    torch.testing.assert_close(vectors.norm(dim=1).cpu(), torch.ones(2))


def test_the_registry_finds_what_is_in_the_folders() -> None:
    assert {"file", "sharpness", "exposure", "information", "geometry", "text"} <= set(registry.checks())
    assert "duplicates" in registry.sets()
    assert {"hog", "open_clip", "timm"} <= set(registry.embedders())
    assert "diffusion" in registry.generators()
