"""Properties that give a class away: planted ones are found, groups move together, chance is chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from loupe.brain.core.errors import InputError
from loupe.brain.labels import shortcut_results
from loupe.brain.labels.seen_together import predicted
from loupe.brain.labels.shortcut_results import Settings, results, usable
from loupe.brain.labels.shortcuts import Property, associations, encoded

N = 600
SETTINGS = Settings(permutations=199)


def names(n: int) -> tuple[str, ...]:
    return tuple(f"v{at}" for at in range(n))


def results_of(properties: list[Property], labels: np.ndarray, groups: np.ndarray | None = None, **more: Any) -> Any:
    settings = Settings(**{"permutations": 199, **more})
    given = usable(labels, [f"c{at}" for at in range(int(labels.max()) + 1)], "label", settings)
    groups = np.arange(len(labels)) if groups is None else groups
    return results(properties, given, groups, [str(at) for at in range(len(labels))], settings)


def smallest_q(properties: list[Property], labels: np.ndarray, groups: np.ndarray | None = None) -> float:
    """Returns the smallest q of all properties and classes, without what comes after it."""
    groups = np.arange(len(labels)) if groups is None else groups
    classes = list(range(int(labels.max()) + 1))
    tested = classes[1:] if len(classes) == 2 else classes
    return min(each.q for each in associations(properties, labels, tested, groups, groups % 5, permutations=199))


def number(name: str, values: np.ndarray) -> Property:
    return Property(name, "number", values)


def test_a_planted_number_is_found_in_its_class_alone() -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, N)
    noise = [number(f"noise {at}", rng.normal(size=N)) for at in range(12)]
    made = results_of([*noise, number("blur", rng.normal(size=N) - 1.5 * (labels == 2))], labels)
    (finding,) = made.findings
    assert (finding.name, finding.label, finding.shape) == ("blur", "c2", "lower")
    assert finding.q < 1e-6
    values = next(each for each in made.properties if each.name == "blur")
    assert made.properties[0] is values
    assert finding.auroc == pytest.approx(1 - roc_auc_score(labels == 2, _blur(labels)))
    assert finding.low < finding.auroc < finding.high
    assert all(labels[int(each)] == 2 for each in finding.examples)
    # the clearest come first
    blur = _blur(labels)[[int(each) for each in finding.examples]]
    assert (np.diff(blur) >= 0).all()
    assert "median" in finding.sentence


def _blur(labels: np.ndarray) -> np.ndarray:
    """Returns what the test above planted: the same draws in the same order."""
    rng = np.random.default_rng(0)
    rng.integers(0, 4, N)
    for _ in range(12):
        rng.normal(size=N)
    return rng.normal(size=N) - 1.5 * (labels == 2)


def test_a_class_in_the_middle_is_found_by_ranges() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, N)
    light = np.where(labels == 1, rng.normal(size=N) * 0.2, rng.choice([-1, 1], N) * (1 + rng.random(N)))
    (finding,) = results_of([number("light", light)], labels).findings
    assert finding.shape == "ranges"
    assert finding.auroc > 0.9
    assert " to " in finding.detail


def test_a_folder_and_a_missing_score_are_found() -> None:
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 3, N)
    folder = np.where((labels == 1) & (rng.random(N) < 0.7), 0, rng.integers(0, 20, N)).astype(float)
    score = np.where((labels == 2) & (rng.random(N) < 0.6), np.nan, rng.normal(size=N))
    missing = Property("score", "missing", (~np.isfinite(score)).astype(float))
    made = results_of([Property("folder", "category", folder, names(20)), number("score", score), missing], labels)
    assert {(each.name, each.label, each.shape) for each in made.findings} == {
        ("folder", "c1", "categories"),
        ("score", "c2", "missing"),
    }
    by_name = {each.name: each for each in made.findings}
    assert "of 'v0' are c1" in by_name["folder"].detail
    assert "have none" in by_name["score"].detail
    assert all(folder[int(each)] == 0 for each in by_name["folder"].examples)
    assert all(np.isnan(score[int(each)]) for each in by_name["score"].examples)


def test_a_graded_property_tells_both_ends_and_no_echo() -> None:
    rng = np.random.default_rng(20)
    labels = rng.integers(0, 3, N)
    made = results_of([number("size", rng.normal(size=N) + 2 * labels)], labels)
    assert {(each.label, each.shape) for each in made.findings} == {("c0", "lower"), ("c2", "higher")}


def test_five_thousand_folders_of_few_say_nothing() -> None:
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 2, 10_000)
    folder = Property("folder", "category", rng.integers(0, 5000, 10_000).astype(float), names(5000))
    made = results_of([folder], labels, min_auroc=0.5)
    assert not made.findings
    # in-sample shares would give the class away: .8 and more
    assert abs(made.properties[0].worst.auroc - 0.5) < 0.03


def test_what_stands_in_groups_is_no_shortcut_by_their_number() -> None:
    """Twelve prompts of fifty pictures: each prompt has its own blur and its own class, which 12 draws would share."""
    alone, together = 0, 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        groups = np.repeat(np.arange(12), 50)
        labels = (rng.permutation(12) % 2)[groups]
        blur = [number("blur", rng.normal(size=12)[groups] + 0.1 * rng.normal(size=600))]
        alone += smallest_q(blur, labels) <= 0.05
        together += smallest_q(blur, labels, groups) <= 0.05
    assert alone >= 8
    assert together <= 2


def test_few_groups_are_said() -> None:
    groups = np.repeat([0, 1, 2, 3], 50)
    labels = np.repeat([0, 0, 1, 1], 50)
    made = results_of([number("blur", groups + np.arange(200) / 1000)], labels, groups)
    # of six ways to share out four groups two are as far
    assert made.properties[0].worst.p >= 1 / 6
    assert any("only 4 groups" in note for note in made.notes)


def test_chance_finds_nothing() -> None:
    hits = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        labels = rng.integers(0, 3, 200)
        skewed = [number(str(at), np.exp(2 * rng.normal(size=200))) for at in range(8)]
        category = Property("category", "category", rng.integers(0, 30, 200).astype(float), names(30))
        hits += smallest_q([*skewed, category], labels) <= 0.05
    assert hits <= 6


def test_p_is_that_of_mann_and_whitney() -> None:
    from scipy.stats import mannwhitneyu

    rng = np.random.default_rng(4)
    labels = rng.integers(0, 2, 300)
    values = rng.integers(0, 20, 300) + 1.5 * labels
    (made,) = associations([number("x", values)], labels, [1], np.arange(300), np.arange(300) % 5, permutations=999)
    expected = mannwhitneyu(values[labels == 1], values[labels == 0]).pvalue
    # two tests are looked at: by ranks and by ranges
    assert np.log10(made.p) == pytest.approx(np.log10(2 * expected), abs=1)


def test_out_of_fold_shares_do_not_see_their_own_label() -> None:
    codes, folds = np.arange(50), np.arange(50) % 5
    positive = np.arange(50) < 20
    assert np.unique(encoded(codes, positive, folds)).tolist() == [0.4]
    same = encoded(np.zeros(50, int), positive, folds)
    for fold in range(5):
        out = folds == fold
        expected = (positive[~out].sum() + 0.4) / ((~out).sum() + 1)
        assert same[out] == pytest.approx(expected)


def test_what_all_tell_together() -> None:
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 2, N)
    # only both together tell it
    first, second = rng.integers(0, 2, N).astype(float), np.zeros(N)
    second[:] = first != labels
    own = [number("a", first), number("b", second)]
    made = predicted(own, labels, np.arange(N), np.arange(N) % 5)
    assert made.accuracy.k > 0.95 * N
    assert made.p < 1e-6
    assert made.balanced > 0.95
    nothing = predicted([number("a", rng.normal(size=N))], labels, np.arange(N), np.arange(N) % 5)
    assert nothing.p > 0.01
    # a column of nothing but NaN in some folds breaks no tree
    values = np.where(np.arange(N) % 5 == 0, rng.normal(size=N), np.nan)
    predicted([number("a", values), own[0]], labels, np.arange(N), np.arange(N) % 5)
    predicted([number("a", values)], labels, np.arange(N), np.arange(N) % 5)


def test_groups_count_as_few_together_too() -> None:
    rng = np.random.default_rng(6)
    groups = np.repeat(np.arange(20), 40)
    labels = (np.arange(20) % 2)[groups]
    values = [number("a", rng.normal(size=800) + 0.8 * labels)]
    folds = (groups // 2) % 5
    alone = predicted(values, labels, np.arange(800), folds)
    together = predicted([number("a", values[0].values + rng.normal(size=20)[groups])], labels, groups, folds)
    assert alone.accuracy.high - alone.accuracy.low < together.accuracy.high - together.accuracy.low


@pytest.mark.parametrize("classes", [2, 3])
def test_which_classes_are_tested(classes: int) -> None:
    labels = np.r_[np.zeros(100, int), np.ones(50, int), np.full(5 if classes == 3 else 0, 2)]
    given = usable(labels, ["a", "b", "c"], "label", SETTINGS)
    assert list(given.tested) == ([1] if classes == 2 else [0, 1])
    assert given.sizes() == {"a": 100, "b": 50}
    assert bool(given.notes) == (classes == 3)


def test_labels_that_cannot_be_told_apart_are_refused() -> None:
    with pytest.raises(InputError, match="at least two classes in 'kind', got a"):
        usable(np.zeros(50, int), ["a", "b"], "kind", SETTINGS)
    with pytest.raises(InputError, match="got none"):
        usable(np.full(50, -1), [], "kind", SETTINGS)
    with pytest.raises(InputError, match="at least 20 samples"):
        usable(np.arange(50), [str(at) for at in range(50)], "kind", SETTINGS)
    with pytest.raises(InputError, match="the smallest of 10"):
        usable(np.r_[np.zeros(50, int), np.ones(10, int)], ["a", "b"], "kind", SETTINGS)


def test_many_classes_are_the_most_frequent() -> None:
    labels = np.repeat(np.arange(100), np.arange(20, 120))
    given = usable(labels, [str(at) for at in range(100)], "kind", SETTINGS)
    assert len(given.tested) == shortcut_results.MAX_TESTED
    assert set(given.tested) == set(range(50, 100))
    assert any("100 classes" in note for note in given.notes)


def test_properties_that_do_not_differ_among_labeled_samples_are_left_out() -> None:
    labels = np.r_[np.arange(100) % 2, np.full(20, -1)]
    made = results_of([number("x", np.r_[np.ones(100), np.arange(20)])], labels)
    assert made.properties == ()
    assert made.together is None
    assert any("no properties" in note for note in made.notes)


def test_many_samples_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shortcut_results, "MAX_SAMPLES", 300)
    rng = np.random.default_rng(7)
    labels = rng.integers(0, 2, N)
    made = results_of([number("x", rng.normal(size=N) + 2 * labels)], labels)
    assert made.compared == 300
    assert len(made.findings) == 1
    assert any("300 of 600" in note for note in made.notes)


def test_datalabs_share_of_a_planted_number_is_in_the_same_direction() -> None:
    """Its score is low where a property tells the label; Loupe's AUROC is high there."""
    import pandas as pd
    from cleanlab.datalab.internal.spurious_correlation import SpuriousCorrelations

    rng = np.random.default_rng(13)
    labels = rng.integers(0, 2, N)
    columns = {f"s{at}": rng.normal(size=N) + at * labels for at in range(4)}
    theirs = SpuriousCorrelations(pd.DataFrame(columns), labels).calculate_correlations().set_index("property")["score"]
    made = results_of([number(name, values) for name, values in columns.items()], labels)
    ours = {each.name: each.worst.auroc for each in made.properties}
    order = sorted(ours, key=lambda name: ours[name])
    assert order[-1] == theirs.idxmin() == "s3"
    assert [name for name in order if name != "s0"] == ["s1", "s2", "s3"]


