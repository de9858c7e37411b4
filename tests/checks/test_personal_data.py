"""The check of personal data on drawn cards: its verdict, its evidence, and that it keeps nothing of what it read."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from committed import picture
from people import batch_of

from loupe.brain.checks.personal_data import PersonalData
from loupe.brain.core.records import Scores
from loupe.brain.imaging.batches import ImageBatch

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def score() -> Callable[[ImageBatch], Scores]:
    return PersonalData().load("cpu")


def test_a_telephone_and_an_address_are_counted_where_they_stand(score: Callable[[ImageBatch], Scores]) -> None:
    scores = score(batch_of(picture("card_personal"), picture("card_order")))
    assert scores["personal_data"].tolist() == [2.0, 0.0]
    boxes = sorted(scores.boxes[0], key=lambda box: box.bounds[1])
    assert [box.attributes["kind"] for box in boxes] == ["a telephone number", "an e-mail address"]
    # their lines begin at 98 and 156 of 280 pixels
    assert [round(box.bounds[1] * 280) for box in boxes] == pytest.approx([98, 156], abs=14)
    assert scores.boxes[1] == ()


def test_what_was_read_is_kept_nowhere(score: Callable[[ImageBatch], Scores]) -> None:
    result = score(batch_of(picture("card_personal"))).by_sample(1)[0]
    kept = json.dumps([box.to_dict() for box in result.boxes]) + str(result.reason)
    assert "7946" not in kept
    assert "lamp" not in kept


def test_a_picture_that_is_too_small_to_read_is_unknown(score: Callable[[ImageBatch], Scores]) -> None:
    result = score(batch_of(np.full((40, 200, 3), 90, np.uint8))).by_sample(1)[0]
    assert np.isnan(result.values["personal_data"])
    assert result.reason == "too small to read: 200 x 40 pixels"
