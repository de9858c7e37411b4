"""The operator that drops duplicates: what it offers, what it says, and that nothing is deleted."""

from __future__ import annotations

from typing import Any

import pytest
from duplicated import draw_groups, fill
from operator_calls import form, result

pytestmark = [pytest.mark.database, pytest.mark.slow]


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return draw_groups(tmp_path_factory.mktemp("duplicates"))


def test_it_decides_and_says_what_is_left(dataset: Any, paths: list[str]) -> None:
    ids = fill(dataset, paths)
    body = result("deduplicate", dataset, {})
    assert body["message"] == "6 images dropped"
    assert "No image was deleted" in body["summary"]
    assert "| Leaks left: pairs in two splits | 0 |" in body["summary"]
    assert "the saved view **Without duplicates**" in body["summary"]
    assert body["deduplication"]["groups"] == 4
    assert len(dataset) == len(ids)
    back = result("deduplicate", dataset, {"keep": "none"})
    assert back["message"] == "10 images taken back"
    dataset.reload()
    assert set(dataset.values("deduplicated.label")) == {None}


def test_settings_reach_the_verb(dataset: Any, paths: list[str]) -> None:
    ids = fill(dataset, paths)
    dataset.select(ids[:2]).tag_samples("test")
    dataset.select(ids[2:]).tag_samples("train")
    given = {"settings": True, "splits": "tags: train, test", "prefer": "train, test", "save_view": False, "note": "x"}
    body = result("deduplicate", dataset, given)
    assert body["deduplication"]["splits"] == ["train", "test"]
    assert ids[2] in body["deduplication"]["kept"]
    assert body["deduplication"]["view"] == ""
    assert dataset.list_saved_views() == []
    dataset.reload()
    assert dataset.values("deduplicated.note").count("x") == 10


def test_the_form_offers_what_may_say_the_split_and_says_what_comes_first(dataset: Any, paths: list[str]) -> None:
    fill(dataset, paths)
    inputs = form("deduplicate", dataset, {"settings": True})
    assert [choice.value for choice in inputs["splits"].view.choices] == ["(as known)", "split"]
    assert "no_duplicates" not in inputs
    dataset.delete_sample_field("duplicate_group")
    for key in dataset.list_runs():
        dataset.delete_run(key)
    assert "run 'Loupe: find duplicates' first" in form("deduplicate", dataset)["no_duplicates"].view.label


@pytest.mark.parametrize(
    ("text", "splits"),
    [
        ("split", "split"),
        ("tags: train, test", ("train", "test")),
        ("tags: ", ()),
        ("", ()),
        (None, ()),
        (3, ()),
    ],
)
def test_what_a_choice_of_splits_means(database: str, text: Any, splits: Any) -> None:
    from loupe.operators.deduplicate import splits_of

    assert splits_of(text) == splits
