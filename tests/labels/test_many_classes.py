"""Many classes: the same answer as where every probability is kept, in memory that does not grow with their number."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from loupe.brain.labels import many_classes, noise
from loupe.brain.labels.many_classes import are_many, fit, probes
from loupe.brain.labels.probe import probe


def drawn(seed: int, n: int, classes: int, size: int = 24, share: float = 0.05) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    true = np.r_[np.arange(classes), rng.integers(0, classes, n - classes)]
    given = np.where(rng.random(n) < share, rng.integers(0, classes, n), true)
    _, given = np.unique(given, return_inverse=True)
    vectors = rng.normal(size=(classes, size))[true] + 0.4 * rng.normal(size=(n, size))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), true, given.ravel()


def test_what_is_many() -> None:
    assert not are_many(100_000, 300)
    assert are_many(1000, 301)
    assert are_many(1_000_000, 200)


def test_the_discriminants_are_those_of_the_few() -> None:
    unit, _, given = drawn(0, 400, 10)
    logs = probes(unit, given, 10, groups=np.arange(400), seed=3)
    whole = probe(unit, given, 10, seed=3)
    assert np.allclose(logs(np.arange(400))[0], whole[0], atol=1e-4)
    some = np.array([7, 3, 200])
    assert np.allclose(logs(some)[0], whole[0][some], atol=1e-4)
    assert np.allclose(logs(some)[1], logs(np.arange(400))[1][some])


def test_it_finds_what_the_table_of_mix_ups_finds() -> None:
    unit, true, given = drawn(1, 1500, 12)
    few = noise.fit(probe(unit, given, 12), given)
    many = fit(probes(unit, given, 12, groups=np.arange(1500)), given, 12)
    wrong = given != true
    for made in (few, many):
        assert (made.wrong > 0.2)[wrong].mean() > 0.95
        assert wrong[made.wrong > 0.2].mean() > 0.9
    assert np.abs(few.wrong - many.wrong).mean() < 0.02
    flagged = many.wrong > 0.5
    assert (many.suggested == true)[flagged & wrong].mean() > 0.95
    assert (many.suggested != given).all()
    assert many.share == pytest.approx(wrong.mean(), abs=0.02)


def test_it_is_bayes_rule() -> None:
    rng = np.random.default_rng(2)
    logs = np.log(noise.softmax(3 * rng.normal(size=(300, 6)))).astype(np.float32)
    given = np.where(rng.random(300) < 0.9, logs.argmax(axis=1), rng.integers(0, 6, 300))
    made = fit(lambda rows: [logs[rows]], given, 6)
    classes = noise.softmax(made.weights[0] * np.maximum(logs, np.log(noise.FLOOR)))
    frequency = np.bincount(given, minlength=6) / 300
    at = np.arange(300)
    # the share of wrong labels, from one sample; then all others have to follow from it
    own = classes[at, given]
    odds = (1 - made.wrong) / made.wrong
    share = np.median(1 / (1 + (odds * (1 - own) / own - 1) * frequency[given]))
    table = (1 - share) * np.eye(6) + share * frequency[None, :]
    after = classes * table[:, given].T
    after /= after.sum(axis=1, keepdims=True)
    assert np.allclose(made.wrong, 1 - after[at, given], atol=2e-3)
    assert np.allclose(made.suggested_probability, after[at, made.suggested], atol=2e-3)


def test_nothing_of_samples_by_classes_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    unit, true, given = drawn(3, 6000, 600)
    monkeypatch.setattr(many_classes, "_CHUNK", 60_000)
    monkeypatch.setattr(many_classes, "_FITTED_ON", 300_000)
    logs = probes(unit, given, 600, groups=np.arange(6000))
    tracemalloc.start()
    steps: list[tuple[int, int]] = []
    made = fit(logs, given, 600, lambda done, total: steps.append((done, total)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # a table of probabilities alone would be 14 MB for each of the probes and repeats
    assert len(steps) == 60
    assert steps[-1] == (6000, 6000)
    wrong = given != true
    assert wrong[made.wrong > 0.2].mean() > 0.8
    assert (made.wrong > 0.2)[wrong].mean() > 0.8
    assert peak < 12e6
