"""What a dataset's own metadata says comes before what is read from the prompt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import suite

from loupe.brain.core.errors import PromptError
from loupe.brain.prompts.metadata import checked, spec_of
from loupe.brain.prompts.parse import parse
from loupe.brain.prompts.spec import Attribute, PromptSpec, Relation, RequestedObject

COUNTING = {
    "tag": "counting",
    "include": [{"class": "clock", "count": 2}],
    "exclude": [{"class": "clock", "count": 3}],
    "prompt": "a photo of two clocks",
}


def test_geneval_counts_are_exact_where_one_more_is_excluded() -> None:
    spec = spec_of(None, COUNTING)
    assert spec is not None
    assert spec == PromptSpec("a photo of two clocks", (RequestedObject("clock", 2, True),), source="geneval")
    without = spec_of("two clocks", {"include": COUNTING["include"]})
    assert without is not None
    assert (without.prompt, without.objects) == ("two clocks", (RequestedObject("clock", 2, False),))


def test_geneval_colors_and_positions() -> None:
    spec = spec_of(
        None,
        {
            "include": [
                {"class": "tv", "count": 1},
                {"class": "laptop", "count": 1, "color": "red", "position": ["right of", 0]},
            ],
            "exclude": [{"class": "dog", "count": 1}],
            "prompt": "x",
        },
    )
    assert spec is not None
    assert spec.objects == (RequestedObject("tv"), RequestedObject("laptop", 1, False, (Attribute("color", "red"),)))
    assert spec.relations == (Relation(1, "right of", 0),)
    assert spec.excluded == ("dog",)


def test_metadata_wins_over_the_words() -> None:
    spec = spec_of("nine red dogs", COUNTING)
    assert spec is not None
    assert [requested.name for requested in spec.objects] == ["clock"]


def test_a_spec_field() -> None:
    made = parse("two cats to the left of a dog")
    assert spec_of(None, made) is made
    assert spec_of("another", made.to_dict()) == made
    spec = spec_of("two cats", {"objects": [{"name": "cat", "count": 2, "exact": True}]})
    assert spec is not None
    assert (spec.prompt, spec.source) == ("two cats", "field")
    assert json.loads(json.dumps(made.to_dict())) == made.to_dict()


def test_without_metadata_the_rules_read() -> None:
    assert spec_of("two cats") == parse("two cats")
    assert spec_of(None) is None
    assert spec_of("") is None
    assert spec_of("  \n") is None


def test_t2i_compbench() -> None:
    texture = spec_of("a metallic spoon and a fluffy rug", {"category": "texture"})
    assert texture is not None
    assert texture.source == "t2i_compbench"
    assert [attribute for requested in texture.objects for attribute in requested.attributes] == [
        Attribute("texture", "metallic"),
        Attribute("texture", "fluffy"),
    ]
    spatial = spec_of(None, {"category": "spatial_val", "prompt": "a book on the top of a girl"})
    assert spatial is not None
    assert spatial.relations == (Relation(0, "above", 1),)


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({}, "an empty mapping"),
        ({"prompt": "x", "color": "red"}, "got 'prompt', 'color'"),
        ([1], "mapping or a PromptSpec, got list"),
        ({"include": 3, "prompt": "x"}, "include to be a list, got 3"),
        ({"include": [], "prompt": "x"}, "at least one object"),
        ({"include": ["cat"], "prompt": "x"}, "'class' and 'count', got 'cat'"),
        ({"include": [{"class": "", "count": 1}], "prompt": "x"}, "class to be a noun"),
        ({"include": [{"class": "cat", "count": "two"}], "prompt": "x"}, "count to be a whole number"),
        ({"include": [{"class": "cat", "count": True}], "prompt": "x"}, "count to be a whole number"),
        ({"include": [{"class": "cat", "count": 1, "position": ["upon", 0]}], "prompt": "x"}, "position"),
        ({"include": [{"class": "cat", "count": 1, "position": ["left of", 4]}], "prompt": "x"}, "no such object"),
        ({"include": [{"class": "cat", "count": 1}]}, "prompt to be a text"),
        ({"category": "poetry", "prompt": "x"}, "category to be one of"),
        ({"category": ["color"], "prompt": "x"}, "category to be one of"),
        ({"objects": "cat", "prompt": "x"}, "objects to be a list"),
        ({"objects": [{"name": 3}], "prompt": "x"}, "name to be a noun"),
        ({"objects": [{"name": "cat", "count": 0}], "prompt": "x"}, "count to be"),
        ({"objects": [{"name": "cat", "exact": "yes"}], "prompt": "x"}, "exact to be"),
        ({"objects": [{"name": "cat", "colour": "red"}], "prompt": "x"}, "colour"),
        ({"objects": [{"name": "cat", "attributes": [{"kind": "hue", "value": "red"}]}], "prompt": "x"}, "kind to be"),
        ({"objects": [{"name": "cat", "attributes": ["red"]}], "prompt": "x"}, "attributes to be"),
        ({"relations": [{"subject": 0, "name": "left of", "object": 1}], "prompt": "x"}, "no such object"),
        ({"relations": [{"subject": 0, "name": "kissing", "object": 1}], "prompt": "x"}, "a relation to be"),
        ({"relations": [3], "prompt": "x"}, "relations to be a mapping"),
        ({"texts": "STOP", "prompt": "x"}, "texts to be a list"),
        ({"excluded": [""], "prompt": "x"}, "excluded to be texts"),
        ({"objects": [], "source": "a friend", "prompt": "x"}, "source to be"),
        ({"objects": [], "text_free": 1, "prompt": "x"}, "text_free to be"),
        ({"objects": [], "something": 1, "prompt": "x"}, "something"),
    ],
)
def test_bad_metadata_says_what_is_wrong(metadata: Any, reason: str) -> None:
    with pytest.raises(PromptError) as caught:
        spec_of(None, metadata)
    assert reason in str(caught.value)


def test_the_prompt_must_be_text() -> None:
    with pytest.raises(PromptError, match="expected a prompt, got int"):
        spec_of(3)  # type: ignore[arg-type]


def test_checked_keeps_everything() -> None:
    made = parse('a red sign that says "OPEN" under two lamps, no dogs')
    assert checked(made.to_dict()) == made


def agree(row: dict[str, Any]) -> bool:
    """Whether GenEval's metadata and the rules name the same objects, as many."""
    by_metadata, by_rules = (
        {(requested.name, requested.count, requested.exact) for requested in spec.objects}
        for spec in (spec_of(None, row), parse(row["prompt"]))
        if spec is not None
    )
    return by_metadata == by_rules


def test_metadata_like_genevals_and_the_rules_agree() -> None:
    assert [row["prompt"] for row in suite.metadata() if not agree(row)] == []


def test_geneval_metadata_and_the_rules_agree(shared_data: Path) -> None:
    path = shared_data / "8_prompts" / "geneval" / "evaluation_metadata.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert sum(map(agree, rows)) / len(rows) >= 0.98