def test_permuted_labels_stay_in_groups() -> None:
    from loupe.brain.stats.permutation import labelings

    labels = np.array([0, 0, 1, 1, 2, 2, 0, 1])
    groups = np.array([0, 0, 1, 1, 2, 2, 3, 3])
    permuted, distinct = labelings(labels, groups)
    rng = np.random.default_rng(14)
    seen = {tuple(permuted(rng).tolist()) for _ in range(500)}
    # three whole groups in any order, times two ways within the mixed one
    assert len(seen) == round(distinct) == 12
    for each in seen:
        assert each[0] == each[1]
        assert sorted(each[6:]) == [0, 1]


def test_a_rare_class_that_was_not_drawn_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shortcut_results, "MAX_SAMPLES", 100)
    rng = np.random.default_rng(21)
    labels = np.r_[rng.integers(0, 2, 20_000), np.full(20, 2)]
    made = results_of([number("x", rng.normal(size=len(labels)) + 3 * (labels == 1))], labels)
    assert {each.label for each in made.findings} == {"c1"}
    assert np.isfinite([each.macro for each in made.properties]).all()


def test_ranges_are_looked_at_however_the_samples_are_sorted() -> None:
    rng = np.random.default_rng(22)
    light = np.r_[np.zeros(1000), rng.choice([-1.0, 0.0, 1.0], 1000)]
    labels = np.where(light == 0, rng.random(2000) < 0.9, rng.random(2000) < 0.1).astype(int)
    (finding,) = results_of([number("light", light)], labels).findings
    assert finding.shape == "ranges"
    assert " to " in finding.detail
