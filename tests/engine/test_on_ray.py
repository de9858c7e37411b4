"""What becomes of files that fail on one node and not here, without a cluster: nodes and answers are drawn."""

from __future__ import annotations

import errno
import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from loupe.brain.engine import on_ray
from loupe.brain.engine.drawing_process import torch_settings
from loupe.brain.engine.map import Task
from loupe.brain.engine.portions import Entry, Piece, Portions
from loupe.brain.engine.ray_cluster import Node
from loupe.brain.engine.reader import Row
from loupe.brain.engine.row_work import Answer, Order


class Crew:
    """Nodes whose storage fails with a probability; who is left out answers no more."""

    def __init__(self, failing: dict[str, float], portions: Portions, seed: int) -> None:
        self._nodes = {name: Node(name, name, 1, 0) for name in failing}
        self._failing, self._portions, self._rng = failing, portions, random.Random(seed)
        self.left_out: dict[str, str] = {}
        self.answers: Counter[int] = Counter()

    def deal(self) -> None:
        pass

    def has_others(self, node: Node) -> bool:
        return any(name != node.id and name not in self.left_out for name in self._nodes)

    def leave_out(self, node: Node, why: str) -> None:
        self.left_out[node.id] = why

    def heard(self) -> Iterator[tuple[Any, Piece | None, Answer]]:
        # whoever is the first to answer takes the next piece, too
        node = self._rng.choice([self._nodes[name] for name in self._nodes if name not in self.left_out])
        piece = self._portions.take(4)
        if piece is None:
            return
        self.answers[piece.place] += 1
        fails = self._rng.random() < self._failing[node.id]
        entry: Entry = ({}, {"ids": "OSError"}, None, True) if fails else ({"ids": 1}, {}, None, False)
        process = type("Process", (), {"node": node})
        paths = [row.path for row in piece.rows] if fails else []
        yield process, piece, Answer([[entry] * len(piece.rows)], failing=paths)


def worked(failing: dict[str, float], path: Path, seed: int) -> tuple[Crew, list[bool]]:
    """Returns the nodes, and whether each row failed in the end."""
    rows = iter([(Row(str(at), str(path), {}, frozenset({"ids"})),) for at in range(40)])
    portions = Portions(rows, {"ids"})
    crew = Crew(failing, portions, seed)
    mapped = [each for chunk in on_ray._chunks(crew, portions) for each in chunk]  # type: ignore[arg-type]
    assert [each.row.id for each in mapped] == [str(at) for at in range(40)]
    return crew, [each.not_now for each in mapped]


@pytest.mark.parametrize("seed", range(20))
def test_what_fails_on_one_node_is_read_by_another(tmp_path: Path, seed: int) -> None:
    here = tmp_path / "a.png"
    here.write_bytes(b"x")
    crew, failed = worked({"bad": 1.0, "good": 0.0}, here, seed)
    assert not any(failed)
    assert set(crew.left_out) == {"bad"}
    assert "storage fails" in crew.left_out["bad"]


@pytest.mark.parametrize("seed", range(20))
def test_a_node_that_fails_now_and_then_stays_and_nothing_is_done_for_ever(tmp_path: Path, seed: int) -> None:
    here = tmp_path / "a.png"
    here.write_bytes(b"x")
    crew, failed = worked({"first": 0.02, "second": 0.02}, here, seed)
    assert not any(failed)
    assert not crew.left_out
    crew, _ = worked({"first": 0.9, "second": 0.9}, here, seed)
    assert len(crew.left_out) <= 1, "the last one stays: what it cannot read is told of each picture"
    assert max(crew.answers.values()) <= 2 + on_ray.FAILURES


def test_what_can_be_read_nowhere_or_by_one_node_alone_is_not_done_again(tmp_path: Path) -> None:
    crew, failed = worked({"first": 1.0, "second": 1.0}, tmp_path / "gone.png", 0)
    assert all(failed)
    assert not crew.left_out
    assert set(crew.answers.values()) == {1}
    here = tmp_path / "a.png"
    here.write_bytes(b"x")
    crew, failed = worked({"alone": 1.0}, here, 0)
    assert all(failed)
    assert set(crew.answers.values()) == {1}


def test_a_file_that_may_not_be_read_on_a_node_is_none_that_nobody_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node's user may have other rights than the driver's, and root has all: what refuses is the system's call."""
    ours, broken = tmp_path / "ours.png", tmp_path / "broken.png"
    Image.new("RGB", (32, 32)).save(ours)
    broken.write_bytes(ours.read_bytes()[:40])
    task: Task[Any] = Task("ids", lambda device: lambda batch: list(batch.ids), lambda made, n: made)
    rows = [Row(path.stem, str(path), {}, frozenset({"ids"})) for path in (ours, broken)]
    work, _ = Order([task], "cpu", 4, torch_settings()).begin(1)
    assert work(rows).lacking == []
    really = os.open

    def refused(path: Any, *given: Any, **named: Any) -> int:
        if str(path) == str(ours):
            raise PermissionError(errno.EACCES, "Permission denied")
        return really(path, *given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refused)
        answer = work(rows)
    (chunk,) = answer.chunks
    assert [reason is not None for _, _, reason, _ in chunk] == [True, True]
    assert answer.lacking == [str(ours)], "the driver can read it; the broken one it would call broken, too"
