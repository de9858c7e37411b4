"""Groups of duplicates, against plain loops: leaks over every pair, what is decided, what comes first and is kept."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from loupe.brain.core.deduplicated import GroupDecision
from loupe.brain.core.errors import InputError
from loupe.brain.labels.duplicates import (
    DISTINCT,
    DROP,
    KEEP,
    NONE,
    Candidate,
    Groups,
    alike,
    best,
    split_rank,
)


def drawn(seed: int, n: int = 60, n_groups: int = 14) -> Groups:
    rng = np.random.default_rng(seed)
    group = np.sort(np.concatenate([np.arange(n_groups), rng.integers(0, n_groups, n - n_groups)]))
    status = rng.choice([NONE, KEEP, DROP, DISTINCT], n)
    key = np.where(status == NONE, NONE, rng.integers(0, 3, n))
    return Groups(n_groups, group, rng.integers(-1, 3, n), rng.integers(-1, 3, n), status, key)


@pytest.mark.parametrize("seed", range(8))
def test_leaks_are_every_pair_across_two_splits(seed: int) -> None:
    groups = drawn(seed)
    for kept in (None, np.ones(60, dtype=bool), np.arange(60) % 2 == 0):
        shown = groups.status != DROP if kept is None else kept
        expected = [0] * groups.n
        for a, b in combinations(range(60), 2):
            same = groups.group[a] == groups.group[b] and shown[a] and shown[b]
            splits = {int(groups.split[a]), int(groups.split[b])}
            apart = groups.status[a] == groups.status[b] == DISTINCT and groups.key[a] == groups.key[b]
            if same and len(splits) == 2 and NONE not in splits and not apart:
                expected[groups.group[a]] += 1
        assert groups.leaks(kept).tolist() == expected


@pytest.mark.parametrize("seed", range(8))
def test_what_is_decided_is_what_a_loop_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(200):
        status, key = rng.choice([NONE, KEEP, DROP, DISTINCT], 3, p=[0.1, 0.3, 0.3, 0.3]), rng.integers(0, 2, 3)
        key = np.where(status == NONE, NONE, key)
        zeros = np.zeros(3, np.int64)
        listed = status.tolist()
        keys = {code for code, each in zip(key.tolist(), listed, strict=True) if each == DISTINCT}
        kept_one = listed.count(KEEP) == 1 and DISTINCT not in listed
        expected = NONE not in listed and (kept_one or (KEEP not in listed and len(keys) == 1))
        assert Groups(1, zeros, zeros, zeros, status, key).decided().tolist() == [expected]


def test_leaks_come_first_then_two_labels_then_the_largest() -> None:
    group = np.array([0, 0, 1, 1, 2, 2, 2, 3, 3, 3, 3, 4, 4])
    split = np.array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
    label = np.array([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, NONE, 0, 0])
    status = np.full(13, NONE)
    groups = Groups(5, group, split, label, status, status)
    assert groups.order().tolist() == [4, 1, 3, 2, 0]
    # what was decided does not change the order
    dropped = Groups(5, group, split, label, np.full(13, DROP), np.zeros(13, np.int64))
    assert dropped.order().tolist() == [4, 1, 3, 2, 0]


def test_no_group_at_all() -> None:
    none = np.zeros(0, np.int64)
    groups = Groups(0, none, none, none, none, none)
    assert groups.leaks().tolist() == groups.order().tolist() == groups.decided().tolist() == []


def test_the_one_to_keep() -> None:
    small, large = Candidate("train", 100.0, 0.9), Candidate("train", 400.0, 0.1)
    assert best([small, large]) == 1
    assert best([large, small], "first") == 0
    assert best([Candidate("test", 4.0), large]) == 0
    assert best([Candidate("test", 4.0), large], "largest") == 1
    assert best([Candidate("test", 4.0), large], prefer=["train"]) == 1
    # of equal size the sharpest, of equal sharpness the largest file, of equals the first; what is not known loses
    assert best([Candidate(area=4.0, sharpness=0.2), Candidate(area=4.0, sharpness=0.3)]) == 1
    assert best([Candidate(area=4.0), Candidate(area=4.0, sharpness=0.3)]) == 1
    assert best([Candidate(area=4.0, sharpness=0.304), Candidate(area=4.0, sharpness=0.301, lossless=True)]) == 1
    assert best([Candidate(area=4.0, bytes=5.0), Candidate(area=4.0, bytes=6.0)]) == 1
    assert best([Candidate(), Candidate(area=1.0)]) == 1
    assert best([Candidate(), Candidate()]) == 0


def test_a_test_set_stays_and_a_training_set_gives() -> None:
    names = ["train", "Train", None, "extra", "val", "validation", "test", "TEST"]
    assert sorted(names, key=split_rank) == ["test", "TEST", "val", "validation", "extra", "train", "Train", None]
    assert sorted(names, key=lambda name: split_rank(name, ["extra", "train"]))[:2] == ["extra", "train"]


def test_how_pictures_are_the_same_as_the_kept_one() -> None:
    pairs = {
        ("a", "b"): ("bytes", 1.0),
        ("a", "c"): ("pixels", 1.0),
        ("a", "d"): ("near", 0.9),
        ("d", "e"): ("near", 0.88),
    }
    ids = ["a", "b", "c", "d", "e"]
    assert alike(ids, pairs, "a") == {
        "b": ("bytes", 1.0),
        "c": ("pixels", 1.0),
        "d": ("near", 0.9),
    }
    # those that are equal to a third one are equal to each other, and near to what that one is near to
    assert alike(ids, pairs, "b") == {"a": ("bytes", 1.0), "c": ("pixels", 1.0), "d": ("near", 0.9)}
    assert alike(ids, pairs, "d") == {"a": ("near", 0.9), "b": ("near", 0.9), "c": ("near", 0.9), "e": ("near", 0.88)}


def test_a_decision_keeps_one_or_all() -> None:
    decision = GroupDecision("keep", "a", "k")
    assert [decision.status(each) for each in "ab"] == ["keep", "drop"]
    assert GroupDecision("distinct", "", "k").status("a") == "distinct"
    for answer, keep in (("keep", ""), ("distinct", "a"), ("delete", "a")):
        with pytest.raises(InputError, match="expected"):
            GroupDecision(answer, keep, "k")  # type: ignore[arg-type]
