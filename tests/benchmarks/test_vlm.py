"""What is printed of a vision-language model that knows, of one that always says yes, and of one that says neither."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from benchmarks.anatomy import vlm as measured
from benchmarks.anatomy.vlm import Graded, Pair, shown
from loupe.brain.perception.vlm.answers import Answer, Question
from loupe.brain.perception.vlm.base import Vlm


class Saying(Vlm):
    """Answers by a function of the picture."""

    def __init__(self, yes: Callable[[np.ndarray], float], mass: float = 1.0) -> None:
        self._yes, self._mass = yes, mass

    @property
    def facts(self) -> dict[str, Any]:
        return {"model": "saying"}

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        return [Answer(self._yes(question.picture), self._mass, "unknown") for question in questions]


def hands(n: int) -> list[Pair]:
    rng = np.random.default_rng(0)
    # flawed ones are bright
    return [Pair(*(rng.integers(low, low + 80, (8, 8, 3)).astype(np.uint8) for low in (0, 170))) for _ in range(n)]


def cells(text: str, first: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {first} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_one_that_knows(capsys: pytest.CaptureFixture[str]) -> None:
    measured._print_flaw(Saying(lambda picture: float(picture.mean()) / 255), "sixth", hands(20), hands(30))
    row = cells(capsys.readouterr().out, "sixth")
    assert row[1:3] == ["30 + 30", "1.000 [0.940, 1.000] (60/60)"]
    assert row[3].startswith("1.000 [")
    assert row[4].endswith("(30/30)")
    assert row[5].endswith("(0/30)")
    assert float(row[6].split()[0]) > 0.9
    assert row[7].startswith("1.000 [")


def test_one_that_always_says_yes(capsys: pytest.CaptureFixture[str]) -> None:
    measured._print_flaw(Saying(lambda picture: 0.9), "sixth", hands(20), hands(30))
    row = cells(capsys.readouterr().out, "sixth")
    assert row[3].startswith("0.500 [")
    assert row[5].endswith("(30/30)")
    assert row[6].endswith("(0/60)")


def test_one_that_says_neither(capsys: pytest.CaptureFixture[str]) -> None:
    measured._print_flaw(Saying(lambda picture: float(picture.mean()) / 255, mass=0.01), "sixth", hands(20), hands(30))
    row = cells(capsys.readouterr().out, "sixth")
    assert row[2].endswith("(0/60)")
    assert row[3:6] == ["–", "– (0)", "– (0)"]


def test_examples_never_show_both_of_a_pair() -> None:
    own = hands(4)
    examples = shown(own, 3)
    assert [answer for _, answer in examples] == ["yes", "no", "yes"]
    assert [picture is pair.flawed for (picture, _), pair in zip(examples, own, strict=False)] == [True, False, True]


def test_the_worst_hand_of_a_picture_is_ranked_and_pictures_without_one_are_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def gray(value: int) -> np.ndarray:
        return np.full((8, 8, 3), value, np.uint8)

    pictures = [Graded("a", float(n), (gray(5), gray(10 * n + 10))) for n in range(12)]
    pictures += [Graded("b", 1.0, ())]
    measured._print_grades(Saying(lambda picture: float(picture.mean()) / 255), pictures, 0)
    text = capsys.readouterr().out
    row = cells(text, "all")
    assert row[1] == "13"
    assert row[2].endswith("(12/13)")
    assert row[4].startswith("+1.00 [+1.00")
    assert cells(text, "a")[1] == "12"
