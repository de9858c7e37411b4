"""``loupe.compare`` on a dataset, against counts made one sample at a time from its fields."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.database

RATES = {"old": 0.2, "new": 0.22, "worst": 0.5}


@pytest.fixture(scope="module")
def models(database: str) -> Iterator[Any]:
    """Three models on the same prompts and seeds; nobody writes to it."""
    import fiftyone as fo
    from models_compared import fill_models

    dataset = fo.Dataset()
    fill_models(dataset, RATES, prompts=100, worse_at_night={"new": 0.35})
    dataset.add_sample_field("boxes", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections)
    dataset.limit(2).set_values("boxes", [fo.Detections(detections=[fo.Detection(label="x")]) for _ in range(2)])
    yield dataset
    dataset.delete()


def _failed(dataset: Any) -> dict[tuple[str, str, int], bool | None]:
    """Returns for each model, prompt and seed whether it failed; None: unknown."""
    made = {}
    for sample in dataset.iter_samples():
        labels = [label.label for label in sample.failures.classifications]
        known = bool(labels) or not (sample.unknown and sample.unknown.classifications)
        scored = next(value for name, value in sample.quality.iter_fields() if not name.startswith("_"))
        key = (sample.generation.model, sample.prompt, sample.generation.seed)
        made[key] = bool(labels) if known and scored is not None else None
    return made


def test_it_is_what_a_loop_over_the_samples_counts(models: Any) -> None:
    import loupe

    failed = _failed(models)
    comparison = loupe.compare(models, failure="blur")
    assert (comparison.by, comparison.failure) == ("generation.model", "blur")
    assert comparison.paired_by == ("prompt", "generation.seed")
    assert comparison.groups == "prompt"
    for standing in comparison.standings:
        own = [value for (model, *_), value in failed.items() if model == standing.name]
        assert (standing.rate.failures, standing.rate.n) == (own.count(True), len(own) - own.count(None))
        assert standing.rate.unknown == own.count(None) > 0
    for each in comparison.differences:
        pairs = [(failed[each.a, *key], failed[each.b, *key]) for model, *key in failed if model == each.a]
        judged = [pair for pair in pairs if None not in pair]
        assert (each.n, each.left_out) == (len(judged), len(pairs) - len(judged))
        assert (each.only_a, each.only_b) == (judged.count((True, False)), judged.count((False, True)))
    assert [own.name for own in comparison.standings] == ["old", "new", "worst"]
    assert json.loads(json.dumps(comparison.to_dict()))["standings"][0]["rank_low"] == 1
    rates = {rate.slice.values["generation.model"]: rate for rate in loupe.slice(models, "generation.model")}
    for standing in comparison.standings:
        assert standing.rate.failures == rates[standing.name].failures


def test_any_failure_is_the_default_and_a_view_is_what_is_compared(models: Any) -> None:
    import loupe

    assert (
        loupe.compare(models).standings[0].rate.failures
        == loupe.compare(models, failure="any").standings[0].rate.failures
    )
    view = models.match({"scenario.time": "day"})
    comparison = loupe.compare(view, failure="blur")
    assert sum(own.rate.n + own.rate.unknown for own in comparison.standings) == len(view)
    by_time = loupe.compare(models, "scenario.time", failure="blur")
    assert by_time.paired_by == ()
    assert by_time.notes[0] == "not paired"
    both = loupe.compare(models, loupe.Factor.field("generation.model") * loupe.Factor.field("scenario.time"))
    assert {own.name for own in both.standings} >= {"old · day", "new · night"}
    assert not loupe.compare(models, paired_by=False).paired_by
    assert loupe.compare(models, groups=False).groups == ""
    assert loupe.compare(models, groups="scenario.place").groups == ""  # three places tell nothing
    assert loupe.compare(models, paired_by="prompt").differences[0].n == 100


def test_where_the_new_one_got_worse(models: Any) -> None:
    import loupe

    comparison = loupe.compare(models, failure="blur", against="old")
    confirmed = {(each.difference.a, str(each.slice)) for each in comparison.regressions if each.confirmed}
    assert confirmed >= {("new", "time=night"), ("worst", "all")}
    night = next(each for each in comparison.regressions if str(each.slice) == "time=night")
    inside = loupe.compare(models.match({"scenario.time": "night"}), failure="blur").difference("new", "old")
    assert (night.difference.n, night.difference.only_a) == (inside.n, inside.only_a)
    assert (night.difference.low, night.difference.high) == pytest.approx((inside.low, inside.high))
    assert "where others fail more than old:" in repr(comparison)
    assert "new fails more where time=night" in repr(comparison)
    only_place = loupe.compare(models, failure="blur", against="old", slices="scenario.place")
    assert {name for each in only_place.regressions for name in each.slice.values} <= {"scenario.place"}
    nowhere = loupe.compare(models.match({"generation.model": {"$ne": "new"}}), failure="blur", against="worst")
    assert not any(each.confirmed for each in nowhere.regressions)


def test_models_with_other_seeds_are_paired_by_prompt_and_others_not_at_all(new_dataset: Callable[[], Any]) -> None:
    from models_compared import fill_models

    import loupe

    dataset = new_dataset()
    fill_models(dataset, {"a": 0.2, "b": 0.4}, same_seeds=False)
    comparison = loupe.compare(dataset, failure="blur")
    assert comparison.paired_by == ("prompt",)
    assert comparison.differences[0].n == comparison.differences[0].effective_n == 60
    assert comparison.groups == "prompt"
    dataset.set_values("prompt", [f"its own {at}" for at in range(len(dataset))])
    comparison = loupe.compare(dataset, failure="blur")
    assert (comparison.paired_by, comparison.groups) == ((), "")
    assert {comparison.differences[0].n_a, comparison.differences[0].n_b} == {
        own.rate.n for own in comparison.standings
    }
    dataset.set_values("prompt", ["a photo"] * len(dataset))
    comparison = loupe.compare(dataset, failure="blur")
    assert not comparison.differences[0].paired, "one prompt is no pair"
    assert comparison.standings[0].effective_n == comparison.standings[0].rate.n


def test_predictions_of_two_models_on_the_same_samples(new_dataset: Callable[[], Any]) -> None:
    import fiftyone as fo

    import loupe
    from loupe.brain.core.errors import InputError

    dataset = new_dataset()
    rng = np.random.default_rng(0)
    right = {name: rng.random(200) < share for name, share in (("eval_a", 0.9), ("eval_b", 0.6))}
    samples = [fo.Sample(filepath=f"/nowhere/{at}.png", place="in" if at % 2 else "out") for at in range(200)]
    dataset.add_samples(samples, progress=False)
    for name, values in right.items():
        dataset.set_values(name, values.tolist())
    dataset.set_values("eval_b", [None] + right["eval_b"][1:].tolist())
    comparison = loupe.compare(dataset, ["eval_a", "eval_b"], against="eval_a")
    assert [own.name for own in comparison.standings] == ["eval_a", "eval_b"]
    difference = comparison.difference("eval_b", "eval_a")
    both = right["eval_a"][1:], right["eval_b"][1:]
    assert (difference.n, difference.left_out) == (199, 1)
    assert difference.only_a == (both[0] & ~both[1]).sum()
    assert [str(each.slice) for each in comparison.regressions] == ["all"]
    outcomes = [loupe.Outcome.field(name, failed=[True], name=f"is {name}") for name in right]
    assert [own.name for own in loupe.compare(dataset, outcomes).standings] == ["is eval_b", "is eval_a"]
    for given, expected in (
        (["place", "eval_a"], "field of yes and no"),
        ([loupe.Factor.field("place")], "expected outcomes"),
        ([], "several outcomes to compare, got none"),
        ([outcomes[0], loupe.Outcome.field("eval_a", failed=[False], name="is eval_a")], "two outcomes are called"),
        (["eval_a"], "at least two"),
    ):
        with pytest.raises(InputError, match=expected):
            loupe.compare(dataset, given)
    with pytest.raises(InputError, match="no failure and no outcome"):
        loupe.compare(dataset, ["eval_a", "eval_b"], failure="blur")


def test_odd_names_values_and_samples_without_any(new_dataset: Callable[[], Any]) -> None:
    from models_compared import fill_models

    import loupe

    names = ['<img src=x onerror="alert(1)">', "a.b$c | 'd'", "😀\n", "(none)"]
    dataset = new_dataset()
    fill_models(dataset, dict.fromkeys(names, 0.3), prompts=20)
    values = dataset.values("generation.model")
    dataset.set_values("generation.model", [None, *values[1:]])
    comparison = loupe.compare(dataset, failure="blur")
    assert {own.name for own in comparison.standings} == {*names[:3], '"(none)"'}
    assert "left out: 1 sample without generation.model" in comparison.notes
    assert {own.rank for own in comparison.standings} == {"1–4"}
    assert "<img" not in comparison._repr_html_()

    dataset.set_values("runs", [["x"] if at % 2 else ["y"] for at in range(len(dataset) - 2)] + [["x", "y"], []])
    listed = loupe.compare(dataset, "runs", failure="blur")
    assert [own.name for own in sorted(listed.standings, key=lambda own: own.name)] == ["x", "y"]
    assert "left out: 1 sample without runs" in listed.notes
    assert "left out: 1 sample with several values of runs" in listed.notes
    numbers = [float("nan"), float("inf"), -1.0, None]
    dataset.set_values("guidance", [numbers[at % 4] for at in range(len(dataset))])
    assert {own.name for own in loupe.compare(dataset, "guidance", failure="blur").standings} == {"-1.0", "inf"}


def test_a_model_that_nobody_judged_has_no_rank(new_dataset: Callable[[], Any]) -> None:
    from models_compared import fill_models

    import loupe

    dataset = new_dataset()
    fill_models(dataset, {"a": 0.2, "b": 0.4}, prompts=20)
    other = dataset.match({"generation.model": "b"})
    other.set_values("checked", [{}] * len(other))
    for path in ("quality.laplacian", "quality.sharpness"):
        if dataset.has_field(path):
            other.set_values(path, [None] * len(other))
    from loupe.brain.core import registry

    other.set_values(f"quality.{registry.failures()['blur'][1].name}", [None] * len(other))
    comparison = loupe.compare(dataset, failure="blur", against="a")
    assert [(own.name, own.rank) for own in comparison.standings] == [("a", "1"), ("b", "not judged")]
    assert comparison.standings[1].rate.unchecked == len(other)
    assert comparison.regressions == ()


def test_what_cannot_be_compared_is_said(models: Any, new_dataset: Callable[[], Any]) -> None:
    import fiftyone as fo

    import loupe
    from loupe.brain.core.errors import InputError, NoSamples, UnknownName

    with pytest.raises(InputError, match=r"at least two to compare by 'generation\.model', got only 'new'"):
        loupe.compare(models.match({"generation.model": "new"}))
    many = new_dataset()
    many.add_samples([fo.Sample(filepath=f"/{at}.png", run=at) for at in range(300)], progress=False)
    with pytest.raises(InputError, match="at most 200 to compare, got 300"):
        loupe.compare(many, "run")
    with pytest.raises(UnknownName, match=r"Did you mean 'generation\.model'"):
        loupe.compare(models, "generation.modle")
    with pytest.raises(UnknownName, match="contender"):
        loupe.compare(models, against="nobody")
    with pytest.raises(UnknownName, match="failure mode"):
        loupe.compare(models, failure="blurr")
    with pytest.raises(InputError, match="both"):
        loupe.compare(models, failure="blur", outcome=loupe.Outcome.field("a", failed=[1]))
    with pytest.raises(InputError, match="two samples of a pair share"):
        loupe.compare(models, paired_by=[])
    with pytest.raises(InputError, match="belong together"):
        loupe.compare(models, groups=3)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="between 0 and 1"):
        loupe.compare(models, confidence=95)
    for given in (None, 3, loupe.Outcome.field("a", failed=[1])):
        with pytest.raises(InputError, match="a field, a factor or several outcomes"):
            loupe.compare(models, given)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="patches"):
        loupe.compare(models.to_patches("boxes"), "boxes.label")
    with pytest.raises(InputError, match="before group_by"):
        loupe.compare(models.group_by("prompt"))
    with pytest.raises(NoSamples):
        loupe.compare(new_dataset())


def test_a_mode_that_was_not_judged_of_each_does_not_count(new_dataset: Callable[[], Any]) -> None:
    from models_compared import fill_models

    import loupe
    from loupe.brain.core import registry
    from loupe.brain.store import scores as store_scores

    dataset = new_dataset()
    fill_models(dataset, {"a": 0.2, "b": 0.2}, prompts=30, unknown=0.0)
    before = loupe.compare(dataset)
    check, output = registry.failures()["dark"]
    store_scores.declare(dataset, [output])
    only = dataset.match({"generation.model": "a"})
    only.set_values(f"quality.{output.name}", [0.0] * len(only))  # all of a are dark, nobody looked at b
    only.set_values("checked", [{**(known or {}), check: "made up"} for known in only.values("checked")])
    loupe.flag(dataset)
    after = loupe.compare(dataset)
    assert [own.rate.failures for own in after.standings] == [own.rate.failures for own in before.standings]
    assert "not counted, for it was not judged of each: dark" in after.notes
    assert loupe.compare(dataset, failure="dark").standings[0].rate.rate == 1


def test_the_rates_within_each_category_are_those_of_its_view(models: Any) -> None:
    import fiftyone as fo

    import loupe
    from loupe.brain.core.errors import InputError, UnknownName

    made = loupe.compare(models, failure="blur", within="scenario.time")
    assert made.categories == "scenario.time"
    assert [part.value for part in made.within] == ["day", "night"]
    for part in made.within:
        alone = loupe.compare(models.match(fo.ViewField("scenario.time") == part.value), failure="blur")
        for standing in alone.standings:
            assert part.rate(standing.name) == standing.rate
    with pytest.raises(UnknownName):
        made.within[0].rate("none")
    assert "blur by scenario.time" in repr(made)
    assert "night" in made._repr_html_()
    # what is looked for, and what is ranked, stays what it was
    assert made.standings == loupe.compare(models, failure="blur").standings
    plain = loupe.compare(models, failure="blur", against="old", slices="scenario.place")
    both = loupe.compare(models, failure="blur", against="old", slices="scenario.place", within="scenario.time")
    assert both.regressions == plain.regressions
    assert json.loads(json.dumps(both.to_dict()))["within"][1]["value"] == "night"
    with pytest.raises(InputError, match="categories of 2 to 50 values"):
        loupe.compare(models, within="prompt")
    with pytest.raises(InputError, match="categories of 2 to 50 values"):
        loupe.compare(models, within="generation.model")
    with pytest.raises(UnknownName):
        loupe.compare(models, within="scenario.nothing")


def test_a_leaderboard_of_predictions_within_categories(models: Any) -> None:
    import loupe

    outcomes = [loupe.Outcome.field("scenario.place", failed=["beach"], name=name) for name in ("a", "b")]
    made = loupe.compare(models, outcomes, within="scenario.time")
    first, second = made.within[0].standings
    assert first.rate.failures == second.rate.failures > 0
