"""``loupe.review`` writes decisions, ``loupe.reviewed`` says what follows from them: the same as counting by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from filled import fill

from loupe.brain.core.errors import InputError, NoSamples, UnknownName
from loupe.brain.core.review import Decision
from loupe.brain.core.shares import hundredths

pytestmark = pytest.mark.database

N = 400


@pytest.fixture
def flagged(dataset: Any) -> Any:
    """400 samples with scores of sharpness: about a fifth below the threshold."""
    import loupe

    fill(dataset, N, flag=False, checks=["sharpness"])
    scores = np.float32(np.random.default_rng(0).uniform(0.5, 1.0, N)).astype(float).tolist()
    scores[:3] = [None, None, None]
    dataset.set_values("quality.sharpness", scores)
    loupe.flag(dataset)
    # FiftyOne draws these as it adds the samples
    ranks = np.random.default_rng(1).random(N) * 0.001 + 0.999
    for sample_id, rank in zip(dataset.values("_id"), ranks.tolist(), strict=True):
        dataset._sample_collection.update_one({"_id": sample_id}, {"$set": {"_rand": rank}})
    return dataset


def _documents(dataset: Any) -> list[dict[str, Any]]:
    documents = list(dataset._sample_collection.find({}, ["_rand", "quality", "failures", "review"]))
    return sorted(documents, key=lambda document: document["_rand"])


def _is_flagged(document: dict[str, Any]) -> bool:
    labels = (document.get("failures") or {}).get("classifications") or []
    return any(label["label"] == "blur" for label in labels)


def in_random_order(dataset: Any, *, flagged: bool = True) -> list[str]:
    """Returns the ids of the samples that fail, or pass, by their random numbers."""
    return [
        str(document["_id"])
        for document in _documents(dataset)
        if document["quality"].get("sharpness") is not None and _is_flagged(document) == flagged
    ]


def test_a_decision_stands_on_the_sample_with_who_and_when(flagged: Any) -> None:
    import loupe

    first, second, third = in_random_order(flagged)[:3]
    result = loupe.review(
        flagged, "blur", {first: "real", second: Decision("unsure", by="ben", note="glare"), third: "false_alarm"}
    )
    assert (result.real, result.unsure, result.false_alarms, result.written) == (1, 1, 1, 3)
    flagged.reload()
    import getpass

    sample = flagged[first]
    assert (sample.review.blur.label, sample.review.blur.by) == ("real", getpass.getuser())
    assert sample.review.blur.at.year >= 2026
    assert (flagged[second].review.blur.by, flagged[second].review.blur.note) == ("ben", "glare")
    assert result.by == {getpass.getuser(): 2, "ben": 1}
    # nothing else is touched
    assert sample.failures.classifications[0].label == "blur"
    assert flagged.count_values("review.blur.label")["real"] == 1


def test_the_precision_is_that_of_the_random_order_by_hand(flagged: Any) -> None:
    import loupe

    order = in_random_order(flagged)
    loupe.review(flagged.select(order[:10]), "blur", "real")
    loupe.review(flagged.select(order[10:15]), "blur", "false_alarm")
    loupe.review(flagged.select(order[15:17]), "blur", "unsure")
    result = loupe.review(flagged.select(order[30:50]), "blur", "real")  # the last word is the view's
    assert result.flagged == 20
    (result,) = loupe.reviewed(flagged)
    assert (result.precision.k, result.precision.n, result.drawn_unsure) == (10, 15, 2)
    assert (result.real, result.false_alarms, result.unsure, result.not_drawn) == (30, 5, 2, 20)
    assert result.flagged == len(order)
    assert result.remaining == len(order) - 37
    text = repr(result)
    assert "66.7 %" in text
    assert "2 unsure left out; 20 reviewed in another order left out" in text
    # what comes between is decided: now the others count, too
    loupe.review(flagged.select(order[17:30]), "blur", "false_alarm")
    (result,) = loupe.reviewed(flagged, "blur")
    assert (result.precision.k, result.precision.n) == (30, 48)


def test_a_stricter_threshold_keeps_the_draw_and_a_laxer_one_asks_for_little_more(flagged: Any) -> None:
    import loupe

    order = in_random_order(flagged)
    loupe.review(flagged.select(order[:40]), "blur", "real")
    loupe.flag(flagged, {"blur": 0.56})
    stricter = in_random_order(flagged)
    (result,) = loupe.reviewed(flagged)
    assert result.flagged == len(stricter) < len(order)
    assert result.precision.n == len(set(order[:40]) & set(stricter))
    loupe.flag(flagged, {"blur": 0.65})
    laxer = in_random_order(flagged)
    (result,) = loupe.reviewed(flagged)
    first_open = next(at for at, each in enumerate(laxer) if each not in order[:40])
    assert result.precision.n == first_open < 40
    new = [each for each in laxer[: laxer.index(order[39])] if each not in order[:40]]
    loupe.review(flagged.select(new), "blur", "real")
    (result,) = loupe.reviewed(flagged)
    assert new
    assert result.precision.n >= 40 + len(new)


def test_recall_is_known_where_passed_samples_were_reviewed(flagged: Any) -> None:
    import loupe

    loupe.review(flagged.select(in_random_order(flagged)[:30]), "blur", "real")
    assert math.isnan(loupe.reviewed(flagged)[0].recall.rate)
    passed = in_random_order(flagged, flagged=False)
    loupe.review(flagged, "blur", {each: "real" if at < 3 else "false_alarm" for at, each in enumerate(passed[:60])})
    (result,) = loupe.reviewed(flagged)
    assert (result.passed, result.passed_reviewed) == (len(passed), 60)
    assert result.recall.rate == pytest.approx(result.flagged / (result.flagged + result.passed * 3 / 60))
    assert result.real == 30  # what passed is no part of the flagged ones


def test_a_better_threshold_is_offered_and_applied_by_flag_alone(flagged: Any) -> None:
    import loupe

    order = in_random_order(flagged)
    scores = dict(zip(flagged.values("id"), flagged.values("quality.sharpness"), strict=True))
    decisions = {each: "real" if scores[each] < 0.57 else "false_alarm" for each in order[:60]}
    result = loupe.review(flagged, "blur", decisions, by="anna")
    offer = result.offer
    assert offer.threshold is not None, offer.reason
    assert offer.threshold.value == pytest.approx(0.57, abs=0.02)
    assert offer.threshold.source == "review of 60 samples by anna"
    assert offer.flags == sum(np.float32(scores[each]) < np.float32(offer.threshold.value) for each in order)
    assert offer.flagged == len(order)
    assert flagged.count_values("failures.classifications.label")["blur"] == len(order)

    flags = loupe.flag(flagged, loupe.reviewed(flagged).thresholds)
    assert flags.counts["blur"] == offer.flags
    assert "review of 60 samples by anna" in repr(flags)
    (after,) = loupe.reviewed(flagged)
    assert after.flagged == offer.flags


def test_two_hundred_decisions_recalibrate_by_one_call(flagged: Any) -> None:
    import loupe

    loupe.flag(flagged, {"blur": 0.8})
    order = in_random_order(flagged)
    scores = dict(zip(flagged.values("id"), flagged.values("quality.sharpness"), strict=True))
    assert len(order) > 200
    decisions = {each: "real" if scores[each] < 0.66 else "false_alarm" for each in order[:200]}
    loupe.review(flagged, "blur", decisions, by="anna")
    alarms = sorted(np.float32(scores[each]) for each in order[:200] if scores[each] >= 0.66)

    loupe.flag(flagged, loupe.reviewed(flagged, "blur", max_false_alarms=0.03).thresholds)
    threshold = loupe.flag(flagged).thresholds["blur"]
    judged = N - 3
    allowed = int(0.03 * (judged + 1) / (len(order) + 1) * 201) - 1
    assert threshold.value == pytest.approx(float(alarms[allowed]))
    assert threshold.source == "review of 200 samples by anna"
    assert "by conformal risk control for 3.00 %" in threshold.provenance
    # the stricter one keeps what was asked for: nothing else is offered
    (after,) = loupe.reviewed(flagged, "blur", max_false_alarms=0.03)
    assert after.offer.threshold is None
    assert "the one in use keeps to it" in after.offer.reason
    assert after.offer.bound <= 0.03
    assert str(after.offer).startswith("no better threshold: the one in use keeps to it")


def test_an_offer_for_a_share_of_false_alarms_says_what_it_does(flagged: Any) -> None:
    import loupe

    order = in_random_order(flagged)
    scores = dict(zip(flagged.values("id"), flagged.values("quality.sharpness"), strict=True))
    decisions = {each: "real" if scores[each] < 0.55 else "false_alarm" for each in order[:40]}
    loupe.review(flagged, "blur", decisions)
    offer = loupe.reviewed(flagged, "blur", max_false_alarms=0.05)[0].offer
    assert offer.threshold is not None, offer.reason
    assert (offer.max_false_alarms, offer.precision, offer.current) == (0.05, None, None)
    assert offer.bound <= 0.05 < offer.bound_now
    assert offer.flags == sum(np.float32(scores[each]) < np.float32(offer.threshold.value) for each in order)
    assert f"at most {hundredths(offer.bound)} of all pictures are expected to be false alarms" in str(offer)
    few = loupe.reviewed(flagged, "blur", max_false_alarms=0.0001)[0].offer
    assert few.threshold is None
    assert "check more samples first" in few.reason
    for share in (0, 1, -0.1):
        with pytest.raises(InputError, match=r"max_false_alarms between 0 and 1, got .*0.03 asks for 3 %"):
            loupe.reviewed(flagged, "blur", max_false_alarms=share)


def test_a_decision_is_taken_back_and_replaced(flagged: Any) -> None:
    import loupe

    first = in_random_order(flagged)[0]
    loupe.review(flagged, "blur", {first: "real"}, note="see the edge")
    assert loupe.review(flagged, "blur", {first: "false_alarm"}).false_alarms == 1
    back = loupe.review(flagged, "blur", {first: None})
    assert (back.decided, back.taken_back, back.written) == (0, 1, 0)
    assert loupe.review(flagged.select(first), "blur", "none").taken_back == 1
    flagged.reload()
    assert not flagged[first].review.has_field("blur")
    assert flagged.values("review.blur.label") == [None] * N


def test_rates_of_what_was_confirmed(flagged: Any) -> None:
    import loupe

    order = in_random_order(flagged)
    loupe.review(flagged, "blur", {each: "real" if at < 4 else "false_alarm" for at, each in enumerate(order[:10])})
    loupe.review(flagged, "blur", {order[10]: "unsure"})
    (rate,) = loupe.slice(flagged, [], outcome=loupe.Outcome.review("blur"))
    assert (rate.failures, rate.n, rate.unknown, rate.unchecked) == (4, 10, 1, N - 11)
    by_time = loupe.slice(flagged, "scenario.time", outcome=loupe.Outcome.review("blur"))
    assert sum(each.failures for each in by_time) == 4


def test_what_cannot_be_reviewed_is_refused_before_anything_is_written(flagged: Any) -> None:
    import loupe

    first = in_random_order(flagged)[0]
    with pytest.raises(UnknownName, match="Did you mean 'blur'"):
        loupe.review(flagged, "blurr", "real")
    with pytest.raises(InputError, match="'false_alarm', 'unsure', 'none', got 'wrong'"):
        loupe.review(flagged, "blur", {first: "wrong"})
    with pytest.raises(InputError, match=r"2 that are none of them, e\.g\. '0000"):
        loupe.review(flagged, "blur", {first: "real", "0" * 24: "real", "no id": "real"})
    with pytest.raises(NoSamples):
        loupe.review(flagged.limit(0), "blur", "real")
    with pytest.raises(InputError, match="between 0 and 1"):
        loupe.reviewed(flagged, precision=90)
    with pytest.raises(InputError, match="patches"):
        loupe.review(flagged.to_patches("flaws") if flagged.has_field("flaws") else _patches(flagged), "blur", "real")
    assert not flagged.has_field("review.blur")
    assert repr(loupe.reviewed(flagged)) == "nothing was reviewed yet"


def _patches(dataset: Any) -> Any:
    import fiftyone as fo

    sample = dataset.first()
    sample["boxes"] = fo.Detections(detections=[fo.Detection(label="a", bounding_box=[0, 0, 1, 1])])
    sample.save()
    return dataset.to_patches("boxes")


@pytest.mark.parametrize("kind", ["a text", "a list", "a document with something else"])
def test_a_field_of_the_users_own_named_review_is_left_alone(flagged: Any, kind: str) -> None:
    import fiftyone as fo

    import loupe

    value = {"a text": "fine", "a list": ["fine"], "a document with something else": fo.DynamicEmbeddedDocument(blur=3)}
    flagged.set_values("review", [value[kind]] * N, dynamic=True)
    with pytest.raises(InputError, match=r"review.*rename_sample_field"):
        loupe.review(flagged, "blur", "real")
    assert set(map(str, flagged.values("review"))) == {str(flagged.first()["review"])}


def test_notes_are_kept_as_they_are(flagged: Any) -> None:
    import loupe

    first = in_random_order(flagged)[0]
    note = "<script>alert(1)</script> $where {\"$gt\": 1} 😀 'quoted' a.b"
    loupe.review(flagged, "blur", {first: "real"}, note=note, by="$ben.<b>")
    flagged.reload()
    assert flagged[first].review.blur.note == note
    assert loupe.reviewed(flagged)[0].by == {"$ben.<b>": 1}


def test_a_view_that_leaves_fields_out_counts_the_same(flagged: Any) -> None:
    import loupe

    loupe.review(flagged.select(in_random_order(flagged)[:30]), "blur", "real")
    whole = loupe.reviewed(flagged)[0].to_dict()
    assert loupe.reviewed(flagged.select_fields("prompt").shuffle(seed=1))[0].to_dict() == whole
    night = flagged.match({"scenario.time": "night"})
    assert loupe.reviewed(night)[0].flagged == len(night.match({"failures.classifications.label": "blur"}))
