"""Prompts say what is wanted: own ones in other words, templates, captions."""

from __future__ import annotations

from typing import Any

import pytest

from loupe.brain.core.errors import InputError
from loupe.brain.labels.suggestions import MAX_PROMPTS, OwnPrompt, SuggestedPrompts, Suggestion, Wanted, suggested
from loupe.brain.prompts import files


def own(text: str, **values: str) -> OwnPrompt:
    return OwnPrompt(text, {f"scenario.{name}": value for name, value in values.items()}, values)


def wanted(n: int = 4, **values: str) -> Wanted:
    return Wanted({f"scenario.{name}": value for name, value in values.items()}, n, "a cell", "scenario.kind")


def test_own_prompts_are_taken_in_other_words() -> None:
    known = [
        own("an orange cup by day, in the rain", kind="cup", color="orange", time="day", weather="rain"),
        own("a red dog at night", kind="dog", color="red", time="night"),
        own("something by birthday", kind="dog", color="red", time="day"),
    ]
    made = suggested([wanted(kind="cup", color="blue", time="night")], known)
    assert [(each.prompt, each.factors) for each in made.suggestions] == [
        ("a blue cup by night, in the rain", {"kind": "cup", "color": "blue", "time": "night", "weather": "rain"}),
        ("a blue cup at night", {"kind": "cup", "color": "blue", "time": "night"}),
    ]
    assert [each.n for each in made.suggestions] == [2, 2]


def test_what_a_prompt_does_not_say_cannot_be_replaced() -> None:
    known = [own("something by birthday", kind="dog", time="day"), own("a dog, a red red-day", kind="dog", time="red")]
    made = suggested([wanted(kind="dog", time="night")], known[:1])
    assert [each.prompt for each in made.suggestions] == ["a photo of a dog, night"]
    twice = [OwnPrompt("a red car on red ground", {"car": "red", "ground": "red"}, {})]
    made = suggested([Wanted({"car": "blue", "ground": "red"}, 1, "x")], twice)
    assert made.suggestions[0].prompt == "a photo, blue, red"


def test_the_template_is_filled() -> None:
    made = suggested(
        [wanted(kind="traffic_light", time="night", weather="rain")], [], "one {class} in {context}; {time}"
    )
    assert made.suggestions[0].prompt == "one traffic light in night, rain; night"
    assert made.suggestions[0].factors == {"kind": "traffic_light", "time": "night", "weather": "rain"}
    assert suggested([wanted(kind="owl")], []).suggestions[0].prompt == "a photo of an owl"
    for template, text in (("{klass}", "klass"), ("{", "placeholders"), ("  ", "template such as")):
        with pytest.raises(InputError, match=text):
            suggested([wanted(kind="owl")], [], template)
    lacking = suggested([wanted(kind="owl"), wanted(kind="cup", time="day")], [], "{class} by {time}")
    assert [each.prompt for each in lacking.suggestions] == ["cup by day"]
    assert "time" in lacking.notes[0]


def test_captions_are_shared_out() -> None:
    made = suggested([Wanted({}, 5, "hole 1", texts=("a bus", "a tram", "a bus"))])
    assert [(each.prompt, each.n, each.factors) for each in made.suggestions] == [("a bus", 3, {}), ("a tram", 2, {})]


def test_the_rows_are_what_generate_reads() -> None:
    made = suggested([wanted(3, kind="owl"), Wanted({}, 2, "hole 1", texts=("a tram",))])
    assert len(made) == 5 == len(list(made))
    assert [made[at] for at in range(5)] == list(made)
    assert made[-1] == {"prompt": "a tram", "factors": {}}
    assert made[1:3] == list(made)[1:3]
    with pytest.raises(IndexError):
        made[5]
    read = files.read(made)
    assert [prompt.prompt for prompt in read] == ["a photo of an owl"] * 3 + ["a tram"] * 2
    assert read[0].factors == {"kind": "owl"}
    assert made.to_dict()["suggestions"][0]["n"] == 3
    assert "5 pictures of 2 prompts" in repr(made)
    assert not SuggestedPrompts(())


@pytest.mark.parametrize("value", ["a\x00b", "x" * 5000, " "])
def test_what_no_prompt_can_hold_is_a_note(value: str) -> None:
    made = suggested([wanted(kind=value), wanted(kind="owl")])
    assert all(each.factors == {"kind": "owl"} for each in made.suggestions)
    assert len(made.notes) == 1


def test_names_with_odd_letters_go_through() -> None:
    odd: dict[str, Any] = {"my field": 'a "b" {c} $d <e> 🐈', "ground_truth.label": "x", "seed": "1"}
    made = suggested([Wanted(odd, 1, "a cell", "my field")])
    files.read(made)
    assert made[0]["factors"] == {"my_field": 'a "b" {c} $d <e> 🐈', "ground_truth": "x", "scene_seed": "1"}
    known = [OwnPrompt("a (x) in \\d+ by day", {"kind": "(x)", "time": "day"}, {})]
    made = suggested([Wanted({"kind": r"\1 y", "time": "day"}, 1, "a cell")], known)
    assert made[0]["prompt"] == r"a (\1 y) in \d+ by day" or made[0]["prompt"] == r"a \1 y in \d+ by day"


def test_too_many_are_refused() -> None:
    with pytest.raises(InputError, match="at most"):
        suggested([wanted(MAX_PROMPTS + 1, kind="owl")])
    assert suggested([wanted(0, kind="owl")]) == SuggestedPrompts(())
    assert Suggestion("a", {}, 1, "b").to_dict() == {"prompt": "a", "factors": {}, "n": 1, "why": "b"}
