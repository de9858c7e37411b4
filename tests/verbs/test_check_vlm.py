"""A check with a vision-language model, from the call to the database: a Qwen3-VL of a few thousand weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from tiny_vlm import build, picture, teach

from loupe.brain.checks.overlay import Overlay
from loupe.brain.perception.vlm.answers import Question
from loupe.brain.perception.vlm.local import LocalVlm
from loupe.brain.perception.vlm.questions import SPECIALISTS

if TYPE_CHECKING:
    import fiftyone as fo

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.slow]
KINDS = ("watermark", "overlay")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A model that answers at random, and one that says Yes where a picture is red."""
    made = {}
    for name in ("random", "of red"):
        folder = tmp_path_factory.mktemp("vlms") / name
        build(folder)
        made[name] = str(folder)
    teach(Path(made["of red"]), [SPECIALISTS[kind].text for kind in KINDS])
    return made


@pytest.fixture
def colored(dataset: fo.Dataset, tmp_path: Path) -> fo.Dataset:
    import fiftyone as fo

    paths = []
    for number in range(6):
        path = tmp_path / f"{number}.png"
        shown = picture(("red", "blue")[number % 2], 50 + number, 128, 160)
        cv2.imwrite(str(path), cv2.cvtColor(shown, cv2.COLOR_RGB2BGR))
        paths.append(path)
    dataset.add_samples([fo.Sample(str(path)) for path in paths])
    return dataset


def test_its_answers_are_the_scores(colored: fo.Dataset, models: dict[str, str]) -> None:
    import loupe

    run = loupe.check(colored, [Overlay(backend="vlm", vlm=models["of red"])])
    assert (run.n, run.errors) == (6, 0)
    scores = np.array(colored.sort_by("filepath").values(["quality.watermark", "quality.overlay"]), float)
    vlm = LocalVlm(models["of red"])
    shown = [
        cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB) for path in colored.sort_by("filepath").values("filepath")
    ]
    for kind, column in zip(KINDS, scores, strict=True):
        own = [answer.yes for answer in vlm.answer([Question(SPECIALISTS[kind].text, each) for each in shown])]
        assert column == pytest.approx(own, abs=1e-5)
    assert (scores[:, ::2] > 0.5).all()
    assert (scores[:, 1::2] < 0.5).all()
    flagged = loupe.flag(colored).counts
    assert (flagged["overlay"], flagged["watermark"]) == (3, 3)


def test_another_model_judges_again_and_the_same_does_not(colored: fo.Dataset, models: dict[str, str]) -> None:
    import loupe

    check = Overlay(backend="vlm", vlm=models["of red"])
    assert loupe.check(colored, [check]).n == 6
    assert (loupe.check(colored, [check]).n, loupe.check(colored, [check]).skipped) == (0, 6)
    assert loupe.check(colored, [Overlay(backend="vlm", vlm=models["random"])]).n == 6


def test_a_model_that_says_neither_leaves_it_unknown_and_says_why(colored: fo.Dataset, models: dict[str, str]) -> None:
    import loupe

    loupe.check(colored, [Overlay(backend="vlm", vlm=models["random"])])
    assert colored.values("quality.watermark") == [None] * 6
    reasons = colored.values("unknown.classifications.reason")
    assert [len(each) for each in reasons] == [1] * 6
    assert all("neither yes nor no" in reason for each in reasons for reason in each)


def test_it_is_shown_examples(colored: fo.Dataset, models: dict[str, str], tmp_path: Path) -> None:
    import loupe

    for answer, color in (("yes", "red"), ("no", "blue")):
        place = tmp_path / "examples" / "watermark" / answer
        place.mkdir(parents=True)
        cv2.imwrite(str(place / "a.png"), cv2.cvtColor(picture(color, 7, 64, 64), cv2.COLOR_RGB2BGR))
    plain = Overlay(backend="vlm", vlm=models["of red"])
    loupe.check(colored, [plain])
    before = np.array(colored.values(["quality.watermark", "quality.overlay"]), float)
    loupe.check(colored, [Overlay(backend="vlm", vlm=models["of red"], examples=str(tmp_path / "examples"))])
    after = np.array(colored.values(["quality.watermark", "quality.overlay"]), float)
    assert not np.isnan(after).any()
    assert (np.abs(after[0] - before[0]) > 1e-6).all()  # there are examples for this question
    assert after[1] == pytest.approx(before[1], abs=1e-6)  # and none for that


def test_what_is_wrong_with_model_or_examples_ends_the_run(colored: fo.Dataset, models: dict[str, str]) -> None:
    import loupe

    with pytest.raises(loupe.errors.InputError, match="folder of examples"):
        loupe.check(colored, [Overlay(backend="vlm", vlm=models["of red"], examples="/nowhere")])
    with pytest.raises(loupe.errors.ModelError, match="no-such"):
        loupe.check(colored, [Overlay(backend="vlm", vlm="/no-such/folder")])
    assert not colored.has_field("quality") or colored.values("quality.watermark") == [None] * 6
