"""A table of prompts that a spreadsheet opens runs none of them, and is read as it was written."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from loupe.brain.labels.suggestions import SuggestedPrompts, Suggestion
from loupe.brain.prompts import files

pytestmark = pytest.mark.database  # the verbs' package is FiftyOne's

PROMPTS = ("=1+1", "+1 cup", "-5 degrees", "@home", "a = b", "\uff1dcmd")


@pytest.mark.parametrize("prompt", PROMPTS)
def test_what_would_be_a_formula_is_a_text_and_the_same_prompt(database: str, tmp_path: Path, prompt: str) -> None:
    from loupe.brain.verbs import suggest_prompts

    path = tmp_path / "prompts.csv"
    suggest_prompts._write(path, _suggested(prompt))
    with path.open(newline="", encoding="utf-8") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(tuple("=+-@\uff1d"))]
    assert [(each.prompt, each.factors["place"]) for each in files.read(path)] == [(prompt, prompt)]


def _suggested(prompt: str) -> SuggestedPrompts:
    return SuggestedPrompts((Suggestion(prompt, {"place": prompt}, 1, "a thin cell"),))
