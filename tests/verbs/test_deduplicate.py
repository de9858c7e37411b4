"""``loupe.deduplicate``: a rule keeps one of each group, people's decisions stay, no leak is left."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from duplicated import LABELS, SPLITS, draw_groups, fill, put_groups

from loupe.brain.core import errors

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return draw_groups(tmp_path_factory.mktemp("duplicates"))


@pytest.fixture
def ids(dataset: Any, paths: list[str]) -> list[str]:
    return fill(dataset, paths)


def statuses(dataset: Any) -> list[str | None]:
    dataset.reload()
    return list(dataset.values("deduplicated.label")) if dataset.has_field("deduplicated") else [None] * len(dataset)


def decide(dataset: Any, members: list[str], keep: str, answer: str = "keep", key: str = "by-anna") -> None:
    """Writes what a person decided."""
    from loupe.brain.core.deduplicated import GroupDecision
    from loupe.brain.store.duplicates import decided as deduplicated

    made = GroupDecision(answer, keep, key, by="anna", at="2026-01-02T03:04:05.000+00:00")  # type: ignore[arg-type]
    assert deduplicated.decide(dataset, members, made, deduplicated.standing(dataset, members))


def test_the_best_of_each_group_is_kept_and_no_leak_is_left(dataset: Any, ids: list[str]) -> None:
    import loupe

    before = [sample.to_dict() for sample in dataset]
    result = loupe.deduplicate(dataset, by="anna")
    # the one of the test set; the larger file of two of one size; the first of equals
    kept = [ids[2], ids[3], ids[5], ids[7]]
    assert sorted(result.kept) == sorted(kept)
    assert sorted(result.dropped) == sorted({*ids[:10]} - {*kept})
    assert (result.groups, result.decided, result.open, result.leaks, result.n_dropped) == (4, 4, 0, 0, 6)
    assert result.by_people == 0
    assert result.splits == ("split",)
    assert [label for label, at in zip(statuses(dataset), ids, strict=True) if at in kept] == ["keep"] * 4
    assert statuses(dataset)[10:] == [None, None]
    assert dataset[ids[0]].deduplicated.kept == ids[2]
    assert (dataset[ids[0]].deduplicated.by, dataset[ids[0]].deduplicated.rule) == ("anna", "best")
    assert "4 of 4 groups decided; 6 pictures dropped (6 in all); 0 leaks left" in repr(result)
    assert result.to_dict()["kept"] == list(result.kept)
    # nothing is deleted, and nothing of the user's own is another
    assert len(dataset) == 12
    for sample, own in zip(dataset, before, strict=True):
        assert {name: sample.to_dict()[name] for name in ("filepath", "tags", "split", "ground_truth")} == {
            name: own[name] for name in ("filepath", "tags", "split", "ground_truth")
        }
    view = loupe.kept_view(dataset)
    assert view.values("id") == [each for each in ids if each not in result.dropped]
    assert dataset.load_saved_view("Without duplicates").values("id") == view.values("id")


def test_no_leak_is_left_by_a_count_of_every_pair(dataset: Any, ids: list[str]) -> None:
    import loupe

    def by_hand() -> int:
        rows = zip(dataset.values("duplicate_group"), dataset.values("split"), statuses(dataset), strict=True)
        kept = [(group, split) for group, split, status in rows if group and status != "drop"]
        return sum(a[0] == b[0] and a[1] != b[1] for a, b in combinations(kept, 2))

    from loupe.brain.store.duplicates import groups as duplicate_groups

    assert by_hand() == duplicate_groups.read(dataset, "split").groups.leaks().sum() == 2
    decide(dataset, ids[:3], "", "distinct")
    assert duplicate_groups.read(dataset, "split").groups.leaks().sum() == 0
    from loupe.brain.store.duplicates import decided as deduplicated

    deduplicated.take_back(dataset, ids, "by-anna")
    assert loupe.deduplicate(dataset).leaks == by_hand() == 0


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"keep": "largest"}, [0, 4, 5, 9]),
        ({"keep": "first"}, [0, 3, 5, 7]),
        ({"prefer": ["train"]}, [0, 3, 5, 7]),
        ({"splits": ["elsewhere", "night"]}, [0, 4, 5, 7]),
    ],
)
def test_rules(dataset: Any, ids: list[str], given: dict[str, Any], kept: list[int]) -> None:
    import loupe

    result = loupe.deduplicate(dataset, **given)
    assert [ids.index(each) for each in sorted(result.kept)] == kept


def test_what_people_decided_stays_and_a_rule_is_taken_back(dataset: Any, ids: list[str]) -> None:
    import loupe

    decide(dataset, ids[3:5], ids[4])
    decide(dataset, ids[5:7], "", "distinct", "both")
    first = loupe.deduplicate(dataset)
    assert {ids.index(each) for each in first.kept} == {2, 7}
    assert (first.decided, first.by_people) == (4, 2)
    assert statuses(dataset)[3:7] == ["drop", "keep", "distinct", "distinct"]
    # again: there is nothing to decide
    again = loupe.deduplicate(dataset, "first")
    assert (again.kept, again.dropped, again.n_dropped) == ((), (), first.n_dropped)
    back = loupe.deduplicate(dataset, "none")
    assert (back.taken_back, back.open, back.view) == (6, 2, "")
    assert statuses(dataset) == [None] * 3 + ["drop", "keep", "distinct", "distinct"] + [None] * 5
    assert "6 taken back (1 in all); 2 leaks left; 2 groups open" in repr(back)


def test_a_new_copy_of_what_a_person_kept_is_dropped(dataset: Any, ids: list[str]) -> None:
    import loupe

    decide(dataset, ids[7:9], ids[8])
    result = loupe.deduplicate(dataset)
    assert statuses(dataset)[7:10] == ["drop", "keep", "drop"]
    assert dataset[ids[9]].deduplicated.kept == ids[8]
    assert ids[9] in result.dropped
    assert ids[8] not in result.kept
    loupe.deduplicate(dataset, "none")
    assert statuses(dataset)[7:10] == ["drop", "keep", None]


def test_a_group_that_has_lost_the_kept_one_is_a_persons(dataset: Any, ids: list[str]) -> None:
    import loupe

    decide(dataset, ids[7:10], ids[8])
    dataset.delete_samples([ids[8]])
    result = loupe.deduplicate(dataset)
    assert result.open == 1
    assert statuses(dataset)[7:9] == ["drop", "drop"]
    # of what a rule had decided it chooses anew
    dataset.delete_samples([ids[2]])
    assert loupe.deduplicate(dataset).kept == (ids[0],)


def test_of_a_view_only_its_samples_are_decided(dataset: Any, ids: list[str]) -> None:
    import loupe

    view = dataset.select([*ids[:2], *ids[3:4], *ids[7:]])
    result = loupe.deduplicate(view)
    assert (result.groups, result.cut, result.n_dropped) == (2, 1, 3)
    assert statuses(dataset) == ["keep", "drop"] + [None] * 5 + ["keep", "drop", "drop", None, None]
    assert "1 group with more samples outside of this view" in repr(result)
    whole = loupe.deduplicate(dataset)
    assert whole.view == "Without duplicates 2"
    # the one of the test set is new: what a rule kept before gives way
    assert statuses(dataset)[:3] == ["drop", "drop", "keep"]
    assert loupe.deduplicate(dataset).view == "Without duplicates 2", "the same view is not saved twice"


def test_leaks_are_groups_too(dataset: Any, ids: list[str]) -> None:
    import loupe
    from loupe.brain.core.results import Pair
    from loupe.brain.sets.leaks import Leaks
    from loupe.brain.store import sets

    gone = "0" * 24
    pairs = [Pair(ids[4], ids[11], "near", 0.9), Pair(ids[10], ids[11], "near", 0.9), Pair(gone, ids[5], "near", 0.9)]
    sets.save_same(dataset, Leaks(), ids, pairs)
    result = loupe.deduplicate(dataset)
    assert result.groups == 4
    assert statuses(dataset)[3:5] == ["drop", "drop"]
    assert statuses(dataset)[10:] == ["drop", "keep"]
    assert result.leaks == 0


def test_find_leaks_alone_is_enough_and_is_asked_what_the_splits_are(dataset: Any, paths: list[str]) -> None:
    import fiftyone as fo

    import loupe

    dataset.add_samples([fo.Sample(filepath=path, part=split) for path, split in zip(paths, SPLITS, strict=True)])
    leaks = loupe.find_leaks(dataset, splits="part")
    assert len(leaks.pairs) == 2
    result = loupe.deduplicate(dataset)
    assert (result.groups, len(result.dropped), result.leaks, result.splits) == (1, 2, 0, ("part",))
    assert not loupe.find_leaks(loupe.kept_view(dataset), splits="part").pairs


def test_found_and_decided_distinct_is_not_found_again(dataset: Any, paths: list[str]) -> None:
    import fiftyone as fo

    import loupe

    samples = [fo.Sample(filepath=path, split=split) for path, split in zip(paths, SPLITS, strict=True)]
    dataset.add_samples(samples)
    first = loupe.find_duplicates(dataset)
    assert [len(group) for group in first.groups] == [3, 2, 2, 3]
    assert "duplicate_group" in dataset.list_indexes()
    assert len(loupe.find_leaks(dataset, splits="split").pairs) == 2
    ids = dataset.values("id")
    decide(dataset, ids[:3], "", "distinct", "a")
    decide(dataset, ids[5:7], "", "distinct", "c")
    again = loupe.find_duplicates(dataset)
    assert again.groups == first.groups[1:2] + first.groups[3:]
    assert dataset.values("duplicate_group")[:3] == [None] * 3
    assert dataset.values("quality.exact_duplicate")[5:7] == [0, 0]
    assert max(dataset.values("quality.near_duplicate")[5:7]) < 0.85
    assert not loupe.find_leaks(dataset, splits="split").pairs
    assert dataset.values("quality.leak")[0] < 0.85
    # a copy of both that is new is a copy of both
    dataset.add_sample(fo.Sample(filepath=paths[5], split="train"))
    assert len(next(g for g in loupe.find_duplicates(dataset).groups if ids[5] in g)) == 3
    # what is taken back is found again
    from loupe.brain.store.duplicates import decided as deduplicated

    deduplicated.take_back(dataset, ids, "a")
    assert len(loupe.find_leaks(dataset, splits="split").pairs) == 2


def test_of_two_who_decide_at_once_nothing_is_mixed(dataset: Any, ids: list[str], monkeypatch: Any) -> None:
    import loupe
    from loupe.brain.store.duplicates import decided as deduplicated

    whole = deduplicated.decide_all

    def meanwhile(samples: Any, decisions: Any, known: Any) -> list[bool]:
        decide(dataset, ids[:3], ids[1])
        return whole(samples, decisions, known)

    monkeypatch.setattr(deduplicated, "decide_all", meanwhile)
    result = loupe.deduplicate(dataset)
    assert statuses(dataset)[:3] == ["drop", "keep", "drop"]
    assert not {*ids[:3]} & {*result.kept, *result.dropped}
    assert (result.by_people, result.decided, result.leaks) == (1, 4, 0)


def test_a_stopped_one_goes_on(dataset: Any, ids: list[str], monkeypatch: Any) -> None:
    import loupe
    from loupe.brain.verbs import deduplicate as verb

    monkeypatch.setattr(verb, "_CHUNK", 1)

    def stop(progress: loupe.Progress) -> None:
        if progress.done == 2:
            raise errors.Stopped("enough")

    with pytest.raises(errors.Stopped):
        loupe.deduplicate(dataset, progress=stop)
    assert statuses(dataset).count("keep") == 2
    assert loupe.deduplicate(dataset).decided == 4
    assert statuses(dataset).count("keep") == 4


def test_names_of_every_kind(dataset: Any, paths: list[str]) -> None:
    import fiftyone as fo

    import loupe

    odd = ["$set", "a.b", "<b>😀</b>", "it's", "", "train"]
    dataset.add_samples([fo.Sample(filepath=paths[at % 12], split=odd[at % 6]) for at in range(18)])
    put_groups(dataset, [at % 3 for at in range(18)])
    result = loupe.deduplicate(dataset, note="$note <i>", prefer=["$set", "a.b"])
    assert (result.groups, result.leaks, len(result.kept)) == (3, 0, 3)
    kept = [dataset[each].split for each in result.kept]
    assert sorted(kept) == ["$set", "<b>😀</b>", "a.b"]
    assert set(dataset.values("deduplicated.note")) == {"$note <i>"}


def test_bad_input(dataset: Any, ids: list[str], new_dataset: Callable[[], Any], paths: list[str]) -> None:
    import fiftyone as fo

    import loupe

    with pytest.raises(errors.InputError, match="'best', 'largest', 'first', 'none', got 'worst'"):
        loupe.deduplicate(dataset, "worst")
    with pytest.raises(errors.NoSamples):
        loupe.deduplicate(dataset.limit(0))
    with pytest.raises(errors.UnknownName, match="Did you mean 'split'"):
        loupe.deduplicate(dataset, splits="splits")
    dataset.tag_samples(["train", "test"])
    with pytest.raises(errors.InputError, match="one with the tags train and test"):
        loupe.deduplicate(dataset, splits=["train", "test"])
    assert statuses(dataset) == [None] * 12
    unsearched = new_dataset()
    unsearched.add_sample(fo.Sample(filepath=paths[0], deduplicated="mine"))
    with pytest.raises(errors.InputError, match="rename_sample_field"):
        loupe.deduplicate(unsearched)
    unsearched.delete_sample_field("deduplicated")
    with pytest.raises(errors.InputError, match=r"run loupe.find_duplicates\(samples\) first"):
        loupe.deduplicate(unsearched)
    assert not unsearched.has_field("deduplicated")
    # one sample only, and no group at all
    put_groups(unsearched, [None])
    result = loupe.deduplicate(unsearched)
    assert (result.groups, result.leaks, result.kept) == (0, None, ())


def test_labels_are_as_they_were(dataset: Any, ids: list[str]) -> None:
    import loupe

    loupe.deduplicate(dataset)
    assert dataset.values("ground_truth.label") == list(LABELS)
    from loupe.brain.store.labels import given as labels

    assert "deduplicated" not in labels.fields_of(dataset)


def test_sizes_that_cannot_be_read_now_decide_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which copy is kept goes by them, and stays so: a network that fails for a moment is one clear error."""
    import errno
    import os

    from loupe.brain.core.errors import NotReadNow
    from loupe.brain.store.duplicates import groups as duplicate_groups

    path = tmp_path / "a.png"
    path.write_bytes(b"123")
    assert duplicate_groups._bytes(str(path), None) == 3
    assert np.isnan(duplicate_groups._bytes(str(tmp_path / "gone.png"), None))

    def fails(*_: Any) -> Any:
        raise OSError(errno.ESTALE, "Stale file handle")

    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", fails)
        with pytest.raises(NotReadNow, match=r"cannot be read now \(Stale file handle\): a.png"):
            duplicate_groups._bytes(str(path), None)
        assert duplicate_groups._bytes(str(path), 7) == 7
