"""``loupe.discover_slices`` on datasets: what it counts, what it keeps, which samples a finding is, and bad input."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.database


def add(dataset: Any, n: int, seed: int = 0, **columns: Any) -> np.ndarray:
    """Adds n samples with factors and an outcome that fails at night in the rain; returns where it failed."""
    import fiftyone as fo

    rng = np.random.default_rng(seed)
    time, weather = rng.choice(["day", "night"], n), rng.choice(["clear", "rain", "fog"], n)
    level = rng.random(n)
    failed = rng.random(n) < np.where((time == "night") & (weather == "rain"), 0.45, 0.1)
    dataset.add_samples(
        [
            fo.Sample(
                filepath=f"/nowhere/{at}.png",
                time=str(time[at]),
                weather=str(weather[at]),
                level=float(level[at]),
                wrong=bool(failed[at]),
                tags=["a"] if at % 3 else ["b", "c"],
                **{name: values[at] for name, values in columns.items()},
            )
            for at in range(n)
        ],
        dynamic=True,
        progress=False,
    )
    return failed


def wrong() -> Any:
    import loupe

    return loupe.Outcome.field("wrong", failed=[True])


@pytest.fixture(scope="module")
def rainy(database: str) -> Iterator[Any]:
    import fiftyone as fo

    made = fo.Dataset()
    add(made, 2400)
    yield made
    made.delete()


def test_a_finding_is_just_the_samples_that_a_plain_count_finds(rainy: Any) -> None:
    from fiftyone import ViewField as F

    import loupe

    report = loupe.discover_slices(rainy, outcome=wrong())
    (finding,) = report.findings
    assert finding.slice.values == {"time": "night", "weather": "rain"}
    view = loupe.view_of(rainy, finding)
    plain = rainy.match((F("time") == "night") & (F("weather") == "rain"))
    assert view.values("id") == plain.values("id")
    assert finding.whole.n == len(plain)
    assert finding.whole.failures == plain.count_values("wrong")[True]
    assert set(finding.examples) <= set(plain.match(F("wrong")).values("id"))
    # the same numbers as those of loupe.slice
    (rate,) = [each for each in loupe.slice(rainy, ["time", "weather"], outcome=wrong()) if each.slice == finding.slice]
    assert (rate.n, rate.failures) == (finding.whole.n, finding.whole.failures)
    assert set(report.factors) == {"time", "weather", "tags", "level"}, "what the outcome is of is no factor"
    for candidate in report.candidates:
        assert len(loupe.view_of(rainy, candidate)) == candidate.whole.n


def test_nothing_is_written_to_the_samples_and_the_findings_are_kept(rainy: Any) -> None:
    import loupe
    from loupe.brain.store import findings as store

    before = rainy.get_field_schema(flat=True).keys(), rainy.max("last_modified_at")
    report = loupe.discover_slices(rainy, outcome=wrong(), by=["time", "weather"], seed=3)
    assert (rainy.get_field_schema(flat=True).keys(), rainy.max("last_modified_at")) == before
    kept = store.load(rainy)
    assert kept is not None
    assert kept.findings.to_dict() == report.to_dict()
    assert (kept.n, kept.stamp) == (2400, store.stamp(rainy))
    loupe.discover_slices(rainy, outcome=wrong(), by=["tags"])
    again = store.load(rainy)
    assert again is not None
    assert again.findings.factors == ("tags",), "the last ones are kept"


def test_pictures_of_one_prompt_and_near_duplicates_stay_together(new_dataset: Callable[[], Any]) -> None:
    import loupe

    dataset = new_dataset()
    n = 600
    prompts = [f"prompt {at // 4}" for at in range(n)]
    copies = [f"copy {at // 8}" if at < 80 else None for at in range(n)]
    add(dataset, n, prompt=prompts, duplicate_group=copies)
    report = loupe.discover_slices(dataset, outcome=wrong())
    assert report.groups == 10 + (n - 80) // 4
    assert loupe.discover_slices(dataset, outcome=wrong(), groups=()).groups == n
    dataset.set_values("prompt", ["a photo"] * n)
    report = loupe.discover_slices(dataset, outcome=wrong(), groups=("prompt", "no such field"))
    assert report.groups == n
    assert any("ties no samples together" in note for note in report.notes)


def test_every_mode_that_was_judged_is_looked_at_and_any_last(new_dataset: Callable[[], Any]) -> None:
    from filled import fill

    import loupe

    dataset = new_dataset()
    fill(dataset, 1200)
    report = loupe.discover_slices(dataset, by=["scenario.time", "scenario.weather", "scenario.color"])
    assert list(report.judged)[-1] == "any"
    assert report.unknown["blur"] > 0
    assert report.unchecked["blur"] > 0
    assert report.findings
    assert not any("scenario.color" in each.slice.values for each in report.findings)
    only = loupe.discover_slices(dataset, failure="any", by=["scenario.time", "scenario.weather"])
    assert list(only.judged) == ["any"]
    assert only.findings[0].sentence.startswith("Any failure: ")
    single = loupe.discover_slices(dataset, failure="dark", by="scenario.time", max_factors=1)
    assert list(single.judged) == ["dark"]


def test_neighborhoods_of_a_field_of_vectors_are_views_too(new_dataset: Callable[[], Any]) -> None:
    import fiftyone as fo

    import loupe

    dataset = new_dataset()
    rng = np.random.default_rng(1)
    n = 1500
    lump = rng.random(n) < 0.1
    vectors = rng.normal(size=(n, 8)) + 4 * lump[:, None]
    failed = rng.random(n) < np.where(lump, 0.6, 0.1)
    dataset.add_samples([fo.Sample(filepath=f"/n/{at}.png", wrong=bool(failed[at])) for at in range(n)], progress=False)
    dataset.add_sample_field("embeddings", fo.VectorField)
    dataset.set_values(
        "embeddings", [None if at < 20 else vector.astype(np.float32) for at, vector in enumerate(vectors)]
    )
    report = loupe.discover_slices(dataset, outcome=wrong(), embeddings="embeddings")
    (finding,) = report.findings
    assert finding.near is not None
    view = loupe.view_of(dataset, finding)
    assert len(view) == finding.whole.n
    inside = set(view.values("id"))
    members = {each for each, own in zip(dataset.values("id"), lump, strict=True) if own}
    assert len(inside & members) > 0.7 * len(inside | members)
    # what it was made by is gone
    dataset.delete_sample_field("embeddings")
    with pytest.raises(loupe.errors.UnknownName):
        loupe.view_of(dataset, finding)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"max_factors": 4}, "max_factors"),
        ({"max_factors": True}, "max_factors"),
        ({"min_samples": 1}, "min_samples"),
        ({"fdr": 0.0}, "fdr"),
        ({"fdr": 0.9}, "fdr"),
        ({"seed": -1}, "seed"),
        ({"failure": "blur"}, "got both"),
        ({"by": ["no such field"]}, "no such field"),
        ({"by": [3]}, "field paths or factors"),
        ({"embeddings": "time"}, "field of vectors"),
    ],
)
def test_what_cannot_be_is_refused(rainy: Any, given: dict[str, Any], message: str) -> None:
    import loupe

    with pytest.raises(loupe.errors.InputError, match=message):
        loupe.discover_slices(rainy, outcome=wrong(), **given)


def test_too_few_samples_and_odd_factors_give_a_sentence_and_no_crash(new_dataset: Callable[[], Any]) -> None:
    import fiftyone as fo

    import loupe

    dataset = new_dataset()
    with pytest.raises(loupe.errors.NoSamples):
        loupe.discover_slices(dataset)
    add(dataset, 30)
    report = loupe.discover_slices(dataset, outcome=wrong())
    assert report.findings == ()
    assert report.message.startswith("Too few samples: 30 were judged")
    assert loupe.discover_slices(dataset).message.startswith("Nothing was judged")
    assert loupe.discover_slices(dataset.limit(3), outcome=wrong()).n == 3

    names = ['a "quoted" one', "$dollar", "a.dot", "<b>bold</b>", "😀", "it's", "(none)"]
    rng = np.random.default_rng(2)
    n = 2000
    name, number = rng.integers(0, len(names), n), rng.normal(size=n)
    failed = rng.random(n) < np.where(name == 3, 0.5, 0.1)
    odd = new_dataset()
    odd.add_samples(
        [
            fo.Sample(
                filepath=f"/n/{at}.png",
                odd=names[name[at]] if at % 9 else None,
                number=[float(number[at]), float("nan"), float("inf"), None][at % 4],
                many=f"v{at % 1500}",
                empty="",
                never=None,
                text=str(at % 3),
                wrong=bool(failed[at]),
            )
            for at in range(n)
        ],
        dynamic=True,
        progress=False,
    )
    report = loupe.discover_slices(odd, outcome=wrong(), by=["odd", "number", "many", "empty", "text"])
    (finding,) = report.findings
    assert finding.slice.values == {"odd": "<b>bold</b>"}
    assert len(loupe.view_of(odd, finding)) == finding.whole.n == odd.count_values("odd")["<b>bold</b>"]
    assert any(note.startswith("many: none of its") for note in report.notes)
    assert any(note.startswith("empty: all samples") for note in report.notes)


def test_a_run_can_be_stopped_and_keeps_nothing(new_dataset: Callable[[], Any]) -> None:
    import loupe
    from loupe.brain.store import findings as store

    dataset = new_dataset()
    add(dataset, 100)

    def stop(step: Any) -> None:
        raise loupe.errors.Stopped("enough")

    with pytest.raises(loupe.errors.Stopped):
        loupe.discover_slices(dataset, outcome=wrong(), progress=stop)
    assert store.load(dataset) is None
