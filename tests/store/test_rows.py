"""Views become rows; what has been judged already is left out until something of it changes."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.database


@pytest.fixture
def three(dataset: Any, tmp_path: Path) -> Any:
    import fiftyone as fo

    paths = [tmp_path / f"{index}.png" for index in range(3)]
    for path in paths:
        path.write_bytes(b"x")
    samples = [fo.Sample(filepath=str(path), prompt=f"p{index}", number=index) for index, path in enumerate(paths)]
    dataset.add_samples(samples, progress=False)
    return dataset


def checks() -> list[Any]:
    from loupe.brain.core import registry

    return [registry.checks()[name]() for name in ("sharpness", "exposure")]


def mark_judged(dataset: Any, rows: list[Any], name: str) -> None:
    """Notes that a check has judged these rows."""
    import fiftyone as fo

    if not dataset.has_field("checked"):
        dataset.add_sample_field("checked", fo.DictField)
    checked = dict(zip(*dataset.values(["id", "checked"]), strict=True))
    for row in rows:
        checked[row.id] = {**(checked[row.id] or {}), name: row.keys[name]}
    dataset.set_values("checked", checked, key_field="id")


def test_rows_carry_what_the_checks_need(three: Any) -> None:
    from loupe.brain.store.rows import pending_rows

    rows, skipped = pending_rows(three, checks(), needs=("prompt", "absent"))
    assert skipped == 0
    assert [row.id for row in rows] == three.values("id")
    assert [row.path for row in rows] == three.values("filepath")
    assert [row.fields for row in rows] == [{"prompt": f"p{index}", "absent": None} for index in range(3)]
    assert {row.pending for row in rows} == {frozenset({"sharpness", "exposure"})}


def test_what_was_judged_is_left_out_unless_asked_for(three: Any) -> None:
    from loupe.brain.store.rows import pending_rows

    rows, _ = pending_rows(three, checks())
    mark_judged(three, rows[:2], "sharpness")
    mark_judged(three, rows[:1], "exposure")
    again, skipped = pending_rows(three, checks())
    assert skipped == 1
    assert [sorted(row.pending) for row in again] == [["exposure"], ["exposure", "sharpness"]]
    everything, skipped = pending_rows(three, checks(), resume=False)
    assert (len(everything), skipped) == (3, 0)
    assert {len(row.pending) for row in everything} == {2}


def test_a_change_of_file_field_or_parameter_is_judged_again(three: Any) -> None:
    from loupe.brain.store.rows import pending_rows

    rows, _ = pending_rows(three, checks(), needs=("prompt",))
    for name in ("sharpness", "exposure"):
        mark_judged(three, rows, name)
    none, skipped = pending_rows(three, checks(), needs=("prompt",))
    assert (len(none), skipped) == (0, 3)
    os.utime(rows[0].path, (1, 1))
    Path(rows[1].path).unlink()
    assert [row.id for row in pending_rows(three, checks(), needs=("prompt",))[0]] == [rows[0].id, rows[1].id]
    three.set_values("prompt", ["p0", "p1", "another"])
    assert len(pending_rows(three, checks(), needs=("prompt",))[0]) == 3

    class Newer(type(checks()[0])):  # type: ignore[misc]
        version = 99

    assert [row.pending for row in pending_rows(three[2:], [Newer()])[0]] == [frozenset({"sharpness"})]


def test_detections_come_as_boxes_and_documents_as_dicts(three: Any) -> None:
    import fiftyone as fo

    from loupe.brain.core.records import Box
    from loupe.brain.store.rows import pending_rows

    hand = fo.Detection(label="hand", bounding_box=[0.1, 0.2, 0.3, 0.4], confidence=0.5)
    three.set_values("many", [fo.Detections(detections=[hand, hand]), fo.Detections(), None])
    three.set_values("one_box", [hand, None, None])
    three.set_values("scenario", [fo.DynamicEmbeddedDocument(time="night", hand=hand), None, None], dynamic=True)
    rows, _ = pending_rows(three, checks(), needs=("many", "one_box", "scenario"))
    box = Box("hand", (0.1, 0.2, 0.3, 0.4), 0.5)
    assert rows[0].fields == {"many": (box, box), "one_box": (box,), "scenario": {"time": "night", "hand": (box,)}}
    assert rows[1].fields == {"many": (), "one_box": None, "scenario": None}
    assert replace(rows[2], keys={}).fields["many"] is None


def test_number_columns(three: Any) -> None:
    from loupe.brain.core.errors import UnknownName
    from loupe.brain.store.rows import column, columns

    three.set_values("score", [0.5, None, float("nan")])
    made = columns(three, ["score", "number"])
    np.testing.assert_array_equal(made["score"], np.float32([0.5, np.nan, np.nan]))
    np.testing.assert_array_equal(made["number"], np.float32([0, 1, 2]))
    assert made["number"].dtype == np.float32
    np.testing.assert_array_equal(column(three[1:], "number"), np.float32([1, 2]))
    assert columns(three, []) == {}
    with pytest.raises(UnknownName, match="Did you mean 'score'"):
        column(three, "scores")


def test_a_file_that_cannot_be_looked_at_now_has_a_key_that_no_later_one_equals(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    from loupe.brain.core.errors import NotReadNow
    from loupe.brain.store import rows

    path = str(tmp_path / "a.png")
    gone = rows.inputs_key(path, {})
    assert rows.inputs_key(path, {}) == rows.known_key(path, {}) == gone
    Path(path).write_bytes(b"x")

    def stale(_: Any) -> Any:
        raise OSError(errno.ESTALE, "Stale file handle")

    with monkeypatch.context() as patch:
        patch.setattr(rows.os, "stat", stale)
        first, second = rows.inputs_key(path, {}), rows.inputs_key(path, {})
        with pytest.raises(NotReadNow, match="cannot be read now"):
            rows.known_key(path, {})
    assert len({gone, first, second, rows.inputs_key(path, {})}) == 4
    assert len(first) == len(gone)
