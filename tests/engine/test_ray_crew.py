"""What each process of a run on a cluster is sent."""

from __future__ import annotations

import pickle
from types import SimpleNamespace
from typing import Any

import pytest

from loupe.brain.engine.portions import MAX_DEATHS, Piece, Portions
from loupe.brain.engine.ray_cluster import Node
from loupe.brain.engine.ray_crew import Crew, Process
from loupe.brain.engine.reader import Row

SENT = 2


def rows_of(n: int) -> list[Row]:
    return [Row(str(index), f"{index}.png", {}, frozenset({"a"})) for index in range(n)]


@pytest.fixture
def portions() -> Portions:
    """Eight portions of two rows."""
    rows = rows_of(16)
    return Portions(iter([tuple(rows[start : start + 2]) for start in range(0, 16, 2)]), {"a"})


@pytest.fixture
def crew(portions: Portions, monkeypatch: pytest.MonkeyPatch) -> Crew[Piece]:
    """Two processes that have begun, which only keep what they are sent; no cluster is asked for more."""
    ray: Any = SimpleNamespace(
        put=lambda value: value, remote=lambda made: made, cloudpickle=SimpleNamespace(dumps=lambda order: b"")
    )
    order: Any = None
    crew = Crew(ray, order, portions, device="cpu", cpus=1, sent=SENT)
    monkeypatch.setattr(crew, "_tend", lambda: None)
    for name in ("first", "second"):
        handle = SimpleNamespace(work=SimpleNamespace(remote=pickle.loads))
        crew._processes.append(Process(Node(name, name, 1, 0), handle, None))
    return crew


def held(crew: Crew[Piece]) -> list[list[tuple[str, ...]]]:
    """What each process has been sent, by the names of the rows."""
    return [[tuple(row.id for row in piece.rows) for _, piece in process.sent] for process in crew._processes]


def test_each_process_has_the_next_piece_by_it(crew: Crew[Piece]) -> None:
    crew.deal()
    assert held(crew) == [[("0", "1"), ("4", "5")], [("2", "3"), ("6", "7")]]


def test_what_may_have_ended_a_process_is_all_that_its_next_one_is_sent(crew: Crew[Piece], portions: Portions) -> None:
    first, second = crew._processes
    crew.deal()
    _, after = first.sent.pop()
    _, piece = first.sent.pop()
    portions.again(after)
    portions.lost(piece, "it was killed")
    crew.deal()
    # else the answer to 0 and 1 may be lost as 4 and 5 end the process, and 0 and 1 are blamed
    assert held(crew)[0] == [("0", "1")]
    for deaths in range(2, MAX_DEATHS + 1):
        _, piece = first.sent.pop()
        assert piece.deaths == deaths - 1
        portions.lost(piece, "it was killed")
        crew.deal()
    assert held(crew)[0] == [("0",)], "halves are tried apart"
    second.sent.clear()
    crew.deal()
    assert held(crew) == [[("0",)], [("1",)]]


def test_what_is_suspected_waits_for_a_process_that_has_nothing(crew: Crew[Piece], portions: Portions) -> None:
    first, second = crew._processes
    crew.deal()
    _, piece = first.sent.popleft()
    portions.lost(piece, "it was killed")
    crew.deal()
    assert held(crew) == [[("4", "5")], [("2", "3"), ("6", "7")]]
    second.sent.clear()
    crew.deal()
    assert held(crew)[1] == [("0", "1")]
