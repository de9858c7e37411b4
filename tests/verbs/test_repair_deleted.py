"""``loupe.repair``: attempts by turns, unknown methods, and what is deleted meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import repairs
from repairs import Lamp, drawn, fill, repair

import loupe
from loupe.brain.core.errors import UnknownName

pytestmark = [pytest.mark.database, pytest.mark.slow]


@pytest.fixture
def dark(dataset: Any, tmp_path: Path) -> Any:
    repairs.drawn.clear()
    fill(dataset, tmp_path / "given")
    return dataset


def test_a_deleted_original_leaves_its_repair_and_nothing_breaks(dark: Any, tmp_path: Path) -> None:
    made = repair(dark, tmp_path)
    first, second = [each for each in made.samples if each.repaired_id][:2]
    dark.delete_samples([first.id])
    view = loupe.with_repairs(dark)
    assert first.repaired_id in view.values("id")
    assert second.id not in view.values("id")
    again = repair(dark, tmp_path)
    assert first.id not in {each.id for each in again.samples}
    assert again.skipped == len(again.samples) == made.attempted - 1
    loupe.decide_repairs(dark, "undo")
    # nobody is left to whom the repair could be taken back: its sample is the user's to delete
    assert first.repaired_id in dark.values("id")
    assert second.repaired_id not in dark.values("id")


def test_attempts_by_turns_keep_the_best_of_both_ways(dark: Any, tmp_path: Path) -> None:
    from loupe.brain.engine import output_folder

    drawn.clear()
    made = repair(dark, tmp_path, method="mixed", model=Lamp(how="never"), attempts=4)
    asked = [request.image is None for request in drawn]
    assert asked == [False, True] * (2 * made.attempted)
    # from itself it stays dark; anew it is light, and as unlike as another scene is
    assert {each.method for each in made.samples if each.better} <= {"redraw"}
    for each in made.samples:
        if each.repaired_id:
            path = Path(dark[each.repaired_id].filepath)
            facts = output_folder.read_facts(path, path.stem)
            assert facts is not None
            assert facts["repair"]["method"] == each.method == "redraw"
            assert each.attempt in (2, 4)
    again = repair(dark, tmp_path, method="mixed", model=Lamp(how="never"), attempts=4)
    assert again.skipped == len(made.samples)


def test_an_unknown_method_is_refused_before_anything_is_drawn(dark: Any, tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"unknown method 'inpant'\. Did you mean 'inpaint'\?"):
        repair(dark, tmp_path, method="inpant")


def test_a_field_that_is_deleted_while_it_runs_is_carried_over_no_more(
    dark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from loupe.brain.store.repair import repaired as store

    real = store.add

    def add(samples: Any, made: Any, carried: Any) -> str:
        if dark.has_field("ground_truth"):
            dark.delete_sample_fields(["ground_truth", "boxes"])
        return real(samples, made, carried)

    monkeypatch.setattr(store, "add", add)
    made = repair(dark, tmp_path)
    assert made.better == len(made.ids) > 0
    assert set(dark.select(made.ids).values("prompt")) <= {f"a scene, number {at}" for at in range(4)}


def test_an_undo_that_was_killed_between_its_writes_is_ended_by_the_next(
    dark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says that a repair was taken back before the repaired sample goes."""
    from loupe.brain.store.repair import repaired as store

    repair(dark, tmp_path)
    before = len(dark)

    def killed(*_: Any) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(store, "take_away", killed)
        with pytest.raises(KeyboardInterrupt):
            loupe.decide_repairs(dark, "undo")
    assert [entry.status for entry in store.entries(dark)].count("undone") == 1
    assert len(dark) == before
    loupe.decide_repairs(dark, "undo")
    assert not any(dark.values(store.OF))
