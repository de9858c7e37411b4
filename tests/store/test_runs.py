"""Runs and thresholds that stand on a dataset."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.database


def run(key: str) -> Any:
    from loupe.brain.core.results import Run

    return Run(key, "check", 3, errors=1, params={"checks": ["blur"]}, messages={"a": "broken"})


def test_a_run_is_loaded_as_it_was_saved(dataset: Any) -> None:
    import fiftyone as fo

    from loupe.brain.core.errors import UnknownName
    from loupe.brain.store import runs

    dataset.add_sample(fo.Sample(filepath="/nowhere/a.png"))
    made = run("loupe_check_1")
    runs.save(dataset.view(), made)
    assert runs.load(dataset, made.key) == made.to_dict()
    assert runs.load(dataset.limit(1), made.key)["messages"] == {"a": "broken"}
    with pytest.raises(UnknownName, match="Did you mean 'loupe_check_1'"):
        runs.load(dataset, "loupe_check_2")
    dataset.register_run("own", dataset.init_run(method="own"))
    with pytest.raises(UnknownName):
        runs.load(dataset, "own")


def test_a_new_key_is_one_higher_than_the_highest_of_its_verb(dataset: Any) -> None:
    from loupe.brain.store import runs

    assert runs.new_key(dataset, "check") == "loupe_check_1"
    for key in ("loupe_check_2", "loupe_check_10", "loupe_check_mine", "loupe_embed_30"):
        runs.save(dataset, run(key))
    assert runs.new_key(dataset, "check") == "loupe_check_11"
    assert runs.new_key(dataset.view(), "flag") == "loupe_flag_1"


def test_thresholds_are_kept_beside_other_settings(dataset: Any) -> None:
    import fiftyone as fo

    from loupe.brain.core.records import Threshold
    from loupe.brain.store import runs

    assert runs.load_thresholds(dataset) == {}
    dataset.info["loupe"] = {"vectors": {"map": "x"}}
    dataset.save()
    set_by_anna = {"blur": Threshold("<", 0.4, "user", by="anna")}
    runs.save_thresholds(dataset.view(), set_by_anna)
    again = fo.load_dataset(dataset.name)
    again.reload()
    assert runs.load_thresholds(again.view()) == set_by_anna
    assert again.info["loupe"]["vectors"] == {"map": "x"}
    runs.save_thresholds(dataset, {"blur": None})
    assert runs.load_thresholds(dataset) == {}


def test_a_run_that_was_killed_between_its_two_writes_is_absent(dataset: Any) -> None:
    from fiftyone.core import odm

    from loupe.brain.core.errors import UnknownName
    from loupe.brain.store import runs

    # as 0.1.0 and FiftyOne itself leave it: the dataset names a run that has no results
    dataset.register_run("loupe_check_1", dataset.init_run(method="loupe", verb="check", params={}))
    assert runs.listed(dataset) == []
    with pytest.raises(UnknownName):
        runs.load(dataset, "loupe_check_1")
    kept = runs.keep(dataset, "check", run)
    assert kept.key == "loupe_check_2"
    assert runs.listed(dataset) == ["loupe_check_2"]
    assert dataset.load_run_results("loupe_check_2").run["n"] == 3
    documents = odm.get_db_conn()["runs"]
    assert documents.count_documents({"_dataset_id": dataset._doc.id}) == 2


def test_a_process_that_is_killed_before_the_dataset_names_its_run_has_kept_none(
    dataset: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    from fiftyone.core import odm

    from loupe.brain.store import runs

    class Killed(BaseException):
        pass

    def die() -> Any:
        raise Killed

    documents = odm.get_db_conn()["runs"]
    with monkeypatch.context() as patch:
        named, calls = runs.documents, []

        def before_naming() -> Any:
            calls.append(1)
            return named() if len(calls) < 3 else die()

        patch.setattr(runs, "documents", before_naming)
        with pytest.raises(Killed):
            runs.keep(dataset, "check", run)
    dataset.reload()
    assert dataset.list_runs() == []
    assert documents.count_documents({"_dataset_id": dataset._doc.id}) == 1
    assert runs.keep(dataset, "check", run).key == "loupe_check_1"
    assert documents.count_documents({"_dataset_id": dataset._doc.id}) == 2, "it may be being written just now"
    monkeypatch.setattr(runs, "_LEFT_BEHIND", -timedelta(hours=1))
    assert runs.keep(dataset, "check", run).key == "loupe_check_2"
    # the new one itself is named when the next one looks
    assert documents.count_documents({"_dataset_id": dataset._doc.id}) == 2


def test_a_key_that_another_process_takes_meanwhile_is_not_written_over(dataset: Any) -> None:
    from loupe.brain.store import runs

    keys = []

    def make(key: str) -> Any:
        if not keys:
            runs.save(dataset, run(key))
        keys.append(key)
        return run(key)

    assert runs.keep(dataset, "check", make).key == "loupe_check_2"
    assert keys == ["loupe_check_1", "loupe_check_2"]
    assert runs.save(dataset, run("loupe_check_2")) is False


def test_a_threshold_set_elsewhere_and_other_info_stay(dataset: Any) -> None:
    from loupe.brain.core.records import Threshold
    from loupe.brain.store import runs
    from loupe.brain.store.datasets import documents

    runs.save_thresholds(dataset, {"blur": Threshold("<", 0.4)})
    facts = Threshold("<", 0.1).to_dict()
    documents().update_one({"_id": dataset._doc.id}, {"$set": {"info.loupe.thresholds.dark": facts, "info.mine": 1}})
    runs.save_thresholds(dataset, {"bright": Threshold(">", 0.9)})
    dataset.info["own"] = 2
    dataset.save()
    dataset.reload()
    assert set(runs.load_thresholds(dataset)) == {"blur", "dark", "bright"}
    assert (dataset.info["mine"], dataset.info["own"]) == (1, 2)
