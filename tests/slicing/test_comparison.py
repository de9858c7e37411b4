"""Contenders side by side, against counts made one pair at a time, and by how often they are called better wrongly."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from loupe.brain.core.comparison import Comparison, Difference
from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.slicing.comparison import Entries, differences, standings
from loupe.brain.slicing.outcomes import State
from loupe.brain.slicing.ranks import ranked
from loupe.brain.stats import differences as stats
from loupe.brain.stats.intervals import wilson

F, P, U, N = (np.int8(state) for state in (State.FAILED, State.PASSED, State.UNKNOWN, State.UNCHECKED))


def compare(entries: Entries, **more: float) -> Comparison:
    rates = standings(entries, "model", "blur")
    compared = differences(entries, rates, **more)
    ordered, tied = ranked(rates, compared)
    return Comparison("model", "blur", tuple(ordered), tuple(compared), tied)


def random_entries(n: int, contenders: int, seed: int, *, repeats: int = 1) -> Entries:
    """Entries with every state, keys that some contenders lack, and some without a key."""
    rng = np.random.default_rng(seed)
    member = np.repeat(np.arange(contenders), n * repeats)
    key = np.tile(np.repeat(np.arange(n), repeats), contenders)
    kept = rng.random(len(key)) < 0.9
    key = np.where(rng.random(len(key)) < 0.03, -1, key)
    state = rng.choice([F, P, U, N], len(key), p=[0.25, 0.6, 0.1, 0.05])
    names = tuple("abcdefgh"[:contenders])
    return Entries(names, member[kept], state[kept], key[kept])


def test_pairs_are_those_that_a_loop_counts() -> None:
    entries = random_entries(80, 3, 0)
    comparison = compare(entries)
    assert len(comparison.differences) == 3
    for each in comparison.differences:
        held: list[dict[int, int]] = []
        for name in (each.a, each.b):
            own = entries.member == entries.names.index(name)
            held.append(dict(zip(entries.key[own].tolist(), entries.state[own].tolist(), strict=True)))
            held[-1].pop(-1, None)
        shared = [(held[0][key], held[1][key]) for key in held[0].keys() & held[1].keys()]
        judged = [pair for pair in shared if min(pair) >= State.PASSED]
        only_a = sum(a == State.FAILED and b == State.PASSED for a, b in judged)
        only_b = sum(a == State.PASSED and b == State.FAILED for a, b in judged)
        assert each.paired
        assert (each.n, each.only_a, each.only_b) == (len(judged), only_a, only_b)
        assert each.left_out == len(shared) - len(judged) > 0
        partnerless = [own[key] for own, other in (held, held[::-1]) for key in own.keys() - other.keys()]
        assert each.alone == sum(state >= State.PASSED for state in partnerless) > 0
        assert each.difference == pytest.approx((only_a - only_b) / len(judged))
        assert (each.low, each.high) == pytest.approx([float(end) for end in stats.paired(only_a, only_b, each.n)])
        assert each.p == pytest.approx(float(stats.mcnemar(only_a, only_b)))
    adjusted = stats.holm([each.p for each in comparison.differences])
    assert [each.p_adjusted for each in comparison.differences] == pytest.approx(adjusted)


def test_several_pictures_with_one_key_are_one_pair_of_their_means() -> None:
    #             key 0: a fails 1 of 2, b passes      key 1: a fails, b fails 2 of 2    key 2: only a
    member = np.array([0, 0, 1, 0, 1, 1, 0])
    key = np.array([0, 0, 0, 1, 1, 1, 2])
    state = np.array([F, P, P, F, F, F, F])
    (each,) = compare(Entries(("a", "b"), member, state, key)).differences
    assert (each.paired, each.n, each.only_a, each.only_b, each.alone) == (True, 2, 0.5, 0, 1)
    assert (each.rate_a, each.rate_b, each.difference) == (0.75, 0.5, 0.25)


def test_too_few_shared_are_compared_unpaired_and_pairs_are_made_where_they_are_asked_for() -> None:
    state = np.array([F, P] * 20, dtype=np.int8)
    key = np.concatenate([np.arange(20), np.arange(15, 35)])
    entries = Entries(("a", "b"), np.repeat([0, 1], 20), state, key)
    (each,) = compare(entries).differences
    assert (each.paired, each.n, each.n_a, each.n_b) == (False, 0, 20, 20)
    assert (each.low, each.high) == pytest.approx([float(end) for end in stats.unpaired(10, 20, 10, 20)])
    assert np.isnan(each.only_a)
    (each,) = compare(entries, min_shared=0.0).differences
    assert (each.paired, each.n, each.alone) == (True, 5, 30)


def test_outcomes_of_the_same_samples_are_paired_by_the_sample() -> None:
    rng = np.random.default_rng(4)
    states = {name: rng.choice([F, P, U], 200) for name in ("x", "y")}
    (each,) = compare(Entries.of_outcomes(states)).differences
    both = (states["x"] >= State.PASSED) & (states["y"] >= State.PASSED)
    assert (each.n, each.left_out, each.alone) == (both.sum(), 200 - both.sum(), 0)


def test_pictures_of_a_prompt_make_intervals_wider() -> None:
    rng = np.random.default_rng(5)
    cluster = np.tile(np.repeat(np.arange(40), 5), 2)
    chance = rng.beta(0.5, 1.5, 40)[cluster]
    state = np.where(rng.random(400) < chance, F, P)
    entries = Entries(("a", "b"), np.repeat([0, 1], 200), state)
    plain, clustered = compare(entries), compare(dataclasses.replace(entries, cluster=cluster))
    for own, wider in zip(plain.standings, clustered.standings, strict=True):
        assert own.rate.rate == wider.rate.rate
        assert (own.rate.low, own.rate.high) == pytest.approx([float(end) for end in wilson(own.rate.failures, 200)])
        assert wider.rate.high - wider.rate.low > 1.2 * (own.rate.high - own.rate.low)
        assert wider.effective_n < own.effective_n == 200
    assert clustered.differences[0].high > plain.differences[0].high
    assert clustered.differences[0].p > plain.differences[0].p


def test_ranks_are_ranges_where_nothing_tells_more_and_ties_are_joined() -> None:
    counts = {"good": 5, "fair": 60, "same": 66, "middle": 85, "bad": 190}
    state = np.concatenate([[F] * k + [P] * (200 - k) for k in counts.values()]).astype(np.int8)
    comparison = compare(Entries(tuple(counts), np.repeat(np.arange(5), 200), state))
    assert [own.name for own in comparison.standings] == list(counts)
    assert [own.rank for own in comparison.standings] == ["1", "2–3", "2–4", "3–4", "5"]
    assert comparison.tied == (("fair", "same"), ("same", "middle"))
    assert comparison.letters() == {"good": "", "fair": "a", "same": "ab", "middle": "b", "bad": ""}
    for own in comparison.standings:
        surely = [each for each in comparison.differences if own.name in (each.a, each.b) and each.p_adjusted <= 0.05]
        better = sum((each.difference > 0) == (each.a == own.name) for each in surely)
        assert own.rank_low == 1 + better
        assert own.rank_high == 5 - (len(surely) - better)


@pytest.mark.parametrize("seed", range(12))
def test_two_share_a_group_just_where_they_are_tied(seed: int) -> None:
    """With few samples of some and many of others, who is tied with whom is no matter of neighbors in the order."""
    rng = np.random.default_rng(seed)
    sizes, rates = rng.integers(10, 400, 8), rng.beta(2, 3, 8)
    member = np.repeat(np.arange(8), sizes)
    comparison = compare(Entries(tuple("abcdefgh"), member, np.where(rng.random(len(member)) < rates[member], F, P)))
    together = {frozenset(two) for group in comparison.tied for two in itertools.combinations(group, 2)}
    assert together == {frozenset((own.a, own.b)) for own in comparison.differences if own.p_adjusted > 0.05}
    for group in comparison.tied:
        assert not any(set(group) < set(other) for other in comparison.tied)


def test_one_that_nobody_judged_has_no_rank_and_takes_none() -> None:
    state = np.array([F, P, U, U, P, P], dtype=np.int8)
    comparison = compare(Entries(("a", "nothing", "b"), np.array([0, 0, 1, 1, 2, 2]), state, np.arange(6) % 2))
    assert [own.name for own in comparison.standings] == ["b", "a", "nothing"]
    assert [own.rank for own in comparison.standings] == ["1–2", "1–2", "not judged"]
    nothing = comparison.difference("nothing", "b")
    assert np.isnan([nothing.difference, nothing.low, nothing.p_adjusted]).all()
    assert "not compared" in str(nothing)
    assert comparison.difference("a", "b").p_adjusted == comparison.difference("a", "b").p, "one test was made"
    assert comparison.to_dict()["differences"][0]["p"] is None


def test_a_difference_is_the_negative_the_other_way_round() -> None:
    comparison = compare(random_entries(80, 3, 7))
    forth, back = comparison.difference("a", "c"), comparison.difference("c", "a")
    assert (back.a, back.difference, back.low, back.high) == ("c", -forth.difference, -forth.high, -forth.low)
    assert (back.only_a, back.rate_a, back.n_a) == (forth.only_b, forth.rate_b, forth.n_b)
    assert back.reversed() == forth
    for a, b in (("a", "nobody"), ("nobody", "a"), ("a", "a")):
        with pytest.raises(UnknownName):
            comparison.difference(a, b)


def test_more_than_can_be_ranked_are_refused_and_200_are_not() -> None:
    n = 201
    entries = Entries(tuple(map(str, range(n))), np.arange(n), np.full(n, P))
    with pytest.raises(InputError, match="at most 200 to compare, got 201"):
        compare(entries)
    entries = random_entries(4, 8, 0)
    many = Entries(
        tuple(map(str, range(200))), np.repeat(np.arange(200), 10), np.tile([F, P], 1000), np.tile(np.arange(10), 200)
    )
    comparison = compare(many)
    assert len(comparison.differences) == 19_900
    assert {own.rank for own in comparison.standings} == {"1–200"}
    assert len(comparison.tied) == 1
    assert "and 160 more rows" in repr(comparison)


def test_it_prints_as_a_leaderboard_and_shows_names_as_they_are() -> None:
    names = ('<b>"x"</b> | y', "😀\n2")
    state = np.array([F, P, P, P, U, P], dtype=np.int8)
    comparison = dataclasses.replace(
        compare(Entries(names, np.array([0, 0, 0, 1, 1, 1]), state)), notes=("some <i>are</i> left out",)
    )
    lines = repr(comparison).splitlines()
    assert lines[0] == "blur, the fewest failures first; those that share a letter are tied"
    head = ["rank", "model", "rate", "interval", "failed", "judged", "unknown", "unchecked", "tied"]
    assert lines[1].split() == head
    assert lines[2].split()[:4] == ["1–2", "😀", "2", "0.0"]
    assert lines[-1] == "some <i>are</i> left out"
    html = comparison._repr_html_()
    assert "<b>" not in html
    assert "<i>" not in html
    assert "unpaired, 3 and 2" in str(comparison.differences[0])


@pytest.mark.parametrize("contenders", [2, 5, 10])
@pytest.mark.parametrize("paired", [True, False])
def test_equals_are_seldom_called_better(contenders: int, paired: bool) -> None:
    rng = np.random.default_rng(8)
    wrong = 0
    for _ in range(200):
        hard = rng.beta(1, 4, 150)
        state = np.where(rng.random((contenders, 150)) < hard, F, P).ravel()
        member = np.repeat(np.arange(contenders), 150)
        entries = Entries(tuple(map(str, range(contenders))), member, state)
        if paired:
            entries = dataclasses.replace(entries, key=np.tile(np.arange(150), contenders))
        compared = differences(entries, standings(entries, "model", "blur"))
        assert all(each.paired == paired for each in compared)
        wrong += any(each.p_adjusted <= 0.05 for each in compared)
    assert wrong / 200 <= 0.08  # of 200 runs; the benchmark has more


def test_differences_are_named_by_what_was_compared() -> None:
    nan = float("nan")
    each = Difference("a", "b", True, 40, 40, 40, 0.2, 0.1, 6, 2, 3, 1, 0.1, -0.05, 0.25, 40, 0.29, 0.58)
    assert str(each) == "a against b: +10.0 points [-5.0, +25.0] (40 pairs, 3 left out as unknown; p = .58)"
    each = Difference("a", "b", False, 0, 40, 50, 0.2, 0.1, nan, nan, 0, 0, 0.1, -0.05, 0.25, 90, 0.29, 0.58)
    assert str(each) == "a against b: +10.0 points [-5.0, +25.0] (unpaired, 40 and 50; p = .58)"


def test_a_few_prompts_with_many_pictures_are_no_pairs() -> None:
    state = np.array([F, P] * 90, dtype=np.int8)
    for prompts, paired in ((9, False), (15, True)):
        entries = Entries(("a", "b"), np.repeat([0, 1], 90), state, np.tile(np.arange(90) % prompts, 2))
        (each,) = compare(entries).differences
        assert (each.paired, each.n) == (paired, prompts if paired else 0)
