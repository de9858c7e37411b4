"""What was decided of duplicates, in the database: written whole or not at all, taken back, read by view and label."""

from __future__ import annotations

from typing import Any

import pytest
from duplicated import draw_groups, fill

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return draw_groups(tmp_path_factory.mktemp("duplicates"))


@pytest.fixture
def ids(dataset: Any, paths: list[str]) -> list[str]:
    return fill(dataset, paths)


def made(answer: str, keep: str, key: str, **more: Any) -> Any:
    from loupe.brain.core.deduplicated import GroupDecision

    return GroupDecision(answer, keep, key, by="anna", at="2026-01-02T03:04:05.678+01:00", **more)  # type: ignore[arg-type]


def decided(dataset: Any, members: list[str], decision: Any) -> bool:
    from loupe.brain.store.duplicates import decided as deduplicated

    return deduplicated.decide(dataset, members, decision, deduplicated.standing(dataset, members))


def test_what_is_written_is_read_as_it_was(dataset: Any, ids: list[str]) -> None:
    from loupe.brain.core.deduplicated import Standing
    from loupe.brain.store.duplicates import decided as deduplicated

    assert decided(dataset, ids[:3], made("keep", ids[2], "k", note="$a <b>"))
    at = "2026-01-02T02:04:05.678+00:00"
    dropped = Standing("drop", "k", "anna", at, "$a <b>", "", ids[2])
    assert deduplicated.standing(dataset, [*ids[:4], "0" * 24]) == {
        ids[0]: dropped,
        ids[1]: dropped,
        ids[2]: Standing("keep", "k", "anna", at, "$a <b>"),
        ids[3]: None,
    }
    # the App and Python show it as any label
    dataset.reload()
    assert dataset.count_values("deduplicated.label") == {"keep": 1, "drop": 2, None: 9}
    assert dataset.get_field("deduplicated.merged_tags").field is not None
    sample = dataset[ids[0]]
    sample["deduplicated"].note = "mine"
    sample.save()
    assert deduplicated.standing(dataset, ids[:1])[ids[0]].note == "mine"


@pytest.mark.parametrize("document", [None, 3, "keep", {}, {"label": "delete"}, {"label": None}])
def test_what_is_no_decision_is_none(document: Any) -> None:
    from loupe.brain.store.duplicates import decided as deduplicated

    assert deduplicated.standing_of(document) is None


def test_decisions_are_taken_back_one_after_the_other(dataset: Any, ids: list[str]) -> None:
    from loupe.brain.store.duplicates import decided as deduplicated

    members = ids[:3]
    keys = [f"k{at}" for at in range(12)]
    for at, key in enumerate(keys):
        assert decided(dataset, members, made("keep", members[at % 3], key))
    back = []
    for key in reversed(keys):
        assert deduplicated.take_back(dataset, members, "another") == 0
        if deduplicated.take_back(dataset, members, key) == 0:
            break
        back.append(key)
    # so many, and no document that grows without end
    assert back == keys[:-8:-1]
    document = dataset._sample_collection.find_one({"filepath": dataset.first().filepath})
    assert "deduplicated" not in document


def test_of_a_decision_that_meets_another_nothing_is_left(dataset: Any, ids: list[str]) -> None:
    from loupe.brain.store.duplicates import decided as deduplicated

    members = ids[:3]
    known = deduplicated.standing(dataset, members)
    for theirs in (members[:1], members[1:2], members[2:]):
        assert decided(dataset, theirs, made("distinct", "", "theirs"))
        assert not deduplicated.decide(dataset, members, made("keep", members[0], "mine"), known)
        now = deduplicated.standing(dataset, members)
        assert {each for each in members if now[each]} == {*theirs}
        deduplicated.take_back(dataset, theirs, "theirs")
    # the kept one is no more: nothing is dropped
    assert not deduplicated.decide(dataset, members, made("keep", "0" * 24, "mine"), known)
    assert deduplicated.standing(dataset, members) == dict.fromkeys(members)
    # one that is no more is left out, the others are decided
    dataset.delete_samples(members[:1])
    assert decided(dataset, members, made("keep", members[1], "mine"))


def test_a_decision_stands_where_no_later_one_is_on_any_of_its_samples(dataset: Any, ids: list[str]) -> None:
    from loupe.brain.store.duplicates import decided as deduplicated

    assert decided(dataset, ids[:3], made("keep", ids[0], "k"))
    assert deduplicated.is_decided(dataset, ids[:3], "k")
    assert deduplicated.is_decided(dataset, ids[:4], "k"), "a sample that came later is in no decision"
    assert decided(dataset, ids[2:4], made("keep", ids[3], "later"))
    assert not deduplicated.is_decided(dataset, ids[:3], "k")
    assert not deduplicated.is_decided(dataset, ids[5:7], "")


