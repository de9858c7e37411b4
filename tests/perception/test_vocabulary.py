"""Nouns of prompts and labels of detectors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import suite

from loupe.brain.perception.detectors.vocabulary import COCO_80, LIVING, Match, Vocabulary, gives_room, normal


@pytest.fixture(scope="module")
def coco() -> Vocabulary:
    return Vocabulary(COCO_80)


def test_coco_has_its_eighty_classes() -> None:
    assert len(set(COCO_80)) == 80
    assert (COCO_80[0], COCO_80[56], COCO_80[79]) == ("person", "chair", "toothbrush")


@pytest.mark.parametrize("label", COCO_80)
def test_every_label_finds_itself_in_the_plural_too(label: str, coco: Vocabulary) -> None:
    assert coco.find(label) == Match((label,), "same")
    for plural in (label + "s", label + "es", label.upper(), label.replace(" ", "_"), f"a {label}"):
        match = coco.find(plural)
        assert match is None or match.labels == (label,)
    assert (
        coco.find(label.upper()) == coco.find(label.replace(" ", "_")) == coco.find(f"the {label}") == coco.find(label)
    )


@pytest.mark.parametrize(
    ("noun", "label"),
    [
        ("people", "person"), ("sofas", "couch"), ("tvs", "tv"), ("television", "tv"), ("mice", "mouse"),
        ("wine glasses", "wine glass"), ("knives", "knife"), ("buses", "bus"), ("tomatoes", None), ("bikes", "bicycle"),
        ("aeroplane", "airplane"), ("mobile phone", "cell phone"), ("fridge", "refrigerator"), ("sheep", "sheep"),
        ("computer keyboard", "keyboard"), ("tv remote", "remote"), ("skis", "skis"), ("cherries", None),
        ("fountain", None), ("犬", None), ("", None), ("   ", None), ("🙂", None), ("the", None),
    ],
)  # fmt: skip
def test_nouns_of_prompts(noun: str, label: str | None, coco: Vocabulary) -> None:
    match = coco.find(noun)
    assert (match.labels if match else None) == ((label,) if label else None)


@pytest.mark.parametrize(
    ("noun", "label"), [("woman", "person"), ("puppies", "dog"), ("taxi", "car"), ("seagulls", "bird")]
)
def test_a_kind_of_a_label(noun: str, label: str, coco: Vocabulary) -> None:
    assert coco.find(noun) == Match((label,), "narrower")


def test_what_labels_are_kinds_of(coco: Vocabulary) -> None:
    match = coco.find("animals")
    assert match is not None
    assert match.kind == "wider"
    assert set(match.labels) == set(LIVING) - {"person"}
    assert coco.find("fruit") == Match(("banana", "apple", "orange"), "wider")


def test_other_spellings_of_labels() -> None:
    voc = Vocabulary(["tvmonitor", "aeroplane", "diningtable", "pottedplant", "Person", "sofa"])
    for noun, label in (("tv", "tvmonitor"), ("plane", "aeroplane"), ("table", "diningtable"), ("couch", "sofa")):
        assert voc.find(noun) == Match((label,), "same")
    assert voc.find("people") == Match(("Person",), "same")
    assert voc.find("woman") == Match(("Person",), "narrower")
    assert voc.means("tvmonitor") == "tv"


def test_a_detector_that_is_asked_for_nouns_knows_all() -> None:
    assert Vocabulary(None).find("Fountains") == Match(("fountain",), "same")
    assert Vocabulary(None).find(" ") is None


def test_no_labels_know_nothing() -> None:
    assert Vocabulary([]).find("dog") is None


def test_classes_as_geneval_calls_them_are_cocos(coco: Vocabulary) -> None:
    for name, label in zip(suite.CLASSES, COCO_80, strict=True):
        assert coco.find(name) == Match((label,), "same")


def test_the_things_of_our_pairs_are_known(coco: Vocabulary) -> None:
    for row in suite.pairs():
        for requested in (row["object_a"], row["object_b"]):
            assert coco.find(requested["name"]) == Match((requested["coco_label"],), "same")


def test_genevals_classes_are_cocos(shared_data: Path, coco: Vocabulary) -> None:
    names = (shared_data / "8_prompts/geneval/object_names.txt").read_text().split("\n")
    matches = [coco.find(name) for name in names if name]
    assert [match.labels for match in matches if match and match.kind == "same"] == [(label,) for label in COCO_80]


def test_the_prompts_of_spatialbench_are_known(shared_data: Path, coco: Vocabulary) -> None:
    lines = (shared_data / "8_prompts/spatialbench_uc/prompts.jsonl").read_text().splitlines()
    for prompt in map(json.loads, lines):
        for requested in (prompt["object_a"], prompt["object_b"]):
            assert coco.find(requested["name"]) == Match((requested["coco_label"],), "same")


@pytest.mark.parametrize(
    ("noun", "label", "room"),
    [
        ("crowd", "person", True), ("city street", "person", True), ("dog", "person", False), ("farm", "cow", True),
        ("red apple", "person", False), ("living room", "person", False), ("street", "cow", False),
        ("herd", "sheep", True),
    ],
)  # fmt: skip
def test_places_bring_people_and_animals(noun: str, label: str, room: bool) -> None:
    assert gives_room(noun, label) is room


def test_normal_is_normal_again() -> None:
    for noun in (*COCO_80, "wine glasses", "buses", "children", "glasses", "lenses"):
        assert normal(normal(noun)) == normal(noun)
