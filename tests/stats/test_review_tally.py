"""Decisions counted as they come are what counting all of them anew says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from loupe.brain.stats.review import precision
from loupe.brain.stats.review_tally import Known, Ranked, Tally


def whole(ranks: dict[str, float], statuses: dict[str, str], lowest: int) -> Tally:
    """Returns what a reading would give: of the open ones the ``lowest`` with the lowest ranks."""
    others = sorted((each for each in ranks if each not in statuses), key=lambda each: ranks[each])
    return Tally(
        n=len(ranks),
        decided={each: (Ranked(ranks[each], 0.5), status) for each, status in statuses.items()},
        open={each: Ranked(ranks[each], 0.5) for each in others[:lowest]},
        whole=len(others) <= lowest,
    )


@pytest.mark.parametrize("seed", range(20))
def test_any_decisions_and_undos_come_to_the_same_as_a_new_reading(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ranks = {f"s{at}": float(rank) for at, rank in enumerate(rng.random(40))}
    statuses: dict[str, str] = {}
    counted = whole(ranks, statuses, 40)
    names = list(ranks)
    for _ in range(60):
        name = names[rng.integers(len(names))]
        status = [None, "real", "false_alarm", "unsure"][rng.integers(4)]
        counted.put(name, Ranked(ranks[name], 0.5), status)
        statuses.pop(name, None)
        if status is not None:
            statuses[name] = status
    anew = whole(ranks, statuses, 40)
    assert counted.side().first_open == anew.side().first_open
    assert precision(counted.side()).to_dict() == precision(anew.side()).to_dict()
    assert counted.side().count("unsure") == anew.side().count("unsure")


def test_what_lies_beyond_the_lowest_that_were_read_is_no_draw() -> None:
    ranks = {f"s{at}": at / 10 for at in range(10)}
    counted = whole(ranks, {}, 3)
    for name in ("s0", "s1", "s2"):
        counted.put(name, Ranked(ranks[name], 0.5), "real")
    counted.put("s7", Ranked(0.7, 0.5), "real")  # three to six may be open, for all that is known
    assert precision(counted.side()).n == 2  # below the highest that was read, strictly
    assert counted.side().n == 10


def test_a_sample_that_is_gone_is_counted_no_more() -> None:
    counted = whole({"a": 0.1, "b": 0.2, "c": 0.3}, {"a": "real"}, 9)
    counted.forget("a")
    counted.forget("b")
    counted.forget("nobody")
    assert (counted.n, counted.side().first_open) == (1, 0.3)
    assert precision(counted.side()).n == 0


def test_all_decided_is_all_drawn() -> None:
    counted = whole({"a": 0.1, "b": 0.2}, {"a": "real", "b": "false_alarm"}, 9)
    assert counted.side().first_open == math.inf
    assert precision(counted.side()).n == 2


def test_an_open_sample_without_a_number_stops_every_draw() -> None:
    counted = Tally(2, {"a": (Ranked(0.1, 0.5), "real")}, {"b": Ranked(None, 0.5)})
    assert precision(counted.side()).n == 0
    counted.put("b", Ranked(None, None), "real")
    assert precision(counted.side()).n == 1


def test_who_decided_how_many() -> None:
    known = Known(Tally(0), Tally(0), {"ben": 1, "anna": 1})
    known.count("ben", -1)
    known.count("cleo", 2)
    assert known.names() == {"cleo": 2, "anna": 1}
