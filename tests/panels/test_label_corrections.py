"""The panel "Label issues", run as the App runs it: decisions, undo, other reviewers, pairs, what remains."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from noisy_digits import fill, issues
from panel_session import PanelSession, within

from loupe.brain.core.review import Decision

pytestmark = [pytest.mark.slow, pytest.mark.database]

INTO = "ground_truth_corrected"


@pytest.fixture(scope="module")
def judged_digits(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, dict[str, str]]]:
    import fiftyone as fo

    made = fo.Dataset()
    true = fill(made, tmp_path_factory.mktemp("digits"))
    yield made, true
    made.delete()


@pytest.fixture
def digits(judged_digits: tuple[Any, dict[str, str]]) -> Iterator[Any]:
    """A copy of the digits with their issues: the ids stay the same."""
    made = judged_digits[0].clone()
    yield made
    made.delete()


@pytest.fixture
def true(judged_digits: tuple[Any, dict[str, str]]) -> dict[str, str]:
    return judged_digits[1]


def opened(dataset: Any, **more: Any) -> PanelSession:
    from loupe.panels.label_corrections.panel import LabelCorrections

    return PanelSession(LabelCorrections(), dataset, **more)


def press(session: PanelSession, key: str, **params: Any) -> None:
    """Presses the button that a key presses, as it is drawn: with what it sends along."""
    for made in session.properties()["answers"]["type"]["properties"].values():
        view = made["view"]
        shortcuts = view["componentsProps"]["button"]["aria-keyshortcuts"].split(" ")
        if key in shortcuts:
            assert not view.get("disabled"), key
            session.call(view["operator"].rpartition("#")[2], **{**view["params"], **params})
            return
    raise AssertionError(f"no button has the key {key}")


def keys(session: PanelSession) -> set[str]:
    views = [each["view"] for each in session.properties()["answers"]["type"]["properties"].values()]
    return {view["componentsProps"]["button"]["aria-keyshortcuts"][0] for view in views if not view.get("disabled")}


def item(session: PanelSession) -> str:
    return session.state["seen"]["item"]


def text(session: PanelSession, name: str = "progress") -> str:
    return json.dumps(session.properties()[name], ensure_ascii=False)


def corrected(dataset: Any) -> dict[str, str | None]:
    dataset.reload()
    if not dataset.has_field(f"{INTO}.label"):
        return {}
    return dict(zip(*dataset.values(["id", f"{INTO}.label"]), strict=True))


def given(dataset: Any) -> dict[str, str | None]:
    return dict(zip(*dataset.values(["id", "ground_truth.label"]), strict=True))


def decisions(dataset: Any) -> dict[str, Decision | None]:
    from loupe.brain.store import relabel

    return dict(relabel.decisions(dataset))


def test_what_is_decided_stands_at_once_in_a_field_of_its_own(digits: Any) -> None:
    session, ids, before = opened(digits), issues(digits), given(digits)
    assert item(session) == ids[0]
    first = session.content.item
    assert first.given == before[ids[0]]
    assert not digits.has_field(INTO), "to look is not to write"
    press(session, "1")
    assert item(session) == ids[1]
    now = corrected(digits)
    assert now == {**before, ids[0]: first.suggestion.label}, "all others are copied as they were given"
    press(session, "k")
    press(session, "3")
    press(session, "4")
    now = corrected(digits)
    assert [now[each] for each in ids[:4]] == [first.suggestion.label, before[ids[1]], before[ids[2]], None]
    assert [decisions(digits)[each].status for each in ids[:4]] == ["real", "false_alarm", "unsure", "real"]
    assert given(digits) == before
    assert f"**4 of {len(ids)}** issues decided (2 changed, 1 kept, 1 unsure of all)" in text(session)
    digits.reload()
    import getpass

    stored = digits[ids[0]]
    assert (stored[INTO].how, stored[INTO].by) == ("suggested", getpass.getuser())
    assert stored.review.label_issue.correction == first.suggestion.label


def test_the_verb_says_the_same_as_the_panel(digits: Any) -> None:
    import loupe

    session = opened(digits)
    for key in "11k3a41":
        press(session, key)
    session.call("on_class", value="7")
    before = corrected(digits)
    made = loupe.relabel(digits, "ground_truth")
    assert corrected(digits) == before
    assert made.remaining == session.content.remaining
    counts = session.content.counts
    assert (made.changed, made.kept, made.skipped) == (counts["changed"], counts["kept"], counts["unsure"])
    session.call("on_refresh")
    assert session.content.remaining == made.remaining
    assert session.content.counts == counts
    (result,) = loupe.reviewed(digits, "label_issue")
    assert result.real == counts["changed"]


def test_undo_gives_back_what_stood_there(digits: Any) -> None:
    import loupe

    session, ids, before = opened(digits), issues(digits), given(digits)
    loupe.relabel(digits, "ground_truth", accept=0.0, by="a model")
    accepted = corrected(digits)
    session.call("on_refresh")
    assert "accepted by its score, by a model" in text(session, "stands")
    press(session, "2")
    assert corrected(digits)[ids[0]] == before[ids[0]]
    press(session, "z")
    assert corrected(digits) == accepted
    assert decisions(digits) == {}
    digits.reload()
    assert digits[ids[0]][INTO].by == "a model"
    press(session, "4")  # no class, then another one, then back
    press(session, "ArrowLeft")
    assert corrected(digits)[ids[0]] is None
    session.call("on_class", value="7")
    assert corrected(digits)[ids[0]] == "7"
    press(session, "z")
    assert corrected(digits)[ids[0]] is None
    press(session, "z")
    assert corrected(digits) == accepted
    kept = session.content.remaining
    session.call("on_refresh")
    assert session.content.remaining == kept, "what was counted along is what is read anew"
    assert session.content.counts == {"changed": 0, "kept": 0, "unsure": 0}


def test_another_class_is_one_of_the_neighbors_or_any_by_its_name(digits: Any) -> None:
    session, ids = opened(digits), issues(digits)
    others = [name for name in session.content.answers if name.startswith("is:")]
    assert keys(session) >= {"1", "2", "3", "4"}
    assert len(others) == len(keys(session) & {"5", "6", "7"})
    session.call("on_class", value="<b>$.new")
    assert corrected(digits)[ids[0]] == "<b>$.new"
    assert decisions(digits)[ids[0]].correction == "<b>$.new"
    # the class that it has already: it is kept
    session.call("on_class", value=given(digits)[ids[1]])
    assert decisions(digits)[ids[1]].status == "false_alarm"
    step = session.state["choices"]["step"]
    for value in ("", None, 3, ["7"], "x" * 2000):
        session.call("on_class", value=value)
    session.call("on_decide", answer="is:", step=step)
    session.call("on_decide", answer="wrong", step=step)
    session.call("on_decide", answer="accept")
    assert len(decisions(digits)) == 2


def test_neighbors_come_with_their_labels(digits: Any) -> None:
    import numpy as np

    session = opened(digits)
    near = session.content.neighbors
    assert len(near) == 5
    ids, vectors = digits.values(["id", "embeddings"])
    unit = np.stack(vectors) / np.linalg.norm(np.stack(vectors), axis=1, keepdims=True)
    cosines = unit @ unit[ids.index(item(session))]
    order = [ids[at] for at in np.argsort(-cosines, kind="stable") if ids[at] != item(session)][:5]
    assert [each.id for each in near] == order
    assert [each.label for each in near] == [given(digits)[each] for each in order]
    assert near[0].cosine == pytest.approx(np.sort(cosines)[-2], abs=1e-5)
    session.call("on_near", id=near[2].id)
    session.call("on_near", id="0" * 24)
    assert session.opened == [near[2].id]


def test_a_neighbor_that_was_put_right_has_its_right_label(digits: Any) -> None:
    import loupe

    session = opened(digits)
    near = session.content.neighbors[0]
    loupe.relabel(digits, "ground_truth", accept={near.id: "7" if near.label != "7" else "8"})
    session.call("on_refresh")
    assert session.content.neighbors[0].label in ("7", "8")
    assert session.content.neighbors[0].label != near.label


def test_a_press_that_comes_twice_decides_nothing_unseen(digits: Any) -> None:
    session, ids = opened(digits), issues(digits)
    press(session, "1")
    button = next(
        each["view"]
        for each in session.properties()["answers"]["type"]["properties"].values()
        if each["view"]["componentsProps"]["button"]["aria-keyshortcuts"].startswith("2 ")
    )
    events = [session.context("on_decide", **button["params"]) for _ in range(3)]
    events.append(session.context("on_class", value="7"))
    for ctx in events:
        session.run(ctx)
    for ctx in events:
        session.answer(ctx)
    assert set(decisions(digits)) == {ids[0], ids[1]}
    assert item(session) == ids[2]


def test_what_somebody_else_decided_meanwhile_is_not_overwritten(digits: Any) -> None:
    from loupe.brain.store import review

    session, ids = opened(digits), issues(digits)
    theirs = Decision("false_alarm", by="ben", at="2026-01-02T03:04:05.000+00:00")
    review.write(digits, "label_issue", {ids[0]: theirs, ids[2]: theirs})
    press(session, "1")
    assert any("Somebody else has decided" in message for message in session.messages)
    assert item(session) == ids[0]
    assert "ben decided" in text(session, "stands")
    assert decisions(digits)[ids[0]] == theirs
    assert corrected(digits)[ids[0]] == given(digits)[ids[0]]
    press(session, "1")  # seen now: it may be decided otherwise
    press(session, "1")
    assert item(session) == ids[3], "the third is ben's"
    assert len(decisions(digits)) == 3


def test_two_reviewers_in_two_browsers_lose_nothing(digits: Any) -> None:
    left, right, ids = opened(digits), opened(digits), issues(digits)
    for session in (left, right, right, left, left, right):
        before = item(session)
        press(session, "1")
        if before == item(session):  # the other one was first
            press(session, "ArrowRight")
    made = decisions(digits)
    assert set(made) <= set(ids[:6])
    assert all(corrected(digits)[each] == decision.correction for each, decision in made.items())


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
