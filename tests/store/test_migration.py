"""What an earlier Loupe stored is brought up to date, whenever it is killed; what a newer one stored is left alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from stored_0_1_0 import STORED, documents, loaded

import loupe
from loupe.brain.core.errors import InputError, Stopped
from loupe.brain.core.migrated import Migrated

pytestmark = pytest.mark.database

#: the fields of the user's own in what 0.1.0 stored, and those that may hold values of the user's
OWN = {"level", "wet", "prompt", "scenario", "scenario.time", "scenario.weather"}


@pytest.fixture
def stored(database: str, tmp_path: Path) -> Iterator[Any]:
    with loaded(tmp_path) as dataset:
        # as on a sample that was added after the check
        dataset._sample_collection.update_one({"filepath": {"$regex": "19.jpg"}}, {"$set": {"checked": None}})
        yield dataset


class Killed(BaseException):
    """Nothing runs after it, as after a kill."""


def raw(dataset: Any) -> dict[str, Any]:
    """Returns what is stored of a dataset: its settings and its fields."""
    from loupe.brain.store.datasets import documents as datasets

    document = datasets().find_one({"_id": dataset._doc.id}, ["info", "sample_fields", "runs"])
    return {name: document[name] for name in ("info", "sample_fields", "runs")}


def marked(fields: list[dict[str, Any]], prefix: str = "") -> set[str]:
    """Returns the paths of the fields that say that Loupe made them."""
    paths: set[str] = set()
    for field in fields:
        path = prefix + field["name"]
        paths |= marked(field.get("fields") or [], f"{path}.")
        if field.get("info") == {"made_by": "loupe"}:
            paths.add(path)
    return paths


def count_writes(monkeypatch: pytest.MonkeyPatch, kill_at: int = 0) -> list[str]:
    """Counts what is written to the database from now on; the n-th write finds the process dead."""
    import pymongo.collection

    writes: list[str] = []
    for name in ("update_one", "update_many"):
        call = getattr(pymongo.collection.Collection, name)

        def counted(*args: Any, _call: Any = call, _name: str = name, **more: Any) -> Any:
            writes.append(_name)
            if len(writes) == kill_at:
                raise Killed
            return _call(*args, **more)

        monkeypatch.setattr(pymongo.collection.Collection, name, counted)
    return writes


def test_all_that_0_1_0_stored_is_brought_up_to_date_and_nothing_else_changes(
    stored: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, settings = documents(stored), raw(stored)
    assert not marked(settings["sample_fields"])
    done = loupe.migrate(stored)
    assert (done.before, done.layout, len(done.steps)) == (1, 2, 3)
    assert str(done).startswith("layout 1 → 2: ")
    assert done.to_dict() == {"before": 1, "layout": 2, "steps": list(done.steps)}

    now = raw(stored)
    assert now["info"]["loupe"]["stored"] == {"layout": 2, "loupe": loupe.__version__}
    for failure, facts in settings["info"]["loupe"]["thresholds"].items():
        kept = now["info"]["loupe"]["thresholds"][failure]
        assert kept == {("provenance" if name == "basis" else name): value for name, value in facts.items()}
    ours = marked(now["sample_fields"])
    assert {"quality", "quality.sharpness", "failures", "unknown", "checked", "fingerprint", "duplicate_group"} <= ours
    assert {"flaws", "blur_map"} <= ours
    assert not ours & OWN
    assert now["runs"] == settings["runs"]

    after = documents(stored)
    assert after["19.jpg"].pop("checked") == {}
    assert before["19.jpg"].pop("checked") is None
    assert after == before
    for table in json.loads((STORED / "rates.json").read_text()):
        now_rates = [rate.to_dict() for rate in loupe.slice(stored, table["by"])]
        assert [{name: rate[name] for name in table["rates"][0]} for rate in now_rates] == table["rates"]

    writes = count_writes(monkeypatch)
    assert loupe.migrate(stored) == Migrated(2, 2)
    assert writes == []


def test_a_verb_that_keeps_a_run_begins_with_it(stored: Any) -> None:
    steps: list[str] = []
    loupe.check(stored, ["exposure"], progress=lambda step: steps.append(step.message))
    assert steps[0].startswith("bringing what an earlier version stored up to date: ")
    assert raw(stored)["info"]["loupe"]["stored"]["layout"] == 2
    steps.clear()
    loupe.check(stored, ["exposure"], progress=lambda step: steps.append(step.message))
    assert steps
    assert not [words for words in steps if words.startswith("bringing")]


def test_killed_before_any_of_its_writes_the_same_call_goes_on(stored: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    with pytest.MonkeyPatch.context() as patched:
        other = stored.clone()
        writes = count_writes(patched)
        loupe.migrate(other)
    wanted, samples = raw(other), documents(other)
    assert len(writes) >= 6
    for kill_at in range(1, len(writes) + 1):
        tried = stored.clone()
        with pytest.MonkeyPatch.context() as patched:
            count_writes(patched, kill_at)
            with pytest.raises(Killed):
                loupe.migrate(tried)
        assert "stored" not in raw(tried)["info"]["loupe"], "said to be done, and is not"
        # what a notebook of another process sees in between
        # as text: from Python 3.13 on a record with a lift of NaN is not equal to its like
        assert repr(list(loupe.slice(tried, "scenario.time"))) == repr(list(loupe.slice(stored, "scenario.time")))
        again = fo.load_dataset(tried.name)
        again.reload()
        loupe.migrate(again)
        now = raw(again)
        assert now["info"] == wanted["info"]
        assert marked(now["sample_fields"]) == marked(wanted["sample_fields"])
        assert list(documents(again)) == list(samples)
        assert {name: document["checked"] for name, document in documents(again).items()} == {
            name: document["checked"] for name, document in samples.items()
        }
        tried.delete()
    other.delete()


@pytest.mark.slow
def test_a_process_that_is_killed_leaves_what_the_next_one_ends(stored: Any, database: str) -> None:
    code = f"""
