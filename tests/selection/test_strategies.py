"""Facility location, herding, balance and budgets against brute force and closed forms."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import sparse

from loupe.brain.core.errors import InputError, UnknownName
from loupe.brain.selection.balance import balanced
from loupe.brain.selection.budget import evenly, in_proportion, thinned
from loupe.brain.selection.centers import k_center
from loupe.brain.selection.choose import Pool, choose, weights_of
from loupe.brain.selection.facility import coverage, facility_location, greedy
from loupe.brain.selection.herding import herd, width
from loupe.brain.selection.measures import against_random
from loupe.brain.selection.parts import parts
from loupe.brain.selection.ranked import density, of_class, to_class


def unit(n: int, size: int, seed: int) -> np.ndarray:
    made = np.random.default_rng(seed).normal(size=(n, size)).astype(np.float32)
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True))


@pytest.mark.parametrize("seed", range(6))
def test_facility_location_comes_to_its_bound(seed: int) -> None:
    vectors = unit(12, 3, seed)
    kernel = np.clip((vectors @ vectors.T + 1) / 2, 0, 1)
    for n in (1, 3, 5):
        best = max(kernel[list(chosen)].max(axis=0).sum() for chosen in combinations(range(12), n))
        made = facility_location(vectors, n)
        value = kernel[made].max(axis=0).sum()
        assert value >= (1 - 1 / np.e) * best - 1e-6
        assert len(set(made.tolist())) == n


def test_the_lazy_greedy_is_the_plain_one() -> None:
    vectors = unit(400, 5, 1)
    kernel = np.clip((vectors @ vectors.T + 1) / 2, 0, 1).astype(np.float64)
    order, gains = greedy(kernel, 40)
    cover, plain = np.zeros(400), []
    for _ in range(40):
        gain = np.maximum(kernel - cover, 0).sum(axis=1)
        gain[plain] = -1
        plain.append(int(gain.argmax()))
        cover = np.maximum(cover, kernel[plain[-1]])
    assert order.tolist() == plain
    assert gains.sum() == pytest.approx(cover.sum())


def test_parts_lose_little() -> None:
    vectors = unit(3000, 8, 2)
    exact = coverage(vectors, facility_location(vectors, 200, size=3000))
    cut = coverage(vectors, facility_location(vectors, 200, size=500))
    chance = coverage(vectors, np.random.default_rng(0).permutation(3000)[:200])
    assert chance < cut <= exact + 1e-9
    assert cut - chance > 0.7 * (exact - chance)


def test_what_is_taken_is_not_covered_again() -> None:
    vectors = np.repeat(np.eye(4, dtype=np.float32), [10, 10, 10, 10], axis=0)
    taken = np.zeros(40, dtype=bool)
    taken[[0, 10]] = True
    for made in (
        facility_location(vectors, 2, taken=taken),
        herd(vectors, 2, np.random.default_rng(0), taken=taken),
    ):
        assert {int(each) // 10 for each in made} == {2, 3}


def test_parts_are_small_and_whole() -> None:
    made = parts(unit(5001, 6, 0), 100)
    assert sorted(np.concatenate(made).tolist()) == list(range(5001))
    assert max(map(len, made)) <= 100
    assert min(map(len, made)) >= 40
    assert [len(each) for each in parts(np.ones((300, 3), np.float32), 100)] == [75] * 4


def test_herding_is_nearer_to_the_distribution_than_chance() -> None:
    vectors = unit(2000, 4, 5) + np.array([0.5, 0, 0, 0], np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    made = herd(vectors, 80, np.random.default_rng(0), size=500)
    measures, n = against_random(vectors, made, np.random.default_rng(1))
    apart = {each.name: each for each in measures}["discrepancy"]
    assert n == 2000
    assert len(set(made.tolist())) == 80
    assert apart.value < 0.5 * apart.low
    assert apart.verdict == "better than random"


def test_measures_against_brute_force() -> None:
    vectors = unit(60, 3, 0)
    chosen = np.arange(7)
    measures, _ = against_random(vectors, chosen, np.random.default_rng(0), kept=vectors[50:52])
    apart = np.linalg.norm(vectors[:, None] - vectors[[*range(7), 50, 51]][None], axis=2).min(axis=1)
    by_name = {each.name: each.value for each in measures}
    assert by_name["radius"] == pytest.approx(apart.max(), abs=1e-3)
    assert by_name["mean distance"] == pytest.approx(apart.mean(), abs=1e-3)
    kernel = np.exp(-(np.linalg.norm(vectors[:, None] - vectors[None], axis=2) ** 2) / width(vectors))
    own = [*range(7), 50, 51]
    exact = np.sqrt(kernel[np.ix_(own, own)].mean() + kernel.mean() - 2 * kernel[own].mean())
    assert by_name["discrepancy"] == pytest.approx(exact, rel=0.1)


@pytest.mark.parametrize("seed", range(5))
def test_water_filling_is_as_even_as_any(seed: int) -> None:
    rng = np.random.default_rng(seed)
    room, held = rng.integers(0, 5, 4), rng.integers(0, 3, 4)
    for n in range(int(room.sum()) + 1):
        made = evenly(room, n, held)
        assert made.sum() == n
        assert (made <= room).all()
        best = min(
            tuple(sorted((held + take).tolist(), reverse=True))
            for take in (np.array(each) for each in np.ndindex(*(room + 1)))
            if take.sum() == n
        )
        assert tuple(sorted((held + made).tolist(), reverse=True)) == best


@pytest.mark.parametrize("seed", range(5))
def test_proportions(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(0, 50, 12)
    for n in (0, 1, 7, int(sizes.sum())):
        made = in_proportion(sizes, n)
        assert made.sum() == n
        assert (made <= sizes).all()
        wanted = n * sizes / sizes.sum()
        assert np.abs(made - wanted).max() < 1
        up, down = made > wanted, made < np.floor(wanted) + (wanted % 1 > 0)
        # who is rounded up has a larger remainder than who is rounded down
        assert (wanted % 1)[up].min(initial=1) >= (wanted % 1)[down & (wanted % 1 > 0)].max(initial=0) - 1e-9
    assert in_proportion(np.array([0.7, 0.3]), 10, np.array([10, 10])).tolist() == [7, 3]


def test_a_full_cell_leaves_the_rest_to_the_others() -> None:
    assert evenly(np.array([5, 5]), 1, np.array([3, 0])).tolist() == [0, 1]
    assert in_proportion(np.array([5, 0, 5]), 9, np.array([2, 4, 5])).tolist() == [2, 2, 5]
    assert in_proportion(np.array([99, 98]), 10).tolist() == [5, 5]
    assert in_proportion(np.array([90, 10]), 50, np.array([20, 60])).tolist() == [20, 30]


def test_classes_come_out_even() -> None:
    given = np.array([0] * 90 + [1] * 8 + [2] * 2)
    cells = sparse.csr_matrix((np.ones(100), (np.arange(100), given)), shape=(100, 3))
    made = balanced(cells, 20, np.random.default_rng(0))
    assert np.bincount(given[made]).tolist() == [10, 8, 2]
    assert np.bincount(given[made[:6]], minlength=3).tolist() == [2, 2, 2]
    held = balanced(cells, 6, np.random.default_rng(0), np.array([3, 1, 0]))
    assert given[held[0]] == 2, "the first of the chosen fill up what is behind"
    assert np.bincount(given[held], minlength=3).tolist() == [1, 3, 2]


def test_several_labels_come_out_more_even_than_by_chance() -> None:
    rng = np.random.default_rng(0)
    table = rng.random((600, 8)) < np.geomspace(0.5, 0.02, 8)
    table[~table.any(axis=1), 0] = True
    made = balanced(sparse.csr_matrix(table.astype(float)), 60, rng)
    assert len(set(made.tolist())) == 60
    chance = table[rng.permutation(600)[:60]].sum(axis=0)
    assert table[made].sum(axis=0).min() > 2 * chance.min()


def test_at_most_so_many_of_a_group() -> None:
    groups = np.array([0, 0, 0, 1, 1, 2])
    rank = np.array([2, 0, 1, 5, 4, 3])
    assert thinned(np.arange(6), groups, rank, 1, np.zeros(0, np.int64)).tolist() == [1, 4, 5]
    assert thinned(np.arange(6), groups, rank, 2, np.array([0])).tolist() == [1, 3, 4, 5]


def test_density_and_class_means() -> None:
    vectors = np.concatenate([unit(400, 6, 0), np.ones((60, 6), np.float32) / np.float32(6**0.5)])
    assert density(vectors, np.random.default_rng(0))[400:].min() > 0.99
    given = np.arange(460) % 3
    mean = vectors[given == 1].mean(axis=0)
    own = to_class(vectors, given)[given == 1]
    np.testing.assert_allclose(own, vectors[given == 1] @ mean / np.linalg.norm(mean), atol=1e-5)


def test_the_most_typical_are_of_each_class() -> None:
    vectors = np.concatenate([unit(300, 6, 0), unit(30, 6, 1) / 4 + np.eye(6, dtype=np.float32)[0]])
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    given = np.repeat([0, 1], [300, 30])
    own = of_class(vectors, given)
    best = np.argsort(-own, kind="stable")[:33]
    assert np.bincount(given[best]).tolist() == [30, 3]
    cosines = to_class(vectors, given)
    assert set(best[best >= 300]) == set(300 + np.argsort(-cosines[300:])[:3])
    assert len(of_class(vectors[:0], given[:0])) == 0


def test_density_of_many_leaves_each_itself_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from loupe.brain.selection import ranked

    monkeypatch.setattr(ranked, "REFERENCE", 100)
    vectors = unit(300, 5, 0)
    own = density(vectors, np.random.default_rng(3))
    drawn = np.sort(np.random.default_rng(3).choice(300, 100, replace=False))
    for at in (int(drawn[4]), next(each for each in range(300) if each not in set(drawn.tolist()))):
        cosines = np.sort(vectors[[each for each in drawn if each != at]] @ vectors[at])[::-1][: ranked.NEIGHBORS]
        assert own[at] == pytest.approx(cosines.mean(), abs=1e-5)


def pool(n: int = 200, **facts: object) -> Pool:
    vectors = unit(n, 6, 0)
    held = {"open": np.ones(n, bool), "taken": np.zeros(n, bool), "groups": np.arange(n), "unit": vectors}
    return Pool(**{**held, "hardness": np.arange(n, dtype=float), **facts})  # type: ignore[arg-type]


def test_a_mix_keeps_to_its_weights() -> None:
    made = choose(pool(), 10, {"hard": 0.3, "diverse": 0.7})
    assert made.order[:3].tolist() == [199, 198, 197]
    assert len(set(made.order.tolist())) == 10
    again = choose(pool(), 10, {"hard": 0.3, "diverse": 0.7})
    assert again.order.tolist() == made.order.tolist()


def test_each_strategy_knows_what_those_before_it_took() -> None:
    held = pool()
    made = choose(held, 20, {"hard": 0.5, "random": 0.5})
    assert len(set(made.order.tolist())) == 20
    assert held.unit is not None
    made = choose(held, 20, {"hard": 0.5, "diverse": 0.5})
    first, rest = made.order[:10], np.setdiff1d(np.arange(200), made.order[:10])
    second = k_center(held.unit[rest], 10, np.random.default_rng(0), start=held.unit[first])
    assert made.order[10:].tolist() == rest[second.order].tolist()


def test_in_a_cell_it_goes_on_from_what_is_taken_there() -> None:
    taken = np.zeros(200, dtype=bool)
    taken[[0, 3, 7]] = True
    held = pool(cells=np.arange(200) % 2, taken=taken, open=~taken)
    made = choose(held, 10, {"diverse": 1.0})
    assert held.unit is not None
    for cell in (0, 1):
        own = np.flatnonzero((np.arange(200) % 2 == cell) & ~taken)
        start = held.unit[np.flatnonzero((np.arange(200) % 2 == cell) & taken)]
        plain = k_center(held.unit[own], 5, np.random.default_rng(0), start=start)
        assert made.order[made.order % 2 == cell].tolist() == own[plain.order].tolist()


def test_what_a_part_has_already_counts_for_its_share() -> None:
    rng = np.random.default_rng(0)
    vectors = np.concatenate([rng.normal(size=(100, 4)) + 9, rng.normal(size=(100, 4)) - 9]).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    taken = np.arange(200) < 8
    made = herd(vectors, 12, rng, taken=taken, size=100)
    assert np.bincount(made // 100).tolist() == [2, 10]


@pytest.mark.parametrize("name", ["diverse", "facility_location", "representative", "hard", "random"])
def test_every_strategy_keeps_to_groups_cells_and_what_is_open(name: str) -> None:
    n = 200
    open_ = np.arange(n) % 5 > 0
    taken = np.zeros(n, bool)
    taken[:2] = [True, False]
    held = pool(groups=np.arange(n) // 4, cells=np.arange(n) % 3, open=open_ & ~taken, taken=taken)
    made = choose(held, 30, {name: 1.0}, maximum=1, seed=4)
    assert len(set(made.order.tolist())) == 30
    assert open_[made.order].all()
    groups = [*(made.order // 4).tolist(), 0]
    assert len(set(groups)) == 31
    assert np.abs(np.bincount(made.order % 3, minlength=3) - 10).max() <= 1
    assert made.grouped[[at for at in range(1, 4) if at % 5]].all()


def test_what_cannot_be_chosen_is_an_error() -> None:
    with pytest.raises(InputError, match="at most 50: that many can be chosen, with at most 1 of a group"):
        choose(pool(groups=np.arange(200) // 4), 51, {"random": 1.0}, maximum=1)
    with pytest.raises(UnknownName, match="Did you mean 'diverse'"):
        weights_of("divers")
    with pytest.raises(InputError, match=r"sum to 1, got 0\.9"):
        weights_of({"diverse": 0.6, "hard": 0.3})
    with pytest.raises(InputError, match=r"in \(0, 1\]"):
        weights_of({"diverse": 1.5, "hard": -0.5})
    with pytest.raises(InputError, match="expected a strategy"):
        weights_of({})
