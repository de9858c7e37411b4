"""Splits are written so that no group stands in two, and what was written can be verified by anybody."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.database

N = 240


@pytest.fixture
def dataset(database: str, tmp_path: Path) -> Any:
    """Samples of three classes, in scenes of four, a few of which share a patient with another scene."""
    import fiftyone as fo

    rng = np.random.default_rng(0)
    dataset = fo.Dataset()
    dataset.add_samples(
        [
            fo.Sample(
                filepath=str(tmp_path / f"{number}.png"),
                label=fo.Classification(label=["cat", "dog", "newt"][int(rng.choice(3, p=[0.6, 0.3, 0.1]))]),
                kinds=[name for name in ("indoors", "crowd") if rng.random() < 0.3],
                scene=f"scene {number // 4}",
                patient=f"patient {number // 10}" if number < 60 else None,
                taken=datetime(2026, 1, 1) + timedelta(days=number // 4),
            )
            for number in range(N)
        ]
    )
    yield dataset
    dataset.delete()


def torn(dataset: Any, field: str, groups: list[str]) -> int:
    """Returns how many values of the fields stand in two splits, by counting."""
    count = 0
    for path in groups:
        splits = defaultdict(set)
        for value, split in zip(*dataset.values([path, field]), strict=True):
            if value is not None and split is not None:
                splits[value].add(split)
        count += sum(len(names) > 1 for names in splits.values())
    return count


def test_new_splits_hold_their_shares_and_no_group_is_torn(dataset: Any) -> None:
    import loupe

    groups = ["scene", "patient"]
    made = loupe.split(
        dataset, {"train": 0.7, "val": 0.15, "test": 0.15}, stratify=["label", "kinds"], groups=groups, seed=1
    )
    assert torn(dataset, "split", groups) == 0
    counts = Counter(dataset.values("split"))
    assert counts == made.sizes
    assert all(abs(counts[name] / N - share) < 0.03 for name, share in (("train", 0.7), ("val", 0.15), ("test", 0.15)))
    assert made.certificate.holds
    assert made.certificate.n == N
    assert made.certificate == loupe.verify_split(dataset, groups=groups)
    for name, held in made.classes.items():
        path, value = name.split("=", 1)
        field = "label.label" if path == "label" else path
        own = [
            split
            for values, split in zip(*dataset.values([field, "split"]), strict=True)
            if value in (values if isinstance(values, list) else [values]) or (value == "(none)" and not values)
        ]
        assert Counter(own) == Counter({split: count for split, count in held.items() if count})
    worst = max(
        abs(count / sum(held.values()) - share)
        for held in [*made.classes.values(), made.sizes]
        for count, share in zip(held.values(), (0.7, 0.15, 0.15), strict=True)
    )
    assert made.deviation == pytest.approx(worst)
    assert made.rounding <= made.deviation
    assert "no group stands in two splits" in repr(made)


def test_a_certificate_notices_one_sample_in_another_split(dataset: Any) -> None:
    import loupe

    made = loupe.split(dataset, {"a": 0.5, "b": 0.5}, groups="scene")
    sample = dataset.first()
    sample["split"] = "b" if sample["split"] == "a" else "a"
    sample.save()
    again = loupe.verify_split(dataset, groups="scene")
    assert (again.holds, again.torn) == (False, 1)
    assert again.digest != made.certificate.digest
    assert "1 group stands in several splits" in str(again)


def test_a_view_of_what_is_in_a_split_has_the_digest_of_the_whole(dataset: Any) -> None:
    import loupe

    made = loupe.split(dataset.limit(N // 2), {"a": 0.5, "b": 0.5}, groups="scene")
    assert loupe.verify_split(dataset, groups="scene").digest == made.certificate.digest
    backwards = dataset.sort_by("id", reverse=True)
    assert loupe.verify_split(backwards, groups="scene") == loupe.verify_split(dataset, groups="scene")


def test_a_repair_moves_only_what_is_torn(dataset: Any) -> None:
    import loupe

    rng = np.random.default_rng(3)
    before = [["train", "test"][number // 4 % 2] for number in range(N)]
    for number in rng.choice(N // 4, 10, replace=False):
        before[4 * number] = {"train": "test", "test": "train"}[before[4 * number]]
    dataset.set_values("mine", before)
    made = loupe.split(dataset, repair="mine", groups="scene")
    assert made.moved == 10
    assert torn(dataset, "split", ["scene"]) == 0
    assert dataset.values("mine") == before
    assert sum(old != new for old, new in zip(before, dataset.values("split"), strict=True)) == 10


def test_folds_and_order(dataset: Any) -> None:
    import loupe

    folds = loupe.split(dataset, folds=5, groups="scene", field="fold")
    assert set(folds.sizes) == set("01234")
    assert max(folds.sizes.values()) - min(folds.sizes.values()) <= 4
    ordered = loupe.split(
        dataset, {"past": 0.5, "future": 0.5}, order="taken", gap=timedelta(days=3), groups=[], field="when"
    )
    times = {name: dataset.match({"when": name}).values("taken") for name in ("past", "future")}
    assert max(times["past"]) + timedelta(days=3) <= min(times["future"])
    assert ordered.nowhere == N - sum(ordered.sizes.values()) > 0
    assert dataset.match({"when": None}).count() == ordered.nowhere


def test_duplicates_are_groups_where_they_are_known(dataset: Any) -> None:
    import loupe

    dataset.add_sample_field("duplicate_group", __import__("fiftyone").StringField)
    dataset.set_values("duplicate_group", [f"g{number % 7}" if number < 70 else None for number in range(N)])
    made = loupe.split(dataset, {"train": 0.8, "test": 0.2})
    assert made.certificate.groups == ("duplicate_group",)
    assert torn(dataset, "split", ["duplicate_group"]) == 0
    assert made.certificate.n_groups == 7 + N - 70
    assert loupe.split(dataset, {"train": 0.8, "test": 0.2}, groups=[], field="other").certificate.groups == ()


def test_without_sizes_there_are_three(dataset: Any) -> None:
    import loupe

    assert loupe.split(dataset, groups=[]).sizes == {"train": 192, "val": 24, "test": 24}


def test_the_same_seed_gives_the_same_splits(dataset: Any) -> None:
    import loupe

    first = loupe.split(dataset, {"a": 0.5, "b": 0.5}, stratify="label", groups=[], seed=4)
    again = loupe.split(dataset, {"a": 0.5, "b": 0.5}, stratify="label", groups=[], seed=4)
    other = loupe.split(dataset, {"a": 0.5, "b": 0.5}, stratify="label", groups=[], seed=5)
    assert first.certificate.digest == again.certificate.digest != other.certificate.digest


def test_bad_input_writes_nothing(dataset: Any) -> None:
    import loupe
    from loupe.brain.core.errors import InputError, NoSamples, UnknownName

    both = {"a": 0.5, "b": 0.5}
    cases: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"sizes": both, "folds": 3}, InputError, "just one of"),
        ({"sizes": {"a": 0.5, "b": 0.6}}, InputError, "sum to 1"),
        ({"folds": 1}, InputError, "folds to be a whole number of at least 2"),
        ({"sizes": both, "gap": 3}, InputError, "order with a gap"),
        ({"sizes": both, "order": "scene"}, InputError, "dates, times or numbers"),
        ({"sizes": both, "order": "taken", "stratify": "label"}, InputError, "time alone"),
        ({"sizes": both, "groups": "scen"}, UnknownName, "scene"),
        ({"sizes": both, "stratify": "labl"}, UnknownName, "label"),
        ({"repair": "taken"}, InputError, "taken"),
        ({"sizes": both, "field": "a.b"}, InputError, "field name"),
        ({"sizes": both, "field": "scene"}, InputError, "did not write"),
        ({"sizes": both, "field": "label"}, InputError, "label"),
    ]
    for given, kind, words in cases:
        with pytest.raises(kind, match=words):
            loupe.split(dataset, **given)
    with pytest.raises(NoSamples):
        loupe.split(dataset.limit(0), both)
    assert not dataset.has_field("split")
    assert dataset.values("scene")[0] == "scene 0"
