"""The operators of a review, run as the App runs them."""

from __future__ import annotations

from typing import Any

import pytest
from operator_calls import form, messages, problems, result
from reviewable import draw, fill, order

pytestmark = [pytest.mark.database, pytest.mark.slow]


@pytest.fixture
def houses(dataset: Any, tmp_path: Any) -> Any:
    fill(dataset, draw(tmp_path, 20))
    return dataset


def test_chosen_samples_are_decided_at_once(houses: Any) -> None:
    ids = order(houses)[:3]
    params = {"failure": "blur", "decisions": "false_alarm", "note": "glare", "view_target": "SELECTED_SAMPLES"}
    done = result("review", houses, params, selected=ids)
    assert done["message"] == "3 decisions on Blur written"
    assert done["review"]["false_alarms"] == 3
    assert "| Blur | 3 of " in done["summary"]
    houses.reload()
    assert {houses[each].review.blur.note for each in ids} == {"glare"}
    back = result("review", houses, {**params, "decisions": "none", "note": ""}, selected=ids)
    assert back["message"] == "0 decisions on Blur written, 3 taken back"


def test_the_form_asks_for_a_field_where_nothing_else_is_decided(houses: Any) -> None:
    untouched = form("review", houses, {"failure": "blur"})
    assert "field" in untouched
    assert "Choose what you decided" in untouched["report"].view.label
    chosen = form("review", houses, {"failure": "blur", "decisions": "real"})
    assert "field" not in chosen
    assert "report" not in chosen
    assert problems(form("review", houses, {"failure": "blur", "decisions": "perhaps"}))
    (last,) = [each for each in messages("review", houses, {"failure": "blur"}, app=True) if each.get("error_message")]
    assert "Expected decisions or a field, got neither: choose a decision" in last["error_message"]


def test_what_a_review_says_is_a_table(houses: Any) -> None:
    assert "open the panel Review" in form("reviewed", houses)["report"].view.label
    assert "open the panel **Review**" in result("reviewed", houses, {})["summary"]
    result("review", houses, {"failure": "watermark", "decisions": "real"})
    done = result("reviewed", houses, {"failures": ["watermark"]})
    assert done["message"] == "20 decisions on 1 failure"
    assert "| Watermark | 4 of 4 | 4 | 0 | 0 |" in done["summary"]


def test_samples_go_to_the_apps_annotation(houses: Any) -> None:
    assert not problems(form("annotate", houses, {"failure": "blur"}))
    done = result("annotate", houses, {"failure": "blur", "only": "flagged", "backend": "app"})
    assert done["message"] == f"{len(order(houses))} samples of Blur for FiftyOne's App"
    assert "review.blur" in done["summary"].replace("\\", "")
    houses.reload()
    assert houses.active_label_schemas == ["review.blur"]
