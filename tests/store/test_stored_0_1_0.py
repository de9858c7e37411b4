"""A dataset that Loupe 0.1.0 wrote: it is sliced, flagged and checked as before, and loses nothing.

It lies in data/stored_0_1_0 as FiftyOne exports it, with the rates that 0.1.0 gave; data/make_stored_0_1_0.py made it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stored_0_1_0 import STORED, documents, loaded

import loupe
from loupe.brain.core.results import Rate
from loupe.brain.slicing.outcomes import State

pytestmark = [pytest.mark.database, pytest.mark.slow]

N = 20
CHECKS = ["file", "exposure", "sharpness"]
#: what no threshold of 0.1.0 decided, and no check of this version can
OWN_LABEL = "ugly"


@pytest.fixture
def stored(database: str, tmp_path: Path) -> Iterator[Any]:
    with loaded(tmp_path) as dataset:
        yield dataset


def labels(dataset: Any) -> list[list[str]]:
    return [[label.label for label in sample.failures.classifications] for sample in dataset.limit(N - 2)]


def test_it_is_what_0_1_0_wrote() -> None:
    thresholds = json.loads((STORED / "metadata.json").read_text())["info"]["loupe"]["thresholds"]
    assert {name: facts["basis"] for name, facts in thresholds.items()} == {"dark": "", "blur": "", "seam": "by eye"}
    text = "".join(file.read_text() for file in STORED.rglob("*.json"))
    assert "/home/" not in text
    assert "/tmp/" not in text


@pytest.mark.parametrize("table", json.loads((STORED / "rates.json").read_text()), ids=lambda table: str(table["by"]))
def test_it_is_sliced_to_the_very_rates_that_0_1_0_gave(stored: Any, table: dict[str, Any]) -> None:
    rates = loupe.slice(stored, table["by"])
    # later versions know more of a rate: what 0.1.0 knew of it stays
    kept = [{name: value for name, value in rate.to_dict().items() if name in table["rates"][0]} for rate in rates]
    assert kept == table["rates"]
    assert [Rate.from_dict(facts).n for facts in table["rates"]] == [rate.n for rate in rates]
    assert len(rates) >= 9


def test_its_cells_are_the_samples_that_were_counted(stored: Any) -> None:
    from loupe.brain.store import columns

    for rate in loupe.slice(stored, "scenario.time"):
        (time,) = rate.slice.values.values()
        counts = {
            State.FAILED: rate.failures,
            State.PASSED: rate.n - rate.failures,
            State.UNKNOWN: rate.unknown,
            State.UNCHECKED: rate.unchecked,
        }
        for state, count in counts.items():
            assert len(columns.narrow(stored, columns.Cell({"scenario.time": time}, rate.failure, state))) == count
    assert columns.factors(stored)[:2] == ["scenario.time", "scenario.weather"]


def test_it_is_flagged_by_the_thresholds_it_kept(stored: Any) -> None:
    from loupe.brain.store import runs

    kept = runs.load_thresholds(stored)
    assert {name: (threshold.op, threshold.value) for name, threshold in kept.items()} == {
        "dark": ("<", 0.3), "blur": ("<", 0.2), "seam": (">", 0.9),
    }  # fmt: skip
    assert kept["seam"].provenance == "by eye"
    assert (kept["dark"].source, kept["dark"].by) == ("user", "anna")

    # 0.1.0 did not know what a prompt asks for
    stored.clear_sample_field("prompt")
    before = documents(stored)
    flags = loupe.flag(stored)
    assert {name: flags.thresholds[name] for name in kept} == kept
    assert (flags.counts["dark"], flags.counts["blur"], flags.counts["low_contrast"]) == (6, 2, 3)
    after = documents(stored)
    # the two that were never checked: null said that nobody had flagged them
    new = {name: document for name, document in after.items() if before[name].get("failures") is None}
    assert sorted(new) == ["18.jpg", "19.jpg"]
    assert {name: document for name, document in after.items() if name not in new} == {
        name: document for name, document in before.items() if name not in new
    }

    # another threshold is written as today's, and the others stay what they were
    loupe.flag(stored, {"dark": 0.01})
    now = runs.load_thresholds(stored)
    assert now["dark"].value == 0.01
    assert {name: now[name] for name in ("blur", "seam")} == {name: kept[name] for name in ("blur", "seam")}
    assert not any("dark" in own for own in labels(stored))
    assert OWN_LABEL in labels(stored)[0]


def test_what_its_prompts_ask_for_is_no_failure_any_more(stored: Any) -> None:
    before = stored.count_values("failures.classifications.label")["dark"]
    flags = loupe.flag(stored)
    by_time = {
        rate.slice.values["scenario.time"]: rate for rate in loupe.slice(stored, "scenario.time", failure="dark")
    }
    assert by_time["night"].n == 0
    assert by_time["day"].n > 0
    assert flags.counts["dark"] == by_time["day"].failures < before


def test_its_runs_are_listed_and_read(stored: Any) -> None:
    from loupe.brain.store import runs

    assert sorted(stored.list_runs(method="loupe")) == ["loupe_calibrate_1", "loupe_check_1", "loupe_pairs_duplicates"]
    check = runs.load(stored, "loupe_check_1")
    assert (check["verb"], check["n"], check["unknown"]["seam"]) == ("check", 18, 18)
    assert runs.load(stored, "loupe_calibrate_1")["rows"][0]["failure"] == "dark"
    assert runs.new_key(stored, "check") == "loupe_check_2"


def test_what_it_checked_counts_as_checked(stored: Any) -> None:
    from loupe.brain.core import registry

    first = json.loads((STORED / "runs" / "loupe_check_1.json").read_text())["run"]["params"]["checks"]
    same = [name for name in CHECKS if registry.checks()[name].version == first[name]["version"]]
    if not same:
        pytest.skip("each of these checks judges anew since 0.1.0")
    run = loupe.check(stored, same, workers=1)
    assert (run.n, run.skipped) == (2, 18)


def test_it_is_checked_again_without_losing_anything(stored: Any) -> None:
    from loupe.brain.store import runs

    before, failures, rates = documents(stored), labels(stored), loupe.slice(stored, "scenario.time")
    run = loupe.check(stored, CHECKS, workers=1, resume=False)
    assert (run.key, run.n, run.errors) == ("loupe_check_2", N, 0)
    assert sorted(stored.list_runs(method="loupe")) == [
        "loupe_calibrate_1", "loupe_check_1", "loupe_check_2", "loupe_pairs_duplicates",
    ]  # fmt: skip
    assert runs.load(stored, "loupe_check_1")["n"] == 18
    assert set(runs.load_thresholds(stored)) == {"dark", "blur", "seam"}

    after = documents(stored)
    judged = ("failures", "unknown", "quality", "checked")
    own = {"unreadable", "contrast", "overexposure", "sharpness"}
    for name, document in before.items():
        now = after[name]
        assert {field: now[field] for field in document if field not in judged} == {
            field: value for field, value in document.items() if field not in judged
        }
        if name in ("18.jpg", "19.jpg"):
            assert now["quality"]["unreadable"] == 0
            continue
        for output, score in document["quality"].items():
            if output not in own and not output.startswith("brightness"):
                assert now["quality"][output] == score, output
        others = {check: key for check, key in document["checked"].items() if check not in run.params["checks"]}
        assert len(others) == 5
        assert others.items() <= now["checked"].items()
        reasons, again = (
            {label["label"]: label["reason"] for label in of["unknown"]["classifications"]} for of in (document, now)
        )
        assert {check: reason for check, reason in reasons.items() if check in others}.items() <= again.items()
    assert [OWN_LABEL in names for names in labels(stored)] == [OWN_LABEL in names for names in failures]
    assert sum("near_duplicate" in names for names in labels(stored)) == 2

    # what the three checks do not judge is counted as before, whatever their next versions say of their own
    again = {(str(rate.slice), rate.failure): rate for rate in loupe.slice(stored, "scenario.time")}
    for rate in rates:
        now = again[str(rate.slice), rate.failure]
        if rate.failure in ("grayscale", "local_blur", "exact_duplicate", "near_duplicate"):
            assert now.to_dict() == rate.to_dict()
        assert now.n + now.unknown + now.unchecked == rate.n + rate.unknown + rate.unchecked
        assert math.isnan(now.rate) or 0 <= now.rate <= 1
