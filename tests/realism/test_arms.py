"""Which set trains better, and is it the prettiest: ranks that hold, and sentences that say what is known."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import ttest_rel

from loupe.brain.core.experiment import ArmResult
from loupe.brain.core.realism import USEFUL, Estimate, Verdict
from loupe.brain.realism.arms import Tested, ranked, sentences, surely_better
from loupe.brain.realism.estimates import p_value
from loupe.brain.slicing.ranks import ranges, tied_groups
from loupe.brain.stats.differences import holm

N = 400


def drawn(rng: np.random.Generator, accuracy: float, hard: np.ndarray, spread: float = 0.02, n: int = N) -> Tested:
    """Returns how a set does whose accuracy varies with its own draw, on samples that are hard for all alike."""
    own = accuracy + spread * rng.normal()

    def correct(level: float) -> np.ndarray:
        # what is hard for one set is hard for another
        return 0.7 * hard + 0.3 * rng.random(n) < level

    halves = np.stack([correct(own + spread * rng.normal()) for _ in range(8)])
    return Tested(correct(own), halves)


def arm(name: str, utility: float, precision: float = 1.0, frechet: float = 1.0, **facts: object) -> ArmResult:
    made = ArmResult(name, "m", "s", math.nan, 0, 100, utility=Estimate(utility, utility - 0.1, utility + 0.1))
    near = Estimate(precision, precision - 0.02, precision + 0.02)
    return replace(made, precision=near, recall=Estimate(utility, 0, 1), frechet=frechet, **facts)  # type: ignore[arg-type]


def test_the_p_of_a_paired_difference_is_that_of_a_paired_test() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random((2, N)) < [[0.8], [0.7]]
    made = p_value(a.astype(float) - b, np.arange(N), [])
    assert made == pytest.approx(ttest_rel(a.astype(float), b).pvalue, rel=1e-6)
    assert p_value(np.zeros(9), np.arange(9), []) == 1.0
    assert p_value(np.ones(9), np.arange(9), []) == 0.0


def test_equal_sets_are_seldom_told_apart_and_unequal_ones_are() -> None:
    wrong = right = 0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        hard = rng.random(N)
        tested = {name: drawn(rng, 0.7, hard) for name in "abc"}
        wrong += bool(surely_better(tested, np.arange(N)))
        tested["low"] = drawn(rng, 0.5, hard)
        right += {(name, "low") for name in "abc"} <= set(surely_better(tested, np.arange(N)))
    # .05 of 120 are 6, and 13 come once in a hundred times; what is 20 points apart is seen nearly always
    assert wrong <= 13
    assert right >= 110


def test_pairs_are_corrected_together() -> None:
    rng = np.random.default_rng(3)
    hard = rng.random(N)
    tested = {f"s{at}": drawn(rng, 0.6 + 0.02 * at, hard, spread=0.0) for at in range(6)}
    pairs = list(combinations(tested, 2))
    raw = [
        p_value(tested[a].correct.astype(float) - tested[b].correct, np.arange(N), [tested[a].halves, tested[b].halves])
        for a, b in pairs
    ]
    wanted = {frozenset(pair) for pair, p in zip(pairs, holm(raw), strict=True) if p <= 0.05}
    made = surely_better(tested, np.arange(N))
    assert {frozenset(pair) for pair in made} == wanted
    assert 0 < len(wanted) < sum(p <= 0.05 for p in raw)
    assert all(tested[a].correct.mean() > tested[b].correct.mean() for a, b in made)


def test_clusters_of_test_samples_are_no_independent_evidence() -> None:
    alike = {}
    for name, right in (("a", 24), ("b", 21)):
        correct = np.repeat(np.arange(30) < right, 20)
        alike[name] = Tested(correct, np.stack([correct] * 8))
    assert surely_better(alike, np.arange(600))
    assert not surely_better(alike, np.repeat(np.arange(30), 20))


def test_ranks_are_ranges_and_the_tied_stand_together() -> None:
    surely = [("a", "c"), ("a", "d"), ("b", "d")]
    arms = [arm("d", 0.1), arm("b", 0.6), arm("a", 0.9), arm("c", 0.5), replace(arm("e", math.nan), reason="broke")]
    ordered, tied = ranked(arms, surely)
    assert [(each.name, each.rank) for each in ordered] == [
        ("a", "1–2"),
        ("b", "1–3"),
        ("c", "2–4"),
        ("d", "3–4"),
        ("e", "–"),
    ]
    assert tied == (("a", "b"), ("b", "c"), ("c", "d"))
    assert ranges(["a"], []) == {"a": (1, 1)}
    assert tied_groups([], []) == ()


def follows(arms: list[ArmResult], surely: list[tuple[str, str]]) -> str:
    return " ".join(sentences(ranked(arms, surely)[0], surely))


def test_the_prettiest_is_not_the_most_useful() -> None:
    arms = [arm("pretty", 0.5, precision=1.2, frechet=0.1), arm("plain", 0.9, precision=0.8, frechet=0.9)]
    made = follows(arms, [("plain", "pretty")])
    assert "The most useful is plain: utility 0.9 [0.8, 1]." in made
    assert (
        "The prettiest, pretty with the highest precision and the lowest Fréchet distance, is not the most useful: it "
        "surely ranks 2 of 2, utility 0.5 [0.4, 0.6]." in made
    )
    assert "1 pair of arms surely differs in use. Put in the order of use: by precision 0, by Fréchet " in made
    assert "by recall 1" in made


def test_the_prettiest_is_the_most_useful_or_nobody_knows() -> None:
    arms = [arm("best", 0.9, precision=1.2, frechet=0.1), arm("rest", 0.5, precision=0.8, frechet=0.9)]
    assert "is also the most useful" in follows(arms, [("best", "rest")])
    made = follows(arms, [])
    assert "The most useful seems to be best, utility 0.9 [0.8, 1], which nothing tells from rest." in made
    assert "may or may not be the most useful: it ranks 1–2 of 2" in made
    assert "surely differ" not in made


def test_looks_that_are_nearly_alike_are_said_to_be() -> None:
    arms = [arm("a", 0.9, precision=1.0, frechet=0.1), arm("b", 0.5, precision=1.01, frechet=0.9)]
    made = follows(arms, [("a", "b")])
    assert "Among the prettiest, b with the highest precision, which nothing tells from that of a, is not" in made
    assert "The prettiest, a with the lowest Fréchet distance, is also the most useful" in made


def test_what_use_nobody_is_sure_of_and_why_an_arm_is_not_there() -> None:
    useful = (Verdict(USEFUL, "it does"),)
    assert "None of them surely does" in follows([arm("a", 0.5)], [])
    assert "None of them surely does" not in follows([arm("a", 0.9, findings=useful)], [])
    alone = follows([arm("a", 0.9), replace(arm("x", math.nan), reason="cannot be drawn: no")], [])
    assert "a has utility 0.9 [0.8, 1]; it is the only one that was measured." in alone
    assert "x: cannot be drawn: no." in alone
    assert "prettiest" not in alone
    assert sentences([], []) == ()


def test_an_arm_is_read_again_as_it_was_kept() -> None:
    first = replace(
        arm("a", 0.9, findings=(Verdict("COLLAPSE", "s", {"x": math.nan, "y": math.inf}, "n"),)),
        equivalent_real_size=Estimate(math.inf, 3.0, math.inf),
        guidance=7.5,
    )
    again = ArmResult.from_dict(first.to_dict())
    assert again.to_dict() == first.to_dict()
    assert again.equivalent_real_size.value == math.inf
    assert ArmResult.from_dict(ArmResult("a", "m", "s", math.nan, 0, reason="r").to_dict()).measured is False
