"""The panel "Label issues": which labels come, in which order, and what it says where none does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from corrections_panel import INTO, corrected, decisions, given, item, keys, opened, press, text
from noisy_digits import issues
from panel_session import within

pytestmark = [pytest.mark.slow, pytest.mark.database]


def test_a_pair_of_classes_comes_alone(digits: Any) -> None:
    session = opened(digits)
    pairs = session.content.pairs
    sizes = list(given(digits).values())
    assert pairs[0].k == max(pair.k for pair in pairs)
    assert all(pair.n == sizes.count(pair.given) for pair in pairs)
    assert sum(pair.k for pair in pairs) == len(issues(digits))
    wanted = [pairs[0].given, pairs[0].suggested]
    session.call("on_pair", pair=wanted)
    seen = set()
    for _ in range(pairs[0].k):
        front = session.content.item
        assert [front.given, front.suggestion.label] == wanted
        seen.add(front.id)
        press(session, "1")
    assert len(seen) == pairs[0].k
    assert item(session) is None
    assert "were decided" in text(session, "nothing")
    assert session.content.pairs[0].open == 0
    session.call("on_pair")
    assert item(session) is not None
    session.call("on_pair", pair=["no", "such"])
    assert session.content.pair is None


def test_at_random_all_labels_come_and_what_remains_is_known_better(digits: Any, true: dict[str, str]) -> None:
    session = opened(digits)
    before = session.content.remaining
    assert before.wide
    session.call("on_order", value="random")
    ranks = {str(each["_id"]): each["_rand"] for each in digits._sample_collection.find({}, ["_rand"])}
    order = sorted(ranks, key=lambda each: ranks[each])
    for expected in order[:60]:
        assert item(session) == expected
        front = session.content.item
        if front.given == true[front.id]:
            press(session, "k")
        else:
            session.call("on_class", value=true[front.id])
    after = session.content.remaining
    assert after.decided == 60
    assert after.high - after.low < 0.7 * (before.high - before.low)
    still = sum(label != true[each] for each, label in corrected(digits).items())
    assert after.low <= still / len(true) <= after.high


def test_the_unsure_ones_come_again(digits: Any) -> None:
    session, ids = opened(digits), issues(digits)
    for key in ("3", "1", "3"):
        press(session, key)
    session.call("on_order", value="unsure")
    assert item(session) == ids[0]
    press(session, "1")
    assert item(session) == ids[2]
    press(session, "3")
    assert "Nobody is unsure" not in text(session, "answers")
    assert decisions(digits)[ids[0]].status == "real"
    assert decisions(digits)[ids[2]].status == "unsure"


def test_copies_with_two_labels_come_side_by_side(digits: Any) -> None:
    import fiftyone as fo

    ids = digits.values("id")
    by_label: dict[str, list[str]] = {}
    for sample_id, label in given(digits).items():
        by_label.setdefault(label, []).append(sample_id)
    apart, alike = [by_label["1"][0], by_label["2"][0]], by_label["3"][:2]
    digits.add_sample_field("duplicate_group", fo.StringField)
    groups = {**dict.fromkeys(apart, "a"), **dict.fromkeys(alike, "b")}
    digits.set_values("duplicate_group", [groups.get(each) for each in ids])
    session = opened(digits)
    assert session.content.copies == 2
    session.call("on_order", value="copies")
    assert sorted(session.state["seen"]["strip"]) == sorted(apart)
    (other,) = set(apart) - {item(session)}
    # the copy's own label is what there is to see, however far its vector is
    assert session.content.item.group == "a"
    press(session, "k")
    assert item(session) == other
    press(session, "4")
    assert item(session) is None


def test_nothing_found_says_what_to_do(dataset: Any, tmp_path: Path) -> None:
    import fiftyone as fo

    dataset.add_sample(fo.Sample(filepath=str(tmp_path / "a.png"), kind=fo.Classification(label="cat")))
    session = opened(dataset)
    assert "Find label issues first" in text(session, "notice")
    session.call("on_find_label_issues")
    assert session.prompted == ["@loupe/loupe/find_label_issues"]
    assert "Open a dataset" in text(opened(None), "notice")


def test_no_issue_at_all_offers_to_look_at_random(digits: Any) -> None:
    import loupe

    loupe.find_label_issues(digits, "ground_truth", threshold=1.0)
    session = opened(digits)
    assert item(session) is None
    assert "No label is probably wrong" in text(session, "nothing")
    session.call("on_at_random")
    assert item(session) is not None
    assert "1" not in keys(session), "there is nothing to accept"
    press(session, "k")
    assert session.content.remaining.decided == 1


def test_without_vectors_the_neighbors_say_so(digits: Any) -> None:
    digits.delete_sample_field("embeddings")
    session = opened(digits)
    assert "there are no vectors" in text(session, "no_neighbors")
    press(session, "1")
    assert len(decisions(digits)) == 1


def test_a_field_of_the_users_own_is_refused(digits: Any) -> None:
    import fiftyone as fo

    digits.add_sample_field(INTO, fo.StringField)
    digits.set_values(INTO, ["mine"] * len(digits))
    session = opened(digits, may_fail=True)
    assert "rename yours" in text(session, "notice")
    assert digits.values(INTO) == ["mine"] * len(digits)


def test_a_label_that_its_owner_changed_is_no_issue_any_more(digits: Any) -> None:
    ids = issues(digits)
    sample = digits[ids[0]]
    sample.ground_truth.label = "fixed by hand"
    sample.save()
    session = opened(digits)
    assert item(session) == ids[1]
    assert session.content.issues[0] == len(ids) - 1


def test_what_was_decided_is_shown_in_the_grid(digits: Any) -> None:
    session = opened(digits)
    for key in "1k3":
        press(session, key)
    session.call("on_show", which="real")
    assert len(session.samples()) == 1
    assert item(session) is not None, "the panel goes on as before"
    session.call("on_show_all")
    assert len(session.samples()) == len(digits)


def test_a_sample_that_is_deleted_is_passed_over(digits: Any) -> None:
    session, ids = opened(digits), issues(digits)
    digits.delete_samples([ids[1]])
    press(session, "1")
    assert item(session) == ids[2]


def test_a_note_travels_and_names_are_no_markup(digits: Any) -> None:
    ids = issues(digits)
    name = 'a<b>"x" & *bold* 🦊 $.'
    for each in ids[:1]:
        digits._sample_collection.update_one(
            {"label_issues.given": {"$ne": None}, "_id": __import__("bson").ObjectId(each)},
            {"$set": {"ground_truth.label": name, "label_issues.given": name}},
        )
    session = opened(digits)
    assert "<b>" not in text(session, "labels")
    step = session.state["choices"]["step"]
    session.state["notes"] = {f"note__{step}": " <i>edge</i> "}
    press(session, "2")
    assert decisions(digits)[ids[0]].note == "<i>edge</i>"
    assert corrected(digits)[ids[0]] == name
    press(session, "ArrowLeft")
    assert "<i>" not in text(session, "stands")
    assert within(session.properties(), "answers", "answer1")["view"]["label"].startswith("Keep: a<b>")
