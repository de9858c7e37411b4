"""The bookkeeping of the cluster engine: each row comes back once, in order, whatever ends on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

import pytest

from loupe.brain.core.errors import InputError
from loupe.brain.engine.portions import MAX_DEATHS, MAX_DEATHS_OF_ROW, Chunks, Piece, Portions
from loupe.brain.engine.ray_cluster import Node
from loupe.brain.engine.ray_crew import cause, places
from loupe.brain.engine.reader import Row


def rows_of(n: int) -> list[Row]:
    return [Row(str(index), f"{index}.png", {}, frozenset({"a"})) for index in range(n)]


def portions_of(rows: Sequence[Row], size: int = 4) -> Portions:
    return Portions((tuple(rows[start : start + size]) for start in range(0, len(rows), size)), {"a"})


def answer(piece: Piece) -> Chunks:
    return [[({"a": row.id}, {}, None, False) for row in piece.rows]]


def drained(portions: Portions) -> Iterator[tuple[str, dict[str, str]]]:
    for rows, chunks in portions.finished():
        entries = [entry for chunk in chunks for entry in chunk]
        for row, (values, errors, *_) in zip(rows, entries, strict=True):
            assert values.get("a", row.id) == row.id
            yield row.id, dict(errors)


@pytest.mark.parametrize("seed", range(40))
def test_each_row_comes_back_once_in_order_whatever_ends(seed: int) -> None:
    chance = Random(seed)
    rows = rows_of(chance.randint(0, 60))
    deadly = {row.id for row in rows if chance.random() < 0.05}
    portions = portions_of(rows, chance.choice([1, 2, 4, 7]))
    working: list[Piece] = []
    back: list[tuple[str, dict[str, str]]] = []
    innocent_deaths = 0
    for _ in range(10_000):
        while len(working) < 3 and (piece := portions.take(6)) is not None:
            working.append(piece)
        back += drained(portions)
        if portions.done:
            break
        if not working:
            continue
        piece = working.pop(chance.randrange(len(working)))
        kills = bool(deadly & {row.id for row in piece.rows})
        # a node is lost now and then, seldom often enough for the same rows to be suspected
        by_chance = not kills and innocent_deaths < 2 and chance.random() < 0.1
        innocent_deaths += by_chance
        if kills or by_chance:
            portions.lost(piece, "it was killed")
        elif chance.random() < 0.1:
            portions.again(piece)
        else:
            portions.put(piece, answer(piece))
    assert [row_id for row_id, _ in back] == [row.id for row in rows]
    assert {row_id for row_id, errors in back if errors} == deadly
    assert all("processes ended" in errors["a"] for _, errors in back if errors)


def test_a_deadly_row_costs_few_processes() -> None:
    portions = portions_of(rows_of(64), 64)
    deaths, back = 0, []
    while not portions.done:
        piece = portions.take(1)
        if piece is None:
            back += drained(portions)
        elif any(row.id == "37" for row in piece.rows):
            deaths += 1
            portions.lost(piece, "it was killed")
        else:
            portions.put(piece, answer(piece))
    assert [row_id for row_id, errors in back if errors] == ["37"]
    # a whole portion three times, then once each size from 32 to 2, then the row alone
    assert deaths == MAX_DEATHS + 5 + MAX_DEATHS_OF_ROW


def test_no_more_is_open_than_may_be() -> None:
    asked: list[int] = []

    def endless() -> Iterator[tuple[Row, ...]]:
        for index in range(1_000_000):
            asked.append(index)
            yield (Row(str(index), "", {}, frozenset({"a"})),)

    portions = Portions(endless(), {"a"})
    taken = [portions.take(5) for _ in range(9)]
    assert [piece is None for piece in taken] == [False] * 5 + [True] * 4
    assert asked == list(range(5))
    # what comes next is not done: the others wait for it, and nothing new is asked for
    for piece in taken[1:5]:
        assert piece is not None
        portions.put(piece, answer(piece))
    assert list(portions.finished()) == []
    assert portions.take(5) is None


def test_what_is_to_be_done_again_goes_first_and_halves_stay_in_order() -> None:
    portions = portions_of(rows_of(8))
    first, second = portions.take(9), portions.take(9)
    assert first is not None
    assert second is not None
    portions.again(second)
    for _ in range(MAX_DEATHS):
        portions.lost(first, "it was killed")
        first = portions.take(9)
        assert first is not None
    halves = [first, portions.take(9)]
    assert [[row.id for row in half.rows] for half in halves if half] == [["0", "1"], ["2", "3"]]
    for piece in (*reversed(halves), portions.take(9)):
        assert piece is not None
        portions.put(piece, answer(piece))
    assert [row_id for row_id, _ in drained(portions)] == [str(index) for index in range(8)]


def test_a_row_that_waits_for_nothing_known_is_refused() -> None:
    with pytest.raises(InputError, match="wait for a only, got hands"):
        Portions(iter([(Row("1", "1.png", {}, frozenset({"hands"})),)]), {"a"}).take(1)


@pytest.mark.parametrize(
    ("node", "cpus", "device", "expected"),
    [
        ((16, 0), 2, "cpu", 8),
        ((1, 0), 2, "cpu", 1),
        ((5, 0), 2, "cpu", 2),
        ((16, 4), 2, "cuda", 4),
        ((16, 0), 2, "cuda", 0),
    ],
)
def test_a_node_has_room_for_so_many(node: tuple[int, int], cpus: int, device: str, expected: int) -> None:
    assert places(Node("id", "name", *node), cpus, device) == expected


def test_no_more_processes_are_started_than_have_something_to_do() -> None:
    portions = portions_of(rows_of(10))
    assert [portions.worth(maximum) for maximum in (1, 2, 9)] == [1, 2, 3]
    first = portions.take(9)
    assert first is not None
    assert portions.worth(9) == 3
    portions.put(first, answer(first))
    assert portions.worth(9) == 2
    assert len(list(drained(portions))) == 4
    assert not portions.done
    asked: list[int] = []
    endless = (asked.append(index) or (Row(str(index), "", {}, frozenset({"a"})),) for index in range(99))  # type: ignore[func-returns-value]
    assert Portions(endless, {"a"}).worth(3) == 3
    assert asked == [0, 1, 2]


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        # as Ray says it
        (
            "The actor is dead because its worker process has died. Worker exit type: SYSTEM_ERROR Worker exit detail: "
            "Worker unexpectedly exits with a connection error code 2. End of file. Some common causes include: (1) "
            "the process was killed by the OOM killer due to high memory usage, (2) ray stop --force was called",
            "it was killed, or broke",
        ),
        (
            "The actor died because its node has died. Node Id: 55\n\tthe actor's node was terminated",
            "its node was lost",
        ),
        ("1 worker(s) were killed due to the node running low on memory.", "memory ran short on its node"),
    ],
)
def test_why_a_process_ended_is_told_in_a_few_words(says: str, expected: str) -> None:
    assert cause(RuntimeError(says)) == expected
