"""The panel "Duplicates", run as the App runs it: keep, merge, keep all, undo, other reviewers, pages, empty states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from duplicated import draw_groups, fill, put_groups
from panel_session import PanelSession, within

pytestmark = [pytest.mark.slow, pytest.mark.database]


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return draw_groups(tmp_path_factory.mktemp("duplicates"))


@pytest.fixture
def ids(dataset: Any, paths: list[str]) -> list[str]:
    return fill(dataset, paths)


def opened(dataset: Any, **more: Any) -> PanelSession:
    from loupe.panels.duplicates.panel import DuplicatesPanel

    return PanelSession(DuplicatesPanel(), dataset, **more)


def buttons(session: PanelSession) -> dict[str, Any]:
    properties = session.properties()
    made: dict[str, Any] = {}
    for part in ("answers", "more", "pages"):
        made |= properties.get(part, {}).get("type", {}).get("properties", {})
    for name, card in properties.get("group", {}).get("type", {}).get("properties", {}).items():
        inside = card["type"]["properties"]["buttons"]["type"]["properties"]
        made |= {f"{key}_{name.removeprefix('card')}": button for key, button in inside.items()}
    return made


def press(session: PanelSession, name: str, **params: Any) -> None:
    """Presses a button as it is drawn: with what it sends along."""
    button = buttons(session)[name]["view"]
    assert not button.get("disabled"), name
    session.call(button["operator"].rpartition("#")[2], **{**(button["params"] or {}), **params})


def shown(session: PanelSession) -> list[str]:
    return list(session.state["seen"]["shown"])


def progress(session: PanelSession) -> str:
    return str(session.properties()["progress"])


def statuses(dataset: Any) -> list[str | None]:
    dataset.reload()
    return list(dataset.values("deduplicated.label")) if dataset.has_field("deduplicated") else [None] * len(dataset)


def test_leaks_come_first_and_the_suggested_one_is_kept(dataset: Any, ids: list[str]) -> None:
    session = opened(dataset)
    assert session.state["choices"]["splits"] == "split"
    assert session.state["choices"]["label"] == "ground_truth"
    assert "**0 of 4 groups** decided · 0 pictures dropped · **2 leaks left**" in progress(session)
    assert "**Leak**: train 2, test 1" in str(session.properties()["headline"])
    assert shown(session) == [ids[2], ids[0], ids[1]], "the one of the test set is suggested, and comes first"
    press(session, "answer_keep")
    assert statuses(dataset)[:4] == ["drop", "drop", "keep", None]
    assert dataset[ids[0]].deduplicated.kept == ids[2]
    assert "**1 of 4 groups** decided · 2 pictures dropped · no leak left" in progress(session)
    # two labels, then the largest
    assert "**Two labels**: cat 1, dog 1" in str(session.properties()["headline"])
    press(session, "answer_keep")
    assert shown(session)[0] == ids[7]
    press(session, "answer_keep")
    press(session, "answer_keep")
    assert "All 4 groups are decided: 6 pictures dropped, and no leak is left" in str(session.properties()["nothing"])
    assert buttons(session)["answer_keep"]["view"]["disabled"]
    import loupe

    # the panel counts as it goes; the verb reads it all anew
    result = loupe.deduplicate(dataset)
    assert (result.decided, result.by_people, result.n_dropped, result.leaks) == (4, 4, 6, 0)


def test_another_picture_is_chosen_by_its_number(dataset: Any, ids: list[str]) -> None:
    session = opened(dataset)
    press(session, "keep_3")
    assert session.state["seen"]["keep"] == ids[1]
    assert shown(session) == [ids[2], ids[0], ids[1]], "nothing moves under the hand"
    assert "your choice" in str(session.properties()["group"])
    press(session, "answer_keep")
    assert statuses(dataset)[:3] == ["drop", "keep", "drop"]
    # of the next group that choice says nothing
    assert session.state["seen"]["keep"] == ids[3]
    session.call("on_keep", id=ids[0])
    session.call("on_keep", id=None)
    assert session.state["seen"]["keep"] == ids[3]


def test_a_choice_whose_drawing_has_not_come_yet_counts(dataset: Any, ids: list[str]) -> None:
    session = opened(dataset)
    chosen = session.context("on_keep", id=ids[1])
    decided = session.context("on_decide", **buttons(session)["answer_keep"]["view"]["params"])
    for ctx in (chosen, decided):
        session.run(ctx)
    assert statuses(dataset)[:3] == ["drop", "keep", "drop"]


def test_how_pictures_differ(dataset: Any, ids: list[str]) -> None:
    session = opened(dataset)
    text = str(session.properties()["group"])
    assert "nearly the same, 96 % alike" in text
    assert "400" in text
    assert "the same bytes" in text
    session.call("on_pick", id=ids[7])
    press(session, "keep_2")
    assert "the same by way of another one" in str(session.properties()["group"])
    press(session, "back")
    press(session, "back")
    assert "sharpness 0.80" in text
    press(session, "differ")
    assert session.content.beside.id == ids[0]
    assert list(within(session.properties(), "comparison", "sides")["type"]["properties"]) == [
        "kept",
        "other",
        "difference",
    ]
    press(session, "differ")
    assert session.content.beside.id == ids[1]
    press(session, "differ")
    assert session.content.beside is None
    press(session, "beside_2")
    assert session.content.beside.id == ids[0]
    press(session, "keep_2")
    assert session.content.beside is None, "a picture is not compared with itself"
    press(session, "open_3")
    assert session.opened == [ids[1]]


def test_merged_labels_and_tags_are_noted_and_the_users_own_stay(dataset: Any, ids: list[str]) -> None:
    import fiftyone as fo

    dataset.add_sample_field("boxes", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections)
    boxes = [fo.Detection(label=name, bounding_box=[0, 0, 1, 1]) for name in ("door", "$roof", "door")]
    dataset.set_values("boxes", {ids[4]: fo.Detections(detections=boxes)}, key_field="id")
    before = [sample.to_dict() for sample in dataset]
    session = opened(dataset)
    press(session, "answer_skip")
    session.state["notes"] = {f"note__{session.state['choices']['step']}": "<b>both</b> $x"}
    press(session, "answer_merge")
    dataset.reload()
    kept = dataset[ids[3]].deduplicated
    assert kept.merged_labels == ["ground_truth: dog", "boxes: $roof", "boxes: door"]
    assert kept.merged_tags == ["night"]
    assert kept.note == "<b>both</b> $x"
    assert not hasattr(dataset[ids[4]].deduplicated, "merged_labels"), "of the dropped one nothing is noted"
    press(session, "back")
    shown_text = str(session.properties()["headline"])
    assert "Taken over: ground\\\\_truth: dog" in shown_text or "ground_truth: dog" in shown_text
    assert "<b>both" not in shown_text
    for sample, own in zip(dataset, before, strict=True):
        assert {name: sample.to_dict()[name] for name in ("tags", "ground_truth", "boxes", "split")} == {
            name: own[name] for name in ("tags", "ground_truth", "boxes", "split")
        }
    press(session, "undo")
    assert statuses(dataset) == [None] * 12


def test_tags_that_name_splits_are_not_merged(dataset: Any, ids: list[str]) -> None:
    dataset.select(ids[:2]).tag_samples(["train", "seen"])
    dataset.select(ids[2:3]).tag_samples("test")
    session = opened(dataset)
    session.call("on_splits", value="tags: train, test")
    assert "**Leak**: train 2, test 1" in str(session.properties()["headline"])
    press(session, "answer_merge")
    dataset.reload()
    assert dataset[ids[2]].deduplicated.merged_tags == ["seen"]


def test_keep_all_says_that_they_are_no_duplicates(dataset: Any, ids: list[str]) -> None:
    session = opened(dataset)
    press(session, "answer_distinct")
    assert statuses(dataset)[:3] == ["distinct"] * 3
    assert len(set(dataset.values("deduplicated.key")[:3])) == 1
    assert "**1 of 4 groups** decided · 0 pictures dropped · no leak left" in progress(session)
    press(session, "back")
    assert "**Decided**, no duplicates" in str(session.properties()["headline"])
    # decided anew
    press(session, "answer_keep")
    assert statuses(dataset)[:3] == ["drop", "drop", "keep"]
    press(session, "undo")
    assert statuses(dataset)[:3] == ["distinct"] * 3
    press(session, "undo")
    assert statuses(dataset) == [None] * 12
    assert buttons(session)["undo"]["view"]["disabled"]
    assert "**0 of 4 groups** decided · 0 pictures dropped · **2 leaks left**" in progress(session)
    assert session.content.group.answer is None


def test_skip_comes_again_at_the_end(dataset: Any, ids: list[str]) -> None:
    session = opened(dataset)
    first = session.state["seen"]["item"]
    press(session, "answer_skip")
    for _ in range(3):
        assert session.state["seen"]["item"] != first
        press(session, "answer_keep")
    assert session.state["seen"]["item"] == first
    press(session, "answer_skip")
    assert session.messages == ["This is the last one that is open"]
    assert session.state["seen"]["item"] == first


def test_a_press_that_comes_twice_decides_nothing_unseen(dataset: Any, ids: list[str]) -> None:
    session = opened(dataset)
    button = buttons(session)["answer_keep"]["view"]["params"]
    events = [session.context("on_decide", **button) for _ in range(3)]
    for ctx in events:
        session.run(ctx)
    for ctx in events:
        session.answer(ctx)
    assert statuses(dataset).count("keep") == 1
    session.call("on_decide", answer="keep")  # without its step
    session.call("on_decide", answer="wrong", step=session.state["choices"]["step"])
    assert statuses(dataset).count("keep") == 1


def test_two_reviewers_lose_and_mix_nothing(dataset: Any, ids: list[str]) -> None:
    left, right = opened(dataset), opened(dataset)
    press(left, "keep_2")
    press(right, "keep_3")
    press(left, "answer_keep")
    press(right, "answer_keep")
    assert "This group has changed meanwhile" in right.messages[0]
    assert statuses(dataset)[:3] == ["keep", "drop", "drop"]
    assert "**Decided**, one is kept" in str(right.properties()["headline"])
    # seen now: it may be decided otherwise
    press(right, "answer_keep")
    assert statuses(dataset)[:3] == ["drop", "keep", "drop"]
    # and what somebody has changed since is not undone
    press(left, "undo")
    assert "This group has changed meanwhile" in left.messages[0]
    assert statuses(dataset)[:3] == ["drop", "keep", "drop"]
    press(right, "undo")
    assert statuses(dataset)[:3] == ["keep", "drop", "drop"]


def test_samples_that_were_deleted_meanwhile(dataset: Any, ids: list[str]) -> None:
    session = opened(dataset)
    dataset.delete_samples([ids[2]])
    press(session, "answer_keep")
    assert statuses(dataset) == [None] * 11, "the one to be kept is gone: nothing is dropped"
    assert shown(session) == [ids[0], ids[1]]
    assert "no leak left" in progress(session)
    dataset.delete_samples([ids[0], *ids[3:5]])
    press(session, "answer_skip")
    assert session.state["seen"]["item"] == ids[7], "of the group before this one nothing is left"
    # a group whose kept one was deleted is open again
    press(session, "answer_keep")
    dataset.delete_samples([ids[7]])
    session.call("on_refresh")
    assert "**0 of 2 groups**" in progress(session)


def test_a_large_group_has_pages(dataset: Any, paths: list[str]) -> None:
    import fiftyone as fo

    dataset.add_samples([fo.Sample(filepath=paths[at % 2]) for at in range(500)])
    put_groups(dataset, [0] * 500)
    session = opened(dataset)
    ids = dataset.values("id")
    assert len(shown(session)) == 9
    assert "Pictures 1 to 9 of 500" in str(session.properties()["pages"])
    press(session, "page_forward")
    assert len(shown(session)) == 9
    assert buttons(session)["page_back"]["view"]["componentsProps"]["button"]["aria-keyshortcuts"] == "PageUp"
    press(session, "keep_4")
    chosen = session.state["seen"]["keep"]
    press(session, "page_forward")
    session.call("on_page", page=10_000)
    assert "496 to 500 of 500" in str(session.properties()["pages"])
    assert session.state["seen"]["keep"] == chosen
    session.call("on_page", page="nonsense")
    assert len(str(session.state)) < 4000, "the group does not travel with each event"
    press(session, "answer_keep")
    assert statuses(dataset).count("drop") == 499
    assert statuses(dataset)[ids.index(chosen)] == "keep"
    press(session, "undo")
    assert statuses(dataset) == [None] * 500


def test_a_view_that_cuts_a_group(dataset: Any, ids: list[str]) -> None:
    session = opened(dataset)
    session.view = dataset.select([ids[0], ids[1], ids[3], ids[7], ids[8], ids[9]])._serialize()
    session.call("on_change_view")
    assert "of 2 groups" in progress(session)
    session.call("on_pick", id=ids[0])
    assert "1 more outside of this view, which stay as they are" in str(session.properties()["headline"])
    press(session, "answer_keep")
    assert statuses(dataset)[:4] == ["keep", "drop", None, None]


def test_what_is_kept_is_shown_and_saved(dataset: Any, ids: list[str]) -> None:
    session = opened(dataset)
    assert buttons(session)["show_dropped"]["view"]["disabled"]
    press(session, "answer_keep")
    now = session.state["seen"]["item"]
    press(session, "show_dropped")
    assert session.samples().values("id") == ids[:2]
    assert session.state["seen"]["item"] == now
    press(session, "show_kept")
    assert session.samples().values("id") == ids[2:]
    press(session, "save")
    assert dataset.load_saved_view("Without duplicates").values("id") == ids[2:]
    press(session, "save")
    assert dataset.list_saved_views() == ["Without duplicates"]
    assert session.reloaded == 2
    press(session, "show_all")
    assert session.view == []
    press(session, "deduplicate")
    assert session.prompted == ["@loupe/loupe/deduplicate"]
    session.call("on_show", which="nothing")


def test_splits_and_labels_are_chosen(dataset: Any, ids: list[str]) -> None:
    session = opened(dataset)
    session.call("on_splits", value="")
    assert "leak" not in progress(session)
    assert "**Two labels**" in str(session.properties()["headline"])
    session.call("on_label", value="")
    assert session.state["seen"]["item"] == ids[0], "the largest groups come first"
    session.call("on_splits", value="nonsense")
    session.call("on_label", value="quality.sharpness")
    assert session.state["choices"]["splits"] == "split"
    assert session.state["choices"]["label"] == "ground_truth"


def test_it_says_what_to_do_where_there_is_nothing(new_dataset: Callable[[], Any], paths: list[str]) -> None:
    import fiftyone as fo

    assert "Open a dataset" in str(opened(None).output)
    dataset = new_dataset()
    assert "There are no samples here" in str(opened(dataset).output)
    dataset.add_sample(fo.Sample(filepath=paths[0]))
    session = opened(dataset)
    assert "Nobody has looked for duplicates here yet" in str(session.output)
    assert session.properties()["action"]["view"]["label"] == "Find duplicates"
    session.call("on_find_duplicates")
    assert session.prompted == ["@loupe/loupe/find_duplicates"]
    put_groups(dataset, [None])
    session.call("on_refresh")
    assert "No picture here is a duplicate of another one" in str(session.output)


def test_views_of_parts_are_not_decided(dataset: Any, ids: list[str]) -> None:
    import fiftyone as fo

    dataset.add_sample_field("boxes", fo.EmbeddedDocumentField, embedded_doc_type=fo.Detections)
    box = fo.Detections(detections=[fo.Detection(label="door", bounding_box=[0, 0, 1, 1])])
    dataset.set_values("boxes", {ids[0]: box}, key_field="id")
    session = opened(dataset)
    session.view = dataset.to_patches("boxes")._serialize()
    session.call("on_change_view")
    assert "got a view of patches, which cannot keep scores" in str(session.output)


def test_a_field_of_the_users_own_is_refused(dataset: Any, ids: list[str]) -> None:
    dataset.set_values("deduplicated", ["mine"] * 12)
    session = opened(dataset)
    press(session, "answer_keep")
    assert "Rename sample field" in session.messages[-1]
    assert dataset.values("deduplicated") == ["mine"] * 12


def test_a_server_that_was_started_anew_decides_nothing_blindly(dataset: Any, ids: list[str]) -> None:
    from loupe.panels import latest

    session = opened(dataset)
    latest._panels.clear()
    press(session, "answer_keep")
    assert statuses(dataset) == [None] * 12
    assert session.state["seen"]["item"] == ids[0]
    press(session, "answer_keep")
    latest._panels.clear()
    press(session, "undo")
    assert session.messages