def test_of_two_rules_at_once_each_group_is_of_one(dataset: Any, ids: list[str]) -> None:
    from loupe.brain.store.duplicates import decided as deduplicated

    known = deduplicated.standing(dataset, ids)
    first = [(ids[:3], made("keep", ids[0], "a", rule="best")), (ids[3:5], made("keep", ids[3], "b", rule="best"))]
    assert deduplicated.decide_all(dataset, first, known) == [True, True]
    second = [(ids[4:6], made("keep", ids[5], "c", rule="best")), (ids[6:8], made("keep", ids[6], "d", rule="best"))]
    assert deduplicated.decide_all(dataset, second, known) == [False, True]
    now = deduplicated.standing(dataset, ids)
    assert [own.key if own else "" for own in now.values()] == [*"aaabb", "", *"dd", *[""] * 4], "half of c is none"


def test_a_digest_is_of_what_stands_and_on_which(dataset: Any, ids: list[str]) -> None:
    from loupe.brain.store.duplicates import decided as deduplicated

    known = deduplicated.standing(dataset, ids)
    first = deduplicated.digest(known)
    assert deduplicated.digest(dict(reversed(known.items()))) == first
    assert deduplicated.digest({each: own for each, own in known.items() if each != ids[0]}) != first
    decided(dataset, ids[:2], made("keep", ids[0], "k"))
    assert deduplicated.digest(deduplicated.standing(dataset, ids)) != first


def test_a_view_of_what_is_kept_is_a_rule(dataset: Any, ids: list[str]) -> None:
    import loupe
    from loupe.brain.store.duplicates import decided as deduplicated

    view = loupe.kept_view(dataset.limit(5))
    assert view.values("id") == ids[:5], "nothing was decided yet"
    name = deduplicated.save_view(dataset)
    decided(dataset, ids[:2], made("keep", ids[0], "k"))
    assert view.values("id") == [ids[0], *ids[2:5]]
    assert dataset.load_saved_view(name).values("id") == [ids[0], *ids[2:]]
    assert deduplicated.save_view(dataset.limit(5)) == "Without duplicates 2"
    dataset.delete_saved_view(name)
    dataset.save_view(name, dataset.limit(1))
    assert deduplicated.save_view(dataset) == "Without duplicates 3", "a view of the user's own stays"
    assert len(dataset.load_saved_view(name)) == 1


def test_a_label_of_the_users_own_drops_nothing(dataset: Any, ids: list[str]) -> None:
    import fiftyone as fo

    import loupe

    dataset.set_values("deduplicated", [fo.Classification(label="drop")] * 12)
    assert len(loupe.kept_view(dataset)) == 12


def test_what_was_decided_is_nothing_to_slice_by_unless_asked_for(dataset: Any, ids: list[str]) -> None:
    import loupe
    from loupe.brain.store import choices, columns
    from loupe.brain.store.labels import given as labels

    decided(dataset, ids[:3], made("keep", ids[0], "k"))
    decided(dataset, ids[3:5], made("keep", ids[3], "l"))
    dataset.reload()
    for offered in (columns.factors(dataset), choices.factors(dataset), labels.fields_of(dataset)):
        assert not [name for name in offered if name.startswith("deduplicated")]
    failed = loupe.Outcome.field("ground_truth.label", failed=["cat"])
    rates = loupe.slice(dataset, "deduplicated.label", outcome=failed)
    assert {rate.slice.values["deduplicated.label"] for rate in rates} >= {"keep", "drop"}


def test_groups_of_a_view(dataset: Any, ids: list[str]) -> None:
    from loupe.brain.store.duplicates import groups as duplicate_groups

    members = duplicate_groups.read(dataset.select([*ids[:2], *ids[3:]]), "split", "ground_truth")
    assert [members.of(group) for group in range(members.groups.n)] == [ids[:2], ids[3:5], ids[5:7], ids[7:10]]
    assert members.cut_of == {0: 1}
    assert members.groups.leaks().sum() == 0
    assert members.groups.values(members.groups.label).tolist() == [1, 2, 1, 1]
    # of a group of which the view shows one sample nothing is to be decided
    alone = duplicate_groups.read(dataset.select([ids[0], *ids[3:6]]))
    assert (alone.ids, alone.groups.n, alone.cut_of) == (ids[3:5], 1, {})
    assert duplicate_groups.read(dataset.limit(0)).groups.n == 0
    assert duplicate_groups.read(dataset).cut_of == {}


