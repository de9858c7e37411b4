"""The model of a run: random steps come to what a fresh run comes to, and a run that is wrong is noticed."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = [pytest.mark.database, pytest.mark.slow]


def test_random_steps_come_to_what_a_fresh_run_comes_to(database: str) -> None:
    from benchmarks.faults import model

    model.run(0, 4, 7)


@pytest.mark.parametrize("fault", ["stale", "doubled", "user", "interrupted"])
def test_a_run_that_is_wrong_is_noticed(database: str, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """By one short sequence each, in which the fault shows."""
    from benchmarks.faults import model
    from loupe.brain.store import rows, scores

    machine = model.Dataset()
    real = scores.write

    def twice(samples: Any, verdicts: Any, checks: Any) -> None:
        real(samples, verdicts, checks)
        if verdicts:
            label = {"label": "dark", "check": "exposure", "_cls": "Classification"}
            both = {"$set": {"failures": {"_cls": "Classifications", "classifications": [label, label]}}}
            samples._dataset._sample_collection.update_many({}, both)

    def over_the_users(samples: Any, verdicts: Any, checks: Any) -> None:
        real(samples, verdicts, checks)
        samples._dataset._sample_collection.update_many({}, {"$set": {"note": "Loupe was here"}})

    def half_written(samples: Any, verdicts: Any, checks: Any) -> None:
        keys = {f"checked.{name}": key for verdict in verdicts for name, key in verdict.row.keys.items()}
        samples._dataset._sample_collection.update_many({}, {"$set": keys})

    try:
        machine.begin(["smooth", "dark", "bright"])
        with monkeypatch.context() as patch:
            if fault == "stale":
                # what a sample is judged by no longer tells that its file has changed
                patch.setattr(rows, "inputs_key", lambda path, fields: "a1" * 6)
                machine.check({"exposure"}, False, True)
                machine.edit(0, "dark")
                machine.edit(1, "bright")
                with pytest.raises(AssertionError):
                    machine.compare()
                return
            writes = {"doubled": twice, "user": over_the_users, "interrupted": half_written}
            patch.setattr(scores, "write", writes[fault])
            machine.check({"exposure"}, False, False)
        with pytest.raises(AssertionError):
            machine.holds()
    finally:
        machine.checked.clear()
        machine.teardown()
