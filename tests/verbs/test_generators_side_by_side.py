"""Generators and prompt styles, which no real sample has: each against all real samples, by release date, ties said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
import pytest

from loupe.brain.core import errors

pytestmark = pytest.mark.database

OLD, NEW, OWN, TUNED = (
    "CompVis/stable-diffusion-v1-4", "black-forest-labs/FLUX.1-dev", "my-model", "somebody/flux.1-dev-anime",
)  # fmt: skip
_CENTERS = np.random.default_rng(4).normal(size=(10, 16))


def _vectors(rng: np.random.Generator, n: int, clusters: int) -> np.ndarray:
    return (_CENTERS[rng.integers(0, clusters, n)] + 0.6 * rng.normal(size=(n, 16))).astype(np.float32)


@pytest.fixture(scope="module")
def sides(database: str) -> Iterator[tuple[Any, Any]]:
    """A real set, and one of four generators, of which the newest is narrow, by two styles of prompts."""
    import fiftyone as fo

    rng = np.random.default_rng(0)
    real, synthetic = fo.Dataset(), fo.Dataset()
    real.add_samples(
        [fo.Sample(filepath=f"/nowhere/r{at}.png", embeddings=own) for at, own in enumerate(_vectors(rng, 300, 10))],
        progress=False,
    )
    samples = []
    for name, clusters in ((OLD, 10), (NEW, 3), (OWN, 10), (TUNED, 10)):
        for at, own in enumerate(_vectors(rng, 120, clusters)):
            sample = fo.Sample(
                filepath=f"/nowhere/{len(samples)}.png", embeddings=own, style=["name", "caption"][at % 2]
            )
            sample["generation"] = fo.DynamicEmbeddedDocument(model=name)
            sample["came_out"] = date(2026, 3, 1) if name == OWN else None
            sample["two_dates"] = f"2026-0{1 + at % 2}"
            samples.append(sample)
    samples.append(fo.Sample(filepath="/nowhere/few.png", embeddings=_CENTERS[0].astype(np.float32)))
    samples[-1]["generation"] = fo.DynamicEmbeddedDocument(model="few")
    synthetic.add_samples(samples, dynamic=True, progress=False)
    yield synthetic, real
    for dataset in (synthetic, real):
        dataset.delete()


def test_generators_stand_by_release_and_those_of_no_known_date_at_the_end(sides: tuple[Any, Any]) -> None:
    import loupe

    synthetic, real = sides
    made = loupe.compare_to_real(synthetic, real, by="generation.model", spectra=False)
    assert made.alone
    assert made.released == {OLD: "2022-08-22", NEW: "2024-08-01"}, "a fine-tune's date is not that of its model"
    assert [name for name, _ in made.by_release("recall")] == [OLD, NEW, OWN, TUNED]
    assert made.left_out == {"few": (300, 1)}
    recall = dict(made.by_release("recall"))
    assert recall[NEW].ratio < 0.7 < 0.85 < min(recall[name].ratio for name in (OLD, OWN, TUNED))
    ties = made.ties("recall")
    assert ties[NEW] == ()
    assert set(ties[OLD]) == {OWN, TUNED}
    assert all(each.low <= each.ratio <= each.high for each in recall.values())

    from loupe.brain.store.realism import kept as realism_kept

    assert realism_kept.load(synthetic).realism.by_release("recall") == made.by_release("recall")
    assert set(realism_kept.load(synthetic).shows) == {OLD, NEW, OWN, TUNED}


def test_ones_own_dates_come_first(sides: tuple[Any, Any]) -> None:
    import loupe

    synthetic, real = sides
    given = {"by": "generation.model", "spectra": False}
    made = loupe.compare_to_real(synthetic, real, released="came_out", **given)
    assert made.released == {OLD: "2022-08-22", NEW: "2024-08-01", OWN: "2026-03-01"}
    made = loupe.compare_to_real(synthetic, real, released={OWN: "2021", NEW: "2025-01"}, **given)
    assert [name for name, _ in made.by_release("recall")] == [OWN, OLD, NEW, TUNED]
    with pytest.raises(errors.InputError, match="expected one date of"):
        loupe.compare_to_real(synthetic, real, released="two_dates", **given)
    with pytest.raises(errors.InputError, match=r"expected a date such as '2024-06'"):
        loupe.compare_to_real(synthetic, real, released={OWN: "last year"}, **given)
    with pytest.raises(errors.UnknownName, match="came_oud"):
        loupe.compare_to_real(synthetic, real, released="came_oud", **given)
    with pytest.raises(errors.InputError, match="expected released to be a mapping"):
        loupe.compare_to_real(synthetic, real, released=2024, **given)


def test_styles_and_both_together_and_both_sides_in_one_dataset(sides: tuple[Any, Any]) -> None:
    import loupe

    synthetic, real = sides
    made = loupe.compare_to_real(synthetic, real, by="style", spectra=False)
    assert (set(made.by), made.alone, made.released) == ({"name", "caption"}, True, {})
    both = loupe.Factor.field("generation.model") * loupe.Factor.field("style")
    made = loupe.compare_to_real(synthetic, real, by=both, spectra=False)
    assert set(made.by) == {f"{name} × {style}" for name in (OLD, NEW, OWN, TUNED) for style in ("name", "caption")}
    assert made.released[f"{OLD} × caption"] == "2022-08-22"
    assert [name for name, _ in made.by_release("recall")][:2] == [f"{OLD} × caption", f"{OLD} × name"]
    with pytest.raises(errors.UnknownName):
        loupe.compare_to_real(synthetic, real, by="nothing", spectra=False)

    together = synthetic.clone()
    together.add_samples([sample.copy() for sample in real], progress=False)
    drawn, taken = (together.match({"generation.model": own}) for own in ({"$ne": None}, None))
    joint = loupe.compare_to_real(drawn, taken, by="generation.model", spectra=False)
    assert joint.alone
    assert set(joint.by) == {OLD, NEW, OWN, TUNED}
    together.delete()


def test_two_generators_alike_are_rarely_told_apart() -> None:
    """What is said of two sets of one distribution: the intervals have to overlap."""
    from loupe.brain.core.realism import Realism
    from loupe.brain.realism import manifold, results
    from loupe.brain.realism.compare import Metric

    apart = 0
    for seed in range(25):
        rng = np.random.default_rng(seed)
        real = _vectors(rng, 200, 10)
        by = {}
        for name in ("a", "b"):
            made = manifold.measure(real, _vectors(rng, 100, 10), seed=0)
            own = (Metric(each, made.values[each], made.matched[each], made.null[each]) for each in manifold.NAMES)
            by[name] = tuple(results.metric(each) for each in own)
        both = Realism(200, 200, 0, {}, (), by=by, alone=True)
        apart += any(not both.ties(name)["a"] for name in ("recall", "coverage", "precision"))
    assert apart <= 4
