"""Copies of samples are samples: each with an id of its own and all that was written."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.database


def test_as_many_samples_as_were_asked_for_and_the_rates_of_those_they_were_made_of(
    dataset: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import loupe
    from benchmarks.speed import synthetic

    monkeypatch.setattr(synthetic, "BASE", 30)
    monkeypatch.setattr(synthetic, "_CHUNK", 7)
    synthetic.fill_many(dataset, 90)
    assert len(dataset) == 90
    assert len(set(dataset.values("id"))) == 90
    all_of = {rate.failure: rate for rate in loupe.slice(dataset, [])}
    first = {rate.failure: rate for rate in loupe.slice(dataset.limit(30), [])}
    assert {name: rate.n for name, rate in all_of.items()} == {name: 3 * rate.n for name, rate in first.items()}
    assert sum(rate.failures for rate in all_of.values()) > 0
