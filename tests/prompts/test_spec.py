"""The records of what a prompt asks for."""

from __future__ import annotations

import json

import pytest

from loupe.brain.core.errors import PromptError
from loupe.brain.prompts.spec import Attribute, PromptSpec, Relation, RequestedObject

SPEC = PromptSpec(
    "two red cups left of a box",
    (RequestedObject("cup", 2, True, (Attribute("color", "red"),)), RequestedObject("box")),
    (Relation(0, "left of", 1),),
    ("dog",),
    ("OPEN",),
    unparsed=("at night",),
)


def test_to_dict_and_back() -> None:
    assert PromptSpec.from_dict(json.loads(json.dumps(SPEC.to_dict()))) == SPEC
    assert PromptSpec.from_dict({"prompt": ""}) == PromptSpec("")


def test_a_spec_does_not_change_its_dict() -> None:
    values = SPEC.to_dict()
    PromptSpec.from_dict(values)
    assert values == SPEC.to_dict()


@pytest.mark.parametrize("relation", [Relation(0, "left of", 2), Relation(-1, "on", 0), Relation(0, "hugging", 1)])
def test_a_relation_must_be_one(relation: Relation) -> None:
    with pytest.raises(PromptError):
        PromptSpec("x", (RequestedObject("cup"), RequestedObject("box")), (relation,))


@pytest.mark.parametrize("values", [{}, {"prompt": "x", "colour": 1}, {"prompt": "x", "objects": [{"count": 1}]}, {"prompt": "x", "objects": [3]}])  # fmt: skip  # noqa: E501
def test_a_dict_that_is_no_spec(values: dict[str, object]) -> None:
    with pytest.raises(PromptError, match=r"Spec\.to_dict"):
        PromptSpec.from_dict(values)
