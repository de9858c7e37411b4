"""The relations, and everybody who knows some of them."""

from __future__ import annotations

import copy
import json
import pickle
from collections import Counter

import pytest

from benchmarks.composition import reference
from loupe.brain.core.relations import SIZE_RELATIONS, SPATIAL_RELATIONS, RelationName
from loupe.brain.measures.composition import agreement, calibrated, geneval, geometry, t2i_compbench
from loupe.brain.perception.detectors.detection import Detection
from loupe.brain.perception.vlm import questions
from loupe.brain.prompts.llm import read_with
from loupe.brain.prompts.metadata import spec_of
from loupe.brain.prompts.parse import parse
from loupe.brain.prompts.spec import PromptSpec, Relation, RequestedObject

CUP_AND_BOX = (RequestedObject("cup"), RequestedObject("box"))
LEFT, RIGHT = ((x, 40.0, x + 20, 60.0) for x in (0.0, 70.0))
#: what is stored on samples and in files: these names stay
STORED = [
    "left of", "right of", "above", "below", "in front of", "behind", "on", "in", "under", "next to", "near",
    "larger than", "smaller than", "same size as",
]  # fmt: skip


def test_the_names_are_the_stored_ones() -> None:
    assert [relation.value for relation in RelationName] == STORED
    assert [*SPATIAL_RELATIONS, *SIZE_RELATIONS] == STORED
    assert json.dumps(list(RelationName)) == json.dumps(STORED)


@pytest.mark.parametrize("relation", RelationName)
def test_a_relation_is_the_same_one_after_a_copy(relation: RelationName) -> None:
    assert copy.deepcopy(relation) is pickle.loads(pickle.dumps(relation)) is RelationName(str(relation)) is relation


def test_no_phrase_asks_for_two_relations() -> None:
    phrases = Counter(alias for relation in RelationName for alias in relation.aliases)
    assert max(phrases.values()) == 1
    assert len(phrases) > 150


EVERY_ALIAS = [(relation, alias) for relation in RelationName for alias in relation.aliases]


@pytest.mark.parametrize(("relation", "alias"), EVERY_ALIAS)
def test_a_prompt_asks_by_every_alias(relation: RelationName, alias: str) -> None:
    spec = parse(f"a cup {alias} a box")
    assert spec.relations == (Relation(0, relation.value, 1),)
    assert type(spec.relations[0].name) is str
    assert (spec.objects, spec.unparsed) == (CUP_AND_BOX, ())


@pytest.mark.parametrize("relation", RelationName)
def test_its_own_name_is_an_alias(relation: RelationName) -> None:
    assert relation.value in relation.aliases


@pytest.mark.parametrize("relation", RelationName)
def test_the_inverse_of_the_inverse_is_the_relation(relation: RelationName) -> None:
    inverse = relation.inverse
    if relation is RelationName.IN:
        assert inverse is None
        return
    assert inverse is not None
    assert inverse.inverse is relation
    assert inverse.kind == relation.kind
    assert (inverse.axis, inverse.sign) == (relation.axis, -relation.sign)


@pytest.mark.parametrize("relation", [relation for relation in RelationName if relation.inverse])
def test_the_rules_say_the_same_of_the_inverse(relation: RelationName) -> None:
    first, second = (
        [Detection("?", 0.9, corners, tuple(value / 100 for value in corners))]
        for corners in (LEFT, (70.0, 20.0, 100.0, 60.0))
    )
    measure = calibrated.sized if relation in SIZE_RELATIONS else calibrated.related
    forth, back = measure(relation.value, first, second), measure(str(relation.inverse), second, first)
    assert forth.probability == pytest.approx(back.probability, nan_ok=True)
    assert bool(forth.reason) == bool(back.reason)


def test_a_side_is_an_axis_and_a_sign() -> None:
    sides = {relation: (relation.axis, relation.sign) for relation in RelationName.of_kind("side")}
    assert sides == {"left of": (0, -1), "right of": (0, 1), "above": (1, -1), "below": (1, 1)}
    assert sides == geometry.AXES
    assert all(relation.axis is None and relation.sign == 0 for relation in RelationName if relation not in sides)


def test_genevals_are_the_sides() -> None:
    assert set(geneval.RELATIONS) == {"left of", "right of", "above", "below"}
    for relation in geneval.RELATIONS:
        a, b = (LEFT, RIGHT) if relation.axis == 0 else ((0.0, 0.0, 9.0, 9.0), (0.0, 50.0, 9.0, 59.0))
        assert geometry.geneval_relations(*((a, b) if relation.sign < 0 else (b, a))) == {relation}
        assert reference.reference_geneval(*((a, b) if relation.sign < 0 else (b, a))) == {relation}


def test_t2i_compbenchs_are_the_sides_and_the_distances() -> None:
    assert set(t2i_compbench.RELATIONS) == {"left of", "right of", "above", "below", "next to", "near"}
    for relation in RelationName:
        measured = geometry.t2i_position(relation, LEFT, RIGHT) or geometry.t2i_position(relation, RIGHT, LEFT)
        known = relation in t2i_compbench.RELATIONS and relation.axis != 1
        assert measured == known


@pytest.mark.parametrize("relation", RelationName)
def test_a_vlm_is_asked_about_every_relation_but_the_same_size(relation: RelationName) -> None:
    question = agreement.relation("cup", relation.value, "box")
    assert bool(question) == bool(relation.question) == (relation is not RelationName.SAME_SIZE_AS)
    assert question in ("", f'Is the "cup" {relation.question} the "box" in this picture?')
    assert (relation in questions.RELATIONS) == bool(question)


def test_no_question_is_left_over() -> None:
    assert set(questions.RELATIONS) == {relation for relation in RelationName if relation.question}


@pytest.mark.parametrize("relation", RelationName)
def test_every_form_of_a_spec_takes_it(relation: RelationName) -> None:
    spec = PromptSpec("?", CUP_AND_BOX, (Relation(0, relation.value, 1),))
    assert PromptSpec.from_dict(spec.to_dict()) == spec
    questions_asked: list[str] = []
    answer = json.dumps({"objects": [{"name": "cup"}, {"name": "box"}], "relations": [vars(spec.relations[0])]})
    read = read_with("a cup, a box", lambda question: questions_asked.append(question) or answer)  # type: ignore[func-returns-value]
    assert (read.source, read.relations) == ("llm", spec.relations)
    assert relation.value in questions_asked[0]
    metadata = {
        "include": [{"class": "box", "count": 1}, {"class": "cup", "count": 1, "position": [relation.value, 0]}]
    }
    if relation in SPATIAL_RELATIONS:
        by_metadata = spec_of("?", metadata)
        assert by_metadata is not None
        assert by_metadata.relations == (Relation(1, relation.value, 0),)