import os, signal, sys
import fiftyone as fo
import loupe
from loupe.brain.store import migration
number, words, act = migration.STEPS[1]
def killed(dataset):
    act(dataset)
    os.kill(os.getpid(), signal.SIGKILL)
migration.STEPS = (migration.STEPS[0], (number, words, killed), *migration.STEPS[2:])
loupe.migrate(fo.load_dataset({stored.name!r}))
"""
    ended = subprocess.run([sys.executable, "-c", code], env={**os.environ}, capture_output=True, timeout=120)
    assert ended.returncode == -signal.SIGKILL, ended.stderr[-2000:]
    half = raw(stored)
    assert "stored" not in half["info"]["loupe"]
    assert "quality" in marked(half["sample_fields"])
    stored.reload()
    assert loupe.migrate(stored).before == 1
    assert raw(stored)["info"]["loupe"]["stored"]["layout"] == 2
    assert documents(stored)["19.jpg"]["checked"] == {}


def test_it_can_be_stopped_between_two_steps(stored: Any) -> None:
    def stop(step: Any) -> None:
        if step.done == 1:
            raise Stopped("stopped by a test")

    with pytest.raises(Stopped):
        loupe.migrate(stored, progress=stop)
    assert "stored" not in raw(stored)["info"]["loupe"]
    assert len(loupe.migrate(stored).steps) == 3


def test_a_field_of_the_users_own_with_loupes_name_is_not_taken_for_loupes(stored: Any) -> None:
    from loupe.brain.store import fields

    # a value on a sample that nothing has checked is nobody's but the user's
    stored._sample_collection.update_one({"filepath": {"$regex": "18.jpg"}}, {"$set": {"duplicate_group": "mine"}})
    loupe.migrate(stored)
    assert "duplicate_group" not in marked(raw(stored)["sample_fields"])
    with pytest.raises(InputError, match="holds values that Loupe did not write"):
        fields.require(stored, fields.of_groups(()))


def test_a_threshold_that_somebody_sets_meanwhile_stays(stored: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from loupe.brain.core.records import Threshold
    from loupe.brain.store import migration, runs

    read = runs.settings

    def read_and_overtaken(samples: Any) -> dict[str, Any]:
        facts = read(samples)
        monkeypatch.setattr(runs, "settings", read)
        runs.save_thresholds(stored, {"dark": Threshold("<", 0.07, source="user")})
        return facts

    monkeypatch.setattr(runs, "settings", read_and_overtaken)
    migration._thresholds(stored)
    now = runs.load_thresholds(stored)
    assert now["dark"].value == 0.07
    assert now["seam"].provenance == "by eye"


def test_a_new_dataset_says_its_layout_with_the_first_field(
    new_dataset: Callable[[], Any], pictures: list[Path]
) -> None:
    import fiftyone as fo

    dataset = new_dataset()
    dataset.add_samples([fo.Sample(filepath=str(picture)) for picture in pictures])
    assert loupe.migrate(dataset) == Migrated(2, 2)
    assert "loupe" not in raw(dataset)["info"], "nothing of Loupe's stands there"
    loupe.check(dataset, ["exposure"], progress=False)
    assert raw(dataset)["info"]["loupe"]["stored"] == {"layout": 2, "loupe": loupe.__version__}
    assert dataset.info["loupe"]["stored"]["layout"] == 2
    dataset.info["mine"] = "kept"
    dataset.save()
    assert raw(dataset)["info"]["loupe"]["stored"]["layout"] == 2


def test_info_of_the_users_own_is_left_alone(new_dataset: Callable[[], Any]) -> None:
    dataset = new_dataset()
    dataset.info["loupe"] = "mine"
    dataset.save()
    assert loupe.migrate(dataset) == Migrated(2, 2)
    assert raw(dataset)["info"] == {"loupe": "mine"}


@pytest.mark.parametrize("stamp", [{"loupe": "0.9.0"}, {"layout": "two"}, {"layout": 0}, "2", [2]])
def test_what_is_no_layout_is_one_clear_error(stored: Any, stamp: Any) -> None:
    stored.info["loupe"] = {**stored.info["loupe"], "stored": stamp}
    stored.save()
    with pytest.raises(InputError, match=r"expected dataset.info.*got .*: delete it"):
        loupe.flag(stored)


@pytest.fixture
def newer(stored: Any) -> Any:
    """A dataset that a Loupe of a later year wrote."""
    stored.info["loupe"] = {**stored.info["loupe"], "stored": {"layout": 3, "loupe": "0.9.0"}}
    stored.save()
    return stored


NEWER = "expected a dataset of layout 2 or older, as Loupe .* reads it, got layout 3, which Loupe 0.9.0 wrote: install"
CALLS: dict[str, Callable[[Any], Any]] = {
    "check": lambda samples: loupe.check(samples, ["exposure"]),
    "compare": lambda samples: loupe.compare(samples, "scenario.time"),
    "find_duplicates": lambda samples: loupe.find_duplicates(samples),
    "flag": lambda samples: loupe.flag(samples, {"dark": 0.1}),
    "generate": lambda samples: loupe.generate(samples, ["a sign"]),
    "import_images": lambda samples: loupe.import_images(samples, str(STORED / "pictures")),
    "migrate": lambda samples: loupe.migrate(samples),
    "report": lambda samples: loupe.report(samples, "/tmp/never.html"),
    "review": lambda samples: loupe.review(samples.limit(1), "dark", "real"),
    "reviewed": lambda samples: loupe.reviewed(samples),
    "scores": lambda samples: loupe.scores(samples, "dark"),
    "slice": lambda samples: loupe.slice(samples, "scenario.time"),
    "view": lambda samples: loupe.slice(samples.limit(3), "scenario.time"),
}


@pytest.mark.parametrize("verb", CALLS)
def test_what_a_newer_loupe_wrote_is_left_alone_by_every_verb(newer: Any, verb: str) -> None:
    before, samples = raw(newer), documents(newer)
    with pytest.raises(InputError, match=NEWER):
        CALLS[verb](newer)
    assert raw(newer) == before
    assert documents(newer) == samples


def test_what_a_newer_loupe_wrote_is_left_alone_by_forms_and_panels(newer: Any) -> None:
    from operator_calls import form, problems
    from panel_session import PanelSession

    from loupe.panels.overview.panel import Overview

    assert "which Loupe 0.9.0 wrote: install" in str(problems(form("check", newer)))
    assert "which Loupe 0.9.0 wrote: install" in str(PanelSession(Overview(), newer).output)
