"""A label says what an input is: to a person who has never seen the call in Python, and with a sentence below it."""

from __future__ import annotations

from typing import Any

import pytest
from operator_calls import ALL, AROUND, VERBS, operator, parameters, whole_form

from loupe.operators import labels

pytestmark = pytest.mark.database

#: single words that say by themselves what is asked for
CLEAR = {"Prompts", "Height", "Width"}
#: what a label of several words says nothing without, and what an underscore would leave of a name in Python
VAGUE = {"dir", "fdr", "auroc", "dtype", "loras", "n", "k"}


def _vague(label: str) -> bool:
    words = label.partition(":")[0].split()
    return label not in CLEAR and (len(words) < 2 or any(word in VAGUE for word in words))


@pytest.mark.parametrize("name", ALL)
def test_no_label_is_one_vague_word(filled: Any, needed: dict[str, Any], name: str) -> None:
    from fiftyone.operators import types

    vague = []
    for key, made in whole_form(name, filled, needed[name]).items():
        aside = key in AROUND or "__" in key or isinstance(made.type, types.Void)
        if not aside and not isinstance(made.view, types.MarkdownView) and _vague(made.view.label):
            vague.append(f"{key}: {made.view.label}")
    assert not vague


def test_a_vague_label_is_noticed() -> None:
    assert all(map(_vague, ("Each", "Path", "Top", "Output dir", "Fdr: 0.05")))
    assert not any(map(_vague, ("Width", "Output folder", "False findings allowed: 0.05")))


def test_no_line_is_left_over_and_no_form_has_two_inputs_of_one_name(database: str) -> None:
    asked = {(name, parameter) for name in VERBS for parameter in parameters(name)}
    asked |= {(name, own.name) for name in VERBS for own in operator(name).own}
    assert labels._LABELS.keys() - {parameter for _, parameter in asked} <= {
        *("action", "backend", "base_url", "concurrency", "dtype", "quality", "repeat_unclear", "templates")
    }
    assert {key for key in labels._OF_VERB if key[0] in VERBS} - asked <= {("generate", "file"), ("generate", "suite")}
    for name in VERBS:
        shown = [labels.label_of(each, name) for each in parameters(name) if each not in operator(name).hidden]
        assert len(set(shown)) == len(shown), (name, sorted(shown))