def test_what_is_known_of_odd_pictures(dataset: Any, ids: list[str]) -> None:
    import math

    import fiftyone as fo

    from loupe.brain.store.duplicates import groups as duplicate_groups

    collection = dataset._sample_collection
    metadata = {"_cls": "ImageMetadata", "width": math.inf, "height": math.nan, "size_bytes": -1}
    collection.update_many({}, {"$set": {"quality.sharpness": math.inf, "metadata": metadata}})
    known = duplicate_groups.pictures(dataset, ids)
    assert [(each.width, each.height) for each in known.values()][:2] == [(300, 400), (150, 200)]
    assert all(math.isnan(each.sharpness) and each.bytes > 0 for each in known.values())
    dataset.add_sample(fo.Sample(filepath="/nowhere/a.png"))
    nowhere = dataset.last().id
    picture = duplicate_groups.pictures(dataset, [nowhere, "0" * 24])[nowhere]
    assert (picture.width, math.isnan(picture.area), math.isnan(picture.bytes)) == (0, True, True)


def test_what_may_say_the_split(dataset: Any, ids: list[str]) -> None:
    from loupe.brain.store import runs
    from loupe.brain.store.duplicates import groups as duplicate_groups

    assert duplicate_groups.usual_splits(dataset) == ["split"]
    dataset.select(ids[:3]).tag_samples(["test"])
    assert duplicate_groups.usual_splits(dataset) == ["split"], "one tag is no split"
    dataset.select(ids[3:]).tag_samples(["train"])
    assert duplicate_groups.usual_splits(dataset) == ["split", ("train", "test")]
    for splits in (["a", "b"], "nowhere"):
        runs.put(
            dataset, runs.new_key(dataset, "find_leaks"), "find_leaks", {}, {"run": {"params": {"splits": splits}}}
        )
        first = [("a", "b")] if splits == ["a", "b"] else []
        assert duplicate_groups.usual_splits(dataset) == [*first, "split", ("train", "test")]


def test_what_find_duplicates_kept_of_samples_that_were_not_compared_again_stays(dataset: Any, ids: list[str]) -> None:
    from loupe.brain.core.results import Pair
    from loupe.brain.sets.duplicates import Duplicates
    from loupe.brain.store import sets

    before = {(pair.id_a, pair.id_b) for pair in sets.load_same(dataset, "duplicates")}
    assert (ids[0], ids[2]) in before
    sets.save_same(dataset, Duplicates(), ids[:2], [Pair(ids[0], ids[1], "pixels", 1.0)])
    after = {(pair.id_a, pair.id_b): pair.kind for pair in sets.load_same(dataset, "duplicates")}
    assert set(after) == before
    assert after[ids[0], ids[1]] == "pixels"
    sets.save_same(dataset, Duplicates(), ids, [])
    assert sets.load_same(dataset, "duplicates") == []


def test_of_loupes_own_labels_only_what_people_put_right_is_noted(dataset: Any, ids: list[str]) -> None:
    import fiftyone as fo

    from loupe.brain.store import fields
    from loupe.brain.store.duplicates import decided as deduplicated

    def label(name: str, **more: Any) -> Any:
        return fo.Classification(label=name, **more)

    marked = [
        fields.OwnField("mask_issues", fo.EmbeddedDocumentField, "issues", fo.Classification),
        fields.OwnField("ground_truth_corrected", fo.EmbeddedDocumentField, "put right", fo.Classification),
        fields.OwnField("ground_truth_corrected.how", fo.StringField, "where it comes from"),
        *fields.of_objects("boxes_objects", "boxes", ()),
    ]
    fields.declare(dataset, marked)
    box = fo.Detection(label="door", bounding_box=[0, 0, 1, 1])
    dataset.set_values("boxes_objects", {ids[1]: fo.Detections(detections=[box])}, key_field="id")
    dataset.set_values("mask_issues", {ids[1]: label("tree")}, key_field="id")
    dataset.set_values("ground_truth_corrected", {ids[1]: label("wolf", how="review")}, key_field="id")
    assert decided(dataset, ids[:3], made("merge", ids[2], "k"))
    dataset.reload()
    noted = dataset[ids[2]].deduplicated.merged_labels
    assert "ground_truth_corrected: wolf" in noted
    assert not [each for each in noted if each.startswith(("mask_issues", "boxes_objects"))]
    assert deduplicated.standing(dataset, ids[2:3])[ids[2]].merged is not None  # type: ignore[union-attr]
