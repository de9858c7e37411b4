"""What is kept of a comparison and of a transfer is read again as it was, NaN and infinity among it."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from sklearn.decomposition import PCA

from loupe.brain.core.cloud import Cloud
from loupe.brain.core.kept import number
from loupe.brain.core.realism import (
    Estimate,
    MemorizedPair,
    Realism,
    RealismMetric,
    Transfer,
    TransferArm,
    Verdict,
)
from loupe.brain.realism.cloud import plane
from loupe.brain.realism.results import bands_chance
from loupe.brain.realism.spectra import Spectrum, band_gap

NAN, INF = math.nan, math.inf


def _metrics() -> tuple[RealismMetric, ...]:
    return (
        RealismMetric("recall", 0.5, 0.4, 0.8, 0.7, 0.9, 0.5, 0.45, 0.55),
        RealismMetric("frechet_endless", NAN),
    )


def test_a_comparison_is_read_as_it_was() -> None:
    made = Realism(
        n_real=3,
        n_synthetic=2,
        unknown=1,
        metrics={"a.b $c": _metrics()},
        findings=(Verdict("COLLAPSE", "It is narrow", {"recall ratio": 0.5, "S→S": NAN}, "Vary it"),),
        by={'<b>"x"</b> 🌙': _metrics()},
        left_out={"pig": (3, 0)},
        bands=(0.1, -2.0),
        bands_chance=((-0.1, 0.1), (NAN, NAN)),
        texture={"lbp": (1.0, 2.0, 0.5, 0.1)},
        pairs=(MemorizedPair("s", "r", 0.0, 1.5),),
        warnings=("the file format differs",),
        seed=4,
    )
    again = Realism.from_dict(json.loads(json.dumps(made.to_dict(), allow_nan=False)))
    assert repr(again.to_dict()) == repr(made.to_dict())
    assert again.metrics["a.b $c"][0] == _metrics()[0]
    assert math.isnan(again.metrics["a.b $c"][1].value)
    assert again.left_out == {"pig": (3, 0)}
    assert str(again) == str(made)


def test_a_transfer_is_read_as_it_was_and_infinity_is_not_lost() -> None:
    arm = TransferArm("S→R", 10, 5, Estimate(0.5, 0.4, 0.6), {"cat": 1.0, "dog": NAN}, NAN)
    some = Estimate(0.1, 0.0, 0.2)
    made = Transfer(
        label="truth",
        classes=("cat", "dog"),
        matrix=(arm,),
        chance=0.5,
        gap=some,
        asymmetry=some,
        utility=Estimate(NAN, -INF, INF),
        gain=some,
        curve=((5, some), (10, some)),
        equivalent_real_size=Estimate(INF, 120.0, INF),
        exchange_rate=Estimate(NAN, NAN, NAN),
        findings=(Verdict("USEFUL", "It is", {"equivalent real size": INF}),),
        retrieved=(arm,),
        left_out={"fox": 3},
        learner="logistic",
        seed=2,
    )
    plain = json.loads(json.dumps(made.to_dict(), allow_nan=False))
    assert plain["equivalent_real_size"] == {"value": "inf", "low": 120.0, "high": "inf"}
    assert plain["exchange_rate"] == {"value": None, "low": None, "high": None}
    again = Transfer.from_dict(plain)
    assert again.equivalent_real_size == made.equivalent_real_size
    assert (again.utility.low, again.utility.high) == (-INF, INF)
    assert again.findings[0].evidence == {"equivalent real size": INF}
    assert math.isnan(again.exchange_rate.value)
    assert repr(again) == repr(made)


@pytest.mark.parametrize(("plain", "value"), [("inf", INF), ("-inf", -INF), (2, 2.0), (0.5, 0.5)])
def test_numbers(plain: object, value: float) -> None:
    assert number(plain) == value


def test_the_plane_is_that_of_principal_components_with_both_sides_alike() -> None:
    rng = np.random.default_rng(0)
    real = rng.normal(size=(80, 6)).astype(np.float32) * np.array([3, 2, 1, 1, 1, 1], np.float32)
    synthetic = (rng.normal(size=(80, 6)) + 2).astype(np.float32)
    made = plane(real, synthetic, 0)
    both = np.concatenate([real, synthetic]).astype(float)
    reference = PCA(2).fit(both)
    expected = reference.transform(both)
    got = np.concatenate([made.real_at, made.synthetic_at])
    for axis in range(2):
        assert abs(np.corrcoef(got[:, axis], expected[:, axis])[0, 1]) == pytest.approx(1, abs=1e-6)
        assert got[:, axis].std() == pytest.approx(expected[:, axis].std(), rel=1e-6)
    assert made.share == pytest.approx(reference.explained_variance_ratio_.sum(), abs=1e-6)


def test_the_larger_side_does_not_decide_alone_and_many_are_drawn() -> None:
    rng = np.random.default_rng(1)
    real = rng.normal(size=(3000, 4)).astype(np.float32)
    few = real[:30] * np.array([1, 1, 1, 20], np.float32)
    made = plane(real, few, 0, max_points=500)
    assert (len(made.real), len(made.synthetic)) == (500, 30)
    assert (np.diff(made.real) > 0).all()
    # the one direction in which the small side is wide is seen
    assert made.synthetic_at[:, 0].std() > 10
    again = plane(real, few, 0, max_points=500)
    assert np.array_equal(again.real_at, made.real_at)
    flat = plane(np.ones((5, 1), np.float32), np.ones((4, 1), np.float32), 0)
    assert flat.share == 0
    assert flat.real_at.shape == (5, 2)


def test_a_cloud_is_read_as_it_was() -> None:
    made = Cloud(("a",), ((1.0, 2.0),), ("b", "c"), ((0.0, 0.5), (3.0, 4.0)), (True, False), 0.7)
    assert Cloud.from_dict(json.loads(json.dumps(made.to_dict()))) == made


def test_the_band_of_chance_holds_most_other_real_sets() -> None:
    rng = np.random.default_rng(2)

    def drawn(n: int) -> list[Spectrum]:
        return [Spectrum(rng.normal(size=16), -2.0, 0.1) for _ in range(n)]

    inside = []
    for seed in range(20):
        band = bands_chance(band_gap(drawn(120), drawn(60), 12, np.random.default_rng(seed)))
        other = band_gap(drawn(60), drawn(60), 2, np.random.default_rng(seed)).bands
        inside += [low <= value <= high for (low, high), value in zip(band, other, strict=True)]
    assert np.mean(inside) > 0.85
    assert len(inside) == 20 * 16


@pytest.mark.parametrize(("value", "high", "says"), [(0.98, 0.55, "tells 98 % of them apart"), (0.62, 0.7, "Nothing")])
def test_what_is_told_apart_is_not_called_alike(value: float, high: float, says: str) -> None:
    """Without labels no finding names a shift: that is no reason to say that nothing differs."""
    metric = RealismMetric("c2st", value, value, 0.5, 0.45, high)
    made = Realism(200, 200, 0, {"embeddings": (metric,)}, ())
    assert says in made.without_findings()
    assert says in made.table().title
