"""Corrected labels stand in a field of their own; decisions count first, and the given labels stay as they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loupe.brain.core.errors import InputError, NoSamples, Stopped, UnknownName
from loupe.brain.core.review import Decision

pytestmark = pytest.mark.database

N = 12
#: given, suggested, score: the worst first
ISSUES = [("cat", "dog", 0.95), ("cat", "dog", 0.9), ("dog", "cat", 0.8), ("dog", "fox", 0.6), ("fox", "cat", 0.3)]
GIVEN = [given for given, _, _ in ISSUES] + ["cat", "dog", "fox", "cat", "dog", None, "fox"]


@pytest.fixture(params=["label", "text", "scenario.kind"])
def label(request: pytest.FixtureRequest) -> str:
    """A classification, a text, and a text in a document."""
    return str(request.param)


@pytest.fixture
def judged(dataset: Any, tmp_path: Path) -> Any:
    """Twelve samples with labels, five of them with a suggestion, as ``find_label_issues`` leaves them."""
    import fiftyone as fo

    from loupe.brain.labels.records import LabelIssue
    from loupe.brain.store.labels import given as labels

    for at, given in enumerate(GIVEN):
        sample = fo.Sample(filepath=str(tmp_path / f"{at}.png"), text=given)
        sample["label"] = None if given is None else fo.Classification(label=given, confidence=0.5, tags=["mine"])
        sample["checked"] = {"label_issues": "made up"}
        sample["scenario"] = fo.DynamicEmbeddedDocument(kind=given)
        scores = [score for _, _, score in ISSUES]
        sample["quality"] = fo.DynamicEmbeddedDocument(
            label_issue=scores[at] if at < len(ISSUES) else None if given is None else 0.01 * at
        )
        dataset.add_sample(sample, dynamic=True)
    ids = dataset.values("id")
    issues = {
        ids[at]: LabelIssue(ids[at], given, suggested, score, 0.7, "because")
        for at, (given, suggested, score) in enumerate(ISSUES)
    }
    labels.write(dataset, ids, issues)
    return dataset


def now(dataset: Any, label: str) -> list[str | None]:
    """Returns the corrected labels."""
    dataset.reload()
    return dataset.values(f"{label.replace('.', '_')}_corrected.label")


def given_now(dataset: Any) -> tuple[Any, ...]:
    documents = [None if each is None else each.to_dict() for each in dataset.values("label")]
    return documents, dataset.values("text"), dataset.values("scenario.kind")


def test_without_decisions_all_labels_are_copied(judged: Any, label: str) -> None:
    import loupe

    before = given_now(judged)
    made = loupe.relabel(judged, label)
    assert now(judged, label) == GIVEN
    assert (made.changed, made.kept, made.skipped, made.undecided, made.unlabeled, made.n) == (0, 0, 0, 5, 1, 11)
    assert given_now(judged) == before
    field = made.field
    assert set(judged.exists(field).values(f"{field}.how")) == {"given"}
    ids = judged.exists(field).values(f"{field}.id")
    assert len(set(ids)) == len(ids)
    json.dumps(made.to_dict())


def test_decisions_count_whoever_made_them_where(judged: Any, label: str) -> None:
    import loupe

    before, ids = given_now(judged), judged.values("id")
    decisions = {
        ids[0]: Decision("real", by="anna", at="2026-01-02T03:04:05.000+00:00", correction="dog"),
        ids[1]: Decision("real", correction="fox"),
        ids[2]: Decision("real", correction=""),
        ids[3]: "false_alarm",
        ids[4]: "unsure",
        ids[5]: "real",  # without a suggestion: there is nothing to accept
        ids[6]: Decision("real", correction="cat"),
        ids[7]: Decision("real", correction="fox"),  # what it is already
        ids[10]: Decision("real", correction="dog"),  # it had none
    }
    loupe.review(judged, "label_issue", decisions, by="ben")
    made = loupe.relabel(judged, label)
    assert now(judged, label) == ["dog", "fox", None, *GIVEN[3:6], "cat", *GIVEN[7:10], "dog", GIVEN[11]]
    assert given_now(judged) == before
    assert (made.changed, made.kept, made.skipped, made.undecided, made.outdated) == (5, 2, 1, 0, 1)
    assert (made.n, made.unlabeled) == (11, 1)
    by_id = {each.id: each for each in made.changes}
    assert (by_id[ids[0]].how, by_id[ids[0]].by, by_id[ids[0]].at) == (
        "suggested",
        "anna",
        "2026-01-02T03:04:05.000+00:00",
    )
    assert [by_id[ids[at]].how for at in (1, 2, 6, 10)] == ["chosen", "none", "chosen", "chosen"]
    assert by_id[ids[1]].by == "ben"
    stored = judged[ids[0]][made.field]
    assert (stored.how, stored.by, stored.at.isoformat()) == ("suggested", "anna", "2026-01-02T03:04:05")
    # a label that no class fits is none for a training
    assert ids[2] not in judged.exists(made.field).values("id")
    assert "5 of 11 labels changed" in repr(made)
    assert made.remaining.decided == 7, "the one without a score and the unsure one are not among them"


def test_that_a_label_is_wrong_accepts_the_suggestion(judged: Any) -> None:
    import loupe

    ids = judged.values("id")
    loupe.review(judged, "label_issue", dict.fromkeys(ids[:2], "real"))
    assert loupe.relabel(judged, "label").changed == 2
    assert now(judged, "label")[:3] == ["dog", "dog", "dog"]
    # the given label was changed since by its owner: a suggestion instead of the old one is none
    sample = judged[ids[0]]
    sample.label.label = "fox"
    sample.save()
    made = loupe.relabel(judged, "label")
    assert (made.changed, made.outdated) == (1, 1)
    assert now(judged, "label")[0] == "fox"


@pytest.mark.parametrize(
    ("options", "places"),
    [({"accept": 0.8}, {0, 1}), ({"accept": 0.0}, {0, 1, 2, 3, 4}), ({"top": 3}, {0, 1, 2}), ({"top": 0}, set()),
     ({"accept": 0.92, "top": 2}, {0, 1}), ({"accept": 1.0}, set()), ({"top": 99}, {0, 1, 2, 3, 4})],
)  # fmt: skip
def test_suggestions_are_accepted_by_score_and_rank(judged: Any, options: dict[str, Any], places: set[int]) -> None:
    import loupe

    ids = judged.values("id")
    made = loupe.relabel(judged, "label", by="anna", **options)
    assert set(made.ids) == {ids[at] for at in places}
    assert all((each.how, each.by) == ("suggested", "anna") for each in made.changes)
    assert made.undecided == 5 - len(places)
    assert [new != old for new, old in zip(now(judged, "label"), GIVEN, strict=True)] == [
        at in places for at in range(N)
    ]
    # nobody has looked at them: they are no decisions, and not taken for right
    assert not judged.has_field("review.label_issue.label") or not judged.exists("review.label_issue").count()
    assert made.remaining.decided == 0
    before = loupe.relabel(judged, "label").remaining
    assert (made.remaining.rate < before.rate) == bool(places)


def test_a_decision_counts_before_what_is_accepted(judged: Any) -> None:
    import loupe

    ids = judged.values("id")
    loupe.review(judged, "label_issue", {ids[0]: "false_alarm", ids[1]: "unsure"})
    made = loupe.relabel(judged, "label", accept=0.5)
    assert set(made.ids) == {ids[2], ids[3]}
    assert (made.kept, made.skipped, made.undecided) == (1, 1, 1)


def test_the_same_call_gives_the_same_again_and_without_options_it_takes_back(judged: Any) -> None:
    import loupe

    first = loupe.relabel(judged, "label", accept=0.5, by="anna")
    documents = [each.to_dict() if each else None for each in judged.values("label_corrected")]
    again = loupe.relabel(judged, "label", accept=0.5)
    assert again == first
    without = [{key: value for key, value in (each or {}).items() if key != "_id"} for each in documents]
    judged.reload()
    assert [
        {key: value for key, value in (each.to_dict() if each else {}).items() if key != "_id"}
        for each in judged.values("label_corrected")
    ] == without
    assert loupe.relabel(judged, "label").changed == 0
    assert now(judged, "label") == GIVEN


def test_classes_by_id_are_decisions_that_stay(judged: Any) -> None:
    import loupe

    ids = judged.values("id")
    classes = {ids[0]: "fox", ids[1]: "cat", ids[2]: None, ids[7]: "dog"}
    made = loupe.relabel(judged, "label", accept=classes, by="anna")
    assert set(made.ids) == {ids[0], ids[2], ids[7]}
    assert made.kept == 1, "the class that it has already"
    again = loupe.relabel(judged, "label")
    assert again.to_dict() == made.to_dict()
    assert loupe.relabel(judged, "label", accept=classes, by="ben") == again, "said once more it is no new decision"
    judged.reload()
    assert judged[ids[0]].review.label_issue.correction == "fox"
    assert judged[ids[2]].review.label_issue.correction == ""
    assert judged[ids[1]].review.label_issue.label == "false_alarm"
    assert judged[ids[0]].review.label_issue.by == "anna"


def test_a_view_is_written_alone(judged: Any) -> None:
    import loupe

    ids = judged.values("id")
    view = judged.select(ids[:4]).select_fields("text")
    made = loupe.relabel(view, "label", accept=0.0)
    assert (made.n, made.changed) == (4, 4)
    judged.reload()
    assert judged.exists("label_corrected").count() == 4
    with pytest.raises(InputError, match=r"1 that are none of them"):
        loupe.relabel(view, "label", accept={ids[7]: "cat"})


def test_what_somebody_decides_meanwhile_stays(judged: Any) -> None:
    from loupe.brain.store.relabel import corrected as store
    from loupe.brain.store.review import decisions as review

    ids = judged.values("id")
    standing = store.read(judged, "label.label", "label_corrected")
    theirs = Decision("real", by="ben", at="2026-01-02T03:04:05.000+00:00", correction="fox")
    review.write(judged, "label_issue", {ids[0]: theirs})
    assert list(store.write(judged, "label.label", "label_corrected", standing, {}, {})) == [N]
    assert now(judged, "label")[0] is None, "it is left to the one who decided"
    assert now(judged, "label")[1] == "cat"


@pytest.mark.parametrize(
    ("options", "message"),
    [({"accept": 1.5}, "0 to 1"), ({"accept": True}, "0 to 1"), ({"accept": float("nan")}, "0 to 1"),
     ({"accept": "all"}, "0 to 1"), ({"top": -1}, "expected top to be"), ({"top": 1.5}, "expected top to be"),
     ({"field": "label"}, "never changed"), ({"field": "a.b"}, "field name"), ({"field": "_x"}, "field name"),
     ({"field": "mine"}, "mine"), ({"field": "text"}, "text"), ({"accept": {"0" * 24: "cat"}}, "none of them")],
)  # fmt: skip
def test_what_does_not_fit_is_refused_and_nothing_is_written(
    judged: Any, options: dict[str, Any], message: str
) -> None:
    import fiftyone as fo

    import loupe

    judged.set_values("mine", [fo.Classification(label="cat")] * N)
    with pytest.raises(InputError, match=message):
        loupe.relabel(judged, "label", **options)
    judged.reload()
    assert not judged.has_field("label_corrected")
    assert judged.values("mine.label") == ["cat"] * N
    assert judged.list_runs() == []


def test_a_class_that_nobody_knows_is_a_slip_of_the_pen(judged: Any) -> None:
    import loupe

    (first, *_) = judged.values("id")
    for name in ("dgo", "", 3, "<b>"):
        with pytest.raises(InputError, match=r"unknown class|add one"):
            loupe.relabel(judged, "label", accept={first: name})
    assert not judged.has_field("label_corrected")
    judged.classes["label"] = ["cat", "dog", "fox", "hen $1.5 <b>"]
    judged.save()
    assert loupe.relabel(judged, "label", accept={first: "hen $1.5 <b>"}).changes[0].corrected == "hen $1.5 <b>"
    assert now(judged, "label")[0] == "hen $1.5 <b>"


def test_other_fields_and_empty_views_are_told(judged: Any) -> None:
    import loupe

    with pytest.raises(UnknownName, match="label"):
        loupe.relabel(judged, "labl")
    with pytest.raises(InputError, match="one class a sample"):
        loupe.relabel(judged, "tags")
    with pytest.raises(NoSamples):
        loupe.relabel(judged.limit(0), "label")


def test_labels_that_nobody_has_judged_are_copied(judged: Any) -> None:
    import loupe

    judged.set_values("other", ["a", "b"] * 6)
    judged.delete_sample_field("label_issues")
    judged.delete_sample_field("quality")
    made = loupe.relabel(judged, "other", accept=0.5)
    assert (made.n, made.changed, made.undecided, str(made.remaining)) == (12, 0, 0, "not known")


def test_it_can_be_stopped_and_goes_on(judged: Any) -> None:
    import loupe

    def stop(progress: loupe.Progress) -> None:
        raise Stopped("enough")

    with pytest.raises(Stopped):
        loupe.relabel(judged, "label", accept=0.5, progress=stop)
    assert judged.list_runs() == []
    assert loupe.relabel(judged, "label", accept=0.5).changed == 4


def test_the_labels_that_were_put_right_can_be_judged_again(judged: Any) -> None:
    import loupe

    loupe.relabel(judged, "label", accept=0.5)
    table = np.full((N, 3), 1 / 3)
    made = loupe.find_label_issues(judged, "label_corrected", probabilities=table)
    assert made.n == 11
