"""Outliers: against a plain implementation, relative to the set, and with vectors that cannot be used."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from loupe.brain.core import errors
from loupe.brain.sets.outliers import Outliers, outlyingness, robust_deviations


def test_deviations_are_those_of_a_normal_sample() -> None:
    values = np.random.default_rng(0).normal(5, 2, 20_000)
    np.testing.assert_allclose(robust_deviations(values, 0.01), (values - 5) / 2, atol=0.15)


def test_what_is_far_is_found_whatever_the_scale() -> None:
    rng = np.random.default_rng(0)
    line = Outliers.outputs[0].default_threshold
    assert line is not None
    for scale in (1e-3, 1.0):
        distances = scale * rng.lognormal(0, 0.2, (500, 10))
        distances[:5] *= 4
        assert line.violates(outlyingness(distances)).nonzero()[0].tolist() == [0, 1, 2, 3, 4]
    assert not line.violates(outlyingness(np.zeros((50, 10)))).any()


@pytest.fixture
def embedded(dataset: Any) -> Any:
    """Forty samples around one direction, one across it, one without a vector, one with NaN, one of another size."""
    import fiftyone as fo

    rng = np.random.default_rng(1)
    vectors: list[Any] = [np.eye(8)[0] + 0.1 * rng.normal(size=8) for _ in range(40)]
    vectors += [np.eye(8)[1], None, np.full(8, np.nan), np.ones(5)]
    dataset.add_samples([fo.Sample(filepath=f"/nowhere/{index}.png") for index in range(44)], progress=False)
    dataset.add_sample_field("vectors", fo.VectorField)
    dataset.set_values("vectors", vectors)
    return dataset


@pytest.mark.database
def test_the_one_across_is_flagged_and_the_useless_are_unknown(embedded: Any) -> None:
    import loupe

    result = loupe.find_outliers(embedded, field="vectors")
    ids = embedded.values("id")
    assert result.ids == (ids[40],)
    assert (result.n, result.unknown) == (41, 3)
    assert embedded[ids[40]].failures.classifications[0].label == "outlier"
    reasons = embedded.values("unknown.classifications.reason")[41:]
    assert ["no vector" in str(reasons[0]), "NaN" in str(reasons[1]), "5 numbers" in str(reasons[2])] == [True] * 3
    assert embedded.values("quality.outlier")[41:] == [None] * 3
    assert loupe.find_outliers(embedded, field="vectors", threshold=1e6).ids == ()
    assert loupe.flag(embedded).thresholds["outlier"].value == 1e6


@pytest.mark.database
def test_what_cannot_be_is_said(embedded: Any) -> None:
    import loupe

    with pytest.raises(errors.UnknownName, match="'vectors'"):
        loupe.find_outliers(embedded, field="vector")
    with pytest.raises(errors.InputError, match="at least 10 samples"):
        loupe.find_outliers(embedded.limit(5), field="vectors")
    with pytest.raises(errors.InputError, match="neighbors to be a whole number of at least 1"):
        loupe.find_outliers(embedded, field="vectors", neighbors=0)
    with pytest.raises(errors.InputError, match="field of vectors"):
        loupe.find_outliers(embedded, field="filepath")
