"""What the benchmark of learned hand scores says of scores whose worth is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr

from benchmarks.anatomy import learned
from benchmarks.anatomy.learned import Rated, by_picture, fitted, pictures_needed, resamples, rho, within

PROMPTS = np.repeat(["a", "b", "c", "d", "e", "f"], 12)


def rated(seed: int, **scores: np.ndarray) -> Rated:
    severity = np.random.default_rng(seed).random(len(PROMPTS))
    return Rated(severity, severity, PROMPTS, scores)


def test_hands_become_pictures() -> None:
    given = {"b.jpg": [("x", 1.0), ("y", 3.0)], "a.jpg": [("y", 1.0)], "none.jpg": [("x", 9.0)]}
    prompts = {"a.jpg": "p", "b.jpg": "q", "none.jpg": "q"}
    made = by_picture(given, prompts, np.array(["b.jpg", "a.jpg", "b.jpg"]), {"s": np.array([1.0, 5.0, 2.0])})
    assert made.severity.tolist() == [1.0, 2.0]
    assert made.prompts.tolist() == ["p", "q"]
    assert made.scores["s"].tolist() == [5.0, 1.5]
    # x gives 5 on average, y 2
    assert made.adjusted.tolist() == [-1.0, pytest.approx(((1 - 5) + (3 - 2)) / 2)]


def test_a_constant_score_ranks_nothing() -> None:
    assert rho(np.zeros(5), np.arange(5.0)) == 0
    assert within(np.zeros(4), np.arange(4.0), np.array(["a", "a", "b", "b"])) == 0


def test_a_score_that_knows_the_prompt_alone_has_nothing_within_prompts() -> None:
    level = np.array([float(ord(prompt)) for prompt in PROMPTS])
    severity = level + np.random.default_rng(0).random(len(PROMPTS))
    assert rho(level, severity) > 0.9
    assert within(level, severity, PROMPTS) == 0
    assert within(severity, severity, PROMPTS) == pytest.approx(1)


def test_whole_prompts_are_drawn_together() -> None:
    for at in resamples(PROMPTS, clustered=True)[:20]:
        _, counts = np.unique(at, return_counts=True)
        shares = {prompt: np.bincount(at, minlength=len(PROMPTS))[prompt == PROMPTS] for prompt in set(PROMPTS)}
        assert all(len(set(drawn.tolist())) == 1 for drawn in shares.values())
        assert counts.max() <= 6
    assert len({len(set(at.tolist())) for at in resamples(PROMPTS, clustered=False)[:20]}) > 1


def test_a_fit_finds_what_is_there_on_prompts_that_it_has_not_seen() -> None:
    rng = np.random.default_rng(3)
    severity = rng.random(len(PROMPTS))
    columns = np.column_stack([severity + 0.1 * rng.standard_normal(len(PROMPTS)), rng.random(len(PROMPTS))])
    assert rho(fitted(columns, severity, PROMPTS), severity) > 0.85


def test_a_fit_on_nothing_says_nothing_and_not_the_opposite() -> None:
    """A model that only knows the mean of the others ranks them backwards: the level is left out."""
    made = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        level = dict(zip(sorted(set(PROMPTS)), rng.random(6), strict=True))
        severity = np.array([level[prompt] for prompt in PROMPTS]) + 0.05 * rng.random(len(PROMPTS))
        made.append(rho(fitted(rng.random((len(PROMPTS), 3)), severity, PROMPTS), severity))
    assert abs(np.mean(made)) < 0.1


def test_the_left_out_prompt_is_not_learned_from() -> None:
    rng = np.random.default_rng(5)
    columns, severity = rng.random((len(PROMPTS), 2)), rng.random(len(PROMPTS))
    before = fitted(columns, severity, PROMPTS)
    # changes that keep the others' ranks among themselves
    changed = severity.copy()
    changed[PROMPTS == "c"] = 1 - changed[PROMPTS == "c"]
    after = fitted(columns, changed, PROMPTS)
    np.testing.assert_array_equal(before[PROMPTS == "c"], after[PROMPTS == "c"])
    assert (before[PROMPTS != "c"] != after[PROMPTS != "c"]).any()


def test_the_rank_correlation_is_spearmans() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.random(40), rng.random(40)
    assert rho(a, b) == pytest.approx(spearmanr(a, b)[0])
    assert within(a, b, np.repeat("a", 40)) == pytest.approx(np.corrcoef(rankdata(a), rankdata(b))[0, 1])


def test_so_many_pictures_show_the_difference() -> None:
    """By drawing: with that many pictures the lower end of the interval is above the old figure in four of five."""
    n, rng, hits = pictures_needed(0.5, 0.37), np.random.default_rng(0), 0
    pearson = 2 * np.sin(np.pi * 0.5 / 6)  # what gives Spearman's .5 of two normal variables
    for _ in range(400):
        x = rng.standard_normal(n)
        y = pearson * x + np.sqrt(1 - pearson**2) * rng.standard_normal(n)
        hits += np.arctanh(rho(x, y)) - 1.96 * np.sqrt(1.06 / (n - 3)) > np.arctanh(0.37)
    assert 0.73 < hits / 400 < 0.87


def test_the_tables_are_printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learned, "_RESAMPLES", 50)
    monkeypatch.setattr(learned, "_DRAWS", 2)
    names = ("implausibility", *learned.WAYS, *learned.PLAIN, "agreement: points")
    rng = np.random.default_rng(0)
    given = rated(2, **{name: rng.random(len(PROMPTS)) for name in names})
    learned.table(given, given.scores)
    learned.table(given, learned.combined(given))
    learned.curve(given)
    learned.experts({"a": [("x", 1.0), ("y", 2.0)], "b": [("x", 2.0), ("y", 3.0)], "c": [("x", 1.0)]})
    printed = capsys.readouterr().out
    assert "fitted: all these and every single term" in printed
    assert "nan" not in printed
    assert "the same 2 pictures: +1.00" in printed
