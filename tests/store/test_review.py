"""Decisions in the database: nobody's is lost, and what stands meanwhile is seen."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from loupe.brain.core.review import Decision

pytestmark = pytest.mark.database

AT = "2026-11-24T20:31:05.123+00:00"


@pytest.fixture
def some(dataset: Any) -> Any:
    import fiftyone as fo

    dataset.add_samples([fo.Sample(filepath=f"/nowhere/{index}.png") for index in range(40)], progress=False)
    return dataset


def test_a_decision_comes_back_as_it_was_written(some: Any) -> None:
    from loupe.brain.store.review import decisions as review

    first, second, *_ = some.values("id")
    decision = Decision("unsure", by="anna", at=AT, note="dots.and $")
    assert review.write(some, "blur", {first: decision, second: Decision("real")}) == 2
    assert review.standing(some, "blur", [first, second]) == {first: decision, second: Decision("real")}
    assert review.failures(some) == ["blur"]


def test_only_what_is_known_to_stand_is_replaced(some: Any) -> None:
    from loupe.brain.store.review import decisions as review

    (first, *_), mine = some.values("id"), Decision("real", by="anna", at=AT)
    theirs = Decision("false_alarm", by="ben", at=AT)
    assert review.write(some, "blur", {first: theirs}, {first: None}) == 1
    assert review.write(some, "blur", {first: mine}, {first: None}) == 0
    assert review.standing(some, "blur", [first]) == {first: theirs}
    assert review.write(some, "blur", {first: mine}, {first: theirs}) == 1
    assert review.write(some, "blur", {first: None}, {first: theirs}) == 0
    assert review.write(some, "blur", {first: None}, {first: mine}) == 1
    assert review.standing(some, "blur", [first]) == {first: None}


def test_two_reviewers_at_once_lose_nothing(some: Any) -> None:
    from loupe.brain.store.review import decisions as review

    ids = some.values("id")
    failed: list[BaseException] = []

    def decide(failure: str, own: list[str], by: str) -> None:
        try:
            for each in own:
                review.write(some, failure, {each: Decision("real", by=by, at=AT)}, {each: None})
        except BaseException as error:
            failed.append(error)

    jobs = [("blur", ids[:20], "anna"), ("blur", ids[20:], "ben"), ("dark", ids, "cleo")]
    threads = [threading.Thread(target=decide, args=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    some.reload()
    assert some.count_values("review.blur.by") == {"anna": 20, "ben": 20}
    assert some.count_values("review.dark.by") == {"cleo": 40}


def test_a_sample_that_is_gone_is_no_error(some: Any) -> None:
    from loupe.brain.store.review import decisions as review

    first, second, *_ = some.values("id")
    some.delete_samples([first])
    assert review.write(some, "blur", {first: Decision("real", at=AT), second: Decision("real", at=AT)}) == 1
    assert set(review.standing(some, "blur", [first, second])) == {second}


@pytest.mark.parametrize("document", [None, 3, "real", {}, {"label": "maybe"}, {"label": None}, []])
def test_what_is_no_decision_is_none(document: Any) -> None:
    from loupe.brain.store.review import decisions as review

    assert review.decision_of(document) is None
