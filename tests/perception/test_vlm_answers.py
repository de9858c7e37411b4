"""Questions and answers: what a record takes, and what the probabilities of tokens come to."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from loupe.brain.core.errors import InputError, LoupeError
from loupe.brain.perception.vlm.answers import (
    Answer,
    Cuts,
    Question,
    VlmError,
    decide,
    from_sums,
    from_tokens,
    spelled,
)
from loupe.brain.perception.vlm.base import conversation

PICTURE = np.zeros((4, 6, 3), np.uint8)


def tokens(**probabilities: float) -> list[tuple[str, float]]:
    return [(token.replace("_", " "), math.log(value)) for token, value in probabilities.items()]


def test_all_spellings_are_summed() -> None:
    answer = from_tokens(tokens(Yes=0.4, _yes=0.2, YES=0.05, No=0.1, _no=0.05, Maybe=0.2), Cuts())
    assert answer.yes == pytest.approx(0.65 / 0.8)
    assert answer.mass == pytest.approx(0.8)
    assert (answer.verdict, answer.reason) == ("yes", "")


@pytest.mark.parametrize("token", ["yes", "Yes", "YES", " yes", "\u0120Yes", "\u2581yes", "yes\n", "\u010ayes"])
def test_what_spells_yes(token: str) -> None:
    assert spelled(token) == "yes"


@pytest.mark.parametrize("token", ["", " ", "n", "not", "none", "yess", "ye", "y", "No.", "yes/no", "\u043d\u043e"])
def test_what_spells_neither(token: str) -> None:
    assert spelled(token) is None


@pytest.mark.parametrize(
    ("yes", "no", "verdict", "reason"),
    [
        (0.69, 0.29, "yes", ""),
        (0.1, 0.85, "no", ""),
        (0.5, 0.45, "unknown", "undecided: P(yes) is 0.53, between 0.3 and 0.7"),
        (0.3, 0.1, "unknown", "neither yes nor no: both together have a probability of 0.4"),
        (0.0, 0.0, "unknown", "neither yes nor no"),
        (math.nan, 0.5, "unknown", "make no sense"),
        (0.9, 0.9, "unknown", "make no sense"),
    ],
)
def test_it_abstains(yes: float, no: float, verdict: str, reason: str) -> None:
    answer = from_sums(yes, no, Cuts())
    assert answer.verdict == verdict
    assert reason in answer.reason
    assert bool(answer.reason) == (verdict == "unknown")
    assert 0 <= answer.mass <= 1


def test_a_cut_belongs_to_its_verdict() -> None:
    cuts = Cuts(0.25, 0.75)
    assert [decide(yes, 1.0, cuts).verdict for yes in (0.25, 0.26, 0.74, 0.75)] == ["no", "unknown", "unknown", "yes"]


def test_without_a_cut_there_is_no_such_verdict() -> None:
    assert decide(1.0, 1.0, Cuts(0.3, None)).verdict == "unknown"
    assert decide(0.0, 1.0, Cuts(None, 0.7)).verdict == "unknown"
    assert decide(0.0, 1.0, Cuts(None, None)).reason == "undecided: P(yes) is 0.00, between - and -"


def test_impossible_tokens_count_as_nothing_and_impossible_numbers_are_unknown() -> None:
    assert from_tokens([("Yes", -0.01), ("No", -math.inf)], Cuts()).verdict == "yes"
    assert from_tokens([("Yes", -9999.0), ("No", -0.01)], Cuts()).yes == 0
    assert from_tokens([], Cuts()).verdict == "unknown"
    for value in (math.nan, math.inf, 0.5):
        answer = from_tokens([("Yes", -0.1), ("The", value)], Cuts())
        assert answer.verdict == "unknown"
        assert "impossible" in answer.reason


def test_a_server_that_rounds_up_is_forgiven() -> None:
    answer = from_tokens([("Yes", math.log(0.9999)), ("No", math.log(0.0005))], Cuts())
    assert (answer.verdict, answer.mass) == ("yes", 1.0)


@pytest.mark.parametrize(("low", "high", "mass"), [(-0.1, 0.5, 0.5), (0.1, 1.5, 0.5), (0.1, 0.5, 2), (0.8, 0.2, 0.5)])
def test_cuts_out_of_bounds(low: float, high: float, mass: float) -> None:
    with pytest.raises(InputError, match="cut"):
        Cuts(low, high, mass)
    with pytest.raises(InputError, match="cuts in"):
        Cuts(math.nan)


def test_answers_are_json() -> None:
    assert json.loads(json.dumps(Answer(math.nan, 0.0, "unknown", "why").to_dict())) == {
        "yes": None,
        "mass": 0.0,
        "verdict": "unknown",
        "reason": "why",
    }


@pytest.mark.parametrize(
    "picture",
    [PICTURE[:, :, 0], PICTURE.astype(float), PICTURE[:0], PICTURE.transpose(2, 0, 1)[:, :, :4], None, [[[1, 2, 3]]]],
)
def test_a_picture_of_another_kind_is_refused(picture: object) -> None:
    with pytest.raises(InputError, match=r"\(H, W, 3\) and dtype uint8"):
        Question("is it?", picture)
    with pytest.raises(InputError, match=r"\(H, W, 3\) and dtype uint8"):
        Question("is it?", PICTURE, ((picture, "yes"),))


def test_questions_are_checked() -> None:
    with pytest.raises(InputError, match="expected a question"):
        Question(" \n", PICTURE)
    with pytest.raises(InputError, match="'yes' or 'no', got 'maybe'"):
        Question("is it?", PICTURE, ((PICTURE, "maybe"),))


def test_the_conversation_shows_the_examples_first() -> None:
    other = PICTURE + 9
    question = Question("Is it black?", PICTURE, ((PICTURE, "yes"), (other, "no")))
    messages = conversation(question, lambda picture: {"type": "image", "mean": int(picture.mean())})
    assert [message["role"] for message in messages] == ["user", "assistant"] * 2 + ["user"]
    assert [message["content"][0].get("mean") for message in messages] == [0, None, 9, None, 0]
    assert [message["content"][0]["text"] for message in messages[1::2]] == ["Yes", "No"]
    assert {message["content"][1]["text"] for message in messages[::2]} == {
        "Look at the picture and answer with one word, Yes or No. Is it black?"
    }


def test_the_error_is_one_of_loupe() -> None:
    assert issubclass(VlmError, LoupeError)
